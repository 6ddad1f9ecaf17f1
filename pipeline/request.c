#include "pipeline/request.h"

#include <string.h>

#include "aws/sagemaker_limits.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/members.h"
#include "pipeline/raw.h"
#include "pipeline/tuning_members.h"

/* What the service expects, for who wonders what to write instead. */
static int suggest(const char *key, struct err *err)
{
	auto_free char *path = xstrdup(key);
	const struct schema_key *row;
	const char *last;

	/* Items of lists have rows of their own; names that people chose have none. */
	for (char *p = path; (p = strchr(p, '[')) && p[1] != ']';) {
		char *end = strchr(p, ']');

		if (!end)
			return -1;
		memmove(p + 1, end, strlen(end) + 1);
		p += 2;
	}
	row = schema_row(path);
	last = strrchr(path, '.');
	if (!row || !row->example || str_ends(path, "[]"))
		return row && row->example ? err_hint(err, "for example: %s", row->example) : -1;
	return err_hint(err, "for example: %s: %s", last ? last + 1 : path, row->example);
}

static char *key_of(const struct config *c, enum job_kind kind, const json_t *request, const char *member)
{
	if (raw_says(c, kind, member))
		return xasprintf("%s.%s", job_form(kind)->raw, member);
	return kind == JOB_TUNING ? tuning_members_key_of(c, request, member) : members_key_of(c, request, member);
}

static char *translate(enum job_kind kind, const char *words, const char *member)
{
	return kind == JOB_TUNING ? tuning_members_translate(words, member) : members_translate(words, member);
}

/* A complaint about the request becomes one about smpipe.yaml. */
static int complain(const struct config *c, enum job_kind kind, const json_t *request, const char *member,
		    struct err *err)
{
	auto_free char *words = xstrdup(err->msg + strlen(member) + strlen(": "));
	auto_free char *key = key_of(c, kind, request, member);
	auto_free char *translated = translate(kind, words, member);
	auto_free char *hint = err->hint ? translate(kind, err->hint, member) : NULL;

	if (raw_says(c, kind, member))
		config_error(c, err, key, "%s: %s", key, words);
	else
		config_error(c, err, key, "%s: %s", key, translated);
	if (hint)
		return err_hint(err, "%s", hint);
	return strstr(words, "does not match") || strstr(words, "are needed") ? suggest(key, err) : -1;
}

static int check_limits(enum job_kind kind, const json_t *request, char **ret_member, struct err *err)
{
	return kind == JOB_TUNING ? sagemaker_check_tuning_job_at(request, ret_member, err)
				  : sagemaker_check_training_job_at(request, ret_member, err);
}

int request_check(const struct config *c, enum job_kind kind, const json_t *request, struct strlist *warnings,
		  struct err *err)
{
	auto_strlist newer = { 0 };
	auto_json *known = raw_without_newer(c, kind, request, &newer);
	auto_free char *member = NULL;

	for (size_t i = 0; i < newer.n; i++) {
		auto_free char *path = xasprintf("%s.%s", job_form(kind)->raw, newer.v[i]);

		strlist_take(warnings,
			     config_warning(c, path, "%s is newer than this program: it is sent as it is", path));
	}
	if (check_limits(kind, known, &member, err) == 0)
		return 0;
	return complain(c, kind, known, member, err);
}

int request_check_again(const struct config *c, enum job_kind kind, const json_t *request, struct err *err)
{
	auto_strlist newer = { 0 };
	auto_json *known = raw_without_newer(c, kind, request, &newer);
	auto_free char *member = NULL;

	return check_limits(kind, known, &member, err);
}
