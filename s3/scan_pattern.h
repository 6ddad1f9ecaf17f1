#ifndef SMPIPE_S3_SCAN_PATTERN_H
#define SMPIPE_S3_SCAN_PATTERN_H

/* The include and exclude patterns of a scan, taken apart (s3/scan.h says what they mean). */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct scan_pattern {
	char *glob;
	bool is_at_any_depth; /* matched against the last part of a path */
	bool is_folder_only;
};

struct scan_patterns {
	struct scan_pattern *v;
	size_t n, cap;
};

/* ERR_CONFIG for one that is malformed or over the limits. */
int scan_patterns_parse(const struct strlist *texts, struct scan_patterns *ret, struct err *err);
bool scan_patterns_match(const struct scan_patterns *l, const char *path, bool is_folder);
void scan_patterns_release(struct scan_patterns *l);

#endif
