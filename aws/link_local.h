#ifndef SMPIPE_AWS_LINK_LOCAL_H
#define SMPIPE_AWS_LINK_LOCAL_H

/*
 * The addresses within a machine that hand out credentials. Variables say where they are, so that whoever sets those
 * could make us send tokens elsewhere or take credentials from elsewhere: names prove nothing, the address connected to
 * decides.
 */

#include <stdbool.h>

#include "base/err.h"

/* Loopback, 169.254.170.2 (ECS), 169.254.170.23 and fd00:ec2::23 (EKS). For http_request.allow_address. */
bool link_local_is_container(const char *address);

/* Loopback, 169.254.0.0/16, fd00:ec2::254. */
bool link_local_is_metadata(const char *address);

/* Every address: for https, whose certificate says who answers. As a rule it keeps proxies out all the same. */
bool link_local_is_any(const char *address);

/*
 * Whether a URL is one that may be asked at all: https, or http to a host that is a name (whose addresses are then
 * judged when it is connected to) or an address, in its usual spelling, that allow_address accepts. No user, fragment,
 * white space, control character, backslash. ERR_CONFIG; `what` says where the URL comes from.
 */
int link_local_check_url(const char *url, bool (*allow_address)(const char *address), const char *what,
			 struct err *err);

#endif
