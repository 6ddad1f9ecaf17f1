#ifndef SMPIPE_BASE_HTTP_H
#define SMPIPE_BASE_HTTP_H

/*
 * HTTP client. An http belongs to one thread; connections are kept and used again. Any number of exchanges may be under
 * way on one client (http_submit, http_perform); http_send is one of them, waited for.
 *
 * An exchange never retries, never follows a redirect and sends nothing but the headers given (plus
 * Host, Content-Length and what HTTP itself needs). Any status is a success of the exchange; the caller judges it.
 * ERR_NETWORK: there was no whole answer; service code NotConnected: nothing was sent; NotTrusted: the server's
 * certificate is none that may be trusted, or the CA file cannot be read; ProxyRefused: the proxy will not connect;
 * NoTls: what answered an https URL speaks no TLS; AddressRefused: see allow_address.
 * ERR_CANCELLED. ERR_INVALID: the answer is over a limit. ERR_CONFIG: plain http to another machine, which is never
 * spoken (loopback and the link-local addresses of clouds excepted).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct http_header {
	char *name, *value;
};

/* Ordered; names compare without case. Zeroed memory is empty. */
struct http_headers {
	struct http_header *v;
	size_t n, cap;
};

#define auto_headers __attribute__((cleanup(http_headers_release))) struct http_headers

void http_headers_add(struct http_headers *h, const char *name, const char *value);
void http_headers_addf(struct http_headers *h, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void http_headers_set(struct http_headers *h, const char *name, const char *value); /* replaces all of that name */
const char *http_headers_get(const struct http_headers *h, const char *name);       /* the first, or NULL; borrowed */
void http_headers_copy(struct http_headers *to, const struct http_headers *from);   /* appends */
void http_headers_release(struct http_headers *h);

/* Where a request body comes from when it does not lie in memory. */
struct http_body {
	/* Up to n bytes into p; 0 at the end; -1 with err. */
	int64_t (*read)(void *ctx, void *p, size_t n, struct err *err);
	void *ctx;
	int64_t size; /* bytes, or -1 for chunked transfer */
};

/* Receives the answer's body as it comes, only for statuses 200 to 299; -1 with err ends the exchange. */
typedef int (*http_sink_fn)(void *ctx, const char *p, size_t n, struct err *err);

struct http_request {
	const char *method;
	const char *url;         /* sent as it is: no normalisation of dot segments */
	const char *unix_socket; /* path of a unix socket to connect to instead of the URL's host, or NULL */
	const char *ca_file; /* the only certificate authorities to trust; NULL: AWS_CA_BUNDLE's, else the system's */
	struct http_headers headers;
	const void *bytes; /* body in memory, n bytes … */
	size_t n;
	const struct http_body *body; /* … or a source; NULL and n == 0: no body */
	http_sink_fn sink;            /* NULL: the body is collected in the response */
	void *sink_ctx;
	size_t max_body_bytes;      /* limit of a collected body; 0 = 16 MiB */
	int64_t timeout_ms;         /* of the whole exchange; 0 = none */
	int64_t idle_ms;            /* longest time without a byte in either direction; 0 = 60 s, -1 = none */
	int64_t connect_timeout_ms; /* 0 = 10 s */
	/*
	 * Judges each address ("169.254.170.2", "fd00:ec2::23") before a socket is opened to it, after names are
	 * resolved: what it refuses is never connected to, and an exchange without another address ends with
	 * ERR_NETWORK and the service code "AddressRefused". No proxy is used and no older connection. NULL: any.
	 */
	bool (*allow_address)(const char *address);
};

struct http_response {
	int status;
	struct http_headers headers;
	struct str body;
};

#define auto_response __attribute__((cleanup(http_response_release))) struct http_response
void http_response_release(struct http_response *r);

struct http;

/* One exchange among many. The caller's memory, and what it points to is borrowed, until done is called. */
struct http_exchange {
	const struct http_request *req;
	struct http_response *resp; /* zeroed; as http_send leaves it */
	struct err *err;            /* empty */
	int result;                 /* of the exchange, once it is done: 0, or -1 with err */
	/* May submit others, and release x. Must not call http_send, http_perform or http_abandon. */
	void (*done)(struct http_exchange *x);
	void *ctx;
	void *client; /* the client's own */
};

/* The seam: how an exchange is done. Tests bring their own; without submit and the rest, http_submit does all at once
 * by send. */
struct http_ops {
	int (*send)(struct http *http, const struct http_request *req, struct http_response *ret_resp, struct err *err);
	void (*free)(struct http *http);
	void (*submit)(struct http *http, struct http_exchange *x);
	int (*perform)(struct http *http, int64_t timeout_ms, struct err *err);
	void (*abandon)(struct http *http, struct http_exchange *x);
	void (*wake)(struct http *http);
};

struct http {
	const struct http_ops *ops;
};

/* "libcurl/7.88.1 …", for records. */
const char *http_library(void);

/*
 * A client on libcurl. TLS: base/http_curl_tls.h. Proxies come from HTTPS_PROXY, ALL_PROXY and NO_PROXY, never for
 * loopback and link-local addresses.
 */
struct http *http_curl_new(void);

/* *ret_resp must be zeroed; on error it may hold what was received and is the caller's to release all the same. */
int http_send(struct http *http, const struct http_request *req, struct http_response *ret_resp, struct err *err);

/* Begin an exchange. What cannot be sent at all is done, with an error, before this returns. */
void http_submit(struct http *http, struct http_exchange *x);
/*
 * Drive all exchanges until one is done, http_wake is called or timeout_ms (0: as far as it goes without waiting; at
 * most 100 at a time) are over. ERR_CANCELLED: the exchanges are still under way.
 */
int http_perform(struct http *http, int64_t timeout_ms, struct err *err);
/* Give up an exchange that is not done; its connection is closed and done is not called. */
void http_abandon(struct http *http, struct http_exchange *x);
/* Make http_perform return, now or when it is next called. From any thread. */
void http_wake(struct http *http);

/* Nothing is under way. */
void http_free(struct http *http);
void http_free_p(struct http **http);
#define auto_http __attribute__((cleanup(http_free_p))) struct http

/* Parts of an absolute http(s) URL; new strings. port is -1 when absent. ERR_INVALID. */
struct http_url {
	char *scheme, *host, *path, *query; /* path begins with '/'; query without '?', NULL if absent */
	int port;
};
#define auto_url __attribute__((cleanup(http_url_release))) struct http_url
int http_url_parse(const char *url, struct http_url *ret, struct err *err);
void http_url_release(struct http_url *u);

/* What may be shown of a URL, or of what should have been one: without user, password, query and fragment. New string.
 */
char *http_url_shown(const char *url);

/* Whether an ERR_NETWORK of an exchange is one that another try cannot mend: a certificate, a proxy's rule, no TLS. */
bool http_loss_is_final(const struct err *err);

/* Whether a host is a loopback name or address: localhost, names below it (libcurl asks nobody for them), 127.0.0.0/8,
 * ::1. */
bool http_is_loopback(const char *host);

/* Whether a host is an address at which clouds answer their own machines only: 169.254.0.0/16, fd00:ec2::/32. */
bool http_is_link_local(const char *host);

#endif
