#ifndef SMPIPE_PIPELINE_WATCH_TUNING_LOGS_H
#define SMPIPE_PIPELINE_WATCH_TUNING_LOGS_H

/* The logs of a tuning job: it has none of its own, its training jobs have. */

#include "pipeline/watch.h"

/*
 * Report the log lines of its training jobs as watch_job() does, each behind its job's name: "[001-1a2b3c4d] line",
 * where that has several hosts "[001-1a2b3c4d/algo-2] line". What runs is followed, what has ended is read once.
 * shows_logs and shows_only_end do not matter. *ret_job (may be NULL) is the tuning job's last description. Errors as
 * those of watch_job().
 */
int watch_tuning_logs(const struct session *s, const char *job_name, const struct watch_options *options,
		      json_t **ret_job, struct err *err);

#endif
