/* Request lines and CSeq: RFC 3261 7.1, 20.16, and what RFC 4475 does to
 * them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fe-gateway/core/sip_text.h"

static void test_request_lines(void **state)
{
	static const struct {
		const char *line;
		const char *method;
		const char *uri;
		const char *version;
		bool is_uri;
	} rows[] = {
		{"MESSAGE sip:a@b SIP/2.0", "MESSAGE", "sip:a@b", "SIP/2.0",
		 true},
		/* intmeth, esc02 */
		{"!int-M3%0_*+`'.~ sip:a@b SIP/2.0", "!int-M3%0_*+`'.~",
		 "sip:a@b", "SIP/2.0", true},
		{"RE%47IST%45R sip:a@b SIP/2.0", "RE%47IST%45R", "sip:a@b",
		 "SIP/2.0", true},
		/* lwsstart, trws */
		{"INVITE  sip:a@b  SIP/2.0", "INVITE", "sip:a@b", "SIP/2.0",
		 true},
		{"OPTIONS sip:a@b SIP/2.0  ", "OPTIONS", "sip:a@b", "SIP/2.0",
		 true},
		/* lwsruri, badvers */
		{"INVITE sip:a@b; lr SIP/2.0", "INVITE", "sip:a@b; lr",
		 "SIP/2.0", false},
		{"INVITE sip:a\x01@b SIP/2.0", "INVITE", "sip:a\x01@b",
		 "SIP/2.0", false},
		{"OPTIONS sip:a@b sip/7.0", "OPTIONS", "sip:a@b", "sip/7.0",
		 true},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct sip_text_line l;

		assert_int_equal(
			sip_text_request_line(span_str(rows[i].line), &l), 0);
		assert_true(span_eq_str(l.method, rows[i].method));
		assert_true(span_eq_str(l.uri, rows[i].uri));
		assert_true(span_eq_str(l.version, rows[i].version));
		assert_int_equal(l.is_uri, rows[i].is_uri);
	}
}

static void test_no_request_lines(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		"MESSAGE",
		"MESSAGE SIP/2.0",
		"MESSAGE  SIP/2.0",
		"MESSAGE sip:a@b",
		"MESSAGE sip:a@b HTTP/1.1",
		"MESSAGE sip:a@b SIP/2",
		"MESSAGE sip:a@b SIP/a.b",
		"MESS@GE sip:a@b SIP/2.0",
		"M\xC3\xA9 sip:a@b SIP/2.0",
		"\"M\" sip:a@b SIP/2.0",
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct sip_text_line l;

		assert_int_equal(sip_text_request_line(span_str(rows[i]), &l),
				 FED_EINVAL);
	}
}

static void test_cseq(void **state)
{
	static const struct {
		const char *value;
		int err;
		uint32_t number;
		const char *method;
	} rows[] = {
		{"1 MESSAGE", 0, 1, "MESSAGE"},
		/* wsinv */
		{"0009\r\n  INVITE", 0, 9, "INVITE"},
		{"00000000000000000000000000000007 A", 0, 7, "A"},
		{"0 A", 0, 0, "A"},
		{"4294967295 A", 0, 4294967295u, "A"},
		/* scalar02 */
		{"4294967296 A", FED_EINVAL, 0, NULL},
		{"36893488147419103232 REGISTER", FED_EINVAL, 0, NULL},
		{"-1 A", FED_EINVAL, 0, NULL},
		{"+1 A", FED_EINVAL, 0, NULL},
		{"0x1 A", FED_EINVAL, 0, NULL},
		{"1", FED_EINVAL, 0, NULL},
		{"A", FED_EINVAL, 0, NULL},
		{"1 A B", FED_EINVAL, 0, NULL},
		{"1 A, 2 B", FED_EINVAL, 0, NULL},
		{"", FED_EINVAL, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct span method;
		uint32_t number;
		int err = sip_text_cseq(span_str(rows[i].value), &number,
					&method);

		assert_int_equal(err, rows[i].err);
		if (err != 0)
			continue;
		assert_int_equal(number, rows[i].number);
		assert_true(span_eq_str(method, rows[i].method));
	}
}

static void test_languages(void **state)
{
	static const struct {
		const char *tag;
		bool is_tag;
	} rows[] = {
		{"cs", true},
		{"de-CH-1996", true},
		{"x-abcdefgh", true},
		{"", false},
		{"-", false},
		{"cs-", false},
		{"cs--de", false},
		{"1a", false},
		{"abcdefghi", false},
		{"cs, de", false},
		{"cs\r\nX: y", false},
		/* 64 and 65 bytes */
		{"a-abcdefgh-abcdefgh-abcdefgh-abcdefgh-abcdefgh-abcdefgh-"
		 "abcdefgh",
		 true},
		{"ab-abcdefgh-abcdefgh-abcdefgh-abcdefgh-abcdefgh-abcdefgh-"
		 "abcdefgh",
		 false},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++)
		assert_int_equal(sip_text_is_language(span_str(rows[i].tag)),
				 rows[i].is_tag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_lines),
		cmocka_unit_test(test_no_request_lines),
		cmocka_unit_test(test_cseq),
		cmocka_unit_test(test_languages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
