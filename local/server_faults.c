#include "local/server_faults.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "local/dispatch.h"

#define WAIT_STEP_MS 50

/* To dissolve the association of a TCP socket resets it, whatever was sent or is to be sent. */
void server_fault_reset(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	if (info && connect(info->connect_fd, &none, sizeof(none)) < 0)
		shutdown(info->connect_fd, SHUT_RDWR);
}

static void wait_ms(int64_t ms, const struct sys *sys)
{
	int64_t end_ms = sys->ticks_ms(sys) + ms, left;

	while (!sys_is_cancelled() && (left = end_ms - sys->ticks_ms(sys)) > 0)
		sys->sleep_ms(sys, left < WAIT_STEP_MS ? left : WAIT_STEP_MS);
}

void server_fault_wait(const struct fault *fault, const struct sys *sys)
{
	wait_ms(fault->number, sys);
}

bool server_fault_answer(const struct fault *fault, const struct local_request *req, struct local_response *resp)
{
	switch (fault->kind) {
	case FAULT_500:
		dispatch_refuse(req, resp, 500, "InternalError", "We encountered an internal error. Please try again.");
		return true;
	case FAULT_503:
		dispatch_refuse(req, resp, 503, "SlowDown", "Please reduce your request rate.");
		return true;
	case FAULT_EXPIRED_TOKEN:
		dispatch_refuse(req, resp, 400, "ExpiredToken", "The provided token has expired.");
		return true;
	case FAULT_ERROR_200:
		dispatch_refuse(req, resp, 200, "InternalError", "We encountered an internal error. Please try again.");
		return true;
	default:
		return false;
	}
}

/* Another text of the same form. */
static void change(char *text)
{
	*text = *text == 'a' ? 'b' : 'a';
}

/* The first character behind every "<name" … ">" of the body. */
static void change_elements(char *body, const char *name)
{
	char *at = body;

	while (at && (at = strstr(at, name))) {
		at = strchr(at, '>');
		if (!at || at[1] == '<')
			continue;
		at += str_starts(at, ">&quot;") ? strlen(">&quot;") : 1;
		change(at);
	}
}

static void change_headers(struct http_headers *headers, const char *prefix)
{
	for (size_t i = 0; i < headers->n; i++) {
		char *value = headers->v[i].value;

		if (!strncasecmp(headers->v[i].name, prefix, strlen(prefix)) &&
		    strcasecmp(headers->v[i].name, "x-amz-checksum-type") &&
		    strcasecmp(headers->v[i].name, "x-amz-checksum-algorithm") && *value)
			change(value + (*value == '"'));
	}
}

void server_fault_spoil(const struct fault *fault, struct local_response *resp)
{
	bool is_etag = fault->kind == FAULT_WRONG_ETAG;

	if (fault->kind == FAULT_TRUNCATE && resp->body)
		resp->n /= 2;
	if (!is_etag && fault->kind != FAULT_WRONG_CHECKSUM)
		return;
	change_headers(&resp->headers, is_etag ? "ETag" : "x-amz-checksum-");
	if (!resp->body)
		return;
	if (is_etag) {
		change_elements(resp->body, "<ETag");
		return;
	}
	change_elements(resp->body, "<ChecksumSHA");
	change_elements(resp->body, "<ChecksumCRC");
}

struct slow_body {
	char *bytes; /* NULL: those of fd */
	int fd;
	uint64_t offset, end; /* end: where it breaks off */
	int64_t step_ms;
	const struct sys *sys;
};

static ssize_t read_slowly(void *ctx, uint64_t pos, char *buffer, size_t n)
{
	struct slow_body *b = ctx;

	if (pos >= b->end)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n > b->end - pos)
		n = (size_t)(b->end - pos);
	wait_ms(b->step_ms, b->sys);
	if (!b->bytes)
		return pread(b->fd, buffer, n, (off_t)(b->offset + pos));
	memcpy(buffer, b->bytes + pos, n);
	return (ssize_t)n;
}

static void free_slow(void *ctx)
{
	struct slow_body *b = ctx;

	free(b->bytes);
	mem_close_p(&b->fd);
	free(b);
}

struct MHD_Response *server_fault_response(const struct fault *fault, struct local_response *resp,
					   const struct sys *sys)
{
	bool is_trickle = fault->kind == FAULT_TRICKLE, is_file = resp->file_fd >= 0;
	uint64_t size = is_file ? resp->file_size : resp->n;
	struct slow_body *b;

	if ((!is_trickle && fault->kind != FAULT_RESET_ANSWER) || resp->is_head || size == 0)
		return NULL;
	b = xcalloc(1, sizeof(*b));
	*b = (struct slow_body){ .bytes = take(resp->body),
				 .fd = take_fd(&resp->file_fd),
				 .offset = resp->file_offset,
				 .end = is_trickle ? size : size / 2,
				 .step_ms = is_trickle ? fault->number : 0,
				 .sys = sys };
	if (is_file) {
		free(b->bytes);
		b->bytes = NULL;
	}
	return MHD_create_response_from_callback(size, is_trickle ? 1 : 4096, read_slowly, b, free_slow);
}
