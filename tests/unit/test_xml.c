#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/xml.h"
#include "base/mem.h"

static struct xml *parse(const char *text, struct err *err)
{
	return xml_parse(text, strlen(text), "the text", err);
}

static void test_tree(void **state)
{
	auto_err err = { 0 };
	auto_xml *x = parse(
		"\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c --><s3:List xmlns:s3='urn:x' a=\"1 &lt; 2\">"
		"<Key>a&amp;b &#x41;&#66; &quot;&apos;&gt;&lt; ü &#x1F600;</Key><Empty/><Key ><![CDATA[<raw> & ]]>x</Key >"
		"<Deep><Key>no</Key></Deep><?pi x?></s3:List>\n<!-- end -->\n",
		&err);
	const struct xml *key;

	(void)state;
	assert_non_null(x);
	assert_string_equal(x->name, "List");
	key = xml_child(x, "Key");
	assert_string_equal(key->text, "a&b AB \"'>< ü 😀");
	assert_string_equal(xml_child_text(x, "Empty"), "");
	key = xml_next(key, "Key");
	assert_string_equal(key->text, "<raw> & x");
	assert_null(xml_next(key, "Key"));
	assert_null(xml_child_text(x, "Absent"));
	assert_null(xml_child(NULL, "x"));
}

static void test_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"   ",
		"text",
		"<a>",
		"<a></b>",
		"<a><b></a></b>",
		"<a/><b/>",
		"<a/>x",
		"<a b></a>",
		"<a b=c></a>",
		"<a b='1'c='2'/>",
		"<a b='<'/>",
		"<a b='1/>",
		"<1a/>",
		"< a/>",
		"<a",
		"<a>&nbsp;</a>",
		"<a>&#0;</a>",
		"<a>&#xD800;</a>",
		"<a>&#x110000;</a>",
		"<a>&#;</a>",
		"<a>&#-1;</a>",
		"<a>&amp</a>",
		"<a>&",
		"<a>&aaaaaaaaaaaaaaaaaaaaaaaa;</a>",
		"<a><![CDATA[x</a>",
		"<!-- a -- b --><a/>",
		"<a><!-- x</a>",
		"<?pi",
		"<a>\x01</a>",
		"<a>\xff</a>",
		"<a>\xc0\x80</a>",
		"<!DOCTYPE a><a/>",
		"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
		"<a><!ENTITY x 'y'></a>",
		"</a>",
		"<a></a",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_err err = { 0 };
		auto_xml *x = parse(cases[i], &err);

		if (x)
			fail_msg("'%s' was taken", cases[i]);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void test_limits(void **state)
{
	auto_err err = { 0 };
	auto_str deep = { 0 }, too_deep = { 0 }, wide = { 0 };
	auto_xml *a = NULL, *b = NULL, *c = NULL;

	(void)state;
	for (int i = 0; i < 64; i++)
		str_add(&deep, "<a>");
	str_add(&too_deep, deep.s);
	str_add(&too_deep, "<a></a>");
	for (int i = 0; i < 64; i++) {
		str_add(&deep, "</a>");
		str_add(&too_deep, "</a>");
	}
	a = parse(deep.s, &err);
	assert_non_null(a);
	b = parse(too_deep.s, &err);
	assert_null(b);
	str_add(&wide, "<a>");
	for (int i = 0; i < 1000000; i++)
		str_add(&wide, "<b/>");
	str_add(&wide, "</a>");
	c = parse(wide.s, &err);
	assert_null(c);
}

/* Every cut of a valid text is refused, and none is read beyond its end. */
static void test_cut_short(void **state)
{
	static const char text[] = "<?xml version='1.0'?><a x='&lt;'><!--c--><b>&#65;t</b><![CDATA[d]]><c/></a>";

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		auto_err err = { 0 };
		auto_free char *exact = xmemdup(text, n);
		auto_xml *x = xml_parse(exact, n, "the text", &err);

		assert_null(x);
	}
}

static void test_escape(void **state)
{
	auto_str b = { 0 };

	(void)state;
	xml_escape(&b, "a<b>&\"'c");
	assert_string_equal(b.s, "a&lt;b&gt;&amp;&quot;'c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),      cmocka_unit_test(test_refused), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_cut_short), cmocka_unit_test(test_escape),
	};

	return cmocka_run_group_tests_name("aws/xml", tests, NULL, NULL);
}
