/* base/digest_pair.h against OpenSSL, of every length and in pieces. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest_pair.h"
#include "base/mem.h"

#define MAX_BYTES 5000

static void fill(unsigned char *p, uint32_t v)
{
	for (size_t i = 0; i < MAX_BYTES; i++)
		p[i] = (unsigned char)((v = v * 1664525 + 1013904223) >> 24);
}

static void check(const unsigned char *a, size_t na, const unsigned char *b, size_t nb, size_t first)
{
	struct digest wanted_a = digest_of(a, na), wanted_b = digest_of(b, nb), got_a, got_b;
	size_t first_a = first < na ? first : na, first_b = first < nb ? first : nb;
	struct digest_lane la, lb;

	digest_lane_init(&la);
	digest_lane_init(&lb);
	digest_pair_update(&la, a, first_a, &lb, b, first_b);
	digest_pair_update(&la, a + first_a, na - first_a, &lb, b + first_b, nb - first_b);
	got_a = digest_lane_final(&la);
	got_b = digest_lane_final(&lb);
	assert_true(digest_equal(&got_a, &wanted_a));
	assert_true(digest_equal(&got_b, &wanted_b));
}

static void test_against_openssl(void **state)
{
	auto_free unsigned char *a = xmalloc(MAX_BYTES), *b = xmalloc(MAX_BYTES);

	(void)state;
	if (!digest_pair_is_possible())
		skip();
	fill(a, 1);
	fill(b, 2);
	for (size_t n = 0; n < 700; n++) {
		check(a, n, b, n, 128);
		check(a, n, b, 2 * n, 0);
		check(a, MAX_BYTES - n, b, n, 64 * 7);
		check(a, MAX_BYTES - n, b, MAX_BYTES - 3, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_openssl) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
