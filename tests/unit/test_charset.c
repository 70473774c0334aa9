/* Text of SIP user agents made fit for a stanza. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/charset.h"

static void test_html(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
		{"<html><body>Hi <b>you</b></body></html>", "Hi you"},
		{"a<br>b<p>c</p>d", "a\nb\nc\nd"},
		{"1 &lt; 2 &amp;&amp; &#233;&#xE9;&#x1F600;",
		 "1 < 2 && \xC3\xA9\xC3\xA9\xF0\x9F\x98\x80"},
		{"<script>alert(1)</script>x<style>p{}</style>y", "xy"},
		{"<!-- <b>no</b> -->yes", "yes"},
		{"a & b &bogus; &#0; &#xD800;", "a & b &bogus;"},
		{"<b", ""},
		{"a < b", "a"},
		{"<!-- open", ""},
		{"<script>never closed", ""},
		{"  a \r\n b  ", "a b"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct buf b;

		buf_init(&b, 1000);
		assert_int_equal(charset_html_to_text(span_str(rows[i].in), &b),
				 0);
		assert_string_equal(buf_cstr(&b), rows[i].out);
		buf_deinit(&b);
	}
}

static void test_charsets(void **state)
{
	const struct {
		const char *charset;
		struct span in;
		const char *out;
	} rows[] = {
		{"", SPAN_LIT("\xEF\xBB\xBFx"), "x"},
		{"UTF-8", SPAN_LIT("\xC3\xA9"), "\xC3\xA9"},
		{"utf-16le", SPAN_LIT("h\0i\0"), "hi"},
		{"utf-16", SPAN_LIT("\xFE\xFF\0h\0i"), "hi"},
		{"windows-1252", SPAN_LIT("\x80"), "\xE2\x82\xAC"},
		{"koi8-r", SPAN_LIT("\xC1"), "\xD0\xB0"},
		{"shift_jis", SPAN_LIT("\x82\xA0"), "\xE3\x81\x82"},
		{"us-ascii", SPAN_LIT("ok"), "ok"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct buf b;

		buf_init(&b, 1000);
		assert_int_equal(charset_to_text(rows[i].in,
						 span_str(rows[i].charset), &b),
				 0);
		assert_string_equal(buf_cstr(&b), rows[i].out);
		buf_deinit(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_charsets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
