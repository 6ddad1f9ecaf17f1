#ifndef SMPIPE_TESTS_UNIT_VECTORS_H
#define SMPIPE_TESTS_UNIT_VECTORS_H

/* Official vectors stand outside the project: in $SMPIPE_VECTORS, else ../shared/vectors. Tests skip where they are
 * absent. */

#include <stdlib.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"

/* Path of a vector file or folder, or NULL when it is absent; new string. */
static inline char *vectors_path(const char *name)
{
	const char *root = getenv("SMPIPE_VECTORS");
	auto_free char *path = fs_join(root && *root ? root : "../shared/vectors", name);

	return fs_exists(path) ? take(path) : NULL;
}

/* Text of a file below folder; aborts the test program when it cannot be read. */
static inline char *vectors_read(const char *folder, const char *name)
{
	auto_free char *path = fs_join(folder, name);
	auto_err err = { 0 };
	char *text = NULL;

	if (fs_read(path, 64 * 1024 * 1024, &text, NULL, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
	return text;
}

static inline json_t *vectors_json(const char *path)
{
	auto_free char *text = vectors_read(".", path);
	json_t *j = json_loads(text, JSON_ALLOW_NUL, NULL);

	if (!j)
		abort();
	return j;
}

#endif
