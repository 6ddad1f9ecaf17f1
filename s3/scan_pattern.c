#include "s3/scan_pattern.h"

#include <string.h>

#include "base/fs.h"
#include "base/glob.h"
#include "base/mem.h"
#include "s3/scan.h"

static int parse(const char *text, struct scan_pattern *ret, struct err *err)
{
	auto_free char *shown = str_escaped(text);
	auto_free char *glob = NULL;
	bool is_anchored = *text == '/';
	size_t n;

	if (*text == '!') {
		err_set(err, ERR_CONFIG, "the pattern '%s' begins with '!'", shown);
		return err_hint(err, "`include` and `exclude` say both sides");
	}
	text += is_anchored ? 1 : str_starts(text, "./") ? 2 : 0;
	n = strlen(text);
	if (n > GLOB_MAX_BYTES)
		return err_set(err, ERR_CONFIG, "a pattern is longer than %d bytes", GLOB_MAX_BYTES);
	ret->is_folder_only = n && text[n - 1] == '/';
	glob = xstrndup(text, n - ret->is_folder_only);
	if (!*glob || !glob_is_pattern(glob))
		return err_set(err, ERR_CONFIG, "'%s' is no valid pattern", shown);
	ret->is_at_any_depth = !is_anchored && !strchr(glob, '/');
	ret->glob = take(glob);
	return 0;
}

int scan_check_pattern(const char *pattern, struct err *err)
{
	struct scan_pattern p = { 0 };
	int rc = parse(pattern, &p, err);

	free(p.glob);
	return rc;
}

int scan_patterns_parse(const struct strlist *texts, struct scan_patterns *ret, struct err *err)
{
	if (texts->n > SCAN_MAX_PATTERNS)
		return err_set(err, ERR_CONFIG, "there are more than %d patterns", SCAN_MAX_PATTERNS);
	for (size_t i = 0; i < texts->n; i++) {
		struct scan_pattern p = { 0 };

		if (parse(texts->v[i], &p, err) < 0)
			return -1;
		array_grow(ret->v, ret->n, ret->cap);
		ret->v[ret->n++] = p;
	}
	return 0;
}

bool scan_patterns_match(const struct scan_patterns *l, const char *path, bool is_folder)
{
	const char *name = fs_basename(path);

	for (size_t i = 0; i < l->n; i++) {
		const struct scan_pattern *p = &l->v[i];

		if ((is_folder || !p->is_folder_only) && glob_match(p->glob, p->is_at_any_depth ? name : path))
			return true;
	}
	return false;
}

void scan_patterns_release(struct scan_patterns *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].glob);
	free(l->v);
	*l = (struct scan_patterns){ 0 };
}
