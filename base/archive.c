#include "base/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/sys.h"

/* Large enough that nothing is lost between libarchive and the compressor, small enough for the cache. */
#define BLOCK_BYTES (64 * 1024)

/* What libarchive's write callback needs: our sink, and where its error goes past libarchive. */
struct writer {
	archive_sink_fn sink;
	void *ctx;
	struct gzip *gzip; /* before the sink, or NULL */
	struct err *err;
	bool sink_refused;
};

static int hand_on(struct writer *w, const void *p, size_t n)
{
	return w->gzip ? gzip_write(w->gzip, p, n, w->err) : w->sink(w->ctx, p, n, w->err);
}

static la_ssize_t on_write(struct archive *a, void *ctx, const void *p, size_t n)
{
	struct writer *w = ctx;

	(void)a;
	if (w->sink_refused || hand_on(w, p, n) < 0) {
		w->sink_refused = true;
		return -1;
	}
	return (la_ssize_t)n;
}

static int archive_error(struct archive *a, struct writer *w, const char *what)
{
	/* The sink's own words are in err already. */
	if (w->sink_refused)
		return -1;
	return err_set(w->err, ERR_IO, "pack '%s': %s", what,
		       archive_error_string(a) ? archive_error_string(a) : "no details");
}

static int write_header(struct archive *a, const struct file_entry *e, struct writer *w)
{
	struct archive_entry *entry = archive_entry_new();
	int result;

	archive_entry_copy_pathname(entry, e->path);
	archive_entry_set_mtime(entry, ARCHIVE_MTIME, 0);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	if (e->mode == FILE_MODE_LINK) {
		archive_entry_set_filetype(entry, AE_IFLNK);
		archive_entry_set_perm(entry, 0777);
		archive_entry_copy_symlink(entry, e->bytes);
	} else {
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_perm(entry, e->mode);
		archive_entry_set_size(entry, (la_int64_t)e->size);
	}
	result = archive_write_header(a, entry);
	archive_entry_free(entry);
	return result == ARCHIVE_OK ? 0 : archive_error(a, w, e->path);
}

static int write_content(struct archive *a, const struct file_entry *e, struct file_reader *r, struct writer *w)
{
	auto_digest *state = digest_new();
	auto_free char *buffer = xmalloc(256 * 1024);
	/* Memory does not change. */
	const bool is_checked = e->has_digest && !e->bytes;
	struct digest seen;
	int64_t n;

	while ((n = file_reader_read(r, buffer, 256 * 1024, e, w->err)) > 0) {
		if (is_checked)
			digest_update(state, buffer, (size_t)n);
		if (archive_write_data(a, buffer, (size_t)n) != n)
			return archive_error(a, w, e->path);
		if (sys_check_cancelled(w->err) < 0)
			return -1;
	}
	if (n < 0)
		return -1;
	seen = digest_final(state);
	if (is_checked && !digest_equal(&seen, &e->digest))
		return err_set(w->err, ERR_FAILED, "'%s' changed while it was packed", e->path);
	return 0;
}

static int write_entry(struct archive *a, const struct file_entry *e, struct writer *w)
{
	struct file_reader r;
	int result;

	if (e->mode == FILE_MODE_LINK)
		return write_header(a, e, w);
	if (file_reader_open(&r, e, w->err) < 0)
		return -1;
	result = write_header(a, e, w);
	if (result == 0)
		result = write_content(a, e, &r, w);
	file_reader_close(&r);
	return result;
}

static int setup(struct archive *a, struct writer *w)
{
	/* pax "restricted" writes plain ustar wherever that can say it. */
	if (archive_write_set_format_pax_restricted(a) != ARCHIVE_OK)
		return archive_error(a, w, "tar");
	/* No padding in what is compressed; whole records of 10240 bytes for a bare tar, as tar itself writes. */
	if (w->gzip) {
		archive_write_set_bytes_per_block(a, BLOCK_BYTES);
		archive_write_set_bytes_in_last_block(a, 1);
	}
	return archive_write_open2(a, w, NULL, on_write, NULL, NULL) == ARCHIVE_OK ? 0 : archive_error(a, w, "tar");
}

static const char *details;

static void read_details(void)
{
	details = archive_version_details();
}

/* Asked once: libarchive 3.6 makes the text anew at each call and forgets the old one. */
const char *archive_library(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_details);
	return details;
}

static int write_archive(const struct filelist *files, bool gzip, archive_sink_fn sink, void *ctx, struct err *err)
{
	struct archive *a = archive_write_new();
	auto_gzip *compressor = gzip ? gzip_new(0, sink, ctx) : NULL;
	struct writer w = { sink, ctx, compressor, err, false };
	int result = setup(a, &w);

	for (size_t i = 0; result == 0 && i < files->n; i++)
		result = write_entry(a, &files->v[i], &w);
	if (result == 0 && archive_write_close(a) != ARCHIVE_OK)
		result = archive_error(a, &w, "tar");
	if (result == 0 && compressor)
		result = gzip_finish(compressor, err);
	/* libarchive closes what it frees; nothing more goes out. */
	w.sink_refused = true;
	archive_write_free(a);
	return result;
}

/* libarchive reads names in the thread's locale; ours are UTF-8, whatever the caller's is. */
int archive_write(const struct filelist *files, bool gzip, archive_sink_fn sink, void *ctx, struct err *err)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), old;
	int result;

	if (!utf8)
		return err_errno(err, "find the locale C.UTF-8");
	old = uselocale(utf8);
	result = write_archive(files, gzip, sink, ctx, err);
	uselocale(old);
	freelocale(utf8);
	return result;
}

struct fd_sink {
	int fd;
	const char *what;
	struct digest_state *state;
	uint64_t size;
};

static int write_to_fd(void *ctx, const void *p, size_t n, struct err *err)
{
	struct fd_sink *s = ctx;

	digest_update(s->state, p, n);
	s->size += n;
	return fs_write_all(s->fd, p, n, s->what, err);
}

int archive_write_fd(const struct filelist *files, bool gzip, int fd, const char *what, struct digest *ret_digest,
		     uint64_t *ret_size, struct err *err)
{
	auto_digest *state = digest_new();
	struct fd_sink s = { fd, what, state, 0 };

	if (archive_write(files, gzip, write_to_fd, &s, err) < 0)
		return -1;
	*ret_digest = digest_final(state);
	*ret_size = s.size;
	return 0;
}

int archive_write_temp(const struct filelist *files, bool gzip, int *ret_fd, struct digest *ret_digest,
		       uint64_t *ret_size, struct err *err)
{
	/* It has no name of its own, and a full disk is what goes wrong. */
	const char *what = fs_temp_root();
	auto_close int fd = fs_temp_file(err);

	if (fd < 0 || archive_write_fd(files, gzip, fd, what, ret_digest, ret_size, err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, "rewind '%s'", what);
	*ret_fd = take_fd(&fd);
	return 0;
}
