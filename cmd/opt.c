#include "cmd/opt.h"

#include <string.h>

#include "base/mem.h"

struct opt_row {
	const char *name;  /* without dashes */
	char letter;       /* or 0 */
	const char *value; /* placeholder; NULL for a flag */
	bool is_optional;  /* the value may be left out: --again, --again=failed */
	const char *words;
};

static const struct opt_row rows[OPT_COUNT] = {
	[OPT_FILE] = { "file", 0, "FILE", false, "the configuration (default: the nearest smpipe.yaml upwards)" },
	[OPT_ENVIRONMENT] = { "environment", 'e', "NAME", false, "lay this environment of the file over the rest" },
	[OPT_PARAMETER] = { "parameter", 'p', "NAME=VALUE", false,
			    "set a hyperparameter, the value as in YAML (may be repeated)" },
	[OPT_LOCAL] = { "local", 0, NULL, false, "use the embedded local cloud instead of AWS" },
	[OPT_JSON] = { "json", 0, NULL, false, "print the result as JSON" },
	[OPT_TUNE] = { "tune", 0, NULL, false, "plan the tuning job" },
	[OPT_OFFLINE] = { "offline", 0, NULL, false,
			  "ask no service; needs --account and --region unless the file has them" },
	[OPT_ACCOUNT] = { "account", 0, "ID", false,
			  "account of an offline plan or policy; of put, get and gc, that must own the bucket" },
	[OPT_REGION] = { "region", 0, "REGION", false, "AWS region (default: the file's, AWS_REGION, the profile's)" },
	[OPT_PROFILE] = { "profile", 0, "NAME", false, "profile of the shared AWS configuration" },
	[OPT_ALLOW_DIRTY] = { "allow-dirty", 0, NULL, false,
			      "release files that differ from the commit; the record says so" },
	[OPT_NO_WAIT] = { "no-wait", 0, NULL, false, "return when the job is launched" },
	[OPT_NO_LOGS] = { "no-logs", 0, NULL, false, "do not show the job's log" },
	[OPT_WAIT_TIMEOUT] = { "wait-timeout", 0, "TIME", false,
			       "stop waiting after 90s, 30m, 4h (exit 7); the job goes on" },
	[OPT_AGAIN] = { "again", 0, "failed", true,
			"start another attempt of a job that has ended (=failed: only after a failure)" },
	[OPT_ATTEMPT] = { "attempt", 0, "ID", false, "name the attempt (a CI run's id)" },
	[OPT_FOLLOW] = { "follow", 'f', NULL, false, "go on until the job has ended" },
	[OPT_TEMPLATE] = { "template", 0, "NAME", false, "template of the new repository (default: native)" },
	[OPT_NAME] = { "name", 0, "NAME", false, "name of the algorithm (default: the folder's)" },
	[OPT_CI] = { "ci", 0, "KIND", false, "write the CI file for github (default), gitlab, codebuild or none" },
	[OPT_ADOPT] = { "adopt", 0, NULL, false, "add smpipe.yaml to an existing repository with a Dockerfile" },
	[OPT_SCHEMA] = { "schema", 0, NULL, false, "print the JSON Schema of smpipe.yaml, for editors" },
	[OPT_REFERENCE] = { "reference", 0, NULL, false, "print the reference of smpipe.yaml, in Markdown" },
	[OPT_DEEP] = { "deep", 0, NULL, false, "read every byte instead of asking for its checksum" },
	[OPT_YES] = { "yes", 'y', NULL, false, "delete what is listed" },
	[OPT_DIR] = { "dir", 0, "DIR", false,
		      "folder of the local cloud's state (default: .smpipe/local of the project)" },
	[OPT_PORT] = { "port", 0, "PORT", false, "port on 127.0.0.1 (default: the last one, else any free)" },
	[OPT_IDLE] = { "idle", 0, "SECONDS", false,
		       "end when nothing runs and nobody asked for so long (default: never)" },
	[OPT_VERBOSE] = { "verbose", 'v', NULL, false, "say more" },
	[OPT_POLICY] = { "policy", 0, NULL, false,
			 "print the smallest IAM policies for caller and role; asks no service" },
	[OPT_SINCE] = { "since", 0, "TIME", false,
			"only lines from then on: 30s, 10m, 2h, 3d ago, or 2023-11-23T01:38:54Z" },
	[OPT_HOST] = { "host", 0, "HOST", false, "only the lines of this host (algo-2)" },
	[OPT_CHECKSUM] = { "checksum", 0, "KIND", false,
			   "what S3 keeps of each object: sha256, crc64nvme (default: `checksum` of the file)" },
	[OPT_ENCRYPTION] = { "encryption", 0, "HOW", false,
			     "none, AES256, aws:kms or a KMS key (default: `data_encryption` of the file)" },
	[OPT_SYMLINKS] = { "symlinks", 0, "KIND", false,
			   "follow links to files inside the folder (inside, default), skip them, or error" },
	[OPT_REMOTE] = { "remote", 0, NULL, false, "list what the service has, the jobs of other clones too" },
	[OPT_OUTPUT] = { "output", 'o', "FILE", false, "write to this file, or with - to standard output" },
};

static int unknown(const enum opt_id *allowed, const char *name, struct err *err)
{
	const char *names[OPT_COUNT + 1];
	const char *nearest;
	size_t n = 0;

	for (; *allowed != OPT_COUNT; allowed++)
		names[n++] = rows[*allowed].name;
	names[n] = NULL;
	nearest = str_nearest(name, names);
	err_set(err, ERR_USAGE, "unknown option '--%s'", name);
	return nearest ? err_hint(err, "did you mean '--%s'?", nearest) : -1;
}

static int find(const enum opt_id *allowed, const char *name, size_t n, char letter)
{
	for (; *allowed != OPT_COUNT; allowed++) {
		const struct opt_row *row = &rows[*allowed];

		if (name ? strlen(row->name) == n && !strncmp(row->name, name, n) : row->letter == letter)
			return (int)*allowed;
	}
	return -1;
}

/* One argument that begins with '-'; *i moves past a value of its own. */
static int parse_one(const enum opt_id *allowed, int argc, char **argv, int *i, struct opt_values *o, struct err *err)
{
	const char *arg = argv[*i], *name = arg[1] == '-' ? arg + 2 : NULL, *equals = name ? strchr(name, '=') : NULL;
	size_t n = name ? (equals ? (size_t)(equals - name) : strlen(name)) : 0;
	int id = find(allowed, name, n, arg[1]);
	auto_free char *long_name = name ? xstrndup(name, n) : NULL;

	if (id < 0)
		return name ? unknown(allowed, long_name, err) : err_set(err, ERR_USAGE, "unknown option '%s'", arg);
	if (!name && arg[2] && !rows[id].value)
		return err_set(err, ERR_USAGE, "unknown option '%s'", arg);
	if (!rows[id].value) {
		if (equals)
			return err_set(err, ERR_USAGE, "option '--%s' takes no value", long_name);
		o->value[id] = "";
	} else if (equals) {
		o->value[id] = equals + 1;
	} else if (!name && arg[2]) {
		o->value[id] = arg + 2;
	} else if (rows[id].is_optional) {
		o->value[id] = "";
	} else if (*i + 1 < argc) {
		o->value[id] = argv[++*i];
	} else {
		return err_set(err, ERR_USAGE, "option '%s' needs a value: %s", arg, rows[id].value);
	}
	if (id == OPT_PARAMETER)
		strlist_add(&o->all[id], o->value[id]);
	return 0;
}

int opt_parse(const enum opt_id *allowed, int argc, char **argv, struct opt_values *ret, struct err *err)
{
	bool only_operands = false;

	for (int i = 0; i < argc; i++) {
		if (!only_operands && !strcmp(argv[i], "--"))
			only_operands = true;
		else if (only_operands || argv[i][0] != '-' || !argv[i][1])
			strlist_add(&ret->operands, argv[i]);
		else if (parse_one(allowed, argc, argv, &i, ret, err) < 0)
			return -1;
	}
	return 0;
}

void opt_release(struct opt_values *o)
{
	for (size_t i = 0; i < OPT_COUNT; i++)
		strlist_release(&o->all[i]);
	strlist_release(&o->operands);
}

bool opt_has(const struct opt_values *o, enum opt_id id)
{
	return o->value[id] != NULL;
}

const struct strlist *opt_all(const struct opt_values *o, enum opt_id id)
{
	return &o->all[id];
}

const char *opt_get(const struct opt_values *o, enum opt_id id)
{
	return o->value[id];
}

static void add_word(struct str *out, const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+=,-";

	if (*word && !word[strspn(word, plain)]) {
		str_add(out, word);
		return;
	}
	str_add(out, "'");
	for (; *word; word++)
		str_addf(out, *word == '\'' ? "'\\%c'" : "%c", *word);
	str_add(out, "'");
}

char *opt_quoted(const char *word)
{
	auto_str out = { 0 };

	add_word(&out, word);
	return str_detach(&out);
}

char *opt_again(const struct opt_values *o, const enum opt_id *which)
{
	auto_str out = { 0 };

	for (; *which != OPT_COUNT; which++) {
		const struct opt_row *row = &rows[*which];

		if (!o->value[*which])
			continue;
		str_addf(&out, " --%s", row->name);
		if (row->value) {
			str_add(&out, " ");
			add_word(&out, o->value[*which]);
		}
	}
	return str_detach(&out);
}

void opt_print_help(const enum opt_id *allowed, FILE *f)
{
	for (; *allowed != OPT_COUNT; allowed++) {
		const struct opt_row *row = &rows[*allowed];
		auto_free char *value = !row->value        ? xstrdup("")
					: row->is_optional ? xasprintf("[=%s]", row->value)
							   : xasprintf(" %s", row->value);
		auto_free char *name = row->letter ? xasprintf("-%c, --%s%s", row->letter, row->name, value)
						   : xasprintf("    --%s%s", row->name, value);

		fprintf(f, "  %-30s %s\n", name, row->words);
	}
}
