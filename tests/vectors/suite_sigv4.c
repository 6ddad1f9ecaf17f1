/* The official Signature Version 4 suite: every step of the header form and of the query form. */

#include <dirent.h>

#include "aws/sigv4.h"
#include "base/digest.h"
#include "tests/vectors/suite.h"

/* A request in the text form of the suite, with its context. */
struct request {
	char *method, *path, *query, *body, *host;
	struct http_headers headers; /* without Host */
	json_t *context;
	struct creds creds;
	struct sigv4_scope scope;
	char *hash; /* of the body */
};

static void request_release(struct request *r)
{
	free(r->method);
	free(r->path);
	free(r->query);
	free(r->body);
	free(r->host);
	free(r->hash);
	http_headers_release(&r->headers);
	creds_release(&r->creds);
	json_decref(r->context);
}

#define auto_request __attribute__((cleanup(request_release))) struct request

static void parse_request_line(const char *line, struct request *r)
{
	const char *path = strchr(line, ' ') + 1;
	const char *end = strrchr(line, ' ');
	const char *query = memchr(path, '?', (size_t)(end - path));

	r->method = xstrndup(line, (size_t)(path - line - 1));
	r->path = xstrndup(path, (size_t)((query ? query : end) - path));
	r->query = query ? xstrndup(query + 1, (size_t)(end - query - 1)) : NULL;
}

static void add_header_line(const char *line, struct request *r)
{
	struct http_headers *headers = &r->headers;

	if (*line == ' ') {
		struct http_header *last = &headers->v[headers->n - 1];
		char *joined = xasprintf("%s\n%s", last->value, line);

		free(last->value);
		last->value = joined;
	} else {
		auto_free char *name = xstrndup(line, strcspn(line, ":"));

		if (!strcmp(name, "Host"))
			r->host = xstrdup(line + strlen("Host:"));
		else
			http_headers_add(headers, name, line + strlen(name) + 1);
	}
}

static void parse_request(const char *text, struct request *r)
{
	auto_strlist lines = { 0 };
	size_t i;

	str_split(&lines, text, '\n');
	parse_request_line(lines.v[0], r);
	for (i = 1; i < lines.n && *lines.v[i]; i++)
		add_header_line(lines.v[i], r);
	r->body = xstrdup(i + 1 < lines.n ? lines.v[i + 1] : "");
}

static bool says(const struct request *r, const char *key)
{
	return json_is_true(json_object_get(r->context, key));
}

static void load(const char *folder, struct request *r)
{
	auto_free char *text = vectors_read(folder, "request.txt");
	auto_free char *context_path = fs_join(folder, "context.json");
	const json_t *keys;
	struct digest digest;
	auto_err err = { 0 };

	parse_request(text, r);
	r->context = vectors_json(context_path);
	keys = json_object_get(r->context, "credentials");
	r->scope = (struct sigv4_scope){
		.region = json_str(r->context, "region"),
		.service = json_str(r->context, "service"),
		.is_path_kept = !says(r, "normalize"),
		.is_token_unsigned = says(r, "omit_session_token"),
	};
	digest = digest_of_text(r->body);
	r->hash = digest_hex(&digest);
	if (str_parse_time_iso(json_str(r->context, "timestamp"), &r->scope.time) < 0 ||
	    creds_set(&r->creds, json_str(keys, "access_key_id"), json_str(keys, "secret_access_key"),
		      json_str(keys, "token"), "the suite", &err) < 0)
		abort();
}

static void check_file(struct suite *s, const char *folder, const char *name, const char *actual)
{
	auto_free char *expected = vectors_read(folder, name);

	suite_equal(s, name, expected, actual);
}

/* The value of the Authorization line of the signed request. */
static char *authorization_of(const char *folder)
{
	auto_free char *text = vectors_read(folder, "header-signed-request.txt");
	auto_strlist lines = { 0 };

	str_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.n; i++)
		if (str_starts(lines.v[i], "Authorization:"))
			return xstrdup(lines.v[i] + strlen("Authorization:"));
	return NULL;
}

static void check_header_form(struct suite *s, const char *folder)
{
	auto_request r = { 0 };
	auto_headers steps = { 0 };
	auto_free char *date = NULL, *canonical = NULL, *to_sign = NULL, *signature = NULL, *authorization = NULL;

	load(folder, &r);
	if (says(&r, "sign_body"))
		http_headers_set(&r.headers, "x-amz-content-sha256", r.hash);
	http_headers_copy(&steps, &r.headers);
	date = str_time_basic(r.scope.time);
	http_headers_set(&steps, "X-Amz-Date", date);
	http_headers_set(&steps, "Host", r.host);
	if (r.creds.session_token.value && !r.scope.is_token_unsigned)
		http_headers_set(&steps, "X-Amz-Security-Token", r.creds.session_token.value);
	canonical =
		sigv4_canonical_request(&(struct sigv4_request){ r.method, r.path, r.query, &steps, r.hash }, &r.scope);
	check_file(s, folder, "header-canonical-request.txt", canonical);
	to_sign = sigv4_string_to_sign(canonical, &r.scope);
	check_file(s, folder, "header-string-to-sign.txt", to_sign);
	signature = sigv4_signature(to_sign, &r.scope, r.creds.secret_access_key.value);
	check_file(s, folder, "header-signature.txt", signature);
	sigv4_sign(r.method, r.host, r.path, r.query, &r.headers, r.hash, &r.scope, &r.creds);
	authorization = authorization_of(folder);
	suite_equal(s, "Authorization", authorization, http_headers_get(&r.headers, "authorization"));
	suite_equal(s, "session token", r.creds.session_token.value,
		    http_headers_get(&r.headers, "x-amz-security-token"));
}

/* "GET /?a=b HTTP/1.1" of the signed request. */
static char *request_line_of(const char *folder)
{
	auto_free char *text = vectors_read(folder, "query-signed-request.txt");

	return xstrndup(text, strcspn(text, "\n"));
}

static void check_query_form(struct suite *s, const char *folder)
{
	auto_request r = { 0 };
	auto_headers headers = { 0 };
	auto_free char *query = NULL, *canonical = NULL, *to_sign = NULL, *signature = NULL, *whole = NULL;
	auto_free char *line = NULL, *expected_line = request_line_of(folder);
	const char *token;
	int expires_s;

	load(folder, &r);
	token = r.scope.is_token_unsigned ? NULL : r.creds.session_token.value;
	expires_s = (int)json_integer_value(json_object_get(r.context, "expiration_in_seconds"));
	http_headers_copy(&headers, &r.headers);
	http_headers_set(&headers, "host", r.host);
	query = sigv4_presign_query(r.query, &headers, expires_s, &r.scope, r.creds.access_key_id, token);
	canonical =
		sigv4_canonical_request(&(struct sigv4_request){ r.method, r.path, query, &headers, r.hash }, &r.scope);
	check_file(s, folder, "query-canonical-request.txt", canonical);
	to_sign = sigv4_string_to_sign(canonical, &r.scope);
	check_file(s, folder, "query-string-to-sign.txt", to_sign);
	signature = sigv4_signature(to_sign, &r.scope, r.creds.secret_access_key.value);
	check_file(s, folder, "query-signature.txt", signature);
	whole = sigv4_presign(r.method, r.host, r.path, r.query, &r.headers, r.hash, expires_s, &r.scope, &r.creds);
	line = xasprintf("%s %s?%s HTTP/1.1", r.method, r.path, whole);
	suite_equal(s, "request line", expected_line, line);
}

static void each_case(struct suite *s, const char *root, void (*check)(struct suite *s, const char *folder))
{
	DIR *dir = opendir(root);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		auto_free char *folder = fs_join(root, entry->d_name);

		if (entry->d_name[0] == '.' || !fs_is_dir(folder))
			continue;
		suite_case(s, entry->d_name);
		check(s, folder);
	}
	if (dir)
		closedir(dir);
}

static void run_header_form(struct suite *s, const char *root)
{
	each_case(s, root, check_header_form);
}

static void run_query_form(struct suite *s, const char *root)
{
	each_case(s, root, check_query_form);
}

int main(void)
{
	struct suite suites[] = {
		{ .name = "sigv4, header form", .path = "sigv4", .n_expected = 38, .run = run_header_form },
		{ .name = "sigv4, query form", .path = "sigv4", .n_expected = 38, .run = run_query_form },
	};

	return suites_main(suites, ARRAY_LEN(suites));
}
