#include "ecr/dockerfile_lines.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define BLANKS " \t"

/* Take one line off the text, without its end. */
static void take_line(struct dockerfile_lines *l, struct str *line)
{
	size_t n = strcspn(l->next, "\n");

	str_truncate(line, 0);
	str_add_mem(line, l->next, n);
	if (n && line->s[n - 1] == '\r')
		str_truncate(line, n - 1);
	l->next += n + (l->next[n] == '\n');
	l->line++;
}

/* "# escape=`": 1 = a directive, of whatever kind; 0 = none, directives are over. */
static int read_directive(struct dockerfile_lines *l, const char *line)
{
	size_t n;

	if (*line != '#')
		return 0;
	line += 1 + strspn(line + 1, BLANKS);
	n = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
	if (!n || line[n + strspn(line + n, BLANKS)] != '=')
		return 0;
	if (n == strlen("escape") && !strncasecmp(line, "escape", n)) {
		const char *value = strchr(line, '=') + 1;

		value += strspn(value, BLANKS);
		if (*value == '\\' || *value == '`')
			l->escape = *value;
	}
	return 1;
}

void dockerfile_lines_init(struct dockerfile_lines *l, const char *text)
{
	auto_str line = { 0 };
	struct dockerfile_lines before;

	*l = (struct dockerfile_lines){ .next = str_starts(text, "\xef\xbb\xbf") ? text + 3 : text,
					.line = 1,
					.escape = '\\' };
	do {
		before = *l;
		take_line(l, &line);
	} while (*before.next && read_directive(l, str_text(&line)));
	l->next = before.next;
	l->line = before.line;
}

static bool is_comment_or_blank(const char *line)
{
	line += strspn(line, BLANKS);
	return !*line || *line == '#';
}

/* Cut the escape at the end that continues a line; two of them are one character of the line. */
static bool cut_continuation(struct str *line, char escape)
{
	size_t n = line->len;

	while (n && strchr(BLANKS, line->s[n - 1]))
		n--;
	if (!n || line->s[n - 1] != escape || (n > 1 && line->s[n - 2] == escape))
		return false;
	str_truncate(line, n - 1);
	return true;
}

static void trim(struct str *b)
{
	auto_free char *text = str_trim(str_text(b));

	str_truncate(b, 0);
	str_add(b, text);
}

bool dockerfile_lines_next(struct dockerfile_lines *l, struct str *instruction, int *ret_line)
{
	auto_str line = { 0 };
	bool is_open = true;

	str_truncate(instruction, 0);
	*ret_line = 0;
	while (is_open && *l->next) {
		int number = l->line;

		take_line(l, &line);
		if (is_comment_or_blank(str_text(&line)))
			continue;
		if (!*ret_line)
			*ret_line = number;
		is_open = cut_continuation(&line, l->escape);
		str_add(instruction, str_text(&line));
	}
	trim(instruction);
	return *ret_line;
}

void dockerfile_words(struct strlist *words, const char *s)
{
	while (*(s += strspn(s, BLANKS))) {
		size_t n = strcspn(s, BLANKS);

		strlist_take(words, xstrndup(s, n));
		s += n;
	}
}

/* The word that closes the heredoc which a word opens, new: "<<EOF", "3<<-'EOF'". NULL when it opens none. */
static char *heredoc_end(const char *word, bool *ret_strips_tabs)
{
	size_t n;

	word += strspn(word, "0123456789");
	if (!str_starts(word, "<<"))
		return NULL;
	word += 2;
	*ret_strips_tabs = *word == '-';
	word += *word == '-';
	n = strlen(word);
	if (n > 2 && (*word == '"' || *word == '\'') && word[n - 1] == *word) {
		word++;
		n -= 2;
	}
	return n && !strchr(word, '<') ? xstrndup(word, n) : NULL;
}

static bool skip_to(struct dockerfile_lines *l, const char *end, bool strips_tabs)
{
	struct dockerfile_lines ahead = *l;
	auto_str line = { 0 };

	while (*ahead.next) {
		const char *text;

		take_line(&ahead, &line);
		text = str_text(&line);
		if (strips_tabs)
			text += strspn(text, "\t");
		if (str_eq(text, end)) {
			*l = ahead;
			return true;
		}
	}
	return false;
}

void dockerfile_lines_skip_heredocs(struct dockerfile_lines *l, const char *arguments)
{
	auto_strlist words = { 0 };

	dockerfile_words(&words, arguments);
	for (size_t i = 0; i < words.n; i++) {
		bool strips_tabs = false;
		auto_free char *end = heredoc_end(words.v[i], &strips_tabs);

		if (end && !skip_to(l, end, strips_tabs))
			return;
	}
}
