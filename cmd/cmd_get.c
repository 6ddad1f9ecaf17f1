/* get: the model of a job, an object, or all objects below a prefix. */

#include <string.h>
#include <sys/stat.h>

#include "aws/sagemaker.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "pipeline/remote_job.h"
#include "s3/download.h"
#include "s3/scan.h"
#include "s3/uri.h"

#define MAX_OBJECTS ((size_t)10 * 1000 * 1000)

struct getting {
	struct cmd *cmd;
	struct s3 *s3;
	struct s3_uri from;
	char *to; /* the file; of a prefix the folder */
	bool is_prefix;
	struct s3_listing found; /* below the prefix */
	size_t next;
	json_t *files; /* for --json */
};

/* Below the prefix, as every listed key is; NULL for a folder's marker, which is no file. */
static const char *relative_of(const struct getting *g, const char *key)
{
	const char *relative = key + strlen(g->from.key);

	return *relative && !str_ends(relative, "/") ? relative : NULL;
}

/* Byte order with '/' before all else: what lies below a key comes right after it. */
static int compare_paths(const void *a, const void *b)
{
	const unsigned char *p = *(const unsigned char *const *)a, *q = *(const unsigned char *const *)b;

	for (; *p && *p == *q; p++)
		q++;
	if (*p == *q || !*p || !*q)
		return *p - *q;
	return *p == '/' ? -1 : *q == '/' ? 1 : *p - *q;
}

static int check_pair(const char *key, const char *next, struct err *err)
{
	size_t n = strlen(key);
	auto_free char *shown = NULL;

	if (strncmp(key, next, n) != 0 || (next[n] && next[n] != '/'))
		return 0;
	shown = str_escaped(key);
	return err_set(err, ERR_INVALID,
		       next[n] ? "the key '%s' is a file and a folder: no disk can hold both"
			       : "the key '%s' is listed twice",
		       shown);
}

/* What a get that was cut off left in a folder that was put: under its name another object is fetched here. */
static int check_temporary(const char *relative, const char *shown, struct err *err)
{
	if (!str_starts(relative, DOWNLOAD_TEMPORARY_PREFIX) && !strstr(relative, "/" DOWNLOAD_TEMPORARY_PREFIX))
		return 0;
	err_set(err, ERR_INVALID, "the key '%s' has a name that get gives to what it has not finished", shown);
	return err_hint(err, "delete that object, or fetch the others one by one");
}

/* Whether all keys can be files below the target, each its own. Before any of them is fetched. */
static int check_keys(const struct getting *g, struct err *err)
{
	auto_free const char **paths = xcalloc(g->found.n, sizeof(*paths));
	size_t n = 0;

	for (size_t i = 0; i < g->found.n; i++) {
		const char *key = g->found.v[i].key, *relative;
		auto_free char *shown = str_escaped(key);

		relative = relative_of(g, key);
		if (relative && !scan_is_data_path(relative))
			return err_set(err, ERR_INVALID, "the key '%s' is no name that a file can have", shown);
		if (relative && check_temporary(relative, shown, err) < 0)
			return -1;
		if (relative)
			paths[n++] = relative;
	}
	qsort(paths, n, sizeof(*paths), compare_paths);
	for (size_t i = 1; i < n; i++)
		if (check_pair(paths[i - 1], paths[i], err) < 0)
			return -1;
	return 0;
}

static int path_of(const struct getting *g, const char *key, char **ret, struct err *err)
{
	const char *relative = relative_of(g, key);
	auto_free char *path = NULL;
	auto_free char *folder = NULL;

	*ret = NULL;
	if (!relative)
		return 0;
	path = fs_join(g->to, relative);
	folder = fs_dirname(path);
	if (fs_mkdir_p(folder, 0777, err) < 0)
		return -1;
	*ret = take(path);
	return 1;
}

static int next_below(struct getting *g, struct download_item *ret, struct err *err)
{
	while (g->next < g->found.n) {
		const struct s3_listed *o = &g->found.v[g->next++];
		char *path;
		int is_file = path_of(g, o->key, &path, err);

		if (is_file < 0)
			return -1;
		if (!is_file)
			continue;
		*ret = (struct download_item){ xstrdup(o->key), path, o->size, true };
		return 1;
	}
	return 0;
}

static int next_object(void *ctx, struct download_item *ret, struct err *err)
{
	struct getting *g = ctx;

	if (g->is_prefix)
		return next_below(g, ret, err);
	if (g->next++)
		return 0;
	*ret = (struct download_item){ .key = xstrdup(g->from.key), .path = xstrdup(g->to) };
	return 1;
}

static void note_file(void *ctx, const char *key, const char *path, uint64_t size, enum download_check check)
{
	struct getting *g = ctx;
	json_t *file = json_object();

	json_put_str(file, "key", key);
	json_put_str(file, "path", path);
	json_put_int(file, "size", (json_int_t)size);
	json_object_set_new(file, "checked", json_boolean(check == DOWNLOAD_CHECKED));
	json_array_append_new(g->files, file);
}

/* Where the service says that the job put its model; of a tuning job the best training job did. */
static int find_model(struct getting *g, const char *job, struct err *err)
{
	auto_json *description = NULL;
	auto_json *training = NULL;
	const char *uri, *best;

	if (remote_job_find(g->s3->aws, JOB_TRAINING, job, &description, err) < 0)
		return cmd_hint_jobs(g->cmd, err);
	best = json_string_value(json_at(description, "BestTrainingJob", "TrainingJobName", NULL));
	if (best && sagemaker_describe_job(g->s3->aws, &sagemaker_training, best, &training, err) < 0)
		return -1;
	uri = json_string_value(json_at(training ? training : description, "ModelArtifacts", "S3ModelArtifacts", NULL));
	if (!uri)
		return err_set(err, ERR_NOT_FOUND, "job '%s' has no model (%s)", job, remote_job_status(description));
	return s3_uri_parse(uri, &g->from, err);
}

static int check_name(const char *name, struct err *err)
{
	if (fs_is_safe_relative(name))
		return 0;
	return err_set(err, ERR_CONFIG, "'%s' is no name for a file or folder: give a target", name);
}

/* Who means a folder may have left out the '/' that makes a prefix of a key. */
static int hint_prefix(const struct getting *g, struct err *err)
{
	auto_free char *uri = s3_uri_format(g->from.bucket, g->from.key);

	return err_hint(err, "a prefix has '/' at its end: %s/", uri);
}

/* A device, a pipe or a folder would be replaced by the file, or be in its way when all of it has come. */
static int check_place(const struct getting *g, struct err *err)
{
	struct stat st;

	if (stat(g->to, &st) < 0 || S_ISREG(st.st_mode))
		return 0;
	err_set(err, ERR_CONFIG, "'%s' exists, and is no file that could be replaced", g->to);
	return S_ISDIR(st.st_mode) ? hint_prefix(g, err) : -1;
}

static int choose_target(struct getting *g, const char *wanted, struct err *err)
{
	auto_free char *name = NULL;

	/* Bytes are checked in a file before it gets its name: a reader of a stream would have them unchecked. */
	if (str_eq(wanted, "-")) {
		err_set(err, ERR_USAGE, "get writes files, not standard output");
		return err_hint(err, "a file of the name '-' is './-'");
	}
	g->is_prefix = !*g->from.key || str_ends(g->from.key, "/");
	if (g->is_prefix) {
		name = *g->from.key ? xstrndup(g->from.key, strlen(g->from.key) - 1) : xstrdup(g->from.bucket);
		g->to = xstrdup(wanted ? wanted : fs_basename(name));
		return wanted ? 0 : check_name(g->to, err);
	}
	if (!wanted)
		g->to = xstrdup(fs_basename(g->from.key));
	else if (fs_is_dir(wanted) || str_ends(wanted, "/"))
		g->to = fs_join(wanted, fs_basename(g->from.key));
	else
		g->to = xstrdup(wanted);
	name = fs_dirname(g->to);
	if (check_name(fs_basename(g->to), err) < 0 || check_place(g, err) < 0)
		return -1;
	return fs_mkdir_p(name, 0777, err);
}

static int list_below(struct getting *g, uint64_t *ret_bytes, struct err *err)
{
	if (!g->is_prefix)
		return 0;
	if (s3_list(g->s3, g->from.bucket, g->from.key, MAX_OBJECTS, &g->found, err) < 0)
		return -1;
	if (!g->found.n)
		return err_set(err, ERR_NOT_FOUND, "there is nothing below 's3://%s/%s'", g->from.bucket, g->from.key);
	for (size_t i = 0; i < g->found.n; i++)
		*ret_bytes += g->found.v[i].size;
	return check_keys(g, err);
}

/* HEAD's answer has no words. */
static int explain_absence(const struct getting *g, struct err *err)
{
	if (g->is_prefix || err->code != ERR_NOT_FOUND)
		return -1;
	err_wrap(err, "there is no object 's3://%s/%s', or no such bucket", g->from.bucket, g->from.key);
	return str_starts(g->cmd->opts.operands.v[0], "s3://") ? hint_prefix(g, err) : -1;
}

static void print_result(const struct getting *g, const struct download_result *got)
{
	auto_free char *size = str_bytes(got->bytes);

	if (got->unchecked)
		report_text(
			&g->cmd->ui.report, REPORT_WARNING, "get",
			"%llu of %llu files could not be checked: S3 keeps no checksum of them that get can compute",
			(unsigned long long)got->unchecked, (unsigned long long)got->files);
	if (g->files)
		cmd_print_json(g->files);
	else
		cmd_print("%s  %llu file%s, %s\n", g->to, (unsigned long long)got->files, got->files == 1 ? "" : "s",
			  size);
}

static int fetch(struct getting *g, struct err *err)
{
	const struct strlist *operands = &g->cmd->opts.operands;
	struct download_result got = { 0 };
	struct download d = {
		.next = next_object,
		.done = g->files ? note_file : NULL,
		.ctx = g,
		.report = &g->cmd->ui.report,
		.stage = "get",
	};

	if (!g->from.bucket && find_model(g, operands->v[0], err) < 0)
		return -1;
	d.bucket = g->from.bucket;
	if (choose_target(g, operands->n > 1 ? operands->v[1] : NULL, err) < 0 ||
	    list_below(g, &d.total_bytes, err) < 0)
		return -1;
	if (s3_download(g->s3, &d, &got, err) < 0)
		return explain_absence(g, err);
	ui_clear(&g->cmd->ui);
	print_result(g, &got);
	return 0;
}

static int get(struct getting *g, struct err *err)
{
	const struct strlist *operands = &g->cmd->opts.operands;
	auto_clients c = { 0 };
	struct s3 s3 = { .aws = &c.aws };

	if (!operands->n)
		return err_set(err, ERR_USAGE, "get takes a job, s3://bucket/key or s3://bucket/prefix/");
	if ((str_starts(operands->v[0], "s3://") && s3_uri_parse(operands->v[0], &g->from, err) < 0) ||
	    cmd_meet_cloud_anywhere(g->cmd, g->from.bucket ? NEEDS_STORE : NEEDS_CLOUD, err) < 0)
		return -1;
	clients_init(&c, &g->cmd->session);
	s3.bucket_owner = g->cmd->session.bucket_owner;
	g->s3 = &s3;
	return fetch(g, err);
}

int cmd_get(struct cmd *cmd, struct err *err)
{
	struct getting g = { .cmd = cmd, .files = opt_has(&cmd->opts, OPT_JSON) ? json_array() : NULL };
	int rc = get(&g, err);

	s3_uri_release(&g.from);
	s3_listing_release(&g.found);
	json_decref(g.files);
	free(g.to);
	return rc;
}
