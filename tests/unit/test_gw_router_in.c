/* SIP -> XMPP: answers, deadlines, bounds. */
#include "gw_router_harness.h"

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
	assert_non_null(strstr(f->log, "dir=to-xmpp"));
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

/* an edge without room, for longer than the transaction may last */
static void test_in_waits_until_504(void **state)
{
	struct fixture *f = *state;
	uint64_t h;

	gw_router_on_edge(f->r, 0, GW_EDGE_FULL, f->now);
	h = request(f);
	f->now += LIMIT_SIP_FINAL_MS - 1;
	expect_reply(f, h, 100);
	expect_none(f);
	f->now += 1;
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

/* V13 */
static void test_in_merged(void **state)
{
	struct fixture *f = *state;
	uint64_t h;

	gw_router_on_edge(f->r, 0, GW_EDGE_FULL, f->now);
	h = request(f);
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
	assert_int_equal(count_log(f, "trace=- dir=to-xmpp", "status=500"), 1);
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

/* RFC 3325: the word of a trusted proxy goes before From; only its. */
static void test_asserted_identity(void **state)
{
	static const struct {
		const char *source;
		const char *asserted;
		const char *from;
		int status; /* 0: it goes on */
	} rows[] = {
		{"192.0.2.1", "<sip:ben@sip.example>", "ben@sip.example", 0},
		{"192.0.2.1", "<tel:+1>", "romeo@sip.example", 0},
		{"192.0.2.1", "<sip:ben@other.example>", "", 403},
		{"203.0.113.1", "<sip:ben@sip.example>", "", 403},
	};
	struct fixture *f = *state;

	both_edges_up(f);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct sip_request_in r = {
			.handle = i + 1,
			.method = SPAN_LIT("MESSAGE"),
			.source = span_str(rows[i].source),
			.request_uri = SPAN_LIT("sip:juliet@example.com"),
			.to_uri = SPAN_LIT("sip:juliet@example.com"),
			.from_uri = SPAN_LIT("sip:romeo@sip.example"),
			.from_tag = SPAN_LIT("t"),
			.asserted = span_str(rows[i].asserted),
			.call_id = span_str(rows[i].asserted),
			.cseq = 1,
			.body = SPAN_LIT("hi"),
		};

		gw_router_on_sip_request(f->r, &r, f->now);
		if (rows[i].status != 0) {
			expect_reply(f, i + 1, rows[i].status);
			continue;
		}
		expect(f, GW_ACT_STANZA);
		assert_string_equal(f->act.u.stanza.delivery.stanza->from,
				    rows[i].from);
	}
}

/* Few long ones hold as much memory as many short ones. */
static void test_in_full_of_bytes(void **state)
{
	struct fixture *f = *state;
	size_t n = 60000, held = 0;
	char *body = malloc(n);

	assert_non_null(body);
	memset(body, 'a', n);
	gw_router_on_edge(f->r, 0, GW_EDGE_FULL, f->now);
	f->body = span_of(body, n);
	while (held < LIMIT_SIP_PENDING) {
		(void)request(f);
		if (next(f))
			break;
		held++;
	}
	assert_true(held < LIMIT_SIP_PENDING);
	assert_int_equal(f->act.u.sip_reply.reply->line.status, 500);
	assert_in_range(held, LIMIT_SIP_PENDING_BYTES / n / 2,
			LIMIT_SIP_PENDING_BYTES / n + 1);
	/* what ended makes room */
	gw_router_on_edge(f->r, 0, GW_EDGE_READY, f->now);
	expect(f, GW_ACT_STANZA);
	gw_router_on_outcome(f->r, f->act.u.stanza.delivery.handle, NULL,
			     f->now);
	expect(f, GW_ACT_SIP_REPLY);
	assert_int_equal(f->act.u.sip_reply.reply->line.status, 200);
	gw_router_on_edge(f->r, 0, GW_EDGE_FULL, f->now);
	(void)request(f);
	expect_none(f);
	free(body);
}

/* A stranger does not fill the log. */
static void test_untrusted_lines(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in r = {
		.handle = 9,
		.method = SPAN_LIT("MESSAGE"),
		.source = SPAN_LIT("203.0.113.1"),
	};

	for (int i = 0; i < 100; i++) {
		gw_router_on_sip_request(f->r, &r, f->now);
		expect_reply(f, 9, 403);
	}
	assert_int_equal(count_log(f, "sip_answered", "untrusted"),
			 LIMIT_GATEWAY_WARN_BURST);
	f->now += 1000;
	gw_router_on_sip_request(f->r, &r, f->now);
	expect_reply(f, 9, 403);
	assert_int_equal(count_log(f, "sip_answered", "untrusted"),
			 LIMIT_GATEWAY_WARN_BURST + LIMIT_GATEWAY_WARN_RATE);
}

static void test_udp_rate(void **state)
{
	struct fixture *f = *state;
	struct span proxy = SPAN_LIT("192.0.2.1");

	for (unsigned i = 0; i < LIMIT_SIP_UDP_RATE; i++)
		assert_true(gw_router_admit_udp(f->r, proxy, f->now));
	assert_false(gw_router_admit_udp(f->r, proxy, f->now));
	assert_false(gw_router_admit_udp(f->r, proxy, f->now));
	assert_int_equal(f->metrics.value[METRIC_queue_full], 2);
	assert_int_equal(count_log(f, "udp_rate", "source=192.0.2.1"), 2);
	/* what was dropped comes again after half a second (Timer E) */
	f->now += 500;
	for (unsigned i = 0; i < LIMIT_SIP_UDP_RATE / 2; i++)
		assert_true(gw_router_admit_udp(f->r, proxy, f->now));
	assert_false(gw_router_admit_udp(f->r, proxy, f->now));
}

/* Strangers do not use up the proxy's share. */
static void test_udp_strangers(void **state)
{
	struct fixture *f = *state;
	struct span stranger = SPAN_LIT("203.0.113.1");

	for (unsigned i = 0; i < LIMIT_SIP_STRANGER_RATE; i++)
		assert_true(gw_router_admit_udp(f->r, stranger, f->now));
	for (unsigned i = 0; i < LIMIT_SIP_UDP_RATE; i++)
		assert_false(gw_router_admit_udp(f->r, stranger, f->now));
	assert_true(gw_router_admit_udp(f->r, SPAN_LIT("192.0.2.1"), f->now));
	assert_int_equal(f->metrics.value[METRIC_queue_full], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_in_delivered),	   T(test_in_refused),
		T(test_in_deadlines),	   T(test_in_waits_until_504),
		T(test_in_unsendable),	   T(test_in_merged),
		T(test_in_full),	   T(test_in_full_of_bytes),
		T(test_asserted_identity), T(test_untrusted),
		T(test_untrusted_lines),   T(test_udp_rate),
		T(test_udp_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
