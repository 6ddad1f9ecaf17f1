#include "local/runner_tree.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "local/channel.h"
#include "local/runnable.h"

#define FAILURE_CHARACTERS 1024
#define GROUP              "homogeneousCluster"

int tree_make_open(const char *path, struct err *err)
{
	if (fs_mkdir_p(path, 0777, err) < 0)
		return -1;
	/* The process's umask has cut the mode. */
	if (chmod(path, 0777) < 0)
		return err_errno(err, "open '%s' to the container", path);
	return 0;
}

int tree_make(const char *ml, struct err *err)
{
	static const char *const folders[] = { "",
					       "input",
					       "input/config",
					       "input/data",
					       "model",
					       "output",
					       "output/data",
					       "output/metrics",
					       "output/metrics/sagemaker" };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		auto_free char *path = fs_join(ml, folders[i]);

		if (tree_make_open(path, err) < 0)
			return -1;
	}
	return 0;
}

static int write_config(const char *ml, const char *name, const json_t *doc, struct err *err)
{
	auto_free char *path = xasprintf("%s/input/config/%s", ml, name);
	auto_free char *text = json_compact(doc);

	if (fs_write_atomic(path, text, strlen(text), 0644, err) < 0)
		return -1;
	if (chmod(path, 0644) < 0)
		return err_errno(err, "open '%s' to the container", path);
	return 0;
}

static json_t *channel_config(const json_t *request, const json_t *channel)
{
	const json_t *source = json_at(channel, "DataSource", "S3DataSource", NULL);
	const char *mode = runnable_input_mode(request, channel);
	const char *distribution = json_str(source, "S3DataDistributionType");
	const char *wrapper = json_str(channel, "RecordWrapperType");
	json_t *c = json_object();

	json_put_str(c, "TrainingInputMode", mode ? mode : "File");
	json_put_str(c, "S3DistributionType", distribution ? distribution : "FullyReplicated");
	json_put_str(c, "RecordWrapperType", wrapper ? wrapper : "None");
	json_put_str(c, "ContentType", json_str(channel, "ContentType"));
	return c;
}

static json_t *input_data_config(const json_t *request)
{
	json_t *config = json_object();
	size_t i;
	json_t *channel;

	json_array_foreach(json_object_get(request, "InputDataConfig"), i, channel)
		json_object_set_new(config, json_str(channel, "ChannelName"), channel_config(request, channel));
	return config;
}

char *tree_host_name(size_t host)
{
	return xasprintf("algo-%zu", host + 1);
}

/* In the order of their letters, as the service has them: algo-10 before algo-2. */
static json_t *host_names(size_t n_hosts)
{
	auto_strlist names = { 0 };
	json_t *list = json_array();

	for (size_t i = 0; i < n_hosts; i++)
		strlist_take(&names, tree_host_name(i));
	strlist_sort(&names);
	for (size_t i = 0; i < names.n; i++)
		json_array_append_new(list, json_string(names.v[i]));
	return list;
}

static json_t *resource_config(const json_t *request, size_t host, const char *network_interface)
{
	const char *type = json_str(json_object_get(request, "ResourceConfig"), "InstanceType");
	auto_json *hosts = host_names(channel_hosts(request));
	auto_free char *current = tree_host_name(host);

	return json_pack("{s:s, s:s?, s:s, s:O, s:[{s:s, s:s?, s:O}], s:s, s:n}", "current_host", current,
			 "current_instance_type", type, "current_group_name", GROUP, "hosts", hosts, "instance_groups",
			 "instance_group_name", GROUP, "instance_type", type, "hosts", hosts, "network_interface_name",
			 network_interface, "topology");
}

int tree_write_config(const char *ml, const json_t *request, size_t host, const char *network_interface,
		      struct err *err)
{
	const json_t *given = json_object_get(request, "HyperParameters");
	auto_json *hyperparameters = given ? json_copy((json_t *)given) : json_object();
	auto_json *inputs = input_data_config(request);
	auto_json *resources = resource_config(request, host, network_interface);

	if (write_config(ml, "hyperparameters.json", hyperparameters, err) < 0 ||
	    write_config(ml, "inputdataconfig.json", inputs, err) < 0)
		return -1;
	return write_config(ml, "resourceconfig.json", resources, err);
}

/* What was downloaded belongs to this process, the reader may be any user of the image. */
static int open_entry(void *ctx, const char *path, const struct stat *st, struct err *err)
{
	auto_free char *full = fs_join(ctx, path);

	if (S_ISLNK(st->st_mode))
		return 0;
	if (chmod(full, S_ISDIR(st->st_mode) ? 0777 : 0666) < 0)
		return err_errno(err, "open '%s' to the container", full);
	return 0;
}

int tree_open_all(const char *dir, struct err *err)
{
	return fs_walk(dir, open_entry, (void *)dir, err);
}

static int fetch_channel(struct cloud *cloud, const char *ml, const json_t *request, const json_t *channel, size_t host,
			 struct err *err)
{
	auto_free char *dir = xasprintf("%s/input/data/%s", ml, json_str(channel, "ChannelName"));

	if (tree_make_open(dir, err) < 0 ||
	    channel_download(cloud, channel, host, channel_hosts(request), dir, err) < 0)
		return -1;
	return tree_open_all(dir, err);
}

int tree_fetch_inputs(struct cloud *cloud, const char *ml, const json_t *request, size_t host, struct err *err)
{
	size_t i;
	json_t *channel;

	json_array_foreach(json_object_get(request, "InputDataConfig"), i, channel) {
		if (fetch_channel(cloud, ml, request, channel, host, err) < 0)
			return err_wrap(err, "channel '%s'", json_str(channel, "ChannelName"));
	}
	return 0;
}

/* Length of the character at p of at most n bytes when it is valid UTF-8 and not NUL, else 0. */
static size_t character_length(const char *p, size_t n)
{
	for (size_t length = 1; length <= 4 && length <= n; length++)
		if (str_is_utf8(p, length))
			return *p ? length : 0;
	return 0;
}

static char *clean_characters(const char *p, size_t n, size_t max_characters)
{
	struct str out = { 0 };

	for (size_t i = 0; n > 0 && i < max_characters; i++) {
		size_t length = character_length(p, n);

		if (length)
			str_add_mem(&out, p, length);
		else
			str_add_char(&out, '?');
		p += length ? length : 1;
		n -= length ? length : 1;
	}
	return str_detach(&out);
}

char *tree_clean_text(const char *p, size_t n)
{
	return clean_characters(p, n, SIZE_MAX);
}

char *tree_read_failure(const char *ml)
{
	auto_free char *path = fs_join(ml, "output/failure");
	/* The container may have put anything there: a link is not followed, a FIFO not waited for. */
	auto_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char buffer[4 * FAILURE_CHARACTERS];
	struct stat st;
	size_t n = 0;
	ssize_t r;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return xstrdup("");
	while (n < sizeof(buffer) && (r = read(fd, buffer + n, sizeof(buffer) - n)) > 0)
		n += (size_t)r;
	return clean_characters(buffer, n, FAILURE_CHARACTERS);
}
