/* source: what sourcedir.tar.gz holds, or the archive itself, without releasing anything. */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/archive.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"

#define DEFAULT_FILE "sourcedir.tar.gz"

/* '?': git does not track it; 'M': it differs from the commit. */
static char state_of(const struct project *p, const struct file_entry *e)
{
	const char *path = e->origin ? e->origin : e->path;

	return !e->is_tracked ? '?' : strlist_has_sorted(&p->dirty, path) ? 'M' : ' ';
}

static json_t *entry_json(const struct project *p, const struct file_entry *e)
{
	auto_free char *hex = digest_hex(&e->digest);
	auto_free char *mode = xasprintf("%o", e->mode);
	json_t *j = json_object();

	json_put_str(j, "path", e->path);
	json_put_str(j, "origin", e->origin ? e->origin : e->path);
	json_put_str(j, "mode", mode);
	json_object_set_new(j, "size", json_integer((json_int_t)e->size));
	json_put_str(j, "sha256", hex);
	json_object_set_new(j, "tracked", json_boolean(e->is_tracked));
	json_object_set_new(j, "changed", json_boolean(state_of(p, e) == 'M'));
	return j;
}

static void list_json(const struct project *p, const char *tree)
{
	auto_json *j = json_object();
	json_t *files = json_array();

	for (size_t i = 0; i < p->source.n; i++)
		json_array_append_new(files, entry_json(p, &p->source.v[i]));
	json_put_str(j, "tree", tree);
	json_object_set_new(j, "bytes", json_integer((json_int_t)filelist_total_bytes(&p->source)));
	json_object_set_new(j, "files", files);
	cmd_print_json(j);
}

static void list_text(const struct project *p, const char *tree)
{
	auto_free char *bytes = str_bytes(filelist_total_bytes(&p->source));

	for (size_t i = 0; i < p->source.n; i++) {
		const struct file_entry *e = &p->source.v[i];
		auto_free char *path = str_printable(e->path);
		auto_free char *target = e->mode == FILE_MODE_LINK ? str_printable(e->bytes) : NULL;

		printf("%c %12" PRIu64 "  %s%s%s\n", state_of(p, e), e->size, path, target ? " → " : "",
		       target ? target : "");
	}
	printf("%zu file%s, %s, tree %s\n", p->source.n, p->source.n == 1 ? "" : "s", bytes, tree);
}

static bool is_stream(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

/* A device, a pipe, a link: written to, not replaced. */
static int pack_through(const struct filelist *files, const char *path, struct digest *ret_digest, uint64_t *ret_bytes,
			struct err *err)
{
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_errno(err, "open '%s'", path);
	return archive_write_fd(files, true, fd, path, ret_digest, ret_bytes, err);
}

/* A file that is there stays whole until the new one is. */
static int pack_to_file(const struct filelist *files, const char *path, struct digest *ret_digest, uint64_t *ret_bytes,
			struct err *err)
{
	auto_free char *temporary = xasprintf("%s.XXXXXX", path);
	auto_close int fd = -1;
	struct stat st;

	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return pack_through(files, path, ret_digest, ret_bytes, err);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "create '%s'", temporary);
	if (archive_write_fd(files, true, fd, temporary, ret_digest, ret_bytes, err) == 0) {
		if (fchmod(fd, 0644) == 0 && rename(temporary, path) == 0)
			return 0;
		err_errno(err, "replace '%s'", path);
	}
	unlink(temporary);
	return -1;
}

static void print_packed(const struct cmd *cmd, const char *path, const char *tree, const struct digest *digest,
			 uint64_t bytes)
{
	size_t n = cmd->project.source.n;
	auto_free char *hex = digest_hex(digest), *shown = str_bytes(bytes);
	auto_json *j = NULL;

	if (!opt_has(&cmd->opts, OPT_JSON)) {
		cmd_print("%s\n  %s, sha256 %s\n  %zu file%s, tree %s\n", path, shown, hex, n, n == 1 ? "" : "s", tree);
		return;
	}
	j = json_object();
	json_put_str(j, "path", path);
	json_put_int(j, "bytes", (json_int_t)bytes);
	json_put_str(j, "sha256", hex);
	json_put_int(j, "files", (json_int_t)n);
	json_put_str(j, "tree", tree);
	cmd_print_json(j);
}

static int pack(const struct cmd *cmd, const char *tree, struct err *err)
{
	const char *path = opt_has(&cmd->opts, OPT_OUTPUT) ? opt_get(&cmd->opts, OPT_OUTPUT) : DEFAULT_FILE;
	const struct filelist *files = &cmd->project.source;
	struct digest digest;
	uint64_t bytes;

	if (str_eq(path, "-"))
		return archive_write_fd(files, true, STDOUT_FILENO, "standard output", &digest, &bytes, err);
	if (pack_to_file(files, path, &digest, &bytes, err) < 0)
		return -1;
	/* What is written through may be standard output. */
	if (!is_stream(path))
		print_packed(cmd, path, tree, &digest, bytes);
	return 0;
}

int cmd_source(struct cmd *cmd, struct err *err)
{
	const char *what = cmd->opts.operands.n ? cmd->opts.operands.v[0] : "list";
	struct project *p = &cmd->project;
	bool is_pack = str_eq(what, "pack");
	auto_free char *tree = NULL;

	if (!is_pack && !str_eq(what, "list"))
		return err_set(err, ERR_USAGE, "'%s' is neither list nor pack", what);
	if (project_read_source(p, err) < 0)
		return -1;
	if (!p->packs_source) {
		err_set(err, ERR_CONFIG, "%s packs no code", p->config.file);
		return err_hint(err, "`source:` says what is packed; code in the image or in S3 is not");
	}
	tree = digest_hex(&p->source_tree);
	if (is_pack)
		return pack(cmd, tree, err);
	if (opt_has(&cmd->opts, OPT_JSON))
		list_json(p, tree);
	else
		list_text(p, tree);
	return 0;
}
