#include <string.h>

#include "base/json.h"
#include "local/ecr.h"

#define IMAGES_MAX 10000

/* The tags of a repository by digest: {"<hex>": ["tag", …]}. */
static json_t *tags_by_digest(struct cloud *cloud, const char *repository, struct err *err)
{
	auto_strlist tags = { 0 };
	json_t *map;

	if (store_ecr_list_tags(cloud->ecr, repository, &tags, err) < 0)
		return NULL;
	map = json_object();
	for (size_t i = 0; i < tags.n; i++) {
		auto_err ignored = { 0 };
		auto_free char *hex = NULL;
		struct digest digest;

		if (store_ecr_resolve(cloud->ecr, repository, tags.v[i], &digest, &ignored) < 0)
			continue;
		hex = digest_hex(&digest);
		if (!json_object_get(map, hex))
			json_object_set_new(map, hex, json_array());
		json_array_append_new(json_object_get(map, hex), json_string(tags.v[i]));
	}
	return map;
}

/* ECR counts the compressed layers. */
static json_int_t image_bytes(const json_t *manifest)
{
	json_int_t total = 0;
	size_t i;
	json_t *layer;

	json_array_foreach(json_object_get(manifest, "layers"), i, layer)
		total += json_integer_value(json_object_get(layer, "size"));
	return total;
}

static json_t *image_detail(const struct cloud *cloud, const char *repository, const struct ecr_manifest *m,
			    const json_t *tags)
{
	auto_free char *digest = digest_oci(&m->digest);
	auto_free char *hex = digest_hex(&m->digest);
	auto_err ignored = { 0 };
	auto_json *manifest = json_parse(m->bytes, m->n, "manifest", &ignored);
	const char *artifact = json_str(json_object_get(manifest, "config"), "mediaType");
	json_t *detail = json_object();

	json_put_str(detail, "registryId", cloud->account);
	json_put_str(detail, "repositoryName", repository);
	json_put_str(detail, "imageDigest", digest);
	if (json_object_get(tags, hex))
		json_object_set(detail, "imageTags", json_object_get(tags, hex));
	json_put_int(detail, "imageSizeInBytes", image_bytes(manifest));
	json_object_set_new(detail, "imagePushedAt", json_api_time(m->pushed_ms));
	json_put_str(detail, "imageManifestMediaType", m->media_type);
	json_put_str(detail, "artifactMediaType", artifact);
	return detail;
}

/* Resolve one of imageIds ({"imageDigest"} and/or {"imageTag"}). */
static int resolve_id(struct cloud *cloud, const char *repository, const json_t *id, struct digest *ret,
		      struct err *err)
{
	const char *digest = json_str(id, "imageDigest");
	const char *tag = json_str(id, "imageTag");
	struct digest by_tag;

	if (!digest && !tag)
		return err_set(err, ERR_NOT_FOUND, "an image id needs a digest or a tag");
	if (store_ecr_resolve(cloud->ecr, repository, digest ? digest : tag, ret, err) < 0)
		return -1;
	if (!digest || !tag)
		return 0;
	if (store_ecr_resolve(cloud->ecr, repository, tag, &by_tag, err) < 0)
		return -1;
	if (!digest_equal(ret, &by_tag))
		return err_set(err, ERR_NOT_FOUND, "tag '%s' is not that of '%s'", tag, digest);
	return 0;
}

static void respond_no_image(const struct cloud *cloud, const char *repository, const json_t *id,
			     struct local_response *resp)
{
	const char *digest = json_str(id, "imageDigest");
	const char *tag = json_str(id, "imageTag");

	local_respond_json_error(resp, 400, "ImageNotFoundException",
				 "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the "
				 "repository with name '%s' in the registry with id '%s'",
				 digest ? digest : "null", tag ? tag : "null", repository, cloud->account);
}

static int list_all(struct cloud *cloud, const char *repository, json_t **ret_ids, struct err *err)
{
	auto_strlist all = { 0 };

	if (store_ecr_list_manifests(cloud->ecr, repository, &all, err) < 0)
		return -1;
	*ret_ids = json_array();
	for (size_t i = 0; i < all.n && i < IMAGES_MAX; i++) {
		auto_free char *digest = xasprintf("sha256:%s", all.v[i]);

		json_array_append_new(*ret_ids, json_pack("{s:s}", "imageDigest", digest));
	}
	return 0;
}

void ecr_describe_images(struct cloud *cloud, const struct local_request *req, const json_t *in,
			 struct local_response *resp)
{
	auto_json *doc = NULL;
	const char *repository = ecr_need_repository(cloud, in, &doc, resp);
	auto_json *ids = json_incref(json_object_get(in, "imageIds"));
	auto_json *details = json_array();
	auto_json *tags = NULL;
	auto_err err = { 0 };
	size_t i;
	json_t *id;

	(void)req;
	if (!repository)
		return;
	tags = tags_by_digest(cloud, repository, &err);
	if (!tags || (!ids && list_all(cloud, repository, &ids, &err) < 0)) {
		local_respond_json_error(resp, 500, "ServerException", "%s", err.msg);
		return;
	}
	json_array_foreach(ids, i, id) {
		auto_ecr_manifest m = { 0 };
		struct digest digest;

		if (resolve_id(cloud, repository, id, &digest, &err) < 0 ||
		    store_ecr_get_manifest(cloud->ecr, repository, &digest, &m, &err) < 0) {
			respond_no_image(cloud, repository, id, resp);
			return;
		}
		json_array_append_new(details, image_detail(cloud, repository, &m, tags));
	}
	local_respond_json(resp, 200, json_pack("{s:O}", "imageDetails", details));
}

/* One id per tag, and one for an image without any. */
static void append_ids(json_t *list, const char *digest, const json_t *tags, const char *status)
{
	size_t i;
	json_t *tag;

	if (!json_array_size(tags) && !str_eq(status, "TAGGED"))
		json_array_append_new(list, json_pack("{s:s}", "imageDigest", digest));
	if (str_eq(status, "UNTAGGED"))
		return;
	json_array_foreach(tags, i, tag)
		json_array_append_new(list, json_pack("{s:s, s:O}", "imageDigest", digest, "imageTag", tag));
}

void ecr_list_images(struct cloud *cloud, const struct local_request *req, const json_t *in,
		     struct local_response *resp)
{
	auto_json *doc = NULL;
	const char *repository = ecr_need_repository(cloud, in, &doc, resp);
	const char *status = json_str(json_object_get(in, "filter"), "tagStatus");
	auto_json *list = json_array();
	auto_json *tags = NULL;
	auto_strlist all = { 0 };
	auto_err err = { 0 };

	(void)req;
	if (!repository)
		return;
	tags = tags_by_digest(cloud, repository, &err);
	if (!tags || store_ecr_list_manifests(cloud->ecr, repository, &all, &err) < 0) {
		local_respond_json_error(resp, 500, "ServerException", "%s", err.msg);
		return;
	}
	for (size_t i = 0; i < all.n && i < IMAGES_MAX; i++) {
		auto_free char *digest = xasprintf("sha256:%s", all.v[i]);

		append_ids(list, digest, json_object_get(tags, all.v[i]), status);
	}
	local_respond_json(resp, 200, json_pack("{s:O}", "imageIds", list));
}

static json_t *image_failure(const json_t *id, const char *code, const char *words)
{
	return json_pack("{s:O, s:s, s:s}", "imageId", id, "failureCode", code, "failureReason", words);
}

/* The image with its manifest, or NULL. */
static json_t *get_image(struct cloud *cloud, const char *repository, const json_t *id)
{
	const char *tag = json_str(id, "imageTag");
	auto_ecr_manifest m = { 0 };
	auto_free char *text = NULL;
	auto_json *image_id = json_object();
	auto_err ignored = { 0 };
	struct digest digest;

	if (resolve_id(cloud, repository, id, &digest, &ignored) < 0 ||
	    store_ecr_get_manifest(cloud->ecr, repository, &digest, &m, &ignored) < 0)
		return NULL;
	text = digest_oci(&digest);
	json_put_str(image_id, "imageDigest", text);
	json_put_str(image_id, "imageTag", tag);
	return json_pack("{s:s, s:s, s:O, s:s, s:s}", "registryId", cloud->account, "repositoryName", repository,
			 "imageId", image_id, "imageManifest", m.bytes, "imageManifestMediaType", m.media_type);
}

void ecr_batch_get_image(struct cloud *cloud, const struct local_request *req, const json_t *in,
			 struct local_response *resp)
{
	auto_json *doc = NULL;
	const char *repository = ecr_need_repository(cloud, in, &doc, resp);
	json_t *images = json_array();
	json_t *failures = json_array();
	size_t i;
	json_t *id;

	(void)req;
	if (!repository) {
		json_decref(images);
		json_decref(failures);
		return;
	}
	json_array_foreach(json_object_get(in, "imageIds"), i, id) {
		json_t *image = get_image(cloud, repository, id);

		if (image)
			json_array_append_new(images, image);
		else
			json_array_append_new(failures,
					      image_failure(id, "ImageNotFound", "Requested image not found"));
	}
	local_respond_json(resp, 200, json_pack("{s:o, s:o}", "images", images, "failures", failures));
}

/* A layer that is not there is no failure; a digest that is none is. */
void ecr_batch_check_layers(struct cloud *cloud, const struct local_request *req, const json_t *in,
			    struct local_response *resp)
{
	json_t *layers = json_array(), *failures = json_array(), *item;
	auto_json *doc = NULL;
	const char *name = ecr_need_repository(cloud, in, &doc, resp);
	size_t i;

	(void)req;
	json_array_foreach(json_object_get(in, "layerDigests"), i, item) {
		const char *text = json_string_value(item);
		struct digest digest;

		if (!name || !text)
			continue;
		if (digest_parse(text, &digest) < 0)
			json_array_append_new(failures, json_pack("{s:s, s:s}", "layerDigest", text, "failureCode",
								  "InvalidLayerDigest"));
		else
			json_array_append_new(layers,
					      json_pack("{s:s, s:s}", "layerDigest", text, "layerAvailability",
							store_ecr_has_blob(cloud->ecr, name, &digest) ? "AVAILABLE"
												      : "UNAVAILABLE"));
	}
	if (name) {
		local_respond_json(resp, 200, json_pack("{s:o, s:o}", "layers", layers, "failures", failures));
		return;
	}
	json_decref(layers);
	json_decref(failures);
}
