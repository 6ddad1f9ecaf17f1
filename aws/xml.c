#include "aws/xml.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

#define MAX_DEPTH    64
#define MAX_ELEMENTS 1000000

struct parser {
	const char *p, *end;
	const char *start;
	const char *what;
	size_t n_elements;
	struct err *err;
};

/* An open element: its text grows until it is closed. */
struct level {
	struct xml *x;
	struct xml **tail; /* where its next child goes */
	struct str text;
	const char *full_name;
	size_t full_name_n;
};

static int refuse(const struct parser *ps, const char *why)
{
	return err_set(ps->err, ERR_INVALID, "%s is no valid XML: %s at byte %zu", ps->what, why,
		       (size_t)(ps->p - ps->start));
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || strchr("_-.:", c) || ((unsigned char)c & 0x80);
}

static bool skip_space(struct parser *ps)
{
	const char *from = ps->p;

	while (ps->p < ps->end && is_space(*ps->p))
		ps->p++;
	return ps->p > from;
}

static bool is_at(const struct parser *ps, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(ps->end - ps->p) >= n && !memcmp(ps->p, text, n);
}

static int parse_name(struct parser *ps, const char **ret_name, size_t *ret_n)
{
	const char *from = ps->p;

	while (ps->p < ps->end && *ps->p && is_name_char(*ps->p))
		ps->p++;
	if (ps->p == from || isdigit((unsigned char)*from) || *from == '-' || *from == '.')
		return refuse(ps, "a name is missing");
	*ret_name = from;
	*ret_n = (size_t)(ps->p - from);
	return 0;
}

/* Move behind the next occurrence of text. */
static int skip_past(struct parser *ps, const char *text, const char **ret_at)
{
	const char *at = memmem(ps->p, (size_t)(ps->end - ps->p), text, strlen(text));

	if (!at)
		return refuse(ps, "the text ends early");
	if (ret_at)
		*ret_at = at;
	ps->p = at + strlen(text);
	return 0;
}

/* XML 1.0 section 2.2. */
static bool is_char(unsigned long c)
{
	return c == 0x9 || c == 0xa || c == 0xd || (c >= 0x20 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd) ||
	       (c >= 0x10000 && c <= 0x10ffff);
}

static void add_utf8(struct str *b, unsigned long c)
{
	if (c < 0x80) {
		str_add_char(b, (char)c);
	} else if (c < 0x800) {
		str_add_char(b, (char)(0xc0 | c >> 6));
		str_add_char(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		str_add_char(b, (char)(0xe0 | c >> 12));
		str_add_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		str_add_char(b, (char)(0x80 | (c & 0x3f)));
	} else {
		str_add_char(b, (char)(0xf0 | c >> 18));
		str_add_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
		str_add_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		str_add_char(b, (char)(0x80 | (c & 0x3f)));
	}
}

static int parse_char_reference(struct parser *ps, const char *digits, struct str *b)
{
	int base = *digits == 'x' ? 16 : 10;
	char *end;
	unsigned long c;

	digits += base == 16;
	if (!isxdigit((unsigned char)*digits))
		return refuse(ps, "a character reference is malformed");
	c = strtoul(digits, &end, base);
	if (*end || !is_char(c))
		return refuse(ps, "a character reference is malformed");
	add_utf8(b, c);
	return 0;
}

/* At '&'. */
static int parse_entity(struct parser *ps, struct str *b)
{
	static const struct {
		const char *name;
		char c;
	} named[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' } };
	char name[12] = "";
	size_t n = 0;

	for (ps->p++; ps->p < ps->end && *ps->p != ';' && n + 1 < sizeof(name); ps->p++)
		name[n++] = *ps->p;
	if (ps->p >= ps->end || *ps->p != ';')
		return refuse(ps, "an entity has no end");
	ps->p++;
	if (name[0] == '#')
		return parse_char_reference(ps, name + 1, b);
	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		if (!strcmp(name, named[i].name)) {
			str_add_char(b, named[i].c);
			return 0;
		}
	}
	return refuse(ps, "an unknown entity stands");
}

/* Attributes carry nothing that we read; they are checked and dropped. */
static int skip_attribute(struct parser *ps)
{
	auto_str ignored = { 0 };
	const char *name;
	size_t n;
	char quote;

	if (parse_name(ps, &name, &n) < 0)
		return -1;
	skip_space(ps);
	if (ps->p >= ps->end || *ps->p != '=')
		return refuse(ps, "an attribute has no value");
	ps->p++;
	skip_space(ps);
	if (ps->p >= ps->end || (*ps->p != '"' && *ps->p != '\''))
		return refuse(ps, "an attribute's value is not quoted");
	quote = *ps->p++;
	while (ps->p < ps->end && *ps->p != quote) {
		if (*ps->p == '<')
			return refuse(ps, "'<' stands in an attribute");
		if (*ps->p != '&')
			ps->p++;
		else if (parse_entity(ps, &ignored) < 0)
			return -1;
	}
	if (ps->p >= ps->end)
		return refuse(ps, "the text ends early");
	ps->p++;
	return 0;
}

/* At '<' of a start tag. *ret_is_empty: it was <x/>. */
static int parse_start_tag(struct parser *ps, struct level *ret, bool *ret_is_empty)
{
	const char *name, *colon;
	size_t n;

	ps->p++;
	if (parse_name(ps, &name, &n) < 0)
		return -1;
	while (skip_space(ps) && ps->p < ps->end && *ps->p != '>' && *ps->p != '/')
		if (skip_attribute(ps) < 0)
			return -1;
	*ret_is_empty = is_at(ps, "/>");
	if (!*ret_is_empty && !is_at(ps, ">"))
		return refuse(ps, "a tag has no end");
	ps->p += *ret_is_empty ? 2 : 1;
	if (++ps->n_elements > MAX_ELEMENTS)
		return refuse(ps, "there are too many elements");

	colon = memchr(name, ':', n);
	*ret = (struct level){ .x = xcalloc(1, sizeof(*ret->x)), .full_name = name, .full_name_n = n };
	ret->x->name = colon ? xstrndup(colon + 1, (size_t)(name + n - colon - 1)) : xstrndup(name, n);
	ret->tail = &ret->x->child;
	return 0;
}

/* At "</". */
static int parse_end_tag(struct parser *ps, const struct level *open)
{
	const char *name;
	size_t n;

	ps->p += 2;
	if (parse_name(ps, &name, &n) < 0)
		return -1;
	if (n != open->full_name_n || memcmp(name, open->full_name, n) != 0)
		return refuse(ps, "an end tag does not match its start tag");
	skip_space(ps);
	if (!is_at(ps, ">"))
		return refuse(ps, "a tag has no end");
	ps->p++;
	return 0;
}

static int skip_comment(struct parser *ps)
{
	ps->p += strlen("<!--");
	if (skip_past(ps, "--", NULL) < 0)
		return -1;
	if (!is_at(ps, ">"))
		return refuse(ps, "'--' stands in a comment");
	ps->p++;
	return 0;
}

/* Comments and processing instructions: 1 = one was skipped, 0 = there is none here. */
static int skip_misc(struct parser *ps)
{
	if (is_at(ps, "<!--"))
		return skip_comment(ps) < 0 ? -1 : 1;
	if (is_at(ps, "<?"))
		return skip_past(ps, "?>", NULL) < 0 ? -1 : 1;
	return 0;
}

static int parse_text(struct parser *ps, struct str *text)
{
	const char *from = ps->p;

	while (ps->p < ps->end && *ps->p != '<' && *ps->p != '&')
		ps->p++;
	str_add_mem(text, from, (size_t)(ps->p - from));
	return ps->p < ps->end && *ps->p == '&' ? parse_entity(ps, text) : 0;
}

static int parse_cdata(struct parser *ps, struct str *text)
{
	const char *from, *end;

	ps->p += strlen("<![CDATA[");
	from = ps->p;
	if (skip_past(ps, "]]>", &end) < 0)
		return -1;
	str_add_mem(text, from, (size_t)(end - from));
	return 0;
}

struct tree {
	struct level levels[MAX_DEPTH];
	size_t depth;
	struct xml *root;
};

static void tree_release(struct tree *t)
{
	for (size_t i = 0; i < t->depth; i++)
		str_release(&t->levels[i].text);
	xml_free(t->root);
}

static void close_level(struct tree *t)
{
	struct level *l = &t->levels[--t->depth];

	l->x->text = str_detach(&l->text);
}

static int open_level(struct parser *ps, struct tree *t)
{
	struct level l = { 0 };
	bool is_empty;

	if (t->depth == MAX_DEPTH)
		return refuse(ps, "elements are nested too deeply");
	if (parse_start_tag(ps, &l, &is_empty) < 0)
		return -1;
	if (t->depth == 0) {
		t->root = l.x;
	} else {
		struct level *parent = &t->levels[t->depth - 1];

		*parent->tail = l.x;
		parent->tail = &l.x->next;
	}
	t->levels[t->depth++] = l;
	if (is_empty)
		close_level(t);
	return 0;
}

/* One step of what may stand inside an element. */
static int parse_content(struct parser *ps, struct tree *t)
{
	struct level *open = &t->levels[t->depth - 1];
	int skipped;

	if (*ps->p != '<')
		return parse_text(ps, &open->text);
	if (is_at(ps, "</")) {
		if (parse_end_tag(ps, open) < 0)
			return -1;
		close_level(t);
		return 0;
	}
	if (is_at(ps, "<![CDATA["))
		return parse_cdata(ps, &open->text);
	skipped = skip_misc(ps);
	if (skipped)
		return skipped < 0 ? -1 : 0;
	if (is_at(ps, "<!"))
		return refuse(ps, "a declaration stands");
	return open_level(ps, t);
}

/* White space, comments and processing instructions around the root. */
static int skip_outside(struct parser *ps)
{
	int skipped = 1;

	while (skipped > 0) {
		skip_space(ps);
		skipped = skip_misc(ps);
	}
	return skipped;
}

static int parse_document(struct parser *ps, struct tree *t)
{
	if (skip_outside(ps) < 0)
		return -1;
	if (is_at(ps, "<!"))
		return refuse(ps, "a document type or entity declaration stands");
	if (!is_at(ps, "<"))
		return refuse(ps, "there is no element");
	if (open_level(ps, t) < 0)
		return -1;
	while (t->depth > 0) {
		if (ps->p >= ps->end)
			return refuse(ps, "the text ends early");
		if (parse_content(ps, t) < 0)
			return -1;
	}
	if (skip_outside(ps) < 0)
		return -1;
	return ps->p < ps->end ? refuse(ps, "more stands behind the root element") : 0;
}

static bool has_control(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_char((unsigned char)text[i]) && !((unsigned char)text[i] & 0x80))
			return true;
	return false;
}

struct xml *xml_parse(const char *text, size_t n, const char *what, struct err *err)
{
	struct parser ps = { .p = text, .start = text, .end = text + n, .what = what, .err = err };
	struct tree t = { 0 };
	struct xml *root = NULL;

	if (is_at(&ps, "\xef\xbb\xbf"))
		ps.p += 3;
	if (!str_is_utf8(text, n) || has_control(text, n))
		refuse(&ps, "bytes stand that are no UTF-8 text");
	else if (parse_document(&ps, &t) == 0)
		root = take(t.root);
	tree_release(&t);
	return root;
}

const struct xml *xml_next(const struct xml *x, const char *name)
{
	for (x = x ? x->next : NULL; x; x = x->next)
		if (!strcmp(x->name, name))
			return x;
	return NULL;
}

const struct xml *xml_child(const struct xml *x, const char *name)
{
	if (!x || !x->child)
		return NULL;
	return strcmp(x->child->name, name) ? xml_next(x->child, name) : x->child;
}

const char *xml_child_text(const struct xml *x, const char *name)
{
	const struct xml *child = xml_child(x, name);

	return child ? child->text : NULL;
}

/* Depth is bounded by the parser, so recursion over children is too; siblings are walked. */
void xml_free(struct xml *x)
{
	while (x) {
		struct xml *next = x->next;

		xml_free(x->child);
		free(x->name);
		free(x->text);
		free(x);
		x = next;
	}
}

void xml_free_p(struct xml **x)
{
	xml_free(*x);
}

void xml_escape(struct str *b, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			str_add(b, "&amp;");
			break;
		case '<':
			str_add(b, "&lt;");
			break;
		case '>':
			str_add(b, "&gt;");
			break;
		case '"':
			str_add(b, "&quot;");
			break;
		default:
			str_add_char(b, *text);
		}
	}
}
