#ifndef SMPIPE_LOCAL_S3_KEYS_H
#define SMPIPE_LOCAL_S3_KEYS_H

/*
 * The keys of a bucket in the order of their bytes. A page of them costs what the folders cost that it lies in: those
 * before and behind it are not read.
 */

#include "local/s3_store.h"

struct s3_selection {
	const char *prefix;    /* of every key */
	const char *after;     /* only keys behind this one; NULL: all */
	const char *delimiter; /* of the keys with one common prefix only the first; NULL or "": all */
	const char *passed;    /* a common prefix that was had already; NULL: none */
	size_t max;            /* so many at most; 0: all */
};

/* Up to the first delimiter behind the prefix; new string, NULL: there is none. */
char *s3_common_prefix(const char *key, const char *prefix, const char *delimiter);

int store_s3_select(struct store_s3 *s, const char *bucket, const struct s3_selection *selection, struct strlist *ret,
		    struct err *err);
/* The same with the lock held. */
int s3_select_locked(struct store_s3 *s, const char *bucket, const struct s3_selection *selection, struct strlist *ret,
		     struct err *err);

#endif
