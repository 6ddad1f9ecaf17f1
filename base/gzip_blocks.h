#ifndef SMPIPE_BASE_GZIP_BLOCKS_H
#define SMPIPE_BASE_GZIP_BLOCKS_H

/* Finding blocks in a deflate stream (RFC 1951) without inflating it: its codes are read, its bytes are not made. */

#include <stddef.h>
#include <stdint.h>

#define GZIP_BLOCKS_SLACK 8

/* Room to work in; nothing in it outlives a call. */
struct gzip_blocks {
	uint8_t literals[1 << 15], distances[1 << 15];
};

/*
 * The bits at which the last block of a stream begins and ends, counted as the stream has them: from the low bit of the
 * first byte. GZIP_BLOCKS_SLACK bytes behind the stream must be readable. Only for streams that were just deflated:
 * what is malformed is a broken invariant and aborts.
 *
 * zlib's inflate() stops at blocks too, but takes four times as long.
 */
void gzip_blocks_find_last(struct gzip_blocks *b, const unsigned char *deflated, size_t n, size_t *ret_begin,
			   size_t *ret_end);

#endif
