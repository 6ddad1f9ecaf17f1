#ifndef SMPIPE_LOCAL_SERVER_H
#define SMPIPE_LOCAL_SERVER_H

/*
 * The HTTP front of the local cloud, on libmicrohttpd: one port on loopback for every service. The service is told by
 * the scope of the signature (AWS) or by the path /v2/ (registry).
 */

#include <jansson.h>
#include <stdbool.h>
#include <time.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/http.h"

struct cloud; /* local/cloud.h */

/* A request with its whole body: small ones in memory, larger ones in an unlinked temporary file. */
struct local_request {
	char *method;
	char *path;  /* as sent, still percent-encoded */
	char *query; /* as sent, "" if none */
	struct http_headers headers;
	char *body; /* NUL-terminated; NULL when it lies in body_fd */
	uint64_t body_size;
	int body_fd;               /* -1, or positioned anywhere: use pread */
	struct digest body_digest; /* SHA-256 of the body as received */
	char *request_id;
	/* From the verified signature: */
	char *region, *service;
	int64_t clock_ahead_s; /* of the service, for this request: local/faults.h */
};

void local_request_release(struct local_request *req);

struct local_response {
	int status;
	struct http_headers headers;
	char *body; /* owned; sent when file_fd is -1 */
	size_t n;
	int file_fd; /* owned; its bytes [file_offset, file_offset + file_size) are sent */
	uint64_t file_offset, file_size;
	bool is_head; /* a HEAD: head_size is announced, nothing is sent */
	uint64_t head_size;
	const char *request_id; /* of the request; borrowed, set before a handler is called */
};

void local_response_init(struct local_response *resp, const struct local_request *req);
void local_response_release(struct local_response *resp);

/* A decoded query parameter, new, or NULL when absent ("" when without value). */
char *local_query_get(const struct local_request *req, const char *name);
bool local_query_has(const struct local_request *req, const char *name);
/* The same of any text of the form a=1&b=2. */
char *local_form_get(const char *form, const char *name);

/* "Thu, 23 Nov 2023 01:38:54 GMT"; new string. */
char *local_http_date(time_t t);

/* Answers. Each sets status, content type and body, in place of what was set before; error codes and shapes as the
 * services give them. */
void local_respond_json(struct local_response *resp, int status, json_t *body /* taken over */);
/* {"__type": code, "message": …}, content type application/x-amz-json-1.1 */
void local_respond_json_error(struct local_response *resp, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void local_respond_xml(struct local_response *resp, int status, const char *xml);
/* The code of 507, which clients do not try again: the disk under the local cloud is full. */
#define LOCAL_DISK_FULL "InsufficientStorage"
/* <Error><Code>…</Code><Message>…</Message><RequestId>…</RequestId></Error> */
void local_respond_s3_error(struct local_response *resp, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* <ErrorResponse><Error>…</Error><RequestId>…</RequestId></ErrorResponse>, as STS and IAM give it. */
void local_respond_query_error(struct local_response *resp, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Serve on 127.0.0.1:port (0 = any free one; *ret_port tells) until stopped. One thread per connection; services lock
 * for themselves. ERR_CONFLICT: the port is taken.
 */
struct server;
int server_start(struct cloud *cloud, int port, struct server **ret, int *ret_port, struct err *err);
/* Requests that are being answered are waited for, 10 s at most. NULL is fine. */
void server_stop(struct server *s);

/* Milliseconds since the last request ended; 0 while one is being answered. */
int64_t server_idle_ms(struct server *s);

#endif
