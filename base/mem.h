#ifndef SMPIPE_BASE_MEM_H
#define SMPIPE_BASE_MEM_H

/* Memory: allocation that does not fail, and ownership that ends with the scope. */

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* Out of memory prints one line and aborts: there is nothing sensible left to do. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
void *xmemdup(const void *p, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* NULL stays NULL. */
char *xstrdup_or_null(const char *s);

void mem_free_p(void *pp);
void mem_close_p(int *fd);
void mem_fclose_p(FILE **f);

/* auto_free char *s = NULL;  auto_close int fd = -1;  auto_fclose FILE *f = NULL; */
#define auto_free   __attribute__((cleanup(mem_free_p)))
#define auto_close  __attribute__((cleanup(mem_close_p)))
#define auto_fclose __attribute__((cleanup(mem_fclose_p)))

/* Hand over what an auto_ variable owns: the value, leaving NULL behind. */
#define take(p)                                                                                                        \
	(__extension__({                                                                                               \
		__typeof__(p) _t = (p);                                                                                \
		(p) = NULL;                                                                                            \
		_t;                                                                                                    \
	}))

/* The same for a file descriptor, leaving -1. */
int take_fd(int *fd);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Make room for one more element in the array v (capacity *cap, n used), doubling. */
#define array_grow(v, n, cap)                                                                                          \
	do {                                                                                                           \
		if ((n) == (cap)) {                                                                                    \
			(cap) = (cap) ? 2 * (cap) : 8;                                                                 \
			(v) = xreallocarray((v), (cap), sizeof(*(v)));                                                 \
		}                                                                                                      \
	} while (0)

/* Bytes that must not be seen: wiped on release, never printed. Zeroed memory is an unset secret. */
struct secret {
	char *value; /* NUL-terminated; NULL when unset */
};

void secret_set(struct secret *s, const char *value); /* copies; NULL unsets */
void secret_release(struct secret *s);

#endif
