#ifndef SMPIPE_BASE_GZIP_PIECE_H
#define SMPIPE_BASE_GZIP_PIECE_H

/* Pieces of a deflate stream (RFC 1951) that can be written one after the other; see base/gzip.h. */

#include <stddef.h>

/* What one thread compresses with. */
struct gzip_deflater;

/* Never NULL. */
struct gzip_deflater *gzip_deflater_new(void);
void gzip_deflater_free(struct gzip_deflater *d);

/* Bytes that a compressed piece of n bytes may take. */
size_t gzip_piece_bound(size_t n);

/*
 * Compress in (n bytes, at least one) to out, which has gzip_piece_bound(n) bytes; returns how many were written. The
 * piece ends at a whole byte and is not the end of the stream.
 */
size_t gzip_piece(struct gzip_deflater *d, const void *in, size_t n, unsigned char *out);

/* The end of every stream: an empty block that says that it is the last. */
extern const unsigned char gzip_end[2];

#endif
