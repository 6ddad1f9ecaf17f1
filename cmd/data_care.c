/* data verify and data gc. */

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd_data.h"
#include "pipeline/data_gc.h"
#include "s3/snapshot.h"

/* One of them: a difference is told and counted, any other failure ends it all. */
static int verify_one(struct data *d, const char *channel, const char *digest, json_t *results, int *bad,
		      struct err *err)
{
	auto_free char *prefix = data_prefix(d, channel);
	auto_err why = { 0 };

	if (snapshot_verify(&d->s3, d->plan.data_bucket, prefix, digest, opt_has(&d->cmd->opts, OPT_DEEP),
			    &d->cmd->ui.report, &why) < 0 &&
	    why.code != ERR_FAILED) {
		err_move(err, &why);
		return -1;
	}
	ui_clear(&d->cmd->ui);
	*bad += why.code != ERR_NONE;
	if (results)
		json_array_append_new(results, json_pack("{ss ss sb ss*}", "channel", channel, "digest", digest, "ok",
							 why.code == ERR_NONE, "difference", why.msg));
	else
		cmd_print("%-4s %.12s  %s%s%s\n", why.code ? "BAD" : "ok", digest, channel, why.msg ? ": " : "",
			  why.msg ? why.msg : "");
	return 0;
}

static int verify_channel(struct data *d, const char *channel, json_t *results, int *bad, struct err *err)
{
	const struct snapshot_info *only = NULL;
	auto_snapshots l = { 0 };

	if (data_snapshots(d, channel, &l, err) < 0)
		return -1;
	if (data_operand(d, 2) && snapshots_find(&l, data_operand(d, 2), &only, err) < 0)
		return err_hint(err, "`smpipe data list %s%s` shows them", channel, session_options(&d->cmd->session));
	if (data_operand(d, 1) && (!l.n || !l.v[0].is_whole))
		return err_set(err, ERR_NOT_FOUND, "channel '%s' has no snapshot", channel);
	for (size_t i = 0; i < l.n; i++) {
		if (l.v[i].is_whole && (!only || only == &l.v[i]) &&
		    verify_one(d, channel, l.v[i].digest, results, bad, err) < 0)
			return -1;
	}
	return 0;
}

int data_verify(struct data *d, struct err *err)
{
	auto_json *results = opt_has(&d->cmd->opts, OPT_JSON) ? json_array() : NULL;
	auto_strlist channels = { 0 };
	int bad = 0;

	if (data_plan(d, err) < 0 || data_channels(d, data_operand(d, 1), &channels, err) < 0)
		return -1;
	for (size_t i = 0; i < channels.n; i++) {
		if (verify_channel(d, channels.v[i], results, &bad, err) < 0)
			return -1;
	}
	if (results)
		cmd_print_json(results);
	if (!channels.n)
		report_text(&d->cmd->ui.report, REPORT_NOTE, "data", "there are no snapshots yet");
	if (!bad)
		return 0;
	err_set(err, ERR_FAILED, "%d snapshot%s not what the manifest says", bad, bad == 1 ? " is" : "s are");
	return err_hint(
		err, "where its manifest (<digest>.json) is deleted, `smpipe data push%s` of the same folder mends it",
		session_options(&d->cmd->session));
}

static void print_gc(const struct data *d, const struct data_gc *gc, bool deletes)
{
	auto_json *items = json_array();
	uint64_t total = 0;
	auto_free char *total_text = NULL, *hint = NULL;

	for (size_t i = 0; i < gc->n; i++) {
		const struct data_gc_item *item = &gc->v[i];
		const char *reason = data_gc_reason_name(item->reason);
		auto_free char *bytes = str_bytes(item->bytes);

		total += item->bytes;
		if (opt_has(&d->cmd->opts, OPT_JSON))
			json_array_append_new(items,
					      json_pack("{ss ss sI sI}", "reason", reason, "uri", item->uri, "objects",
							(json_int_t)item->keys.n, "bytes", (json_int_t)item->bytes));
		else
			cmd_print("%-10s  %s  (%zu object%s, %s)\n", reason, item->uri, item->keys.n,
				  item->keys.n == 1 ? "" : "s", bytes);
	}
	if (opt_has(&d->cmd->opts, OPT_JSON)) {
		auto_json *j = json_pack("{sb sO}", "deleted", deletes, "items", items);

		cmd_print_json(j);
	}
	total_text = str_bytes(total);
	if (!deletes && gc->n)
		hint = xasprintf("; `smpipe data gc --yes%s` deletes", session_options(&d->cmd->session));
	report_text(&d->cmd->ui.report, REPORT_NOTE, "data", "%zu snapshots, %zu of them in records; %s %zu, %s%s",
		    gc->n_snapshots, gc->n_used, deletes ? "deleted" : "of no use:", gc->n, total_text,
		    hint ? hint : "");
}

int data_gc(struct data *d, struct err *err)
{
	const struct session *s = &d->cmd->session;
	bool deletes = opt_has(&d->cmd->opts, OPT_YES);
	auto_data_gc gc = { 0 };

	if (data_plan(d, err) < 0 || data_gc_find(s, &d->cmd->project, &d->target, &d->plan, &gc, err) < 0)
		return -1;
	if (deletes && data_gc_delete(s, &d->plan, &gc, err) < 0)
		return -1;
	print_gc(d, &gc, deletes);
	return 0;
}
