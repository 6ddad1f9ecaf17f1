#include "pipeline/template.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"

#define PLACEHOLDER "@NAME@"

void template_names(struct strlist *ret)
{
	for (const struct template_file *f = template_files; f->path; f++) {
		auto_free char *name = xstrndup(f->path, strcspn(f->path, "/"));

		if (!str_eq(name, "ci") && !strlist_has(ret, name))
			strlist_add(ret, name);
	}
	strlist_sort(ret);
}

/* The path in the new repository, or NULL when the file belongs to another template. */
static const char *path_below(const struct template_file *f, const char *template_name)
{
	size_t n = strlen(template_name);

	return str_starts(f->path, template_name) && f->path[n] == '/' ? f->path + n + 1 : NULL;
}

static int refuse_unknown(const char *template_name, struct err *err)
{
	auto_strlist names = { 0 };
	auto_str list = { 0 };
	auto_free char *shown = str_printable(template_name);

	template_names(&names);
	for (size_t i = 0; i < names.n; i++)
		str_addf(&list, "%s%s", i ? ", " : "", names.v[i]);
	err_set(err, ERR_USAGE, "there is no template '%s'", shown);
	return err_hint(err, "the templates are: %s", str_text(&list));
}

/* Also a link that leads nowhere is something. */
static int check_absent(const char *dir, const char *path, struct err *err)
{
	auto_free char *target = fs_join(dir, path);
	struct stat st;

	if (lstat(target, &st) == 0) {
		err_set(err, ERR_CONFLICT, "'%s' exists already", target);
		return err_hint(err,
				"name a new folder, or let `smpipe init --adopt` add smpipe.yaml to what is there");
	}
	for (char *slash = target + strlen(dir) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (lstat(target, &st) == 0 && !S_ISDIR(st.st_mode))
			return err_set(err, ERR_CONFLICT, "'%s' exists already, and is no folder", target);
		*slash = '/';
	}
	return 0;
}

int template_check(const char *template_name, const char *dir, struct err *err)
{
	bool is_known = false;

	for (const struct template_file *f = template_files; f->path; f++) {
		const char *path = path_below(f, template_name);

		if (!path)
			continue;
		is_known = true;
		if (check_absent(dir, path, err) < 0)
			return -1;
	}
	return is_known ? 0 : refuse_unknown(template_name, err);
}

/* Text has the name put in; what holds a NUL byte is no text. */
static void fill_in(const struct template_file *f, const char *name, struct str *out)
{
	const char *p = (const char *)f->bytes, *end = p + f->n;
	const char *hit;

	if (memchr(p, '\0', f->n)) {
		str_add_mem(out, p, f->n);
		return;
	}
	while ((hit = memmem(p, (size_t)(end - p), PLACEHOLDER, strlen(PLACEHOLDER)))) {
		str_add_mem(out, p, (size_t)(hit - p));
		str_add(out, name);
		p = hit + strlen(PLACEHOLDER);
	}
	str_add_mem(out, p, (size_t)(end - p));
}

static int write_file(const struct template_file *f, const char *path, const char *dir, const char *name,
		      struct err *err)
{
	auto_free char *target = fs_join(dir, path);
	auto_free char *folder = fs_dirname(target);
	auto_str text = { 0 };

	fill_in(f, name, &text);
	if (fs_mkdir_p(folder, 0755, err) < 0)
		return -1;
	return fs_write_atomic(target, str_text(&text), text.len, f->mode, err);
}

int template_write(const char *template_name, const char *dir, const char *name, struct strlist *written,
		   struct err *err)
{
	if (template_check(template_name, dir, err) < 0)
		return -1;
	for (const struct template_file *f = template_files; f->path; f++) {
		const char *path = path_below(f, template_name);

		if (!path)
			continue;
		if (write_file(f, path, dir, name, err) < 0)
			return -1;
		strlist_add(written, path);
	}
	return 0;
}
