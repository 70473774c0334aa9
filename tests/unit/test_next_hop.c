/* Next hops with a clock: order, failover, signs of life. */
#include "next_hop_harness.h"

static void test_fixed(void **state)
{
	struct fixture *f = *state;
	uint64_t token;

	begin(f, "sip:192.0.2.1;transport=tls");
	expect_none(f);
	send_to(f, 5, USER);
	token = expect_send(f, "192.0.2.1", "z9hG4bKabc");
	assert_int_equal(f->act.u.send.target->port, 5061);
	assert_int_equal(f->act.u.send.target->transport, SIP_TLS);
	assert_string_equal(f->act.u.send.target->host, "192.0.2.1");
	expect_none(f);
	assert_int_equal(respond(f, token, 100), 0);
	assert_int_equal(respond(f, token, 486), 5);
	/* nothing comes twice */
	assert_int_equal(respond(f, token, 200), 0);
	expect_none(f);
}

/* V3: 503, then no connection: the same request in new transactions */
static void test_failover(void **state)
{
	struct fixture *f = *state;
	uint64_t token;

	begin_two(f);
	send_to(f, 5, USER);
	token = expect_send(f, "192.0.2.1", "z9hG4bKabc");
	assert_int_equal(respond(f, token, 503), 0);
	token = expect_send(f, "192.0.2.2", "z9hG4bKabc.1");
	(void)expect_probe(f, "192.0.2.1");
	/* the last one's answer is the answer */
	assert_int_equal(finish(f, token, SIP_END_TRANSPORT, 0), 5);
	(void)expect_probe(f, "192.0.2.2");
	expect_none(f);
}

static void test_late_answer_counts(void **state)
{
	struct fixture *f = *state;
	uint64_t first, second;

	begin_two(f);
	send_to(f, 5, USER);
	first = expect_send(f, "192.0.2.1", "z9hG4bKabc");
	assert_int_equal(finish(f, first, SIP_END_TRANSPORT, 0), 0);
	second = expect_send(f, "192.0.2.2", "z9hG4bKabc.1");
	assert_int_equal(respond(f, first, 404), 0);
	assert_int_equal(respond(f, first, 200), 5);
	assert_true(f->is_again);
	assert_int_equal(respond(f, second, 200), 0);
}

/* What failed is the last choice for a while. */
static void test_avoided(void **state)
{
	struct fixture *f = *state;
	uint64_t token;

	f->p.options_ms = 0;
	begin_two(f);
	send_to(f, 1, USER);
	token = expect_send(f, "192.0.2.1", "z9hG4bKabc");
	assert_int_equal(respond(f, token, 503), 0);
	token = expect_send(f, "192.0.2.2", "z9hG4bKabc.1");
	assert_int_equal(respond(f, token, 200), 1);
	send_to(f, 2, USER);
	token = expect_send(f, "192.0.2.2", "z9hG4bKabc");
	assert_int_equal(respond(f, token, 200), 2);
	assert_false(f->is_again);
	f->now += LIMIT_HOP_AVOID_MS;
	send_to(f, 3, USER);
	(void)expect_send(f, "192.0.2.1", "z9hG4bKabc");
	assert_int_equal(next_hops_deadline_ms(f->h), UINT64_MAX);
}

/* Its Outcome is due: no more targets. */
static void test_too_late_for_another(void **state)
{
	struct fixture *f = *state;
	uint64_t token;

	f->p.options_ms = 0;
	begin_two(f);
	send_to(f, 1, USER);
	token = expect_send(f, "192.0.2.1", "z9hG4bKabc");
	f->now += 32000;
	assert_int_equal(finish(f, token, SIP_END_TIMEOUT, 0), 1);
	expect_none(f);
}

static void test_weights(void **state)
{
	const struct next_hop_found three[] = {found("192.0.2.1", 1, 70, 0),
					       found("192.0.2.2", 1, 30, 1),
					       found("192.0.2.3", 1, 0, 2)};
	struct fixture *f = *state;
	int count[4] = {0};

	begin(f, "sip:proxy.example");
	next_hops_on_resolved(f->h, expect_resolve(f, "proxy.example"),
			      NEXT_HOP_FOUND, three, 3, 600000, f->now);
	for (uint64_t i = 1; i <= 1000; i++) {
		send_to(f, i, USER);
		assert_true(next(f));
		count[f->act.u.send.target->ip[8] - '0']++;
		assert_int_equal(respond(f, f->act.u.send.token, 200), i);
	}
	assert_in_range(count[1], 630, 770);
	assert_in_range(count[2], 230, 370);
	assert_int_equal(count[3], 0);
}

/* Addresses of one host: the second when the first fails. */
static void test_addresses_of_a_host(void **state)
{
	const struct next_hop_found two[] = {found("192.0.2.1", 1, 9, 0),
					     found("2001:db8::1", 1, 9, 0)};
	struct fixture *f = *state;

	begin(f, "sip:proxy.example");
	next_hops_on_resolved(f->h, expect_resolve(f, "proxy.example"),
			      NEXT_HOP_FOUND, two, 2, 600000, f->now);
	for (uint64_t i = 1; i < 20; i++) {
		send_to(f, i, USER);
		(void)expect_send(f, "192.0.2.1", "z9hG4bKabc");
	}
	assert_int_equal(finish(f, f->act.u.send.token, SIP_END_TRANSPORT, 0),
			 0);
	(void)expect_send(f, "2001:db8::1", "z9hG4bKabc.1");
}

static void test_resolving(void **state)
{
	const struct next_hop_found a[] = {found("192.0.2.1", 1, 0, 0)};
	const struct next_hop_found b[] = {found("192.0.2.2", 1, 0, 0)};
	struct fixture *f = *state;
	uint64_t hop;

	begin(f, NULL);
	send_to(f, 1, "sip:romeo@one.example");
	send_to(f, 2, "sip:benvolio@ONE.example");
	hop = expect_resolve(f, "one.example");
	send_to(f, 3, "sip:romeo@one.example");
	expect_none(f);
	next_hops_on_resolved(f->h, hop, NEXT_HOP_FOUND, a, 1, 10000, f->now);
	for (int i = 0; i < 3; i++)
		(void)expect_send(f, "192.0.2.1", "z9hG4bKabc");
	expect_none(f);
	/* old answers do while new ones are asked for, and when DNS is out */
	f->now += 10000;
	send_to(f, 4, "sip:romeo@one.example");
	assert_int_equal(expect_resolve(f, "one.example"), hop);
	(void)expect_send(f, "192.0.2.1", "z9hG4bKabc");
	next_hops_on_resolved(f->h, hop, NEXT_HOP_FAILED, NULL, 0, 0, f->now);
	send_to(f, 5, "sip:romeo@one.example");
	(void)expect_send(f, "192.0.2.1", "z9hG4bKabc");
	f->now += LIMIT_HOP_TTL_MIN_MS;
	send_to(f, 6, "sip:romeo@one.example");
	(void)expect_resolve(f, "one.example");
	(void)expect_send(f, "192.0.2.1", "z9hG4bKabc");
	next_hops_on_resolved(f->h, hop, NEXT_HOP_FOUND, b, 1, 10000, f->now);
	send_to(f, 7, "sip:romeo@one.example");
	(void)expect_send(f, "192.0.2.2", "z9hG4bKabc");
}

static void test_unresolvable(void **state)
{
	struct fixture *f = *state;
	uint64_t hop;

	begin(f, NULL);
	send_to(f, 1, "sip:romeo@one.example");
	hop = expect_resolve(f, "one.example");
	next_hops_on_resolved(f->h, hop, NEXT_HOP_NOT_FOUND, NULL, 0, 0,
			      f->now);
	expect_end(f, 1, SIP_END_DNS);
	/* and at once, until it is asked again */
	send_to(f, 2, "sip:romeo@one.example");
	expect_end(f, 2, SIP_END_DNS);
	expect_none(f);
	f->now += LIMIT_HOP_TTL_MIN_MS;
	send_to(f, 3, "sip:romeo@one.example");
	hop = expect_resolve(f, "one.example");
	next_hops_on_resolved(f->h, hop, NEXT_HOP_FAILED, NULL, 0, 0, f->now);
	expect_end(f, 3, SIP_END_TRANSPORT);
}

/* RFC 3261 18.1.1, RFC 3428 8 */
static void test_size(void **state)
{
	struct fixture *f = *state;
	uint64_t token;

	begin(f, "sip:192.0.2.1");
	send_to(f, 1, USER);
	(void)expect_send(f, "192.0.2.1", "z9hG4bKabc");
	assert_int_equal(f->act.u.send.target->transport, SIP_UDP);
	memset(f->body, 'x', 1300);
	send_to(f, 2, USER);
	token = expect_send(f, "192.0.2.1", "z9hG4bKabc");
	assert_int_equal(f->act.u.send.target->transport, SIP_TCP);
	/* no TCP there, and never back to UDP */
	assert_int_equal(finish(f, token, SIP_END_TRANSPORT, 0), 0);
	expect_end(f, 2, SIP_END_TOO_BIG);
	expect_none(f);
	next_hops_free(f->h);
	f->p.transports = 1 << SIP_UDP;
	begin(f, "sip:192.0.2.1");
	send_to(f, 3, USER);
	expect_end(f, 3, SIP_END_TOO_BIG);
}

/* Every 30 s; any answer is life, 503 is not. */
static void test_options(void **state)
{
	struct fixture *f = *state;
	uint64_t probe;

	begin(f, "sip:192.0.2.1;transport=tcp");
	assert_int_equal(next_hops_deadline_ms(f->h), f->now + 30000);
	f->now += 29999;
	expect_none(f);
	f->now += 1;
	probe = expect_probe(f, "192.0.2.1");
	assert_string_equal(f->act.u.send.request->request_uri,
			    "sip:192.0.2.1");
	assert_string_equal(f->act.u.send.request->from_uri, "sip:sip.example");
	expect_none(f);
	assert_int_equal(respond(f, probe, 404), 0);
	f->now += LIMIT_HOP_PROBE_MS;
	expect_none(f);
	assert_int_equal(next_hops_deadline_ms(f->h), f->now + 25000);
	f->now += 25000;
	assert_int_equal(respond(f, expect_probe(f, "192.0.2.1"), 503), 0);
	assert_non_null(strstr(f->log, "state=down why=503"));
	expect_none(f);
	f->now += LIMIT_HOP_DOWN_MS;
	assert_int_equal(respond(f, expect_probe(f, "192.0.2.1"), 200), 0);
	assert_non_null(strstr(f->log, "state=up"));
}

/* All are mute: senders hear at once; the first answer ends it. */
static void test_all_down(void **state)
{
	struct fixture *f = *state;
	uint64_t probe;

	begin(f, "sip:192.0.2.1;transport=tcp");
	f->now += 30000;
	probe = expect_probe(f, "192.0.2.1");
	f->now += LIMIT_HOP_PROBE_MS;
	expect_none(f);
	assert_non_null(strstr(f->log, "state=down why=no-answer"));
	send_to(f, 1, USER);
	expect_end(f, 1, SIP_END_TIMEOUT);
	/* each refusal asks anew, but not more than once a second */
	(void)expect_probe(f, "192.0.2.1");
	send_to(f, 2, USER);
	expect_end(f, 2, SIP_END_TIMEOUT);
	expect_none(f);
	/* the answer to an old question is none of this one's */
	assert_int_equal(respond(f, probe, 200), 0);
	send_to(f, 3, USER);
	expect_end(f, 3, SIP_END_TIMEOUT);
	f->now += LIMIT_HOP_PROBE_MS;
	expect_none(f);
	f->now += LIMIT_HOP_DOWN_MS;
	assert_int_equal(respond(f, expect_probe(f, "192.0.2.1"), 200), 0);
	expect_back(f);
	send_to(f, 4, USER);
	(void)expect_send(f, "192.0.2.1", "z9hG4bKabc");
}

/* A connection that ended is asked after at once; an answer means a new life,
 * but once in an hour only. */
static void test_lost_connection(void **state)
{
	struct fixture *f = *state;

	begin(f, "sip:192.0.2.1;transport=tcp");
	next_hops_on_lost(f->h, "192.0.2.1", 5061, f->now);
	next_hops_on_lost(f->h, "192.0.2.2", 5060, f->now);
	expect_none(f);
	for (int i = 0; i < 2; i++) {
		next_hops_on_lost(f->h, "192.0.2.1", 5060, f->now);
		assert_int_equal(respond(f, expect_probe(f, "192.0.2.1"), 200),
				 0);
		if (i == 0)
			expect_back(f);
		expect_none(f);
	}
	f->now += LIMIT_HOP_REBORN_MS;
	assert_int_equal(respond(f, expect_probe(f, "192.0.2.1"), 200), 0);
	expect_none(f);
	next_hops_on_lost(f->h, "192.0.2.1", 5060, f->now);
	assert_int_equal(respond(f, expect_probe(f, "192.0.2.1"), 200), 0);
	expect_back(f);
}

/* One that refuses connections is tried: it says no at once, or is back. */
static void test_refusing(void **state)
{
	struct fixture *f = *state;
	uint64_t token, probe;

	begin(f, "sip:192.0.2.1;transport=tcp");
	send_to(f, 1, USER);
	token = expect_send(f, "192.0.2.1", "z9hG4bKabc");
	assert_int_equal(finish(f, token, SIP_END_TRANSPORT, 0), 1);
	token = expect_probe(f, "192.0.2.1");
	assert_int_equal(finish(f, token, SIP_END_TRANSPORT, 0), 0);
	assert_non_null(strstr(f->log, "state=down why=transport"));
	send_to(f, 2, USER);
	token = expect_send(f, "192.0.2.1", "z9hG4bKabc");
	/* its connection ended too: that is the same death */
	next_hops_on_lost(f->h, "192.0.2.1", 5060, f->now);
	probe = expect_probe(f, "192.0.2.1");
	assert_int_equal(respond(f, token, 200), 2);
	assert_non_null(strstr(f->log, "state=up"));
	expect_back(f);
	assert_int_equal(respond(f, probe, 200), 0);
	expect_none(f);
}

/* Silence after a request is looked into; what waits goes elsewhere. */
static void test_silent_target(void **state)
{
	struct fixture *f = *state;
	uint64_t token;

	begin_two(f);
	send_to(f, 1, USER);
	token = expect_send(f, "192.0.2.1", "z9hG4bKabc");
	send_to(f, 2, "sip:mute@sip.example");
	(void)expect_send(f, "192.0.2.1", "z9hG4bKabc");
	/* a mute user is not a mute proxy */
	assert_int_equal(respond(f, token, 200), 1);
	f->now += LIMIT_HOP_SILENT_MS;
	expect_none(f);
	send_to(f, 3, USER);
	(void)expect_send(f, "192.0.2.1", "z9hG4bKabc");
	assert_int_equal(next_hops_deadline_ms(f->h),
			 f->now + LIMIT_HOP_SILENT_MS);
	f->now += LIMIT_HOP_SILENT_MS;
	(void)expect_probe(f, "192.0.2.1");
	expect_none(f);
	f->now += LIMIT_HOP_PROBE_MS;
	(void)expect_send(f, "192.0.2.2", "z9hG4bKabc.1");
	(void)expect_send(f, "192.0.2.2", "z9hG4bKabc.1");
	expect_none(f);
	send_to(f, 4, USER);
	(void)expect_send(f, "192.0.2.2", "z9hG4bKabc");
}

/* Domains that nobody writes to any more are not asked about for ever. */
static void test_bounds(void **state)
{
	const struct next_hop_found a[] = {found("192.0.2.1", 1, 0, 0)};
	struct fixture *f = *state;
	uint64_t hops[LIMIT_HOPS];
	char uri[64];

	begin(f, NULL);
	for (unsigned i = 0; i < LIMIT_HOPS; i++) {
		(void)snprintf(uri, sizeof(uri), "sip:u@d%u.example", i);
		send_to(f, i, uri);
		assert_true(next(f));
		hops[i] = f->act.u.resolve.hop;
	}
	/* all of them wait for DNS */
	assert_int_equal(
		next_hops_send(f->h, 1,
			       &(struct sip_request_out){
				       .request_uri = "sip:u@more.example"},
			       f->now),
		FED_ELIMIT);
	for (unsigned i = 0; i < LIMIT_HOPS; i++) {
		next_hops_on_resolved(f->h, hops[i], NEXT_HOP_FOUND, a, 1,
				      600000, f->now);
		assert_true(next(f));
		assert_int_equal(respond(f, f->act.u.send.token, 200), i);
	}
	send_to(f, 1, "sip:u@more.example");
	(void)expect_resolve(f, "more.example");
	f->now += LIMIT_HOP_IDLE_MS;
	expect_none(f);
	assert_true(next_hops_deadline_ms(f->h) > f->now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_fixed),
		T(test_failover),
		T(test_late_answer_counts),
		T(test_avoided),
		T(test_too_late_for_another),
		T(test_weights),
		T(test_addresses_of_a_host),
		T(test_resolving),
		T(test_unresolvable),
		T(test_size),
		T(test_options),
		T(test_all_down),
		T(test_lost_connection),
		T(test_refusing),
		T(test_silent_target),
		T(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
