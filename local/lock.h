#ifndef SMPIPE_LOCAL_LOCK_H
#define SMPIPE_LOCAL_LOCK_H

/* A mutex held to the end of the scope: auto_unlock pthread_mutex_t *held = lock_take(&s->lock); */

#include <pthread.h>

static inline pthread_mutex_t *lock_take(pthread_mutex_t *m)
{
	pthread_mutex_lock(m);
	return m;
}

static inline void lock_drop(pthread_mutex_t **m)
{
	if (*m)
		pthread_mutex_unlock(*m);
	*m = NULL;
}

#define auto_unlock __attribute__((cleanup(lock_drop), unused))

#endif
