#ifndef SMPIPE_PIPELINE_TEMPLATE_H
#define SMPIPE_PIPELINE_TEMPLATE_H

/* The files that `smpipe init` writes; embedded at build time from templates/. */

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct template_file {
	const char *path; /* "<template>/<path in the new repository>" */
	const unsigned char *bytes;
	size_t n;
	unsigned mode;
};

/* Ended by an entry without path. */
extern const struct template_file template_files[];

/* Names of the templates: the first parts of the paths, without "ci". */
void template_names(struct strlist *ret);

/* Look whether template_write can do it. ERR_USAGE: an unknown template; ERR_CONFLICT: a file is there already. */
int template_check(const char *template_name, const char *dir, struct err *err);

/*
 * Write the template into dir with every @NAME@ replaced. Nothing is overwritten: ERR_CONFLICT names the first file
 * that is there already, before anything is written. `written` gets the paths.
 */
int template_write(const char *template_name, const char *dir, const char *name, struct strlist *written,
		   struct err *err);

#endif
