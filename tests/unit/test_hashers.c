/* base/hashers.h: whatever is asked for, by however many threads, is what one call would say. */

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/crc64.h"
#include "base/fs.h"
#include "base/hashers.h"
#include "base/mem.h"
#include "base/str.h"

#define FILE_BYTES ((size_t)3 * 1024 * 1024)
#define N_TASKS    100

struct scene {
	char *folder, *path;
	unsigned char *bytes;
	struct file_entry entry;
};

static int set_up(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));
	auto_err err = { 0 };
	uint32_t v = 1;

	s->folder = fs_temp_dir("smpipe-hashers", &err);
	s->path = fs_join(s->folder, "f");
	s->bytes = xmalloc(FILE_BYTES);
	for (size_t i = 0; i < FILE_BYTES; i++)
		s->bytes[i] = (unsigned char)((v = v * 1664525 + 1013904223) >> 24);
	if (fs_write_atomic(s->path, (const char *)s->bytes, FILE_BYTES, 0644, &err) < 0)
		fail_msg("%s", err.msg);
	s->entry = (struct file_entry){ .path = s->path, .disk_path = s->path, .size = FILE_BYTES };
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;
	auto_err err = { 0 };

	fs_remove_tree(s->folder, &err);
	free(s->folder);
	free(s->path);
	free(s->bytes);
	free(s);
	return 0;
}

static size_t n_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	size_t n = 0;

	assert_non_null(dir);
	for (const struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

static struct hash_task *take_one(struct hashers *h)
{
	struct hash_task *t = NULL;

	while (!t)
		t = hashers_take(h, 1000);
	return t;
}

static void check_task(const struct scene *s, const struct hash_task *t)
{
	const unsigned char *range = s->bytes + t->offset;
	struct digest want = digest_of(range, t->size);

	assert_int_equal(t->result, 0);
	if (t->wants_sha256)
		assert_true(digest_equal(&t->sha256, &want));
	if (t->wants_crc64)
		assert_true(t->crc64 == crc64nvme(0, range, t->size));
	assert_int_equal(t->wants_bytes, t->bytes != NULL);
	if (t->bytes) {
		assert_memory_equal(t->bytes, range, t->size);
		assert_int_equal(t->bytes[t->size], 0);
	}
}

/* Ranges of all lengths, from open files and closed ones, with every wish. */
static void test_ranges(void **state)
{
	const struct scene *s = *state;
	auto_close int fd = open(s->path, O_RDONLY | O_CLOEXEC);

	for (int threads = 1; threads <= 5; threads += 2) {
		auto_hashers *h = hashers_new(threads, NULL, NULL);
		auto_free struct hash_task *tasks = xcalloc(N_TASKS, sizeof(*tasks));
		uint64_t n_bytes = 0;

		for (unsigned i = 0; i < N_TASKS; i++) {
			uint64_t offset = i * 7919 % 100000, size = i % 3 ? i * 104729 % 9000 : i * 15485863 % 2000000;

			tasks[i] = (struct hash_task){
				.entry = &s->entry,
				.fd = i % 2 ? fd : -1,
				.offset = offset,
				.size = size,
				.wants_sha256 = i % 10 != 0,
				.wants_crc64 = i % 4 == 0,
				.wants_bytes = i % 5 == 0,
			};
			n_bytes += size;
			hashers_add(h, &tasks[i]);
		}
		for (int i = 0; i < N_TASKS; i++) {
			struct hash_task *t = take_one(h);

			check_task(s, t);
			free(t->bytes);
		}
		assert_null(hashers_take(h, 0));
		assert_true(hashers_bytes(h) == n_bytes);
	}
}

/* Little is done where it is asked for. */
static void test_few_make_no_thread(void **state)
{
	const struct scene *s = *state;
	auto_hashers *h = hashers_new(0, NULL, NULL);
	struct hash_task tasks[8];
	size_t before = n_threads();

	for (size_t i = 0; i < ARRAY_LEN(tasks); i++) {
		tasks[i] = (struct hash_task){ .entry = &s->entry, .fd = -1, .size = 4096, .wants_sha256 = true };
		hashers_add(h, &tasks[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(tasks); i++)
		check_task(s, take_one(h));
	assert_int_equal(n_threads(), before);
}

/* What is not begun can be had back; what is under way is given up with the threads. */
static void test_end_before_the_end(void **state)
{
	const struct scene *s = *state;
	struct hash_task tasks[N_TASKS];
	struct hashers *h = hashers_new(2, NULL, NULL);
	int n_back = 0;

	for (int i = 0; i < N_TASKS; i++) {
		tasks[i] = (struct hash_task){ .entry = &s->entry, .fd = -1, .size = FILE_BYTES, .wants_sha256 = true };
		hashers_add(h, &tasks[i]);
	}
	for (struct hash_task *t, *last = NULL; (t = hashers_take_back(h)); last = t, n_back++)
		assert_true(t > last);
	for (int i = n_back; i < N_TASKS - 1; i++)
		check_task(s, take_one(h));
	hashers_free(h);
}

/* Of many that go together only the one that changed is at fault. */
static void test_changed(void **state)
{
	const struct scene *s = *state;
	auto_hashers *h = hashers_new(1, NULL, NULL);
	struct file_entry longer = s->entry;
	struct hash_task tasks[20];

	longer.size++;
	for (size_t i = 0; i < ARRAY_LEN(tasks); i++) {
		tasks[i] = (struct hash_task){
			.entry = i == 7 ? &longer : &s->entry, .fd = -1, .size = FILE_BYTES, .wants_sha256 = true
		};
		hashers_add(h, &tasks[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(tasks); i++) {
		struct hash_task *t = take_one(h);

		if (t != &tasks[7]) {
			check_task(s, t);
			continue;
		}
		assert_int_equal(t->result, -1);
		assert_non_null(strstr(t->err.msg, "changed while it was read"));
		err_release(&t->err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ranges, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_few_make_no_thread, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_end_before_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
