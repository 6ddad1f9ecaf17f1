#ifndef SMPIPE_AWS_SAGEMAKER_LIMITS_RULES_H
#define SMPIPE_AWS_SAGEMAKER_LIMITS_RULES_H

/* What the service asks of a CreateTrainingJob request beyond the form of each member. */

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* The request has the right form already. ERR_CONFIG, worded as in aws/sagemaker_limits.h. */
int sagemaker_check_rules(const json_t *request, struct err *err);

/* Letters, digits and separators of any script, and _.:/=+-@ ([\p{L}\p{Z}\p{N}_.:/=+\-@]*). */
bool sagemaker_is_tag_text(const char *s);

#endif
