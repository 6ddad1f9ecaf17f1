#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "ecr/context.h"

/* Each text is a list of "path=content" (";" ends one): what git lists, and what else lies on disk. "path>target" is a
 * link. */
static const struct context_case {
	const char *name;
	const char *tracked, *untracked;
	const char *context, *dockerfile;
	const char *include[4];
	const char *files; /* expected, with spaces between */
	const char *message, *hint;
} cases[] = {
	{ .name = "git's files, and nothing else",
	  .tracked = "Dockerfile=FROM a;b/c=1;d=2",
	  .untracked = "e=3",
	  .files = "Dockerfile b/c d" },
	{ .name = "ignore rules, Dockerfile and .dockerignore kept",
	  .tracked = "Dockerfile=FROM a;.dockerignore=*\n!k;k=1;d=2;e/f=3",
	  .files = ".dockerignore Dockerfile k" },
	{ .name = "a Dockerfile's own ignore file goes first",
	  .tracked = "x/D=FROM a;x/D.dockerignore=d;.dockerignore=e;d=1;e=2",
	  .dockerfile = "x/D",
	  .files = ".dockerignore e x/D x/D.dockerignore" },
	{ .name = "a folder as context",
	  .tracked = "a/Dockerfile=FROM a;a/b=1;ab/c=2;d=3;a/.dockerignore=x",
	  .context = "./a/",
	  .dockerfile = "a/Dockerfile",
	  .files = ".dockerignore Dockerfile b" },
	{ .name = "a Dockerfile outside of the context",
	  .tracked = "D=FROM a\nCOPY b /;a/b=1",
	  .context = "a",
	  .dockerfile = "D",
	  .files = ".dockerignore .smpipe.Dockerfile b" },
	{ .name = "includes add files and folders",
	  .tracked = "Dockerfile=FROM a;d=2",
	  .untracked = "e=3;f/g=4;f/h/i=5;f/.git/config=6;f/l>h;j=7",
	  .include = { "e", "./f/", "f/h" },
	  .files = "Dockerfile d e f/g f/h/i f/l" },
	{ .name = "an include beats .dockerignore",
	  .tracked = "Dockerfile=FROM a;.dockerignore=**;a/b=1;a/c=2;d=3",
	  .untracked = "a/e=4",
	  .include = { "a" },
	  .files = ".dockerignore Dockerfile a/b a/c a/e" },
	{ .name = "everything by include",
	  .tracked = "Dockerfile=FROM a;a/b=1",
	  .untracked = "a/c=2;.smpipe/x=3;.git/y=4;d=5",
	  .include = { "." },
	  .files = "Dockerfile a/b a/c d" },
	{ .name = "never .git and .smpipe",
	  .tracked = "Dockerfile=FROM a;sub/.git=gitdir: x;.smpipe/x=1;a=1",
	  .files = "Dockerfile a" },
	{ .name = "sources that are there",
	  .tracked =
		  "Dockerfile=FROM a\nCOPY . /a\nCOPY ./b/ /c\nCOPY b/c d* /e\nCOPY */c /f\nCOPY /d1 /g\nCOPY nowhere /h\nCOPY ../x "
		  "/i\nCOPY l/x /j;b/c=1;d1=2;l>b",
	  .untracked = "b/x=1",
	  .files = "Dockerfile b/c d1 l" },

	{ .name = "an untracked source",
	  .tracked = "Dockerfile=FROM a\n\nCOPY train /x",
	  .untracked = "train/data=1",
	  .message = "Dockerfile:3: COPY 'train': not in the build context: git does not track it",
	  .hint = "add 'train' to image.include in smpipe.yaml, or git add it" },
	{ .name = "an untracked source in a folder",
	  .tracked = "a/D=FROM a\nADD /x/./y* /x;a/x/z=1",
	  .untracked = "a/x/y1=1",
	  .context = "a",
	  .dockerfile = "a/D",
	  .message = "a/D:2: ADD '/x/./y*': not in the build context: git does not track it",
	  .hint = "add 'a/x/y*' to image.include in smpipe.yaml, or git add it" },
	{ .name = "an ignored source",
	  .tracked = "Dockerfile=FROM a\nCOPY b /x;.dockerignore=b/*;b/c=1",
	  .message = "Dockerfile:2: COPY 'b': not in the build context: .dockerignore excludes it",
	  .hint = "add 'b' to image.include in smpipe.yaml, or take the pattern out" },
	{ .name = "no Dockerfile", .tracked = "a=1", .message = "'Dockerfile': there is no such Dockerfile" },
	{ .name = "an untracked Dockerfile",
	  .tracked = "a=1",
	  .untracked = "Dockerfile=FROM a",
	  .message = "'Dockerfile': git does not track it" },
	{ .name = "an included Dockerfile",
	  .tracked = "a=1",
	  .untracked = "Dockerfile=FROM a",
	  .include = { "Dockerfile" },
	  .files = "Dockerfile a" },
	{ .name = "an untracked .dockerignore",
	  .tracked = "Dockerfile=FROM a",
	  .untracked = ".dockerignore=x",
	  .message = "'.dockerignore': git does not track it" },
	{ .name = "a malformed .dockerignore",
	  .tracked = "Dockerfile=FROM a;.dockerignore=\n[",
	  .message = ".dockerignore:2: '[' is no valid pattern" },
	{ .name = "a Dockerfile that is a link",
	  .tracked = "Dockerfile>b;b=FROM a",
	  .message = "'Dockerfile' is a symbolic link: the file itself is needed" },
	{ .name = "an include that is absent",
	  .tracked = "Dockerfile=FROM a",
	  .include = { "x" },
	  .message = "image.include 'x': there is no such file or folder in '*'" },
	{ .name = "an include that leaves the project",
	  .tracked = "Dockerfile=FROM a",
	  .include = { "../x" },
	  .message = "image.include '../x': it is no path inside of the project" },
	{ .name = "an include outside of the context",
	  .tracked = "a/Dockerfile=FROM a",
	  .untracked = "b=1",
	  .context = "a",
	  .dockerfile = "a/Dockerfile",
	  .include = { "b" },
	  .message = "image.include 'b': it is not in the build context 'a'" },
	{ .name = "an include through a link",
	  .tracked = "Dockerfile=FROM a",
	  .untracked = "l>/etc",
	  .include = { "l/passwd" },
	  .message = "image.include 'l/passwd': a symbolic link leads out of the project" },
	{ .name = "a context that is no folder",
	  .tracked = "Dockerfile=FROM a",
	  .context = "x",
	  .message = "image.context 'x': there is no such folder" },
	{ .name = "an absolute context",
	  .tracked = "Dockerfile=FROM a",
	  .context = "/etc",
	  .message = "image.context '/etc': it is no path inside of the project" },
};

static void write_one(const char *root, const char *path, const char *content, bool is_link)
{
	auto_free char *disk = fs_join(root, path), *folder = fs_dirname(disk);
	auto_err err = { 0 };

	assert_int_equal(fs_mkdir_p(folder, 0755, &err), 0);
	if (is_link)
		assert_int_equal(symlink(content, disk), 0);
	else
		assert_int_equal(fs_write_atomic(disk, content, strlen(content), 0644, &err), 0);
}

static void write_files(const char *root, const char *texts, struct filelist *tracked)
{
	auto_strlist list = { 0 };

	if (!texts)
		return;
	str_split(&list, texts, ';');
	for (size_t i = 0; i < list.n; i++) {
		size_t n = strcspn(list.v[i], "=>");
		auto_free char *path = xstrndup(list.v[i], n), *disk = fs_join(root, path);
		auto_err err = { 0 };

		write_one(root, path, list.v[i] + n + 1, list.v[i][n] == '>');
		if (!tracked)
			continue;
		assert_int_equal(filelist_add_disk(tracked, path, disk, &err), 0);
		tracked->v[tracked->n - 1].is_tracked = true;
	}
	if (tracked)
		filelist_sort(tracked);
}

static void check_message(const struct context_case *c, const struct err *err)
{
	/* "*" stands for the temporary folder. */
	if (str_ends(c->message, "'*'"))
		assert_memory_equal(err->msg, c->message, strlen(c->message) - 2);
	else
		assert_string_equal(err->msg, c->message);
	if (c->hint)
		assert_string_equal(err->hint, c->hint);
	assert_int_equal(err->code, ERR_CONFIG);
}

static void check_files(const struct context_case *c, const struct filelist *list)
{
	auto_str names = { 0 };

	for (size_t i = 0; i < list->n; i++) {
		str_addf(&names, "%s%s", i ? " " : "", list->v[i].path);
		assert_true(list->v[i].has_digest);
	}
	assert_string_equal(str_text(&names), c->files);
}

static void run_case(const struct context_case *c)
{
	auto_filelist tracked = { 0 }, list = { 0 };
	auto_free char *dockerfile = NULL, *root = NULL;
	struct context_spec spec = {
		.files = &tracked,
		.context = c->context ? c->context : ".",
		.dockerfile = c->dockerfile ? c->dockerfile : "Dockerfile",
		.include = c->include,
	};
	auto_err err = { 0 };
	int result;

	root = fs_temp_dir("smpipe-context", &err);
	write_files(root, c->tracked, &tracked);
	write_files(root, c->untracked, NULL);
	spec.root = root;
	result = context_list(&spec, &list, &dockerfile, &err);
	if (c->message) {
		if (result == 0)
			fail_msg("it is taken");
		check_message(c, &err);
	} else {
		if (result < 0)
			fail_msg("%s", err.msg);
		check_files(c, &list);
		assert_non_null(filelist_find(&list, dockerfile));
	}
	assert_int_equal(fs_remove_tree(root, &err), 0);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("           %s\n", cases[i].name);
		run_case(&cases[i]);
	}
}

static int read_committed(const struct file_store *store, const struct file_entry *e, char **ret_bytes, size_t *ret_n,
			  struct err *err)
{
	(void)store;
	(void)err;
	*ret_bytes = xstrdup(e->id);
	*ret_n = strlen(e->id);
	return 0;
}

/* Bytes come from where git's list says: a commit, not the work tree. An outer Dockerfile is kept out of every COPY. */
static void test_contents(void **state)
{
	static const struct file_store store = { read_committed };
	auto_filelist files = { 0 }, list = { 0 };
	auto_free char *dockerfile = NULL, *root = NULL;
	auto_err err = { 0 };
	struct context_spec spec = { .files = &files, .context = "a", .dockerfile = "D" };
	struct file_entry *e;
	struct digest expected = digest_of_text("committed");

	(void)state;
	root = fs_temp_dir("smpipe-context", &err);
	spec.root = root;
	write_files(root, "D=FROM a;a/.dockerignore=x;a/b=work tree", &files);
	e = filelist_find(&files, "a/b");
	free(take(e->disk_path));
	e->store = &store;
	e->id = xstrdup("committed");
	e->size = strlen(e->id);
	if (context_list(&spec, &list, &dockerfile, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(digest_equal(&filelist_find(&list, "b")->digest, &expected));
	assert_string_equal(dockerfile, CONTEXT_DOCKERFILE);
	assert_string_equal(filelist_find(&list, dockerfile)->bytes, "FROM a");
	assert_string_equal(filelist_find(&list, ".dockerignore")->bytes, "x\n" CONTEXT_DOCKERFILE "\n");
	assert_int_equal(fs_remove_tree(root, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_contents),
	};

	return cmocka_run_group_tests_name("ecr/context", tests, NULL, NULL);
}
