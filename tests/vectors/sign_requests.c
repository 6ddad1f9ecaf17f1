/*
 * Sign requests for a judge: one JSON object a line on standard input, with method, host, path, query, headers (a list
 * of pairs), payload_hash, region, service, time, access_key_id, secret_access_key and, maybe, session_token and
 * expires_s. Prints each one's Authorization header or, with expires_s, the signature of its query form.
 */

#include <string.h>

#include "aws/sigv4.h"
#include "base/json.h"
#include "base/mem.h"

static void sign(const json_t *request)
{
	const char *service = json_str(request, "service");
	struct sigv4_scope scope = {
		.region = json_str(request, "region"),
		.service = service,
		.time = (time_t)json_integer_value(json_object_get(request, "time")),
		.is_s3 = str_eq(service, "s3"),
	};
	int expires_s = (int)json_integer_value(json_object_get(request, "expires_s"));
	auto_free char *query = NULL;
	auto_creds creds = { 0 };
	auto_headers headers = { 0 };
	auto_err err = { 0 };
	json_t *pair;
	size_t i;

	json_array_foreach(json_object_get(request, "headers"), i, pair)
		http_headers_add(&headers, json_string_value(json_array_get(pair, 0)),
				 json_string_value(json_array_get(pair, 1)));
	if (creds_set(&creds, json_str(request, "access_key_id"), json_str(request, "secret_access_key"),
		      json_str(request, "session_token"), "judge", &err) < 0)
		abort();
	if (expires_s) {
		query = sigv4_presign(json_str(request, "method"), json_str(request, "host"), json_str(request, "path"),
				      json_str(request, "query"), &headers, json_str(request, "payload_hash"),
				      expires_s, &scope, &creds);
		puts(strstr(query, "&X-Amz-Signature="));
		return;
	}
	sigv4_sign(json_str(request, "method"), json_str(request, "host"), json_str(request, "path"),
		   json_str(request, "query"), &headers, json_str(request, "payload_hash"), &scope, &creds);
	puts(http_headers_get(&headers, "authorization"));
}

int main(void)
{
	char line[65536];

	while (fgets(line, sizeof(line), stdin)) {
		auto_json *request = json_loads(line, 0, NULL);

		if (!request)
			return 1;
		sign(request);
	}
	return 0;
}
