#ifndef SMPIPE_CMD_UI_H
#define SMPIPE_CMD_UI_H

/*
 * The terminal: what reports look like. Everything goes to stderr; results go to stdout by the commands themselves. On
 * a terminal the last line shows what moves; elsewhere each event is one plain line.
 */

#include <pthread.h>
#include <stdbool.h>

#include "base/report.h"

/* Since when a stage moves, for its rate. */
struct ui_rate {
	char stage[16];
	int64_t start_ms;
	uint64_t start_bytes;
};

struct ui {
	struct report report; /* give this to library code */
	pthread_mutex_t lock;
	bool is_terminal;
	bool has_status;  /* a status line stands at the bottom */
	int64_t drawn_ms; /* when it was drawn */
	struct ui_rate rates[8];
	bool is_quiet; /* log lines and warnings only */
};

void ui_init(struct ui *ui);
/* Take the status line away, before something else is printed. */
void ui_clear(struct ui *ui);
void ui_finish(struct ui *ui);

#endif
