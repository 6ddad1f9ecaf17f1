#include "aws/bucket_regions.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

/* A run touches few buckets; the others are asked for again. */
#define MAX_BUCKETS 64

struct bucket_regions {
	pthread_mutex_t mutex;
	struct strlist buckets, regions; /* of equal length */
};

struct bucket_regions *bucket_regions_new(void)
{
	struct bucket_regions *r = xcalloc(1, sizeof(*r));

	pthread_mutex_init(&r->mutex, NULL);
	return r;
}

void bucket_regions_free(struct bucket_regions *r)
{
	if (!r)
		return;
	pthread_mutex_destroy(&r->mutex);
	strlist_release(&r->buckets);
	strlist_release(&r->regions);
	free(r);
}

/* The place of a bucket, or the number of them. */
static size_t place_of(const struct bucket_regions *r, const char *bucket)
{
	size_t i = 0;

	while (i < r->buckets.n && !str_eq(r->buckets.v[i], bucket))
		i++;
	return i;
}

char *bucket_regions_find(struct bucket_regions *r, const char *bucket)
{
	char *region = NULL;
	size_t i;

	if (!r)
		return NULL;
	pthread_mutex_lock(&r->mutex);
	i = place_of(r, bucket);
	if (i < r->buckets.n)
		region = xstrdup(r->regions.v[i]);
	pthread_mutex_unlock(&r->mutex);
	return region;
}

void bucket_regions_keep(struct bucket_regions *r, const char *bucket, const char *region)
{
	size_t i;

	if (!r)
		return;
	pthread_mutex_lock(&r->mutex);
	i = place_of(r, bucket);
	if (i < r->buckets.n) {
		free(r->regions.v[i]);
		r->regions.v[i] = xstrdup(region);
	} else if (i < MAX_BUCKETS) {
		strlist_add(&r->buckets, bucket);
		strlist_add(&r->regions, region);
	}
	pthread_mutex_unlock(&r->mutex);
}
