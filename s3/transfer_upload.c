/*
 * The steps of one object of s3/transfer:
 *
 *   look whether it is there → PutObject, or CreateMultipartUpload → parts → Complete → a look when an answer was lost
 */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "s3/transfer_internal.h"

void upload_free(struct upload *u)
{
	struct engine *e = u->engine;

	*(u->previous ? &u->previous->next : &e->uploads) = u->next;
	if (u->next)
		u->next->previous = u->previous;
	e->n_uploads--;
	if (u->fd >= 0)
		close(u->fd);
	s3_call_release(&u->call);
	s3_multipart_release(&u->m);
	str_release(&u->complete_body);
	free(u->parts);
	err_release(&u->lost);
	free(u->item.key);
	free(u);
}

static void begin_anew(struct upload *u);

static void fail(struct upload *u, struct err *err)
{
	engine_fail(u->engine, err);
}

/* The path must still lead to the file that was sent. */
static int check_path(const struct upload *u, struct err *err)
{
	struct stat st;

	if (u->fd < 0)
		return 0;
	if (lstat(u->item.entry->disk_path, &st) < 0 || st.st_ino != u->stamp.inode || st.st_dev != u->stamp.device)
		return file_entry_changed(u->item.entry, err);
	return 0;
}

/* With the object there, what earlier runs and lost answers left of it would be kept for nothing. */
static void drop_others(struct upload *u)
{
	const struct s3_uploads *found = &u->engine->cut_off;

	for (size_t i = 0; i < found->n; i++) {
		auto_err ignored = { 0 };

		if (str_eq(found->v[i].key, u->item.key) && !str_eq(found->v[i].id, u->m.upload_id))
			(void)s3_multipart_abort(u->engine->s3, u->m.bucket, u->m.key, found->v[i].id, &ignored);
	}
	if (u->may_have_twins)
		s3_multipart_drop_twins(u->engine->s3, &u->m);
}

static void finish(struct upload *u)
{
	struct engine *e = u->engine;
	auto_err err = { 0 };

	if (check_path(u, &err) < 0) {
		fail(u, &err);
		return;
	}
	if (u->m.n)
		drop_others(u);
	e->result.files_sent++;
	e->result.bytes_sent += u->item.entry->size;
	if (e->spec->done)
		e->spec->done(e->spec->ctx, u->item.entry, u->item.key, &u->whole);
	upload_free(u);
}

/* With all parts there, this answer is the first to tell how they are encrypted. */
static void finish_as_asked(struct upload *u)
{
	if (upload_is_otherwise(u, &u->call.resp))
		begin_anew(u);
	else
		finish(u);
}

static void start_call(struct upload *u, void (*done)(struct s3_call *c, int result))
{
	u->call.done = done;
	u->call.ctx = u;
	s3_pump_start(u->engine->pump, &u->call);
}

static void start_head(struct upload *u, void (*done)(struct s3_call *c, int result))
{
	s3_call_release(&u->call);
	u->call = (struct s3_call){
		.req = { .operation = "HeadObject", .bucket = u->engine->spec->bucket, .key = u->item.key }
	};
	u->call.req.aws.method = "HEAD";
	u->call.req.aws.is_idempotent = true;
	u->call.req.aws.is_patient = true;
	http_headers_add(&u->call.req.headers, "x-amz-checksum-mode", "ENABLED");
	start_call(u, done);
}

static bool has_same_size(const struct upload *u)
{
	const char *length = http_headers_get(&u->call.resp.headers, "Content-Length");
	int64_t size;

	return length && str_parse_i64(length, 0, INT64_MAX, &size) && (uint64_t)size == u->item.entry->size;
}

/* Whether the object that was found is the one that should be there. */
static bool is_same_object(const struct upload *u, const struct s3_checksum *wanted)
{
	struct s3_checksum found = s3_checksum_from(&u->call.resp, wanted->kind);

	return s3_checksum_equal(&found, wanted) && has_same_size(u);
}

static void on_looked(struct s3_call *c, int result)
{
	struct upload *u = c->ctx;

	if (result == 0 && is_same_object(u, &u->whole))
		finish_as_asked(u);
	else if (upload_is_lost(u, &u->lost))
		begin_anew(u);
	else
		fail(u, &u->lost);
}

void upload_look(struct upload *u, struct err *lost)
{
	err_move(&u->lost, lost);
	start_head(u, on_looked);
}

static void on_completed(struct s3_call *c, int result)
{
	struct upload *u = c->ctx;
	auto_err err = { 0 };

	if (result < 0) {
		err_move(&err, &c->err);
		/* The first answer was lost, and the second try finds nothing to complete. */
		if (err.code == ERR_NETWORK || err_is_service(&err, "NoSuchUpload"))
			upload_look(u, &err);
		else if (upload_is_lost(u, &err))
			begin_anew(u);
		else
			fail(u, &err);
		return;
	}
	if (s3_multipart_completed(&u->m, &u->whole, &c->resp, &err) < 0)
		fail(u, &err);
	else
		finish_as_asked(u);
}

/* What was read must be what the list has under this name; parts of known digests are signed with them. */
static int check_digest(const struct upload *u, struct err *err)
{
	const struct file_entry *entry = u->item.entry;
	struct digest read;

	if (!u->parts)
		return 0;
	read = s3_composite(u->parts, u->m.n);
	return digest_equal(&read, &entry->digest) ? 0 : file_entry_changed(entry, err);
}

static void complete(struct upload *u)
{
	auto_err err = { 0 };

	if (check_path(u, &err) < 0 || check_digest(u, &err) < 0) {
		fail(u, &err);
		return;
	}
	u->whole = s3_multipart_whole(&u->m);
	s3_call_release(&u->call);
	u->call = (struct s3_call){ 0 };
	s3_multipart_complete_request(&u->m, &u->whole, &u->complete_body, &u->call.req);
	start_call(u, on_completed);
}

void upload_piece_stored(struct upload *u, struct piece *p)
{
	u->n_stored++;
	u->stored_bytes += p->hash.size;
	if (!u->m.n)
		u->whole = p->checksum;
	piece_free(p);
	if (!u->m.n)
		finish(u);
	else if (u->n_stored == u->m.n)
		complete(u);
}

static void plan_parts(struct upload *u)
{
	struct engine *e = u->engine;

	u->next_planned = NULL;
	*(e->planned_last ? &e->planned_last->next_planned : &e->planned_first) = u;
	e->planned_last = u;
}

/* Always the first in line: its parts are given out before those of others. */
static void unplan(struct engine *e)
{
	e->planned_first = e->planned_first->next_planned;
	if (!e->planned_first)
		e->planned_last = NULL;
}

void upload_give_part(struct upload *u)
{
	uint32_t part = u->n_planned++;

	if (u->n_planned == u->m.n)
		unplan(u->engine);
	piece_begin(u, part);
}

static bool give_up(struct upload *u)
{
	if (u->n_planned < u->m.n)
		unplan(u->engine);
	u->is_void = true;
	return true;
}

bool upload_is_lost(struct upload *u, const struct err *err)
{
	if (u->is_anew || !u->m.n || (!err_is_service(err, "NoSuchUpload") && !err_is_service(err, "InvalidPart")))
		return false;
	return give_up(u);
}

bool upload_is_otherwise(struct upload *u, const struct http_response *resp)
{
	if (u->is_own || !u->m.n || s3_encryption_is_told(&u->engine->s3->encryption, &resp->headers))
		return false;
	return give_up(u);
}

void upload_drop_piece(struct upload *u, struct piece *p)
{
	engine_count(u->engine, -(int64_t)p->n_counted, p->hash.entry->path);
	piece_free(p);
	u->n_planned--;
	if (u->n_planned == u->n_stored)
		begin_anew(u);
}

static void on_created(struct s3_call *c, int result)
{
	struct upload *u = c->ctx;
	auto_err err = { 0 };

	u->is_own = true;
	u->may_have_twins = c->req.n_attempts > 1;
	if (result < 0)
		err_move(&err, &c->err);
	if (result < 0 || s3_multipart_created(&u->m, &c->resp, &err) < 0)
		fail(u, &err);
	else
		plan_parts(u);
}

/* What an earlier run left: looked for once, and only when there is an object of several parts. */
static void look_for_cut_off(struct engine *e)
{
	auto_err ignored = { 0 };

	if (e->has_looked || !e->spec->resume_prefix)
		return;
	e->has_looked = true;
	/* To be allowed to list uploads is no condition for sending: then all is sent. */
	(void)s3_multipart_list(e->s3, e->spec->bucket, e->spec->resume_prefix, 1000000, &e->cut_off, &ignored);
}

static void plan_upload(struct upload *u)
{
	uint64_t size = u->item.entry->size;

	u->m = (struct s3_multipart){
		.bucket = u->engine->spec->bucket,
		.key = u->item.key,
		.kind = u->engine->spec->kind,
		.size = size,
		.n = s3_part_count(size),
	};
	u->m.v = xcalloc(u->m.n, sizeof(*u->m.v));
}

/* The latest upload of this key that was cut off, with its parts. */
static bool take_up(struct upload *u)
{
	const struct s3_upload *latest = NULL;
	auto_err ignored = { 0 };

	look_for_cut_off(u->engine);
	for (size_t i = 0; i < u->engine->cut_off.n; i++) {
		const struct s3_upload *found = &u->engine->cut_off.v[i];

		if (!str_eq(found->key, u->item.key))
			continue;
		if (!latest ||
		    (found->initiated && latest->initiated && strcmp(found->initiated, latest->initiated) > 0))
			latest = found;
	}
	if (!latest || !s3_encryption_can_be_told(&u->engine->s3->encryption))
		return false;
	u->m.upload_id = xstrdup(latest->id);
	if (s3_multipart_list_parts(u->engine->s3, &u->m, &ignored) == 0)
		return true;
	/* Those of a first page are not this upload's. */
	s3_multipart_release(&u->m);
	plan_upload(u);
	return false;
}

static void begin_parts(struct upload *u)
{
	struct engine *e = u->engine;
	const struct file_entry *entry = u->item.entry;

	plan_upload(u);
	if (!u->parts && entry->has_digest && !entry->parts && entry->n_parts == u->m.n)
		u->parts = xcalloc(u->m.n, sizeof(*u->parts));
	if (!u->is_anew && take_up(u)) {
		plan_parts(u);
		return;
	}
	s3_call_release(&u->call);
	u->call = (struct s3_call){ 0 };
	s3_multipart_create_request(&u->m, e->spec->content_type, &u->call.req);
	s3_encryption_add(&e->s3->encryption, &u->call.req.headers);
	start_call(u, on_created);
}

/* Another run that took ours up finds it gone, and does the same; one that we took up is left to who began it. */
static void begin_anew(struct upload *u)
{
	auto_err ignored = { 0 };

	if (u->is_own)
		(void)s3_multipart_abort(u->engine->s3, u->m.bucket, u->m.key, u->m.upload_id, &ignored);
	engine_count(u->engine, -(int64_t)u->stored_bytes, u->item.entry->path);
	s3_multipart_release(&u->m);
	err_release(&u->lost);
	u->stored_bytes = 0;
	u->n_planned = u->n_stored = 0;
	u->is_void = false;
	u->is_anew = true;
	begin_parts(u);
}

static int open_file(struct upload *u, struct err *err)
{
	const struct file_entry *entry = u->item.entry;

	/* O_NONBLOCK: a FIFO put in the file's place must not hold us up. */
	u->fd = open(entry->disk_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (u->fd < 0)
		return err_errno(err, "open '%s'", entry->disk_path);
	return file_entry_check(entry, u->fd, &u->stamp, err);
}

static void begin_sending(struct upload *u)
{
	const struct file_entry *entry = u->item.entry;
	bool is_multipart = s3_part_count(entry->size) > 0;
	auto_err err = { 0 };

	if (entry->disk_path && entry->size > INLINE_BYTES && open_file(u, &err) < 0)
		fail(u, &err);
	else if (is_multipart && u->found.kind == S3_CHECKSUM_NONE)
		begin_parts(u);
	else
		piece_begin(u, 0);
}

static void is_there(struct upload *u, const struct s3_checksum *whole)
{
	struct engine *e = u->engine;
	const struct file_entry *entry = u->item.entry;

	e->result.files_there++;
	engine_count(e, (int64_t)entry->size, entry->path);
	if (e->spec->done)
		e->spec->done(e->spec->ctx, entry, u->item.key, whole);
	upload_free(u);
}

bool upload_settle(struct upload *u, struct piece *p)
{
	struct s3_checksum whole = p->checksum;
	bool is_same = s3_checksum_equal(&u->found, &whole);

	u->found = (struct s3_checksum){ 0 };
	if (!is_same && !s3_part_count(u->item.entry->size))
		return false;
	piece_free(p);
	if (is_same)
		is_there(u, &whole);
	else
		begin_parts(u);
	return true;
}

static void on_found(struct s3_call *c, int result)
{
	struct upload *u = c->ctx;
	const struct file_entry *entry = u->item.entry;
	struct s3_checksum known = { .kind = S3_SHA256, .n_parts = entry->n_parts, .sha256 = entry->digest };

	if (result < 0 && c->err.code != ERR_NOT_FOUND) {
		fail(u, &c->err);
		return;
	}
	if (result == 0 && is_same_object(u, &known)) {
		is_there(u, &known);
		return;
	}
	/* What was sent with a CRC is compared by it: the file has to be read for that. */
	if (result == 0 && u->engine->spec->kind == S3_CRC64NVME && has_same_size(u))
		u->found = s3_checksum_from(&c->resp, S3_CRC64NVME);
	begin_sending(u);
}

static int check_item(const struct transfer_item *item, struct err *err)
{
	const struct file_entry *entry = item->entry;
	const char *name = entry->disk_path ? entry->disk_path : entry->path;

	if (entry->size > S3_MAX_OBJECT_BYTES)
		return err_set(err, ERR_INVALID, "'%s' is larger than 48.8 TiB, the most that S3 stores as one object",
			       name);
	if (!entry->disk_path && entry->size > S3_PART_BYTES)
		return err_set(err, ERR_INVALID, "'%s' is too large to be sent from memory", name);
	return 0;
}

void upload_begin(struct engine *e, struct transfer_item *item)
{
	struct upload *u = xcalloc(1, sizeof(*u));
	auto_err err = { 0 };

	*u = (struct upload){ .engine = e, .item = *item, .fd = -1, .next = e->uploads };
	if (u->next)
		u->next->previous = u;
	e->uploads = u;
	e->n_uploads++;
	if (check_item(item, &err) < 0)
		fail(u, &err);
	else if (item->may_exist && item->entry->has_digest)
		start_head(u, on_found);
	else
		begin_sending(u);
}
