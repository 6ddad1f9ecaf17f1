#include "local/cloud.h"

#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "local/cloud_state.h"
#include "local/faults.h"

#define POLL_MS 200

static void cloud_release(struct cloud *c)
{
	store_sagemaker_free(c->sagemaker);
	store_ecr_free(c->ecr);
	store_logs_free(c->logs);
	store_s3_free(c->s3);
	faults_free(c->faults);
	free(c->dir);
	free(c->account);
	free(c->access_key_id);
	secret_release(&c->secret_access_key);
	free(c->docker_host);
}

#define auto_cloud __attribute__((cleanup(cloud_release))) struct cloud

static int open_stores(struct cloud *c, struct err *err)
{
	auto_free char *s3 = fs_join(c->dir, "s3"), *logs = fs_join(c->dir, "logs"), *ecr = fs_join(c->dir, "ecr");

	if (store_s3_new(s3, &c->s3, err) < 0 || store_logs_new(logs, &c->logs, err) < 0 ||
	    store_ecr_new(ecr, &c->ecr, err) < 0)
		return -1;
	return 0;
}

static int read_or_make_state(const char *dir, struct cloud_state *state, struct err *err)
{
	auto_err read_err = { 0 };

	if (cloud_state_read(dir, state, &read_err) == 0)
		return 0;
	if (read_err.code != ERR_NOT_FOUND) {
		err_move(err, &read_err);
		return -1;
	}
	cloud_state_init(state, &sys_real);
	return 0;
}

/* The port of last time is kept as long as it is free, so that settings of other tools stay right. */
static int start_server(struct cloud *c, int wanted, int last, struct server **ret, struct err *err)
{
	auto_err taken = { 0 };

	if (wanted || !last)
		return server_start(c, wanted, ret, &c->port, err);
	if (server_start(c, last, ret, &c->port, &taken) == 0)
		return 0;
	if (taken.code == ERR_CONFLICT)
		return server_start(c, 0, ret, &c->port, err);
	err_move(err, &taken);
	return -1;
}

static void run_until_the_end(struct cloud *c, struct server *server, const struct cloud_options *options)
{
	int64_t busy_ms = c->sys->ticks_ms(c->sys);

	while (!sys_is_cancelled()) {
		int64_t now_ms;

		c->sys->sleep_ms(c->sys, POLL_MS);
		if (!options->exit_when_idle)
			continue;
		now_ms = c->sys->ticks_ms(c->sys);
		if (store_sagemaker_running(c->sagemaker) > 0)
			busy_ms = now_ms;
		if (now_ms - busy_ms >= options->idle_s * 1000LL && server_idle_ms(server) >= options->idle_s * 1000LL)
			return;
	}
}

/* The stores first: a request is answered as soon as the server listens. */
static int serve_locked(struct cloud *c, struct cloud_state *state, const struct cloud_options *options,
			void (*ready)(void *ctx, int port), void *ctx, struct err *err)
{
	struct server *server = NULL;

	if (open_stores(c, err) < 0 || store_sagemaker_new(c, &c->sagemaker, err) < 0 ||
	    start_server(c, options->port, state->port, &server, err) < 0)
		return -1;
	state->port = c->port;
	state->pid = getpid();
	if (cloud_state_write(c->dir, state, err) < 0) {
		server_stop(server);
		return -1;
	}
	if (ready)
		ready(ctx, c->port);
	run_until_the_end(c, server, options);
	server_stop(server);
	state->pid = 0;
	return cloud_state_write(c->dir, state, err);
}

static int read_faults(struct cloud *c, struct err *err)
{
	const char *text = getenv(FAULTS_VARIABLE);

	return text && *text ? faults_parse(text, &c->faults, err) : 0;
}

int cloud_serve(const struct cloud_options *options, void (*ready)(void *ctx, int port), void *ctx, struct err *err)
{
	auto_cloud c = { .sys = &sys_real };
	auto_cloud_state state = { 0 };
	auto_free char *lock_path = NULL;
	auto_close int lock = -1;

	if (fs_mkdir_p(options->dir, 0700, err) < 0)
		return -1;
	c.dir = fs_realpath(options->dir);
	if (!c.dir)
		return err_errno(err, "find folder '%s'", options->dir);
	lock_path = cloud_lock_path(c.dir);
	if (fs_lock(lock_path, &lock, err) < 0 || read_or_make_state(c.dir, &state, err) < 0 ||
	    read_faults(&c, err) < 0)
		return -1;
	c.account = xstrdup(state.account);
	c.access_key_id = xstrdup(state.access_key_id);
	secret_set(&c.secret_access_key, state.secret_access_key.value);
	c.docker_host = xstrdup(cloud_docker_host(options));
	c.idle_s = options->exit_when_idle ? options->idle_s : 0;
	sys_catch_signals();
	return serve_locked(&c, &state, options, ready, ctx, err);
}
