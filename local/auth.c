#include "local/auth.h"

#include <stdarg.h>
#include <string.h>

#include "aws/sigv4.h"
#include "base/digest.h"
#include "base/str.h"

#define ALGORITHM       "AWS4-HMAC-SHA256"
#define SKEW_S          (5 * 60)
#define S3_SKEW_S       (15 * 60)
#define PRESIGNED_MAX_S (7 * 24 * 3600)

/* What a request says of its own signature, in the header or in the query. */
struct claim {
	char *access_key_id, *date, *region, *service;
	char *signed_headers, *signature;
	char *time_text; /* x-amz-date */
	char *query;     /* without the signature itself */
	bool is_presigned;
	int64_t expires_s; /* of a presigned URL */
};

static void claim_release(struct claim *c)
{
	free(c->access_key_id);
	free(c->date);
	free(c->region);
	free(c->service);
	free(c->signed_headers);
	free(c->signature);
	free(c->time_text);
	free(c->query);
}

#define auto_claim __attribute__((cleanup(claim_release))) struct claim

static enum auth_verdict verdict(enum auth_verdict v, char **ret_words, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static enum auth_verdict verdict(enum auth_verdict v, char **ret_words, const char *fmt, ...)
{
	va_list ap;

	free(*ret_words);
	va_start(ap, fmt);
	*ret_words = xvasprintf(fmt, ap);
	va_end(ap);
	return v;
}

static bool parse_credential(struct claim *c, const char *credential)
{
	auto_strlist parts = { 0 };

	str_split(&parts, credential, '/');
	if (parts.n != 5 || strcmp(parts.v[4], "aws4_request"))
		return false;
	c->access_key_id = take(parts.v[0]);
	c->date = take(parts.v[1]);
	c->region = take(parts.v[2]);
	c->service = take(parts.v[3]);
	return *c->date && *c->region && *c->service;
}

/* "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…" */
static bool parse_header(struct claim *c, const char *value)
{
	auto_strlist fields = { 0 };
	auto_free char *credential = NULL;

	str_split(&fields, value + strlen(ALGORITHM), ',');
	for (size_t i = 0; i < fields.n; i++) {
		auto_free char *field = str_trim(fields.v[i]);
		char *equals = strchr(field, '=');
		char **slot = str_starts(field, "Credential=")      ? &credential
			      : str_starts(field, "SignedHeaders=") ? &c->signed_headers
			      : str_starts(field, "Signature=")     ? &c->signature
								    : NULL;

		if (!slot || *slot)
			return false;
		*slot = xstrdup(equals + 1);
	}
	return credential && c->signed_headers && c->signature && parse_credential(c, credential);
}

static char *query_without_signature(const char *query)
{
	auto_strlist pairs = { 0 };
	auto_str kept = { 0 };

	str_split(&pairs, query, '&');
	for (size_t i = 0; i < pairs.n; i++)
		if (!str_starts(pairs.v[i], "X-Amz-Signature="))
			str_addf(&kept, "%s%s", kept.len ? "&" : "", pairs.v[i]);
	return str_detach(&kept);
}

static bool parse_query(struct claim *c, const struct local_request *req)
{
	auto_free char *algorithm = local_query_get(req, "X-Amz-Algorithm");
	auto_free char *credential = local_query_get(req, "X-Amz-Credential");
	auto_free char *expires = local_query_get(req, "X-Amz-Expires");

	c->is_presigned = true;
	c->time_text = local_query_get(req, "X-Amz-Date");
	c->signed_headers = local_query_get(req, "X-Amz-SignedHeaders");
	c->signature = local_query_get(req, "X-Amz-Signature");
	c->query = query_without_signature(req->query);
	return str_eq(algorithm, ALGORITHM) && credential && expires && c->time_text && c->signed_headers &&
	       c->signature && str_parse_i64(expires, 1, PRESIGNED_MAX_S, &c->expires_s) &&
	       parse_credential(c, credential);
}

/* AUTH_ACCEPTED: parsed. */
static enum auth_verdict parse_claim(struct claim *c, const struct local_request *req)
{
	const char *header = http_headers_get(&req->headers, "Authorization");

	if (!header) {
		if (!local_query_has(req, "X-Amz-Signature"))
			return AUTH_MISSING;
		return parse_query(c, req) ? AUTH_ACCEPTED : AUTH_MALFORMED;
	}
	if (!str_starts(header, ALGORITHM " "))
		return AUTH_MALFORMED;
	c->query = xstrdup(req->query);
	c->time_text = xstrdup_or_null(http_headers_get(&req->headers, "x-amz-date"));
	return parse_header(c, header) && c->time_text ? AUTH_ACCEPTED : AUTH_MALFORMED;
}

bool auth_claim(struct local_request *req)
{
	auto_claim c = { 0 };

	if (parse_claim(&c, req) != AUTH_ACCEPTED)
		return false;
	free(req->service);
	free(req->region);
	req->service = take(c.service);
	req->region = take(c.region);
	return true;
}

/* 20231123T013854Z */
static bool parse_basic_time(const char *s, time_t *ret)
{
	auto_free char *iso = NULL;

	if (strlen(s) != 16 || strspn(s, "0123456789") != 8 || s[8] != 'T' || strspn(s + 9, "0123456789") != 6 ||
	    s[15] != 'Z')
		return false;
	iso = xasprintf("%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", s, s + 4, s + 6, s + 9, s + 11, s + 13);
	return str_parse_time_iso(iso, ret) == 0;
}

void auth_seed_release(struct auth_seed *s)
{
	free(s->signature);
	free(s->time_text);
	free(s->region);
	free(s->service);
	*s = (struct auth_seed){ 0 };
}

bool auth_seed(const struct local_request *req, struct auth_seed *ret)
{
	auto_claim c = { 0 };
	time_t time;

	if (parse_claim(&c, req) != AUTH_ACCEPTED || c.is_presigned || !parse_basic_time(c.time_text, &time))
		return false;
	*ret = (struct auth_seed){ .signature = take(c.signature),
				   .time_text = take(c.time_text),
				   .region = take(c.region),
				   .service = take(c.service),
				   .time = time };
	return true;
}

static enum auth_verdict check_time(const struct claim *c, time_t time, int64_t now_s, char **ret_words)
{
	int64_t age_s = now_s - (int64_t)time;
	int64_t skew_s = strcmp(c->service, "s3") ? SKEW_S : S3_SKEW_S;

	if (c->is_presigned && age_s > c->expires_s)
		return verdict(AUTH_EXPIRED, ret_words, "Request has expired");
	if (age_s < -skew_s || (!c->is_presigned && age_s > skew_s))
		return verdict(AUTH_SKEWED, ret_words,
			       "Signature expired: the request was signed at %s, %lld s away from this machine's clock",
			       c->time_text, (long long)age_s);
	return AUTH_ACCEPTED;
}

/* The headers that the signature covers; false when one of them is not there, or when host is not among them. */
static bool collect_signed(const struct claim *c, const struct local_request *req, struct http_headers *ret)
{
	auto_strlist names = { 0 };
	bool has_host = false;

	str_split(&names, c->signed_headers, ';');
	for (size_t i = 0; i < names.n; i++) {
		if (!http_headers_get(&req->headers, names.v[i]) || http_headers_get(ret, names.v[i]))
			return false;
		has_host = has_host || !strcmp(names.v[i], "host");
		for (size_t k = 0; k < req->headers.n; k++)
			if (!strcasecmp(req->headers.v[k].name, names.v[i]))
				http_headers_add(ret, names.v[i], req->headers.v[k].value);
	}
	return has_host;
}

static bool is_signature_right(const struct claim *c, time_t time, const struct auth_key *key,
			       const struct local_request *req, const char *payload_hash)
{
	auto_headers headers = { 0 };
	struct sigv4_scope scope = {
		.region = c->region, .service = c->service, .time = time, .is_s3 = !strcmp(c->service, "s3")
	};
	auto_free char *canonical = NULL, *to_sign = NULL, *right = NULL;
	struct digest ours, theirs;

	if (!collect_signed(c, req, &headers))
		return false;
	canonical = sigv4_canonical_request(&(struct sigv4_request){ .method = req->method,
								     .path = req->path,
								     .query = c->query,
								     .headers = &headers,
								     .payload_hash = payload_hash },
					    &scope);
	to_sign = sigv4_string_to_sign(canonical, &scope);
	right = sigv4_signature(to_sign, &scope, key->secret_access_key);
	return digest_parse(right, &ours) == 0 && digest_parse(c->signature, &theirs) == 0 &&
	       digest_equal(&ours, &theirs);
}

/* A header that changes what the request does must be signed, or a listener could add it. */
static const char *unsigned_amz_header(const struct claim *c, const struct local_request *req)
{
	auto_strlist names = { 0 };

	str_split(&names, c->signed_headers, ';');
	for (size_t i = 0; i < req->headers.n; i++) {
		auto_free char *name = str_lower(req->headers.v[i].name);

		if (str_starts(name, "x-amz-") && !strlist_has(&names, name))
			return req->headers.v[i].name;
	}
	return NULL;
}

enum auth_verdict auth_verify(const struct auth_key *key, int64_t now_ms, const struct local_request *req,
			      const char *payload_hash, char **ret_words)
{
	auto_claim c = { 0 };
	const char *declared = http_headers_get(&req->headers, "x-amz-content-sha256"), *loose;
	enum auth_verdict v = parse_claim(&c, req);
	time_t time = 0;

	if (v == AUTH_MISSING)
		return verdict(v, ret_words, "Missing Authentication Token");
	if (v == AUTH_MALFORMED)
		return verdict(
			v, ret_words,
			"The authorization header or query is not a whole AWS4-HMAC-SHA256 signature with its date");
	if (!parse_basic_time(c.time_text, &time) || strncmp(c.time_text, c.date, 8) || strlen(c.date) != 8)
		return verdict(AUTH_MALFORMED, ret_words,
			       "Date in Credential scope does not match the date of the request: '%s' and '%s'", c.date,
			       c.time_text);
	if (strcmp(c.access_key_id, key->access_key_id))
		return verdict(AUTH_UNKNOWN_KEY, ret_words, "The access key id '%s' is not that of this local cloud",
			       c.access_key_id);
	if (!key->takes_tokens &&
	    (http_headers_get(&req->headers, "x-amz-security-token") || local_query_has(req, "X-Amz-Security-Token")))
		return verdict(AUTH_UNKNOWN_TOKEN, ret_words,
			       "This local cloud gives out no session tokens, but the request has one");
	v = check_time(&c, time, now_ms / 1000, ret_words);
	if (v != AUTH_ACCEPTED)
		return v;
	loose = unsigned_amz_header(&c, req);
	if (loose)
		return verdict(AUTH_MISMATCH, ret_words, "The header '%s' is present in the request but not signed",
			       loose);
	if (!is_signature_right(&c, time, key, req,
				c.is_presigned ? "UNSIGNED-PAYLOAD"
				: declared     ? declared
					       : payload_hash))
		return verdict(AUTH_MISMATCH, ret_words,
			       "The request signature we calculated does not match the signature you provided. "
			       "Check your secret access key and signing method.");
	return AUTH_ACCEPTED;
}
