/* s3/manifest: what a hostile bucket says that a snapshot holds. What was read is written as it was. */

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "s3/manifest.h"
#include "s3/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The digest of an empty list: only that one can be guessed, so the files are looked at before it is compared. */
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void check_path(void *ctx, const struct file_entry *e)
{
	(void)ctx;
	if (!scan_is_data_path(e->path))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	auto_free char *text = xstrndup((const char *)data, n);
	auto_err err = { 0 };

	if (manifest_read(text, strlen(text), EMPTY, check_path, NULL, &err) < 0 &&
	    (err.code != ERR_FAILED || !err.msg))
		__builtin_trap();
	return 0;
}
