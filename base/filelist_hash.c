/* Naming the contents of a list: its entries, or their parts, go to base/hashers and come back in any order. */

#include <string.h>

#include "base/filelist.h"
#include "base/hashers.h"
#include "base/mem.h"
#include "base/report.h"

/* Progress is reported after so much more, or so much time. */
#define REPORT_BYTES ((uint64_t)16 * 1024 * 1024)
#define REPORT_MS    100

struct hashing {
	struct filelist *l;
	bool keeps;
	uint64_t (*part_bytes)(uint64_t size); /* NULL: files have no parts */
	const struct report *report;           /* or NULL */
	const char *stage;
	uint64_t reported_bytes, total_bytes;

	struct hashers *hashers;
	size_t next;    /* the entry that is given out next … */
	uint64_t given; /* … of which so many bytes were */
	int n_out;
	size_t failed; /* the entry of err */
	struct err err;
};

/* Of an entry that is hashed in parts; 0 for the others. */
static uint64_t part_bytes_of(const struct hashing *h, const struct file_entry *e)
{
	uint64_t n = h->part_bytes ? h->part_bytes(e->size) : 0;

	return e->size > n ? n : 0;
}

static void make_parts(struct file_entry *e, uint64_t part_bytes)
{
	free(e->parts);
	e->n_parts = (uint32_t)((e->size + part_bytes - 1) / part_bytes);
	e->parts = xcalloc(e->n_parts, sizeof(*e->parts));
}

/* The next entry, or part of one; NULL when all were given out. */
static struct hash_task *next_task(struct hashing *h)
{
	struct hash_task *t;
	struct file_entry *e;
	uint64_t part;

	while (h->next < h->l->n && h->l->v[h->next].has_digest)
		h->next++;
	if (h->next == h->l->n)
		return NULL;
	e = &h->l->v[h->next];
	part = part_bytes_of(h, e);
	if (part && !h->given)
		make_parts(e, part);
	t = xcalloc(1, sizeof(*t));
	*t = (struct hash_task){ .entry = e, .fd = -1, .offset = h->given, .size = e->size - h->given };
	if (part && t->size > part)
		t->size = part;
	t->wants_sha256 = true;
	t->wants_bytes = h->keeps && !e->bytes;
	h->given += t->size;
	if (h->given == e->size) {
		h->next++;
		h->given = 0;
	}
	return t;
}

static void tell(struct hashing *h, const char *path)
{
	uint64_t n = hashers_bytes(h->hashers);
	auto_free char *text = NULL;

	if (!h->report || n < h->reported_bytes + (path ? REPORT_BYTES : 1))
		return;
	h->reported_bytes = n;
	text = xasprintf("hash%s%s", path ? " " : "", path ? path : "");
	report_progress(h->report, h->stage, text, n, h->total_bytes);
}

/* What is packed later is what was hashed. */
static void keep(struct file_entry *e, char *bytes)
{
	e->bytes = bytes;
	free(e->disk_path);
	e->disk_path = NULL;
	e->store = NULL;
}

static void take_digest(struct hashing *h, struct hash_task *t)
{
	struct file_entry *e = &h->l->v[t->entry - h->l->v];
	uint64_t part = part_bytes_of(h, e);

	if (part) {
		e->parts[t->offset / part] = t->sha256;
		return;
	}
	e->digest = t->sha256;
	e->has_digest = true;
	if (t->bytes)
		keep(e, take(t->bytes));
}

static void free_task(struct hashing *h, struct hash_task *t)
{
	h->n_out--;
	free(t->bytes);
	err_release(&t->err);
	free(t);
}

/* Those before a failed entry were begun before it, and come back: the first failure is the same each time. */
static void keep_first(struct hashing *h, struct hash_task *t)
{
	size_t i = (size_t)(t->entry - h->l->v);
	struct hash_task *later;

	if (!h->err.code || i < h->failed) {
		err_release(&h->err);
		err_move(&h->err, &t->err);
		h->failed = i;
	}
	while ((later = hashers_take_back(h->hashers)))
		free_task(h, later);
}

static void run(struct hashing *h)
{
	struct hash_task *t;
	bool has_all = false;

	while (!has_all || h->n_out) {
		while (!has_all && h->n_out < hashers_room(h->hashers)) {
			t = h->err.code ? NULL : next_task(h);
			has_all = !t;
			if (t) {
				h->n_out++;
				hashers_add(h->hashers, t);
			}
		}
		t = h->n_out ? hashers_take(h->hashers, REPORT_MS) : NULL;
		tell(h, t ? t->entry->path : NULL);
		if (!t)
			continue;
		if (t->result < 0)
			keep_first(h, t);
		else
			take_digest(h, t);
		free_task(h, t);
	}
}

/* S3's composite value (s3/parts.h). */
static void join_parts(struct filelist *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct file_entry *e = &l->v[i];

		if (e->has_digest)
			continue;
		e->digest = digest_of(e->parts, e->n_parts * sizeof(*e->parts));
		e->has_digest = true;
	}
}

static int hash_all(struct hashing *h, struct err *err)
{
	auto_hashers *hashers = hashers_new(0, NULL, NULL);

	h->hashers = hashers;
	run(h);
	if (h->err.code) {
		err_move(err, &h->err);
		return -1;
	}
	join_parts(h->l);
	return 0;
}

int filelist_hash(struct filelist *l, struct err *err)
{
	return hash_all(&(struct hashing){ .l = l }, err);
}

int filelist_hash_and_keep(struct filelist *l, struct err *err)
{
	return hash_all(&(struct hashing){ .l = l, .keeps = true }, err);
}

int filelist_hash_parts(struct filelist *l, uint64_t (*part_bytes)(uint64_t size), const struct report *report,
			const char *stage, struct err *err)
{
	struct hashing h = { .l = l, .part_bytes = part_bytes, .report = report, .stage = stage };

	for (size_t i = 0; i < l->n; i++)
		h.total_bytes += l->v[i].has_digest ? 0 : l->v[i].size;
	return hash_all(&h, err);
}
