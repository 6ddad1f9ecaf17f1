/* base/digest.h against the examples of FIPS 180-4 (NIST's), RFC 4231 and RFC 1321. */

#include "base/digest.h"
#include "tests/unit/shell.h"

static void assert_hex(struct digest d, const char *expected)
{
	auto_free char *hex = digest_hex(&d);

	assert_string_equal(hex, expected);
}

static void test_sha256(void **state)
{
	auto_digest *running = digest_new();
	char thousand[1000];

	(void)state;
	assert_hex(digest_of("", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_hex(digest_of(NULL, 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_hex(digest_of_text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_hex(digest_of_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
		   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(thousand, 'a', sizeof(thousand));
	for (int i = 0; i < 1000; i++)
		digest_update(running, thousand, sizeof(thousand));
	assert_hex(digest_final(running), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_hmac(void **state)
{
	unsigned char key[131], data[50];

	(void)state;
	memset(key, 0x0b, 20);
	assert_hex(digest_hmac(key, 20, "Hi There", 8),
		   "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	assert_hex(digest_hmac("Jefe", 4, "what do ya want for nothing?", 28),
		   "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	memset(data, 0xdd, sizeof(data));
	assert_hex(digest_hmac(key, 20, data, sizeof(data)),
		   "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
	assert_hex(digest_hmac(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54),
		   "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	assert_hex(digest_hmac("", 0, "", 0), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void test_parse(void **state)
{
	struct digest d = digest_of_text("abc"), e;
	auto_free char *oci = digest_oci(&d);

	(void)state;
	assert_string_equal(oci, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(digest_parse(oci, &e), 0);
	assert_true(digest_equal(&d, &e));
	assert_int_equal(digest_parse(oci + 7, &e), 0);
	assert_true(digest_equal(&d, &e));
	e.b[31] ^= 1;
	assert_false(digest_equal(&d, &e));
	assert_int_equal(digest_parse("sha256:", &e), -1);
	assert_int_equal(digest_parse(oci + 8, &e), -1);
	assert_int_equal(digest_parse("sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", &e),
			 -1);
}

static void test_files(void **state)
{
	auto_err err = { 0 };
	auto_free char *dir = fs_temp_dir("test-digest", &err);
	auto_free char *path = fs_join(dir, "f");
	struct digest d;
	uint64_t size;

	(void)state;
	run(dir, "head -c 1000000 /dev/zero | tr '\\0' a > f");
	assert_int_equal(digest_of_file(path, &d, &size, &err), 0);
	assert_int_equal(size, 1000000);
	assert_hex(d, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	run(dir, "rm f");
	assert_int_equal(digest_of_file(path, &d, NULL, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.msg, path));
	fs_remove_tree(dir, &err);
}

static void test_md5(void **state)
{
	struct digest_md5 d = digest_md5_of("message digest", 14);
	auto_free char *hex = str_hex(d.b, sizeof(d.b));

	(void)state;
	assert_string_equal(hex, "f96b697d7cb7938d525a2f31aaf161d0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256), cmocka_unit_test(test_hmac), cmocka_unit_test(test_parse),
		cmocka_unit_test(test_files),  cmocka_unit_test(test_md5),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
