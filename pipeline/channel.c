/* What kind of data a channel of smpipe.yaml names. */

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/project.h"
#include "s3/uri.h"

/* Keys that say something of one kind only. */
static const struct {
	const char *key;
	enum channel_kind kind;
} kinds_of_keys[] = {
	{ "include", CHANNEL_LOCAL },
	{ "exclude", CHANNEL_LOCAL },
	{ "symlinks", CHANNEL_LOCAL },
	{ "s3_data_type", CHANNEL_S3 },
	{ "distribution", CHANNEL_S3 },
	{ "attribute_names", CHANNEL_S3 },
	{ "instance_groups", CHANNEL_S3 },
	{ "model_access_config", CHANNEL_S3 },
	{ "hub_access_config", CHANNEL_S3 },
	{ "shuffle_seed", CHANNEL_S3 },
	{ "file_system_type", CHANNEL_FILE_SYSTEM },
	{ "directory_path", CHANNEL_FILE_SYSTEM },
	{ "file_system_access_mode", CHANNEL_FILE_SYSTEM },
};

static const char *const words_of_kinds[] = { "a path", "a path", "a file_system_id", "a dataset_arn" };

static int error_at(const struct config *c, const struct channel *ch, const char *key, struct err *err,
		    const char *words)
{
	auto_free char *path = key ? xasprintf("inputs.%s.%s", ch->name, key) : xasprintf("inputs.%s", ch->name);

	return config_error(c, err, path, "%s", words);
}

/* Exactly one key names the data. */
static int find_kind(const struct config *c, struct channel *ch, struct err *err)
{
	static const char *const names[] = { "path", "file_system_id", "dataset_arn" };
	static const enum channel_kind kinds[] = { CHANNEL_S3, CHANNEL_FILE_SYSTEM, CHANNEL_DATASET };
	const char *found = NULL;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *words = found ? xasprintf("'%s' and '%s' exclude each other", found, names[i]) : NULL;

		if (!json_object_get(ch->settings, names[i]))
			continue;
		if (found)
			return error_at(c, ch, names[i], err, words);
		found = names[i];
		ch->kind = kinds[i];
	}
	if (!found) {
		auto_free char *words = xasprintf("channel '%s' needs a 'path'", ch->name);

		error_at(c, ch, NULL, err, words);
		return err_hint(err, "write a path, a file_system_id or a dataset_arn");
	}
	return 0;
}

/* A snapshot lies in S3: what goes with an s3:// path goes with a local one, too. */
static bool goes_with(enum channel_kind key, enum channel_kind kind)
{
	return key == kind || (key == CHANNEL_S3 && kind == CHANNEL_LOCAL);
}

static int check_keys(const struct config *c, const struct channel *ch, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds_of_keys); i++) {
		bool is_local = kinds_of_keys[i].kind == CHANNEL_LOCAL && ch->kind == CHANNEL_S3;
		auto_free char *words = xasprintf("'%s' does not go with %s", kinds_of_keys[i].key,
						  is_local ? "an s3:// path" : words_of_kinds[ch->kind]);

		if (json_object_get(ch->settings, kinds_of_keys[i].key) && !goes_with(kinds_of_keys[i].kind, ch->kind))
			return error_at(c, ch, kinds_of_keys[i].key, err, words);
	}
	return 0;
}

static int read_patterns(const struct config *c, const struct channel *ch, const char *key, struct strlist *ret,
			 struct err *err)
{
	auto_free char *path = xasprintf("inputs.%s.%s", ch->name, key);

	config_list(c, path, ret);
	for (size_t i = 0; i < ret->n; i++) {
		if (scan_check_pattern(ret->v[i], err) < 0)
			return config_error(c, err, path, "%s", err->msg);
	}
	return 0;
}

/* What of a local folder is taken. */
static int read_scan_options(const struct config *c, struct channel *ch, struct err *err)
{
	const char *links = json_str(ch->settings, "symlinks");

	ch->scan.links = str_eq(links, "skip")    ? SCAN_LINKS_SKIP
			 : str_eq(links, "error") ? SCAN_LINKS_ERROR
						  : SCAN_LINKS_INSIDE;
	return read_patterns(c, ch, "include", &ch->scan.include, err) < 0
		       ? -1
		       : read_patterns(c, ch, "exclude", &ch->scan.exclude, err);
}

/* A scheme: what stands before "://", or "". */
static char *scheme_of(const char *path)
{
	const char *end = strstr(path, "://");

	return end && strcspn(path, "/:") == (size_t)(end - path) ? xstrndup(path, (size_t)(end - path)) : xstrdup("");
}

static int check_local(const struct config *c, const struct channel *ch, struct err *err)
{
	const char *type = json_str(ch->settings, "s3_data_type");
	auto_free char *words =
		type ? xasprintf("'%s' needs an s3:// path: a local path becomes a snapshot", type) : NULL;

	if (!*ch->path)
		return error_at(c, ch, "path", err, "the path is empty");
	return type && !str_eq(type, "S3Prefix") ? error_at(c, ch, "s3_data_type", err, words) : 0;
}

static int check_s3(const struct config *c, const struct channel *ch, struct err *err)
{
	const char *type = json_str(ch->settings, "s3_data_type");
	auto_s3_uri uri = { 0 };

	if (s3_uri_parse(ch->path, &uri, err) < 0)
		return error_at(c, ch, "path", err, err->msg);
	if (!type || !str_ends(type, "ManifestFile") || !str_ends(ch->path, "/"))
		return 0;
	error_at(c, ch, "path", err, "this is a folder, and the data's list itself is needed");
	return err_hint(err, "name the manifest's object, or leave s3_data_type out");
}

static int read_path(const struct config *c, struct channel *ch, struct err *err)
{
	auto_free char *scheme = NULL;
	auto_free char *words = NULL;

	ch->path = json_str(ch->settings, "path");
	scheme = scheme_of(ch->path);
	if (str_eq(scheme, "s3"))
		return check_s3(c, ch, err);
	if (*scheme && !str_eq(scheme, "file")) {
		words = xasprintf("'%s://' is no place that a channel can read", scheme);
		error_at(c, ch, "path", err, words);
		return err_hint(err, "write an s3:// prefix, or a path on this machine");
	}
	ch->kind = CHANNEL_LOCAL;
	ch->path += *scheme ? strlen("file://") : 0;
	return check_local(c, ch, err);
}

int channel_open(const struct config *c, const char *name, const json_t *settings, struct channel *ret, struct err *err)
{
	struct channel ch = { .name = name, .settings = settings };

	if (find_kind(c, &ch, err) < 0)
		return -1;
	if (ch.kind == CHANNEL_S3 && read_path(c, &ch, err) < 0)
		return -1;
	if (check_keys(c, &ch, err) < 0)
		return -1;
	if (ch.kind == CHANNEL_LOCAL && read_scan_options(c, &ch, err) < 0) {
		scan_options_release(&ch.scan);
		return -1;
	}
	*ret = ch;
	return 0;
}
