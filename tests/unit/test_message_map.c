/* Page mode from XMPP to SIP: the vectors IM... of RFC 7572 section 4. */
#include "message_map_harness.h"

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

/* Two gateways that are given one delivery are two clients with one message:
 * all is the same but the branch. */
static void test_branch_mark(void **state)
{
	struct fixture *f = *state;

	f->p.branch_mark = "5eed";
	add_body(f, "", "x");
	to_sip(f, MESSAGE_MAP_SEND);
	assert_string_equal(f->sip.request.branch,
			    "z9hG4bKa00102030405060708090a0b0c0d0e0f5eed");
	assert_string_equal(f->sip.request.call_id,
			    "a00102030405060708090a0b0c0d0e0f");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_im1),
		T(test_full_to),
		T(test_branch_mark),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
