#ifndef SMPIPE_TESTS_UNIT_CREDS_SCENE_H
#define SMPIPE_TESTS_UNIT_CREDS_SCENE_H

/* A machine to look for credentials on: a home of its own, variables, a scripted HTTP client, a clock that can be
 * moved. */

#include <jansson.h>

#include "aws/creds_source.h"
#include "base/fs.h"
#include "base/json.h"
#include "tests/unit/fake_http.h"

struct creds_scene {
	char *home;
	struct fake_http http;
	struct sys sys;
	struct creds_options options;
	struct creds_context c;
};

/* The variables of the scene that is on; what is not set there is unset. */
static json_t *scene_variables;
static int64_t scene_now_ms, scene_tick_ms;

static inline const char *scene_env(const char *name)
{
	return json_str(scene_variables, name);
}

static inline int64_t scene_clock_ms(const struct sys *sys)
{
	(void)sys;
	return scene_now_ms += scene_tick_ms;
}

static inline void scene_sleep_ms(const struct sys *sys, int64_t ms)
{
	(void)sys;
	scene_now_ms += ms;
}

static inline struct http *scene_http(void *ctx)
{
	return ctx;
}

static inline void scene_set(const char *name, const char *value)
{
	json_object_set_new(scene_variables, name, json_string(value));
}

static inline void scene_write(const struct creds_scene *s, const char *name, const char *text)
{
	auto_free char *path = fs_join(s->home, name);
	auto_free char *folder = fs_dirname(path);
	auto_err err = { 0 };

	if (fs_mkdir_p(folder, 0700, &err) < 0 || fs_write_atomic(path, text, strlen(text), 0600, &err) < 0)
		abort();
}

/* config: the text of ~/.aws/config, or NULL. */
static inline void scene_open(struct creds_scene *s, const char *config, const struct fake_answer *answers, size_t n)
{
	auto_err err = { 0 };

	s->home = fs_temp_dir("smpipe-test", &err);
	if (!s->home)
		abort();
	scene_variables = json_object();
	scene_now_ms = FAKE_NOW_MS;
	scene_tick_ms = 0;
	scene_set("HOME", s->home);
	scene_write(s, ".aws/config", config ? config : "");
	s->http = fake_http_of(answers, n);
	s->sys = (struct sys){ scene_clock_ms, scene_clock_ms, scene_sleep_ms, fake_random, NULL };
	s->options = (struct creds_options){
		.region = "eu-west-1", .env = scene_env, .sys = &s->sys, .http = &s->http.http
	};
	s->c = (struct creds_context){ .http = scene_http, .http_ctx = &s->http.http };
	if (creds_context_open(&s->c, &s->options, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
}

static inline void scene_close(struct creds_scene *s)
{
	auto_err err = { 0 };

	creds_context_release(&s->c);
	fake_http_release(&s->http);
	fs_remove_tree(s->home, &err);
	free(s->home);
	json_decref(scene_variables);
	scene_variables = NULL;
}
#define auto_scene __attribute__((cleanup(scene_close))) struct creds_scene

#define SCENE_OPEN(s, config, answers) scene_open(s, config, answers, ARRAY_LEN(answers))

#endif
