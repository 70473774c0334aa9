/* The iqs and their payloads, from and to XML. */
#include "stanza_xml_harness.h"

static const struct row iq_rows[] = {
	{"X26",
	 "<iq" AB " id='1' type='get'><ping xmlns='urn:xmpp:ping'/>"
	 "</iq>",
	 OK, NULL, 0},
	{"result", "<iq" AB " id='1' type='result'></iq>", OK, NULL, 0},
	{"result unknown", "<iq" AB " id='1' type='result'><x xmlns='u'/></iq>",
	 OK, "<iq" AB " id='1' type='result'></iq>", 1},
	{"error unknown",
	 "<iq" AB " id='1' type='error'><x xmlns='u'/>"
	 "<error type='auth'><forbidden xmlns='" ERR "'/></error>"
	 "</iq>",
	 OK,
	 "<iq" AB " id='1' type='error'><error type='auth'>"
	 "<forbidden xmlns='" ERR "'/></error></iq>",
	 0},
	{"disco#info",
	 "<iq" AB " id='1' type='get'><query xmlns='http://jabber.org/"
	 "protocol/disco#info' node='n'></query></iq>",
	 OK, NULL, 0},
	{"disco#info result",
	 "<iq" AB " id='1' type='result'><query xmlns='http://jabber."
	 "org/protocol/disco#info'><identity category='gateway' "
	 "type='sip' name='x' xml:lang='en'/><identity "
	 "category='server' type='im'/><feature var='urn:xmpp:ping'/>"
	 "<feature var='b'/><feature/><x/><identity/></query></iq>",
	 OK,
	 "<iq" AB " id='1' type='result'><query xmlns='http://jabber."
	 "org/protocol/disco#info'><identity category='gateway' "
	 "type='sip' name='x' xml:lang='en'/><identity "
	 "category='server' type='im'/><feature var='urn:xmpp:ping'/>"
	 "<feature var='b'/></query></iq>",
	 3},
	{"disco#items",
	 "<iq" AB " id='1' type='result'><query xmlns='http://jabber."
	 "org/protocol/disco#items' node='n'><item jid='c.example' "
	 "node='m' name='x'/><item jid='d.example'/></query></iq>",
	 OK, NULL, 0},
	{"version",
	 "<iq" AB " id='1' type='result'><query xmlns='jabber:iq:"
	 "version'><name>n</name><version>1</version><os>o</os>"
	 "</query></iq>",
	 OK, NULL, 0},
	{"vcard",
	 "<iq" AB " id='1' type='result'><vCard xmlns='vcard-temp'>"
	 "<FN>f</FN><NICKNAME>n</NICKNAME><URL>u</URL>"
	 "<EMAIL><USERID>e</USERID></EMAIL>"
	 "<TEL><NUMBER>1</NUMBER></TEL><DESC>d</DESC>"
	 "<ORG><ORGNAME>o</ORGNAME></ORG><TITLE>t</TITLE></vCard></iq>",
	 OK, NULL, 0},
	{"vcard photo",
	 "<iq" AB " id='1' type='result'><vCard xmlns='vcard-temp'>"
	 "<PHOTO/></vCard></iq>",
	 OK,
	 "<iq" AB " id='1' type='result'><vCard xmlns='vcard-temp'>"
	 "</vCard></iq>",
	 1},
	{"vcard set",
	 "<iq" AB " id='1' type='set'><vCard xmlns='vcard-temp'>"
	 "<FN>f</FN></vCard></iq>",
	 OK, NULL, 0},
	{"X24", "<iq" AB " id='1' type='get'><x xmlns='u'/></iq>", UNAVAILABLE,
	 NULL, 0},
	{"unknown set", "<iq" AB " id='1' type='set'><x xmlns='u'/></iq>",
	 UNAVAILABLE, NULL, 0},
	{"X25", "<iq" AB " id='1' type='subscribe'/>", BAD, NULL, 0},
	{"no type", "<iq" AB " id='1'><x/></iq>", BAD, NULL, 0},
	{"no id",
	 "<iq" AB " type='get'><ping xmlns='urn:xmpp:ping'/>"
	 "</iq>",
	 BAD, NULL, 0},
	{"no child", "<iq" AB " id='1' type='get'/>", BAD, NULL, 0},
	{"two children",
	 "<iq" AB " id='1' type='set'><ping xmlns='urn:xmpp:ping'/>"
	 "<x/></iq>",
	 BAD, NULL, 0},
};

static void iqs(void **state)
{
	(void)state;
	check_rows(iq_rows, FED_ARRAY_LEN(iq_rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(iqs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
