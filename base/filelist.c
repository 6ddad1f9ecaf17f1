#include "base/filelist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

struct file_entry *filelist_add(struct filelist *l, const char *path, unsigned mode)
{
	struct file_entry *e;

	array_grow(l->v, l->n, l->cap);
	e = &l->v[l->n++];
	*e = (struct file_entry){ .path = xstrdup(path), .mode = mode };
	return e;
}

static int add_link(struct filelist *l, const char *path, const char *disk_path, struct err *err)
{
	char target[4096];
	ssize_t n = readlink(disk_path, target, sizeof(target));
	struct file_entry *e;

	if (n < 0 || (size_t)n == sizeof(target))
		return err_errno(err, "read link '%s'", disk_path);
	e = filelist_add(l, path, FILE_MODE_LINK);
	e->bytes = xstrndup(target, (size_t)n);
	e->size = (uint64_t)n;
	return 0;
}

int filelist_add_disk(struct filelist *l, const char *path, const char *disk_path, struct err *err)
{
	struct stat st;
	struct file_entry *e;

	if (lstat(disk_path, &st) < 0)
		return err_errno(err, "stat '%s'", disk_path);
	if (S_ISLNK(st.st_mode))
		return add_link(l, path, disk_path, err);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "'%s' is neither a file nor a link", disk_path);
	e = filelist_add(l, path, st.st_mode & 0111 ? FILE_MODE_EXEC : FILE_MODE_PLAIN);
	e->disk_path = xstrdup(disk_path);
	e->size = (uint64_t)st.st_size;
	return 0;
}

void filelist_add_copy(struct filelist *l, const struct file_entry *from, const char *path)
{
	struct file_entry copy = *from;

	copy.path = xstrdup(path);
	copy.origin = from->origin ? xstrdup(from->origin) : strcmp(path, from->path) ? xstrdup(from->path) : NULL;
	copy.disk_path = xstrdup_or_null(from->disk_path);
	copy.bytes = xstrdup_or_null(from->bytes);
	copy.id = xstrdup_or_null(from->id);
	copy.parts = from->parts ? xmemdup(from->parts, from->n_parts * sizeof(*from->parts)) : NULL;
	array_grow(l->v, l->n, l->cap);
	l->v[l->n++] = copy;
}

void filelist_add_below(struct filelist *l, const struct filelist *from, const char *dir, const char *to)
{
	auto_free char *prefix = str_eq(dir, ".") || !*dir ? xstrdup("") : xasprintf("%s/", dir);

	for (size_t i = 0; i < from->n; i++) {
		auto_free char *path = NULL;

		if (!str_starts(from->v[i].path, prefix))
			continue;
		path = xasprintf("%s%s%s", to, *to ? "/" : "", from->v[i].path + strlen(prefix));
		filelist_add_copy(l, &from->v[i], path);
	}
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct file_entry *)a)->path, ((const struct file_entry *)b)->path);
}

void filelist_sort(struct filelist *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), compare_entries);
}

struct file_entry *filelist_find(const struct filelist *l, const char *path)
{
	struct file_entry key = { .path = (char *)path };

	return l->n ? bsearch(&key, l->v, l->n, sizeof(*l->v), compare_entries) : NULL;
}

int filelist_check_unique(const struct filelist *l, const char *what, struct err *err)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *path = l->v[i].path;

		if (i && !strcmp(path, l->v[i - 1].path))
			return err_set(err, ERR_CONFIG, "%s would hold '%s' twice", what, path);
		for (const char *slash = path; (slash = strchr(slash, '/')); slash++) {
			auto_free char *folder = xstrndup(path, (size_t)(slash - path));

			if (filelist_find(l, folder))
				return err_set(err, ERR_CONFIG, "%s would hold '%s' as a file and as a folder", what,
					       folder);
		}
	}
	return 0;
}

void file_entry_release(struct file_entry *e)
{
	free(e->path);
	free(e->origin);
	free(e->disk_path);
	free(e->bytes);
	free(e->id);
	free(e->parts);
}

void filelist_remove(struct filelist *l, size_t i)
{
	file_entry_release(&l->v[i]);
	memmove(&l->v[i], &l->v[i + 1], (l->n - i - 1) * sizeof(*l->v));
	l->n--;
}

uint64_t filelist_total_bytes(const struct filelist *l)
{
	uint64_t total = 0;

	for (size_t i = 0; i < l->n; i++)
		total += l->v[i].size;
	return total;
}

size_t filelist_biggest(const struct filelist *l, const struct file_entry **ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; max && i < l->n; i++) {
		size_t at = n < max ? n++ : max;

		/* at == max: behind all that are kept, and dropped unless it moves up. */
		for (; at > 0 && ret[at - 1]->size < l->v[i].size; at--) {
			if (at < max)
				ret[at] = ret[at - 1];
		}
		if (at < max)
			ret[at] = &l->v[i];
	}
	return n;
}

void filelist_release(struct filelist *l)
{
	for (size_t i = 0; i < l->n; i++)
		file_entry_release(&l->v[i]);
	free(l->v);
	*l = (struct filelist){ 0 };
}

struct file_stamp file_stamp_of(const struct stat *st)
{
	return (struct file_stamp){
		.device = st->st_dev,
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
		.ctime_ns = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec,
	};
}

bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

bool file_entry_is_folder(const struct file_entry *e)
{
	return str_ends(e->path, "/");
}

int file_entry_changed(const struct file_entry *e, struct err *err)
{
	err_set(err, ERR_FAILED, "'%s' changed while it was read", e->disk_path ? e->disk_path : e->path);
	return err_hint(err, "run it again when nothing writes to the file");
}

int file_entry_check(const struct file_entry *e, int fd, struct file_stamp *ret_stamp, struct err *err)
{
	struct file_stamp stamp;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(err, "stat '%s'", e->disk_path);
	stamp = file_stamp_of(&st);
	if (!S_ISREG(st.st_mode) || stamp.size != e->size || (e->has_stamp && !file_stamp_equal(&stamp, &e->stamp)))
		return file_entry_changed(e, err);
	if (ret_stamp)
		*ret_stamp = stamp;
	return 0;
}

static int open_disk(struct file_reader *r, const struct file_entry *e, struct err *err)
{
	/* O_NONBLOCK: a FIFO put in the file's place must not hold us up. */
	auto_close int fd = open(e->disk_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return err_errno(err, "open '%s'", e->disk_path);
	if (file_entry_check(e, fd, NULL, err) < 0)
		return -1;
	r->fd = take_fd(&fd);
	return 0;
}

int file_reader_open(struct file_reader *r, const struct file_entry *e, struct err *err)
{
	*r = (struct file_reader){ .fd = -1, .bytes = e->bytes, .left = e->size };
	if (e->disk_path)
		return open_disk(r, e, err);
	if (e->store) {
		size_t n;

		if (e->store->read(e->store, e, &r->owned, &n, err) < 0)
			return err_wrap(err, "read '%s'", e->path);
		if (n != e->size) {
			file_reader_close(r);
			return file_entry_changed(e, err);
		}
		r->bytes = r->owned;
	}
	return 0;
}

int64_t file_reader_read(struct file_reader *r, void *p, size_t n, const struct file_entry *e, struct err *err)
{
	ssize_t got;

	if (n > r->left)
		n = r->left;
	if (!n)
		return 0;
	if (r->fd < 0) {
		memcpy(p, r->bytes, n);
		r->bytes += n;
		got = (ssize_t)n;
	} else {
		got = read(r->fd, p, n);
		if (got < 0)
			return err_errno(err, "read '%s'", e->disk_path);
		if (!got)
			return file_entry_changed(e, err);
	}
	r->left -= (uint64_t)got;
	return got;
}

void file_reader_close(struct file_reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	free(r->owned);
	*r = (struct file_reader){ .fd = -1 };
}

static int read_rest(struct file_reader *r, const struct file_entry *e, char **ret_text, struct err *err)
{
	auto_free char *text = xmalloc(e->size + 1);
	size_t n = 0;
	int64_t got;

	while ((got = file_reader_read(r, text + n, e->size - n, e, err)) > 0)
		n += (size_t)got;
	if (got < 0)
		return -1;
	text[n] = '\0';
	*ret_text = take(text);
	return 0;
}

int file_entry_read(const struct file_entry *e, size_t max, char **ret_text, size_t *ret_n, struct err *err)
{
	struct file_reader r;
	int rc = 0;

	if (e->size > max)
		return err_set(err, ERR_INVALID, "'%s' is larger than %zu bytes", e->path, max);
	if (file_reader_open(&r, e, err) < 0)
		return -1;
	/* What a store read is whole already. */
	if (r.owned)
		*ret_text = take(r.owned);
	else
		rc = read_rest(&r, e, ret_text, err);
	file_reader_close(&r);
	if (rc == 0)
		*ret_n = e->size;
	return rc;
}

void filelist_tree_add(struct digest_state *state, const struct file_entry *e, bool is_data)
{
	auto_free char *hex = digest_hex(&e->digest);
	auto_free char *record = NULL;
	char mode[16] = "-", n_parts[16] = "";

	if (!is_data)
		snprintf(mode, sizeof(mode), "%o", e->mode == FILE_MODE_LINK ? e->mode : 0100000 | e->mode);
	if (e->n_parts)
		snprintf(n_parts, sizeof(n_parts), "-%u", (unsigned)e->n_parts);
	record = xasprintf("%s %llu %s%s %s", mode, (unsigned long long)e->size, hex, n_parts, e->path);
	digest_update(state, record, strlen(record) + 1);
}

struct digest filelist_tree_digest(const struct filelist *l, bool is_data)
{
	auto_digest *state = digest_new();

	for (size_t i = 0; i < l->n; i++)
		filelist_tree_add(state, &l->v[i], is_data);
	return digest_final(state);
}
