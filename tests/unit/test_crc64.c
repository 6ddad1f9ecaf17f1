#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc64.h"
#include "base/mem.h"

static void test_check_value(void **state)
{
	(void)state;
	assert_true(crc64nvme(0, "123456789", 9) == UINT64_C(0xae8b14860a799888));
	assert_true(crc64nvme(0, "", 0) == 0);
	/* Of the NVM Command Set Specification: 4096 bytes of zeros, of ones, counting up, counting down. */
	unsigned char p[4096];

	memset(p, 0, sizeof(p));
	assert_true(crc64nvme(0, p, sizeof(p)) == UINT64_C(0x6482d367eb22b64e));
	memset(p, 0xff, sizeof(p));
	assert_true(crc64nvme(0, p, sizeof(p)) == UINT64_C(0xc0ddba7302eca3ac));
	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (unsigned char)i;
	assert_true(crc64nvme(0, p, sizeof(p)) == UINT64_C(0x3e729f5f6750449c));
	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (unsigned char)~i;
	assert_true(crc64nvme(0, p, sizeof(p)) == UINT64_C(0x9a2df64b8e9e517e));
}

static void test_lengths(void **state)
{
	auto_free unsigned char *p = xmalloc(1500);

	(void)state;
	for (size_t i = 0; i < 1500; i++)
		p[i] = (unsigned char)(i * i * 31 + i / 7);
	for (size_t n = 0; n < 1400; n++) {
		uint64_t whole = crc64nvme(0, p + n % 13, n), half = crc64nvme(0, p + n % 13, n / 3);

		assert_true(whole == crc64nvme_by_table(0, p + n % 13, n));
		assert_true(whole == crc64nvme(half, p + n % 13 + n / 3, n - n / 3));
		assert_true(whole == crc64nvme_join(half, crc64nvme(0, p + n % 13 + n / 3, n - n / 3), n - n / 3));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_value),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
