#ifndef SMPIPE_CMD_OPT_H
#define SMPIPE_CMD_OPT_H

/* Command line options: one table of all options, and per command which of them it takes. Help is made from the same
 * rows. */

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"

enum opt_id {
	OPT_FILE,
	OPT_ENVIRONMENT,
	OPT_PARAMETER,
	OPT_LOCAL,
	OPT_JSON,
	OPT_OFFLINE,
	OPT_TUNE,
	OPT_ACCOUNT,
	OPT_REGION,
	OPT_PROFILE,
	OPT_ALLOW_DIRTY,
	OPT_NO_WAIT,
	OPT_NO_LOGS,
	OPT_WAIT_TIMEOUT,
	OPT_AGAIN,
	OPT_ATTEMPT,
	OPT_FOLLOW,
	OPT_TEMPLATE,
	OPT_NAME,
	OPT_CI,
	OPT_ADOPT,
	OPT_SCHEMA,
	OPT_REFERENCE,
	OPT_DEEP,
	OPT_YES,
	OPT_DIR,
	OPT_PORT,
	OPT_IDLE,
	OPT_VERBOSE,
	OPT_POLICY,
	OPT_SINCE,
	OPT_HOST,
	OPT_REMOTE,
	OPT_CHECKSUM,
	OPT_ENCRYPTION,
	OPT_SYMLINKS,
	OPT_OUTPUT,
	OPT_COUNT, /* also ends a command's list */
};

struct opt_values {
	const char *value[OPT_COUNT];  /* NULL: not given; "" for a flag; the last one where it was repeated */
	struct strlist all[OPT_COUNT]; /* every value of those that may be repeated, in order */
	struct strlist operands;
};

/* Read argv after the command's name. ERR_USAGE names the option, with the nearest right one. */
int opt_parse(const enum opt_id *allowed, int argc, char **argv, struct opt_values *ret, struct err *err);
void opt_release(struct opt_values *o);

bool opt_has(const struct opt_values *o, enum opt_id id);
const struct strlist *opt_all(const struct opt_values *o, enum opt_id id);
const char *opt_get(const struct opt_values *o, enum opt_id id);

/*
 * Those of the options `which` that were given, as a shell takes them again, each with a blank in front:
 * " --local --environment prod"; "" when none was. New string.
 */
char *opt_again(const struct opt_values *o, const enum opt_id *which);

/* A word as a shell takes it. New string. */
char *opt_quoted(const char *word);

/* The lines of a help text for these options. */
void opt_print_help(const enum opt_id *allowed, FILE *f);

#endif
