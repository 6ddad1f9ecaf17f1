#include "s3/pace.h"

struct pace pace_start(int max)
{
	return (struct pace){ .limit = max < PACE_START ? max : PACE_START, .threshold = max, .max = max };
}

int pace_limit(const struct pace *p)
{
	return (int)p->limit;
}

uint64_t pace_begin(struct pace *p)
{
	return ++p->n_started;
}

void pace_succeeded(struct pace *p)
{
	p->limit += p->limit < p->threshold ? 1 : 1 / p->limit;
	if (p->limit > p->max)
		p->limit = p->max;
}

void pace_throttled(struct pace *p, uint64_t serial)
{
	if (serial <= p->cut_at)
		return;
	p->cut_at = p->n_started;
	p->limit = p->limit / 2 > 1 ? p->limit / 2 : 1;
	p->threshold = p->limit;
}
