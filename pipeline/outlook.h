#ifndef SMPIPE_PIPELINE_OUTLOOK_H
#define SMPIPE_PIPELINE_OUTLOOK_H

/* What of a plan exists already: only asks, changes nothing. */

#include "pipeline/plan.h"
#include "pipeline/session.h"

struct outlook {
	bool has_image, has_source;
	bool *has_channel; /* per channel of the plan */
	char *image_digest;
	char *job_name, *job_status; /* of the last attempt, or NULL */
};

#define auto_outlook __attribute__((cleanup(outlook_release))) struct outlook
int outlook_read(const struct session *s, const struct plan *plan, struct outlook *ret, struct err *err);
void outlook_release(struct outlook *o);

#endif
