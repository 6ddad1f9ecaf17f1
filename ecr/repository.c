#include "ecr/repository.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* "https://123456789012.dkr.ecr.eu-west-1.<suffix>" → its host, which must be the registry that we may trust. */
static int take_host(const struct aws_identity *id, const char *proxy_endpoint, char **ret_host, struct err *err)
{
	const struct endpoint *ecr = &id->endpoints[AWS_ECR];
	auto_url endpoint = { 0 }, ours = { 0 };
	auto_free char *host = NULL;
	bool is_loopback_ecr;

	if (http_url_parse(proxy_endpoint, &endpoint, err) < 0 || http_url_parse(ecr->url, &ours, err) < 0)
		return -1;
	is_loopback_ecr = ecr->is_override && http_is_loopback(ours.host);
	host = xstrdup(strstr(proxy_endpoint, "://") + 3);
	host[strcspn(host, "/?#")] = '\0';
	if (endpoint_check_registry(host, id->account, id->region, is_loopback_ecr, err) < 0)
		return -1;
	*ret_host = take(host);
	return 0;
}

/* base64 of "AWS:<password>" */
static int take_token(const char *token, struct registry_auth *auth, struct err *err)
{
	struct secret pair = { 0 };
	char *colon;
	size_t n;

	pair.value = str_unbase64(token, &n);
	colon = pair.value ? strchr(pair.value, ':') : NULL;
	if (!colon || colon == pair.value || !colon[1] || strlen(pair.value) != n || !str_is_utf8(pair.value, n)) {
		secret_release(&pair);
		return err_set(err, ERR_INVALID, "the authorization token is no base64 of user:password");
	}
	auth->user = xstrndup(pair.value, (size_t)(colon - pair.value));
	secret_set(&auth->password, colon + 1);
	secret_release(&pair);
	return 0;
}

static int take_authorization(const struct aws_identity *id, const json_t *answer, struct registry_auth *auth,
			      struct err *err)
{
	const json_t *data = json_array_get(json_object_get(answer, "authorizationData"), 0);
	const char *token = json_need_str(data, "authorizationToken", "answer of ECR", err), *endpoint;
	int result;

	if (!token)
		return -1;
	result = take_token(token, auth, err);
	/* What jansson holds is a copy of ours alone: wipe it in place. */
	explicit_bzero((char *)token, strlen(token));
	if (result < 0)
		return -1;
	endpoint = json_need_str(data, "proxyEndpoint", "answer of ECR", err);
	return endpoint ? take_host(id, endpoint, &auth->host, err) : -1;
}

int ecr_get_authorization(struct aws *aws, struct registry_auth *ret, struct err *err)
{
	auto_json *request = json_object(), *answer = NULL;
	auto_registry_auth auth = { 0 };

	if (aws_call_json(aws, AWS_ECR, "GetAuthorizationToken", request, &answer, err) < 0)
		return -1;
	if (take_authorization(aws->id, answer, &auth, err) < 0)
		return err_wrap(err, "GetAuthorizationToken");
	auth.ca_file = xstrdup_or_null(aws->id->ca_file);
	*ret = auth;
	auth = (struct registry_auth){ 0 };
	return 0;
}

int ecr_has_repository(struct aws *aws, const char *repository, struct err *err)
{
	auto_json *request = json_pack("{s:[s]}", "repositoryNames", repository);
	auto_err why = { 0 };

	if (aws->id->account)
		json_put_str(request, "registryId", aws->id->account);
	if (aws_call_json(aws, AWS_ECR, "DescribeRepositories", request, NULL, &why) == 0)
		return 1;
	if (why.code == ERR_NOT_FOUND || err_is_service(&why, "RepositoryNotFoundException"))
		return 0;
	err_move(err, &why);
	return err_wrap(err, "look for repository '%s'", repository);
}

/* Tags that cannot move, and a scan of each push: what a release must be able to rely on. */
static json_t *creation_request(const char *repository)
{
	return json_pack("{s:s, s:s, s:{s:b}, s:[{s:s, s:s}]}", "repositoryName", repository, "imageTagMutability",
			 "IMMUTABLE", "imageScanningConfiguration", "scanOnPush", 1, "tags", "Key", "smpipe", "Value",
			 "managed");
}

int ecr_ensure_repository(struct aws *aws, const char *repository, int *ret_created, struct err *err)
{
	int has = ecr_has_repository(aws, repository, err);
	auto_json *request = NULL;
	auto_err why = { 0 };

	if (has < 0)
		return -1;
	*ret_created = 0;
	if (has)
		return 0;
	request = creation_request(repository);
	if (aws_call_json(aws, AWS_ECR, "CreateRepository", request, NULL, &why) == 0) {
		*ret_created = 1;
		return 0;
	}
	/* Another release was quicker. */
	if (err_is_service(&why, "RepositoryAlreadyExistsException"))
		return 0;
	err_move(err, &why);
	return err_wrap(err, "create repository '%s'", repository);
}

int ecr_check_push(struct aws *aws, const char *repository, struct err *err)
{
	/* Any layer will do: this is the digest of nothing. */
	auto_json *request = json_pack("{s:s, s:[s]}", "repositoryName", repository, "layerDigests",
				       "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

	if (aws_call_json(aws, AWS_ECR, "BatchCheckLayerAvailability", request, NULL, err) < 0)
		return err_wrap(err, "push to repository '%s'", repository);
	return 0;
}
