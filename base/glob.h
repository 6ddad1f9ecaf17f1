#ifndef SMPIPE_BASE_GLOB_H
#define SMPIPE_BASE_GLOB_H

/*
 * One pattern against one path, as moby's patternmatcher has it (.dockerignore):
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

#define GLOB_MAX_BYTES 4096

/* Whether a class is closed and no escape ends the pattern. */
bool glob_is_pattern(const char *pattern);
/* The whole path, not a part. pattern must be one, of at most GLOB_MAX_BYTES. */
bool glob_match(const char *pattern, const char *path);

#endif
