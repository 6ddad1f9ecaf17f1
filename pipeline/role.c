#include "pipeline/role.h"

#include <string.h>

#include "aws/iam.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_METADATA_BYTES ((size_t)64 * 1024)

bool role_is_arn(const char *role)
{
	auto_arn arn = { 0 };

	return arn_parse(role, &arn) == 0 && str_eq(arn.service, "iam") && partition_is_account(arn.account) &&
	       str_starts(arn.resource, "role/") && iam_is_role_name(role_bare_name(arn.resource));
}

const char *role_bare_name(const char *role)
{
	const char *slash = strrchr(role, '/');

	return slash ? slash + 1 : role;
}

/* GetRole knows bare names only; a path that was written must be the one that the role has. */
static int look_up(struct aws *aws, const char *role, char **ret_arn, struct err *err)
{
	const char *written = role[0] == '/' ? role + 1 : role, *name = role_bare_name(written);
	auto_iam_role found = { 0 };
	auto_arn arn = { 0 };

	if (!iam_is_role_name(name) || strchr(role, ':')) {
		err_set(err, ERR_CONFIG, "'%s' is neither the ARN nor the name of a role", role);
		return err_hint(err, "write arn:%s:iam::%s:role/NAME, NAME, or auto", aws->id->partition->id,
				aws->id->account);
	}
	if (iam_get_role(aws, name, &found, err) < 0) {
		if (err->code == ERR_AUTH && !err->hint)
			err_hint(err, "allow iam:GetRole to '%s', or write the role's whole ARN", aws->id->arn);
		return -1;
	}
	if (arn_parse(found.arn, &arn) < 0 ||
	    (name != written && strcmp(arn.resource + strlen("role/"), written) != 0)) {
		err_set(err, ERR_CONFIG, "role '%s' is '%s'", role, found.arn);
		return err_hint(err, "write the name alone, or this ARN");
	}
	*ret_arn = take(found.arn);
	return 0;
}

/* --- inside SageMaker --- */

struct metadata {
	json_t *doc;
	const char *name, *domain, *profile, *space, *role;
};

/* 1 = read, 0 = this is not SageMaker. */
static int read_metadata(const char *file, struct metadata *m, struct err *err)
{
	auto_free char *text = NULL;
	auto_err why = { 0 };
	size_t n;

	if (fs_read(file, MAX_METADATA_BYTES, &text, &n, &why) < 0) {
		if (why.code == ERR_NOT_FOUND)
			return 0;
		err_move(err, &why);
		return -1;
	}
	m->doc = json_parse(text, n, file, err);
	if (!m->doc)
		return -1;
	m->name = json_str(m->doc, "ResourceName");
	m->domain = json_str(m->doc, "DomainId");
	m->profile = json_str(m->doc, "UserProfileName");
	m->space = json_str(m->doc, "SpaceName");
	m->role = json_str(m->doc, "ExecutionRoleArn");
	return 1;
}

/* request is taken over. */
static int ask(struct aws *aws, const char *operation, json_t *request, json_t **ret_answer, struct err *err)
{
	int result = aws_call_json(aws, AWS_SAGEMAKER, operation, request, ret_answer, err);

	json_decref(request);
	return result;
}

/* 1 with *ret_arn when the text is a role's ARN, else 0. */
static int take_arn(const json_t *text, char **ret_arn)
{
	const char *arn = json_string_value(text);

	if (!arn || !role_is_arn(arn))
		return 0;
	*ret_arn = xstrdup(arn);
	return 1;
}

static int ask_domain(struct aws *aws, const struct metadata *m, const char *settings, char **ret_arn, struct err *err)
{
	auto_json *domain = NULL;

	if (ask(aws, "DescribeDomain", json_pack("{s:s}", "DomainId", m->domain), &domain, err) < 0)
		return -1;
	return take_arn(json_at(domain, settings, "ExecutionRole", NULL), ret_arn);
}

/* A user's own role goes before the domain's default. */
static int ask_profile(struct aws *aws, const struct metadata *m, const char *profile, char **ret_arn, struct err *err)
{
	auto_json *answer = NULL;

	if (ask(aws, "DescribeUserProfile", json_pack("{s:s, s:s}", "DomainId", m->domain, "UserProfileName", profile),
		&answer, err) < 0)
		return -1;
	if (take_arn(json_at(answer, "UserSettings", "ExecutionRole", NULL), ret_arn))
		return 1;
	return ask_domain(aws, m, "DefaultUserSettings", ret_arn, err);
}

/* A private space runs as its owner, a shared one as what the domain says for spaces. */
static int ask_space(struct aws *aws, const struct metadata *m, char **ret_arn, struct err *err)
{
	auto_json *space = NULL;
	const char *owner;

	if (ask(aws, "DescribeSpace", json_pack("{s:s, s:s}", "DomainId", m->domain, "SpaceName", m->space), &space,
		err) < 0)
		return -1;
	owner = json_string_value(json_at(space, "OwnershipSettings", "OwnerUserProfileName", NULL));
	if (owner && str_eq(json_string_value(json_at(space, "SpaceSharingSettings", "SharingType", NULL)), "Private"))
		return ask_profile(aws, m, owner, ret_arn, err);
	return ask_domain(aws, m, "DefaultSpaceSettings", ret_arn, err);
}

static int ask_notebook(struct aws *aws, const struct metadata *m, char **ret_arn, struct err *err)
{
	auto_json *answer = NULL;

	if (ask(aws, "DescribeNotebookInstance", json_pack("{s:s}", "NotebookInstanceName", m->name), &answer, err) < 0)
		return -1;
	return take_arn(json_object_get(answer, "RoleArn"), ret_arn);
}

static int ask_sagemaker(struct aws *aws, const struct metadata *m, char **ret_arn, struct err *err)
{
	if (m->role && role_is_arn(m->role)) {
		*ret_arn = xstrdup(m->role);
		return 1;
	}
	if (m->domain && m->space)
		return ask_space(aws, m, ret_arn, err);
	if (m->domain && m->profile)
		return ask_profile(aws, m, m->profile, ret_arn, err);
	return !m->domain && m->name ? ask_notebook(aws, m, ret_arn, err) : 0;
}

/* 1 = found, 0 = not in SageMaker, or it may not be asked: then the caller's own role decides. */
static int from_sagemaker(struct aws *aws, const char *file, char **ret_arn, struct err *err)
{
	struct metadata m = { 0 };
	auto_err why = { 0 };
	int found = read_metadata(file, &m, err);

	if (found > 0)
		found = ask_sagemaker(aws, &m, ret_arn, &why);
	json_decref(m.doc);
	if (found >= 0 || err->code != ERR_NONE)
		return found;
	if (why.code == ERR_AUTH || why.code == ERR_NOT_FOUND || why.code == ERR_SERVICE)
		return 0;
	err_move(err, &why);
	return -1;
}

/* --- the caller's own role --- */

/* "assumed-role/NAME/SESSION" → NAME; new string, or NULL. */
static char *assumed_role(const struct arn *caller)
{
	const char *name = caller->resource + strlen("assumed-role/"), *slash;

	if (!str_eq(caller->service, "sts") || !str_starts(caller->resource, "assumed-role/"))
		return NULL;
	slash = strchr(name, '/');
	return slash ? xstrndup(name, (size_t)(slash - name)) : NULL;
}

static int no_role(const struct aws *aws, const char *why, struct err *err)
{
	err_set(err, ERR_CONFIG, "`role: auto` finds no role: the caller is '%s', %s", aws->id->arn, why);
	return err_hint(
		err, "name the role that the job assumes: role: NAME; `smpipe doctor --policy` prints what it needs");
}

/* Roles that the console made have this path; without GetRole nobody tells. */
static char *guess_arn(const struct arn *caller, const char *name)
{
	return xasprintf("arn:%s:iam::%s:role/%s%s", caller->partition, caller->account,
			 str_starts(name, "AmazonSageMaker-ExecutionRole") ? "service-role/" : "", name);
}

static int from_caller(struct aws *aws, char **ret_arn, struct err *err)
{
	auto_arn caller = { 0 };
	auto_free char *name = NULL;
	auto_iam_role role = { 0 };
	auto_err why = { 0 };

	if (arn_parse(aws->id->arn, &caller) == 0)
		name = assumed_role(&caller);
	if (!name)
		return no_role(aws, "which is no role", err);
	if (str_starts(name, "AWSReservedSSO_"))
		return no_role(aws, "whose role is for people who sign in", err);
	if (iam_get_role(aws, name, &role, &why) == 0) {
		*ret_arn = take(role.arn);
		return 0;
	}
	if (why.code != ERR_AUTH) {
		err_move(err, &why);
		return -1;
	}
	*ret_arn = guess_arn(&caller, name);
	return 0;
}

int role_resolve(struct aws *aws, const char *role, const char *metadata_file, char **ret_arn, struct err *err)
{
	int found;

	if (role_is_arn(role)) {
		*ret_arn = xstrdup(role);
		return 0;
	}
	if (strcmp(role, ROLE_AUTO) != 0)
		return look_up(aws, role, ret_arn, err);
	found = from_sagemaker(aws, metadata_file, ret_arn, err);
	return found == 0 ? from_caller(aws, ret_arn, err) : found < 0 ? -1 : 0;
}
