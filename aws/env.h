#ifndef SMPIPE_AWS_ENV_H
#define SMPIPE_AWS_ENV_H

/* Environment variables, so that a test can bring its own. */

/* Looks an environment variable up. Where one is asked for, NULL means getenv. */
typedef const char *(*env_fn)(const char *name);

/* The value of a variable, or NULL when it is unset or blank. Borrowed. */
const char *env_get(env_fn env, const char *name);

#endif
