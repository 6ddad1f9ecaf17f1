#include "local/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "local/chunked.h"
#include "local/cloud.h"
#include "local/dispatch.h"
#include "local/lock.h"
#include "local/server_body.h"
#include "local/server_faults.h"

/* Holds the request line and all headers; more is answered with 431. Also the unit in which bodies arrive. */
#define CONNECTION_MEMORY_BYTES ((size_t)256 << 10)
#define CONNECTIONS_MAX         512U
#define CONNECTION_IDLE_S       300U
#define STOP_WAIT_MS            10000

struct server {
	struct cloud *cloud;
	struct MHD_Daemon *daemon;
	pthread_mutex_t lock;
	int n_active;        /* requests between their first header and the end of their answer */
	int64_t last_end_ms; /* ticks */
};

struct exchange {
	struct server *server;
	struct local_request req;
	struct local_response resp;
	struct server_body body;
	struct chunked *chunked; /* decodes the body; NULL: it comes as it is */
	bool has_begun, is_refused;
	struct fault fault;
};

static int64_t ticks_ms(const struct server *s)
{
	return s->cloud->sys->ticks_ms(s->cloud->sys);
}

static void count_active(struct server *s, int change)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	s->n_active += change;
	s->last_end_ms = ticks_ms(s);
}

int64_t server_idle_ms(struct server *s)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);

	return s->n_active > 0 ? 0 : ticks_ms(s) - s->last_end_ms;
}

static char *new_request_id(const struct sys *sys)
{
	unsigned char b[16];
	auto_free char *hex = NULL;

	sys->random(sys, b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	hex = str_hex(b, sizeof(b));
	return xasprintf("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* Called with the request target as it stands on the wire; elsewhere libmicrohttpd gives it decoded, which no signature
 * survives. */
static void *begin_exchange(void *ctx, const char *target, struct MHD_Connection *connection)
{
	struct server *s = ctx;
	struct exchange *x = xcalloc(1, sizeof(*x));
	const char *question = strchr(target, '?');

	(void)connection;
	x->server = s;
	x->req = (struct local_request){ .body_fd = -1, .request_id = new_request_id(s->cloud->sys) };
	x->req.path = question ? xstrndup(target, (size_t)(question - target)) : xstrdup(target);
	x->req.query = xstrdup(question ? question + 1 : "");
	local_response_init(&x->resp, &x->req);
	server_body_init(&x->body, s->cloud->dir, 0);
	count_active(s, 1);
	return x;
}

static void end_exchange(void *ctx, struct MHD_Connection *connection, void **con_cls,
			 enum MHD_RequestTerminationCode code)
{
	struct exchange *x = *con_cls;

	(void)ctx;
	(void)connection;
	(void)code;
	*con_cls = NULL;
	if (!x)
		return;
	count_active(x->server, -1);
	server_body_release(&x->body);
	chunked_free(x->chunked);
	local_response_release(&x->resp);
	local_request_release(&x->req);
	free(x);
}

static enum MHD_Result copy_header(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct http_headers *headers = ctx;

	(void)kind;
	http_headers_add(headers, name, value ? value : "");
	return MHD_YES;
}

/* The file ends with the response; an empty one is sent as no bytes, which sendfile(2) would not like. */
static struct MHD_Response *make_file_response(struct local_response *resp)
{
	if (resp->file_size == 0)
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	return MHD_create_response_from_fd_at_offset64(resp->file_size, take_fd(&resp->file_fd), resp->file_offset);
}

static ssize_t send_nothing(void *ctx, uint64_t pos, char *buffer, size_t n)
{
	(void)ctx;
	(void)pos;
	(void)buffer;
	(void)n;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

static struct MHD_Response *make_response(struct local_response *resp)
{
	if (resp->is_head && resp->head_size > 0)
		return MHD_create_response_from_callback(resp->head_size, 4096, send_nothing, NULL, NULL);
	if (!resp->is_head && resp->file_fd >= 0)
		return make_file_response(resp);
	if (resp->is_head || !resp->body)
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	return MHD_create_response_from_buffer(resp->n, take(resp->body), MHD_RESPMEM_MUST_FREE);
}

/* A value kept from one request must not end the header of another. */
static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (!strpbrk(value, "\r\n"))
		MHD_add_response_header(response, name, value);
}

static void add_date(struct MHD_Response *response, time_t t)
{
	auto_free char *date = local_http_date(t);

	add_header(response, "Date", date);
}

static enum MHD_Result send_response(struct exchange *x, struct MHD_Connection *connection)
{
	struct MHD_Response *response = server_fault_response(&x->fault, &x->resp, x->server->cloud->sys);
	enum MHD_Result result;

	if (!response)
		response = make_response(&x->resp);
	if (!response)
		return MHD_NO;
	for (size_t i = 0; i < x->resp.headers.n; i++)
		add_header(response, x->resp.headers.v[i].name, x->resp.headers.v[i].value);
	add_header(response, "x-amzn-RequestId", x->req.request_id);
	add_header(response, "x-amz-request-id", x->req.request_id);
	add_header(response, "Server", "smpipe-local");
	if (x->req.clock_ahead_s)
		add_date(response, x->server->cloud->sys->now_ms(x->server->cloud->sys) / 1000 + x->req.clock_ahead_s);
	result = MHD_queue_response(connection, (unsigned)x->resp.status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result reset(struct MHD_Connection *connection)
{
	server_fault_reset(connection);
	return MHD_NO;
}

/* What a fault does before the service is asked; false: the connection ends. */
static bool begin_fault(struct exchange *x)
{
	const struct cloud *cloud = x->server->cloud;

	if (!cloud->faults)
		return true;
	x->fault = faults_pick(cloud->faults, dispatch_operation(&x->req));
	if (x->fault.kind == FAULT_SKEW)
		x->req.clock_ahead_s = x->fault.number;
	if (x->fault.kind == FAULT_STALL)
		server_fault_wait(&x->fault, cloud->sys);
	return x->fault.kind != FAULT_STALL && x->fault.kind != FAULT_RESET_BEFORE;
}

static enum MHD_Result receive_head(struct exchange *x, struct MHD_Connection *connection, const char *method)
{
	const char *expect;

	x->has_begun = true;
	x->req.method = xstrdup(method);
	MHD_get_connection_values(connection, MHD_HEADER_KIND, copy_header, &x->req.headers);
	if (!begin_fault(x))
		return reset(connection);
	x->is_refused = server_fault_answer(&x->fault, &x->req, &x->resp) ||
			!dispatch_admit(x->server->cloud, &x->req, &x->resp, &x->body.max_bytes) ||
			!dispatch_decoder(x->server->cloud, &x->req, &x->resp, &x->chunked);
	expect = http_headers_get(&x->req.headers, "Expect");
	/* A client that waits for 100 is answered at once; another would not read the answer before it has sent its
	 * body. */
	if (x->is_refused && expect && !strcasecmp(expect, "100-continue"))
		return send_response(x, connection);
	return MHD_YES;
}

/* What a fault does to the answer; false: it is lost. */
static bool end_fault(struct exchange *x)
{
	const struct sys *sys = x->server->cloud->sys;
	bool has_body = !x->resp.is_head && (x->resp.file_fd >= 0 ? x->resp.file_size : x->resp.n) > 0;

	server_fault_spoil(&x->fault, &x->resp);
	if (x->fault.kind == FAULT_TRICKLE && !has_body)
		server_fault_wait(&(struct fault){ .number = 10 * x->fault.number }, sys);
	return x->fault.kind != FAULT_RESET_AFTER && (x->fault.kind != FAULT_RESET_ANSWER || has_body);
}

static void refuse_body(struct exchange *x, const struct err *err)
{
	if (err->service_code)
		dispatch_refuse(&x->req, &x->resp, err_is_service(err, "SignatureDoesNotMatch") ? 403 : 400,
				err->service_code, err->msg);
	else if (err->code == ERR_INVALID)
		dispatch_refuse(&x->req, &x->resp, 413, "EntityTooLarge", err->msg);
	else if (err_is_disk_full(err))
		dispatch_refuse(&x->req, &x->resp, 507, LOCAL_DISK_FULL, err->msg);
	else
		dispatch_refuse(&x->req, &x->resp, 500, "InternalError", err->msg);
	x->is_refused = true;
}

static int add_to_body(struct exchange *x, const char *p, size_t n, struct err *err)
{
	return x->chunked ? chunked_add(x->chunked, p, n, &x->body, err) : server_body_add(&x->body, p, n, err);
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload, size_t *upload_n, void **con_cls)
{
	struct exchange *x = *con_cls;
	auto_err err = { 0 };

	(void)ctx;
	(void)url;
	(void)version;
	if (!x->has_begun)
		return receive_head(x, connection, method);
	if (x->fault.kind == FAULT_RESET_BODY)
		return reset(connection);
	if (*upload_n > 0) {
		/* What follows a refusal is read and dropped. */
		if (!x->is_refused && add_to_body(x, upload, *upload_n, &err) < 0)
			refuse_body(x, &err);
		*upload_n = 0;
		return MHD_YES;
	}
	if (!x->is_refused && x->chunked && chunked_finish(x->chunked, &x->body, &x->req.headers, &err) < 0)
		refuse_body(x, &err);
	if (!x->is_refused) {
		server_body_finish(&x->body, &x->req);
		dispatch_answer(x->server->cloud, &x->req, &x->resp);
	}
	return end_fault(x) ? send_response(x, connection) : reset(connection);
}

/* With a socket of our own a taken port is told from other troubles, and no second server can share it. */
static int listen_on_loopback(int port, int *ret_fd, int *ret_port, struct err *err)
{
	auto_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(address);
	int on = 1;

	if (fd < 0)
		return err_errno(err, "make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, SOMAXCONN) < 0) {
		if (errno == EADDRINUSE)
			return err_set(err, ERR_CONFLICT, "listen on '127.0.0.1:%d': the port is taken", port);
		return err_errno(err, "listen on '127.0.0.1:%d'", port);
	}
	if (getsockname(fd, (struct sockaddr *)&address, &n) < 0)
		return err_errno(err, "ask for the port of '127.0.0.1'");
	*ret_port = ntohs(address.sin_port);
	*ret_fd = take_fd(&fd);
	return 0;
}

static size_t keep_escapes(void *ctx, struct MHD_Connection *connection, char *s)
{
	(void)ctx;
	(void)connection;
	return strlen(s);
}

static void server_free(struct server *s)
{
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int server_start(struct cloud *cloud, int port, struct server **ret, int *ret_port, struct err *err)
{
	struct server *s;
	auto_close int fd = -1;

	/* The first request may come, and ask for the port, before this function returns. */
	if (listen_on_loopback(port, &fd, ret_port, err) < 0)
		return -1;
	s = xcalloc(1, sizeof(*s));
	s->cloud = cloud;
	pthread_mutex_init(&s->lock, NULL);
	s->last_end_ms = ticks_ms(s);
	s->daemon =
		MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
					 MHD_USE_ITC,
				 0, NULL, NULL, handle, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK,
				 begin_exchange, s, MHD_OPTION_NOTIFY_COMPLETED, end_exchange, s,
				 MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				 CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
				 MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_IDLE_S, MHD_OPTION_END);
	if (!s->daemon) {
		server_free(s);
		return err_set(err, ERR_IO, "start the HTTP server on '127.0.0.1:%d'", *ret_port);
	}
	take_fd(&fd);
	*ret = s;
	return 0;
}

void server_stop(struct server *s)
{
	int64_t end_ms;
	int fd;

	if (!s)
		return;
	fd = MHD_quiesce_daemon(s->daemon);
	end_ms = ticks_ms(s) + STOP_WAIT_MS;
	while (server_idle_ms(s) == 0 && ticks_ms(s) < end_ms)
		usleep(10 * 1000);
	MHD_stop_daemon(s->daemon);
	if (fd >= 0)
		close(fd);
	server_free(s);
}
