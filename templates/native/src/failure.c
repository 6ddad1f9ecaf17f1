#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

int fail(struct failure *failure, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(failure->reason, sizeof(failure->reason), format, args);
	va_end(args);
	for (char *c = failure->reason; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return -1;
}
