/* What migrate reads: files of an old gateway, tables. */
#include "fedctl_harness.h"

#include "chan/federation_form.h"
#include "deploy/fedctl/migrate_list.h"

/* The old gateway's words, and which of the 18 combinations they are. */
static void test_methods(void **state)
{
	static const struct {
		const char *words;
		const char *tls, *sasl;
		bool dialback;
	} rows[] = {
		{"TCP Dialback (required)", "not-supported", "not-supported",
		 true},
		{"TCP Dialback (optional)", "optional", "not-supported", true},
		{"TLS Dialback (required)", "required", "not-supported", true},
		{"TLS Dialback, TCP Dialback", "optional", "not-supported",
		 true},
		{"SASL over TLS", "required", "required", false},
		{"TLS/SASL", "required", "required", false},
		{"TLS: Optional, SASL: Required", "optional", "required",
		 false},
		{"tls: required, sasl: NotSupported, dialback: True",
		 "required", "not-supported", true},
		{"tls: required, sasl: Optional, dialback: False", "required",
		 "optional", false},
		{"TLS (required)", "required", "not-supported", true},
		{"TCP Dialback, SASL (optional)", "not-supported", "optional",
		 true},
		{"TLS: enabled, SASL: no, Dialback: yes", "required",
		 "not-supported", true},
		{"tls: never, sasl: disabled, dialback: always",
		 "not-supported", "not-supported", true},
		{"TLS (required), SASL (required), Dialback (disabled)",
		 "required", "required", false},
		{"TCP Dialback: no, TLS Dialback: required", "required",
		 "not-supported", true},
		{"SASL EXTERNAL over TLS (optional)", "optional", "required",
		 false},
		{"SASL over TLS, TCP Dialback", "optional", "optional", true},
		{"TLS Dialback, TLS (required)", "required", "not-supported",
		 true},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct migrate_method m;

		assert_true(migrate_method_parse(span_str(rows[i].words), &m));
		assert_string_equal(
			federation_word(federation_need_words, (int)m.tls),
			rows[i].tls);
		assert_string_equal(
			federation_word(federation_need_words, (int)m.sasl),
			rows[i].sasl);
		assert_int_equal(m.dialback, rows[i].dialback);
	}
}

/* What is not clear is not guessed: it becomes the strictest rule. */
static void test_methods_not_known(void **state)
{
	static const char *const rows[] = {
		"",
		"Google Talk",
		"tcpdialback",
		"required",
		"TLS (Requested)",
		"TCP Dialback (Requested)",
		"TLS: required, SASL: Nope",
		"TLS: only, SASL: onwards",
		"TLS: required, SASL: required, dialback: nonesuch",
		"SASL (\xD0\xBD\xD0\xB5\xD1\x82)",
		"Carrier pigeon over TLS",
		"TLS (optional), and more",
		/* one word is against another */
		"TLS: required, TLS: optional",
		"TCP Dialback (optional), TLS (required)",
		"TLS Dialback, TLS: off",
		"TCP Dialback, dialback: off",
		/* nothing is left to authenticate with */
		"TLS: not supported, SASL: required, dialback: off",
		"TCP Dialback: off, TLS: required",
		"TCP Dialback (disabled)",
		"TLS: required, SASL: no",
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct migrate_method m;

		assert_false(migrate_method_parse(span_str(rows[i]), &m));
		assert_int_equal(m.tls, FED__NEED__REQUIRED);
		assert_int_equal(m.sasl, FED__NEED__REQUIRED);
		assert_true(m.dialback);
	}
}

static void test_domains(void **state)
{
	static const struct {
		const char *text;
		bool is_domain;
	} rows[] = {
		{"fabrikam.example", true},
		{"b\xc3\xbc.example", true},
		{"a.b", true},
		{"example", false},
		{"10.0.0.1", false},
		{".example", false},
		{"a.example.", false},
		{"a b.example", false},
		{"x@a.example", false},
		{"a/b.example", false},
		{"1.0.0.0", false},
		{"", false},
		{"a\xff.example", false},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++)
		assert_int_equal(migrate_list_is_domain(span_str(rows[i].text)),
				 rows[i].is_domain);
}

/* --- lists --------------------------------------------------------------- */

struct read {
	struct arena a;
	struct migrate_list l;
	char text[4096];
};

static void read_begin(struct read *r)
{
	arena_init(&r->a, 1u << 20);
	migrate_list_init(&r->l, &r->a, FED__PARTNER_TYPE__FEDERATED);
}

/* Records, then notes. */
static const char *read_end(struct read *r)
{
	size_t n = 0;

	r->text[0] = '\0';
	for (size_t i = 0; i < r->l.record_count; i++) {
		const Fed__Record *x = r->l.records[i];

		assert_int_equal(x->partner->state, FED__PARTNER_STATE__LEGACY);
		assert_int_equal(x->partner->type,
				 FED__PARTNER_TYPE__FEDERATED);
		n += (size_t)snprintf(r->text + n, sizeof(r->text) - n,
				      "%s %s %s %s|%s\n", x->partner->domain,
				      federation_word(federation_need_words,
						      (int)x->partner->tls),
				      federation_word(federation_need_words,
						      (int)x->partner->sasl),
				      x->partner->dialback ? "on" : "off",
				      x->partner->description);
	}
	for (size_t i = 0; i < r->l.note_count; i++)
		n += (size_t)snprintf(r->text + n, sizeof(r->text) - n,
				      "%u%s %s\n", r->l.notes[i]->line,
				      r->l.notes[i]->is_understood ? "" : "?",
				      r->l.notes[i]->text);
	arena_deinit(&r->a);
	return r->text;
}

static void test_table_of_partners(void **state)
{
	struct read r;

	(void)state;
	read_begin(&r);
	assert_int_equal(
		migrate_csv_partners(
			&r.l,
			span_str("\xef\xbb\xbf"
				 "Domain,Method,Description\r\n"
				 "\r\n# old ones\r\n"
				 "a.example, TCP Dialback (required) ,\"Bank, "
				 "the\"\r\n"
				 "\"b.example\";\"SASL\"\r\n"
				 "A.example,SASL\r\n"
				 "no domain,SASL\r\n"
				 "c.example,carrier pigeon\r\n"
				 "d.example\r\n"
				 "e.example,TLS: Requested\r\n"
				 "\"f.example,SASL")),
		0);
	assert_string_equal(
		read_end(&r),
		"a.example not-supported not-supported on|Bank, the\n"
		"b.example required required off|\n"
		"c.example required required on|\n"
		"d.example required required on|\n"
		"e.example required required on|\n"
		"4 a.example, TCP Dialback (required): tls not-supported, sasl "
		"not-supported, dialback on\n"
		"5 b.example, SASL: tls required, sasl required, dialback "
		"off\n"
		"6? A.example is there twice; the first one counts\n"
		"7? \"no domain\" is no domain\n"
		"8? c.example, carrier pigeon is no method that is known: tls "
		"required, sasl required, dialback on\n"
		"9? d.example is no method that is known: tls required, sasl "
		"required, dialback on\n"
		"10? e.example, TLS: Requested is no method that is known: tls "
		"required, sasl required, dialback on\n"
		"11? a quote is where none belongs\n");
}

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<configuration>\n"

/* Shapes that the file may have: nobody documented it whole. */
static const struct {
	const char *inside;
	const char *golden;
} xml_rows[] = {
	{"<appSettings>\n<add key=\"SipIP\" value=\"10.0.0.5\"/>\n"
	 "<add key=\"XmppIP\" value=\"192.0.2.5\"/>\n"
	 "<add key=\"Retries\" value=\"3\"/>\n"
	 "<add key=\"a.example\" value=\"TCP Dialback (required)\"/>\n"
	 "</appSettings>\n",
	 "a.example not-supported not-supported on|\n"
	 "4 SipIP: its address on the SIP side, 10.0.0.5\n"
	 "5 XmppIP: its address on the Internet, 192.0.2.5\n"
	 "6? Retries = \"3\": not needed here\n"
	 "7 a.example, TCP Dialback (required): tls not-supported, "
	 "sasl not-supported, dialback on\n"},
	{"<add key=\"a.example\" value=\"TLS (Nope)\"/>\n",
	 "a.example required required on|\n"
	 "3? a.example, TLS (Nope) is no method that is known: tls "
	 "required, sasl required, dialback on\n"},
	{"<AllowList>\n"
	 "<Domain Name=\"a.example\" Method=\"SASL\"/>\n"
	 "<Entry domainName=\"b.example\" tls=\"Optional\" "
	 "sasl=\"NotSupported\" dialback=\"true\" comment=\"x\"/>\n"
	 "</AllowList>\n",
	 "a.example required required off|\n"
	 "b.example optional not-supported on|x\n"
	 "4 a.example, SASL: tls required, sasl required, dialback "
	 "off\n"
	 "5 b.example, tls: Optional, sasl: NotSupported, dialback: "
	 "true: tls optional, sasl not-supported, dialback on\n"},
	{"<Partner>\n<DomainName>c.example</DomainName>\n"
	 "<NegotiationMethod>TLS Dialback</NegotiationMethod>\n"
	 "</Partner>\n",
	 "c.example required not-supported on|\n"
	 "3 c.example, TLS Dialback: tls required, sasl not-supported, "
	 "dialback on\n"},
	/* what is meant as one, and says too little */
	{"<Domains>\n<Domain Name=\"e.example\"/>\n"
	 "<Domain Name=\"f example\" Method=\"SASL\"/>\n<Domain/>\n"
	 "<Partner Address=\"g.example\"/>\n</Domains>\n",
	 "4? Domain \"e.example\": no domain with a method that is "
	 "known; it is not taken over\n"
	 "5? Domain \"f example\": no domain with a method that is "
	 "known; it is not taken over\n"
	 "7? Partner \"g.example\": no domain with a method that is "
	 "known; it is not taken over\n"},
	/* what only looks like one */
	{"<runtime><assemblyIdentity name=\"System.Xml\" "
	 "version=\"2.0.0.0\"/></runtime>\n",
	 ""},
	{"<add key=\"System.Xml\" value=\"4.0\"/>\n",
	 "3? System.Xml = \"4.0\": not needed here\n"},
	{"<Allow Domain=\"d.example\"/>\n",
	 "d.example required required on|\n"
	 "3? d.example is no method that is known: tls required, sasl "
	 "required, dialback on\n"},
};

static void test_xml(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(xml_rows); i++) {
		struct errbuf e = {.text = ""};
		char text[2048];
		struct read r;

		read_begin(&r);
		(void)snprintf(text, sizeof(text),
			       XML_HEAD "%s</configuration>\n",
			       xml_rows[i].inside);
		assert_int_equal(migrate_xml(&r.l, span_str(text), &e), 0);
		assert_string_equal(read_end(&r), xml_rows[i].golden);
	}
}

static void test_xml_refused(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} rows[] = {
		{"<a><b></a>", "line 1: Opening and ending tag mismatch"},
		{"<a", "line 1: "},
		{"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
		 "it has a DTD, which no configuration file has"},
		{"<!DOCTYPE a SYSTEM \"http://192.0.2.1/x.dtd\"><a/>",
		 "it has a DTD, which no configuration file has"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct errbuf e = {.text = ""};
		struct read r;

		read_begin(&r);
		assert_int_equal(migrate_xml(&r.l, span_str(rows[i].text), &e),
				 FED_EXML);
		assert_int_equal(
			strncmp(e.text, rows[i].why, strlen(rows[i].why)), 0);
		assert_string_equal(read_end(&r), "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_methods_not_known),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_table_of_partners),
		cmocka_unit_test(test_xml),
		cmocka_unit_test(test_xml_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
