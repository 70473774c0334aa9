/* common/base: digests, base64 and unpredictable ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/digest.h"

static void test_digest(void **state)
{
	uint8_t md[SHA256_BYTES];
	char hex[SHA256_HEX_BYTES + 1];

	(void)state;
	/* FIPS 180-2 B.1, and the empty string */
	assert_int_equal(digest_sha256(SPAN_LIT("abc"), md), 0);
	digest_hex(md, sizeof(md), hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223"
				 "b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(digest_sha256(SPAN_NULL, md), 0);
	digest_hex(md, sizeof(md), hex);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb924"
				 "27ae41e4649b934ca495991b7852b855");
	/* RFC 4231 4.3 */
	assert_int_equal(digest_hmac_sha256(
				 SPAN_LIT("Jefe"),
				 SPAN_LIT("what do ya want for nothing?"), md),
			 0);
	digest_hex(md, sizeof(md), hex);
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c7"
				 "5a003f089d2739839dec58b964ec3843");
	assert_int_equal(digest_hmac_sha256(SPAN_NULL, SPAN_NULL, md), 0);
	digest_hex(md, sizeof(md), hex);
	assert_string_equal(hex, "b613679a0814d9ec772f95d778c35fc5"
				 "ff1697c493715653c6c712144292c5ad");
	assert_true(digest_equal(SPAN_LIT("ab"), SPAN_LIT("ab")));
	assert_false(digest_equal(SPAN_LIT("ab"), SPAN_LIT("ac")));
	assert_false(digest_equal(SPAN_LIT("ab"), SPAN_LIT("abc")));
	assert_true(digest_equal(SPAN_NULL, SPAN_NULL));
}

/* RFC 4648 section 10 */
static void test_base64(void **state)
{
	static const char *const rows[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};
	static const char *const bad[] = {
		"Z",	"Zg",	    "Zg=",    "Zg===", "Z@==",
		"====", "Zg==Zg==", "Zg==\n", "Zm\n8"};
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		buf_reset(&b);
		assert_int_equal(digest_base64_encode(span_str(rows[i][0]), &b),
				 0);
		assert_string_equal(buf_cstr(&b), rows[i][1]);
		buf_reset(&b);
		assert_int_equal(digest_base64_decode(span_str(rows[i][1]), &b),
				 0);
		assert_string_equal(buf_cstr(&b), rows[i][0]);
	}
	for (size_t i = 0; i < FED_ARRAY_LEN(bad); i++) {
		buf_reset(&b);
		if (digest_base64_decode(span_str(bad[i]), &b) != FED_EINVAL)
			fail_msg("%s", bad[i]);
		assert_int_equal(buf_len(&b), 0);
	}
	buf_deinit(&b);
	buf_init(&b, 4);
	assert_int_equal(digest_base64_encode(SPAN_LIT("foobar"), &b),
			 FED_ELIMIT);
	buf_deinit(&b);
}

static void test_id_source(void **state)
{
	struct id_source s = {.key = {1, 2, 3}};
	struct id_source same = s;
	struct id_source other = {.key = {1, 2, 4}};
	char a[ID_TEXT_BYTES + 1];
	char b[ID_TEXT_BYTES + 1];

	(void)state;
	id_source_next(&s, a);
	id_source_next(&s, b);
	assert_int_equal(strlen(a), ID_TEXT_BYTES);
	assert_string_not_equal(a, b);
	id_source_next(&same, b);
	assert_string_equal(a, b);
	id_source_next(&other, b);
	assert_string_not_equal(a, b);
}

/* AES-256 of 1 and 2, little-endian, in one block each. */
static void test_id_source_is_a_cipher(void **state)
{
	static const char *const expected[] = {
		"5275f3d86b4fb8684593133ebfa53cd3",
		"779b38d15bffb63d8d609d551a5cc98e"};
	struct id_source s = {.key = {0}};
	char id[ID_TEXT_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(expected); i++) {
		id_source_next(&s, id);
		assert_string_equal(id, expected[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_id_source),
		cmocka_unit_test(test_id_source_is_a_cipher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
