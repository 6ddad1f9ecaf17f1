#include "base/digest_pair.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 64

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define SHA_CODE __attribute__((target("sha,sse4.1,ssse3")))

/* FIPS 180-4, section 4.2.2. */
static const uint32_t round_constants[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

bool digest_pair_is_possible(void)
{
	unsigned a, b, c, d;

	return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* The state as the instructions want it: the words A, B, E, F and C, D, G, H. */
struct words {
	__m128i abef, cdgh;
};

SHA_CODE static inline struct words load_state(const uint32_t *h)
{
	__m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)h), 0xb1);
	__m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(h + 4)), 0x1b);

	return (struct words){ _mm_alignr_epi8(low, high, 8), _mm_blend_epi16(high, low, 0xf0) };
}

SHA_CODE static inline void store_state(uint32_t *h, struct words w)
{
	__m128i low = _mm_shuffle_epi32(w.abef, 0x1b), high = _mm_shuffle_epi32(w.cdgh, 0xb1);

	_mm_storeu_si128((__m128i *)(void *)h, _mm_blend_epi16(low, high, 0xf0));
	_mm_storeu_si128((__m128i *)(void *)(h + 4), _mm_alignr_epi8(high, low, 8));
}

/* The next four words of the message schedule, in the place of the oldest. */
SHA_CODE static inline void extend(__m128i *m, int i)
{
	__m128i last = m[(i + 3) % 4];
	__m128i sum =
		_mm_add_epi32(_mm_sha256msg1_epu32(m[i % 4], m[(i + 1) % 4]), _mm_alignr_epi8(last, m[(i + 2) % 4], 4));

	m[i % 4] = _mm_sha256msg2_epu32(sum, last);
}

SHA_CODE static inline void four_rounds(struct words *w, __m128i message, int i)
{
	__m128i k = _mm_add_epi32(message, _mm_load_si128((const __m128i *)(const void *)&round_constants[4 * i]));

	w->cdgh = _mm_sha256rnds2_epu32(w->cdgh, w->abef, k);
	w->abef = _mm_sha256rnds2_epu32(w->abef, w->cdgh, _mm_shuffle_epi32(k, 0x0e));
}

/* One block of each of n_lanes (1 or 2) streams, a few rounds in turn. */
SHA_CODE static inline __attribute__((always_inline)) void compress_block(struct words *w, const unsigned char **p,
									  const int n_lanes)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	const struct words before[2] = { w[0], w[n_lanes - 1] };
	__m128i m[2][4];

#pragma GCC unroll 16
	for (int i = 0; i < 16; i++) {
#pragma GCC unroll 2
		for (int lane = 0; lane < n_lanes; lane++) {
			const void *at = p[lane] + 16 * (i % 4);

			if (i < 4)
				m[lane][i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)at), big_endian);
			else
				extend(m[lane], i);
			four_rounds(&w[lane], m[lane][i % 4], i);
		}
	}
	for (int lane = 0; lane < n_lanes; lane++) {
		w[lane].abef = _mm_add_epi32(w[lane].abef, before[lane].abef);
		w[lane].cdgh = _mm_add_epi32(w[lane].cdgh, before[lane].cdgh);
		p[lane] += BLOCK_BYTES;
	}
}

SHA_CODE static void compress_one(struct digest_lane *l, const unsigned char *p, size_t n_blocks)
{
	struct words w[] = { load_state(l->h) };

	while (n_blocks--)
		compress_block(w, &p, 1);
	store_state(l->h, w[0]);
}

SHA_CODE static void compress_two(struct digest_lane *a, const unsigned char *pa, struct digest_lane *b,
				  const unsigned char *pb, size_t n_blocks)
{
	struct words w[] = { load_state(a->h), load_state(b->h) };
	const unsigned char *p[] = { pa, pb };

	while (n_blocks--)
		compress_block(w, p, 2);
	store_state(a->h, w[0]);
	store_state(b->h, w[1]);
}
#else
bool digest_pair_is_possible(void)
{
	return false;
}

static void compress_one(struct digest_lane *l, const unsigned char *p, size_t n_blocks)
{
	(void)l;
	(void)p;
	if (n_blocks)
		abort();
}

static void compress_two(struct digest_lane *a, const unsigned char *pa, struct digest_lane *b, const unsigned char *pb,
			 size_t n_blocks)
{
	compress_one(a, pa, n_blocks);
	compress_one(b, pb, n_blocks);
}
#endif

/* FIPS 180-4, section 5.3.3. */
void digest_lane_init(struct digest_lane *l)
{
	*l = (struct digest_lane){ .h = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
					  0x1f83d9ab, 0x5be0cd19 } };
}

void digest_lane_update(struct digest_lane *l, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	size_t held = l->n_bytes % BLOCK_BYTES, missing = held ? BLOCK_BYTES - held : 0;

	l->n_bytes += n;
	if (missing > n)
		missing = n;
	memcpy(l->rest + held, p, missing);
	if (held && held + missing == BLOCK_BYTES)
		compress_one(l, l->rest, 1);
	p += missing;
	n -= missing;
	compress_one(l, p, n / BLOCK_BYTES);
	if (n % BLOCK_BYTES)
		memcpy(l->rest, p + n - n % BLOCK_BYTES, n % BLOCK_BYTES);
}

struct digest digest_lane_final(struct digest_lane *l)
{
	unsigned char padding[2 * BLOCK_BYTES] = { 0x80 };
	uint64_t n_bits = l->n_bytes * 8;
	size_t n = BLOCK_BYTES - l->n_bytes % BLOCK_BYTES;
	struct digest digest;

	if (n < 9)
		n += BLOCK_BYTES;
	for (size_t i = 0; i < 8; i++)
		padding[n - 1 - i] = (unsigned char)(n_bits >> (8 * i));
	digest_lane_update(l, padding, n);
	for (int i = 0; i < DIGEST_BYTES; i++)
		digest.b[i] = (unsigned char)(l->h[i / 4] >> (24 - 8 * (i % 4)));
	return digest;
}

void digest_pair_update(struct digest_lane *a, const void *pa, size_t na, struct digest_lane *b, const void *pb,
			size_t nb)
{
	size_t n = (na < nb ? na : nb) / BLOCK_BYTES * BLOCK_BYTES;

	if (a->n_bytes % BLOCK_BYTES || b->n_bytes % BLOCK_BYTES)
		n = 0;
	compress_two(a, pa, b, pb, n / BLOCK_BYTES);
	a->n_bytes += n;
	b->n_bytes += n;
	digest_lane_update(a, (const unsigned char *)pa + n, na - n);
	digest_lane_update(b, (const unsigned char *)pb + n, nb - n);
}
