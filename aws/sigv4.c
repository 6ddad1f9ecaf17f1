#include "aws/sigv4.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "aws/signing_keys.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/str.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

static bool is_unreserved(unsigned char c)
{
	return isalnum(c) || strchr("-._~", c);
}

static void add_encoded(struct str *b, unsigned char c)
{
	if (c && is_unreserved(c))
		str_add_char(b, (char)c);
	else
		str_addf(b, "%%%02X", c);
}

/* Remove "." and empty segments and resolve "..". Unlike RFC 3986, "/a/." becomes "/a", as the SDKs have it. */
static char *normalize_path(const char *path)
{
	auto_strlist segments = { 0 };
	auto_str b = { 0 };
	size_t n_kept = 0;

	str_split(&segments, path, '/');
	for (size_t i = 0; i < segments.n; i++) {
		const char *s = segments.v[i];

		if (!*s || !strcmp(s, "."))
			continue;
		if (strcmp(s, "..") != 0) {
			str_addf(&b, "/%s", s);
			n_kept++;
		} else if (n_kept > 0) {
			str_truncate(&b, (size_t)(strrchr(b.s, '/') - b.s));
			n_kept--;
		}
	}
	if (str_ends(path, "/") || n_kept == 0)
		str_add_char(&b, '/');
	return str_detach(&b);
}

static void add_canonical_path(struct str *b, const char *path, const struct sigv4_scope *scope)
{
	auto_free char *normal = NULL;

	if (!path || !*path)
		path = "/";
	if (scope->is_s3) {
		str_add(b, path);
		return;
	}
	if (!scope->is_path_kept)
		path = normal = normalize_path(path);
	for (; *path; path++) {
		if (*path == '/')
			str_add_char(b, '/');
		else
			add_encoded(b, (unsigned char)*path);
	}
}

/* Encode what is not yet encoded and write every escape in the one canonical way. */
static char *canonical_component(const char *s, size_t n)
{
	auto_str b = { 0 };

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		char pair[3] = { 0 };

		if (c == '%' && i + 2 < n && isxdigit((unsigned char)s[i + 1]) && isxdigit((unsigned char)s[i + 2])) {
			memcpy(pair, s + i + 1, 2);
			c = (unsigned char)strtol(pair, NULL, 16);
			i += 2;
		}
		add_encoded(&b, c);
	}
	return str_detach(&b);
}

struct pair {
	char *name, *value;
	size_t order; /* equal names keep their order where that matters */
};

struct pairs {
	struct pair *v;
	size_t n, cap;
};

static void pairs_release(struct pairs *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].name);
		free(p->v[i].value);
	}
	free(p->v);
}

#define auto_pairs __attribute__((cleanup(pairs_release))) struct pairs

static int compare_by_value(const void *pa, const void *pb)
{
	const struct pair *a = pa, *b = pb;
	int by_name = strcmp(a->name, b->name);

	return by_name ? by_name : strcmp(a->value, b->value);
}

static int compare_by_order(const void *pa, const void *pb)
{
	const struct pair *a = pa, *b = pb;
	int by_name = strcmp(a->name, b->name);

	return by_name ? by_name : (a->order > b->order) - (a->order < b->order);
}

static void add_canonical_query(struct str *b, const char *query)
{
	auto_pairs params = { 0 };

	for (const char *p = query ? query : ""; *p;) {
		size_t n = strcspn(p, "&");
		const char *equals = memchr(p, '=', n);
		size_t name_n = equals ? (size_t)(equals - p) : n;

		if (n > 0) {
			array_grow(params.v, params.n, params.cap);
			params.v[params.n++] = (struct pair){
				.name = canonical_component(p, name_n),
				.value = equals ? canonical_component(equals + 1, n - name_n - 1) : xstrdup(""),
			};
		}
		p += n + (p[n] == '&');
	}
	if (params.n > 1)
		qsort(params.v, params.n, sizeof(*params.v), compare_by_value);
	for (size_t i = 0; i < params.n; i++)
		str_addf(b, "%s%s=%s", i ? "&" : "", params.v[i].name, params.v[i].value);
}

/* Trim, and make every run of white space one space. */
static char *canonical_header_value(const char *s)
{
	auto_str b = { 0 };
	bool is_gap = false;

	/* Most values are one word. */
	if (!s[strcspn(s, " \t\r\n")])
		return xstrdup(s);
	for (; *s; s++) {
		if (strchr(" \t\r\n", *s)) {
			is_gap = b.len > 0;
			continue;
		}
		if (is_gap)
			str_add_char(&b, ' ');
		is_gap = false;
		str_add_char(&b, *s);
	}
	return str_detach(&b);
}

static void sort_headers(const struct http_headers *headers, struct pairs *ret)
{
	for (size_t i = 0; i < headers->n; i++) {
		array_grow(ret->v, ret->n, ret->cap);
		ret->v[ret->n++] = (struct pair){
			.name = str_lower(headers->v[i].name),
			.value = canonical_header_value(headers->v[i].value),
			.order = i,
		};
	}
	if (ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare_by_order);
}

static bool is_repeat(const struct pairs *p, size_t i)
{
	return i > 0 && !strcmp(p->v[i - 1].name, p->v[i].name);
}

static void add_canonical_headers(struct str *b, const struct pairs *headers)
{
	for (size_t i = 0; i < headers->n; i++) {
		if (is_repeat(headers, i))
			str_addf(b, ",%s", headers->v[i].value);
		else
			str_addf(b, "%s%s:%s", i ? "\n" : "", headers->v[i].name, headers->v[i].value);
	}
	str_add_char(b, '\n');
}

static char *join_names(const struct pairs *sorted)
{
	auto_str b = { 0 };

	for (size_t i = 0; i < sorted->n; i++)
		if (!is_repeat(sorted, i))
			str_addf(&b, "%s%s", i ? ";" : "", sorted->v[i].name);
	return str_detach(&b);
}

char *sigv4_signed_headers(const struct http_headers *headers)
{
	auto_pairs sorted = { 0 };

	sort_headers(headers, &sorted);
	return join_names(&sorted);
}

/* *ret_names: those of the signed headers; new string. */
static char *canonical_request(const struct sigv4_request *req, const struct sigv4_scope *scope, char **ret_names)
{
	auto_pairs headers = { 0 };
	auto_str b = { 0 };

	sort_headers(req->headers, &headers);
	*ret_names = join_names(&headers);
	str_addf(&b, "%s\n", req->method);
	add_canonical_path(&b, req->path, scope);
	str_add_char(&b, '\n');
	add_canonical_query(&b, req->query);
	str_add_char(&b, '\n');
	add_canonical_headers(&b, &headers);
	str_addf(&b, "\n%s\n%s", *ret_names, req->payload_hash);
	return str_detach(&b);
}

char *sigv4_canonical_request(const struct sigv4_request *req, const struct sigv4_scope *scope)
{
	auto_free char *names = NULL;

	return canonical_request(req, scope, &names);
}

char *sigv4_credential_scope(const struct sigv4_scope *scope)
{
	auto_free char *time = str_time_basic(scope->time);

	return xasprintf("%.8s/%s/%s/aws4_request", time, scope->region, scope->service);
}

char *sigv4_string_to_sign(const char *canonical_request, const struct sigv4_scope *scope)
{
	auto_free char *time = str_time_basic(scope->time);
	auto_free char *credential_scope = sigv4_credential_scope(scope);
	struct digest digest = digest_of_text(canonical_request);
	auto_free char *hex = digest_hex(&digest);

	return xasprintf(ALGORITHM "\n%s\n%s\n%s", time, credential_scope, hex);
}

static void derive(struct digest *key, const char *text)
{
	*key = digest_hmac(key->b, sizeof(key->b), text, strlen(text));
}

/* The key of one day, region and service. */
static struct digest signing_key(const char *date, const struct sigv4_scope *scope, const char *secret_access_key)
{
	char *first = xasprintf("AWS4%s", secret_access_key);
	struct digest key = digest_hmac(first, strlen(first), date, strlen(date));

	explicit_bzero(first, strlen(first));
	free(first);
	derive(&key, scope->region);
	derive(&key, scope->service);
	derive(&key, "aws4_request");
	return key;
}

char *sigv4_signature(const char *string_to_sign, const struct sigv4_scope *scope, const char *secret_access_key)
{
	auto_free char *time = str_time_basic(scope->time);
	auto_free char *date = xstrndup(time, 8);
	struct digest key;
	char *signature;

	if (!signing_keys_find(scope->keys, date, scope, secret_access_key, &key)) {
		key = signing_key(date, scope, secret_access_key);
		signing_keys_keep(scope->keys, date, scope, secret_access_key, &key);
	}
	derive(&key, string_to_sign);
	signature = digest_hex(&key);
	explicit_bzero(&key, sizeof(key));
	return signature;
}

/* Every step in turn. *ret_names as above. */
static char *sign(const struct sigv4_request *req, const struct sigv4_scope *scope, const struct creds *creds,
		  char **ret_names)
{
	auto_free char *canonical = canonical_request(req, scope, ret_names);
	auto_free char *to_sign = sigv4_string_to_sign(canonical, scope);

	return sigv4_signature(to_sign, scope, creds->secret_access_key.value);
}

void sigv4_sign(const char *method, const char *host, const char *path, const char *query, struct http_headers *headers,
		const char *payload_hash, const struct sigv4_scope *scope, const struct creds *creds)
{
	const char *token = creds->session_token.value;
	auto_free char *time = str_time_basic(scope->time);
	auto_free char *credential_scope = sigv4_credential_scope(scope);
	auto_free char *signature = NULL, *names = NULL;

	http_headers_set(headers, "host", host);
	http_headers_set(headers, "x-amz-date", time);
	if (token && !scope->is_token_unsigned)
		http_headers_set(headers, "x-amz-security-token", token);
	if (scope->is_s3)
		http_headers_set(headers, "x-amz-content-sha256", payload_hash);

	signature = sign(&(struct sigv4_request){ method, path, query, headers, payload_hash }, scope, creds, &names);
	http_headers_addf(headers, "authorization", ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
			  creds->access_key_id, credential_scope, names, signature);
	if (token && scope->is_token_unsigned)
		http_headers_set(headers, "x-amz-security-token", token);
}

static void add_parameter(struct str *query, const char *name, const char *value)
{
	auto_free char *encoded = str_uri_encode(value, false);

	str_addf(query, "%s%s=%s", query->len ? "&" : "", name, encoded);
}

char *sigv4_presign_query(const char *query, const struct http_headers *headers, int expires_s,
			  const struct sigv4_scope *scope, const char *access_key_id, const char *session_token)
{
	auto_free char *credential_scope = sigv4_credential_scope(scope);
	auto_free char *credential = xasprintf("%s/%s", access_key_id, credential_scope);
	auto_free char *time = str_time_basic(scope->time);
	auto_free char *names = sigv4_signed_headers(headers);
	auto_str b = { 0 };

	str_add(&b, query ? query : "");
	add_parameter(&b, "X-Amz-Algorithm", ALGORITHM);
	add_parameter(&b, "X-Amz-Credential", credential);
	add_parameter(&b, "X-Amz-Date", time);
	add_parameter(&b, "X-Amz-SignedHeaders", names);
	str_addf(&b, "&X-Amz-Expires=%d", expires_s);
	if (session_token)
		add_parameter(&b, "X-Amz-Security-Token", session_token);
	return str_detach(&b);
}

char *sigv4_presign(const char *method, const char *host, const char *path, const char *query,
		    struct http_headers *headers, const char *payload_hash, int expires_s,
		    const struct sigv4_scope *scope, const struct creds *creds)
{
	const char *token = creds->session_token.value;
	auto_free char *unsigned_query = NULL, *signature = NULL, *names = NULL;
	auto_str b = { 0 };

	http_headers_set(headers, "host", host);
	unsigned_query = sigv4_presign_query(query, headers, expires_s, scope, creds->access_key_id,
					     scope->is_token_unsigned ? NULL : token);
	signature = sign(&(struct sigv4_request){ method, path, unsigned_query, headers, payload_hash }, scope, creds,
			 &names);
	str_add(&b, unsigned_query);
	if (token && scope->is_token_unsigned)
		add_parameter(&b, "X-Amz-Security-Token", token);
	add_parameter(&b, "X-Amz-Signature", signature);
	return str_detach(&b);
}
