/* Messages and what is common to all stanzas, from and to XML. */
#include "stanza_xml_harness.h"

#define CS "http://jabber.org/protocol/chatstates"

/* every field, in the order of the printer */
static const char FULL_MESSAGE[] =
	"<message" AB " id='i&amp;1' type='chat' xml:lang='en'>"
	"<subject>s</subject><subject xml:lang='de'>t</subject>"
	"<body>b &lt;&amp;&gt;</body><body xml:lang='fr-CA'>c</body>"
	"<body xml:lang=''/>"
	"<thread parent='p'>t1</thread>"
	"<composing xmlns='" CS "'/>"
	"<request xmlns='urn:xmpp:receipts'/>"
	"<received xmlns='urn:xmpp:receipts' id='r'/>"
	"<markable xmlns='urn:xmpp:chat-markers:0'/>"
	"<displayed xmlns='urn:xmpp:chat-markers:0' id='d'/>"
	"<delay xmlns='urn:xmpp:delay' from='a.example' "
	"stamp='2002-09-10T23:08:25.123Z'/>"
	"<replace xmlns='urn:xmpp:message-correct:0' id='x'/>"
	"<origin-id xmlns='urn:xmpp:sid:0' id='o'/></message>";

static const struct row message_rows[] = {
	{"full", FULL_MESSAGE, OK, NULL, 0},
	{"normal",
	 "<message" AB " type='normal'><body>x</body>"
	 "</message>",
	 OK, "<message" AB "><body>x</body></message>", 0},
	{"unknown type", "<message" AB " type='foo'><body>x</body></message>",
	 OK, "<message" AB "><body>x</body></message>", 0},
	{"headline", "<message" AB " type='headline'><body>x</body></message>",
	 OK, NULL, 0},
	{"groupchat",
	 "<message" AB " type='groupchat'><body>x</body></message>", OK, NULL,
	 0},
	{"normalized",
	 "<message from='A@A.Example./r' to='B@b.example'><body>x"
	 "</body></message>",
	 OK, "<message" AB "><body>x</body></message>", 0},
	{"unknown extension",
	 "<message" AB "><body>x</body><html xmlns='u'/>"
	 "<body xmlns='u'/><foo/></message>",
	 OK, "<message" AB "><body>x</body></message>", 3},
	{"only unknown", "<message" AB "><x xmlns='u'/></message>", IGNORED,
	 NULL, 1},
	{"nothing", "<message" AB "/>", IGNORED, NULL, 0},
	{"second thread",
	 "<message" AB "><thread>a</thread><thread>b</thread>"
	 "</message>",
	 OK, "<message" AB "><thread>a</thread></message>", 1},
	{"two states",
	 "<message" AB "><active xmlns='" CS "'/><gone xmlns='" CS
	 "'/><foo xmlns='" CS "'/></message>",
	 OK, "<message" AB "><active xmlns='" CS "'/></message>", 2},
	{"no ids",
	 "<message" AB "><received xmlns='urn:xmpp:receipts'/>"
	 "<displayed xmlns='urn:xmpp:chat-markers:0' id=''/>"
	 "</message>",
	 IGNORED, NULL, 2},
	{"bad stamp",
	 "<message" AB "><body>x</body><delay xmlns='urn:xmpp:delay' "
	 "stamp='yesterday'/><delay xmlns='urn:xmpp:delay'/></message>",
	 OK, "<message" AB "><body>x</body></message>", 2},
	{"zone",
	 "<message" AB "><delay xmlns='urn:xmpp:delay' "
	 "stamp='2002-09-11T01:08:25+02:00'/></message>",
	 OK,
	 "<message" AB "><delay xmlns='urn:xmpp:delay' "
	 "stamp='2002-09-10T23:08:25Z'/></message>",
	 0},
	{"error with copy",
	 "<message" AB " id='1' type='error'><body>x</body>"
	 "<error by='b.example' type='cancel'>"
	 "<gone xmlns='" ERR "'>xmpp:c@c.example</gone>"
	 "<text xmlns='" ERR "' xml:lang='en'>no</text>"
	 "<app xmlns='u'/></error></message>",
	 OK,
	 "<message" AB " id='1' type='error'>"
	 "<error by='b.example' type='cancel'>"
	 "<gone xmlns='" ERR "'>xmpp:c@c.example</gone>"
	 "<text xmlns='" ERR "' xml:lang='en'>no</text>"
	 "</error></message>",
	 1},
	/* X35 */
	{"too big",
	 "<message" AB " type='error'><error type='modify'>"
	 "<policy-violation xmlns='" ERR "'/>"
	 "<stanza-too-big xmlns='urn:xmpp:errors'/></error></message>",
	 OK,
	 "<message" AB " type='error'><error type='modify'>"
	 "<policy-violation xmlns='" ERR "'/>"
	 "<stanza-too-big xmlns='urn:xmpp:errors'/></error></message>",
	 0},
	{"unknown condition",
	 "<message" AB " type='error'><error type='wait'><tired "
	 "xmlns='" ERR "'/></error></message>",
	 OK,
	 "<message" AB " type='error'><error type='wait'>"
	 "<undefined-condition xmlns='" ERR "'/></error></message>",
	 0},
	{"no type, no address",
	 "<message" AB " type='error'><error><item-not-found xmlns='" ERR
	 "'>x</item-not-found></error></message>",
	 OK,
	 "<message" AB " type='error'><error type='cancel'>"
	 "<item-not-found xmlns='" ERR "'/></error></message>",
	 0},
	{"no error at all", "<message" AB " type='error'/>", OK,
	 "<message" AB " type='error'><error type='cancel'>"
	 "<undefined-condition xmlns='" ERR "'/></error></message>",
	 0},
	{"error of a chat", "<message" AB " type='chat'><error/></message>",
	 IGNORED, NULL, 1},
};

static void messages(void **state)
{
	(void)state;
	check_rows(message_rows, FED_ARRAY_LEN(message_rows));
}

static void addresses_and_names(void **state)
{
	static const struct row rows[] = {
		{"X9", "<message from='a@a.example'/>", IMPROPER, NULL, 0},
		{"no from", "<message to='a@a.example'/>", IMPROPER, NULL, 0},
		{"no local, no resource",
		 "<iq from='a@a.example/r' to='@b.example/'/>", MALFORMED, NULL,
		 0},
		{"forbidden local",
		 "<message from='a@a.example/r' to='a b@b.example'/>",
		 MALFORMED, NULL, 0},
		{"bad domain", "<iq from='a@a.example/r' to='a@b..example'/>",
		 IMPROPER, NULL, 0},
		{"two @", "<iq from='a@a.example/r' to='a@b@b.example'/>",
		 IMPROPER, NULL, 0},
		{"bad from", "<presence from='a@' to='b.example'/>", IMPROPER,
		 NULL, 0},
		{"empty", "<presence from='' to='b.example'/>", IMPROPER, NULL,
		 0},
		{"client", "<c:message" AB "/>", UNKNOWN, NULL, 0},
		{"other", "<foo" AB "/>", UNKNOWN, NULL, 0},
		{"other ns", "<message xmlns='u'" AB "/>", UNKNOWN, NULL, 0},
	};

	(void)state;
	check_rows(rows, FED_ARRAY_LEN(rows));
}

static void languages(void **state)
{
	static const struct {
		const char *stream;
		const char *stanza; /* attribute or "" */
		const char *body;
		const char *stanza_lang;
		const char *body_lang;
	} rows[] = {
		{NULL, "", "", "", ""},
		{"de", "", "", "de", "de"},
		{"de", " xml:lang='en'", "", "en", "en"},
		{"de", " xml:lang='en'", " xml:lang='fr'", "en", "fr"},
		{"de", " xml:lang=''", "", "", ""},
		{NULL, "", " xml:lang='fr'", "", "fr"},
		{"de", " lang='en'", "", "de", "de"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct fixture f;
		struct buf b;

		buf_init(&b, 4096);
		buf_printf(&b, "<message" AB "%s><body%s>x</body></message>",
			   rows[i].stanza, rows[i].body);
		read_xml(&f, buf_cstr(&b), rows[i].stream);
		assert_int_equal(f.verdict, STANZA_OK);
		assert_string_equal(f.stanza->lang, rows[i].stanza_lang);
		assert_string_equal(f.stanza->message->body[0]->lang,
				    rows[i].body_lang);
		assert_round_trip(f.stanza, NULL);
		done(&f);
		buf_deinit(&b);
	}
}

static void sizes(void **state)
{
	struct fixture f;
	struct buf b;

	(void)state;
	buf_init(&b, LIMIT_STANZA_BYTES);
	for (size_t n = LIMIT_STANZA_ID_BYTES; n < LIMIT_STANZA_ID_BYTES + 2;
	     n++) {
		buf_reset(&b);
		buf_printf(&b,
			   "<message" AB " id='%0*d'><body>x</body>"
			   "</message>",
			   (int)n, 1);
		read_xml(&f, buf_cstr(&b), NULL);
		assert_int_equal(f.verdict, n == LIMIT_STANZA_ID_BYTES
						    ? STANZA_OK
						    : STANZA_ANSWER);
		if (f.verdict == STANZA_ANSWER)
			assert_int_equal(f.condition,
					 FED__CONDITION__BAD_REQUEST);
		done(&f);
	}
	/* a language is not multiplied by the texts */
	buf_reset(&b);
	buf_printf(&b, "<message" AB " xml:lang='%0100d'>", 1);
	while (buf_len(&b) < LIMIT_STANZA_BYTES / 10)
		buf_put_str(&b, "<body/>");
	buf_put_str(&b, "</message>");
	read_xml(&f, buf_cstr(&b), "de");
	assert_int_equal(f.verdict, STANZA_OK);
	assert_string_equal(f.stanza->lang, "de");
	done(&f);
	/* more objects than the arena takes */
	buf_reset(&b);
	buf_put_str(&b, "<message" AB ">");
	while (buf_len(&b) < 60000)
		buf_put_str(&b, "<body/>");
	buf_put_str(&b, "</message>");
	read_xml(&f, buf_cstr(&b),
		 "a-language-tag-of-some-length-that-is-long");
	assert_int_equal(f.verdict, STANZA_NO_MEMORY);
	done(&f);
	buf_deinit(&b);
}

static void what_cannot_be_printed(void **state)
{
	Fed__Stanza s;
	struct fixture f;
	struct buf b;

	(void)state;
	fed__stanza__init(&s);
	buf_init(&b, 100);
	assert_int_equal(stanza_xml_write(&b, &s), FED_EINVAL);
	s.kind_case = FED__STANZA__KIND_IQ;
	assert_int_equal(stanza_xml_write(&b, &s), FED_EINVAL);
	read_xml(&f, FULL_MESSAGE, NULL);
	assert_int_equal(stanza_xml_write(&b, f.stanza), FED_ELIMIT);
	done(&f);
	buf_deinit(&b);
}

/* Whatever arena there is: the right stanza or NO_MEMORY, nothing between. */
static void arena_sweep(void **state)
{
	struct fixture f;
	enum stanza_verdict verdict = STANZA_NO_MEMORY;

	(void)state;
	read_xml(&f, FULL_MESSAGE, NULL);
	for (size_t max = 0; verdict == STANZA_NO_MEMORY; max += 16) {
		struct xml_reader *r;
		struct xml_event e;
		struct arena a;
		Fed__Stanza *s;
		Fed__Condition c;

		arena_init(&a, max);
		assert_int_equal(xml_reader_new(&r, LIMIT_STANZA_BYTES), 0);
		assert_int_equal(
			xml_reader_feed(r,
					SPAN_LIT("<s xmlns='jabber:server'>")),
			0);
		assert_true(xml_reader_next(r, &e));
		assert_int_equal(xml_reader_feed(r, span_str(FULL_MESSAGE)), 0);
		assert_true(xml_reader_next(r, &e));
		verdict = stanza_xml_read(e.el, NULL, &a, NULL, &s, &c);
		if (verdict == STANZA_OK)
			assert_round_trip(s, FULL_MESSAGE);
		else
			assert_int_equal(verdict, STANZA_NO_MEMORY);
		assert_true(max < 65536);
		xml_reader_free(r);
		arena_deinit(&a);
	}
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages),
		cmocka_unit_test(addresses_and_names),
		cmocka_unit_test(languages),
		cmocka_unit_test(sizes),
		cmocka_unit_test(what_cannot_be_printed),
		cmocka_unit_test(arena_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
