/* Its functions of SHA-256 with an open state are the only ones that can go on from a state of our own. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/digest_lanes.h"

#include <limits.h>
#include <openssl/sha.h>

#include "base/digest_x86.h"
#include "base/mem.h"

/*
 * From how many lanes on sixteen at once are quicker, empty ones included: against the SHA instructions, and against
 * OpenSSL without them. Measured on a Sapphire Rapids: one lane 1.8 GB/s by
 * OpenSSL (0.48 without SHA instructions), two 2.1 by the SHA instructions, nine 2.2 and sixteen 3.8 by AVX-512.
 */
#define MIN_LANES_AGAINST_SHA     9
#define MIN_LANES_AGAINST_OPENSSL 3
#define NEVER                     INT_MAX

struct digest_lanes {
	int min_two, min_sixteen; /* lanes from which on they are used */
	SHA256_CTX v[DIGEST_LANES];
};

struct digest_lanes *digest_lanes_new(unsigned without)
{
	struct digest_lanes *l = xcalloc(1, sizeof(*l));
	bool has_sha = !(without & DIGEST_WITHOUT_SHA) && digest_x86_has_sha();

	l->min_two = has_sha ? 2 : NEVER;
	l->min_sixteen = has_sha ? MIN_LANES_AGAINST_SHA : MIN_LANES_AGAINST_OPENSSL;
	if ((without & DIGEST_WITHOUT_AVX512) || !digest_x86_has_avx512())
		l->min_sixteen = NEVER;
	return l;
}

void digest_lanes_free(struct digest_lanes *l)
{
	free(l);
}

void digest_lanes_free_p(struct digest_lanes **l)
{
	digest_lanes_free(*l);
}

int digest_lanes_useful(const struct digest_lanes *l, int n)
{
	if (n >= l->min_sixteen)
		return n < DIGEST_LANES ? n : DIGEST_LANES;
	return n >= l->min_two ? 2 : 1;
}

void digest_lanes_begin(struct digest_lanes *l, int lane)
{
	SHA256_Init(&l->v[lane]);
}

/* Whole blocks that a lane has to take in. */
struct stretch {
	SHA256_CTX *sha;
	const unsigned char *p;
	size_t n_blocks;
};

static void take_sixteen(struct stretch *s, int n, size_t n_blocks)
{
	uint32_t unused[8] = { 0 }, *h[DIGEST_X86_LANES];
	const unsigned char *p[DIGEST_X86_LANES];

	for (int i = 0; i < DIGEST_X86_LANES; i++) {
		h[i] = i < n ? s[i].sha->h : unused;
		p[i] = i < n ? s[i].p : s[0].p;
	}
	digest_x86_sixteen(h, p, n_blocks);
}

static void take_blocks(struct stretch *s, int n, size_t n_blocks)
{
	if (n == 1)
		SHA256_Update(s->sha, s->p, n_blocks * DIGEST_BLOCK_BYTES);
	else if (n == 2)
		digest_x86_two((uint32_t *[]){ s[0].sha->h, s[1].sha->h }, (const unsigned char *[]){ s[0].p, s[1].p },
			       n_blocks);
	else
		take_sixteen(s, n, n_blocks);
}

/* OpenSSL's count of the bits, in two words. */
static void count(SHA256_CTX *sha, size_t n)
{
	uint64_t bits = ((uint64_t)sha->Nh << 32 | sha->Nl) + (uint64_t)n * 8;

	sha->Nl = (SHA_LONG)bits;
	sha->Nh = (SHA_LONG)(bits >> 32);
}

static void advance(struct stretch *s, int n, size_t n_blocks)
{
	take_blocks(s, n, n_blocks);
	for (int i = 0; i < n; i++) {
		if (n > 1)
			count(s[i].sha, n_blocks * DIGEST_BLOCK_BYTES);
		s[i].p += n_blocks * DIGEST_BLOCK_BYTES;
		s[i].n_blocks -= n_blocks;
	}
}

/* As far as the shortest of as many as go together, until nothing is left. */
static void advance_all(const struct digest_lanes *l, struct stretch *s, int n)
{
	while (n > 0) {
		int together = digest_lanes_useful(l, n), n_left = 0;
		size_t shortest = s[0].n_blocks;

		for (int i = 1; i < together; i++)
			if (s[i].n_blocks < shortest)
				shortest = s[i].n_blocks;
		advance(s, together, shortest);
		for (int i = 0; i < n; i++)
			if (s[i].n_blocks)
				s[n_left++] = s[i];
		n = n_left;
	}
}

/* Of a lane that holds part of a block none: OpenSSL completes it. */
static size_t whole_blocks(const struct digest_lanes *l, const struct digest_feed *f)
{
	return l->v[f->lane].num ? 0 : f->n / DIGEST_BLOCK_BYTES;
}

void digest_lanes_update(struct digest_lanes *l, const struct digest_feed *feeds, int n)
{
	struct stretch s[DIGEST_LANES];
	int n_stretches = 0;

	for (int i = 0; i < n; i++) {
		size_t n_blocks = whole_blocks(l, &feeds[i]);

		if (n_blocks)
			s[n_stretches++] = (struct stretch){ &l->v[feeds[i].lane], feeds[i].p, n_blocks };
	}
	advance_all(l, s, n_stretches);
	for (int i = 0; i < n; i++) {
		size_t done = whole_blocks(l, &feeds[i]) * DIGEST_BLOCK_BYTES;

		SHA256_Update(&l->v[feeds[i].lane], (const unsigned char *)feeds[i].p + done, feeds[i].n - done);
	}
}

struct digest digest_lanes_final(struct digest_lanes *l, int lane)
{
	struct digest d;

	SHA256_Final(d.b, &l->v[lane]);
	return d;
}
