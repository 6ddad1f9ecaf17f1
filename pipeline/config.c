#include "pipeline/config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "pipeline/config_yaml.h"
#include "pipeline/schema.h"

void config_add_position(struct config *c, const char *path, int line, int column)
{
	array_grow(c->positions, c->n_positions, c->cap_positions);
	c->positions[c->n_positions++] = (struct config_position){ xstrdup(path), line, column };
}

static int set_error_at(const struct config *c, struct err *err, int line, int column, const char *words)
{
	auto_free char *source = NULL;
	auto_free char *trimmed = NULL;

	if (line < 1 || (size_t)line > c->lines.n)
		return err_set(err, ERR_CONFIG, "%s: %s", c->file, words);
	trimmed = xstrndup(c->lines.v[line - 1], strcspn(c->lines.v[line - 1], "\r"));
	source = str_printable(trimmed);
	if (strlen(source) > 200)
		return err_set(err, ERR_CONFIG, "%s:%d:%d: %s", c->file, line, column, words);
	return err_set(err, ERR_CONFIG, "%s:%d:%d: %s\n%5d | %s\n      | %*s^", c->file, line, column, words, line,
		       source, column > 1 ? column - 1 : 0, "");
}

int config_error_at(const struct config *c, struct err *err, int line, int column, const char *fmt, ...)
{
	auto_free char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	return set_error_at(c, err, line, column, words);
}

static const struct config_position *position_of(const struct config *c, const char *path)
{
	for (size_t i = 0; i < c->n_positions; i++) {
		if (!strcmp(c->positions[i].path, path))
			return &c->positions[i];
	}
	return NULL;
}

/* At this very path: in the chosen environment first, then in the file's own keys. */
static const struct config_position *position_at(const struct config *c, const char *path)
{
	auto_free char *in_environment = c->environment ? xasprintf("environments.%s.%s", c->environment, path) : NULL;
	const struct config_position *position = in_environment ? position_of(c, in_environment) : NULL;

	return position ? position : position_of(c, path);
}

/* Where a value came from: the definition that this is, then the rest of the file; then the same of its parents. */
static const struct config_position *find_position(const struct config *c, const char *path)
{
	auto_free char *p = xstrdup(path);

	for (;;) {
		auto_free char *defined = c->definition ? config_definition_path(c, p) : NULL;
		const struct config_position *position = defined ? position_at(c, defined) : NULL;
		size_t end = 0;

		if (!position)
			position = position_at(c, p);
		if (position)
			return position;
		for (size_t i = 0; p[i]; i++)
			end = p[i] == '.' || p[i] == '[' ? i : end;
		if (!end)
			return NULL;
		p[end] = '\0';
	}
}

/* The name of the hyperparameter at path when -p has set it: then no line of the file is to blame. */
static const char *set_by_option(const struct config *c, const char *path)
{
	static const char parent[] = "estimator.hyperparameters.";
	const char *name = str_starts(path, parent) ? path + strlen(parent) : NULL;

	return name && strlist_has(&c->set, name) ? name : NULL;
}

static int error_at_path(const struct config *c, struct err *err, const char *path, size_t offset, const char *words)
{
	const struct config_position *position = find_position(c, path);

	if (set_by_option(c, path))
		return err_set(err, ERR_CONFIG, "-p %s: %s", set_by_option(c, path), words);
	return set_error_at(c, err, position ? position->line : 0, position ? position->column + (int)offset : 0,
			    words);
}

int config_error(const struct config *c, struct err *err, const char *path, const char *fmt, ...)
{
	auto_free char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	return error_at_path(c, err, path, 0, words);
}

int config_error_inside(const struct config *c, struct err *err, const char *path, size_t offset, const char *fmt, ...)
{
	const struct config_position *position = find_position(c, path);
	const char *line = position && (size_t)position->line <= c->lines.n ? c->lines.v[position->line - 1] : "";
	size_t column = position ? (size_t)position->column : 0;
	auto_free char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	/* The mark of a quoted value stands at its quote. */
	if (column && column <= strlen(line) && (line[column - 1] == '"' || line[column - 1] == '\''))
		offset++;
	return error_at_path(c, err, path, offset, words);
}

/* "file:line:column", or the file alone. */
static char *place_of(const struct config *c, const char *path)
{
	const struct config_position *position = find_position(c, path);

	if (set_by_option(c, path))
		return xasprintf("-p %s", set_by_option(c, path));
	return position ? xasprintf("%s:%d:%d", c->file, position->line, position->column) : xstrdup(c->file);
}

int config_error_unquoted(const struct config *c, struct err *err, const char *path, const char *fmt, ...)
{
	auto_free char *place = place_of(c, path);
	auto_free char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	return err_set(err, ERR_CONFIG, "%s: %s", place, words);
}

char *config_warning(const struct config *c, const char *path, const char *fmt, ...)
{
	auto_free char *place = place_of(c, path);
	auto_free char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	return xasprintf("%s: %s", place, words);
}

/* Lay the members of over on base, mapping by mapping. An input or a hyperparameter is replaced whole. */
static void lay_over(json_t *base, const json_t *over, int depth)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)over, key, value) {
		json_t *old = json_object_get(base, key);

		if (depth < 2 && json_is_object(old) && json_is_object(value))
			lay_over(old, value, strcmp(key, "inputs") ? depth + 1 : 2);
		else
			json_object_set_new(base, key, json_deep_copy(value));
	}
}

void config_lay_over(json_t *section, const json_t *over)
{
	lay_over(section, over, 1);
}

static int choose_environment(struct config *c, const char *environment, struct err *err)
{
	json_t *environments = json_object_get(c->values, "environments");
	json_t *chosen = environment ? json_object_get(environments, environment) : NULL;

	if (!environment)
		return 0;
	if (!chosen)
		return config_error(c, err, "environments", "there is no environment '%s'", environment);
	c->environment = xstrdup(environment);
	lay_over(c->values, chosen, 0);
	return 0;
}

static int check_name(const struct config *c, struct err *err)
{
	const char *name = config_str(c, "name");
	size_t n;

	if (!config_str(c, "version")) {
		err_set(err, ERR_CONFIG, "%s has no 'version'", c->file);
		return err_hint(err, "add the line `version: 1`");
	}
	if (!name)
		return err_set(err, ERR_CONFIG, "%s has no 'name'", c->file);
	n = strlen(name);
	if (!n || n > CONFIG_MAX_NAME)
		return config_error(c, err, "name", "'name' must have 1 to %d characters", CONFIG_MAX_NAME);
	if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != n || name[0] == '-' ||
	    name[n - 1] == '-')
		return config_error(c, err, "name", "'name' may have letters, digits and, between them, hyphens");
	return 0;
}

int config_parse(const char *text, size_t n, const char *name, const char *environment, struct config *ret,
		 struct err *err)
{
	auto_config c = { .file = xstrdup(name), .digest = digest_of(text, n) };

	if (strlen(text) != n)
		return err_set(err, ERR_CONFIG, "%s holds a NUL character", name);
	str_split(&c.lines, text, '\n');
	if (config_yaml_parse(text, n, &c, err) < 0)
		return -1;
	if (choose_environment(&c, environment, err) < 0 || check_name(&c, err) < 0)
		return -1;
	*ret = c;
	c = (struct config){ 0 };
	return 0;
}

int config_load(const char *file, const char *environment, struct config *ret, struct err *err)
{
	auto_free char *text = NULL;
	auto_free char *folder = fs_dirname(file);
	size_t n;

	if (fs_read(file, CONFIG_MAX_BYTES, &text, &n, err) < 0) {
		err->code = ERR_CONFIG;
		return -1;
	}
	if (config_parse(text, n, file, environment, ret, err) < 0)
		return -1;
	ret->root = fs_realpath(folder);
	if (!ret->root) {
		config_release(ret);
		return err_errno(err, "find folder '%s'", folder);
	}
	return 0;
}

/* The mapping at a key of an object, made when it is absent. */
static json_t *member_mapping(json_t *object, const char *key)
{
	if (!json_object_get(object, key))
		json_object_set_new(object, key, json_object());
	return json_object_get(object, key);
}

int config_set_hyperparameter(struct config *c, const char *assignment, struct err *err)
{
	const char *equals = strchr(assignment, '=');
	auto_free char *name = equals ? xstrndup(assignment, (size_t)(equals - assignment)) : NULL;
	auto_config value = { 0 };
	json_t *j = NULL;

	if (!name || !*name || !str_is_utf8(name, strlen(name))) {
		err_set(err, ERR_USAGE, "option '-p' needs a name and a value, not '%s'", assignment);
		return err_hint(err, "write -p name=value");
	}
	value.file = xasprintf("-p %s", name);
	str_split(&value.lines, equals + 1, '\n');
	if (config_yaml_value(equals + 1, strlen(equals + 1), &value, &j, err) < 0)
		return -1;
	json_object_set_new(member_mapping(member_mapping(c->values, "estimator"), "hyperparameters"), name, j);
	strlist_add(&c->set, name);
	return 0;
}

/* The name that a user types best: relative when the file is in the working folder. */
char *config_discover(struct err *err)
{
	auto_free char *folder = getcwd(NULL, 0);

	if (!folder) {
		err_errno(err, "find the working folder");
		return NULL;
	}
	if (fs_exists(CONFIG_FILE))
		return xstrdup(CONFIG_FILE);
	while (strcmp(folder, "/") != 0) {
		char *parent = fs_dirname(folder);
		auto_free char *file = fs_join(parent, CONFIG_FILE);

		free(folder);
		folder = parent;
		if (fs_exists(file))
			return take(file);
	}
	err_set(err, ERR_CONFIG, "there is no %s in this folder or above it", CONFIG_FILE);
	err_hint(err, "`smpipe init` writes a new project, `smpipe init --adopt` adds the file to this one");
	return NULL;
}

void config_release(struct config *c)
{
	free(c->file);
	free(c->root);
	free(c->environment);
	json_decref(c->values);
	strlist_release(&c->lines);
	strlist_release(&c->set);
	for (size_t i = 0; i < c->n_positions; i++)
		free(c->positions[i].path);
	free(c->positions);
	*c = (struct config){ 0 };
}

const json_t *config_value(const struct config *c, const char *path)
{
	auto_strlist parts = { 0 };
	const json_t *j = c->values;

	str_split(&parts, path, '.');
	for (size_t i = 0; j && i < parts.n; i++)
		j = json_object_get(j, parts.v[i]);
	return j;
}

static const char *fallback_of(const char *path)
{
	const struct schema_key *row = schema_row(path);

	return row ? row->fallback : NULL;
}

const char *config_str(const struct config *c, const char *path)
{
	const json_t *j = config_value(c, path);

	return j ? json_string_value(j) : fallback_of(path);
}

int64_t config_int(const struct config *c, const char *path)
{
	const json_t *j = config_value(c, path);
	const char *fallback = j ? NULL : fallback_of(path);
	int64_t n = 0;

	if (j)
		return json_integer_value(j);
	if (fallback && str_ends(fallback, "d"))
		return strtoll(fallback, NULL, 10) * 24 * 3600;
	return fallback && str_parse_i64(fallback, 0, INT64_MAX, &n) ? n : 0;
}

int config_is_true(const struct config *c, const char *path)
{
	return json_is_true(config_value(c, path));
}

void config_list(const struct config *c, const char *path, struct strlist *ret)
{
	const json_t *array = config_value(c, path);

	for (size_t i = 0; i < json_array_size(array); i++)
		strlist_add(ret, json_string_value(json_array_get(array, i)));
}
