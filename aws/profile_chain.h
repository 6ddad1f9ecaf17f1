#ifndef SMPIPE_AWS_PROFILE_CHAIN_H
#define SMPIPE_AWS_PROFILE_CHAIN_H

/*
 * How a profile comes to its credentials: a base, then roles one after another. Pure: nothing is asked or run.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
 */

#include "aws/profile.h"
#include "base/str.h"

enum profile_base {
	PROFILE_KEYS,         /* aws_access_key_id and its companions in the profile */
	PROFILE_WEB_IDENTITY, /* web_identity_token_file and role_arn */
	PROFILE_SSO,          /* sso_session, or sso_start_url */
	PROFILE_PROCESS,      /* credential_process */
	PROFILE_ENVIRONMENT,  /* credential_source = Environment */
	PROFILE_CONTAINER,    /* credential_source = EcsContainer */
	PROFILE_IMDS,         /* credential_source = Ec2InstanceMetadata */
};

struct profile_chain {
	enum profile_base base;
	char *profile;        /* where the base stands */
	struct strlist roles; /* profiles whose role_arn is assumed, in that order */
};

#define auto_profile_chain __attribute__((cleanup(profile_chain_release))) struct profile_chain
void profile_chain_release(struct profile_chain *c);

/*
 * Follow source_profile from a profile to the base. 1 = found; 0 = the profile says nothing of credentials, or is
 * absent; -1 with ERR_CONFIG: it contradicts itself, lacks a part, or goes round in a circle.
 *
 * In a profile that another one names as its source, keys go before a role. A profile may name itself: then its keys
 * take on its role.
 */
int profile_chain_find(const struct profiles *p, const char *profile, struct profile_chain *ret, struct err *err);

#endif
