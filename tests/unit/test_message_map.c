/* Page mode both ways: the vectors IM... of RFC 7572, and what SIP refuses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/charset.h"
#include "fe-gateway/core/message_map.h"
#include "fe-gateway/core/sip_checks.h"
#include "xmpp/stanza_util.h"

static const char JULIET[] = "juliet@example.com/yn0cl4bnw0yr3vym";
static const char ROMEO[] = "romeo@example.net";
static const char MONTAGUE[] = "Art thou not Romeo, and a Montague?";
static const uint8_t ID[ID_RAW_BYTES] = {0xA0, 1, 2,  3,  4,  5,  6,  7,
					 8,    9, 10, 11, 12, 13, 14, 15};

struct fixture {
	struct arena a;
	struct thread_map *threads;
	struct message_map_params p;
	Fed__Stanza *s;
	struct message_map_sip sip;
	struct sip_request_in in;
	struct message_map_xmpp xmpp;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){
		.p = {.page_max_bytes = 1300, .fixed_bytes = 100},
		.in =
			{
				.request_uri =
					SPAN_LIT("sip:juliet@example.com"),
				.to_uri = SPAN_LIT("sip:juliet@example.com"),
				.from_uri = SPAN_LIT("sip:romeo@example.net"),
				.from_tag = SPAN_LIT("vwxyz"),
				.method = SPAN_LIT("MESSAGE"),
				.source = SPAN_LIT("192.0.2.1"),
				.call_id = SPAN_LIT("9E97FB43-85F4-4A00-8751-"
						    "1124FD4C7B2E"),
				.cseq = 1,
				.content_type = SPAN_LIT("text/plain"),
				.body = SPAN_LIT(
					"Neither, fair saint, if either thee "
					"dislike."),
			},
	};
	arena_init(&f.a, 4u << 20);
	assert_int_equal(thread_map_new(&f.threads, 16), 0);
	f.s = stanza_new_message(&f.a);
	f.s->from = arena_dup(&f.a, span_str(JULIET));
	f.s->to = arena_dup(&f.a, span_str(ROMEO));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	thread_map_free(f->threads);
	arena_deinit(&f->a);
	return 0;
}

static char *dup(struct fixture *f, const char *s)
{
	return arena_dup(&f->a, span_str(s));
}

static void add_body(struct fixture *f, const char *lang, const char *text)
{
	assert_int_equal(stanza_add_text(&f->a, &f->s->message->body,
					 &f->s->message->n_body, span_str(lang),
					 span_str(text)),
			 0);
}

static void add_subject(struct fixture *f, const char *text)
{
	assert_int_equal(stanza_add_text(&f->a, &f->s->message->subject,
					 &f->s->message->n_subject, SPAN_NULL,
					 span_str(text)),
			 0);
}

static void to_sip(struct fixture *f, enum message_map_verdict expect)
{
	assert_int_equal(
		message_map_to_sip(&f->p, f->threads, f->s, ID, &f->a, &f->sip),
		0);
	assert_int_equal(f->sip.verdict, expect);
}

static void to_xmpp(struct fixture *f, enum message_map_verdict expect)
{
	assert_int_equal(
		message_map_to_xmpp(f->threads, &f->in, ID, &f->a, &f->xmpp),
		0);
	assert_int_equal(f->xmpp.verdict, expect);
}

/* --- XMPP -> SIP -----------------------------------------------------------
 */

static void test_im1(void **state)
{
	struct fixture *f = *state;
	const struct sip_request_out *r = &f->sip.request;

	add_body(f, "", MONTAGUE);
	to_sip(f, MESSAGE_MAP_SEND);
	assert_string_equal(r->method, "MESSAGE");
	assert_string_equal(r->request_uri, "sip:romeo@example.net");
	assert_string_equal(r->to_uri, "sip:romeo@example.net");
	assert_string_equal(r->from_uri,
			    "sip:juliet@example.com;gr=yn0cl4bnw0yr3vym");
	assert_string_equal(r->content_type, "text/plain");
	assert_null(r->subject);
	assert_null(r->content_language);
	assert_int_equal(r->body.n, 35);
	assert_true(span_eq_str(r->body, MONTAGUE));
	/* without a thread the Call-ID is the delivery's */
	assert_string_equal(r->call_id, "a00102030405060708090a0b0c0d0e0f");
	assert_string_equal(r->from_tag, "a001020304050607");
	assert_string_equal(r->branch,
			    "z9hG4bKa00102030405060708090a0b0c0d0e0f");
	assert_int_equal(r->cseq, 0x0C0D0E0F);
}

static void test_full_to(void **state)
{
	struct fixture *f = *state;

	f->s->to = dup(f, "romeo@example.net/dr4hcr0st3lup4c");
	add_body(f, "", "x");
	to_sip(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->sip.request.request_uri,
			    "sip:romeo@example.net;gr=dr4hcr0st3lup4c");
	assert_string_equal(f->sip.request.to_uri, "sip:romeo@example.net");
}

static void test_im3(void **state)
{
	struct fixture *f = *state;

	f->s->message->thread = dup(f, "D9AA95FD-2BD5-46E2-AF0F-6CFAA96BDDFA");
	add_body(f, "", MONTAGUE);
	to_sip(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->sip.request.call_id,
			    "D9AA95FD-2BD5-46E2-AF0F-6CFAA96BDDFA");
}

/* IM4: the same Call-ID, another From tag and CSeq */
static void test_im4(void **state)
{
	struct fixture *f = *state;
	uint8_t id2[ID_RAW_BYTES] = {7};
	struct message_map_sip second;

	f->s->message->thread = dup(f, "t1");
	add_body(f, "", "x");
	to_sip(f, MESSAGE_MAP_SEND);
	assert_int_equal(message_map_to_sip(&f->p, f->threads, f->s, id2, &f->a,
					    &second),
			 0);
	assert_string_equal(second.request.call_id, f->sip.request.call_id);
	assert_string_not_equal(second.request.from_tag,
				f->sip.request.from_tag);
	assert_string_not_equal(second.request.branch, f->sip.request.branch);
	assert_int_equal(second.request.cseq, 1);
}

/* IM5, there and back */
static void test_im5(void **state)
{
	struct fixture *f = *state;
	const char *thread = "mein Gespr\xC3\xA4"
			     "ch";

	f->s->message->thread = dup(f, thread);
	add_body(f, "", "x");
	to_sip(f, MESSAGE_MAP_SEND);
	assert_true(thread_is_call_id(span_str(f->sip.request.call_id)));
	f->in.call_id = span_str(f->sip.request.call_id);
	to_xmpp(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->xmpp.stanza->message->thread, thread);
}

static void test_im6(void **state)
{
	struct fixture *f = *state;

	f->s->lang = dup(f, "cs");
	add_subject(f, "Ahoj");
	add_body(f, "", "x");
	to_sip(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->sip.request.content_language, "cs");
	assert_string_equal(f->sip.request.subject, "Ahoj");
}

/* IM7: no header injection */
static void test_im7(void **state)
{
	struct fixture *f = *state;

	add_subject(f, "a\r\nRoute: <sip:evil>");
	add_body(f, "", "x");
	to_sip(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->sip.request.subject, "a Route: <sip:evil>");
}

static void test_no_injection_by_lang(void **state)
{
	struct fixture *f = *state;

	f->s->lang = dup(f, "cs\r\nX: y");
	add_body(f, "", "x");
	to_sip(f, MESSAGE_MAP_SEND);
	assert_null(f->sip.request.content_language);
}

/* IM8: 1300 bytes are sent, 1301 are not */
static void test_im8(void **state)
{
	struct fixture *f = *state;
	char body[1400];
	size_t n;

	add_body(f, "", "x");
	to_sip(f, MESSAGE_MAP_SEND);
	n = 1300 - message_map_request_bytes(&f->p, &f->sip.request);
	memset(body, 'y', sizeof(body));
	/* the body's length has three digits instead of one */
	body[n - 1] = '\0';
	f->s->message->n_body = 0;
	add_body(f, "", body);
	to_sip(f, MESSAGE_MAP_SEND);
	assert_int_equal(message_map_request_bytes(&f->p, &f->sip.request),
			 1300);
	body[n - 1] = 'y';
	body[n] = '\0';
	f->s->message->n_body = 0;
	add_body(f, "", body);
	to_sip(f, MESSAGE_MAP_REFUSE);
	assert_int_equal(f->sip.error->condition,
			 FED__CONDITION__POLICY_VIOLATION);
	assert_int_equal(f->sip.error->type, FED__ERROR_TYPE__MODIFY);
}

/* RFC 7572 4, table of kinds: IM9, IM10, IM11 and their neighbours */
static void test_kinds(void **state)
{
	static const struct {
		Fed__MessageType type;
		const char *body;
		const char *subject;
		enum message_map_verdict verdict;
	} rows[] = {
		{FED__MESSAGE_TYPE__NORMAL, "b", NULL, MESSAGE_MAP_SEND},
		{FED__MESSAGE_TYPE__CHAT, "b", NULL, MESSAGE_MAP_SEND},
		{FED__MESSAGE_TYPE__HEADLINE, "b", NULL, MESSAGE_MAP_SEND},
		{FED__MESSAGE_TYPE__GROUPCHAT, "b", NULL, MESSAGE_MAP_REFUSE},
		{FED__MESSAGE_TYPE__MESSAGE_ERROR, "b", NULL,
		 MESSAGE_MAP_IGNORE},
		{FED__MESSAGE_TYPE__NORMAL, NULL, "s", MESSAGE_MAP_SEND},
		{FED__MESSAGE_TYPE__CHAT, NULL, "s", MESSAGE_MAP_IGNORE},
		{FED__MESSAGE_TYPE__NORMAL, NULL, NULL, MESSAGE_MAP_IGNORE},
		{FED__MESSAGE_TYPE__CHAT, NULL, NULL, MESSAGE_MAP_IGNORE},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		f->s->message->type = rows[i].type;
		f->s->message->n_body = 0;
		f->s->message->n_subject = 0;
		f->s->message->chat_state = FED__CHAT_STATE__ACTIVE;
		if (rows[i].body != NULL)
			add_body(f, "", rows[i].body);
		if (rows[i].subject != NULL)
			add_subject(f, rows[i].subject);
		to_sip(f, rows[i].verdict);
	}
}

static void test_body_by_language(void **state)
{
	struct fixture *f = *state;

	f->s->lang = dup(f, "de");
	add_body(f, "en", "hello");
	add_body(f, "de", "gr\xC3\xBC\xC3\x9F");
	to_sip(f, MESSAGE_MAP_SEND);
	assert_true(span_eq_str(f->sip.request.body, "gr\xC3\xBC\xC3\x9F"));
	assert_string_equal(f->sip.request.content_language, "de");
	assert_string_equal(f->sip.request.content_type,
			    "text/plain;charset=UTF-8");
}

static void test_bad_address(void **state)
{
	struct fixture *f = *state;

	f->s->to = dup(f, "a@b@example.net");
	add_body(f, "", "x");
	to_sip(f, MESSAGE_MAP_REFUSE);
	assert_int_equal(f->sip.error->condition,
			 FED__CONDITION__JID_MALFORMED);
}

/* --- SIP -> XMPP -----------------------------------------------------------
 */

static void test_im12(void **state)
{
	struct fixture *f = *state;
	const Fed__Stanza *s;

	to_xmpp(f, MESSAGE_MAP_SEND);
	s = f->xmpp.stanza;
	assert_string_equal(s->from, "romeo@example.net");
	assert_string_equal(s->to, "juliet@example.com");
	assert_string_equal(s->message->thread,
			    "9E97FB43-85F4-4A00-8751-1124FD4C7B2E");
	assert_int_equal(s->message->n_body, 1);
	assert_string_equal(s->message->body[0]->text,
			    "Neither, fair saint, if either thee dislike.");
	assert_int_equal(s->message->type, FED__MESSAGE_TYPE__NORMAL);
	assert_string_equal(s->id, "a00102030405060708090a0b0c0d0e0f");
	assert_string_equal(s->message->origin_id, s->id);
	assert_int_equal(stanza_validate(s), 0);
}

static void test_im13(void **state)
{
	struct fixture *f = *state;

	f->in.from_uri = SPAN_LIT("sip:romeo@example.net;gr=dr4hcr0st3lup4c");
	to_xmpp(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->xmpp.stanza->from,
			    "romeo@example.net/dr4hcr0st3lup4c");
}

static void test_im14(void **state)
{
	struct fixture *f = *state;
	const char *text = "Nic z ob\xC3\xA9ho, m\xC3\xA1 d\xC4\x9Bvo";

	f->in.content_language = SPAN_LIT("cs");
	f->in.body = span_str(text);
	to_xmpp(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->xmpp.stanza->lang, "cs");
	assert_string_equal(f->xmpp.stanza->message->body[0]->text, text);
}

static void test_im16(void **state)
{
	struct fixture *f = *state;

	f->in.subject = SPAN_LIT("Hi");
	f->in.charset = SPAN_LIT("ISO-8859-1");
	f->in.body = SPAN_LIT("\xE9");
	to_xmpp(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->xmpp.stanza->message->subject[0]->text, "Hi");
	assert_string_equal(f->xmpp.stanza->message->body[0]->text, "\xC3\xA9");
}

/* IM17: the text crosses as it is, the writer escapes it */
static void test_im17(void **state)
{
	struct fixture *f = *state;

	f->in.body = SPAN_LIT("a<b & c");
	to_xmpp(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->xmpp.stanza->message->body[0]->text, "a<b & c");
}

/* IM18 */
static void test_im18(void **state)
{
	struct fixture *f = *state;

	f->in.body = SPAN_LIT("a\0b\x08"
			      "c\xEF\xBF\xBE"
			      "d\r\n\te");
	to_xmpp(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->xmpp.stanza->message->body[0]->text,
			    "abcd\r\n\te");
	f->in.body = SPAN_LIT("\xED\xA0\x80");
	to_xmpp(f, MESSAGE_MAP_REFUSE);
	assert_int_equal(f->xmpp.reply.line.status, 400);
}

static void test_type_mirrors_chat(void **state)
{
	struct fixture *f = *state;

	f->s->message->type = FED__MESSAGE_TYPE__CHAT;
	add_body(f, "", "x");
	to_sip(f, MESSAGE_MAP_SEND);
	to_xmpp(f, MESSAGE_MAP_SEND);
	assert_int_equal(f->xmpp.stanza->message->type,
			 FED__MESSAGE_TYPE__CHAT);
	f->s->message->type = FED__MESSAGE_TYPE__NORMAL;
	to_sip(f, MESSAGE_MAP_SEND);
	to_xmpp(f, MESSAGE_MAP_SEND);
	assert_int_equal(f->xmpp.stanza->message->type,
			 FED__MESSAGE_TYPE__NORMAL);
}

static void test_in_refused(void **state)
{
	static const struct {
		const char *uri;
		const char *from;
		const char *charset;
		const char *body;
		int status;
	} rows[] = {
		/* nothing to say */
		{NULL, NULL, "", "", 200},
		{NULL, NULL, "", "\x01\x02", 200},
		{NULL, NULL, "x-klingon", "a", 415},
		{NULL, NULL, "utf-8//translit", "a", 415},
		{NULL, NULL, "utf-8", "\xFF", 400},
		/* C25, C26, C30 */
		{"sip:%20x@s.example", NULL, "", "a", 404},
		{"sip:%FF@s.example", NULL, "", "a", 400},
		{NULL, "sip:%20x@s.example", "", "a", 400},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		if (rows[i].uri != NULL)
			f->in.request_uri = span_str(rows[i].uri);
		if (rows[i].from != NULL) {
			f->in.from_uri = span_str(rows[i].from);
			f->in.request_uri = SPAN_LIT("sip:a@x.example");
		}
		f->in.charset = span_str(rows[i].charset);
		f->in.body = span_str(rows[i].body);
		to_xmpp(f, rows[i].status == 200 ? MESSAGE_MAP_IGNORE
						 : MESSAGE_MAP_REFUSE);
		assert_int_equal(f->xmpp.reply.line.status, rows[i].status);
		assert_int_equal(f->xmpp.reply.accept != NULL,
				 rows[i].status == 415);
	}
}

static void test_too_large(void **state)
{
	struct fixture *f = *state;
	size_t n = 60000;
	char *body = malloc(n);

	assert_non_null(body);
	memset(body, 'a', n);
	f->in.body = span_of(body, n);
	to_xmpp(f, MESSAGE_MAP_SEND);
	/* "&amp;" each */
	memset(body, '&', n);
	to_xmpp(f, MESSAGE_MAP_REFUSE);
	assert_int_equal(f->xmpp.reply.line.status, 513);
	free(body);
}

/* --- text ------------------------------------------------------------------
 */

static void test_html(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
		{"<html><body>Hi <b>you</b></body></html>", "Hi you"},
		{"a<br>b<p>c</p>d", "a\nb\nc\nd"},
		{"1 &lt; 2 &amp;&amp; &#233;&#xE9;&#x1F600;",
		 "1 < 2 && \xC3\xA9\xC3\xA9\xF0\x9F\x98\x80"},
		{"<script>alert(1)</script>x<style>p{}</style>y", "xy"},
		{"<!-- <b>no</b> -->yes", "yes"},
		{"a & b &bogus; &#0; &#xD800;", "a & b &bogus;"},
		{"<b", ""},
		{"a < b", "a"},
		{"<!-- open", ""},
		{"<script>never closed", ""},
		{"  a \r\n b  ", "a b"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct buf b;

		buf_init(&b, 1000);
		assert_int_equal(charset_html_to_text(span_str(rows[i].in), &b),
				 0);
		assert_string_equal(buf_cstr(&b), rows[i].out);
		buf_deinit(&b);
	}
}

static void test_charsets(void **state)
{
	const struct {
		const char *charset;
		struct span in;
		const char *out;
	} rows[] = {
		{"", SPAN_LIT("\xEF\xBB\xBFx"), "x"},
		{"UTF-8", SPAN_LIT("\xC3\xA9"), "\xC3\xA9"},
		{"utf-16le", SPAN_LIT("h\0i\0"), "hi"},
		{"utf-16", SPAN_LIT("\xFE\xFF\0h\0i"), "hi"},
		{"windows-1252", SPAN_LIT("\x80"), "\xE2\x82\xAC"},
		{"koi8-r", SPAN_LIT("\xC1"), "\xD0\xB0"},
		{"shift_jis", SPAN_LIT("\x82\xA0"), "\xE3\x81\x82"},
		{"us-ascii", SPAN_LIT("ok"), "ok"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct buf b;

		buf_init(&b, 1000);
		assert_int_equal(charset_to_text(rows[i].in,
						 span_str(rows[i].charset), &b),
				 0);
		assert_string_equal(buf_cstr(&b), rows[i].out);
		buf_deinit(&b);
	}
}

/* --- checks of RFC 3261 8.2 ------------------------------------------------
 */

static const char *const DOMAINS[] = {"example.net"};
static const char *const TRUSTED[] = {"192.0.2.1"};
static const struct sip_checks_params CHECKS = {
	.domains = DOMAINS,
	.domain_count = 1,
	.trusted = TRUSTED,
	.trusted_count = 1,
};

static struct sip_reply check(struct fixture *f, bool is_merged,
			      enum sip_checks_verdict expect)
{
	struct sip_reply r = {.accept = NULL};
	const char *why;

	assert_int_equal(sip_checks(&CHECKS, &f->in, is_merged, &r, &why),
			 expect);
	return r;
}

static void test_checks_methods(void **state)
{
	static const struct {
		const char *method;
		int status;
	} rows[] = {
		{"REGISTER", 405}, {"PUBLISH", 405}, /* V15 */
		{"INVITE", 405},   {"SUBSCRIBE", 405},
		{"FOO", 501},	   {"message", 501}, /* V16 */
		{"OPTIONS", 200},
	};
	struct fixture *f = *state;

	(void)check(f, false, SIP_CHECKS_PASS);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct sip_reply r;

		f->in.method = span_str(rows[i].method);
		r = check(f, false, SIP_CHECKS_REPLY);
		assert_int_equal(r.line.status, rows[i].status);
		assert_non_null(strstr(r.allow, "MESSAGE"));
	}
	f->in.method = SPAN_LIT("ACK");
	(void)check(f, false, SIP_CHECKS_DROP);
}

static void test_checks_source(void **state)
{
	struct fixture *f = *state;

	f->in.source = SPAN_LIT("192.0.2.10");
	assert_int_equal(check(f, false, SIP_CHECKS_UNTRUSTED).line.status,
			 403);
	f->in.source = SPAN_NULL;
	(void)check(f, false, SIP_CHECKS_UNTRUSTED);
}

static void test_checks_rest(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in good = f->in;
	struct sip_reply r;

	/* IM20, C28 */
	f->in.request_uri = SPAN_LIT("sips:juliet@example.com");
	r = check(f, false, SIP_CHECKS_REPLY);
	assert_int_equal(r.line.status, 480);
	assert_string_equal(r.warning, "SIPS Not Allowed");
	f->in = good;
	f->in.to_uri = SPAN_LIT("sips:juliet@example.com");
	assert_int_equal(check(f, false, SIP_CHECKS_REPLY).line.status, 480);
	f->in.request_uri = SPAN_LIT("soap.beep://192.0.2.103:3002");
	assert_int_equal(check(f, false, SIP_CHECKS_REPLY).line.status, 416);
	f->in = good;
	f->in.has_to_tag = true;
	assert_int_equal(check(f, false, SIP_CHECKS_REPLY).line.status, 481);
	f->in = good; /* V13 */
	assert_int_equal(check(f, true, SIP_CHECKS_REPLY).line.status, 482);
	f->in.require = SPAN_LIT("foo, bar"); /* V17 */
	r = check(f, false, SIP_CHECKS_REPLY);
	assert_int_equal(r.line.status, 420);
	assert_string_equal(r.unsupported, "foo, bar");
	f->in = good; /* IM15 */
	f->in.content_type = SPAN_LIT("application/foo");
	r = check(f, false, SIP_CHECKS_REPLY);
	assert_int_equal(r.line.status, 415);
	assert_non_null(strstr(r.accept, "text/plain"));
	f->in = good;
	f->in.content_encoding = SPAN_LIT("gzip");
	r = check(f, false, SIP_CHECKS_REPLY);
	assert_int_equal(r.line.status, 415);
	assert_non_null(r.accept_encoding);
	f->in = good; /* V29 */
	f->in.from_uri = SPAN_LIT("sip:romeo@evil.example");
	assert_int_equal(check(f, false, SIP_CHECKS_REPLY).line.status, 403);
	f->in = good; /* loop */
	f->in.request_uri = SPAN_LIT("sip:tybalt@EXAMPLE.net");
	assert_int_equal(check(f, false, SIP_CHECKS_REPLY).line.status, 404);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_im1),
		T(test_full_to),
		T(test_im3),
		T(test_im4),
		T(test_im5),
		T(test_im6),
		T(test_im7),
		T(test_no_injection_by_lang),
		T(test_im8),
		T(test_kinds),
		T(test_body_by_language),
		T(test_bad_address),
		T(test_im12),
		T(test_im13),
		T(test_im14),
		T(test_im16),
		T(test_im17),
		T(test_im18),
		T(test_type_mirrors_chat),
		T(test_in_refused),
		T(test_too_large),
		T(test_html),
		T(test_charsets),
		T(test_checks_methods),
		T(test_checks_source),
		T(test_checks_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
