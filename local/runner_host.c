#include "local/runner_host.h"

#include <string.h>

#include "aws/sagemaker_limits.h"
#include "base/fs.h"
#include "base/json.h"
#include "ecr/engine_container.h"
#include "local/lock.h"
#include "local/runner_container.h"
#include "local/runner_network.h"
#include "local/runner_tree.h"

void host_init(struct host *h, struct host_group *group, size_t index)
{
	const struct sys *sys = group->cloud->sys;

	*h = (struct host){ .group = group, .index = index, .name = tree_host_name(index) };
	h->ml = fs_join(group->job->dir, h->name);
	h->stream = xasprintf("%s/%s-%lld", group->job->name, h->name, (long long)(sys->now_ms(sys) / 1000));
}

/* Only what was downloaded is removed: what the algorithm wrote stays to be looked at. */
void host_release(struct host *h)
{
	auto_free char *inputs = fs_join(h->ml, "input/data");
	auto_err ignored = { 0 };

	fs_remove_tree(inputs, &ignored);
	free(h->name);
	free(h->ml);
	free(h->stream);
	free(h->container_id);
	err_release(&h->err);
}

int host_prepare(struct host *h, struct err *err)
{
	const struct host_group *g = h->group;
	bool is_isolated = json_is_true(json_object_get(g->request, "EnableNetworkIsolation"));
	bool has_network = g->n > 1 || (!is_isolated && str_eq(g->network, "bridge"));

	if (tree_make(h->ml, err) < 0 ||
	    tree_write_config(h->ml, g->request, h->index, has_network ? "eth0" : "lo", err) < 0)
		return -1;
	return tree_fetch_inputs(g->cloud, h->ml, g->request, h->index, err);
}

int host_create(struct host *h, struct engine *e, struct err *err)
{
	struct host_group *g = h->group;
	struct container_place place = { .host = h->name,
					 .ml = h->ml,
					 .checkpoints = g->checkpoints,
					 .network = g->network,
					 .is_private = g->is_private };
	auto_json *spec = runner_container_spec(g->request, g->arn, &place);
	auto_free char *name = runner_engine_name(g->job, h->name);
	auto_free char *leftover = xasprintf("containers/%s", name);

	job_add_leftover(g->job, leftover);
	if (container_create(e, name, spec, &h->container_id, err) < 0)
		return err_service(err, "ClientError");
	return 0;
}

int host_start(struct host *h, struct engine *e, struct err *err)
{
	if (container_start(e, h->container_id, err) < 0) {
		err_wrap(err, "the image cannot be run as 'docker run IMAGE train' would");
		return err_service(err, "AlgorithmError");
	}
	return 0;
}

static void on_metric(void *ctx, const char *name, double value)
{
	struct host_group *g = ctx;
	auto_json *line = json_pack("{s:s, s:f, s:I}", "MetricName", name, "Value", value, "TimestampMs",
				    (json_int_t)g->cloud->sys->now_ms(g->cloud->sys));
	auto_free char *text = line ? json_compact(line) : NULL;
	auto_err ignored = { 0 };

	job_set_metric(g->job, name, value);
	if (text && fs_write_all(g->metrics_fd, text, strlen(text), "metrics", &ignored) == 0)
		fs_write_all(g->metrics_fd, "\n", 1, "metrics", &ignored);
}

int host_log(struct host *h, const char *text, struct err *err)
{
	const struct cloud *cloud = h->group->cloud;

	return store_logs_append(cloud->logs, SAGEMAKER_LOG_GROUP, h->stream, cloud->sys->now_ms(cloud->sys), text,
				 err);
}

/* A line of the container. The logs service takes no empty messages. */
static int on_line(void *ctx, const char *line, size_t n, struct err *err)
{
	struct host *h = ctx;
	struct host_group *g = h->group;
	auto_free char *text = NULL;
	pthread_mutex_t *held;

	if (job_is_shutdown(g->job))
		return err_set(err, ERR_CANCELLED, "the local cloud was stopped");
	if (n > 0 && line[n - 1] == '\r')
		n--;
	if (n == 0)
		return 0;
	text = tree_clean_text(line, n);
	held = lock_take(&g->metrics_lock);
	metrics_feed(g->metrics, text, on_metric, g);
	lock_drop(&held);
	return host_log(h, text, err);
}

static int follow(struct host *h, struct engine *e, struct err *err)
{
	struct watch w = { .group = &h->group->watch, .container_id = h->container_id };
	auto_free char *complaint = NULL;
	int result;

	if (watch_begin(&w, err) < 0)
		return -1;
	result = container_follow(e, h->container_id, on_line, h, err);
	if (result == 0)
		result = container_wait(e, h->container_id, &h->exit_code, &complaint, err);
	/* Before the watch ends: what comes after this host's end is no reason of its own. */
	if (result < 0 || complaint || h->exit_code != 0)
		watch_group_fail(&h->group->watch, h->index);
	watch_end(&w);
	if (result < 0)
		return -1;
	if (complaint) {
		err_set(err, ERR_FAILED, "the container could not run: %s", complaint);
		return err_service(err, "AlgorithmError");
	}
	return 0;
}

static void *follow_main(void *ctx)
{
	struct host *h = ctx;
	auto_http *http = http_curl_new();
	auto_engine engine = { 0 };

	if (engine_connect(http, h->group->cloud->docker_host, &engine, &h->err) < 0 || follow(h, &engine, &h->err) < 0)
		watch_group_fail(&h->group->watch, h->index);
	return NULL;
}

int host_follow(struct host *h, struct err *err)
{
	int r = pthread_create(&h->thread, NULL, follow_main, h);

	if (r != 0)
		return err_set(err, ERR_IO, "start a thread: %s", strerror(r));
	h->is_followed = true;
	return 0;
}

void host_join(struct host *h)
{
	if (h->is_followed)
		pthread_join(h->thread, NULL);
	h->is_followed = false;
}
