/* data verify. */

#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd_data.h"
#include "pipeline/verify.h"
#include "s3/snapshot.h"

/* One of them: what is not right or not proven is told and counted, any other failure ends it all. */
static int verify_one(struct data *d, const char *channel, const char *digest, json_t *results,
		      struct verify_result *sum, struct err *err)
{
	auto_free char *prefix = data_prefix(d, channel), *name = xasprintf("%.12s  %s", digest, channel);
	enum verified verified = VERIFIED_OK;
	auto_err why = { 0 };

	if (snapshot_verify(&d->s3, d->plan.data_bucket, prefix, digest, opt_has(&d->cmd->opts, OPT_DEEP),
			    &d->cmd->ui.report, &why) < 0)
		verified = why.code == ERR_UNPROVEN ? VERIFIED_UNPROVEN : VERIFIED_BAD;
	if (verified == VERIFIED_BAD && why.code != ERR_FAILED) {
		err_move(err, &why);
		return -1;
	}
	ui_clear(&d->cmd->ui);
	sum->bad += verified == VERIFIED_BAD;
	sum->unproven += verified == VERIFIED_UNPROVEN;
	cmd_print_verified(results, json_pack("{ss ss}", "channel", channel, "digest", digest), name, verified,
			   why.msg);
	return 0;
}

static int verify_channel(struct data *d, const char *channel, json_t *results, struct verify_result *sum,
			  struct err *err)
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
		    verify_one(d, channel, l.v[i].digest, results, sum, err) < 0)
			return -1;
	}
	return 0;
}

int data_verify(struct data *d, struct err *err)
{
	auto_json *results = opt_has(&d->cmd->opts, OPT_JSON) ? json_array() : NULL;
	auto_strlist channels = { 0 };
	struct verify_result sum = { 0 };

	if (data_plan(d, err) < 0 || data_channels(d, data_operand(d, 1), &channels, err) < 0)
		return -1;
	for (size_t i = 0; i < channels.n; i++) {
		if (verify_channel(d, channels.v[i], results, &sum, err) < 0)
			return -1;
	}
	if (results)
		cmd_print_json(results);
	if (!channels.n)
		data_note_none(d);
	if (sum.bad) {
		err_set(err, ERR_FAILED, "%d snapshot%s not what the manifest says", sum.bad,
			sum.bad == 1 ? " is" : "s are");
		return err_hint(
			err,
			"where its manifest (<digest>.json) is deleted, `smpipe data push%s` of the same folder mends it",
			session_options(&d->cmd->session));
	}
	if (!sum.unproven)
		return 0;
	err_set(err, ERR_UNPROVEN, "whether %d snapshot%s what the manifest says cannot be told", sum.unproven,
		sum.unproven == 1 ? " is" : "s are");
	return err_hint(err, "`smpipe data verify%s --deep` reads the bytes", session_options(&d->cmd->session));
}
