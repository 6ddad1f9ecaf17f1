#ifndef SMPIPE_TESTS_VECTORS_REPLAY_H
#define SMPIPE_TESTS_VECTORS_REPLAY_H

/*
 * Recorded traffic (http-traffic.json) behind the HTTP seam: answers in the recorded order and compares each request
 * with the recorded one: method, host, path, query as a set, the headers that carry tokens, the action of STS and the
 * names of its parameters. What signs a request must have been seen before, in the files, the environment or an answer.
 * A request beyond the script is answered as the last one when that was a 5xx (another try), else it is a failure.
 */

#include <strings.h>

#include "base/http.h"
#include "tests/vectors/suite.h"

struct replay_exchange {
	const json_t *request; /* borrowed from the traffic */
	char *body;
	int status;
	char *answer;
};

struct replay {
	struct http http;
	struct suite *suite;
	json_t *traffic;
	struct replay_exchange v[16];
	size_t n, n_sent;
	struct str seen; /* all text in which keys may stand */
};

/* Plain http to other machines is refused by smpipe: such cases are run with https. */
static inline char *replay_as_https(const char *uri)
{
	return str_starts(uri, "http://aws.") ? xasprintf("https%s", uri + strlen("http")) : xstrdup(uri);
}

static const char *replay_utf8(const json_t *action)
{
	return json_string_value(json_at(action, "Data", "data", "Utf8", NULL));
}

static inline void replay_add_event(struct replay *r, const json_t *event)
{
	const json_t *action = json_object_get(event, "action");
	const json_t *request = json_at(action, "Request", "request", NULL);
	const json_t *response = json_at(action, "Response", "response", "Ok", NULL);
	const char *direction = json_string_value(json_at(action, "Data", "direction", NULL));
	struct replay_exchange *last = r->n ? &r->v[r->n - 1] : NULL;

	if (request) {
		r->v[r->n++] = (struct replay_exchange){ .request = request };
	} else if (response) {
		last->status = (int)json_integer_value(json_object_get(response, "status"));
	} else if (direction && replay_utf8(action)) {
		char **text = !strcmp(direction, "Request") ? &last->body : &last->answer;
		char *joined = xasprintf("%s%s", *text ? *text : "", replay_utf8(action));

		free(*text);
		*text = joined;
	}
}

static const char *replay_recorded_header(const json_t *request, const char *name)
{
	const char *key;
	json_t *values;

	json_object_foreach(json_object_get(request, "headers"), key, values)
		if (!strcasecmp(key, name))
			return json_string_value(json_array_get(values, 0));
	return NULL;
}

/* "https://host/path?b&a" → "https://host/path?a&b"; no path is "/". */
static inline char *replay_normal_url(const char *url)
{
	auto_free char *base = xstrndup(url, strcspn(url, "?"));
	auto_strlist parameters = { 0 };
	auto_str text = { 0 };

	str_addf(&text, "%s%s", base, strchr(strstr(base, "://") + 3, '/') ? "" : "/");
	if (strchr(url, '?'))
		str_split(&parameters, strchr(url, '?') + 1, '&');
	strlist_sort(&parameters);
	for (size_t i = 0; i < parameters.n; i++)
		str_addf(&text, "%c%s", i ? '&' : '?', parameters.v[i]);
	return str_detach(&text);
}

/* "Action=A&Version=V&RoleArn&…": values that the recordings make up anew each time left out. */
static inline char *replay_normal_form(const char *form)
{
	bool is_assume_role = form && str_starts(form, "Action=AssumeRole&");
	auto_strlist parameters = { 0 };
	auto_str text = { 0 };

	str_split(&parameters, form ? form : "", '&');
	for (size_t i = 0; i < parameters.n; i++) {
		char *parameter = parameters.v[i];

		if (!str_starts(parameter, "Action=") && !str_starts(parameter, "Version=") &&
		    !(is_assume_role && str_starts(parameter, "RoleArn=")))
			parameter[strcspn(parameter, "=")] = '\0';
		str_addf(&text, "%s%s", i ? "&" : "", parameter);
	}
	return str_detach(&text);
}

/* The id in "AWS4-HMAC-SHA256 Credential=<id>/…", the secret's owner, must be known; unsigned stays unsigned. */
static inline void replay_check_signature(struct replay *r, const json_t *recorded, const struct http_headers *headers)
{
	static const char begin[] = "AWS4-HMAC-SHA256 Credential=";
	const char *wanted = replay_recorded_header(recorded, "authorization");
	const char *got = http_headers_get(headers, "authorization"), *token;
	auto_free char *id = NULL;

	suite_equal(r->suite, "signed", wanted && str_starts(wanted, begin) ? "yes" : "no",
		    got && str_starts(got, begin) ? "yes" : "no");
	if (!got || !str_starts(got, begin))
		return;
	id = xstrndup(got + strlen(begin), strcspn(got + strlen(begin), "/"));
	if (!strstr(str_text(&r->seen), id))
		suite_fail(r->suite, "signed by", "a key that was seen", id);
	token = http_headers_get(headers, "x-amz-security-token");
	if (token && !strstr(str_text(&r->seen), token))
		suite_fail(r->suite, "session token", "one that was seen", token);
}

static inline void replay_check_request(struct replay *r, const struct replay_exchange *x,
					const struct http_request *req)
{
	static const char *const headers[] = { "x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds",
					       "x-amz-sso_bearer_token" };
	auto_free char *https = replay_as_https(json_str(x->request, "uri"));
	auto_free char *wanted = replay_normal_url(https), *got = replay_normal_url(req->url);
	auto_free char *wanted_form = replay_normal_form(x->body),
		       *body = xstrndup(req->bytes ? req->bytes : "", req->n);
	auto_free char *form = replay_normal_form(body);

	suite_equal(r->suite, "method", json_str(x->request, "method"), req->method);
	suite_equal(r->suite, "URL", wanted, got);
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		suite_equal(r->suite, headers[i], replay_recorded_header(x->request, headers[i]),
			    http_headers_get(&req->headers, headers[i]));
	if (strstr(wanted, "://sts") || strstr(wanted, "override"))
		suite_equal(r->suite, "form", wanted_form, form);
	replay_check_signature(r, x->request, &req->headers);
}

static inline int replay_send(struct http *http, const struct http_request *req, struct http_response *resp,
			      struct err *err)
{
	struct replay *r = (struct replay *)http;
	size_t i = r->n_sent++;

	if (i >= r->n && r->n && r->v[r->n - 1].status >= 500)
		i = r->n - 1;
	if (i >= r->n) {
		suite_fail(r->suite, "request", NULL, req->url);
		return err_set(err, ERR_NETWORK, "the script has ended");
	}
	replay_check_request(r, &r->v[i], req);
	resp->status = r->v[i].status;
	str_add(&resp->body, r->v[i].answer ? r->v[i].answer : "");
	str_add(&r->seen, str_text(&resp->body));
	return 0;
}

/* Takes over the traffic. */
static inline void replay_init(struct replay *r, struct suite *s, json_t *traffic)
{
	static const struct http_ops ops = { .send = replay_send };
	json_t *event;
	size_t i;

	*r = (struct replay){ .http = { &ops }, .suite = s, .traffic = traffic };
	json_array_foreach(json_object_get(traffic, "events"), i, event)
		replay_add_event(r, event);
}

static inline void replay_release(struct replay *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].body);
		free(r->v[i].answer);
	}
	str_release(&r->seen);
	json_decref(r->traffic);
}

#endif
