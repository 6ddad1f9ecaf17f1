#ifndef SMPIPE_AWS_SAGEMAKER_LIMITS_RULES_H
#define SMPIPE_AWS_SAGEMAKER_LIMITS_RULES_H

/* What the service asks of a request beyond the form of each member. */

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* Of CreateTrainingJob. The request has the right form already. ERR_CONFIG, worded as in aws/sagemaker_limits.h; the
 * path is added to *ret_path. */
int sagemaker_check_rules(const json_t *request, struct str *ret_path, struct err *err);
/* The same of CreateHyperParameterTuningJob. */
int sagemaker_check_tuning_rules(const json_t *request, struct str *ret_path, struct err *err);

/* What a definition of a tuning job shares with a training job: stopping, ResourceConfig, channels. *ret_path holds the
 * definition's own path with a dot behind it. */
int sagemaker_check_definition_rules(const json_t *definition, struct str *ret_path, struct err *err);
/* Tags of either request. */
int sagemaker_check_tag_rules(const json_t *request, struct str *ret_path, struct err *err);

/* The part of it that is about InputDataConfig. */
int sagemaker_check_channel_rules(const json_t *request, struct str *ret_path, struct err *err);

/* Add path to *ret_path, and set the error "<*ret_path>: <words>". Returns -1. */
int sagemaker_refuse(struct str *ret_path, struct err *err, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Names of a list's objects must differ. */
int sagemaker_check_distinct(const json_t *list, const char *list_path, const char *key, struct str *ret_path,
			     struct err *err);

/* Letters, digits and separators of any script, and _.:/=+-@ ([\p{L}\p{Z}\p{N}_.:/=+\-@]*). */
bool sagemaker_is_tag_text(const char *s);

#endif
