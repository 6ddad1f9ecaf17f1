#ifndef SMPIPE_CMD_UI_H
#define SMPIPE_CMD_UI_H

/*
 * The terminal: what reports look like. Everything goes to stderr; results go to stdout by the commands themselves. On
 * a terminal the last line, or the board that is shown, tells what moves; elsewhere each event is one plain line, and
 * what moves is told every half minute. Of requests that are tried again three are shown in ten seconds, the others
 * counted.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/report.h"
#include "base/sys.h"

/* How fast a stage moves, over its last five to ten seconds. */
struct ui_rate {
	char stage[16];
	struct {
		int64_t ms;
		uint64_t bytes;
	} from, next; /* measured from; what takes its place once it is old enough */
	uint64_t total_bytes;
	int64_t told_ms; /* when a log was told last */
};

struct ui {
	struct report report; /* give this to library code */
	const struct sys *sys;
	pthread_mutex_t lock;
	bool is_terminal;
	bool has_status;  /* a status line stands at the bottom */
	int64_t drawn_ms; /* when it was drawn */
	struct ui_rate rates[8];
	char *board;    /* lines that stand at the bottom instead; NULL: none */
	int board_rows; /* how many of them were drawn */
	int64_t retries_ms;
	int n_retries; /* since then */
};

void ui_init(struct ui *ui);
/*
 * Draw these printable lines in place of those that were shown before, as much of them as the terminal has room for;
 * reports appear above them. Nothing where there is no terminal.
 */
void ui_show_board(struct ui *ui, const char *lines);
/* Rows of the terminal; 0 where there is none. */
size_t ui_rows(const struct ui *ui);
/* Take the status line and the board away, before something else is printed. */
void ui_clear(struct ui *ui);
void ui_finish(struct ui *ui);

#endif
