/* JIDs, PRECIS profiles and domain names (RFC 7622, RFC 8265, RFC 5893). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "xmpp/jid.h"
#include "xmpp/jid_shape.h"
#include "xmpp/precis_class.h"

struct row {
	const char *name;
	const char *in;
	const char *want; /* NULL: refused with FED_EINVAL */
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct jid j;
		struct jid again;
		int err = jid_parse(span_str(rows[i].in), &j);

		if (rows[i].want == NULL) {
			if (err != FED_EINVAL)
				fail_msg("%s: %s: %d", rows[i].name, rows[i].in,
					 err);
			continue;
		}
		if (err != 0 || !span_eq_str(jid_full(&j), rows[i].want))
			fail_msg("%s: %s: %d %.*s", rows[i].name, rows[i].in,
				 err, err ? 0 : (int)jid_full(&j).n, j.text);
		/* normalization is idempotent, and passes for normalized */
		assert_int_equal(jid_parse(jid_full(&j), &again), 0);
		assert_true(span_eq(jid_full(&j), jid_full(&again)));
		assert_true(jid_is_shaped(jid_full(&j)));
	}
}

static void test_split(void **state)
{
	static const struct row rows[] = {
		{"domain", "example.com", "example.com"},
		{"bare", "juliet@example.com", "juliet@example.com"},
		{"full", "juliet@example.com/foo", "juliet@example.com/foo"},
		{"@ behind /", "a.example.com/b@example.net",
		 "a.example.com/b@example.net"},
		{"/ in resource", "a@x.example/b/c/d", "a@x.example/b/c/d"},
		{"C49", "a@b@x.example", NULL},
		{"X30 no local", "@e.com/", NULL},
		{"no local", "@e.com", NULL},
		{"X30 no domain", "juliet@", NULL},
		{"X30 no resource", "juliet@e.com/", NULL},
		{"no domain but resource", "/foo", NULL},
		{"no domain, all else", "juliet@/foo", NULL},
		{"nothing", "", NULL},
	};

	(void)state;
	check_rows(rows, FED_ARRAY_LEN(rows));
}

static void test_local(void **state)
{
	static const struct row rows[] = {
		{"case", "JULIET@example.com", "juliet@example.com"},
		{"all allowed", "!#$%()*+,-.;=?[\\]^_`{|}~@x.example",
		 "!#$%()*+,-.;=?[\\]^_`{|}~@x.example"},
		{"quote", "a\"b@x.example", NULL},
		{"&", "a&b@x.example", NULL},
		{"'", "a'b@x.example", NULL},
		{":", "a:b@x.example", NULL},
		{"<", "a<b@x.example", NULL},
		{">", "a>b@x.example", NULL},
		{"space", "a b@x.example", NULL},
		{"DEL", "a\x7f@x.example", NULL},
		{"control", "a\x01@x.example", NULL},
		{"X30 roman four", "henry\xE2\x85\xA3@e.com", NULL},
		{"X30 chess king", "\xE2\x99\x9A@e.com", NULL},
		{"X30 Sigma", "\xCE\xA3@e.com", "\xCF\x83@e.com"},
		{"X30 sigma", "\xCF\x83@e.com", "\xCF\x83@e.com"},
		{"X30 final sigma", "\xCF\x82@e.com", "\xCF\x82@e.com"},
		{"X30 sharp s",
		 "fu\xC3\x9F"
		 "ball@e.com",
		 "fu\xC3\x9F"
		 "ball@e.com"},
		{"X30 ss", "fussball@e.com", "fussball@e.com"},
		{"umlaut case", "M\xC3\x9CLLER@e.com", "m\xC3\xBCller@e.com"},
		{"NFC", "u\xCC\x88@e.com", "\xC3\xBC@e.com"},
		{"fullwidth A", "\xEF\xBC\xA1@e.com", "a@e.com"},
		{"fullwidth @ is no separator",
		 "a\xEF\xBC\xA0"
		 "b@e.com",
		 NULL},
		{"fullwidth space",
		 "a\xE3\x80\x80"
		 "b@e.com",
		 NULL},
		{"halfwidth kana", "\xEF\xBD\xB6\xEF\xBE\x9E@e.com",
		 "\xE3\x82\xAC@e.com"},
		{"ligature fi", "\xEF\xAC\x81@e.com", NULL},
		{"soft hyphen",
		 "a\xC2\xAD"
		 "b@e.com",
		 NULL},
		{"zero width space", "a\xE2\x80\x8B@e.com", NULL},
		{"private use", "a\xEE\x80\x80@e.com", NULL},
		{"unassigned", "a\xCD\xB8@e.com", NULL},
		{"noncharacter", "a\xEF\xBF\xBF@e.com", NULL},
		{"conjoining jamo",
		 "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB@e.com", NULL},
		{"hangul syllable", "\xED\x95\x9C@e.com", "\xED\x95\x9C@e.com"},
		{"bad UTF-8", "\xFF@e.com", NULL},
		{"overlong", "a\xC0\xAF@e.com", NULL},
		{"surrogate", "a\xED\xA0\x80@e.com", NULL},
		{"truncated", "a\xC3@e.com", NULL},
	};
	struct jid j;

	(void)state;
	check_rows(rows, FED_ARRAY_LEN(rows));
	assert_int_equal(jid_parse(SPAN_LIT("a\0b@e.com"), &j), FED_EINVAL);
	assert_int_equal(jid_parse(SPAN_LIT("\xC3\xBC\0b@e.com"), &j),
			 FED_EINVAL);
}

/* RFC 5892 appendix A */
static void test_context(void **state)
{
	static const struct row rows[] = {
		{"A.1 ZWNJ after virama",
		 "\xE0\xA4\x95\xE0\xA5\x8D\xE2\x80\x8C"
		 "\xE0\xA4\xB7@e.com",
		 "\xE0\xA4\x95\xE0\xA5\x8D\xE2\x80\x8C\xE0\xA4\xB7@e.com"},
		{"A.1 ZWNJ between joining letters",
		 "\xD8\xA8\xE2\x80\x8C\xD8\xA8@e.com",
		 "\xD8\xA8\xE2\x80\x8C\xD8\xA8@e.com"},
		{"A.1 ZWNJ alone",
		 "a\xE2\x80\x8C"
		 "b@e.com",
		 NULL},
		{"A.1 ZWNJ last", "\xD8\xA8\xE2\x80\x8C@e.com", NULL},
		{"A.2 ZWJ after virama",
		 "\xE0\xA4\x95\xE0\xA5\x8D\xE2\x80\x8D"
		 "@e.com",
		 "\xE0\xA4\x95\xE0\xA5\x8D\xE2\x80\x8D@e.com"},
		{"A.2 ZWJ",
		 "a\xE2\x80\x8D"
		 "b@e.com",
		 NULL},
		{"A.3 between l", "paral\xC2\xB7lel@e.com",
		 "paral\xC2\xB7lel@e.com"},
		{"A.3 between L", "PARAL\xC2\xB7LEL@e.com",
		 "paral\xC2\xB7lel@e.com"},
		{"A.3 elsewhere",
		 "a\xC2\xB7"
		 "b@e.com",
		 NULL},
		{"A.4 before Greek", "\xCD\xB5\xCE\xB1@e.com",
		 "\xCD\xB5\xCE\xB1@e.com"},
		{"A.4 before Latin",
		 "\xCD\xB5"
		 "a@e.com",
		 NULL},
		{"A.5 after Hebrew", "\xD7\x90\xD7\xB3@e.com",
		 "\xD7\x90\xD7\xB3@e.com"},
		{"A.6 first", "\xD7\xB4\xD7\x90@e.com", NULL},
		{"A.7 with kana", "\xE3\x82\xAB\xE3\x83\xBB@e.com",
		 "\xE3\x82\xAB\xE3\x83\xBB@e.com"},
		{"A.7 without", "a\xE3\x83\xBB@e.com", NULL},
		{"A.8, A.9 mixed digits", "\xD8\xA8\xD9\xA1\xDB\xB1@e.com",
		 NULL},
		{"A.8 alone", "\xD8\xA8\xD9\xA1@e.com",
		 "\xD8\xA8\xD9\xA1@e.com"},
	};

	(void)state;
	check_rows(rows, FED_ARRAY_LEN(rows));
}

/* RFC 5893 section 2 */
static void test_bidi(void **state)
{
	static const struct row rows[] = {
		{"Hebrew", "\xD7\x90\xD7\x91@e.com", "\xD7\x90\xD7\x91@e.com"},
		{"1: begins with a digit", "1\xD7\x90@e.com", NULL},
		{"2: Latin inside",
		 "\xD7\x90"
		 "a\xD7\x91@e.com",
		 NULL},
		{"3: ends in a hyphen", "\xD7\x90-@e.com", NULL},
		{"3: ends in a digit",
		 "\xD7\x90"
		 "1@e.com",
		 "\xD7\x90"
		 "1@e.com"},
		{"4: both kinds of digits",
		 "\xD8\xA8"
		 "1\xD9\xA1@e.com",
		 NULL},
		{"5: Hebrew in Latin", "a\xD7\x90@e.com", NULL},
	};

	(void)state;
	check_rows(rows, FED_ARRAY_LEN(rows));
}

static void test_resource(void **state)
{
	static const struct row rows[] = {
		{"case kept", "a@e.com/Foo BAR", "a@e.com/Foo BAR"},
		{"X30 symbol", "e.com/\xE2\x99\x9A", "e.com/\xE2\x99\x9A"},
		{"leading space", "a@e.com/ x", "a@e.com/ x"},
		{"no-break space",
		 "a@e.com/a\xC2\xA0"
		 "b",
		 "a@e.com/a b"},
		{"NFC", "a@e.com/u\xCC\x88", "a@e.com/\xC3\xBC"},
		{"fullwidth kept", "a@e.com/\xEF\xBC\xA1",
		 "a@e.com/\xEF\xBC\xA1"},
		{"roman four", "a@e.com/\xE2\x85\xA3", "a@e.com/\xE2\x85\xA3"},
		{"all ASCII", "a@e.com/\"&':<>@%", "a@e.com/\"&':<>@%"},
		{"control", "a@e.com/a\nb", NULL},
		{"C1 control", "a@e.com/a\xC2\x85", NULL},
		{"line separator", "a@e.com/a\xE2\x80\xA8", NULL},
		{"paragraph separator", "a@e.com/a\xE2\x80\xA9", NULL},
		{"noncharacter", "a@e.com/a\xEF\xBF\xBE", NULL},
		{"bad UTF-8", "a@e.com/\x80", NULL},
		{"surrogate", "a@e.com/\xED\xA0\x80", NULL},
	};
	struct jid j;

	(void)state;
	check_rows(rows, FED_ARRAY_LEN(rows));
	assert_int_equal(jid_parse(SPAN_LIT("a@e.com/\xE2\x80\x8B\0b"), &j),
			 FED_EINVAL);
}

/* What OpaqueString refuses and other servers take: kept as it came. */
static void test_resource_verbatim(void **state)
{
	static const struct row rows[] = {
		{"zero width space", "a@e.com/a\xE2\x80\x8B",
		 "a@e.com/a\xE2\x80\x8B"},
		{"unassigned", "a@e.com/\xCD\xB8", "a@e.com/\xCD\xB8"},
		{"variation selector", "a@e.com/\xE2\x9D\xA4\xEF\xB8\x8F",
		 "a@e.com/\xE2\x9D\xA4\xEF\xB8\x8F"},
		{"joined emoji",
		 "a@e.com/\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB",
		 "a@e.com/\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB"},
		{"not even NFC", "a@e.com/u\xCC\x88\xE2\x80\x8D",
		 "a@e.com/u\xCC\x88\xE2\x80\x8D"},
	};

	(void)state;
	check_rows(rows, FED_ARRAY_LEN(rows));
}

static const struct {
	const char *name, *in, *unicode, *ascii;
} domains[] = {
	{"X31 case and dot", "EXAMPLE.com.", "example.com", "example.com"},
	{"one label", "localhost", "localhost", "localhost"},
	{"digits", "1.2.3.4", "1.2.3.4", "1.2.3.4"},
	{"double hyphen", "r3---sn.example", "r3---sn.example",
	 "r3---sn.example"},
	{"C50 U-label",
	 "b\xC3\xBC"
	 "cher.example",
	 "b\xC3\xBC"
	 "cher.example",
	 "xn--bcher-kva.example"},
	{"C50 A-label", "xn--bcher-kva.example",
	 "b\xC3\xBC"
	 "cher.example",
	 "xn--bcher-kva.example"},
	{"A-label in capitals", "XN--BCHER-KVA.Example.",
	 "b\xC3\xBC"
	 "cher.example",
	 "xn--bcher-kva.example"},
	{"capital umlaut",
	 "B\xC3\x9C"
	 "CHER.example",
	 "b\xC3\xBC"
	 "cher.example",
	 "xn--bcher-kva.example"},
	{"decomposed",
	 "bu\xCC\x88"
	 "cher.example",
	 "b\xC3\xBC"
	 "cher.example",
	 "xn--bcher-kva.example"},
	{"sharp s is kept", "fa\xC3\x9F.example", "fa\xC3\x9F.example",
	 "xn--fa-hia.example"},
	{"ideographic stop",
	 "a\xE3\x80\x82"
	 "example",
	 "a.example", "a.example"},
	{"IPv6", "[2001:DB8:0:0::1]", "[2001:db8::1]", "[2001:db8::1]"},
	{"two dots", "example.com..", NULL, NULL},
	{"only a dot", ".", NULL, NULL},
	{"leading dot", ".example.com", NULL, NULL},
	{"empty label", "a..b", NULL, NULL},
	{"underscore", "a_b.example", NULL, NULL},
	{"underscore in IDN", "a_\xC3\xBC.example", NULL, NULL},
	{"leading hyphen", "-a.example", NULL, NULL},
	{"trailing hyphen", "a-.example", NULL, NULL},
	{"space", "a b.example", NULL, NULL},
	{"port", "a.example:5269", NULL, NULL},
	{"fullwidth @",
	 "a\xEF\xBC\xA0"
	 "b.example",
	 NULL, NULL},
	{"fullwidth /",
	 "a\xEF\xBC\x8F"
	 "b.example",
	 NULL, NULL},
	{"symbol", "\xE2\x99\x9A.example", NULL, NULL},
	{"emoji A-label", "xn--h4h.example", NULL, NULL},
	{"false A-label", "xn--a.example", NULL, NULL},
	{"A-label of capitals", "xn--bcher-2pa.example", NULL, NULL},
	{"bad UTF-8",
	 "b\xFC"
	 "cher.example",
	 NULL, NULL},
	{"bad IPv6", "[2001:db8::g]", NULL, NULL},
	{"open IPv6", "[2001:db8::1", NULL, NULL},
	{"IPv4 in brackets", "[1.2.3.4]", NULL, NULL},
	{"IPv6 zone", "[fe80::1%eth0]", NULL, NULL},
};

static void test_domain(void **state)
{
	char out[LIMIT_DOMAIN_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(domains); i++) {
		struct span in = span_str(domains[i].in);
		int err = domain_normalize(in, out, sizeof(out));

		if (domains[i].unicode == NULL
			    ? err != FED_EINVAL
			    : err != 0 || strcmp(out, domains[i].unicode) != 0)
			fail_msg("%s: %d %s", domains[i].name, err, out);
		err = domain_to_ascii(in, out, sizeof(out));
		if (domains[i].ascii == NULL
			    ? err != FED_EINVAL
			    : err != 0 || strcmp(out, domains[i].ascii) != 0)
			fail_msg("%s ascii: %d %s", domains[i].name, err, out);
	}
	assert_int_equal(domain_normalize(SPAN_NULL, out, sizeof(out)),
			 FED_EINVAL);
	assert_int_equal(domain_normalize(SPAN_LIT("a\0b"), out, sizeof(out)),
			 FED_EINVAL);
	assert_int_equal(
		domain_normalize(SPAN_LIT("\xC3\xBC\0b"), out, sizeof(out)),
		FED_EINVAL);
	assert_int_equal(domain_normalize(SPAN_LIT("example"), out, 7),
			 FED_ELIMIT);
	assert_int_equal(domain_normalize(SPAN_LIT("example"), out, 8), 0);
}

static void test_domain_sizes(void **state)
{
	char in[2048];
	char out[LIMIT_DOMAIN_BYTES + 1];

	(void)state;
	memset(in, 'a', sizeof(in));
	assert_int_equal(domain_normalize(span_of(in, 63), out, sizeof(out)),
			 0);
	assert_int_equal(domain_normalize(span_of(in, 64), out, sizeof(out)),
			 FED_ELIMIT);
	for (size_t i = 50; i < sizeof(in); i += 51)
		in[i] = '.';
	/* RFC 1035 2.3.4: 253 octets as text */
	assert_int_equal(domain_normalize(span_of(in, 253), out, sizeof(out)),
			 0);
	assert_int_equal(domain_normalize(span_of(in, 254), out, sizeof(out)),
			 FED_ELIMIT);
	assert_int_equal(domain_normalize(span_of(in, 1024), out, sizeof(out)),
			 FED_ELIMIT);
	assert_int_equal(domain_normalize(span_of(in, 2048), out, sizeof(out)),
			 FED_ELIMIT);
}

/* X32 and its kin: 1023 bytes after enforcement (RFC 7622 3.3, 3.4) */
static void test_part_sizes(void **state)
{
	char text[1100 * 3];
	struct jid j;

	(void)state;
	memset(text, 'A', sizeof(text));
	assert_int_equal(jid_make(span_of(text, 1023), SPAN_LIT("e.com"),
				  span_of(text, 1023), &j),
			 0);
	assert_int_equal(j.local_n, 1023);
	assert_int_equal(j.resource_n, 1023);
	assert_int_equal(jid_full(&j).n, 1023 + 1 + 5 + 1 + 1023);
	assert_int_equal(
		jid_make(span_of(text, 1024), SPAN_LIT("e.com"), SPAN_NULL, &j),
		FED_ELIMIT);
	assert_int_equal(
		jid_make(SPAN_NULL, SPAN_LIT("e.com"), span_of(text, 1024), &j),
		FED_ELIMIT);
	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "\xC3\xBC", 2);
	assert_int_equal(
		jid_make(span_of(text, 1022), SPAN_LIT("e.com"), SPAN_NULL, &j),
		0);
	assert_int_equal(
		jid_make(span_of(text, 1024), SPAN_LIT("e.com"), SPAN_NULL, &j),
		FED_ELIMIT);
	/* fullwidth: 3 bytes become 1 */
	for (size_t i = 0; i < sizeof(text); i += 3)
		memcpy(text + i, "\xEF\xBC\xA1", 3);
	assert_int_equal(jid_make(span_of(text, 1023 * 3), SPAN_LIT("e.com"),
				  SPAN_NULL, &j),
			 0);
	assert_int_equal(j.local_n, 1023);
	assert_int_equal(jid_make(span_of(text, 1024 * 3), SPAN_LIT("e.com"),
				  SPAN_NULL, &j),
			 FED_ELIMIT);
}

static void test_parts(void **state)
{
	struct jid j;
	struct jid_parts p = jid_split(SPAN_LIT("a@b.c/d@e/f"));

	(void)state;
	assert_true(span_eq_str(p.local, "a"));
	assert_true(span_eq_str(p.domain, "b.c"));
	assert_true(span_eq_str(p.resource, "d@e/f"));
	assert_true(span_eq_str(p.bare, "a@b.c"));
	p = jid_split(SPAN_LIT("b.c/d@e"));
	assert_int_equal(p.local.n, 0);
	assert_true(span_eq_str(p.domain, "b.c"));
	p = jid_split(SPAN_NULL);
	assert_int_equal(p.domain.n, 0);

	assert_int_equal(jid_parse(SPAN_LIT("A@B.c/D"), &j), 0);
	assert_true(span_eq_str(jid_local(&j), "a"));
	assert_true(span_eq_str(jid_domain(&j), "b.c"));
	assert_true(span_eq_str(jid_resource(&j), "D"));
	assert_true(span_eq_str(jid_bare(&j), "a@b.c"));
	assert_int_equal(jid_parse(SPAN_LIT("b.c"), &j), 0);
	assert_int_equal(jid_local(&j).n, 0);
	assert_int_equal(jid_resource(&j).n, 0);
	assert_true(span_eq_str(jid_bare(&j), "b.c"));
	assert_true(span_eq_str(jid_full(&j), "b.c"));
	/* parts given apart are not split again */
	assert_int_equal(
		jid_make(SPAN_LIT("a"), SPAN_LIT("b/c"), SPAN_NULL, &j),
		FED_EINVAL);
	assert_int_equal(jid_make(SPAN_LIT("a"), SPAN_NULL, SPAN_NULL, &j),
			 FED_EINVAL);
}

static void test_fold(void **state)
{
	static const struct row rows[] = {
		{"C14", "foo\\2Fbar", "foo\\2fbar"},
		{"specials pass", "O'Malley \"&/:<>@", "o'malley \"&/:<>@"},
		{"C27 fullwidth @",
		 "a\xEF\xBC\xA0"
		 "b",
		 "a@b"},
		{"fullwidth space",
		 "a\xE3\x80\x80"
		 "b",
		 "a b"},
		{"capital umlaut", "\xC3\x9C", "\xC3\xBC"},
		{"control", "a\x01", NULL},
		{"tab and umlaut", "\t\xC3\xBC", NULL},
		{"nothing", "", NULL},
		{"C26", "\xFF", NULL},
		{"symbol", "\xE2\x99\x9A", NULL},
	};
	char out[LIMIT_JID_PART_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		int err = precis_fold_username(span_str(rows[i].in), out,
					       sizeof(out));

		if (rows[i].want == NULL
			    ? err != FED_EINVAL
			    : err != 0 || strcmp(out, rows[i].want) != 0)
			fail_msg("%s: %d %s", rows[i].name, err, out);
	}
	assert_int_equal(precis_fold_username(SPAN_LIT("abc"), out, 3),
			 FED_ELIMIT);
	assert_int_equal(precis_fold_username(SPAN_LIT("abc"), out, 4), 0);
}

/* RFC 8264 section 8, one code point of each category */
static void test_classes(void **state)
{
	static const struct {
		uint32_t cp;
		enum precis_class want;
	} rows[] = {
		{0x21, PRECIS_PVALID},	      {0x7E, PRECIS_PVALID},
		{0x20, PRECIS_FREE_PVALID},   {0x7F, PRECIS_DISALLOWED},
		{0x00, PRECIS_DISALLOWED},    {0xA0, PRECIS_FREE_PVALID},
		{0xDF, PRECIS_PVALID},	      {0x03C2, PRECIS_PVALID},
		{0x06FD, PRECIS_PVALID},      {0x0F0B, PRECIS_PVALID},
		{0x3007, PRECIS_PVALID},      {0x00B7, PRECIS_CONTEXT},
		{0x0375, PRECIS_CONTEXT},     {0x05F4, PRECIS_CONTEXT},
		{0x30FB, PRECIS_CONTEXT},     {0x0669, PRECIS_CONTEXT},
		{0x06F0, PRECIS_CONTEXT},     {0x200C, PRECIS_CONTEXT},
		{0x0640, PRECIS_DISALLOWED},  {0x302E, PRECIS_DISALLOWED},
		{0x3033, PRECIS_DISALLOWED},  {0x1100, PRECIS_DISALLOWED},
		{0xA97C, PRECIS_DISALLOWED},  {0xD7FB, PRECIS_DISALLOWED},
		{0x00AD, PRECIS_DISALLOWED},  {0xFFFE, PRECIS_DISALLOWED},
		{0xFDD0, PRECIS_DISALLOWED},  {0x2163, PRECIS_FREE_PVALID},
		{0x212B, PRECIS_FREE_PVALID}, {0x01C5, PRECIS_FREE_PVALID},
		{0x0488, PRECIS_FREE_PVALID}, {0x265A, PRECIS_FREE_PVALID},
		{0x2014, PRECIS_FREE_PVALID}, {0x0301, PRECIS_PVALID},
		{0x4E00, PRECIS_PVALID},      {0xAC00, PRECIS_PVALID},
		{0x2028, PRECIS_DISALLOWED},  {0xE000, PRECIS_DISALLOWED},
		{0x0378, PRECIS_DISALLOWED},  {0x10FFFF, PRECIS_DISALLOWED},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++)
		if (precis_class_of(rows[i].cp) != rows[i].want)
			fail_msg("U+%04X: %d", (unsigned int)rows[i].cp,
				 (int)precis_class_of(rows[i].cp));
}

static void test_shape(void **state)
{
	static const char *const good[] = {
		"e.com",	 "a@e.com",
		"a@e.com/R s",	 "\xC3\xBC@\xC3\xBC.com/\xC3",
		"[2001:db8::1]", "1.2.3.4",
	};
	static const char *const bad[] = {
		"",	      "@e.com",	    "a@",	 "a@e.com/",
		"A@e.com",    "a@E.com",    "a b@e.com", "a@b@c",
		"a'@e.com",   "a@e.com/\n", "a@e_.com",	 "\xFF@e.com",
		"a@\xC3.com",
	};
	char big[3200];

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(good); i++)
		if (jid_is_shaped(span_str(good[i])) != (i != 3))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < FED_ARRAY_LEN(bad); i++)
		if (jid_is_shaped(span_str(bad[i])))
			fail_msg("%s", bad[i]);
	memset(big, 'a', sizeof(big));
	big[1023] = '@';
	assert_true(jid_is_shaped(span_of(big, 1030)));
	big[1023] = 'a';
	big[1024] = '@';
	assert_false(jid_is_shaped(span_of(big, 1030)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_context),
		cmocka_unit_test(test_bidi),
		cmocka_unit_test(test_resource),
		cmocka_unit_test(test_resource_verbatim),
		cmocka_unit_test(test_domain),
		cmocka_unit_test(test_domain_sizes),
		cmocka_unit_test(test_part_sizes),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
