#include "base/crc64.h"

#include <pthread.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Bit 63 - i stands for x^i, as the bytes lie in a message. */
#define POLYNOMIAL UINT64_C(0x9a6c9329ac4bc9b5)
#define ONE        (UINT64_C(1) << 63)

#define SLICES 8

/* Written once, before it is read. */
struct tables {
	uint64_t slice[SLICES][256];
	uint64_t fold[4]; /* x^191, x^127, x^575, x^511 */
};

static uint64_t times_x(uint64_t a)
{
	return (a >> 1) ^ (a & 1 ? POLYNOMIAL : 0);
}

static uint64_t multiply(uint64_t a, uint64_t b)
{
	uint64_t product = 0;

	for (; b; b <<= 1) {
		if (b & ONE)
			product ^= a;
		a = times_x(a);
	}
	return product;
}

static uint64_t power_of_x(uint64_t n)
{
	uint64_t result = ONE, square = times_x(ONE);

	for (; n; n >>= 1) {
		if (n & 1)
			result = multiply(result, square);
		square = multiply(square, square);
	}
	return result;
}

static struct tables tables;

static void fill_tables(void)
{
	static const uint64_t exponents[] = { 191, 127, 575, 511 };

	for (unsigned i = 0; i < 256; i++) {
		uint64_t v = i;

		for (int bit = 0; bit < 8; bit++)
			v = times_x(v);
		tables.slice[0][i] = v;
	}
	for (unsigned k = 1; k < SLICES; k++) {
		for (unsigned i = 0; i < 256; i++) {
			uint64_t v = tables.slice[k - 1][i];

			tables.slice[k][i] = (v >> 8) ^ tables.slice[0][v & 0xff];
		}
	}
	for (unsigned i = 0; i < 4; i++)
		tables.fold[i] = power_of_x(exponents[i]);
}

static const struct tables *get_tables(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, fill_tables);
	return &tables;
}

static uint64_t load(const unsigned char *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

/* On the bare remainder, without the ones before and after. */
static uint64_t by_table(const struct tables *t, uint64_t r, const unsigned char *p, size_t n)
{
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v = r ^ load(p);

		r = 0;
		for (unsigned k = 0; k < SLICES; k++)
			r ^= t->slice[SLICES - 1 - k][(v >> (8 * k)) & 0xff];
	}
	for (; n; n--, p++)
		r = (r >> 8) ^ t->slice[0][(r ^ *p) & 0xff];
	return r;
}

#if defined(__x86_64__)
/* block * x^d, reduced to 128 bits: the product of two reflected values stands for theirs times x. */
__attribute__((target("pclmul,sse2"))) static __m128i fold(__m128i block, __m128i constants)
{
	return _mm_xor_si128(_mm_clmulepi64_si128(block, constants, 0x00),
			     _mm_clmulepi64_si128(block, constants, 0x11));
}

__attribute__((target("pclmul,sse2"))) static __m128i block_at(const unsigned char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* n is at least 64. Four blocks side by side, so that the multiplier is kept busy. */
__attribute__((target("pclmul,sse2"))) static uint64_t by_multiplication(const struct tables *t, uint64_t r,
									 const unsigned char *p, size_t n)
{
	const __m128i near = _mm_set_epi64x((long long)t->fold[1], (long long)t->fold[0]);
	const __m128i far = _mm_set_epi64x((long long)t->fold[3], (long long)t->fold[2]);
	__m128i b[4];
	unsigned char rest[16];

	for (int i = 0; i < 4; i++)
		b[i] = block_at(p + 16 * i);
	b[0] = _mm_xor_si128(b[0], _mm_set_epi64x(0, (long long)r));
	for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
		for (int i = 0; i < 4; i++)
			b[i] = _mm_xor_si128(fold(b[i], far), block_at(p + 16 * i));
	}
	for (int i = 1; i < 4; i++)
		b[0] = _mm_xor_si128(fold(b[0], near), b[i]);
	for (; n >= 16; p += 16, n -= 16)
		b[0] = _mm_xor_si128(fold(b[0], near), block_at(p));
	_mm_storeu_si128((__m128i *)(void *)rest, b[0]);
	return by_table(t, by_table(t, 0, rest, sizeof(rest)), p, n);
}
#endif

uint64_t crc64nvme_by_table(uint64_t crc, const void *p, size_t n)
{
	return ~by_table(get_tables(), ~crc, p, n);
}

uint64_t crc64nvme(uint64_t crc, const void *p, size_t n)
{
#if defined(__x86_64__)
	if (n >= 64 && __builtin_cpu_supports("pclmul"))
		return ~by_multiplication(get_tables(), ~crc, p, n);
#endif
	return crc64nvme_by_table(crc, p, n);
}

uint64_t crc64nvme_join(uint64_t first, uint64_t second, uint64_t second_bytes)
{
	return multiply(first, power_of_x(8 * second_bytes)) ^ second;
}
