#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "local/lock.h"
#include "local/registry_store.h"

void ecr_manifest_release(struct ecr_manifest *m)
{
	free(m->bytes);
	free(m->media_type);
	*m = (struct ecr_manifest){ 0 };
}

bool store_ecr_is_tag(const char *s)
{
	size_t n = strlen(s);

	return n >= 1 && n <= 128 && s[0] != '.' && s[0] != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

static char *manifest_path(struct store_ecr *s, const char *repository, const struct digest *digest, const char *ending)
{
	auto_free char *hex = digest_hex(digest);
	auto_free char *leaf = xasprintf("%s%s", hex, ending);

	return store_ecr_path(s, repository, "manifests", leaf);
}

/* The ending tells tags from the temporary files that a cut-off write leaves, which could pass for tags. */
static char *tag_path(struct store_ecr *s, const char *repository, const char *tag)
{
	auto_free char *leaf = xasprintf("%s.tag", tag);

	return store_ecr_path(s, repository, "tags", leaf);
}

static int read_tag(struct store_ecr *s, const char *repository, const char *tag, struct digest *ret, struct err *err)
{
	auto_free char *path = tag_path(s, repository, tag);
	auto_free char *text = NULL;

	if (fs_read(path, DIGEST_HEX, &text, NULL, err) < 0)
		return -1;
	if (digest_parse(text, ret) < 0)
		return err_set(err, ERR_INVALID, "'%s' holds no digest", path);
	return 0;
}

static int write_manifest(struct store_ecr *s, const char *repository, const struct ecr_manifest *m, struct err *err)
{
	auto_free char *bytes_path = manifest_path(s, repository, &m->digest, "");
	auto_free char *about_path = manifest_path(s, repository, &m->digest, ".json");
	auto_json *about = json_object();
	auto_free char *text = NULL;

	json_put_str(about, "mediaType", m->media_type);
	json_put_int(about, "pushedMs", m->pushed_ms);
	text = json_pretty(about);
	/* The manifest is there once its .json is. */
	if (fs_write_atomic(bytes_path, m->bytes, m->n, 0600, err) < 0)
		return -1;
	return fs_write_atomic(about_path, text, strlen(text), 0600, err);
}

int store_ecr_put_manifest(struct store_ecr *s, const char *repository, const struct ecr_manifest *m, const char *tag,
			   bool is_immutable, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);
	auto_free char *hex = digest_hex(&m->digest);
	auto_free char *path = NULL;
	auto_err none = { 0 };
	struct digest old;

	if (tag && is_immutable && read_tag(s, repository, tag, &old, &none) == 0 && !digest_equal(&old, &m->digest))
		return err_set(err, ERR_CONFLICT,
			       "The image tag '%s' already exists in the '%s' repository and cannot be overwritten "
			       "because the tag is immutable.",
			       tag, repository);
	/* A second push of the same manifest does not make it younger. */
	if (!store_ecr_has_manifest(s, repository, &m->digest) && write_manifest(s, repository, m, err) < 0)
		return -1;
	if (!tag)
		return 0;
	path = tag_path(s, repository, tag);
	return fs_write_atomic(path, hex, strlen(hex), 0600, err);
}

int store_ecr_get_manifest(struct store_ecr *s, const char *repository, const struct digest *digest,
			   struct ecr_manifest *ret, struct err *err)
{
	auto_free char *bytes_path = manifest_path(s, repository, digest, "");
	auto_free char *about_path = manifest_path(s, repository, digest, ".json");
	auto_ecr_manifest m = { .digest = *digest };
	auto_free char *text = NULL;
	auto_json *about = NULL;
	size_t n;

	if (fs_read(about_path, ECR_MANIFEST_MAX, &text, &n, err) < 0)
		return -1;
	about = json_parse(text, n, about_path, err);
	if (!about || fs_read(bytes_path, ECR_MANIFEST_MAX, &m.bytes, &m.n, err) < 0)
		return -1;
	m.media_type = xstrdup_or_null(json_str(about, "mediaType"));
	m.pushed_ms = json_integer_value(json_object_get(about, "pushedMs"));
	if (!m.media_type)
		return err_set(err, ERR_INVALID, "'%s' names no media type", about_path);
	*ret = m;
	m = (struct ecr_manifest){ 0 };
	return 0;
}

bool store_ecr_has_manifest(struct store_ecr *s, const char *repository, const struct digest *digest)
{
	auto_free char *path = manifest_path(s, repository, digest, ".json");

	return fs_exists(path);
}

int store_ecr_resolve(struct store_ecr *s, const char *repository, const char *tag_or_digest, struct digest *ret,
		      struct err *err)
{
	struct digest d;

	if (str_starts(tag_or_digest, "sha256:") && digest_parse(tag_or_digest, &d) == 0) {
		if (!store_ecr_has_manifest(s, repository, &d))
			return err_set(err, ERR_NOT_FOUND, "there is no manifest '%s'", tag_or_digest);
		*ret = d;
		return 0;
	}
	if (!store_ecr_is_tag(tag_or_digest))
		return err_set(err, ERR_NOT_FOUND, "'%s' is neither a tag nor a digest", tag_or_digest);
	return read_tag(s, repository, tag_or_digest, ret, err);
}

int store_ecr_list_tags(struct store_ecr *s, const char *repository, struct strlist *ret, struct err *err)
{
	auto_free char *path = store_ecr_path(s, repository, "tags", NULL);
	auto_strlist names = { 0 };

	if (fs_list(path, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (!str_ends(names.v[i], ".tag"))
			continue;
		names.v[i][strlen(names.v[i]) - strlen(".tag")] = '\0';
		strlist_add(ret, names.v[i]);
	}
	strlist_sort(ret);
	return 0;
}

int store_ecr_list_manifests(struct store_ecr *s, const char *repository, struct strlist *ret, struct err *err)
{
	auto_free char *path = store_ecr_path(s, repository, "manifests", NULL);
	auto_strlist names = { 0 };
	struct digest d;

	if (fs_list(path, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		char *dot = strchr(names.v[i], '.');

		if (!dot || !str_eq(dot, ".json"))
			continue;
		*dot = '\0';
		if (digest_parse(names.v[i], &d) == 0)
			strlist_add(ret, names.v[i]);
	}
	return 0;
}
