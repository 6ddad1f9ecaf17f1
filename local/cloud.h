#ifndef SMPIPE_LOCAL_CLOUD_H
#define SMPIPE_LOCAL_CLOUD_H

/*
 * An AWS on loopback: STS, IAM's GetRole, S3, ECR with its registry, SageMaker that really trains, CloudWatch Logs. One
 * process, one port, one account; state lives in a folder as plain files.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/sys.h"
#include "local/server.h"

#define LOCAL_ACCOUNT "000000000000"

/*
 * Folder layout: cloud.json (port, pid, account, access key; mode 0600), lock, s3/<bucket>/…, ecr/…, jobs/<job>/…,
 * logs/<group>/<stream>.
 */
struct cloud {
	char *dir; /* absolute */
	char *account;
	char *access_key_id;
	struct secret secret_access_key;
	int port;
	char *docker_host; /* for training jobs; "" = default */
	int idle_s;        /* 0: it stays up */
	const struct sys *sys;
	struct store_s3 *s3;
	struct store_logs *logs;
	struct store_ecr *ecr;
	struct store_sagemaker *sagemaker;
	struct faults *faults; /* local/faults.h; NULL but in tests of clients */
};

/* The services, each in a file of its own. A handler fills resp and never fails otherwise. */
typedef void (*local_handler_fn)(struct cloud *cloud, const struct local_request *req, struct local_response *resp);
void local_sts_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp);  /* sts.c */
void local_iam_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp);  /* iam.c */
void local_s3_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp);   /* s3.c */
void local_logs_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp); /* logs.c */
void local_ecr_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp);  /* ecr.c */
void local_sagemaker_handle(struct cloud *cloud, const struct local_request *req,
			    struct local_response *resp); /* sagemaker.c */
/* The registry has its own authentication: Basic AWS:<password of GetAuthorizationToken>. */
void local_registry_handle(struct cloud *cloud, const struct local_request *req,
			   struct local_response *resp); /* registry.c */

/* Each store is made and freed by the cloud. */
int store_s3_new(const char *dir, struct store_s3 **ret, struct err *err);
void store_s3_free(struct store_s3 *s);
int store_logs_new(const char *dir, struct store_logs **ret, struct err *err);
void store_logs_free(struct store_logs *s);
int store_ecr_new(const char *dir, struct store_ecr **ret, struct err *err);
void store_ecr_free(struct store_ecr *s);
/* Jobs found InProgress belong to a dead process: they become Failed (InternalServerError: the local cloud was
 * stopped), or their container is adopted when it is still there. */
int store_sagemaker_new(struct cloud *cloud, struct store_sagemaker **ret, struct err *err);
/* Waits for nothing; jobs that run are told to stop. */
void store_sagemaker_free(struct store_sagemaker *s);
/* Number of jobs that are not in a final state. */
int store_sagemaker_running(struct store_sagemaker *s);

/* What the job runner needs of the other stores. */
int store_logs_append(struct store_logs *s, const char *group, const char *stream, int64_t timestamp_ms,
		      const char *message, struct err *err);
/* Download the objects below prefix (a plain string prefix of keys, as the service does) into dir. *ret_n objects. */
int store_s3_export(struct store_s3 *s, const char *bucket, const char *prefix, const char *dir, size_t *ret_n,
		    struct err *err);
/* Put a file (moved or copied) as an object. */
int store_s3_import(struct store_s3 *s, const char *bucket, const char *key, int fd, struct err *err);
bool store_s3_has_bucket(struct store_s3 *s, const char *bucket);

/* What `smpipe local` does. */
struct cloud_options {
	const char *dir;
	int port;            /* 0: the one used last, else any free */
	bool exit_when_idle; /* end when no job runs and no request came for idle_s seconds */
	int idle_s;
	const char *docker_host;
};

/* The options' own, else DOCKER_HOST of the environment, else "". */
const char *cloud_docker_host(const struct cloud_options *options);

/* Run in this process until SIGTERM, ^C or idle. ready is called once requests are answered. */
int cloud_serve(const struct cloud_options *options, void (*ready)(void *ctx, int port), void *ctx, struct err *err);

/* How to reach a running cloud. */
struct cloud_access {
	char *url; /* http://127.0.0.1:port */
	char *account, *access_key_id;
	struct secret secret_access_key;
	int64_t pid;
	char *docker_host;
	int idle_s, running_jobs;
};
#define auto_cloud_access __attribute__((cleanup(cloud_access_release))) struct cloud_access
void cloud_access_release(struct cloud_access *a);

/* 1 = a cloud serves dir and answers; 0 = none. */
int cloud_find(const char *dir, struct cloud_access *ret, struct err *err);

/*
 * Find or start: runs `<executable> local serve --dir DIR [--exit-when-idle]` as a process of its own (setsid, output
 * to DIR/cloud.log) and waits until it answers (10 s). One that was started with another DOCKER_HOST is started anew,
 * unless it runs a job. ERR_CONFLICT when options->port is taken.
 */
int cloud_up(const char *executable, const struct cloud_options *options, struct cloud_access *ret, struct err *err);
/* SIGTERM and wait for the end. 1 = stopped, 0 = none was running. */
int cloud_down(const char *dir, struct err *err);

#endif
