#ifndef SMPIPE_S3_PACE_H
#define SMPIPE_S3_PACE_H

/*
 * How many requests may be under way: TCP's congestion control (RFC 5681) with a service's "slow down" in the place of
 * a lost packet.
 */

#include <stdint.h>

struct pace {
	double limit, threshold, max;
	uint64_t n_started; /* requests get serial numbers … */
	uint64_t cut_at;    /* … and only one that began after the last cut is news */
};

#define PACE_START 8

struct pace pace_start(int max);
int pace_limit(const struct pace *p);
/* The serial number of the request that begins. */
uint64_t pace_begin(struct pace *p);
void pace_succeeded(struct pace *p);
void pace_throttled(struct pace *p, uint64_t serial);

#endif
