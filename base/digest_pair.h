#ifndef SMPIPE_BASE_DIGEST_PAIR_H
#define SMPIPE_BASE_DIGEST_PAIR_H

/*
 * Two running SHA-256 (FIPS 180-4) that advance together: the processor's SHA instructions wait for each other within
 * one stream, and do the other one's work meanwhile (a fifth to a quarter faster than OpenSSL on each in turn).
 * base/digest is for everything else.
 */

#include <stdbool.h>

#include "base/digest.h"

struct digest_lane {
	uint32_t h[8];
	uint64_t n_bytes;
	unsigned char rest[64]; /* n_bytes % 64 of them wait for more */
};

/* Whether this processor has the instructions; the others must not be called without. */
bool digest_pair_is_possible(void);

void digest_lane_init(struct digest_lane *l);
void digest_lane_update(struct digest_lane *l, const void *p, size_t n);
struct digest digest_lane_final(struct digest_lane *l);

/* As an update of each; together as far as both have whole blocks of 64 bytes. */
void digest_pair_update(struct digest_lane *a, const void *pa, size_t na, struct digest_lane *b, const void *pb,
			size_t nb);

#endif
