#include "cmd/ui.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "cmd/table.h"

#define REDRAW_MS 100
/* A log that stays silent for long looks like a process that hangs; some CI ends those. */
#define LOG_MS 30000
/* Before that, a rate says little. */
#define RATE_AFTER_MS  1000
#define RATE_WINDOW_MS 5000
/* A service in trouble refuses hundreds of requests at once. */
#define RETRIES_SHOWN     3
#define RETRIES_WINDOW_MS 10000

/* Where the terminal does not tell its size. */
#define DEFAULT_ROWS    24
#define DEFAULT_COLUMNS 80
#define LOG_COLUMNS     200

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

static void start_rate(struct ui_rate *r, const struct report_event *e, int64_t now_ms)
{
	int64_t told_ms = *r->stage ? r->told_ms : now_ms;

	*r = (struct ui_rate){ .from = { now_ms, e->done_bytes },
			       .next = { now_ms, e->done_bytes },
			       .total_bytes = e->total_bytes,
			       .told_ms = told_ms };
	snprintf(r->stage, sizeof(r->stage), "%s", e->stage);
}

/* The stage's rate; one that starts over, or with something else, begins anew. NULL: no room for one more stage. */
static struct ui_rate *rate_of(struct ui *ui, const struct report_event *e, int64_t now_ms)
{
	struct ui_rate *r = NULL;

	for (size_t i = 0; i < ARRAY_LEN(ui->rates) && !r; i++)
		if (!*ui->rates[i].stage || !strncmp(ui->rates[i].stage, e->stage, sizeof(r->stage) - 1))
			r = &ui->rates[i];
	if (r && (!*r->stage || e->done_bytes < r->next.bytes || e->total_bytes != r->total_bytes))
		start_rate(r, e, now_ms);
	if (r && now_ms - r->next.ms >= RATE_WINDOW_MS) {
		r->from = r->next;
		r->next.ms = now_ms;
		r->next.bytes = e->done_bytes;
	}
	return r;
}

/* ", 310 MiB/s, 12 s left"; new string. */
static char *rate_words(const struct ui_rate *r, const struct report_event *e, int64_t now_ms)
{
	int64_t took_ms = r ? now_ms - r->from.ms : 0;
	uint64_t moved = r ? e->done_bytes - r->from.bytes : 0;
	auto_free char *rate = NULL, *left = NULL;

	if (took_ms < RATE_AFTER_MS || !moved)
		return xstrdup("");
	rate = str_bytes((uint64_t)((double)moved * 1000 / (double)took_ms));
	if (e->total_bytes <= e->done_bytes)
		return xasprintf(", %s/s", rate);
	left = str_duration_ms((int64_t)((double)(e->total_bytes - e->done_bytes) * (double)took_ms / (double)moved));
	return xasprintf(", %s/s, %s left", rate, left);
}

/* "1.0 GiB of 3.0 GiB (33 %), 310 MiB/s, 12 s left"; new string. */
static char *progress_words(const struct report_event *e, const char *rate)
{
	auto_free char *done = str_bytes(e->done_bytes);
	auto_free char *total = str_bytes(e->total_bytes);

	if (!e->total_bytes)
		return e->done_bytes ? xasprintf("%s%s", done, rate) : xstrdup("");
	return xasprintf("%s of %s (%d %%)%s", done, total, (int)(100 * e->done_bytes / e->total_bytes), rate);
}

/* One line, at most so many columns wide: the name of what moves gives way. New string. */
static char *status_line(const struct report_event *e, const char *progress, size_t columns)
{
	auto_free char *text = str_printable(e->text ? e->text : "");
	size_t taken = strlen("12345678 ") + strlen(progress) + 1, room = columns > taken ? columns - taken : 0;
	auto_free char *line = xasprintf("%-8s %.*s%s%s", e->stage, (int)text_bytes(text, room), text,
					 *text && *progress && room ? " " : "", progress);

	line[text_bytes(line, columns)] = '\0';
	return take(line);
}

static void show_progress(struct ui *ui, const struct report_event *e)
{
	int64_t now_ms = ui->sys->ticks_ms(ui->sys);
	struct ui_rate *moving = rate_of(ui, e, now_ms);
	auto_free char *rate = rate_words(moving, e, now_ms);
	auto_free char *progress = progress_words(e, rate);
	auto_free char *line = NULL;

	if (ui->is_terminal ? ui->board || now_ms - ui->drawn_ms < REDRAW_MS
			    : !moving || !*progress || now_ms - moving->told_ms < LOG_MS)
		return;
	line = status_line(e, progress, ui->is_terminal ? terminal_size().ws_col - 1u : LOG_COLUMNS);
	if (!ui->is_terminal) {
		moving->told_ms = now_ms;
		fprintf(stderr, "%s\n", line);
		return;
	}
	ui->drawn_ms = now_ms;
	clear_status(ui);
	fputs(line, stderr);
	fflush(stderr);
	ui->has_status = true;
}

/* Of the requests that are tried again, the words on those that were not shown. */
static void tell_retries(struct ui *ui)
{
	if (ui->n_retries > RETRIES_SHOWN)
		fprintf(stderr, "%-8s and %d more\n", "retry", ui->n_retries - RETRIES_SHOWN);
	ui->n_retries = 0;
}

static bool is_shown(struct ui *ui, const struct report_event *e)
{
	int64_t now_ms = ui->sys->ticks_ms(ui->sys);

	if (strcmp(e->stage, "retry") != 0)
		return true;
	if (now_ms - ui->retries_ms >= RETRIES_WINDOW_MS) {
		clear_status(ui);
		tell_retries(ui);
		ui->retries_ms = now_ms;
	}
	return ++ui->n_retries <= RETRIES_SHOWN;
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
	if (e->kind == REPORT_PROGRESS)
		show_progress(ui, e);
	else if (is_shown(ui, e))
		print_line(ui, e);
	pthread_mutex_unlock(&ui->lock);
}

void ui_init(struct ui *ui)
{
	*ui = (struct ui){ .report = { on_event, ui }, .sys = &sys_real, .is_terminal = isatty(STDERR_FILENO) };
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
	tell_retries(ui);
	free(ui->board);
	ui->board = NULL;
	/* What follows goes to another stream, which may be the same terminal. */
	fflush(stderr);
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
