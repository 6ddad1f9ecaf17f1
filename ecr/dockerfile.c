#include "ecr/dockerfile.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "ecr/dockerfile_expand.h"
#include "ecr/dockerfile_lines.h"

/* Values may be made of each other: neither their number nor (dockerfile_expand) their length goes without a limit. */
#define ARGS_MAX 1000

struct parser {
	struct dockerfile_lines lines;
	const json_t *build_args;
	json_t *args;          /* ARGs before the first FROM: those that FROM can use */
	struct strlist stages; /* names in lower case; an unnamed stage has its number */
	struct dockerfile d;
	int line;
};

static void parser_release(struct parser *p)
{
	json_decref(p->args);
	strlist_release(&p->stages);
	dockerfile_release(&p->d);
}

static void add_base(struct parser *p, const char *image)
{
	auto_free char *name = str_lower(image);

	if (!*image || str_eq(name, "scratch") || strlist_has(&p->stages, name) || strlist_has(&p->d.bases, image))
		return;
	strlist_add(&p->d.bases, image);
}

/* FROM [--platform=…] image [AS name] */
static int take_from(struct parser *p, const char *arguments, struct err *err)
{
	auto_strlist words = { 0 };
	auto_free char *image = NULL;
	size_t i = 0;

	dockerfile_words(&words, arguments);
	while (i < words.n && str_starts(words.v[i], "--"))
		i++;
	if (i == words.n)
		return err_set(err, ERR_CONFIG, "FROM names no image");
	image = dockerfile_expand(words.v[i], p->lines.escape, p->args, err);
	if (!image)
		return -1;
	add_base(p, image);
	if (i + 2 < words.n && !strcasecmp(words.v[i + 1], "as"))
		strlist_take(&p->stages, str_lower(words.v[i + 2]));
	else
		strlist_take(&p->stages, xasprintf("%zu", p->stages.n));
	return 0;
}

/* The end of the word at s, white space inside of quotes left alone. */
static const char *word_end(const char *s, char escape)
{
	char quote = '\0';

	for (; *s; s++) {
		if (*s == escape && quote != '\'' && s[1])
			s++;
		else if (*s == quote)
			quote = '\0';
		else if (!quote && (*s == '"' || *s == '\''))
			quote = *s;
		else if (!quote && (*s == ' ' || *s == '\t'))
			break;
	}
	return s;
}

/* NAME or NAME=default; a build arg goes before the default. */
static int take_arg(struct parser *p, const char *word, struct err *err)
{
	size_t n = strcspn(word, "=");
	auto_free char *name = xstrndup(word, n), *value = NULL;
	const char *given = json_str(p->build_args, name);

	if (json_object_size(p->args) == ARGS_MAX)
		return err_set(err, ERR_CONFIG, "there are more than %d ARGs before FROM", ARGS_MAX);
	if (given) {
		json_put_str(p->args, name, given);
		return 0;
	}
	if (!word[n])
		return 0;
	value = dockerfile_expand(word + n + 1, p->lines.escape, p->args, err);
	if (!value)
		return -1;
	json_put_str(p->args, name, value);
	return 0;
}

static int take_args(struct parser *p, const char *s, struct err *err)
{
	while (*(s += strspn(s, " \t"))) {
		const char *end = word_end(s, p->lines.escape);
		auto_free char *word = xstrndup(s, (size_t)(end - s));

		if (take_arg(p, word, err) < 0)
			return -1;
		s = end;
	}
	return 0;
}

/* ["a", "b"] is taken only when it is JSON, as the engine does; else it is words like any other. */
static void split_operands(struct strlist *operands, const char *s)
{
	auto_json *list = *s == '[' ? json_loads(s, JSON_REJECT_DUPLICATES, NULL) : NULL;
	bool is_list = json_is_array(list);

	for (size_t i = 0; is_list && i < json_array_size(list); i++)
		is_list = json_is_string(json_array_get(list, i));
	if (!is_list) {
		dockerfile_words(operands, s);
		return;
	}
	for (size_t i = 0; i < json_array_size(list); i++)
		strlist_add(operands, json_string_value(json_array_get(list, i)));
}

/* Whether it is a name in the context as it stands. */
static bool is_literal_source(const char *s)
{
	return *s && !strpbrk(s, "$\"'\\`") && !strstr(s, "://") && !str_starts(s, "<<") && !str_starts(s, "git@");
}

static void add_copy(struct parser *p, const char *command, const char *source)
{
	struct dockerfile *d = &p->d;

	array_grow(d->copies, d->n_copies, d->cap_copies);
	d->copies[d->n_copies++] = (struct dockerfile_copy){ p->line, xstrdup(source), xstrdup(command) };
}

/* COPY [--flag…] source… destination */
static int take_copy(struct parser *p, const char *command, const char *s, struct err *err)
{
	auto_strlist operands = { 0 };

	for (; str_starts(s, "--"); s += strspn(s, " \t")) {
		size_t n = strcspn(s, " \t");

		if (str_starts(s, "--from=")) {
			auto_free char *from = xstrndup(s + strlen("--from="), n - strlen("--from="));

			/* A number is a stage's, also that of a named one. */
			if (from[strspn(from, "0123456789")] && !strchr(from, '$'))
				add_base(p, from);
			return 0;
		}
		s += n;
	}
	split_operands(&operands, s);
	if (operands.n < 2)
		return err_set(err, ERR_CONFIG, "%s needs a source and a destination", command);
	for (size_t i = 0; i + 1 < operands.n; i++) {
		if (is_literal_source(operands.v[i]))
			add_copy(p, command, operands.v[i]);
	}
	return 0;
}

static int take_instruction(struct parser *p, const char *instruction, struct err *err)
{
	size_t n = strcspn(instruction, " \t");
	auto_free char *command = xstrndup(instruction, n);
	const char *arguments = instruction + n + strspn(instruction + n, " \t");

	if (!strcasecmp(command, "FROM"))
		return take_from(p, arguments, err);
	if (!strcasecmp(command, "ARG"))
		return p->stages.n ? 0 : take_args(p, arguments, err);
	if (!strcasecmp(command, "RUN"))
		dockerfile_lines_skip_heredocs(&p->lines, arguments);
	if (!strcasecmp(command, "COPY") || !strcasecmp(command, "ADD")) {
		dockerfile_lines_skip_heredocs(&p->lines, arguments);
		return take_copy(p, strcasecmp(command, "ADD") ? "COPY" : "ADD", arguments, err);
	}
	return 0;
}

int dockerfile_parse(const char *text, const char *name, const struct json_t *build_args, struct dockerfile *ret,
		     struct err *err)
{
	__attribute__((cleanup(parser_release))) struct parser p = { .build_args = build_args, .args = json_object() };
	auto_str instruction = { 0 };

	dockerfile_lines_init(&p.lines, text);
	while (dockerfile_lines_next(&p.lines, &instruction, &p.line)) {
		if (take_instruction(&p, str_text(&instruction), err) < 0)
			return err_wrap(err, "%s:%d", name, p.line);
	}
	if (!p.stages.n)
		return err_set(err, ERR_CONFIG, "%s: there is no FROM", name);
	*ret = p.d;
	p.d = (struct dockerfile){ 0 };
	return 0;
}

void dockerfile_release(struct dockerfile *d)
{
	strlist_release(&d->bases);
	for (size_t i = 0; i < d->n_copies; i++) {
		free(d->copies[i].source);
		free(d->copies[i].command);
	}
	free(d->copies);
	*d = (struct dockerfile){ 0 };
}
