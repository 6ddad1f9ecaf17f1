#ifndef SMPIPE_PIPELINE_MEMBERS_H
#define SMPIPE_PIPELINE_MEMBERS_H

/* From keys of smpipe.yaml to members of the request along the column `request` of pipeline/schema.h, and back. */

#include "pipeline/config.h"
#include "pipeline/schema.h"

/* Put a value at "A.B" below object; objects on the way are made. Takes value over. */
void members_put(json_t *object, const char *path, json_t *value);

/* A value as the request has it: members of mappings renamed, by the rows below its own. NULL when it says nothing (an
 * empty list or map). New reference. */
json_t *members_convert(const struct schema_key *row, const json_t *value);

/* Put every key below a section ("estimator") that has a member and a value or default. */
void members_put_keys(const struct config *c, const char *section, json_t *request);

/*
 * The key of smpipe.yaml that a member of this request comes from: "estimator.subnets[0]" for "VpcConfig.Subnets[0]".
 * For a structure without a key of its own it is a key below it that is set, else the mapping where its keys stand. New
 * string.
 */
char *members_key_of(const struct config *c, const json_t *request, const char *member);

/* A complaint about a member in the words of smpipe.yaml: names of members become names of keys. New string. */
char *members_translate(const char *words, const char *member);

#endif
