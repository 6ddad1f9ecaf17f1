#include "pipeline/gc.h"

#include <string.h>

#include "base/mem.h"
#include "s3/manifest.h"
#include "s3/multipart.h"
#include "s3/object.h"
#include "s3/snapshots.h"
#include "s3/uri.h"

#define MAX_OBJECTS 10000000
#define MAX_UPLOADS 100000
#define BATCH       1000 /* keys of one request */

struct finding {
	struct s3 *s3;
	const char *bucket;
	const struct strlist *used;
	time_t limit_s; /* what is younger is not touched */
	struct gc gc;
};

void gc_release(struct gc *gc)
{
	for (size_t i = 0; i < gc->n; i++) {
		free(gc->v[i].bucket);
		free(gc->v[i].uri);
		free(gc->v[i].manifest);
		free(gc->v[i].upload_key);
		free(gc->v[i].upload_id);
		free(gc->v[i].initiated);
		strlist_release(&gc->v[i].keys);
	}
	free(gc->v);
	*gc = (struct gc){ 0 };
}

const char *gc_reason_name(enum gc_reason reason)
{
	static const char *const names[] = { "unused", "unfinished", "stray", "upload" };

	return names[reason];
}

static struct gc_item *add_item(struct finding *f, enum gc_reason reason, const char *key)
{
	struct gc *gc = &f->gc;
	struct gc_item *item;

	array_grow(gc->v, gc->n, gc->cap);
	item = &gc->v[gc->n++];
	*item = (struct gc_item){ .reason = reason,
				  .bucket = xstrdup(f->bucket),
				  .uri = s3_uri_format(f->bucket, key) };
	return item;
}

static bool is_old(const struct finding *f, time_t t)
{
	/* What does not say its age counts as young. */
	return t && t < f->limit_s;
}

/* Of a snapshot that nobody uses, or that was never finished: all or, when something in it is young, nothing. */
static void add_folder(struct finding *f, enum gc_reason reason, const char *folder, const char *manifest,
		       const struct s3_listing *objects)
{
	struct gc_item *item;

	for (size_t i = 0; i < objects->n; i++) {
		if (!is_old(f, objects->v[i].modified_s))
			return;
	}
	if (!objects->n && reason == GC_UNFINISHED)
		return;
	item = add_item(f, reason, folder);
	item->manifest = xstrdup(manifest);
	if (reason == GC_UNUSED)
		strlist_add(&item->keys, manifest);
	for (size_t i = 0; i < objects->n; i++) {
		strlist_add(&item->keys, objects->v[i].key);
		item->bytes += objects->v[i].size;
	}
}

/* Of a snapshot that stays: what its manifest does not name. */
static int add_strays(struct finding *f, const char *prefix, const char *digest, const char *folder,
		      const struct s3_listing *objects, struct err *err)
{
	auto_filelist files = { 0 };

	if (manifest_load(f->s3, f->bucket, prefix, digest, &files, err) < 0)
		return err_wrap(err, "read the manifest of 's3://%s/%s'", f->bucket, folder);
	for (size_t i = 0; i < objects->n; i++) {
		const struct s3_listed *o = &objects->v[i];
		const struct file_entry *e = filelist_find(&files, o->key + strlen(folder));
		struct gc_item *item;

		if ((e && !file_entry_is_folder(e)) || !is_old(f, o->modified_s))
			continue;
		item = add_item(f, GC_STRAY, o->key);
		strlist_add(&item->keys, o->key);
		item->bytes = o->size;
	}
	return 0;
}

static int look_at_snapshot(struct finding *f, const char *prefix, const struct snapshot_info *s, bool is_newest,
			    struct err *err)
{
	auto_free char *folder = xasprintf("%s/%s/", prefix, s->digest);
	auto_free char *manifest = xasprintf("%s/%s.json", prefix, s->digest);
	auto_free char *uri = s3_uri_format(f->bucket, manifest);
	bool is_used = strlist_has_sorted(f->used, uri);
	auto_s3_listing objects = { 0 };

	f->gc.n_snapshots++;
	f->gc.n_used += is_used;
	if (s3_list(f->s3, f->bucket, folder, MAX_OBJECTS, &objects, err) < 0)
		return -1;
	/* A record names it, but its manifest is gone: the objects may be all that is left to repair it with. */
	if (is_used && !s->is_whole)
		return 0;
	if (!s->is_whole)
		add_folder(f, GC_UNFINISHED, folder, manifest, &objects);
	else if (is_used || is_newest || !is_old(f, s->modified_s))
		return add_strays(f, prefix, s->digest, folder, &objects, err);
	else
		add_folder(f, GC_UNUSED, folder, manifest, &objects);
	return 0;
}

static int look_at_channel(struct finding *f, const char *prefix, struct err *err)
{
	auto_snapshots l = { 0 };

	if (snapshots_list(f->s3, f->bucket, prefix, &l, err) < 0)
		return -1;
	for (size_t i = 0; i < l.n; i++) {
		if (look_at_snapshot(f, prefix, &l.v[i], i == 0 && l.v[i].is_whole, err) < 0)
			return -1;
	}
	return 0;
}

/* The key itself, or one below it: "data" is not "database/x". */
static bool is_at_or_below(const char *key, const char *prefix)
{
	size_t n = strlen(prefix);

	return str_starts(key, prefix) && (!n || prefix[n - 1] == '/' || !key[n] || key[n] == '/');
}

static int look_at_uploads(struct finding *f, const char *prefix, struct err *err)
{
	auto_s3_uploads uploads = { 0 };

	if (s3_multipart_list(f->s3, f->bucket, prefix, MAX_UPLOADS, &uploads, err) < 0)
		return -1;
	for (size_t i = 0; i < uploads.n; i++) {
		const struct s3_upload *u = &uploads.v[i];
		struct gc_item *item;
		time_t begun_s;

		if (!is_at_or_below(u->key, prefix) || !u->initiated || str_parse_time_iso(u->initiated, &begun_s) < 0)
			continue;
		if (!is_old(f, begun_s)) {
			f->gc.n_young++;
			continue;
		}
		item = add_item(f, GC_UPLOAD, u->key);
		item->upload_key = xstrdup(u->key);
		item->upload_id = xstrdup(u->id);
		item->initiated = xstrdup(u->initiated);
	}
	return 0;
}

static int look_at_all(struct finding *f, const char *data_prefix, struct err *err)
{
	auto_free char *prefix = xasprintf("%s/", data_prefix);
	auto_s3_listing ignored = { 0 };
	auto_strlist channels = { 0 };

	if (s3_list_level(f->s3, f->bucket, prefix, MAX_OBJECTS, &ignored, &channels, err) < 0)
		return err_is_service(err, "NoSuchBucket") ? (err_release(err), 0) : -1;
	for (size_t i = 0; i < channels.n; i++) {
		auto_free char *channel = xstrndup(channels.v[i], strlen(channels.v[i]) - 1);

		if (look_at_channel(f, channel, err) < 0)
			return -1;
	}
	return look_at_uploads(f, prefix, err);
}

static time_t age_limit(const struct session *s)
{
	return (time_t)(s->sys->now_ms(s->sys) / 1000) - GC_MIN_AGE_S;
}

int gc_find(const struct session *s, const struct project *p, const struct target *target, const struct plan *plan,
	    struct gc *ret, struct err *err)
{
	auto_clients c = { 0 };
	auto_strlist used = { 0 };
	struct s3 s3 = { .aws = &c.aws, .bucket_owner = plan->owner };
	struct finding f = { .s3 = &s3, .bucket = plan->data_bucket, .used = &used, .limit_s = age_limit(s) };

	if (gc_used(s, p, target, plan, &used, err) < 0)
		return -1;
	clients_init(&c, s);
	if (look_at_all(&f, plan->data_prefix, err) < 0) {
		gc_release(&f.gc);
		return -1;
	}
	*ret = f.gc;
	return 0;
}

int gc_find_uploads(const struct session *s, const char *bucket, const char *prefix, struct gc *ret, struct err *err)
{
	auto_clients c = { 0 };
	struct s3 s3 = { .aws = &c.aws, .bucket_owner = s->bucket_owner };
	struct finding f = { .s3 = &s3, .bucket = bucket, .limit_s = age_limit(s) };

	clients_init(&c, s);
	if (look_at_uploads(&f, prefix, err) < 0) {
		gc_release(&f.gc);
		return -1;
	}
	*ret = f.gc;
	return 0;
}

/* A push that took the objects for its own may have written it by now. */
static int check_no_manifest(struct s3 *s3, const struct gc_item *item, struct err *err)
{
	auto_err local = { 0 };

	if (s3_head_object(s3, item->bucket, item->manifest, NULL, &local) == 0) {
		err_set(err, ERR_FAILED, "it was sent again meanwhile, and is left as it is");
		return err_hint(err, "`smpipe data verify` tells whether it is whole");
	}
	if (local.code == ERR_NOT_FOUND)
		return 0;
	err_move(err, &local);
	return -1;
}

/* The first key alone: how far one request gets is not said. */
static int delete_keys(struct s3 *s3, const struct gc_item *item, struct err *err)
{
	const struct strlist *keys = &item->keys;
	size_t n = 1;

	for (size_t i = 0; i < keys->n; i += n, n = keys->n - i < BATCH ? keys->n - i : BATCH) {
		const struct strlist batch = { keys->v + i, n, 0 };

		if (item->manifest && strcmp(keys->v[i], item->manifest) != 0 && check_no_manifest(s3, item, err) < 0)
			return -1;
		if (s3_delete(s3, item->bucket, &batch, err) < 0)
			return -1;
	}
	return 0;
}

int gc_delete(const struct session *s, const char *owner, const struct gc *gc, struct err *err)
{
	auto_clients c = { 0 };
	struct s3 s3 = { .aws = &c.aws, .bucket_owner = owner };

	clients_init(&c, s);
	for (size_t i = 0; i < gc->n; i++) {
		const struct gc_item *item = &gc->v[i];
		int rc = item->upload_id ? s3_multipart_abort(&s3, item->bucket, item->upload_key, item->upload_id, err)
					 : delete_keys(&s3, item, err);

		if (rc < 0)
			return err_wrap(err, "delete '%s'", item->uri);
	}
	return 0;
}
