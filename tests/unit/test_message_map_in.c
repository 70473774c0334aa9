/* Page mode from SIP to XMPP: RFC 7572 section 5, and what is refused. */
#include "message_map_harness.h"

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
	f->in.subject = SPAN_LIT("Nic");
	f->in.body = span_str(text);
	to_xmpp(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->xmpp.stanza->lang, "cs");
	/* not "", which would be: of no language */
	assert_string_equal(f->xmpp.stanza->message->body[0]->lang, "cs");
	assert_string_equal(f->xmpp.stanza->message->subject[0]->lang, "cs");
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

/* a folded line is one line (RFC 3261 7.3.1) */
static void test_folded_subject(void **state)
{
	struct fixture *f = *state;

	f->in.subject = SPAN_LIT(" a\r\n  b\n\tc d\r\n ");
	to_xmpp(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->xmpp.stanza->message->subject[0]->text,
			    "a b c d");
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

static void test_multipart(void **state)
{
	struct fixture *f = *state;

	f->in.content_type = SPAN_LIT("multipart/alternative");
	f->in.boundary = SPAN_LIT("b");
	f->in.body = SPAN_LIT("--b\r\nContent-Type: text/html\r\n\r\n<p>no</p>"
			      "\r\n--b\r\nContent-Type: text/plain;charset="
			      "iso-8859-1\r\nContent-Language: fr\r\n\r\n\xE9"
			      "\r\n--b--");
	to_xmpp(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->xmpp.stanza->message->body[0]->text, "\xC3\xA9");
	assert_string_equal(f->xmpp.stanza->lang, "fr");
	f->in.body = SPAN_LIT("--b\r\nContent-Type: text/html\r\n\r\n"
			      "<p>a &amp; b</p>\r\n--b--");
	to_xmpp(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->xmpp.stanza->message->body[0]->text, "a & b\n");
	f->in.body =
		SPAN_LIT("--b\r\nContent-Type: image/png\r\n\r\n.\r\n--b--");
	to_xmpp(f, MESSAGE_MAP_REFUSE);
	assert_int_equal(f->xmpp.reply.line.status, 415);
	assert_non_null(strstr(f->xmpp.reply.accept, "text/plain"));
	f->in.boundary = SPAN_LIT("other");
	to_xmpp(f, MESSAGE_MAP_REFUSE);
	assert_int_equal(f->xmpp.reply.line.status, 400);
}

/* A message/cpim speaks for its content where it names the same users. */
static void test_cpim(void **state)
{
	static const struct {
		const char *from;
		const char *to;
		const char *subject; /* of SIP */
		const char *expect;
	} rows[] = {
		{"im:romeo@example.net", "im:juliet@example.com", "",
		 "wrapped"},
		{"sip:ROMEO@Example.net;gr=x", "sip:juliet@example.com", "",
		 "wrapped"},
		{"im:tybalt@example.net", "im:juliet@example.com", "", NULL},
		{"im:romeo@example.net", "im:nurse@example.com", "", NULL},
		{"", "", "", NULL},
		{"im:romeo@example.net", "im:juliet@example.com", "sip", "sip"},
	};
	struct fixture *f = *state;

	f->in.content_type = SPAN_LIT("message/cpim");
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		const Fed__Message *m;
		char body[512];

		(void)snprintf(body, sizeof(body),
			       "From: R <%s>\r\nTo: <%s>\r\nSubject: wrapped"
			       "\r\n\r\nContent-Type: text/plain\r\n\r\nhello",
			       rows[i].from, rows[i].to);
		f->in.body = span_str(body);
		f->in.subject = span_str(rows[i].subject);
		to_xmpp(f, MESSAGE_MAP_SEND);
		m = f->xmpp.stanza->message;
		assert_string_equal(m->body[0]->text, "hello");
		/* never the identity of the wrapper */
		assert_string_equal(f->xmpp.stanza->from, "romeo@example.net");
		assert_int_equal(m->n_subject, rows[i].expect != NULL);
		if (rows[i].expect != NULL)
			assert_string_equal(m->subject[0]->text,
					    rows[i].expect);
	}
}

static void test_expired(void **state)
{
	struct fixture *f = *state;

	f->in.is_expired = true;
	to_xmpp(f, MESSAGE_MAP_IGNORE);
	assert_int_equal(f->xmpp.reply.line.status, 200);
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

/* Subject and Call-ID are written to the stanza as well. */
static void test_too_large_together(void **state)
{
	struct fixture *f = *state;
	size_t n = 30000;
	char *text = malloc(n);

	assert_non_null(text);
	memset(text, '&', n);
	f->in.body = span_of(text, n);
	f->in.subject = span_of(text, 10000);
	to_xmpp(f, MESSAGE_MAP_SEND);
	f->in.subject = span_of(text, 20000);
	to_xmpp(f, MESSAGE_MAP_REFUSE);
	assert_int_equal(f->xmpp.reply.line.status, 513);
	f->in.subject = SPAN_NULL;
	f->in.call_id = span_of(text, 20000);
	to_xmpp(f, MESSAGE_MAP_REFUSE);
	assert_int_equal(f->xmpp.reply.line.status, 513);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_im12),		T(test_im13),
		T(test_im14),		T(test_im16),
		T(test_folded_subject), T(test_im17),
		T(test_im18),		T(test_type_mirrors_chat),
		T(test_in_refused),	T(test_multipart),
		T(test_cpim),		T(test_expired),
		T(test_too_large),	T(test_too_large_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
