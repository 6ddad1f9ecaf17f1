/* s3/pack.h: what goes into sourcedir.tar.gz, judged by tar. */

#include "s3/pack.h"
#include "tests/unit/fake_s3.h"
#include "tests/unit/shell.h"

static void add(struct filelist *l, const char *path, unsigned mode)
{
	struct file_entry *e = filelist_add(l, path, mode);

	e->bytes = xasprintf("content of %s", path);
	e->size = strlen(e->bytes);
}

static void fill(struct filelist *l)
{
	static const char *const paths[] = { "Dockerfile",
					     "libs/features/__init__.py",
					     "libs/features/sub/x.py",
					     "libs/utils/a.py",
					     "other/utils/b.py",
					     "setup.cfg",
					     "src/helper.py",
					     "src/pkg/m.py",
					     "src/train.py",
					     "src/utils/c.py",
					     "src2/train.py" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		add(l, paths[i], FILE_MODE_PLAIN);
	add(l, "src/run.sh", FILE_MODE_EXEC);
	filelist_sort(l);
}

struct layout {
	const char *source_dir, *entry_point;
	const char *dependencies[4];
	const char *want; /* paths, or NULL: refused with words and hint */
	const char *words, *hint;
};

#define SRC "helper.py pkg/m.py run.sh train.py utils/c.py "

static const struct layout layouts[] = {
	{ "src", "train.py", { NULL }, SRC, NULL, NULL },
	{ "./src//", "train.py", { NULL }, SRC, NULL, NULL },
	{ "src",
	  "run.sh",
	  { "libs/features/", "setup.cfg" },
	  "features/__init__.py features/sub/x.py helper.py pkg/m.py run.sh setup.cfg train.py utils/c.py ",
	  NULL,
	  NULL },
	{ NULL, "src/train.py", { "libs/features" }, "features/__init__.py features/sub/x.py train.py ", NULL, NULL },
	{ NULL,
	  "src/train.py",
	  { "src" },
	  "src/helper.py src/pkg/m.py src/run.sh src/train.py src/utils/c.py train.py ",
	  NULL,
	  NULL },
	/* The same thing at the same place is no clash. */
	{ "src",
	  "train.py",
	  { "src/pkg", "libs/features", "libs/features" },
	  "features/__init__.py features/sub/x.py " SRC,
	  NULL,
	  NULL },
	{ "src",
	  "train.py",
	  { "libs/utils" },
	  NULL,
	  "'src/utils' and the dependency 'libs/utils' would both be 'utils'",
	  NULL },
	{ NULL,
	  "src/train.py",
	  { "libs/utils", "other/utils" },
	  NULL,
	  "'libs/utils' and the dependency 'other/utils'",
	  NULL },
	{ "src", "train.py", { "src2/train.py" }, NULL, "'src/train.py' and the dependency 'src2/train.py'", NULL },
	{ "src", "pkg/m.py", { NULL }, NULL, "does not lie at the root of source_dir 'src'", "name alone" },
	{ "src", "src/train.py", { NULL }, NULL, "does not lie at the root", "name alone" },
	{ "src", "pkg", { NULL }, NULL, "'src/pkg' is not among the files", NULL },
	{ "src", "absent.py", { NULL }, NULL, "'src/absent.py' is not among the files", "there is no" },
	{ "src", "untracked.py", { NULL }, NULL, "'src/untracked.py' is not among the files", "git does not track it" },
	{ "src", "train.py", { "gone" }, NULL, "dependency 'gone'", "there is no" },
	{ "src", "train.py", { "src/untracked.py" }, NULL, "dependency 'src/untracked.py'", "source.include" },
	{ "src", "train.py", { "." }, NULL, "cannot be a dependency", NULL },
	{ "../src", "train.py", { NULL }, NULL, "source_dir '../src' is no path below", NULL },
	{ "/src", "train.py", { NULL }, NULL, "source_dir '/src' is no path below", NULL },
	{ "src", "train.py", { "libs/../../x" }, NULL, "is no path below", NULL },
};

static void lays_the_archive_out(void **state)
{
	auto_filelist files = { 0 };
	auto_err err = { 0 };
	auto_free char *root = fs_temp_dir("test-pack", &err);

	(void)state;
	run(root, "mkdir src; touch src/untracked.py");
	fill(&files);
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		const struct layout *y = &layouts[i];
		const struct pack_spec spec = { &files, y->source_dir, y->entry_point, y->dependencies, root, 0 };
		auto_filelist list = { 0 };
		auto_str paths = { 0 };
		auto_err refusal = { 0 };
		int rc = pack_list(&spec, &list, &refusal);

		if (!y->want) {
			assert_int_equal(rc, -1);
			assert_int_equal(refusal.code, ERR_CONFIG);
			assert_non_null(strstr(refusal.msg, y->words));
			assert_true(!y->hint || strstr(refusal.hint, y->hint));
			continue;
		}
		assert_int_equal(rc, 0);
		for (size_t k = 0; k < list.n; k++)
			str_addf(&paths, "%s ", list.v[k].path);
		assert_string_equal(str_text(&paths), y->want);
	}
	fs_remove_tree(root, &err);
}

static void add_link(struct filelist *l, const char *path, const char *target)
{
	struct file_entry *e = filelist_add(l, path, FILE_MODE_LINK);

	e->bytes = xstrdup(target);
	e->size = strlen(target);
}

static void links_out_of_the_archive_become_what_they_lead_to(void **state)
{
	static const struct {
		const char *target, *want; /* of src/l; want: what stands for it */
	} cases[] = {
		{ "train.py", "l->train.py " },
		{ "pkg", "l->pkg " },
		{ "../setup.cfg", "l=setup.cfg " },
		{ "../libs/features", "l/__init__.py=libs/features/__init__.py l/sub/x.py=libs/features/sub/x.py " },
		{ "../once", "l=setup.cfg " }, /* by way of another link */
		{ "../loop", "l->../loop " },
		{ "..", "l->.. " }, /* holds the link itself */
		{ "../src", "l->../src " },
		{ "../absent", "l->../absent " }, /* leads nowhere here, perhaps somewhere in the image */
		{ "/opt/x", "l->/opt/x " },
		{ "../../x", "l->../../x " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_filelist files = { 0 }, list = { 0 };
		const struct pack_spec spec = { &files, "src", "train.py", NULL, NULL, 0 };
		auto_str got = { 0 };
		auto_err err = { 0 };

		fill(&files);
		add_link(&files, "src/l", cases[i].target);
		add_link(&files, "once", "./setup.cfg");
		add_link(&files, "loop", "loop");
		filelist_sort(&files);
		assert_int_equal(pack_list(&spec, &list, &err), 0);
		for (size_t k = 0; k < list.n; k++) {
			const struct file_entry *e = &list.v[k];

			if (e->path[0] == 'l' && (e->path[1] == '/' || !e->path[1]))
				str_addf(&got, "%s%s%s ", e->path, e->mode == FILE_MODE_LINK ? "->" : "=",
					 e->bytes + (e->mode == FILE_MODE_LINK ? 0 : strlen("content of ")));
		}
		assert_string_equal(str_text(&got), cases[i].want);
	}
}

static void is_sent_once_and_tar_reads_it(void **state)
{
	static const char *const dependencies[] = { "libs/features", NULL };
	auto_fake_s3 *f = fake_s3_new("eu-west-1", "http://127.0.0.1:4566");
	auto_filelist files = { 0 }, list = { 0 };
	auto_err err = { 0 };
	auto_free char *folder = fs_temp_dir("test-pack", &err);
	auto_free char *archive = fs_join(folder, "sourcedir.tar.gz");
	auto_free char *names = NULL;
	const struct pack_spec spec = { &files, "src", "train.py", dependencies, NULL, 0 };
	const struct fake_object *stored;
	struct pack_result first, second;

	(void)state;
	fill(&files);
	assert_int_equal(pack_list(&spec, &list, &err), 0);
	assert_int_equal(pack_upload(&f->s3, &list, "bucket", "c/k.tar.gz", NULL, &first, &err), 0);
	assert_false(first.existed);
	assert_int_equal(pack_upload(&f->s3, &list, "bucket", "c/k.tar.gz", NULL, &second, &err), 0);
	assert_true(second.existed && second.has_digest && digest_equal(&first.digest, &second.digest));
	assert_int_equal(fake_count(f, "PUT"), 1);
	stored = fake_find(f, "/bucket/c/k.tar.gz");
	assert_true(stored->n == first.bytes && stored->n == second.bytes);
	assert_int_equal(fs_write_atomic(archive, stored->bytes, stored->n, 0644, &err), 0);
	names = shell(folder,
		      "tar -tvzf sourcedir.tar.gz | awk '{print $1, $NF}'; tar -xzOf sourcedir.tar.gz train.py");
	assert_string_equal(names,
			    "-rw-r--r-- features/__init__.py\n-rw-r--r-- features/sub/x.py\n-rw-r--r-- helper.py\n"
			    "-rw-r--r-- pkg/m.py\n-rwxr-xr-x run.sh\n-rw-r--r-- train.py\n-rw-r--r-- utils/c.py\n"
			    "content of src/train.py");
	fs_remove_tree(folder, &err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lays_the_archive_out),
		cmocka_unit_test(links_out_of_the_archive_become_what_they_lead_to),
		cmocka_unit_test(is_sent_once_and_tar_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
