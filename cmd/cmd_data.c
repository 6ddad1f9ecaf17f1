/* data: the snapshots of the channels in S3. push, list and the way to the others. */

#include "cmd/cmd_data.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/stages.h"
#include "s3/manifest.h"

int data_open(struct cmd *cmd, struct data *d, struct err *err)
{
	const struct aws_identity *id = &cmd->session.identity;

	if (cmd_meet_needs(cmd, NEEDS_PROJECT | NEEDS_STORE, err) < 0)
		return -1;
	if (!id->account) {
		err_set(err, ERR_CONFIG, "the account that owns the bucket is not known");
		return err_hint(err, "an S3-compatible store has no STS to tell it: give `account:` in smpipe.yaml");
	}
	d->cmd = cmd;
	d->target = (struct target){ .account = id->account,
				     .region = id->region,
				     .partition = id->partition,
				     .is_local = cmd->session.is_local };
	if (project_open_channels(&cmd->project, err) < 0)
		return -1;
	return 0;
}

int data_plan(struct data *d, struct err *err)
{
	if (plan_make_data(&d->cmd->project, &d->target, &d->plan, err) < 0)
		return -1;
	for (size_t i = 0; i < d->plan.warnings.n; i++)
		report_text(&d->cmd->ui.report, REPORT_WARNING, "data", "%s", d->plan.warnings.v[i]);
	clients_init(&d->c, &d->cmd->session);
	d->s3 = (struct s3){ .aws = &d->c.aws, .bucket_owner = d->plan.owner };
	return 0;
}

void data_release(struct data *d)
{
	clients_release(&d->c);
	plan_release(&d->plan);
}

void data_note_none(const struct data *d)
{
	report_text(&d->cmd->ui.report, REPORT_NOTE, "data", "there are no snapshots yet");
}

struct channel *data_local_channel(const struct data *d, const char *name)
{
	for (size_t i = 0; i < d->cmd->project.n_channels; i++) {
		struct channel *c = &d->cmd->project.channels[i];

		if (c->kind == CHANNEL_LOCAL && !strcmp(c->name, name))
			return c;
	}
	return NULL;
}

struct channel *data_named_channel(const struct data *d, const char *name, struct err *err)
{
	struct channel *c = data_local_channel(d, name);

	if (!c)
		err_set(err, ERR_USAGE, "'%s' is no channel of a local folder in %s", name,
			d->cmd->project.config.file);
	return c;
}

char *data_prefix(const struct data *d, const char *channel)
{
	return xasprintf("%s/%s", d->plan.data_prefix, channel);
}

/* The channels that S3 has snapshots of, or the one that the operand names. */
int data_channels(struct data *d, const char *only, struct strlist *ret, struct err *err)
{
	auto_free char *below = xasprintf("%s/", d->plan.data_prefix);
	auto_s3_listing ignored = { 0 };
	auto_strlist folders = { 0 };

	if (only) {
		strlist_add(ret, only);
		return 0;
	}
	/* The first push makes the bucket. */
	if (s3_list_level(&d->s3, d->plan.data_bucket, below, SNAPSHOTS_MAX, &ignored, &folders, err) < 0)
		return err_is_service(err, "NoSuchBucket") ? (err_release(err), 0) : -1;
	for (size_t i = 0; i < folders.n; i++) {
		const char *name = folders.v[i] + strlen(below);

		strlist_take(ret, xstrndup(name, strlen(name) - 1));
	}
	return 0;
}

int data_snapshots(struct data *d, const char *channel, struct snapshots *ret, struct err *err)
{
	auto_free char *prefix = data_prefix(d, channel);

	if (snapshots_list(&d->s3, d->plan.data_bucket, prefix, ret, err) < 0)
		return err_is_service(err, "NoSuchBucket") ? (err_release(err), 0) : -1;
	return 0;
}

/* Of each local channel, so that the list can say which snapshot the folder is now; one that cannot be read has none.
 */
static void read_local(struct data *d)
{
	for (size_t i = 0; i < d->cmd->project.n_channels; i++) {
		struct channel *c = &d->cmd->project.channels[i];
		auto_err why = { 0 };

		if (c->kind == CHANNEL_LOCAL && project_read_channel(&d->cmd->project, c, &why) < 0)
			report_text(&d->cmd->ui.report, REPORT_WARNING, "data", "%s", why.msg);
	}
	cmd_keep_indexes(d->cmd);
}

static bool is_current(const struct data *d, const char *channel, const char *digest)
{
	const struct channel *c = data_local_channel(d, channel);
	auto_free char *hex = c && c->files.n ? digest_hex(&c->tree) : NULL;

	return str_eq(hex, digest);
}

struct counts {
	uint64_t files, bytes;
};

static void count_file(void *ctx, const struct file_entry *e)
{
	struct counts *c = ctx;

	c->files += !file_entry_is_folder(e);
	c->bytes += e->size;
}

static json_t *describe(struct data *d, const char *channel, const struct snapshot_info *s)
{
	auto_free char *prefix = data_prefix(d, channel);
	auto_free char *folder = xasprintf("%s/%s/", prefix, s->digest);
	auto_free char *uri = s3_uri_format(d->plan.data_bucket, folder);
	auto_free char *date = s->modified_s ? str_time_iso(s->modified_s) : NULL;
	struct counts counts = { 0 };
	auto_err why = { 0 };
	json_t *j = json_object();

	json_put_str(j, "channel", channel);
	json_put_str(j, "digest", s->digest);
	json_put_str(j, "uri", uri);
	json_put_str(j, "date", date);
	json_object_set_new(j, "whole", json_boolean(s->is_whole));
	json_object_set_new(j, "current", json_boolean(is_current(d, channel, s->digest)));
	if (!s->is_whole)
		return j;
	if (manifest_each(&d->s3, d->plan.data_bucket, prefix, s->digest, count_file, &counts, &why) < 0) {
		report_text(&d->cmd->ui.report, REPORT_WARNING, "data", "%s: %s", uri, why.msg);
		return j;
	}
	json_put_int(j, "files", (json_int_t)counts.files);
	json_put_int(j, "bytes", (json_int_t)counts.bytes);
	return j;
}

static void print_snapshot(const json_t *j)
{
	const char *date = json_str(j, "date");
	json_int_t files = json_integer_value(json_object_get(j, "files"));
	auto_free char *bytes = str_bytes((uint64_t)json_integer_value(json_object_get(j, "bytes")));

	cmd_print("%-20s  %.12s  ", date ? date : "", json_str(j, "digest"));
	if (!json_is_true(json_object_get(j, "whole")))
		cmd_print("%-24s", "unfinished");
	else if (!json_object_get(j, "files"))
		cmd_print("%-24s", "its manifest is broken");
	else
		cmd_print("%8lld file%s %10s", (long long)files, files == 1 ? " " : "s", bytes);
	cmd_print("  %s%s\n", json_str(j, "channel"),
		  json_is_true(json_object_get(j, "current")) ? "  (the folder as it is now)" : "");
}

static int list(struct data *d, struct err *err)
{
	auto_json *array = json_array();
	auto_strlist channels = { 0 };
	json_t *j;
	size_t n;

	read_local(d);
	if (data_plan(d, err) < 0 || data_channels(d, data_operand(d, 1), &channels, err) < 0)
		return -1;
	for (size_t i = 0; i < channels.n; i++) {
		auto_snapshots l = { 0 };

		if (data_snapshots(d, channels.v[i], &l, err) < 0)
			return -1;
		for (size_t k = 0; k < l.n; k++)
			json_array_append_new(array, describe(d, channels.v[i], &l.v[k]));
	}
	if (opt_has(&d->cmd->opts, OPT_JSON)) {
		cmd_print_json(array);
		return 0;
	}
	json_array_foreach(array, n, j)
		print_snapshot(j);
	if (!json_array_size(array))
		data_note_none(d);
	return 0;
}

static void print_pushed(const struct data *d)
{
	auto_json *array = json_array();
	bool is_json = opt_has(&d->cmd->opts, OPT_JSON);

	for (size_t i = 0; i < d->plan.n_channels; i++) {
		const struct plan_channel *pc = &d->plan.channels[i];

		if (pc->digest && is_json)
			json_array_append_new(array, json_pack("{ss ss ss}", "channel", pc->channel->name, "digest",
							       pc->digest, "uri", pc->uri));
		else if (pc->digest)
			cmd_print("%s  %s\n", pc->channel->name, pc->uri);
	}
	if (is_json)
		cmd_print_json(array);
}

static int push_channels(struct data *d, struct err *err)
{
	const struct session *s = &d->cmd->session;
	struct project *p = &d->cmd->project;
	struct stage_result result = { 0 };
	size_t n_local = 0;

	for (size_t i = 0; i < p->n_channels; i++) {
		if (p->channels[i].kind != CHANNEL_LOCAL)
			continue;
		if (project_read_channel(p, &p->channels[i], err) < 0)
			return -1;
		n_local++;
	}
	if (!n_local)
		report_text(&d->cmd->ui.report, REPORT_NOTE, "data",
			    "no channel of %s has a local path: nothing to send", p->config.file);
	cmd_keep_indexes(d->cmd);
	if (data_plan(d, err) < 0 || (n_local && stage_bucket(s, p, &d->plan, err) < 0) ||
	    stage_data(s, p, &d->plan, &result, err) < 0)
		return -1;
	ui_clear(&d->cmd->ui);
	print_pushed(d);
	return 0;
}

/* What a release does with data, without the rest of it; of one channel, as if smpipe.yaml had no other. */
static int push(struct data *d, struct err *err)
{
	struct project *p = &d->cmd->project;
	struct channel *only, first;
	size_t n = p->n_channels;
	int rc;

	if (!data_operand(d, 1))
		return push_channels(d, err);
	only = data_named_channel(d, data_operand(d, 1), err);
	if (!only)
		return -1;
	first = p->channels[0];
	p->channels[0] = *only;
	*only = first;
	p->n_channels = 1;
	rc = push_channels(d, err);
	p->n_channels = n;
	return rc;
}

const char *data_operand(const struct data *d, size_t i)
{
	return i < d->cmd->opts.operands.n ? d->cmd->opts.operands.v[i] : NULL;
}

static const struct {
	const char *name;
	size_t max_operands;
	int (*run)(struct data *d, struct err *err);
} verbs[] = {
	{ "list", 1, list },
	{ "push", 1, push },
	{ "diff", 3, data_diff },
	{ "verify", 2, data_verify },
};

int cmd_data(struct cmd *cmd, struct err *err)
{
	auto_data d = { 0 };
	const struct strlist *operands = &cmd->opts.operands;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (!operands->n || strcmp(operands->v[0], verbs[i].name) != 0)
			continue;
		if (operands->n - 1 > verbs[i].max_operands)
			return err_set(err, ERR_USAGE, "'%s' is one operand too many",
				       operands->v[verbs[i].max_operands + 1]);
		if (data_open(cmd, &d, err) < 0)
			return -1;
		return verbs[i].run(&d, err);
	}
	err_set(err, ERR_USAGE, operands->n ? "'%s' is nothing that data does" : "what to do with the data?",
		operands->n ? operands->v[0] : "");
	return err_hint(err, "data list, push, diff or verify; `smpipe gc` cleans up");
}
