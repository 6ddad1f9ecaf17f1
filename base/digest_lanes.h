#ifndef SMPIPE_BASE_DIGEST_LANES_H
#define SMPIPE_BASE_DIGEST_LANES_H

/*
 * Up to sixteen running SHA-256 that advance together, for who hashes many things: sixteen in the registers of AVX-512,
 * two by the SHA instructions, where processor and system have them; else, and for what is left over, OpenSSL.
 * base/digest is for everything else.
 */

#include "base/digest.h"

#define DIGEST_LANES 16

/* The running values; one owner. */
struct digest_lanes;

/* What digest_lanes_new may be told to do without, for tests and comparisons. */
#define DIGEST_WITHOUT_SHA    1u
#define DIGEST_WITHOUT_AVX512 2u

struct digest_lanes *digest_lanes_new(unsigned without);
void digest_lanes_free(struct digest_lanes *l);
void digest_lanes_free_p(struct digest_lanes **l);
#define auto_digest_lanes __attribute__((cleanup(digest_lanes_free_p))) struct digest_lanes

/* How many of n things that wait are best begun together: n cut down to what gains by it; 1 where nothing does. */
int digest_lanes_useful(const struct digest_lanes *l, int n);

/* A lane (0 … DIGEST_LANES - 1) starts anew. */
void digest_lanes_begin(struct digest_lanes *l, int lane);

/* Bytes for a lane. */
struct digest_feed {
	int lane;
	const void *p;
	size_t n;
};
/*
 * An update of n different lanes. It is quick where many have whole blocks of 64 bytes, and had nothing but whole ones
 * before.
 */
void digest_lanes_update(struct digest_lanes *l, const struct digest_feed *feeds, int n);

struct digest digest_lanes_final(struct digest_lanes *l, int lane); /* the lane must begin anew afterwards */

#endif
