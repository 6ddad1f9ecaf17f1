#include "cmd/leaderboard_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/table.h"

#define MAX_CELL    20 /* characters of a tuned value */
#define MAX_NUMBER  10 /* characters of a fraction that is shown as it is */
#define MAX_TUNED   8  /* columns of them */
#define AXIS        41 /* cells of a range */
#define MAX_CHOICES 12 /* values of a category that are shown */

/* The names of the tuned hyperparameters, each once: definitions may tune the same ones. Returns how many have no
 * column. */
static size_t collect_names(const struct leaderboard *b, struct strlist *names)
{
	auto_strlist others = { 0 };

	for (size_t i = 0; i < b->n_ranges; i++) {
		const char *name = b->ranges[i].name;

		if (!strlist_has(names, name) && !strlist_has(&others, name))
			strlist_add(names->n < MAX_TUNED ? names : &others, name);
	}
	return others.n;
}

static void add_head(const struct leaderboard *b, struct str *out)
{
	const struct leaderboard_objective *o = leaderboard_objective(b, NULL);
	auto_free char *job = str_printable(b->job);
	auto_free char *status = str_printable(b->status);
	auto_free char *strategy = str_printable(b->strategy ? b->strategy : "?");
	auto_free char *metric = str_printable(b->is_mixed || !o->metric ? "its objectives" : o->metric);

	str_addf(out, "%s  %s  %s search %s %s\n", job, status, strategy,
		 b->is_mixed       ? "for"
		 : o->is_minimized ? "minimizes"
				   : "maximizes",
		 metric);
	if (b->reason) {
		auto_free char *reason = str_printable(b->reason);

		str_addf(out, "%s\n", reason);
	}
	str_addf(out, "%zu", b->n_ended);
	if (b->max_jobs)
		str_addf(out, " of %lld", (long long)b->max_jobs);
	str_addf(out, " training jobs ended, %zu running\n", b->n_running);
}

static void add_heading(const struct leaderboard *b, const struct strlist *names, struct table *t)
{
	table_add(t, "rank");
	table_add(t, "job");
	if (b->n_objectives > 1)
		table_add(t, "definition");
	table_add(t, "status");
	table_add(t, "objective");
	for (size_t i = 0; i < names->n; i++)
		table_add(t, names->v[i]);
	table_add(t, "time");
	table_end_row(t);
}

/*
 * A value for its column: of a long fraction six digits. The first characters of it would lose the exponent, and all of
 * them stand where they are to be taken over from. New string, or NULL for NULL.
 */
static char *shown_value(const char *value)
{
	char *end;
	double x;

	if (!value || strlen(value) <= MAX_NUMBER || !strpbrk(value, ".eE"))
		return xstrdup_or_null(value);
	x = strtod(value, &end);
	return *end ? xstrdup(value) : xasprintf("%.6g", x);
}

static void add_child(const struct leaderboard *b, const struct strlist *names, const struct leaderboard_child *c,
		      int64_t now_ms, struct table *t)
{
	int64_t took_ms = leaderboard_took_ms(c, now_ms);
	auto_free char *time = took_ms >= 0 ? str_duration_ms(took_ms) : NULL;
	auto_free char *rank = c->rank ? xasprintf("%s%zu", c == b->best ? "* " : "  ", c->rank) : NULL;
	auto_free char *objective = c->has_objective ? xasprintf("%.6g", c->objective) : NULL;

	table_add(t, rank);
	table_add(t, leaderboard_short_name(b, c));
	if (b->n_objectives > 1)
		table_add(t, c->definition);
	table_add(t, c->status);
	table_add(t, objective);
	for (size_t i = 0; i < names->n; i++) {
		auto_free char *value = shown_value(json_string_value(json_object_get(c->tuned, names->v[i])));

		table_add(t, value);
	}
	table_add(t, time);
	table_end_row(t);
}

static void add_children(const struct leaderboard *b, const struct strlist *names, const struct leaderboard_view *view,
			 struct str *out)
{
	auto_table t = { .max_width = MAX_CELL };
	size_t n = b->n_children < view->max_children ? b->n_children : view->max_children;

	add_heading(b, names, &t);
	for (size_t i = 0; i < n; i++)
		add_child(b, names, &b->children[i], view->now_ms, &t);
	table_draw(&t, out);
	if (n < b->n_children)
		str_addf(out, "… and %zu more\n", b->n_children - n);
}

/* "..o...3.*..": where the tried values lie. */
static void draw_axis(const struct leaderboard *b, const struct leaderboard_range *r, char cells[AXIS + 1])
{
	size_t count[AXIS] = { 0 };
	double at;

	for (size_t i = 0; i < b->n_children; i++) {
		at = leaderboard_position(r, leaderboard_value(r, &b->children[i]));
		if (at >= 0)
			count[(size_t)(at * (AXIS - 1) + 0.5)]++;
	}
	for (size_t i = 0; i < AXIS; i++)
		cells[i] = !count[i] ? '.' : count[i] == 1 ? 'o' : count[i] < 10 ? (char)('0' + count[i]) : '#';
	at = b->best ? leaderboard_position(r, leaderboard_value(r, b->best)) : -1;
	if (at >= 0)
		cells[(size_t)(at * (AXIS - 1) + 0.5)] = '*';
	cells[AXIS] = '\0';
}

static void add_axis(const struct leaderboard *b, const struct leaderboard_range *r, struct table *t)
{
	char cells[AXIS + 1];

	draw_axis(b, r, cells);
	table_add(t, r->min);
	table_addf(t, "|%s| %s%s", cells, r->max,
		   r->scale == SCALE_LOG           ? "  (log)"
		   : r->scale == SCALE_REVERSE_LOG ? "  (reverse log)"
						   : "");
}

static void add_choices(const struct leaderboard *b, const struct leaderboard_range *r, struct table *t)
{
	const char *best = b->best ? leaderboard_value(r, b->best) : NULL;
	auto_str text = { 0 };

	for (size_t i = 0; i < r->values.n && i < MAX_CHOICES; i++) {
		const char *value = r->values.v[i];
		struct leaderboard_use use = leaderboard_use(b, r, value);

		str_addf(&text, "%s%.*s: %zu", i ? "   " : "", (int)text_bytes(value, MAX_CELL), value, use.n);
		if (use.has_objective)
			str_addf(&text, " (best %.6g%s)", use.objective, str_eq(value, best) ? " *" : "");
	}
	if (r->values.n > MAX_CHOICES)
		str_addf(&text, "   … and %zu more", r->values.n - MAX_CHOICES);
	table_add(t, NULL);
	table_add(t, str_text(&text));
}

static void add_ranges(const struct leaderboard *b, struct str *out)
{
	auto_table t = { .max_width = 1000 };

	for (size_t i = 0; i < b->n_ranges; i++) {
		const struct leaderboard_range *r = &b->ranges[i];

		if (b->n_objectives > 1)
			table_add(&t, r->definition);
		table_add(&t, r->name);
		(r->is_categorical ? add_choices : add_axis)(b, r, &t);
		table_end_row(&t);
	}
	table_draw(&t, out);
}

char *leaderboard_view(const struct leaderboard *b, const struct leaderboard_view *view)
{
	auto_strlist names = { 0 };
	auto_str out = { 0 };
	size_t n_others = collect_names(b, &names);

	add_head(b, &out);
	if (b->n_children)
		add_children(b, &names, view, &out);
	if (b->n_children && n_others)
		str_addf(&out, "… and %zu more hyperparameter%s of each, which --json shows\n", n_others,
			 n_others == 1 ? "" : "s");
	if (b->n_ranges)
		add_ranges(b, &out);
	return str_detach(&out);
}
