/* The reader: forbidden XML, bad encodings, what may stand at the beginning. */
#include "xml_harness.h"

/* Inside an open stream; in one piece and byte by byte. */
static const struct {
	const char *id;
	const char *in;
	int err;
} STREAM_ROWS[] = {
	{"X12 comment", "<message><!-- x --></message>", FED_ERESTRICTED},
	{"X12 comment between", "<!-- x -->", FED_ERESTRICTED},
	{"X12 pi", "<message><?pi x?></message>", FED_ERESTRICTED},
	{"X12 pi between", "<?pi?>", FED_ERESTRICTED},
	{"X12 doctype", "<!DOCTYPE a>", FED_ERESTRICTED},
	{"X12 doctype inside", "<a><!DOCTYPE a [ ]>", FED_ERESTRICTED},
	{"X12 entity decl", "<a><!ENTITY x 'y'></a>", FED_ERESTRICTED},
	{"X12 entity", "<a><body>&foo;</body></a>", FED_ERESTRICTED},
	{"X12 entity in attr", "<a b='&foo;'/>", FED_ERESTRICTED},
	{"X13", "<body>&amp;&lt;&#x41;</body>", 0},
	{"X13 cdata", "<body><![CDATA[<]]></body>", 0},
	{"X14 C0 80", "<a>\xC0\x80</a>", FED_EENCODING},
	{"X14 surrogate", "<a>\xED\xA0\x80</a>", FED_EENCODING},
	{"X14 in attr", "<a b='\xFF'/>", FED_EENCODING},
	{"overlong 2", "<a>\xC1\x81</a>", FED_EENCODING},
	{"overlong 3", "<a>\xE0\x80\x81</a>", FED_EENCODING},
	{"overlong 4", "<a>\xF0\x80\x80\x81</a>", FED_EENCODING},
	{"above U+10FFFF", "<a>\xF4\x90\x80\x80</a>", FED_EENCODING},
	{"in a name", "<a\xFF/>", FED_EENCODING},
	{"late declaration", "<?xml version='1.0'?>", FED_ERESTRICTED},
	{"text between", "<a/>x<b/>", FED_EXML},
	{"cdata between", "<![CDATA[ ]]>", FED_EXML},
	{"mismatch", "<message></iq>", FED_EXML},
	{"undeclared prefix", "<foo:message/>", FED_EXML},
	{"undeclared attr prefix", "<a foo:b='1'/>", FED_EXML},
	{"attr twice", "<a b='1' b='2'/>", FED_EXML},
	{"attr twice by ns", "<a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/>",
	 FED_EXML},
	{"control", "<a>\x01</a>", FED_EXML},
	{"NUL reference", "<a>&#0;</a>", FED_EXML},
	{"U+FFFF", "<a>\xEF\xBF\xBF</a>", FED_EXML},
	{"xmlns:xml", "<a xmlns:xml='foo'/>", FED_EXML},
	{"]]>", "<a>]]></a>", FED_EXML},
	{"< in attr", "<a b='<'/><b/>", FED_EXML},
	{"second root", "</stream:stream><a/>", FED_EXML},
	{"comment behind", "</stream:stream><!-- -->", FED_ERESTRICTED},
	{"wrong end", "</stream:other>", FED_EXML},
	{"relative ns", "<a xmlns='x'/>", 0},
	{"xml:base", "<a xml:base='x'/>", 0},
};

static void refusals_in_the_stream(void **state)
{
	struct buf whole;
	struct buf split;

	(void)state;
	buf_init(&whole, 65536);
	buf_init(&split, 65536);
	for (size_t i = 0; i < FED_ARRAY_LEN(STREAM_ROWS); i++) {
		size_t n = strlen(STREAM_ROWS[i].in);
		int err;

		buf_reset(&whole);
		buf_reset(&split);
		err = result_of(STREAM_ROWS[i].in, n, n, &whole);
		if (err != STREAM_ROWS[i].err)
			fail_msg("%s: %s, wanted %s", STREAM_ROWS[i].id,
				 fed_strerror(err),
				 fed_strerror(STREAM_ROWS[i].err));
		err = result_of(STREAM_ROWS[i].in, n, 1, &split);
		if (err != STREAM_ROWS[i].err)
			fail_msg("%s, bytewise: %s, wanted %s",
				 STREAM_ROWS[i].id, fed_strerror(err),
				 fed_strerror(STREAM_ROWS[i].err));
		assert_string_equal(buf_cstr(&whole), buf_cstr(&split));
	}
	buf_deinit(&whole);
	buf_deinit(&split);
}

static void a_nul_byte_is_refused(void **state)
{
	static const char in[] = "<iq/><message>\0</message>";
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(result_of(in, sizeof(in) - 1, 100, &out), FED_EXML);
	assert_non_null(strstr(buf_cstr(&out), "E5 (jabber:server||iq[])"));
	buf_deinit(&out);
}

#define ROW(name, in, err)                    \
	{                                     \
		name, in, sizeof(in) - 1, err \
	}
static const struct {
	const char *id;
	const char *in;
	size_t n;
	int err;
} openings[] = {
	ROW("plain", HEADER, 0),
	ROW("blanks", " \r\n\t" HEADER, 0),
	ROW("BOM", "\xEF\xBB\xBF" HEADER, 0),
	ROW("declaration", "<?xml version='1.0'?>" HEADER, 0),
	ROW("UTF-8", "<?xml version=\"1.0\" encoding='Utf-8'?>" HEADER, 0),
	ROW("standalone",
	    "<?xml version='1.0' encoding='UTF-8' standalone = 'yes'"
	    " ?>" HEADER,
	    0),
	ROW("standalone maybe",
	    "<?xml version='1.0' standalone='maybe'?>" HEADER, FED_EXML),
	ROW("1.1", "<?xml version='1.1'?>" HEADER, FED_EXML),
	ROW("no version", "<?xml encoding='UTF-8'?>" HEADER, FED_EXML),
	ROW("rubbish", "<?xml version='1.0' x='1'?>" HEADER, FED_EXML),
	ROW("no blank", "<?xml version='1.0'encoding='UTF-8'?>" HEADER,
	    FED_EXML),
	ROW("open quote", "<?xml version='1.0?>" HEADER, FED_EXML),
	ROW("UTF-16 by name", "<?xml version='1.0' encoding='UTF-16'?>" HEADER,
	    FED_EENCODING),
	ROW("latin-1 by name",
	    "<?xml version='1.0' encoding='ISO-8859-1'?>" HEADER,
	    FED_EENCODING),
	ROW("two declarations",
	    "<?xml version='1.0'?><?xml version='1.0'?>" HEADER,
	    FED_ERESTRICTED),
	ROW("UTF-16LE BOM", "\xFF\xFE<\0s\0>\0", FED_EENCODING),
	ROW("UTF-16BE BOM", "\xFE\xFF\0<\0s\0>", FED_EENCODING),
	ROW("UTF-16LE", "<\0s\0>\0", FED_EENCODING),
	ROW("UTF-16BE", "\0<\0s\0>", FED_EENCODING),
	ROW("UTF-32LE BOM", "\xFF\xFE\0\0<\0\0\0", FED_EENCODING),
	ROW("UTF-32BE", "\0\0\0<", FED_EENCODING),
	ROW("HTTP", "GET / HTTP/1.1\r\n", FED_EXML),
	ROW("TLS", "\x16\x03\x01\x02", FED_EXML),
	ROW("stylesheet", "<?xml-stylesheet x?>" HEADER, FED_ERESTRICTED),
	ROW("comment", "<!-- x -->" HEADER, FED_ERESTRICTED),
	ROW("doctype", "<!DOCTYPE s [<!ENTITY a 'x'>]>" HEADER,
	    FED_ERESTRICTED),
	ROW("external", "<!DOCTYPE s SYSTEM 'file:///etc/passwd'>" HEADER,
	    FED_ERESTRICTED),
	ROW("undeclared", "<stream:stream>", FED_EXML),
};
#undef ROW

static void beginnings(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	for (size_t i = 0; i < FED_ARRAY_LEN(openings); i++) {
		for (size_t step = 1; step < 1000; step *= 31) {
			struct xml_reader *r = new_reader();
			int err = feed_all(
				r, span_of(openings[i].in, openings[i].n), step,
				&out);

			if (err != openings[i].err)
				fail_msg("%s by %zu: %s, wanted %s",
					 openings[i].id, step,
					 fed_strerror(err),
					 fed_strerror(openings[i].err));
			xml_reader_free(r);
		}
	}
	buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_in_the_stream),
		cmocka_unit_test(a_nul_byte_is_refused),
		cmocka_unit_test(beginnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
