#ifndef SMPIPE_LOCAL_S3_PATHS_H
#define SMPIPE_LOCAL_S3_PATHS_H

/* Where in a bucket's folder the files of an object are, and the moves that keep files and folders of one name apart.
 */

#include "local/s3_store.h"

/* "<dir>/<bucket>/<name>"; new string. */
char *s3_path_in_bucket(const struct store_s3 *s, const char *bucket, const char *name);
int s3_need_bucket(struct store_s3 *s, const char *bucket, struct err *err);

/* KeyTooLongError. */
int s3_path_check_key(const char *key, struct err *err);

/* All of these with the lock held. */

/* The file of an object under its plain name, whether it has it or not; new string. */
char *s3_path_plain(const struct store_s3 *s, const char *bucket, const char *key);
/* The file that holds an object now; new string, NULL when there is none. */
char *s3_path_find(const struct store_s3 *s, const char *bucket, const char *key);
/* The file that is to hold it: folders are made, a file that stands where a folder must be is moved aside. NULL with
 * err. */
char *s3_path_prepare(const struct store_s3 *s, const char *bucket, const char *key, struct err *err);
/* Its meta file. */
char *s3_path_meta(const struct store_s3 *s, const char *bucket, const char *key);
/* Remove the folders above path that have become empty, up to root. */
void s3_path_prune(const char *path, const char *root);

#endif
