/* The reader: events, splits, restarts, look-ups. */
#include "xml_harness.h"

static const char EVERYTHING[] =
	"\xEF\xBB\xBF<?xml version='1.0' encoding=\"utf-8\" ?>\n" HEADER
	" \r\n "
	"<db:result from='a.example' to='b.example'>37c69b1c</db:result>"
	"<message from='a@a.example' to='b@b.example' xml:lang='de'><body>Gr"
	"\xC3\xBC\xC3\x9F"
	"e &amp; &lt;k&#xFC;sse&gt; \xF0\x9F\x98\x80\r\nzwei</body>"
	"<x:active xmlns:x='http://jabber.org/protocol/chatstates'/>"
	"mixed<a>1<b>2</b>3<c/>4</a>up<![CDATA[<&>]]></message>\n\t\n"
	"<iq/><presence a='&quot;&amp;&#38;&#10;&apos;' b=\"\t\"></presence>  "
	"</stream:stream>\n";

static const char EVERYTHING_EVENTS[] =
	"H jabber:server 1 (http://etherx.jabber.org/streams|stream|stream "
	"|from=a.example |to=b.example |version=1.0 "
	"http://www.w3.org/XML/1998/namespace|lang=en[])\n"
	"E63 (jabber:server:dialback|db|result |from=a.example "
	"|to=b.example[37c69b1c])\n"
	"E228 (jabber:server||message |from=a@a.example |to=b@b.example "
	"http://www.w3.org/XML/1998/namespace|lang=de[mixedup<&>]"
	"(jabber:server||body[Gr\xC3\xBC\xC3\x9F"
	"e & <k\xC3\xBCsse> \xF0\x9F\x98\x80\nzwei])"
	"(http://jabber.org/protocol/chatstates|x|active[])"
	"(jabber:server||a[134](jabber:server||b[2])(jabber:server||c[])))\n"
	"E5 (jabber:server||iq[])\n"
	"E59 (jabber:server||presence |a=\"&&\n' |b= [])\n"
	"C\n";

static void everything_split_anywhere(void **state)
{
	const struct span in = span_str(EVERYTHING);
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	for (size_t split = 0; split <= in.n; split++) {
		struct xml_reader *r = new_reader();

		buf_reset(&out);
		assert_int_equal(xml_reader_feed(r, span_sub(in, 0, split)), 0);
		drain(r, &out);
		assert_int_equal(xml_reader_feed(r, span_sub(in, split, in.n)),
				 0);
		drain(r, &out);
		assert_string_equal(buf_cstr(&out), EVERYTHING_EVENTS);
		assert_true(xml_reader_is_clean(r));
		xml_reader_free(r);
	}
	for (size_t step = 1; step < 70; step++) {
		struct xml_reader *r = new_reader();

		buf_reset(&out);
		assert_int_equal(feed_all(r, in, step, &out), 0);
		assert_string_equal(buf_cstr(&out), EVERYTHING_EVENTS);
		xml_reader_free(r);
	}
	buf_deinit(&out);
}

/* Pieces of text above libxml2's own buffer, wide characters in them. */
static void long_text_split_anywhere(void **state)
{
	struct buf in;
	struct buf want;
	struct buf got;

	(void)state;
	buf_init(&in, 65536);
	buf_init(&want, 65536);
	buf_init(&got, 65536);
	buf_put_str(&in, "<message><body>");
	for (int i = 0; i < 400; i++)
		buf_put_str(&in, "\xE2\x82\xAC"
				 "a&amp;\xF0\x9F\x98\x80");
	buf_put_str(&in, "</body></message>");
	assert_int_equal(result_of(buf_cstr(&in), buf_len(&in), 65536, &want),
			 0);
	for (size_t step = 1; step < 1500; step += step < 20 ? 1 : 97) {
		buf_reset(&got);
		assert_int_equal(
			result_of(buf_cstr(&in), buf_len(&in), step, &got), 0);
		assert_string_equal(buf_cstr(&got), buf_cstr(&want));
	}
	assert_true(buf_len(&want) > 400 * 9);
	buf_deinit(&in);
	buf_deinit(&want);
	buf_deinit(&got);
}

static void events_before_an_error_are_delivered(void **state)
{
	struct xml_reader *r = new_reader();
	struct xml_event e;

	(void)state;
	assert_int_equal(
		xml_reader_feed(r, SPAN_LIT(HEADER "<iq/><message/><!-- -->")),
		FED_ERESTRICTED);
	assert_true(xml_reader_next(r, &e));
	assert_int_equal(e.kind, XML_HEADER);
	assert_true(xml_reader_next(r, &e));
	assert_true(xml_is(e.el, NS_SERVER, "iq"));
	assert_true(xml_reader_next(r, &e));
	assert_true(xml_is(e.el, NS_SERVER, "message"));
	assert_false(xml_reader_next(r, &e));
	assert_int_equal(xml_reader_feed(r, SPAN_LIT("<iq/>")),
			 FED_ERESTRICTED);
	xml_reader_free(r);
}

static void events_must_be_drained(void **state)
{
	struct xml_reader *r = new_reader();
	struct xml_event e;

	(void)state;
	assert_int_equal(xml_reader_feed(r, SPAN_LIT(HEADER)), 0);
	assert_int_equal(xml_reader_feed(r, SPAN_LIT("<iq/>")), FED_ESTATE);
	assert_true(xml_reader_next(r, &e));
	assert_int_equal(xml_reader_feed(r, SPAN_LIT("<iq/>")), 0);
	assert_true(xml_reader_next(r, &e));
	xml_reader_free(r);
}

static void clean_and_restart(void **state)
{
	static const struct {
		const char *in;
		bool is_clean;
	} rows[] = {
		{"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", true},
		{"<a/> \n", true},
		{"<a/>\r", true},
		{"<starttls/><iq/>", true}, /* taken as an event */
		{"<starttls/><iq", false},  /* X8 */
		{"<starttls/> <", false},
		{"<starttls/><iq>", false},
		{"<starttls/>x", false},
		{"<starttls/>&", false},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct xml_reader *r = new_reader();

		assert_true(xml_reader_is_clean(r));
		assert_int_equal(feed_str(r, HEADER, &out), 0);
		(void)feed_str(r, rows[i].in, &out);
		if (xml_reader_is_clean(r) != rows[i].is_clean)
			fail_msg("%s", rows[i].in);
		assert_int_equal(xml_reader_restart(r), 0);
		assert_true(xml_reader_is_clean(r));
		buf_reset(&out);
		assert_int_equal(feed_str(r, EVERYTHING, &out), 0);
		assert_string_equal(buf_cstr(&out), EVERYTHING_EVENTS);
		xml_reader_free(r);
	}
	buf_deinit(&out);
}

/* X8: the element is taken, what came with it is still queued. */
static void queued_events_are_not_clean(void **state)
{
	struct xml_reader *r = new_reader();
	struct xml_event e;

	(void)state;
	assert_int_equal(
		xml_reader_feed(r, SPAN_LIT(HEADER "<starttls/><iq/>")), 0);
	assert_true(xml_reader_next(r, &e));
	assert_true(xml_reader_next(r, &e));
	assert_true(xml_is(e.el, NS_SERVER, "starttls"));
	assert_false(xml_reader_is_clean(r));
	assert_int_equal(xml_reader_restart(r), 0);
	assert_false(xml_reader_next(r, &e));
	xml_reader_free(r);
	xml_reader_free(NULL);
}

static void look_ups(void **state)
{
	struct xml_reader *r = new_reader();
	struct xml_event e;

	(void)state;
	assert_int_equal(
		xml_reader_feed(r, SPAN_LIT(HEADER "<a xml:lang='x' lang='y'>"
						   "<b xmlns='u'/><b/></a>")),
		0);
	assert_true(xml_reader_next(r, &e));
	assert_string_equal(xml_attr_get(e.el, "version"), "1.0");
	assert_true(xml_reader_next(r, &e));
	assert_string_equal(xml_attr_get(e.el, "lang"), "y");
	assert_string_equal(xml_attr_get_ns(e.el, NS_XML, "lang"), "x");
	assert_null(xml_attr_get(e.el, "b"));
	assert_ptr_equal(xml_child(e.el, "u", "b"), e.el->children);
	assert_ptr_equal(xml_child(e.el, NS_SERVER, "b"), e.el->children->next);
	assert_null(xml_child(e.el, NS_SERVER, "c"));
	xml_reader_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_split_anywhere),
		cmocka_unit_test(long_text_split_anywhere),
		cmocka_unit_test(events_before_an_error_are_delivered),
		cmocka_unit_test(events_must_be_drained),
		cmocka_unit_test(clean_and_restart),
		cmocka_unit_test(queued_events_are_not_clean),
		cmocka_unit_test(look_ups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
