#ifndef SMPIPE_TESTS_UNIT_FOLDER_H
#define SMPIPE_TESTS_UNIT_FOLDER_H

/* Set-up and tear-down of tests that want a folder of their own: *state is its path. For tests only. */

#include <stdlib.h>

#include "base/fs.h"

static inline int set_up(void **state)
{
	auto_err err = { 0 };

	*state = fs_temp_dir("smpipe-test", &err);
	return *state ? 0 : -1;
}

static inline int tear_down(void **state)
{
	auto_err err = { 0 };
	int result = fs_remove_tree(*state, &err);

	free(*state);
	return result;
}

#endif
