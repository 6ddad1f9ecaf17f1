/* base/http_curl.c against a server on loopback that says exactly what it is told to say. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/http.h"
#include "tests/unit/shell.h"

/* Answers one connection, in a thread of its own. */
struct server {
	int fd, port;
	pthread_t thread;
	const char *answer; /* sent once the request is there; NULL: silence until the client hangs up */
	size_t answer_bytes;
	size_t padding;  /* bytes of header that follow the answer */
	bool takes_any;  /* answer the first bytes, whatever they are */
	bool wants_body; /* wait for Content-Length bytes or the last chunk before answering */
	struct str request;
};

static bool has_all(const struct server *s)
{
	const char *end = s->request.s ? strstr(s->request.s, "\r\n\r\n") : NULL;
	const char *length = end ? strcasestr(s->request.s, "\r\nContent-Length: ") : NULL;

	if (s->takes_any)
		return s->request.len > 0;
	if (!end || !s->wants_body)
		return end;
	if (!length)
		return strstr(end, "0\r\n\r\n");
	return s->request.len >= (size_t)(end + 4 - s->request.s) + strtoul(length + 18, NULL, 10);
}

static void read_request(struct server *s, int fd)
{
	char buffer[4096];
	ssize_t n;

	while (!has_all(s) && (n = read(fd, buffer, sizeof(buffer))) > 0)
		str_add_mem(&s->request, buffer, (size_t)n);
}

static void send_padding(int fd, size_t n)
{
	static const char line[] = "X-Padding: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";

	for (size_t i = 0; i < n; i += sizeof(line) - 1)
		if (send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL) < 0)
			return;
}

static void *serve(void *arg)
{
	struct server *s = arg;
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
	char byte;

	read_request(s, fd);
	if (s->answer)
		(void)!send(fd, s->answer, s->answer_bytes ? s->answer_bytes : strlen(s->answer), MSG_NOSIGNAL);
	else
		(void)!read(fd, &byte, 1);
	send_padding(fd, s->padding);
	close(fd);
	return NULL;
}

static int listen_somewhere(int *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static void start(struct server *s)
{
	s->fd = listen_somewhere(&s->port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
	pthread_join(s->thread, NULL);
	close(s->fd);
}

/* One exchange with a server that is gone afterwards. path may hold a query. */
static int exchange(struct server *s, struct http_request *req, const char *path, struct http_response *resp,
		    struct err *err)
{
	auto_http *http = http_curl_new();
	auto_free char *url = NULL;
	int result;

	start(s);
	url = xasprintf("http://127.0.0.1:%d%s", s->port, path);
	req->url = url;
	result = http_send(http, req, resp, err);
	http_free(take(http));
	stop(s);
	return result;
}

static void test_answer(void **state)
{
	struct server s = {
		.answer = "HTTP/1.1 404 Not Here\r\nContent-Length: 5\r\nX-One:  a b \r\nx-two:\r\n\r\nhello"
	};
	struct http_request req = { .method = "GET" };
	auto_free char *expected = NULL;
	auto_response resp = { 0 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(exchange(&s, &req, "/a/../b/./c?x=%2f", &resp, &err), 0);
	assert_int_equal(resp.status, 404);
	assert_string_equal(resp.body.s, "hello");
	assert_string_equal(http_headers_get(&resp.headers, "x-one"), "a b");
	assert_string_equal(http_headers_get(&resp.headers, "X-Two"), "");
	/* The path goes out as it is, and no header that nobody asked for. */
	expected = xasprintf("GET /a/../b/./c?x=%%2f HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", s.port);
	assert_string_equal(s.request.s, expected);
	str_release(&s.request);
}

static void test_post(void **state)
{
	struct server s = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .wants_body = true };
	struct http_request req = { .method = "POST", .bytes = "a\0b", .n = 3 };
	auto_response resp = { 0 };
	auto_err err = { 0 };

	(void)state;
	http_headers_add(&req.headers, "X-Empty", "");
	http_headers_add(&req.headers, "Content-Type", "application/x-amz-json-1.1");
	assert_int_equal(exchange(&s, &req, "/", &resp, &err), 0);
	assert_int_equal(resp.status, 200);
	assert_non_null(strstr(s.request.s, "\r\nX-Empty:\r\n"));
	assert_non_null(strstr(s.request.s, "\r\nContent-Length: 3\r\n"));
	assert_non_null(strstr(s.request.s, "\r\nContent-Type: application/x-amz-json-1.1\r\n"));
	assert_memory_equal(s.request.s + s.request.len - 3, "a\0b", 3);
	http_headers_release(&req.headers);
	str_release(&s.request);
}

/* A type that nobody gave would become the object's. */
static void test_post_of_nothing(void **state)
{
	static const char *const methods[] = { "POST", "PUT" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct server s = { .answer = "HTTP/1.1 204 None\r\n\r\n" };
		struct http_request req = { .method = methods[i] };
		auto_response resp = { 0 };
		auto_err err = { 0 };

		assert_int_equal(exchange(&s, &req, "/?uploads", &resp, &err), 0);
		assert_non_null(strstr(s.request.s, "\r\nContent-Length: 0\r\n"));
		assert_null(strcasestr(s.request.s, "content-type"));
		assert_null(strcasestr(s.request.s, "expect"));
		assert_null(strcasestr(s.request.s, "accept"));
		str_release(&s.request);
	}
}

static void test_head(void **state)
{
	struct server s = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 123456\r\nETag: \"x\"\r\n\r\n" };
	struct http_request req = { .method = "HEAD" };
	auto_response resp = { 0 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(exchange(&s, &req, "/", &resp, &err), 0);
	assert_int_equal(resp.status, 200);
	assert_int_equal(resp.body.len, 0);
	assert_string_equal(http_headers_get(&resp.headers, "etag"), "\"x\"");
	str_release(&s.request);
}

static void test_continue(void **state)
{
	struct server s = {
		.answer =
			"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 2\r\nX-Late: "
			"2\r\n\r\nok"
	};
	struct http_request req = { .method = "GET" };
	auto_response resp = { 0 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(exchange(&s, &req, "/", &resp, &err), 0);
	assert_int_equal(resp.status, 201);
	assert_null(http_headers_get(&resp.headers, "x-early"));
	assert_string_equal(http_headers_get(&resp.headers, "x-late"), "2");
	assert_string_equal(resp.body.s, "ok");
	str_release(&s.request);
}

struct source {
	size_t left, fails_at;
};

static int64_t read_source(void *ctx, void *p, size_t n, struct err *err)
{
	struct source *s = ctx;

	if (s->left <= s->fails_at)
		return err_set(err, ERR_CONFIG, "the file changed");
	n = n < s->left ? n : s->left;
	if (n > 1000)
		n = 1000;
	memset(p, 'x', n);
	s->left -= n;
	return (int64_t)n;
}

static int64_t read_until_empty(void *ctx, void *p, size_t n, struct err *err)
{
	struct source *s = ctx;

	return s->left ? read_source(ctx, p, n, err) : 0;
}

static void test_upload(void **state)
{
	static const struct {
		int64_t size;
		const char *header;
	} rows[] = { { 2500, "\r\nContent-Length: 2500\r\n" }, { -1, "\r\nTransfer-Encoding: chunked\r\n" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct server s = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .wants_body = true };
		struct source source = { 2500, 0 };
		struct http_body body = { read_until_empty, &source, rows[i].size };
		struct http_request req = { .method = "PUT", .body = &body };
		auto_response resp = { 0 };
		auto_err err = { 0 };
		size_t xs = 0;

		assert_int_equal(exchange(&s, &req, "/", &resp, &err), 0);
		assert_non_null(strstr(s.request.s, rows[i].header));
		assert_null(strcasestr(s.request.s, "expect"));
		for (const char *p = strstr(s.request.s, "\r\n\r\n"); *p; p++)
			xs += *p == 'x';
		assert_int_equal(xs, 2500);
		str_release(&s.request);
	}
}

static void test_upload_source_fails(void **state)
{
	struct server s = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .wants_body = true };
	struct source source = { 2500, 1000 };
	struct http_body body = { read_source, &source, 2500 };
	struct http_request req = { .method = "PUT", .body = &body };
	auto_response resp = { 0 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(exchange(&s, &req, "/", &resp, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_string_equal(err.msg, "the file changed");
	str_release(&s.request);
}

static int collect(void *ctx, const char *p, size_t n, struct err *err)
{
	str_add_mem(ctx, p, n);
	return str_ends(str_text(ctx), "STOP") ? err_set(err, ERR_FAILED, "enough") : 0;
}

static void test_sink(void **state)
{
	static const struct {
		const char *answer, *sunk, *body;
		int result;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde", "",
		  0 },
		{ "HTTP/1.1 403 No\r\nContent-Length: 6\r\n\r\n<Error", "", "<Error", 0 },
		{ "HTTP/1.1 307 There\r\nLocation: /x\r\nContent-Length: 1\r\n\r\nx", "", "x", 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nSTOP", "STOP", "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct server s = { .answer = rows[i].answer };
		auto_str sunk = { 0 };
		struct http_request req = { .method = "GET", .sink = collect, .sink_ctx = &sunk };
		auto_response resp = { 0 };
		auto_err err = { 0 };

		assert_int_equal(exchange(&s, &req, "/", &resp, &err), rows[i].result);
		assert_string_equal(str_text(&sunk), rows[i].sunk);
		assert_string_equal(str_text(&resp.body), rows[i].body);
		if (rows[i].result < 0)
			assert_string_equal(err.msg, "enough");
		str_release(&s.request);
	}
}

static void test_limits(void **state)
{
	struct server body = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901" };
	struct server headers = { .answer = "HTTP/1.1 200 OK\r\n", .padding = 1024 * 1024 };
	struct http_request req = { .method = "GET", .max_body_bytes = 10 };
	auto_response resp = { 0 };
	auto_response resp2 = { 0 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(exchange(&body, &req, "/a?X-Amz-Signature=secret", &resp, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "larger than 10 bytes"));
	assert_null(strstr(err.msg, "secret"));
	assert_int_equal(exchange(&headers, &req, "/", &resp2, &err), -1);
	assert_true(err.code == ERR_INVALID || err.code == ERR_NETWORK);
	str_release(&body.request);
	str_release(&headers.request);
}

static void test_cut_answers(void **state)
{
	static const char *const rows[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"HTTP/1.1 200",
		"",
		"no HTTP at all\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct server s = { .answer = rows[i] };
		struct http_request req = { .method = "GET" };
		auto_response resp = { 0 };
		auto_err err = { 0 };

		if (exchange(&s, &req, "/a?X-Amz-Signature=secret", &resp, &err) == 0)
			fail_msg("'%s' was taken as an answer", rows[i]);
		assert_int_equal(err.code, ERR_NETWORK);
		assert_null(strstr(err.msg, "secret"));
		assert_false(err_is_service(&err, "NotConnected"));
		str_release(&s.request);
	}
}

/* Answers the first request of a connection, and hangs up when the second has come. */
static void *serve_once(void *arg)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	struct server *s = arg;
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);

	read_request(s, fd);
	(void)!send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
	str_release(&s->request);
	read_request(s, fd);
	close(fd);
	return NULL;
}

/* What was sent once is not sent again behind the caller's back. */
static void test_lost_on_used_connection(void **state)
{
	static const char *const methods[] = { "GET", "POST", "PUT" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct server s = { 0 };
		struct http_request req = { .method = methods[i],
					    .bytes = "x",
					    .n = str_eq(methods[i], "GET") ? 0 : 1 };
		auto_http *http = http_curl_new();
		auto_response first = { 0 }, second = { 0 };
		auto_free char *url = NULL;
		auto_err err = { 0 };
		struct pollfd again;

		s.fd = listen_somewhere(&s.port);
		assert_int_equal(pthread_create(&s.thread, NULL, serve_once, &s), 0);
		url = xasprintf("http://127.0.0.1:%d/", s.port);
		req.url = url;
		assert_int_equal(http_send(http, &req, &first, &err), 0);
		assert_int_equal(http_send(http, &req, &second, &err), -1);
		assert_int_equal(err.code, ERR_NETWORK);
		assert_non_null(strstr(err.msg, "without an answer"));
		/* A connection may be made, but nothing goes over it. */
		again = (struct pollfd){ .fd = s.fd, .events = POLLIN };
		if (poll(&again, 1, 0) == 1) {
			auto_close int fd = accept4(s.fd, NULL, NULL, SOCK_CLOEXEC);
			char byte;

			http_free(take(http));
			assert_true(read(fd, &byte, 1) <= 0);
		}
		stop(&s);
		str_release(&s.request);
	}
}

static void test_refused_connection(void **state)
{
	auto_http *http = http_curl_new();
	struct http_request req = { .method = "PUT" };
	auto_free char *url = NULL;
	auto_response resp = { 0 };
	auto_err err = { 0 };
	int port, fd = listen_somewhere(&port);

	(void)state;
	close(fd);
	url = xasprintf("http://127.0.0.1:%d/x", port);
	req.url = url;
	assert_int_equal(http_send(http, &req, &resp, &err), -1);
	assert_int_equal(err.code, ERR_NETWORK);
	assert_true(err_is_service(&err, "NotConnected"));
	req.unix_socket = "/no/such.sock";
	assert_int_equal(http_send(http, &req, &resp, &err), -1);
	assert_true(err_is_service(&err, "NotConnected"));
	assert_non_null(strstr(err.msg, "/no/such.sock"));
}

static void test_no_tls(void **state)
{
	struct server s = { .answer = "HTTP/1.1 400 Bad Request\r\n\r\n", .takes_any = true };
	struct http_request req = { .method = "GET" };
	auto_http *http = http_curl_new();
	auto_response resp = { 0 };
	auto_free char *url = NULL;
	auto_err err = { 0 };

	(void)state;
	start(&s);
	url = xasprintf("https://127.0.0.1:%d/x", s.port);
	req.url = url;
	assert_int_equal(http_send(http, &req, &resp, &err), -1);
	stop(&s);
	str_release(&s.request);
	assert_int_equal(err.code, ERR_NETWORK);
	assert_true(err_is_service(&err, "NoTls") && http_loss_is_final(&err));
	assert_non_null(strstr(err.msg, "speaks no TLS"));
	assert_non_null(strstr(err.hint, "http://"));
}

static void test_ca_file(void **state)
{
	static const struct {
		const char *file, *words;
	} rows[] = {
		{ "/no/such.crt", "the CA file '/no/such.crt': No such file or directory" },
		{ "/dev/null", "the CA file '/dev/null': it holds no certificate that can be read" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct server s = { .answer = "", .takes_any = true };
		struct http_request req = { .method = "GET", .ca_file = rows[i].file };
		auto_http *http = http_curl_new();
		auto_response resp = { 0 };
		auto_free char *url = NULL;
		auto_err err = { 0 };

		start(&s);
		url = xasprintf("https://127.0.0.1:%d/x", s.port);
		req.url = url;
		assert_int_equal(http_send(http, &req, &resp, &err), -1);
		stop(&s);
		str_release(&s.request);
		assert_true(err_is_service(&err, "NotTrusted") && http_loss_is_final(&err));
		assert_non_null(strstr(err.msg, rows[i].words));
		assert_non_null(strstr(err.hint, "AWS_CA_BUNDLE names it"));
	}
}

static void test_silence(void **state)
{
	struct server s = { .answer = NULL };
	struct http_request req = { .method = "GET", .idle_ms = 50 };
	auto_response resp = { 0 };
	auto_err err = { 0 };

	(void)state;
	assert_int_equal(exchange(&s, &req, "/", &resp, &err), -1);
	assert_int_equal(err.code, ERR_NETWORK);
	assert_non_null(strstr(err.msg, "no answer"));
	str_release(&s.request);
}

static void test_line_breaks(void **state)
{
	auto_http *http = http_curl_new();
	struct http_request req = { .method = "GET", .url = "http://127.0.0.1:1/" };
	auto_response resp = { 0 };
	auto_err err = { 0 };

	(void)state;
	http_headers_add(&req.headers, "X-Name", "secret\r\nX-Other: 1");
	assert_int_equal(http_send(http, &req, &resp, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.msg, "X-Name"));
	assert_null(strstr(err.msg, "secret"));
	http_headers_release(&req.headers);
}

/* Neither a proxy for this machine nor another protocol. */
static void test_proxy_and_protocols(void **state)
{
	struct server s = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" };
	struct http_request req = { .method = "GET" };
	auto_http *http = http_curl_new();
	auto_response resp = { 0 };
	auto_response none = { 0 };
	auto_err err = { 0 };

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(exchange(&s, &req, "/", &resp, &err), 0);
	unsetenv("http_proxy");
	req.url = "file:///etc/passwd";
	assert_int_equal(http_send(http, &req, &none, &err), -1);
	assert_int_equal(none.body.len, 0);
	str_release(&s.request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_post),
		cmocka_unit_test(test_post_of_nothing),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_continue),
		cmocka_unit_test(test_upload),
		cmocka_unit_test(test_upload_source_fails),
		cmocka_unit_test(test_sink),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_cut_answers),
		cmocka_unit_test(test_lost_on_used_connection),
		cmocka_unit_test(test_refused_connection),
		cmocka_unit_test(test_no_tls),
		cmocka_unit_test(test_ca_file),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_line_breaks),
		cmocka_unit_test(test_proxy_and_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
