/* The life of the router: stop and end. */
#include "gw_router_harness.h"

static void test_stop(void **state)
{
	struct fixture *f = *state;
	uint64_t held, late;

	both_edges_up(f);
	held = request(f);
	expect(f, GW_ACT_STANZA);
	feed(f, 1, message(f, "romeo@sip.example"));
	gw_router_stop(f->r, f->now);
	assert_false(gw_router_is_idle(f->r));
	gw_router_on_outcome(f->r, f->act.u.stanza.delivery.handle, NULL,
			     f->now);
	expect_reply(f, held, 200);
	expect(f, GW_ACT_SIP_SEND);
	respond(f, f->act.u.sip_send.token, 200);
	expect(f, GW_ACT_OUTCOME);
	late = request(f);
	expect_reply(f, late, 504);
	assert_true(gw_router_is_idle(f->r));
	/* not refused: the edge gives it to another gateway */
	feed(f, 2, message(f, "romeo@sip.example"));
	expect_none(f);
	assert_true(gw_router_is_idle(f->r));
	assert_int_equal(gw_router_deadline_ms(f->r), UINT64_MAX);
}

/* Nobody answers: all ends in time, and no stanza gets an Outcome. */
static void test_stop_is_bounded(void **state)
{
	struct fixture *f = *state;
	uint64_t held, delivery, token;

	both_edges_up(f);
	held = request(f);
	expect(f, GW_ACT_STANZA);
	delivery = f->act.u.stanza.delivery.handle;
	feed(f, 1, message(f, "romeo@sip.example"));
	feed(f, 2, message(f, "romeo@sip.example"));
	expect(f, GW_ACT_SIP_SEND);
	token = f->act.u.sip_send.token;
	f->now += 1000;
	gw_router_stop(f->r, f->now);
	expect_none(f);
	f->now += LIMIT_SIP_TRYING_MS - 1000;
	expect_reply(f, held, 100);
	f->now += LIMIT_GATEWAY_STOP_MS - LIMIT_SIP_TRYING_MS + 1000;
	assert_int_equal(gw_router_deadline_ms(f->r), f->now);
	expect_reply(f, held, 504);
	expect_none(f);
	assert_true(gw_router_is_idle(f->r));
	assert_int_equal(count_log(f, "to-sip", "outcome=returned"), 2);
	assert_int_equal(count_log(f, "to-xmpp", "outcome="), 1);
	respond(f, token, 200);
	gw_router_on_outcome(f->r, delivery, NULL, f->now);
	expect_none(f);
}

/* A second signal does not give more time. */
static void test_stop_twice(void **state)
{
	struct fixture *f = *state;
	uint64_t held;

	both_edges_up(f);
	held = request(f);
	expect(f, GW_ACT_STANZA);
	gw_router_stop(f->r, f->now);
	f->now += LIMIT_SIP_TRYING_MS;
	expect_reply(f, held, 100);
	gw_router_stop(f->r, f->now);
	f->now += LIMIT_GATEWAY_STOP_MS - LIMIT_SIP_TRYING_MS;
	expect_reply(f, held, 504);
}

static void test_stop_without_edge(void **state)
{
	struct fixture *f = *state;
	uint64_t held = request(f);

	expect_none(f);
	gw_router_stop(f->r, f->now);
	expect_reply(f, held, 504);
	assert_true(gw_router_is_idle(f->r));
}

/* Freed with everything held: the sanitizer looks. */
static void test_free_when_full(void **state)
{
	struct fixture *f = *state;

	gw_router_on_edge(f->r, 0, GW_EDGE_READY, f->now);
	(void)request(f);
	expect(f, GW_ACT_STANZA);
	(void)request(f);
	feed(f, 1, message(f, "romeo@sip.example"));
	feed(f, 2, message(f, "romeo@sip.example"));
	feed(f, 3, message(f, "romeo@other.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_stop),		T(test_stop_is_bounded),
		T(test_stop_twice),	T(test_stop_without_edge),
		T(test_free_when_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
