/* The role of an EC2 instance.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html */

#include <ctype.h>
#include <string.h>

#include "aws/imds.h"
#include "base/str.h"

#define ROLES "meta-data/iam/security-credentials/"

/* The first line; it goes into a path. */
static char *role_name(const struct str *answer)
{
	auto_free char *line = xstrndup(str_text(answer), strcspn(str_text(answer), "\r\n"));
	auto_free char *name = str_trim(line);
	size_t n = strlen(name);

	if (n < 1 || n > 64)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("+=,.@-_", name[i]))
			return NULL;
	return take(name);
}

static int take_document(struct str *text, const char *role, struct creds *ret, struct err *err)
{
	static const char what[] = "the instance metadata service's answer";
	static const struct creds_keys keys = { "AccessKeyId", "SecretAccessKey", "Token",
						"Expiration",  "AccountId",       false };
	auto_creds_json *j = creds_json(text, what, err);
	auto_free char *source = xasprintf("EC2 instance role '%s'", role);
	const char *code = json_string_value(json_object_get(j, "Code"));

	if (!j)
		return -1;
	if (code && strcmp(code, "Success") != 0) {
		auto_free char *shown = xasprintf("%.64s", code);
		auto_free char *printable = str_printable(shown);

		return err_set(err, ERR_AUTH, "the instance's role '%s' gives no credentials: %s", role, printable);
	}
	return creds_take(j, &keys, what, source, ret, err);
}

static int fetch_role(struct creds_context *c, const struct imds *imds, struct creds *ret, struct err *why,
		      struct err *err)
{
	auto_str roles = { 0 }, document = { 0 };
	auto_free char *name = NULL, *path = NULL;
	auto_err refusal = { 0 };

	if (imds_get(c, imds, ROLES, &roles, &refusal) < 0) {
		if (refusal.code != ERR_NOT_FOUND) {
			err_move(err, &refusal);
			return -1;
		}
		err_set(why, ERR_AUTH, "this EC2 instance has no role");
		return 0;
	}
	name = role_name(&roles);
	if (!name)
		return err_set(err, ERR_INVALID, "the instance metadata service names no usable role");
	path = xasprintf(ROLES "%s", name);
	if (imds_get(c, imds, path, &document, err) < 0)
		return -1;
	return take_document(&document, name, ret, err) < 0 ? -1 : 1;
}

int creds_from_imds(struct creds_context *c, struct creds *ret, struct err *err)
{
	auto_imds imds = { 0 };
	auto_err why = { 0 };
	int found = imds_open(c, &imds, &why, err);

	if (found > 0)
		found = fetch_role(c, &imds, ret, &why, err);
	if (found == 0 && c->skipped)
		strlist_add(c->skipped, why.msg);
	return found;
}
