#include "base/words.h"

#include <string.h>

/* Within "…" a backslash quotes these alone. */
static bool is_quotable(char c)
{
	return c && strchr("\"\\$`\n", c);
}

/* From the opening quote to behind the closing one; NULL when there is none. */
static const char *add_quoted(struct str *word, const char *p)
{
	char quote = *p++;

	for (; *p && *p != quote; p++) {
		if (quote == '"' && *p == '\\' && is_quotable(p[1]))
			p++;
		str_add_char(word, *p);
	}
	return *p ? p + 1 : NULL;
}

static const char *add_word(struct str *word, const char *p)
{
	while (p && *p && !strchr(" \t\r\n", *p)) {
		if (*p == '\'' || *p == '"') {
			p = add_quoted(word, p);
			continue;
		}
		if (*p == '\\' && !*++p)
			return NULL;
		str_add_char(word, *p++);
	}
	return p;
}

int words_split(struct strlist *l, const char *line)
{
	const char *p = line ? line : "";

	for (p += strspn(p, " \t\r\n"); *p; p += strspn(p, " \t\r\n")) {
		auto_str word = { 0 };

		p = add_word(&word, p);
		if (!p)
			return -1;
		strlist_take(l, str_detach(&word));
	}
	return 0;
}
