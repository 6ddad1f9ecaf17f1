#include "base/gzip_piece.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"

/* As good as zlib's 6 or better, at a third of the time. */
#define LEVEL 6
/* RFC 1951, section 3.2.4: an empty stored block after its three bits of header. */
static const unsigned char empty_stored[] = { 0x00, 0x00, 0xff, 0xff };
#define STORED_HEADER_BITS 3

const unsigned char gzip_end[2] = { 0x03, 0x00 };

struct gzip_deflater {
	struct libdeflate_compressor *compressor;
	size_t max;
	unsigned char *scratch; /* max bytes, for inflate's output, which nobody reads */
};

/* Memory is checked, and what is inflated was deflated here: anything else is a broken invariant. */
static void must(int ok)
{
	if (!ok)
		abort();
}

struct gzip_deflater *gzip_deflater_new(size_t max)
{
	struct gzip_deflater *d = xcalloc(1, sizeof(*d));

	d->compressor = libdeflate_alloc_compressor(LEVEL);
	must(d->compressor != NULL);
	d->max = max;
	d->scratch = xmalloc(max);
	return d;
}

void gzip_deflater_free(struct gzip_deflater *d)
{
	if (!d)
		return;
	libdeflate_free_compressor(d->compressor);
	free(d->scratch);
	free(d);
}

size_t gzip_piece_bound(size_t n)
{
	return libdeflate_deflate_compress_bound(NULL, n) + 1 + sizeof(empty_stored);
}

/* The bits at which the last block begins and ends. */
static void find_last_block(struct gzip_deflater *d, unsigned char *deflated, size_t n, size_t *ret_begin,
			    size_t *ret_end)
{
	z_stream z = { .next_in = deflated, .avail_in = (uInt)n, .next_out = d->scratch, .avail_out = (uInt)d->max };
	size_t begin = 0;

	must(inflateInit2(&z, -MAX_WBITS) == Z_OK);
	for (;;) {
		size_t bit;

		must(inflate(&z, Z_BLOCK) == Z_OK);
		if (!(z.data_type & 128))
			continue;
		/* Between two blocks; the low bits count what is left of the last byte that was read. */
		bit = z.total_in * 8 - (size_t)(z.data_type & 7);
		if (z.data_type & 64) {
			*ret_begin = begin;
			*ret_end = bit;
			break;
		}
		begin = bit;
	}
	inflateEnd(&z);
}

size_t gzip_piece(struct gzip_deflater *d, const void *in, size_t n, unsigned char *out)
{
	size_t begin, end, used = libdeflate_deflate_compress(d->compressor, in, n, out, gzip_piece_bound(n));

	must(used != 0);
	find_last_block(d, out, used, &begin, &end);
	/* The first bit of a block says whether it is the last. */
	out[begin / 8] &= (unsigned char)~(1U << begin % 8);
	/* The header of the stored block: zeros, as are the bits that fill up the last byte. */
	used = (end + STORED_HEADER_BITS + 7) / 8;
	if (used > (end + 7) / 8)
		out[used - 1] = 0;
	memcpy(out + used, empty_stored, sizeof(empty_stored));
	return used + sizeof(empty_stored);
}
