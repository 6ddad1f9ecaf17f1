#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/json.h"
#include "ecr/registry.h"
#include "ecr/repository.h"
#include "tests/unit/fake_http.h"

#define DOCKER      "application/vnd.docker.distribution.manifest.v2+json"
#define CONFIG      "{\"architecture\":\"amd64\",\"config\":{\"Labels\":{\"a\":\"1\"}}}"
#define CONFIG_TYPE "application/vnd.docker.container.image.v1+json"
#define HOST        "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
#define BASIC       "Basic QVdTOnMzY3JldA==" /* AWS:s3cret */

static char *manifest_of(const char *config_text, const char *config_type)
{
	struct digest d = digest_of_text(config_text);
	auto_free char *digest = digest_oci(&d);

	return xasprintf("{\"schemaVersion\":2,\"mediaType\":\"" DOCKER
			 "\",\"config\":{\"mediaType\":\"%s\",\"digest\":\"%s\"},"
			 "\"layers\":[{\"size\":5},{\"size\":6}]}",
			 config_type, digest);
}

static char *digest_text(const char *s)
{
	struct digest d = digest_of_text(s);

	return digest_oci(&d);
}

static void init_auth(struct registry_auth *a, const char *host)
{
	a->host = xstrdup(host);
	a->user = xstrdup("AWS");
	secret_set(&a->password, "s3cret");
}

static int get_image(struct fake_http *f, const char *host, const char *ref, struct registry_image *ret,
		     struct err *err)
{
	auto_registry_auth auth = { 0 };

	init_auth(&auth, host);
	return registry_get_image(&f->http, &auth, "team/iris", ref, ret, err);
}

static void test_image(void **state)
{
	auto_free char *manifest = manifest_of(CONFIG, CONFIG_TYPE), *digest = digest_text(manifest),
		       *blob = digest_text(CONFIG);
	auto_free char *blob_url = xasprintf("https://" HOST "/v2/team/iris/blobs/%s", blob);
	const struct fake_answer answers[] = { { 200, manifest, { "Content-Type: " DOCKER } },
					       { 200, CONFIG, { NULL } } };
	auto_fake_http f = fake_http_of(answers, 2);
	auto_registry_image image = { 0 };
	auto_err err = { 0 };

	(void)state;
	if (get_image(&f, HOST, "c-0123", &image, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(image.digest, digest);
	assert_string_equal(image.media_type, DOCKER);
	assert_int_equal(image.bytes, 11);
	assert_string_equal(registry_image_label(&image, "a"), "1");
	assert_null(registry_image_label(&image, "b"));
	assert_string_equal(f.sent[0].url, "https://" HOST "/v2/team/iris/manifests/c-0123");
	assert_string_equal(http_headers_get(&f.sent[0].headers, "Authorization"), BASIC);
	assert_non_null(
		strstr(http_headers_get(&f.sent[0].headers, "Accept"), "application/vnd.oci.image.index.v1+json"));
	assert_string_equal(f.sent[1].url, blob_url);
}

/* Plain HTTP is for this machine only. */
static void test_scheme(void **state)
{
	static const struct {
		const char *host, *url;
	} hosts[] = {
		{ "127.0.0.1:5000", "http://127.0.0.1:5000/v2/team/iris/manifests/x" },
		{ "localhost:5000", "http://localhost:5000/v2/team/iris/manifests/x" },
		{ "[::1]:5000", "http://[::1]:5000/v2/team/iris/manifests/x" },
		{ "127.0.0.1.evil.com", "https://127.0.0.1.evil.com/v2/team/iris/manifests/x" },
		{ "10.0.0.1:5000", "https://10.0.0.1:5000/v2/team/iris/manifests/x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		const struct fake_answer answers[] = { { 404, "", { NULL } } };
		auto_fake_http f = fake_http_of(answers, 1);
		auto_registry_image image = { 0 };
		auto_err err = { 0 };

		assert_int_equal(get_image(&f, hosts[i].host, "x", &image, &err), -1);
		assert_int_equal(err.code, ERR_NOT_FOUND);
		assert_string_equal(f.sent[0].url, hosts[i].url);
	}
}

/* ECR sends to S3 for the bytes; S3 must not see the password. */
static void test_redirect_without_credentials(void **state)
{
	auto_free char *manifest = manifest_of(CONFIG, CONFIG_TYPE);
	const struct fake_answer answers[] = {
		{ 200, manifest, { NULL } },
		{ 307, "", { "Location: https://bucket.s3.example/blob?X-Amz-Signature=1" } },
		{ 200, CONFIG, { NULL } },
	};
	auto_fake_http f = fake_http_of(answers, 3);
	auto_registry_image image = { 0 };
	auto_err err = { 0 };

	(void)state;
	if (get_image(&f, HOST, "x", &image, &err) < 0)
		fail_msg("%s", err.msg);
	assert_non_null(http_headers_get(&f.sent[1].headers, "Authorization"));
	assert_string_equal(f.sent[2].url, "https://bucket.s3.example/blob?X-Amz-Signature=1");
	assert_null(http_headers_get(&f.sent[2].headers, "Authorization"));
	assert_string_equal(registry_image_label(&image, "a"), "1");
}

static void test_bad_redirects(void **state)
{
	static const struct {
		const char *location;
		int n_sent;
	} cases[] = {
		{ "Location: http://bucket.example/x", 2 },
		{ "Location: http://127.0.0.1/x", 2 },
		{ "Location: https://localhost/x", 2 },
		{ "Location: file:///etc/passwd", 2 },
		{ "Location: //evil.example/x", 2 },
		{ NULL, 2 },
		/* Once is enough. */
		{ "Location: https://bucket.example/x", 3 },
		{ "Location: /elsewhere", 3 },
	};
	auto_free char *manifest = manifest_of(CONFIG, CONFIG_TYPE);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct fake_answer answers[] = {
			{ 200, manifest, { NULL } },
			{ 302, "", { cases[i].location } },
			{ 302, "", { "Location: https://bucket.example/y" } },
		};
		auto_fake_http f = fake_http_of(answers, 3);
		auto_registry_image image = { 0 };
		auto_err err = { 0 };

		assert_int_equal(get_image(&f, HOST, "x", &image, &err), -1);
		assert_int_equal(f.n_sent, cases[i].n_sent);
		assert_null(image.digest);
	}
}

static const struct refusal {
	const char *ref;
	struct fake_answer answer;
	enum err_code code;
	const char *words;
} refusals[] = {
	{ "x",
	  { 401, "", { "WWW-Authenticate: Bearer realm=\"https://a.example/token\"" } },
	  ERR_AUTH,
	  "bearer token" },
	{ "x",
	  { 401,
	    "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"no\"}]}",
	    { "WWW-Authenticate: Basic realm=\"x\"" } },
	  ERR_AUTH,
	  "401 UNAUTHORIZED: no" },
	{ "x", { 403, "oops", { NULL } }, ERR_AUTH, "403" },
	{ "x",
	  { 404, "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"Requested image not found\"}]}", { NULL } },
	  ERR_NOT_FOUND,
	  "404 MANIFEST_UNKNOWN: Requested image not found" },
	{ "x", { 500, "{\"errors\":[]}", { NULL } }, ERR_SERVICE, "500" },
	{ "x", { 307, "", { "Location: https://b.example/" } }, ERR_SERVICE, "307" },
	{ "x", { 200, "no json", { NULL } }, ERR_INVALID, "JSON" },
	{ "x", { 200, "{}", { NULL } }, ERR_INVALID, "no type" },
	{ "x",
	  { 200, "{}", { "Docker-Content-Digest: sha256:00" } },
	  ERR_INVALID,
	  "the registry says digest 'sha256:00'" },
	{ "sha256:0000000000000000000000000000000000000000000000000000000000000000",
	  { 200, "{}", { NULL } },
	  ERR_INVALID,
	  "the manifest has the digest 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'" },
	{ "x",
	  { 200, "{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}", { NULL } },
	  ERR_INVALID,
	  "SageMaker needs a single image" },
	{ "x",
	  { 200, "{\"manifests\":[]}", { "Content-Type: application/vnd.docker.distribution.manifest.list.v2+json" } },
	  ERR_INVALID,
	  "SageMaker needs a single image" },
	/* Both at once: what one tool takes for an image is an index for the next. */
	{ "x",
	  { 200, "{\"manifests\":[],\"config\":{},\"layers\":[]}", { "Content-Type: " DOCKER } },
	  ERR_INVALID,
	  "single image" },
	{ "x",
	  { 200, "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\"}", { "Content-Type: " DOCKER } },
	  ERR_INVALID,
	  "differ" },
	{ "x",
	  { 200,
	    "{\"mediaType\":\"" DOCKER "\",\"config\":{\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\"}}",
	    { NULL } },
	  ERR_INVALID,
	  "no container image" },
	{ "x",
	  { 200,
	    "{\"mediaType\":\"" DOCKER "\",\"config\":{\"mediaType\":\"" CONFIG_TYPE "\"},\"layers\":[{\"size\":-1}]}",
	    { NULL } },
	  ERR_INVALID,
	  "impossible size" },
	{ "x",
	  { 200,
	    "{\"mediaType\":\"" DOCKER "\",\"config\":{\"mediaType\":\"" CONFIG_TYPE "\",\"digest\":\"../../x\"}}",
	    { NULL } },
	  ERR_INVALID,
	  "no valid digest" },
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		auto_fake_http f = fake_http_of(&refusals[i].answer, 1);
		auto_registry_image image = { 0 };
		auto_err err = { 0 };

		assert_int_equal(get_image(&f, HOST, refusals[i].ref, &image, &err), -1);
		if (err.code != refusals[i].code || !strstr(err.msg, refusals[i].words))
			fail_msg("%zu: %d %s", i, err.code, err.msg);
		assert_null(strstr(err.msg, "s3cret"));
	}
}

static void test_wrong_config(void **state)
{
	auto_free char *manifest = manifest_of(CONFIG, CONFIG_TYPE);
	const struct fake_answer answers[] = { { 200, manifest, { NULL } }, { 200, "{\"config\":{}}", { NULL } } };
	auto_fake_http f = fake_http_of(answers, 2);
	auto_registry_image image = { 0 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(get_image(&f, HOST, "x", &image, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
}

/* Nothing that means something in a URL gets into one. */
static void test_names(void **state)
{
	static const char *const refs[] = { "", "a/b", "a?b", "a#b", "..", "a b", "sha256:../x", "sha256:00", "a%2e" };
	struct fake_http f = fake_http_of(NULL, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
		auto_registry_image image = { 0 };
		auto_err err = { 0 };

		assert_int_equal(get_image(&f, HOST, refs[i], &image, &err), -1);
		assert_int_equal(err.code, ERR_CONFIG);
	}
}

static void test_auth_header(void **state)
{
	auto_registry_auth auth = { 0 };
	auto_free char *header = NULL, *text = NULL;
	auto_json *j = NULL;
	size_t n;

	(void)state;
	init_auth(&auth, HOST);
	secret_set(&auth.password, "a\"b\\c?>");
	header = registry_auth_header(&auth);
	assert_null(strpbrk(header, "+/"));
	text = str_unbase64(header, &n);
	j = json_loads(text, 0, NULL);
	assert_string_equal(json_str(j, "username"), "AWS");
	assert_string_equal(json_str(j, "password"), "a\"b\\c?>");
	assert_string_equal(json_str(j, "serveraddress"), HOST);
}

#define TOKEN "\"authorizationToken\":\"QVdTOnMzY3JldA==\""

static const struct {
	const char *answer;
	const char *endpoint; /* of ECR, or NULL for AWS's */
	const char *host;     /* NULL: refused */
} authorizations[] = {
	{ "{\"authorizationData\":[{" TOKEN ",\"proxyEndpoint\":\"https://" HOST "\"}]}", NULL, HOST },
	{ "{\"authorizationData\":[{" TOKEN ",\"proxyEndpoint\":\"http://127.0.0.1:7000\"}]}", "http://127.0.0.1:7000",
	  "127.0.0.1:7000" },
	/* The look-alike, another account, another region, loopback without a loopback ECR. */
	{ "{\"authorizationData\":[{" TOKEN ",\"proxyEndpoint\":\"https://attacker.com/" HOST "\"}]}", NULL, NULL },
	{ "{\"authorizationData\":[{" TOKEN ",\"proxyEndpoint\":\"https://" HOST ".attacker.com\"}]}", NULL, NULL },
	{ "{\"authorizationData\":[{" TOKEN ",\"proxyEndpoint\":\"https://" HOST "@attacker.com\"}]}", NULL, NULL },
	{ "{\"authorizationData\":[{" TOKEN
	  ",\"proxyEndpoint\":\"https://210987654321.dkr.ecr.eu-west-1.amazonaws.com\"}]}",
	  NULL, NULL },
	{ "{\"authorizationData\":[{" TOKEN
	  ",\"proxyEndpoint\":\"https://123456789012.dkr.ecr.us-east-1.amazonaws.com\"}]}",
	  NULL, NULL },
	{ "{\"authorizationData\":[{" TOKEN ",\"proxyEndpoint\":\"http://127.0.0.1:7000\"}]}", NULL, NULL },
	{ "{\"authorizationData\":[{" TOKEN "}]}", NULL, NULL },
	{ "{\"authorizationData\":[]}", NULL, NULL },
	{ "{\"authorizationData\":[{\"authorizationToken\":\"QVdT\",\"proxyEndpoint\":\"https://" HOST "\"}]}", NULL,
	  NULL },
	{ "{\"authorizationData\":[{\"authorizationToken\":\"QVdTOv8=\",\"proxyEndpoint\":\"https://" HOST "\"}]}",
	  NULL, NULL },
	{ "{\"authorizationData\":[{\"authorizationToken\":\"!\",\"proxyEndpoint\":\"https://" HOST "\"}]}", NULL,
	  NULL },
};

static void init_identity(struct aws_identity *id, const char *ecr_endpoint)
{
	fake_identity(id);
	id->account = xstrdup("123456789012");
	if (!ecr_endpoint)
		return;
	free(id->endpoints[AWS_ECR].url);
	id->endpoints[AWS_ECR].url = xstrdup(ecr_endpoint);
	id->endpoints[AWS_ECR].is_override = true;
}

static void test_authorization(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(authorizations); i++) {
		const struct fake_answer answer = { 200, authorizations[i].answer, { NULL } };
		auto_fake_http f = fake_http_of(&answer, 1);
		auto_aws_identity id = { 0 };
		struct aws aws = { &id, &f.http };
		auto_registry_auth auth = { 0 };
		auto_err err = { 0 };
		int result;

		init_identity(&id, authorizations[i].endpoint);
		result = ecr_get_authorization(&aws, &auth, &err);
		if (result != (authorizations[i].host ? 0 : -1))
			fail_msg("%zu: %d %s", i, result, err.msg);
		if (result < 0) {
			assert_null(auth.password.value);
			assert_null(strstr(err.msg, "s3cret"));
			continue;
		}
		assert_string_equal(auth.host, authorizations[i].host);
		assert_string_equal(auth.user, "AWS");
		assert_string_equal(auth.password.value, "s3cret");
	}
}

#define ABSENT                                                                                                         \
	{                                                                                                              \
		400, "{\"__type\":\"RepositoryNotFoundException\",\"message\":\"no\"}",                                \
		{                                                                                                      \
			NULL                                                                                           \
		}                                                                                                      \
	}
#define RACED                                                                                                          \
	{                                                                                                              \
		400, "{\"__type\":\"RepositoryAlreadyExistsException\",\"message\":\"yes\"}",                          \
		{                                                                                                      \
			NULL                                                                                           \
		}                                                                                                      \
	}
#define DENIED                                                                                                         \
	{                                                                                                              \
		400, "{\"__type\":\"AccessDeniedException\",\"message\":\"no\"}",                                      \
		{                                                                                                      \
			NULL                                                                                           \
		}                                                                                                      \
	}

static const struct {
	struct fake_answer answers[2];
	size_t n;
	int result, is_created;
	enum err_code code;
} repositories[] = {
	{ { { 200, "{\"repositories\":[{}]}", { NULL } } }, 1, 0, 0, ERR_NONE },
	{ { ABSENT, { 200, "{}", { NULL } } }, 2, 0, 1, ERR_NONE },
	{ { ABSENT, RACED }, 2, 0, 0, ERR_NONE },
	{ { DENIED }, 1, -1, -1, ERR_AUTH },
	{ { ABSENT, DENIED }, 2, -1, -1, ERR_AUTH },
};

static void test_repositories(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(repositories); i++) {
		auto_fake_http f = fake_http_of(repositories[i].answers, repositories[i].n);
		auto_aws_identity id = { 0 };
		struct aws aws = { &id, &f.http };
		auto_err err = { 0 };
		int is_created = -1;

		init_identity(&id, NULL);
		assert_int_equal(ecr_ensure_repository(&aws, "team/iris", &is_created, &err), repositories[i].result);
		assert_int_equal(err.code, repositories[i].code);
		assert_int_equal(f.n_sent, repositories[i].n);
		if (repositories[i].result == 0)
			assert_int_equal(is_created, repositories[i].is_created);
	}
}

static void test_creation_request(void **state)
{
	auto_fake_http f = fake_http_of(repositories[1].answers, 2);
	auto_aws_identity id = { 0 };
	struct aws aws = { &id, &f.http };
	auto_err err = { 0 };
	auto_json *sent = NULL;
	auto_free char *text = NULL;
	int is_created;

	(void)state;
	init_identity(&id, NULL);
	assert_int_equal(ecr_ensure_repository(&aws, "team/iris", &is_created, &err), 0);
	sent = json_loads(f.sent[1].body, 0, NULL);
	text = json_canonical(sent);
	assert_string_equal(
		text, "{\"imageScanningConfiguration\":{\"scanOnPush\":true},\"imageTagMutability\":\"IMMUTABLE\","
		      "\"repositoryName\":\"team/iris\",\"tags\":[{\"Key\":\"smpipe\",\"Value\":\"managed\"}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_scheme),
		cmocka_unit_test(test_redirect_without_credentials),
		cmocka_unit_test(test_bad_redirects),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_wrong_config),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_auth_header),
		cmocka_unit_test(test_authorization),
		cmocka_unit_test(test_repositories),
		cmocka_unit_test(test_creation_request),
	};

	return cmocka_run_group_tests_name("ecr/registry", tests, NULL, NULL);
}
