#ifndef SMPIPE_BASE_WORDS_H
#define SMPIPE_BASE_WORDS_H

#include "base/str.h"

/*
 * Split a command line into words as a POSIX shell does, but for what only a shell can do: '…', "…" and \ quote;
 * variables, pipes, globs and comments are plain characters. -1 when a quote is not closed; the list may then hold some
 * words.
 */
int words_split(struct strlist *l, const char *line);

#endif
