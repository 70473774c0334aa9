/* The edge's router: order, bounds, outcomes, back-off, lost streams. */
#include "tests/unit/edge_router_harness.h"

static void test_queue_then_order(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	expect(t, "connect:xmpp.example ");
	assert_int_equal(send_text(t, 2, "b"), 0);
	expect(t, "");
	open_stream(t);
	assert_int_equal(send_text(t, 3, "c"), 0);
	expect(t, "w:a w:b w:c ");
	/* only what the system took counts: a and b end at 2 */
	edge_router_flushed(t->r, t->stream, 2, t->now);
	expect(t, "ok1 ok2 ");
	edge_router_flushed(t->r, t->stream, 3, t->now);
	expect(t, "ok3 ");
	assert_int_equal(edge_router_stanzas(t->r), 0);
	assert_int_equal(edge_router_bytes(t->r), 0);
}

/* What an operator is shown: pairs that have something, a few at a time. */
static void test_queues(void **state)
{
	static const struct s2s_pair other = {"sip.example", "chat.example"};
	static const struct s2s_pair third = {"sip.example", "six.example"};
	struct edge_router_refusal no;
	struct edge_router_queue q[2];
	struct rig *t = *state;
	uint64_t cursor = 0;

	assert_int_equal(edge_router_queues(t->r, &cursor, q, 2, t->now), 0);
	assert_int_equal(send_text(t, 1, "abc"), 0);
	t->now += 50;
	assert_int_equal(send_text(t, 2, "de"), 0);
	assert_int_equal(send_xml(t, &other, 3, SPAN_LIT("f"), &no), 0);
	assert_int_equal(send_xml(t, &third, 4, SPAN_LIT("g"), &no), 0);
	t->now += 100;
	assert_int_equal(edge_router_queues(t->r, &cursor, q, 2, t->now), 2);
	assert_string_equal(q[0].pair.remote, "xmpp.example");
	assert_int_equal(q[0].stanzas, 2);
	assert_int_equal(q[0].bytes, 5);
	assert_int_equal(q[0].oldest_ms, 150);
	assert_string_equal(q[1].pair.remote, "chat.example");
	assert_int_equal(q[1].oldest_ms, 100);
	assert_int_equal(edge_router_queues(t->r, &cursor, q, 2, t->now), 1);
	assert_string_equal(q[0].pair.local, "sip.example");
	assert_string_equal(q[0].pair.remote, "six.example");
	assert_int_equal(edge_router_queues(t->r, &cursor, q, 2, t->now), 0);
}

static void test_failure_bounces_all(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	assert_int_equal(send_text(t, 2, "b"), 0);
	expect(t, "connect:xmpp.example ");
	end_with(t, S2S_END_DNS);
	expect(t, "no1 no2 ");
	assert_int_equal(t->last_refused,
			 FED__CONDITION__REMOTE_SERVER_NOT_FOUND);
	/* the peer's words are made ASCII for their way inside */
	assert_non_null(strstr(t->last_text, "ason"));
	/* nobody is told where it went wrong */
	assert_null(strstr(t->last_text, "192.0.2.1"));
	for (const char *p = t->last_text; *p != '\0'; p++)
		assert_in_range(*p, 0x20, 0x7e);
}

static void test_backoff(void **state)
{
	struct rig *t = *state;
	uint64_t wait = LIMIT_BACKOFF_MIN_MS;

	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(send_text(t, i, "a"), 0);
		drain(t);
		assert_string_equal(t->trace, "connect:xmpp.example ");
		end_with(t, S2S_END_CONNECT);
		drain(t);
		/* not before the wait: refused at once, with the reason */
		t->now += wait - 1;
		assert_int_equal(send_text(t, 90, "x"), FED_EDENIED);
		assert_int_equal(t->last_refused,
				 FED__CONDITION__REMOTE_SERVER_TIMEOUT);
		assert_null(strstr(t->last_text, "192.0.2.1"));
		expect(t, "");
		/* at most half of it is added */
		t->now += wait / 2 + 1;
		wait = wait * 2 < LIMIT_BACKOFF_MAX_MS ? wait * 2
						       : LIMIT_BACKOFF_MAX_MS;
	}
	/* a success forgets the failures */
	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	open_stream(t);
	drain(t);
	edge_router_flushed(t->r, t->stream, 1, t->now);
	end_with(t, S2S_END_EOF);
	expect(t, "ok1 ");
	assert_int_equal(edge_router_pairs(t->r), 0);
}

/* A partner that adds a DNS record, or comes back, is reached soon. */
static void test_backoff_is_short_where_it_can_be(void **state)
{
	const struct s2s_pair other = {"sip.example", "other.example"};
	struct rig *t = *state;

	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(send_text(t, 1, "<a/>"), 0);
		drain(t);
		end_with(t, S2S_END_DNS);
		drain(t);
		assert_int_equal(send_text(t, 2, "<b/>"), FED_EDENIED);
		t->now += LIMIT_BACKOFF_DNS_MS;
	}
	assert_int_equal(send_text(t, 1, "<a/>"), 0);
	drain(t);
	end_with(t, S2S_END_CONNECT);
	drain(t);
	t->now += LIMIT_BACKOFF_DNS_MS - 1;
	edge_router_seen(t->r, &other, t->now);
	edge_router_seen(t->r, &pair_ab, t->now);
	/* it does not make us connect more often than that */
	assert_int_equal(send_text(t, 1, "<a/>"), FED_EDENIED);
	t->now++;
	assert_int_equal(send_text(t, 1, "<a/>"), 0);
	expect(t, "connect:xmpp.example ");
}

static void test_backoff_is_forgotten(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	end_with(t, S2S_END_DNS);
	drain(t);
	assert_int_equal(edge_router_pairs(t->r), 1);
	assert_true(edge_router_deadline_ms(t->r) != UINT64_MAX);
	pass(t, 2 * LIMIT_BACKOFF_MAX_MS);
	assert_int_equal(edge_router_pairs(t->r), 0);
	assert_true(edge_router_deadline_ms(t->r) == UINT64_MAX);
}

static void test_lost_once_is_tried_again(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	assert_int_equal(send_text(t, 2, "b"), 0);
	drain(t);
	open_stream(t);
	expect(t, "w:a w:b ");
	edge_router_flushed(t->r, t->stream, 1, t->now);
	t->now += LIMIT_BACKOFF_MIN_MS;
	end_with(t, S2S_END_EOF);
	/* a left, b did not: one new stream for b */
	expect(t, "ok1 connect:xmpp.example ");
	assert_int_equal(send_text(t, 3, "c"), 0);
	open_stream(t);
	expect(t, "w:b w:c ");
	t->now += LIMIT_BACKOFF_MIN_MS;
	end_with(t, S2S_END_EOF);
	expect(t, "no2 connect:xmpp.example ");
	assert_int_equal(t->last_refused,
			 FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	open_stream(t);
	expect(t, "w:c ");
}

/* The loss is told behind the outcomes of the stream and before anything of
 * the next; an orderly end is none. */
static void test_loss_is_told(void **state)
{
	static const struct {
		enum s2s_reason_kind kind;
		size_t lost;
	} cases[] = {{S2S_END_EOF, 1},
		     {S2S_END_TIMEOUT, 1},
		     {S2S_END_ERROR_GOT, 1},
		     {S2S_END_CLOSED, 0},
		     {S2S_END_SHUTDOWN, 0}};
	struct rig *t = *state;

	t->shows_lost = true;
	for (size_t i = 0; i < FED_ARRAY_LEN(cases); i++) {
		t->lost = 0;
		assert_int_equal(send_text(t, 1, "<a/>"), 0);
		assert_int_equal(send_text(t, 2, "<b/>"), 0);
		expect(t, "connect:xmpp.example ");
		open_stream(t);
		expect(t, "w:<a/> w:<b/> ");
		edge_router_flushed(t->r, t->stream, 4, t->now);
		t->now += LIMIT_BACKOFF_MIN_MS;
		end_with(t, cases[i].kind);
		expect(t, cases[i].lost == 0
				  ? "ok1 connect:xmpp.example "
				  : "ok1 lost connect:xmpp.example ");
		assert_int_equal(t->lost, cases[i].lost);
		open_stream(t);
		expect(t, "w:<b/> ");
		edge_router_flushed(t->r, t->stream, 4, t->now);
		end_with(t, S2S_END_CLOSED);
		expect(t, "ok2 ");
	}
}

static void test_peer_that_drops_at_once(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	open_stream(t);
	drain(t);
	end_with(t, S2S_END_EOF);
	/* no storm: the next attempt waits, and keeps what it has */
	expect(t, "");
	assert_int_equal(send_text(t, 2, "b"), 0);
	expect(t, "");
	pass(t, LIMIT_BACKOFF_MIN_MS + 250);
	expect(t, "connect:xmpp.example ");
	open_stream(t);
	expect(t, "w:a w:b ");
}

static void test_pair_limits(void **state)
{
	struct rig *t = *state;
	struct edge_router_refusal no;
	char *big = calloc(1, LIMIT_STANZA_BYTES);

	for (unsigned i = 0; i < LIMIT_PAIR_QUEUE_STANZAS; i++)
		assert_int_equal(send_text(t, i, "a"), 0);
	assert_int_equal(send_text(t, 0, "a"), FED_ELIMIT);
	assert_int_equal(t->last_refused, FED__CONDITION__RESOURCE_CONSTRAINT);
	assert_int_equal(t->metrics.value[METRIC_queue_full], 1);
	/* another domain is not hurt; its bytes are bounded too */
	for (unsigned i = 0; i < LIMIT_PAIR_QUEUE_BYTES / LIMIT_STANZA_BYTES;
	     i++)
		assert_int_equal(
			send_xml(t, &(struct s2s_pair){"sip.example", "b"}, i,
				 span_of(big, LIMIT_STANZA_BYTES), &no),
			0);
	assert_int_equal(send_xml(t, &(struct s2s_pair){"sip.example", "b"}, 0,
				  SPAN_LIT("x"), &no),
			 FED_ELIMIT);
	free(big);
}

static void test_all_bytes_limit(void **state)
{
	struct rig *t = *state;
	struct edge_router_refusal no;
	char *big = calloc(1, LIMIT_STANZA_BYTES);
	char name[32];
	unsigned sent = 0;
	int err = 0;

	for (unsigned i = 0; err == 0; i++) {
		struct s2s_pair p = {"sip.example", name};

		(void)snprintf(name, sizeof(name), "d%u.example", i / 16);
		err = send_xml(t, &p, i, span_of(big, LIMIT_STANZA_BYTES), &no);
		sent += err == 0;
	}
	assert_int_equal(err, FED_ELIMIT);
	assert_int_equal(sent, LIMIT_ROUTER_BYTES / LIMIT_STANZA_BYTES);
	free(big);
}

static void test_many_domains(void **state)
{
	struct rig *t = *state;
	struct edge_router_refusal no;
	struct edge_router_action a;
	char name[32];
	struct s2s_pair p = {"sip.example", name};
	struct s2s_reason why = {.kind = S2S_END_DNS};

	for (unsigned i = 0; i < LIMIT_PAIRS; i++) {
		(void)snprintf(name, sizeof(name), "d%u.example", i);
		assert_int_equal(send_xml(t, &p, i, SPAN_LIT("x"), &no), 0);
	}
	assert_int_equal(send_xml(t, &pair_ab, 0, SPAN_LIT("x"), &no),
			 FED_ELIMIT);
	assert_int_equal(no.condition, FED__CONDITION__RESOURCE_CONSTRAINT);
	/* once they failed they only remember that: a new domain gets in */
	while (edge_router_next_action(t->r, &a, t->now))
		if (a.kind == EDGE_ROUTER_CONNECT)
			edge_router_ended(t->r, a.stream, &why, t->now);
	assert_int_equal(edge_router_pairs(t->r), LIMIT_PAIRS);
	assert_int_equal(send_xml(t, &pair_ab, 0, SPAN_LIT("x"), &no), 0);
	assert_int_equal(edge_router_pairs(t->r), LIMIT_PAIRS);
}

/* X35: the peer's stanza limit (XEP-0478). */
static void test_peer_limit(void **state)
{
	struct rig *t = *state;
	struct edge_router_refusal no;
	char *big = malloc(12000);

	memset(big, 'x', 12000);
	assert_int_equal(send_xml(t, &pair_ab, 1, span_of(big, 12000), &no), 0);
	assert_int_equal(send_text(t, 2, "b"), 0);
	drain(t);
	open_with(t, 10000, 0);
	expect(t, "w:b no1 ");
	assert_int_equal(t->last_refused, FED__CONDITION__POLICY_VIOLATION);
	assert_int_equal(t->last_detail, FED__ERROR_DETAIL__STANZA_TOO_BIG);
	assert_int_equal(send_xml(t, &pair_ab, 3, span_of(big, 10001), &no),
			 FED_EDENIED);
	assert_int_equal(no.condition, FED__CONDITION__POLICY_VIOLATION);
	assert_int_equal(no.detail, FED__ERROR_DETAIL__STANZA_TOO_BIG);
	assert_int_equal(send_xml(t, &pair_ab, 4, span_of(big, 10000), &no), 0);
	free(big);
}

static void test_idle_close(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	open_stream(t);
	drain(t);
	edge_router_flushed(t->r, t->stream, 1, t->now);
	drain(t);
	/* used again in between: not idle yet */
	t->now += LIMIT_STREAM_IDLE_MS / 2;
	assert_int_equal(send_text(t, 2, "b"), 0);
	drain(t);
	edge_router_flushed(t->r, t->stream, 2, t->now);
	pass(t, LIMIT_STREAM_IDLE_MS / 2 + 1000);
	expect(t, "ok2 ");
	pass(t, LIMIT_STREAM_IDLE_MS / 2);
	expect(t, "close:idle ");
	assert_int_equal(edge_router_pairs(t->r), 0);
	/* its late end means nothing to a new stream */
	assert_int_equal(send_text(t, 3, "c"), 0);
	t->stream--;
	end_with(t, S2S_END_CLOSED);
	expect(t, "connect:xmpp.example ");
	open_stream(t);
	expect(t, "w:c ");
}

/* XEP-0478: ahead of a peer that would close the stream itself. */
static void test_idle_of_the_peer(void **state)
{
	static const struct {
		uint64_t peer_ms;
		uint64_t idle_ms;
	} rows[] = {
		{0, LIMIT_STREAM_IDLE_MS},
		{600000, 450000},
		{LIMIT_STREAM_IDLE_MS, LIMIT_STREAM_IDLE_MS / 4 * 3},
		{UINT32_MAX * UINT64_C(1000), LIMIT_STREAM_IDLE_MS},
		/* nobody makes us open a stream for every stanza */
		{1000, LIMIT_STREAM_IDLE_MIN_MS},
	};
	struct rig *t = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		assert_int_equal(send_text(t, 1, "a"), 0);
		drain(t);
		open_with(t, 0, rows[i].peer_ms);
		drain(t);
		edge_router_flushed(t->r, t->stream, 1, t->now);
		expect(t, "ok1 ");
		pass(t, rows[i].idle_ms - 1);
		expect(t, "");
		pass(t, 500);
		expect(t, "close:idle ");
	}
}

static void test_stall(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	open_stream(t);
	drain(t);
	pass(t, LIMIT_WRITE_STALL_MS + 500);
	expect(t, "close:stalled connect:xmpp.example ");
	open_stream(t);
	expect(t, "w:a ");
	pass(t, LIMIT_WRITE_STALL_MS + 500);
	expect(t, "no1 close:stalled ");
	assert_int_equal(edge_router_pairs(t->r), 0);
}

static void test_congestion_holds(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	open_stream(t);
	edge_router_set_congested(t->r, t->stream, true);
	expect(t, "");
	edge_router_set_congested(t->r, t->stream, false);
	expect(t, "w:a ");
}

static void test_attempt_takes_too_long(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	pass(t, 10 * LIMIT_STREAM_SETUP_MS);
	expect(t, "no1 close:late ");
}

static void test_stop(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	open_stream(t);
	drain(t);
	assert_int_equal(send_xml(t, &(struct s2s_pair){"sip.example", "q"}, 2,
				  SPAN_LIT("x"),
				  &(struct edge_router_refusal){0}),
			 0);
	edge_router_stop(t->r);
	assert_int_equal(send_text(t, 3, "c"), FED_ESTATE);
	edge_router_flushed(t->r, t->stream, 1, t->now);
	expect(t, "ok1 ");
	end_with(t, S2S_END_SHUTDOWN);
	expect(t, "");
	assert_int_equal(edge_router_pairs(t->r), 0);
	assert_int_equal(edge_router_bytes(t->r), 0);
}

/* Any order of calls: exactly one outcome for each stanza taken. */
static void test_random_walk(void **state)
{
	struct rig *t = *state;
	uint32_t x = 12345;
	size_t taken = 0;

	for (unsigned i = 0; i < 50000; i++) {
		x = x * 1664525u + 1013904223u;
		switch ((x >> 24) % 8) {
		case 0:
			open_stream(t);
			break;
		case 1:
			end_with(t, (x >> 16) % 2 ? S2S_END_EOF : S2S_END_DNS);
			break;
		case 2:
			edge_router_flushed(t->r, t->stream,
					    t->offset - (x >> 20) % 2, t->now);
			break;
		case 3:
			edge_router_set_congested(t->r, t->stream,
						  (x >> 16) % 2);
			break;
		case 4:
			pass(t, (x >> 8) % 30000);
			break;
		default:
			taken += send_text(t, i, "a") == 0;
			break;
		}
		drain(t);
		assert_int_equal(taken,
				 t->outcomes + edge_router_stanzas(t->r));
	}
	assert_in_range(t->delivered, 1000, taken);
	assert_in_range(t->refused, 100, taken);
}

/* An answer of the edge to a stanza of that domain. */
static int send_answer(struct rig *t, const char *xml)
{
	const struct edge_router_stanza s = {
		.pair = pair_ab, .xml = span_str(xml), .is_answer = true};
	struct edge_router_refusal no = {0};

	return edge_router_send(t->r, &s, t->now, &no);
}

/* Messages that fill the queue do not keep out the answers, nor the reverse;
 * what is owed is told, so that no more is taken from that peer. */
static void test_answers_have_room(void **state)
{
	struct rig *t = *state;

	for (uint64_t i = 0; i < LIMIT_PAIR_QUEUE_STANZAS; i++)
		assert_int_equal(send_text(t, i + 1, "m"), 0);
	assert_int_equal(send_text(t, 9999, "m"), FED_ELIMIT);
	for (size_t i = 0; i < LIMIT_PAIR_ANSWERS; i++) {
		assert_false(edge_router_owes(t->r, &pair_ab));
		assert_int_equal(send_answer(t, "a"), 0);
	}
	assert_true(edge_router_owes(t->r, &pair_ab));
	/* what was under way by then is taken all the same */
	for (size_t i = LIMIT_PAIR_ANSWERS; i < LIMIT_PAIR_ANSWERS_HARD; i++)
		assert_int_equal(send_answer(t, "a"), 0);
	assert_int_equal(send_answer(t, "a"), FED_ELIMIT);
	drain(t);
	end_with(t, S2S_END_CONNECT);
	drain(t);
	assert_int_equal(t->outcomes,
			 LIMIT_PAIR_QUEUE_STANZAS + LIMIT_PAIR_ANSWERS_HARD);
	assert_false(edge_router_owes(t->r, &pair_ab));
}

/* While no attempt may be made a message is refused; an answer has nobody to
 * be refused to and waits for the next attempt. */
static void test_answer_waits_for_back_off(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "m"), 0);
	expect(t, "connect:xmpp.example ");
	end_with(t, S2S_END_CONNECT);
	expect(t, "no1 ");
	assert_int_equal(send_answer(t, "a"), 0);
	assert_int_equal(send_text(t, 2, "m"), FED_EDENIED);
	expect(t, "");
	assert_in_range(edge_router_deadline_ms(t->r), t->now,
			t->now + LIMIT_BACKOFF_MIN_MS * 3 / 2 + 250);
	t->now = edge_router_deadline_ms(t->r);
	edge_router_on_timer(t->r, t->now);
	expect(t, "connect:xmpp.example ");
	open_stream(t);
	expect(t, "w:a ");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_queue_then_order),
		TEST(test_queues),
		TEST(test_failure_bounces_all),
		TEST(test_backoff),
		TEST(test_backoff_is_short_where_it_can_be),
		TEST(test_backoff_is_forgotten),
		TEST(test_lost_once_is_tried_again),
		TEST(test_loss_is_told),
		TEST(test_peer_that_drops_at_once),
		TEST(test_pair_limits),
		TEST(test_all_bytes_limit),
		TEST(test_many_domains),
		TEST(test_peer_limit),
		TEST(test_answers_have_room),
		TEST(test_answer_waits_for_back_off),
		TEST(test_idle_close),
		TEST(test_idle_of_the_peer),
		TEST(test_stall),
		TEST(test_congestion_holds),
		TEST(test_attempt_takes_too_long),
		TEST(test_stop),
		TEST(test_random_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
