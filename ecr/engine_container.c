#include "ecr/engine_container.h"

#include "base/json.h"
#include "base/mem.h"
#include "ecr/engine_frames.h"

#define ANSWER_MAX (1024 * 1024)
/* What the engine may need beside the waiting that was asked for. */
#define CALL_TIMEOUT_MS 120000

static char *container_path(const char *id, const char *suffix)
{
	auto_free char *name = str_uri_encode(id, false);

	return xasprintf("/containers/%s%s", name, suffix);
}

/* A call without a body, whose answer is ignored unless wanted. */
static int command(struct engine *e, const char *what, const char *method, const char *path, int64_t timeout_ms,
		   struct str *ret_body, struct err *err)
{
	struct http_request req = {
		.method = method, .max_body_bytes = ANSWER_MAX, .timeout_ms = timeout_ms, .idle_ms = -1
	};
	auto_response resp = { 0 };

	if (engine_send(e, what, path, &req, &resp, err) < 0)
		return -1;
	if (ret_body) {
		*ret_body = resp.body;
		resp.body = (struct str){ 0 };
	}
	return 0;
}

int container_create(struct engine *e, const char *name, const json_t *spec, char **ret_id, struct err *err)
{
	auto_free char *encoded = str_uri_encode(name, false);
	auto_free char *path = xasprintf("/containers/create?name=%s", encoded);
	auto_json *answer = NULL;
	const char *id;

	if (engine_call(e, "POST", path, spec, &answer, err) < 0)
		return err_wrap(err, "create container '%s'", name);
	id = json_need_str(answer, "Id", "answer of the Docker Engine", err);
	if (!id)
		return err_wrap(err, "create container '%s'", name);
	*ret_id = xstrdup(id);
	return 0;
}

int container_start(struct engine *e, const char *id, struct err *err)
{
	auto_free char *path = container_path(id, "/start");
	auto_free char *what = xasprintf("start container '%s'", id);

	return command(e, what, "POST", path, CALL_TIMEOUT_MS, NULL, err);
}

static int feed_frames(void *ctx, const char *p, size_t n, struct err *err)
{
	return engine_frames_feed(ctx, p, n, err);
}

int container_follow(struct engine *e, const char *id, container_line_fn fn, void *ctx, struct err *err)
{
	auto_free char *path = container_path(id, "/logs?follow=1&stdout=1&stderr=1&tail=all");
	auto_free char *what = xasprintf("follow container '%s'", id);
	auto_engine_frames frames = { .fn = fn, .ctx = ctx };
	struct http_request req = { .method = "GET", .sink = feed_frames, .sink_ctx = &frames, .idle_ms = -1 };
	auto_response resp = { 0 };

	if (engine_send(e, what, path, &req, &resp, err) < 0)
		return -1;
	if (engine_frames_end(&frames, err) < 0)
		return err_wrap(err, "%s", what);
	return 0;
}

static int read_exit(const json_t *answer, int *ret_exit_code, char **ret_error, struct err *err)
{
	const json_t *status = json_object_get(answer, "StatusCode");
	const char *complaint = json_string_value(json_at(answer, "Error", "Message", NULL));

	if (!json_is_integer(status))
		return err_set(err, ERR_INVALID, "the engine names no exit code");
	*ret_exit_code = (int)json_integer_value(status);
	*ret_error = complaint && *complaint ? str_printable(complaint) : NULL;
	return 0;
}

int container_wait(struct engine *e, const char *id, int *ret_exit_code, char **ret_error, struct err *err)
{
	auto_free char *path = container_path(id, "/wait");
	auto_free char *what = xasprintf("wait for container '%s'", id);
	auto_json *answer = NULL;
	auto_str body = { 0 };

	if (command(e, what, "POST", path, 0, &body, err) < 0)
		return -1;
	answer = json_parse(str_text(&body), body.len, "answer of the Docker Engine", err);
	if (!answer || read_exit(answer, ret_exit_code, ret_error, err) < 0)
		return err_wrap(err, "%s", what);
	return 0;
}

int container_stop(struct engine *e, const char *id, int grace_s, struct err *err)
{
	auto_free char *suffix = xasprintf("/stop?t=%d", grace_s);
	auto_free char *path = container_path(id, suffix);
	auto_free char *what = xasprintf("stop container '%s'", id);

	return command(e, what, "POST", path, (int64_t)grace_s * 1000 + CALL_TIMEOUT_MS, NULL, err);
}

int container_remove(struct engine *e, const char *id, struct err *err)
{
	auto_free char *path = container_path(id, "?force=1&v=1");
	auto_free char *what = xasprintf("remove container '%s'", id);
	auto_err why = { 0 };

	/* 409: somebody is removing it right now. */
	if (command(e, what, "DELETE", path, CALL_TIMEOUT_MS, NULL, &why) == 0 || why.code == ERR_NOT_FOUND ||
	    why.code == ERR_CONFLICT)
		return 0;
	err_move(err, &why);
	return -1;
}
