#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "ecr/dockerfile.h"
#include "pipeline/git.h"
#include "pipeline/template.h"

#define MAX_DOCKERFILE_BYTES (1024 * 1024)

/* A folder's name made into an algorithm's: letters, digits, single hyphens. */
static char *name_from_folder(const char *dir)
{
	auto_free char *path = fs_realpath(dir);
	struct str name = { 0 };

	for (const char *p = path ? fs_basename(path) : ""; *p && name.len < CONFIG_MAX_NAME; p++) {
		if (isalnum((unsigned char)*p))
			str_add_char(&name, *p);
		else if (name.len && name.s[name.len - 1] != '-')
			str_add_char(&name, '-');
	}
	while (name.len && name.s[name.len - 1] == '-')
		str_truncate(&name, name.len - 1);
	return name.len ? str_detach(&name) : xstrdup("algorithm");
}

static int check_name(const char *name, struct err *err)
{
	size_t n = strlen(name);

	if (!n || n > CONFIG_MAX_NAME || name[0] == '-' || name[n - 1] == '-' ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != n)
		return err_set(err, ERR_USAGE, "'%s' is no name: letters, digits and hyphens between them, at most %d",
			       name, CONFIG_MAX_NAME);
	return 0;
}

/* *ret is the template of the CI file; NULL for none. */
static int choose_ci(const struct cmd *cmd, char **ret, struct err *err)
{
	const char *ci = opt_get(&cmd->opts, OPT_CI);

	if (!ci)
		ci = opt_has(&cmd->opts, OPT_ADOPT) ? "none" : "github";
	if (!str_eq(ci, "none") && !str_eq(ci, "github") && !str_eq(ci, "gitlab") && !str_eq(ci, "codebuild"))
		return err_set(err, ERR_USAGE, "--ci takes github, gitlab, codebuild or none, not '%s'", ci);
	*ret = str_eq(ci, "none") ? NULL : xasprintf("ci/%s", ci);
	return 0;
}

/* Sources of COPY that exist without being tracked must be named in image.include. */
static int find_includes(const char *dir, struct strlist *ret, struct err *err)
{
	auto_free char *path = fs_join(dir, "Dockerfile");
	auto_free char *text = NULL;
	auto_dockerfile dockerfile = { 0 };
	auto_filelist tracked = { 0 };
	auto_git *git = NULL;
	size_t n;

	if (fs_read(path, MAX_DOCKERFILE_BYTES, &text, &n, err) < 0)
		return -1;
	if (dockerfile_parse(text, "Dockerfile", NULL, &dockerfile, err) < 0 || git_open(dir, &git, err) < 0 ||
	    git_list_files(git, GIT_VIEW_WORK, &tracked, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < dockerfile.n_copies; i++) {
		const char *source = dockerfile.copies[i].source;
		auto_free char *on_disk = fs_join(dir, source);

		if (fs_is_safe_relative(source) && fs_exists(on_disk) && !fs_is_dir(on_disk) &&
		    !filelist_find(&tracked, source) && !strlist_has(ret, source))
			strlist_add(ret, source);
	}
	return 0;
}

static void add_list(struct str *text, const char *key, const struct strlist *values)
{
	if (!values->n)
		return;
	str_addf(text, "  %s: [", key);
	for (size_t i = 0; i < values->n; i++)
		str_addf(text, "%s'%s'", i ? ", " : "", values->v[i]);
	str_add(text, "]\n");
}

/* data/<channel> folders become channels. */
static void add_channels(struct str *text, const char *dir)
{
	static const char *const names[] = { "train", "training", "val", "validation", "test" };
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *path = xasprintf("%s/data/%s", dir, names[i]);

		if (!fs_is_dir(path))
			continue;
		str_addf(text, "%s  %s: data/%s\n", any ? "" : "inputs:\n", names[i], names[i]);
		any = true;
	}
	if (!any)
		str_add(text, "# inputs:                 # local folders or s3:// prefixes\n#   train: data/train\n");
}

static int adopt(const char *dir, const char *name, struct strlist *written, struct err *err)
{
	auto_free char *path = fs_join(dir, CONFIG_FILE);
	auto_free char *dockerfile = fs_join(dir, "Dockerfile");
	auto_strlist include = { 0 };
	auto_str text = { 0 };

	if (fs_exists(path))
		return err_set(err, ERR_CONFLICT, "'%s' is there already", path);
	if (!fs_exists(dockerfile)) {
		err_set(err, ERR_CONFIG, "there is no Dockerfile in '%s'", dir);
		return err_hint(err, "`smpipe init` without --adopt writes a whole new repository");
	}
	if (find_includes(dir, &include, err) < 0)
		return -1;
	str_addf(&text, "version: 1\nname: %s\n", name);
	str_add(&text, "# role: arn:aws:iam::<account>:role/<name>   needed on AWS; the local cloud has its own\n");
	str_add(&text, "image:\n  dockerfile: Dockerfile\n  context: .\n");
	add_list(&text, "include", &include);
	add_channels(&text, dir);
	str_add(&text,
		"estimator:\n  instance_type: ml.m5.large\n  instance_count: 1\n  volume_size: 30\n  max_run: 1d\n"
		"  # hyperparameters: {lr: 0.01}\n"
		"  # metric_definitions:\n  #   - {name: Train Loss, regex: 'train_loss=([-+0-9.eE]+)'}\n");
	if (fs_write_atomic(path, str_text(&text), text.len, 0644, err) < 0)
		return -1;
	strlist_add(written, CONFIG_FILE);
	return 0;
}

/* Before the first file: what is refused must leave nothing behind. template is NULL when a repository is adopted. */
static int check(const char *dir, const char *template, const char *ci, struct err *err)
{
	if (template && template_check(template, dir, err) < 0)
		return -1;
	return ci ? template_check(ci, dir, err) : 0;
}

static void print_written(const char *dir, const struct strlist *written, bool created, bool adopted)
{
	for (size_t i = 0; i < written->n; i++)
		printf("wrote %s%s%s\n", str_eq(dir, ".") ? "" : dir, str_eq(dir, ".") ? "" : "/", written->v[i]);
	if (created)
		printf("made a git repository in %s\n", dir);
	printf("next: %s%s%sgit add -A && git commit -m 'Start', then smpipe plan --local and smpipe release --local\n",
	       str_eq(dir, ".") ? "" : "cd ", str_eq(dir, ".") ? "" : dir,
	       str_eq(dir, ".") ? (adopted ? "" : "make, ")
	       : adopted        ? ", "
				: ", make, ");
}

int cmd_init(struct cmd *cmd, struct err *err)
{
	const char *dir = cmd->opts.operands.n ? cmd->opts.operands.v[0] : ".";
	const char *template = opt_get(&cmd->opts, OPT_TEMPLATE);
	bool adopts = opt_has(&cmd->opts, OPT_ADOPT), created = false;
	auto_free char *name = xstrdup_or_null(opt_get(&cmd->opts, OPT_NAME));
	auto_free char *ci = NULL;
	auto_strlist written = { 0 };

	if (adopts && template)
		return err_set(err, ERR_USAGE, "--adopt and --template exclude each other");
	if (!adopts && !template)
		template = "native";
	if ((name && check_name(name, err) < 0) || choose_ci(cmd, &ci, err) < 0 || check(dir, template, ci, err) < 0)
		return -1;
	if (!adopts && fs_mkdir_p(dir, 0755, err) < 0)
		return -1;
	if (!name)
		name = name_from_folder(dir);
	if ((adopts ? adopt(dir, name, &written, err) : template_write(template, dir, name, &written, err)) < 0)
		return -1;
	if (ci && template_write(ci, dir, name, &written, err) < 0)
		return -1;
	if (!adopts && git_init(dir, &created, err) < 0)
		return -1;
	print_written(dir, &written, created, adopts);
	return 0;
}
