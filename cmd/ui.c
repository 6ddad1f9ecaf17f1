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
/* Before that, a rate says little. */
#define RATE_AFTER_MS 1000

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

/* The stage's rate; one that starts over, or with something else, begins anew. */
static struct ui_rate *rate_of(struct ui *ui, const struct report_event *e, int64_t now_ms)
{
	struct ui_rate *r = NULL;

	for (size_t i = 0; i < ARRAY_LEN(ui->rates) && !r; i++)
		if (!*ui->rates[i].stage || !strncmp(ui->rates[i].stage, e->stage, sizeof(r->stage) - 1))
			r = &ui->rates[i];
	if (r && (!*r->stage || e->done_bytes < r->start_bytes || e->total_bytes != r->total_bytes)) {
		*r = (struct ui_rate){ .start_ms = now_ms,
				       .start_bytes = e->done_bytes,
				       .total_bytes = e->total_bytes };
		snprintf(r->stage, sizeof(r->stage), "%s", e->stage);
	}
	return r;
}

/* ", 310 MiB/s, 12 s left"; new string. */
static char *rate_words(const struct ui_rate *r, const struct report_event *e, int64_t now_ms)
{
	int64_t took_ms = r ? now_ms - r->start_ms : 0;
	uint64_t moved = r ? e->done_bytes - r->start_bytes : 0;
	auto_free char *rate = NULL, *left = NULL;

	if (took_ms < RATE_AFTER_MS || !moved)
		return xstrdup("");
	rate = str_bytes((uint64_t)((double)moved * 1000 / (double)took_ms));
	if (e->total_bytes < e->done_bytes)
		return xasprintf(", %s/s", rate);
	left = str_duration_ms((int64_t)((double)(e->total_bytes - e->done_bytes) * (double)took_ms / (double)moved));
	return xasprintf(", %s/s, %s left", rate, left);
}

static void draw_status(struct ui *ui, const struct report_event *e)
{
	int64_t now_ms = sys_real.ticks_ms(&sys_real);
	auto_free char *text = str_printable(e->text ? e->text : "");
	auto_free char *done = str_bytes(e->done_bytes);
	auto_free char *total = str_bytes(e->total_bytes);
	struct ui_rate *moving = rate_of(ui, e, now_ms);
	auto_free char *rate = rate_words(moving, e, now_ms);

	if (ui->board || now_ms - ui->drawn_ms < REDRAW_MS)
		return;
	ui->drawn_ms = now_ms;
	clear_status(ui);
	if (!e->total_bytes && !e->done_bytes)
		fprintf(stderr, "%-8s %.70s", e->stage, text);
	else if (e->total_bytes)
		fprintf(stderr, "%-8s %.30s %s of %s (%d %%)%s", e->stage, text, done, total,
			(int)(100 * e->done_bytes / e->total_bytes), rate);
	else
		fprintf(stderr, "%-8s %.40s %s%s", e->stage, text, done, rate);
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
