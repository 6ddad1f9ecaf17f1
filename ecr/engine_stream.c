#include "ecr/engine_stream.h"

#include <ctype.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"

/* An image has at most 127 layers; pulls of several images never share a stream. */
#define LAYERS_MAX 1000

/* The builder's own bookkeeping would push the lines that tell something out of the tail. */
static bool is_bookkeeping(const char *line)
{
	return str_starts(line, " --->") || str_starts(line, "Removing intermediate container ");
}

static void remember_line(struct engine_stream *s, const char *line)
{
	if (is_bookkeeping(line))
		return;
	if (s->tail.n == ENGINE_STREAM_TAIL_LINES) {
		free(s->tail.v[0]);
		s->tail.n--;
		memmove(s->tail.v, s->tail.v + 1, s->tail.n * sizeof(*s->tail.v));
	}
	strlist_add(&s->tail, line);
}

/* "Step 3/5 : RUN make" (Docker) or "STEP 3/5: RUN make" (Podman). */
static bool is_step(const char *line)
{
	return !strncasecmp(line, "step ", 5) && isdigit((unsigned char)line[5]) && strchr(line, ':');
}

/* Copy without colour and cursor sequences: the classic builder paints what a step writes to stderr red. */
static char *without_escapes(const char *text)
{
	auto_str b = { 0 };

	while (*text) {
		if (text[0] != '\033' || text[1] != '[') {
			str_add_char(&b, *text++);
			continue;
		}
		text += 2;
		while (*text && (unsigned char)*text < 0x40)
			text++;
		if (*text)
			text++;
	}
	return str_detach(&b);
}

static void emit_line(struct engine_stream *s)
{
	auto_free char *plain = without_escapes(str_text(&s->line));
	const char *line = plain, *overwritten;
	size_t n = strlen(plain);

	str_truncate(&s->line, 0);
	while (n && (plain[n - 1] == '\r' || plain[n - 1] == ' '))
		plain[--n] = '\0';
	/* What a progress bar drew before its last carriage return was not meant to last. */
	overwritten = strrchr(plain, '\r');
	if (overwritten)
		line = overwritten + 1;
	if (!*line)
		return;
	if (is_step(line)) {
		free(s->step);
		s->step = xstrdup(line);
	}
	remember_line(s, line);
	report_text(s->report, REPORT_LINE, s->stage, "%s", line);
}

static void add_output(struct engine_stream *s, const json_t *text)
{
	const char *p = json_string_value(text);

	for (const char *end = p + json_string_length(text); p < end; p++) {
		if (*p == '\n' || s->line.len == ENGINE_STREAM_LINE_MAX)
			emit_line(s);
		if (*p != '\n' && *p != '\0')
			str_add_char(&s->line, *p);
	}
}

static void sum_layers(struct engine_stream *s, const char *text)
{
	json_int_t done = 0, total = 0;
	const char *id;
	json_t *layer;

	json_object_foreach(s->layers, id, layer) {
		done += json_integer_value(json_object_get(layer, "current"));
		total += json_integer_value(json_object_get(layer, "total"));
	}
	report_progress(s->report, s->stage, text, (uint64_t)done, (uint64_t)total);
}

static bool is_byte_count(json_int_t n)
{
	return n >= 0 && n <= (json_int_t)1 << 50;
}

/*
 * Only what goes over the network counts: a pull tells the bytes of unpacking under the same layer id again. The total
 * of a layer may be missing or exceeded (compressed and plain sizes are mixed by the engine).
 */
static void note_progress(struct engine_stream *s, const char *id, const char *status, const json_t *detail)
{
	json_int_t current = json_integer_value(json_object_get(detail, "current"));
	json_int_t total = json_integer_value(json_object_get(detail, "total"));
	json_t *layer;

	if (!is_byte_count(current) || !is_byte_count(total))
		return;
	if (total < current)
		total = current;
	if (!s->layers)
		s->layers = json_object();
	layer = json_object_get(s->layers, id);
	if (!layer) {
		if (json_object_size(s->layers) >= LAYERS_MAX)
			return;
		layer = json_object();
		json_object_set_new(s->layers, id, layer);
	}
	json_put_int(layer, "current", current);
	json_put_int(layer, "total", total);
	sum_layers(s, status);
}

/* The layer is through: what was missing of its total came or was not needed. */
static void finish_layer(struct engine_stream *s, const char *id, const char *status)
{
	json_t *layer = s->layers ? json_object_get(s->layers, id) : NULL;

	if (!layer)
		return;
	json_put_int(layer, "current", json_integer_value(json_object_get(layer, "total")));
	sum_layers(s, status);
}

static void take_status(struct engine_stream *s, const json_t *message)
{
	const char *status = json_str(message, "status"), *id = json_str(message, "id");
	const json_t *detail = json_object_get(message, "progressDetail");

	if (!status)
		return;
	if (!id || str_starts(status, "Pulling from"))
		report_text(s->report, REPORT_LINE, s->stage, "%s", status);
	else if (str_eq(status, "Pushing") || str_eq(status, "Downloading"))
		note_progress(s, id, status, detail);
	else if (str_eq(status, "Pushed") || str_eq(status, "Download complete") || str_eq(status, "Pull complete"))
		finish_layer(s, id, status);
	else if (str_eq(status, "Layer already exists") || str_starts(status, "Mounted from"))
		report_text(s->report, REPORT_LINE, s->stage, "%s: %s", id, status);
}

static int take_digest(const json_t *aux, const char *key, char **ret, struct err *err)
{
	const char *text = json_str(aux, key);
	struct digest d;

	if (!text)
		return 0;
	if (digest_parse(text, &d) < 0) {
		auto_free char *shown = str_printable(text);

		return err_set(err, ERR_INVALID, "Docker Engine: '%s' is no %s of an image", shown, key);
	}
	free(*ret);
	*ret = digest_oci(&d);
	return 0;
}

static void take_error(struct engine_stream *s, const json_t *message)
{
	const char *words = json_str(json_object_get(message, "errorDetail"), "message");

	if (!words)
		words = json_str(message, "error");
	if (words && !s->error)
		s->error = str_trim(words);
}

static int take_message(struct engine_stream *s, struct err *err)
{
	json_error_t why;
	/* Not json_parse: a step may print NUL bytes, and they must not end its build. */
	auto_json *message = json_loadb(s->pending.s, s->pending.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
	const json_t *aux, *text;

	if (!message)
		return err_set(err, ERR_INVALID, "Docker Engine: a message is no valid JSON: %s", why.text);
	text = json_object_get(message, "stream");
	if (json_is_string(text))
		add_output(s, text);
	take_status(s, message);
	take_error(s, message);
	aux = json_object_get(message, "aux");
	if (take_digest(aux, "ID", &s->image_id, err) < 0)
		return -1;
	return take_digest(aux, "Digest", &s->digest, err);
}

/* Whether c ends the outermost object. Only nesting is followed here; the parser judges the rest. */
static bool ends_message(struct engine_stream *s, char c)
{
	if (s->is_in_string) {
		if (s->is_escaped)
			s->is_escaped = false;
		else if (c == '\\')
			s->is_escaped = true;
		else if (c == '"')
			s->is_in_string = false;
		return false;
	}
	if (c == '"')
		s->is_in_string = true;
	else if (c == '{' || c == '[')
		s->depth++;
	else if (c == '}' || c == ']')
		return --s->depth <= 0;
	return false;
}

static int take_char(struct engine_stream *s, char c, struct err *err)
{
	if (!s->pending.len) {
		if (c == '\n' || c == '\r' || c == ' ' || c == '\t')
			return 0;
		if (c != '{')
			return err_set(err, ERR_INVALID, "Docker Engine: the answer is no stream of JSON messages");
	}
	if (s->pending.len == ENGINE_STREAM_MESSAGE_MAX)
		return err_set(err, ERR_INVALID, "Docker Engine: a message is larger than 1 MiB");
	str_add_char(&s->pending, c);
	if (!ends_message(s, c))
		return 0;
	if (take_message(s, err) < 0)
		return -1;
	str_truncate(&s->pending, 0);
	s->depth = 0;
	return 0;
}

int engine_stream_feed(struct engine_stream *s, const char *p, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (take_char(s, p[i], err) < 0)
			return -1;
	return 0;
}

int engine_stream_end(struct engine_stream *s, struct err *err)
{
	if (s->line.len)
		emit_line(s);
	if (s->pending.len)
		return err_set(err, ERR_INVALID, "Docker Engine: the answer ends in the middle of a message");
	return 0;
}

char *engine_stream_step(const struct engine_stream *s)
{
	auto_free char *line = NULL;
	char *words;
	size_t n;

	if (!s->step)
		return NULL;
	line = str_printable(s->step);
	words = strchr(line, ':');
	n = strcspn(line + 5, " :");
	return xasprintf("step %.*s '%s'", (int)n, line + 5, words + 1 + strspn(words + 1, " "));
}

void engine_stream_release(struct engine_stream *s)
{
	str_release(&s->pending);
	str_release(&s->line);
	strlist_release(&s->tail);
	free(s->step);
	free(s->error);
	free(s->image_id);
	free(s->digest);
	json_decref(s->layers);
	*s = (struct engine_stream){ 0 };
}
