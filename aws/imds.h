#ifndef SMPIPE_AWS_IMDS_H
#define SMPIPE_AWS_IMDS_H

/*
 * The EC2 instance metadata service, version 2 only: version 1 answers whoever can make a server ask for a URL.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
 */

#include "aws/creds_source.h"

/*
 * Where the service is, without a '/' at the end. Order: endpoint (NULL: not given), AWS_EC2_METADATA_SERVICE_ENDPOINT,
 * the profile's ec2_metadata_service_endpoint; else by the mode, IPv4 or IPv6: mode (NULL: not given),
 * AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE, the profile's ec2_metadata_service_endpoint_mode. New string. ERR_CONFIG.
 */
int imds_endpoint(const struct creds_context *c, const char *endpoint, const char *mode, char **ret, struct err *err);

struct imds {
	char *endpoint;
	struct secret token;
};

#define auto_imds __attribute__((cleanup(imds_release))) struct imds

/*
 * Get a session token. 1; 0 when there is no such service here: AWS_EC2_METADATA_DISABLED=true, or nothing answers
 * within a second (AWS_METADATA_SERVICE_TIMEOUT seconds, AWS_METADATA_SERVICE_NUM_ATTEMPTS times), or it refuses; then
 * *why says so. -1: the settings are wrong, or it answers with rubbish.
 */
int imds_open(struct creds_context *c, struct imds *ret, struct err *why, struct err *err);

/* The text at a path below "/latest/", at most 64 KiB. ERR_NOT_FOUND. */
int imds_get(struct creds_context *c, const struct imds *imds, const char *path, struct str *ret, struct err *err);
/* The region of this instance: 1 and a new string, 0 when there is no such service here, -1. */
int imds_region(const struct creds_options *options, char **ret, struct err *err);
void imds_release(struct imds *imds);

#endif
