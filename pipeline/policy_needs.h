#ifndef SMPIPE_PIPELINE_POLICY_NEEDS_H
#define SMPIPE_PIPELINE_POLICY_NEEDS_H

/* What smpipe.yaml will touch in AWS: gathered before pipeline/policy writes a policy. */

#include "base/str.h"
#include "pipeline/policy.h"

/* Lists hold ARNs, each once. */
struct policy_needs {
	const struct config *c; /* set by the caller */
	const struct policy_target *t;
	const char *name;
	struct strlist names; /* that jobs begin with: a tuning job's has room for less of it */
	bool tunes;           /* the file has a tuner */
	char *bucket;         /* the default one */
	char *role_arn;
	struct strlist repositories; /* of ECR */
	bool is_built;               /* the first of them: built and pushed here */
	bool has_vpc;
	struct strlist buckets; /* the caller looks whether they exist */
	struct strlist caller_reads, caller_writes;
	struct strlist snapshots;    /* of data, which gc deletes */
	struct strlist role_buckets; /* the role lists them */
	struct strlist role_reads, role_writes;
	struct strlist output_keys, volume_keys, code_keys, data_keys; /* KMS: ARNs or aliases */
};

#define auto_policy_needs __attribute__((cleanup(policy_needs_release))) struct policy_needs
void policy_needs_release(struct policy_needs *n);

/* *ret_note as policy_make() has it. ERR_CONFIG with a position. */
int policy_needs_gather(struct policy_needs *n, char **ret_note, struct err *err);

#endif
