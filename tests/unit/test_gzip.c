/* base/gzip.h: one member, the same bytes for any number of threads, judged by everybody else's readers. */

#include "base/gzip.h"

#include <archive.h>
#include <archive_entry.h>
#include <libdeflate.h>

#include "tests/unit/shell.h"

static int add_bytes(void *ctx, const void *p, size_t n, struct err *err)
{
	(void)err;
	str_add_mem(ctx, p, n);
	return 0;
}

/* Written in pieces of several sizes. */
static void compress_by(unsigned threads, const struct str *in, struct str *out)
{
	static const size_t steps[] = { 1, 10240, 65536, 3, GZIP_PIECE_BYTES + 17 };
	auto_gzip *g = gzip_new(threads, add_bytes, out);
	auto_err err = { 0 };

	for (size_t at = 0, i = 0, n; at < in->len; at += n, i++) {
		n = steps[i % ARRAY_LEN(steps)];
		n = n < in->len - at ? n : in->len - at;
		assert_int_equal(gzip_write(g, in->s + at, n, &err), 0);
	}
	assert_int_equal(gzip_finish(g, &err), 0);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Text that compresses as code does, noise that does not compress, and zeros; the kinds change within a piece. */
static void fill(struct str *s, size_t n, unsigned kind)
{
	static const char *const words[] = { "return ", "self.", "for i in ", "x1", "(", "):\n\t", "None", "= ", "==" };
	static const char zeros[1000];
	uint64_t state = 0x9e3779b97f4a7c15 + kind;

	while (s->len < n) {
		unsigned now = kind < 3 ? kind : (unsigned)(s->len / 100000 % 3);
		uint64_t r = next_random(&state);

		if (now == 0)
			str_add(s, words[r % ARRAY_LEN(words)]);
		else if (now == 1)
			str_add_mem(s, &r, sizeof(r));
		else
			str_add_mem(s, zeros, sizeof(zeros));
	}
	s->len = n;
}

/* One member and nothing behind it. */
static void assert_one_member(const struct str *gz, const struct str *want)
{
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	auto_free char *got = xmalloc(want->len + 1);
	size_t n_in, n_out;

	assert_int_equal(libdeflate_gzip_decompress_ex(d, gz->s, gz->len, got, want->len + 1, &n_in, &n_out),
			 LIBDEFLATE_SUCCESS);
	assert_int_equal(n_in, gz->len);
	assert_int_equal(n_out, want->len);
	if (want->len)
		assert_memory_equal(got, want->s, want->len);
	libdeflate_free_decompressor(d);
}

static void test_same_bytes_for_any_threads(void **state)
{
	static const size_t sizes[] = { 0,
					1,
					100,
					GZIP_PIECE_BYTES - 1,
					GZIP_PIECE_BYTES,
					GZIP_PIECE_BYTES + 1,
					2 * GZIP_PIECE_BYTES,
					9 * GZIP_PIECE_BYTES + 12345 };

	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			auto_str in = { 0 }, first = { 0 };

			fill(&in, sizes[i], kind);
			compress_by(1, &in, &first);
			assert_one_member(&first, &in);
			for (unsigned threads = 0; threads <= 8; threads += threads ? threads : 2) {
				auto_str again = { 0 };

				compress_by(threads, &in, &again);
				assert_int_equal(again.len, first.len);
				assert_memory_equal(again.s, first.s, first.len);
			}
		}
	}
}

/* No name, no time, no system: the bytes tell nothing of the machine. */
static void test_header(void **state)
{
	auto_str in = { 0 }, out = { 0 };

	(void)state;
	compress_by(2, &in, &out);
	assert_int_equal(out.len, 20);
	assert_memory_equal(out.s, "\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0", 20);
}

/* Small steps through every number of bits that the last byte of a piece may have left. */
static void test_every_end(void **state)
{
	(void)state;
	for (size_t n = 20000; n < 20256; n++) {
		auto_str in = { 0 }, out = { 0 };

		fill(&in, n, (unsigned)n % 3);
		compress_by(1, &in, &out);
		assert_one_member(&out, &in);
	}
}

static void read_by_libarchive(const struct str *gz, struct str *ret)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	char buffer[65536];
	la_ssize_t n;

	archive_read_support_filter_gzip(a);
	archive_read_support_format_raw(a);
	assert_int_equal(archive_read_open_memory(a, gz->s, gz->len), ARCHIVE_OK);
	assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
	while ((n = archive_read_data(a, buffer, sizeof(buffer))) > 0)
		str_add_mem(ret, buffer, (size_t)n);
	assert_int_equal(n, 0);
	archive_read_free(a);
}

#define PYTHON "/usr/bin/python3 -c "

static void test_readers(void **state)
{
	static const char *const readers[] = {
		"gzip -dc f.gz",
		"busybox gunzip -c f.gz",
		PYTHON "'import gzip,sys; sys.stdout.buffer.write(gzip.open(\"f.gz\").read())'",
		/* How tarfile reads a stream: what comes after the first member is lost. */
		PYTHON "'import sys,zlib; d=zlib.decompressobj(31); b=d.decompress(open(\"f.gz\",\"rb\").read()); "
		       "assert d.eof and not d.unused_data; sys.stdout.buffer.write(b)'",
		"perl -MIO::Uncompress::Gunzip=gunzip -e 'gunzip \"f.gz\" => \"-\"'",
	};
	auto_str in = { 0 }, out = { 0 }, by_libarchive = { 0 };
	auto_err err = { 0 };
	auto_free char *folder = fs_temp_dir("test-gzip", &err);
	auto_free char *plain = fs_join(folder, "f"), *packed = fs_join(folder, "f.gz");

	(void)state;
	fill(&in, 5 * GZIP_PIECE_BYTES + 777, 3);
	compress_by(0, &in, &out);
	assert_int_equal(fs_write_atomic(plain, in.s, in.len, 0644, &err), 0);
	assert_int_equal(fs_write_atomic(packed, out.s, out.len, 0644, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		auto_free char *command = xasprintf("%s | cmp - f", readers[i]);

		run(folder, command);
	}
	run(folder, "gzip -t f.gz; [ \"$(gzip -l f.gz | awk 'NR == 2 { print $2 }')\" = \"$(stat -c %s f)\" ]");
	read_by_libarchive(&out, &by_libarchive);
	assert_int_equal(by_libarchive.len, in.len);
	assert_memory_equal(by_libarchive.s, in.s, in.len);
	assert_int_equal(fs_remove_tree(folder, &err), 0);
}

/* Real code, in several pieces: at most 2 % more than `gzip -6`. The folders are named, as a build folder's generated
 * tables are no code that anyone wrote. */
#define CODE "cat aws/*.c base/*.c ecr/*.c local/*.c pipeline/*.c s3/*.c tests/*/*.c"

static void test_size(void **state)
{
	auto_free char *code = shell(".", CODE);
	auto_free char *by_gzip = shell(".", CODE " | gzip -6 | wc -c | tr -d '\n'");
	auto_str in = { 0 }, out = { 0 };
	int64_t limit;

	(void)state;
	str_add(&in, code);
	assert_true(in.len > GZIP_PIECE_BYTES);
	compress_by(0, &in, &out);
	assert_true(str_parse_i64(by_gzip, 1, INT64_MAX, &limit));
	assert_true(out.len * 100 <= (size_t)limit * 102);
}

static int refuse_later(void *ctx, const void *p, size_t n, struct err *err)
{
	size_t *left = ctx;

	(void)p;
	if (n > *left)
		return err_set(err, ERR_NETWORK, "the peer is gone");
	*left -= n;
	return 0;
}

static void test_sink_refuses(void **state)
{
	(void)state;
	for (size_t left = 0; left < 5000000; left = 3 * left + 9) {
		size_t budget = left;
		auto_gzip *g = gzip_new(4, refuse_later, &budget);
		auto_str in = { 0 };
		auto_err err = { 0 };
		int rc;

		fill(&in, 10 * GZIP_PIECE_BYTES, 1);
		rc = gzip_write(g, in.s, in.len, &err);
		if (rc == 0)
			rc = gzip_finish(g, &err);
		assert_int_equal(rc, -1);
		assert_int_equal(err.code, ERR_NETWORK);
	}
}

/* Given up with threads at work. */
static void test_dropped(void **state)
{
	auto_str in = { 0 }, out = { 0 };
	auto_err err = { 0 };

	(void)state;
	fill(&in, 6 * GZIP_PIECE_BYTES, 3);
	for (int i = 0; i < 4; i++) {
		auto_gzip *g = gzip_new(3, add_bytes, &out);

		assert_int_equal(gzip_write(g, in.s, in.len / 4 * (size_t)i, &err), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bytes_for_any_threads),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_every_end),
		cmocka_unit_test(test_readers),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_sink_refuses),
		cmocka_unit_test(test_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
