#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/json.h"
#include "ecr/engine.h"
#include "ecr/engine_container.h"
#include "ecr/registry.h"
#include "tests/unit/fake_http.h"

#define ID "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* A scripted engine of API 1.41. */
static struct engine engine_of(struct fake_http *f)
{
	return (struct engine){ .http = &f->http,
				.socket = "/x.sock",
				.api_version = "1.41",
				.engine_version = "20.10",
				.os_arch = "linux/amd64" };
}

static const struct {
	const char *answer, *api_version;
	enum err_code code;
} versions[] = {
	{ "{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\",\"Version\":\"20.10.24\",\"Os\":\"linux\",\"Arch\":\"amd64\"}",
	  "1.41", ERR_NONE },
	{ "{\"ApiVersion\":\"1.24\"}", "1.24", ERR_NONE },
	{ "{\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.24\"}", "1.43", ERR_NONE },
	{ "{\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.43\"}", "1.43", ERR_NONE },
	{ "{\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.44\"}", NULL, ERR_CONFIG },
	{ "{\"ApiVersion\":\"1.23\"}", NULL, ERR_CONFIG },
	{ "{\"ApiVersion\":\"1.9\"}", NULL, ERR_CONFIG },
	{ "{\"ApiVersion\":\"1.41/../../x\"}", NULL, ERR_INVALID },
	{ "{\"ApiVersion\":\"\"}", NULL, ERR_INVALID },
	{ "{}", NULL, ERR_INVALID },
	{ "[]", NULL, ERR_INVALID },
	{ "hello", NULL, ERR_INVALID },
};

static void test_negotiates(void **state)
{
	auto_err ignored = { 0 };
	auto_free char *folder = fs_temp_dir("smpipe-engine", &ignored), *path = fs_join(folder, "x.sock");
	auto_free char *host = xasprintf("unix://%s", path);

	(void)state;
	assert_int_equal(fs_write_atomic(path, "", 0, 0600, &ignored), 0);
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		const struct fake_answer answer = { 200, versions[i].answer, { NULL } };
		auto_fake_http f = fake_http_of(&answer, 1);
		auto_engine e = { 0 };
		auto_err err = { 0 };

		assert_int_equal(engine_connect(&f.http, host, &e, &err), versions[i].api_version ? 0 : -1);
		assert_int_equal(err.code, versions[i].code);
		assert_string_equal(f.sent[0].url, "http://localhost/version");
		if (versions[i].api_version)
			assert_string_equal(e.api_version, versions[i].api_version);
	}
	assert_int_equal(fs_remove_tree(folder, &ignored), 0);
}

static void test_hosts(void **state)
{
	static const struct {
		const char *host;
		enum err_code code;
		const char *words;
	} hosts[] = {
		{ "tcp://127.0.0.1:2375", ERR_CONFIG, "only unix:// is supported" },
		{ "ssh://me@host", ERR_CONFIG, "only unix:// is supported" },
		{ "/var/run/docker.sock", ERR_CONFIG, "only unix:// is supported" },
		{ "unix://relative.sock", ERR_CONFIG, "absolute path" },
		{ "unix:///smpipe-has-no-such-folder/docker.sock", ERR_NETWORK, "No such file" },
	};
	struct fake_http f = fake_http_of(NULL, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		auto_engine e = { 0 };
		auto_err err = { 0 };

		assert_int_equal(engine_connect(&f.http, hosts[i].host, &e, &err), -1);
		assert_int_equal(err.code, hosts[i].code);
		assert_non_null(strstr(err.msg, hosts[i].words));
	}
}

static void test_calls(void **state)
{
	static const struct {
		struct fake_answer answer;
		enum err_code code;
		const char *message;
	} calls[] = {
		{ { 200, "{\"a\":1}", { NULL } }, ERR_NONE, NULL },
		{ { 404, "{\"message\":\"No such image: \\u001bx\"}", { NULL } },
		  ERR_NOT_FOUND,
		  "inspect image 'a/b:c': GET /images/a/b%3Ac/json: Docker Engine: 404 No such image: ?x" },
		{ { 409, "{\"message\":\"busy\"}", { NULL } },
		  ERR_CONFLICT,
		  "inspect image 'a/b:c': GET /images/a/b%3Ac/json: Docker Engine: 409 busy" },
		{ { 500, "oops\n", { NULL } },
		  ERR_SERVICE,
		  "inspect image 'a/b:c': GET /images/a/b%3Ac/json: Docker Engine: 500 oops" },
		{ { 500, "", { NULL } },
		  ERR_SERVICE,
		  "inspect image 'a/b:c': GET /images/a/b%3Ac/json: Docker Engine: 500 no details" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		auto_fake_http f = fake_http_of(&calls[i].answer, 1);
		struct engine e = engine_of(&f);
		auto_json *answer = NULL;
		auto_err err = { 0 };

		assert_int_equal(engine_inspect_image(&e, "a/b:c", &answer, &err), calls[i].message ? -1 : 0);
		assert_int_equal(err.code, calls[i].code);
		assert_string_equal(f.sent[0].url, "http://localhost/v1.41/images/a/b%3Ac/json");
		if (calls[i].message)
			assert_string_equal(err.msg, calls[i].message);
	}
}

#define INSPECTED                                                                                                      \
	{                                                                                                              \
		200, "{\"Os\":\"linux\",\"Architecture\":\"amd64\"}",                                                  \
		{                                                                                                      \
			NULL                                                                                           \
		}                                                                                                      \
	}

static const struct {
	struct fake_answer answers[2];
	size_t n;
	const char *platform, *message, *hint;
} builds[] = {
	{ { { 200, "{\"stream\":\"Step 1/1 : FROM x\\n\"}{\"aux\":{\"ID\":\"" ID "\"}}", { NULL } }, INSPECTED },
	  2,
	  "linux/amd64",
	  NULL,
	  NULL },
	{ { { 200, "{\"aux\":{\"ID\":\"" ID "\"}}", { NULL } } }, 1, NULL, NULL, NULL },
	{ { { 200, "{\"aux\":{\"ID\":\"" ID "\"}}", { NULL } }, INSPECTED },
	  2,
	  "linux/arm64",
	  "build 'Dockerfile': the image is for linux/amd64, not for linux/arm64",
	  "pull the base images for that platform first (docker pull --platform linux/arm64 IMAGE)" },
	{ { { 200,
	      "{\"stream\":\"Step 3/5 : RUN make\\n\"}{\"stream\":\"cc\\nno rule\\n\"}{\"errorDetail\":{\"message\":\"returned 2\"}}",
	      { NULL } } },
	  1,
	  NULL,
	  "build 'Dockerfile': step 3/5 'RUN make': returned 2",
	  "the last lines of the output were:\nStep 3/5 : RUN make\ncc\nno rule" },
	/* An id does not make up for an error; silence is none either. */
	{ { { 200, "{\"aux\":{\"ID\":\"" ID "\"}}{\"error\":\"late\"}", { NULL } } },
	  1,
	  NULL,
	  "build 'Dockerfile': late",
	  NULL },
	{ { { 200, "{\"stream\":\"ok\\n\"}", { NULL } } },
	  1,
	  NULL,
	  "build 'Dockerfile': the engine named no image at the end",
	  "the last lines of the output were:\nok" },
	{ { { 200, "", { NULL } } }, 1, NULL, "build 'Dockerfile': the engine named no image at the end", NULL },
	{ { { 400, "{\"message\":\"dockerfile parse error line 2: unknown instruction: RUM\"}", { NULL } } },
	  1,
	  NULL,
	  "build 'Dockerfile': Docker Engine: 400 dockerfile parse error line 2: unknown instruction: RUM",
	  NULL },
};

static int build(struct fake_http *f, const char *platform, char **ret_id, struct err *err)
{
	struct engine e = engine_of(f);
	auto_filelist context = { 0 };
	auto_json *labels = json_pack("{s:s}", "a", "1 & 2");
	struct engine_build b = { &context, "Dockerfile", "final", NULL, labels, platform, "host", "r/n:t" };
	struct file_entry *file = filelist_add(&context, "Dockerfile", FILE_MODE_PLAIN);

	file->bytes = xstrdup("FROM x");
	file->size = 6;
	return engine_build(&e, &b, NULL, ret_id, err);
}

static void test_builds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(builds); i++) {
		auto_fake_http f = fake_http_of(builds[i].answers, builds[i].n);
		auto_free char *id = NULL;
		auto_err err = { 0 };

		if (build(&f, builds[i].platform, &id, &err) == 0) {
			assert_null(builds[i].message);
			assert_string_equal(id, ID);
			continue;
		}
		assert_int_equal(err.code, ERR_FAILED);
		assert_string_equal(err.msg, builds[i].message);
		if (builds[i].hint)
			assert_string_equal(err.hint, builds[i].hint);
		else
			assert_null(err.hint);
	}
}

static void test_build_request(void **state)
{
	auto_fake_http f = fake_http_of(builds[2].answers, 2);
	auto_free char *id = NULL;
	auto_err err = { 0 };

	(void)state;
	build(&f, "linux/arm64", &id, &err);
	assert_string_equal(
		f.sent[0].url,
		"http://localhost/v1.41/build?version=1&rm=1&forcerm=1&pull=0&dockerfile=Dockerfile&t=r%2Fn%3At"
		"&target=final&labels=%7B%22a%22%3A%221%20%26%202%22%7D&networkmode=host&platform=linux%2Farm64");
	assert_string_equal(http_headers_get(&f.sent[0].headers, "Content-Type"), "application/x-tar");
	assert_memory_equal(f.sent[0].body, "Dockerfile", 11);
}

#define DIGEST "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define PUSHED "{\"aux\":{\"Tag\":\"t\",\"Digest\":\"" DIGEST "\",\"Size\":1}}"

static void test_pushes(void **state)
{
	static const struct {
		struct fake_answer answer;
		enum err_code code;
	} pushes[] = {
		{ { 200, "{\"status\":\"The push refers to\"}" PUSHED, { NULL } }, ERR_NONE },
		{ { 200, "{\"status\":\"done\"}", { NULL } }, ERR_SERVICE },
		{ { 200, PUSHED "{\"error\":\"late\"}", { NULL } }, ERR_SERVICE },
		{ { 200,
		    "{\"errorDetail\":{\"message\":\"denied: Your authorization token has expired.\"}}",
		    { NULL } },
		  ERR_AUTH },
		{ { 200, "{\"errorDetail\":{\"message\":\"no basic auth credentials\"}}", { NULL } }, ERR_AUTH },
		{ { 200,
		    "{\"errorDetail\":{\"message\":\"name unknown: The repository with name 'x' does not exist\"}}",
		    { NULL } },
		  ERR_NOT_FOUND },
		{ { 200,
		    "{\"errorDetail\":{\"message\":\"tag invalid: The image tag 't' already exists in the 'x' repository and cannot be "
		    "overwritten because the tag is immutable.\"}}",
		    { NULL } },
		  ERR_CONFLICT },
		{ { 404, "{\"message\":\"An image does not exist locally\"}", { NULL } }, ERR_NOT_FOUND },
		{ { 0, NULL, { NULL } }, ERR_NETWORK },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pushes); i++) {
		auto_fake_http f = fake_http_of(&pushes[i].answer, 1);
		struct engine e = engine_of(&f);
		auto_registry_auth auth = { .host = xstrdup("h.x:1"), .user = xstrdup("AWS") };
		auto_free char *digest = NULL, *header = NULL;
		auto_err err = { 0 };

		secret_set(&auth.password, "s3cret");
		header = registry_auth_header(&auth);
		assert_int_equal(engine_push(&e, "h.x:1/a/b", "t", &auth, NULL, &digest, &err),
				 pushes[i].code ? -1 : 0);
		assert_int_equal(err.code, pushes[i].code);
		assert_string_equal(f.sent[0].url, "http://localhost/v1.41/images/h.x%3A1/a/b/push?tag=t");
		assert_string_equal(http_headers_get(&f.sent[0].headers, "X-Registry-Auth"), header);
		if (!pushes[i].code)
			assert_string_equal(digest, DIGEST);
	}
}

/* A password goes to the host it is for, and nothing is even asked otherwise. */
static void test_password_and_host(void **state)
{
	static const char *const repositories[] = { "h.y/a", "a/b", "h.x.evil.com/h.x", "h.x:2/a", "evil.com/h.x/a" };
	struct fake_http f = fake_http_of(NULL, 0);
	struct engine e = engine_of(&f);
	auto_registry_auth auth = { .host = xstrdup("h.x"), .user = xstrdup("AWS") };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(repositories); i++) {
		auto_err err = { 0 };
		char *digest = NULL;

		assert_int_equal(engine_push(&e, repositories[i], "t", &auth, NULL, &digest, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
		assert_int_equal(engine_pull(&e, repositories[i], &auth, NULL, &err), -1);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void test_pulls(void **state)
{
	static const struct {
		const char *reference, *url;
	} pulls[] = {
		{ "a", "http://localhost/v1.41/images/create?fromImage=a&tag=latest" },
		{ "h.x:1/a/b:t", "http://localhost/v1.41/images/create?fromImage=h.x%3A1%2Fa%2Fb&tag=t" },
		{ "h.x/a:t@" DIGEST,
		  "http://localhost/v1.41/images/create?fromImage=h.x%2Fa&tag=sha256%3Abbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
		  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pulls); i++) {
		const struct fake_answer answer = { 200, "{\"status\":\"Status: Image is up to date\"}", { NULL } };
		auto_fake_http f = fake_http_of(&answer, 1);
		struct engine e = engine_of(&f);
		auto_err err = { 0 };

		assert_int_equal(engine_pull(&e, pulls[i].reference, NULL, NULL, &err), 0);
		assert_string_equal(f.sent[0].url, pulls[i].url);
		assert_string_equal(http_headers_get(&f.sent[0].headers, "X-Registry-Auth"), "e30=");
	}
}

static void test_waits(void **state)
{
	static const struct {
		const char *answer;
		int result, exit_code;
		const char *complaint;
	} waits[] = {
		{ "{\"StatusCode\":0}", 0, 0, NULL },
		{ "{\"StatusCode\":137,\"Error\":null}", 0, 137, NULL },
		{ "{\"StatusCode\":127,\"Error\":{\"Message\":\"no such file\"}}", 0, 127, "no such file" },
		{ "{\"StatusCode\":\"0\"}", -1, 0, NULL },
		{ "", -1, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		const struct fake_answer answer = { 200, waits[i].answer, { NULL } };
		auto_fake_http f = fake_http_of(&answer, 1);
		struct engine e = engine_of(&f);
		auto_free char *complaint = NULL;
		auto_err err = { 0 };
		int exit_code = -1;

		assert_int_equal(container_wait(&e, "abc", &exit_code, &complaint, &err), waits[i].result);
		assert_int_equal(exit_code, waits[i].result ? -1 : waits[i].exit_code);
		if (waits[i].complaint)
			assert_string_equal(complaint, waits[i].complaint);
		else
			assert_null(complaint);
	}
}

/* What is so already, or is gone already, is fine. */
static void test_again(void **state)
{
	static const struct fake_answer answers[] = {
		{ 304, "", { NULL } },
		{ 304, "", { NULL } },
		{ 404, "{\"message\":\"gone\"}", { NULL } },
		{ 409, "{}", { NULL } },
		{ 404, "{\"message\":\"gone\"}", { NULL } },
	};
	auto_fake_http f = fake_http_of(answers, ARRAY_LEN(answers));
	struct engine e = engine_of(&f);
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(container_start(&e, "abc", &err), 0);
	assert_int_equal(container_stop(&e, "abc", 5, &err), 0);
	assert_int_equal(container_remove(&e, "abc", &err), 0);
	assert_int_equal(container_remove(&e, "a/b", &err), 0);
	assert_int_equal(engine_untag(&e, "a:b", &err), 0);
	assert_string_equal(f.sent[1].url, "http://localhost/v1.41/containers/abc/stop?t=5");
	assert_string_equal(f.sent[3].url, "http://localhost/v1.41/containers/a%2Fb?force=1&v=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_negotiates),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_builds),
		cmocka_unit_test(test_build_request),
		cmocka_unit_test(test_pushes),
		cmocka_unit_test(test_password_and_host),
		cmocka_unit_test(test_pulls),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests_name("ecr/engine", tests, NULL, NULL);
}
