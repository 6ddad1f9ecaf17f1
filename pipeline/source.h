#ifndef SMPIPE_PIPELINE_SOURCE_H
#define SMPIPE_PIPELINE_SOURCE_H

/*
 * Which files of the project sourcedir.tar.gz holds: those that `source.files` asks for, without what a pattern of
 * `source.exclude` matches, with what `source.include` names (whatever the patterns say), of them what s3/pack.h lays
 * out. Patterns are those of .dockerignore, relative to the project's root: one syntax for context and code.
 */

#include "pipeline/project.h"

/*
 * Sorted and hashed; tracked is what git_list_files() gave. With is_limited, more than `source.max_size` is refused
 * before anything is read. ERR_CONFIG: see s3/pack.h, and a pattern or an included path that is wrong.
 */
int source_list(const struct project *p, const struct filelist *tracked, bool is_limited, struct filelist *ret,
		struct err *err);

#endif
