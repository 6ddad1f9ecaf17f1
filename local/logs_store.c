#include "local/logs_store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "local/lock.h"

/* How much of a file is looked at for one page: more than the longest line, which may be six times its message. */
#define WINDOW_BYTES ((size_t)4 << 20)

int store_logs_new(const char *dir, struct store_logs **ret, struct err *err)
{
	struct store_logs *s;

	if (fs_mkdir_p(dir, 0755, err) < 0)
		return -1;
	s = xcalloc(1, sizeof(*s));
	s->dir = xstrdup(dir);
	pthread_mutex_init(&s->lock, NULL);
	*ret = s;
	return 0;
}

void store_logs_free(struct store_logs *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s->dir);
	free(s);
}

void logs_events_release(struct logs_events *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i].message);
	free(e->v);
	*e = (struct logs_events){ 0 };
}

/* A name as that of a file; NULL when it has none: empty, dots, too long. */
static char *encode_name(const char *name)
{
	auto_free char *encoded = str_uri_encode(name, false);

	if (!*encoded || strlen(encoded) > NAME_MAX || !strcmp(encoded, ".") || !strcmp(encoded, ".."))
		return NULL;
	return take(encoded);
}

static char *group_path(const struct store_logs *s, const char *group)
{
	auto_free char *name = encode_name(group);

	return name ? fs_join(s->dir, name) : NULL;
}

static char *stream_path(const struct store_logs *s, const char *group, const char *stream)
{
	auto_free char *folder = group_path(s, group);
	auto_free char *name = encode_name(stream);

	return folder && name ? fs_join(folder, name) : NULL;
}

/* Cut to the limit, not within a character; what is no UTF-8 at all cannot be JSON. */
static char *tidy_message(const char *message)
{
	size_t n = strnlen(message, LOGS_MESSAGE_MAX_BYTES + 1);
	auto_free char *cut = NULL;

	if (n > LOGS_MESSAGE_MAX_BYTES)
		for (n = LOGS_MESSAGE_MAX_BYTES; n > 0 && ((unsigned char)message[n] & 0xc0) == 0x80; n--)
			;
	cut = xstrndup(message, n);
	return str_is_utf8(cut, n) ? take(cut) : str_printable(cut);
}

static char *make_line(int64_t timestamp_ms, const char *message)
{
	auto_json *event = json_object();
	auto_free char *text = NULL, *tidy = tidy_message(message);

	json_put_int(event, "t", timestamp_ms);
	json_put_str(event, "m", tidy);
	text = json_compact(event);
	return xasprintf("%s\n", text);
}

/* Whether the file ends within a line: what a killed process wrote. */
static bool is_torn(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char last;

	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

int store_logs_append(struct store_logs *s, const char *group, const char *stream, int64_t timestamp_ms,
		      const char *message, struct err *err)
{
	auto_unlock pthread_mutex_t *held = lock_take(&s->lock);
	auto_free char *folder = group_path(s, group), *path = stream_path(s, group, stream), *line = NULL;
	auto_close int fd = -1;

	if (!path)
		return err_set(err, ERR_INVALID,
			       "write to log stream '%s' of '%s': a name of this length or form cannot be kept", stream,
			       group);
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 && errno == ENOENT) {
		if (fs_mkdir_p(folder, 0755, err) < 0)
			return -1;
		fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	}
	if (fd < 0)
		return err_errno(err, "open log stream '%s'", path);
	if (is_torn(fd) && fs_write_all(fd, "\n", 1, path, err) < 0)
		return -1;
	line = make_line(timestamp_ms, message);
	return fs_write_all(fd, line, strlen(line), path, err);
}

/* Of a group that is not there: none. */
static int list_names(const char *folder, const char *prefix, struct strlist *ret, struct err *err)
{
	auto_strlist files = { 0 };

	if (fs_list(folder, &files, err) < 0)
		return err->code == ERR_NOT_FOUND ? (err_release(err), 0) : -1;
	for (size_t i = 0; i < files.n; i++) {
		auto_free char *name = str_uri_decode(files.v[i]);

		if (name && str_starts(name, prefix))
			strlist_take(ret, take(name));
	}
	strlist_sort(ret);
	return 0;
}

int store_logs_groups(struct store_logs *s, const char *prefix, struct strlist *ret, struct err *err)
{
	return list_names(s->dir, prefix, ret, err);
}

int store_logs_streams(struct store_logs *s, const char *group, const char *prefix, struct strlist *ret,
		       struct err *err)
{
	auto_free char *folder = group_path(s, group);

	return folder ? list_names(folder, prefix, ret, err) : 0;
}

bool store_logs_has_group(struct store_logs *s, const char *group)
{
	auto_free char *folder = group_path(s, group);

	return folder && fs_is_dir(folder);
}

static int open_stream(struct store_logs *s, const char *group, const char *stream, int *ret_fd, struct stat *ret_st,
		       struct err *err)
{
	auto_free char *path = stream_path(s, group, stream);
	auto_close int fd = path ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;

	if (!path || (fd < 0 && errno == ENOENT))
		return err_set(err, ERR_NOT_FOUND, "The specified log stream does not exist.");
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return err_errno(err, "open log stream '%s'", path);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* Bytes [offset, offset + n) as far as there are any; new. */
static int read_window(int fd, uint64_t offset, size_t n, char **ret_text, size_t *ret_n, struct err *err)
{
	auto_free char *text = xmalloc(n + 1);
	size_t done = 0;
	ssize_t got = 1;

	while (done < n && (got = pread(fd, text + done, n - done, (off_t)(offset + done))) > 0)
		done += (size_t)got;
	if (got < 0)
		return err_errno(err, "read a log stream");
	text[done] = '\0';
	*ret_n = done;
	*ret_text = take(text);
	return 0;
}

/* Add the event of one line; a line that is none is left out. */
static void add_line(struct logs_events *events, const char *line, size_t n, uint64_t offset)
{
	auto_err ignored = { 0 };
	auto_json *event = n > 0 ? json_parse(line, n, "log line", &ignored) : NULL;
	const char *message = json_str(event, "m");

	if (!message)
		return;
	array_grow(events->v, events->n, events->cap);
	events->v[events->n++] = (struct logs_event){ .timestamp_ms = json_integer_value(json_object_get(event, "t")),
						      .offset = offset,
						      .message = xstrdup(message) };
}

int store_logs_read(struct store_logs *s, const char *group, const char *stream, uint64_t offset, size_t max,
		    size_t max_bytes, struct logs_events *ret, struct err *err)
{
	auto_close int fd = -1;
	auto_free char *text = NULL;
	size_t n, bytes = 0;
	struct stat st;
	char *newline;

	if (open_stream(s, group, stream, &fd, &st, err) < 0 ||
	    read_window(fd, offset, WINDOW_BYTES, &text, &n, err) < 0)
		return -1;
	ret->begin = ret->end = offset;
	for (char *line = text; ret->n < max && (newline = memchr(line, '\n', n - (size_t)(line - text)));
	     line = newline + 1) {
		size_t before = ret->n;

		add_line(ret, line, (size_t)(newline - line), offset + (uint64_t)(line - text));
		if (ret->n > before) {
			bytes += strlen(ret->v[before].message);
			if (bytes > max_bytes && before > 0) {
				free(ret->v[--ret->n].message);
				break;
			}
		}
		ret->end = offset + (uint64_t)(newline + 1 - text);
	}
	return 0;
}

/* Keep the last events within the limits. */
static void keep_last(struct logs_events *e, size_t max, size_t max_bytes)
{
	size_t first = e->n, bytes = 0;

	while (first > 0 && e->n - first < max) {
		bytes += strlen(e->v[first - 1].message);
		if (bytes > max_bytes && first < e->n)
			break;
		first--;
	}
	for (size_t i = 0; i < first; i++)
		free(e->v[i].message);
	if (first > 0) {
		memmove(e->v, e->v + first, (e->n - first) * sizeof(*e->v));
		e->n -= first;
		e->begin = e->n > 0 ? e->v[0].offset : e->end;
	}
}

int store_logs_read_before(struct store_logs *s, const char *group, const char *stream, uint64_t offset, size_t max,
			   size_t max_bytes, struct logs_events *ret, struct err *err)
{
	auto_close int fd = -1;
	auto_free char *text = NULL;
	uint64_t begin, end;
	size_t n;
	struct stat st;
	char *line, *newline;

	if (open_stream(s, group, stream, &fd, &st, err) < 0)
		return -1;
	end = offset < (uint64_t)st.st_size ? offset : (uint64_t)st.st_size;
	begin = end > WINDOW_BYTES ? end - WINDOW_BYTES : 0;
	if (read_window(fd, begin, end - begin, &text, &n, err) < 0)
		return -1;
	line = text;
	/* The window may begin within a line, which belongs to the page before. */
	if (begin > 0)
		line = (newline = memchr(text, '\n', n)) ? newline + 1 : text + n;
	ret->begin = ret->end = begin + (uint64_t)(line - text);
	for (; (newline = memchr(line, '\n', n - (size_t)(line - text))); line = newline + 1) {
		add_line(ret, line, (size_t)(newline - line), begin + (uint64_t)(line - text));
		ret->end = begin + (uint64_t)(newline + 1 - text);
	}
	keep_last(ret, max, max_bytes);
	return 0;
}

int store_logs_stream_info(struct store_logs *s, const char *group, const char *stream, struct logs_stream_info *ret,
			   struct err *err)
{
	auto_logs_events first = { 0 }, last = { 0 };
	auto_close int fd = -1;
	struct stat st;

	if (open_stream(s, group, stream, &fd, &st, err) < 0 ||
	    store_logs_read(s, group, stream, 0, 1, SIZE_MAX, &first, err) < 0 ||
	    store_logs_read_before(s, group, stream, UINT64_MAX, 1, SIZE_MAX, &last, err) < 0)
		return -1;
	*ret = (struct logs_stream_info){
		.size = (uint64_t)st.st_size,
		.created_ms = first.n ? first.v[0].timestamp_ms : (int64_t)st.st_ctim.tv_sec * 1000,
		.changed_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000,
		.first_ms = first.n ? first.v[0].timestamp_ms : -1,
		.last_ms = last.n ? last.v[0].timestamp_ms : -1,
	};
	return 0;
}
