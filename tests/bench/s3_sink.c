/*
 * A stand-in for S3 that costs as little as can be: it reads requests, discards bodies in the kernel and answers what a
 * client wants to hear. It stores nothing and checks no signature. For tests/bench/s3.sh: the same for all who race.
 *
 *   s3_sink [-p PORT] [-c CERTIFICATE -k KEY]    prints its port on 127.0.0.1; ends when standard input does
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define MAX_HEAD_BYTES 32768

struct connection {
	int fd;
	SSL *tls; /* or NULL */
	bool is_shaken;
	char head[MAX_HEAD_BYTES + 1];
	size_t n; /* bytes in head */
	uint64_t body_left;
	char *answer; /* to be sent once the body is there */
};

struct sink {
	int epoll_fd, listener;
	SSL_CTX *tls;
};

/* The value of a header in the head, or NULL; new string. */
static char *header(const char *head, const char *name)
{
	auto_free char *wanted = xasprintf("\r\n%s:", name);
	const char *found = strcasestr(head, wanted);

	if (!found)
		return NULL;
	found += strlen(wanted);
	found += strspn(found, " ");
	return xstrndup(found, strcspn(found, "\r\n"));
}

/* The MD5 that a client wants to see, where it says which; s3cmd has it among its attributes. */
static char *etag(const char *head)
{
	auto_free char *md5 = header(head, "Content-MD5"), *attributes = header(head, "x-amz-meta-s3cmd-attrs");
	const char *found = attributes ? strstr(attributes, "md5:") : NULL;
	auto_free char *bytes = NULL;
	size_t n = 0;

	if (found)
		return xstrndup(found + 4, 32);
	bytes = md5 ? str_unbase64(md5, &n) : NULL;
	return bytes && n == 16 ? str_hex(bytes, n) : xstrdup("d41d8cd98f00b204e9800998ecf8427e");
}

static char *answer_of(const char *status, const char *headers, const char *body)
{
	return xasprintf("HTTP/1.1 %s\r\nx-amz-request-id: 1\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers,
			 strlen(body), body);
}

static char *answer_put(const char *head)
{
	static const char *const echoed[] = { "x-amz-checksum-sha256", "x-amz-checksum-crc64nvme" };
	auto_free char *tag = etag(head);
	auto_str headers = { 0 };

	str_addf(&headers, "ETag: \"%s\"\r\n", tag);
	for (size_t i = 0; i < ARRAY_LEN(echoed); i++) {
		auto_free char *value = header(head, echoed[i]);

		if (value)
			str_addf(&headers, "%s: %s\r\n", echoed[i], value);
	}
	return answer_of("200 OK", headers.s, "");
}

static char *answer_post(const char *head)
{
	const char *query = head + strcspn(head, "?\r");

	if (str_starts(query, "?uploads"))
		return answer_of("200 OK", "Content-Type: application/xml\r\n",
				 "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key>"
				 "<UploadId>u</UploadId></InitiateMultipartUploadResult>");
	if (*query == '?')
		return answer_of("200 OK", "Content-Type: application/xml\r\n",
				 "<CompleteMultipartUploadResult><Bucket>b</Bucket><Key>k</Key>"
				 "<ETag>&quot;0-1&quot;</ETag></CompleteMultipartUploadResult>");
	return answer_of(
		"200 OK", "Content-Type: text/xml\r\n",
		"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/bench</Arn>"
		"<UserId>A</UserId><Account>123456789012</Account></GetCallerIdentityResult>"
		"</GetCallerIdentityResponse>");
}

static char *answer_to(const char *head)
{
	if (str_starts(head, "PUT "))
		return answer_put(head);
	if (str_starts(head, "POST "))
		return answer_post(head);
	if (str_starts(head, "HEAD "))
		return answer_of("404 Not Found", "", "");
	if (str_starts(head, "DELETE "))
		return xstrdup("HTTP/1.1 204 No Content\r\n\r\n");
	return answer_of("200 OK", "Content-Type: application/xml\r\n",
			 "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
}

/* Bytes received; 0: none for now; -1: the client is gone. p NULL: they are discarded. */
static ssize_t receive(struct connection *c, void *p, size_t n)
{
	static char waste[65536];
	ssize_t got;

	if (c->tls) {
		int want = p ? (int)n : (int)(n < sizeof(waste) ? n : sizeof(waste));

		got = SSL_read(c->tls, p ? p : waste, want);
		return got > 0 ? got : SSL_get_error(c->tls, (int)got) == SSL_ERROR_WANT_READ ? 0 : -1;
	}
	/* The kernel throws away what MSG_TRUNC asks for: no copy. */
	got = recv(c->fd, p, n, p ? 0 : MSG_TRUNC);
	return got > 0 ? got : got < 0 && errno == EAGAIN ? 0 : -1;
}

/* Answers are short: there is room in the socket, or it is waited for. */
static int send_all(struct connection *c, const char *p)
{
	size_t n = strlen(p);

	while (n > 0) {
		ssize_t sent = c->tls ? SSL_write(c->tls, p, (int)n) : send(c->fd, p, n, MSG_NOSIGNAL);

		if (sent <= 0 && (c->tls || errno != EAGAIN))
			return -1;
		if (sent <= 0) {
			poll(&(struct pollfd){ c->fd, POLLOUT, 0 }, 1, -1);
			continue;
		}
		p += sent;
		n -= (size_t)sent;
	}
	return 0;
}

static int answer(struct connection *c)
{
	int rc = send_all(c, c->answer);

	free(take(c->answer));
	c->n = 0;
	return rc;
}

/* The head is there, and perhaps the beginning of the body. */
static int on_head(struct connection *c, size_t head_bytes)
{
	auto_free char *length = NULL, *expect = NULL;
	size_t extra = c->n - head_bytes;
	uint64_t body;

	c->head[head_bytes - 2] = '\0';
	length = header(c->head, "Content-Length");
	expect = header(c->head, "Expect");
	body = length ? strtoull(length, NULL, 10) : 0;
	c->answer = answer_to(c->head);
	c->body_left = body > extra ? body - extra : 0;
	if (expect && c->body_left && send_all(c, "HTTP/1.1 100 Continue\r\n\r\n") < 0)
		return -1;
	return c->body_left ? 1 : answer(c);
}

/* 1: go on reading, 0: wait for more, -1: the connection ends. */
static int read_head(struct connection *c)
{
	ssize_t got = receive(c, c->head + c->n, MAX_HEAD_BYTES - c->n);
	char *end;

	if (got <= 0)
		return (int)got;
	c->n += (size_t)got;
	c->head[c->n] = '\0';
	end = memmem(c->head, c->n, "\r\n\r\n", 4);
	if (!end)
		return c->n < MAX_HEAD_BYTES ? 1 : -1;
	return on_head(c, (size_t)(end - c->head) + 4);
}

static int read_body(struct connection *c)
{
	ssize_t got = receive(c, NULL, c->body_left);

	if (got <= 0)
		return (int)got;
	c->body_left -= (uint64_t)got;
	return c->body_left ? 1 : answer(c);
}

static int shake(struct connection *c)
{
	int rc = SSL_accept(c->tls);

	if (rc == 1)
		c->is_shaken = true;
	else if (SSL_get_error(c->tls, rc) == SSL_ERROR_WANT_READ)
		return 0;
	return rc == 1 ? 1 : -1;
}

static int on_readable(struct connection *c)
{
	int more = 1;

	if (c->tls && !c->is_shaken)
		more = shake(c);
	while (more > 0)
		more = c->body_left ? read_body(c) : read_head(c);
	/* TLS may hold what no event will tell of. */
	if (more == 0 && c->tls && SSL_pending(c->tls) > 0)
		return on_readable(c);
	return more;
}

static void accept_one(struct sink *s)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct connection *c;
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), one = 1;

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c = xcalloc(1, sizeof(*c));
	c->fd = fd;
	if (s->tls) {
		c->tls = SSL_new(s->tls);
		SSL_set_fd(c->tls, fd);
	}
	event.data.ptr = c;
	epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void drop(struct connection *c)
{
	SSL_free(c->tls);
	close(c->fd);
	free(c->answer);
	free(c);
}

static void run(struct sink *s)
{
	struct epoll_event events[64];

	for (;;) {
		int n = epoll_wait(s->epoll_fd, events, 64, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &s->listener)
				accept_one(s);
			else if (!events[i].data.ptr)
				return;
			else if (on_readable(events[i].data.ptr) < 0)
				drop(events[i].data.ptr);
		}
	}
}

static SSL_CTX *load_tls(const char *certificate, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
		fprintf(stderr, "s3_sink: certificate '%s' or key '%s' cannot be read\n", certificate, key);
		exit(1);
	}
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE);
	return ctx;
}

static int listen_at(int port)
{
	struct sockaddr_in a = { AF_INET, htons((uint16_t)port), { htonl(INADDR_LOOPBACK) }, { 0 } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t n = sizeof(a);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, 512) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) < 0) {
		perror("s3_sink");
		exit(1);
	}
	printf("%d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	struct sink s = { .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &s.listener };
	const char *certificate = NULL, *key = NULL;
	int option, port = 0;

	while ((option = getopt(argc, argv, "p:c:k:")) != -1) {
		if (option == 'p')
			port = (int)strtol(optarg, NULL, 10);
		else
			*(option == 'c' ? &certificate : &key) = optarg;
	}
	if (certificate && key)
		s.tls = load_tls(certificate, key);
	s.listener = listen_at(port);
	epoll_ctl(s.epoll_fd, EPOLL_CTL_ADD, s.listener, &event);
	event.data.ptr = NULL;
	epoll_ctl(s.epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event);
	run(&s);
	return 0;
}
