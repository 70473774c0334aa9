/* The router: both directions, deadlines, bounds, redelivery. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/router.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

static const char *const DOMAINS[] = {"sip.example"};
static const char *const TRUSTED[] = {"192.0.2.1"};
static const char *const EDGES[] = {"edge1.example", "edge2.example"};

struct fixture {
	struct gw_router *r;
	struct id_source ids;
	struct metrics metrics;
	struct arena a;
	struct gw_action act;
	uint64_t now;
	uint64_t next_handle;
	uint8_t next_id;
	char log[65536];
	struct logger logger;
};

static void sink(void *arg, enum fed_log_level level, const char *line,
		 size_t n)
{
	struct fixture *f = arg;
	size_t used = strlen(f->log);

	(void)level;
	if (used + n + 2 < sizeof(f->log))
		(void)snprintf(f->log + used, sizeof(f->log) - used, "%s\n",
			       line);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct gw_router_params p = {
		.checks = {.domains = DOMAINS,
			   .domain_count = 1,
			   .trusted = TRUSTED,
			   .trusted_count = 1},
		.map = {.page_max_bytes = 1300, .fixed_bytes = 100},
		.edges = EDGES,
		.edge_count = 2,
	};

	assert_non_null(f);
	f->now = 1000000;
	f->logger = (struct logger){FED_LOG_INFO, sink, f};
	p.ids = &f->ids;
	p.log = &f->logger;
	p.metrics = &f->metrics;
	arena_init(&f->a, 64u << 20);
	assert_int_equal(gw_router_new(&f->r, &p), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	gw_router_free(f->r);
	arena_deinit(&f->a);
	free(f);
	return 0;
}

static bool next(struct fixture *f)
{
	return gw_router_next_action(f->r, &f->act, f->now);
}

static void expect(struct fixture *f, enum gw_action_kind kind)
{
	assert_true(next(f));
	assert_int_equal(f->act.kind, kind);
}

static void expect_none(struct fixture *f)
{
	assert_false(next(f));
}

static void expect_reply(struct fixture *f, uint64_t handle, int status)
{
	expect(f, GW_ACT_SIP_REPLY);
	assert_int_equal(f->act.u.sip_reply.handle, handle);
	assert_int_equal(f->act.u.sip_reply.reply->line.status, status);
}

/* Condition of an OUTCOME; NO_CONDITION: delivered. */
static void expect_outcome(struct fixture *f, uint64_t ref, Fed__Condition c)
{
	const Fed__Error *e;

	expect(f, GW_ACT_OUTCOME);
	assert_int_equal(f->act.u.outcome.ref, ref);
	e = f->act.u.outcome.refused;
	assert_int_equal(
		e != NULL ? e->condition : FED__CONDITION__NO_CONDITION, c);
}

static uint64_t request_to(struct fixture *f, const char *uri)
{
	char call_id[32];
	struct sip_request_in r = {
		.handle = ++f->next_handle,
		.method = SPAN_LIT("MESSAGE"),
		.source = SPAN_LIT("192.0.2.1"),
		.request_uri = span_str(uri),
		.to_uri = span_str(uri),
		.from_uri = SPAN_LIT("sip:romeo@sip.example"),
		.from_tag = SPAN_LIT("t"),
		.cseq = 1,
		.content_type = SPAN_LIT("text/plain"),
		.body = SPAN_LIT("hello"),
	};

	(void)snprintf(call_id, sizeof(call_id), "call%d", (int)f->next_handle);
	r.call_id = span_str(call_id);
	gw_router_on_sip_request(f->r, &r, f->now);
	return r.handle;
}

static uint64_t request(struct fixture *f)
{
	return request_to(f, "sip:juliet@example.com");
}

static Fed__Stanza *message(struct fixture *f, const char *to)
{
	Fed__Stanza *s = stanza_new_message(&f->a);

	s->from = arena_dup(&f->a, SPAN_LIT("juliet@example.com/balcony"));
	s->to = arena_dup(&f->a, span_str(to));
	s->id = arena_dup(&f->a, SPAN_LIT("m1"));
	assert_int_equal(stanza_add_text(&f->a, &s->message->body,
					 &s->message->n_body, SPAN_NULL,
					 SPAN_LIT("hi")),
			 0);
	return s;
}

static void feed_id(struct fixture *f, size_t edge, uint64_t ref,
		    Fed__Stanza *s, uint32_t id)
{
	uint8_t raw[ID_RAW_BYTES] = {(uint8_t)(id >> 16), (uint8_t)(id >> 8),
				     (uint8_t)id};
	Fed__StanzaFrame frame;

	fed__stanza_frame__init(&frame);
	frame.delivery_id.data = raw;
	frame.delivery_id.len = ID_RAW_BYTES;
	frame.stanza = s;
	gw_router_on_stanza(f->r, edge, ref, &frame, f->now);
}

static void feed(struct fixture *f, uint64_t ref, Fed__Stanza *s)
{
	feed_id(f, 0, ref, s, (uint32_t)ref);
}

static void respond(struct fixture *f, uint64_t token, int status)
{
	struct sip_response_in r = {.end = SIP_END_RESPONSE, .status = status};

	gw_router_on_sip_response(f->r, token, &r, f->now);
}

static void both_edges_up(struct fixture *f)
{
	gw_router_on_edge(f->r, 0, GW_EDGE_READY, f->now);
	gw_router_on_edge(f->r, 1, GW_EDGE_READY, f->now);
}

/* --- SIP -> XMPP -----------------------------------------------------------
 */

static void test_in_delivered(void **state)
{
	struct fixture *f = *state;
	uint64_t h;

	both_edges_up(f);
	h = request(f);
	expect(f, GW_ACT_STANZA);
	assert_string_equal(f->act.u.stanza.delivery.stanza->to,
			    "juliet@example.com");
	assert_false(f->act.u.stanza.delivery.is_redelivered);
	expect_none(f);
	f->now += 7;
	gw_router_on_outcome(f->r, f->act.u.stanza.delivery.handle, NULL,
			     f->now);
	expect_reply(f, h, 200);
	assert_string_equal(f->act.u.sip_reply.reply->line.phrase, "OK");
	expect_none(f);
	assert_true(gw_router_is_idle(f->r));
	assert_non_null(strstr(f->log, "dir=sip-xmpp"));
	assert_non_null(strstr(f->log, "outcome=delivered status=200 ms=7"));
}

static void test_in_refused(void **state)
{
	struct fixture *f = *state;
	Fed__Error *e;
	uint64_t h;

	both_edges_up(f);
	/* E4: bare and full JID */
	e = stanza_error_new(&f->a, FED__CONDITION__ITEM_NOT_FOUND, NULL);
	h = request(f);
	expect(f, GW_ACT_STANZA);
	gw_router_on_outcome(f->r, f->act.u.stanza.delivery.handle, e, f->now);
	expect_reply(f, h, 604);
	h = request_to(f, "sip:juliet@example.com;gr=balcony");
	expect(f, GW_ACT_STANZA);
	gw_router_on_outcome(f->r, f->act.u.stanza.delivery.handle, e, f->now);
	expect_reply(f, h, 404);
	/* E16 */
	e = stanza_error_new(&f->a, FED__CONDITION__REMOTE_SERVER_TIMEOUT,
			     NULL);
	h = request(f);
	expect(f, GW_ACT_STANZA);
	gw_router_on_outcome(f->r, f->act.u.stanza.delivery.handle, e, f->now);
	expect_reply(f, h, 504);
}

/* V11, V12: 100 at 3.5 s, 504 before 32 s; the late Outcome changes nothing */
static void test_in_deadlines(void **state)
{
	struct fixture *f = *state;
	uint64_t start = f->now, h, delivery;

	both_edges_up(f);
	h = request(f);
	expect(f, GW_ACT_STANZA);
	delivery = f->act.u.stanza.delivery.handle;
	assert_int_equal(gw_router_deadline_ms(f->r),
			 start + LIMIT_SIP_TRYING_MS);
	f->now = start + LIMIT_SIP_TRYING_MS - 1;
	expect_none(f);
	f->now = start + LIMIT_SIP_TRYING_MS;
	expect_reply(f, h, 100);
	expect_none(f);
	assert_int_equal(gw_router_deadline_ms(f->r),
			 start + LIMIT_SIP_FINAL_MS);
	f->now = start + LIMIT_SIP_FINAL_MS;
	expect_reply(f, h, 504);
	expect_none(f);
	assert_int_equal(gw_router_deadline_ms(f->r), UINT64_MAX);
	gw_router_on_outcome(f->r, delivery, NULL, f->now);
	expect_none(f);
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

static void test_in_waits_until_504(void **state)
{
	struct fixture *f = *state;
	uint64_t h = request(f);

	f->now += LIMIT_SIP_FINAL_MS;
	expect_reply(f, h, 504);
	expect_none(f);
	assert_true(gw_router_is_idle(f->r));
}

static void test_in_unsendable(void **state)
{
	struct fixture *f = *state;
	uint64_t h;

	both_edges_up(f);
	h = request(f);
	expect(f, GW_ACT_STANZA);
	gw_router_on_send_failed(f->r, f->act.u.stanza.delivery.handle,
				 FED_ELIMIT, f->now);
	expect_reply(f, h, 513);
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

/* Alone, an edge is waited for. */
static void test_in_no_failover(void **state)
{
	struct fixture *f = *state;
	uint64_t h;

	gw_router_on_edge(f->r, 0, GW_EDGE_READY, f->now);
	h = request(f);
	expect(f, GW_ACT_STANZA);
	gw_router_on_edge(f->r, 0, GW_EDGE_DOWN, f->now);
	f->now += LIMIT_EDGE_GRACE_MS;
	expect_reply(f, h, 100);
	expect_none(f);
	gw_router_on_edge(f->r, 0, GW_EDGE_READY, f->now);
	expect_none(f);
	gw_router_on_outcome(f->r, 1, NULL, f->now);
	expect_reply(f, h, 200);
}

/* V13 */
static void test_in_merged(void **state)
{
	struct fixture *f = *state;
	uint64_t h = request(f);

	f->next_handle--;
	assert_int_equal(request(f), h);
	expect_reply(f, h, 482);
	f->now += LIMIT_SIP_FINAL_MS;
	expect_reply(f, h, 504);
	f->next_handle--;
	(void)request(f);
	expect_none(f);
}

static void test_in_full(void **state)
{
	struct fixture *f = *state;
	uint64_t h;

	for (size_t i = 0; i < LIMIT_SIP_PENDING; i++)
		(void)request(f);
	expect_none(f);
	h = request(f);
	expect(f, GW_ACT_SIP_REPLY);
	assert_int_equal(f->act.u.sip_reply.handle, h);
	assert_int_equal(f->act.u.sip_reply.reply->line.status, 500);
	assert_int_equal(f->metrics.value[METRIC_queue_full], 1);
}

static void test_untrusted(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in r = {
		.handle = 9,
		.method = SPAN_LIT("MESSAGE"),
		.source = SPAN_LIT("203.0.113.1"),
	};

	gw_router_on_sip_request(f->r, &r, f->now);
	expect_reply(f, 9, 403);
	assert_int_equal(f->metrics.value[METRIC_sip_untrusted], 1);
	r.source = SPAN_LIT("192.0.2.1");
	r.method = SPAN_LIT("ACK");
	gw_router_on_sip_request(f->r, &r, f->now);
	expect(f, GW_ACT_SIP_DROP);
	expect_none(f);
}

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

/* --- XMPP -> SIP -----------------------------------------------------------
 */

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
	assert_non_null(strstr(f->log, "dir=xmpp-sip"));
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

static void test_out_deadlines(void **state)
{
	struct fixture *f = *state;
	uint64_t start = f->now;

	feed(f, 1, message(f, "romeo@sip.example"));
	expect(f, GW_ACT_SIP_SEND);
	feed(f, 2, message(f, "romeo@sip.example"));
	assert_int_equal(gw_router_deadline_ms(f->r), start + 40000);
	f->now = start + 40000;
	expect_outcome(f, 1, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	expect(f, GW_ACT_SIP_SEND);
	feed(f, 3, message(f, "romeo@sip.example"));
	f->now = start + 80000;
	expect_outcome(f, 2, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	expect(f, GW_ACT_SIP_SEND);
	feed(f, 4, message(f, "romeo@sip.example"));
	f->now = start + 80000 + 40000;
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
	/* IM9 */
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
	assert_string_equal(s->iq->disco_info->identity[0]->category,
			    "gateway");
	assert_true(s->iq->disco_info->n_feature >= 4);
	gw_router_on_outcome(f->r, f->act.u.stanza.delivery.handle, NULL,
			     f->now);
	expect_none(f);
	assert_true(gw_router_is_idle(f->r));
}

static void test_iq_refused(void **state)
{
	struct fixture *f = *state;
	Fed__Stanza *s;

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

/* --- stop ------------------------------------------------------------------
 */

static void test_stop(void **state)
{
	struct fixture *f = *state;
	uint64_t held, late;

	both_edges_up(f);
	held = request(f);
	expect(f, GW_ACT_STANZA);
	feed(f, 1, message(f, "romeo@sip.example"));
	gw_router_stop(f->r);
	assert_false(gw_router_is_idle(f->r));
	gw_router_on_outcome(f->r, f->act.u.stanza.delivery.handle, NULL,
			     f->now);
	expect_reply(f, held, 200);
	expect(f, GW_ACT_SIP_SEND);
	respond(f, f->act.u.sip_send.token, 200);
	expect(f, GW_ACT_OUTCOME);
	late = request(f);
	expect_reply(f, late, 500);
	feed(f, 2, message(f, "romeo@sip.example"));
	expect_outcome(f, 2, FED__CONDITION__RESOURCE_CONSTRAINT);
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

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_in_delivered),
		T(test_in_refused),
		T(test_in_deadlines),
		T(test_in_waits_for_channel),
		T(test_in_waits_until_504),
		T(test_in_unsendable),
		T(test_in_returned),
		T(test_in_failover),
		T(test_in_no_failover),
		T(test_in_merged),
		T(test_in_full),
		T(test_untrusted),
		T(test_rendezvous),
		T(test_out_delivered),
		T(test_out_refused),
		T(test_out_order),
		T(test_out_uri_queue_full),
		T(test_out_window),
		T(test_out_deadlines),
		T(test_out_waits_too_long),
		T(test_out_duplicate),
		T(test_delivered_ids_are_bounded),
		T(test_out_bad_stanzas),
		T(test_out_facts),
		T(test_presence),
		T(test_iq_result),
		T(test_iq_refused),
		T(test_stop),
		T(test_free_when_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
