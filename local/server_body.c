#include "local/server_body.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

void server_body_init(struct server_body *body, const char *dir, uint64_t max_bytes)
{
	*body = (struct server_body){ .dir = dir, .max_bytes = max_bytes, .fd = -1, .digest = digest_new() };
}

/* A nameless file in the cloud's own folder can be linked into a store later; where that is not possible, any will do.
 */
static int open_nameless(const char *dir, struct err *err)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);

	return fd >= 0 ? fd : fs_temp_file(err);
}

static int spill(struct server_body *body, struct err *err)
{
	body->fd = open_nameless(body->dir, err);
	if (body->fd < 0)
		return -1;
	if (fs_write_all(body->fd, str_text(&body->memory), body->memory.len, body->dir, err) < 0)
		return -1;
	str_release(&body->memory);
	return 0;
}

int server_body_add(struct server_body *body, const void *p, size_t n, struct err *err)
{
	if (n > body->max_bytes - body->size)
		return err_set(err, ERR_INVALID, "request body above %llu bytes", (unsigned long long)body->max_bytes);
	digest_update(body->digest, p, n);
	body->size += n;
	if (body->fd < 0 && body->size > SERVER_BODY_MEMORY_BYTES && spill(body, err) < 0)
		return -1;
	if (body->fd >= 0)
		return fs_write_all(body->fd, p, n, body->dir, err);
	str_add_mem(&body->memory, p, n);
	return 0;
}

void server_body_finish(struct server_body *body, struct local_request *req)
{
	req->body_digest = digest_final(body->digest);
	req->body_size = body->size;
	req->body_fd = take_fd(&body->fd);
	if (req->body_fd < 0)
		req->body = str_detach(&body->memory);
}

void server_body_release(struct server_body *body)
{
	mem_close_p(&body->fd);
	str_release(&body->memory);
	digest_free(body->digest);
}
