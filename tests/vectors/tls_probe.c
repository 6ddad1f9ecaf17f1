/*
 * One signed call, GetCallerIdentity, with endpoint, trust and keys from environment and profile; through a client that
 * has no second try. Prints "ok ACCOUNT", or the service code ("-" if none) and the error with its hint.
 */

#include "aws/sts.h"
#include "base/mem.h"

static int ask(struct http *http, struct err *err)
{
	auto_aws_identity id = { .sys = &sys_real };
	auto_creds creds = { 0 };

	if (aws_identity_locate(&id, NULL, NULL, NULL, err) < 0 ||
	    creds_set(&creds, "AKIDEXAMPLE", "not-a-secret", "a-session-token", "probe", err) < 0)
		return -1;
	id.credentials = creds_provider_static(&creds);
	if (sts_get_caller_identity(http, &id, err) < 0)
		return -1;
	printf("ok %s\n", id.account);
	return 0;
}

int main(void)
{
	auto_http *http = http_curl_new();
	auto_err err = { 0 };

	if (ask(http, &err) == 0)
		return 0;
	printf("%s %s%s%s\n", err.service_code ? err.service_code : "-", err.msg, err.hint ? " | " : "",
	       err.hint ? err.hint : "");
	return 1;
}
