/* XMPP -> SIP: order, window, deadlines, redelivery. */
#include "gw_router_harness.h"

static void test_out_delivered(void **state)
{
	struct fixture *f = *state;

	feed(f, 1, message(f, "romeo@sip.example"));
	expect(f, GW_ACT_SIP_SEND);
	assert_string_equal(f->act.u.sip_send.request->request_uri,
			    "sip:romeo@sip.example");
	expect_none(f);
	respond(f, f->act.u.sip_send.token, 100);
	expect_none(f);
	respond(f, f->act.u.sip_send.token, 200);
	expect_outcome(f, 1, FED__CONDITION__NO_CONDITION);
	expect_none(f);
	assert_true(gw_router_is_idle(f->r));
	assert_non_null(strstr(f->log, "dir=to-sip"));
	/* a second final response changes nothing (IM2) */
	respond(f, f->act.u.sip_send.token, 200);
	expect_none(f);
}

/* IM23, IM24, E9 and the ends without a response */
static void test_out_refused(void **state)
{
	static const struct {
		enum sip_end end;
		int status;
		Fed__Condition condition;
	} rows[] = {
		{SIP_END_RESPONSE, 404, FED__CONDITION__ITEM_NOT_FOUND},
		{SIP_END_RESPONSE, 480, FED__CONDITION__RECIPIENT_UNAVAILABLE},
		{SIP_END_RESPONSE, 486, FED__CONDITION__RECIPIENT_UNAVAILABLE},
		{SIP_END_RESPONSE, 603, FED__CONDITION__RECIPIENT_UNAVAILABLE},
		{SIP_END_RESPONSE, 503, FED__CONDITION__INTERNAL_SERVER_ERROR},
		{SIP_END_TIMEOUT, 0, FED__CONDITION__REMOTE_SERVER_TIMEOUT},
		{SIP_END_TRANSPORT, 0, FED__CONDITION__REMOTE_SERVER_TIMEOUT},
		{SIP_END_DNS, 0, FED__CONDITION__REMOTE_SERVER_NOT_FOUND},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct sip_response_in r = {.end = rows[i].end,
					    .status = rows[i].status};

		feed(f, i + 1, message(f, "romeo@sip.example"));
		expect(f, GW_ACT_SIP_SEND);
		gw_router_on_sip_response(f->r, f->act.u.sip_send.token, &r,
					  f->now);
		expect_outcome(f, i + 1, rows[i].condition);
	}
}

/* IM4: one in flight for each Request-URI, in order */
static void test_out_order(void **state)
{
	struct fixture *f = *state;
	uint64_t first;

	feed(f, 1, message(f, "romeo@sip.example"));
	feed(f, 2, message(f, "romeo@sip.example"));
	feed(f, 3, message(f, "romeo@sip.example/dev"));
	expect(f, GW_ACT_SIP_SEND);
	first = f->act.u.sip_send.token;
	expect(f, GW_ACT_SIP_SEND);
	assert_string_equal(f->act.u.sip_send.request->request_uri,
			    "sip:romeo@sip.example;gr=dev");
	expect_none(f);
	respond(f, first, 200);
	expect_outcome(f, 1, FED__CONDITION__NO_CONDITION);
	expect(f, GW_ACT_SIP_SEND);
	assert_true(f->act.u.sip_send.token > first);
	respond(f, f->act.u.sip_send.token, 404);
	expect_outcome(f, 2, FED__CONDITION__ITEM_NOT_FOUND);
	expect_none(f);
}

static void test_out_uri_queue_full(void **state)
{
	struct fixture *f = *state;

	feed(f, 1, message(f, "romeo@sip.example"));
	expect(f, GW_ACT_SIP_SEND);
	for (uint64_t i = 0; i < LIMIT_URI_QUEUE; i++)
		feed(f, 2 + i, message(f, "romeo@sip.example"));
	expect_none(f);
	feed(f, 999, message(f, "romeo@sip.example"));
	expect(f, GW_ACT_OUTCOME);
	assert_int_equal(f->act.u.outcome.ref, 999);
	assert_int_equal(f->act.u.outcome.refused->condition,
			 FED__CONDITION__RESOURCE_CONSTRAINT);
	assert_int_equal(f->act.u.outcome.refused->type, FED__ERROR_TYPE__WAIT);
	assert_string_equal(f->act.u.outcome.refused->text[0]->text,
			    "Too many messages wait for this user");
}

static void fail_one(struct fixture *f, enum sip_end end)
{
	struct sip_response_in r = {.end = end};

	feed(f, 1, message(f, "romeo@sip.example"));
	expect(f, GW_ACT_SIP_SEND);
	gw_router_on_sip_response(f->r, f->act.u.sip_send.token, &r, f->now);
	expect(f, GW_ACT_OUTCOME);
}

/* A next hop that is down: a line a second, and one when it answers again. */
static void test_next_hop_down(void **state)
{
	struct fixture *f = *state;

	fail_one(f, SIP_END_TIMEOUT);
	assert_int_equal(count_log(f, "event=next_hop_", ""), 0);
	for (int i = 0; i < 5; i++)
		fail_one(f, SIP_END_TRANSPORT);
	assert_int_equal(count_log(f, "event=next_hop_failed", "why=transport"),
			 1);
	f->now += 1000;
	fail_one(f, SIP_END_DNS);
	assert_int_equal(count_log(f, "event=next_hop_failed", "why=dns"), 1);
	assert_int_equal(count_log(f, "event=next_hop_back", ""), 0);
	for (int i = 0; i < 2; i++) {
		feed(f, 1, message(f, "romeo@sip.example"));
		expect(f, GW_ACT_SIP_SEND);
		respond(f, f->act.u.sip_send.token, 404);
		expect(f, GW_ACT_OUTCOME);
	}
	assert_int_equal(count_log(f, "event=next_hop_back", ""), 1);
}

static void test_out_window(void **state)
{
	struct fixture *f = *state;
	char to[64];
	uint64_t token = 0;

	for (uint64_t i = 0; i <= LIMIT_SIP_WINDOW; i++) {
		(void)snprintf(to, sizeof(to), "u%d@sip.example", (int)i);
		feed(f, 1 + i, message(f, to));
	}
	for (uint64_t i = 0; i < LIMIT_SIP_WINDOW; i++) {
		expect(f, GW_ACT_SIP_SEND);
		token = f->act.u.sip_send.token;
	}
	expect_none(f);
	respond(f, token, 200);
	expect(f, GW_ACT_OUTCOME);
	expect(f, GW_ACT_SIP_SEND);
	expect_none(f);
}

static void feed_users(struct fixture *f, unsigned from, unsigned count)
{
	char to[64];

	for (unsigned i = from; i < from + count; i++) {
		arena_reset(&f->a);
		(void)snprintf(to, sizeof(to), "u%u@sip.example", i);
		feed(f, i + 1, message(f, to));
	}
}

static void expect_sends(struct fixture *f, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		expect(f, GW_ACT_SIP_SEND);
	expect_none(f);
}

/* Users that never answer leave the window after 2 s, up to a bound. */
static void test_out_mute_users(void **state)
{
	const unsigned blocks = LIMIT_SIP_SLOW / LIMIT_SIP_WINDOW;
	struct fixture *f = *state;
	uint64_t token;

	feed_users(f, 0, LIMIT_SIP_WINDOW + 1);
	for (unsigned i = 0; i < LIMIT_SIP_WINDOW; i++)
		expect(f, GW_ACT_SIP_SEND);
	token = f->act.u.sip_send.token;
	expect_none(f);
	assert_int_equal(gw_router_deadline_ms(f->r), f->now + 2000);
	f->now += 1999;
	expect_none(f);
	f->now += 1;
	expect_sends(f, 1);
	/* a slow one that ends gives back a slow place, no fast one */
	respond(f, token, 200);
	expect(f, GW_ACT_OUTCOME);
	feed_users(f, LIMIT_SIP_WINDOW + 1, LIMIT_SIP_WINDOW);
	expect_sends(f, LIMIT_SIP_WINDOW - 1);
	for (unsigned i = 1; i < blocks; i++) {
		f->now += 2000;
		feed_users(f, (i + 1) * LIMIT_SIP_WINDOW + 1, LIMIT_SIP_WINDOW);
		expect_sends(f, LIMIT_SIP_WINDOW);
	}
	/* the slow places are taken but for one, the window is full */
	f->now += 2000;
	feed_users(f, 10000, 3);
	expect_sends(f, 1);
	f->now += 2000;
	expect_none(f);
	assert_true(gw_router_deadline_ms(f->r) > f->now);
}

static void test_out_deadlines(void **state)
{
	struct fixture *f = *state;
	uint64_t start = f->now;

	feed(f, 1, message(f, "romeo@sip.example"));
	expect(f, GW_ACT_SIP_SEND);
	feed(f, 2, message(f, "romeo@sip.example"));
	assert_int_equal(gw_router_deadline_ms(f->r),
			 start + LIMIT_SIP_LOST_MS);
	f->now = start + LIMIT_SIP_LOST_MS;
	expect_outcome(f, 1, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	expect(f, GW_ACT_SIP_SEND);
	feed(f, 3, message(f, "romeo@sip.example"));
	f->now = start + 2 * LIMIT_SIP_LOST_MS;
	expect_outcome(f, 2, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	expect(f, GW_ACT_SIP_SEND);
	feed(f, 4, message(f, "romeo@sip.example"));
	f->now = start + 3 * LIMIT_SIP_LOST_MS;
	expect_outcome(f, 3, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	expect(f, GW_ACT_SIP_SEND);
	/* 60 s in the queue */
	feed(f, 5, message(f, "romeo@sip.example"));
	f->now += 39000;
	feed(f, 6, message(f, "romeo@sip.example"));
	respond(f, f->act.u.sip_send.token, 486);
	expect_outcome(f, 4, FED__CONDITION__RECIPIENT_UNAVAILABLE);
	expect(f, GW_ACT_SIP_SEND);
	f->now += 39000;
	respond(f, f->act.u.sip_send.token, 200);
	expect_outcome(f, 5, FED__CONDITION__NO_CONDITION);
	expect(f, GW_ACT_SIP_SEND);
	expect_none(f);
}

static void test_out_waits_too_long(void **state)
{
	struct fixture *f = *state;
	uint64_t token;

	feed(f, 1, message(f, "romeo@sip.example"));
	feed(f, 2, message(f, "romeo@sip.example"));
	feed(f, 3, message(f, "romeo@sip.example"));
	expect(f, GW_ACT_SIP_SEND);
	f->now += 39000;
	respond(f, f->act.u.sip_send.token, 486);
	expect_outcome(f, 1, FED__CONDITION__RECIPIENT_UNAVAILABLE);
	expect(f, GW_ACT_SIP_SEND);
	token = f->act.u.sip_send.token;
	f->now += 21000;
	expect_outcome(f, 3, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	expect_none(f);
	respond(f, token, 200);
	expect_outcome(f, 2, FED__CONDITION__NO_CONDITION);
	assert_true(gw_router_is_idle(f->r));
}

/* The same delivery again: one transaction, the newest ref is answered. */
static void test_out_duplicate(void **state)
{
	struct fixture *f = *state;

	feed_id(f, 0, 1, message(f, "romeo@sip.example"), 77);
	expect(f, GW_ACT_SIP_SEND);
	feed_id(f, 1, 5, message(f, "romeo@sip.example"), 77);
	expect_none(f);
	respond(f, f->act.u.sip_send.token, 200);
	expect_outcome(f, 5, FED__CONDITION__NO_CONDITION);
	assert_int_equal(f->act.u.outcome.edge, 1);
	/* and after it was delivered */
	feed_id(f, 0, 6, message(f, "romeo@sip.example"), 77);
	expect_outcome(f, 6, FED__CONDITION__NO_CONDITION);
	expect_none(f);
}

/* The user agent says "merged": on the first try that is a loop, on a later one
 * it has the message already, and what became of it is not known. */
static void test_merged(void **state)
{
	struct fixture *f = *state;
	struct sip_response_in again = {
		.end = SIP_END_RESPONSE, .status = 482, .is_again = true};

	feed(f, 1, message(f, "romeo@sip.example"));
	expect(f, GW_ACT_SIP_SEND);
	respond(f, f->act.u.sip_send.token, 482);
	expect_outcome(f, 1, FED__CONDITION__NOT_ACCEPTABLE);
	feed(f, 2, message(f, "romeo@sip.example"));
	expect(f, GW_ACT_SIP_SEND);
	gw_router_on_sip_response(f->r, f->act.u.sip_send.token, &again,
				  f->now);
	expect_outcome(f, 2, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	f->is_redelivered = true;
	feed(f, 3, message(f, "romeo@sip.example"));
	expect(f, GW_ACT_SIP_SEND);
	respond(f, f->act.u.sip_send.token, 482);
	expect_outcome(f, 3, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
}

static void test_delivered_ids_are_bounded(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i <= LIMIT_DELIVERED_IDS; i++) {
		arena_reset(&f->a);
		feed_id(f, 0, i + 1, message(f, "romeo@sip.example"), i);
		expect(f, GW_ACT_SIP_SEND);
		respond(f, f->act.u.sip_send.token, 200);
		expect(f, GW_ACT_OUTCOME);
	}
	/* the oldest is forgotten, the second is not */
	feed_id(f, 0, 1, message(f, "romeo@sip.example"), 1);
	expect_outcome(f, 1, FED__CONDITION__NO_CONDITION);
	feed_id(f, 0, 1, message(f, "romeo@sip.example"), 0);
	expect(f, GW_ACT_SIP_SEND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_out_delivered),
		T(test_out_refused),
		T(test_out_order),
		T(test_out_uri_queue_full),
		T(test_next_hop_down),
		T(test_out_window),
		T(test_out_mute_users),
		T(test_out_deadlines),
		T(test_out_waits_too_long),
		T(test_out_duplicate),
		T(test_merged),
		T(test_delivered_ids_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
