/*
 * Included before every source (see Makefile): functions that have no place in this program. They overflow, keep hidden
 * state, or start a shell.
 */
#ifndef SMPIPE_BASE_BANNED_H
#define SMPIPE_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef strcpy
#undef strcat
#undef strncpy
#undef strtok
#undef strncat
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets atoi atol atoll system popen gmtime      \
	localtime tmpnam mktemp

#endif
