#include "base/digest_x86.h"

#include <stdlib.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define SHA_CODE    __attribute__((target("sha,sse4.1,ssse3")))
#define AVX512_CODE __attribute__((target("avx512f,avx512bw")))
#define INLINE      static inline __attribute__((always_inline))

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

bool digest_x86_has_sha(void)
{
	unsigned a, b, c, d;

	return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

bool digest_x86_has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

/* The state as the SHA instructions want it: the words A, B, E, F and C, D, G, H. */
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

/* One block of each, four rounds in turn. */
SHA_CODE INLINE void compress_two(struct words *w, const unsigned char **p)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	const struct words before[2] = { w[0], w[1] };
	__m128i m[2][4];

#pragma GCC unroll 16
	for (int i = 0; i < 16; i++) {
#pragma GCC unroll 2
		for (int lane = 0; lane < 2; lane++) {
			const void *at = p[lane] + 16 * (i % 4);

			if (i < 4)
				m[lane][i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)at), big_endian);
			else
				extend(m[lane], i);
			four_rounds(&w[lane], m[lane][i % 4], i);
		}
	}
	for (int lane = 0; lane < 2; lane++) {
		w[lane].abef = _mm_add_epi32(w[lane].abef, before[lane].abef);
		w[lane].cdgh = _mm_add_epi32(w[lane].cdgh, before[lane].cdgh);
		p[lane] += DIGEST_BLOCK_BYTES;
	}
}

SHA_CODE void digest_x86_two(uint32_t *const *h, const unsigned char *const *p, size_t n_blocks)
{
	struct words w[] = { load_state(h[0]), load_state(h[1]) };
	const unsigned char *at[] = { p[0], p[1] };

	while (n_blocks--)
		compress_two(w, at);
	store_state(h[0], w[0]);
	store_state(h[1], w[1]);
}

/* Sixteen rows of sixteen words become columns: word i of each stream in v[i]. */
AVX512_CODE INLINE void transpose(__m512i *v)
{
	__m512i t[16];

	/* Pairs of rows, then fours: in each 128 bits four rows of one column. */
#pragma GCC unroll 8
	for (int i = 0; i < 16; i += 2) {
		t[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
		t[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 16; i += 4) {
		v[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
		v[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
		v[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
		v[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
	}
	/* Then the 128 bits among the registers. */
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		t[i] = _mm512_shuffle_i32x4(v[i], v[i + 4], 0x88);
		t[i + 4] = _mm512_shuffle_i32x4(v[i], v[i + 4], 0xdd);
		t[i + 8] = _mm512_shuffle_i32x4(v[i + 8], v[i + 12], 0x88);
		t[i + 12] = _mm512_shuffle_i32x4(v[i + 8], v[i + 12], 0xdd);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		v[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
		v[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
		v[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
		v[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
	}
}

/* What _mm512_ternarylogic_epi32 does with three inputs. */
enum { XOR_ALL = 0x96, CHOOSE = 0xca, MAJORITY = 0xe8 };

#define ROTATED3(x, a, b, c)                                                                                           \
	_mm512_ternarylogic_epi32(_mm512_ror_epi32(x, a), _mm512_ror_epi32(x, b), _mm512_ror_epi32(x, c), XOR_ALL)
#define SCHEDULED(x, a, b, shift)                                                                                      \
	_mm512_ternarylogic_epi32(_mm512_ror_epi32(x, a), _mm512_ror_epi32(x, b), _mm512_srli_epi32(x, shift), XOR_ALL)

/* Round i of any sixteen; the words of the state change places instead of being moved. */
AVX512_CODE INLINE void one_round(__m512i *s, int i, __m512i message, uint32_t constant)
{
	const __m512i a = s[(16 - i) % 8], b = s[(17 - i) % 8], c = s[(18 - i) % 8];
	const __m512i e = s[(20 - i) % 8], f = s[(21 - i) % 8], g = s[(22 - i) % 8];
	__m512i *d = &s[(19 - i) % 8], *h = &s[(23 - i) % 8];
	__m512i sum = _mm512_add_epi32(*h, _mm512_add_epi32(message, _mm512_set1_epi32((int)constant)));

	sum = _mm512_add_epi32(sum, _mm512_ternarylogic_epi32(e, f, g, CHOOSE));
	sum = _mm512_add_epi32(sum, ROTATED3(e, 6, 11, 25));
	*d = _mm512_add_epi32(*d, sum);
	sum = _mm512_add_epi32(sum, _mm512_ternarylogic_epi32(a, b, c, MAJORITY));
	*h = _mm512_add_epi32(sum, ROTATED3(a, 2, 13, 22));
}

/* The word of the message schedule that is sixteen later, in the place of m[i]. */
AVX512_CODE INLINE void extend_lanes(__m512i *m, int i)
{
	__m512i sum = _mm512_add_epi32(m[i], m[(i + 9) % 16]);

	sum = _mm512_add_epi32(sum, SCHEDULED(m[(i + 1) % 16], 7, 18, 3));
	m[i] = _mm512_add_epi32(sum, SCHEDULED(m[(i + 14) % 16], 17, 19, 10));
}

AVX512_CODE INLINE void compress_sixteen(__m512i *state, const unsigned char *const *p, size_t offset)
{
	const __m512i big_endian = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
	__m512i s[8], m[16];

#pragma GCC unroll 16
	for (int i = 0; i < 16; i++)
		m[i] = _mm512_loadu_si512(p[i] + offset);
	transpose(m);
#pragma GCC unroll 16
	for (int i = 0; i < 16; i++)
		m[i] = _mm512_shuffle_epi8(m[i], big_endian);
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++)
		s[i] = state[i];
	for (int k = 0; k < 64; k += 16) {
#pragma GCC unroll 16
		for (int i = 0; i < 16; i++) {
			one_round(s, i, m[i], round_constants[k + i]);
			if (k < 48)
				extend_lanes(m, i);
		}
	}
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++)
		state[i] = _mm512_add_epi32(state[i], s[i]);
}

AVX512_CODE void digest_x86_sixteen(uint32_t *const *h, const unsigned char *const *p, size_t n_blocks)
{
	uint32_t words[8][DIGEST_X86_LANES] __attribute__((aligned(64)));
	__m512i state[8];

	for (int lane = 0; lane < DIGEST_X86_LANES; lane++)
		for (int i = 0; i < 8; i++)
			words[i][lane] = h[lane][i];
	for (int i = 0; i < 8; i++)
		state[i] = _mm512_load_si512(words[i]);
	for (size_t i = 0; i < n_blocks; i++)
		compress_sixteen(state, p, i * DIGEST_BLOCK_BYTES);
	for (int i = 0; i < 8; i++)
		_mm512_store_si512(words[i], state[i]);
	for (int lane = 0; lane < DIGEST_X86_LANES; lane++)
		for (int i = 0; i < 8; i++)
			h[lane][i] = words[i][lane];
}
#else
bool digest_x86_has_sha(void)
{
	return false;
}

bool digest_x86_has_avx512(void)
{
	return false;
}

void digest_x86_two(uint32_t *const *h, const unsigned char *const *p, size_t n_blocks)
{
	(void)h, (void)p, (void)n_blocks;
	abort();
}

void digest_x86_sixteen(uint32_t *const *h, const unsigned char *const *p, size_t n_blocks)
{
	(void)h, (void)p, (void)n_blocks;
	abort();
}
#endif
