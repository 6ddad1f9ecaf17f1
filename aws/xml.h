#ifndef SMPIPE_AWS_XML_H
#define SMPIPE_AWS_XML_H

/*
 * The little XML that S3 and STS answer with: elements, text, entities; no DTDs, no external anything. A tree of at
 * most 64 levels and 1,000,000 elements. ERR_INVALID.
 */

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct xml {
	char *name; /* without namespace prefix */
	char *text; /* the character data directly inside, "" if none */
	struct xml *child, *next;
};

struct xml *xml_parse(const char *text, size_t n, const char *what, struct err *err);
/* The first child of that name, or NULL. */
const struct xml *xml_child(const struct xml *x, const char *name);
/* Next sibling of that name, or NULL. */
const struct xml *xml_next(const struct xml *x, const char *name);
/* Text of the first child of that name, or NULL. */
const char *xml_child_text(const struct xml *x, const char *name);
void xml_free(struct xml *x);
void xml_free_p(struct xml **x);
#define auto_xml __attribute__((cleanup(xml_free_p))) struct xml

/* Append text with & < > " escaped. */
void xml_escape(struct str *b, const char *text);

#endif
