#include "local/faults.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/lock.h"

#define TEXT_MAX_BYTES ((size_t)64 << 10)

struct rule {
	char *text, *operation;
	int64_t first, last; /* of the requests that it strikes */
	int64_t percent;     /* -1: by number */
	struct fault fault;
	int64_t seen, struck;
};

struct faults {
	pthread_mutex_t lock;
	int64_t seed;
	struct rule *v;
	size_t n, cap;
};

static const struct {
	const char *name;
	enum fault_kind kind;
	int64_t number;
} kinds[] = {
	{ "reset-before", FAULT_RESET_BEFORE, 0 },
	{ "reset-body", FAULT_RESET_BODY, 0 },
	{ "reset-after", FAULT_RESET_AFTER, 0 },
	{ "reset-answer", FAULT_RESET_ANSWER, 0 },
	{ "stall", FAULT_STALL, 600 * 1000 },
	{ "trickle", FAULT_TRICKLE, 1000 },
	{ "500", FAULT_500, 0 },
	{ "503", FAULT_503, 0 },
	{ "expired-token", FAULT_EXPIRED_TOKEN, 0 },
	{ "error-200", FAULT_ERROR_200, 0 },
	{ "wrong-etag", FAULT_WRONG_ETAG, 0 },
	{ "wrong-checksum", FAULT_WRONG_CHECKSUM, 0 },
	{ "truncate", FAULT_TRUNCATE, 0 },
	{ "skew", FAULT_SKEW, 7200 },
};

void faults_free(struct faults *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].text);
		free(f->v[i].operation);
	}
	free(f->v);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static bool parse_fault(const char *text, struct fault *ret)
{
	size_t n = strcspn(text, "=");

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strlen(kinds[i].name) != n || strncmp(kinds[i].name, text, n))
			continue;
		*ret = (struct fault){ kinds[i].kind, kinds[i].number };
		return !text[n] ||
		       (kinds[i].number && str_parse_i64(text + n + 1, -86400, 24 * 3600 * 1000, &ret->number));
	}
	return false;
}

/* "3", "3+", "2-4", "5%", "0" */
static bool parse_when(const char *text, struct rule *r)
{
	size_t n = strlen(text);
	auto_free char *head = n ? xstrndup(text, n - 1) : NULL;
	auto_strlist ends = { 0 };

	if (n == 0)
		return false;
	r->percent = -1;
	if (text[n - 1] == '%')
		return str_parse_i64(head, 0, 100, &r->percent);
	r->last = INT64_MAX;
	if (text[n - 1] == '+')
		return str_parse_i64(head, 1, INT32_MAX, &r->first);
	str_split(&ends, text, '-');
	if (!str_parse_i64(ends.v[0], 0, INT32_MAX, &r->first))
		return false;
	r->last = r->first;
	return ends.n == 1 || (ends.n == 2 && str_parse_i64(ends.v[1], r->first, INT32_MAX, &r->last));
}

static int refuse(struct err *err, const char *item)
{
	auto_free char *shown = str_printable(item);

	return err_set(err, ERR_USAGE, FAULTS_VARIABLE ": '%s' is no OPERATION:WHEN:FAULT", shown);
}

static int add_rule(struct faults *f, const char *item, struct err *err)
{
	auto_strlist fields = { 0 };
	struct rule r = { 0 };

	str_split(&fields, item, ':');
	if (fields.n != 3 || !*fields.v[0] || !parse_when(fields.v[1], &r) || !parse_fault(fields.v[2], &r.fault))
		return refuse(err, item);
	r.text = xstrdup(item);
	r.operation = xstrdup(fields.v[0]);
	array_grow(f->v, f->n, f->cap);
	f->v[f->n++] = r;
	return 0;
}

static int parse_item(struct faults *f, const char *item, struct err *err)
{
	if (!*item)
		return 0;
	if (!str_starts(item, "seed="))
		return add_rule(f, item, err);
	return str_parse_i64(item + strlen("seed="), 0, INT64_MAX, &f->seed) ? 0 : refuse(err, item);
}

int faults_parse(const char *text, struct faults **ret, struct err *err)
{
	auto_strlist items = { 0 };
	struct faults *f;

	if (strlen(text) > TEXT_MAX_BYTES)
		return err_set(err, ERR_USAGE, FAULTS_VARIABLE ": longer than %zu bytes", TEXT_MAX_BYTES);
	f = xcalloc(1, sizeof(*f));
	pthread_mutex_init(&f->lock, NULL);
	str_split(&items, text, ';');
	for (size_t i = 0; i < items.n; i++) {
		auto_free char *item = str_trim(items.v[i]);

		if (parse_item(f, item, err) < 0) {
			faults_free(f);
			return -1;
		}
	}
	*ret = f;
	return 0;
}

/* The same rule, count and seed strike or not alike in every run, in whatever order threads come. */
static bool is_drawn(const struct faults *f, const struct rule *r)
{
	auto_free char *lot = xasprintf("%lld %lld %s", (long long)f->seed, (long long)r->seen, r->text);
	struct digest d = digest_of_text(lot);

	return (d.b[0] << 8 | d.b[1]) * 100 < r->percent << 16;
}

static bool strikes(const struct faults *f, const struct rule *r)
{
	return r->percent >= 0 ? is_drawn(f, r) : r->seen >= r->first && r->seen <= r->last;
}

struct fault faults_pick(struct faults *f, const char *operation)
{
	struct fault picked = { FAULT_NONE, 0 };
	auto_unlock pthread_mutex_t *held = NULL;

	if (!f || !operation)
		return picked;
	held = lock_take(&f->lock);
	for (size_t i = 0; i < f->n; i++) {
		struct rule *r = &f->v[i];

		if (strcmp(r->operation, "*") && strcmp(r->operation, operation))
			continue;
		r->seen++;
		if (picked.kind || !strikes(f, r))
			continue;
		r->struck++;
		picked = r->fault;
	}
	return picked;
}

json_t *faults_counts(struct faults *f)
{
	auto_unlock pthread_mutex_t *held = lock_take(&f->lock);
	json_t *counts = json_array();

	for (size_t i = 0; i < f->n; i++) {
		json_t *rule = json_object();

		json_put_str(rule, "rule", f->v[i].text);
		json_put_int(rule, "seen", f->v[i].seen);
		json_put_int(rule, "struck", f->v[i].struck);
		json_array_append_new(counts, rule);
	}
	return counts;
}
