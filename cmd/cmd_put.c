/* put: a file or a folder to S3, by the engine that sends snapshots. */

#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "pipeline/s3_location.h"
#include "s3/scan.h"
#include "s3/transfer.h"
#include "s3/uri.h"

struct putting {
	struct filelist files;
	size_t next;
	char *prefix; /* with '/' at its end, of a folder; else the key */
	bool is_folder;
	json_t *sent; /* for --json */
	enum s3_checksum_kind kind;
	struct s3_encryption encryption;
};

static char *key_of(const struct putting *p, const struct file_entry *e)
{
	return p->is_folder ? xasprintf("%s%s", p->prefix, e->path) : xstrdup(p->prefix);
}

static int next_file(void *ctx, struct transfer_item *ret, struct err *err)
{
	struct putting *p = ctx;

	(void)err;
	/* S3 has no folders; an object of that name would be a file to some. */
	while (p->next < p->files.n && file_entry_is_folder(&p->files.v[p->next]))
		p->next++;
	if (p->next == p->files.n)
		return 0;
	ret->entry = &p->files.v[p->next++];
	ret->key = key_of(p, ret->entry);
	return 1;
}

static void note_sent(void *ctx, const struct file_entry *entry, const char *key, const struct s3_checksum *whole)
{
	struct putting *p = ctx;
	auto_free char *checksum = s3_checksum_format(whole);
	json_t *object = json_object();

	json_put_str(object, "key", key);
	json_put_int(object, "size", (json_int_t)entry->size);
	json_put_str(object, whole->kind == S3_CRC64NVME ? "crc64nvme" : "sha256", checksum);
	json_array_append_new(p->sent, object);
}

/* Below a prefix, or under the very key. */
static int choose_keys(struct putting *p, const char *path, const struct s3_uri *to, struct err *err)
{
	const char *slash = *to->key && !str_ends(to->key, "/") ? "/" : "";

	p->is_folder = fs_is_dir(path);
	if (p->is_folder)
		p->prefix = xasprintf("%s%s", to->key, slash);
	else if (!*to->key || str_ends(to->key, "/"))
		p->prefix = xasprintf("%s%s", to->key, fs_basename(path));
	else
		p->prefix = xstrdup(to->key);
	for (size_t i = 0; i < p->files.n; i++) {
		auto_free char *key = key_of(p, &p->files.v[i]);

		if (strlen(key) > S3_KEY_MAX_BYTES)
			return err_set(err, ERR_CONFIG, "the key of '%s' would be longer than S3's %d bytes",
				       p->files.v[i].path, S3_KEY_MAX_BYTES);
	}
	return 0;
}

/* As the options say, else the file, where there is one and it is read. */
static int choose_storage(const struct cmd *cmd, struct putting *p, struct err *err)
{
	const struct config *c = &cmd->project.config;
	const char *kind = opt_get(&cmd->opts, OPT_CHECKSUM), *encryption = opt_get(&cmd->opts, OPT_ENCRYPTION);

	p->kind = s3_checksum_kind(kind ? kind : config_str(c, "checksum"));
	if (p->kind == S3_CHECKSUM_NONE)
		return err_set(err, ERR_USAGE, "--checksum is sha256 or crc64nvme, not '%s'", kind);
	if (!encryption)
		return s3_location_encryption(c, "data_encryption", &p->encryption, err);
	if (s3_encryption_parse(encryption, &p->encryption, err) < 0)
		return (err->code = ERR_USAGE, err_wrap(err, "--encryption"));
	return 0;
}

static int choose_links(const struct cmd *cmd, enum scan_links *ret, struct err *err)
{
	static const char *const kinds[] = {
		[SCAN_LINKS_INSIDE] = "inside",
		[SCAN_LINKS_SKIP] = "skip",
		[SCAN_LINKS_ERROR] = "error",
	};
	const char *kind = opt_get(&cmd->opts, OPT_SYMLINKS);

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (str_eq(kind ? kind : "inside", kinds[i])) {
			*ret = (enum scan_links)i;
			return 0;
		}
	}
	return err_set(err, ERR_USAGE, "--symlinks is inside, skip or error, not '%s'", kind);
}

static int read_files(const struct cmd *cmd, const char *path, struct filelist *ret, struct err *err)
{
	struct scan_options options = { 0 };

	if (choose_links(cmd, &options.links, err) < 0)
		return -1;
	if (scan_path(path, &options, ret, err) == 0)
		return 0;
	/* The scan speaks of smpipe.yaml. */
	return err->hint && str_starts(err->hint, "`symlinks:") ? err_hint(err, "`--symlinks skip` leaves links out")
								: -1;
}

static void print_result(const struct cmd *cmd, const struct putting *p, const char *uri,
			 const struct transfer_result *sent)
{
	auto_free char *size = str_bytes(sent->bytes_sent);
	auto_json *j = NULL;

	if (!opt_has(&cmd->opts, OPT_JSON)) {
		cmd_print("%s  %llu file%s, %s\n", uri, (unsigned long long)sent->files_sent,
			  sent->files_sent == 1 ? "" : "s", size);
		return;
	}
	j = json_object();
	json_put_str(j, "uri", uri);
	json_object_set(j, "objects", p->sent);
	json_put_int(j, "bytes", (json_int_t)sent->bytes_sent);
	cmd_print_json(j);
}

/* What is there of large files costs money until it is joined or dropped. */
static void tell_unfinished(struct cmd *cmd, const struct transfer_result *sent, const char *uri)
{
	auto_free char *quoted = opt_quoted(uri);

	if (!sent->unfinished)
		return;
	report_text(&cmd->ui.report, REPORT_NOTE, "put",
		    "what was sent of %llu large file%s stays: the same command goes on from there; when it is a day "
		    "old, `smpipe gc%s %s --yes` drops it",
		    (unsigned long long)sent->unfinished, sent->unfinished == 1 ? "" : "s",
		    session_options(&cmd->session), quoted);
}

static int send_files(struct cmd *cmd, struct putting *p, const struct s3_uri *to, struct err *err)
{
	auto_clients c = { 0 };
	struct s3 s3 = { .aws = &c.aws, .bucket_owner = cmd->session.bucket_owner, .encryption = p->encryption };
	auto_free char *uri = s3_uri_format(to->bucket, p->prefix);
	struct transfer_result sent = { 0 };
	const struct transfer t = {
		.bucket = to->bucket,
		.content_type = "application/octet-stream",
		.kind = p->kind,
		.next = next_file,
		.done = p->sent ? note_sent : NULL,
		.ctx = p,
		.resume_prefix = p->prefix,
		.report = &cmd->ui.report,
		.stage = "put",
		.total_bytes = filelist_total_bytes(&p->files),
	};

	clients_init(&c, &cmd->session);
	if (s3_transfer(&s3, &t, &sent, err) < 0) {
		tell_unfinished(cmd, &sent, uri);
		return err_is_service(err, "NoSuchBucket") ? err_hint(err, "put makes no bucket: one has to be there")
							   : -1;
	}
	ui_clear(&cmd->ui);
	print_result(cmd, p, uri, &sent);
	return 0;
}

static int put(struct cmd *cmd, struct putting *p, struct err *err)
{
	const struct strlist *operands = &cmd->opts.operands;
	auto_s3_uri to = { 0 };

	if (operands->n != 2)
		return err_set(err, ERR_USAGE,
			       "put takes a path and the place in S3: s3://bucket/key, s3://bucket/prefix/");
	/* Once for the options alone, before anything is asked. */
	if (choose_storage(cmd, p, err) < 0 || s3_uri_parse(operands->v[1], &to, err) < 0 ||
	    read_files(cmd, operands->v[0], &p->files, err) < 0 || choose_keys(p, operands->v[0], &to, err) < 0 ||
	    cmd_meet_cloud_anywhere(cmd, NEEDS_STORE, err) < 0 || choose_storage(cmd, p, err) < 0)
		return -1;
	return send_files(cmd, p, &to, err);
}

int cmd_put(struct cmd *cmd, struct err *err)
{
	struct putting p = { .sent = opt_has(&cmd->opts, OPT_JSON) ? json_array() : NULL };
	int rc = put(cmd, &p, err);

	filelist_release(&p.files);
	json_decref(p.sent);
	free(p.prefix);
	return rc;
}
