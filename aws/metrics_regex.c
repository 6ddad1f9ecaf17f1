#include "aws/metrics_regex.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

struct translation {
	const char *p;
	struct metrics_regex *out;
	size_t n_groups;
	struct err *err;
};

/* What stands between brackets, sorted out so that POSIX, which knows no escapes there, reads it the same way. */
struct bracket {
	struct str body; /* characters and ranges without a meaning of their own */
	bool is_negated, has_close, has_open, has_caret, has_hyphen;
	bool is_anything; /* [\s\S] and its like */
	unsigned classes; /* bits of class_letters */
};

static const char class_letters[] = "dws";
static const char *const class_sets[] = { "0-9", "A-Za-z0-9_", " \t\r\n\f\v" };

/* Index of a class letter in either case, -1 for any other character. */
static int find_class(char c)
{
	const char *at = c ? strchr(class_letters, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - class_letters) : -1;
}

static int refuse(struct translation *t, const char *what)
{
	return err_set(t->err, ERR_CONFIG, "%s is not supported in a metric's regex", what);
}

/* No language has it. */
static int refuse_broken(struct translation *t, const char *what)
{
	return err_set(t->err, ERR_INVALID, "%s", what);
}

static void bracket_release(struct bracket *b)
{
	str_release(&b->body);
}

static void add_to_bracket(struct bracket *b, char c)
{
	if (c == ']')
		b->has_close = true;
	else if (c == '[')
		b->has_open = true;
	else if (c == '^')
		b->has_caret = true;
	else if (c == '-')
		b->has_hyphen = true;
	else
		str_add_char(&b->body, c);
}

/* At a backslash between brackets. *ret_c is the character meant, or NUL for a class. */
static int parse_bracket_escape(struct translation *t, struct bracket *b, unsigned *negated_classes, char *ret_c)
{
	char c = *++t->p;
	int class = find_class(c);

	*ret_c = '\0';
	if (!c)
		return refuse_broken(t, "a backslash at the end");
	t->p++;
	if (class < 0) {
		*ret_c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
		return 0;
	}
	if (isupper((unsigned char)c)) {
		*negated_classes |= 1u << class;
	} else {
		b->classes |= 1u << class;
		str_add(&b->body, class_sets[class]);
	}
	return 0;
}

/* [:digit:] and the like are POSIX already. */
static bool copy_posix_class(struct translation *t, struct bracket *b)
{
	const char *end = t->p[0] == '[' && t->p[1] == ':' ? strstr(t->p, ":]") : NULL;

	if (!end)
		return false;
	str_add_mem(&b->body, t->p, (size_t)(end + 2 - t->p));
	t->p = end + 2;
	return true;
}

/* One character of a bracket, or a range that it begins. */
static int parse_bracket_item(struct translation *t, struct bracket *b, unsigned *negated_classes)
{
	char first, last;

	if (copy_posix_class(t, b))
		return 0;
	first = *t->p;
	if (first != '\\')
		t->p++;
	else if (parse_bracket_escape(t, b, negated_classes, &first) < 0)
		return -1;
	if (!first)
		return 0;
	if (*t->p != '-' || t->p[1] == ']' || !t->p[1]) {
		add_to_bracket(b, first);
		return 0;
	}
	last = *++t->p;
	if (last != '\\')
		t->p++;
	else if (parse_bracket_escape(t, b, negated_classes, &last) < 0)
		return -1;
	if (!last || (unsigned char)last < (unsigned char)first)
		return refuse_broken(t, "a range that ends before it begins");
	if (strchr("[]^-", first) || strchr("[]^-", last))
		return refuse(t, "a range from or to a bracket, caret or hyphen");
	str_addf(&b->body, "%c-%c", first, last);
	return 0;
}

static int parse_bracket(struct translation *t, struct bracket *b)
{
	unsigned negated_classes = 0;
	bool is_first = true;

	t->p++;
	if (*t->p == '^') {
		b->is_negated = true;
		t->p++;
	}
	for (; *t->p && (*t->p != ']' || is_first); is_first = false)
		if (parse_bracket_item(t, b, &negated_classes) < 0)
			return -1;
	if (!*t->p)
		return refuse_broken(t, "a bracket without its end");
	t->p++;
	b->is_anything = (negated_classes & b->classes) != 0;
	if (negated_classes && !b->is_anything)
		return refuse(t, "\\D, \\W or \\S between brackets");
	return 0;
}

static int translate_bracket(struct translation *t)
{
	__attribute__((cleanup(bracket_release))) struct bracket b = { 0 };
	struct str *out = &t->out->posix;

	if (parse_bracket(t, &b) < 0)
		return -1;
	if (b.is_anything) {
		str_add(out, ".");
		return b.is_negated ? refuse(t, "a bracket that matches nothing") : 0;
	}
	/* A lone caret would negate. */
	if (b.has_caret && !b.is_negated && !b.body.len && !b.has_close && !b.has_open) {
		str_add(out, b.has_hyphen ? "[-^]" : "\\^");
		return 0;
	}
	str_addf(out, "[%s%s%s%s%s%s]", b.is_negated ? "^" : "", b.has_close ? "]" : "", str_text(&b.body),
		 b.has_open ? "[" : "", b.has_caret ? "^" : "", b.has_hyphen ? "-" : "");
	return 0;
}

static int translate_escape(struct translation *t)
{
	struct str *out = &t->out->posix;
	char c = t->p[1];
	int class = find_class(c);

	if (!c)
		return refuse_broken(t, "a backslash at the end");
	t->p += 2;
	if (class >= 0)
		str_addf(out, "[%s%s]", isupper((unsigned char)c) ? "^" : "", class_sets[class]);
	else if (c == 't')
		str_add_char(out, '\t');
	else if (isdigit((unsigned char)c))
		return refuse(t, "a back-reference");
	else if (isalpha((unsigned char)c) && c != 'b' && c != 'B')
		return refuse(t, "an escape other than \\d \\w \\s \\D \\W \\S \\b \\B \\t");
	else
		str_addf(out, strchr(".[]{}()*+?^$|\\bB", c) ? "\\%c" : "%c", c);
	return 0;
}

/* At '('. */
static int translate_group(struct translation *t)
{
	bool captures = true;
	const char *name_end;

	t->n_groups++;
	str_add_char(&t->out->posix, '(');
	t->p++;
	if (str_starts(t->p, "?:")) {
		captures = false;
		t->p += 2;
	} else if (str_starts(t->p, "?P<") || (str_starts(t->p, "?<") && t->p[2] != '=' && t->p[2] != '!')) {
		name_end = strchr(t->p, '>');
		if (!name_end)
			return refuse_broken(t, "a group name without its end");
		t->p = name_end + 1;
	} else if (*t->p == '?') {
		return refuse(t, "lookaround or a flag");
	}
	if (captures && !t->out->value_group)
		t->out->value_group = t->n_groups;
	return 0;
}

/* The plain character that must follow here, behind closing groups; NUL when what follows is anything else. */
static char following_literal(const char *p)
{
	while (*p == ')')
		p++;
	if (*p == '\\')
		return p[1] && !isalnum((unsigned char)p[1]) ? p[1] : '\0';
	return *p && !strchr("[](){}.*+?|^$", *p) ? *p : '\0';
}

/*
 * At a dot. POSIX is always greedy: ".*?;" becomes "[^;]*;". Where no plain character follows, the longest match does.
 */
static void translate_dot(struct translation *t)
{
	char quantifier = t->p[1];
	char stop;

	t->p++;
	if ((quantifier != '*' && quantifier != '+') || t->p[1] != '?') {
		str_add_char(&t->out->posix, '.');
		return;
	}
	t->p += 2;
	stop = following_literal(t->p);
	if (!stop)
		str_addf(&t->out->posix, ".%c", quantifier);
	else
		str_addf(&t->out->posix, "[^%c]%c", stop, quantifier);
}

static int translate_next(struct translation *t)
{
	struct str *out = &t->out->posix;

	switch (*t->p) {
	case '\\':
		return translate_escape(t);
	case '[':
		return translate_bracket(t);
	case '(':
		return translate_group(t);
	case '.':
		translate_dot(t);
		return 0;
	case '*':
	case '+':
	case '?':
	case '}':
		/* Lazy or possessive: only how much is matched differs. */
		str_add_char(out, *t->p++);
		if (*t->p == '?' || *t->p == '+')
			t->p++;
		return 0;
	default:
		str_add_char(out, *t->p++);
		return 0;
	}
}

int metrics_regex_translate(const char *regex, struct metrics_regex *ret, struct err *err)
{
	struct metrics_regex out = { 0 };
	struct translation t = { .p = regex, .out = &out, .err = err };
	int result = 0;

	if (str_starts(regex, "(?i)")) {
		out.is_case_blind = true;
		t.p += strlen("(?i)");
	}
	while (*t.p && result == 0)
		result = translate_next(&t);
	if (result < 0)
		metrics_regex_release(&out);
	else
		*ret = out;
	return result;
}

void metrics_regex_release(struct metrics_regex *r)
{
	str_release(&r->posix);
	*r = (struct metrics_regex){ 0 };
}
