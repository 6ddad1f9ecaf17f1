#ifndef SMPIPE_PIPELINE_STAGES_H
#define SMPIPE_PIPELINE_STAGES_H

/*
 * The stages of a release. Each looks whether its result exists under its name, and only then works; each may run in a
 * thread of its own, with clients of its own. Design, section 3.
 */

#include <stdbool.h>

#include "base/digest.h"
#include "pipeline/plan.h"
#include "pipeline/session.h"

/* What a stage did. */
struct stage_result {
	bool existed; /* the result was there: nothing was built, pushed or sent */
	int64_t took_ms;
	uint64_t bytes_sent;
	bool has_digest; /* of the source: the SHA-256 of the archive is known */
	struct digest digest;
};

struct image_result {
	struct stage_result stage;
	char *uri;          /* host/repository@sha256:…; NULL when the job names no image */
	char *digest;       /* sha256:… */
	char *first_commit; /* the commit that the image's labels name, when it existed; else NULL */
};

/* Build and push, or find c-<build key>. ERR_CONFLICT: the tag holds an image of another build key. */
int stage_image(const struct session *s, const struct project *p, const struct plan *plan, const json_t *bases,
		struct image_result *ret, struct err *err);
void image_result_release(struct image_result *r);

/* Pack and upload sourcedir.tar.gz. */
int stage_source(const struct session *s, const struct project *p, const struct plan *plan, struct stage_result *ret,
		 struct err *err);

/* Snapshot every local channel. */
int stage_data(const struct session *s, const struct project *p, const struct plan *plan, struct stage_result *ret,
	       struct err *err);

/*
 * The buckets: ours, or created when smpipe.yaml or the local cloud allows it. Before the others. One of another region
 * is ERR_CONFIG when the plan has a job, which could not use it, else a warning.
 */
int stage_bucket(const struct session *s, const struct project *p, const struct plan *plan, struct err *err);

struct launch_options {
	bool again;          /* start another attempt when the last one has ended */
	bool only_failed;    /* … only if it Failed or was Stopped */
	const char *attempt; /* name of the attempt, or NULL */
};

struct launch_result {
	bool existed; /* the job was there and is ours */
	char *job_name, *job_arn, *attempt;
	char *first_commit; /* of an adopted job */
	json_t *request;    /* that was sent, or that would have been sent for the adopted job */
};

struct journal;

/*
 * CreateTrainingJob under the name of the request key, or adopt the job that has it. ERR_JOB_FAILED, ERR_STOPPED: the
 * job ended so (its reason is the message) and no other attempt was asked for. ERR_CONFLICT: the name is taken by
 * something that is not ours.
 */
int stage_launch(const struct session *s, const struct project *p, const struct plan *plan, const char *image,
		 const struct launch_options *options, struct journal *journal, struct launch_result *ret,
		 struct err *err);
void launch_result_release(struct launch_result *r);

#endif
