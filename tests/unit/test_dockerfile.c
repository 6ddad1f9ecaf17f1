#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/json.h"
#include "base/mem.h"
#include "ecr/dockerfile.h"

/* bases and copies as "a b" and "line:source line:source". */
static const struct {
	const char *text, *build_args, *bases, *copies;
} cases[] = {
	{ "FROM debian:12\n", NULL, "debian:12", "" },
	{ "from debian:12\r\ncopy a b\r\n", NULL, "debian:12", "2:a" },
	{ "\xef\xbb\xbf# hello\n\n  FROM scratch\nCOPY a /a", NULL, "", "4:a" },
	{ "FROM --platform=linux/amd64 a AS b\nFROM b\nFROM B as c\nFROM a\n", NULL, "a", "" },
	{ "FROM a AS build\nFROM d\nCOPY --from=build /x /y\nCOPY --from=0 /x /y\nCOPY --from=e:1 /x /y\nCOPY --from=$X /x /y\n",
	  NULL, "a d e:1", "" },
	/* ARG before FROM: default, build argument, nothing, one made of another. */
	{ "ARG V=3.12\nFROM python:$V-slim\n", NULL, "python:3.12-slim", "" },
	{ "ARG V=3.12\nFROM python:${V}-slim\n", "{\"V\":\"3.9\"}", "python:3.9-slim", "" },
	{ "ARG V\nFROM python:${V:-3}\n", NULL, "python:3", "" },
	{ "ARG V=\nFROM python${V:+:}${V-x}\n", NULL, "python", "" },
	{ "ARG BASE\nFROM $BASE\n", NULL, "", "" },
	{ "FROM ${NOT_DECLARED:-b}\n", "{\"NOT_DECLARED\":\"a\"}", "b", "" },
	{ "ARG A=\"x y\" B='$A' C=\"${A}z\\\"\"\nFROM $C\n", NULL, "x yz\"", "" },
	{ "ARG A=${B:-${C:-d}}\nFROM $A\\$A\n", NULL, "d$A", "" },
	{ "FROM a\nARG X=1\nFROM b$X\n", NULL, "a b", "" },
	/* Continuations, with comments and blank lines between. */
	{ "FROM a\nCOPY b \\\n# c\n\n  d \\  \n  /e\nADD f /g", NULL, "a", "2:b 2:d 7:f" },
	{ "FROM a\nRUN echo \\\\\nCOPY b /c\n", NULL, "a", "3:b" },
	{ "# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nCOPY b `\n c\nCOPY d \\\n", NULL, "a", "4:b 6:d" },
	{ "# hello\n# escape=`\nFROM a\nCOPY b \\\n c\n", NULL, "a", "4:b" },
	/* What is copied from elsewhere, or is no name as it stands. */
	{ "FROM a\nADD https://x/y z /\nADD git@x:y.git /\nCOPY $A b ${C} /\nCOPY --chown=1:1 --chmod=0755 d e/ /f/\n",
	  NULL, "a", "2:z 4:b 5:d 5:e/" },
	{ "FROM a\nCOPY [\"b c\", \"d\", \"/e\"]\nCOPY [x y]\n", NULL, "a", "2:b c 2:d 3:[x" },
	{ "FROM a\nONBUILD COPY b /c\nRUN COPY d /e\n", NULL, "a", "" },
	/* Heredocs. */
	{ "FROM a\nRUN <<EOF\nCOPY no /no\nEOF\nCOPY b /c\n", NULL, "a", "5:b" },
	{ "FROM a\nCOPY <<-\"E1\" <<E2 b /c\nCOPY no no\n\tE1\nCOPY no no\nE2\nCOPY d /\n", NULL, "a", "2:b 7:d" },
	{ "FROM a\nRUN echo $(( 1 <<2 ))\nCOPY b /c\n", NULL, "a", "3:b" },
};

static char *list_bases(const struct dockerfile *d)
{
	struct str out = { 0 };

	for (size_t i = 0; i < d->bases.n; i++)
		str_addf(&out, "%s%s", i ? " " : "", d->bases.v[i]);
	return str_detach(&out);
}

static char *list_copies(const struct dockerfile *d)
{
	struct str out = { 0 };

	for (size_t i = 0; i < d->n_copies; i++)
		str_addf(&out, "%s%d:%s", i ? " " : "", d->copies[i].line, d->copies[i].source);
	return str_detach(&out);
}

static void test_parses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json *args = cases[i].build_args ? json_loads(cases[i].build_args, 0, NULL) : NULL;
		auto_dockerfile d = { 0 };
		auto_err err = { 0 };
		auto_free char *bases = NULL, *copies = NULL;

		if (dockerfile_parse(cases[i].text, "Dockerfile", args, &d, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.msg);
		bases = list_bases(&d);
		copies = list_copies(&d);
		assert_string_equal(bases, cases[i].bases);
		assert_string_equal(copies, cases[i].copies);
	}
}

static void test_refuses(void **state)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "", "D: there is no FROM" },
		{ "RUN x\n", "D: there is no FROM" },
		{ "\nFROM\n", "D:2: FROM names no image" },
		{ "FROM --platform=x\n", "D:1: FROM names no image" },
		{ "FROM a\nRUN \\\n x\nCOPY b\n", "D:4: COPY needs a source and a destination" },
		{ "FROM ${A\n", "D:1: a '${' is not closed" },
		{ "FROM ${A?x}\n", "D:1: '${A?x}' is no variable that can be expanded here" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_dockerfile d = { 0 };
		auto_err err = { 0 };

		assert_int_equal(dockerfile_parse(bad[i].text, "D", NULL, &d, &err), -1);
		assert_int_equal(err.code, ERR_CONFIG);
		assert_string_equal(err.msg, bad[i].message);
	}
}

/* Each ARG twice as long as the one before: 2^60 bytes, if nobody counts. */
static void test_no_explosion(void **state)
{
	auto_str text = { 0 };
	auto_dockerfile d = { 0 };
	auto_err err = { 0 };

	(void)state;
	str_add(&text, "ARG A0=xx\n");
	for (int i = 1; i < 60; i++)
		str_addf(&text, "ARG A%d=$A%d$A%d\n", i, i - 1, i - 1);
	str_add(&text, "FROM $A59\n");
	assert_int_equal(dockerfile_parse(str_text(&text), "D", NULL, &d, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parses),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_no_explosion),
	};

	return cmocka_run_group_tests_name("ecr/dockerfile", tests, NULL, NULL);
}
