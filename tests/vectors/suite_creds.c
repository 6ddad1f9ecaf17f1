/*
 * The official cases of whole searches for credentials: an environment, files, recorded traffic, and what comes out.
 *
 * Three things differ from the recordings, by design: where they speak plain http to another machine, https is put in
 * its place, and the http is shown to be refused; a credential_process is started without a shell, so that those which
 * need one meet programs named `echo` and `exit` that do what the shell would have done; a refusal is in our words.
 */

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws/creds_source.h"
#include "tests/vectors/replay.h"

#define NOW_MS INT64_C(1200000000000) /* 2008: before the ends of all recorded credentials */

static json_t *variables;

static const char *case_env(const char *name)
{
	return json_str(variables, name);
}

static int64_t now_ms(const struct sys *sys)
{
	(void)sys;
	return NOW_MS;
}

static void sleep_ms(const struct sys *sys, int64_t ms)
{
	(void)sys;
	(void)ms;
}

static void random_bytes(const struct sys *sys, void *p, size_t n)
{
	(void)sys;
	memset(p, 7, n);
}

static const struct sys still_sys = { now_ms, now_ms, sleep_ms, random_bytes, NULL };

/* Replace every occurrence; new string. */
static char *replaced(const char *text, const char *from, const char *to)
{
	auto_str out = { 0 };
	const char *hit;

	for (; (hit = strstr(text, from)); text = hit + strlen(from)) {
		str_add_mem(&out, text, (size_t)(hit - text));
		str_add(&out, to);
	}
	str_add(&out, text);
	return str_detach(&out);
}

/* A case on its way: its files are copied below root, with the paths in them adapted. */
struct scene {
	const char *folder; /* of the vectors */
	char *root;
	struct replay replay;
	bool is_http_kept; /* http://aws.… is left as it is, to see it refused */
};

static char *adapted(const struct scene *scene, const char *text)
{
	auto_free char *token = xasprintf("= %s/token.jwt", scene->root);
	auto_free char *with_token = replaced(text, "= /token.jwt", token);

	return scene->is_http_kept ? take(with_token) : replaced(with_token, "= http://aws.", "= https://aws.");
}

static int copy_file(void *ctx, const char *path, const struct stat *st, struct err *err)
{
	struct scene *scene = ctx;
	auto_free char *from_root = fs_join(scene->folder, "fs"), *text = NULL, *new_text = NULL;
	auto_free char *to = fs_join(scene->root, path);

	if (S_ISDIR(st->st_mode))
		return fs_mkdir_p(to, 0700, err);
	text = vectors_read(from_root, path);
	new_text = adapted(scene, text);
	str_add(&scene->replay.seen, new_text);
	return fs_write_atomic(to, new_text, strlen(new_text), 0600, err);
}

static void write_program(const char *folder, const char *name, const char *text)
{
	auto_free char *path = fs_join(folder, name);
	auto_err err = { 0 };

	if (fs_write_atomic(path, text, strlen(text), 0700, &err) < 0)
		abort();
}

/* What a shell would have made of `echo … | base64 --decode` and `exit 1`. */
static void write_programs(const struct scene *scene)
{
	auto_free char *bin = fs_join(scene->root, "bin");
	auto_free char *path = xasprintf("%s:/usr/local/bin:/usr/bin:/bin", bin);

	if (mkdir(bin, 0700) < 0)
		abort();
	write_program(bin, "echo", "#!/bin/sh\neval \"echo $*\"\n");
	write_program(bin, "exit", "#!/bin/sh\nexit \"$1\"\n");
	setenv("PATH", path, 1);
}

/* Paths lead below root. */
static void load_environment(const struct scene *scene)
{
	static const char *const paths[] = { "HOME", "AWS_WEB_IDENTITY_TOKEN_FILE",
					     "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" };
	auto_free char *path = fs_join(scene->folder, "env.json");
	const char *key;
	json_t *value;
	void *next;

	variables = vectors_json(path);
	if (!json_str(variables, "HOME"))
		json_put_str(variables, "HOME", "");
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const char *old = json_str(variables, paths[i]);
		auto_free char *new = old ? xasprintf("%s%s", scene->root, old) : NULL;

		json_put_str(variables, paths[i], new);
	}
	json_object_foreach_safe(variables, next, key, value)
	{
		auto_free char *https = replay_as_https(json_string_value(value));

		if (!scene->is_http_kept)
			json_put_str(variables, key, https);
	}
}

static void scene_open(struct scene *scene, struct suite *s)
{
	auto_free char *traffic = fs_join(scene->folder, "http-traffic.json"), *files = fs_join(scene->folder, "fs");
	auto_err err = { 0 };

	scene->root = fs_temp_dir("smpipe-vectors", &err);
	replay_init(&scene->replay, s, vectors_json(traffic));
	if (!scene->root || (fs_is_dir(files) && fs_walk(files, copy_file, scene, &err) < 0)) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
	write_programs(scene);
	load_environment(scene);
	{
		auto_free char *text = json_compact(variables);

		str_add(&scene->replay.seen, text);
	}
}

static void scene_close(struct scene *scene)
{
	auto_err err = { 0 };

	fs_remove_tree(scene->root, &err);
	free(scene->root);
	replay_release(&scene->replay);
	json_decref(variables);
	variables = NULL;
}

/* The way in of a suite: the whole chain, or the profile alone. */
typedef int (*find_fn)(struct scene *scene, struct creds *ret, struct err *err);

static int find_in_chain(struct scene *scene, struct creds *ret, struct err *err)
{
	struct creds_provider *p = creds_provider_new(
		&(struct creds_options){ .env = case_env, .sys = &still_sys, .http = &scene->replay.http });
	int result = creds_provider_get(p, NULL, ret, err);

	creds_provider_free(p);
	return result;
}

static struct http *replay_http(void *ctx)
{
	return ctx;
}

static int find_in_profile(struct scene *scene, struct creds *ret, struct err *err)
{
	const struct creds_options options = { .env = case_env, .sys = &still_sys };
	struct creds_context c = { .http = replay_http, .http_ctx = &scene->replay.http };
	int found = creds_context_open(&c, &options, err);

	if (found == 0)
		found = creds_from_profile(&c, ret, err);
	creds_context_release(&c);
	if (found == 0)
		err_set(err, ERR_AUTH, "(nothing in the profile)");
	return found > 0 ? 0 : -1;
}

/* The words of a refusal, by the name of the case. */
static const char *const refusals[][2] = {
	{ "eks_pod_identity_no_token_file", "token.jwt': No such file or directory" },
	{ "imds_default_chain_error", "no AWS credentials were found" },
	{ "imds_disabled", "no AWS credentials were found" },
	{ "imds_no_iam_role", "'Ec2InstanceMetadata': this EC2 instance has no role" },
	{ "imds_token_fail", "'Ec2InstanceMetadata': ask the instance metadata service: 403" },
	{ "profile_overrides_web_identity", "profile 'A' takes its credentials from 'Environment': it has none" },
	{ "sso_no_token_file", ".aws/sso/cache/dace00cba5f8355ec9d274ceb2bcebdfbeed0e12.json'" },
	{ "sso_server_error", "GetRoleCredentials: 503" },
	{ "web_identity_source_profile_no_env", "profile 'B' has 'web_identity_token_file', but no 'role_arn'" },
	{ "web_identity_token_invalid_jwt", "InvalidIdentityToken: No OpenIDConnect provider found in your account" },
	{ "credential_process_failure", "ended with exit code 1" },
	{ "credential_process_invalid", "is no valid JSON" },
	{ "empty_config", "(nothing in the profile)" },
	{ "invalid_config", ".aws/config' line 2: Property did not have a name" },
	{ "invalid_sso_credentials_config", "profile 'default' gives an SSO token, but no credentials" },
	{ "sso_token", "profile 'default' gives an SSO token, but no credentials" },
};

static const char *our_words(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		if (!strcmp(refusals[i][0], name))
			return refusals[i][1];
	return "(no words are known for this case)";
}

static void check_creds(struct suite *s, const json_t *ok, const struct creds *creds)
{
	auto_free char *expiry = creds->expires_ms ? xasprintf("%lld", (long long)(creds->expires_ms / 1000)) : NULL;
	const json_t *wanted = json_object_get(ok, "expiry");
	auto_free char *wanted_expiry = wanted ? xasprintf("%lld", (long long)json_integer_value(wanted)) : NULL;

	suite_equal(s, "access_key_id", json_str(ok, "access_key_id"), creds->access_key_id);
	suite_equal(s, "secret_access_key", json_str(ok, "secret_access_key"), creds->secret_access_key.value);
	suite_equal(s, "session_token", json_str(ok, "session_token"), creds->session_token.value);
	suite_equal(s, "account_id", json_str(ok, "account_id"), creds->account_id);
	suite_equal(s, "expiry", wanted_expiry, expiry);
}

static void run_case(struct suite *s, struct scene *scene, find_fn find)
{
	auto_free char *path = fs_join(scene->folder, "test-case.json");
	auto_json *test = vectors_json(path);
	const json_t *ok = json_at(test, "result", "Ok", NULL);
	const char *words = our_words(fs_basename(scene->folder));
	auto_creds creds = { 0 };
	auto_err err = { 0 };

	scene_open(scene, s);
	if (find(scene, &creds, &err) < 0)
		suite_equal(s, "refusal", ok ? "(none)" : words, strstr(err.msg, words) ? words : err.msg);
	else if (ok)
		check_creds(s, ok, &creds);
	else
		suite_fail(s, "refusal", words, NULL);
	if (scene->replay.n_sent < scene->replay.n)
		suite_fail(s, "requests", json_str(scene->replay.v[scene->replay.n_sent].request, "uri"), NULL);
	scene_close(scene);
}

/* Plain http to another machine, as recorded: nothing may be sent. */
static void check_http_refused(struct suite *s, const char *folder, find_fn find)
{
	struct scene scene = { .folder = folder, .is_http_kept = true };
	auto_creds creds = { 0 };
	auto_err err = { 0 };

	scene_open(&scene, s);
	if (find(&scene, &creds, &err) == 0 || err.code != ERR_CONFIG || scene.replay.n_sent)
		suite_fail(s, "plain http", "refused", err.msg);
	scene_close(&scene);
}

static void run_folder(struct suite *s, const char *root, find_fn find)
{
	auto_strlist names = { 0 };
	DIR *dir = opendir(root);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			strlist_add(&names, entry->d_name);
	if (dir)
		closedir(dir);
	strlist_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		auto_free char *folder = fs_join(root, names.v[i]);
		struct scene scene = { .folder = folder };

		suite_case(s, names.v[i]);
		run_case(s, &scene, find);
		if (strstr(names.v[i], "_override_"))
			check_http_refused(s, folder, find);
	}
}

static void run_chain(struct suite *s, const char *path)
{
	run_folder(s, path, find_in_chain);
}

static void run_profile(struct suite *s, const char *path)
{
	run_folder(s, path, find_in_profile);
}

int main(void)
{
	struct suite suites[] = {
		{ .name = "default credential chain",
		  .path = "credentials/default-credential-provider-chain",
		  .n_expected = 29,
		  .run = run_chain },
		{ .name = "profile provider",
		  .path = "credentials/profile-provider",
		  .n_expected = 18,
		  .run = run_profile },
	};

	return suites_main(suites, ARRAY_LEN(suites));
}
