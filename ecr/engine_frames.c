#include "ecr/engine_frames.h"

#include <string.h>

static int emit_line(struct engine_frames *f, struct str *line, struct err *err)
{
	size_t n = line->len;
	int result;

	if (n && line->s[n - 1] == '\r')
		n--;
	result = f->fn(f->ctx, str_text(line), n, err);
	str_truncate(line, 0);
	return result;
}

static int add_text(struct engine_frames *f, const char *p, size_t n, struct err *err)
{
	/* 0 is stdin, which nobody attaches; engines count it as output. */
	struct str *line = &f->line[f->header[0] == 2];

	while (n) {
		const char *end = memchr(p, '\n', n);
		size_t room = ENGINE_FRAMES_LINE_MAX - line->len;
		size_t piece = end ? (size_t)(end - p) : n;

		if (piece > room) {
			piece = room;
			end = NULL;
		}
		str_add_mem(line, p, piece);
		p += piece + (end ? 1 : 0);
		n -= piece + (end ? 1 : 0);
		if ((end || line->len == ENGINE_FRAMES_LINE_MAX) && emit_line(f, line, err) < 0)
			return -1;
	}
	return 0;
}

static int take_header(struct engine_frames *f, struct err *err)
{
	const unsigned char *h = f->header;

	if (h[0] > 2 || h[1] || h[2] || h[3])
		return err_set(err, ERR_INVALID, "Docker Engine: the container's output does not come in frames");
	f->left = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
	return 0;
}

int engine_frames_feed(struct engine_frames *f, const char *p, size_t n, struct err *err)
{
	while (n) {
		size_t piece;

		if (f->header_n < sizeof(f->header)) {
			f->header[f->header_n++] = (unsigned char)*p++;
			n--;
			if (f->header_n == sizeof(f->header) && take_header(f, err) < 0)
				return -1;
		} else {
			piece = n < f->left ? n : f->left;
			if (add_text(f, p, piece, err) < 0)
				return -1;
			p += piece;
			n -= piece;
			f->left -= (uint32_t)piece;
		}
		if (f->header_n == sizeof(f->header) && !f->left)
			f->header_n = 0;
	}
	return 0;
}

int engine_frames_end(struct engine_frames *f, struct err *err)
{
	for (size_t i = 0; i < 2; i++) {
		if (f->line[i].len && emit_line(f, &f->line[i], err) < 0)
			return -1;
	}
	if (f->header_n)
		return err_set(err, ERR_INVALID, "Docker Engine: the container's output ends in the middle of a frame");
	return 0;
}

void engine_frames_release(struct engine_frames *f)
{
	str_release(&f->line[0]);
	str_release(&f->line[1]);
	*f = (struct engine_frames){ 0 };
}
