#include "local/chunked.h"

#include <string.h>
#include <strings.h>

#include "aws/sigv4.h"
#include "base/mem.h"
#include "base/str.h"

#define DECLARATION        "x-amz-content-sha256"
#define LINE_MAX_BYTES     1024
#define TRAILERS_MAX_BYTES ((size_t)8 << 10)
#define CHUNK_MAX_BYTES    (5LL << 30)
#define SIGNATURE          "chunk-signature="
#define TRAILER_SIGNATURE  "x-amz-trailer-signature"

/* Where in the body the next byte stands. */
enum place { AT_SIZE, IN_DATA, BEHIND_DATA, IN_TRAILER };

static const struct kind {
	const char *declared;
	bool is_signed, has_trailer;
} kinds[] = {
	{ "STREAMING-UNSIGNED-PAYLOAD-TRAILER", false, true },
	{ "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", true, false },
	{ "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", true, true },
};

struct chunked {
	const struct kind *kind;
	struct auth_seed seed; /* its signature is that of the last chunk */
	struct secret secret_access_key;
	char *announced; /* the header that the trailer may have; NULL for none */
	int64_t decoded_bytes;
	enum place place;
	struct str line;
	uint64_t left; /* of the chunk */
	bool is_last;
	char *claimed;               /* signature of the chunk */
	struct digest_state *digest; /* of the chunk */
	struct str trailer;          /* "name:value\n" of each header but the signature */
	char *trailer_signature;
};

void chunked_free(struct chunked *c)
{
	if (!c)
		return;
	auth_seed_release(&c->seed);
	secret_release(&c->secret_access_key);
	free(c->announced);
	str_release(&c->line);
	free(c->claimed);
	digest_free(c->digest);
	str_release(&c->trailer);
	free(c->trailer_signature);
	free(c);
}

static int refuse(struct err *err, const char *code, const char *words)
{
	err_set(err, ERR_INVALID, "%s", words);
	return err_service(err, code);
}

bool chunked_is_declared(const struct local_request *req)
{
	const char *declared = http_headers_get(&req->headers, DECLARATION);

	return declared && str_starts(declared, "STREAMING-");
}

static const struct kind *find_kind(const struct local_request *req)
{
	const char *declared = http_headers_get(&req->headers, DECLARATION);

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq(kinds[i].declared, declared))
			return &kinds[i];
	return NULL;
}

int chunked_new(const struct local_request *req, const struct auth_key *key, struct chunked **ret, struct err *err)
{
	const char *length = http_headers_get(&req->headers, "x-amz-decoded-content-length");
	const struct kind *kind = find_kind(req);
	int64_t decoded_bytes;
	struct chunked *c;

	if (!kind)
		return refuse(err, "NotImplemented", "The local cloud knows no such kind of x-amz-content-sha256");
	if (!length || !str_parse_i64(length, 0, INT64_MAX, &decoded_bytes))
		return refuse(err, "MissingContentLength",
			      "You must provide the x-amz-decoded-content-length HTTP header.");
	c = xcalloc(1, sizeof(*c));
	c->kind = kind;
	c->decoded_bytes = decoded_bytes;
	if (kind->is_signed && !auth_seed(req, &c->seed)) {
		chunked_free(c);
		return refuse(err, "InvalidRequest", "Signed chunks need a signature in the Authorization header");
	}
	secret_set(&c->secret_access_key, key->secret_access_key);
	c->announced = xstrdup_or_null(http_headers_get(&req->headers, "x-amz-trailer"));
	*ret = c;
	return 0;
}

/* Whether claimed is the next signature of the chain; a link is the words in which the kinds of links differ. */
static int check_link(struct chunked *c, const char *algorithm, const char *link, const char *claimed, struct err *err)
{
	struct sigv4_scope scope = {
		.region = c->seed.region, .service = c->seed.service, .time = c->seed.time, .is_s3 = true
	};
	auto_free char *scope_text = sigv4_credential_scope(&scope), *right = NULL, *to_sign = NULL;
	struct digest ours, theirs;

	to_sign = xasprintf("%s\n%s\n%s\n%s\n%s", algorithm, c->seed.time_text, scope_text, c->seed.signature, link);
	right = sigv4_signature(to_sign, &scope, c->secret_access_key.value);
	if (!claimed || digest_parse(claimed, &theirs) < 0 || digest_parse(right, &ours) < 0 ||
	    !digest_equal(&ours, &theirs))
		return refuse(err, "SignatureDoesNotMatch",
			      "The signature of a chunk is not that which we calculated from the one before it.");
	free(c->seed.signature);
	c->seed.signature = take(right);
	return 0;
}

static int end_chunk(struct chunked *c, struct err *err)
{
	struct digest empty = digest_of("", 0), content = digest_final(c->digest);
	auto_free char *empty_hex = digest_hex(&empty), *hex = digest_hex(&content);
	auto_free char *link = xasprintf("%s\n%s", empty_hex, hex);

	digest_free(c->digest);
	c->digest = NULL;
	c->place = c->is_last ? IN_TRAILER : BEHIND_DATA;
	return c->kind->is_signed ? check_link(c, "AWS4-HMAC-SHA256-PAYLOAD", link, c->claimed, err) : 0;
}

/* "10000;chunk-signature=…" */
static int begin_chunk(struct chunked *c, const char *line, struct err *err)
{
	const char *semicolon = strchr(line, ';');
	size_t n = semicolon ? (size_t)(semicolon - line) : strlen(line);

	if (n == 0 || n > 12 || strspn(line, "0123456789abcdefABCDEF") != n)
		return refuse(err, "InvalidRequest", "A chunk does not begin with its size");
	c->left = strtoull(line, NULL, 16);
	if (c->left > CHUNK_MAX_BYTES)
		return refuse(err, "InvalidRequest", "A chunk is too large");
	c->is_last = c->left == 0;
	free(c->claimed);
	c->claimed =
		semicolon && str_starts(semicolon + 1, SIGNATURE) ? xstrdup(semicolon + 1 + strlen(SIGNATURE)) : NULL;
	c->digest = digest_new();
	c->place = IN_DATA;
	return c->is_last ? end_chunk(c, err) : 0;
}

static int add_trailer(struct chunked *c, const char *line, struct err *err)
{
	const char *colon = strchr(line, ':');
	auto_free char *name = colon ? xstrndup(line, (size_t)(colon - line)) : NULL;
	auto_free char *value = colon ? str_trim(colon + 1) : NULL;

	if (!*line)
		return 0;
	if (!colon || c->trailer.len + strlen(line) > TRAILERS_MAX_BYTES)
		return refuse(err, "MalformedTrailerError",
			      "The request contained trailing data that was not "
			      "well-formed or did not conform to our published schema.");
	if (!strcasecmp(name, TRAILER_SIGNATURE) && !c->trailer_signature)
		c->trailer_signature = take(value);
	else
		str_addf(&c->trailer, "%s:%s\n", name, value);
	return 0;
}

static int take_line(struct chunked *c, struct err *err)
{
	auto_free char *line = str_detach(&c->line);
	size_t n = strlen(line);

	if (n && line[n - 1] == '\r')
		line[n - 1] = '\0';
	if (c->place == AT_SIZE)
		return begin_chunk(c, line, err);
	if (c->place == IN_TRAILER)
		return add_trailer(c, line, err);
	c->place = AT_SIZE;
	return *line ? refuse(err, "InvalidRequest", "A chunk is longer than its size") : 0;
}

/* Bytes of a line that may come in pieces; returns how many of them it took, -1 with err. */
static int64_t add_line(struct chunked *c, const char *p, size_t n, struct err *err)
{
	const char *end = memchr(p, '\n', n);
	size_t used = end ? (size_t)(end - p) : n;

	if (c->line.len + used > LINE_MAX_BYTES || memchr(p, '\0', used))
		return refuse(err, "InvalidRequest", "A line between chunks is too long or no text");
	str_add_mem(&c->line, p, used);
	if (!end)
		return (int64_t)used;
	return take_line(c, err) < 0 ? -1 : (int64_t)used + 1;
}

static int64_t add_data(struct chunked *c, const char *p, size_t n, struct server_body *body, struct err *err)
{
	size_t used = n < c->left ? n : (size_t)c->left;

	if (server_body_add(body, p, used, err) < 0)
		return -1;
	digest_update(c->digest, p, used);
	c->left -= used;
	return c->left == 0 && end_chunk(c, err) < 0 ? -1 : (int64_t)used;
}

int chunked_add(struct chunked *c, const char *p, size_t n, struct server_body *body, struct err *err)
{
	while (n > 0) {
		int64_t used = c->place == IN_DATA ? add_data(c, p, n, body, err) : add_line(c, p, n, err);

		if (used < 0)
			return -1;
		p += used;
		n -= (size_t)used;
	}
	return 0;
}

static int check_trailer(struct chunked *c, struct err *err)
{
	struct digest d = digest_of(str_text(&c->trailer), c->trailer.len);
	auto_free char *hex = digest_hex(&d);

	if (!c->kind->has_trailer || !c->kind->is_signed)
		return 0;
	return check_link(c, "AWS4-HMAC-SHA256-TRAILER", hex, c->trailer_signature, err);
}

/* Only what was announced, by a header that the signature covers, and only a checksum. */
static int take_trailer(const struct chunked *c, struct http_headers *headers, struct err *err)
{
	auto_strlist lines = { 0 };

	str_split(&lines, str_text(&c->trailer), '\n');
	for (size_t i = 0; i < lines.n; i++) {
		char *colon = strchr(lines.v[i], ':');

		if (!colon)
			continue;
		*colon = '\0';
		if (!c->kind->has_trailer || !c->announced || strcasecmp(lines.v[i], c->announced) ||
		    strncasecmp(lines.v[i], "x-amz-checksum-", strlen("x-amz-checksum-")))
			return refuse(err, "MalformedTrailerError",
				      "The trailer has a header that x-amz-trailer does "
				      "not announce");
		http_headers_add(headers, lines.v[i], colon + 1);
	}
	return 0;
}

int chunked_finish(struct chunked *c, const struct server_body *body, struct http_headers *headers, struct err *err)
{
	/* The last line may lack its end. */
	if (c->line.len && take_line(c, err) < 0)
		return -1;
	if (c->place != IN_TRAILER || body->size != (uint64_t)c->decoded_bytes)
		return refuse(err, "IncompleteBody",
			      "The request body terminated unexpectedly: it is not as long as announced");
	if (check_trailer(c, err) < 0 || take_trailer(c, headers, err) < 0)
		return -1;
	if (c->announced && c->kind->has_trailer && !http_headers_get(headers, c->announced))
		return refuse(err, "MalformedTrailerError",
			      "The header that x-amz-trailer announces is not in the "
			      "trailer");
	return 0;
}
