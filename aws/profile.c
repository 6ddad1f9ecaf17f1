#include "aws/profile.h"

#include <ctype.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_FILE_BYTES (1024 * 1024)

struct property {
	char *key;
	struct str value; /* may be a secret: wiped on release */
};

struct profile {
	const char *kind; /* NULL for a profile, else the word of its section: "sso-session", "services" */
	char *name;
	struct property *v;
	size_t n, cap;
	bool is_prefixed; /* [profile default], which silences [default] */
};

struct profiles {
	struct profile *v;
	size_t n, cap;
};

struct parser {
	struct profiles *profiles;
	const char *name; /* of the file, for errors */
	bool is_credentials;
	int line;
	bool has_section;
	struct profile *profile;   /* NULL in a section that is ignored */
	struct property *property; /* the one that a continuation belongs to, or NULL */
	bool is_property_ignored;  /* it had an invalid name */
	bool has_sub_properties;   /* its value was empty: what follows are sub-properties */
	struct err *err;
};

static void wipe_str(struct str *b)
{
	if (b->s)
		explicit_bzero(b->s, b->cap);
	str_release(b);
}

static void clear_profile(struct profile *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].key);
		wipe_str(&p->v[i].value);
	}
	p->n = 0;
}

void profiles_free(struct profiles *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		clear_profile(&p->v[i]);
		free(p->v[i].name);
		free(p->v[i].v);
	}
	free(p->v);
	free(p);
}

void profiles_free_p(struct profiles **p)
{
	profiles_free(*p);
}

static struct profile *find_section(const struct profiles *p, const char *kind, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->v[i].kind, kind) && !strcmp(p->v[i].name, name))
			return &p->v[i];
	return NULL;
}

static struct profile *find_profile(const struct profiles *p, const char *name)
{
	return find_section(p, NULL, name);
}

static struct property *find_property(const struct profile *p, const char *key)
{
	for (size_t i = 0; p && i < p->n; i++)
		if (!strcmp(p->v[i].key, key))
			return &p->v[i];
	return NULL;
}

static struct profile *need_section(struct profiles *p, const char *kind, const char *name)
{
	struct profile *found = find_section(p, kind, name);

	if (found)
		return found;
	array_grow(p->v, p->n, p->cap);
	p->v[p->n] = (struct profile){ .kind = kind, .name = xstrdup(name) };
	return &p->v[p->n++];
}

static int refuse(const struct parser *ps, const char *why)
{
	return err_set(ps->err, ERR_CONFIG, "'%s' line %d: %s", ps->name, ps->line, why);
}

static bool is_name(const char *s, const char *others)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(others, *s))
			return false;
	return true;
}

/* Whether a header begins with a word and white space. */
static bool has_word(const char *header, const char *word)
{
	return str_starts(header, word) && isspace((unsigned char)header[strlen(word)]);
}

/* What a section header opens, or NULL when it is of no known kind. */
static struct profile *open_section(const struct parser *ps, const char *header, bool *ret_is_prefixed)
{
	static const char *const kinds[] = { "sso-session", "services" };
	const char *name = header, *kind = NULL;

	*ret_is_prefixed = false;
	for (size_t i = 0; !ps->is_credentials && i < ARRAY_LEN(kinds); i++)
		if (has_word(header, kinds[i]))
			kind = kinds[i];
	if (kind) {
		name += strlen(kind);
	} else if (!ps->is_credentials && has_word(header, "profile")) {
		name += strlen("profile");
		*ret_is_prefixed = true;
	} else if (!ps->is_credentials && strcmp(header, "default") != 0) {
		return NULL;
	}
	name += strspn(name, " \t");
	return is_name(name, "-/.%@_:+") ? need_section(ps->profiles, kind, name) : NULL;
}

static int parse_section(struct parser *ps, char *line)
{
	auto_free char *header = NULL;
	char *close;
	bool is_prefixed;

	/* No name holds '#' or ';', so that here they need no white space in front. */
	line[strcspn(line, "#;")] = '\0';
	close = strchr(line, ']');
	if (!close || close[1 + strspn(close + 1, " \t")])
		return refuse(ps, "Profile definition must end with ']'");
	*close = '\0';
	header = str_trim(line + 1);
	ps->profile = open_section(ps, header, &is_prefixed);
	ps->has_section = true;
	ps->property = NULL;
	ps->is_property_ignored = false;
	if (!ps->profile || ps->profile->kind || ps->is_credentials)
		return 0;
	if (is_prefixed && !ps->profile->is_prefixed)
		clear_profile(ps->profile);
	else if (!is_prefixed && ps->profile->is_prefixed)
		ps->profile = NULL;
	if (ps->profile)
		ps->profile->is_prefixed = is_prefixed;
	return 0;
}

static void set_property(struct parser *ps, const char *key, const char *value)
{
	struct profile *p = ps->profile;

	ps->property = find_property(p, key);
	if (ps->property) {
		wipe_str(&ps->property->value);
	} else {
		array_grow(p->v, p->n, p->cap);
		p->v[p->n] = (struct property){ .key = xstrdup(key) };
		ps->property = &p->v[p->n++];
	}
	str_add(&ps->property->value, value);
	ps->has_sub_properties = !*value;
}

/* Cut at the first '#' or ';' that follows white space. */
static void cut_comment(char *line)
{
	for (char *p = line; *p; p++) {
		if (p > line && strchr("#;", *p) && isspace((unsigned char)p[-1])) {
			*p = '\0';
			return;
		}
	}
}

static int parse_property(struct parser *ps, char *line)
{
	auto_free char *trimmed = NULL, *key = NULL, *value = NULL;
	char *equals;

	if (!ps->has_section)
		return refuse(ps, "Expected a profile definition before a property");
	ps->property = NULL;
	ps->is_property_ignored = false;
	if (!ps->profile)
		return 0;
	cut_comment(line);
	equals = strchr(line, '=');
	if (!equals)
		return refuse(ps, "Expected an '=' sign defining a property");
	*equals = '\0';
	trimmed = str_trim(line);
	if (!*trimmed)
		return refuse(ps, "Property did not have a name");
	ps->is_property_ignored = !is_name(trimmed, "-_./%@:+");
	if (ps->is_property_ignored)
		return 0;
	key = str_lower(trimmed);
	value = str_trim(equals + 1);
	set_property(ps, key, value);
	explicit_bzero(value, strlen(value));
	return 0;
}

static int check_sub_property(const struct parser *ps, const char *text)
{
	if (!strchr(text, '='))
		return refuse(ps, "Expected an '=' sign defining a sub-property");
	return *text == '=' ? refuse(ps, "Sub-property did not have a name") : 0;
}

/* An indented line: more of the property above. Comments in it belong to the value, as in the SDKs. */
static int parse_continuation(struct parser *ps, const char *line)
{
	auto_free char *text = str_trim(line);

	if (!ps->has_section)
		return refuse(ps, "Expected a profile definition, found continuation");
	if (!ps->profile || ps->is_property_ignored)
		return 0;
	if (!ps->property)
		return refuse(ps, "Expected a property definition, found continuation");
	if (ps->has_sub_properties && check_sub_property(ps, text) < 0)
		return -1;
	str_add_char(&ps->property->value, '\n');
	str_add(&ps->property->value, text);
	explicit_bzero(text, strlen(text));
	return 0;
}

static int parse_line(struct parser *ps, char *line)
{
	if (!line[strspn(line, " \t\r")] || *line == '#' || *line == ';')
		return 0;
	if (*line == '[')
		return parse_section(ps, line);
	if (*line == ' ' || *line == '\t')
		return parse_continuation(ps, line);
	return parse_property(ps, line);
}

static int parse_text(struct profiles *profiles, const char *text, const char *name, bool is_credentials,
		      struct err *err)
{
	struct parser ps = { .profiles = profiles, .name = name, .is_credentials = is_credentials, .err = err };

	for (size_t n; text && *text; text += n + (text[n] == '\n')) {
		auto_free char *line = NULL;
		int result;

		n = strcspn(text, "\n");
		line = xstrndup(text, n);
		if (n > 0 && line[n - 1] == '\r')
			line[n - 1] = '\0';
		ps.line++;
		result = parse_line(&ps, line);
		explicit_bzero(line, n);
		if (result < 0)
			return -1;
	}
	return 0;
}

int profiles_parse(const char *config_text, const char *config_name, const char *credentials_text,
		   const char *credentials_name, struct profiles **ret, struct err *err)
{
	auto_profiles *p = xcalloc(1, sizeof(*p));

	/* The credentials file second: what it says replaces what the other said. */
	if (parse_text(p, config_text, config_name, false, err) < 0 ||
	    parse_text(p, credentials_text, credentials_name, true, err) < 0)
		return -1;
	*ret = take(p);
	return 0;
}

static char *shared_path(env_fn env, const char *variable, const char *name)
{
	const char *path = env_get(env, variable);
	const char *home = env_get(env, "HOME");

	if (path && str_starts(path, "~/") && home)
		return fs_join(home, path + 2);
	if (path)
		return xstrdup(path);
	return xasprintf("%s/.aws/%s", home ? home : "", name);
}

char *profiles_config_path(env_fn env)
{
	return shared_path(env, "AWS_CONFIG_FILE", "config");
}

char *profiles_credentials_path(env_fn env)
{
	return shared_path(env, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
}

/* *ret_text stays NULL when there is no such file. */
static int read_file(const char *path, char **ret_text, struct err *err)
{
	auto_err why = { 0 };

	/* The usual way to say "none". */
	if (!strcmp(path, "/dev/null"))
		return 0;
	if (fs_read(path, MAX_FILE_BYTES, ret_text, NULL, &why) == 0 || why.code == ERR_NOT_FOUND)
		return 0;
	err_move(err, &why);
	return -1;
}

static void wipe_text(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
}

int profiles_load(env_fn env, struct profiles **ret, struct err *err)
{
	auto_free char *config_path = profiles_config_path(env);
	auto_free char *credentials_path = profiles_credentials_path(env);
	__attribute__((cleanup(wipe_text))) char *config = NULL, *credentials = NULL;

	if (read_file(config_path, &config, err) < 0 || read_file(credentials_path, &credentials, err) < 0)
		return -1;
	return profiles_parse(config, config_path, credentials, credentials_path, ret, err);
}

const char *profiles_get(const struct profiles *p, const char *profile, const char *property)
{
	const struct profile *found = find_profile(p, profile);
	const struct property *value = found ? find_property(found, property) : NULL;

	return value ? str_text(&value->value) : NULL;
}

int profiles_has(const struct profiles *p, const char *profile)
{
	return find_profile(p, profile) != NULL;
}

bool profiles_is_empty(const struct profiles *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (!p->v[i].kind)
			return false;
	return true;
}

bool profiles_has_section(const struct profiles *p, const char *kind, const char *name)
{
	return find_section(p, kind, name) != NULL;
}

const char *profiles_section_get(const struct profiles *p, const char *kind, const char *name, const char *property)
{
	const struct profile *found = find_section(p, kind, name);
	const struct property *value = found ? find_property(found, property) : NULL;

	return value ? str_text(&value->value) : NULL;
}
