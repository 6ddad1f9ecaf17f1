#include "local/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "aws/metrics.h"
#include "aws/sagemaker_limits.h"
#include "base/fs.h"
#include "base/json.h"
#include "ecr/engine_container.h"
#include "ecr/registry.h"
#include "local/registry_store.h"
#include "local/runnable.h"
#include "local/runner_artifacts.h"
#include "local/runner_container.h"
#include "local/runner_tree.h"
#include "local/runner_watch.h"

#define MAX_RUNTIME_DEFAULT_S 86400

/* One run of one job: everything belongs to its thread. */
struct run {
	struct store_sagemaker *store;
	struct cloud *cloud;
	struct job *job;
	const json_t *request;
	char *ml, *arn, *stream;
	struct http *http;
	struct engine engine;
	const char *network;
	struct metrics *metrics;
	int metrics_fd; /* metrics.jsonl */
	char *container_id;
	int exit_code;
	enum watch_reason reason;
};

static void run_init(struct run *r, struct store_sagemaker *s, struct job *j)
{
	*r = (struct run){ .store = s, .cloud = s->cloud, .job = j, .request = j->request, .metrics_fd = -1 };
	r->ml = fs_join(j->dir, "ml");
	r->arn = job_arn(j);
	r->http = http_curl_new();
}

/* Only what was downloaded is removed: what the algorithm wrote stays to be looked at. */
static void run_release(struct run *r)
{
	auto_free char *inputs = fs_join(r->ml, "input/data");
	auto_err ignored = { 0 };

	if (r->container_id) {
		if (container_remove(&r->engine, r->container_id, &ignored) == 0)
			job_set_container(r->job, NULL);
		else if (sys_is_cancelled())
			runner_remove_at_exit(&r->engine, r->container_id);
	}
	fs_remove_tree(inputs, &ignored);
	engine_release(&r->engine);
	http_free(r->http);
	metrics_free(r->metrics);
	mem_close_p(&r->metrics_fd);
	free(r->container_id);
	free(r->stream);
	free(r->arn);
	free(r->ml);
}

static int client_error(struct err *err)
{
	return err_service(err, "ClientError");
}

static int algorithm_error(struct err *err)
{
	return err_service(err, "AlgorithmError");
}

static int prepare(struct run *r, struct err *err)
{
	auto_free char *metrics_path = fs_join(r->job->dir, "metrics.jsonl");
	const json_t *algorithm = json_object_get(r->request, "AlgorithmSpecification");

	if (engine_connect(r->http, r->cloud->docker_host, &r->engine, err) < 0 ||
	    runner_network(&r->engine, &r->network, err) < 0)
		return -1;
	if (metrics_new(json_object_get(algorithm, "MetricDefinitions"), &r->metrics, err) < 0)
		return client_error(err);
	r->metrics_fd = open(metrics_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (r->metrics_fd < 0)
		return err_errno(err, "create '%s'", metrics_path);
	return 0;
}

static int download_inputs(struct run *r, struct err *err)
{
	bool is_isolated = json_is_true(json_object_get(r->request, "EnableNetworkIsolation"));
	bool has_network = !is_isolated && str_eq(r->network, "bridge");

	job_transition(r->job, NULL, "Downloading", "Downloading input data", NULL);
	if (tree_make(r->ml, err) < 0 || tree_write_config(r->ml, r->request, has_network ? "eth0" : "lo", err) < 0)
		return -1;
	return tree_fetch_inputs(r->cloud, r->ml, r->request, err);
}

/* Into an empty struct. The password goes to the cloud's own registry and to no other. */
static int own_auth(struct run *r, const char *image, struct registry_auth *ret, struct err *err)
{
	const char *slash = strchr(image, '/');
	int64_t expires_ms;

	ret->host = xstrndup(image, (size_t)(slash - image));
	ret->user = xstrdup("AWS");
	return store_ecr_password(r->cloud->ecr, r->cloud->sys, &ret->password, &expires_ms, err);
}

static int download_image(struct run *r, struct err *err)
{
	const char *image = json_str(json_object_get(r->request, "AlgorithmSpecification"), "TrainingImage");
	auto_free char *repository = NULL;
	auto_free char *reference = NULL;
	auto_registry_auth auth = { 0 };
	auto_json *about = NULL;

	job_transition(r->job, NULL, "DownloadingTrainingImage", "Downloading the training image", NULL);
	if (runnable_own_image(r->cloud, image, &repository, &reference)) {
		if (own_auth(r, image, &auth, err) < 0)
			return -1;
		if (engine_pull(&r->engine, image, &auth, NULL, err) < 0)
			return client_error(err);
		return 0;
	}
	/* Other registries are not asked: a local cloud works without a network. */
	if (engine_inspect_image(&r->engine, image, &about, err) < 0) {
		if (err->code == ERR_NOT_FOUND)
			err_set(err, ERR_NOT_FOUND,
				"image '%s' lies neither in the local registry nor in the Docker Engine: "
				"push it, or pull it first",
				image);
		return client_error(err);
	}
	return 0;
}

static void on_metric(void *ctx, const char *name, double value)
{
	struct run *r = ctx;
	auto_json *line = json_pack("{s:s, s:f, s:I}", "MetricName", name, "Value", value, "TimestampMs",
				    (json_int_t)r->cloud->sys->now_ms(r->cloud->sys));
	auto_free char *text = line ? json_compact(line) : NULL;
	auto_err ignored = { 0 };

	job_set_metric(r->job, name, value);
	if (text && fs_write_all(r->metrics_fd, text, strlen(text), "metrics", &ignored) == 0)
		fs_write_all(r->metrics_fd, "\n", 1, "metrics", &ignored);
}

/* A line of the container. The logs service takes no empty messages. */
static int on_line(void *ctx, const char *line, size_t n, struct err *err)
{
	struct run *r = ctx;
	auto_free char *text = NULL;

	if (job_is_shutdown(r->job))
		return err_set(err, ERR_CANCELLED, "the local cloud was stopped");
	if (n > 0 && line[n - 1] == '\r')
		n--;
	if (n == 0)
		return 0;
	text = tree_clean_text(line, n);
	metrics_feed(r->metrics, text, on_metric, r);
	return store_logs_append(r->cloud->logs, SAGEMAKER_LOG_GROUP, r->stream, r->cloud->sys->now_ms(r->cloud->sys),
				 text, err);
}

static int create_container(struct run *r, struct err *err)
{
	auto_json *spec = runner_container_spec(r->request, r->arn, r->ml, r->network);
	auto_free char *suffix = NULL;
	auto_free char *name = NULL;
	unsigned char raw[4];

	/* Several local clouds may share an Engine and run jobs of the same name. */
	r->cloud->sys->random(r->cloud->sys, raw, sizeof(raw));
	suffix = str_hex(raw, sizeof(raw));
	name = xasprintf("smpipe-%s-%s", r->job->name, suffix);
	if (container_create(&r->engine, name, spec, &r->container_id, err) < 0)
		return client_error(err);
	job_set_container(r->job, r->container_id);
	return 0;
}

static int64_t max_runtime_s(const json_t *request)
{
	const json_t *given = json_object_get(json_object_get(request, "StoppingCondition"), "MaxRuntimeInSeconds");

	return given ? json_integer_value(given) : MAX_RUNTIME_DEFAULT_S;
}

static int follow(struct run *r, struct err *err)
{
	struct watch w = { .cloud = r->cloud,
			   .job = r->job,
			   .container_id = r->container_id,
			   .max_runtime_s = max_runtime_s(r->request) };
	auto_free char *complaint = NULL;
	int result;

	if (watch_begin(&w, err) < 0)
		return -1;
	result = container_follow(&r->engine, r->container_id, on_line, r, err);
	if (result == 0)
		result = container_wait(&r->engine, r->container_id, &r->exit_code, &complaint, err);
	watch_end(&w);
	r->reason = w.reason;
	if (result < 0)
		return -1;
	if (complaint) {
		err_set(err, ERR_FAILED, "the container could not run: %s", complaint);
		return algorithm_error(err);
	}
	return 0;
}

static int train(struct run *r, struct err *err)
{
	r->stream = xasprintf("%s/algo-1-%lld", r->job->name, (long long)(r->cloud->sys->now_ms(r->cloud->sys) / 1000));
	if (create_container(r, err) < 0)
		return -1;
	job_transition(r->job, NULL, "Training", "Training image download completed. Training in progress.", NULL);
	if (container_start(&r->engine, r->container_id, err) < 0) {
		err_wrap(err, "the image cannot be run as 'docker run IMAGE train' would");
		return algorithm_error(err);
	}
	return follow(r, err);
}

/* What there is goes to S3; a model only of a job that did not fail. */
static int upload(struct run *r, bool with_model, struct err *err)
{
	auto_free char *uri = NULL;

	job_transition(r->job, NULL, "Uploading", "Uploading generated training model", NULL);
	if (artifacts_upload_checkpoints(r->cloud, r->ml, r->request, err) < 0 ||
	    artifacts_upload_output(r->cloud, r->ml, r->request, err) < 0)
		return -1;
	if (!with_model)
		return 0;
	if (artifacts_upload_model(r->cloud, r->ml, r->request, &uri, err) < 0)
		return -1;
	job_set_artifacts(r->job, uri);
	return 0;
}

static void fail(struct run *r, const char *reason)
{
	job_transition(r->job, "Failed", "Failed", "Training job failed", reason);
}

static void fail_with(struct run *r, const struct err *err)
{
	bool is_known = err_is_service(err, "ClientError") || err_is_service(err, "AlgorithmError");
	auto_free char *words = tree_clean_text(err->msg, strlen(err->msg));
	auto_free char *reason = xasprintf("%s: %s%s%s%s", is_known ? err->service_code : "InternalServerError", words,
					   err->hint ? " (" : "", err->hint ? err->hint : "", err->hint ? ")" : "");

	fail(r, reason);
}

static void finish_failed(struct run *r, struct err *err)
{
	auto_free char *failure = tree_read_failure(r->ml);
	int uploaded = upload(r, false, err);
	auto_free char *reason = xasprintf("AlgorithmError: %s, exit code: %d%s%s", failure, r->exit_code,
					   uploaded < 0 ? "; " : "", uploaded < 0 ? err->msg : "");

	fail(r, reason);
}

static void finish(struct run *r, struct err *err)
{
	bool is_stopped = r->reason == WATCH_STOPPED || r->reason == WATCH_MAX_RUNTIME;

	if (!is_stopped && r->exit_code != 0)
		finish_failed(r, err);
	else if (r->container_id && upload(r, true, err) < 0)
		fail_with(r, err);
	else if (r->reason == WATCH_STOPPED)
		job_transition(r->job, "Stopped", "Stopped", "Training job stopped", NULL);
	else if (r->reason == WATCH_MAX_RUNTIME)
		job_transition(r->job, "Stopped", "MaxRuntimeExceeded",
			       "Training job runtime exceeded MaxRuntimeInSeconds provided", NULL);
	else
		job_transition(r->job, "Completed", "Completed", "Training job completed", NULL);
}

typedef int (*step_fn)(struct run *r, struct err *err);

/* Up to the end of the container, or to a stop that came before there was one. */
static int run_steps(struct run *r, struct err *err)
{
	static const step_fn steps[] = { prepare, download_inputs, download_image, train };

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (job_is_stop_requested(r->job)) {
			r->reason = WATCH_STOPPED;
			return 0;
		}
		if (job_is_shutdown(r->job))
			return err_set(err, ERR_CANCELLED, "the local cloud was stopped");
		if (steps[i](r, err) < 0)
			return -1;
	}
	return 0;
}

static void run_job(struct store_sagemaker *s, struct job *j)
{
	auto_err err = { 0 };
	struct run r;

	run_init(&r, s, j);
	if (run_steps(&r, &err) < 0)
		fail_with(&r, &err);
	else if (!job_is_shutdown(j))
		finish(&r, &err);
	run_release(&r);
}

struct thread_start {
	struct store_sagemaker *store;
	struct job *job;
	void (*fn)(struct store_sagemaker *s, struct job *j);
};

static void *thread_main(void *ctx)
{
	struct thread_start start = *(struct thread_start *)ctx;

	free(ctx);
	start.fn(start.store, start.job);
	store_sagemaker_leave(start.store);
	return NULL;
}

static int start_thread(struct store_sagemaker *s, struct job *j, void (*fn)(struct store_sagemaker *s, struct job *j))
{
	struct thread_start *start = xmalloc(sizeof(*start));
	pthread_t thread;
	int r;

	*start = (struct thread_start){ .store = s, .job = j, .fn = fn };
	store_sagemaker_enter(s);
	r = pthread_create(&thread, NULL, thread_main, start);
	if (r == 0)
		return pthread_detach(thread);
	free(start);
	store_sagemaker_leave(s);
	return -1;
}

void runner_start(struct store_sagemaker *s, struct job *j)
{
	if (start_thread(s, j, run_job) != 0)
		job_transition(j, "Failed", "Failed", "Training job failed",
			       "InternalServerError: no thread could be started for the job");
}

static void remove_orphan(struct store_sagemaker *s, struct job *j)
{
	auto_http *http = http_curl_new();
	auto_engine engine = { 0 };
	auto_err ignored = { 0 };

	if (engine_connect(http, s->cloud->docker_host, &engine, &ignored) == 0 &&
	    container_remove(&engine, j->container_id, &ignored) == 0)
		job_set_container(j, NULL);
}

void runner_remove_orphan(struct store_sagemaker *s, struct job *j)
{
	start_thread(s, j, remove_orphan);
}
