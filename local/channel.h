#ifndef SMPIPE_LOCAL_CHANNEL_H
#define SMPIPE_LOCAL_CHANNEL_H

/*
 * The objects of an input channel, and which of them a host gets.
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
 */

#include "base/str.h"
#include "local/cloud.h"

#define HOSTS_MAX 8 /* of a job on the local cloud */

struct channel_objects {
	char *bucket, *prefix;
	struct strlist keys; /* sorted, each once; no markers of folders */
};
#define auto_channel_objects __attribute__((cleanup(channel_objects_release))) struct channel_objects
void channel_objects_release(struct channel_objects *o);

/* ResourceConfig.InstanceCount; 1 when the request does not say. */
size_t channel_hosts(const json_t *request);

/*
 * A manifest: [{"prefix": "s3://bucket/some/prefix/"}, "key1", …], each key in full being the prefix with the element
 * behind it. ERR_INVALID for anything else.
 */
int channel_parse_manifest(const char *text, size_t n, struct channel_objects *ret, struct err *err);

/* Keep what the host (from 0) of n_hosts gets of sorted keys with ShardedByS3Key: every n-th. */
void channel_shard(struct strlist *keys, size_t host, size_t n_hosts);

/*
 * The channel's objects, downloaded into the new folder dir of one host. Service code "ClientError": there is no
 * bucket, no manifest, or no object for any host. A host may get none of few objects.
 */
int channel_download(struct cloud *cloud, const json_t *channel, size_t host, size_t n_hosts, const char *dir,
		     struct err *err);

#endif
