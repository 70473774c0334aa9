/* Stanzas that end without a SIP request. */
#include "gw_router_harness.h"

static void test_out_bad_stanzas(void **state)
{
	struct fixture *f = *state;
	Fed__Stanza *s;

	s = message(f, "romeo@other.example");
	feed(f, 1, s);
	expect_outcome(f, 1, FED__CONDITION__ITEM_NOT_FOUND);
	s = message(f, "romeo@sip.example");
	s->from = arena_dup(&f->a, SPAN_LIT("tybalt@sip.example"));
	feed(f, 2, s);
	expect_outcome(f, 2, FED__CONDITION__FORBIDDEN);
	s = message(f, "romeo@sip.example");
	s->message->body[0]->text = arena_dup(&f->a, SPAN_LIT("\xFF"));
	feed(f, 3, s);
	expect_outcome(f, 3, FED__CONDITION__BAD_REQUEST);
	feed(f, 4, NULL);
	expect_outcome(f, 4, FED__CONDITION__BAD_REQUEST);
	/* IM9; also what answers a message of ours, after its 200 (IM22) or
	 * as an answer to our own error (E14): nothing for SIP */
	s = message(f, "romeo@sip.example");
	s->message->type = FED__MESSAGE_TYPE__MESSAGE_ERROR;
	feed(f, 5, s);
	expect_outcome(f, 5, FED__CONDITION__NO_CONDITION);
	expect_none(f);
}

/* What the edge verified does not fit the sender. */
static void test_out_facts(void **state)
{
	struct fixture *f = *state;
	uint8_t id[ID_RAW_BYTES] = {1};
	Fed__StanzaFrame frame;
	Fed__Facts facts;

	fed__facts__init(&facts);
	facts.peer_domain = arena_dup(&f->a, SPAN_LIT("evil.example"));
	fed__stanza_frame__init(&frame);
	frame.delivery_id.data = id;
	frame.delivery_id.len = ID_RAW_BYTES;
	frame.stanza = message(f, "romeo@sip.example");
	frame.facts = &facts;
	gw_router_on_stanza(f->r, 0, 1, &frame, f->now);
	expect_outcome(f, 1, FED__CONDITION__FORBIDDEN);
	facts.peer_domain = arena_dup(&f->a, SPAN_LIT("example.com"));
	gw_router_on_stanza(f->r, 0, 2, &frame, f->now);
	expect(f, GW_ACT_SIP_SEND);
}

static void test_presence(void **state)
{
	struct fixture *f = *state;
	Fed__Stanza *s = stanza_new_presence(&f->a);

	s->from = arena_dup(&f->a, SPAN_LIT("juliet@example.com"));
	s->to = arena_dup(&f->a, SPAN_LIT("romeo@sip.example"));
	s->presence->type = FED__PRESENCE_TYPE__SUBSCRIBE;
	feed(f, 1, s);
	expect_outcome(f, 1, FED__CONDITION__SERVICE_UNAVAILABLE);
	s->presence->type = FED__PRESENCE_TYPE__PROBE;
	feed(f, 2, s);
	expect_outcome(f, 2, FED__CONDITION__NO_CONDITION);
	expect_none(f);
}

static Fed__Stanza *iq(struct fixture *f, const char *to, Fed__IqType type)
{
	Fed__Stanza *s = stanza_new_iq(&f->a);
	Fed__DiscoInfo *info = arena_alloc(&f->a, sizeof(*info));

	fed__disco_info__init(info);
	s->from = arena_dup(&f->a, SPAN_LIT("juliet@example.com/balcony"));
	s->to = arena_dup(&f->a, span_str(to));
	s->id = arena_dup(&f->a, SPAN_LIT("q1"));
	s->iq->type = type;
	s->iq->payload_case = FED__IQ__PAYLOAD_DISCO_INFO;
	s->iq->disco_info = info;
	return s;
}

static void test_iq_result(void **state)
{
	struct fixture *f = *state;
	const Fed__Stanza *s;

	both_edges_up(f);
	feed(f, 1, iq(f, "sip.example", FED__IQ_TYPE__GET));
	expect_outcome(f, 1, FED__CONDITION__NO_CONDITION);
	expect(f, GW_ACT_STANZA);
	s = f->act.u.stanza.delivery.stanza;
	assert_int_equal(stanza_validate(s), 0);
	assert_string_equal(s->from, "sip.example");
	assert_string_equal(s->to, "juliet@example.com/balcony");
	assert_string_equal(s->id, "q1");
	assert_int_equal(s->iq->type, FED__IQ_TYPE__RESULT);
	assert_int_equal(s->iq->disco_info->n_identity, 2);
	assert_string_equal(s->iq->disco_info->identity[0]->category, "server");
	assert_string_equal(s->iq->disco_info->identity[0]->type, "im");
	assert_string_equal(s->iq->disco_info->identity[1]->category,
			    "gateway");
	assert_string_equal(s->iq->disco_info->identity[1]->type, "simple");
	assert_true(s->iq->disco_info->n_feature >= 4);
	gw_router_on_outcome(f->r, f->act.u.stanza.delivery.handle, NULL,
			     f->now);
	expect_none(f);
	assert_true(gw_router_is_idle(f->r));
}

/* X26: an empty result with the same id */
static void test_ping(void **state)
{
	struct fixture *f = *state;
	Fed__Stanza *ping = iq(f, "sip.example", FED__IQ_TYPE__GET);
	const Fed__Stanza *s;

	ping->iq->payload_case = FED__IQ__PAYLOAD_PING;
	ping->iq->ping = arena_alloc(&f->a, sizeof(*ping->iq->ping));
	fed__ping__init(ping->iq->ping);
	both_edges_up(f);
	feed(f, 1, ping);
	expect_outcome(f, 1, FED__CONDITION__NO_CONDITION);
	expect(f, GW_ACT_STANZA);
	s = f->act.u.stanza.delivery.stanza;
	assert_int_equal(s->iq->type, FED__IQ_TYPE__RESULT);
	assert_int_equal(s->iq->payload_case, FED__IQ__PAYLOAD__NOT_SET);
	assert_string_equal(s->id, "q1");
}

static void test_iq_refused(void **state)
{
	struct fixture *f = *state;
	Fed__Stanza *s;

	/* X27 */
	feed(f, 1, iq(f, "romeo@sip.example", FED__IQ_TYPE__GET));
	expect_outcome(f, 1, FED__CONDITION__SERVICE_UNAVAILABLE);
	feed(f, 2, iq(f, "sip.example", FED__IQ_TYPE__SET));
	expect_outcome(f, 2, FED__CONDITION__SERVICE_UNAVAILABLE);
	s = iq(f, "sip.example", FED__IQ_TYPE__GET);
	s->iq->disco_info->node = arena_dup(&f->a, SPAN_LIT("x"));
	feed(f, 3, s);
	expect_outcome(f, 3, FED__CONDITION__ITEM_NOT_FOUND);
	feed(f, 4, iq(f, "sip.example", FED__IQ_TYPE__RESULT));
	expect_outcome(f, 4, FED__CONDITION__NO_CONDITION);
	expect_none(f);
}

/* Whatever becomes of it, a stanza leaves one line. */
/* E14: errors of the other kinds end here too. */
static void test_errors_are_not_answered(void **state)
{
	struct fixture *f = *state;
	Fed__Stanza *s = iq(f, "sip.example", FED__IQ_TYPE__IQ_ERROR);

	feed(f, 1, s);
	expect_outcome(f, 1, FED__CONDITION__NO_CONDITION);
	s = stanza_new_presence(&f->a);
	s->from = arena_dup(&f->a, SPAN_LIT("juliet@example.com"));
	s->to = arena_dup(&f->a, SPAN_LIT("romeo@sip.example"));
	s->presence->type = FED__PRESENCE_TYPE__PRESENCE_ERROR;
	feed(f, 2, s);
	expect_outcome(f, 2, FED__CONDITION__NO_CONDITION);
	expect_none(f);
}

static void test_ledger(void **state)
{
	static const char *const traces[] = {
		"trace=00000100", "trace=00000200", "trace=00000300",
		"trace=00000400", "trace=00000500",
	};
	struct fixture *f = *state;
	Fed__Stanza *s;

	both_edges_up(f);
	feed(f, 1, message(f, "romeo@other.example"));
	expect_outcome(f, 1, FED__CONDITION__ITEM_NOT_FOUND);
	assert_int_equal(count_log(f, "stanza_refused", "other.example"), 1);
	s = stanza_new_presence(&f->a);
	s->from = arena_dup(&f->a, SPAN_LIT("juliet@example.com"));
	s->to = arena_dup(&f->a, SPAN_LIT("romeo@sip.example"));
	feed(f, 2, s);
	expect_outcome(f, 2, FED__CONDITION__NO_CONDITION);
	feed(f, 3, iq(f, "sip.example", FED__IQ_TYPE__GET));
	expect_outcome(f, 3, FED__CONDITION__NO_CONDITION);
	expect(f, GW_ACT_STANZA);
	feed(f, 4, iq(f, "romeo@sip.example", FED__IQ_TYPE__GET));
	expect_outcome(f, 4, FED__CONDITION__SERVICE_UNAVAILABLE);
	feed(f, 5, message(f, "romeo@sip.example"));
	expect(f, GW_ACT_SIP_SEND);
	respond(f, f->act.u.sip_send.token, 200);
	expect_outcome(f, 5, FED__CONDITION__NO_CONDITION);
	for (size_t i = 0; i < FED_ARRAY_LEN(traces); i++)
		assert_int_equal(count_log(f, traces[i], "dir=to-sip"), 1);
	assert_int_equal(count_log(f, "dir=", "outcome="), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_out_bad_stanzas),
		T(test_out_facts),
		T(test_presence),
		T(test_iq_result),
		T(test_ping),
		T(test_iq_refused),
		T(test_ledger),
		T(test_errors_are_not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
