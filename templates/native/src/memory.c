#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *memory)
{
	if (!memory) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return memory;
}

/* malloc(0) may return NULL, which is no lack of memory. */
static size_t at_least_one(size_t count)
{
	return count ? count : 1;
}

void *memory_resize(void *old, size_t count, size_t size)
{
	return check(reallocarray(old, at_least_one(count), size));
}

void *memory_zeroed(size_t count, size_t size)
{
	return check(calloc(at_least_one(count), size));
}

char *memory_copy_text(const char *text)
{
	return check(strdup(text));
}
