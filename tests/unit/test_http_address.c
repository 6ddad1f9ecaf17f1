/* The real HTTP client on loopback: addresses are judged before they are connected to, and silence ends in time. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "aws/link_local.h"
#include "tests/unit/creds_scene.h"

/* A port on which connections come in and nobody answers. */
static int listen_silently(int *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static bool is_connected_to(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static bool refuse_all(const char *address)
{
	(void)address;
	return false;
}

static void test_refused_address(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost" };
	auto_http *http = http_curl_new();
	auto_close int fd = -1;
	int port;

	(void)state;
	fd = listen_silently(&port);
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		auto_free char *url = xasprintf("http://%s:%d/", hosts[i], port);
		auto_response resp = { 0 };
		auto_err err = { 0 };

		assert_int_equal(http_send(http,
					   &(struct http_request){
						   .method = "GET", .url = url, .allow_address = refuse_all },
					   &resp, &err),
				 -1);
		assert_true(err_is_service(&err, "AddressRefused"));
		assert_false(is_connected_to(fd));
	}
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
}

/* A machine that is no EC2 instance, or a firewall that swallows: at most one second is lost. */
static void test_silent_metadata_service(void **state)
{
	auto_http *http = http_curl_new();
	auto_close int fd = -1;
	auto_free char *url = NULL;
	auto_scene s = { 0 };
	auto_creds creds = { 0 };
	auto_err err = { 0 };
	int64_t began_ms, lost_ms;
	int port;

	(void)state;
	fd = listen_silently(&port);
	url = xasprintf("http://127.0.0.1:%d", port);
	scene_open(&s, NULL, NULL, 0);
	s.options.sys = &sys_real;
	s.c.http_ctx = http;
	scene_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", url);
	began_ms = sys_real.ticks_ms(&sys_real);
	assert_int_equal(creds_from_imds(&s.c, &creds, &err), 0);
	lost_ms = sys_real.ticks_ms(&sys_real) - began_ms;
	assert_true(is_connected_to(fd));
	/* Half a second is for a machine with much to do. */
	if (lost_ms > 1500)
		fail_msg("%lld ms were lost", (long long)lost_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_address),
		cmocka_unit_test(test_silent_metadata_service),
	};

	return cmocka_run_group_tests_name("http addresses", tests, NULL, NULL);
}
