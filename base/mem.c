#include "base/mem.h"

#include <string.h>
#include <unistd.h>

static void *check(void *p)
{
	if (!p) {
		fputs("smpipe: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xmalloc(size_t size)
{
	return check(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return check(calloc(n ? n : 1, size ? size : 1));
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	return check(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return check(strdup(s));
}

char *xstrdup_or_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
	return check(strndup(s, n));
}

void *xmemdup(const void *p, size_t n)
{
	return memcpy(xmalloc(n), p, n);
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	return check(s);
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

void mem_free_p(void *pp)
{
	free(*(void **)pp);
}

void mem_close_p(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

void mem_fclose_p(FILE **f)
{
	if (*f)
		fclose(*f);
}

int take_fd(int *fd)
{
	int t = *fd;

	*fd = -1;
	return t;
}

void secret_set(struct secret *s, const char *value)
{
	char *copy = xstrdup_or_null(value);

	secret_release(s);
	s->value = copy;
}

void secret_release(struct secret *s)
{
	if (!s->value)
		return;
	explicit_bzero(s->value, strlen(s->value));
	free(s->value);
	s->value = NULL;
}
