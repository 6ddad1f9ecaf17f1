/* Naming a list of data: s3_hash_files of s3/hashers.h. */

#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "s3/hashers.h"
#include "s3/parts.h"

/* Tasks given at once: enough that no thread waits for the next. */
#define TASKS_PER_THREAD 4

/* A file above one part, while its parts are hashed. */
struct opened {
	struct file_entry *entry;
	int fd;
	struct file_stamp stamp;
	uint32_t n_given, n_back;
};

struct task {
	struct hash_task hash; /* first */
	struct file_entry *entry;
	struct opened *of; /* NULL for a whole file */
	uint32_t part;
};

struct naming {
	struct filelist *list;
	size_t next;           /* the entry that is begun next */
	struct opened *opened; /* the file whose parts are given out now */
	int n_out;
	struct hashers *hashers;
};

static void close_opened(struct opened *o)
{
	close(o->fd);
	free(o);
}

static int open_entry(struct file_entry *e, struct opened **ret, struct err *err)
{
	struct opened *o;
	auto_close int fd = open(e->disk_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return err_errno(err, "open '%s'", e->disk_path);
	o = xcalloc(1, sizeof(*o));
	if (file_entry_check(e, fd, &o->stamp, err) < 0) {
		free(o);
		return -1;
	}
	o->entry = e;
	o->fd = take_fd(&fd);
	e->n_parts = s3_part_count(e->size);
	e->parts = xcalloc(e->n_parts, sizeof(*e->parts));
	*ret = o;
	return 0;
}

static void give(struct naming *n, struct file_entry *e, struct opened *of, uint32_t part)
{
	struct task *t = xcalloc(1, sizeof(*t));

	*t = (struct task){ { .entry = e, .fd = -1, .size = e->size, .kind = S3_SHA256 }, e, of, part };
	if (of) {
		t->hash.fd = of->fd;
		t->hash.offset = s3_part_offset(e->size, part);
		t->hash.size = s3_part_length(e->size, part);
		of->n_given++;
	}
	n->n_out++;
	hashers_add(n->hashers, &t->hash);
}

/* Give out one more task: 1, or 0 when there is none left. */
static int give_next(struct naming *n, struct err *err)
{
	if (n->opened) {
		struct opened *o = n->opened;

		give(n, o->entry, o, o->n_given);
		if (o->n_given == o->entry->n_parts)
			n->opened = NULL;
		return 1;
	}
	while (n->next < n->list->n && n->list->v[n->next].has_digest)
		n->next++;
	if (n->next == n->list->n)
		return 0;
	if (s3_part_count(n->list->v[n->next].size)) {
		if (open_entry(&n->list->v[n->next++], &n->opened, err) < 0)
			return -1;
		return 1;
	}
	give(n, &n->list->v[n->next++], NULL, 0);
	return 1;
}

static int end_parts(struct opened *o, struct err *err)
{
	struct file_entry *e = o->entry;
	struct file_stamp now;

	if (file_entry_check(e, o->fd, &now, err) < 0)
		return -1;
	if (!file_stamp_equal(&now, &o->stamp))
		return file_entry_changed(e, err);
	e->digest = s3_composite(e->parts, e->n_parts);
	e->has_digest = true;
	return 0;
}

static int take_back(struct task *t, struct err *err)
{
	struct opened *o = t->of;

	if (t->hash.result < 0) {
		err_move(err, &t->hash.err);
		return -1;
	}
	if (!o) {
		t->entry->digest = t->hash.sha256;
		t->entry->has_digest = true;
		return 0;
	}
	o->entry->parts[t->part] = t->hash.sha256;
	return o->n_back + 1 == o->entry->n_parts ? end_parts(o, err) : 0;
}

/* Everything that was given out comes back, so that nothing is forgotten with its file open. */
static int name_all(struct naming *n, struct err *err)
{
	int rc = 0, more = 1;

	while (n->n_out || (more && rc == 0)) {
		struct task *t;

		while (rc == 0 && more && n->n_out < TASKS_PER_THREAD * hashers_count(n->hashers)) {
			more = give_next(n, err);
			if (more < 0)
				rc = -1;
		}
		t = n->n_out ? (struct task *)hashers_take(n->hashers, 1000) : NULL;
		if (!t)
			continue;
		n->n_out--;
		if (rc == 0)
			rc = take_back(t, err);
		if (t->of && ++t->of->n_back == t->of->n_given && (rc < 0 || t->of != n->opened)) {
			if (t->of == n->opened)
				n->opened = NULL;
			close_opened(t->of);
		}
		err_release(&t->hash.err);
		free(t);
	}
	if (n->opened)
		close_opened(n->opened);
	return rc;
}

int s3_hash_files(struct filelist *l, struct err *err)
{
	auto_hashers *hashers = NULL;
	struct naming n = { .list = l };

	while (n.next < l->n && l->v[n.next].has_digest)
		n.next++;
	if (n.next == l->n)
		return 0;
	hashers = n.hashers = hashers_new(0, NULL, NULL);
	return name_all(&n, err);
}
