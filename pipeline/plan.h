#ifndef SMPIPE_PIPELINE_PLAN_H
#define SMPIPE_PIPELINE_PLAN_H

/*
 * The plan: every name, key and request of a release, derived from the project and from who releases where. Making it
 * is pure: the same inputs give the same plan on any machine, and nothing is asked or changed (design 3a).
 */

#include <stdbool.h>

#include "aws/partition.h"
#include "pipeline/job_kind.h"
#include "pipeline/project.h"
#include "s3/checksum.h"
#include "s3/encryption.h"

/* Where a release goes. */
struct target {
	const char *account, *region;
	const struct partition *partition;
	const char *registry_host; /* "<account>.dkr.ecr.<region>.<suffix>" */
	const char *role;          /* ARN that `role` of smpipe.yaml stands for; NULL: the file must have an ARN */
	bool is_local;             /* the local cloud: the guard `account` does not apply */
	const json_t *bases;       /* image name → "sha256:…" of every base of the Dockerfile */
};

struct plan_channel {
	const struct channel *channel;
	char *bucket, *prefix; /* of a snapshot: objects below prefix/<digest>/, manifest prefix/<digest>.json */
	char *digest;          /* hex; NULL when the prefix in S3 is used as it is */
	char *uri;             /* S3Uri of the request */
};

struct plan {
	char *owner;  /* account that must own the buckets */
	char *bucket; /* of the record, and of what has no location of its own */

	/* image: one of the two forms, or none (an algorithm's name, a serverless job) */
	char *registry_host, *repository, *image_tag; /* built here: "c-<16 hex>" */
	char *build_key;                              /* 64 hex, or NULL */
	char *image_uri;                              /* image.uri, or NULL */

	/* source; NULL when nothing is packed */
	char *source_bucket, *source_key, *source_digest;
	char *source_uri; /* also when it lies in S3 already */
	/* Of what is uploaded; they borrow from the project. The job encrypts its output by estimator.output_kms_key.
	 */
	struct s3_encryption source_encryption, data_encryption;
	enum s3_checksum_kind checksum; /* of data that is uploaded */

	char *data_bucket, *data_prefix; /* of snapshots: below data_prefix/<channel>/ */
	struct plan_channel *channels;
	size_t n_channels;

	char *output_path;
	enum job_kind kind;
	json_t *request;     /* of that kind, with the job name of attempt 1 and TrainingImage as plan_image says */
	char *request_key;   /* 64 hex */
	char *job_base;      /* "<name>-<12 hex>"; of tuning jobs the name is cut to 15 characters */
	char *record_prefix; /* key prefix of records: "<name>/records" */
	struct strlist warnings;
};

#define PLAN_MAX_TUNING_NAME 15

#define auto_plan __attribute__((cleanup(plan_release))) struct plan

/* ERR_CONFIG, with a position in smpipe.yaml where there is one. What `tuner` says wrongly is refused for either kind
 * of job. */
int plan_make(const struct project *p, const struct target *target, enum job_kind kind, struct plan *ret,
	      struct err *err);
/* Only owner, buckets, prefixes and channels: of the target, its account, region and is_local. */
int plan_make_data(const struct project *p, const struct target *target, struct plan *ret, struct err *err);
void plan_release(struct plan *plan);

/* What the request names as image before it is built: "host/repository@(known after build c-…)", or image.uri. New
 * string; NULL when the job names none. */
char *plan_image_placeholder(const struct plan *plan);

/* "<job_base>", "<job_base>-2", or "<job_base>-<id>". New string. */
char *plan_job_name(const struct plan *plan, const char *attempt);

/*
 * The request to send: image (may be NULL) and job name filled in, the tags of this release added. New reference.
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
 */
json_t *plan_request(const struct plan *plan, const struct project *p, const char *image, const char *job_name);

/* Check such a request once more, before it is sent: the name and the image are known only now. ERR_CONFIG, worded as
 * in aws/sagemaker_limits.h. */
int plan_check_request(const struct plan *plan, const struct project *p, const json_t *request, struct err *err);

/* The plan as one JSON document, for `plan --json`. New reference. */
json_t *plan_json(const struct plan *plan, const struct project *p);

/* Where the record of a job lies. New strings. */
char *plan_record_key(const struct plan *plan, const char *job_name);

/* Keys of the tags on jobs and labels on images. */
#define TAG_REQUEST    "smpipe:request"
#define TAG_COMMIT     "smpipe:commit"
#define TAG_DIRTY      "smpipe:dirty"
#define TAG_BUILD      "smpipe:build"
#define TAG_RECORD     "smpipe:record"
#define LABEL_BUILD    "smpipe.build-key"
#define LABEL_REVISION "org.opencontainers.image.revision"
#define LABEL_SOURCE   "org.opencontainers.image.source"

#endif
