#include "base/report.h"

#include <stdarg.h>

#include "base/mem.h"

void report_text(const struct report *r, enum report_kind kind, const char *stage, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list ap;

	if (!r)
		return;
	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	r->fn(r->ctx, &(struct report_event){ .kind = kind, .stage = stage, .text = text });
}

void report_progress(const struct report *r, const char *stage, const char *text, uint64_t done_bytes,
		     uint64_t total_bytes)
{
	if (r)
		r->fn(r->ctx, &(struct report_event){ REPORT_PROGRESS, stage, text, done_bytes, total_bytes });
}
