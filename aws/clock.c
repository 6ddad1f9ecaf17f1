#include "aws/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aws/call.h"
#include "base/mem.h"

struct aws_clock {
	pthread_mutex_t mutex;
	int64_t offset_ms[AWS_SERVICE_COUNT]; /* equal for services at one host */
};

struct aws_clock *aws_clock_new(void)
{
	struct aws_clock *c = xcalloc(1, sizeof(*c));

	pthread_mutex_init(&c->mutex, NULL);
	return c;
}

void aws_clock_free(struct aws_clock *c)
{
	if (!c)
		return;
	pthread_mutex_destroy(&c->mutex);
	free(c);
}

int64_t aws_clock_offset_ms(const struct aws_identity *id, enum aws_service service)
{
	int64_t offset_ms;

	if (!id->clock)
		return 0;
	pthread_mutex_lock(&id->clock->mutex);
	offset_ms = id->clock->offset_ms[service];
	pthread_mutex_unlock(&id->clock->mutex);
	return offset_ms;
}

int64_t aws_clock_now_ms(const struct aws_identity *id, enum aws_service service)
{
	return id->sys->now_ms(id->sys) + aws_clock_offset_ms(id, service);
}

/* Whether two endpoints have scheme, host and port in common. */
static bool is_same_host(const struct endpoint *a, const struct endpoint *b)
{
	size_t n;

	if (!a->url || !b->url)
		return false;
	n = strcspn(a->url + strlen("https://"), "/") + strlen("https://");
	return !strncmp(a->url, b->url, n) && strchr("/", b->url[n]);
}

bool aws_clock_was_wrong(const struct aws_identity *id, int64_t offset_ms, const struct http_response *resp)
{
	int64_t skew_s;

	return aws_clock_skew(resp, id->sys, &skew_s) && llabs(skew_s - offset_ms / 1000) > AWS_CLOCK_MAX_SKEW_S;
}

void aws_clock_learn(const struct aws_identity *id, enum aws_service service, const struct http_response *resp)
{
	int64_t skew_s;

	if (!id->clock || !aws_clock_skew(resp, id->sys, &skew_s))
		return;
	pthread_mutex_lock(&id->clock->mutex);
	for (int i = 0; i < AWS_SERVICE_COUNT; i++)
		if (i == (int)service || is_same_host(&id->endpoints[service], &id->endpoints[i]))
			id->clock->offset_ms[i] = skew_s * 1000;
	pthread_mutex_unlock(&id->clock->mutex);
}

bool aws_clock_skew(const struct http_response *resp, const struct sys *sys, int64_t *ret_s)
{
	const char *date = http_headers_get(&resp->headers, "date");
	const char *end;
	struct tm tm = { 0 };

	end = date ? strptime(date, "%a, %d %b %Y %H:%M:%S", &tm) : NULL;
	if (!end || strcmp(end, " GMT") != 0)
		return false;
	*ret_s = (int64_t)timegm(&tm) - sys->now_ms(sys) / 1000;
	return true;
}
