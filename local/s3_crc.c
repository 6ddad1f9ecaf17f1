#include "local/s3_crc.h"

#include <string.h>

#include "base/crc64.h"

/* ones: before and after. CRC-64/NVME is base/crc64's, which is quicker. */
static const struct {
	uint64_t polynomial, ones, top;
} kinds[] = {
	[S3_CRC32] = { 0xedb88320, 0xffffffff, 1ULL << 31 },
	[S3_CRC32C] = { 0x82f63b78, 0xffffffff, 1ULL << 31 },
};

void s3_crc_init(struct s3_crc *crc, enum s3_crc_kind kind)
{
	crc->kind = kind;
	crc->state = 0;
	if (kind == S3_CRC64NVME)
		return;
	crc->state = kinds[kind].ones;
	for (unsigned i = 0; i < 256; i++) {
		uint64_t v = i;

		for (int bit = 0; bit < 8; bit++)
			v = v & 1 ? v >> 1 ^ kinds[kind].polynomial : v >> 1;
		crc->table[0][i] = v;
	}
	for (unsigned i = 0; i < 256; i++)
		for (int k = 1; k < 8; k++)
			crc->table[k][i] = crc->table[k - 1][i] >> 8 ^ crc->table[0][crc->table[k - 1][i] & 0xff];
}

/* Eight bytes at once, one table for each: a 32-bit state takes up only the first four of them. */
static uint64_t eight(const struct s3_crc *crc, uint64_t state, const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	v ^= state;
	return crc->table[7][v & 0xff] ^ crc->table[6][v >> 8 & 0xff] ^ crc->table[5][v >> 16 & 0xff] ^
	       crc->table[4][v >> 24 & 0xff] ^ crc->table[3][v >> 32 & 0xff] ^ crc->table[2][v >> 40 & 0xff] ^
	       crc->table[1][v >> 48 & 0xff] ^ crc->table[0][v >> 56];
}

void s3_crc_update(struct s3_crc *crc, const void *p, size_t n)
{
	const unsigned char *b = p;
	uint64_t state = crc->state;

	if (crc->kind == S3_CRC64NVME) {
		crc->state = crc64nvme(state, p, n);
		return;
	}
	for (; n >= 8; b += 8, n -= 8)
		state = eight(crc, state, b);
	for (; n > 0; b++, n--)
		state = state >> 8 ^ crc->table[0][(state ^ *b) & 0xff];
	crc->state = state;
}

uint64_t s3_crc_value(const struct s3_crc *crc)
{
	return crc->kind == S3_CRC64NVME ? crc->state : crc->state ^ kinds[crc->kind].ones;
}

/* The product of two polynomials modulo the kind's; the top bit is x^0. */
static uint64_t multiply(enum s3_crc_kind kind, uint64_t a, uint64_t b)
{
	uint64_t product = 0;

	for (uint64_t bit = kinds[kind].top; bit; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b & 1 ? b >> 1 ^ kinds[kind].polynomial : b >> 1;
	}
	return product;
}

/* A is shifted by the bits of B: multiplied by x^8 as often as B has bytes. */
uint64_t s3_crc_combine(enum s3_crc_kind kind, uint64_t a, uint64_t b, uint64_t b_bytes)
{
	uint64_t factor, power;

	if (kind == S3_CRC64NVME)
		return crc64nvme_join(a, b, b_bytes);
	factor = kinds[kind].top;
	power = kinds[kind].top >> 8;

	for (; b_bytes; b_bytes >>= 1) {
		if (b_bytes & 1)
			factor = multiply(kind, factor, power);
		power = multiply(kind, power, power);
	}
	return multiply(kind, factor, a) ^ b;
}
