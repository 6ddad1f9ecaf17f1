#include "pipeline/verify.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "aws/sagemaker.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "ecr/reference.h"
#include "ecr/repository.h"
#include "pipeline/leaderboard.h"
#include "pipeline/provenance.h"
#include "pipeline/remote_job.h"
#include "s3/object.h"
#include "s3/snapshot.h"
#include "s3/uri.h"

struct verify {
	const struct session *s;
	struct git *git;
	const struct record *r;
	struct clients c;
	struct s3 s3;
	bool is_deep;
	verify_fn fn;
	void *ctx;
	struct verify_result result;
};

static void verify_release(struct verify *v)
{
	clients_release(&v->c);
}

__attribute__((format(printf, 3, 4))) static void tell(struct verify *v, const char *what, const char *fmt, ...)
{
	auto_free char *difference = NULL;
	va_list ap;

	if (fmt) {
		va_start(ap, fmt);
		difference = xvasprintf(fmt, ap);
		va_end(ap);
		v->result.bad++;
	}
	v->fn(v->ctx, what, difference ? VERIFIED_BAD : VERIFIED_OK, difference);
}

/* Turn an error about a missing or different thing into a difference; others stay errors. */
static int settle(struct verify *v, const char *what, int result, struct err *why, struct err *err)
{
	if (result == 0)
		return 0;
	if (why->code == ERR_UNPROVEN) {
		v->result.unproven++;
		v->fn(v->ctx, what, VERIFIED_UNPROVEN, why->msg);
		return 0;
	}
	if (why->code == ERR_NOT_FOUND || why->code == ERR_FAILED || why->code == ERR_INVALID ||
	    why->code == ERR_CONFLICT) {
		tell(v, what, "%s", why->msg);
		return 0;
	}
	err_move(err, why);
	return -1;
}

static int verify_git(struct verify *v, struct err *err)
{
	auto_json *copy = NULL;
	auto_err why = { 0 };

	if (!v->git)
		return 0;
	if (record_load_git(v->git, provenance_job(v->r->statement), &copy, &why) < 0) {
		/* A clone other than the one that released has no copy, and contradicts nothing. */
		if (why.code == ERR_NOT_FOUND)
			return 0;
		return settle(v, "record in git", -1, &why, err);
	}
	if (json_equal(copy, v->r->statement))
		tell(v, "record in git", NULL);
	else
		tell(v, "record in git", "it differs from the one in S3");
	return 0;
}

static bool covers(const json_t *sent, const json_t *now, const char **ret_key);

static bool covers_value(const json_t *sent, const json_t *now)
{
	const char *ignored;
	size_t i;
	json_t *item;

	if (json_is_object(sent) && json_is_object(now))
		return covers(sent, now, &ignored);
	if (!json_is_array(sent) || json_array_size(sent) != json_array_size(now))
		return json_equal(sent, now);
	json_array_foreach((json_t *)sent, i, item) {
		if (!covers_value(item, json_array_get(now, i)))
			return false;
	}
	return true;
}

/* Every member that was sent must be what the service says now. The service may say more: defaults that nobody sent. */
static bool covers(const json_t *sent, const json_t *now, const char **ret_key)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)sent, key, value) {
		*ret_key = key;
		if (strcmp(key, "Tags") != 0 && !covers_value(value, json_object_get(now, key)))
			return false;
	}
	return true;
}

static int verify_job(struct verify *v, struct err *err)
{
	const char *name = provenance_job(v->r->statement), *key = NULL;
	auto_json *job = NULL;
	auto_json *tags = NULL;
	auto_err why = { 0 };

	if (remote_job_describe(&v->c.aws, provenance_kind(v->r->statement), name, &job, &why) < 0)
		return settle(v, "job", -1, &why, err);
	if (sagemaker_list_tags(&v->c.aws, remote_job_arn(job), &tags, err) < 0)
		return -1;
	if (!covers(provenance_request(v->r->statement), job, &key))
		tell(v, "job", "'%s' differs from the recorded request", key);
	else if (!str_eq(json_str(tags, TAG_REQUEST), json_str(provenance_internal(v->r->statement), "requestKey")))
		tell(v, "job", "its tag '%s' is not the recorded request key", TAG_REQUEST);
	else if (json_str(tags, TAG_STATEMENT) && !str_eq(json_str(tags, TAG_STATEMENT), v->r->sha256))
		tell(v, "job", "its tag '%s' is not the record's SHA-256", TAG_STATEMENT);
	else
		tell(v, "job", NULL);
	return 0;
}

/* NULL when a recorded training job is what the service says of it. */
static const char *compare_child(const json_t *recorded, const struct leaderboard_child *now)
{
	const json_t *objective = json_object_get(recorded, "objective");

	if (!now)
		return "is not there";
	if (!json_equal(json_object_get(recorded, "hyperparameters"), now->tuned))
		return "has other hyperparameters";
	if (json_is_number(objective) != now->has_objective ||
	    (now->has_objective && json_number_value(objective) != now->objective))
		return "has another objective";
	return NULL;
}

/* How the best one was found: every training job of a tuning job. */
static int verify_children(struct verify *v, struct err *err)
{
	const json_t *tuning = provenance_tuning(v->r->statement);
	auto_json *children = NULL;
	auto_json *job = NULL;
	auto_leaderboard b = { 0 };
	auto_err why = { 0 };
	const char *name = provenance_job(v->r->statement);
	size_t i;
	json_t *child;

	if (!tuning)
		return 0;
	if (sagemaker_describe_job(&v->c.aws, &sagemaker_tuning, name, &job, &why) < 0 ||
	    sagemaker_list_tuning_children(&v->c.aws, name, LEADERBOARD_MAX_CHILDREN, &children, &why) < 0)
		return settle(v, "training jobs", -1, &why, err);
	leaderboard_init(&b, job, children);
	json_array_foreach(json_object_get(tuning, "children"), i, child) {
		const char *child_name = json_str(child, "job");
		const char *difference =
			child_name ? compare_child(child, leaderboard_find(&b, child_name)) : "has no name";

		if (difference) {
			tell(v, "training jobs", "'%s' %s", child_name ? child_name : "?", difference);
			return 0;
		}
	}
	tell(v, "training jobs", NULL);
	return 0;
}

static int verify_image(struct verify *v, struct err *err)
{
	const char *uri = NULL, *sha256 = provenance_subject(v->r->statement, "image", &uri);
	const char *build_key = json_str(provenance_internal(v->r->statement), "buildKey");
	auto_reference reference = { 0 };
	auto_registry_auth auth = { 0 };
	auto_registry_image image = { 0 };
	auto_free char *digest = sha256 ? xasprintf("sha256:%s", sha256) : NULL;
	auto_err why = { 0 };

	/* An image that was not built here lies where these credentials may not reach. */
	if (!build_key)
		return 0;
	if (!digest || reference_parse(uri, &reference, err) < 0)
		return digest ? -1 : err_set(err, ERR_INVALID, "the record names no image");
	if (ecr_get_authorization(&v->c.aws, &auth, err) < 0)
		return -1;
	if (registry_get_image(v->c.http, &auth, reference.repository, digest, &image, &why) < 0)
		return settle(v, "image", -1, &why, err);
	if (!str_eq(registry_image_label(&image, LABEL_BUILD), build_key))
		tell(v, "image", "its label '%s' is not the recorded build key", LABEL_BUILD);
	else
		tell(v, "image", NULL);
	return 0;
}

/* Read an object whole and compare its SHA-256. */
static int verify_object(struct verify *v, const char *kind, struct err *err)
{
	const char *uri_text = NULL, *sha256 = provenance_subject(v->r->statement, kind, &uri_text);
	auto_close int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	auto_s3_uri uri = { 0 };
	auto_err why = { 0 };
	auto_free char *hex = NULL;
	struct digest digest;
	uint64_t size;

	if (!sha256)
		return 0;
	if (s3_uri_parse(uri_text, &uri, err) < 0)
		return -1;
	if (s3_get_fd(&v->s3, uri.bucket, uri.key, fd, &digest, &size, &why) < 0)
		return settle(v, kind, -1, &why, err);
	hex = digest_hex(&digest);
	if (str_eq(hex, sha256))
		tell(v, kind, NULL);
	else
		tell(v, kind, "'%s' has SHA-256 %s, the record says %s", uri_text, hex, sha256);
	return 0;
}

/* A data subject is the snapshot's manifest; behind it stand the objects. */
static int verify_snapshot(struct verify *v, const char *kind, const char *uri_text, struct err *err)
{
	auto_s3_uri uri = { 0 };
	auto_free char *prefix = NULL;
	auto_free char *tree = NULL;
	auto_free char *what = xasprintf("%s (objects)", kind);
	auto_err why = { 0 };
	int before = v->result.bad;

	if (verify_object(v, kind, err) < 0)
		return -1;
	if (v->result.bad > before)
		return 0;
	if (s3_uri_parse(uri_text, &uri, err) < 0)
		return -1;
	prefix = fs_dirname(uri.key);
	tree = xstrndup(fs_basename(uri.key), strlen(fs_basename(uri.key)) - strlen(".json"));
	if (snapshot_verify(&v->s3, uri.bucket, prefix, tree, v->is_deep, NULL, &why) < 0)
		return settle(v, what, -1, &why, err);
	tell(v, what, NULL);
	return 0;
}

static int verify_data(struct verify *v, struct err *err)
{
	size_t i;
	json_t *subject;

	json_array_foreach(json_object_get(v->r->statement, "subject"), i, subject) {
		const char *kind = json_str(subject, "name"), *uri = json_str(subject, "uri");

		if (!kind || !uri || !str_starts(kind, "data/"))
			continue;
		if (!str_ends(uri, ".json"))
			return err_set(err, ERR_INVALID, "the record names '%s' as a manifest", uri);
		if (verify_snapshot(v, kind, uri, err) < 0)
			return -1;
	}
	return 0;
}

int verify_record(const struct session *s, struct git *git, const struct record *r, bool is_deep, verify_fn fn,
		  void *ctx, struct verify_result *ret, struct err *err)
{
	struct verify __attribute__((cleanup(verify_release)))
	v = { .s = s, .git = git, .r = r, .is_deep = is_deep, .fn = fn, .ctx = ctx };
	const char *owner = r->owner ? r->owner : s->bucket_owner;

	clients_init(&v.c, s);
	v.s3 = (struct s3){ .aws = &v.c.aws, .bucket_owner = owner };
	if (r->key)
		tell(&v, "record in S3", NULL);
	else
		tell(&v, "record in S3", "it is not there; this is git's copy");
	if (verify_git(&v, err) < 0 || verify_job(&v, err) < 0 || verify_children(&v, err) < 0 ||
	    verify_image(&v, err) < 0 || verify_object(&v, "source", err) < 0 || verify_data(&v, err) < 0 ||
	    verify_object(&v, "model", err) < 0)
		return -1;
	*ret = v.result;
	return 0;
}
