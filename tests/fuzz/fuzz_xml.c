/* aws/xml: what S3 and STS answer, as a hostile server would write it. A tree that was read is walked to its ends. */

#include <stdint.h>
#include <string.h>

#include "aws/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t walk(const struct xml *x)
{
	size_t n = 0;

	for (; x; x = x->next)
		n += 1 + strlen(x->name) + strlen(x->text) + walk(x->child);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	auto_err err = { 0 };
	auto_xml *root = xml_parse((const char *)data, n, "the input", &err);

	if (!root)
		return err.code == ERR_INVALID && err.msg ? 0 : (__builtin_trap(), 0);
	if (walk(root) == 0)
		__builtin_trap();
	for (const struct xml *x = xml_child(root, "Contents"); x; x = xml_next(x, "Contents")) {
		const char *key = xml_child_text(x, "Key");
		auto_str escaped = { 0 };

		xml_escape(&escaped, key ? key : "");
	}
	return 0;
}
