#include "pipeline/lockfile.h"

#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"

#define MAX_BYTES (1024 * 1024)

static int check(const json_t *document, const char *path, struct err *err)
{
	const json_t *bases = json_object_get(document, "bases");
	const char *name;
	json_t *digest;

	if (json_integer_value(json_object_get(document, "version")) != 1 || !json_is_object(bases))
		return err_set(err, ERR_CONFIG, "'%s' is no smpipe.lock of version 1", path);
	json_object_foreach((json_t *)bases, name, digest) {
		struct digest ignored;

		if (!json_is_string(digest) || digest_parse(json_string_value(digest), &ignored) < 0)
			return err_set(err, ERR_CONFIG, "'%s': the digest of '%s' is malformed", path, name);
	}
	return 0;
}

int lockfile_read(const char *root, json_t **ret_bases, struct err *err)
{
	auto_free char *path = fs_join(root, LOCKFILE_NAME);
	auto_free char *text = NULL;
	auto_json *document = NULL;
	size_t n;

	if (!fs_exists(path)) {
		*ret_bases = json_object();
		return 0;
	}
	if (fs_read(path, MAX_BYTES, &text, &n, err) < 0)
		return -1;
	document = json_parse(text, n, path, err);
	if (!document || check(document, path, err) < 0) {
		err->code = ERR_CONFIG;
		return -1;
	}
	*ret_bases = json_incref(json_object_get(document, "bases"));
	return 0;
}

int lockfile_write(const char *root, const json_t *bases, struct err *err)
{
	auto_free char *path = fs_join(root, LOCKFILE_NAME);
	auto_json *old = NULL;
	auto_json *document = NULL;
	auto_free char *text = NULL;

	if (lockfile_read(root, &old, err) < 0)
		return -1;
	if (json_equal(old, bases))
		return 0;
	document = json_pack("{siso}", "version", 1, "bases", json_deep_copy(bases));
	text = json_pretty(document);
	return fs_write_atomic(path, text, strlen(text), 0644, err);
}
