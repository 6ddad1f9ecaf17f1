#include "s3/snapshots.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

void snapshots_release(struct snapshots *l)
{
	free(l->v);
	*l = (struct snapshots){ 0 };
}

/* A digest before `end` ("/" or ".json"), and nothing else. */
static bool is_digest(const char *name, const char *end)
{
	return strspn(name, "0123456789abcdef") == DIGEST_HEX && !strcmp(name + DIGEST_HEX, end);
}

static struct snapshot_info *add(struct snapshots *l, const char *name)
{
	struct snapshot_info *s;

	array_grow(l->v, l->n, l->cap);
	s = &l->v[l->n++];
	*s = (struct snapshot_info){ 0 };
	memcpy(s->digest, name, DIGEST_HEX);
	return s;
}

static int compare_digests(const void *a, const void *b)
{
	const struct snapshot_info *x = a, *y = b;
	int order = strcmp(x->digest, y->digest);

	return order ? order : (int)y->is_whole - (int)x->is_whole;
}

static int compare_ages(const void *a, const void *b)
{
	const struct snapshot_info *x = a, *y = b;

	if (x->is_whole != y->is_whole)
		return x->is_whole ? -1 : 1;
	if (x->modified_s != y->modified_s)
		return x->modified_s > y->modified_s ? -1 : 1;
	return strcmp(x->digest, y->digest);
}

/* A snapshot is seen by its manifest and by its folder, or by one of them: the manifest stands first and counts. */
static void drop_doubles(struct snapshots *l)
{
	size_t kept = 0;

	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), compare_digests);
	for (size_t i = 0; i < l->n; i++) {
		if (!kept || strcmp(l->v[kept - 1].digest, l->v[i].digest) != 0)
			l->v[kept++] = l->v[i];
	}
	l->n = kept;
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), compare_ages);
}

int snapshots_list(struct s3 *s3, const char *bucket, const char *prefix, struct snapshots *ret, struct err *err)
{
	auto_free char *folder = xasprintf("%s/", prefix);
	auto_s3_listing objects = { 0 };
	auto_strlist folders = { 0 };
	struct snapshots l = { 0 };

	if (s3_list_level(s3, bucket, folder, SNAPSHOTS_MAX, &objects, &folders, err) < 0)
		return -1;
	for (size_t i = 0; i < objects.n; i++) {
		const char *name = objects.v[i].key + strlen(folder);

		if (str_starts(objects.v[i].key, folder) && is_digest(name, ".json")) {
			struct snapshot_info *s = add(&l, name);

			s->is_whole = true;
			s->modified_s = objects.v[i].modified_s;
		}
	}
	for (size_t i = 0; i < folders.n; i++) {
		if (str_starts(folders.v[i], folder) && is_digest(folders.v[i] + strlen(folder), "/"))
			add(&l, folders.v[i] + strlen(folder));
	}
	drop_doubles(&l);
	*ret = l;
	return 0;
}

int snapshots_find(const struct snapshots *l, const char *digits, const struct snapshot_info **ret, struct err *err)
{
	const struct snapshot_info *found = NULL;
	size_t n = strlen(digits);

	if (n < SNAPSHOT_MIN_DIGITS || strspn(digits, "0123456789abcdef") != n)
		return err_set(err, ERR_USAGE, "'%s' is no snapshot: give %d or more digits of its digest", digits,
			       SNAPSHOT_MIN_DIGITS);
	for (size_t i = 0; i < l->n; i++) {
		if (!l->v[i].is_whole || !str_starts(l->v[i].digest, digits))
			continue;
		if (found)
			return err_set(err, ERR_CONFLICT, "more than one snapshot begins with '%s'", digits);
		found = &l->v[i];
	}
	if (!found)
		return err_set(err, ERR_NOT_FOUND, "there is no snapshot '%s'", digits);
	*ret = found;
	return 0;
}

static bool is_same(const struct file_entry *a, const struct file_entry *b)
{
	return a->size == b->size && a->n_parts == b->n_parts && digest_equal(&a->digest, &b->digest);
}

size_t snapshot_diff(const struct filelist *before, const struct filelist *after, snapshot_diff_fn fn, void *ctx)
{
	size_t i = 0, j = 0, n = 0;

	while (i < before->n || j < after->n) {
		const struct file_entry *a = i < before->n ? &before->v[i] : NULL;
		const struct file_entry *b = j < after->n ? &after->v[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);

		if (order || !is_same(a, b)) {
			fn(ctx, order <= 0 ? a : NULL, order >= 0 ? b : NULL);
			n++;
		}
		i += order <= 0;
		j += order >= 0;
	}
	return n;
}
