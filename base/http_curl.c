/* The HTTP client of base/http.h on libcurl's multi interface. */

#include <curl/curl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/http.h"
#include "base/http_curl_tls.h"
#include "base/mem.h"
#include "base/sys.h"

#define DEFAULT_MAX_BODY   (16 * 1024 * 1024)
#define MAX_HEADER_BYTES   (256 * 1024)
#define DEFAULT_IDLE_MS    60000
#define CONNECT_TIMEOUT_MS 10000

struct http_curl {
	struct http http;
	CURLM *multi;
	CURL *easy; /* reset between exchanges; its connections live in multi */
};

/* One exchange under way. */
struct exchange {
	const struct http_request *req;
	struct http_response *resp;
	CURL *easy;
	size_t header_bytes;
	struct err *err;
	bool refused; /* a callback put its reason into err */
	bool is_address_refused;
};

static size_t on_read(char *p, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;
	int64_t got = x->req->body->read(x->req->body->ctx, p, size * n, x->err);

	if (got < 0) {
		x->refused = true;
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

static int collect(struct exchange *x, const char *p, size_t n)
{
	size_t max = x->req->max_body_bytes ? x->req->max_body_bytes : DEFAULT_MAX_BODY;

	if (x->resp->body.len + n > max) {
		auto_free char *what = describe(x->req);

		x->refused = true;
		return err_set(x->err, ERR_INVALID, "%s: the answer is larger than %zu bytes", what, max);
	}
	str_add_mem(&x->resp->body, p, n);
	return 0;
}

static size_t on_write(char *p, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;
	long status = 0;

	n *= size;
	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	if (!x->req->sink || status < 200 || status > 299)
		return collect(x, p, n) < 0 ? 0 : n;
	if (x->req->sink(x->req->sink_ctx, p, n, x->err) < 0) {
		x->refused = true;
		return 0;
	}
	return n;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;
	auto_free char *line = NULL;
	auto_free char *value = NULL;
	char *colon;

	n *= size;
	x->header_bytes += n;
	if (x->header_bytes > MAX_HEADER_BYTES) {
		auto_free char *what = describe(x->req);

		x->refused = true;
		err_set(x->err, ERR_INVALID, "%s: the answer's headers are too large", what);
		return 0;
	}
	line = xstrndup(p, n);
	/* A status line begins a new set: that of a 100 Continue is not the answer's. */
	if (str_starts(line, "HTTP/")) {
		http_headers_release(&x->resp->headers);
		return n;
	}
	colon = strchr(line, ':');
	if (!colon)
		return n;
	*colon = '\0';
	value = str_trim(colon + 1);
	http_headers_add(&x->resp->headers, line, value);
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

static void set_body(CURL *e, struct exchange *x)
{
	const struct http_request *req = x->req;

	if (req->body) {
		curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(e, CURLOPT_READDATA, x);
		curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)req->body->size);
		curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
	} else if (req->n || !strcmp(req->method, "POST") || !strcmp(req->method, "PUT")) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->n);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, req->n ? req->bytes : "");
	}
	if (!strcmp(req->method, "HEAD"))
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, req->method);
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
static int check_request(const struct http_request *req, struct err *err)
{
	auto_free char *what = describe(req);

	if (strncmp(req->url, "https://", strlen("https://")) != 0 && !is_near(req))
		return err_set(err, ERR_CONFIG, "%s: only https is spoken to other machines", what);
	return 0;
}

/* Before a socket is made, with the address that the name led to: a name may lead anywhere, and elsewhere next time. */
static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct exchange *x = ctx;
	char text[NI_MAXHOST];

	(void)purpose;
	if (getnameinfo(&a->addr, a->addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) != 0 ||
	    !x->req->allow_address(text)) {
		x->is_address_refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* An older connection to the same name was not judged. */
static void set_address_rule(CURL *e, struct exchange *x)
{
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, x);
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
}

static void set_options(CURL *e, struct exchange *x, struct curl_slist *headers)
{
	const struct http_request *req = x->req;

	curl_easy_setopt(e, CURLOPT_URL, req->url);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 256L * 1024);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)(req->connect_timeout_ms ? req->connect_timeout_ms : CONNECT_TIMEOUT_MS));
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)req->timeout_ms);
	if (req->unix_socket)
		curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, req->unix_socket);
	http_curl_set_tls(e, req->ca_file ? req->ca_file : getenv("AWS_CA_BUNDLE"));
	curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (is_near(req))
		curl_easy_setopt(e, CURLOPT_PROXY, "");
	if (req->allow_address)
		set_address_rule(e, x);
	set_body(e, x);
}

/* The proxy's answer to CONNECT, when it is that which went wrong; else 0. */
static int proxy_refusal(CURL *e)
{
	long status = 0;

	curl_easy_getinfo(e, CURLINFO_HTTP_CONNECTCODE, &status);
	return status / 100 == 2 ? 0 : (int)status;
}

static bool is_distrust(CURLcode code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
	       code == CURLE_SSL_ISSUER_ERROR;
}

static int network_error(struct exchange *x, CURLcode code, const char *details)
{
	auto_free char *what = describe(x->req);
	int refusal = proxy_refusal(x->easy);

	if (x->is_address_refused) {
		err_set(x->err, ERR_NETWORK, "%s: the host's address is not allowed", what);
		return err_service(x->err, "AddressRefused");
	}
	if (refusal) {
		err_set(x->err, ERR_NETWORK, "%s: the proxy answered %d to CONNECT", what, refusal);
		err_service(x->err, refusal >= 500 ? "NotConnected" : "ProxyRefused");
		return err_hint(x->err, "the proxy comes from HTTPS_PROXY; NO_PROXY lists hosts that need none%s",
				refusal == 407 ? "; this one asks for a user and password in the proxy's URL" : "");
	}
	err_set(x->err, ERR_NETWORK, "%s: %s", what, *details ? details : curl_easy_strerror(code));
	if (is_distrust(code)) {
		err_service(x->err, "NotTrusted");
		return err_hint(x->err, "if a proxy of yours signs for the host, name its CA file in AWS_CA_BUNDLE");
	}
	/* Nothing was sent: any request may be tried again. */
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY)
		err_service(x->err, "NotConnected");
	return -1;
}

/* Bytes that moved so far in both directions. */
static curl_off_t bytes_moved(CURL *e)
{
	curl_off_t up = 0, down = 0;
	long headers = 0;

	curl_easy_getinfo(e, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(e, CURLINFO_SIZE_DOWNLOAD_T, &down);
	curl_easy_getinfo(e, CURLINFO_HEADER_SIZE, &headers);
	return up + down + headers;
}

/* Drive the exchange to its end. Wakes ten times a second to see whether the process was cancelled or the peer is
 * silent. */
static int drive(struct http_curl *c, struct exchange *x, CURLcode *ret_code)
{
	int64_t idle_ms = x->req->idle_ms ? x->req->idle_ms : DEFAULT_IDLE_MS;
	int64_t last_ms = sys_real.ticks_ms(&sys_real);
	curl_off_t moved, last_moved = 0;
	int running = 1, left;
	CURLMsg *msg;

	*ret_code = CURLE_FAILED_INIT; /* until curl says how it ended */
	while (curl_multi_perform(c->multi, &running) == CURLM_OK && running) {
		int64_t now_ms;

		curl_multi_poll(c->multi, NULL, 0, 100, NULL);
		if (sys_check_cancelled(x->err) < 0)
			return -1;
		now_ms = sys_real.ticks_ms(&sys_real);
		moved = bytes_moved(x->easy);
		if (moved != last_moved) {
			last_moved = moved;
			last_ms = now_ms;
		}
		if (idle_ms > 0 && now_ms - last_ms > idle_ms)
			return network_error(x, CURLE_OPERATION_TIMEDOUT, "no answer");
	}
	while ((msg = curl_multi_info_read(c->multi, &left))) {
		if (msg->msg == CURLMSG_DONE)
			*ret_code = msg->data.result;
	}
	return 0;
}

static int send_curl(struct http *http, const struct http_request *req, struct http_response *resp, struct err *err)
{
	struct http_curl *c = (struct http_curl *)http;
	struct exchange x = { .req = req, .resp = resp, .easy = c->easy, .err = err };
	struct curl_slist *headers;
	char details[CURL_ERROR_SIZE] = "";
	CURLcode code = CURLE_OK;
	long status = 0;
	int result;

	if (check_request(req, err) < 0 || check_headers(req, err) < 0)
		return -1;
	headers = header_list(req);
	curl_easy_reset(c->easy);
	set_options(c->easy, &x, headers);
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, details);
	curl_multi_add_handle(c->multi, c->easy);
	result = drive(c, &x, &code);
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(c->multi, c->easy);
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, NULL);
	curl_slist_free_all(headers);
	resp->status = (int)status;
	if (result < 0 || x.refused)
		return -1;
	return code == CURLE_OK ? 0 : network_error(&x, code, details);
}

static void free_curl(struct http *http)
{
	struct http_curl *c = (struct http_curl *)http;

	curl_easy_cleanup(c->easy);
	curl_multi_cleanup(c->multi);
	free(c);
}

static void init_library(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

const char *http_library(void)
{
	return curl_version();
}

struct http *http_curl_new(void)
{
	static const struct http_ops ops = { send_curl, free_curl };
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http_curl *c = xcalloc(1, sizeof(*c));

	pthread_once(&once, init_library);
	c->http.ops = &ops;
	c->multi = curl_multi_init();
	c->easy = curl_easy_init();
	if (!c->multi || !c->easy)
		abort();
	return &c->http;
}
