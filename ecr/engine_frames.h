#ifndef SMPIPE_ECR_ENGINE_FRAMES_H
#define SMPIPE_ECR_ENGINE_FRAMES_H

/*
 * The stream of a container's logs without a terminal: frames of an 8-byte header (stream number, three zeros, length
 * as 32 bits, big endian) and their bytes, split anywhere by the transport, taken apart into lines.
 * https://docs.docker.com/reference/api/engine/version/v1.43/#tag/Container/operation/ContainerAttach
 */

#include <stdint.h>

#include "base/str.h"
#include "ecr/engine_container.h"

/* Longer lines are handed over in pieces. */
#define ENGINE_FRAMES_LINE_MAX (64 * 1024)

/* Zeroed memory with fn and ctx set is a stream at its beginning. */
struct engine_frames {
	container_line_fn fn;
	void *ctx;
	unsigned char header[8];
	size_t header_n;    /* bytes of the header that came */
	uint32_t left;      /* bytes of the frame that are still to come */
	struct str line[2]; /* begun lines of stdout and stderr */
};

#define auto_engine_frames __attribute__((cleanup(engine_frames_release))) struct engine_frames

/* Feed bytes; ERR_INVALID for what is no frame. An error of fn is handed on. */
int engine_frames_feed(struct engine_frames *f, const char *p, size_t n, struct err *err);
/* The stream is over: lines without an end are handed over; a half frame is ERR_INVALID. */
int engine_frames_end(struct engine_frames *f, struct err *err);
void engine_frames_release(struct engine_frames *f);

#endif
