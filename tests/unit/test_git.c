/* pipeline/git.h against the git program. */

#include <stdlib.h>
#include <sys/stat.h>

#include "pipeline/git.h"
#include "tests/unit/shell.h"

/* For LeakSanitizer: libgit2 1.5 forgets the match data of every regular expression that it tries on a key. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpcre2\n";
}

/* Fresh folder per test; HOME is in it, so that no configuration of the machine counts. */
struct place {
	char *top;
};

static int set_up(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));
	auto_err err = { 0 };
	auto_free char *home = NULL;

	p->top = fs_temp_dir("test-git", &err);
	assert_non_null(p->top);
	home = fs_join(p->top, "home");
	setenv("HOME", home, 1);
	setenv("GIT_AUTHOR_NAME", "Ann", 1);
	setenv("GIT_AUTHOR_EMAIL", "ann@example.org", 1);
	setenv("GIT_COMMITTER_NAME", "Ann", 1);
	setenv("GIT_COMMITTER_EMAIL", "ann@example.org", 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	run(p->top,
	    "mkdir home; git config --global protocol.file.allow always; git config --global init.defaultBranch trunk");
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	auto_err err = { 0 };

	fs_remove_tree(p->top, &err);
	free(p->top);
	free(p);
	return 0;
}

static struct git *open_git(const char *root)
{
	auto_err err = { 0 };
	struct git *g = NULL;

	if (git_open(root, &g, &err) < 0)
		fail_msg("%s", err.msg);
	return g;
}

/* "mode sha256 path" for each file, as the judges below write it. */
static char *describe(struct git *g, enum git_view view)
{
	auto_filelist files = { 0 };
	auto_strlist submodules = { 0 };
	auto_err err = { 0 };
	auto_str out = { 0 };

	if (git_list_files(g, view, &files, &submodules, &err) < 0 || filelist_hash(&files, &err) < 0)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < files.n; i++) {
		auto_free char *hex = digest_hex(&files.v[i].digest);
		const char *mode = files.v[i].mode == FILE_MODE_LINK   ? "120000"
				   : files.v[i].mode == FILE_MODE_EXEC ? "100755"
								       : "100644";

		assert_true(files.v[i].is_tracked);
		str_addf(&out, "%s %s %s\n", mode, hex, files.v[i].path);
	}
	for (size_t i = 0; i < submodules.n; i++)
		str_addf(&out, "submodule %s\n", submodules.v[i]);
	return str_detach(&out);
}

/* What git says: unchanged files from their blobs, changed ones as they lie there. */
static const char judge_work[] =
	"export LC_ALL=C; git diff-files --name-only --relative > $HOME/changed\n"
	"git ls-files -s | sort -k4 | while read -r mode id stage path; do\n"
	"  [ $mode != 160000 ] || continue\n"
	"  if ! grep -qxF \"$path\" $HOME/changed; then h=$(git cat-file blob $id | sha256sum)\n"
	"  elif [ -L \"$path\" ]; then mode=120000 h=$(readlink -n \"$path\" | sha256sum)\n"
	"  elif [ -f \"$path\" ]; then h=$(sha256sum < \"$path\"); mode=100644; [ ! -x \"$path\" ] || mode=100755\n"
	"  else continue; fi\n"
	"  echo \"$mode ${h%% *} $path\"\n"
	"done\n"
	"git ls-files -s | sed -n 's/^160000 .*\\t/submodule /p'";

static const char judge_commit[] = "export LC_ALL=C; git ls-tree -r HEAD | while read -r mode type id path; do\n"
				   "  [ $mode != 160000 ] || continue\n"
				   "  h=$(git cat-file blob $id | sha256sum); echo \"$mode ${h%% *} $path\"\n"
				   "done | sort -k3\n"
				   "git ls-tree -r HEAD | sed -n 's/^160000 .*\\t/submodule /p'";

static const char judge_state[] =
	"git rev-parse HEAD HEAD^{tree}; git symbolic-ref -q --short HEAD || echo detached\n"
	"git log -1 --format=%s%n%ct; git tag --points-at HEAD; git rev-parse --is-shallow-repository\n"
	"git status --porcelain --no-renames --untracked-files=all . > $HOME/status\n"
	"sed -n \"/^[?]/!s|^...$(git rev-parse --show-prefix)||p\" $HOME/status; grep -c '^[?]' $HOME/status || :";

static char *describe_state(struct git *g)
{
	struct git_state s = { 0 };
	auto_err err = { 0 };
	auto_str out = { 0 };

	if (git_read_state(g, &s, &err) < 0)
		fail_msg("%s", err.msg);
	str_addf(&out, "%s\n%s\n%s\n%s\n%lld\n", s.commit, s.tree, s.branch ? s.branch : "detached", s.subject,
		 (long long)s.commit_time);
	for (size_t i = 0; i < s.tags.n; i++)
		str_addf(&out, "%s\n", s.tags.v[i]);
	str_add(&out, s.is_shallow ? "true\n" : "false\n");
	for (size_t i = 0; i < s.changes.n; i++)
		str_addf(&out, "%s\n", s.changes.v[i]);
	str_addf(&out, "%zu\n", s.untracked);
	git_state_release(&s);
	return str_detach(&out);
}

#define BASE                                                                                                               \
	"git init -q repo; cd repo; mkdir -p src/deep; echo a > a.txt; echo b > src/b.py; echo c > src/deep/c; :> empty\n" \
	"printf '#!/bin/sh\\n' > run.sh; chmod +x run.sh; ln -s src/b.py link; printf 'build/\\n*.o\\n' > .gitignore\n"    \
	"git add .; git commit -qm 'first subject'\n"

struct scene {
	const char *name, *script;
	const char *root; /* of the project; NULL: repo */
};

static const struct scene scenes[] = {
	{ "clean", BASE, NULL },
	{ "staged", BASE "echo 2 > a.txt; git add a.txt; echo n > new; git add new", NULL },
	{ "staged and changed again", BASE "echo 2 > a.txt; git add a.txt; echo 33 > a.txt", NULL },
	{ "modified", BASE "echo longer text > src/b.py", NULL },
	{ "modified to the same size at once", BASE "echo B > src/b.py", NULL },
	{ "touched", BASE "touch -d '2001-01-01' a.txt", NULL },
	{ "deleted", BASE "rm a.txt; rm -r src/deep", NULL },
	{ "deleted and staged", BASE "git rm -q a.txt", NULL },
	{ "taken out of the index, still there", BASE "git rm -q --cached a.txt", NULL },
	{ "renamed", BASE "git mv a.txt z.txt", NULL },
	{ "untracked", BASE "echo u > u; mkdir -p more/x; echo 1 > more/x/1; echo 2 > more/x/2", NULL },
	{ "ignored", BASE "mkdir build; echo o > build/o; echo o > x.o", NULL },
	{ "mode change", BASE "chmod +x a.txt; chmod -x run.sh", NULL },
	{ "mode change that git must not see", BASE "git config core.fileMode false; chmod +x a.txt; echo 1 >> run.sh",
	  NULL },
	{ "link changed", BASE "ln -sfn a.txt link", NULL },
	{ "file becomes link", BASE "rm a.txt; ln -s /etc/passwd a.txt", NULL },
	{ "file becomes folder", BASE "rm a.txt; mkdir a.txt; echo in > a.txt/in", NULL },
	{ "folder becomes link", BASE "mkdir ../other; cp src/b.py ../other; rm -r src; ln -s ../other src", NULL },
	{ "intent to add", BASE "echo later > later; git add -N later", NULL },
	{ "assume unchanged", BASE "git update-index --assume-unchanged a.txt; echo 3 > a.txt", NULL },
	{ "skip worktree", BASE "git update-index --skip-worktree a.txt; rm a.txt", NULL },
	{ "sparse checkout", BASE "git sparse-checkout set src 2>&1 >&2", NULL },
	{ "detached", BASE "git checkout -q --detach", NULL },
	{ "tags",
	  BASE "git tag v1; git tag -am x v2; git tag tree HEAD^{tree}; git tag a/b; git commit -qm 2 --allow-empty;"
	       "git tag v3",
	  NULL },
	{ "submodule",
	  BASE "cd ..; git init -q lib; (cd lib; echo l > l; git add l; git commit -qm l)\n"
	       "cd repo; git submodule -q add ../lib vendor/lib; git commit -qm sub",
	  NULL },
	{ "shallow",
	  BASE "git commit -qm 2 --allow-empty; cd ..; mv repo full; git clone -q --depth 1 file://$PWD/full repo",
	  NULL },
	{ "worktree", BASE "git worktree add -q ../tree -b side; cd ../tree; echo w > a.txt", "tree" },
	{ "worktree configuration", BASE "git config extensions.worktreeConfig true; git config --worktree a.b c",
	  NULL },
	{ "packed", BASE "git gc -q; git pack-refs --all; git tag v1; git pack-refs --all", NULL },
	{ "autocrlf",
	  BASE "git config core.autocrlf true; rm a.txt src/b.py; git checkout -q .; touch -d 2001-01-01 a.txt;"
	       "echo new >> src/b.py",
	  NULL },
	{ "project below the work tree", BASE "echo x >> src/b.py; echo y >> a.txt; echo u > src/u; echo u > u",
	  "repo/src" },
	{ "project not yet committed", BASE "mkdir new; echo 1 > new/1; git add new/1; echo 2 > new/2", "repo/new" },
	{ "folder with the same beginning",
	  BASE "mkdir sr src2; echo 1 > src2/1; echo 1 > sr/1; git add .; git commit -qm 2;"
	       "echo 2 > src2/1",
	  "repo/src" },
	{ "spaces and other letters",
	  BASE "mkdir 'ä b'; echo 1 > 'ä b/ü.txt'; git config core.quotePath false; git add .;"
	       "git commit -qm 'Ünï'; echo '*' > '[x]*'; git add .; git commit -qm ü",
	  NULL },
	{ "clone without blobs",
	  BASE "cd ..; mv repo full; git -C full config uploadpack.allowFilter true;"
	       "git clone -q --filter=blob:none file://$PWD/full repo",
	  NULL },
};

static void is_what_git_says(void **state)
{
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_LEN(scenes); i++) {
		const struct scene *s = &scenes[i];
		auto_free char *folder = xasprintf("%s/%zu", p->top, i);
		auto_free char *root = xasprintf("%s/%s", folder, s->root ? s->root : "repo");
		auto_free char *make = xasprintf("mkdir %s; cd %s; %s", folder, folder, s->script);
		auto_git *g = NULL;

		print_message("  %s\n", s->name);
		run(p->top, make);
		g = open_git(root);
		auto_free char *state_ours = describe_state(g);
		auto_free char *work_ours = describe(g, GIT_VIEW_WORK);
		auto_free char *commit_ours = describe(g, GIT_VIEW_COMMIT);
		auto_free char *state_theirs = shell(root, judge_state);
		auto_free char *work_theirs = shell(root, judge_work);
		auto_free char *commit_theirs = shell(root, judge_commit);

		assert_string_equal(state_ours, state_theirs);
		assert_string_equal(work_ours, work_theirs);
		assert_string_equal(commit_ours, commit_theirs);
	}
}

/* git prints such names quoted; ours are as they are. */
static void names_may_have_control_characters(void **state)
{
	struct place *p = *state;
	auto_free char *root = xasprintf("%s/repo", p->top);
	auto_git *g = NULL;
	auto_free char *work = NULL, *commit = NULL;

	run(p->top, BASE "printf x > \"$(printf 'new\\nline\\033[m')\"; git add .; git commit -qm n");
	g = open_git(root);
	work = describe(g, GIT_VIEW_WORK);
	commit = describe(g, GIT_VIEW_COMMIT);
	assert_non_null(strstr(work, " new\nline\033[m\n"));
	assert_string_equal(work, commit);
}

struct refusal {
	const char *script, *words, *hint;
	bool is_open_ok; /* it is the list that is refused */
};

static const struct refusal refusals[] = {
	{ "mkdir repo", "no git repository", "git init", false },
	{ "git init -q repo", "no commit yet", "commit first", false },
	{ "git init -q --bare repo", "bare", NULL, false },
	{ BASE "git config core.repositoryFormatVersion 1; git config extensions.future true", "extension", NULL,
	  false },
	{ BASE "git checkout -qb x; echo 1 > a.txt; git commit -qam 1; git checkout -q trunk; echo 2 > a.txt;"
	       "git commit -qam 2; git merge -q x >/dev/null 2>&1 || :",
	  "merge conflict", "resolve", true },
	{ BASE "printf x > \"$(printf 'latin\\344')\"; git add .; git commit -qm n", "latin\\xe4", NULL, true },
};

static void refuses_with_words(void **state)
{
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *r = &refusals[i];
		auto_free char *root = xasprintf("%s/%zu/repo", p->top, i);
		auto_free char *make = xasprintf("mkdir %zu; cd %zu; %s", i, i, r->script);
		auto_filelist files = { 0 };
		auto_err err = { 0 };
		auto_git *g = NULL;

		run(p->top, make);
		assert_int_equal(git_open(root, &g, &err), r->is_open_ok ? 0 : -1);
		if (r->is_open_ok)
			assert_int_equal(git_list_files(g, GIT_VIEW_WORK, &files, NULL, &err), -1);
		assert_int_equal(err.code, ERR_CONFIG);
		assert_non_null(strstr(err.msg, r->words));
		if (r->hint)
			assert_non_null(strstr(err.hint, r->hint));
	}
}

static void foreign_owner_needs_safe_directory(void **state)
{
	static const struct {
		const char *script;
		bool is_ok;
	} cases[] = {
		{ "git config --global --unset-all safe.directory || :", false },
		{ "git config -f repo/.git/config safe.directory '*'",
		  false }, /* a repository must not vouch for itself */
		{ "git config --global safe.directory '*'", true },
		{ "git config --global --add safe.directory ''", false },
		{ "git config --global --unset-all safe.directory; git config --global safe.directory \"$PWD/repo\"",
		  true },
		{ "git config --global --unset-all safe.directory; git config --global safe.directory \"$PWD/repo/src\"",
		  false },
	};
	struct place *p = *state;
	auto_free char *root = fs_join(p->top, "repo/src");

	if (geteuid() != 0)
		skip();
	run(p->top, BASE "chown -R 12345:12345 .");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_err err = { 0 };
		auto_git *g = NULL;

		run(p->top, cases[i].script);
		assert_int_equal(git_open(root, &g, &err), cases[i].is_ok ? 0 : -1);
		if (!cases[i].is_ok)
			assert_non_null(strstr(err.hint, "git config --global --add safe.directory"));
	}
}

static void scrubs_the_remote(void **state)
{
	static const struct {
		const char *url, *want;
	} cases[] = {
		{ "https://host/a/b.git", "https://host/a/b.git" },
		{ "https://user:secret@host/a.git", "https://host/a.git" },
		{ "https://secret@host:8443/a.git?token=secret#x", "https://host:8443/a.git" },
		{ "https://user:se@cret@host/a.git", "https://host/a.git" },
		{ "https://user:sec/ret@host/a.git", "https://host/a.git" },
		{ "https://host/a@v1.git", "https://host/a@v1.git" },
		{ "git@host:team/a.git", "git@host:team/a.git" },
		{ "ssh://git@host:22/a.git", "ssh://git@host:22/a.git" },
		{ "ssh://git:secret@host/a.git", "ssh://git@host/a.git" },
		{ "ssh://host/a.git", "ssh://host/a.git" },
		{ "../other", "../other" },
	};
	struct place *p = *state;
	auto_free char *root = fs_join(p->top, "repo");

	run(p->top, BASE "git remote add zeta https://z/; git remote add alpha https://alpha/");
	for (size_t i = 0; i <= ARRAY_LEN(cases); i++) {
		auto_free char *script = i == 0 ? xstrdup("git remote remove zeta")
						: xasprintf("git config remote.origin.url '%s'", cases[i - 1].url);
		auto_err err = { 0 };
		struct git_state s = { 0 };
		auto_git *g = NULL;

		run(root, script);
		g = open_git(root);
		assert_int_equal(git_read_state(g, &s, &err), 0);
		assert_string_equal(s.remote, i == 0 ? "https://alpha/" : cases[i - 1].want);
		git_state_release(&s);
	}
}

/* A fetched LFS file differs from its blob, and its time stamps need not be those that git noted. */
static void lfs_files_come_from_the_work_tree(void **state)
{
	static const char make[] =
		"git init -q repo; cd repo; printf 'large content' > big.bin; s=$(sha256sum < big.bin); mkdir p\n"
		"printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:%s\\nsize 13\\n' ${s%% *} > pointer\n"
		"id=$(git hash-object -w pointer); git update-index --add --cacheinfo 100755,$id,big.bin; rm pointer\n"
		"echo p > p/x; git add p; git commit -qm lfs";
	struct place *p = *state;
	auto_free char *root = fs_join(p->top, "repo");
	auto_filelist files = { 0 };
	auto_err err = { 0 };
	struct git_state s = { 0 };
	auto_git *g = NULL;
	struct file_entry *e;

	run(p->top, make);
	g = open_git(root);
	assert_int_equal(git_read_state(g, &s, &err), 0);
	assert_int_equal(s.changes.n, 0);
	git_state_release(&s);
	for (int view = GIT_VIEW_WORK; view <= GIT_VIEW_COMMIT; view++) {
		filelist_release(&files);
		assert_int_equal(git_list_files(g, (enum git_view)view, &files, NULL, &err), 0);
		e = filelist_find(&files, "big.bin");
		assert_int_equal(e->size, 13);
		assert_non_null(e->disk_path);
		assert_int_equal(e->mode, FILE_MODE_EXEC);
		assert_true(e->has_digest);
	}
	run(root, "git checkout -q big.bin"); /* puts the pointer there, as without git lfs */
	filelist_release(&files);
	assert_int_equal(git_list_files(g, GIT_VIEW_WORK, &files, NULL, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_non_null(strstr(err.msg, "'big.bin'"));
	assert_non_null(strstr(err.hint, "git lfs pull"));
}

static void notes_hold_a_line_per_job(void **state)
{
	struct place *p = *state;
	auto_free char *root = fs_join(p->top, "repo");
	auto_free char *commit = NULL, *text = NULL, *who = NULL;
	auto_strlist lines = { 0 };
	auto_err err = { 0 };
	auto_git *g = NULL;

	run(p->top, BASE);
	commit = shell(root, "git rev-parse HEAD | tr -d '\\n'");
	g = open_git(root);
	assert_int_equal(git_note_lines(g, commit, &lines, &err), 0);
	assert_int_equal(lines.n, 0);
	assert_int_equal(git_note_set(g, commit, "j1", "{\"job\":\"j1\",\"v\":1}", &err), 0);
	assert_int_equal(git_note_set(g, commit, "j", "{\"job\":\"j\"}", &err), 0);
	run(root, "git -c core.commentChar='#' notes --ref=smpipe append -m 'a line of mine'");
	assert_int_equal(git_note_set(g, commit, "j1", "{\"job\":\"j1\",\"v\":2}", &err), 0);
	text = shell(root, "git notes --ref=smpipe show | sed '/^$/d'");
	assert_string_equal(text, "{\"job\":\"j1\",\"v\":2}\n{\"job\":\"j\"}\na line of mine\n");
	assert_int_equal(git_note_lines(g, commit, &lines, &err), 0);
	assert_int_equal(lines.n, 3);
	/* No user.name is configured here; the environment's is git's own way. */
	who = shell(root, "git log -1 --format='%an <%ae>' refs/notes/smpipe");
	assert_string_equal(who, "smpipe <smpipe@localhost>\n");
	assert_int_equal(git_note_set(g, commit, "j1", "two\nlines", &err), -1);
	assert_int_equal(git_note_set(g, "HEAD", "j1", "{}", &err), -1);
}

/* A release that was killed while it moved a ref leaves git's lock behind. */
static void stale_locks_of_refs_are_removed(void **state)
{
	struct place *p = *state;
	auto_free char *root = fs_join(p->top, "repo");
	auto_free char *commit = NULL, *left = NULL;
	auto_err err = { 0 };
	auto_git *g = NULL;

	run(p->top, BASE);
	commit = shell(root, "git rev-parse HEAD | tr -d '\\n'");
	g = open_git(root);
	assert_int_equal(git_note_set(g, commit, "j", "{\"job\":\"j\"}", &err), 0);
	assert_int_equal(git_job_ref_set(g, "j", commit, "1", &err), 0);
	run(root, "touch -d '-1 hour' .git/refs/notes/smpipe.lock .git/refs/smpipe/jobs/j.lock");
	assert_int_equal(git_note_set(g, commit, "j", "{\"job\":\"j\",\"v\":2}", &err), 0);
	assert_int_equal(git_job_ref_set(g, "j", commit, "2", &err), 0);
	/* One that is held now is waited for. */
	run(root, "touch .git/refs/notes/smpipe.lock; (sleep 0.3; rm .git/refs/notes/smpipe.lock) > /dev/null 2>&1 &");
	assert_int_equal(git_note_set(g, commit, "j", "{\"job\":\"j\",\"v\":3}", &err), 0);
	left = shell(
		root,
		"find .git -name '*.lock'; git notes --ref=smpipe show; git cat-file -p refs/smpipe/jobs/j | tail -n 1");
	assert_string_equal(left, "{\"job\":\"j\",\"v\":3}\n2");
}

static void jobs_have_a_tag_object(void **state)
{
	struct place *p = *state;
	auto_free char *root = fs_join(p->top, "repo");
	auto_free char *commit = NULL, *text = NULL, *want = NULL, *message = NULL, *tags = NULL;
	auto_strlist jobs = { 0 };
	auto_err err = { 0 };
	auto_git *g = NULL;

	run(p->top, BASE "git config user.name Ann; git config user.email ann@example.org");
	commit = shell(root, "git rev-parse HEAD | tr -d '\\n'");
	g = open_git(root);
	assert_int_equal(git_job_ref_get(g, "x", &message, &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(git_job_ref_set(g, "x", commit, "old\n", &err), 0);
	assert_int_equal(git_job_ref_set(g, "x", commit, "{\n \"a\": 1\n}\n", &err), 0);
	assert_int_equal(git_job_ref_set(g, "a", commit, "m\n", &err), 0);
	text = shell(root, "git cat-file -p refs/smpipe/jobs/x | sed 's/> [0-9].*/>/'");
	want = xasprintf("object %s\ntype commit\ntag x\ntagger Ann <ann@example.org>\n\n{\n \"a\": 1\n}\n", commit);
	assert_string_equal(text, want);
	run(root, "git fsck --strict 2>&1");
	tags = shell(root, "git tag");
	assert_string_equal(tags, "");
	assert_int_equal(git_job_ref_get(g, "x", &message, &err), 0);
	assert_string_equal(message, "{\n \"a\": 1\n}\n");
	assert_int_equal(git_job_ref_list(g, &jobs, &err), 0);
	assert_int_equal(jobs.n, 2);
	assert_string_equal(jobs.v[0], "a");
	assert_int_equal(git_job_ref_set(g, "../heads/trunk", commit, "m", &err), -1);
	assert_int_equal(git_job_ref_set(g, "y", "0123456789012345678901234567890123456789", "m", &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* The snapshot's tree is what `git add -u` would have staged, seen from a copy of the repository. */
static void snapshot_is_the_work_tree(void **state)
{
	struct place *p = *state;
	auto_free char *root = fs_join(p->top, "repo/src");
	auto_free char *first = NULL, *second = NULL, *tree = NULL, *want = NULL, *before = NULL, *after = NULL,
		       *script = NULL;
	auto_err err = { 0 };
	auto_git *g = NULL;

	run(p->top,
	    BASE "echo 2 >> src/b.py; rm a.txt; chmod +x empty; ln -sfn src link; echo s > staged; git add staged;"
		 "echo u > untracked");
	before = shell(root, "git status --porcelain --branch; git for-each-ref");
	g = open_git(root);
	assert_int_equal(git_snapshot_work(g, &first, &err), 0);
	assert_int_equal(git_snapshot_work(g, &second, &err), 0);
	assert_string_equal(first, second);
	after = shell(root, "git status --porcelain --branch; git for-each-ref | grep -v refs/smpipe/");
	assert_string_equal(before, after);
	script = xasprintf("git rev-parse refs/smpipe/snapshots/%s^{tree} %s^; git fsck --strict >&2", first, first);
	tree = shell(root, script);
	want = shell(p->top, "cp -r repo copy; cd copy; git add -u; git write-tree; git rev-parse HEAD");
	assert_string_equal(tree, want);
}

static void init_makes_one_repository(void **state)
{
	struct place *p = *state;
	auto_free char *dir = fs_join(p->top, "new"), *inner = fs_join(p->top, "new/in");
	auto_free char *branch = NULL;
	auto_err err = { 0 };
	bool created = false;

	run(p->top, "mkdir -p new/in");
	assert_int_equal(git_init(dir, &created, &err), 0);
	assert_true(created);
	branch = shell(dir, "git symbolic-ref HEAD");
	assert_string_equal(branch, "refs/heads/main\n");
	assert_int_equal(git_init(inner, &created, &err), 0);
	assert_false(created);
	assert_false(fs_exists(fs_basename(inner)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_what_git_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_may_have_control_characters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_with_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(foreign_owner_needs_safe_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(scrubs_the_remote, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lfs_files_come_from_the_work_tree, set_up, tear_down),
		cmocka_unit_test_setup_teardown(notes_hold_a_line_per_job, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stale_locks_of_refs_are_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(jobs_have_a_tag_object, set_up, tear_down),
		cmocka_unit_test_setup_teardown(snapshot_is_the_work_tree, set_up, tear_down),
		cmocka_unit_test_setup_teardown(init_makes_one_repository, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
