#include <pthread.h>

#include "aws/creds_source.h"

#define ADVISORY_MS  (15 * 60 * 1000)
#define MANDATORY_MS (10 * 60 * 1000)
#define RETRY_MS     (60 * 1000)

struct creds_provider {
	pthread_mutex_t lock;         /* over everything below */
	struct creds_options options; /* strings are own copies */
	bool is_static;
	creds_source_fn source; /* NULL: all of them */
	void *source_ctx;
	struct creds creds;  /* the last that were found; access_key_id NULL: none yet */
	int64_t fetched_ms;  /* when */
	int64_t next_try_ms; /* not before, when a refresh was refused */
	struct http *own_http;
};

struct creds_provider *creds_provider_new(const struct creds_options *options)
{
	struct creds_provider *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	p->options = *options;
	p->options.profile = xstrdup_or_null(options->profile);
	p->options.region = xstrdup_or_null(options->region);
	return p;
}

struct creds_provider *creds_provider_static(const struct creds *creds)
{
	struct creds_provider *p = creds_provider_new(&(struct creds_options){ 0 });

	p->is_static = true;
	creds_copy(&p->creds, creds);
	return p;
}

struct creds_provider *creds_provider_from(creds_source_fn source, void *ctx, const struct sys *sys)
{
	struct creds_provider *p = creds_provider_new(&(struct creds_options){ .sys = sys });

	p->source = source;
	p->source_ctx = ctx;
	return p;
}

void creds_provider_free(struct creds_provider *p)
{
	if (!p)
		return;
	creds_release(&p->creds);
	http_free(p->own_http);
	free((char *)p->options.profile);
	free((char *)p->options.region);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static struct http *get_http(void *ctx)
{
	struct creds_provider *p = ctx;

	if (p->options.http)
		return p->options.http;
	if (!p->own_http)
		p->own_http = http_curl_new();
	return p->own_http;
}

static int search(struct creds_provider *p, struct creds *ret, struct err *err)
{
	__attribute__((cleanup(creds_context_release))) struct creds_context c = { .http = get_http, .http_ctx = p };

	if (p->source)
		return p->source(p->source_ctx, ret, err);
	return creds_context_open(&c, &p->options, err) < 0 ? -1 : creds_search(&c, ret, err);
}

static int fetch(struct creds_provider *p, struct err *err)
{
	auto_creds creds = { 0 };

	if (search(p, &creds, err) < 0)
		return -1;
	creds_copy(&p->creds, &creds);
	p->fetched_ms = p->options.sys->now_ms(p->options.sys);
	p->next_try_ms = 0;
	return 0;
}

enum freshness {
	FRESH,
	STALE,   /* to be fetched anew; may be used when that is refused */
	EXPIRED, /* or soon so: to be fetched anew, or not there yet */
};

/*
 * Short-lived credentials are not fetched anew at each call, nor are those which their source renews only shortly
 * before they end: the windows shrink with what they had left when they came.
 */
static enum freshness judge(const struct creds_provider *p)
{
	int64_t now_ms, lifetime_ms, left_ms, advisory_ms = ADVISORY_MS, mandatory_ms = MANDATORY_MS;

	if (!p->creds.access_key_id)
		return EXPIRED;
	if (p->is_static || !p->creds.expires_ms)
		return FRESH;
	now_ms = p->options.sys->now_ms(p->options.sys);
	left_ms = p->creds.expires_ms - now_ms;
	lifetime_ms = p->creds.expires_ms - p->fetched_ms;
	/* They had expired when they came: this clock is wrong, or the source's. The service decides. */
	if (lifetime_ms <= 0)
		return now_ms - p->fetched_ms < RETRY_MS ? FRESH : STALE;
	if (lifetime_ms / 2 < advisory_ms)
		advisory_ms = lifetime_ms / 2;
	if (lifetime_ms / 3 < mandatory_ms)
		mandatory_ms = lifetime_ms / 3;
	if (left_ms < mandatory_ms)
		return EXPIRED;
	return left_ms < advisory_ms && now_ms >= p->next_try_ms ? STALE : FRESH;
}

static int refresh(struct creds_provider *p, const struct creds *expired, struct err *err)
{
	enum freshness freshness = judge(p);
	/* Several threads that meet the same expiry fetch once, not each. */
	bool force = expired && creds_equal(expired, &p->creds);
	auto_err why = { 0 };

	if (p->is_static || (freshness == FRESH && !force))
		return 0;
	if (fetch(p, &why) == 0)
		return 0;
	if (freshness == STALE && !force && why.code != ERR_CANCELLED) {
		p->next_try_ms = p->options.sys->now_ms(p->options.sys) + RETRY_MS;
		report_text(p->options.report, REPORT_NOTE, "credentials", "refresh: %s; the present ones still live",
			    why.msg);
		return 0;
	}
	err_move(err, &why);
	return -1;
}

int creds_provider_get(struct creds_provider *p, const struct creds *expired, struct creds *ret, struct err *err)
{
	int result;

	pthread_mutex_lock(&p->lock);
	result = refresh(p, expired, err);
	if (result == 0)
		creds_copy(ret, &p->creds);
	pthread_mutex_unlock(&p->lock);
	return result;
}
