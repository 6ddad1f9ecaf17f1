/* s3/index: what lies in .smpipe/index, whoever put it there. The checksum at its end is made to fit. */

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/str.h"
#include "s3/index.h"
#include "s3/parts.h"

#define SCANNED_NS INT64_C(1700000000000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void add_file(struct filelist *l, const char *path, uint64_t size)
{
	struct file_entry *e = filelist_add(l, path, 0644);

	e->size = size;
	e->has_stamp = true;
	e->stamp = (struct file_stamp){ .size = size, .inode = 7, .device = 8, .mtime_ns = 9, .ctime_ns = 10 };
}

static void need(bool holds)
{
	if (!holds)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct digest digest = digest_of(data, n);
	auto_close int fd = memfd_create("index", MFD_CLOEXEC);
	auto_free char *path = xasprintf("/proc/self/fd/%d", fd), *note = NULL;
	auto_filelist files = { 0 };
	size_t vouched, has = 0;

	need(write(fd, data, n) == (ssize_t)n && write(fd, digest.b, sizeof(digest.b)) == sizeof(digest.b));
	add_file(&files, "a", 1);
	add_file(&files, "b/c", 40000000);
	add_file(&files, "b/d", 0);
	vouched = index_apply(path, "/data", &files, &note);
	for (size_t i = 0; i < files.n; i++) {
		need(!files.v[i].has_digest || files.v[i].n_parts == s3_part_count(files.v[i].size));
		has += files.v[i].has_digest;
	}
	need(vouched == has && (!note || !vouched));
	return 0;
}
