/* Presences from and to XML: every type, every address, every child. */
#include "stanza_xml_harness.h"

#define DELAY "<delay xmlns='urn:xmpp:delay' "

static const struct row rows[] = {
	{"available", "<presence" AB "></presence>", OK, NULL, 0},
	{"full",
	 "<presence" AB " id='1' xml:lang='en'><show>dnd</show>"
	 "<status>a</status><status xml:lang='de'>b</status>"
	 "<priority>-128</priority>" DELAY "stamp='1970-01-01T00:00:00Z'/>"
	 "</presence>",
	 OK, NULL, 0},
	{"away", "<presence" AB "><show>away</show></presence>", OK, NULL, 0},
	{"chat", "<presence" AB "><show>chat</show></presence>", OK, NULL, 0},
	{"dnd", "<presence" AB "><show>dnd</show></presence>", OK, NULL, 0},
	{"xa", "<presence" AB "><show>xa</show></presence>", OK, NULL, 0},
	/* RFC 6121 4.7.2.1: what is none of the four is as if absent */
	{"show that is none",
	 "<presence" AB "><show>busy</show><show/><show>AWAY</show></presence>",
	 OK, "<presence" AB "></presence>", 3},
	{"show in another namespace",
	 "<presence" AB "><show xmlns='u'>away</show></presence>", OK,
	 "<presence" AB "></presence>", 1},
	{"second show",
	 "<presence" AB "><show>xa</show><show>away</show></presence>", OK,
	 "<presence" AB "><show>xa</show></presence>", 1},
	/* RFC 6121 4.7.2.3 */
	{"highest priority",
	 "<presence" AB "><priority>127</priority></presence>", OK, NULL, 0},
	{"lowest priority",
	 "<presence" AB "><priority>-128</priority></presence>", OK, NULL, 0},
	{"-1", "<presence" AB "><priority>-1</priority></presence>", OK, NULL,
	 0},
	{"0", "<presence" AB "><priority>0</priority></presence>", OK,
	 "<presence" AB "></presence>", 0},
	{"an xs:byte",
	 "<presence" AB "><priority> \n+007 </priority></presence>", OK,
	 "<presence" AB "><priority>7</priority></presence>", 0},
	{"bad priorities",
	 "<presence" AB "><priority>128</priority><priority>-129</priority>"
	 "<priority>x</priority><priority/><priority>1.5</priority>"
	 "<priority>--1</priority><priority>- 1</priority>"
	 "<priority>4294967297</priority><priority>0x7</priority>"
	 "</presence>",
	 OK, "<presence" AB "></presence>", 9},
	{"second priority",
	 "<presence" AB "><priority>0</priority><priority>5</priority>"
	 "</presence>",
	 OK, "<presence" AB "></presence>", 1},
	{"first good priority",
	 "<presence" AB "><priority>200</priority><priority>5</priority>"
	 "</presence>",
	 OK, "<presence" AB "><priority>5</priority></presence>", 1},
	{"languages",
	 "<presence" AB " xml:lang='en'><status>in a meeting</status>"
	 "<status xml:lang='cs'>na schůzi</status>"
	 "<status xml:lang=''>?</status><status xml:lang='cs'/></presence>",
	 OK, NULL, 0},
	{"escapes",
	 "<presence" AB " id='&lt;1&gt;'><status>a &lt;b&gt; &amp; &#x1F600;"
	 "</status></presence>",
	 OK,
	 "<presence" AB " id='&lt;1&gt;'><status>a &lt;b&gt; &amp; \U0001F600"
	 "</status></presence>",
	 0},
	{"delay",
	 "<presence" AB ">" DELAY "from='b.example' stamp='2026-01-02T03:04:05"
	 ".678+01:00'/></presence>",
	 OK,
	 "<presence" AB ">" DELAY "from='b.example' "
	 "stamp='2026-01-02T02:04:05.678Z'/></presence>",
	 0},
	{"bad delay", "<presence" AB ">" DELAY "stamp='soon'/></presence>", OK,
	 "<presence" AB "></presence>", 1},
	{"what has no field",
	 "<presence" AB "><c xmlns='http://jabber.org/protocol/caps' "
	 "hash='sha-1' node='n' ver='v'/><x xmlns='vcard-temp:x:update'>"
	 "<photo>0</photo></x><nick xmlns='http://jabber.org/protocol/nick'>n"
	 "</nick><show>xa</show></presence>",
	 OK, "<presence" AB "><show>xa</show></presence>", 3},
	{"unavailable",
	 "<presence" AB " type='unavailable'><status>bye</status>"
	 "<status xml:lang='de'>weg</status></presence>",
	 OK, NULL, 0},
	{"answer to a probe",
	 "<presence" AB " id='p1' type='unavailable'>" DELAY
	 "stamp='2026-01-02T03:04:05Z'/></presence>",
	 OK, NULL, 0},
	{"subscribe with a text",
	 "<presence" AB " id='s' type='subscribe'><status>it's me</status>"
	 "</presence>",
	 OK,
	 "<presence" AB " id='s' type='subscribe'><status>it&apos;s me"
	 "</status></presence>",
	 0},
	{"error",
	 "<presence" AB " type='error'><error type='modify'>"
	 "<jid-malformed xmlns='" ERR "'/></error></presence>",
	 OK, NULL, 0},
	{"error with a copy",
	 "<presence" AB " id='1' type='error'><show>away</show>"
	 "<status>s</status><error by='a.example' type='cancel'>"
	 "<gone xmlns='" ERR "'>xmpp:c@c.example</gone>"
	 "<text xmlns='" ERR "' xml:lang='en'>moved</text></error></presence>",
	 OK,
	 "<presence" AB " id='1' type='error'><error by='a.example' "
	 "type='cancel'><gone xmlns='" ERR "'>xmpp:c@c.example</gone>"
	 "<text xmlns='" ERR "' xml:lang='en'>moved</text></error></presence>",
	 0},
	{"error without one", "<presence" AB " type='error'/>", OK,
	 "<presence" AB " type='error'><error type='cancel'>"
	 "<undefined-condition xmlns='" ERR "'/></error></presence>",
	 0},
	/* RFC 6121 4.7.1 */
	{"available by name", "<presence" AB " type='available'/>", BAD, NULL,
	 0},
	{"no name", "<presence" AB " type=''/>", BAD, NULL, 0},
	{"another case", "<presence" AB " type='Subscribe'/>", BAD, NULL, 0},
	{"unknown", "<presence" AB " type='invisible'/>", BAD, NULL, 0},
};

static void all_rows(void **state)
{
	(void)state;
	check_rows(rows, FED_ARRAY_LEN(rows));
}

/* ---- types and addresses ------------------------------------------------- */

static const struct {
	const char *name; /* NULL: no attribute */
	Fed__PresenceType type;
} types[] = {
	{NULL, FED__PRESENCE_TYPE__AVAILABLE},
	{"unavailable", FED__PRESENCE_TYPE__UNAVAILABLE},
	{"subscribe", FED__PRESENCE_TYPE__SUBSCRIBE},
	{"subscribed", FED__PRESENCE_TYPE__SUBSCRIBED},
	{"unsubscribe", FED__PRESENCE_TYPE__UNSUBSCRIBE},
	{"unsubscribed", FED__PRESENCE_TYPE__UNSUBSCRIBED},
	{"probe", FED__PRESENCE_TYPE__PROBE},
};

static const char *const senders[] = {"a@a.example/r", "a@a.example",
				      "a.example"};
static const char *const receivers[] = {"b@b.example/home \xe2\x9a\xbd",
					"b@b.example", "b.example"};

static void check_one(size_t t, const char *from, const char *to,
		      const char *lang)
{
	struct fixture f;
	struct buf b;

	buf_init(&b, 4096);
	(void)buf_printf(&b, "<presence from='%s' to='%s' id='x%zu'", from, to,
			 t);
	if (types[t].name != NULL)
		(void)buf_printf(&b, " type='%s'", types[t].name);
	(void)buf_printf(&b, " xml:lang='%s'></presence>", lang);
	/* the stream's language stands back */
	read_xml(&f, buf_cstr(&b), "fr");
	assert_int_equal(f.verdict, STANZA_OK);
	assert_int_equal(f.stanza->kind_case, FED__STANZA__KIND_PRESENCE);
	assert_int_equal(f.stanza->presence->type, types[t].type);
	assert_string_equal(f.stanza->from, from);
	assert_string_equal(f.stanza->to, to);
	assert_string_equal(f.stanza->lang, lang);
	assert_round_trip(f.stanza, buf_cstr(&b));
	done(&f);
	buf_deinit(&b);
}

static void every_type_and_address(void **state)
{
	(void)state;
	for (size_t t = 0; t < FED_ARRAY_LEN(types); t++)
		for (size_t i = 0; i < FED_ARRAY_LEN(senders); i++)
			for (size_t j = 0; j < FED_ARRAY_LEN(receivers); j++)
				check_one(t, senders[i], receivers[j], "cs");
}

/* RFC 6120 8.1.5: a status without a language has the stream's. */
static void language_of_the_stream(void **state)
{
	struct fixture f;

	(void)state;
	read_xml(&f,
		 "<presence" AB "><status>a</status>"
		 "<status xml:lang='cs'>b</status></presence>",
		 "de");
	assert_int_equal(f.verdict, STANZA_OK);
	assert_string_equal(f.stanza->presence->status[0]->lang, "de");
	assert_string_equal(f.stanza->presence->status[1]->lang, "cs");
	assert_round_trip(f.stanza,
			  "<presence" AB " xml:lang='de'><status>a</status>"
			  "<status xml:lang='cs'>b</status></presence>");
	done(&f);
}

/* Every priority there is, both ways. */
static void every_priority(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (int n = -130; n <= 130; n++) {
		bool is_good = n >= -128 && n <= 127;
		struct fixture f;

		buf_reset(&b);
		(void)buf_printf(&b,
				 "<presence" AB
				 "><priority>%d</priority></presence>",
				 n);
		read_xml(&f, buf_cstr(&b), NULL);
		assert_int_equal(f.verdict, STANZA_OK);
		assert_int_equal(f.stanza->presence->priority, is_good ? n : 0);
		assert_round_trip(f.stanza, is_good && n != 0 ? buf_cstr(&b)
							      : "<presence" AB
								"></presence>");
		done(&f);
	}
	buf_deinit(&b);
}

/* What a gateway may not say. */
static void out_of_range(void **state)
{
	struct fixture f;

	(void)state;
	read_xml(&f, "<presence" AB "></presence>", NULL);
	f.stanza->presence->priority = 128;
	assert_int_equal(stanza_validate(f.stanza), FED_EPROTO);
	f.stanza->presence->priority = -129;
	assert_int_equal(stanza_validate(f.stanza), FED_EPROTO);
	f.stanza->presence->priority = 1;
	f.stanza->presence->type = (Fed__PresenceType)8;
	assert_int_equal(stanza_validate(f.stanza), FED_EPROTO);
	f.stanza->presence->type = FED__PRESENCE_TYPE__PROBE;
	f.stanza->presence->show = (Fed__Show)5;
	assert_int_equal(stanza_validate(f.stanza), FED_EPROTO);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_rows),
		cmocka_unit_test(every_type_and_address),
		cmocka_unit_test(language_of_the_stream),
		cmocka_unit_test(every_priority),
		cmocka_unit_test(out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
