/* The local ECR and its registry: what docker, skopeo and the aws command rely on. */

#include "local_call.h"

#include <unistd.h>

#include "local/registry_store.h"

#define TARGET "AmazonEC2ContainerRegistry_V20150921."

struct fixture {
	char *dir;
	struct sys sys;
	int64_t now_ms;
	struct cloud cloud;
	char *basic; /* the Authorization header */
};

static int64_t now_ms(const struct sys *sys)
{
	const struct fixture *f = sys->ctx;

	return f->now_ms;
}

static json_t *ecr(struct fixture *f, const char *op, const char *body, int status)
{
	auto_free char *target = xasprintf(TARGET "%s", op);

	return call_json(&f->cloud, local_ecr_handle, target, body, status);
}

static void log_in(struct fixture *f)
{
	auto_json *answer = ecr(f, "GetAuthorizationToken", "{}", 200);
	const json_t *data = json_array_get(json_object_get(answer, "authorizationData"), 0);

	assert_string_equal(json_str(data, "proxyEndpoint"), "http://127.0.0.1:4711");
	free(f->basic);
	f->basic = xasprintf("Basic %s", json_str(data, "authorizationToken"));
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	auto_err err = { 0 };

	f->dir = fs_temp_dir("smpipe-test", &err);
	f->now_ms = 1700000000000;
	f->sys = sys_real;
	f->sys.now_ms = now_ms;
	f->sys.ctx = f;
	f->cloud = (struct cloud){ .dir = f->dir, .account = (char *)LOCAL_ACCOUNT, .port = 4711, .sys = &f->sys };
	assert_int_equal(store_ecr_new(f->dir, &f->cloud.ecr, &err), 0);
	log_in(f);
	json_decref(ecr(f, "CreateRepository", "{\"repositoryName\":\"team/app\",\"imageTagMutability\":\"IMMUTABLE\"}",
			200));
	json_decref(ecr(f, "CreateRepository", "{\"repositoryName\":\"other\"}", 200));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	auto_err err = { 0 };

	store_ecr_free(f->cloud.ecr);
	fs_remove_tree(f->dir, &err);
	free(f->dir);
	free(f->basic);
	free(f);
	return 0;
}

static struct local_response registry(struct fixture *f, const char *method, const char *path, const char *query,
				      const char *body, const char *name, const char *value)
{
	struct call call = { .method = method,
			     .path = path,
			     .query = query,
			     .body = body,
			     .handler = local_registry_handle,
			     .headers = { "Authorization", f->basic, name, value } };

	return call_send(&f->cloud, &call);
}

static void expect(struct fixture *f, const char *method, const char *path, const char *query, const char *body,
		   int status, const char *code)
{
	struct local_response resp = registry(f, method, path, query, body, NULL, NULL);

	if (resp.status != status)
		fail_msg("%s %s: %d instead of %d: %s", method, path, resp.status, status, resp.body ? resp.body : "");
	if (code && !strstr(resp.body, code))
		fail_msg("%s %s: no %s in %s", method, path, code, resp.body);
	local_response_release(&resp);
}

static char *oci_digest(const char *text)
{
	struct digest d = digest_of_text(text);

	return digest_oci(&d);
}

static void push_blob(struct fixture *f, const char *repository, const char *text)
{
	auto_free char *path = xasprintf("/v2/%s/blobs/uploads/", repository);
	auto_free char *digest = oci_digest(text);
	auto_free char *query = xasprintf("digest=%s", digest);

	expect(f, "POST", path, query, text, 201, NULL);
}

static char *manifest_of(const char *config, const char *layer)
{
	auto_free char *config_digest = oci_digest(config);
	auto_free char *layer_digest = oci_digest(layer);

	return xasprintf("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"c\",\"digest\":\"%s\",\"size\":%zu},"
			 "\"layers\":[{\"mediaType\":\"l\",\"digest\":\"%s\",\"size\":%zu}]}",
			 config_digest, strlen(config), layer_digest, strlen(layer));
}

#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"

/* Put a manifest; the answer's status. */
static int put_manifest(struct fixture *f, const char *repository, const char *reference, const char *text,
			const char *expected_word)
{
	auto_free char *path = xasprintf("/v2/%s/manifests/%s", repository, reference);
	struct local_response resp = registry(f, "PUT", path, NULL, text, "Content-Type", OCI_MANIFEST);
	int status = resp.status;

	if (expected_word && !strstr(resp.body, expected_word))
		fail_msg("no %s in %s", expected_word, resp.body);
	local_response_release(&resp);
	return status;
}

static void test_needs_a_password(void **state)
{
	struct fixture *f = *state;
	struct call call = { .method = "GET", .path = "/v2/", .handler = local_registry_handle };
	struct local_response resp = call_send(&f->cloud, &call);

	assert_int_equal(resp.status, 401);
	assert_string_equal(http_headers_get(&resp.headers, "WWW-Authenticate"),
			    "Basic realm=\"smpipe local registry\"");
	local_response_release(&resp);
	expect(f, "GET", "/v2/", NULL, NULL, 200, NULL);
}

static void test_every_token_is_valid_for_as_long_as_it_says(void **state)
{
	struct fixture *f = *state;

	/* A new one is given out in the meantime; the old one still works until its 12 hours are over. */
	auto_free char *old = xstrdup(f->basic);

	f->now_ms += 7 * 3600 * 1000;
	log_in(f);
	assert_string_not_equal(f->basic, old);
	expect(f, "GET", "/v2/", NULL, NULL, 200, NULL);
	free(f->basic);
	f->basic = xstrdup(old);
	expect(f, "GET", "/v2/", NULL, NULL, 200, NULL);
	f->now_ms += 5 * 3600 * 1000;
	expect(f, "GET", "/v2/", NULL, NULL, 401, "UNAUTHORIZED");
}

static void test_repository_must_exist(void **state)
{
	struct fixture *f = *state;

	expect(f, "POST", "/v2/absent/blobs/uploads/", NULL, NULL, 404, "NAME_UNKNOWN");
	expect(f, "POST", "/v2/../../etc/blobs/uploads/", NULL, NULL, 400, "NAME_INVALID");
	expect(f, "POST", "/v2/UPPER/blobs/uploads/", NULL, NULL, 400, "NAME_INVALID");
}

static void test_chunks_come_in_order(void **state)
{
	struct fixture *f = *state;
	auto_free char *digest = oci_digest("hello world");
	auto_free char *query = xasprintf("digest=%s", digest);
	auto_free char *blob = xasprintf("/v2/team/app/blobs/%s", digest);
	struct local_response resp = registry(f, "POST", "/v2/team/app/blobs/uploads/", NULL, NULL, NULL, NULL);
	auto_free char *path = xstrdup(http_headers_get(&resp.headers, "Location") + strlen("http://127.0.0.1:4711"));

	assert_int_equal(resp.status, 202);
	local_response_release(&resp);

	resp = registry(f, "PATCH", path, NULL, "hello", "Content-Range", "0-4");
	assert_int_equal(resp.status, 202);
	assert_string_equal(http_headers_get(&resp.headers, "Range"), "0-4");
	local_response_release(&resp);

	resp = registry(f, "PATCH", path, NULL, "world", "Content-Range", "6-10");
	assert_int_equal(resp.status, 416);
	assert_string_equal(http_headers_get(&resp.headers, "Range"), "0-4");
	local_response_release(&resp);

	resp = registry(f, "PATCH", path, NULL, " world", "Content-Range", "5-10");
	assert_int_equal(resp.status, 202);
	local_response_release(&resp);

	resp = registry(f, "GET", path, NULL, NULL, NULL, NULL);
	assert_int_equal(resp.status, 204);
	assert_string_equal(http_headers_get(&resp.headers, "Range"), "0-10");
	local_response_release(&resp);

	expect(f, "PUT", path, query, NULL, 201, NULL);
	expect(f, "GET", path, NULL, NULL, 404, "BLOB_UPLOAD_UNKNOWN");
	resp = registry(f, "HEAD", blob, NULL, NULL, NULL, NULL);
	assert_true(resp.status == 200 && resp.is_head && resp.head_size == 11);
	local_response_release(&resp);
}

static void test_digest_must_fit(void **state)
{
	struct fixture *f = *state;
	auto_free char *digest = oci_digest("something else");
	auto_free char *query = xasprintf("digest=%s", digest);
	auto_free char *blob = xasprintf("/v2/other/blobs/%s", digest);

	expect(f, "POST", "/v2/other/blobs/uploads/", query, "text", 400, "DIGEST_INVALID");
	expect(f, "POST", "/v2/other/blobs/uploads/", "digest=md5:00", "text", 400, "DIGEST_INVALID");
	expect(f, "GET", blob, NULL, NULL, 404, "BLOB_UNKNOWN");
}

static void test_dropped_upload_is_gone(void **state)
{
	struct fixture *f = *state;
	struct local_response resp = registry(f, "POST", "/v2/other/blobs/uploads/", NULL, NULL, NULL, NULL);
	auto_free char *path = xstrdup(http_headers_get(&resp.headers, "Location") + strlen("http://127.0.0.1:4711"));

	local_response_release(&resp);
	expect(f, "DELETE", path, NULL, NULL, 204, NULL);
	expect(f, "PATCH", path, NULL, "x", 404, "BLOB_UPLOAD_UNKNOWN");
	expect(f, "PATCH", "/v2/other/blobs/uploads/..%2F..%2Frepository.json", NULL, "x", 404, NULL);
}

static void test_mounts_blobs_between_repositories(void **state)
{
	struct fixture *f = *state;
	auto_free char *digest = oci_digest("layer");
	auto_free char *query = xasprintf("mount=%s&from=team%%2Fapp", digest);
	auto_free char *blob = xasprintf("/v2/other/blobs/%s", digest);

	/* A source that does not have it starts an ordinary upload. */
	expect(f, "POST", "/v2/other/blobs/uploads/", query, NULL, 202, NULL);
	push_blob(f, "team/app", "layer");
	expect(f, "POST", "/v2/other/blobs/uploads/", query, NULL, 201, NULL);
	expect(f, "HEAD", blob, NULL, NULL, 200, NULL);
}

static void test_serves_ranges(void **state)
{
	struct fixture *f = *state;
	auto_free char *digest = oci_digest("0123456789");
	auto_free char *blob = xasprintf("/v2/other/blobs/%s", digest);
	struct local_response resp;
	char buffer[4];

	push_blob(f, "other", "0123456789");
	resp = registry(f, "GET", blob, NULL, NULL, "Range", "bytes=7-");
	assert_int_equal(resp.status, 206);
	assert_string_equal(http_headers_get(&resp.headers, "Content-Range"), "bytes 7-9/10");
	assert_int_equal(pread(resp.file_fd, buffer, resp.file_size, (off_t)resp.file_offset), 3);
	assert_memory_equal(buffer, "789", 3);
	local_response_release(&resp);
}

static void test_manifest_needs_its_blobs(void **state)
{
	struct fixture *f = *state;
	auto_free char *manifest = manifest_of("config", "layer");

	push_blob(f, "other", "config");
	assert_int_equal(put_manifest(f, "other", "v1", manifest, "MANIFEST_BLOB_UNKNOWN"), 400);
	push_blob(f, "other", "layer");
	assert_int_equal(put_manifest(f, "other", "v1", manifest, NULL), 201);
	assert_int_equal(put_manifest(f, "other", "v1", "{\"schemaVersion\":1}", "MANIFEST_INVALID"), 400);
	assert_int_equal(put_manifest(f, "other", "v1", "[]", "MANIFEST_INVALID"), 400);
	assert_int_equal(put_manifest(f, "other", ".v1", manifest, "MANIFEST_INVALID"), 400);
}

static void test_manifest_comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	auto_free char *manifest = manifest_of("config", "layer");
	auto_free char *digest = oci_digest(manifest);
	auto_free char *by_digest = xasprintf("/v2/other/manifests/%s", digest);
	const char *const paths[] = { "/v2/other/manifests/v1", by_digest };

	push_blob(f, "other", "config");
	push_blob(f, "other", "layer");
	assert_int_equal(put_manifest(f, "other", "v1", manifest, NULL), 201);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct local_response resp = registry(f, "GET", paths[i], NULL, NULL, NULL, NULL);

		assert_int_equal(resp.status, 200);
		assert_memory_equal(resp.body, manifest, resp.n);
		assert_string_equal(http_headers_get(&resp.headers, "Content-Type"), OCI_MANIFEST);
		assert_string_equal(http_headers_get(&resp.headers, "Docker-Content-Digest"), digest);
		local_response_release(&resp);
	}
	expect(f, "GET", "/v2/other/manifests/absent", NULL, NULL, 404, "MANIFEST_UNKNOWN");
	expect(f, "GET", "/v2/other/tags/list", NULL, NULL, 200, "[\"v1\"]");
}

static void test_immutable_tags_stay(void **state)
{
	struct fixture *f = *state;
	auto_free char *first = manifest_of("config", "layer");
	auto_free char *second = manifest_of("config", "layer 2");
	const char *const blobs[] = { "config", "layer", "layer 2" };

	for (size_t i = 0; i < ARRAY_LEN(blobs); i++) {
		push_blob(f, "team/app", blobs[i]);
		push_blob(f, "other", blobs[i]);
	}
	assert_int_equal(put_manifest(f, "team/app", "v1", first, NULL), 201);
	assert_int_equal(put_manifest(f, "team/app", "v1", first, NULL), 201);
	assert_int_equal(put_manifest(f, "team/app", "v1", second,
				      "cannot be overwritten because the tag is immutable"),
			 400);
	assert_int_equal(put_manifest(f, "team/app", "v2", second, NULL), 201);
	/* The other repository has tags that move. */
	assert_int_equal(put_manifest(f, "other", "v1", first, NULL), 201);
	assert_int_equal(put_manifest(f, "other", "v1", second, NULL), 201);
}

static void test_referrers_are_listed(void **state)
{
	struct fixture *f = *state;
	auto_free char *subject = manifest_of("config", "layer");
	auto_free char *digest = oci_digest(subject);
	auto_free char *config = oci_digest("config");
	auto_free char *artifact =
		xasprintf("{\"schemaVersion\":2,\"artifactType\":\"application/x.record\",\"config\":{"
			  "\"digest\":\"%s\",\"size\":6},\"layers\":[],\"subject\":{\"digest\":\"%s\"}}",
			  config, digest);
	auto_free char *artifact_digest = oci_digest(artifact);
	auto_free char *put_path = xasprintf("/v2/other/manifests/%s", artifact_digest);
	auto_free char *list_path = xasprintf("/v2/other/referrers/%s", digest);
	struct local_response resp;

	push_blob(f, "other", "config");
	/* The subject may come later. */
	resp = registry(f, "PUT", put_path, NULL, artifact, "Content-Type", OCI_MANIFEST);
	assert_int_equal(resp.status, 201);
	assert_string_equal(http_headers_get(&resp.headers, "OCI-Subject"), digest);
	local_response_release(&resp);
	expect(f, "GET", list_path, NULL, NULL, 200, artifact_digest);
	expect(f, "GET", list_path, "artifactType=other", NULL, 200, "\"manifests\":[]");
}

static void test_ecr_describes_repositories(void **state)
{
	struct fixture *f = *state;
	auto_json *one = ecr(f, "DescribeRepositories", "{\"repositoryNames\":[\"team/app\"]}", 200);
	auto_json *all = ecr(f, "DescribeRepositories", "{}", 200);
	auto_json *absent = ecr(f, "DescribeRepositories", "{\"repositoryNames\":[\"absent\"]}", 400);
	auto_json *twice = ecr(f, "CreateRepository", "{\"repositoryName\":\"other\"}", 400);
	auto_json *bad = ecr(f, "CreateRepository", "{\"repositoryName\":\"Not/Lower\"}", 400);
	const json_t *r = json_array_get(json_object_get(one, "repositories"), 0);

	assert_string_equal(json_str(r, "repositoryArn"), "arn:aws:ecr:eu-west-1:000000000000:repository/team/app");
	assert_string_equal(json_str(r, "repositoryUri"), "127.0.0.1:4711/team/app");
	assert_string_equal(json_str(r, "imageTagMutability"), "IMMUTABLE");
	assert_int_equal(json_array_size(json_object_get(all, "repositories")), 2);
	assert_string_equal(json_str(absent, "__type"), "RepositoryNotFoundException");
	assert_string_equal(json_str(twice, "__type"), "RepositoryAlreadyExistsException");
	assert_string_equal(json_str(bad, "__type"), "InvalidParameterException");
}

static void test_ecr_describes_images(void **state)
{
	struct fixture *f = *state;
	auto_free char *manifest = manifest_of("config", "layer");
	auto_free char *digest = oci_digest(manifest);
	auto_json *all = NULL, *absent = NULL, *got = NULL;
	const json_t *image;

	push_blob(f, "other", "config");
	push_blob(f, "other", "layer");
	assert_int_equal(put_manifest(f, "other", "v1", manifest, NULL), 201);
	assert_int_equal(put_manifest(f, "other", "v2", manifest, NULL), 201);
	all = ecr(f, "DescribeImages", "{\"repositoryName\":\"other\"}", 200);
	image = json_array_get(json_object_get(all, "imageDetails"), 0);
	assert_string_equal(json_str(image, "imageDigest"), digest);
	assert_int_equal(json_integer_value(json_object_get(image, "imageSizeInBytes")), 5);
	assert_int_equal(json_array_size(json_object_get(image, "imageTags")), 2);
	assert_true(json_number_value(json_object_get(image, "imagePushedAt")) == 1700000000);
	absent = ecr(f, "DescribeImages", "{\"repositoryName\":\"other\",\"imageIds\":[{\"imageTag\":\"v3\"}]}", 400);
	assert_string_equal(json_str(absent, "__type"), "ImageNotFoundException");
	got = ecr(f, "BatchGetImage",
		  "{\"repositoryName\":\"other\",\"imageIds\":[{\"imageTag\":\"v1\"},{\"imageTag\":\"v3\"}]}", 200);
	assert_int_equal(json_array_size(json_object_get(got, "failures")), 1);
	assert_string_equal(json_str(json_array_get(json_object_get(got, "images"), 0), "imageManifest"), manifest);
}

static void test_repository_with_images_is_not_deleted_by_accident(void **state)
{
	struct fixture *f = *state;
	auto_free char *manifest = manifest_of("config", "layer");
	auto_json *refused = NULL, *deleted = NULL;

	push_blob(f, "other", "config");
	push_blob(f, "other", "layer");
	assert_int_equal(put_manifest(f, "other", "v1", manifest, NULL), 201);
	refused = ecr(f, "DeleteRepository", "{\"repositoryName\":\"other\"}", 400);
	assert_string_equal(json_str(refused, "__type"), "RepositoryNotEmptyException");
	deleted = ecr(f, "DeleteRepository", "{\"repositoryName\":\"other\",\"force\":true}", 200);
	expect(f, "GET", "/v2/other/tags/list", NULL, NULL, 404, "NAME_UNKNOWN");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_needs_a_password),
		TEST(test_every_token_is_valid_for_as_long_as_it_says),
		TEST(test_repository_must_exist),
		TEST(test_chunks_come_in_order),
		TEST(test_digest_must_fit),
		TEST(test_dropped_upload_is_gone),
		TEST(test_mounts_blobs_between_repositories),
		TEST(test_serves_ranges),
		TEST(test_manifest_needs_its_blobs),
		TEST(test_manifest_comes_back_as_it_was),
		TEST(test_immutable_tags_stay),
		TEST(test_referrers_are_listed),
		TEST(test_ecr_describes_repositories),
		TEST(test_ecr_describes_images),
		TEST(test_repository_with_images_is_not_deleted_by_accident),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
