#include "base/http.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

void http_headers_add(struct http_headers *h, const char *name, const char *value)
{
	array_grow(h->v, h->n, h->cap);
	h->v[h->n++] = (struct http_header){ xstrdup(name), xstrdup(value) };
}

void http_headers_addf(struct http_headers *h, const char *name, const char *fmt, ...)
{
	auto_free char *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	value = xvasprintf(fmt, ap);
	va_end(ap);
	http_headers_add(h, name, value);
}

static void release_header(struct http_header *header)
{
	/* Values may be credentials. */
	explicit_bzero(header->value, strlen(header->value));
	free(header->name);
	free(header->value);
}

void http_headers_set(struct http_headers *h, const char *name, const char *value)
{
	auto_free char *copy = xstrdup(value);
	size_t kept = 0;

	for (size_t i = 0; i < h->n; i++) {
		if (strcasecmp(h->v[i].name, name) != 0)
			h->v[kept++] = h->v[i];
		else
			release_header(&h->v[i]);
	}
	h->n = kept;
	http_headers_add(h, name, copy);
}

const char *http_headers_get(const struct http_headers *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++) {
		if (!strcasecmp(h->v[i].name, name))
			return h->v[i].value;
	}
	return NULL;
}

void http_headers_copy(struct http_headers *to, const struct http_headers *from)
{
	for (size_t i = 0; i < from->n; i++)
		http_headers_add(to, from->v[i].name, from->v[i].value);
}

void http_headers_release(struct http_headers *h)
{
	for (size_t i = 0; i < h->n; i++)
		release_header(&h->v[i]);
	free(h->v);
	*h = (struct http_headers){ 0 };
}

void http_response_release(struct http_response *r)
{
	http_headers_release(&r->headers);
	str_release(&r->body);
	r->status = 0;
}

int http_send(struct http *http, const struct http_request *req, struct http_response *ret_resp, struct err *err)
{
	return http->ops->send(http, req, ret_resp, err);
}

void http_submit(struct http *http, struct http_exchange *x)
{
	if (http->ops->submit) {
		http->ops->submit(http, x);
		return;
	}
	x->result = http->ops->send(http, x->req, x->resp, x->err);
	x->done(x);
}

int http_perform(struct http *http, int64_t timeout_ms, struct err *err)
{
	return http->ops->perform ? http->ops->perform(http, timeout_ms, err) : 0;
}

void http_abandon(struct http *http, struct http_exchange *x)
{
	if (http->ops->abandon)
		http->ops->abandon(http, x);
}

void http_wake(struct http *http)
{
	if (http->ops->wake)
		http->ops->wake(http);
}

void http_free(struct http *http)
{
	if (http)
		http->ops->free(http);
}

void http_free_p(struct http **http)
{
	http_free(*http);
}

static int parse_port(const char *text, int *ret_port)
{
	int64_t port;

	if (!str_parse_i64(text, 1, 65535, &port))
		return -1;
	*ret_port = (int)port;
	return 0;
}

/* host, host:port, [v6] or [v6]:port. */
static int parse_authority(const char *authority, struct http_url *u)
{
	const char *end = authority + strcspn(authority, ":");

	for (const char *p = authority; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("@\\\"<>^`{|}", *p))
			return -1;
	if (*authority == '[') {
		end = authority + 1 + strspn(authority + 1, "0123456789abcdefABCDEF:.");
		if (*end != ']' || end == authority + 1)
			return -1;
		u->host = xstrndup(authority + 1, (size_t)(end - authority - 1));
		end++;
	} else {
		if (end == authority)
			return -1;
		u->host = xstrndup(authority, (size_t)(end - authority));
	}
	u->port = -1;
	if (!*end)
		return 0;
	return *end == ':' ? parse_port(end + 1, &u->port) : -1;
}

char *http_url_shown(const char *url)
{
	const char *authority = strstr(url, "://");
	const char *end = url + strcspn(url, "?#"), *at = NULL;

	authority = authority && authority < end ? authority + strlen("://") : url;
	/* Up to the last '@': a password may hold anything, and this text may be no URL at all. */
	for (const char *p = authority; p < end; p++)
		if (*p == '@')
			at = p;
	return xasprintf("%.*s%s%.*s", (int)(authority - url), url, at ? "…" : "", (int)(end - (at ? at : authority)),
			 at ? at : authority);
}

int http_url_parse(const char *url, struct http_url *ret, struct err *err)
{
	auto_url u = { 0 };
	auto_free char *authority = NULL;
	auto_free char *whole = xstrndup(url, strcspn(url, "#")), *shown = http_url_shown(url);
	const char *rest = strstr(whole, "://"), *query;
	size_t n;

	if (!rest || (!str_starts(url, "http://") && !str_starts(url, "https://")))
		return err_set(err, ERR_INVALID, "'%s' is no http or https URL", shown);
	u.scheme = xstrndup(whole, (size_t)(rest - whole));
	rest += 3;
	n = strcspn(rest, "/?");
	authority = xstrndup(rest, n);
	/* Not shown: it is a password that stands there. */
	if (strchr(authority, '@'))
		return err_set(err, ERR_INVALID, "an URL with a user name or password in it is not taken");
	if (parse_authority(authority, &u) < 0)
		return err_set(err, ERR_INVALID, "'%s' has no valid host", shown);
	rest += n;
	query = strchr(rest, '?');
	n = query ? (size_t)(query - rest) : strlen(rest);
	u.path = *rest == '/' ? xstrndup(rest, n) : xstrdup("/");
	u.query = query ? xstrdup(query + 1) : NULL;
	*ret = u;
	u = (struct http_url){ 0 };
	return 0;
}

void http_url_release(struct http_url *u)
{
	free(u->scheme);
	free(u->host);
	free(u->path);
	free(u->query);
	*u = (struct http_url){ 0 };
}

/* Four decimal numbers, the first ones as given: other spellings of an address are not trusted. */
static bool is_v4_below(const char *host, const char *first, const char *second)
{
	auto_strlist parts = { 0 };
	int64_t n;

	str_split(&parts, host, '.');
	for (size_t i = 0; i < parts.n; i++) {
		if (parts.v[i][0] == '-' || !str_parse_i64(parts.v[i], 0, 255, &n))
			return false;
	}
	return parts.n == 4 && !strcmp(parts.v[0], first) && (!second || !strcmp(parts.v[1], second));
}

/* "sts.localhost", and nothing that merely ends so: "example.com/.localhost". */
static bool is_below_localhost(const char *host)
{
	static const char label_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t label = strspn(host, label_bytes);

	while (label && host[label] == '.') {
		host += label + 1;
		if (!strcasecmp(host, "localhost"))
			return true;
		label = strspn(host, label_bytes);
	}
	return false;
}

bool http_loss_is_final(const struct err *err)
{
	return err_is_service(err, "NotTrusted") || err_is_service(err, "ProxyRefused") ||
	       err_is_service(err, "NoTls") || err_is_service(err, "AddressRefused");
}

bool http_is_loopback(const char *host)
{
	return !strcasecmp(host, "localhost") || is_below_localhost(host) || !strcmp(host, "::1") ||
	       is_v4_below(host, "127", NULL);
}

bool http_is_link_local(const char *host)
{
	struct in6_addr address;

	if (inet_pton(AF_INET6, host, &address) == 1)
		return !memcmp(&address, "\xfd\x00\x0e\xc2", 4);
	return is_v4_below(host, "169", "254");
}
