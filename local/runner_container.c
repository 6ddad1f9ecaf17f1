#include "local/runner_container.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "aws/partition.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"

#define SHARED_MEMORY_BYTES                                                                                            \
	(INT64_C(1) << 30) /* the Engine's 64 MiB are too few for data loaders with several processes */

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

static void add_variable(json_t *env, const char *name, const char *value)
{
	auto_free char *text = xasprintf("%s=%s", name, value ? value : "");

	json_array_append_new(env, json_string(text));
}

static json_t *environment(const json_t *request, const char *arn_text)
{
	json_t *env = json_array();
	auto_arn arn = { 0 };
	const char *name;
	json_t *value;

	if (arn_parse(arn_text, &arn) == 0)
		add_variable(env, "AWS_REGION", arn.region);
	add_variable(env, "TRAINING_JOB_NAME", json_str(request, "TrainingJobName"));
	add_variable(env, "TRAINING_JOB_ARN", arn_text);
	add_variable(env, "SAGEMAKER_METRICS_DIRECTORY", "/opt/ml/output/metrics/sagemaker");
	json_object_foreach((json_t *)json_object_get(request, "Environment"), name, value)
		add_variable(env, name, json_string_value(value));
	return env;
}

static void add_mount(json_t *mounts, const char *ml, const char *folder, const char *target)
{
	auto_free char *source = fs_join(ml, folder);

	json_array_append_new(mounts, json_pack("{s:s, s:s, s:s}", "Type", "bind", "Source", source, "Target", target));
}

/* Folder by folder, so that what an image brings at /opt/ml/code stays to be seen. */
static json_t *mounts(const json_t *request, const char *ml)
{
	const char *checkpoints = json_str(json_object_get(request, "CheckpointConfig"), "LocalPath");
	json_t *list = json_array();

	add_mount(list, ml, "input", "/opt/ml/input");
	add_mount(list, ml, "model", "/opt/ml/model");
	add_mount(list, ml, "output", "/opt/ml/output");
	add_mount(list, ml, "checkpoints", checkpoints ? checkpoints : "/opt/ml/checkpoints");
	return list;
}

json_t *runner_container_spec(const json_t *request, const char *arn, const char *ml, const char *network)
{
	const json_t *algorithm = json_object_get(request, "AlgorithmSpecification");
	json_t *entrypoint = json_object_get(algorithm, "ContainerEntrypoint");
	json_t *arguments = json_object_get(algorithm, "ContainerArguments");
	bool is_isolated = json_is_true(json_object_get(request, "EnableNetworkIsolation"));
	const char *mode = is_isolated ? "none" : network;
	json_t *host = json_pack("{s:o, s:s, s:I}", "Mounts", mounts(request, ml), "NetworkMode", mode, "ShmSize",
				 (json_int_t)SHARED_MEMORY_BYTES);
	json_t *spec = json_pack("{s:s, s:s, s:o, s:{s:s}, s:o}", "Image", json_str(algorithm, "TrainingImage"),
				 "Hostname", "algo-1", "Env", environment(request, arn), "Labels", "smpipe.job",
				 json_str(request, "TrainingJobName"), "HostConfig", host);

	/* Logs are read back from the Engine, whatever its default driver is. */
	json_object_set_new(host, "LogConfig", json_pack("{s:s}", "Type", "json-file"));
	/* Without a network nobody else makes the host's own name known. */
	if (strcmp(mode, "none") == 0)
		json_object_set_new(host, "ExtraHosts", json_pack("[s]", "algo-1:127.0.0.1"));
	/* An entrypoint alone drops the image's CMD as well: the Engine does so by itself. */
	if (entrypoint)
		json_object_set(spec, "Entrypoint", entrypoint);
	if (arguments)
		json_object_set(spec, "Cmd", arguments);
	else if (!entrypoint)
		json_object_set_new(spec, "Cmd", json_pack("[s]", "train"));
	return spec;
}

void runner_remove_at_exit(const struct engine *e, const char *container_id)
{
	auto_free char *request = xasprintf("DELETE /v%s/containers/%s?force=1&v=1 HTTP/1.0\r\nHost: docker\r\n\r\n",
					    e->api_version, container_id);
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
	/* The first byte of the answer comes when the container is gone. */
	(void)!recv(fd, answer, sizeof(answer), 0);
}
