/* PIDF from SIP; P numbers are those of the vectors of RFC 8048. */
#include "tests/unit/pidf_harness.h"

#define ROOT "<presence xmlns='urn:ietf:params:xml:ns:pidf'"
#define NS_DM " xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model'"
#define NS_RPID " xmlns:rpid='urn:ietf:params:xml:ns:pidf:rpid'"
#define NS_EP " xmlns:ep='urn:ietf:params:xml:ns:pidf:status:rpid-status'"
#define NS_MS " xmlns:ms='http://schemas.microsoft.com/2006/09/sip/state'"
#define ENTITY " entity='pres:romeo@example.net'>"
#define BEGIN ROOT NS_DM NS_RPID NS_EP NS_MS ENTITY
#define END "</presence>"
#define STATUS(basic) "<status><basic>" basic "</basic></status>"
#define TUPLE(id, basic, more) \
	"<tuple id='" id "'>" STATUS(basic) more "</tuple>"
#define SHOW(show) "<show xmlns='jabber:client'>" show "</show>"
#define ACTIVITIES(a) "<rpid:activities>" a "</rpid:activities>"
#define PERSON(more) "<dm:person id='p'>" more "</dm:person>"
#define INPUT(what) "<rpid:user-input>" what "</rpid:user-input>"

struct row {
	const char *name;
	const char *doc;
	const char *lang;
	const char *view;
};

static const struct row ROWS[] = {
	{"P3",
	 "<?xml version='1.0' encoding='UTF-8'?>\n" ROOT ENTITY
	 "\n <tuple id='ID-dr4hcr0st3lup4c'>\n  <status>\n"
	 "   <basic>open</basic>\n   " SHOW("away") "\n  </status>\n"
						    " </tuple>\n" END "\n",
	 "", "dr4hcr0st3lup4c + away"},
	{"P7", BEGIN TUPLE("ID-dr4hcr0st3lup4c", "closed", "") END, "",
	 "dr4hcr0st3lup4c -"},
	{"P8, both",
	 BEGIN TUPLE("ID-b", "open", "") TUPLE("ID-a", "open", "") END, "",
	 "a +, b +"},
	{"P8, then one", BEGIN TUPLE("ID-a", "open", "") END, "", "a +"},
	{"P35", BEGIN TUPLE("a", "open", "<contact priority='0.8'/>") END, "",
	 "a + 102"},
	{"P35, above 1",
	 BEGIN TUPLE("a", "open", "<contact priority='1.5'/>") END, "", "a +"},
	{"P35, no number",
	 BEGIN TUPLE("a", "open", "<contact priority='abc'/>") END, "", "a +"},
	{"P36, the way back",
	 BEGIN TUPLE("ID-1_x0020_a_x002F_b", "open", "") END, "", "1 a/b +"},
	{"P37, by Content-Language",
	 BEGIN TUPLE("a", "open", "<note>Ahoj</note>") END, "cs",
	 "a + [cs]Ahoj"},
	{"P37, by xml:lang",
	 BEGIN TUPLE("a", "open", "<note xml:lang='cs'>Ahoj</note>") END, "de",
	 "a + [cs]Ahoj"},
	{"P42",
	 "<impp:presence xmlns:impp='urn:ietf:params:xml:ns:pidf'"
	 " entity='pres:romeo@example.net'><impp:tuple id='ID-a'>"
	 "<impp:status><impp:basic>open</impp:basic>"
	 "<j:show xmlns:j='jabber:client'>xa</j:show></impp:status>"
	 "<impp:contact priority='0.039'>im:r@example.net</impp:contact>"
	 "<impp:note>x</impp:note></impp:tuple></impp:presence>",
	 "", "a + xa 5 []x"},
	{"P43",
	 BEGIN TUPLE("a", "open", "") PERSON(ACTIVITIES("<rpid:on-the-phone/>"))
		 END,
	 "", "a + dnd"},

	/* tuples */
	{"no tuple", BEGIN END, "", ""},
	{"an empty element", ROOT "/>", "", ""},
	{"a tuple without basic is ignored",
	 BEGIN "<tuple id='a'><status/></tuple>" TUPLE("b", "open", "") END, "",
	 "b +"},
	{"one without status too", BEGIN "<tuple id='a'/>" END, "", ""},
	{"basic of another namespace is none",
	 BEGIN "<tuple id='a'><status><x:basic xmlns:x='urn:x'>open</x:basic>"
	       "</status></tuple>" END,
	 "", ""},
	{"basic that is neither", BEGIN TUPLE("a", "maybe", "") END, "", ""},
	{"blanks and case of basic", BEGIN TUPLE("a", "\n Open\t", "") END, "",
	 "a +"},
	{"a comment in basic", BEGIN TUPLE("a", "op<!-- x -->en", "") END, "",
	 "a +"},
	{"CDATA", BEGIN TUPLE("a", "<![CDATA[open]]>", "") END, "", "a +"},
	{"basic outside of status",
	 BEGIN "<tuple id='a'><basic>open</basic></tuple>" END, "", ""},
	{"the same id twice: the last",
	 BEGIN TUPLE("a", "open", "<note>1</note>")
		 TUPLE("a", "open", "<note>2</note>") END,
	 "", "a + []2"},
	{"but an open one is not closed by another",
	 BEGIN TUPLE("a", "open", "") TUPLE("ID-a", "closed", "") END, "",
	 "a +"},
	{"and one that is opens",
	 BEGIN TUPLE("a", "closed", "") TUPLE("a", "open", "") END, "", "a +"},
	{"a closed one has notes, nothing else",
	 BEGIN "<tuple id='a'><status><basic>closed</basic>" SHOW(
		 "away") "</status><contact "
			 "priority='1'/><note>gone</note></tuple>" END,
	 "", "a - []gone"},

	/* unknown things */
	{"unknown elements anywhere",
	 "<?xml version='1.0'?><?pi x?><!-- c -->" ROOT
	 " xmlns:u='urn:u' u:a='1' b='2'" ENTITY "<u:x><tuple id='no'>" STATUS(
		 "open") "</tuple></u:x>"
			 "<tuple id='a' "
			 "u:c='3'><u:x><status><basic>closed</basic></status>"
			 "</u:x><status><u:x><basic>closed</basic></"
			 "u:x><basic>open</basic>"
			 "<u:y/></status><u:z>text</u:z>"
			 "<note>n<u:x>inner<note>deep</note></u:x>m</note></"
			 "tuple>"
			 "<u:x/>stray text" END "<!-- c --><?pi y?>",
	 "", "a + []nm"},
	{"CIPID is ignored",
	 ROOT " xmlns:ci='urn:ietf:params:xml:ns:pidf:cipid'" ENTITY TUPLE(
		 "0", "open",
		 "<ci:display-name>A</ci:display-name>") "<ci:display-name>"
							 "Alice</"
							 "ci:display-name>" END,
	 "", "0 +"},
	{"a prefix without a namespace is unknown",
	 BEGIN TUPLE("a", "open", "<foo:bar foo:x='1'>y</foo:bar>") END, "",
	 "a +"},
	{"mustUnderstand of something unknown: the status is undefined",
	 ROOT
	 " xmlns:p='urn:ietf:params:xml:ns:pidf' xmlns:u='urn:u'" ENTITY
	 "<tuple id='a'><status><basic>open</basic>"
	 "<u:x p:mustUnderstand='true'/></status></tuple>"
	 "<tuple id='b'><status><basic>open</basic>"
	 "<u:x p:mustUnderstand='1'/></status></tuple>"
	 "<tuple id='c'><status><basic>open</basic>"
	 "<u:x p:mustUnderstand='false'/></status></tuple>"
	 "<tuple id='d'><status><basic>open</basic>"
	 "<u:x mustUnderstand='1'/></status></tuple>"
	 "<tuple id='e'><u:x p:mustUnderstand='1'/>"
	 "<status><basic>open</basic></status></tuple>"
	 "<tuple id='f'><status><basic>open</basic>"
	 "<show xmlns='jabber:client' p:mustUnderstand='1'>xa</show></status>"
	 "</tuple>" END,
	 "", "c +, d +, e +, f + xa"},

	/* show */
	{
		"show: chat, dnd, xa, and no other",
		BEGIN "<tuple id='a'><status><basic>open</basic>" SHOW("chat") "</status></tuple><tuple id='b'><status><basic>open</basic>" SHOW(
			" dnd ") "</status></tuple>"
				 "<tuple "
				 "id='c'><status><basic>open</basic>" SHOW(
					 "xa") "</status></tuple><tuple "
					       "id='d'><status><basic>open</"
					       "basic>" SHOW("AWAY") "</"
								     "status></"
								     "tuple>"
								     "<tuple "
								     "id='e'><"
								     "status><"
								     "basic>"
								     "open</"
								     "basic><"
								     "show>"
								     "away</"
								     "show></"
								     "status>"
								     "</"
								     "tuple"
								     ">" END,
		"", "a + chat, b + dnd, c + xa, d +, e +"},
	{"show before activities before input",
	 BEGIN "<tuple id='a'><status><basic>open</basic>" SHOW(
		 "chat") "</status>" ACTIVITIES("<rpid:busy/>")
		 INPUT("idle") "</tuple>" END,
	 "", "a + chat"},
	{"activities before input",
	 BEGIN TUPLE("a", "open", ACTIVITIES("<rpid:busy/>") INPUT("idle")) END,
	 "", "a + dnd"},
	{"a show that is none does not count",
	 BEGIN "<tuple id='a'><status><basic>open</basic>" SHOW(
		 "free") "</status>" ACTIVITIES("<rpid:busy/>") "</tuple>" END,
	 "", "a + dnd"},
	{"one show in a document: the person is told for no other tuple",
	 BEGIN "<tuple id='a'><status><basic>open</basic>" SHOW(
		 "dnd") "</status></tuple>" TUPLE("b", "open", "")
		 PERSON(ACTIVITIES("<rpid:busy/>")) END,
	 "", "a + dnd, b +"},
	{"the person before the tuples, as baresip has it",
	 BEGIN PERSON(ACTIVITIES("<rpid:away/>"))
		 TUPLE("t4109", "open",
		       "<contact>sip:romeo@example.net</contact>") END,
	 "", "t4109 + away"},
	{"no activity, as baresip has it",
	 BEGIN PERSON("<rpid:activities/>") TUPLE("t4109", "open", "") END, "",
	 "t4109 +"},
	{"the tuple's activities before the person's",
	 BEGIN TUPLE("a", "open", ACTIVITIES("<rpid:lunch/>")) TUPLE(
		 "b", "open", "") PERSON(ACTIVITIES("<rpid:vacation/>")) END,
	 "", "a + away, b + xa"},
	{"of several activities the strongest",
	 BEGIN TUPLE("a", "open", "") PERSON(
		 ACTIVITIES("<rpid:away/><rpid:meeting/><rpid:working/>")) END,
	 "", "a + dnd"},
	{"activities close nobody",
	 BEGIN TUPLE("a", "open", "")
		 PERSON(ACTIVITIES("<rpid:permanent-absence/>")) END,
	 "", "a + xa"},
	{"activities that keep from nothing, or are unknown",
	 BEGIN TUPLE("a", "open", "") PERSON(ACTIVITIES(
		 "<rpid:working/><rpid:unknown/><rpid:other>x</rpid:other>"
		 "<rpid:looking-for-work/><rpid:juggling/>"
		 "<busy xmlns='urn:x'/>")) END,
	 "", "a +"},
	{"activities of a device count for nothing",
	 BEGIN TUPLE("a", "open", "") "<dm:device id='d'>" ACTIVITIES(
		 "<rpid:busy/>") INPUT("idle") "</dm:device>" END,
	 "", "a +"},
	{"idle input of the person",
	 BEGIN TUPLE("a", "open", "") PERSON(INPUT("idle")) END, "",
	 "a + away"},
	{"idle input of the tuple",
	 BEGIN TUPLE("a", "open", INPUT("idle"))
		 TUPLE("b", "open", INPUT("active")) END,
	 "", "a + away, b +"},

	/* Lync's family */
	{"Lync's own shape",
	 ROOT NS_EP
	 " xmlns:ci='urn:ietf:params:xml:ns:pidf:cipid'"
	 " entity='sip:alice@contoso.example'>\n <tuple id=\"0\"><status>"
	 "<basic>open</basic><ep:activities><ep:activity>away</ep:activity>"
	 "</ep:activities></status></tuple>\n"
	 " <ci:display-name>Alice</ci:display-name>\n" END,
	 "", "0 + away"},
	{"busy there",
	 BEGIN "<tuple id='0'><status><basic>open</basic><ep:activities>"
	       "<ep:activity> busy "
	       "</ep:activity></ep:activities></status></tuple>" END,
	 "", "0 + dnd"},
	{"availability in a tuple",
	 BEGIN TUPLE("0", "open", "<ms:availability>6500</ms:availability>")
		 END,
	 "", "0 + dnd"},
	{"in a status, deep in something unknown",
	 BEGIN
	 "<tuple id='0'><status><basic>open</basic><ms:states><ms:state>"
	 "<ms:availability> 15500 </ms:availability></ms:state></ms:states>"
	 "</status></tuple>" END,
	 "", "0 + away"},
	{"beside the tuples",
	 BEGIN TUPLE("0", "open", "") TUPLE(
		 "1", "open",
		 "<ms:availability>3500</ms:availability>") "<ms:state><ms:"
							    "availability>9500<"
							    "/ms:availability><"
							    "/ms:state>" END,
	 "", "0 + dnd, 1 + dnd"},
	{"offline closes",
	 BEGIN TUPLE("0", "open", "<ms:availability>18500</ms:availability>")
		 END,
	 "", "0 -"},
	{"it stands for a basic that is missing",
	 BEGIN "<tuple id='0'><ms:availability aggregate='4600'/></tuple>"
	       "<tuple id='1'><ms:availability aggregate='20000'/></tuple>" END,
	 "", "0 + away, 1 -"},
	{"closed stays closed",
	 BEGIN TUPLE("0", "closed", "<ms:availability>3500</ms:availability>")
		 END,
	 "", "0 -"},
	{"classes of Live Communications Server",
	 BEGIN TUPLE("0", "open",
		     "<ms:availability aggregate='300'/>"
		     "<ms:activity aggregate='600' note='x'/>")
		 TUPLE("1", "open", "<ms:availability aggregate='0'/>") END,
	 "", "0 + dnd, 1 -"},
	{"activities before numbers",
	 BEGIN TUPLE("0", "open",
		     "<ms:availability>6500</ms:availability>" ACTIVITIES(
			     "<rpid:away/>")) END,
	 "", "0 + away"},
	{"numbers that are none",
	 BEGIN TUPLE(
		 "0", "open",
		 "<ms:availability aggregate='-1'>99999999999</ms:availability>"
		 "<ms:availability>6.5</ms:availability><ms:availability/>"
		 "<availability aggregate='18500'/>") END,
	 "", "0 +"},
	{"a number inside a note is none, and the note stays whole",
	 BEGIN TUPLE(
		 "0", "open",
		 "<note>a<ms:x><ms:availability>18500</ms:availability></ms:x>b"
		 "</note>") END,
	 "", "0 + []ab"},

	/* notes */
	{"a note of the presentity",
	 BEGIN TUPLE("a", "open", "") "<note>x</note>" END, "", "a + []x"},
	{"the tuple's own counts before it",
	 BEGIN TUPLE("a", "open", "<note>mine</note>") "<note>x</note>" END, "",
	 "a + []mine"},
	{"where one tuple has its own, it is for no other",
	 BEGIN TUPLE("a", "open", "<note>mine</note>")
		 TUPLE("b", "open", "") "<note>x</note>" END,
	 "", "a + []mine, b +"},
	{"closed ones too",
	 BEGIN TUPLE("a", "closed", "") "<note>back on Monday</note>" END, "",
	 "a - []back on Monday"},
	{"the presentity's before the person's",
	 BEGIN TUPLE("a", "open",
		     "") "<note>x</note>" PERSON("<dm:note>y</dm:note>") END,
	 "", "a + []x"},
	{"the person's before that of the activities",
	 BEGIN TUPLE("a", "open", "") PERSON(ACTIVITIES(
		 "<rpid:note>z</rpid:note><rpid:away/>") "<dm:note>y</dm:note>")
		 END,
	 "", "a + away []y"},
	{"that of the activities",
	 BEGIN TUPLE("a", "open", "")
		 PERSON(ACTIVITIES("<rpid:note>z</rpid:note><rpid:away/>")) END,
	 "", "a + away []z"},
	{"languages, inherited and taken back",
	 ROOT " xml:lang='en'" ENTITY "<tuple id='a' xml:lang='de'>" STATUS(
		 "open") "<note>eins</note><note xml:lang='cs'>jedna</note>"
			 "<note xml:lang=''>1</note></tuple><tuple "
			 "id='b'>" STATUS(
				 "open") "<note>one</note></tuple>" END,
	 "fr", "a + [de]eins [cs]jedna []1, b + [en]one"},
	{"one for each language, at most four",
	 BEGIN TUPLE("a", "open",
		     "<note xml:lang='a'>1</note>"
		     "<note xml:lang='A'>2</note><note xml:lang='b'>3</note>"
		     "<note xml:lang='c'>4</note><note xml:lang='d'>5</note>"
		     "<note xml:lang='e'>6</note>") END,
	 "", "a + [a]1 [b]3 [c]4 [d]5"},
	{"what is no language",
	 BEGIN TUPLE("a", "open", "<note xml:lang='c&#10;s'>1</note>") END, "",
	 "a + []1"},
	{"Content-Language with several",
	 BEGIN TUPLE("a", "open", "<note>1</note>") END, "cs, de", "a + []1"},
	{"an empty note is none",
	 BEGIN TUPLE("a", "open", "<note> \n </note><note>x</note>") END, "",
	 "a + []x"},
	{"references and entities",
	 BEGIN TUPLE("a", "open", "<note>&lt;&amp;&#233;&#x1F600;&quot;</note>")
		 END,
	 "", "a + []<&\xC3\xA9\xF0\x9F\x98\x80\""},

	/* priority */
	{"priorities",
	 BEGIN TUPLE("a", "open", "<contact priority='0'/>")
		 TUPLE("b", "open", "<contact priority='0.007'/>") TUPLE(
			 "c", "open", "<contact priority='0.992'>x</contact>")
			 TUPLE("d", "open", "<contact priority='1'/>") TUPLE(
				 "e", "open", "<contact priority='1.000'/>")
				 TUPLE("f", "open", "<contact priority='1.'/>")
					 TUPLE("g", "open",
					       "<contact priority=' 0.5 '/>")
						 TUPLE("h", "open",
						       "<contact "
						       "priority='0.00799'/>")
							 TUPLE("i", "open",
							       "<contact/>")
								 END,
	 "",
	 "a +, b + 1, c + 126, d + 127, e + 127, f + 127, g + 64, h + 1,"
	 " i +"},
	{"priorities that are none",
	 BEGIN TUPLE("a", "open", "<contact priority='1.001'/>") TUPLE(
		 "b", "open",
		 "<contact priority='-0.5'/>") TUPLE("c", "open",
						     "<contact priority=''/>")
		 TUPLE("d", "open", "<contact priority='0,5'/>") TUPLE(
			 "e", "open",
			 "<contact priority='.5'/>") TUPLE("f", "open",
							   "<contact "
							   "priority='0.5e1'/>")
			 TUPLE("g", "open",
			       "<contact x:priority='0.5' xmlns:x='urn:x'/>")
				 TUPLE("h", "open",
				       "<contact priority='2'/>"
				       "<contact priority='0.5'/><contact "
				       "priority='0.8'/>") END,
	 "", "a +, b +, c +, d +, e +, f +, g +, h + 64"},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(ROWS); i++)
		check_read(ROWS[i].name, ROWS[i].doc, ROWS[i].lang, 0,
			   ROWS[i].view);
}

/* Every activity of RFC 4480 (table in it), by strength. */
static void test_activities(void **state)
{
	static const struct {
		const char *show;
		const char *names[12];
	} rows[] = {
		{" xa",
		 {"permanent-absence", "vacation", "holiday", "sleeping",
		  "travel"}},
		{" dnd",
		 {"busy", "on-the-phone", "meeting", "presentation",
		  "performance", "appointment", "steering"}},
		{" away",
		 {"away", "in-transit", "breakfast", "dinner", "lunch", "meal",
		  "shopping", "tv", "playing", "spectator", "worship"}},
		{"", {"unknown", "other", "looking-for-work", "working"}},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		for (size_t k = 0; k < 12 && rows[i].names[k] != NULL; k++) {
			const char *name = rows[i].names[k];
			char doc[1024];
			char view[32];

			(void)snprintf(doc, sizeof(doc),
				       BEGIN TUPLE("a", "open", "")
					       PERSON(ACTIVITIES("<rpid:%s/>"))
						       END,
				       name);
			(void)snprintf(view, sizeof(view), "a +%s",
				       rows[i].show);
			check_read(name, doc, "", 0, view);
		}
	}
}

/* Both ends of each range. */
static void test_lync_numbers(void **state)
{
	static const struct {
		uint32_t from, to;
		const char *view;
	} rows[] = {
		{0, 4499, "a +"},	    {4500, 5999, "a + away"},
		{6000, 7499, "a + dnd"},    {7500, 8999, "a + dnd"},
		{9000, 11999, "a + dnd"},   {12000, 14999, "a + away"},
		{15000, 17999, "a + away"}, {18000, 4294967295u, "a -"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		for (int end = 0; end < 2; end++) {
			char doc[1024];

			(void)snprintf(doc, sizeof(doc),
				       BEGIN TUPLE("a", "open",
						   "<ms:availability>%u"
						   "</ms:availability>") END,
				       end == 0 ? rows[i].from : rows[i].to);
			check_read(rows[i].view, doc, "", 0, rows[i].view);
		}
	}
}

/* aggregate of "availability" (of one that has no basic) and "activity" */
static void test_lync_classes(void **state)
{
	static const struct {
		const char *element;
		unsigned from, to;
		const char *view;
	} rows[] = {
		{"availability", 0, 99, "a -"},
		{"availability", 100, 999, "a +"},
		{"availability", 1000, 4499, "a +"},
		{"availability", 18000, 20000, "a -"},
		{"activity", 0, 99, ""},
		{"activity", 15000, 15500, "a + away"},
	};
	static const struct {
		unsigned from, to;
		const char *view;
	} activities[] = {
		{0, 99, "a +"},		{100, 199, "a + away"},
		{200, 299, "a + away"}, {300, 399, "a + away"},
		{400, 499, "a +"},	{500, 599, "a + dnd"},
		{600, 699, "a + dnd"},	{700, 799, "a + away"},
		{800, 999, "a +"},
	};
	char doc[1024];

	(void)state;
	for (size_t i = 0; i < 2 * FED_ARRAY_LEN(rows); i++) {
		(void)snprintf(doc, sizeof(doc),
			       BEGIN "<tuple id='a'><ms:%s aggregate='%u'/>"
				     "</tuple>" END,
			       rows[i / 2].element,
			       i % 2 == 0 ? rows[i / 2].from : rows[i / 2].to);
		check_read(doc, doc, "", 0, rows[i / 2].view);
	}
	for (size_t i = 0; i < 2 * FED_ARRAY_LEN(activities); i++) {
		(void)snprintf(doc, sizeof(doc),
			       BEGIN TUPLE("a", "open",
					   "<ms:activity aggregate='%u'/>") END,
			       i % 2 == 0 ? activities[i / 2].from
					  : activities[i / 2].to);
		check_read(doc, doc, "", 0, activities[i / 2].view);
	}
}

struct id_row {
	const char *id;
	const char *name; /* NULL: a digest */
};

static const struct id_row ID_ROWS[] = {
	{"ID-dr4hcr0st3lup4c", "dr4hcr0st3lup4c"},
	{"dr4hcr0st3lup4c", "dr4hcr0st3lup4c"},
	{"0", "0"},
	{"id-a", "id-a"},
	{"ID-_x_", ""}, /* ours, of the presentity without a resource */
	{"ID-", NULL},
	{"", NULL},
	{"ID-a_x005F_xb", "a_xb"},
	/* not what we would have written: as they are */
	{"ID-a_x0041_", "a_x0041_"},
	{"ID-a_x20_b", "a_x20_b"},
	{"ID-a_x000a_b", "a_x000a_b"},
	{"ID-a_xD800_", "a_xD800_"},
	{"ID-a_x00110000_", "a_x00110000_"},
	{"ID-a_x0020", "a_x0020"},
	{"ID-a_x0000_b", "a_x0000_b"},
	{"a_x0020_b", "a_x0020_b"},
	{"ID-_x_00112233", "_x_00112233"},
	/* one of ours that cannot be a resource: as it is */
	{"ID-a_x0007_b", "a_x0007_b"},
	{"caf\xC3\xA9", "caf\xC3\xA9"},
	/* decomposed: resources are composed */
	{"cafe\xCC\x81", "caf\xC3\xA9"},
	{"a b", "a b"},
	{"mailto:x@y/z?q", "mailto:x@y/z?q"},
};

static void test_ids(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(ID_ROWS); i++) {
		const struct id_row *r = &ID_ROWS[i];
		struct presence_view v = {.count = 0};
		char doc[1024];

		(void)snprintf(doc, sizeof(doc),
			       BEGIN
			       "<tuple id='%s'>" STATUS("open") "</tuple>" END,
			       r->id);
		assert_int_equal(pidf_read(span_str(doc), SPAN_NULL, &v), 0);
		assert_int_equal(v.count, 1);
		if (r->name == NULL)
			assert_int_equal(strlen(v.items[0]->name), 32);
		else
			assert_string_equal(v.items[0]->name, r->name);
		presence_view_clear(&v);
	}
	/* one without an id is a tuple all the same */
	check_read("no id", BEGIN "<tuple>" STATUS("closed") "</tuple>" END, "",
		   0, "e3b0c44298fc1c149afbf4c8996fb924 -");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_activities),
		cmocka_unit_test(test_lync_numbers),
		cmocka_unit_test(test_lync_classes),
		cmocka_unit_test(test_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
