/* data diff: a local folder against a snapshot, or two snapshots. */

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd_data.h"
#include "s3/manifest.h"

struct telling {
	json_t *added, *removed, *changed; /* NULL: print lines */
};

static json_t *entry_json(const struct file_entry *e)
{
	auto_free char *digest = manifest_digest_text(e);
	json_t *j = json_object();

	json_put_str(j, "path", e->path);
	json_put_int(j, "size", (json_int_t)e->size);
	json_put_str(j, "digest", digest);
	return j;
}

static void tell(void *ctx, const struct file_entry *before, const struct file_entry *after)
{
	struct telling *t = ctx;
	const struct file_entry *e = after ? after : before;
	auto_free char *shown = str_escaped(e->path);
	auto_free char *was = before ? str_bytes(before->size) : NULL;
	auto_free char *is = after ? str_bytes(after->size) : NULL;

	if (!t->added) {
		cmd_print("%-8s  %s  (%s%s%s)\n",
			  !before  ? "added"
			  : !after ? "removed"
				   : "changed",
			  shown, was ? was : "", before && after ? " → " : "", is ? is : "");
		return;
	}
	if (before && after) {
		json_t *j = entry_json(after);

		json_object_set_new(j, "before", entry_json(before));
		json_array_append_new(t->changed, j);
	} else {
		json_array_append_new(after ? t->added : t->removed, entry_json(e));
	}
}

/* The snapshot that an operand names; NULL: the newest. */
static int load(struct data *d, const char *channel, const char *digits, char **ret_name, struct filelist *ret,
		struct err *err)
{
	auto_free char *prefix = data_prefix(d, channel);
	const struct snapshot_info *s = NULL;
	auto_snapshots l = { 0 };

	if (data_snapshots(d, channel, &l, err) < 0)
		return -1;
	if (digits && snapshots_find(&l, digits, &s, err) < 0)
		return err_hint(err, "`smpipe data list %s%s` shows them", channel, session_options(&d->cmd->session));
	if (!digits && l.n && l.v[0].is_whole)
		s = &l.v[0];
	if (!s)
		return err_set(err, ERR_NOT_FOUND, "channel '%s' has no snapshot yet", channel);
	*ret_name = xstrdup(s->digest);
	return manifest_load(&d->s3, d->plan.data_bucket, prefix, s->digest, ret, err);
}

static int read_folder(struct data *d, const char *channel, char **ret_name, struct err *err)
{
	struct channel *c = data_named_channel(d, channel, err);

	if (!c || project_read_channel(&d->cmd->project, c, err) < 0)
		return -1;
	cmd_keep_indexes(d->cmd);
	*ret_name = digest_hex(&c->tree);
	return 0;
}

static void print_result(const struct data *d, const struct filelist *before, const struct filelist *after,
			 const char *from, const char *to)
{
	auto_json *j = json_pack("{ss ss s[] s[] s[]}", "from", from, "to", to, "added", "removed", "changed");
	struct telling t = { json_object_get(j, "added"), json_object_get(j, "removed"),
			     json_object_get(j, "changed") };
	bool is_json = opt_has(&d->cmd->opts, OPT_JSON);

	if (!is_json)
		t = (struct telling){ 0 };
	if (!snapshot_diff(before, after, tell, &t) && !is_json)
		report_text(&d->cmd->ui.report, REPORT_NOTE, "data", "no difference: both are %.12s", to);
	if (is_json)
		cmd_print_json(j);
}

int data_diff(struct data *d, struct err *err)
{
	const char *channel = data_operand(d, 1), *first = data_operand(d, 2), *second = data_operand(d, 3);
	auto_filelist before = { 0 }, after = { 0 };
	auto_free char *from = NULL, *to = NULL;

	if (!channel)
		return err_set(err, ERR_USAGE, "data diff needs a channel");
	if (!second && read_folder(d, channel, &to, err) < 0)
		return -1;
	if (data_plan(d, err) < 0 || load(d, channel, first, &from, &before, err) < 0)
		return -1;
	if (second && load(d, channel, second, &to, &after, err) < 0)
		return -1;
	print_result(d, &before, second ? &after : &data_local_channel(d, channel)->files, from, to);
	return 0;
}
