#include "local/runner_network.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "ecr/engine_container.h"

int runner_network(struct engine *e, const char **ret, struct err *err)
{
	auto_err why = { 0 };

	if (engine_call(e, "GET", "/networks/bridge", NULL, NULL, &why) == 0) {
		*ret = "bridge";
		return 0;
	}
	if (why.code != ERR_NOT_FOUND) {
		err_move(err, &why);
		return -1;
	}
	*ret = "none";
	return 0;
}

char *runner_engine_name(struct job *job, const char *what)
{
	unsigned char raw[4];
	auto_free char *suffix = NULL;

	job->sys->random(job->sys, raw, sizeof(raw));
	suffix = str_hex(raw, sizeof(raw));
	return xasprintf("smpipe-%s-%s-%s", job->name, what, suffix);
}

int runner_network_create(struct engine *e, struct job *job, char **ret_name, struct err *err)
{
	auto_free char *name = runner_engine_name(job, "net");
	auto_free char *leftover = xasprintf("networks/%s", name);
	auto_json *spec =
		json_pack("{s:s, s:b, s:{s:s}}", "Name", name, "Internal", 1, "Labels", "smpipe.job", job->name);

	job_add_leftover(job, leftover);
	if (engine_call(e, "POST", "/networks/create", spec, NULL, err) < 0)
		return err_wrap(err, "create the network of the hosts");
	*ret_name = take(name);
	return 0;
}

static int network_remove(struct engine *e, const char *leftover, struct err *err)
{
	auto_free char *path = xasprintf("/%s", leftover);
	auto_err why = { 0 };

	if (engine_call(e, "DELETE", path, NULL, NULL, &why) == 0 || why.code == ERR_NOT_FOUND)
		return 0;
	err_move(err, &why);
	return -1;
}

static void remove_at_exit(const struct engine *e, const char *leftover)
{
	auto_free char *request =
		xasprintf("DELETE /v%s/%s?force=1&v=1 HTTP/1.0\r\nHost: docker\r\n\r\n", e->api_version, leftover);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 5 };
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n = strlen(e->socket);
	char answer[512];

	if (fd < 0 || n >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, e->socket, n + 1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		return;
	/* The first byte of the answer comes when the thing is gone. */
	(void)!recv(fd, answer, sizeof(answer), 0);
}

static int remove_one(struct engine *e, const char *leftover)
{
	const char *slash = strchr(leftover, '/');
	auto_err ignored = { 0 };

	if (!slash)
		return 0;
	if (str_starts(leftover, "networks/"))
		return network_remove(e, leftover, &ignored);
	return container_remove(e, slash + 1, &ignored);
}

void runner_remove_leftovers(struct engine *e, struct job *job)
{
	auto_json *leftovers = job_leftovers(job);

	for (size_t i = json_array_size(leftovers); i-- > 0;) {
		const char *leftover = json_string_value(json_array_get(leftovers, i));

		if (!leftover || remove_one(e, leftover) == 0)
			job_drop_leftover(job, leftover);
		else if (sys_is_cancelled() && e->socket)
			remove_at_exit(e, leftover);
	}
}
