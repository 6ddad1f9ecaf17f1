#include "pipeline/journal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_BYTES (16 * 1024 * 1024)

struct journal {
	int fd, lock_fd;
	char *path;
	const struct sys *sys;
	json_t *entries; /* array */
};

/* Keep whole lines; cut a torn end off the file so that the next line starts clean. */
static int read_entries(struct journal *j, struct err *err)
{
	auto_free char *text = NULL;
	const char *line, *end;
	size_t n;

	if (fs_read(j->path, MAX_BYTES, &text, &n, err) < 0)
		return err_hint(err, "a journal may be deleted when no release of this work tree was cut off");
	for (line = text; (end = memchr(line, '\n', n - (size_t)(line - text))); line = end + 1) {
		auto_err torn = { 0 };
		auto_json *entry = json_parse(line, (size_t)(end - line), j->path, &torn);

		if (json_is_object(entry))
			json_array_append(j->entries, entry);
	}
	if (line < text + n && ftruncate(j->fd, line - text) < 0)
		return err_errno(err, "cut '%s'", j->path);
	return 0;
}

int journal_open(const char *state_dir, const struct sys *sys, struct journal **ret, struct err *err)
{
	auto_free char *lock_path = fs_join(state_dir, "lock");
	auto_journal *j = xcalloc(1, sizeof(*j));

	j->fd = j->lock_fd = -1;
	j->sys = sys;
	j->entries = json_array();
	j->path = fs_join(state_dir, "journal");
	if (fs_lock(lock_path, &j->lock_fd, err) < 0) {
		if (err->code == ERR_CONFLICT)
			err_hint(err, "another release of this work tree is under way; wait for it");
		return -1;
	}
	j->fd = open(j->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (j->fd < 0)
		return err_errno(err, "open '%s'", j->path);
	if (read_entries(j, err) < 0)
		return -1;
	*ret = take(j);
	return 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		close(j->fd);
	if (j->lock_fd >= 0)
		close(j->lock_fd);
	json_decref(j->entries);
	free(j->path);
	free(j);
}

void journal_close_p(struct journal **j)
{
	journal_close(*j);
}

int journal_add(struct journal *j, const char *event, const json_t *members, struct err *err)
{
	auto_json *entry = json_object();
	auto_free char *time = str_time_iso(j->sys->now_ms(j->sys) / 1000);
	auto_free char *text = NULL;
	auto_free char *line = NULL;

	json_put_str(entry, "time", time);
	json_put_str(entry, "event", event);
	json_object_update(entry, (json_t *)members);
	text = json_compact(entry);
	line = xasprintf("%s\n", text);
	/* One write: a line is whole or it is torn at its end, where reading finds it. */
	if (fs_write_all(j->fd, line, strlen(line), j->path, err) < 0)
		return -1;
	if (fdatasync(j->fd) < 0)
		return err_errno(err, "sync '%s'", j->path);
	json_array_append(j->entries, entry);
	return 0;
}

const char *journal_open_attempt(const struct journal *j, const char *request_key)
{
	const char *attempt = NULL;
	size_t i;
	json_t *entry;

	json_array_foreach(j->entries, i, entry) {
		if (!str_eq(json_str(entry, "request_key"), request_key))
			continue;
		if (str_eq(json_str(entry, "event"), "launch"))
			attempt = json_str(entry, "attempt");
		else if (str_eq(json_str(entry, "event"), "recorded"))
			attempt = NULL;
	}
	return attempt;
}
