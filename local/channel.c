#include "local/channel.h"

#include <string.h>

#include "base/json.h"
#include "local/s3_store.h"
#include "s3/uri.h"

#define MANIFEST_BYTES_MAX (64u << 20)

void channel_objects_release(struct channel_objects *o)
{
	free(o->bucket);
	free(o->prefix);
	strlist_release(&o->keys);
	*o = (struct channel_objects){ 0 };
}

size_t channel_hosts(const json_t *request)
{
	const json_t *count = json_at(request, "ResourceConfig", "InstanceCount", NULL);

	return count && json_integer_value(count) > 0 ? (size_t)json_integer_value(count) : 1;
}

static int client_error(struct err *err)
{
	return err_service(err, "ClientError");
}

static const char *source_text(const json_t *channel, const char *member)
{
	return json_str(json_at(channel, "DataSource", "S3DataSource", NULL), member);
}

static int add_manifest_keys(const json_t *manifest, struct channel_objects *o, struct err *err)
{
	for (size_t i = 1; i < json_array_size(manifest); i++) {
		const char *key = json_string_value(json_array_get(manifest, i));

		if (!key || !*key)
			return err_set(err, ERR_INVALID, "element %zu of the manifest is no key", i + 1);
		strlist_take(&o->keys, xasprintf("%s%s", o->prefix, key));
	}
	strlist_sort_unique(&o->keys);
	return 0;
}

int channel_parse_manifest(const char *text, size_t n, struct channel_objects *ret, struct err *err)
{
	auto_json *manifest = json_parse(text, n, "manifest", err);
	const char *prefix = json_str(json_array_get(manifest, 0), "prefix");
	auto_channel_objects o = { 0 };
	auto_s3_uri uri = { 0 };
	auto_err why = { 0 };

	if (!manifest)
		return -1;
	if (!prefix || json_object_size(json_array_get(manifest, 0)) != 1)
		return err_set(err, ERR_INVALID, "a manifest is [{\"prefix\": \"s3://bucket/folder/\"}, \"key\", …]");
	if (s3_uri_parse(prefix, &uri, &why) < 0)
		return err_set(err, ERR_INVALID, "prefix of the manifest: %s", why.msg);
	o.bucket = take(uri.bucket);
	o.prefix = take(uri.key);
	if (add_manifest_keys(manifest, &o, err) < 0)
		return -1;
	*ret = o;
	o = (struct channel_objects){ 0 };
	return 0;
}

static int read_manifest(struct cloud *cloud, const struct s3_uri *uri, struct channel_objects *ret, struct err *err)
{
	auto_s3_stored object = { .fd = -1 };
	auto_s3_mapped text = { 0 };

	if (store_s3_open(cloud->s3, uri->bucket, uri->key, &object, err) < 0)
		return -1;
	if (object.size > MANIFEST_BYTES_MAX)
		return err_set(err, ERR_INVALID, "a manifest has at most %u bytes", MANIFEST_BYTES_MAX);
	if (s3_mapped_open(&text, object.fd, object.size, err) < 0)
		return -1;
	return channel_parse_manifest(text.p, text.n, ret, err);
}

/* Without the markers of folders, as consoles make them: they would count as shares. */
static int list_prefix(struct cloud *cloud, struct s3_uri *uri, struct channel_objects *ret, struct err *err)
{
	auto_strlist keys = { 0 };

	if (store_s3_keys(cloud->s3, uri->bucket, uri->key, &keys, err) < 0)
		return -1;
	ret->bucket = take(uri->bucket);
	ret->prefix = take(uri->key);
	for (size_t i = 0; i < keys.n; i++)
		if (!str_ends(keys.v[i], "/"))
			strlist_add(&ret->keys, keys.v[i]);
	return 0;
}

/* Into an empty struct. */
static int find_objects(struct cloud *cloud, const json_t *channel, struct channel_objects *ret, struct err *err)
{
	const char *uri_text = source_text(channel, "S3Uri");
	auto_s3_uri uri = { 0 };

	if (s3_uri_parse(uri_text, &uri, err) < 0)
		return -1;
	if (!store_s3_has_bucket(cloud->s3, uri.bucket)) {
		err_set(err, ERR_NOT_FOUND, "no S3 bucket '%s' was found", uri.bucket);
		return client_error(err);
	}
	if (!str_eq(source_text(channel, "S3DataType"), "ManifestFile"))
		return list_prefix(cloud, &uri, ret, err);
	if (read_manifest(cloud, &uri, ret, err) < 0) {
		err_wrap(err, "read manifest '%s'", uri_text);
		return client_error(err);
	}
	return 0;
}

void channel_shard(struct strlist *keys, size_t host, size_t n_hosts)
{
	size_t kept = 0;

	for (size_t i = 0; i < keys->n; i++) {
		if (i % n_hosts == host)
			keys->v[kept++] = keys->v[i];
		else
			free(keys->v[i]);
	}
	keys->n = kept;
}

int channel_download(struct cloud *cloud, const json_t *channel, size_t host, size_t n_hosts, const char *dir,
		     struct err *err)
{
	auto_channel_objects objects = { 0 };
	size_t n;

	if (find_objects(cloud, channel, &objects, err) < 0)
		return -1;
	if (objects.keys.n == 0) {
		err_set(err, ERR_NOT_FOUND,
			"Data download failed: No S3 objects found under S3 URL \"%s\" given in input data source. "
			"Please ensure that the bucket exists in the selected region, that objects exist under that "
			"S3 prefix, and that the role has access to it.",
			source_text(channel, "S3Uri"));
		return client_error(err);
	}
	if (str_eq(source_text(channel, "S3DataDistributionType"), "ShardedByS3Key"))
		channel_shard(&objects.keys, host, n_hosts);
	if (store_s3_export_keys(cloud->s3, objects.bucket, objects.prefix, &objects.keys, dir, &n, err) < 0) {
		/* What a manifest names may be missing; the service blames the one who wrote it. */
		return err->code == ERR_NOT_FOUND ? client_error(err) : -1;
	}
	return 0;
}
