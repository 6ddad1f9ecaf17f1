/* Many exchanges at once on one client of base/http_curl.c, against a server on loopback with a thread per connection.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "base/http.h"
#include "base/sys.h"
#include "tests/unit/shell.h"

#define N_EXCHANGES 200
#define N_AT_ONCE   8

struct server {
	int fd, port;
	pthread_t thread;
	atomic_int n_connections;
};

/* Answer with the path and the number of bytes that came, until the client hangs up; "/hang" is never answered. */
static void *serve_connection(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char request[4096];

	for (;;) {
		auto_free char *answer = NULL, *body = NULL;
		char *end = NULL;
		size_t n = 0, length = 0, path_n;
		ssize_t got;

		while ((!end || n < (size_t)(end + 4 - request) + length) &&
		       (got = read(fd, request + n, sizeof(request) - 1 - n)) > 0) {
			n += (size_t)got;
			request[n] = '\0';
			end = strstr(request, "\r\n\r\n");
			if (end && strcasestr(request, "Content-Length: "))
				length = strtoul(strcasestr(request, "Content-Length: ") + 16, NULL, 10);
		}
		if (!end)
			break;
		path_n = strcspn(strchr(request, ' ') + 1, " ");
		body = xasprintf("%.*s %zu", (int)path_n, strchr(request, ' ') + 1, length);
		if (str_starts(body, "/hang"))
			continue;
		answer = xasprintf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
		if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
			break;
	}
	close(fd);
	return NULL;
}

static void *serve(void *arg)
{
	struct server *s = arg;
	int fd;

	while ((fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		pthread_t thread;

		atomic_fetch_add(&s->n_connections, 1);
		assert_int_equal(pthread_create(&thread, NULL, serve_connection, (void *)(intptr_t)fd), 0);
		pthread_detach(thread);
	}
	return NULL;
}

static void start(struct server *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->fd, 64), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &n), 0);
	s->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

struct one {
	struct http_exchange x;
	struct http_request req;
	struct http_response resp;
	struct err err;
	char *url;
	char body[256];
	int *n_done, *n_running;
};

static void note_done(struct http_exchange *x)
{
	struct one *o = x->ctx;

	++*o->n_done;
	--*o->n_running;
}

static void begin(struct http *http, const struct server *s, struct one *o, size_t i, int *n_done, int *n_running)
{
	o->url = xasprintf("http://127.0.0.1:%d/%zu", s->port, i);
	o->req = (struct http_request){ .method = "PUT", .url = o->url, .bytes = o->body, .n = i % sizeof(o->body) };
	o->x = (struct http_exchange){ .req = &o->req, .resp = &o->resp, .err = &o->err, .done = note_done, .ctx = o };
	o->n_done = n_done;
	o->n_running = n_running;
	++*n_running;
	http_submit(http, &o->x);
}

static void test_many(void **state)
{
	auto_http *http = http_curl_new();
	auto_free struct one *all = xcalloc(N_EXCHANGES, sizeof(*all));
	struct server s = { 0 };
	auto_err err = { 0 };
	int n_done = 0, n_running = 0;
	size_t next = 0;

	(void)state;
	start(&s);
	while (n_done < N_EXCHANGES) {
		while (next < N_EXCHANGES && n_running < N_AT_ONCE) {
			begin(http, &s, &all[next], next, &n_done, &n_running);
			next++;
		}
		assert_int_equal(http_perform(http, 10000, &err), 0);
	}
	for (size_t i = 0; i < N_EXCHANGES; i++) {
		auto_free char *expected = xasprintf("/%zu %zu", i, i % sizeof(all[i].body));

		assert_int_equal(all[i].x.result, 0);
		assert_int_equal(all[i].resp.status, 200);
		assert_string_equal(str_text(&all[i].resp.body), expected);
		http_response_release(&all[i].resp);
		err_release(&all[i].err);
		free(all[i].url);
	}
	/* Connections are used again, and there are no more than were wanted at once. */
	assert_in_range(atomic_load(&s.n_connections), 1, N_AT_ONCE);
	stop(&s);
}

/* What is given up ends no other exchange, and its memory is the caller's at once. */
static void test_abandon(void **state)
{
	auto_http *http = http_curl_new();
	int n_done = 0, n_running = 0;
	struct one hanging = { .url = NULL }, other = { .url = NULL };
	auto_free char *url = NULL;
	struct server s = { 0 };
	auto_err err = { 0 };

	(void)state;
	start(&s);
	begin(http, &s, &hanging, 1, &n_done, &n_running);
	http_abandon(http, &hanging.x);
	free(hanging.url);
	url = xasprintf("http://127.0.0.1:%d/hang", s.port);
	hanging.req.url = url;
	http_submit(http, &hanging.x);
	begin(http, &s, &other, 2, &n_done, &n_running);
	while (!n_done)
		assert_int_equal(http_perform(http, 10000, &err), 0);
	assert_string_equal(str_text(&other.resp.body), "/2 2");
	http_abandon(http, &hanging.x);
	assert_int_equal(http_perform(http, 0, &err), 0);
	assert_int_equal(n_done, 1);
	http_response_release(&other.resp);
	http_response_release(&hanging.resp);
	free(other.url);
	stop(&s);
}

static void *wake_it(void *http)
{
	http_wake(http);
	return NULL;
}

static void test_wake(void **state)
{
	auto_http *http = http_curl_new();
	int64_t start_ms = sys_real.ticks_ms(&sys_real);
	auto_err err = { 0 };
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, wake_it, http), 0);
	assert_int_equal(http_perform(http, 60000, &err), 0);
	assert_true(sys_real.ticks_ms(&sys_real) - start_ms < 30000);
	pthread_join(thread, NULL);
}

/* A client of one call at a time is submit and at once. */
static int send_only(struct http *http, const struct http_request *req, struct http_response *resp, struct err *err)
{
	(void)http;
	(void)req;
	(void)err;
	resp->status = 204;
	return 0;
}

static void test_seam(void **state)
{
	static const struct http_ops ops = { .send = send_only };
	struct http http = { .ops = &ops };
	int n_done = 0, n_running = 1;
	auto_err err = { 0 };
	struct one o = { .n_done = &n_done, .n_running = &n_running };

	(void)state;
	o.x = (struct http_exchange){ .req = &o.req, .resp = &o.resp, .err = &o.err, .done = note_done, .ctx = &o };
	http_submit(&http, &o.x);
	assert_int_equal(n_done, 1);
	assert_int_equal(o.resp.status, 204);
	assert_int_equal(http_perform(&http, 1000, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_abandon),
		cmocka_unit_test(test_wake),
		cmocka_unit_test(test_seam),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
