#include "cmd/ui.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/table.h"

#define REDRAW_MS 100

/* Where the terminal does not tell its size. */
#define DEFAULT_ROWS    24
#define DEFAULT_COLUMNS 80

static void clear_status(struct ui *ui)
{
	if (ui->has_status)
		fputs("\r\033[K", stderr);
	ui->has_status = false;
	if (ui->board_rows)
		fprintf(stderr, "\033[%dA\033[J", ui->board_rows);
	ui->board_rows = 0;
}

static struct winsize terminal_size(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
		size = (struct winsize){ .ws_row = DEFAULT_ROWS, .ws_col = DEFAULT_COLUMNS };
	return size;
}

/* A line that the terminal would break, or one more than it has, would be left behind at the next drawing. */
static void draw_board(struct ui *ui)
{
	struct winsize size = terminal_size();
	auto_strlist lines = { 0 };

	if (!ui->board)
		return;
	str_split(&lines, ui->board, '\n');
	for (size_t i = 0; i + 1 < lines.n && i + 1 < size.ws_row; i++) {
		fprintf(stderr, "%.*s\n", (int)text_bytes(lines.v[i], size.ws_col - 1), lines.v[i]);
		ui->board_rows++;
	}
	fflush(stderr);
}

static void draw_status(struct ui *ui, const struct report_event *e)
{
	int64_t now_ms = sys_real.ticks_ms(&sys_real);
	auto_free char *text = str_printable(e->text ? e->text : "");
	auto_free char *done = str_bytes(e->done_bytes);
	auto_free char *total = str_bytes(e->total_bytes);

	if (ui->board || now_ms - ui->drawn_ms < REDRAW_MS)
		return;
	ui->drawn_ms = now_ms;
	clear_status(ui);
	if (!e->total_bytes && !e->done_bytes)
		fprintf(stderr, "%-8s %.70s", e->stage, text);
	else if (e->total_bytes)
		fprintf(stderr, "%-8s %.40s %s of %s (%d %%)", e->stage, text, done, total,
			(int)(100 * e->done_bytes / e->total_bytes));
	else
		fprintf(stderr, "%-8s %.60s %s", e->stage, text, done);
	fflush(stderr);
	ui->has_status = true;
}

static void print_line(struct ui *ui, const struct report_event *e)
{
	auto_free char *text = str_printable(e->text);
	const char *mark = e->kind == REPORT_WARNING ? "warning: " : "";

	clear_status(ui);
	if (e->kind == REPORT_LINE)
		fprintf(stderr, "  %s\n", text);
	else
		fprintf(stderr, "%-8s %s%s\n", e->stage, mark, text);
	draw_board(ui);
}

static void on_event(void *ctx, const struct report_event *e)
{
	struct ui *ui = ctx;

	pthread_mutex_lock(&ui->lock);
	if (e->kind != REPORT_PROGRESS)
		print_line(ui, e);
	else if (ui->is_terminal)
		draw_status(ui, e);
	pthread_mutex_unlock(&ui->lock);
}

void ui_init(struct ui *ui)
{
	*ui = (struct ui){ .report = { on_event, ui }, .is_terminal = isatty(STDERR_FILENO) };
	pthread_mutex_init(&ui->lock, NULL);
	/* Whole lines at once, so that lines of parallel stages do not tear. */
	setvbuf(stderr, NULL, _IOLBF, 0);
}

void ui_show_board(struct ui *ui, const char *lines)
{
	if (!ui->is_terminal)
		return;
	pthread_mutex_lock(&ui->lock);
	clear_status(ui);
	free(ui->board);
	ui->board = xstrdup(lines);
	draw_board(ui);
	pthread_mutex_unlock(&ui->lock);
}

size_t ui_rows(const struct ui *ui)
{
	return ui->is_terminal ? terminal_size().ws_row : 0;
}

static void clear_all(struct ui *ui)
{
	clear_status(ui);
	free(ui->board);
	ui->board = NULL;
}

void ui_clear(struct ui *ui)
{
	pthread_mutex_lock(&ui->lock);
	clear_all(ui);
	pthread_mutex_unlock(&ui->lock);
}

void ui_finish(struct ui *ui)
{
	clear_all(ui);
	pthread_mutex_destroy(&ui->lock);
}
