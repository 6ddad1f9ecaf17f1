#include "s3/manifest.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/parts.h"
#include "s3/scan.h"

char *manifest_digest_text(const struct file_entry *e)
{
	auto_free char *hex = digest_hex(&e->digest);

	return e->n_parts ? xasprintf("%s-%u", hex, (unsigned)e->n_parts) : take(hex);
}

static void add_string(struct str *out, const char *text)
{
	auto_json *j = json_string(text);
	auto_free char *quoted = json_canonical(j);

	str_add(out, quoted);
}

/* Written piece by piece: as one JSON value a million files would take a gigabyte. Keys in their canonical order. */
static void add_file(struct str *out, const struct file_entry *e)
{
	auto_free char *digest = manifest_digest_text(e);

	str_add(out, "{");
	if (e->n_parts)
		str_addf(out, "\"composite\":\"%s\",", digest);
	str_add(out, "\"path\":");
	add_string(out, e->path);
	if (!e->n_parts)
		str_addf(out, ",\"sha256\":\"%s\"", digest);
	str_addf(out, ",\"size\":%llu}", (unsigned long long)e->size);
}

char *manifest_text(const struct filelist *files, const char *channel)
{
	struct digest digest = filelist_tree_digest(files, true);
	auto_free char *hex = digest_hex(&digest);
	struct str out = { 0 };

	str_add(&out, "{\"channel\":");
	add_string(&out, channel);
	str_addf(&out, ",\"digest\":\"%s\",\"files\":[", hex);
	for (size_t i = 0; i < files->n; i++) {
		if (i)
			str_add_char(&out, ',');
		add_file(&out, &files->v[i]);
	}
	str_add(&out, "],\"format\":1}");
	return str_detach(&out);
}

/* "<hex>" or "<hex>-<N>", N being what the size asks for. */
static int read_digest(const json_t *file, uint64_t size, struct file_entry *e)
{
	const char *sha256 = json_str(file, "sha256"), *composite = json_str(file, "composite");
	uint32_t n_parts = s3_part_count(size);
	auto_free char *hex = NULL;
	int64_t n;

	if (!n_parts)
		return !composite && sha256 && strlen(sha256) == DIGEST_HEX ? digest_parse(sha256, &e->digest) : -1;
	if (sha256 || !composite || strlen(composite) < DIGEST_HEX + 2 || composite[DIGEST_HEX] != '-' ||
	    !str_parse_i64(composite + DIGEST_HEX + 1, n_parts, n_parts, &n))
		return -1;
	hex = xstrndup(composite, DIGEST_HEX);
	e->n_parts = n_parts;
	return digest_parse(hex, &e->digest);
}

/* What is known of a manifest while it is read. */
struct reading {
	manifest_file_fn fn;
	void *ctx;
	struct digest_state *tree;
	struct str last_path;
	bool has_last;
};

static int bad_entry(struct err *err)
{
	return err_set(err, ERR_FAILED, "an entry of the manifest has no proper path, size or digest");
}

static int read_entry(struct reading *r, const json_t *file, struct err *err)
{
	const char *path = json_str(file, "path");
	json_int_t size = json_integer_value(json_object_get(file, "size"));
	struct file_entry e = { .path = (char *)path, .mode = FILE_MODE_PLAIN, .has_digest = true };

	if (!path || !scan_is_data_path(path) || !json_is_integer(json_object_get(file, "size")) || size < 0 ||
	    (str_ends(path, "/") && size))
		return bad_entry(err);
	e.size = (uint64_t)size;
	if (read_digest(file, e.size, &e) < 0)
		return bad_entry(err);
	if (r->has_last && strcmp(str_text(&r->last_path), path) >= 0)
		return err_set(err, ERR_FAILED, "the manifest's files are not in order");
	str_truncate(&r->last_path, 0);
	str_add(&r->last_path, path);
	r->has_last = true;
	filelist_tree_add(r->tree, &e, true);
	r->fn(r->ctx, &e);
	return 0;
}

/* What is left of a text. */
struct rest {
	const char *p;
	size_t n;
};

static bool take_text(struct rest *r, const char *text)
{
	size_t n = strlen(text);

	if (r->n < n || memcmp(r->p, text, n) != 0)
		return false;
	r->p += n;
	r->n -= n;
	return true;
}

/* The next JSON value; NULL when there is none. */
static json_t *take_value(struct rest *r)
{
	json_error_t where;
	json_t *j = json_loadb(r->p, r->n, JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where);

	if (!j)
		return NULL;
	r->p += where.position;
	r->n -= (size_t)where.position;
	return j;
}

static int no_manifest(struct err *err)
{
	return err_set(err, ERR_FAILED, "it is no manifest of format 1");
}

/* File by file: as one JSON value a million of them would take a gigabyte. Manifests are canonical, to the byte. */
static int read_files(struct rest *r, struct reading *reading, struct err *err)
{
	while (!take_text(r, "]")) {
		auto_json *file = NULL;

		if (reading->has_last && !take_text(r, ","))
			return no_manifest(err);
		file = take_value(r);
		if (!file)
			return no_manifest(err);
		if (read_entry(reading, file, err) < 0)
			return -1;
	}
	return 0;
}

static int read_all(struct rest *r, struct reading *reading, struct err *err)
{
	auto_json *channel = take_text(r, "{\"channel\":") ? take_value(r) : NULL;
	auto_json *digest = channel && take_text(r, ",\"digest\":") ? take_value(r) : NULL;

	if (!digest || !take_text(r, ",\"files\":["))
		return no_manifest(err);
	if (read_files(r, reading, err) < 0)
		return -1;
	return take_text(r, ",\"format\":1}") && !r->n ? 0 : no_manifest(err);
}

static int check_digest(struct digest_state *tree, const char *tree_digest_hex, struct err *err)
{
	struct digest digest = digest_final(tree);
	auto_free char *hex = digest_hex(&digest);

	return str_eq(hex, tree_digest_hex)
		       ? 0
		       : err_set(err, ERR_FAILED, "the manifest's files have the tree digest %s", hex);
}

int manifest_read(const char *text, size_t n, const char *tree_digest_hex, manifest_file_fn fn, void *ctx,
		  struct err *err)
{
	auto_digest *tree = digest_new();
	struct reading reading = { .fn = fn, .ctx = ctx, .tree = tree };
	int rc = read_all(&(struct rest){ text, n }, &reading, err);

	str_release(&reading.last_path);
	return rc < 0 ? -1 : check_digest(tree, tree_digest_hex, err);
}

int manifest_each(struct s3 *s3, const char *bucket, const char *prefix, const char *tree_digest_hex,
		  manifest_file_fn fn, void *ctx, struct err *err)
{
	auto_free char *key = xasprintf("%s/%s.json", prefix, tree_digest_hex);
	auto_free char *text = NULL;
	size_t n;

	if (s3_get_bytes(s3, bucket, key, SCAN_MAX_MANIFEST_BYTES, &text, &n, err) < 0) {
		if (err->code == ERR_NOT_FOUND)
			err_set(err, ERR_NOT_FOUND, "the manifest is not there");
		return -1;
	}
	return manifest_read(text, n, tree_digest_hex, fn, ctx, err);
}

static void add_file_to_list(void *ctx, const struct file_entry *e)
{
	struct file_entry *added = filelist_add(ctx, e->path, e->mode);

	added->size = e->size;
	added->has_digest = true;
	added->digest = e->digest;
	added->n_parts = e->n_parts;
}

int manifest_load(struct s3 *s3, const char *bucket, const char *prefix, const char *tree_digest_hex,
		  struct filelist *ret, struct err *err)
{
	auto_filelist l = { 0 };

	if (manifest_each(s3, bucket, prefix, tree_digest_hex, add_file_to_list, &l, err) < 0)
		return -1;
	*ret = l;
	l = (struct filelist){ 0 };
	return 0;
}
