#ifndef SMPIPE_PIPELINE_HYPERPARAMETERS_YAML_H
#define SMPIPE_PIPELINE_HYPERPARAMETERS_YAML_H

/* Hyperparameters of a request as smpipe.yaml has them: the way back of pipeline/hyperparameters. */

#include <jansson.h>
#include <stdbool.h>

/*
 * A line "name: value" for each member of an object of texts, each behind `indent` blanks, such that smpipe.yaml with
 * them gives the same texts again: numbers, true and false bare, text in quotes where it needs them. is_json: the texts
 * are JSON (hyperparameter_encoding: json). New string.
 */
char *hyperparameters_yaml(const json_t *parameters, bool is_json, int indent);

#endif
