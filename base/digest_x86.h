#ifndef SMPIPE_BASE_DIGEST_X86_H
#define SMPIPE_BASE_DIGEST_X86_H

/*
 * SHA-256's compression function (FIPS 180-4, section 6.2.2) of several streams at once, by instructions that not every
 * x86-64 processor has. For base/digest_lanes; elsewhere nothing is there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_BLOCK_BYTES 64
#define DIGEST_X86_LANES   16

/* Whether processor and system have what the one or the other takes. */
bool digest_x86_has_sha(void);
bool digest_x86_has_avx512(void);

/*
 * n_blocks of 64 bytes of each of two streams, by the SHA instructions: they wait for each other within one stream, and
 * do the other one's work meanwhile. h: eight words for each.
 */
void digest_x86_two(uint32_t *const *h, const unsigned char *const *p, size_t n_blocks);
/* The same of DIGEST_X86_LANES streams, one in each 32 bits of AVX-512's registers. Those of h may be the same. */
void digest_x86_sixteen(uint32_t *const *h, const unsigned char *const *p, size_t n_blocks);

#endif
