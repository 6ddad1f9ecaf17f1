#include "ecr/engine.h"

#include <errno.h>
#include <unistd.h>

#include "base/archive.h"
#include "base/json.h"
#include "base/mem.h"
#include "ecr/engine_stream.h"

#define HINT_LINE_MAX 300

static void add_parameter(struct str *query, const char *name, const char *value)
{
	auto_free char *encoded = NULL;

	if (!value)
		return;
	encoded = str_uri_encode(value, false);
	str_addf(query, "&%s=%s", name, encoded);
}

static void add_json_parameter(struct str *query, const char *name, const json_t *value)
{
	auto_free char *text = NULL;

	if (!json_object_size(value))
		return;
	text = json_compact(value);
	add_parameter(query, name, text);
}

static char *build_path(const struct engine *e, const struct engine_build *b)
{
	auto_str path = { 0 };

	str_add(&path, "/build?version=1&rm=1&forcerm=1&pull=0");
	add_parameter(&path, "dockerfile", b->dockerfile);
	add_parameter(&path, "t", b->tag);
	add_parameter(&path, "target", b->target);
	add_json_parameter(&path, "buildargs", b->build_args);
	add_json_parameter(&path, "labels", b->labels);
	add_parameter(&path, "networkmode", b->network);
	/* The engine's own platform goes without saying, and older engines take the parameter only when experimental.
	 */
	if (!str_eq(b->platform, e->os_arch))
		add_parameter(&path, "platform", b->platform);
	return str_detach(&path);
}

static int64_t read_context(void *ctx, void *p, size_t n, struct err *err)
{
	ssize_t got;

	do
		got = read(*(int *)ctx, p, n);
	while (got < 0 && errno == EINTR);
	return got < 0 ? err_errno(err, "read build context") : got;
}

static int feed_stream(void *ctx, const char *p, size_t n, struct err *err)
{
	return engine_stream_feed(ctx, p, n, err);
}

static void hint_tail(const struct engine_stream *s, struct err *err)
{
	auto_str lines = { 0 };

	for (size_t i = 0; i < s->tail.n; i++) {
		auto_free char *start = xstrndup(s->tail.v[i], HINT_LINE_MAX);
		auto_free char *line = str_printable(start);

		str_addf(&lines, "%s%s%s", i ? "\n" : "", line, strlen(s->tail.v[i]) > HINT_LINE_MAX ? "…" : "");
	}
	if (lines.len)
		err_hint(err, "the last lines of the output were:\n%s", str_text(&lines));
}

/* The status was 200 long before the build went wrong: only the stream tells. */
static int judge(const struct engine_build *b, const struct engine_stream *s, struct err *err)
{
	auto_free char *words = s->error ? str_printable(s->error) : xstrdup("the engine named no image at the end");
	auto_free char *step = engine_stream_step(s);

	if (s->image_id && !s->error)
		return 0;
	err_set(err, ERR_FAILED, "build '%s': %s%s%s", b->dockerfile, step ? step : "", step ? ": " : "", words);
	hint_tail(s, err);
	return -1;
}

static int send_build(struct engine *e, const struct engine_build *b, int fd, uint64_t size, struct engine_stream *s,
		      struct err *err)
{
	auto_free char *what = xasprintf("build '%s'", b->dockerfile);
	auto_free char *path = build_path(e, b);
	const struct http_body body = { read_context, &fd, (int64_t)size };
	/* A step may be silent for as long as it likes. */
	struct http_request req = {
		.method = "POST", .body = &body, .sink = feed_stream, .sink_ctx = s, .idle_ms = -1
	};
	auto_response resp = { 0 };
	int result;

	http_headers_add(&req.headers, "Content-Type", "application/x-tar");
	result = engine_send(e, what, path, &req, &resp, err);
	http_headers_release(&req.headers);
	/* A status instead of a stream: the Dockerfile was refused before its first step. */
	if (result < 0 && (err->code == ERR_SERVICE || err->code == ERR_NOT_FOUND))
		err->code = ERR_FAILED;
	return result;
}

/* "linux/arm64/v8" and "linux/arm64" name one thing: the variant is not compared. */
static bool is_platform(const char *platform, const char *os, const char *arch)
{
	auto_free char *built = xasprintf("%s/%s", os ? os : "", arch ? arch : "");
	size_t n = strlen(built);

	return !strncmp(platform, built, n) && (!platform[n] || platform[n] == '/');
}

/* Engines build for another platform than the one asked for when the cache or a local base image has only that. */
static int check_platform(struct engine *e, const struct engine_build *b, const char *image_id, struct err *err)
{
	auto_json *image = NULL;
	const char *os, *arch;

	if (!b->platform)
		return 0;
	if (engine_inspect_image(e, image_id, &image, err) < 0)
		return -1;
	os = json_str(image, "Os");
	arch = json_str(image, "Architecture");
	if (is_platform(b->platform, os, arch))
		return 0;
	err_set(err, ERR_FAILED, "build '%s': the image is for %s/%s, not for %s", b->dockerfile, os ? os : "?",
		arch ? arch : "?", b->platform);
	return err_hint(err, "pull the base images for that platform first (docker pull --platform %s IMAGE)",
			b->platform);
}

int engine_build(struct engine *e, const struct engine_build *build, const struct report *report, char **ret_image_id,
		 struct err *err)
{
	auto_engine_stream s = { .report = report, .stage = "image" };
	auto_close int fd = -1;
	struct digest digest;
	uint64_t size;

	if (archive_write_temp(build->context, false, &fd, &digest, &size, err) < 0)
		return err_wrap(err, "pack the build context");
	report_text(report, REPORT_STEP, "image", "build %s", build->tag);
	if (send_build(e, build, fd, size, &s, err) < 0)
		return -1;
	if (engine_stream_end(&s, err) < 0)
		return err_wrap(err, "build '%s'", build->dockerfile);
	if (judge(build, &s, err) < 0 || check_platform(e, build, s.image_id, err) < 0)
		return -1;
	*ret_image_id = take(s.image_id);
	return 0;
}
