#ifndef SMPIPE_PIPELINE_TUNING_MEMBERS_H
#define SMPIPE_PIPELINE_TUNING_MEMBERS_H

/*
 * From members of CreateHyperParameterTuningJob back to keys of smpipe.yaml. Below a definition they are those of
 * CreateTrainingJob (pipeline/members.h), but for two that have other names, the objective and the ranges.
 */

#include "pipeline/config.h"

/* As members_key_of(): "tuner.hyperparameter_ranges.lr.continuous[0]". New string. */
char *tuning_members_key_of(const struct config *c, const json_t *request, const char *member);

/* As members_translate(). New string. */
char *tuning_members_translate(const char *words, const char *member);

/* The member of CreateTrainingJob that says the same as one below a definition: "HyperParameters.lr" for
 * "StaticHyperParameters.lr". New string. */
char *tuning_members_in_training(const char *member);

/* What follows "TrainingJobDefinition." or "TrainingJobDefinitions[2]." in member, or NULL. Borrowed. */
const char *tuning_members_below_definition(const char *member);

#endif
