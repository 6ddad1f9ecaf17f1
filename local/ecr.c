/* https://docs.aws.amazon.com/AmazonECR/latest/APIReference/ */

#include "local/ecr.h"

#include <string.h>

#include "base/json.h"
#include "ecr/reference.h"

static const char *const invalid = "InvalidParameterException";

static void respond_unknown_repository(const struct cloud *cloud, const char *name, struct local_response *resp)
{
	local_respond_json_error(resp, 400, "RepositoryNotFoundException",
				 "The repository with name '%s' does not exist in the registry with id '%s'", name,
				 cloud->account);
}

const char *ecr_need_repository(struct cloud *cloud, const json_t *in, json_t **ret_doc, struct local_response *resp)
{
	const char *name = json_api_need(in, "repositoryName", invalid, resp);
	auto_err err = { 0 };

	if (!name)
		return NULL;
	if (reference_check_repository(name, &err) < 0) {
		local_respond_json_error(resp, 400, invalid,
					 "Invalid parameter at 'repositoryName' failed to satisfy constraint: %s",
					 err.msg);
		return NULL;
	}
	if (store_ecr_get_repository(cloud->ecr, name, ret_doc, &err) < 0) {
		if (err.code == ERR_NOT_FOUND)
			respond_unknown_repository(cloud, name, resp);
		else
			local_respond_json_error(resp, 500, "ServerException", "%s", err.msg);
		return NULL;
	}
	return name;
}

static void get_authorization_token(struct cloud *cloud, const struct local_request *req, const json_t *in,
				    struct local_response *resp)
{
	struct secret password = { 0 };
	auto_free char *token = NULL;
	auto_free char *pair = NULL;
	auto_free char *endpoint = xasprintf("http://127.0.0.1:%d", cloud->port);
	auto_err err = { 0 };
	int64_t expires_ms;
	json_t *data;

	(void)req;
	(void)in;
	if (store_ecr_password(cloud->ecr, cloud->sys, &password, &expires_ms, &err) < 0) {
		local_respond_json_error(resp, 500, "ServerException", "%s", err.msg);
		return;
	}
	pair = xasprintf("AWS:%s", password.value);
	token = str_base64(pair, strlen(pair));
	data = json_pack("{s:s, s:o, s:s}", "authorizationToken", token, "expiresAt", json_api_time(expires_ms),
			 "proxyEndpoint", endpoint);
	local_respond_json(resp, 200, json_pack("{s:[o]}", "authorizationData", data));
	explicit_bzero(pair, strlen(pair));
	explicit_bzero(token, strlen(token));
	secret_release(&password);
}

static char *repository_arn(const struct cloud *cloud, const struct local_request *req, const char *name)
{
	auto_free char *resource = xasprintf("repository/%s", name);

	return json_api_arn(cloud, req, "ecr", resource);
}

/* What the API shows of a repository: its document without the tags, with what depends on where it is served. */
static json_t *repository_view(const struct cloud *cloud, const struct local_request *req, const char *name,
			       const json_t *doc)
{
	json_t *view = json_copy((json_t *)doc);
	auto_free char *arn = repository_arn(cloud, req, name);
	auto_free char *uri = xasprintf("127.0.0.1:%d/%s", cloud->port, name);

	json_object_del(view, "tags");
	json_put_str(view, "repositoryName", name);
	json_put_str(view, "repositoryArn", arn);
	json_put_str(view, "registryId", cloud->account);
	json_put_str(view, "repositoryUri", uri);
	return view;
}

/* Appends the repository; false when the answer is a refusal already. */
static bool describe_one(struct cloud *cloud, const struct local_request *req, const char *name, json_t *list,
			 struct local_response *resp)
{
	auto_json *in = json_pack("{s:s}", "repositoryName", name);
	auto_json *doc = NULL;

	if (!ecr_need_repository(cloud, in, &doc, resp))
		return false;
	json_array_append_new(list, repository_view(cloud, req, name, doc));
	return true;
}

static void describe_repositories(struct cloud *cloud, const struct local_request *req, const json_t *in,
				  struct local_response *resp)
{
	const json_t *wanted = json_object_get(in, "repositoryNames");
	auto_json *list = json_array();
	auto_strlist names = { 0 };
	auto_err err = { 0 };
	size_t i;
	json_t *name;

	json_array_foreach(wanted, i, name)
		strlist_add(&names, json_is_string(name) ? json_string_value(name) : "");
	if (!json_array_size(wanted) && store_ecr_list_repositories(cloud->ecr, &names, &err) < 0) {
		local_respond_json_error(resp, 500, "ServerException", "%s", err.msg);
		return;
	}
	for (i = 0; i < names.n; i++)
		if (!describe_one(cloud, req, names.v[i], list, resp))
			return;
	local_respond_json(resp, 200, json_pack("{s:O}", "repositories", list));
}

/* The document of a new repository, or NULL with err. */
static json_t *new_document(const struct cloud *cloud, const json_t *in, struct err *err)
{
	const char *mutability = json_str(in, "imageTagMutability");
	const json_t *scan = json_object_get(json_object_get(in, "imageScanningConfiguration"), "scanOnPush");
	json_t *doc;

	if (mutability && !str_eq(mutability, "MUTABLE") && !str_eq(mutability, "IMMUTABLE")) {
		err_set(err, ERR_INVALID, "the local cloud does not know imageTagMutability '%s' yet", mutability);
		return NULL;
	}
	doc = json_pack("{s:o, s:s, s:{s:b}, s:{s:s}}", "createdAt", json_api_time(cloud->sys->now_ms(cloud->sys)),
			"imageTagMutability", mutability ? mutability : "MUTABLE", "imageScanningConfiguration",
			"scanOnPush", json_is_true(scan), "encryptionConfiguration", "encryptionType", "AES256");
	if (json_is_array(json_object_get(in, "tags")))
		json_object_set_new(doc, "tags", json_deep_copy(json_object_get(in, "tags")));
	return doc;
}

static void create_repository(struct cloud *cloud, const struct local_request *req, const json_t *in,
			      struct local_response *resp)
{
	const char *name = json_api_need(in, "repositoryName", invalid, resp);
	auto_json *doc = NULL;
	auto_err err = { 0 };

	if (!name)
		return;
	if (reference_check_repository(name, &err) < 0 || !(doc = new_document(cloud, in, &err)))
		local_respond_json_error(resp, 400, invalid, "Invalid parameter: %s", err.msg);
	else if (store_ecr_create_repository(cloud->ecr, name, doc, &err) == 0)
		local_respond_json(resp, 200, json_pack("{s:o}", "repository", repository_view(cloud, req, name, doc)));
	else if (err.code == ERR_CONFLICT)
		local_respond_json_error(resp, 400, "RepositoryAlreadyExistsException",
					 "The repository with name '%s' already exists in the registry with id '%s'",
					 name, cloud->account);
	else
		local_respond_json_error(resp, 500, "ServerException", "%s", err.msg);
}

static void delete_repository(struct cloud *cloud, const struct local_request *req, const json_t *in,
			      struct local_response *resp)
{
	auto_json *doc = NULL;
	const char *name = ecr_need_repository(cloud, in, &doc, resp);
	auto_strlist images = { 0 };
	auto_err err = { 0 };

	if (!name)
		return;
	if (store_ecr_list_manifests(cloud->ecr, name, &images, &err) < 0)
		local_respond_json_error(resp, 500, "ServerException", "%s", err.msg);
	else if (images.n && !json_is_true(json_object_get(in, "force")))
		local_respond_json_error(
			resp, 400, "RepositoryNotEmptyException",
			"The repository with name '%s' in registry with id '%s' cannot be deleted because it "
			"still contains images",
			name, cloud->account);
	else if (store_ecr_delete_repository(cloud->ecr, name, &err) < 0)
		local_respond_json_error(resp, 500, "ServerException", "%s", err.msg);
	else
		local_respond_json(resp, 200, json_pack("{s:o}", "repository", repository_view(cloud, req, name, doc)));
}

static void list_tags(struct cloud *cloud, const struct local_request *req, const json_t *in,
		      struct local_response *resp)
{
	const char *arn = json_api_need(in, "resourceArn", invalid, resp);
	const char *marker = arn ? strstr(arn, ":repository/") : NULL;
	auto_json *named = NULL;
	auto_json *doc = NULL;
	json_t *tags;

	(void)req;
	if (!arn)
		return;
	if (!marker) {
		local_respond_json_error(resp, 400, invalid,
					 "Invalid parameter at 'resourceArn': '%s' is no repository", arn);
		return;
	}
	named = json_pack("{s:s}", "repositoryName", marker + strlen(":repository/"));
	if (!ecr_need_repository(cloud, named, &doc, resp))
		return;
	tags = json_object_get(doc, "tags");
	local_respond_json(resp, 200, json_pack("{s:o}", "tags", tags ? json_deep_copy(tags) : json_array()));
}

static const struct json_api_op ops[] = {
	{ "GetAuthorizationToken", get_authorization_token },
	{ "DescribeRepositories", describe_repositories },
	{ "CreateRepository", create_repository },
	{ "DeleteRepository", delete_repository },
	{ "ListTagsForResource", list_tags },
	{ "DescribeImages", ecr_describe_images },
	{ "ListImages", ecr_list_images },
	{ "BatchGetImage", ecr_batch_get_image },
	{ "BatchCheckLayerAvailability", ecr_batch_check_layers },
	{ NULL, NULL },
};

void local_ecr_handle(struct cloud *cloud, const struct local_request *req, struct local_response *resp)
{
	json_api_handle(cloud, req, resp, "AmazonEC2ContainerRegistry_V20150921", ops);
}
