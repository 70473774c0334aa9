/* Certificates of SIP domains, RFC 5922 7: rows of names, never a wildcard. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "fe-gateway/core/sip_identity.h"

/* Names as "U:sip:a" (URI), "D:a" (DNS), "I:<octets>" (address), parted by
 * blanks, to GeneralNames in DER. */
static struct span san_of(const char *names, char out[512])
{
	struct span all = span_str(names);
	size_t n = 2;
	size_t at = 0;

	while (at < all.n) {
		size_t end = span_find(all, ' ', at);
		struct span one = span_sub(all, at, end);
		struct span text = span_sub(one, 2, one.n);

		out[n++] = (char)(one.p[0] == 'U'   ? 0x86
				  : one.p[0] == 'D' ? 0x82
						    : 0x87);
		out[n++] = (char)text.n;
		memcpy(out + n, text.p, text.n);
		n += text.n;
		at = end == SIZE_MAX ? all.n : end + 1;
	}
	assert_true(n - 2 < 0x80);
	out[0] = 0x30;
	out[1] = (char)(n - 2);
	return span_of(out, n);
}

static const struct row {
	const char *san; /* NULL: no such extension */
	const char *cn;
	const char *host;
	bool is_match;
} rows[] = {
	/* V20 */
	{"D:*.example.net", "", "example.net", false},
	{"D:*.example.net", "", "a.example.net", false},
	{"D:*.example.net", "", "*.example.net", false},
	/* V21 */
	{"U:sip:example.net", "", "example.net", true},
	{"U:sip:EXAMPLE.net", "", "example.NET", true},
	{"U:SIP:example.net:5061;transport=tls", "", "example.net", true},
	{"U:sip:example.net", "", "a.example.net", false},
	{"U:sip:a.example.net", "", "example.net", false},
	/* a person, another scheme, no URI at all */
	{"U:sip:alice@example.net", "", "example.net", false},
	{"U:sips:example.net", "", "example.net", false},
	{"U:xmpp:example.net", "", "example.net", false},
	{"U:sip:", "", "example.net", false},
	{"U:sip:*.example.net", "", "a.example.net", false},
	/* DNS names count when no SIP domain is there */
	{"D:example.net", "", "example.net", true},
	{"D:other.net D:example.net", "", "example.net", true},
	{"U:sips:example.net D:example.net", "", "example.net", true},
	{"U:sip:other.net D:example.net", "", "example.net", false},
	{"D:example.net U:sip:other.net", "", "example.net", false},
	{"D:example.net U:sip:other.net U:sip:example.net", "", "example.net",
	 true},
	/* the common name without subjectAltName alone */
	{NULL, "example.net", "example.net", true},
	{NULL, "*.example.net", "a.example.net", false},
	{NULL, "", "example.net", false},
	{"D:other.net", "example.net", "example.net", false},
	{"", "example.net", "example.net", false},
	/* addresses */
	{"I:\xC0\x01\x02\x03", "", "192.1.2.3", true},
	{"I:\xC0\x01\x02\x03", "", "192.1.2.4", false},
	{"I:\xC0\x01\x02", "", "192.1.2.3", false},
	{"U:sip:192.1.2.3", "", "192.1.2.3", true},
	{"D:192.1.2.3", "", "192.1.2.33", false},
	/* internationalized */
	{"D:xn--bcher-kva.example", "",
	 "b\xC3\xBC"
	 "cher.example",
	 true},
	{"D:example.net", "", "", false},
};

static void test_rows(void **state)
{
	char der[512];

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct sip_identity id = {.cn = span_str(r->cn)};

		if (r->san != NULL) {
			id.has_san = true;
			id.san = san_of(r->san, der);
		}
		if (sip_identity_is(&id, span_str(r->host)) != r->is_match)
			fail_msg("%s / %s for %s",
				 r->san != NULL ? r->san : "-", r->cn, r->host);
	}
}

static void test_zero_byte(void **state)
{
	static const char der[] = "\x30\x10\x82\x0e"
				  "example.net\0.x";
	struct sip_identity id = {.has_san = true,
				  .san = span_of(der, sizeof(der) - 1)};

	(void)state;
	assert_false(sip_identity_is(&id, SPAN_LIT("example.net")));
}

/* Cut or padded anywhere, it is nobody. */
static void test_broken(void **state)
{
	char der[512];
	struct span san = san_of("D:a.example D:example.net", der);
	struct sip_identity id = {.has_san = true};

	(void)state;
	for (size_t n = 0; n < san.n; n++) {
		id.san = span_sub(san, 0, n);
		assert_false(sip_identity_is(&id, SPAN_LIT("example.net")));
		assert_int_equal(sip_identity_name(&id).n, 0);
	}
	id.san = span_of(der, san.n + 1);
	assert_false(sip_identity_is(&id, SPAN_LIT("example.net")));
}

static void test_name(void **state)
{
	char der[512];
	struct sip_identity id = {.has_san = true};

	(void)state;
	id.san = san_of("D:b.net U:sip:a.net U:sip:c.net", der);
	assert_true(span_eq_str(sip_identity_name(&id), "a.net"));
	id.san = san_of("U:sip:bob@x.net D:b.net D:c.net", der);
	assert_true(span_eq_str(sip_identity_name(&id), "b.net"));
	id = (struct sip_identity){.cn = SPAN_LIT("cn.net")};
	assert_true(span_eq_str(sip_identity_name(&id), "cn.net"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_zero_byte),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
