#ifndef SMPIPE_PIPELINE_VIEW_H
#define SMPIPE_PIPELINE_VIEW_H

/* Which of the project's files there are at all, before rules choose among them: git's, or those on disk. */

#include "pipeline/project.h"

/* Take out what is ours or git's own: .git, .smpipe, smpipe.lock. */
void view_drop_private(struct filelist *l);

/*
 * What a `files:` key asks for: git's files (tracked, as git_list_files() gave them), or all on disk, marked where git
 * tracks them. *ret is sorted.
 */
int view_list(const struct project *p, const char *key, const struct filelist *tracked, struct filelist *ret,
	      struct err *err);

/* Append an existing file of the project, or what is in a folder, as it lies on disk. Not sorted. */
int view_add(const struct project *p, const char *path, const struct filelist *tracked, struct filelist *files,
	     struct err *err);

#endif
