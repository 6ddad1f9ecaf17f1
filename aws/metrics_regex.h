#ifndef SMPIPE_AWS_METRICS_REGEX_H
#define SMPIPE_AWS_METRICS_REGEX_H

/*
 * The regexes of metric definitions are written in Python's or Perl's language; ours is POSIX extended. Translated are
 * the classes \d \w \s (and \D \W \S), \t, groups that do not capture or have a name, a leading (?i), brackets with
 * escapes, and lazy quantifiers where a plain character follows them. Refused is what has no counterpart: lookaround,
 * other flags.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct metrics_regex {
	struct str posix;
	size_t value_group; /* number of the first group that captures; 0 = the whole match */
	bool is_case_blind;
};

/* ERR_CONFIG: it has no counterpart; ERR_INVALID: it is no regular expression in any language. */
int metrics_regex_translate(const char *regex, struct metrics_regex *ret, struct err *err);
void metrics_regex_release(struct metrics_regex *r);

#endif
