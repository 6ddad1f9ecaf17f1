/* s3/manifest: what a hostile bucket says that a snapshot holds. What was read is written as it was. */

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "s3/manifest.h"
#include "s3/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The digest of an empty list: only that one can be guessed, so the files are looked at before it is compared. */
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	auto_free char *text = xstrndup((const char *)data, n);
	auto_filelist files = { 0 };
	auto_err err = { 0 };

	if (manifest_parse(text, strlen(text), EMPTY, &files, &err) < 0)
		return err.code == ERR_FAILED && err.msg ? 0 : (__builtin_trap(), 0);
	for (size_t i = 0; i < files.n; i++) {
		if (!scan_is_data_path(files.v[i].path))
			__builtin_trap();
	}
	return 0;
}
