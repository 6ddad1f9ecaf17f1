#include "s3/index.h"

#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/parts.h"

#define MAGIC           "smpipe-index 1\n"
#define BYTE_ORDER_MARK UINT32_C(0x01020304)

/* The file: head, root, records (each with the end of its path), SHA-256. */
struct head {
	char magic[16];
	uint32_t byte_order;
	uint32_t root_bytes;
	int64_t scanned_ns;
	uint64_t n;
};

struct record {
	uint64_t size, inode, device;
	int64_t mtime_ns, ctime_ns;
	struct digest digest;
	uint32_t n_parts;
	uint16_t shared_bytes; /* of the path before */
	uint16_t path_bytes;   /* that follow */
};

/* Reading one after the other; everything is checked against what is left. */
struct reader {
	const char *p;
	size_t left;
	int64_t scanned_ns;
	uint64_t n;        /* records to come */
	struct str path;   /* of the last record */
	struct record now; /* the last record */
};

static bool read_bytes(struct reader *r, void *to, size_t n)
{
	if (r->left < n)
		return false;
	memcpy(to, r->p, n);
	r->p += n;
	r->left -= n;
	return true;
}

/* NULL, or why it is no index for root. */
static const char *open_index(struct reader *r, const char *bytes, size_t n, const char *root)
{
	struct digest stored, digest;
	struct head head;

	if (n < sizeof(head) + sizeof(stored))
		return "it is cut short";
	*r = (struct reader){ .p = bytes, .left = n - sizeof(stored) };
	memcpy(&stored, bytes + r->left, sizeof(stored));
	digest = digest_of(bytes, r->left);
	if (!digest_equal(&stored, &digest))
		return "it is damaged";
	read_bytes(r, &head, sizeof(head));
	if (memcmp(head.magic, MAGIC, sizeof(head.magic)) != 0 || head.byte_order != BYTE_ORDER_MARK)
		return "it is of another version";
	if (head.root_bytes != strlen(root) || r->left < head.root_bytes || memcmp(r->p, root, head.root_bytes) != 0)
		return "it is of another folder";
	r->p += head.root_bytes;
	r->left -= head.root_bytes;
	r->scanned_ns = head.scanned_ns;
	r->n = head.n;
	return NULL;
}

static bool next_record(struct reader *r)
{
	if (!r->n || !read_bytes(r, &r->now, sizeof(r->now)) || r->now.shared_bytes > r->path.len ||
	    r->now.path_bytes > r->left)
		return false;
	r->n--;
	str_truncate(&r->path, r->now.shared_bytes);
	str_add_mem(&r->path, r->p, r->now.path_bytes);
	r->p += r->now.path_bytes;
	r->left -= r->now.path_bytes;
	return true;
}

static bool is_vouched(const struct reader *r, const struct file_entry *e)
{
	const struct record *x = &r->now;
	int64_t newest_ns = x->mtime_ns > x->ctime_ns ? x->mtime_ns : x->ctime_ns;

	return e->has_stamp && x->size == e->size && x->size == e->stamp.size && x->inode == e->stamp.inode &&
	       x->device == e->stamp.device && x->mtime_ns == e->stamp.mtime_ns && x->ctime_ns == e->stamp.ctime_ns &&
	       x->n_parts == s3_part_count(x->size) && newest_ns < r->scanned_ns - INDEX_RACY_NS;
}

/* Both are sorted: one pass. */
static size_t apply(struct reader *r, struct filelist *l)
{
	bool more = next_record(r);
	size_t vouched = 0;

	for (size_t i = 0; i < l->n && more;) {
		struct file_entry *e = &l->v[i];
		int order = strcmp(str_text(&r->path), e->path);

		if (order == 0 && !e->has_digest && is_vouched(r, e)) {
			e->digest = r->now.digest;
			e->n_parts = r->now.n_parts;
			e->has_digest = true;
			vouched++;
		}
		if (order <= 0)
			more = next_record(r);
		if (order >= 0)
			i++;
	}
	str_release(&r->path);
	return vouched;
}

size_t index_apply(const char *file, const char *root, struct filelist *l, char **ret_note)
{
	auto_free char *bytes = NULL;
	auto_err err = { 0 };
	const char *why;
	struct reader r;
	size_t n;

	if (fs_read(file, INDEX_MAX_BYTES, &bytes, &n, &err) < 0) {
		if (err.code != ERR_NOT_FOUND)
			*ret_note = xasprintf("the index of the data is ignored: %s", err.msg);
		return 0;
	}
	why = open_index(&r, bytes, n, root);
	if (!why)
		return apply(&r, l);
	*ret_note = xasprintf("the index '%s' is ignored, all data is read: %s", file, why);
	return 0;
}

static size_t shared_prefix(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

static void add_record(struct str *out, const struct file_entry *e, const char *last_path)
{
	size_t shared = shared_prefix(last_path, e->path);
	struct record x;

	/* Padding, if there is any, goes into the file. */
	memset(&x, 0, sizeof(x));
	x.size = e->size;
	x.inode = e->stamp.inode;
	x.device = e->stamp.device;
	x.mtime_ns = e->stamp.mtime_ns;
	x.ctime_ns = e->stamp.ctime_ns;
	x.digest = e->digest;
	x.n_parts = e->n_parts;
	x.shared_bytes = (uint16_t)shared;
	x.path_bytes = (uint16_t)strlen(e->path + shared);
	str_add_mem(out, &x, sizeof(x));
	str_add(out, e->path + shared);
}

static bool is_recorded(const struct file_entry *e)
{
	return e->has_stamp && e->has_digest && strlen(e->path) <= UINT16_MAX;
}

int index_save(const char *file, const char *root, int64_t scanned_ns, const struct filelist *l, struct err *err)
{
	struct head head = { .magic = MAGIC, .byte_order = BYTE_ORDER_MARK, .scanned_ns = scanned_ns };
	const char *last_path = "";
	struct digest digest;
	auto_str out = { 0 };

	head.root_bytes = (uint32_t)strlen(root);
	for (size_t i = 0; i < l->n; i++)
		head.n += is_recorded(&l->v[i]);
	str_add_mem(&out, &head, sizeof(head));
	str_add(&out, root);
	for (size_t i = 0; i < l->n; i++) {
		if (!is_recorded(&l->v[i]))
			continue;
		add_record(&out, &l->v[i], last_path);
		last_path = l->v[i].path;
	}
	digest = digest_of(str_text(&out), out.len);
	str_add_mem(&out, digest.b, sizeof(digest.b));
	return fs_write_atomic(file, str_text(&out), out.len, 0644, err);
}
