/* Copies inside S3: s3_copy_object of s3/object.h. */

#include <assert.h>

#include "base/mem.h"
#include "base/str.h"
#include "s3/multipart.h"
#include "s3/parts.h"
#include "s3/pump.h"

#define TURN_MS 100

struct copy {
	struct s3 *s3;
	const char *from_bucket, *from_key;
	const struct s3_head *source;
	struct s3_multipart m;
	bool may_have_twins;   /* CreateMultipartUpload was sent more than once */
	struct s3_call *calls; /* one a part */
	uint32_t n_done;
	bool has_failed;
	struct err err;
};

static void on_part(struct s3_call *call, int result)
{
	struct copy *c = call->ctx;

	if (result == 0)
		result = s3_multipart_part_copied(&c->m, (uint32_t)(call - c->calls), &call->resp, &call->err);
	if (result < 0 && !c->has_failed) {
		c->has_failed = true;
		err_move(&c->err, &call->err);
		if (err_is_service(&c->err, "PreconditionFailed"))
			err_set(&c->err, ERR_CONFLICT, "'s3://%s/%s' changed while it was copied", c->from_bucket,
				c->from_key);
	}
	c->n_done++;
}

static int run_parts(struct copy *c, struct s3_pump *pump, struct err *err)
{
	for (uint32_t i = 0; i < c->m.n; i++) {
		uint64_t first = s3_part_offset(c->m.size, i);

		c->m.v[i].size = s3_part_length(c->m.size, i);
		s3_multipart_copy_request(&c->m, i, c->from_bucket, c->from_key, c->source->etag, first,
					  first + c->m.v[i].size - 1, &c->calls[i].req);
		c->calls[i].done = on_part;
		c->calls[i].ctx = c;
		s3_pump_start(pump, &c->calls[i]);
	}
	while (c->n_done < c->m.n && !c->has_failed) {
		if (s3_pump_turn(pump, TURN_MS, err) < 0)
			return -1;
	}
	if (!c->has_failed)
		return 0;
	err_move(err, &c->err);
	return -1;
}

static int copy_parts(struct copy *c, struct err *err)
{
	struct s3_pump *pump = s3_pump_new(c->s3, 0);
	int rc;

	c->calls = xcalloc(c->m.n, sizeof(*c->calls));
	rc = run_parts(c, pump, err);
	s3_pump_free(pump);
	for (uint32_t i = 0; i < c->m.n; i++)
		s3_call_release(&c->calls[i]);
	free(c->calls);
	return rc;
}

static int create(struct copy *c, struct err *err)
{
	auto_s3_request req = { 0 };
	auto_response resp = { 0 };

	s3_multipart_create_request(&c->m, "application/octet-stream", &req);
	s3_encryption_add(&c->s3->encryption, &req.headers);
	if (s3_send(c->s3, &req, &resp, err) < 0)
		return -1;
	c->may_have_twins = req.n_attempts > 1;
	return s3_multipart_created(&c->m, &resp, err);
}

/* A lost answer leaves the object there and the upload gone. */
static int look(struct copy *c, const struct s3_checksum *whole, struct err *err)
{
	auto_s3_head head = { 0 };
	auto_err ignored = { 0 };

	if (err->code != ERR_NETWORK && !err_is_service(err, "NoSuchUpload"))
		return -1;
	if (s3_head_object(c->s3, c->m.bucket, c->m.key, &head, &ignored) < 0 || head.size != c->m.size ||
	    !s3_checksum_equal(&head.sha256, whole))
		return -1;
	err_release(err);
	return 0;
}

static int complete(struct copy *c, struct err *err)
{
	struct s3_checksum whole = s3_multipart_whole(&c->m);
	auto_s3_request req = { 0 };
	auto_response resp = { 0 };
	auto_str body = { 0 };

	if (s3_checksum_differ(&c->source->sha256, &whole))
		return err_set(err, ERR_INVALID, "the copy 's3://%s/%s' has another checksum than its source",
			       c->m.bucket, c->m.key);
	s3_multipart_complete_request(&c->m, &whole, &body, &req);
	if (s3_send(c->s3, &req, &resp, err) < 0)
		return look(c, &whole, err);
	return s3_multipart_completed(&c->m, &whole, &resp, err);
}

static int copy_multipart(struct copy *c, struct err *err)
{
	auto_err ignored = { 0 };
	int rc;

	c->m.n = s3_part_count(c->m.size);
	c->m.v = xcalloc(c->m.n, sizeof(*c->m.v));
	if (create(c, err) < 0)
		return -1;
	rc = copy_parts(c, err) < 0 ? -1 : complete(c, err);
	if (rc < 0)
		(void)s3_multipart_abort(c->s3, c->m.bucket, c->m.key, c->m.upload_id, &ignored);
	/* An upload of the same content that was cut off is of no use any more. */
	if (rc == 0)
		s3_multipart_drop_others(c->s3, &c->m);
	else if (c->may_have_twins)
		s3_multipart_drop_twins(c->s3, &c->m);
	return rc;
}

int s3_copy_object(struct s3 *s3, const char *from_bucket, const char *from_key, const struct s3_head *source,
		   const char *to_bucket, const char *to_key, struct err *err)
{
	struct copy c = {
		.s3 = s3,
		.from_bucket = from_bucket,
		.from_key = from_key,
		.source = source,
		.m = { .bucket = to_bucket, .key = to_key, .size = source->size, .kind = S3_SHA256 },
	};
	int rc;

	assert(source->sha256.n_parts && source->sha256.n_parts == s3_part_count(source->size));
	rc = copy_multipart(&c, err);
	s3_multipart_release(&c.m);
	err_release(&c.err);
	return rc;
}
