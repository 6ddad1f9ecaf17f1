/* base/digest_lanes.h against OpenSSL and the standard's own examples: of every length, in pieces, at any address. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest_lanes.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_BYTES 5000

static uint32_t next_random(uint32_t *v)
{
	return (*v = *v * 1664525 + 1013904223) >> 8;
}

/* All ways that processors offer; those that this one lacks are OpenSSL's again. */
static const unsigned ways[] = { 0, DIGEST_WITHOUT_SHA, DIGEST_WITHOUT_AVX512,
				 DIGEST_WITHOUT_SHA | DIGEST_WITHOUT_AVX512 };

/* What each lane is fed with, and how far it is. */
struct stream {
	const unsigned char *p;
	size_t n, done;
};

static bool is_done(const struct stream *s, int n)
{
	for (int i = 0; i < n; i++)
		if (s[i].done < s[i].n)
			return false;
	return true;
}

/* In steps that step() makes, some lanes ending before others; the last lane comes first. */
static void check(struct digest_lanes *l, struct stream *s, int n, size_t (*step)(uint32_t *v), uint32_t *v)
{
	for (int i = 0; i < n; i++)
		digest_lanes_begin(l, DIGEST_LANES - 1 - i);
	while (!is_done(s, n)) {
		struct digest_feed feeds[DIGEST_LANES];

		for (int i = 0; i < n; i++) {
			size_t left = s[i].n - s[i].done, piece = step(v);

			piece = piece < left ? piece : left;
			feeds[i] = (struct digest_feed){ DIGEST_LANES - 1 - i, s[i].p + s[i].done, piece };
			s[i].done += piece;
		}
		digest_lanes_update(l, feeds, n);
	}
	for (int i = 0; i < n; i++) {
		struct digest want = digest_of(s[i].p, s[i].n), got = digest_lanes_final(l, DIGEST_LANES - 1 - i);

		assert_true(digest_equal(&got, &want));
	}
}

static size_t at_once(uint32_t *v)
{
	(void)v;
	return MAX_BYTES;
}

static size_t in_blocks(uint32_t *v)
{
	return (next_random(v) % 9 + 1) * 64;
}

static size_t anyhow(uint32_t *v)
{
	return next_random(v) % 300;
}

static void test_against_openssl(void **state)
{
	static size_t (*const steps[])(uint32_t * v) = { at_once, in_blocks, anyhow };
	auto_free unsigned char *bytes = xmalloc(2 * MAX_BYTES);
	uint32_t v = 1;

	(void)state;
	for (size_t i = 0; i < (size_t)2 * MAX_BYTES; i++)
		bytes[i] = (unsigned char)(next_random(&v) >> 16);
	for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
		auto_digest_lanes *l = digest_lanes_new(ways[way]);

		for (int round = 0; round < 900; round++) {
			struct stream s[DIGEST_LANES] = { 0 };
			int n = round % DIGEST_LANES + 1;

			for (int i = 0; i < n; i++) {
				size_t most = round % 3 ? 300 : MAX_BYTES;

				s[i].p = bytes + next_random(&v) % MAX_BYTES;
				s[i].n = next_random(&v) % most;
			}
			check(l, s, n, steps[next_random(&v) % ARRAY_LEN(steps)], &v);
		}
	}
}

/* Each length around the ends of blocks, all lanes alike and one longer than the other. */
static void test_lengths(void **state)
{
	auto_free unsigned char *bytes = xcalloc(1, MAX_BYTES);
	uint32_t v = 2;

	(void)state;
	for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
		auto_digest_lanes *l = digest_lanes_new(ways[way]);

		for (size_t n = 0; n < 270; n++) {
			struct stream same[DIGEST_LANES], rising[DIGEST_LANES];

			for (size_t i = 0; i < DIGEST_LANES; i++) {
				same[i] = (struct stream){ bytes + i, n, 0 };
				rising[i] = (struct stream){ bytes + 64 - i, n * i, 0 };
			}
			check(l, same, DIGEST_LANES, at_once, &v);
			check(l, rising, DIGEST_LANES, at_once, &v);
		}
	}
}

/* https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values */
static void test_examples(void **state)
{
	static const struct {
		const char *text, *hex;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
		  "nopqrstu",
		  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
	};

	(void)state;
	for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
		auto_digest_lanes *l = digest_lanes_new(ways[way]);
		struct digest_feed feeds[DIGEST_LANES];

		for (int i = 0; i < DIGEST_LANES; i++) {
			const char *text = rows[(size_t)i % ARRAY_LEN(rows)].text;

			digest_lanes_begin(l, i);
			feeds[i] = (struct digest_feed){ i, text, strlen(text) };
		}
		digest_lanes_update(l, feeds, DIGEST_LANES);
		for (int i = 0; i < DIGEST_LANES; i++) {
			struct digest got = digest_lanes_final(l, i);
			auto_free char *hex = digest_hex(&got);

			assert_string_equal(hex, rows[(size_t)i % ARRAY_LEN(rows)].hex);
		}
	}
}

/* The standard's million of 'a', and more bits than the lower word of OpenSSL's count holds. */
static void test_long_message(void **state)
{
	const size_t piece = 1000000 / 8, total = 600000000;
	auto_free char *text = xmalloc(piece);
	auto_digest_lanes *l = digest_lanes_new(0);
	auto_digest *want_state = digest_new();
	struct digest_feed feeds[DIGEST_LANES];
	struct digest want, got;

	(void)state;
	memset(text, 'a', piece);
	for (int i = 0; i < DIGEST_LANES; i++) {
		digest_lanes_begin(l, i);
		feeds[i] = (struct digest_feed){ i, text, piece };
	}
	for (size_t done = 0; done < 1000000; done += piece)
		digest_lanes_update(l, feeds, DIGEST_LANES);
	for (int i = 0; i < DIGEST_LANES; i++) {
		auto_free char *hex = NULL;

		got = digest_lanes_final(l, i);
		hex = digest_hex(&got);
		assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	}
	for (int i = 0; i < 2; i++) {
		digest_lanes_begin(l, i);
		feeds[i].n = piece / 64 * 64;
	}
	for (size_t done = 0; done < total; done += feeds[0].n) {
		digest_lanes_update(l, feeds, 2);
		digest_update(want_state, text, feeds[0].n);
	}
	want = digest_final(want_state);
	for (int i = 0; i < 2; i++) {
		got = digest_lanes_final(l, i);
		assert_true(digest_equal(&got, &want));
	}
}

static void test_useful(void **state)
{
	auto_digest_lanes *none = digest_lanes_new(DIGEST_WITHOUT_SHA | DIGEST_WITHOUT_AVX512);
	auto_digest_lanes *all = digest_lanes_new(0);

	(void)state;
	for (int n = 1; n < 40; n++) {
		int useful = digest_lanes_useful(all, n);

		assert_int_equal(digest_lanes_useful(none, n), 1);
		assert_true(useful >= 1 && useful <= n && useful <= DIGEST_LANES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_openssl), cmocka_unit_test(test_lengths), cmocka_unit_test(test_examples),
		cmocka_unit_test(test_long_message),    cmocka_unit_test(test_useful),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
