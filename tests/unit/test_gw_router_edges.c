/* Edges come and go: who gets what is not answered. */
#include "gw_router_harness.h"

static void test_rendezvous(void **state)
{
	struct fixture *f = *state;
	struct span d = SPAN_LIT("example.com");
	size_t owner;

	assert_int_equal(gw_router_pick_edge(f->r, d), 2);
	both_edges_up(f);
	owner = gw_router_pick_edge(f->r, d);
	assert_true(owner < 2);
	gw_router_on_edge(f->r, owner, GW_EDGE_DOWN, f->now);
	assert_int_equal(gw_router_pick_edge(f->r, d), 1 - owner);
}

static void test_in_waits_for_channel(void **state)
{
	struct fixture *f = *state;
	uint64_t first = request(f), second = request(f), handle;

	expect_none(f);
	gw_router_on_edge(f->r, 0, GW_EDGE_FULL, f->now);
	expect_none(f);
	gw_router_on_edge(f->r, 0, GW_EDGE_READY, f->now);
	expect(f, GW_ACT_STANZA);
	handle = f->act.u.stanza.delivery.handle;
	gw_router_on_send_failed(f->r, handle, FED_EAGAIN, f->now);
	expect_none(f);
	/* the order is kept */
	gw_router_on_edge(f->r, 0, GW_EDGE_READY, f->now);
	expect(f, GW_ACT_STANZA);
	assert_int_equal(f->act.u.stanza.delivery.handle, handle);
	gw_router_on_outcome(f->r, handle, NULL, f->now);
	expect_reply(f, first, 200);
	expect(f, GW_ACT_STANZA);
	gw_router_on_outcome(f->r, f->act.u.stanza.delivery.handle, NULL,
			     f->now);
	expect_reply(f, second, 200);
}

/* The next edge gets what a lost one gave back, first and marked. */
static void test_in_returned(void **state)
{
	struct fixture *f = *state;
	uint64_t handles[3], ids = 0;
	uint8_t id[ID_RAW_BYTES];
	size_t edge;

	both_edges_up(f);
	for (int i = 0; i < 3; i++) {
		(void)request(f);
		expect(f, GW_ACT_STANZA);
		handles[i] = f->act.u.stanza.delivery.handle;
		edge = f->act.u.stanza.edge;
		if (i == 0)
			memcpy(id, f->act.u.stanza.delivery.id, sizeof(id));
	}
	(void)request(f);
	gw_router_on_edge(f->r, edge, GW_EDGE_DOWN, f->now);
	for (int i = 0; i < 3; i++)
		gw_router_on_returned(f->r, edge, handles[i], f->now);
	for (int i = 0; i < 4; i++) {
		expect(f, GW_ACT_STANZA);
		assert_int_equal(f->act.u.stanza.edge, 1 - edge);
		assert_int_equal(f->act.u.stanza.delivery.is_redelivered,
				 i < 3);
		assert_true(f->act.u.stanza.delivery.handle > ids);
		ids = f->act.u.stanza.delivery.handle;
		if (i == 0)
			assert_memory_equal(f->act.u.stanza.delivery.id, id,
					    sizeof(id));
	}
	expect_none(f);
}

/* An edge that does not come back in time: the next one gets its stanzas; the
 * first may still answer, once. */
static void test_in_failover(void **state)
{
	struct fixture *f = *state;
	uint64_t h, handle;
	size_t edge;

	both_edges_up(f);
	h = request(f);
	expect(f, GW_ACT_STANZA);
	handle = f->act.u.stanza.delivery.handle;
	edge = f->act.u.stanza.edge;
	gw_router_on_edge(f->r, edge, GW_EDGE_DRAINING, f->now);
	f->now += LIMIT_SIP_TRYING_MS;
	expect_reply(f, h, 100);
	gw_router_on_edge(f->r, edge, GW_EDGE_DOWN, f->now);
	expect_none(f);
	assert_int_equal(gw_router_deadline_ms(f->r),
			 f->now + LIMIT_EDGE_GRACE_MS);
	f->now += LIMIT_EDGE_GRACE_MS;
	expect(f, GW_ACT_STANZA);
	assert_int_equal(f->act.u.stanza.edge, 1 - edge);
	assert_int_equal(f->act.u.stanza.delivery.handle, handle);
	assert_true(f->act.u.stanza.delivery.is_redelivered);
	gw_router_on_returned(f->r, edge, handle, f->now);
	expect_none(f);
	gw_router_on_outcome(f->r, handle, NULL, f->now);
	expect_reply(f, h, 200);
	gw_router_on_outcome(f->r, handle, NULL, f->now);
	expect_none(f);
}

/* What an edge has not answered when it is lost is not overtaken by what comes
 * while it is waited for. */
static void test_in_order_over_a_loss(void **state)
{
	struct fixture *f = *state;
	uint64_t first, second;
	size_t edge;

	both_edges_up(f);
	(void)request(f);
	expect(f, GW_ACT_STANZA);
	first = f->act.u.stanza.delivery.handle;
	edge = f->act.u.stanza.edge;
	gw_router_on_edge(f->r, edge, GW_EDGE_DOWN, f->now);
	(void)request(f);
	expect_none(f);
	f->now += LIMIT_EDGE_GRACE_MS;
	for (int i = 0; i < 2; i++) {
		/* 100 Trying is due for both as well */
		do {
			assert_true(
				gw_router_next_action(f->r, &f->act, f->now));
		} while (f->act.kind == GW_ACT_SIP_REPLY);
		assert_int_equal(f->act.kind, GW_ACT_STANZA);
		assert_int_equal(f->act.u.stanza.edge, 1 - edge);
		second = f->act.u.stanza.delivery.handle;
		assert_true(i == 0 ? second == first : second > first);
	}
}

/* One that owes nothing is not waited for. */
static void test_in_goes_on_elsewhere(void **state)
{
	struct fixture *f = *state;
	uint64_t h;
	size_t edge;

	both_edges_up(f);
	h = request(f);
	expect(f, GW_ACT_STANZA);
	edge = f->act.u.stanza.edge;
	gw_router_on_outcome(f->r, f->act.u.stanza.delivery.handle, NULL,
			     f->now);
	expect_reply(f, h, 200);
	gw_router_on_edge(f->r, edge, GW_EDGE_DOWN, f->now);
	(void)request(f);
	expect(f, GW_ACT_STANZA);
	assert_int_equal(f->act.u.stanza.edge, 1 - edge);
}

/* Alone, an edge is waited for as long as another would be. */
static void test_in_no_failover(void **state)
{
	struct fixture *f = *state;
	uint64_t h;

	gw_router_on_edge(f->r, 0, GW_EDGE_READY, f->now);
	h = request(f);
	expect(f, GW_ACT_STANZA);
	gw_router_on_edge(f->r, 0, GW_EDGE_DOWN, f->now);
	f->now += LIMIT_EDGE_GRACE_MS - 1;
	expect_reply(f, h, 100);
	expect_none(f);
	gw_router_on_edge(f->r, 0, GW_EDGE_READY, f->now);
	f->now += 1;
	expect_none(f);
	gw_router_on_outcome(f->r, 1, NULL, f->now);
	expect_reply(f, h, 200);
}

/* The only edge does not come back in time: its users are told. */
static void test_lost_alone(void **state)
{
	struct fixture *f = *state;
	uint64_t sent, waiting;

	gw_router_on_edge(f->r, 0, GW_EDGE_READY, f->now);
	sent = request(f);
	expect(f, GW_ACT_STANZA);
	gw_router_on_edge(f->r, 0, GW_EDGE_DOWN, f->now);
	waiting = request(f);
	f->now += LIMIT_SIP_TRYING_MS;
	expect_reply(f, sent, 100);
	expect_reply(f, waiting, 100);
	expect_none(f);
	f->now += LIMIT_EDGE_GRACE_MS - LIMIT_SIP_TRYING_MS;
	assert_int_equal(gw_router_deadline_ms(f->r), f->now);
	expect_reply(f, sent, 504);
	expect_reply(f, waiting, 504);
	expect_none(f);
	assert_int_equal(gw_router_deadline_ms(f->r), UINT64_MAX);
	assert_int_equal(count_log(f, "outcome=no-edge", "status=504"), 2);
	/* the session resumes after all */
	gw_router_on_edge(f->r, 0, GW_EDGE_READY, f->now);
	gw_router_on_outcome(f->r, 1, NULL, f->now);
	gw_router_on_returned(f->r, 0, 2, f->now);
	expect_none(f);
}

/* Without an edge for long, nobody waits; with one again, all is as before. */
static void test_no_edge(void **state)
{
	struct fixture *f = *state;
	uint64_t h = request(f);

	/* just started: the edges are being dialled */
	expect_none(f);
	f->now += LIMIT_EDGE_GRACE_MS;
	expect_reply(f, h, 504);
	h = request(f);
	expect_reply(f, h, 504);
	assert_int_equal(f->metrics.value[METRIC_refused], 2);
	gw_router_on_edge(f->r, 0, GW_EDGE_READY, f->now);
	(void)request(f);
	expect(f, GW_ACT_STANZA);
	gw_router_on_outcome(f->r, f->act.u.stanza.delivery.handle, NULL,
			     f->now);
	expect(f, GW_ACT_SIP_REPLY);
	f->now += 1000;
	gw_router_on_edge(f->r, 0, GW_EDGE_DOWN, f->now);
	f->now += LIMIT_EDGE_GRACE_MS - 1;
	h = request(f);
	expect_none(f);
	f->now += 1;
	expect_reply(f, h, 504);
}

/* A stopping edge answers what it has; it gets nothing new. */
static void test_draining_alone(void **state)
{
	struct fixture *f = *state;
	uint64_t sent, waiting, delivery;

	gw_router_on_edge(f->r, 0, GW_EDGE_READY, f->now);
	sent = request(f);
	expect(f, GW_ACT_STANZA);
	delivery = f->act.u.stanza.delivery.handle;
	gw_router_on_edge(f->r, 0, GW_EDGE_DRAINING, f->now);
	waiting = request(f);
	f->now += LIMIT_SIP_TRYING_MS;
	expect_reply(f, sent, 100);
	expect_reply(f, waiting, 100);
	f->now += LIMIT_EDGE_GRACE_MS - LIMIT_SIP_TRYING_MS;
	expect_reply(f, waiting, 504);
	expect_none(f);
	f->now += LIMIT_EDGE_GRACE_MS;
	gw_router_on_outcome(f->r, delivery, NULL, f->now);
	expect_reply(f, sent, 200);
	assert_true(gw_router_is_idle(f->r));
}

/* One edge after the other goes: the grace runs from the last. */
static void test_both_lost(void **state)
{
	struct fixture *f = *state;
	uint64_t h, start = f->now;
	size_t first;

	both_edges_up(f);
	h = request(f);
	expect(f, GW_ACT_STANZA);
	first = f->act.u.stanza.edge;
	gw_router_on_edge(f->r, first, GW_EDGE_DOWN, f->now);
	f->now += LIMIT_SIP_TRYING_MS;
	expect_reply(f, h, 100);
	gw_router_on_edge(f->r, 1 - first, GW_EDGE_DOWN, f->now);
	f->now = start + LIMIT_EDGE_GRACE_MS;
	expect_none(f);
	f->now = start + LIMIT_SIP_TRYING_MS + LIMIT_EDGE_GRACE_MS;
	assert_int_equal(gw_router_deadline_ms(f->r), f->now);
	expect_reply(f, h, 504);
	assert_true(gw_router_is_idle(f->r));
}

/* What an edge had for us is gone with its session, or when it could not give
 * it to us for long. */
static void test_gap(void **state)
{
	struct fixture *f = *state;
	const struct presence_params presence = {
		.repair_rate = 1,
		.ids = &f->ids,
		.log = &f->logger,
		.metrics = &f->metrics,
	};
	struct gw_router_params p = {
		.edges = EDGES,
		.edge_count = 2,
		.ids = &f->ids,
		.log = &f->logger,
		.metrics = &f->metrics,
	};
	struct gw_router *r;

	assert_int_equal(presence_new(&p.presence, &presence, f->now), 0);
	assert_int_equal(gw_router_new(&r, &p, f->now), 0);
	/* the first one, and one that goes on */
	gw_router_on_session(r, 0);
	gw_router_on_edge(r, 0, GW_EDGE_READY, f->now);
	gw_router_on_edge(r, 0, GW_EDGE_DOWN, f->now);
	f->now += LIMIT_EDGE_GAP_MS - 1;
	gw_router_on_edge(r, 0, GW_EDGE_READY, f->now);
	gw_router_on_session(r, 1);
	gw_router_on_edge(r, 1, GW_EDGE_READY, f->now);
	assert_int_equal(count_log(f, "presence_channel", "lost=1"), 0);
	gw_router_on_edge(r, 0, GW_EDGE_DOWN, f->now);
	f->now += LIMIT_EDGE_GAP_MS;
	gw_router_on_edge(r, 0, GW_EDGE_READY, f->now);
	assert_int_equal(count_log(f, "presence_channel", "lost=1"), 1);
	gw_router_on_edge(r, 0, GW_EDGE_DOWN, f->now);
	gw_router_on_session(r, 0);
	gw_router_on_edge(r, 0, GW_EDGE_READY, f->now);
	assert_int_equal(count_log(f, "presence_channel", "lost=1"), 2);
	/* nobody saw the end of the one before */
	gw_router_on_session(r, 0);
	gw_router_on_edge(r, 0, GW_EDGE_READY, f->now);
	gw_router_on_edge(r, 0, GW_EDGE_FULL, f->now);
	gw_router_on_edge(r, 0, GW_EDGE_READY, f->now);
	assert_int_equal(count_log(f, "presence_channel", "lost=1"), 3);
	gw_router_free(r);
	presence_free(p.presence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rendezvous),
		T(test_in_waits_for_channel),
		T(test_in_returned),
		T(test_in_failover),
		T(test_in_no_failover),
		T(test_lost_alone),
		T(test_no_edge),
		T(test_draining_alone),
		T(test_both_lost),
		T(test_gap),
		T(test_in_order_over_a_loss),
		T(test_in_goes_on_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
