#ifndef SMPIPE_LOCAL_SERVER_BODY_H
#define SMPIPE_LOCAL_SERVER_BODY_H

/* The body of a request while it is received: in memory at first, in an unlinked file of the cloud's folder once it is
 * large. */

#include "base/str.h"
#include "local/server.h"

#define SERVER_BODY_MEMORY_BYTES (1ULL << 20)
#define SERVER_BODY_MAX_BYTES    (64ULL << 30)

struct server_body {
	const char *dir; /* where large bodies lie; borrowed */
	uint64_t max_bytes;
	struct str memory;
	int fd; /* -1 while in memory */
	uint64_t size;
	struct digest_state *digest;
};

void server_body_init(struct server_body *body, const char *dir, uint64_t max_bytes);
/* ERR_INVALID: over max_bytes. ERR_IO. */
int server_body_add(struct server_body *body, const void *p, size_t n, struct err *err);
/* Hand the whole body over to the request. */
void server_body_finish(struct server_body *body, struct local_request *req);
void server_body_release(struct server_body *body);

#endif
