/* XML out: escaping, forbidden characters, sticky failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edge-proxy/core/xml_writer.h"

static void text_and_attributes_are_escaped(void **state)
{
	static const struct {
		const char *in;
		const char *text;
		const char *attr;
	} rows[] = {
		{"", "", ""},
		{"plain", "plain", "plain"},
		{"<a&b>'\"", "&lt;a&amp;b&gt;&apos;&quot;",
		 "&lt;a&amp;b&gt;&apos;&quot;"},
		{"]]>", "]]&gt;", "]]&gt;"},
		{"a\tb\nc\rd", "a\tb\nc&#13;d", "a&#9;b&#10;c&#13;d"},
		{"\x01"
		 "a\x1F"
		 "b\x7F",
		 "ab\x7F", "ab\x7F"},
		{"\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80",
		 "\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80",
		 "\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80"},
		/* U+FFFE, U+FFFF go, U+FFFD and U+FEFF stay */
		{"a\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xBF\xBD\xEF\xBB\xBF",
		 "a\xEF\xBF\xBD\xEF\xBB\xBF", "a\xEF\xBF\xBD\xEF\xBB\xBF"},
		/* what is not UTF-8 goes byte by byte */
		{"a\xC3", "a", "a"},
		{"\xFF"
		 "a\x80",
		 "a", "a"},
		{"\xED\xA0\x80"
		 "a\xC0\x80",
		 "a", "a"},
		{"\xE2\x82<", "&lt;", "&lt;"},
	};
	struct buf b;
	struct buf want;

	(void)state;
	buf_init(&b, 4096);
	buf_init(&want, 4096);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		buf_reset(&b);
		xml_write_text(&b, rows[i].in);
		assert_string_equal(buf_cstr(&b), rows[i].text);
		buf_reset(&b);
		xml_write_attr(&b, "n", rows[i].in);
		buf_reset(&want);
		buf_printf(&want, " n='%s'", rows[i].attr);
		assert_string_equal(buf_cstr(&b), buf_cstr(&want));
	}
	buf_deinit(&b);
	buf_deinit(&want);
}

static void pieces(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	xml_write_open(&b, "a");
	xml_write_attr(&b, "none", NULL);
	xml_write_attr(&b, "empty", "");
	xml_write_body(&b);
	xml_write_leaf(&b, "b", "t<");
	xml_write_leaf(&b, "c", "");
	xml_write_leaf(&b, "d", NULL);
	xml_write_flag(&b, "e", "urn:x");
	xml_write_open(&b, "f");
	xml_write_empty(&b);
	xml_write_close(&b, "a");
	assert_string_equal(buf_cstr(&b), "<a empty=''><b>t&lt;</b>"
					  "<e xmlns='urn:x'/><f/></a>");
	buf_deinit(&b);
}

static void failure_is_sticky(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	xml_write_open(&b, "abc");
	assert_false(b.is_failed);
	xml_write_attr(&b, "name", "value");
	xml_write_empty(&b);
	assert_true(b.is_failed);
	buf_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_attributes_are_escaped),
		cmocka_unit_test(pieces),
		cmocka_unit_test(failure_is_sticky),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
