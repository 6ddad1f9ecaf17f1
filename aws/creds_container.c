/*
 * The agent beside a container: ECS and CodeBuild (relative URI), EKS Pod Identity (full URI and a token file).
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */

#include <string.h>

#include "aws/container.h"
#include "aws/link_local.h"
#include "base/fs.h"
#include "base/str.h"

#define RELATIVE         "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
#define FULL             "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define TOKEN            "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define TOKEN_FILE       "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
#define MAX_ANSWER_BYTES (64 * 1024)
#define MAX_TOKEN_BYTES  (64 * 1024)
#define ATTEMPTS         3
#define TIMEOUT_MS       2000
#define PAUSE_MS         1000

int container_url(env_fn env, char **ret, struct err *err)
{
	const char *relative = env_get(env, RELATIVE), *full = env_get(env, FULL);
	auto_free char *url = NULL;

	if (!relative && !full)
		return 0;
	/* Anything but a '/' would go on with the host's name, or make it a user's. */
	if (relative && *relative != '/') {
		auto_free char *shown = str_printable(relative);

		return err_set(err, ERR_CONFIG, "'" RELATIVE "' is '%s': a path that begins with '/' is needed", shown);
	}
	url = relative ? xasprintf("http://169.254.170.2%s", relative) : xstrdup(full);
	if (link_local_check_url(url, link_local_is_container, relative ? RELATIVE : FULL, err) < 0)
		return -1;
	*ret = take(url);
	return 1;
}

/* Editors end a file with a line break. */
static void drop_line_end(char *text)
{
	size_t n = strlen(text);

	if (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	if (n > 0 && text[n - 1] == '\r')
		text[n - 1] = '\0';
}

/* The file is read anew each time: EKS rotates it. *ret stays unset when neither is given. */
static int find_token(env_fn env, struct secret *ret, struct err *err)
{
	const char *path = env_get(env, TOKEN_FILE), *value = env_get(env, TOKEN);
	__attribute__((cleanup(secret_release))) struct secret token = { 0 };

	if (path) {
		if (fs_read(path, MAX_TOKEN_BYTES, &token.value, NULL, err) < 0) {
			err->code = ERR_AUTH;
			return err_wrap(err, "read the token named by " TOKEN_FILE);
		}
		drop_line_end(token.value);
	} else if (value) {
		secret_set(&token, value);
	}
	for (const char *p = token.value; p && *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return err_set(err, ERR_CONFIG, "'%s' holds a line break or another control character",
				       path ? TOKEN_FILE : TOKEN);
	*ret = token;
	token = (struct secret){ 0 };
	return 0;
}

static int fetch(struct creds_context *c, const char *url, struct http_response *ret_resp, struct err *err)
{
	__attribute__((cleanup(secret_release))) struct secret token = { 0 };
	auto_headers headers = { 0 };

	if (find_token(c->options->env, &token, err) < 0)
		return -1;
	http_headers_add(&headers, "accept", "application/json");
	if (token.value)
		http_headers_add(&headers, "authorization", token.value);
	return creds_fetch(c,
			   &(struct creds_fetch){
				   .what = "ask the container's credential service",
				   .request = {
					   .method = "GET",
					   .url = url,
					   .headers = headers,
					   .max_body_bytes = MAX_ANSWER_BYTES,
					   .timeout_ms = TIMEOUT_MS,
					   .connect_timeout_ms = TIMEOUT_MS,
					   .allow_address = str_starts(url, "http:") ? link_local_is_container : link_local_is_any,
				   },
				   .lost_attempts = ATTEMPTS,
				   .pause_ms = PAUSE_MS,
			   },
			   ret_resp, err);
}

int creds_from_container(struct creds_context *c, struct creds *ret, struct err *err)
{
	static const char what[] = "the answer of the container's credential service";
	static const struct creds_keys keys = { "AccessKeyId", "SecretAccessKey", "Token",
						"Expiration",  "AccountId",       false };
	auto_free char *url = NULL;
	auto_response resp = { 0 };
	auto_creds_json *j = NULL;
	int found = container_url(c->options->env, &url, err);

	if (found <= 0)
		return found;
	if (fetch(c, url, &resp, err) < 0)
		return -1;
	j = creds_json(&resp.body, what, err);
	if (!j || creds_take(j, &keys, what, "container", ret, err) < 0)
		return -1;
	return 1;
}
