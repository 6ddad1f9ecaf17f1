#include "aws/imds.h"

#include <string.h>
#include <strings.h>

#include "aws/link_local.h"
#include "base/str.h"

#define TOKEN_TTL_S        "21600"
#define MAX_ANSWER_BYTES   (64 * 1024)
#define DEFAULT_TIMEOUT_MS 900

static const char *choose(const struct creds_context *c, const char *variable, const char *property,
			  const char **ret_name)
{
	const char *value = env_get(c->options->env, variable);

	*ret_name = value ? variable : property;
	return value ? value : creds_profile_get(c, c->profile, property);
}

static int endpoint_of_mode(const char *mode, const char *name, char **ret, struct err *err)
{
	if (!mode || !strcasecmp(mode, "IPv4"))
		*ret = xstrdup("http://169.254.169.254");
	else if (!strcasecmp(mode, "IPv6"))
		*ret = xstrdup("http://[fd00:ec2::254]");
	else
		return err_set(err, ERR_CONFIG, "'%s' is '%s': it can be IPv4 or IPv6", name, mode);
	return 0;
}

int imds_endpoint(const struct creds_context *c, const char *endpoint, const char *mode, char **ret, struct err *err)
{
	const char *name = "endpoint";
	auto_free char *url = NULL;

	if (!endpoint)
		endpoint = choose(c, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint", &name);
	if (!endpoint) {
		if (!mode)
			mode = choose(c, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode",
				      &name);
		return endpoint_of_mode(mode, name, ret, err);
	}
	url = str_trim(endpoint);
	for (size_t n = strlen(url); n > 0 && url[n - 1] == '/'; n--)
		url[n - 1] = '\0';
	if (link_local_check_url(url, link_local_is_metadata, name, err) < 0)
		return -1;
	*ret = take(url);
	return 0;
}

/* A positive number of a variable, or its default. */
static int64_t setting(const struct creds_context *c, const char *variable, int64_t max, int64_t otherwise)
{
	const char *text = env_get(c->options->env, variable);
	int64_t n;

	return text && str_parse_i64(text, 1, max, &n) ? n : otherwise;
}

static int fetch(struct creds_context *c, const char *what, const char *method, const char *url, const char *header,
		 const char *value, struct http_response *ret_resp, struct err *err)
{
	int64_t timeout_ms = setting(c, "AWS_METADATA_SERVICE_TIMEOUT", 3600, 0) * 1000;
	auto_headers headers = { 0 };

	if (!timeout_ms)
		timeout_ms = DEFAULT_TIMEOUT_MS;
	http_headers_add(&headers, header, value);
	return creds_fetch(c,
			   &(struct creds_fetch){
				   .what = what,
				   .request = {
					   .method = method,
					   .url = url,
					   .headers = headers,
					   .max_body_bytes = MAX_ANSWER_BYTES,
					   .timeout_ms = timeout_ms,
					   .connect_timeout_ms = timeout_ms,
					   .allow_address = str_starts(url, "http:") ? link_local_is_metadata : link_local_is_any,
				   },
				   .lost_attempts = (int)setting(c, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", 100, 1),
			   },
			   ret_resp, err);
}

static bool is_disabled(const struct creds_context *c)
{
	const char *value = env_get(c->options->env, "AWS_EC2_METADATA_DISABLED");

	return value && !strcasecmp(value, "true");
}

/* A token goes into a header. */
static int take_token(const struct http_response *resp, struct imds *imds, struct err *err)
{
	imds->token.value = str_trim(str_text(&resp->body));
	for (const char *p = imds->token.value; *p; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return err_set(err, ERR_INVALID, "the instance metadata service sent no usable token");
	return *imds->token.value ? 0 : err_set(err, ERR_INVALID, "the instance metadata service sent an empty token");
}

int imds_open(struct creds_context *c, struct imds *ret, struct err *why, struct err *err)
{
	auto_imds imds = { 0 };
	auto_free char *url = NULL;
	auto_response resp = { 0 };
	auto_err refusal = { 0 };

	if (is_disabled(c)) {
		err_set(why, ERR_AUTH, "the instance metadata service is switched off by AWS_EC2_METADATA_DISABLED");
		return 0;
	}
	if (imds_endpoint(c, NULL, NULL, &imds.endpoint, err) < 0)
		return -1;
	url = xasprintf("%s/latest/api/token", imds.endpoint);
	if (fetch(c, "ask the instance metadata service", "PUT", url, "x-aws-ec2-metadata-token-ttl-seconds",
		  TOKEN_TTL_S, &resp, &refusal) < 0) {
		err_move(refusal.code == ERR_CANCELLED ? err : why, &refusal);
		return err->code == ERR_CANCELLED ? -1 : 0;
	}
	if (take_token(&resp, &imds, err) < 0)
		return -1;
	*ret = imds;
	imds = (struct imds){ 0 };
	return 1;
}

int imds_get(struct creds_context *c, const struct imds *imds, const char *path, struct str *ret, struct err *err)
{
	auto_free char *url = xasprintf("%s/latest/%s", imds->endpoint, path);
	auto_response resp = { 0 };

	if (fetch(c, "ask the instance metadata service", "GET", url, "x-aws-ec2-metadata-token", imds->token.value,
		  &resp, err) < 0)
		return -1;
	*ret = resp.body;
	resp.body = (struct str){ 0 };
	return 0;
}

void imds_release(struct imds *imds)
{
	free(imds->endpoint);
	secret_release(&imds->token);
	*imds = (struct imds){ 0 };
}

static struct http *lend_http(void *ctx)
{
	return ctx;
}

int imds_region(const struct creds_options *options, char **ret, struct err *err)
{
	auto_http *own = options->http ? NULL : http_curl_new();
	__attribute__((cleanup(creds_context_release))) struct creds_context c = {
		.http = lend_http,
		.http_ctx = own ? own : options->http,
	};
	auto_imds imds = { 0 };
	auto_str region = { 0 };
	auto_err why = { 0 };
	int found;

	if (creds_context_open(&c, options, err) < 0)
		return -1;
	found = imds_open(&c, &imds, &why, err);
	if (found <= 0)
		return found;
	if (imds_get(&c, &imds, "meta-data/placement/region", &region, err) < 0)
		return -1;
	*ret = str_trim(str_text(&region));
	return 1;
}
