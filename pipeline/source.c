#include "pipeline/source.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "ecr/dockerignore.h"
#include "pipeline/view.h"
#include "s3/pack.h"

static int read_patterns(const struct project *p, struct dockerignore *ret, struct err *err)
{
	auto_strlist patterns = { 0 };
	auto_str text = { 0 };
	auto_err why = { 0 };

	config_list(&p->config, "source.exclude", &patterns);
	for (size_t i = 0; i < patterns.n; i++) {
		/* A line of its own each, none a comment. */
		if (strpbrk(patterns.v[i], "\r\n"))
			return config_error(&p->config, err, "source.exclude", "a pattern is one line");
		str_addf(&text, "%s%s\n", *patterns.v[i] == '#' ? "\\" : "", patterns.v[i]);
	}
	if (dockerignore_parse(str_text(&text), "pattern", ret, &why) < 0)
		return config_error(&p->config, err, "source.exclude", "%s", why.msg);
	return 0;
}

static int add_view(const struct project *p, const struct filelist *tracked, struct filelist *ret, struct err *err)
{
	auto_filelist all = { 0 };
	auto_dockerignore patterns = { 0 };

	if (read_patterns(p, &patterns, err) < 0 || view_list(p, "source.files", tracked, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		if (!dockerignore_excludes(&patterns, all.v[i].path))
			filelist_add_copy(ret, &all.v[i], all.v[i].path);
	}
	return 0;
}

static int read_include(const struct project *p, const char *path, const struct filelist *tracked,
			struct filelist *included, struct err *err)
{
	auto_free char *disk_path = fs_join(p->config.root, path);

	if (!fs_is_safe_relative(path))
		return config_error(&p->config, err, "source.include", "'%s' must be a path below the project", path);
	if (!fs_exists(disk_path))
		return config_error(&p->config, err, "source.include", "'%s' does not exist", path);
	return view_add(p, path, tracked, included, err);
}

/* What is there already stays as it is; what git tracks comes from git. */
static void add_included(const struct filelist *included, const struct filelist *tracked, struct filelist *ret)
{
	const size_t n = ret->n;

	for (size_t i = 0; i < included->n; i++) {
		const char *path = included->v[i].path;
		const struct filelist present = { .v = ret->v, .n = n };
		const struct file_entry *from_git = filelist_find(tracked, path);

		if (filelist_find(&present, path) || (i && str_eq(path, included->v[i - 1].path)))
			continue;
		filelist_add_copy(ret, from_git ? from_git : &included->v[i], path);
	}
}

static int choose_files(const struct project *p, const struct filelist *tracked, struct filelist *ret, struct err *err)
{
	auto_filelist included = { 0 };
	auto_strlist paths = { 0 };

	if (add_view(p, tracked, ret, err) < 0)
		return -1;
	config_list(&p->config, "source.include", &paths);
	for (size_t i = 0; i < paths.n; i++) {
		if (read_include(p, paths.v[i], tracked, &included, err) < 0)
			return -1;
	}
	filelist_sort(&included);
	add_included(&included, tracked, ret);
	filelist_sort(ret);
	return 0;
}

int source_list(const struct project *p, const struct filelist *tracked, bool is_limited, struct filelist *ret,
		struct err *err)
{
	auto_filelist files = { 0 };
	auto_strlist dependencies = { 0 };
	struct pack_spec spec = {
		.root = p->config.root,
		.files = &files,
		.source_dir = config_str(&p->config, "source.source_dir"),
		.entry_point = config_str(&p->config, "source.entry_point"),
		.max_bytes = is_limited ? (uint64_t)config_int(&p->config, "source.max_size") << 20 : 0,
	};

	if (choose_files(p, tracked, &files, err) < 0)
		return -1;
	config_list(&p->config, "source.dependencies", &dependencies);
	strlist_take(&dependencies, NULL);
	spec.dependencies = (const char *const *)dependencies.v;
	dependencies.n--;
	return pack_list(&spec, ret, err);
}
