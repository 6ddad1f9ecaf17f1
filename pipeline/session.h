#ifndef SMPIPE_PIPELINE_SESSION_H
#define SMPIPE_PIPELINE_SESSION_H

/* Who releases where, and with what: shared by the stages of one command, read-only while they run. */

#include <stdbool.h>

#include "aws/call.h"
#include "base/report.h"
#include "base/sys.h"
#include "pipeline/plan.h"

struct session {
	struct aws_identity identity;
	bool is_local;            /* against the local cloud */
	const char *bucket_owner; /* account that must own the buckets */
	const char *docker_host;  /* DOCKER_HOST, or NULL */
	const struct sys *sys;
	const struct report *report;
	const char *options; /* that lead other commands to the same jobs, " --local"; "" or NULL: none is needed */
	struct http *http;   /* of the first thread, borrowed: its steps share connections; NULL: each has its own */
};

/* The options, never NULL. */
const char *session_options(const struct session *session);

/* One thread's clients of a session. */
struct clients {
	struct http *http;
	struct http *owned; /* … when it is theirs */
	struct aws aws;
};

#define auto_clients __attribute__((cleanup(clients_release))) struct clients
void clients_init(struct clients *c, const struct session *session);
void clients_release(struct clients *c);

/*
 * The bases of the project's Dockerfile with their digests: from smpipe.lock, else from the Docker Engine (which may
 * ask the registry). *ret is a new object name → digest. Changes nothing.
 */
int session_resolve_bases(const struct session *session, const struct project *p, json_t **ret, struct err *err);

/*
 * The registry host: the local cloud's from its ECR (GetAuthorizationToken), AWS's from account and region. New string.
 */
int session_registry_host(const struct session *session, char **ret, struct err *err);

#endif
