/* The reader: events, splits, limits, forbidden XML, replaced parsers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <malloc.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "edge-proxy/core/xml_names.h"
#include "edge-proxy/core/xml_reader.h"

#define HEADER                                                \
	"<stream:stream xmlns='jabber:server' "               \
	"xmlns:stream='http://etherx.jabber.org/streams' "    \
	"xmlns:db='jabber:server:dialback' from='a.example' " \
	"to='b.example' version='1.0' xml:lang='en'>"

/* ---- helpers ---- */

static void dump_el(struct buf *b, const struct xml_el *el)
{
	buf_printf(b, "(%s|%s|%s", el->ns, el->prefix, el->name);
	for (const struct xml_attr *a = el->attrs; a != NULL; a = a->next)
		buf_printf(b, " %s|%s=%s", a->ns, a->name, a->value);
	buf_printf(b, "[%s]", el->text);
	for (const struct xml_el *c = el->children; c != NULL; c = c->next) {
		assert_ptr_equal(c->parent, el);
		dump_el(b, c);
	}
	buf_put_byte(b, ')');
}

static void drain(struct xml_reader *r, struct buf *b)
{
	struct xml_event e;

	while (xml_reader_next(r, &e)) {
		if (e.kind == XML_HEADER)
			buf_printf(b, "H %s %d ", e.content_ns,
				   e.has_dialback_ns);
		else if (e.kind == XML_CLOSE)
			buf_put_byte(b, 'C');
		else
			buf_printf(b, "E%zu ", e.bytes);
		if (e.el != NULL)
			dump_el(b, e.el);
		buf_put_byte(b, '\n');
	}
}

static struct xml_reader *new_reader(void)
{
	struct xml_reader *r = NULL;

	assert_int_equal(xml_reader_new(&r, LIMIT_STANZA_BYTES), 0);
	return r;
}

/* Feeds all in pieces of step bytes; the last error. */
static int feed_all(struct xml_reader *r, struct span in, size_t step,
		    struct buf *out)
{
	for (size_t at = 0; at < in.n; at += step) {
		int err = xml_reader_feed(r, span_sub(in, at, at + step));

		drain(r, out);
		if (err != 0)
			return err;
	}
	return 0;
}

static int feed_str(struct xml_reader *r, const char *s, struct buf *out)
{
	return feed_all(r, span_str(s), LIMIT_READ_BYTES, out);
}

/* Header, then s. */
static int result_of(const char *s, size_t n, size_t step, struct buf *out)
{
	struct xml_reader *r = new_reader();
	int err = feed_str(r, HEADER, out);

	assert_int_equal(err, 0);
	err = feed_all(r, span_of(s, n), step, out);
	if (err != 0) /* it stays failed */
		assert_int_equal(xml_reader_feed(r, SPAN_LIT(" ")), err);
	xml_reader_free(r);
	return err;
}

/* ---- events
 * ------------------------------------------------------------------ */

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

/* ---- what is refused
 * ---------------------------------------------------------- */

static void refusals_in_the_stream(void **state)
{
	static const struct {
		const char *id;
		const char *in;
		int err;
	} rows[] = {
		{"X12 comment", "<message><!-- x --></message>",
		 FED_ERESTRICTED},
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
		{"attr twice by ns",
		 "<a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/>", FED_EXML},
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
	struct buf whole;
	struct buf split;

	(void)state;
	buf_init(&whole, 65536);
	buf_init(&split, 65536);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		size_t n = strlen(rows[i].in);
		int err;

		buf_reset(&whole);
		buf_reset(&split);
		err = result_of(rows[i].in, n, n, &whole);
		if (err != rows[i].err)
			fail_msg("%s: %s, wanted %s", rows[i].id,
				 fed_strerror(err), fed_strerror(rows[i].err));
		err = result_of(rows[i].in, n, 1, &split);
		if (err != rows[i].err)
			fail_msg("%s, bytewise: %s, wanted %s", rows[i].id,
				 fed_strerror(err), fed_strerror(rows[i].err));
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

static void beginnings(void **state)
{
#define ROW(name, in, err)                    \
	{                                     \
		name, in, sizeof(in) - 1, err \
	}
	static const struct {
		const char *id;
		const char *in;
		size_t n;
		int err;
	} rows[] = {
		ROW("plain", HEADER, 0),
		ROW("blanks", " \r\n\t" HEADER, 0),
		ROW("BOM", "\xEF\xBB\xBF" HEADER, 0),
		ROW("declaration", "<?xml version='1.0'?>" HEADER, 0),
		ROW("UTF-8", "<?xml version=\"1.0\" encoding='Utf-8'?>" HEADER,
		    0),
		ROW("standalone",
		    "<?xml version='1.0' encoding='UTF-8' standalone = 'yes'"
		    " ?>" HEADER,
		    0),
		ROW("standalone maybe",
		    "<?xml version='1.0' standalone='maybe'?>" HEADER,
		    FED_EXML),
		ROW("1.1", "<?xml version='1.1'?>" HEADER, FED_EXML),
		ROW("no version", "<?xml encoding='UTF-8'?>" HEADER, FED_EXML),
		ROW("rubbish", "<?xml version='1.0' x='1'?>" HEADER, FED_EXML),
		ROW("no blank", "<?xml version='1.0'encoding='UTF-8'?>" HEADER,
		    FED_EXML),
		ROW("open quote", "<?xml version='1.0?>" HEADER, FED_EXML),
		ROW("UTF-16 by name",
		    "<?xml version='1.0' encoding='UTF-16'?>" HEADER,
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
		ROW("stylesheet", "<?xml-stylesheet x?>" HEADER,
		    FED_ERESTRICTED),
		ROW("comment", "<!-- x -->" HEADER, FED_ERESTRICTED),
		ROW("doctype", "<!DOCTYPE s [<!ENTITY a 'x'>]>" HEADER,
		    FED_ERESTRICTED),
		ROW("external",
		    "<!DOCTYPE s SYSTEM 'file:///etc/passwd'>" HEADER,
		    FED_ERESTRICTED),
		ROW("undeclared", "<stream:stream>", FED_EXML),
	};
#undef ROW
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		for (size_t step = 1; step < 1000; step *= 31) {
			struct xml_reader *r = new_reader();
			int err = feed_all(r, span_of(rows[i].in, rows[i].n),
					   step, &out);

			if (err != rows[i].err)
				fail_msg("%s by %zu: %s, wanted %s", rows[i].id,
					 step, fed_strerror(err),
					 fed_strerror(rows[i].err));
			xml_reader_free(r);
		}
	}
	buf_deinit(&out);
}

/* ---- limits
 * ---------------------------------------------------------------------- */

/* open, then fill again and again until there are n bytes, then close */
static int sized(size_t n, const char *open, const char *fill,
		 const char *close, size_t step)
{
	struct buf in;
	struct buf out;
	int err;

	buf_init(&in, 4 * LIMIT_STANZA_BYTES);
	buf_init(&out, 16 * LIMIT_STANZA_BYTES);
	buf_put_str(&in, open);
	while (buf_len(&in) + strlen(fill) + strlen(close) <= n)
		buf_put_str(&in, fill);
	buf_put_str(&in, close);
	assert_false(in.is_failed);
	err = result_of(buf_cstr(&in), buf_len(&in), step, &out);
	assert_false(out.is_failed);
	buf_deinit(&in);
	buf_deinit(&out);
	return err;
}

static void stanza_size(void **state)
{
	const size_t max = LIMIT_STANZA_BYTES;

	(void)state;
	for (size_t step = 700; step < 17000; step += 8000) {
		/* X15 */
		assert_int_equal(sized(10000, "<a><b>", "x", "</b></a>", step),
				 0);
		assert_int_equal(sized(max, "<a>", "x", "</a>", step), 0);
		assert_int_equal(sized(max + 1, "<a>", "x", "</a>", step),
				 FED_ELIMIT);
		assert_int_equal(sized(max, "<a>", "&lt;", "</a>", step), 0);
	}
	/* never-ending tokens */
	assert_int_equal(sized(2 * max, "<a b='", "x", "", 1000), FED_ELIMIT);
	assert_int_equal(sized(2 * max, "<aaaa", "a", "", 1000), FED_ELIMIT);
	assert_int_equal(sized(2 * max, "<a><![CDATA[", "x", "", 1000),
			 FED_ELIMIT);
	assert_int_equal(sized(2 * max, "<a><!--", "x", "", 1000), FED_ELIMIT);
	assert_int_equal(sized(2 * max, "<a></a", " ", "", 1000), FED_ELIMIT);
	assert_int_equal(sized(2 * max, "<a>&#x", "0", "", 1000), FED_ELIMIT);
}

static void stanza_max_is_settable(void **state)
{
	char body[12000];
	struct xml_reader *r;
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	memset(body, 'x', sizeof(body));
	memcpy(body, "<iq/><a>", 8);
	/* below the floor of RFC 6120 13.12 is the floor */
	assert_int_equal(xml_reader_new(&r, 1), 0);
	assert_int_equal(feed_str(r, HEADER, &out), 0);
	assert_int_equal(feed_all(r, span_of(body, 10005), 5000, &out), 0);
	assert_int_equal(feed_str(r, "x", &out), FED_ELIMIT);
	xml_reader_free(r);
	assert_int_equal(xml_reader_new(&r, 1), 0);
	assert_int_equal(feed_str(r, HEADER, &out), 0);
	xml_reader_set_stanza_max(r, 12001);
	assert_int_equal(feed_all(r, span_of(body, 12000), 5000, &out), 0);
	assert_int_equal(feed_str(r, "</a>", &out), 0);
	/* lowered below what is buffered */
	assert_int_equal(feed_all(r, span_of(body, 11000), 5000, &out), 0);
	xml_reader_set_stanza_max(r, 1);
	assert_int_equal(feed_str(r, "x", &out), FED_ELIMIT);
	xml_reader_free(r);
	buf_deinit(&out);
}

static void header_size(void **state)
{
	struct buf in;
	struct buf out;

	(void)state;
	buf_init(&in, 65536);
	buf_init(&out, 65536);
	for (size_t over = 0; over < 2; over++) {
		for (size_t step = 1; step < 9000; step = step * 8000 + 1) {
			struct xml_reader *r = new_reader();

			buf_reset(&in);
			buf_put_str(&in, "<?xml version='1.0'?><s a='");
			while (buf_len(&in) < LIMIT_HEADER_BYTES - 2 + over)
				buf_put_byte(&in, 'x');
			buf_put_str(&in, "'><iq/>");
			assert_int_equal(feed_all(r, buf_span(&in), step, &out),
					 over == 0 ? 0 : FED_ELIMIT);
			xml_reader_free(r);
		}
	}
	buf_deinit(&in);
	buf_deinit(&out);
}

static void depth_and_attributes(void **state)
{
	char in[4096];
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	for (size_t depth = LIMIT_XML_DEPTH; depth <= LIMIT_XML_DEPTH + 1;
	     depth++) {
		for (size_t i = 0; i < depth; i++)
			memcpy(in + 3 * i, "<a>", 3);
		assert_int_equal(result_of(in, 3 * depth, 4096, &out),
				 depth <= LIMIT_XML_DEPTH ? 0 : FED_ELIMIT);
	}
	for (size_t count = LIMIT_XML_ATTRS; count <= LIMIT_XML_ATTRS + 1;
	     count++) {
		struct buf b;

		buf_init(&b, 4096);
		buf_put_str(&b, "<a xmlns='u'");
		for (size_t i = 1; i < count; i++)
			buf_printf(&b, " a%zu='1'", i);
		buf_put_str(&b, "/>");
		assert_int_equal(
			result_of(buf_cstr(&b), buf_len(&b), 4096, &out),
			count <= LIMIT_XML_ATTRS ? 0 : FED_ELIMIT);
		buf_deinit(&b);
	}
	buf_deinit(&out);
}

/* Many objects from few bytes, and many names in one stanza. */
static void objects_and_names(void **state)
{
	struct buf in;
	struct buf out;

	(void)state;
	assert_int_equal(
		sized(LIMIT_STANZA_BYTES, "<a>", "<b/>", "</a>", 16000),
		FED_ELIMIT);
	buf_init(&in, LIMIT_STANZA_BYTES);
	buf_init(&out, 16 * LIMIT_STANZA_BYTES);
	buf_put_str(&in, "<a>");
	for (int i = 0; buf_len(&in) < 8000; i++)
		buf_printf(&in, "<b%d/>", i);
	buf_put_str(&in, "</a>");
	assert_int_equal(result_of(buf_cstr(&in), buf_len(&in), 5000, &out), 0);
	buf_deinit(&in);
	buf_deinit(&out);
}

/* The dictionary itself: a stanza of the usual limit can never fill it, also
 * behind others; a bigger one can. */
static void names_of_one_stanza(void **state)
{
	const size_t sizes[] = {LIMIT_STANZA_BYTES, 4 * LIMIT_STANZA_BYTES};
	struct buf in;
	struct buf out;

	(void)state;
	buf_init(&in, 4 * LIMIT_STANZA_BYTES);
	buf_init(&out, 64 * LIMIT_STANZA_BYTES);
	for (size_t k = 0; k < FED_ARRAY_LEN(sizes); k++) {
		struct xml_reader *r;
		int i = 0;

		assert_int_equal(xml_reader_new(&r, sizes[k]), 0);
		assert_int_equal(feed_str(r, HEADER, &out), 0);
		for (int round = 0; round < 4; round++) {
			int err;

			buf_reset(&in);
			buf_reset(&out);
			buf_put_str(&in, "<a>");
			while (buf_len(&in) < sizes[k] - 200)
				buf_printf(&in, "<b%0100d/>", i++);
			buf_put_str(&in, "</a>");
			err = feed_all(r, buf_span(&in), 5000, &out);
			assert_int_equal(err, k == 0 ? 0 : FED_ELIMIT);
			if (err != 0)
				break;
		}
		xml_reader_free(r);
	}
	buf_deinit(&in);
	buf_deinit(&out);
}

/* ---- memory
 * ---------------------------------------------------------------------- */

static size_t heap_in_use(void)
{
	return mallinfo2().uordblks;
}

#if defined(__SANITIZE_ADDRESS__)
enum { HAS_HEAP_COUNT = 0 };
#else
enum { HAS_HEAP_COUNT = 1 };
#endif

static void assert_heap_below(size_t before, size_t bytes)
{
	if (HAS_HEAP_COUNT && heap_in_use() > before + bytes)
		fail_msg("heap grew by %zu", heap_in_use() - before);
}

static void whitespace_costs_nothing(void **state)
{
	char blanks[LIMIT_READ_BYTES];
	struct xml_reader *r = new_reader();
	struct buf out;
	size_t before;

	(void)state;
	buf_init(&out, 65536);
	memset(blanks, ' ', sizeof(blanks));
	blanks[100] = '\n';
	assert_int_equal(feed_str(r, HEADER "<iq/>", &out), 0);
	before = heap_in_use();
	for (int i = 0; i < 200; i++)
		assert_int_equal(
			xml_reader_feed(r, span_of(blanks, sizeof(blanks))), 0);
	assert_heap_below(before, 20000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(xml_reader_feed(r, SPAN_LIT(" ")), 0);
	assert_true(xml_reader_is_clean(r));
	assert_heap_below(before, 20000);
	/* nor behind a stanza of the same packet, nor before one */
	memcpy(blanks, "<iq/>", 5);
	memcpy(blanks + sizeof(blanks) - 4, "<iq/", 4);
	buf_reset(&out);
	assert_int_equal(feed_all(r, span_of(blanks, sizeof(blanks)),
				  sizeof(blanks), &out),
			 0);
	assert_false(xml_reader_is_clean(r));
	assert_int_equal(feed_str(r, ">", &out), 0);
	assert_string_equal(buf_cstr(&out), "E5 (jabber:server||iq[])\n"
					    "E5 (jabber:server||iq[])\n");
	xml_reader_free(r);
	buf_deinit(&out);
}

/* Invented names for ever: the parser is replaced between two stanzas. */
static void put_invented(struct buf *b, int form, int i)
{
	switch (form) {
	case 0:
		buf_printf(b, "<message a%dx='1' to='c@d'>", i);
		break;
	case 1:
		buf_printf(b, "<message to='c@d'><e%d/>", i);
		break;
	case 2:
		buf_printf(b, "<message><x xmlns='urn:u:%d'/>", i);
		break;
	default:
		buf_printf(b, "<message><db:r a%d='1'/><stream:s/>", i);
		break;
	}
	buf_printf(b, "<body>b%d</body></message>", i);
}

static void dictionary_flood(void **state)
{
	const int forms = 4;
	const int total = 100000;

	(void)state;
	for (int f = 0; f < forms; f++) {
		struct xml_reader *r = new_reader();
		struct xml_event e;
		struct buf in;
		struct buf out;
		size_t before;
		size_t step = 1;
		int seen = 0;

		buf_init(&in, 1u << 24);
		buf_init(&out, 65536);
		assert_int_equal(feed_str(r, HEADER, &out), 0);
		for (int i = 0; i < total; i++)
			put_invented(&in, f, i);
		before = heap_in_use();
		while (buf_len(&in) > 0) {
			struct span piece = span_sub(buf_span(&in), 0, step);

			assert_int_equal(xml_reader_feed(r, piece), 0);
			while (xml_reader_next(r, &e)) {
				const struct xml_el *body =
					xml_child(e.el, NS_SERVER, "body");
				char want[16];

				(void)snprintf(want, sizeof(want), "b%d",
					       seen++);
				assert_non_null(body);
				assert_string_equal(body->text, want);
			}
			buf_consume(&in, piece.n);
			/* all kinds of cuts, most of them big */
			step = step * 7 % 16381;
			assert_heap_below(before, 1500000);
		}
		assert_int_equal(seen, total);
		xml_reader_free(r);
		buf_deinit(&in);
		buf_deinit(&out);
	}
}

/* ---- boundaries
 * ------------------------------------------------------------------ */

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
		cmocka_unit_test(refusals_in_the_stream),
		cmocka_unit_test(a_nul_byte_is_refused),
		cmocka_unit_test(beginnings),
		cmocka_unit_test(stanza_size),
		cmocka_unit_test(stanza_max_is_settable),
		cmocka_unit_test(header_size),
		cmocka_unit_test(depth_and_attributes),
		cmocka_unit_test(objects_and_names),
		cmocka_unit_test(names_of_one_stanza),
		cmocka_unit_test(whitespace_costs_nothing),
		cmocka_unit_test(dictionary_flood),
		cmocka_unit_test(clean_and_restart),
		cmocka_unit_test(queued_events_are_not_clean),
		cmocka_unit_test(look_ups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
