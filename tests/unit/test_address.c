/* Addresses of both sides: RFC 7247 section 6, XEP-0106, RFC 5627, RFC 5122. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "fe-gateway/core/address.h"

struct to_jid_row {
	const char *name;
	const char *uri;
	const char *jid; /* NULL: refused with err */
	int err;
};

static const struct to_jid_row to_jid_rows[] = {
	{"C1", "sip:f%C3%BC@sip.example", "f\xC3\xBC@sip.example", 0},
	{"C2", "sip:o'malley@sip.example", "o\\27malley@sip.example", 0},
	{"C3", "sip:o%27malley@sip.example", "o\\27malley@sip.example", 0},
	{"C4", "sip:foo@sip.example;gr=bar", "foo@sip.example/bar", 0},
	{"C5", "sip:a%2Fb@s.example", "a\\2fb@s.example", 0},
	{"C5 bare", "sip:a/b@s.example", "a\\2fb@s.example", 0},
	{"C6", "sip:m&m@s.example", "m\\26m@s.example", 0},
	{"C7", "sip:joe%20smith@s.example", "joe\\20smith@s.example", 0},
	{"C8", "sip:a%40b@s.example", "a\\40b@s.example", 0},
	{"C9", "sip:a%22q%22@s.example", "a\\22q\\22@s.example", 0},
	{"C10", "sip:a%3Ab@s.example", "a\\3ab@s.example", 0},
	{"C11", "sip:x%3Cy%3E@s.example", "x\\3cy\\3e@s.example", 0},
	{"C12", "sip:foo%5Cbar@s.example", "foo\\bar@s.example", 0},
	{"C13", "sip:foo%5C27bar@s.example", "foo\\5c27bar@s.example", 0},
	{"C14", "sip:foo%5C2Fbar@s.example", "foo\\5c2fbar@s.example", 0},
	{"C15", "sip:c%3A%5C5commas@s.example", "c\\3a\\5c5commas@s.example",
	 0},
	{"C16", "sip:%5C2plus%5C2is%5C4@s.example", "\\2plus\\2is\\4@s.example",
	 0},
	{"C17", "sip:a%23b%25c@s.example", "a#b%c@s.example", 0},
	{"C18", "sip:user;par=u%40h@s.example", "user;par=u\\40h@s.example", 0},
	{"C19", "sip:+15551234567@s.example;user=phone",
	 "+15551234567@s.example", 0},
	{"C20", "sip:alice:secret@s.example:5070;transport=tcp?Subject=x",
	 "alice@s.example", 0},
	{"C21", "SIP:Alice@S.Example", "alice@s.example", 0},
	{"C22", "sip:foo@s.example;gr", "foo@s.example", 0},
	{"C23",
	 "sip:foo@s.example;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
	 "foo@s.example/urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", 0},
	{"C24", "sip:foo@s.example;gr=b%C3%A4r%20x",
	 "foo@s.example/b\xC3\xA4r x", 0},
	{"C25 first", "sip:%20x@s.example", NULL, FED_ENOTFOUND},
	{"C25 last", "sip:x%20@s.example", NULL, FED_ENOTFOUND},
	{"C26 UTF-8", "sip:%FF@s.example", NULL, FED_EINVAL},
	{"C26 NUL", "sip:a%00b@s.example", NULL, FED_EINVAL},
	{"C27", "sip:a%EF%BC%A0b@s.example", "a\\40b@s.example", 0},
	{"C28", "sips:romeo@s.example", NULL, FED_EDENIED},
	{"C29 im", "im:o'malley@s.example", "o\\27malley@s.example", 0},
	{"C29 pres", "pres:o'malley@s.example", "o\\27malley@s.example", 0},
	{"3.2 no user", "sip:s.example", "s.example", 0},
	{"3.2 no user, port", "sip:s.example:5060;lr", "s.example", 0},
	{"%HH of unreserved", "sip:%61lice@s.example", "alice@s.example", 0},
	{"IDN host", "sip:juliet@xn--bcher-kva.example",
	 "juliet@b\xC3\xBC"
	 "cher.example",
	 0},
	{"trailing dot", "sip:a@s.example.", "a@s.example", 0},
	{"IPv6", "sip:a@[2001:DB8::1]:5060", "a@[2001:db8::1]", 0},
	{"gr in capitals", "sip:foo@s.example;x;GR=Bar;y=1?a=b",
	 "foo@s.example/Bar", 0},
	{"gr twice", "sip:foo@s.example;gr=a;gr=b", NULL, FED_EINVAL},
	{"gr bad UTF-8", "sip:foo@s.example;gr=%FF", NULL, FED_EINVAL},
	{"gr control", "sip:foo@s.example;gr=%0A", NULL, FED_EINVAL},
	{"gr kept as it is", "sip:foo@s.example;gr=%E2%80%8B",
	 "foo@s.example/\xE2\x80\x8B", 0},
	{"gr not expressible", "sip:foo@s.example;gr=%E2%80%A8", NULL,
	 FED_ENOTFOUND},
	{"fullwidth space first", "sip:%E3%80%80x@s.example", NULL,
	 FED_ENOTFOUND},
	{"symbol", "sip:%E2%99%9A@s.example", NULL, FED_ENOTFOUND},
	{"mark composes with an escape", "sip:a%3A%CC%81@s.example", NULL,
	 FED_ENOTFOUND},
	{"CR LF", "sip:a%0D%0Ab@s.example", NULL, FED_EINVAL},
	{"DEL", "sip:a%7F@s.example", NULL, FED_EINVAL},
	{"half an escape", "sip:a%4@s.example", NULL, FED_EINVAL},
	{"no hex", "sip:a%zz@s.example", NULL, FED_EINVAL},
	{"two @", "sip:a@b@s.example", NULL, FED_EINVAL},
	{"no user before @", "sip:@s.example", NULL, FED_EINVAL},
	{"only a password", "sip::x@s.example", NULL, FED_EINVAL},
	{"password in im", "im:a:b@s.example", NULL, FED_EINVAL},
	{"no host", "sip:a@", NULL, FED_EINVAL},
	{"no host but port", "sip:a@:5060", NULL, FED_EINVAL},
	{"bad port", "sip:a@s.example:0", NULL, FED_EINVAL},
	{"large port", "sip:a@s.example:65536", NULL, FED_EINVAL},
	{"no port", "sip:a@s.example:", NULL, FED_EINVAL},
	{"bad host", "sip:a@s_.example", NULL, FED_EINVAL},
	{"blank", "sip:a b@s.example", NULL, FED_EINVAL},
	{"brackets", "<sip:a@s.example>", NULL, FED_EINVAL},
	{"text behind IPv6", "sip:a@[::1]x", NULL, FED_EINVAL},
	{"no scheme", "alice", NULL, FED_EINVAL},
	{"nothing", "", NULL, FED_EINVAL},
	{"tel", "tel:+15551234567", NULL, FED_EPROTO},
	{"xmpp", "xmpp:a@s.example", NULL, FED_EPROTO},
};

static void test_uri_to_jid(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(to_jid_rows); i++) {
		const struct to_jid_row *r = &to_jid_rows[i];
		struct jid j;
		int err = address_uri_to_jid(span_str(r->uri), &j);

		if (err != r->err)
			fail_msg("%s: %s: %d", r->name, r->uri, err);
		if (err == 0 && !span_eq_str(jid_full(&j), r->jid))
			fail_msg("%s: %.*s", r->name, (int)jid_full(&j).n,
				 j.text);
	}
}

/* C30, and the same for the resource */
static void test_sizes(void **state)
{
	char uri[8000];
	struct jid j;
	int n;

	(void)state;
	n = snprintf(uri, sizeof(uri), "sip:%0*d@s.example", 1024, 0);
	assert_int_equal(address_uri_to_jid(span_of(uri, (size_t)n), &j),
			 FED_ELIMIT);
	n = snprintf(uri, sizeof(uri), "sip:%0*d@s.example;gr=%0*d", 1023, 0,
		     1023, 0);
	assert_int_equal(address_uri_to_jid(span_of(uri, (size_t)n), &j), 0);
	n = snprintf(uri, sizeof(uri), "sip:a@s.example;gr=%0*d", 1024, 0);
	assert_int_equal(address_uri_to_jid(span_of(uri, (size_t)n), &j),
			 FED_ELIMIT);
	/* 342 spaces become 1026 bytes of escapes */
	n = snprintf(uri, sizeof(uri), "sip:x%0*dx@s.example", 342, 0);
	for (int i = 5; i < 5 + 342; i++)
		uri[i] = '&';
	assert_int_equal(address_uri_to_jid(span_of(uri, (size_t)n), &j),
			 FED_ELIMIT);
	n = snprintf(uri, sizeof(uri), "sip:a%0*d@s.example", 7000, 0);
	assert_int_equal(address_uri_to_jid(span_of(uri, (size_t)n), &j),
			 FED_ELIMIT);
}

struct to_uri_row {
	const char *name;
	const char *jid;
	const char *uri; /* NULL: refused with FED_EINVAL */
};

static const struct to_uri_row to_uri_rows[] = {
	{"C31", "m\\26m@xmpp.example", "sip:m&m@xmpp.example"},
	{"C32", "tsch\xC3\xBCss@xmpp.example", "sip:tsch%C3%BCss@xmpp.example"},
	{"C33", "baz@xmpp.example/qux", "sip:baz@xmpp.example;gr=qux"},
	{"C34", "o\\27malley@x.example", "sip:o'malley@x.example"},
	{"C35", "a\\2fb@x.example", "sip:a/b@x.example"},
	{"C36", "a#b@x.example", "sip:a%23b@x.example"},
	{"C37", "50%off@x.example", "sip:50%25off@x.example"},
	{"C38", "a[b]{c}|d^e`f@x.example",
	 "sip:a%5Bb%5D%7Bc%7D%7Cd%5Ee%60f@x.example"},
	{"C39", "joe\\20smith@x.example", "sip:joe%20smith@x.example"},
	{"C40 @", "a\\40b@x.example", "sip:a%40b@x.example"},
	{"C40 :", "a\\3ab@x.example", "sip:a%3Ab@x.example"},
	{"C40 quote", "q\\22q@x.example", "sip:q%22q@x.example"},
	{"C41", "foo\\bar@x.example", "sip:foo%5Cbar@x.example"},
	{"C42", "foob\\41r@x.example", "sip:foob%5C41r@x.example"},
	{"C43", "c\\3a\\5c5commas@x.example", "sip:c%3A%5C5commas@x.example"},
	{"C44", "foo\\5c27bar@x.example", "sip:foo%5C27bar@x.example"},
	{"C45", "juliet@x.example/my phone",
	 "sip:juliet@x.example;gr=my%20phone"},
	{"C46", "juliet@x.example/bal/cony;1",
	 "sip:juliet@x.example;gr=bal/cony%3B1"},
	{"C47", "juliet@x.example/Z\xC3\xBCr@ich=?",
	 "sip:juliet@x.example;gr=Z%C3%BCr%40ich%3D%3F"},
	{"C48", "x.example", "sip:x.example"},
	{"C50",
	 "juliet@b\xC3\xBC"
	 "cher.example",
	 "sip:juliet@xn--bcher-kva.example"},
	{"bare characters", "a!$()*+,-.;=?_~b@x.example",
	 "sip:a!$()*+,-.;=?_~b@x.example"},
	{"gr bare characters", "a@x.example/[]/:&+$-_.!~*'()",
	 "sip:a@x.example;gr=[]/:&+$-_.!~*'()"},
	{"gr others", "a@x.example/\"#%,;<>@\\^`{|}",
	 "sip:a@x.example;gr=%22%23%25%2C%3B%3C%3E%40%5C%5E%60%7B%7C%7D"},
	{"IPv6", "a@[2001:db8::1]/r", "sip:a@[2001:db8::1];gr=r"},
	{"case", "Alice@X.Example", "sip:alice@x.example"},
	{"not scanned again", "a\\5c5c27@x.example", "sip:a%5C5c27@x.example"},
};

static void test_jid_to_uri(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, LIMIT_SIP_URI_BYTES);
	for (size_t i = 0; i < FED_ARRAY_LEN(to_uri_rows); i++) {
		const struct to_uri_row *r = &to_uri_rows[i];
		int err;

		buf_reset(&out);
		err = address_jid_to_uri(span_str(r->jid), ADDRESS_SIP, &out);
		if (err != 0 || !span_eq_str(buf_span(&out), r->uri))
			fail_msg("%s: %s: %d %s", r->name, r->jid, err,
				 buf_cstr(&out));
	}
	buf_deinit(&out);
}

/* C49; and JIDs that no gateway made, whose URI would be another's. */
static void test_refused(void **state)
{
	static const char *const jids[] = {
		"a@b@x.example",	/* C49 */
		"a\\5cz@x.example",	/* would be a\z@x.example's */
		"a\\5c@x.example",	/* would be a\@x.example's */
		"a\\5c\\20b@x.example", /* would be a\\20b@x.example's */
		"\\20a@x.example",	/* XEP-0106: never first */
		"a\\20@x.example",	/* nor last */
		"a\\3c\xCC\xB8"
		"b@x.example", /* '<' and U+0338 compose */
		"",
		"@x.example",
		"a@x.example/",
		"\xFF@x.example",
	};
	struct buf out;

	(void)state;
	buf_init(&out, LIMIT_SIP_URI_BYTES);
	for (size_t i = 0; i < FED_ARRAY_LEN(jids); i++) {
		if (address_jid_to_uri(span_str(jids[i]), ADDRESS_SIP, &out) !=
		    FED_EINVAL)
			fail_msg("%s", jids[i]);
		assert_int_equal(buf_len(&out), 0);
	}
	buf_deinit(&out);
}

static bool round_trips(struct span jid)
{
	struct buf out;
	struct jid first;
	struct jid back;
	bool is_same = false;

	buf_init(&out, LIMIT_SIP_URI_BYTES);
	if (jid_parse(jid, &first) == 0 &&
	    address_jid_to_uri(jid, ADDRESS_SIP, &out) == 0 &&
	    address_uri_to_jid(buf_span(&out), &back) == 0)
		is_same = span_eq(jid_full(&first), jid_full(&back));
	buf_deinit(&out);
	return is_same;
}

/* C51 */
static void test_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(to_uri_rows); i++)
		if (!round_trips(span_str(to_uri_rows[i].jid)))
			fail_msg("%s", to_uri_rows[i].name);
	for (size_t i = 0; i < FED_ARRAY_LEN(to_jid_rows); i++)
		if (to_jid_rows[i].jid != NULL &&
		    !round_trips(span_str(to_jid_rows[i].jid)))
			fail_msg("%s", to_jid_rows[i].name);
}

/* Every user of up to three characters out of the difficult ones: URI to JID
 * to URI to JID is stable, and different users have different JIDs. */
static void test_property(void **state)
{
	static const char alphabet[] = "a\\0256c7f3e4 \"&'/:<>@%;";
	enum { N = sizeof(alphabet) - 1 };

	(void)state;
	for (size_t i = 0; i < (size_t)N * N * N; i++) {
		const char text[5] = {'\\', alphabet[i % N],
				      alphabet[i / N % N], alphabet[i / N / N],
				      '\0'};
		char uri[64];
		int n = snprintf(uri, sizeof(uri),
				 "sip:x%%%02X%%%02X%%%02X"
				 "%%%02Xy@s.example",
				 (unsigned int)text[0], (unsigned int)text[1],
				 (unsigned int)text[2], (unsigned int)text[3]);
		struct buf back;
		struct jid j;
		struct address_uri u;
		struct jid j2;

		assert_int_equal(
			address_uri_to_jid(span_of(uri, (size_t)n), &j), 0);
		buf_init(&back, LIMIT_SIP_URI_BYTES);
		assert_int_equal(
			address_jid_to_uri(jid_full(&j), ADDRESS_SIP, &back),
			0);
		assert_int_equal(address_uri_split(buf_span(&back), &u), 0);
		assert_int_equal(address_uri_to_jid(buf_span(&back), &j2), 0);
		if (!span_eq(jid_full(&j), jid_full(&j2)))
			fail_msg("%s: %.*s", text, (int)jid_full(&j).n, j.text);
		assert_true(address_uri_same_user(span_of(uri, (size_t)n),
						  buf_span(&back)));
		buf_deinit(&back);
	}
}

static void test_schemes(void **state)
{
	static const struct {
		const char *name, *jid;
		enum address_scheme scheme;
		bool is_aor;
		const char *want;
	} rows[] = {
		{"sips", "a@x.example/r", ADDRESS_SIPS, false,
		 "sips:a@x.example;gr=r"},
		{"aor", "a@x.example/r", ADDRESS_SIP, true, "sip:a@x.example"},
		{"aor domain", "x.example/r", ADDRESS_SIP, true,
		 "sip:x.example"},
		{"im has no device", "a@x.example/r", ADDRESS_IM, false,
		 "im:a@x.example"},
		{"pres", "o\\27malley@x.example", ADDRESS_PRES, false,
		 "pres:o'malley@x.example"},
		{"im sets", "a(b),c;d[e]@x.example", ADDRESS_IM, false,
		 "im:a%28b%29%2Cc%3Bd%5Be%5D@x.example"},
		{"im dots", ".a.b..c.@x.example", ADDRESS_IM, false,
		 "im:%2Ea.b%2E%2Ec%2E@x.example"},
		{"C36 im", "a#b@x.example", ADDRESS_IM, false,
		 "im:a%23b@x.example"},
		{"im question mark", "a?b@x.example", ADDRESS_IM, false,
		 "im:a%3Fb@x.example"},
	};
	struct buf out;

	(void)state;
	buf_init(&out, LIMIT_SIP_URI_BYTES);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct span jid = span_str(rows[i].jid);
		int err;

		buf_reset(&out);
		err = rows[i].is_aor
			      ? address_jid_to_aor(jid, rows[i].scheme, &out)
			      : address_jid_to_uri(jid, rows[i].scheme, &out);
		if (err != 0 || !span_eq_str(buf_span(&out), rows[i].want))
			fail_msg("%s: %d %s", rows[i].name, err,
				 buf_cstr(&out));
	}
	/* all or nothing */
	buf_deinit(&out);
	buf_init(&out, 16);
	assert_int_equal(buf_put_str(&out, "x"), 0);
	assert_int_equal(address_jid_to_uri(SPAN_LIT("alice@x.example/long"),
					    ADDRESS_SIP, &out),
			 FED_ELIMIT);
	assert_true(span_eq_str(buf_span(&out), "x"));
	buf_deinit(&out);
}

static void test_split(void **state)
{
	struct address_uri u;
	char host[LIMIT_DOMAIN_BYTES + 1];

	(void)state;
	assert_int_equal(
		address_uri_split(SPAN_LIT("SIPS:a:b@[::1]:5061;x;gr=y;z?h=v"),
				  &u),
		0);
	assert_int_equal(u.scheme, ADDRESS_SIPS);
	assert_true(span_eq_str(u.user, "a"));
	assert_true(span_eq_str(u.host, "[::1]"));
	assert_int_equal(u.port, 5061);
	assert_true(u.has_gr);
	assert_true(span_eq_str(u.gr, "y"));
	assert_int_equal(address_uri_split(SPAN_LIT("sip:x.example;gr"), &u),
			 0);
	assert_int_equal(u.user.n, 0);
	assert_true(u.has_gr);
	assert_int_equal(u.gr.n, 0);
	assert_int_equal(u.port, 0);

	assert_int_equal(address_uri_domain(
				 SPAN_LIT("sips:a@XN--bcher-kva.example.:5061"),
				 host, sizeof(host)),
			 0);
	assert_string_equal(host, "b\xC3\xBC"
				  "cher.example");
	assert_int_equal(address_uri_domain_ascii(SPAN_LIT("sip:a@b\xC3\xBC"
							   "cher.example"),
						  host, sizeof(host)),
			 0);
	assert_string_equal(host, "xn--bcher-kva.example");
	assert_int_equal(
		address_uri_domain(SPAN_LIT("tel:1"), host, sizeof(host)),
		FED_EPROTO);
	assert_int_equal(
		address_uri_domain(SPAN_LIT("sip:a@-"), host, sizeof(host)),
		FED_EINVAL);
}

static void test_equality(void **state)
{
	(void)state;
	assert_true(
		address_host_eq(SPAN_LIT("X.example."), SPAN_LIT("x.EXAMPLE")));
	assert_true(address_host_eq(SPAN_LIT("xn--bcher-kva.example"),
				    SPAN_LIT("b\xC3\xBC"
					     "cher.example")));
	assert_true(address_host_eq(SPAN_LIT("[::0:1]"), SPAN_LIT("[::1]")));
	assert_false(
		address_host_eq(SPAN_LIT("x.example"), SPAN_LIT("y.example")));
	assert_false(address_host_eq(SPAN_LIT("_"), SPAN_LIT("_")));
	assert_true(
		address_uri_same_user(SPAN_LIT("sip:A%6Cice@x.example;gr=1"),
				      SPAN_LIT("pres:alice@X.example")));
	assert_false(address_uri_same_user(SPAN_LIT("sip:alice@x.example"),
					   SPAN_LIT("sip:bob@x.example")));
	assert_false(
		address_uri_same_user(SPAN_LIT("tel:1"), SPAN_LIT("tel:1")));
}

static void test_statuses(void **state)
{
	static const struct {
		int err, target, sender;
	} rows[] = {
		{FED_EDENIED, 480, 480}, /* C28 */
		{FED_EPROTO, 416, 400},	   {FED_EINVAL, 400, 400},
		{FED_ENOTFOUND, 404, 400}, {FED_ELIMIT, 414, 400},
		{FED_ENOMEM, 500, 500},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		assert_int_equal(address_error_status(rows[i].err, true),
				 rows[i].target);
		assert_int_equal(address_error_status(rows[i].err, false),
				 rows[i].sender);
	}
	assert_int_equal(address_error_condition(FED_EINVAL),
			 FED__CONDITION__JID_MALFORMED);
	assert_int_equal(address_error_condition(FED_ELIMIT),
			 FED__CONDITION__JID_MALFORMED);
	assert_int_equal(address_error_condition(FED_ENOMEM),
			 FED__CONDITION__INTERNAL_SERVER_ERROR);
}

static void test_iri(void **state)
{
	static const struct {
		const char *in, *want;
		int err;
	} rows[] = {
		{"xmpp:romeo@afterlife.example.net",
		 "sip:romeo@afterlife.example.net", 0}, /* E1 */
		{"XMPP:a@x.example/r", "sip:a@x.example;gr=r", 0},
		{"xmpp://guest@y.example/a@x.example/r?message;body=x",
		 "sip:a@x.example;gr=r", 0},
		{"xmpp:o%5C27malley@x.example#f", "sip:o'malley@x.example", 0},
		{"xmpp:f\xC3\xBC@b\xC3\xBC"
		 "cher.example",
		 "sip:f%C3%BC@xn--bcher-kva.example", 0},
		{"xmpp:b%C3%BC"
		 "cher.example",
		 "sip:xn--bcher-kva.example", 0},
		{"sip:Romeo@x.example:5060;transport=tcp",
		 "sip:romeo@x.example", 0},
		{"sips:a@x.example", NULL, FED_EDENIED},
		{"mailto:a@x.example", NULL, FED_EPROTO},
		{"http://x.example/", NULL, FED_EPROTO},
		{"xmpp:", NULL, FED_EINVAL},
		{"xmpp://x.example", NULL, FED_EINVAL},
		{"xmpp:@x.example", NULL, FED_EINVAL},
		{"xmpp:a%40b@c@x.example", NULL, FED_EINVAL},
		{"xmpp:a%0D%0Ab@x.example", NULL, FED_EINVAL},
		{"gone fishing", NULL, FED_EINVAL},
		{"", NULL, FED_EINVAL},
	};
	struct buf out;

	(void)state;
	buf_init(&out, LIMIT_SIP_URI_BYTES);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		int err;

		buf_reset(&out);
		err = address_iri_to_uri(span_str(rows[i].in), &out);
		if (err != rows[i].err ||
		    (err == 0 && !span_eq_str(buf_span(&out), rows[i].want)))
			fail_msg("%s: %d %s", rows[i].in, err, buf_cstr(&out));
	}
	buf_reset(&out);
	assert_int_equal(address_uri_to_iri(SPAN_LIT("sip:o'm%23y@b\xC3\xBC"
						     "cher.example;gr=a/b%20c"),
					    &out),
			 0);
	assert_true(span_eq_str(
		buf_span(&out),
		"xmpp:o%5C27m%23y@xn--bcher-kva.example/a%2Fb%20c"));
	buf_reset(&out);
	assert_int_equal(address_uri_to_iri(SPAN_LIT("sips:a@x.example"), &out),
			 FED_EDENIED);
	buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uri_to_jid),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_jid_to_uri),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_property),
		cmocka_unit_test(test_schemes),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_equality),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_iri),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
