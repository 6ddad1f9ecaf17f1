/* The small grammars that decide where bytes go: ARNs, s3:// URIs, URLs, registry hosts, image references, regions. */

#include <stdint.h>
#include <string.h>

#include "aws/endpoint.h"
#include "aws/partition.h"
#include "base/http.h"
#include "base/mem.h"
#include "base/str.h"
#include "ecr/reference.h"
#include "s3/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void need(bool holds)
{
	if (!holds)
		__builtin_trap();
}

/* What was read is what stood there. */
static void try_arn(const char *s)
{
	auto_arn arn = { 0 };
	auto_free char *again = NULL;

	if (arn_parse(s, &arn) < 0)
		return;
	again = xasprintf("arn:%s:%s:%s:%s:%s", arn.partition, arn.service, arn.region, arn.account, arn.resource);
	need(!strcmp(again, s));
}

static void try_s3_uri(const char *s)
{
	auto_s3_uri uri = { 0 };
	auto_err err = { 0 };
	auto_free char *again = NULL;

	if (s3_uri_parse(s, &uri, &err) < 0)
		return;
	again = s3_uri_format(uri.bucket, uri.key);
	need(str_starts(again, s) && strlen(again) - strlen(s) <= 1);
	need(!strpbrk(uri.bucket, "/@:?# \n"));
}

static void try_url(const char *s)
{
	auto_url url = { 0 };
	auto_err err = { 0 };

	if (http_url_parse(s, &url, &err) < 0)
		return;
	need(url.host[0] && !strpbrk(url.host, "/@?#\\ ") && url.path[0] == '/');
}

static void try_hosts(const char *s)
{
	auto_err err = { 0 };
	auto_free char *encoded = str_uri_encode(s, false), *decoded = str_uri_decode(encoded);

	need(decoded && !strcmp(decoded, s));
	if (endpoint_check_registry(s, "123456789012", "eu-west-1", true, &err) == 0)
		need(!strpbrk(s, "/@?#\\ \n") && (strcasestr(s, "123456789012.dkr") || strpbrk(s, "l1L")));
	if (partition_is_region_name(s))
		need(partition_of_region(s) && !strpbrk(s, "./:@"));
}

static void try_reference(const char *s)
{
	auto_reference ref = { 0 };
	auto_err err = { 0 };
	auto_free char *again = NULL;

	if (reference_parse(s, &ref, &err) < 0)
		return;
	again = reference_format(ref.host, ref.repository, ref.tag, ref.digest);
	need(!strcmp(again, s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	auto_free char *s = xstrndup((const char *)data, n);

	try_arn(s);
	try_s3_uri(s);
	try_url(s);
	try_hosts(s);
	try_reference(s);
	return 0;
}
