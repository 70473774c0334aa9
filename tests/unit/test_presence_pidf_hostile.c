/* PIDF that is broken, hostile, or in another encoding. */
#include "tests/unit/pidf_harness.h"

#include <libxml/parser.h>
#include <libxml/xmlmemory.h>

#define ROOT "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:a@b'"
#define BEGIN ROOT ">"
#define OPEN "<status><basic>open</basic></status>"
#define TUPLE "<tuple id='a'>" OPEN "</tuple>"
#define END "</presence>"

struct row {
	const char *name;
	const char *doc;
	int err;
};

static const struct row ROWS[] = {
	{"nothing", "", FED_EXML},
	{"blanks", " \r\n ", FED_EXML},
	{"no XML", "open", FED_EXML},
	{"text in front", "x" BEGIN TUPLE END, FED_EXML},
	{"text behind", BEGIN TUPLE END "x", FED_EXML},
	{"two documents", BEGIN TUPLE END BEGIN END, FED_EXML},
	{"declaration only", "<?xml version='1.0'?>", FED_EXML},
	{"a declaration in the middle", BEGIN "<?xml version='1.0'?>" TUPLE END,
	 FED_EXML},
	{"not closed", BEGIN TUPLE, FED_EXML},
	{"closed wrongly", BEGIN "<tuple id='a'>" OPEN END "</tuple>",
	 FED_EXML},
	{"an attribute twice",
	 BEGIN "<tuple id='a' id='b'>" OPEN "</tuple>" END, FED_EXML},
	{"an attribute without quotes",
	 BEGIN "<tuple id=a>" OPEN "</tuple>" END, FED_EXML},
	{"'<' in an attribute", BEGIN "<tuple id='<'>" OPEN "</tuple>" END,
	 FED_EXML},
	{"a bare '&'", BEGIN "<note>a & b</note>" END, FED_EXML},
	{"a control character", BEGIN "<note>\x01</note>" END, FED_EXML},
	{"the reference of one", BEGIN "<note>&#1;</note>" END, FED_EXML},
	{"the reference of a NUL", BEGIN "<note>&#0;</note>" END, FED_EXML},
	{"the reference of a surrogate", BEGIN "<note>&#xD800;</note>" END,
	 FED_EXML},
	{"another root", "<tuple xmlns='urn:ietf:params:xml:ns:pidf'/>",
	 FED_EXML},
	{"another namespace", "<presence xmlns='urn:x'>" TUPLE END, FED_EXML},
	{"no namespace", "<presence>" TUPLE END, FED_EXML},
	{"the root's prefix is not declared",
	 "<p:presence>" TUPLE "</p:presence>", FED_EXML},
	{"a presence of XMPP", "<presence xmlns='jabber:client'/>", FED_EXML},
	{"HTML", "<!DOCTYPE html><html/>", FED_ERESTRICTED},
	{"a DTD", "<!DOCTYPE presence>" BEGIN TUPLE END, FED_ERESTRICTED},
	{"a DTD of a file",
	 "<!DOCTYPE presence SYSTEM 'file:///etc/passwd'>" BEGIN TUPLE END,
	 FED_ERESTRICTED},
	{"a DTD of a server",
	 "<!DOCTYPE presence PUBLIC '-//x' 'http://127.0.0.1:1/x'>" BEGIN END,
	 FED_ERESTRICTED},
	{"a billion laughs",
	 "<?xml version='1.0'?><!DOCTYPE presence [<!ENTITY a 'ha'>"
	 "<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
	 "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>" BEGIN
	 "<note>&c;</note>" END,
	 FED_ERESTRICTED},
	{"an entity of a file",
	 "<!DOCTYPE presence [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" BEGIN
	 "<note>&x;</note>" END,
	 FED_ERESTRICTED},
	{"a parameter entity",
	 "<!DOCTYPE presence [<!ENTITY % x SYSTEM "
	 "'http://127.0.0.1:1/'>%x;]>" BEGIN END,
	 FED_ERESTRICTED},
	{"an attribute with a default",
	 "<!DOCTYPE presence [<!ATTLIST tuple id CDATA 'a'>]>" BEGIN END,
	 FED_ERESTRICTED},
	{"an entity that is not known", BEGIN "<note>&nbsp;</note>" END,
	 FED_ERESTRICTED},
	{"the same in an attribute", BEGIN "<tuple id='&x;'/>" END,
	 FED_ERESTRICTED},
	{"a DTD in the middle", BEGIN "<!DOCTYPE x>" TUPLE END, FED_EXML},
	{"no UTF-8", BEGIN "<note>\xC3(</note>" END, FED_EENCODING},
	{"a sequence longer than need be", BEGIN "<note>\xC0\xAF</note>" END,
	 FED_EENCODING},
	{"a surrogate", BEGIN "<note>\xED\xA0\x80</note>" END, FED_EENCODING},
	{"an end amidst a character", BEGIN TUPLE END "\xC3", FED_EENCODING},
	{"an encoding that is none",
	 "<?xml version='1.0' encoding='x-unheard-of'?>" BEGIN TUPLE END,
	 FED_EENCODING},
	{"UTF-7", "<?xml version='1.0' encoding='UTF-7'?>" BEGIN TUPLE END,
	 FED_EENCODING},
	{"a name for iconv with options",
	 "<?xml version='1.0' encoding='ISO-2022-CN-EXT//TRANSLIT'?>" BEGIN
		 TUPLE END,
	 FED_EENCODING},
	{"EBCDIC", "\x4C\x6F\xA7\x94\x93", FED_EENCODING},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(ROWS); i++)
		check_read(ROWS[i].name, ROWS[i].doc, "", ROWS[i].err, "");
}

/* Whatever ends early is refused, and leaves nothing. */
static void test_cut_anywhere(void **state)
{
	static const char doc[] =
		"<?xml version='1.0' encoding='UTF-8'?><!-- c -->" ROOT
		" xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model'"
		" xmlns:r='urn:ietf:params:xml:ns:pidf:rpid'>"
		"<tuple id='ID-\xC3\xA9'>" OPEN "<contact priority='0.5'>x"
		"</contact><note xml:lang='cs'>&amp;<![CDATA[y]]></note>"
		"</tuple><dm:person id='p'><r:activities><r:away/>"
		"</r:activities></dm:person>" END;

	(void)state;
	check_read("whole", doc, "", 0, "\xC3\xA9 + away 64 [cs]&y");
	for (size_t n = 0; n < sizeof(doc) - 1; n++) {
		struct presence_resource r = {.name = "old"};
		struct presence_view v = {.count = 0};
		char *copy = malloc(n + 1);

		assert_non_null(copy);
		memcpy(copy, doc, n);
		put(&v, &r);
		assert_true(pidf_read(span_of(copy, n), SPAN_NULL, &v) < 0);
		assert_int_equal(v.count, 0);
		free(copy);
	}
}

/* ---- limits: the last that passes, the first that does not ---- */

/* front, `count` times the piece, back; %u in it is its number. */
static char *repeat(const char *front, const char *piece, size_t count,
		    const char *back)
{
	size_t size =
		strlen(front) + strlen(back) + count * (strlen(piece) + 20) + 1;
	char *doc = malloc(size);
	size_t n;

	assert_non_null(doc);
	n = (size_t)snprintf(doc, size, "%s", front);
	for (size_t i = 0; i < count; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		n += (size_t)snprintf(doc + n, size - n, piece, (unsigned)i);
#pragma GCC diagnostic pop
	}
	(void)snprintf(doc + n, size - n, "%s", back);
	return doc;
}

struct limit_row {
	const char *front, *piece, *back;
	size_t most;
	const char *view;
};

static const struct limit_row LIMIT_ROWS[] = {
	/* depth: presence is one of them */
	{BEGIN TUPLE, "<x>", NULL, LIMIT_XML_DEPTH - 1, "a +"},
	/* attributes: xmlns and entity are there */
	{ROOT, " a%u=''", ">" TUPLE END, LIMIT_XML_ATTRS - 2, "a +"},
	{ROOT, " xmlns:a%u='urn:x'", ">" TUPLE END, LIMIT_XML_ATTRS - 2, "a +"},
	/* tuples, with or without a meaning */
	{BEGIN TUPLE, "<tuple id='x'/>", END, LIMIT_PRESENCE_RESOURCES - 1,
	 "a +"},
};

static void test_limits(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(LIMIT_ROWS); i++) {
		const struct limit_row *r = &LIMIT_ROWS[i];
		char name[32];

		(void)snprintf(name, sizeof(name), "limit row %zu", i);
		for (size_t over = 0; over < 2; over++) {
			size_t count = r->most + over;
			char *back = r->back != NULL
					     ? repeat("", r->back, 1, "")
					     : repeat("", "</x>", count, END);
			char *doc = repeat(r->front, r->piece, count, back);

			check_read(name, doc, "", over ? FED_ELIMIT : 0,
				   r->view);
			free(doc);
			free(back);
		}
	}
}

/* A tag that does not end is refused before libxml2 compares all of it. */
static void test_endless_tag(void **state)
{
	char *doc = repeat(ROOT, " a%u=''", 6000, ">" TUPLE END);

	(void)state;
	assert_true(strlen(doc) > LIMIT_XML_TAG_BYTES + 4096);
	assert_true(strlen(doc) < LIMIT_PIDF_BYTES);
	check_read("endless tag", doc, "", FED_ELIMIT, "");
	free(doc);
}

static void test_size(void **state)
{
	size_t room = LIMIT_PIDF_BYTES - strlen(BEGIN TUPLE END);
	char *doc;

	(void)state;
	doc = repeat(BEGIN TUPLE, " ", room, END);
	check_read("largest", doc, "", 0, "a +");
	free(doc);
	doc = repeat(BEGIN TUPLE, " ", room + 1, END);
	check_read("too large", doc, "", FED_ELIMIT, "");
	free(doc);
}

/* Long texts are cut between characters, wherever the parser's pieces end. */
static void test_long_notes(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		char front[512];
		struct presence_view v = {.count = 0};
		const struct presence_note *note;
		char *doc;
		size_t n;

		/* blanks in front of a note do not count */
		(void)snprintf(front, sizeof(front), "%s%.*s",
			       BEGIN "<tuple id='a'>" OPEN "<note>  \n",
			       (int)shift, "xxxxxxxx");
		doc = repeat(front, "\xF0\x9F\x98\x80\xE2\x82\xAC", 3000,
			     "</note></tuple>" END);
		assert_int_equal(pidf_read(span_str(doc), SPAN_NULL, &v), 0);
		assert_int_equal(v.count, 1);
		assert_int_equal(v.items[0]->note_count, 1);
		note = &v.items[0]->note[0];
		n = strlen(note->text);
		assert_in_range(n, LIMIT_PRESENCE_NOTE_BYTES - 3,
				LIMIT_PRESENCE_NOTE_BYTES);
		assert_true(span_is_utf8(span_of(note->text, n)));
		assert_memory_equal(note->text, strstr(doc, "\n") + 1, n);
		presence_view_clear(&v);
		free(doc);
	}
}

/* A number that is longer than any is none. */
static void test_long_words(void **state)
{
	char *doc = repeat(BEGIN "<tuple id='a'><status><basic>open", "x", 3000,
			   "</basic></status></tuple>" END);

	(void)state;
	check_read("a long basic", doc, "", 0, "");
	free(doc);
	doc = repeat(BEGIN "<tuple id='", "x", LIMIT_JID_PART_BYTES + 1,
		     "'>" OPEN "</tuple>" END);
	check_read("a long id", doc, "", 0,
		   "49abd65bbf7f7e40c7055093ed2e3fd7 +");
	free(doc);
}

/* ---- encodings ---- */

/* ASCII and Latin-1 as UTF-16 */
static struct span wide(const char *text, bool is_big, const char *mark,
			char *out)
{
	size_t n = strlen(mark);

	memcpy(out, mark, n);
	for (; *text != '\0'; text++) {
		out[n + (is_big ? 0 : 1)] = '\0';
		out[n + (is_big ? 1 : 0)] = *text;
		n += 2;
	}
	return span_of(out, n);
}

#define SAID(encoding) "<?xml version=\"1.0\" encoding=\"" encoding "\"?>\r\n"
#define NOTE "<tuple id='a'>" OPEN "<note>\xE9</note></tuple>"
#define NOTE_UTF8 "<tuple id='a'>" OPEN "<note>\xC3\xA9</note></tuple>"
#define READ_NOTE "a + []\xC3\xA9"

static void test_utf16(void **state)
{
	static const char *const said[] = {SAID("UTF-16") BEGIN NOTE END "\n",
					   BEGIN NOTE END "\n",
					   SAID("utf-8") BEGIN NOTE END "\n"};
	char out[1024];

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(said); i++) {
		check_read_span("LE with mark",
				wide(said[i], false, "\xFF\xFE", out), "", 0,
				READ_NOTE);
		check_read_span("BE with mark",
				wide(said[i], true, "\xFE\xFF", out), "", 0,
				READ_NOTE);
		check_read_span("LE", wide(said[i], false, "", out), "", 0,
				READ_NOTE);
		check_read_span("BE", wide(said[i], true, "", out), "", 0,
				READ_NOTE);
	}
	check_read_span("half a unit",
			span_sub(wide(said[0], true, "", out), 0, 101), "",
			FED_EENCODING, "");
}

static void test_encodings(void **state)
{
	static const struct {
		const char *name;
		const char *doc;
	} rows[] = {
		{"a mark", "\xEF\xBB\xBF" SAID("UTF-8") BEGIN NOTE_UTF8 END},
		{"a mark, nothing said", "\xEF\xBB\xBF" BEGIN NOTE_UTF8 END},
		{"blanks in front", "\r\n " SAID("utf-8") BEGIN NOTE_UTF8 END},
		{"UTF-16 that is not", SAID("utf-16") BEGIN NOTE_UTF8 END},
		{"ASCII that is not", SAID("US-ASCII") BEGIN NOTE_UTF8 END},
		{"ISO-8859-1", SAID("ISO-8859-1") BEGIN NOTE END},
		{"windows-1252", SAID("windows-1252") BEGIN NOTE END},
		{"other quotes", "<?xml version='1.0' encoding = 'iso-8859-15' "
				 "standalone='yes'?>" BEGIN NOTE END},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++)
		check_read(rows[i].name, rows[i].doc, "", 0, READ_NOTE);
	check_read_span("a NUL",
			span_of(BEGIN "\0" END, sizeof(BEGIN "\0" END) - 1), "",
			FED_EENCODING, "");
	check_read("markup made by an encoding",
		   SAID("iso-8859-1") BEGIN "<note>\xAB!DOCTYPE</note>" END, "",
		   0, "");
}

/* ---- memory ---- */

/* -1: all succeed, else so many do */
static long allocations_left = -1;

static bool may_allocate(void)
{
	if (allocations_left == 0)
		return false;
	if (allocations_left > 0)
		allocations_left--;
	return true;
}

static void *counted_alloc(size_t n)
{
	return may_allocate() ? malloc(n) : NULL;
}

static void *counted_realloc(void *p, size_t n)
{
	return may_allocate() ? realloc(p, n) : NULL;
}

static char *counted_strdup(const char *s)
{
	return may_allocate() ? strdup(s) : NULL;
}

/* libxml2 writes to stderr when it cannot make a parser */
__attribute__((format(printf, 2, 3))) static void silent(void *arg,
							 const char *fmt, ...)
{
	(void)arg;
	(void)fmt;
}

/* Each allocation of libxml2 fails once. */
static void test_out_of_memory(void **state)
{
	static const char doc[] =
		ROOT " xmlns:x='urn:x' xml:lang='cs'><tuple id='a'>" OPEN
		     "<contact priority='0.5'>x</contact><note>&amp;&#233;"
		     "</note><x:y/></tuple>" END;
	long count = 0;
	int err;

	(void)state;
	do {
		struct presence_view v = {.count = 0};

		allocations_left = count++;
		err = pidf_read(span_str(doc), SPAN_NULL, &v);
		allocations_left = -1;
		if (err != 0)
			assert_int_equal(v.count, 0);
		else
			assert_int_equal(v.count, 1);
		if (err != 0 && err != FED_ENOMEM)
			fail_msg("allocation %ld: %s", count,
				 fed_strerror(err));
		presence_view_clear(&v);
	} while (err != 0);
	assert_true(count > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_endless_tag),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_long_notes),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_utf16),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_out_of_memory),
	};

	if (xmlMemSetup(free, counted_alloc, counted_realloc, counted_strdup) !=
	    0)
		return 1;
	xmlInitParser();
	xmlSetGenericErrorFunc(NULL, silent);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
