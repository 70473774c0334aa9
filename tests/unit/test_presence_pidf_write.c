/* PIDF to SIP; P numbers are those of the vectors of RFC 8048. */
#include "tests/unit/pidf_schema.h"

#include <time.h>

#define DECLARATION "<?xml version='1.0' encoding='UTF-8'?>\n"
#define BEGIN                                                       \
	DECLARATION "<presence xmlns='urn:ietf:params:xml:ns:pidf'" \
		    " entity='pres:juliet@example.com'>"
#define BEGIN_PERSON                                         \
	DECLARATION                                          \
	"<presence xmlns='urn:ietf:params:xml:ns:pidf'"      \
	" xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model'" \
	" xmlns:rpid='urn:ietf:params:xml:ns:pidf:rpid'"     \
	" entity='pres:juliet@example.com'>"
#define BEGIN_LYNC                                                        \
	DECLARATION "<presence xmlns='urn:ietf:params:xml:ns:pidf'"       \
		    " xmlns:ep='urn:ietf:params:xml:ns:pidf:status:rpid-" \
		    "status' entity='sip:juliet@example.com'>"
#define OPEN "<status><basic>open</basic></status>"
#define CLOSED "<status><basic>closed</basic></status>"
#define OPEN_SHOW(show)                                                \
	"<status><basic>open</basic><show xmlns='jabber:client'>" show \
	"</show></status>"
#define CONTACT(priority)                   \
	"<contact priority='" priority "'>" \
	"sip:juliet@example.com</contact>"
#define NO_PRIORITY "<contact>sip:juliet@example.com</contact>"
#define NOW 1709210096789
#define STAMP "<timestamp>2024-02-29T12:34:56.789Z</timestamp>"
#define PERSON(what)                                          \
	"<dm:person id='person'><rpid:activities><rpid:" what \
	"/></rpid:activities></dm:person>"
#define TUPLE(id, more) "\n<tuple id='" id "'>" more STAMP "</tuple>"
#define END "</presence>\n"

static const struct pidf_write_params STANDARD = {
	.profile = PIDF_STANDARD,
	.entity = {"juliet@example.com", 18},
	.timestamp_ms = NOW,
};

static const struct pidf_write_params LYNC = {
	.profile = PIDF_LYNC,
	.entity = {"juliet@example.com", 18},
	.timestamp_ms = NOW,
};

struct row {
	const char *name;
	const char *doc;
	const char *lang;
	struct presence_resource r[3]; /* until one without a name */
};

#define AWAY .is_open = true, .show = FED__SHOW__AWAY
#define DND .is_open = true, .show = FED__SHOW__DND
#define YN0 "yn0cl4bnw0yr3vym"

static const struct row ROWS[] = {
	{"P23",
	 BEGIN_PERSON TUPLE("ID-" YN0,
			    OPEN_SHOW("away") CONTACT(
				    "0.039") "<note>Zzz</note>") "\n<note>Zzz</"
								 "note>" PERSON(
									 "away")
									 END,
	 "",
	 {{YN0, AWAY, .priority = 5, .note = {{"", "Zzz"}}, .note_count = 1}}},
	{"P24",
	 BEGIN_PERSON TUPLE("ID-" YN0, OPEN_SHOW("away") CONTACT("0.039"))
		 TUPLE("ID-chamber",
		       OPEN_SHOW("dnd") CONTACT("0")) "\n" PERSON("away") END,
	 "",
	 {{YN0, AWAY, .priority = 5}, {"chamber", DND}}},
	{"P25",
	 BEGIN_PERSON TUPLE("ID-chamber", OPEN_SHOW("dnd") CONTACT("0"))
		 TUPLE("ID-" YN0, CLOSED NO_PRIORITY) "\n" PERSON("busy") END,
	 "",
	 {{YN0, .priority = 5}, {"chamber", DND}}},
	{"P26, closed and kept",
	 BEGIN TUPLE("ID-chamber", CLOSED NO_PRIORITY)
		 TUPLE("ID-" YN0, CLOSED NO_PRIORITY) "\n" END,
	 "",
	 {{.name = YN0}, {.name = "chamber"}}},
	{"P26, gone",
	 BEGIN TUPLE("ID-_x_", CLOSED NO_PRIORITY) "\n" END,
	 "",
	 {{.name = NULL}}},
	{"P34, -1",
	 BEGIN TUPLE("ID-a", OPEN NO_PRIORITY) "\n" END,
	 "",
	 {{"a", .is_open = true, .priority = -1}}},
	{"P34, 0",
	 BEGIN TUPLE("ID-a", OPEN CONTACT("0")) "\n" END,
	 "",
	 {{"a", .is_open = true}}},
	{"P34, 127",
	 BEGIN TUPLE("ID-a", OPEN CONTACT("1")) "\n" END,
	 "",
	 {{"a", .is_open = true, .priority = 127}}},
	{"P34, 126",
	 BEGIN TUPLE("ID-a", OPEN CONTACT("0.992")) "\n" END,
	 "",
	 {{"a", .is_open = true, .priority = 126}}},
	{"P36",
	 BEGIN TUPLE("ID-1_x0020_a_x002F_b", OPEN CONTACT("0")) "\n" END,
	 "",
	 {{"1 a/b", .is_open = true}}},
	{"P37",
	 BEGIN TUPLE(
		 "ID-a",
		 OPEN CONTACT(
			 "0") "<note xml:lang='cs'>Ahoj</note>") "\n"
								 "<note "
								 "xml:lang='cs'"
								 ">Ahoj</"
								 "note>" END,
	 "cs",
	 {{"a", .is_open = true, .note = {{"cs", "Ahoj"}}, .note_count = 1}}},
	{"languages differ: none in the header",
	 BEGIN TUPLE("ID-a",
		     OPEN CONTACT("0") "<note "
				       "xml:lang='cs'>1</note><note>2</"
				       "note>") "\n"
						"<note "
						"xml:lang='cs'>1</"
						"note><note>2</note>" END,
	 "",
	 {{"a", .is_open = true, .note = {{"cs", "1"}, {"", "2"}},
	   .note_count = 2}}},
	{"what is no language tag is not said",
	 BEGIN TUPLE("ID-a",
		     OPEN CONTACT("0") "<note>1</note>") "\n"
							 "<note>1</note>" END,
	 "",
	 {{"a", .is_open = true, .note = {{"c\r\ns", "1"}}, .note_count = 1}}},
	{"an empty status is no note",
	 BEGIN TUPLE("ID-a", OPEN CONTACT("0")) "\n" END,
	 "",
	 {{"a", .is_open = true, .note = {{"cs", ""}}, .note_count = 1}}},
	{"chat is no activity",
	 BEGIN TUPLE("ID-a", OPEN_SHOW("chat") CONTACT("0")) "\n" END,
	 "",
	 {{"a", .is_open = true, .show = FED__SHOW__SHOW_CHAT}}},
	{"xa is away for those who do not know it",
	 BEGIN_PERSON TUPLE("ID-a", OPEN_SHOW("xa") CONTACT("0")) "\n" PERSON(
		 "away") END,
	 "",
	 {{"a", .is_open = true, .show = FED__SHOW__XA}}},
	{"the best first, then open ones, then closed ones; its notes for all",
	 BEGIN TUPLE("ID-c", OPEN CONTACT("0.007") "<note>3</note>")
		 TUPLE("ID-b", OPEN_SHOW("dnd") CONTACT("0") "<note>2</note>")
			 TUPLE("ID-a", CLOSED NO_PRIORITY
			       "<note>1</note>") "\n"
						 "<note>3</note>" END,
	 "",
	 {{"a", .note = {{"", "1"}}, .note_count = 1},
	  {"b", DND, .note = {{"", "2"}}, .note_count = 1},
	  {"c", .is_open = true, .priority = 1, .note = {{"", "3"}},
	   .note_count = 1}}},
	{"all closed: the first note",
	 BEGIN TUPLE("ID-a", CLOSED NO_PRIORITY)
		 TUPLE("ID-b", CLOSED NO_PRIORITY
		       "<note>x</note>") "\n"
					 "<note>x</note>" END,
	 "",
	 {{.name = "a"}, {"b", .note = {{"", "x"}}, .note_count = 1}}},
	{"markup, line ends, and what XML does not have",
	 BEGIN TUPLE(
		 "ID-a",
		 OPEN CONTACT(
			 "0") "<note>&lt;b&gt; &amp; &quot;&apos; "
			      "&#13;\n\t\xC3\xA9|</note>") "\n"
							   "<note>&lt;b&gt; "
							   "&amp; &quot;&apos; "
							   "&#13;\n\t\xC3\xA9|<"
							   "/note>" END,
	 "",
	 {{"a", .is_open = true,
	   .note = {{"", "<b> & \"' \r\n\t\xC3\xA9\x01\xEF\xBF\xBF\xC3|"}},
	   .note_count = 1}}},
};

static const struct row LYNC_ROWS[] = {
	{"away",
	 BEGIN_LYNC
	 "\n<tuple id='ID-0'><status><basic>open</basic>"
	 "<ep:activities><ep:activity>away</ep:activity></ep:activities>"
	 "</status><note>Zzz</note></tuple>\n" END,
	 "",
	 {{YN0, AWAY, .priority = 5, .note = {{"", "Zzz"}}, .note_count = 1},
	  {"chamber", DND}}},
	{"xa",
	 BEGIN_LYNC
	 "\n<tuple id='ID-0'><status><basic>open</basic>"
	 "<ep:activities><ep:activity>away</ep:activity></ep:activities>"
	 "</status></tuple>\n" END,
	 "",
	 {{"a", .is_open = true, .show = FED__SHOW__XA}}},
	{"busy",
	 BEGIN_LYNC
	 "\n<tuple id='ID-0'><status><basic>open</basic>"
	 "<ep:activities><ep:activity>busy</ep:activity></ep:activities>"
	 "</status></tuple>\n" END,
	 "",
	 {{.name = YN0}, {"chamber", DND}}},
	{"chat",
	 BEGIN_LYNC "\n<tuple id='ID-0'>" OPEN "</tuple>\n" END,
	 "",
	 {{"a", .is_open = true, .show = FED__SHOW__SHOW_CHAT}}},
	{"closed",
	 BEGIN_LYNC "\n<tuple id='ID-0'>" CLOSED
		    "<note xml:lang='cs'>x</note></tuple>\n" END,
	 "cs",
	 {{.name = "a"}, {"b", .note = {{"cs", "x"}}, .note_count = 1}}},
	{"nothing known",
	 BEGIN_LYNC "\n<tuple id='ID-0'>" CLOSED "</tuple>\n" END,
	 "",
	 {{.name = NULL}}},
};

static void check_row(const struct row *row,
		      const struct pidf_write_params *params)
{
	struct presence_view v = {.count = 0};
	struct span lang;
	struct buf out;

	for (size_t i = 0; i < 3 && row->r[i].name != NULL; i++)
		put(&v, &row->r[i]);
	buf_init(&out, LIMIT_PIDF_BYTES);
	assert_int_equal(pidf_write(params, &v, &out, &lang), 0);
	if (!span_eq_str(buf_span(&out), row->doc))
		fail_msg("%s: %s\nnot %s", row->name, buf_cstr(&out), row->doc);
	if (!span_eq_str(lang, row->lang))
		fail_msg("%s: language %.*s", row->name, (int)lang.n, lang.p);
	check_schema(buf_span(&out));
	buf_deinit(&out);
	presence_view_clear(&v);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(ROWS); i++)
		check_row(&ROWS[i], &STANDARD);
}

static void test_lync(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(LYNC_ROWS); i++)
		check_row(&LYNC_ROWS[i], &LYNC);
}

/* ---- all of it, at random ---- */

static uint32_t next_random(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

/* Text of pieces that are hard on escapes; no blank at its ends. */
static void random_text(uint32_t *seed, size_t most, char out[64])
{
	static const char *const pieces[] = {
		"a",
		"B7",
		"_",
		"_x",
		"_x0020_",
		"x",
		" ",
		"/",
		"@",
		":",
		"<",
		"&amp;",
		"'",
		"\"",
		"]]>",
		".",
		"-",
		"\xC3\xA9",
		"\xE2\x82\xAC",
		"\xF0\x9F\x98\x80",
		"ID-",
		"--",
		"%20",
	};
	size_t count = next_random(seed) % most;

	strcpy(out, "z");
	for (size_t i = 0; i < count; i++)
		strcat(out, pieces[next_random(seed) % FED_ARRAY_LEN(pieces)]);
	strcat(out, "_");
}

static void random_view(uint32_t *seed, struct presence_view *v)
{
	static const char *const langs[] = {"", "cs", "de-CH", "en"};
	size_t count = 1 + next_random(seed) % 6;

	for (size_t i = 0; i < count; i++) {
		char name[64];
		char text[LIMIT_PRESENCE_NOTES][64];
		struct presence_resource r = {
			.name = name, .is_open = next_random(seed) % 4 != 0};

		random_text(seed, 7, name);
		if (r.is_open) {
			r.show = (Fed__Show)(next_random(seed) % 5);
			r.priority = (int)(next_random(seed) % 128);
		}
		r.note_count = next_random(seed) % (LIMIT_PRESENCE_NOTES + 1);
		for (size_t k = 0; k < r.note_count; k++) {
			random_text(seed, 7, text[k]);
			r.note[k].lang = langs[k];
			r.note[k].text = text[k];
		}
		put(v, &r);
	}
}

static void test_there_and_back(void **state)
{
	uint32_t seed = 5;

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		struct presence_view v = {.count = 0};
		struct presence_view again = {.count = 0};
		struct span lang;
		struct buf out;

		random_view(&seed, &v);
		buf_init(&out, LIMIT_PIDF_BYTES);
		assert_int_equal(pidf_write(&STANDARD, &v, &out, &lang), 0);
		assert_int_equal(check_schema(buf_span(&out)), v.count);
		assert_int_equal(pidf_read(buf_span(&out), lang, &again), 0);
		if (!presence_view_eq(&v, &again))
			fail_msg("%s", buf_cstr(&out));
		buf_reset(&out);
		assert_int_equal(pidf_write(&LYNC, &v, &out, &lang), 0);
		assert_int_equal(check_schema(buf_span(&out)), 1);
		assert_int_equal(pidf_read(buf_span(&out), lang, &again), 0);
		assert_int_equal(presence_view_is_open(&v),
				 presence_view_is_open(&again));
		buf_deinit(&out);
		presence_view_clear(&v);
		presence_view_clear(&again);
	}
}

/* Every priority comes back as it was. */
static void test_priorities(void **state)
{
	(void)state;
	for (int p = -128; p <= 127; p++) {
		struct presence_resource r = {
			.name = "a", .is_open = true, .priority = p};
		struct presence_view v = {.count = 0};
		struct span lang;
		struct buf out;

		put(&v, &r);
		buf_init(&out, LIMIT_PIDF_BYTES);
		assert_int_equal(pidf_write(&STANDARD, &v, &out, &lang), 0);
		check_schema(buf_span(&out));
		assert_int_equal(pidf_read(buf_span(&out), lang, &v), 0);
		assert_int_equal(v.items[0]->priority, p < 0 ? 0 : p);
		buf_deinit(&out);
		presence_view_clear(&v);
	}
}

static void check_timestamp(uint64_t ms)
{
	struct pidf_write_params params = STANDARD;
	struct presence_view v = {.count = 0};
	time_t s = (time_t)(ms / 1000);
	struct span lang;
	char expected[64];
	char day[32];
	struct buf out;
	struct tm tm;

	assert_non_null(gmtime_r(&s, &tm));
	assert_true(strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm) > 0);
	(void)snprintf(expected, sizeof(expected),
		       "<timestamp>%s.%03uZ</timestamp>", day,
		       (unsigned)(ms % 1000));
	params.timestamp_ms = ms;
	buf_init(&out, LIMIT_PIDF_BYTES);
	assert_int_equal(pidf_write(&params, &v, &out, &lang), 0);
	if (strstr(buf_cstr(&out), expected) == NULL)
		fail_msg("%s, not %s", buf_cstr(&out), expected);
	buf_deinit(&out);
}

static void test_timestamps(void **state)
{
	static const uint64_t days[] = {
		0,
		951782399999,
		951782400000,
		951868800000,
		1709164800000,
		1709251199999,
		1735689599999,
		1735689600000,
		4107542399999,
		4107542400000,
		253402300799999,
	};
	uint32_t seed = 3;

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(days); i++)
		check_timestamp(days[i]);
	for (size_t i = 0; i < 2000; i++)
		check_timestamp(((uint64_t)next_random(&seed) << 24 |
				 next_random(&seed)) %
				253402300800000);
}

/* ---- ends ---- */

/* As many, as long, and as hard to escape as may be: it fits. */
static void test_largest_view(void **state)
{
	static const char hard[] = "\"'";
	struct presence_view v = {.count = 0};
	struct presence_view again = {.count = 0};
	char name[LIMIT_JID_PART_BYTES + 1];
	char text[LIMIT_PRESENCE_NOTE_BYTES + 1];
	char jid[1100];
	struct pidf_write_params params = STANDARD;
	struct span lang;
	struct buf out;

	(void)state;
	for (size_t i = 0; i < LIMIT_PRESENCE_NOTE_BYTES; i++)
		text[i] = hard[i % 2];
	text[LIMIT_PRESENCE_NOTE_BYTES] = '\0';
	for (size_t i = 0; i < LIMIT_PRESENCE_RESOURCES; i++) {
		struct presence_resource r = {.name = name, DND};

		memset(name, 'n', sizeof(name) - 1);
		name[0] = (char)('A' + i);
		/* half of them are digested, half are as long as they may */
		name[i % 2 == 0 ? LIMIT_JID_PART_BYTES : LIMIT_PIDF_ID_BYTES] =
			'\0';
		for (size_t k = 0; k < LIMIT_PRESENCE_NOTES; k++)
			r.note[r.note_count++] = (struct presence_note){
				(const char *const[]){"cs", "de", "en",
						      "fr"}[k],
				text};
		put(&v, &r);
	}
	memset(jid, '%', 340);
	strcpy(jid + 340, "@example.com");
	params.entity = span_str(jid);
	buf_init(&out, LIMIT_PIDF_BYTES);
	assert_int_equal(pidf_write(&params, &v, &out, &lang), 0);
	assert_int_equal(check_schema(buf_span(&out)),
			 LIMIT_PRESENCE_RESOURCES);
	assert_int_equal(pidf_read(buf_span(&out), lang, &again), 0);
	assert_int_equal(again.count, LIMIT_PRESENCE_RESOURCES);
	assert_int_equal(again.items[0]->show, FED__SHOW__DND);
	/* the notes of the best one, for all */
	assert_int_equal(again.items[0]->note_count, LIMIT_PRESENCE_NOTES);
	assert_string_equal(again.items[0]->note[3].text, text);
	/* what is too long for an id has another, always the same */
	name[0] = 'B';
	name[LIMIT_PIDF_ID_BYTES] = '\0';
	assert_non_null(presence_view_find(&again, span_str(name)));
	assert_true(strstr(buf_cstr(&out), "<tuple id='ID-_x_") != NULL);
	buf_deinit(&out);
	presence_view_clear(&v);
	presence_view_clear(&again);
}

static void test_no_room(void **state)
{
	struct presence_resource r = {.name = "a", DND};
	struct presence_view v = {.count = 0};
	struct span lang;
	struct buf out;
	size_t n;

	(void)state;
	put(&v, &r);
	buf_init(&out, LIMIT_PIDF_BYTES);
	assert_int_equal(pidf_write(&STANDARD, &v, &out, &lang), 0);
	n = buf_len(&out);
	buf_deinit(&out);
	/* without contacts it may be shorter, but not by so much */
	for (size_t max = 0; max < n - 64; max++) {
		buf_init(&out, max);
		if (max > 0)
			assert_int_equal(buf_put(&out, "x", 1), 0);
		assert_int_equal(pidf_write(&STANDARD, &v, &out, &lang),
				 FED_ELIMIT);
		assert_int_equal(buf_len(&out), max > 0);
		assert_false(out.is_failed);
		buf_deinit(&out);
	}
	presence_view_clear(&v);
}

static void test_entities(void **state)
{
	static const struct {
		const char *jid;
		int err;
		const char *uri;
	} rows[] = {
		{"juliet@example.com", 0, "'pres:juliet@example.com'"},
		{"Juliet@Example.com/balcony", 0, "'pres:juliet@example.com'"},
		{"d\\27artagnan@example.com", 0,
		 "'pres:d&apos;artagnan@example.com'"},
		{"example.com", 0, "'pres:example.com'"},
		{"", FED_EINVAL, NULL},
		{"@example.com", FED_EINVAL, NULL},
		{"a b@example.com", FED_EINVAL, NULL},
	};
	struct presence_view v = {.count = 0};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct pidf_write_params params = STANDARD;
		struct span lang;
		struct buf out;

		params.entity = span_str(rows[i].jid);
		buf_init(&out, LIMIT_PIDF_BYTES);
		assert_int_equal(pidf_write(&params, &v, &out, &lang),
				 rows[i].err);
		if (rows[i].err == 0)
			assert_non_null(strstr(buf_cstr(&out), rows[i].uri));
		else
			assert_int_equal(buf_len(&out), 0);
		buf_deinit(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_lync),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_priorities),
		cmocka_unit_test(test_timestamps),
		cmocka_unit_test(test_largest_view),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_entities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
