#ifndef SMPIPE_TESTS_VECTORS_SUITE_H
#define SMPIPE_TESTS_VECTORS_SUITE_H

/*
 * What every suite of official vectors has in common: cases are counted, every expected value is compared by one
 * function, and the whole suite runs a second time with one expectation changed, which must be noticed: a run that
 * cannot fail proves nothing. Prints TAP, one line of counts per suite; skips by name where the vectors are absent.
 */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/unit/vectors.h"

struct suite {
	const char *name; /* in words: "sigv4, header form" */
	const char *path; /* below the vectors' folder */
	int n_expected;   /* cases that there must be */
	void (*run)(struct suite *s, const char *path);

	int n_cases, n_failed, n_compared;
	int doctored; /* the comparison whose expectation is changed; 0 = none */
	const char *case_name;
	bool is_case_failed;
};

/* Begin the next case; name must live until the following one. */
static inline void suite_case(struct suite *s, const char *name)
{
	s->n_cases++;
	s->case_name = name;
	s->is_case_failed = false;
}

/* The case fails, with the reason. */
static inline void suite_fail(struct suite *s, const char *what, const char *expected, const char *actual)
{
	if (!s->is_case_failed)
		s->n_failed++;
	s->is_case_failed = true;
	if (!s->doctored)
		printf("# %s: %s: %s: expected '%s', got '%s'\n", s->name, s->case_name, what,
		       expected ? expected : "(none)", actual ? actual : "(none)");
}

/* Compare what the vectors say with what came out; NULL stands for "none" and equals only NULL. */
static inline void suite_equal(struct suite *s, const char *what, const char *expected, const char *actual)
{
	auto_free char *changed = NULL;

	if (++s->n_compared == s->doctored)
		expected = changed = xasprintf("%s.", expected ? expected : "");
	if (!str_eq(expected, actual))
		suite_fail(s, what, expected, actual);
}

/* A second run of which the expectation in the middle is wrong. */
static inline bool suite_notices(const struct suite *first, const char *path)
{
	struct suite again = { first->name, first->path, first->n_expected, first->run,
			       .doctored = first->n_compared / 2 + 1 };

	again.run(&again, path);
	return again.n_failed == first->n_failed + 1;
}

/* Run the suites and print their lines; the program's exit status. */
static inline int suites_main(struct suite *suites, size_t n)
{
	int status = 0;

	printf("1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		struct suite *s = &suites[i];
		auto_free char *path = vectors_path(s->path);
		bool is_right, is_noticed;

		if (!path) {
			printf("ok %zu - %s # SKIP the vectors '%s' are absent\n", i + 1, s->name, s->path);
			continue;
		}
		s->run(s, path);
		is_right = s->n_failed == 0 && s->n_cases == s->n_expected;
		is_noticed = suite_notices(s, path);
		printf("%s %zu - %s: %d/%d cases, %d values; one changed value is %s\n",
		       is_right && is_noticed ? "ok" : "not ok", i + 1, s->name, s->n_cases - s->n_failed,
		       s->n_expected, s->n_compared, is_noticed ? "noticed" : "NOT noticed");
		if (!is_right || !is_noticed)
			status = 1;
	}
	return status;
}

#endif
