/* The rules of InputDataConfig. https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Channel.html */

#include <string.h>

#include "aws/sagemaker_limits_rules.h"
#include "base/json.h"
#include "base/mem.h"

struct channel_rules {
	const json_t *request, *channel;
	const json_t *s3; /* S3DataSource, or NULL */
	const char *type; /* S3DataType, or NULL */
	const char *mode; /* the channel's, else the job's */
	const char *path; /* "InputDataConfig[2]" */
	struct str *ret_path;
	struct err *err;
};

static int refuse(const struct channel_rules *r, const char *member, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(const struct channel_rules *r, const char *member, const char *fmt, ...)
{
	auto_free char *path = xasprintf("%s.%s", r->path, member);
	auto_free char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	return sagemaker_refuse(r->ret_path, r->err, path, "%s", words);
}

static bool has_group(const json_t *request, const char *name)
{
	const json_t *groups = json_at(request, "ResourceConfig", "InstanceGroups", NULL);
	json_t *group;
	size_t i;

	json_array_foreach(groups, i, group) {
		if (str_eq(json_str(group, "InstanceGroupName"), name))
			return true;
	}
	return false;
}

static int check_source(const struct channel_rules *r)
{
	const json_t *source = json_object_get(r->channel, "DataSource");
	json_t *group;
	size_t i;

	if (json_object_size(source) != 1)
		return refuse(r, "DataSource", "exactly one source is needed");
	json_array_foreach(json_object_get(r->s3, "InstanceGroupNames"), i, group) {
		if (!has_group(r->request, json_string_value(group)))
			return refuse(r, "DataSource.S3DataSource.InstanceGroupNames", "there is no group '%s'",
				      json_string_value(group));
	}
	return 0;
}

static int check_file_system(const struct channel_rules *r)
{
	const json_t *fs = json_at(r->channel, "DataSource", "FileSystemDataSource", NULL);

	if (!fs)
		return 0;
	if (!json_object_get(r->request, "VpcConfig")) {
		refuse(r, "DataSource.FileSystemDataSource", "a file system needs a VpcConfig");
		return err_hint(r->err, "add VpcConfig.Subnets and VpcConfig.SecurityGroupIds");
	}
	if (!str_eq(r->mode, "File")) {
		refuse(r, "InputMode", "a file system is read in File mode, not in %s mode", r->mode);
		return err_hint(r->err, "set InputMode to File for this channel");
	}
	if (*json_str(fs, "DirectoryPath") != '/')
		return refuse(r, "DataSource.FileSystemDataSource.DirectoryPath", "'%s' does not begin with '/'",
			      json_str(fs, "DirectoryPath"));
	return 0;
}

static int check_s3_type(const struct channel_rules *r)
{
	bool is_augmented = str_eq(r->type, "AugmentedManifestFile");
	bool has_names = json_array_size(json_object_get(r->s3, "AttributeNames")) > 0;

	if (str_eq(r->mode, "FastFile") && r->s3 && !str_eq(r->type, "S3Prefix"))
		return refuse(r, "DataSource.S3DataSource.S3DataType",
			      "'%s' does not go with FastFile mode, which needs S3Prefix", r->type);
	if (is_augmented && !str_eq(r->mode, "Pipe")) {
		refuse(r, "DataSource.S3DataSource.S3DataType", "'%s' is read in Pipe mode only, not in %s mode",
		       r->type, r->mode);
		return err_hint(r->err, "set InputMode to Pipe for this channel");
	}
	if (is_augmented && !has_names)
		return refuse(r, "DataSource.S3DataSource.S3DataType", "'%s' needs AttributeNames", r->type);
	if (has_names && !is_augmented)
		return refuse(r, "DataSource.S3DataSource.AttributeNames", "goes with AugmentedManifestFile only");
	return 0;
}

/* "In File mode, leave this field unset or set it to None." */
static int check_pipe_only(const struct channel_rules *r)
{
	static const char *const members[] = { "CompressionType", "RecordWrapperType" };

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const char *value = json_str(r->channel, members[i]);

		if (value && !str_eq(value, "None") && !str_eq(r->mode, "Pipe")) {
			refuse(r, members[i], "'%s' goes with Pipe mode only, not with %s mode", value, r->mode);
			return err_hint(r->err, "leave it out, or set InputMode to Pipe for this channel");
		}
	}
	if (json_object_get(r->channel, "ShuffleConfig") && !r->s3)
		return refuse(r, "ShuffleConfig", "only data in S3 is shuffled");
	return 0;
}

static int check_channel(const struct channel_rules *r)
{
	if (check_source(r) < 0 || check_file_system(r) < 0 || check_s3_type(r) < 0)
		return -1;
	return check_pipe_only(r);
}

int sagemaker_check_channel_rules(const json_t *request, struct str *ret_path, struct err *err)
{
	const json_t *channels = json_object_get(request, "InputDataConfig");
	const char *mode = json_str(json_object_get(request, "AlgorithmSpecification"), "TrainingInputMode");
	json_t *channel;
	size_t i;

	json_array_foreach(channels, i, channel) {
		auto_free char *path = xasprintf("InputDataConfig[%zu]", i);
		const json_t *s3 = json_at(channel, "DataSource", "S3DataSource", NULL);
		const char *own_mode = json_str(channel, "InputMode");
		struct channel_rules r = {
			.request = request,
			.channel = channel,
			.s3 = s3,
			.type = json_str(s3, "S3DataType"),
			.mode = own_mode ? own_mode
				: mode   ? mode
					 : "File",
			.path = path,
			.ret_path = ret_path,
			.err = err,
		};

		if (check_channel(&r) < 0)
			return -1;
	}
	return sagemaker_check_distinct(channels, "InputDataConfig", "ChannelName", ret_path, err);
}
