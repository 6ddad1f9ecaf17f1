#ifndef SMPIPE_BASE_ERR_H
#define SMPIPE_BASE_ERR_H

#include <stdbool.h>

/*
 * Errors as values.
 *
 * A function that can fail returns 0 or -1 (or a pointer or NULL) and takes `struct err *err` last: never NULL,
 * untouched on success. The message is complete: what was tried, on which thing; main prints it once.
 */

/* What a caller may branch on; everything else is words. */
enum err_code {
	ERR_NONE,
	ERR_IO,         /* the operating system refused: files, sockets, disk full */
	ERR_USAGE,      /* the command line is wrong; nothing was touched */
	ERR_CONFIG,     /* smpipe.yaml, the repository or the environment is wrong; nothing was touched */
	ERR_INVALID,    /* data from outside (JSON, XML, tar, answers) is malformed or over its limit */
	ERR_NETWORK,    /* no answer: connection refused, timeout, TLS */
	ERR_AUTH,       /* no credentials, or the service refused them */
	ERR_NOT_FOUND,  /* the thing that was asked for does not exist */
	ERR_CONFLICT,   /* it exists already, with other content or another owner */
	ERR_CAPACITY,   /* quota or capacity, after the retries */
	ERR_SERVICE,    /* any other refusal by a service; service_code says which */
	ERR_FAILED,     /* the work failed: a build, a comparison */
	ERR_UNPROVEN,   /* a comparison cannot be made: what would tell is not there */
	ERR_JOB_FAILED, /* the training job ended as Failed */
	ERR_STOPPED,    /* the training job was stopped */
	ERR_TIMEOUT,    /* the time that the user allowed is over */
	ERR_CANCELLED,  /* ^C or SIGTERM */
};

struct err {
	enum err_code code;
	char *msg;          /* one line, or lines of a quoted source with a caret */
	char *hint;         /* what to do about it, or NULL */
	char *service_code; /* the service's own error code ("NoSuchBucket"), or NULL */
	int os_errno;       /* what err_errno() was called for, else 0 */
};

#define auto_err __attribute__((cleanup(err_release))) struct err

/* Set the error and return -1. A previous error in *err is replaced. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set with class ERR_IO, the words followed by `: strerror(errno)`. Returns -1. */
int err_errno(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put `words: ` in front of the message, keep the class. Returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Say what the user can do; replaces an earlier hint. Returns -1. */
int err_hint(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Attach the code that a service gave ("ResourceInUse"). Returns -1. */
int err_service(struct err *err, const char *service_code);

/* Whether the service gave this code. */
int err_is_service(const struct err *err, const char *service_code);

/* Whether a write found the disk, or the user's share of it, full. */
bool err_is_disk_full(const struct err *err);

/* Move from into *to (which is released first); from is empty afterwards. */
void err_move(struct err *to, struct err *from);

void err_release(struct err *err);

#endif
