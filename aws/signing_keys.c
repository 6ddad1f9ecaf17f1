#include "aws/signing_keys.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* More than the services that one command talks to. */
#define MAX_KEYS 8

struct kept {
	char *scope; /* "YYYYMMDD/region/service" */
	struct secret secret;
	struct digest key;
};

struct signing_keys {
	pthread_mutex_t mutex;
	struct kept v[MAX_KEYS];
	size_t next; /* the one that is replaced next */
};

struct signing_keys *signing_keys_new(void)
{
	struct signing_keys *k = xcalloc(1, sizeof(*k));

	pthread_mutex_init(&k->mutex, NULL);
	return k;
}

static void drop(struct kept *kept)
{
	free(kept->scope);
	secret_release(&kept->secret);
	explicit_bzero(&kept->key, sizeof(kept->key));
	kept->scope = NULL;
}

void signing_keys_free(struct signing_keys *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < MAX_KEYS; i++)
		drop(&k->v[i]);
	pthread_mutex_destroy(&k->mutex);
	free(k);
}

static char *scope_name(const char *date, const struct sigv4_scope *scope)
{
	return xasprintf("%s/%s/%s", date, scope->region, scope->service);
}

bool signing_keys_find(struct signing_keys *k, const char *date, const struct sigv4_scope *scope,
		       const char *secret_access_key, struct digest *ret)
{
	auto_free char *name = NULL;
	bool is_found = false;

	if (!k)
		return false;
	name = scope_name(date, scope);
	pthread_mutex_lock(&k->mutex);
	for (size_t i = 0; i < MAX_KEYS && !is_found; i++) {
		is_found = str_eq(k->v[i].scope, name) && str_eq(k->v[i].secret.value, secret_access_key);
		if (is_found)
			*ret = k->v[i].key;
	}
	pthread_mutex_unlock(&k->mutex);
	return is_found;
}

void signing_keys_keep(struct signing_keys *k, const char *date, const struct sigv4_scope *scope,
		       const char *secret_access_key, const struct digest *key)
{
	struct kept *kept;

	if (!k)
		return;
	pthread_mutex_lock(&k->mutex);
	kept = &k->v[k->next++ % MAX_KEYS];
	drop(kept);
	kept->scope = scope_name(date, scope);
	secret_set(&kept->secret, secret_access_key);
	kept->key = *key;
	pthread_mutex_unlock(&k->mutex);
}
