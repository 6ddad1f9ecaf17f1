#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/lint.h"

#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

#define MIN_RANDOM_BYTES 24
#define MIN_RANDOM_BITS  4.0 /* a character */
#define MIN_TOKEN_BYTES  16

/* Beginnings that the services gave their keys so that they are found, and how many characters follow at least. */
static const struct {
	const char *prefix, *characters;
	size_t n;
} marks[] = {
	{ "AKIA", UPPER DIGITS, 16 },
	{ "ASIA", UPPER DIGITS, 16 },
	{ "ghp_", UPPER LOWER DIGITS, 30 },
	{ "gho_", UPPER LOWER DIGITS, 30 },
	{ "ghs_", UPPER LOWER DIGITS, 30 },
	{ "github_pat_", UPPER LOWER DIGITS "_", 30 },
	{ "glpat-", UPPER LOWER DIGITS "_-", 20 },
	{ "xoxb-", UPPER LOWER DIGITS "-", 20 },
	{ "xoxp-", UPPER LOWER DIGITS "-", 20 },
	{ "hf_", UPPER LOWER DIGITS, 30 },
	{ "sk-", UPPER LOWER DIGITS "_-", 32 },
};

static bool has_mark(const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		for (const char *p = value; (p = strstr(p, marks[i].prefix)); p++) {
			bool begins_word = p == value || !isalnum((unsigned char)p[-1]);

			if (begins_word && strspn(p + strlen(marks[i].prefix), marks[i].characters) >= marks[i].n)
				return true;
		}
	}
	return false;
}

/* "://user:password@host" */
static bool has_url_password(const char *value)
{
	const char *p = strstr(value, "://");
	const char *end = p ? p + 3 + strcspn(p + 3, "/?# ") : NULL;
	const char *at = p ? memchr(p + 3, '@', (size_t)(end - p - 3)) : NULL;
	const char *colon = at ? memchr(p + 3, ':', (size_t)(at - p - 3)) : NULL;

	return colon && at > colon + 1;
}

bool lint_is_secret_value(const char *value)
{
	const char *pem = strstr(value, "-----BEGIN ");

	/* Three parts of Base64 with dots between; the first two are JSON. */
	if (str_starts(value, "eyJ") && strstr(value, ".eyJ"))
		return true;
	return (pem && strstr(pem, "PRIVATE KEY")) || has_mark(value) || has_url_password(value);
}

/* "dbPassword", "DB-PASSWORD" → "db_password". New string. */
static char *snake(const char *name)
{
	struct str out = { 0 };

	for (const char *p = name; *p; p++) {
		if (p != name && isupper((unsigned char)*p) && islower((unsigned char)p[-1]))
			str_add_char(&out, '_');
		str_add_char(&out, isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '_');
	}
	return str_detach(&out);
}

static bool ends_with_word(const char *name, const char *word)
{
	size_t n = strlen(name), m = strlen(word);

	return str_ends(name, word) && (n == m || name[n - m - 1] == '_');
}

/* The name of a secret, a place or a placeholder is no secret. */
static bool is_harmless(const char *value)
{
	return !*value || str_starts(value, "arn:") || str_starts(value, "/") || str_starts(value, "s3://") ||
	       strchr("<[${", *value);
}

bool lint_is_secret_name(const char *name, const char *value)
{
	static const char *const words[] = {
		"password",   "passwd",        "pwd",         "passphrase",  "secret",
		"secrets",    "credential",    "credentials", "apikey",      "api_key",
		"access_key", "access_key_id", "secret_key",  "private_key", "signing_key"
	};
	auto_free char *plain = snake(name);

	if (is_harmless(value))
		return false;
	/* Language models have tokens that are none of these. */
	if (ends_with_word(plain, "token"))
		return strlen(value) >= MIN_TOKEN_BYTES && strpbrk(value, DIGITS);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (ends_with_word(plain, words[i]))
			return true;
	}
	return false;
}

static double bits_a_character(const char *s)
{
	size_t counts[256] = { 0 }, n = strlen(s);
	double bits = 0;

	for (size_t i = 0; i < n; i++)
		counts[(unsigned char)s[i]]++;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		double p = (double)counts[i] / (double)n;

		bits -= counts[i] ? p * log2(p) : 0;
	}
	return bits;
}

bool lint_looks_random(const char *value)
{
	size_t n = strlen(value);

	/* Digests in hexadecimal are everywhere and no secrets: they have one case only. */
	return n >= MIN_RANDOM_BYTES && strspn(value, UPPER LOWER DIGITS "+/=_-") == n && strpbrk(value, UPPER) &&
	       strpbrk(value, LOWER) && strpbrk(value, DIGITS) && bits_a_character(value) >= MIN_RANDOM_BITS;
}

static int lint_text(const struct config *c, const struct training_job_facts *facts, const char *path, const char *name,
		     const char *value, struct err *err)
{
	if (lint_is_secret_value(value) || lint_is_secret_name(name, value)) {
		config_error_unquoted(c, err, path, "'%s' looks like a secret: %s", path,
				      str_starts(path, "image.")
					      ? "it would be kept in the image's history and in the record"
					      : "the service shows it to whoever may describe the job");
		return err_hint(
			err,
			"hand over the ARN of a secret (Secrets Manager, Parameter Store), and read it where it is used");
	}
	if (lint_looks_random(value))
		strlist_take(facts->warnings,
			     config_warning(c, path, "'%s' looks random: if it is a secret, hand over its ARN instead",
					    path));
	return 0;
}

int lint_secrets(const struct config *c, const struct training_job_facts *facts, struct err *err)
{
	static const char *const maps[] = { "estimator.hyperparameters", "estimator.environment", "estimator.tags",
					    "image.build_args" };
	const char *name;
	json_t *value;
	size_t index;

	for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
		json_object_foreach((json_t *)config_value(c, maps[i]), name, value) {
			const char *literal = json_str(value, "literal");
			auto_free char *path = xasprintf("%s.%s", maps[i], name);

			/* A number's or a boolean's name may say what it likes; a list is looked through as text. */
			if (lint_text(c, facts, path, literal ? "" : name, literal ? literal : json_string_value(value),
				      err) < 0)
				return -1;
		}
	}
	json_array_foreach(config_value(c, "estimator.container_arguments"), index, value) {
		auto_free char *path = xasprintf("estimator.container_arguments[%zu]", index);

		if (lint_text(c, facts, path, "", json_string_value(value), err) < 0)
			return -1;
	}
	return 0;
}
