#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/mem.h"

static void replace_message(struct err *err, enum err_code code, char *msg)
{
	err_release(err);
	err->code = code;
	err->msg = msg;
}

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;
	char *msg;

	va_start(ap, fmt);
	msg = xvasprintf(fmt, ap);
	va_end(ap);
	replace_message(err, code, msg);
	return -1;
}

int err_errno(struct err *err, const char *fmt, ...)
{
	int saved = errno;
	auto_free char *words = NULL;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	replace_message(err, ERR_IO, xasprintf("%s: %s", words, strerror(saved)));
	err->os_errno = saved;
	errno = saved;
	return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	auto_free char *words = NULL;
	char *msg;
	va_list ap;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	msg = xasprintf("%s: %s", words, err->msg ? err->msg : "no details");
	free(err->msg);
	err->msg = msg;
	return -1;
}

int err_hint(struct err *err, const char *fmt, ...)
{
	va_list ap;

	free(err->hint);
	va_start(ap, fmt);
	err->hint = xvasprintf(fmt, ap);
	va_end(ap);
	return -1;
}

int err_service(struct err *err, const char *service_code)
{
	free(err->service_code);
	err->service_code = service_code ? xstrdup(service_code) : NULL;
	return -1;
}

int err_is_service(const struct err *err, const char *service_code)
{
	return err->service_code && !strcmp(err->service_code, service_code);
}

bool err_is_disk_full(const struct err *err)
{
	return err->os_errno == ENOSPC || err->os_errno == EDQUOT;
}

void err_move(struct err *to, struct err *from)
{
	err_release(to);
	*to = *from;
	*from = (struct err){ 0 };
}

void err_release(struct err *err)
{
	free(err->msg);
	free(err->hint);
	free(err->service_code);
	*err = (struct err){ 0 };
}
