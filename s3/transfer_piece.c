/* One body of s3/transfer: hashed, sent, and held against the file that it came from. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "s3/transfer_internal.h"

/* A part's bytes come to libcurl when it wants them: nothing is held. */
static int64_t read_body(void *ctx, void *buffer, size_t n, struct err *err)
{
	struct piece *p = ctx;
	ssize_t got;

	if (n > p->hash.size - p->n_read)
		n = p->hash.size - p->n_read;
	do
		got = n ? pread(p->of->fd, buffer, n, (off_t)(p->hash.offset + p->n_read)) : 0;
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_errno(err, "read '%s'", p->hash.entry->disk_path);
	if (n && !got)
		return file_entry_changed(p->hash.entry, err);
	p->n_read += (uint64_t)got;
	p->n_counted += (uint64_t)got;
	engine_count(p->of->engine, got, p->hash.entry->path);
	return got;
}

static int open_body(void *ctx, struct http_body *ret, struct err *err)
{
	struct piece *p = ctx;

	(void)err;
	engine_count(p->of->engine, -(int64_t)p->n_counted, p->hash.entry->path);
	p->n_read = p->n_counted = 0;
	*ret = (struct http_body){ .read = read_body, .ctx = p, .size = (int64_t)p->hash.size };
	return 0;
}

static int check_file(struct piece *p, struct err *err)
{
	struct upload *u = p->of;
	struct file_stamp now;

	if (u->fd < 0)
		return 0;
	if (file_entry_check(u->item.entry, u->fd, &now, err) < 0)
		return -1;
	return file_stamp_equal(&now, &u->stamp) ? 0 : file_entry_changed(u->item.entry, err);
}

static int no_proof(const struct piece *p, struct err *err)
{
	err_set(err, ERR_INVALID, "%s: the store keeps no %s, so nothing proves that it has the bytes that were sent",
		p->call.req.what, s3_checksum_algorithm(p->checksum.kind));
	return err_hint(err, "with sha256 as checksum the bytes themselves are signed");
}

static int check_stored(struct piece *p, struct err *err)
{
	struct upload *u = p->of;
	struct s3_checksum stored = s3_checksum_from(&p->call.resp, p->checksum.kind);

	if (stored.kind == S3_CHECKSUM_NONE && !p->sha256_hex)
		return no_proof(p, err);
	if (u->m.n)
		return s3_multipart_part_stored(&u->m, p->part, &p->call.resp, err);
	if (s3_checksum_differ(&stored, &p->checksum))
		return err_set(err, ERR_INVALID, "PutObject 's3://%s/%s': S3 stored other bytes than were sent",
			       u->engine->spec->bucket, u->item.key);
	return 0;
}

static void fail(struct piece *p, struct err *err)
{
	struct engine *e = p->of->engine;

	piece_free(p);
	engine_fail(e, err);
}

static void on_sent(struct s3_call *c, int result)
{
	struct piece *p = c->ctx;
	struct upload *u = p->of;
	auto_err err = { 0 };

	if (u->is_void || (result < 0 ? upload_is_lost(u, &c->err) : upload_is_otherwise(u, &c->resp))) {
		upload_drop_piece(u, p);
		return;
	}
	if (result < 0) {
		err_move(&err, &c->err);
		if (s3_is_refusal_of_bytes(&err))
			file_entry_changed(u->item.entry, &err);
		if (u->m.n || err.code != ERR_NETWORK) {
			fail(p, &err);
			return;
		}
		u->whole = p->checksum;
		piece_free(p);
		upload_look(u, &err);
		return;
	}
	if (check_file(p, &err) < 0 || check_stored(p, &err) < 0) {
		fail(p, &err);
		return;
	}
	engine_count(u->engine, (int64_t)(p->hash.size - p->n_counted), p->hash.entry->path);
	upload_piece_stored(u, p);
}

static void fill_request(struct piece *p)
{
	struct upload *u = p->of;
	struct s3_request *req = &p->call.req;

	if (u->m.n) {
		s3_multipart_part_request(&u->m, p->part, req);
	} else {
		*req = (struct s3_request){ .operation = "PutObject",
					    .bucket = u->engine->spec->bucket,
					    .key = u->item.key };
		req->aws.method = "PUT";
		req->aws.is_idempotent = true;
		req->aws.is_patient = true;
		req->aws.judge_body = s3_judge_object;
		http_headers_add(&req->headers, "Content-Type", u->engine->spec->content_type);
		s3_checksum_add(&req->headers, &p->checksum);
		s3_encryption_add(&u->engine->s3->encryption, &req->headers);
	}
	if (!p->sha256_hex && p->hash.wants_sha256)
		p->sha256_hex = digest_hex(&p->hash.sha256);
	req->aws.payload_hash = p->sha256_hex ? p->sha256_hex : SIGV4_UNSIGNED_PAYLOAD;
	if (p->hash.bytes || !p->hash.size) {
		req->aws.bytes = p->hash.bytes ? p->hash.bytes : "";
		req->aws.n = p->hash.size;
	} else {
		req->aws.open_body = open_body;
		req->aws.body_ctx = p;
	}
}

static void send_piece(struct piece *p)
{
	struct upload *u = p->of;

	if (u->found.kind != S3_CHECKSUM_NONE && upload_settle(u, p))
		return;
	if (u->m.n) {
		struct s3_part *stored = &u->m.v[p->part];
		bool is_there = stored->etag && s3_checksum_equal(&stored->checksum, &p->checksum);

		stored->checksum = p->checksum;
		stored->size = p->hash.size;
		if (is_there) {
			engine_count(u->engine, (int64_t)p->hash.size, p->hash.entry->path);
			u->engine->result.parts_reused++;
			upload_piece_stored(u, p);
			return;
		}
	}
	fill_request(p);
	p->call.done = on_sent;
	p->call.ctx = p;
	s3_pump_start(u->engine->pump, &p->call);
}

void piece_hashed(struct piece *p)
{
	auto_err err = { 0 };

	if (p->hash.result < 0) {
		err_move(&err, &p->hash.err);
		fail(p, &err);
		return;
	}
	if (p->of->is_void) {
		upload_drop_piece(p->of, p);
		return;
	}
	if (p->hash.wants_crc64)
		p->checksum = (struct s3_checksum){ .kind = S3_CRC64NVME, .crc64 = p->hash.crc64 };
	else if (p->hash.wants_sha256)
		p->checksum = (struct s3_checksum){ .kind = S3_SHA256, .sha256 = p->hash.sha256 };
	if (p->of->parts)
		p->of->parts[p->part] = p->hash.sha256;
	send_piece(p);
}

/* The digest that the list has already, of the whole or of a part. */
static const struct digest *known_digest(const struct upload *u, uint32_t part)
{
	const struct file_entry *e = u->item.entry;

	if (!e->has_digest)
		return NULL;
	if (!u->m.n)
		return e->n_parts ? NULL : &e->digest;
	return e->parts && e->n_parts == u->m.n ? &e->parts[part] : NULL;
}

void piece_begin(struct upload *u, uint32_t part)
{
	const struct file_entry *entry = u->item.entry;
	const struct digest *known = known_digest(u, part);
	struct piece *p = xcalloc(1, sizeof(*p));

	p->of = u;
	p->part = part;
	p->next = u->engine->pieces;
	if (p->next)
		p->next->previous = p;
	u->engine->pieces = p;
	u->engine->n_pieces++;
	p->hash = (struct hash_task){ .entry = entry, .fd = u->fd, .size = entry->size, .wants_bytes = u->fd < 0 };
	if (u->m.n) {
		p->hash.offset = s3_part_offset(entry->size, part);
		p->hash.size = s3_part_length(entry->size, part);
	}
	p->sha256_hex = known ? digest_hex(known) : NULL;
	p->hash.wants_crc64 = u->engine->spec->kind == S3_CRC64NVME;
	p->hash.wants_sha256 = !known && (u->parts || u->engine->spec->kind == S3_SHA256);
	if (known && u->engine->spec->kind == S3_SHA256)
		p->checksum = (struct s3_checksum){ .kind = S3_SHA256, .sha256 = *known };
	if (p->checksum.kind != S3_CHECKSUM_NONE && u->fd >= 0) {
		/* The reads for sending shall not wait for the disk. */
		posix_fadvise(u->fd, (off_t)p->hash.offset, (off_t)p->hash.size, POSIX_FADV_WILLNEED);
		send_piece(p);
		return;
	}
	u->engine->n_hashing++;
	hashers_add(u->engine->hashers, &p->hash);
}

void piece_free(struct piece *p)
{
	struct engine *e = p->of->engine;

	*(p->previous ? &p->previous->next : &e->pieces) = p->next;
	if (p->next)
		p->next->previous = p->previous;
	e->n_pieces--;
	s3_call_release(&p->call);
	free(p->hash.bytes);
	err_release(&p->hash.err);
	free(p->sha256_hex);
	free(p);
}
