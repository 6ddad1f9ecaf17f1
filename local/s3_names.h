#ifndef SMPIPE_LOCAL_S3_NAMES_H
#define SMPIPE_LOCAL_S3_NAMES_H

/*
 * How object keys become paths. A key is stored under its own name wherever a file may have it, part by part between
 * its slashes; what a file name cannot say is escaped by `%`:
 *
 *   %XX  a byte: control characters, `%` itself, and the dots of "." and ".."
 *   %e   an empty part, as in "a//b" or at the end of "a/"
 *   %+   at the end of a folder's name: the part goes on in the next name (it is too long for one); a part that
 *        ends there goes on with %e, so that all parts that begin alike lie in one folder
 *   %f   at the end of a file's name: there is a folder of the same name
 *   %m   at the end of a name below meta/: what is known of the object
 */

#include <stdbool.h>

#include "base/err.h"

#define S3_KEY_MAX_BYTES 1024

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
bool s3_name_is_bucket(const char *name);

/* The relative path of a key; new string. A key that ends in '/' is a path whose last part is "%e". */
char *s3_name_path(const char *key);

/* The relative path of the folder where the keys that begin with prefix lie, "" for the top; new string. */
char *s3_name_folder(const char *prefix);

/* The key of a relative path, its "%f" ignored; NULL when no key has this path. New string. */
char *s3_name_key(const char *path);

#endif
