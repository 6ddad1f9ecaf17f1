#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

/* Like reallocarray(3), but out of memory it says so and aborts. A null pointer allocates. */
void *memory_resize(void *old, size_t count, size_t size);

/* count zeroed elements. */
void *memory_zeroed(size_t count, size_t size);

char *memory_copy_text(const char *text);

#endif
