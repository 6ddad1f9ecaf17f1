#include "base/glob.h"

#include <stdint.h>
#include <string.h>

#include "base/str.h"

/*
 * The pattern is run as a nondeterministic automaton whose states are offsets into it; "**" with its slash has a second
 * state on its second '*': inside the folders that it spans, where it can only be left after a slash.
 */
struct states {
	size_t n;
	uint16_t at[GLOB_MAX_BYTES + 1];
	uint8_t has[GLOB_MAX_BYTES + 1];
};

struct machine {
	const char *pattern;
	struct states now, next;
	bool is_inside[GLOB_MAX_BYTES + 1]; /* the second '*' of a spanning "**" */
};

/* Bytes of the UTF-8 character at s; malformed bytes count one by one. */
static size_t character_bytes(const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 1;
	}
	return n;
}

static uint32_t character(const char *s)
{
	size_t n = character_bytes(s);
	uint32_t c = (unsigned char)*s;

	if (n > 1)
		c &= 0x3fU >> (n - 1);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	return c;
}

/* The character of a class at *p, unescaped; *p moves behind it. */
static uint32_t class_character(const char **p)
{
	uint32_t c;

	if (**p == '\\')
		(*p)++;
	c = character(*p);
	*p += character_bytes(*p);
	return c;
}

/* Behind one end of a range; NULL where a '-' or ']' stands without a backslash, as Go's path.Match has it. */
static const char *class_member_end(const char *p)
{
	if (!*p || *p == '-' || *p == ']')
		return NULL;
	if (*p == '\\' && !*++p)
		return NULL;
	return p + character_bytes(p);
}

/* The end of the class that begins at p ("["): behind its "]"; NULL when it is none. */
static const char *class_end(const char *p)
{
	p += p[1] == '^' ? 2 : 1;
	do {
		p = class_member_end(p);
		if (p && *p == '-')
			p = class_member_end(p + 1);
	} while (p && *p != ']');
	return p ? p + 1 : NULL;
}

static bool is_in_class(const char *p, uint32_t c)
{
	const char *end = class_end(p) - 1;
	bool is_negated = p[1] == '^', is_member = false;

	for (p += is_negated ? 2 : 1; p < end;) {
		uint32_t low = class_character(&p), high = low;

		if (*p == '-') {
			p++;
			high = class_character(&p);
		}
		is_member = is_member || (low <= c && c <= high);
	}
	return is_member != is_negated;
}

bool glob_is_pattern(const char *pattern)
{
	for (const char *p = pattern; *p; p++) {
		if (*p == '\\' && !*++p)
			return false;
		if (*p != '[')
			continue;
		p = class_end(p);
		if (!p)
			return false;
		p--;
	}
	return true;
}

static bool is_spanning(const char *p)
{
	return p[0] == '*' && p[1] == '*';
}

/* Behind a "**" and the slash that belongs to it. */
static size_t span_end(const char *p)
{
	return p[2] == '/' ? 3 : 2;
}

/* Enter a state, and those that it leads to without a character. */
static void enter(struct machine *m, struct states *s, size_t at)
{
	for (;;) {
		const char *p = m->pattern + at;

		if (s->has[at])
			return;
		s->has[at] = 1;
		s->at[s->n++] = (uint16_t)at;
		if (m->is_inside[at] || *p != '*')
			return;
		if (!is_spanning(p)) {
			at++;
		} else if (!p[span_end(p)]) {
			/* At the end it takes all there is: stay here, and it is a match already. */
			at += span_end(p);
		} else {
			m->is_inside[at + 1] = true;
			enter(m, s, at + 1);
			at += span_end(p);
		}
	}
}

static void leave(struct states *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->has[s->at[i]] = 0;
	s->n = 0;
}

/* Where state `at` leads with the character at c. */
static void step(struct machine *m, size_t at, const char *c)
{
	const char *p = m->pattern + at;
	struct states *next = &m->next;

	if (m->is_inside[at]) {
		enter(m, next, at);
		if (*c == '/')
			enter(m, next, at - 1 + span_end(p - 1));
	} else if (is_spanning(p)) {
		if (!p[span_end(p)])
			enter(m, next, at);
	} else if (*p == '*') {
		if (*c != '/')
			enter(m, next, at);
	} else if (*p == '?') {
		if (*c != '/')
			enter(m, next, at + 1);
	} else if (*p == '[') {
		if (is_in_class(p, character(c)))
			enter(m, next, (size_t)(class_end(p) - m->pattern));
	} else {
		size_t escape = *p == '\\';

		if (*p && character(p + escape) == character(c))
			enter(m, next, at + escape + character_bytes(p + escape));
	}
}

static bool run(struct machine *m, const char *path)
{
	enter(m, &m->now, 0);
	for (; *path && m->now.n; path += character_bytes(path)) {
		struct states *last = &m->now;

		for (size_t i = 0; i < last->n; i++)
			step(m, last->at[i], path);
		leave(last);
		for (size_t i = 0; i < m->next.n; i++) {
			last->at[i] = m->next.at[i];
			last->has[last->at[i]] = 1;
		}
		last->n = m->next.n;
		leave(&m->next);
	}
	return !*path && m->now.has[strlen(m->pattern)];
}

bool glob_match(const char *pattern, const char *path)
{
	size_t n = strlen(pattern);
	struct machine m;

	if (!pattern[strcspn(pattern, "*?[\\")])
		return !strcmp(pattern, path);
	/* moby takes "**" before plain text as "ends in": "**x" matches "ax", too. */
	if (is_spanning(pattern) && !pattern[2 + strcspn(pattern + 2, "*?[]\\")])
		return str_ends(path, pattern + 2) || (pattern[2] == '/' && !strcmp(path, pattern + 3));
	m.pattern = pattern;
	m.now.n = m.next.n = 0;
	memset(m.now.has, 0, n + 1);
	memset(m.next.has, 0, n + 1);
	memset(m.is_inside, 0, n + 1);
	return run(&m, path);
}
