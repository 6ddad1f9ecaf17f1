#include "pipeline/record_outcome.h"

#include <fcntl.h>
#include <unistd.h>

#include "aws/sagemaker.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/job_end.h"
#include "pipeline/leaderboard.h"
#include "pipeline/provenance.h"
#include "pipeline/remote_job.h"
#include "s3/object.h"
#include "s3/uri.h"

/* The model's bytes are read for their digest and kept nowhere. */
static int hash_model(const struct session *s, const char *owner, const char *model_uri, struct provenance_outcome *o,
		      struct digest *ret, struct err *err)
{
	auto_clients c = { 0 };
	struct s3 s3 = { .aws = &c.aws, .bucket_owner = owner };
	auto_s3_uri uri = { 0 };
	auto_close int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	clients_init(&c, s);
	if (s3_uri_parse(model_uri, &uri, err) < 0 ||
	    s3_get_fd(&s3, uri.bucket, uri.key, fd, ret, &o->model_bytes, err) < 0)
		return err_wrap(err, "read model '%s'", model_uri);
	o->model = ret;
	o->model_uri = model_uri;
	return 0;
}

/* job is the one that trained: a failed one names the place where a model would have been. */
static int add_model(const struct session *s, const char *owner, const json_t *job, struct provenance_outcome *o,
		     struct digest *digest, struct err *err)
{
	const char *uri = json_string_value(json_at(job, "ModelArtifacts", "S3ModelArtifacts", NULL));
	auto_err why = { 0 };

	if (!uri || hash_model(s, owner, uri, o, digest, &why) == 0 || why.code == ERR_NOT_FOUND)
		return 0;
	err_move(err, &why);
	return -1;
}

/* Of all training jobs of a tuning job. */
struct seconds {
	int64_t billable, spot_training, spot_billable;
};

static void add_seconds(struct seconds *sum, const json_t *job)
{
	int64_t billable = job_billable_seconds(job), training = job_training_seconds(job);

	if (billable > 0)
		sum->billable += billable;
	if (billable < 0 || training < 0 || !json_is_true(json_object_get(job, "EnableManagedSpotTraining")))
		return;
	sum->spot_billable += billable;
	sum->spot_training += training;
}

static int spot_saving(const struct seconds *sum)
{
	return sum->spot_training > sum->spot_billable
		       ? (int)(100 * (sum->spot_training - sum->spot_billable) / sum->spot_training)
		       : 0;
}

/* What the list of training jobs does not tell: the seconds, and where the model is. *ret_best is a new reference. */
static int describe_children(struct aws *aws, json_t *board, struct seconds *sum, json_t **ret_best, struct err *err)
{
	const char *best = json_str(board, "best");
	size_t i;
	json_t *child;

	json_array_foreach(json_object_get(board, "children"), i, child) {
		const char *name = json_str(child, "job");
		auto_json *job = NULL;
		auto_err why = { 0 };

		if (sagemaker_describe_job(aws, &sagemaker_training, name, &job, &why) < 0 &&
		    why.code != ERR_NOT_FOUND) {
			err_move(err, &why);
			return err_wrap(err, "describe training job '%s'", name);
		}
		add_seconds(sum, job);
		if (job_billable_seconds(job) >= 0)
			json_put_int(child, "billableSeconds", job_billable_seconds(job));
		json_put_str(child, "model",
			     json_string_value(json_at(job, "ModelArtifacts", "S3ModelArtifacts", NULL)));
		if (str_eq(name, best))
			*ret_best = take(job);
	}
	return 0;
}

static int add_tuning(const struct session *s, struct record *r, const json_t *job, struct err *err)
{
	auto_clients c = { 0 };
	auto_leaderboard b = { 0 };
	auto_json *children = NULL;
	auto_json *best = NULL;
	auto_json *board = NULL;
	struct provenance_outcome outcome = { .job = job };
	struct provenance_tuning tuning = { 0 };
	struct seconds sum = { 0 };
	struct digest digest;

	clients_init(&c, s);
	if (sagemaker_list_tuning_children(&c.aws, remote_job_name(job), LEADERBOARD_MAX_CHILDREN, &children, err) < 0)
		return -1;
	leaderboard_init(&b, job, children);
	board = leaderboard_json(&b);
	if (describe_children(&c.aws, board, &sum, &best, err) < 0 ||
	    add_model(s, r->owner, best, &outcome, &digest, err) < 0)
		return -1;
	tuning.board = board;
	tuning.metric = b.best ? leaderboard_objective(&b, b.best->definition)->metric : NULL;
	tuning.objective = b.best ? b.best->objective : 0;
	tuning.billable_seconds = sum.billable;
	tuning.spot_saving_percent = spot_saving(&sum);
	provenance_add_tuning(r->statement, &outcome, &tuning);
	return 0;
}

static int add_training(const struct session *s, struct record *r, const json_t *job, struct err *err)
{
	struct provenance_outcome outcome = { .job = job };
	struct digest digest;

	if (add_model(s, r->owner, job, &outcome, &digest, err) < 0)
		return -1;
	provenance_add_outcome(r->statement, &outcome);
	return 0;
}

int record_add_outcome(const struct session *s, struct record *r, const json_t *job, struct err *err)
{
	return (remote_job_kind(job) == JOB_TUNING ? add_tuning : add_training)(s, r, job, err);
}
