#include "base/http_curl_exchange.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/http_curl_tls.h"
#include "base/mem.h"

#define DEFAULT_MAX_BODY   (16 * 1024 * 1024)
#define MAX_HEADER_BYTES   (256 * 1024)
#define CONNECT_TIMEOUT_MS 10000

/* libcurl's own buffers, one pair per exchange. Bodies that are sent go through the larger one in few calls. */
#define UPLOAD_BUFFER_BYTES   (512L * 1024)
#define DOWNLOAD_BUFFER_BYTES (256L * 1024)
#define ANSWER_BUFFER_BYTES   (16L * 1024)

static size_t on_read(char *p, size_t size, size_t n, void *ctx)
{
	struct exchange *e = ctx;
	int64_t got = e->call->req->body->read(e->call->req->body->ctx, p, size * n, e->call->err);

	if (got < 0) {
		e->refused = true;
		return CURL_READFUNC_ABORT;
	}
	return (size_t)got;
}

/* A request in words, without the query: it may hold a signature. */
static char *describe(const struct http_request *req)
{
	const char *where = req->unix_socket ? req->unix_socket : req->url;

	return xasprintf("%s %.*s", req->method, (int)strcspn(where, "?"), where);
}

static int collect(struct exchange *e, const char *p, size_t n)
{
	size_t max = e->call->req->max_body_bytes ? e->call->req->max_body_bytes : DEFAULT_MAX_BODY;

	if (e->call->resp->body.len + n > max) {
		auto_free char *what = describe(e->call->req);

		e->refused = true;
		return err_set(e->call->err, ERR_INVALID, "%s: the answer is larger than %zu bytes", what, max);
	}
	str_add_mem(&e->call->resp->body, p, n);
	return 0;
}

static size_t on_write(char *p, size_t size, size_t n, void *ctx)
{
	struct exchange *e = ctx;
	long status = 0;

	n *= size;
	curl_easy_getinfo(e->easy, CURLINFO_RESPONSE_CODE, &status);
	if (!e->call->req->sink || status < 200 || status > 299)
		return collect(e, p, n) < 0 ? 0 : n;
	if (e->call->req->sink(e->call->req->sink_ctx, p, n, e->call->err) < 0) {
		e->refused = true;
		return 0;
	}
	return n;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct exchange *e = ctx;
	auto_free char *line = NULL;
	auto_free char *value = NULL;
	char *colon;

	n *= size;
	e->header_bytes += n;
	if (e->header_bytes > MAX_HEADER_BYTES) {
		auto_free char *what = describe(e->call->req);

		e->refused = true;
		err_set(e->call->err, ERR_INVALID, "%s: the answer's headers are too large", what);
		return 0;
	}
	line = xstrndup(p, n);
	/* A status line begins a new set: that of a 100 Continue is not the answer's. */
	if (str_starts(line, "HTTP/")) {
		http_headers_release(&e->call->resp->headers);
		return n;
	}
	colon = strchr(line, ':');
	if (!colon)
		return n;
	*colon = '\0';
	value = str_trim(colon + 1);
	http_headers_add(&e->call->resp->headers, line, value);
	return n;
}

/* A line break in a value would make a header of its own. Values may be secret: only the name is shown. */
static int check_headers(const struct http_request *req, struct err *err)
{
	for (size_t i = 0; i < req->headers.n; i++) {
		if (strpbrk(req->headers.v[i].value, "\r\n"))
			return err_set(err, ERR_INVALID, "the value of header '%s' holds a line break",
				       req->headers.v[i].name);
	}
	return 0;
}

static struct curl_slist *header_list(const struct http_request *req)
{
	/* Nothing that libcurl adds by itself: every header is the caller's, because signatures cover them. */
	struct curl_slist *list = curl_slist_append(NULL, "Accept:");

	list = curl_slist_append(list, "Expect:");
	for (size_t i = 0; i < req->headers.n; i++) {
		/* libcurl's spelling of a header with an empty value */
		auto_free char *line = *req->headers.v[i].value
					       ? xasprintf("%s: %s", req->headers.v[i].name, req->headers.v[i].value)
					       : xasprintf("%s;", req->headers.v[i].name);

		list = curl_slist_append(list, line);
	}
	if (!http_headers_get(&req->headers, "content-type"))
		list = curl_slist_append(list, "Content-Type:");
	return list;
}

static void set_body(struct exchange *e)
{
	const struct http_request *req = e->call->req;

	if (req->body) {
		curl_easy_setopt(e->easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(e->easy, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(e->easy, CURLOPT_READDATA, e);
		curl_easy_setopt(e->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)req->body->size);
		curl_easy_setopt(e->easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_BYTES);
	} else if (req->n || !strcmp(req->method, "POST") || !strcmp(req->method, "PUT")) {
		curl_easy_setopt(e->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(e->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->n);
		curl_easy_setopt(e->easy, CURLOPT_POSTFIELDS, req->n ? req->bytes : "");
	}
	if (!strcmp(req->method, "HEAD"))
		curl_easy_setopt(e->easy, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(e->easy, CURLOPT_CUSTOMREQUEST, req->method);
}

/* Whether a request goes to a place that this machine alone reaches, or only to addresses that are judged. */
static bool is_near(const struct http_request *req)
{
	auto_err ignored = { 0 };
	auto_url u = { 0 };

	if (req->unix_socket || req->allow_address)
		return true;
	return http_url_parse(req->url, &u, &ignored) == 0 && (http_is_loopback(u.host) || http_is_link_local(u.host));
}

/* The last gate, whoever made the URL. */
int exchange_check(const struct http_request *req, struct err *err)
{
	auto_free char *what = NULL;

	if (check_headers(req, err) < 0)
		return -1;
	if (!strncmp(req->url, "https://", strlen("https://")) || is_near(req))
		return 0;
	what = describe(req);
	return err_set(err, ERR_CONFIG, "%s: only https is spoken to other machines", what);
}

/* The address is the one that the name led to: a name may lead anywhere, and elsewhere next time. */
curl_socket_t exchange_open_socket(struct exchange *e, const struct curl_sockaddr *address)
{
	const struct http_request *req = e->call->req;
	char text[NI_MAXHOST];

	if (req->allow_address &&
	    (getnameinfo(&address->addr, address->addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) != 0 ||
	     !req->allow_address(text))) {
		e->is_address_refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/*
 * libcurl sends a request again, whatever its method, when a connection that was used before ends without an answer.
 * Nobody knows whether the first was carried out: that is for the caller to decide.
 */
static int on_send(void *ctx, char *address, char *own_address, int port, int own_port)
{
	struct exchange *e = ctx;

	(void)address;
	(void)own_address;
	(void)port;
	(void)own_port;
	return e->n_sent++ && !e->header_bytes ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static void set_callbacks(struct exchange *e)
{
	bool is_large = e->call->req->sink || e->call->req->max_body_bytes > DEFAULT_MAX_BODY;

	curl_easy_setopt(e->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e->easy, CURLOPT_HEADERDATA, e);
	curl_easy_setopt(e->easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(e->easy, CURLOPT_WRITEDATA, e);
	curl_easy_setopt(e->easy, CURLOPT_PREREQFUNCTION, on_send);
	curl_easy_setopt(e->easy, CURLOPT_PREREQDATA, e);
	curl_easy_setopt(e->easy, CURLOPT_BUFFERSIZE, is_large ? DOWNLOAD_BUFFER_BYTES : ANSWER_BUFFER_BYTES);
	curl_easy_setopt(e->easy, CURLOPT_ERRORBUFFER, e->details);
	curl_easy_setopt(e->easy, CURLOPT_PRIVATE, e);
}

static const char *ca_file_of(const struct http_request *req)
{
	return req->ca_file ? req->ca_file : getenv("AWS_CA_BUNDLE");
}

void exchange_set_options(struct exchange *e)
{
	const struct http_request *req = e->call->req;
	int64_t connect_ms = req->connect_timeout_ms ? req->connect_timeout_ms : CONNECT_TIMEOUT_MS;
	CURL *easy = e->easy;

	e->headers = header_list(req);
	set_callbacks(e);
	curl_easy_setopt(easy, CURLOPT_URL, req->url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, e->headers);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)req->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (req->unix_socket)
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, req->unix_socket);
	http_curl_set_tls(easy, ca_file_of(req));
	if (is_near(req))
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	if (req->allow_address) {
		/* An older connection to the same name was not judged. */
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
		curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	}
	set_body(e);
}

/* The proxy's answer to CONNECT, when it is that which went wrong; else 0. */
static int proxy_refusal(CURL *easy)
{
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
	return status / 100 == 2 ? 0 : (int)status;
}

static bool is_distrust(CURLcode code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR;
}

static int ca_file_error(const struct exchange *e, const char *what)
{
	const char *file = ca_file_of(e->call->req);
	struct err *err = e->call->err;

	if (!file || !*file) {
		err_set(err, ERR_NETWORK, "%s: the system's CA certificates cannot be read", what);
	} else {
		auto_free char *shown = str_printable(file);

		err_set(err, ERR_NETWORK, "%s: the CA file '%s': %s", what, shown,
			access(file, R_OK) < 0 ? strerror(errno) : "it holds no certificate that can be read");
		err_hint(err, "AWS_CA_BUNDLE names it, or ca_bundle in the profile");
	}
	return err_service(err, "NotTrusted");
}

/* OpenSSL's words for an answer in plain text: libcurl has one code for all that goes wrong in a handshake. */
static bool is_plain_text(const struct exchange *e, CURLcode code)
{
	return code == CURLE_SSL_CONNECT_ERROR && strstr(e->details, "wrong version number");
}

static int no_tls_error(const struct exchange *e, const char *what)
{
	err_set(e->call->err, ERR_NETWORK, "%s: what answers there speaks no TLS", what);
	err_hint(e->call->err, "http:// may be meant, in the endpoint's URL or in a proxy's");
	return err_service(e->call->err, "NoTls");
}

static int network_error(struct exchange *e, CURLcode code)
{
	auto_free char *what = describe(e->call->req);
	int refusal = proxy_refusal(e->easy);

	if (e->is_address_refused) {
		err_set(e->call->err, ERR_NETWORK, "%s: the host's address is not allowed", what);
		return err_service(e->call->err, "AddressRefused");
	}
	if (refusal) {
		err_set(e->call->err, ERR_NETWORK, "%s: the proxy answered %d to CONNECT", what, refusal);
		err_service(e->call->err, refusal >= 500 ? "NotConnected" : "ProxyRefused");
		return err_hint(e->call->err, "the proxy comes from HTTPS_PROXY; NO_PROXY lists hosts that need none%s",
				refusal == 407 ? "; this one asks for a user and password in the proxy's URL" : "");
	}
	if (e->n_sent > 1 && code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(e->call->err, ERR_NETWORK, "%s: the connection ended without an answer", what);
	if (code == CURLE_SSL_CACERT_BADFILE)
		return ca_file_error(e, what);
	if (is_plain_text(e, code))
		return no_tls_error(e, what);
	err_set(e->call->err, ERR_NETWORK, "%s: %s", what, *e->details ? e->details : curl_easy_strerror(code));
	if (is_distrust(code)) {
		err_service(e->call->err, "NotTrusted");
		return err_hint(e->call->err,
				"if a proxy of yours signs for the host, name its CA file in AWS_CA_BUNDLE");
	}
	/* Nothing was sent: any request may be tried again. */
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY)
		err_service(e->call->err, "NotConnected");
	return -1;
}

curl_off_t exchange_bytes_moved(const struct exchange *e)
{
	curl_off_t up = 0, down = 0;
	long headers = 0;

	curl_easy_getinfo(e->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(e->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	curl_easy_getinfo(e->easy, CURLINFO_HEADER_SIZE, &headers);
	return up + down + headers;
}

int exchange_silent(struct exchange *e)
{
	snprintf(e->details, sizeof(e->details), "no answer");
	return network_error(e, CURLE_OPERATION_TIMEDOUT);
}

int exchange_finish(struct exchange *e, CURLcode code)
{
	long status = 0;

	curl_easy_getinfo(e->easy, CURLINFO_RESPONSE_CODE, &status);
	e->call->resp->status = (int)status;
	if (e->refused)
		return -1;
	return code == CURLE_OK ? 0 : network_error(e, code);
}
