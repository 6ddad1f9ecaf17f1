#ifndef SMPIPE_BASE_HTTP_CURL_EXCHANGE_H
#define SMPIPE_BASE_HTTP_CURL_EXCHANGE_H

/* One exchange of base/http_curl: what libcurl is told of a request, and what its callbacks do with the answer. */

#include <curl/curl.h>

#include "base/http.h"

struct exchange {
	struct http_exchange *call; /* the caller's; NULL while this one waits in the pool */
	CURL *easy;                 /* used again by later exchanges; the connections are the client's */
	struct curl_slist *headers;
	char details[CURL_ERROR_SIZE];
	size_t header_bytes;
	bool refused; /* a callback put its reason into call->err */
	bool is_address_refused;
	int n_sent;       /* how often libcurl began to send the request */
	int64_t moved_ms; /* when bytes were last seen to move … */
	curl_off_t moved; /* … and how many had by then */
	struct exchange *next, *previous;
};

/* What must hold before anything is sent: no plain http to other machines, no line breaks in headers. */
int exchange_check(const struct http_request *req, struct err *err);

/* Tell libcurl all about the request of the call. */
void exchange_set_options(struct exchange *e);

/* Bytes that moved so far in both directions. */
curl_off_t exchange_bytes_moved(const struct exchange *e);

/* The peer says nothing for too long. Returns -1. */
int exchange_silent(struct exchange *e);

/* The exchange ended as libcurl says: fills in the answer's status and the error. Returns 0 or -1. */
int exchange_finish(struct exchange *e, CURLcode code);

/* For CURLOPT_OPENSOCKETFUNCTION: a socket for an address that the request allows, else CURL_SOCKET_BAD. */
curl_socket_t exchange_open_socket(struct exchange *e, const struct curl_sockaddr *address);

#endif
