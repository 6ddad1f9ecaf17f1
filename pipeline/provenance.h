#ifndef SMPIPE_PIPELINE_PROVENANCE_H
#define SMPIPE_PIPELINE_PROVENANCE_H

/*
 * The statement of a job: an in-toto Statement v1 with a SLSA v1 provenance predicate.
 * https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, https://slsa.dev/spec/v1.0/provenance
 */

#include "pipeline/plan.h"
#include "pipeline/stages.h"

/* What there is to say when the job is launched. New reference. */
struct provenance_facts {
	const struct project *project;
	const struct plan *plan;
	const struct image_result *image;
	const struct launch_result *launch;
	const json_t *bases;
	const char *snapshot_commit; /* of a dirty work tree, or NULL */
	const struct digest *source; /* SHA-256 of sourcedir.tar.gz, or NULL */
	int64_t now_ms;
};
json_t *provenance_statement(const struct provenance_facts *facts);

/* What the end of the job adds. */
struct provenance_outcome {
	const json_t *job;     /* DescribeTrainingJob's answer, in a final state */
	const char *model_uri; /* NULL when there is no model */
	const struct digest *model;
	uint64_t model_bytes;
};
/* billableSeconds are those of all instances, as job_billable_seconds() has them. */
void provenance_add_outcome(json_t *statement, const struct provenance_outcome *outcome);

/* The same for a tuning job; o->job is then DescribeHyperParameterTuningJob's answer. */
struct provenance_tuning {
	const json_t *board;      /* leaderboard_json(), with what was found out about its children */
	const char *metric;       /* of the best training job; NULL when there is none */
	double objective;         /* … */
	int64_t billable_seconds; /* of all of them */
	int spot_saving_percent;  /* 0: none */
};
void provenance_add_tuning(json_t *statement, const struct provenance_outcome *outcome,
			   const struct provenance_tuning *tuning);

/* Of which kind the job of a statement is. */
enum job_kind provenance_kind(const json_t *statement);

/* Reading a statement. Borrowed; NULL when absent. */
const char *provenance_job(const json_t *statement);
const char *provenance_commit(const json_t *statement);
const char *provenance_status(const json_t *statement);     /* "Completed", …; "InProgress" before the end */
const json_t *provenance_internal(const json_t *statement); /* the internalParameters */
const json_t *provenance_request(const json_t *statement);  /* as it was sent */
const json_t *provenance_tuning(const json_t *statement);   /* a tuning job's end: board, seconds */
/* The digest ("sha256" hex) of the subject of a kind: "image", "source", "data/<channel>", "model". */
const char *provenance_subject(const json_t *statement, const char *kind, const char **ret_uri);

#endif
