#include "pipeline/session.h"

#include <stdlib.h>
#include <string.h>

#include "aws/endpoint.h"
#include "base/json.h"
#include "base/mem.h"
#include "ecr/engine.h"
#include "ecr/repository.h"
#include "pipeline/lockfile.h"

const char *session_options(const struct session *session)
{
	return session->options ? session->options : "";
}

void clients_init(struct clients *c, const struct session *session)
{
	c->owned = session->http ? NULL : http_curl_new();
	c->http = c->owned ? c->owned : session->http;
	c->aws = (struct aws){ &session->identity, c->http };
}

void clients_release(struct clients *c)
{
	http_free(c->owned);
	c->http = c->owned = NULL;
}

/* The digest of an image that the engine has: the registry's if it came from one, else the image's own id. */
static char *digest_of_image(const json_t *image)
{
	const char *from_registry = json_string_value(json_array_get(json_object_get(image, "RepoDigests"), 0));
	const char *at = from_registry ? strchr(from_registry, '@') : NULL;

	return xstrdup_or_null(at ? at + 1 : json_str(image, "Id"));
}

static int ask_registry(struct engine *engine, const char *name, char **ret, struct err *err)
{
	auto_free char *escaped = str_uri_encode(name, true);
	auto_free char *path = xasprintf("/distribution/%s/json", escaped);
	auto_json *answer = NULL;
	const char *digest;

	if (engine_call(engine, "GET", path, NULL, &answer, err) < 0)
		return err_wrap(err, "find base image '%s'", name);
	digest = json_need_str(json_object_get(answer, "Descriptor"), "digest", "the engine's answer", err);
	*ret = xstrdup_or_null(digest);
	return digest ? 0 : -1;
}

static int resolve_base(struct engine *engine, const char *name, char **ret, struct err *err)
{
	auto_free char *digest = NULL;
	auto_json *image = NULL;
	auto_err why = { 0 };
	struct digest ignored;

	if (engine_inspect_image(engine, name, &image, &why) == 0) {
		digest = digest_of_image(image);
	} else if (why.code != ERR_NOT_FOUND) {
		err_move(err, &why);
		return -1;
	} else if (ask_registry(engine, name, &digest, err) < 0) {
		return -1;
	}
	if (!digest || digest_parse(digest, &ignored) < 0)
		return err_set(err, ERR_INVALID, "the engine's answer for image '%s' has no digest", name);
	*ret = take(digest);
	return 0;
}

/* What needs no asking: the lock's digest, or the one in the Dockerfile itself. New string or NULL. */
static char *known_digest(const json_t *locked, const char *name)
{
	const char *digest = json_str(locked, name), *pinned = strstr(name, "@sha256:");

	return xstrdup_or_null(digest ? digest : pinned ? pinned + 1 : NULL);
}

int session_resolve_bases(const struct session *session, const struct project *p, json_t **ret, struct err *err)
{
	auto_json *bases = json_object();
	auto_json *locked = NULL;
	auto_engine engine = { 0 };
	auto_clients c = { 0 };

	if (lockfile_read(p->config.root, &locked, err) < 0)
		return -1;
	for (size_t i = 0; i < p->bases.n; i++) {
		const char *name = p->bases.v[i];
		auto_free char *digest = known_digest(locked, name);

		if (!digest && !c.http) {
			clients_init(&c, session);
			if (engine_connect(c.http, session->docker_host, &engine, err) < 0)
				return -1;
		}
		if (!digest && resolve_base(&engine, name, &digest, err) < 0)
			return -1;
		json_put_str(bases, name, digest);
	}
	*ret = take(bases);
	return 0;
}

int session_registry_host(const struct session *session, char **ret, struct err *err)
{
	auto_registry_auth auth = { 0 };
	auto_clients c = { 0 };

	if (!session->identity.endpoints[AWS_ECR].is_override) {
		*ret = endpoint_registry_host(session->identity.account, session->identity.region);
		return 0;
	}
	clients_init(&c, session);
	if (ecr_get_authorization(&c.aws, &auth, err) < 0)
		return -1;
	*ret = xstrdup(auth.host);
	return 0;
}
