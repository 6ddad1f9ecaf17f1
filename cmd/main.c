/* smpipe: the program. The only place that reads argv, prints an error and exits. */

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"

#define PROJECT_OPTS OPT_FILE, OPT_ENVIRONMENT
#define CLOUD_OPTS   OPT_LOCAL, OPT_REGION, OPT_PROFILE

static const enum opt_id init_opts[] = { OPT_TEMPLATE, OPT_NAME, OPT_CI, OPT_ADOPT, OPT_COUNT };
static const enum opt_id doctor_opts[] = { PROJECT_OPTS, CLOUD_OPTS, OPT_POLICY, OPT_ACCOUNT, OPT_JSON, OPT_COUNT };
static const enum opt_id plan_opts[] = { PROJECT_OPTS, OPT_PARAMETER, OPT_TUNE, CLOUD_OPTS,
					 OPT_OFFLINE,  OPT_ACCOUNT,   OPT_JSON, OPT_COUNT };
static const enum opt_id source_opts[] = { PROJECT_OPTS, OPT_OUTPUT, OPT_JSON, OPT_COUNT };
static const enum opt_id release_opts[] = { PROJECT_OPTS, OPT_PARAMETER, CLOUD_OPTS,       OPT_ALLOW_DIRTY,
					    OPT_NO_WAIT,  OPT_NO_LOGS,   OPT_WAIT_TIMEOUT, OPT_AGAIN,
					    OPT_ATTEMPT,  OPT_JSON,      OPT_COUNT };
static const enum opt_id tune_opts[] = { PROJECT_OPTS,     OPT_PARAMETER, CLOUD_OPTS,  OPT_ALLOW_DIRTY, OPT_NO_WAIT,
					 OPT_WAIT_TIMEOUT, OPT_AGAIN,     OPT_ATTEMPT, OPT_JSON,        OPT_COUNT };
static const enum opt_id record_opts[] = { PROJECT_OPTS, CLOUD_OPTS, OPT_JSON, OPT_COUNT };
static const enum opt_id verify_opts[] = { PROJECT_OPTS, CLOUD_OPTS, OPT_DEEP, OPT_JSON, OPT_COUNT };
static const enum opt_id data_opts[] = { PROJECT_OPTS, CLOUD_OPTS, OPT_DEEP, OPT_JSON, OPT_COUNT };
static const enum opt_id gc_opts[] = { PROJECT_OPTS, CLOUD_OPTS, OPT_ACCOUNT, OPT_YES, OPT_JSON, OPT_COUNT };
static const enum opt_id list_opts[] = { PROJECT_OPTS, CLOUD_OPTS, OPT_REMOTE, OPT_JSON, OPT_COUNT };
static const enum opt_id logs_opts[] = { PROJECT_OPTS, CLOUD_OPTS,       OPT_FOLLOW, OPT_SINCE,
					 OPT_HOST,     OPT_WAIT_TIMEOUT, OPT_COUNT };
static const enum opt_id stop_opts[] = { PROJECT_OPTS, CLOUD_OPTS, OPT_NO_WAIT, OPT_WAIT_TIMEOUT, OPT_COUNT };
static const enum opt_id local_opts[] = { OPT_DIR, OPT_PORT, OPT_IDLE, OPT_COUNT };
static const enum opt_id put_opts[] = { PROJECT_OPTS,   CLOUD_OPTS,   OPT_ACCOUNT, OPT_CHECKSUM,
					OPT_ENCRYPTION, OPT_SYMLINKS, OPT_JSON,    OPT_COUNT };
static const enum opt_id get_opts[] = { PROJECT_OPTS, CLOUD_OPTS, OPT_ACCOUNT, OPT_JSON, OPT_COUNT };
static const enum opt_id config_opts[] = { PROJECT_OPTS, OPT_PARAMETER, OPT_SCHEMA, OPT_REFERENCE, OPT_COUNT };
static const enum opt_id version_opts[] = { OPT_VERBOSE, OPT_COUNT };
static const enum opt_id no_opts[] = { OPT_COUNT };

/* Of commands whose first operand is a verb: a line for each. */
static const struct {
	const char *command, *lines;
} verbs[] = {
	{ "data", "  list [CHANNEL]                  the snapshots in S3, and which of them the folder is now\n"
		  "  push [CHANNEL]                  send what S3 lacks of the folders\n"
		  "  diff CHANNEL                    what changed in the folder since the newest snapshot\n"
		  "  diff CHANNEL SNAPSHOT           … since this one\n"
		  "  diff CHANNEL SNAPSHOT SNAPSHOT  … from one to the other\n"
		  "  verify [CHANNEL] [SNAPSHOT]     whether S3 still has what was sent\n"
		  "  gc                              list what no record names and no manifest vouches for\n"
		  "A snapshot is named by four or more digits of its digest.\n" },
	{ "local", "  up     start it, unless it runs\n"
		   "  env    print what a shell needs to use it: eval \"$(smpipe local env)\"\n"
		   "  down   stop it; what it holds stays\n"
		   "  serve  run it here, until ^C\n" },
};

static int cmd_help(struct cmd *cmd, struct err *err);

static const struct command commands[] = {
	{ "init", cmd_init, NEEDS_NOTHING, "[DIR]", "Write a new algorithm repository, or adopt an existing one",
	  init_opts },
	{ "doctor", cmd_doctor, NEEDS_NOTHING, NULL,
	  "Look whether everything is there that a release needs; changes nothing", doctor_opts },
	{ "plan", cmd_plan, NEEDS_PROJECT | NEEDS_FILES, NULL, "Show what a release would do; changes nothing",
	  plan_opts },
	{ "source", cmd_source, NEEDS_PROJECT, "[list|pack]",
	  "List what the source archive holds, or pack it (to sourcedir.tar.gz); sends nothing", source_opts },
	{ "release", cmd_release, NEEDS_PROJECT | NEEDS_FILES, NULL, "Build, push, upload, launch, follow and record",
	  release_opts },
	{ "tune", cmd_tune, NEEDS_PROJECT | NEEDS_FILES, NULL,
	  "Release a tuning job: search for the best hyperparameters", tune_opts },
	{ "list", cmd_list, NEEDS_PROJECT | NEEDS_CLOUD, NULL, "List the jobs of this repository", list_opts },
	{ "show", cmd_show, NEEDS_PROJECT | NEEDS_CLOUD, "[JOB]",
	  "Show the record of a job (default: the last of this commit)", record_opts },
	{ "verify", cmd_verify, NEEDS_PROJECT | NEEDS_CLOUD, "[JOB]",
	  "Check a record against everything that it vouches for", verify_opts },
	{ "data", cmd_data, NEEDS_NOTHING, "list|push|diff|verify [CHANNEL] [SNAPSHOT] [SNAPSHOT]",
	  "Look after the snapshots of the channels in S3", data_opts },
	{ "gc", cmd_gc, NEEDS_NOTHING, "[S3_URI]",
	  "List, and with --yes delete, snapshots without a record and uploads that were cut off (of put: to S3_URI and below)",
	  gc_opts },
	{ "status", cmd_status, NEEDS_PROJECT | NEEDS_CLOUD, "[JOB]", "Show how a job is doing, and what it took",
	  record_opts },
	{ "stop", cmd_stop, NEEDS_PROJECT | NEEDS_CLOUD, "[JOB]", "Stop a job, and wait until it has", stop_opts },
	{ "logs", cmd_logs, NEEDS_PROJECT | NEEDS_CLOUD, "[JOB]", "Show a job's log", logs_opts },
	{ "put", cmd_put, NEEDS_NOTHING, "PATH S3_URI", "Send a file or a folder to S3, with checksums", put_opts },
	{ "get", cmd_get, NEEDS_NOTHING, "JOB|S3_URI [DEST]",
	  "Fetch the model of a job, an object or all below a prefix, and check it", get_opts },
	{ "local", cmd_local, NEEDS_NOTHING, "up|down|env|serve", "Run the local cloud for any AWS client",
	  local_opts },
	{ "config", cmd_config, NEEDS_NOTHING, NULL, "Show the configuration as it was understood", config_opts },
	{ "version", cmd_version, NEEDS_NOTHING, NULL, "Show the version", version_opts },
	{ "help", cmd_help, NEEDS_NOTHING, "[COMMAND]", "Show this, or a command's options", no_opts },
	{ 0 },
};

static const struct command *find_command(const char *name)
{
	for (const struct command *c = commands; c->name; c++) {
		if (!strcmp(c->name, name))
			return c;
	}
	return NULL;
}

static int unknown_command(const char *name, struct err *err)
{
	const char *names[ARRAY_LEN(commands)];
	const char *nearest;
	size_t n = 0;

	for (const struct command *c = commands; c->name; c++)
		names[n++] = c->name;
	names[n] = NULL;
	nearest = str_nearest(name, names);
	err_set(err, ERR_USAGE, "'%s' is no smpipe command", name);
	return nearest ? err_hint(err, "did you mean '%s'?", nearest) : err_hint(err, "`smpipe help` lists them");
}

static void print_overview(FILE *f)
{
	fputs("smpipe: from a git commit to a SageMaker training job, with a record of what went into the model\n\n"
	      "usage: smpipe COMMAND [OPTION …]\n\n",
	      f);
	for (const struct command *c = commands; c->name; c++)
		fprintf(f, "  %-10s %s\n", c->name, c->words);
	fputs("\n`smpipe help COMMAND` shows a command's options.\n", f);
}

static void print_command_help(const struct command *c, FILE *f)
{
	fprintf(f, "%s\n\nusage: smpipe %s%s%s%s\n", c->words, c->name, c->opts[0] == OPT_COUNT ? "" : " [OPTION …]",
		c->operands ? " " : "", c->operands ? c->operands : "");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (!strcmp(verbs[i].command, c->name))
			fprintf(f, "\n%s", verbs[i].lines);
	if (c->opts[0] != OPT_COUNT)
		fputs("\n", f);
	opt_print_help(c->opts, f);
}

static int cmd_help(struct cmd *cmd, struct err *err)
{
	const struct command *c;

	if (!cmd->opts.operands.n) {
		print_overview(stdout);
		return 0;
	}
	c = find_command(cmd->opts.operands.v[0]);
	if (!c)
		return unknown_command(cmd->opts.operands.v[0], err);
	print_command_help(c, stdout);
	return 0;
}

static int exit_code(const struct err *err)
{
	switch (err->code) {
	case ERR_NONE:
		return 0;
	case ERR_USAGE:
	case ERR_CONFIG:
		return 2;
	case ERR_JOB_FAILED:
		return 3;
	case ERR_STOPPED:
		return 4;
	case ERR_AUTH:
		return 5;
	case ERR_CAPACITY:
		return 6;
	case ERR_TIMEOUT:
		return 7;
	case ERR_CANCELLED:
		return 130;
	default:
		return 1;
	}
}

/* "   12 | key: value" and the caret below it; any other line break came along with a name. */
static bool is_source_line(const char *line)
{
	size_t n = strspn(line, " 0123456789");

	return n > 0 && line[n] == '|';
}

/* Printable, in one line but for a quoted source line and its caret. */
static void print_message(const char *label, const char *text)
{
	auto_free char *left = xstrdup(text);

	fputs(label, stderr);
	for (char *line = left; line;) {
		char *end = strchr(line, '\n');
		auto_free char *shown = NULL;

		while (end && !is_source_line(end + 1))
			end = strchr(end + 1, '\n');
		if (end)
			*end++ = '\0';
		shown = str_printable(line);
		fprintf(stderr, "%s\n", shown);
		line = end;
	}
}

/*
 * The first line as an annotation of GitHub Actions, where '%' is the escape.
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
static void annotate(const char *message)
{
	auto_free char *line = xstrndup(message, strcspn(message, "\n"));
	auto_free char *text = str_printable(line);

	fputs("::error::", stderr);
	for (const char *p = text; *p; p++)
		fputs(*p == '%' ? "%25" : (char[]){ *p, '\0' }, stderr);
	fputc('\n', stderr);
}

static void print_error(const struct err *err)
{
	print_message("smpipe: ", err->msg);
	if (err->hint)
		print_message("hint: ", err->hint);
	if (getenv("GITHUB_ACTIONS"))
		annotate(err->msg);
}

/* Results that could not be written are no results. */
static int check_stdout(struct err *err)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	/* `smpipe list | head -1`: the reader has what it wanted. */
	if (errno == EPIPE)
		return 0;
	/* An earlier write may have been the one that was refused: its errno is gone. */
	return errno ? err_errno(err, "write to standard output")
		     : err_set(err, ERR_IO, "standard output could not be written");
}

/*
 * A standard stream that came closed would give its number to the next file or socket, and what is printed would end up
 * there. Standard output is opened for reading only: a result that goes nowhere is still told.
 */
static void occupy_standard_streams(void)
{
	static const int modes[] = { O_RDONLY, O_RDONLY, O_RDWR };

	for (int fd = 0; fd < (int)ARRAY_LEN(modes); fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) < 0)
			abort();
	}
}

static size_t max_operands(const struct command *command)
{
	size_t n = command->operands ? 1 : 0;

	for (const char *p = command->operands; n && (p = strchr(p, ' ')); p++)
		n++;
	return n;
}

static int run(const struct command *command, int argc, char **argv, struct err *err)
{
	struct cmd cmd = { .command = command };
	int result;

	ui_init(&cmd.ui);
	result = opt_parse(command->opts, argc, argv, &cmd.opts, err);
	if (result == 0 && cmd.opts.operands.n > max_operands(command))
		result = err_set(err, ERR_USAGE, "'%s' is one operand too many",
				 cmd.opts.operands.v[max_operands(command)]);
	if (result < 0 && err->code == ERR_USAGE && !err->hint)
		err_hint(err, "`smpipe help %s` shows its options", command->name);
	if (result == 0)
		result = cmd_meet_needs(&cmd, command->needs, err);
	if (result == 0)
		result = command->run(&cmd, err);
	ui_finish(&cmd.ui);
	cmd_release_needs(&cmd);
	opt_release(&cmd.opts);
	return result;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--"))
			return false;
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	const struct command *command = NULL;
	auto_err err = { 0 };

	occupy_standard_streams();
	/* File names in archives are UTF-8 on every machine; numbers and messages stay as in C. */
	setlocale(LC_CTYPE, "C.UTF-8");
	sys_catch_signals();
	if (argc < 2) {
		print_overview(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--version"))
		argv[1] = (char *)"version";
	if (argv[1][0] != '-' && !(command = find_command(argv[1])))
		unknown_command(argv[1], &err);
	else if (asks_for_help(argc, argv))
		command ? print_command_help(command, stdout) : print_overview(stdout);
	else if (!command)
		err_set(&err, ERR_USAGE, "unknown option '%s'", argv[1]);
	else
		(void)run(command, argc - 2, argv + 2, &err);
	/* Before the error is printed, or where both go to one file it would stand before the results. */
	if (err.code == ERR_NONE)
		(void)check_stdout(&err);
	else
		fflush(stdout);
	if (err.code != ERR_NONE)
		print_error(&err);
	return exit_code(&err);
}
