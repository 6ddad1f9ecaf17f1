/* Push and pull through the engine. */

#include "ecr/engine.h"

#include "base/json.h"
#include "base/mem.h"
#include "ecr/engine_stream.h"
#include "ecr/reference.h"
#include "ecr/registry.h"

/* Longest silence of the engine while it compresses or unpacks one layer of many gigabytes. */
#define SILENCE_MS 1800000

static const struct {
	const char *words;
	enum err_code code;
} refusals[] = {
	/* Before "denied": a tag that may not be overwritten is no matter of permissions. */
	{ "immutable", ERR_CONFLICT },
	{ "denied", ERR_AUTH },
	{ "unauthorized", ERR_AUTH },
	{ "no basic auth credentials", ERR_AUTH },
	{ "authentication required", ERR_AUTH },
	{ "authorization token has expired", ERR_AUTH },
	{ "403 Forbidden", ERR_AUTH },
	{ "name unknown", ERR_NOT_FOUND },
	{ "manifest unknown", ERR_NOT_FOUND },
	{ "not found", ERR_NOT_FOUND },
	{ "does not exist", ERR_NOT_FOUND },
};

/* The engine hands on the registry's words and nothing else to tell the cases by. */
static enum err_code class_of_words(const char *words)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		if (strcasestr(words, refusals[i].words))
			return refusals[i].code;
	}
	return ERR_SERVICE;
}

static int feed_stream(void *ctx, const char *p, size_t n, struct err *err)
{
	return engine_stream_feed(ctx, p, n, err);
}

static int check_host(const struct reference *ref, const struct registry_auth *auth, struct err *err)
{
	if (!auth || str_eq(ref->host, auth->host))
		return 0;
	return err_set(err, ERR_INVALID, "the credentials are for '%s' and not for '%s'", auth->host,
		       ref->host ? ref->host : "Docker Hub");
}

static void add_auth(struct http_headers *headers, const struct registry_auth *auth)
{
	struct secret value = { 0 };

	/* Without the header a push is refused as malformed, even where nobody asks for a password. */
	value.value = auth ? registry_auth_header(auth) : str_base64url("{}", 2);
	http_headers_add(headers, "X-Registry-Auth", value.value);
	secret_release(&value);
}

/* The one exchange; an error in the stream is one as much as a status is. */
static int transfer(struct engine *e, const char *what, const char *path, const struct registry_auth *auth,
		    struct engine_stream *s, struct err *err)
{
	struct http_request req = { .method = "POST", .sink = feed_stream, .sink_ctx = s, .idle_ms = SILENCE_MS };
	auto_response resp = { 0 };
	int result;

	add_auth(&req.headers, auth);
	result = engine_send(e, what, path, &req, &resp, err);
	http_headers_release(&req.headers);
	if (result < 0) {
		if (err->code == ERR_SERVICE)
			err->code = class_of_words(err->msg);
		return -1;
	}
	if (engine_stream_end(s, err) < 0)
		return err_wrap(err, "%s", what);
	if (s->error) {
		auto_free char *words = str_printable(s->error);

		return err_set(err, class_of_words(words), "%s: %s", what, words);
	}
	return 0;
}

int engine_push(struct engine *e, const char *repository, const char *tag, const struct registry_auth *auth,
		const struct report *report, char **ret_digest, struct err *err)
{
	auto_engine_stream s = { .report = report, .stage = "image" };
	auto_free char *what = xasprintf("push '%s:%s'", repository, tag);
	auto_free char *name = str_uri_encode(repository, true), *tag_text = str_uri_encode(tag, false);
	auto_free char *path = xasprintf("/images/%s/push?tag=%s", name, tag_text);
	auto_reference ref = { 0 };

	if (reference_parse(repository, &ref, err) < 0 || check_host(&ref, auth, err) < 0)
		return err_wrap(err, "%s", what);
	report_text(report, REPORT_STEP, "image", "push %s:%s", repository, tag);
	if (transfer(e, what, path, auth, &s, err) < 0)
		return -1;
	if (!s.digest)
		return err_set(err, ERR_SERVICE, "%s: the engine names no digest of what it pushed", what);
	*ret_digest = take(s.digest);
	return 0;
}

int engine_pull(struct engine *e, const char *reference, const struct registry_auth *auth, const struct report *report,
		struct err *err)
{
	auto_engine_stream s = { .report = report, .stage = "image" };
	auto_free char *what = xasprintf("pull '%s'", reference);
	auto_free char *name = NULL, *name_text = NULL, *tag_text = NULL, *path = NULL;
	auto_reference ref = { 0 };

	if (reference_parse(reference, &ref, err) < 0 || check_host(&ref, auth, err) < 0)
		return err_wrap(err, "%s", what);
	name = reference_format(ref.host, ref.repository, NULL, NULL);
	name_text = str_uri_encode(name, false);
	/* Without a tag the engine would pull every tag of the repository. A digest is given as the tag, too. */
	tag_text = str_uri_encode(ref.digest ? ref.digest : ref.tag ? ref.tag : "latest", false);
	path = xasprintf("/images/create?fromImage=%s&tag=%s", name_text, tag_text);
	report_text(report, REPORT_STEP, "image", "pull %s", reference);
	return transfer(e, what, path, auth, &s, err);
}
