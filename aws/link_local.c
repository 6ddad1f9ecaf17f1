#include "aws/link_local.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/http.h"
#include "base/mem.h"
#include "base/str.h"

/* Either the IPv4 or the IPv6 form of a text; false when it is neither. inet_pton takes the usual spellings alone. */
struct address {
	bool is_v6;
	unsigned char b[16];
};

static bool parse_address(const char *text, struct address *ret)
{
	*ret = (struct address){ 0 };
	if (inet_pton(AF_INET, text, ret->b) == 1)
		return true;
	ret->is_v6 = true;
	return inet_pton(AF_INET6, text, ret->b) == 1;
}

static bool is_same(const struct address *a, const char *text)
{
	struct address b;

	return parse_address(text, &b) && a->is_v6 == b.is_v6 && !memcmp(a->b, b.b, a->is_v6 ? 16 : 4);
}

/* IPv6 addresses that stand for IPv4 ones are not among them: nobody needs that spelling. */
static bool is_loopback(const struct address *a)
{
	return a->is_v6 ? is_same(a, "::1") : a->b[0] == 127;
}

bool link_local_is_container(const char *address)
{
	struct address a;

	return parse_address(address, &a) && (is_loopback(&a) || is_same(&a, "169.254.170.2") ||
					      is_same(&a, "169.254.170.23") || is_same(&a, "fd00:ec2::23"));
}

bool link_local_is_metadata(const char *address)
{
	struct address a;

	return parse_address(address, &a) &&
	       (is_loopback(&a) || is_same(&a, "fd00:ec2::254") || (!a.is_v6 && a.b[0] == 169 && a.b[1] == 254));
}

bool link_local_is_any(const char *address)
{
	(void)address;
	return true;
}

/* "0xa9fea9fe", "2852039166", "169.254.43518": what resolvers take for an address though it looks like a name. */
static bool is_number_like(const char *host)
{
	const char *last = strrchr(host, '.');

	last = last && last[1] ? last + 1 : host;
	return isdigit((unsigned char)*last) || str_ends(host, ".");
}

static bool has_odd_character(const char *url)
{
	for (; *url; url++)
		if ((unsigned char)*url <= ' ' || (unsigned char)*url >= 0x7f || strchr("\\@#\"<>^`{|}", *url))
			return true;
	return false;
}

static bool is_name(const char *host)
{
	if (is_number_like(host))
		return false;
	for (; *host; host++)
		if (!isalnum((unsigned char)*host) && !strchr("-._", *host))
			return false;
	return true;
}

int link_local_check_url(const char *url, bool (*allow_address)(const char *address), const char *what, struct err *err)
{
	auto_free char *shown = str_printable(url);
	auto_err why = { 0 };
	auto_url parts = { 0 };
	struct address address;

	if (has_odd_character(url) || http_url_parse(url, &parts, &why) < 0)
		return err_set(err, ERR_CONFIG, "'%s' is '%s', which is no URL of scheme, host, port and path", what,
			       shown);
	if (!strcmp(parts.scheme, "https"))
		return 0;
	if (parse_address(parts.host, &address) ? allow_address(parts.host) : is_name(parts.host))
		return 0;
	return err_set(err, ERR_CONFIG, "'%s' is '%s': plain http is not allowed to that host", what, shown);
}
