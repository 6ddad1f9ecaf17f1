#ifndef SMPIPE_CMD_CMD_H
#define SMPIPE_CMD_CMD_H

/* A command: its row, and what dispatch has ready for it. To add one: a row in cmd/main.c, a file cmd/cmd_<name>.c. */

#include "cmd/opt.h"
#include "cmd/ui.h"
#include "pipeline/project.h"
#include "pipeline/session.h"
#include "pipeline/verify.h"

enum cmd_needs {
	NEEDS_NOTHING = 0,
	NEEDS_PROJECT = 1 << 0, /* smpipe.yaml and git */
	NEEDS_FILES = 1 << 1,   /* … and the files with their digests */
	NEEDS_CLOUD = 1 << 2,   /* credentials, region, account; with --local the local cloud */
	/*
	 * The same, for commands that use S3 alone: where an endpoint is configured for S3 and none for STS (an
	 * S3-compatible store), STS is not asked. The account is the file's then, or NULL.
	 */
	NEEDS_STORE = 1 << 3,
};

struct cmd {
	const struct command *command;
	struct opt_values opts;
	struct ui ui;
	struct project project;
	struct session session;
	char *cloud_options; /* owns session.options */
};

struct command {
	const char *name;
	int (*run)(struct cmd *cmd, struct err *err);
	unsigned needs;
	const char *operands; /* "[DIR]"; NULL for none; their number is that of the words */
	const char *words;
	const enum opt_id *opts;
};

/* Meet the needs of the command's row; for commands whose needs depend on their options, callable by hand. */
int cmd_meet_needs(struct cmd *cmd, unsigned needs, struct err *err);
void cmd_release_needs(struct cmd *cmd);

/* Lay the options -p over a configuration. */
int cmd_set_parameters(const struct cmd *cmd, struct config *c, struct err *err);

/*
 * The parts of NEEDS_CLOUD, for doctor: region and endpoints; where credentials come from, and when ret is not NULL the
 * credentials themselves; or all of it from the project's local cloud.
 */
int cmd_locate(struct cmd *cmd, struct err *err);
int cmd_find_credentials(struct cmd *cmd, struct creds *ret, struct err *err);
int cmd_use_local_cloud(struct cmd *cmd, struct err *err);

/* The folder of the project's local cloud, or of --dir. New string. */
char *cmd_local_dir(const struct cmd *cmd);

/*
 * NEEDS_CLOUD or NEEDS_STORE for commands that need no project: smpipe.yaml is read where there is one. --account names
 * the account that must own the bucket.
 */
int cmd_meet_cloud_anywhere(struct cmd *cmd, enum cmd_needs needs, struct err *err);

/* printf to stdout, of what came from outside: made printable line by line. A NULL string is shown as "(null)". */
void cmd_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * A line of what verifying found, "BAD  what: words", or with results (--json) an item of that list: about, which is
 * taken over, with `ok` (null when it could not be told) and `difference`.
 */
void cmd_print_verified(json_t *results, json_t *about, const char *what, enum verified verified, const char *words);

/* Print JSON to stdout. */
void cmd_print_json(const json_t *j);

/* For a job that was not found: where the names of the jobs are. Returns -1. */
int cmd_hint_jobs(const struct cmd *cmd, struct err *err);

/* The ARN of the job's role, asked for where smpipe.yaml has a name or `auto`; NULL when it has none. New string. */
int cmd_find_role(struct cmd *cmd, char **ret, struct err *err);

/* After the channels were read: project_keep_indexes(); where that cannot be, a note says so. */
void cmd_keep_indexes(struct cmd *cmd);

/* The plan against this session: bases and registry are asked for, or with --offline derived. */
int cmd_make_plan(struct cmd *cmd, enum job_kind kind, json_t **ret_bases, struct plan *ret, struct err *err);

/* The job that the operand names, else the last one of this commit. New string. */
int cmd_find_job(struct cmd *cmd, char **ret, struct err *err);
/* The same job as the service describes it, of whichever kind it is. *ret_job is a new reference. */
int cmd_describe_job(struct cmd *cmd, char **ret_name, json_t **ret_job, struct err *err);
/* A time like 90s, 10m, 2h or 3d, or a number of seconds. */
bool cmd_parse_span(const char *text, int64_t *ret_ms);
/* --wait-timeout, in milliseconds; 0 without it. ERR_USAGE. */
int cmd_wait_timeout(const struct cmd *cmd, int64_t *ret_ms, struct err *err);
/* Add the end of a job to its record, if it has ended and has one. Where that cannot be done now there is a warning:
 * any later command does it. */
void cmd_complete_record(struct cmd *cmd, const char *job);

int cmd_init(struct cmd *cmd, struct err *err);
int cmd_doctor(struct cmd *cmd, struct err *err);
int cmd_plan(struct cmd *cmd, struct err *err);
int cmd_source(struct cmd *cmd, struct err *err);
int cmd_release(struct cmd *cmd, struct err *err);
int cmd_tune(struct cmd *cmd, struct err *err);
int cmd_list(struct cmd *cmd, struct err *err);
int cmd_list_remote(struct cmd *cmd, struct err *err); /* list --remote */
int cmd_show(struct cmd *cmd, struct err *err);
int cmd_verify(struct cmd *cmd, struct err *err);
int cmd_data(struct cmd *cmd, struct err *err);
int cmd_gc(struct cmd *cmd, struct err *err);
int cmd_logs(struct cmd *cmd, struct err *err);
int cmd_status(struct cmd *cmd, struct err *err);
int cmd_stop(struct cmd *cmd, struct err *err);
int cmd_local(struct cmd *cmd, struct err *err);
int cmd_put(struct cmd *cmd, struct err *err);
int cmd_get(struct cmd *cmd, struct err *err);
int cmd_config(struct cmd *cmd, struct err *err);
int cmd_version(struct cmd *cmd, struct err *err);

#endif
