#ifndef SMPIPE_ECR_DOCKERIGNORE_MATCH_H
#define SMPIPE_ECR_DOCKERIGNORE_MATCH_H

/*
 * One pattern of a .dockerignore against one path:
 *
 *   *     any characters but '/'
 *   **    any characters; `**` and a slash: nothing, or any folders
 *   ?     one character but '/'
 *   [a-z] one of a class, [^a-z] one of all others
 *   \c    c itself
 *
 * The time is bounded by length of pattern times length of path, whatever the pattern.
 */

#include <stdbool.h>

/* Whether a class is closed and no escape ends the pattern. */
bool dockerignore_is_pattern(const char *pattern);
/* The whole path, not a part. pattern must be one, of at most DOCKERIGNORE_PATTERN_MAX bytes. */
bool dockerignore_match(const char *pattern, const char *path);

#endif
