#include "local/runner.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "ecr/registry.h"
#include "local/channel.h"
#include "local/checkpoints.h"
#include "local/registry_store.h"
#include "local/runnable.h"
#include "local/runner_artifacts.h"
#include "local/runner_host.h"
#include "local/runner_network.h"
#include "local/runner_tree.h"

#define MAX_RUNTIME_DEFAULT_S 86400

/* One run of one job: everything belongs to its thread, but what the hosts share. */
struct run {
	struct store_sagemaker *store;
	struct cloud *cloud;
	struct job *job;
	const json_t *request;
	struct http *http;
	struct engine engine;
	struct host_group group;
	struct host hosts[HOSTS_MAX]; /* group.n of them */
	struct checkpoints *checkpoints;
	bool has_run; /* containers have started */
	enum watch_reason reason;
};

static void run_init(struct run *r, struct store_sagemaker *s, struct job *j)
{
	struct host_group *g = &r->group;

	*r = (struct run){ .store = s, .cloud = s->cloud, .job = j, .request = j->request };
	*g = (struct host_group){ .cloud = s->cloud, .job = j, .request = j->request, .metrics_fd = -1 };
	pthread_mutex_init(&g->metrics_lock, NULL);
	g->arn = job_arn(j);
	g->checkpoints = fs_join(j->dir, "checkpoints");
	g->n = channel_hosts(j->request);
	assert(g->n <= HOSTS_MAX); /* runnable_check has refused more */
	for (size_t i = 0; i < g->n; i++)
		host_init(&r->hosts[i], g, i);
	r->http = http_curl_new();
}

static void run_release(struct run *r)
{
	struct host_group *g = &r->group;

	runner_remove_leftovers(&r->engine, r->job);
	for (size_t i = 0; i < g->n; i++)
		host_release(&r->hosts[i]);
	checkpoints_free(r->checkpoints);
	engine_release(&r->engine);
	http_free(r->http);
	metrics_free(g->metrics);
	mem_close_p(&g->metrics_fd);
	pthread_mutex_destroy(&g->metrics_lock);
	free(g->network);
	free(g->checkpoints);
	free(g->arn);
}

static int client_error(struct err *err)
{
	return err_service(err, "ClientError");
}

/* Several hosts get a network of their own, so that they know each other by name. */
static int choose_network(struct run *r, struct err *err)
{
	const char *network;

	r->group.is_private = r->group.n > 1;
	if (r->group.is_private)
		return runner_network_create(&r->engine, r->job, &r->group.network, err);
	if (runner_network(&r->engine, &network, err) < 0)
		return -1;
	r->group.network = xstrdup(network);
	return 0;
}

static int prepare(struct run *r, struct err *err)
{
	auto_free char *metrics_path = fs_join(r->job->dir, "metrics.jsonl");
	const json_t *algorithm = json_object_get(r->request, "AlgorithmSpecification");

	if (engine_connect(r->http, r->cloud->docker_host, &r->engine, err) < 0 || choose_network(r, err) < 0)
		return -1;
	if (metrics_new(json_object_get(algorithm, "MetricDefinitions"), &r->group.metrics, err) < 0)
		return client_error(err);
	r->group.metrics_fd = open(metrics_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (r->group.metrics_fd < 0)
		return err_errno(err, "create '%s'", metrics_path);
	return 0;
}

static int download_inputs(struct run *r, struct err *err)
{
	job_transition(r->job, NULL, "Downloading", "Downloading input data", NULL);
	for (size_t i = 0; i < r->group.n; i++)
		if (host_prepare(&r->hosts[i], err) < 0)
			return -1;
	if (checkpoints_new(r->cloud, r->request, r->group.checkpoints, &r->checkpoints, err) < 0)
		return -1;
	return checkpoints_restore(r->checkpoints, err);
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

static int64_t max_runtime_s(const json_t *request)
{
	const json_t *given = json_object_get(json_object_get(request, "StoppingCondition"), "MaxRuntimeInSeconds");

	return given ? json_integer_value(given) : MAX_RUNTIME_DEFAULT_S;
}

/* The error that ended the job, if it was one: of two hosts that fail, the first counts. */
static int find_error(struct run *r, struct err *err)
{
	for (size_t i = 0; i < r->group.n; i++) {
		struct host *h = &r->hosts[i];

		if (r->reason == WATCH_HOST_FAILED && i != r->group.watch.failed_host)
			continue;
		if (h->err.msg) {
			err_move(err, &h->err);
			return -1;
		}
	}
	return 0;
}

static int follow(struct run *r, struct err *err)
{
	auto_err why = { 0 };

	watch_group_init(&r->group.watch, r->cloud, r->job, max_runtime_s(r->request));
	checkpoints_begin(r->checkpoints);
	for (size_t i = 0; i < r->group.n && !why.msg; i++)
		if (host_follow(&r->hosts[i], &why) < 0)
			watch_group_fail(&r->group.watch, i);
	for (size_t i = 0; i < r->group.n; i++)
		host_join(&r->hosts[i]);
	checkpoints_end(r->checkpoints);
	r->reason = watch_group_reason(&r->group.watch);
	if (why.msg) {
		err_move(err, &why);
		return -1;
	}
	return find_error(r, err);
}

static int train(struct run *r, struct err *err)
{
	for (size_t i = 0; i < r->group.n; i++)
		if (host_create(&r->hosts[i], &r->engine, err) < 0)
			return -1;
	job_transition(r->job, NULL, "Training", "Training image download completed. Training in progress.", NULL);
	for (size_t i = 0; i < r->group.n; i++)
		if (host_start(&r->hosts[i], &r->engine, err) < 0)
			return -1;
	r->has_run = true;
	return follow(r, err);
}

static int on_clash(void *ctx, const char *path, struct err *err)
{
	struct host *h = ctx;
	auto_free char *words = tree_clean_text(path, strlen(path));
	auto_free char *line = xasprintf("smpipe: '%s' of %s is left out: a host before it has one", words, h->name);

	return host_log(h, line, err);
}

/* The files of one folder of all hosts. */
static int merge(struct run *r, const char *folder, struct filelist *ret, struct err *err)
{
	for (size_t i = 0; i < r->group.n; i++) {
		auto_free char *root = fs_join(r->hosts[i].ml, folder);

		if (artifacts_merge(root, on_clash, &r->hosts[i], ret, err) < 0)
			return err_wrap(err, "collect '%s' of %s", folder, r->hosts[i].name);
	}
	return 0;
}

/* What there is goes to S3; a model only of a job that did not fail. */
static int upload(struct run *r, bool with_model, struct err *err)
{
	auto_filelist model = { 0 }, output = { 0 };
	auto_free char *uri = NULL;

	job_transition(r->job, NULL, "Uploading", "Uploading generated training model", NULL);
	if (checkpoints_sync(r->checkpoints, err) < 0 || merge(r, "output/data", &output, err) < 0 ||
	    artifacts_upload_output(r->cloud, &output, r->request, err) < 0)
		return -1;
	if (!with_model)
		return 0;
	if (merge(r, "model", &model, err) < 0 || artifacts_upload_model(r->cloud, &model, r->request, &uri, err) < 0)
		return -1;
	job_set_artifacts(r->job, uri);
	return 0;
}

static void fail(struct run *r, const char *reason)
{
	job_transition(r->job, "Failed", "Failed", "Training job failed", reason);
}

static bool is_internal(const struct err *err)
{
	return !err_is_service(err, "ClientError") && !err_is_service(err, "AlgorithmError");
}

static void fail_with(struct run *r, const struct err *err)
{
	auto_free char *words = tree_clean_text(err->msg, strlen(err->msg));
	auto_free char *reason =
		xasprintf("%s: %s%s%s%s", is_internal(err) ? "InternalServerError" : err->service_code, words,
			  err->hint ? " (" : "", err->hint ? err->hint : "", err->hint ? ")" : "");

	fail(r, reason);
}

static void finish_failed(struct run *r, struct err *err)
{
	const struct host *h = &r->hosts[r->group.watch.failed_host];
	auto_free char *failure = tree_read_failure(h->ml);
	int uploaded = upload(r, false, err);
	auto_free char *reason = xasprintf("AlgorithmError: %s, exit code: %d%s%s", failure, h->exit_code,
					   uploaded < 0 ? "; " : "", uploaded < 0 ? err->msg : "");

	fail(r, reason);
}

static void finish(struct run *r, struct err *err)
{
	if (r->reason == WATCH_HOST_FAILED)
		finish_failed(r, err);
	else if (r->has_run && upload(r, true, err) < 0)
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

/* Whether to try again; else the job has ended. */
static bool run_once(struct store_sagemaker *s, struct job *j, int64_t retries_left)
{
	auto_err err = { 0 };
	bool is_again = false;
	struct run r;

	run_init(&r, s, j);
	if (run_steps(&r, &err) < 0) {
		is_again = retries_left > 0 && is_internal(&err) && !job_is_shutdown(j) && !job_is_stop_requested(j);
		if (!is_again)
			fail_with(&r, &err);
	} else if (!job_is_shutdown(j))
		finish(&r, &err);
	run_release(&r);
	return is_again;
}

/* What the service's own fault ended is run again, as often as RetryStrategy says. */
static void run_job(struct store_sagemaker *s, struct job *j)
{
	int64_t retries = json_integer_value(json_at(j->request, "RetryStrategy", "MaximumRetryAttempts", NULL));

	while (run_once(s, j, retries)) {
		retries--;
		job_transition(j, NULL, "Starting", "Preparing the instances for training again", NULL);
	}
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

	if (engine_connect(http, s->cloud->docker_host, &engine, &ignored) == 0)
		runner_remove_leftovers(&engine, j);
}

void runner_remove_orphan(struct store_sagemaker *s, struct job *j)
{
	start_thread(s, j, remove_orphan);
}
