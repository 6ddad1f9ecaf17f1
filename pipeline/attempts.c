#include "pipeline/attempts.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "pipeline/remote_job.h"

#define MAX_ATTEMPTS 999

int attempts_find_last(struct aws *aws, const struct plan *plan, char **ret_attempt, json_t **ret_job, struct err *err)
{
	auto_free char *last = NULL;
	auto_json *last_job = NULL;

	for (int n = 1; n <= MAX_ATTEMPTS; n++) {
		auto_free char *attempt = xasprintf("%d", n);
		auto_free char *name = plan_job_name(plan, attempt);
		json_t *job = NULL;

		if (remote_job_look(aws, plan->kind, name, &job, err) < 0)
			return -1;
		if (!job) {
			*ret_attempt = take(last);
			*ret_job = take(last_job);
			return 0;
		}
		json_decref(last_job);
		last_job = job;
		free(last);
		last = take(attempt);
	}
	return err_set(err, ERR_CONFLICT, "job '%s' has %d attempts already", plan->job_base, MAX_ATTEMPTS);
}
