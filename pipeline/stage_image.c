#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "ecr/engine.h"
#include "ecr/reference.h"
#include "ecr/repository.h"
#include "pipeline/stages.h"

struct image_stage {
	const struct session *s;
	const struct project *p;
	const struct plan *plan;
	const json_t *bases;
	struct clients c;
	struct registry_auth auth;
};

static void release(struct image_stage *st)
{
	registry_auth_release(&st->auth);
	clients_release(&st->c);
}

static int adopt(const struct image_stage *st, const struct registry_image *image, struct image_result *ret,
		 struct err *err)
{
	const char *build_key = registry_image_label(image, LABEL_BUILD);

	if (!str_eq(build_key, st->plan->build_key)) {
		err_set(err, ERR_CONFLICT, "tag '%s' of repository '%s' holds another image (%s)", st->plan->image_tag,
			st->plan->repository, build_key ? "of another build key" : "that smpipe did not build");
		return err_hint(err, "delete that tag from the repository, or name another image.repository");
	}
	ret->digest = xstrdup(image->digest);
	ret->uri = reference_format(st->auth.host, st->plan->repository, NULL, image->digest);
	ret->first_commit = xstrdup_or_null(registry_image_label(image, LABEL_REVISION));
	return 0;
}

/* 1 = the tag is there (and adopted), 0 = it is not. */
static int find_image(struct image_stage *st, struct image_result *ret, struct err *err)
{
	auto_registry_image image = { 0 };
	auto_err why = { 0 };
	int has_repository = ecr_has_repository(&st->c.aws, st->plan->repository, err);

	if (has_repository <= 0)
		return has_repository;
	if (registry_get_image(st->c.http, &st->auth, st->plan->repository, st->plan->image_tag, &image, &why) < 0) {
		if (why.code == ERR_NOT_FOUND)
			return 0;
		err_move(err, &why);
		return -1;
	}
	return adopt(st, &image, ret, err) < 0 ? -1 : 1;
}

static json_t *image_labels(const struct image_stage *st)
{
	json_t *labels = json_object();

	json_put_str(labels, LABEL_BUILD, st->plan->build_key);
	json_put_str(labels, LABEL_REVISION, st->p->state.commit);
	json_put_str(labels, LABEL_SOURCE, st->p->state.remote);
	json_put_str(labels, "smpipe.dirty", st->p->dirty.n ? "true" : "false");
	return labels;
}

/* The bases must be the images that the build key was made from: a tag may have moved since smpipe.lock was written. */
static int check_bases(struct image_stage *st, struct engine *engine, struct err *err)
{
	const char *name;
	json_t *digest;

	json_object_foreach((json_t *)st->bases, name, digest) {
		const char *want = json_string_value(digest);
		auto_json *image = NULL;
		auto_free char *text = NULL;

		if (engine_inspect_image(engine, name, &image, err) < 0 &&
		    (err->code != ERR_NOT_FOUND || engine_pull(engine, name, NULL, st->s->report, err) < 0 ||
		     engine_inspect_image(engine, name, &image, err) < 0))
			return err_wrap(err, "base image '%s'", name);
		err_release(err);
		text = json_compact(image);
		if (!strstr(text, want)) {
			err_set(err, ERR_CONFLICT, "base image '%s' is not the one of smpipe.lock (%s)", name, want);
			return err_hint(
				err,
				"the tag has moved: pull the old image, or take the new one by deleting its line from smpipe.lock");
		}
	}
	return 0;
}

static int build(struct image_stage *st, struct engine *engine, const char *name, struct err *err)
{
	auto_json *labels = image_labels(st);
	auto_free char *tagged = xasprintf("%s:%s", name, st->plan->image_tag);
	auto_free char *id = NULL;
	const struct config *c = &st->p->config;
	struct engine_build spec = {
		.context = &st->p->context,
		.dockerfile = st->p->dockerfile,
		.target = config_str(c, "image.target"),
		.build_args = config_value(c, "image.build_args"),
		.labels = labels,
		.platform = config_str(c, "image.platform"),
		.network = config_str(c, "image.network"),
		.tag = tagged,
	};

	if (check_bases(st, engine, err) < 0)
		return -1;
	return engine_build(engine, &spec, st->s->report, &id, err);
}

/* Another release of the same build key was quicker: its image is as good, and the tag does not move. */
static int adopt_instead(struct image_stage *st, struct image_result *ret, struct err *err)
{
	auto_err why = { 0 };

	if (find_image(st, ret, &why) <= 0)
		return -1;
	err_release(err);
	ret->stage.existed = true;
	return 0;
}

static int push(struct image_stage *st, struct engine *engine, const char *name, struct image_result *ret,
		struct err *err)
{
	auto_registry_image image = { 0 };
	auto_free char *digest = NULL;

	if (engine_push(engine, name, st->plan->image_tag, &st->auth, st->s->report, &digest, err) < 0)
		return adopt_instead(st, ret, err) == 0 ? 0 : err_wrap(err, "push '%s:%s'", name, st->plan->image_tag);
	/* What the registry has is what counts, not what the engine says that it sent. */
	if (registry_get_image(st->c.http, &st->auth, st->plan->repository, st->plan->image_tag, &image, err) < 0)
		return err_wrap(err, "read back '%s:%s'", name, st->plan->image_tag);
	if (adopt(st, &image, ret, err) < 0)
		return -1;
	if (!str_eq(digest, ret->digest)) {
		ret->stage.existed = true;
		return 0;
	}
	ret->stage.bytes_sent = image.bytes;
	free(take(ret->first_commit));
	return 0;
}

static int build_and_push(struct image_stage *st, struct image_result *ret, struct err *err)
{
	auto_engine engine = { 0 };
	auto_free char *name = xasprintf("%s/%s", st->auth.host, st->plan->repository);
	int created;

	if (engine_connect(st->c.http, st->s->docker_host, &engine, err) < 0)
		return -1;
	if (build(st, &engine, name, err) < 0 ||
	    ecr_ensure_repository(&st->c.aws, st->plan->repository, &created, err) < 0)
		return -1;
	return push(st, &engine, name, ret, err);
}

static int run_stage(struct image_stage *st, struct image_result *ret, struct err *err)
{
	int found;

	if (ecr_get_authorization(&st->c.aws, &st->auth, err) < 0)
		return -1;
	found = find_image(st, ret, err);
	if (found < 0)
		return -1;
	ret->stage.existed = found;
	return found ? 0 : build_and_push(st, ret, err);
}

int stage_image(const struct session *s, const struct project *p, const struct plan *plan, const json_t *bases,
		struct image_result *ret, struct err *err)
{
	struct image_stage __attribute__((cleanup(release))) st = { .s = s, .p = p, .plan = plan, .bases = bases };
	struct image_result result = { 0 };
	int64_t start_ms = s->sys->ticks_ms(s->sys);

	if (plan->image_uri) {
		ret->uri = xstrdup(plan->image_uri);
		ret->digest = xstrdup(strchr(plan->image_uri, '@') + 1);
		ret->stage.existed = true;
		return 0;
	}
	if (!plan->build_key) {
		ret->stage.existed = true;
		return 0;
	}
	clients_init(&st.c, s);
	if (run_stage(&st, &result, err) < 0) {
		image_result_release(&result);
		return -1;
	}
	*ret = result;
	ret->stage.took_ms = s->sys->ticks_ms(s->sys) - start_ms;
	report_text(s->report, REPORT_DONE, "image", "%s %s@%.19s%s%.12s",
		    ret->stage.existed ? "exists" : "built and pushed", plan->repository, ret->digest,
		    ret->first_commit ? ", built from commit " : "", ret->first_commit ? ret->first_commit : "");
	return 0;
}

void image_result_release(struct image_result *r)
{
	free(r->uri);
	free(r->digest);
	free(r->first_commit);
	*r = (struct image_result){ 0 };
}
