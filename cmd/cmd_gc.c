/* gc: what of ours lies in S3 and is of no use any more. */

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd_data.h"
#include "pipeline/gc.h"

static void print_item(const struct gc_item *item, json_t *items)
{
	const char *reason = gc_reason_name(item->reason);
	auto_free char *bytes = str_bytes(item->bytes);

	if (items)
		json_array_append_new(items, json_pack("{ss ss sI sI ss*}", "reason", reason, "uri", item->uri,
						       "objects", (json_int_t)item->keys.n, "bytes",
						       (json_int_t)item->bytes, "initiated", item->initiated));
	else if (item->upload_id)
		cmd_print("%-10s  %s  (begun %s)\n", reason, item->uri, item->initiated);
	else
		cmd_print("%-10s  %s  (%zu object%s, %s)\n", reason, item->uri, item->keys.n,
			  item->keys.n == 1 ? "" : "s", bytes);
}

static void print_items(const struct cmd *cmd, const struct gc *gc, bool deletes)
{
	auto_json *items = opt_has(&cmd->opts, OPT_JSON) ? json_array() : NULL;

	for (size_t i = 0; i < gc->n; i++)
		print_item(&gc->v[i], items);
	if (items) {
		auto_json *j = json_pack("{sb sO}", "deleted", deletes, "items", items);

		cmd_print_json(j);
	}
}

static void print_sum(struct cmd *cmd, const struct gc *gc, const char *place, bool deletes)
{
	auto_free char *quoted = place ? opt_quoted(place) : NULL, *size = NULL;
	uint64_t total = 0;
	auto_str text = { 0 };

	for (size_t i = 0; i < gc->n; i++)
		total += gc->v[i].bytes;
	size = str_bytes(total);
	if (!place)
		str_addf(&text, "%zu snapshots, %zu of them in records; ", gc->n_snapshots, gc->n_used);
	str_addf(&text, "%s %zu", deletes ? "deleted" : "of no use:", gc->n);
	if (!place)
		str_addf(&text, ", %s", size);
	if (gc->n_young)
		str_addf(&text, "; %zu upload%s younger than a day", gc->n_young, gc->n_young == 1 ? " is" : "s are");
	if (!deletes && gc->n)
		str_addf(&text, "; `smpipe gc%s%s%s --yes` deletes", session_options(&cmd->session), place ? " " : "",
			 place ? quoted : "");
	report_text(&cmd->ui.report, REPORT_NOTE, "gc", "%s", str_text(&text));
}

static int settle(struct cmd *cmd, const char *owner, const struct gc *gc, const char *place, struct err *err)
{
	bool deletes = opt_has(&cmd->opts, OPT_YES);

	if (deletes && gc_delete(&cmd->session, owner, gc, err) < 0)
		return -1;
	print_items(cmd, gc, deletes);
	print_sum(cmd, gc, place, deletes);
	return 0;
}

/* What `put` left there. */
static int gc_place(struct cmd *cmd, const char *place, struct err *err)
{
	auto_s3_uri uri = { 0 };
	auto_gc gc = { 0 };

	if (s3_uri_parse(place, &uri, err) < 0 || cmd_meet_cloud_anywhere(cmd, NEEDS_STORE, err) < 0 ||
	    gc_find_uploads(&cmd->session, uri.bucket, uri.key, &gc, err) < 0)
		return -1;
	return settle(cmd, cmd->session.bucket_owner, &gc, place, err);
}

int cmd_gc(struct cmd *cmd, struct err *err)
{
	auto_data d = { 0 };
	auto_gc gc = { 0 };

	if (cmd->opts.operands.n)
		return gc_place(cmd, cmd->opts.operands.v[0], err);
	if (opt_has(&cmd->opts, OPT_ACCOUNT))
		return err_set(err, ERR_USAGE, "--account goes with a place: gc s3://bucket/prefix");
	if (data_open(cmd, &d, err) < 0 || data_plan(&d, err) < 0 ||
	    gc_find(&cmd->session, &cmd->project, &d.target, &d.plan, &gc, err) < 0)
		return -1;
	return settle(cmd, d.plan.owner, &gc, NULL, err);
}
