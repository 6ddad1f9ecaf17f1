#ifndef SMPIPE_AWS_BUCKET_REGIONS_H
#define SMPIPE_AWS_BUCKET_REGIONS_H

/* In which regions S3 said that buckets are, when they were looked for in another. Shared by threads. */

struct bucket_regions;

struct bucket_regions *bucket_regions_new(void);
/* NULL is fine. */
void bucket_regions_free(struct bucket_regions *r);

/* New string, or NULL: nothing else is known. r may be NULL. */
char *bucket_regions_find(struct bucket_regions *r, const char *bucket);
/* r may be NULL: nothing is kept. */
void bucket_regions_keep(struct bucket_regions *r, const char *bucket, const char *region);

#endif
