#include "local/sagemaker_list.h"

#include <string.h>

#include "base/json.h"

#define PAGE_MAX     100
#define PAGE_DEFAULT 10

struct listing {
	const struct sagemaker_job_kind *kind;
	const char *contains, *status, *sort_by;
	bool is_descending, is_by_objective;
	const json_t *in;
	int64_t first, limit;
};

static int read_listing(const json_t *in, const struct sagemaker_job_kind *kind, const char *default_sort,
			struct listing *ret, struct err *err)
{
	const char *token = json_str(in, "NextToken"), *sort_by = json_str(in, "SortBy");
	const json_t *limit = json_object_get(in, "MaxResults");

	*ret = (struct listing){ .kind = kind,
				 .contains = json_str(in, "NameContains"),
				 .status = json_str(in, "StatusEquals"),
				 .sort_by = sort_by ? sort_by : default_sort,
				 .is_descending = str_eq(json_str(in, "SortOrder"), "Descending"),
				 .is_by_objective = str_eq(sort_by, "FinalObjectiveMetricValue"),
				 .in = in,
				 .limit = limit ? json_integer_value(limit) : PAGE_DEFAULT };
	if (ret->limit < 1 || ret->limit > PAGE_MAX)
		return err_set(err, ERR_INVALID, "Value at 'maxResults' failed to satisfy constraint: 1 to %d",
			       PAGE_MAX);
	if (token && !str_parse_i64(token, 0, INT32_MAX, &ret->first))
		return err_set(err, ERR_INVALID, "The NextToken is not valid");
	return 0;
}

static const json_t *objective(const json_t *summary)
{
	return json_at(summary, "FinalHyperParameterTuningJobObjectiveMetric", "Value", NULL);
}

/* Whether a time of the summary lies between two of the request. */
static bool is_between(const struct listing *l, const json_t *summary, const char *member, const char *after,
		       const char *before)
{
	const json_t *from = json_object_get(l->in, after), *to = json_object_get(l->in, before);
	double time = json_number_value(json_object_get(summary, member));

	return (!from || time > json_number_value(from)) && (!to || time < json_number_value(to));
}

static bool is_wanted(const struct listing *l, const json_t *summary)
{
	if (l->contains && !strstr(json_str(summary, l->kind->name), l->contains))
		return false;
	if (l->status && !str_eq(json_str(summary, l->kind->status), l->status))
		return false;
	return (!l->is_by_objective || objective(summary)) &&
	       is_between(l, summary, "CreationTime", "CreationTimeAfter", "CreationTimeBefore") &&
	       is_between(l, summary, "LastModifiedTime", "LastModifiedTimeAfter", "LastModifiedTimeBefore");
}

static int compare_numbers(const json_t *a, const json_t *b)
{
	double x = json_number_value(a), y = json_number_value(b);

	return (x > y) - (x < y);
}

static int compare_summaries(const void *a, const void *b, void *ctx)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	const struct listing *l = ctx;
	const char *member = str_eq(l->sort_by, "Name")     ? l->kind->name
			     : str_eq(l->sort_by, "Status") ? l->kind->status
							    : NULL;
	int order;

	if (member)
		order = strcmp(json_str(x, member), json_str(y, member));
	else if (l->is_by_objective)
		order = compare_numbers(objective(x), objective(y));
	else
		order = compare_numbers(json_object_get(x, "CreationTime"), json_object_get(y, "CreationTime"));
	/* One order for those that are equal, or a page would repeat what another had. */
	if (order == 0)
		order = strcmp(json_str(x, l->kind->name), json_str(y, l->kind->name));
	return l->is_descending ? -order : order;
}

/* The page of the wanted summaries, borrowed from all; *ret_n of them there are. */
static json_t *make_page(struct listing *l, const json_t *all, size_t *ret_n)
{
	auto_free json_t **list = xcalloc(json_array_size(all) + 1, sizeof(json_t *));
	json_t *page = json_array(), *summary;
	size_t i, n = 0;

	json_array_foreach((json_t *)all, i, summary) {
		if (is_wanted(l, summary))
			list[n++] = summary;
	}
	qsort_r(list, n, sizeof(*list), compare_summaries, l);
	for (i = (size_t)l->first; i < n && i < (size_t)(l->first + l->limit); i++)
		json_array_append(page, list[i]);
	*ret_n = n;
	return page;
}

void listing_respond(const json_t *in, json_t *all, const struct sagemaker_job_kind *kind, const char *sort_by,
		     struct local_response *resp)
{
	auto_json *summaries = all;
	json_t *answer;
	struct listing l;
	auto_err err = { 0 };
	size_t n;

	if (read_listing(in, kind, sort_by, &l, &err) < 0) {
		local_respond_json_error(resp, 400, "ValidationException", "1 validation error detected: %s", err.msg);
		return;
	}
	answer = json_pack("{s:o}", kind->summaries, make_page(&l, summaries, &n));
	if (l.first + l.limit < (int64_t)n) {
		auto_free char *token = xasprintf("%lld", (long long)(l.first + l.limit));

		json_put_str(answer, "NextToken", token);
	}
	local_respond_json(resp, 200, answer);
}
