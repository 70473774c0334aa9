/* Dialback keys: the published vectors of XEP-0185 and XEP-0220. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "edge-proxy/core/dialback.h"

static const struct {
	const char *vector;
	const char *secret;
	const char *receiving;
	const char *originating;
	const char *id;
	const char *key;
} vectors[] = {
	{"X1", "s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org",
	 "D60000229F",
	 "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643"},
	{"X2", "s3cr3tf0rd14lb4ck", "montague.example", "capulet.example",
	 "D60000229F",
	 "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3"},
	{"X3", "d14lb4ck43v3r", "capulet.example", "montague.example",
	 "417GAF25",
	 "225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d"},
};

static void test_vectors(void **state)
{
	char key[DIALBACK_KEY_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(vectors); i++) {
		print_message("%s\n", vectors[i].vector);
		assert_int_equal(dialback_key(span_str(vectors[i].secret),
					      vectors[i].receiving,
					      vectors[i].originating,
					      vectors[i].id, key),
				 0);
		assert_string_equal(key, vectors[i].key);
		assert_true(dialback_key_matches(
			span_str(vectors[i].secret), vectors[i].receiving,
			vectors[i].originating, vectors[i].id,
			span_str(vectors[i].key)));
	}
}

static void test_other_keys_do_not_match(void **state)
{
	struct span secret = SPAN_LIT("s3cr3tf0rd14lb4ck");
	struct span key = span_str(vectors[0].key);

	(void)state;
	/* the domains change places, another id, another secret, a piece */
	assert_false(dialback_key_matches(
		secret, "example.org", "xmpp.example.com", "D60000229F", key));
	assert_false(dialback_key_matches(secret, "xmpp.example.com",
					  "example.org", "D60000229G", key));
	assert_false(dialback_key_matches(SPAN_LIT("another"),
					  "xmpp.example.com", "example.org",
					  "D60000229F", key));
	assert_false(dialback_key_matches(secret, "xmpp.example.com",
					  "example.org", "D60000229F",
					  span_sub(key, 0, 63)));
	assert_false(dialback_key_matches(secret, "xmpp.example.com",
					  "example.org", "D60000229F",
					  SPAN_NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_other_keys_do_not_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
