#ifndef SMPIPE_ECR_DOCKERFILE_LINES_H
#define SMPIPE_ECR_DOCKERFILE_LINES_H

/* A Dockerfile as instructions: continuation lines joined, comments and blank lines dropped, heredocs skipped. */

#include "base/str.h"

struct dockerfile_lines {
	const char *next; /* of the text, borrowed */
	int line;         /* number of the line at next, from 1 */
	char escape;      /* '\\', or what the directive "# escape=`" says */
};

/* Begin a text: reads its directives. */
void dockerfile_lines_init(struct dockerfile_lines *l, const char *text);
/* The next instruction, without white space around it, and the number of its first line; false at the end. */
bool dockerfile_lines_next(struct dockerfile_lines *l, struct str *instruction, int *ret_line);
/* Skip the heredocs that these arguments open ("<<EOF"); one that is never closed is none. */
void dockerfile_lines_skip_heredocs(struct dockerfile_lines *l, const char *arguments);
/* Split at white space. */
void dockerfile_words(struct strlist *words, const char *s);

#endif
