#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "local/s3_sums.h"

static struct s3_sums sums_of(const char *p, size_t n)
{
	struct s3_sums sums = { 0 };
	auto_err err = { 0 };

	assert_int_equal(s3_sums_add(&sums, ~0U, &(struct s3_bytes){ .p = p, .size = n }, &err), 0);
	return sums;
}

/* The check values of the catalogues: RFC 1321, FIPS 180-4, and each CRC's of "123456789". */
static void test_known_values(void **state)
{
	static const struct {
		const char *text;
		enum s3_sum sum;
		const char *hex;
	} cases[] = {
		{ "123456789", S3_SUM_CRC32, "cbf43926" },
		{ "123456789", S3_SUM_CRC32C, "e3069283" },
		{ "123456789", S3_SUM_CRC64NVME, "ae8b14860a799888" },
		{ "", S3_SUM_CRC64NVME, "0000000000000000" },
		{ "abc", S3_SUM_MD5, "900150983cd24fb0d6963f7d28e17f72" },
		{ "abc", S3_SUM_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ "abc", S3_SUM_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct s3_sums sums = sums_of(cases[i].text, strlen(cases[i].text));
		auto_free char *hex = str_hex(sums.v[cases[i].sum], s3_sum_bytes(cases[i].sum));

		assert_string_equal(hex, cases[i].hex);
	}
}

/* However the bytes are cut, the parts' CRCs give the whole's. */
static void test_crcs_of_parts(void **state)
{
	static const size_t cuts[] = { 0, 1, 7, 8, 9, 4095, 70000, 99999, 100000 };
	static const enum s3_sum crcs[] = { S3_SUM_CRC32, S3_SUM_CRC32C, S3_SUM_CRC64NVME };
	size_t n = 100000;
	auto_free char *bytes = xmalloc(n);
	struct s3_sums whole;

	(void)state;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(i * 2654435761U >> 13);
	whole = sums_of(bytes, n);
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		struct s3_sums a = sums_of(bytes, cuts[i]), b = sums_of(bytes + cuts[i], n - cuts[i]);

		for (size_t k = 0; k < ARRAY_LEN(crcs); k++) {
			s3_sum_combine(crcs[k], a.v[crcs[k]], b.v[crcs[k]], n - cuts[i]);
			assert_memory_equal(a.v[crcs[k]], whole.v[crcs[k]], s3_sum_bytes(crcs[k]));
		}
	}
}

static void test_range_of_a_file(void **state)
{
	auto_err err = { 0 };
	auto_close int fd = fs_temp_file(&err);
	struct s3_bytes range = { .fd = fd, .offset = 2, .size = 3 };
	struct s3_sums sums = { 0 }, right = sums_of("cde", 3);

	(void)state;
	assert_int_equal(write(fd, "abcdefg", 7), 7);
	assert_int_equal(s3_sums_add(&sums, S3_SUM_SET(S3_SUM_MD5), &range, &err), 0);
	assert_memory_equal(sums.v[S3_SUM_MD5], right.v[S3_SUM_MD5], s3_sum_bytes(S3_SUM_MD5));
	range.size = 100;
	assert_int_equal(s3_sums_add(&sums, S3_SUM_SET(S3_SUM_CRC32), &range, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_crcs_of_parts),
		cmocka_unit_test(test_range_of_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
