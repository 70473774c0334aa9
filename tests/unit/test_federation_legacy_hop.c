/* The old gateway as a next hop: signs of life, failover, no way back. */
#include "next_hop_harness.h"

#define HOP "sip:legacy.example;transport=tcp"
#define BRANCH "z9hG4bKfabc"

static int pass(struct fixture *f, uint64_t token, const char *ip,
		uint16_t port)
{
	struct sip_request_out r = {
		.method = "MESSAGE",
		.request_uri = "sip:juliet@xmpp.example",
		.branch = BRANCH,
		.passed = 77,
		.passed_bytes = 400,
		.max_forwards = 69,
		.sender.port = port,
	};

	(void)snprintf(r.sender.ip, sizeof(r.sender.ip), "%s", ip);
	return next_hops_send(f->h, token, &r, f->now);
}

static void set(struct fixture *f, const char *uri)
{
	assert_int_equal(next_hops_set_legacy(f->h, uri, f->now), 0);
}

static struct next_hop_found found_at(const char *ip, uint32_t rank)
{
	struct next_hop_found t = {.rank = rank, .group = rank};

	t.target.transport = SIP_TCP;
	t.target.port = 5060;
	(void)snprintf(t.target.ip, sizeof(t.target.ip), "%s", ip);
	return t;
}

/* @return the token */
static uint64_t expect_passed(struct fixture *f, const char *ip,
			      const char *branch)
{
	assert_true(next(f));
	assert_int_equal(f->act.kind, NEXT_HOP_ACT_SEND);
	assert_int_equal(f->act.u.send.request->passed, 77);
	assert_int_equal(f->act.u.send.request->max_forwards, 69);
	assert_string_equal(f->act.u.send.target->ip, ip);
	assert_string_equal(f->act.u.send.request->branch, branch);
	return f->act.u.send.token;
}

static void expect_end_of(struct fixture *f, uint64_t token, enum sip_end end)
{
	assert_true(next(f));
	assert_int_equal(f->act.kind, NEXT_HOP_ACT_END);
	assert_int_equal(f->act.u.end.token, token);
	assert_int_equal(f->act.u.end.end, end);
}

static void answer(struct fixture *f, uint64_t token, int status)
{
	struct sip_response_in r = {.end = SIP_END_RESPONSE, .status = status};
	uint64_t owner;

	(void)next_hops_on_response(f->h, token, &r, f->now, &owner);
}

/* The first thing that is done is to ask whether it is there. */
static void test_is_asked(void **state)
{
	struct fixture *f = *state;
	uint64_t probe;

	begin(f, "sip:192.0.2.1");
	assert_int_equal(next_hops_health(f->h, true), NEXT_HOP_UNKNOWN);
	set(f, "sip:192.0.2.9;transport=tcp");
	probe = expect_probe(f, "192.0.2.9");
	assert_int_equal(next_hops_health(f->h, true), NEXT_HOP_UNKNOWN);
	answer(f, probe, 404);
	assert_int_equal(next_hops_health(f->h, true), NEXT_HOP_UP);
	f->now += LIMIT_HOP_OPTIONS_S * 1000;
	while (next(f) && strcmp(f->act.u.send.target->ip, "192.0.2.9") != 0)
		answer(f, f->act.u.send.token, 200);
	answer(f, f->act.u.send.token, 503);
	assert_int_equal(next_hops_health(f->h, true), NEXT_HOP_DOWN);
	assert_int_equal(next_hops_health(f->h, false), NEXT_HOP_UP);
	/* both are asked again at once, when somebody looks */
	next_hops_ask(f->h, f->now + LIMIT_HOP_ASK_AGAIN_MS);
	f->now += LIMIT_HOP_ASK_AGAIN_MS;
	probe = expect_probe(f, "192.0.2.1");
	answer(f, probe, 200);
	/* its return is not that of the SIP side */
	f->now += LIMIT_HOP_DOWN_MS;
	probe = expect_probe(f, "192.0.2.9");
	answer(f, probe, 200);
	assert_int_equal(next_hops_health(f->h, true), NEXT_HOP_UP);
	while (next(f))
		assert_int_not_equal(f->act.kind, NEXT_HOP_ACT_BACK);
}

/* RFC 3263 4.3, with a branch of its own for the second try. */
static void test_failover(void **state)
{
	const struct next_hop_found two[] = {found_at("192.0.2.11", 1),
					     found_at("192.0.2.12", 2)};
	struct fixture *f = *state;
	uint64_t token, owner;
	struct sip_response_in r = {.end = SIP_END_RESPONSE, .status = 503};

	f->p.options_ms = 0;
	begin(f, "sip:192.0.2.1");
	set(f, HOP);
	assert_int_equal(pass(f, 1, "192.0.2.1", 5060), 0);
	assert_true(next(f));
	assert_int_equal(f->act.kind, NEXT_HOP_ACT_RESOLVE);
	next_hops_on_resolved(f->h, f->act.u.resolve.hop, NEXT_HOP_FOUND, two,
			      2, 60000, f->now);
	token = expect_passed(f, "192.0.2.11", BRANCH);
	assert_false(next_hops_on_response(f->h, token, &r, f->now, &owner));
	token = expect_passed(f, "192.0.2.12", BRANCH ".1");
	r.status = 200;
	assert_true(next_hops_on_response(f->h, token, &r, f->now, &owner));
	assert_int_equal(owner, 1);
}

static void test_sender(void **state)
{
	static const struct {
		const char *ip;
		uint16_t port;
		bool is_loop;
	} rows[] = {
		{"192.0.2.9", 5060, true},
		/* another server on that host */
		{"192.0.2.9", 5080, false},
		{"192.0.2.1", 5060, false},
	};
	struct fixture *f = *state;

	f->p.options_ms = 0;
	begin(f, "sip:192.0.2.1");
	set(f, "sip:192.0.2.9;transport=tcp");
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		assert_int_equal(pass(f, i, rows[i].ip, rows[i].port), 0);
		if (rows[i].is_loop)
			expect_end_of(f, i, SIP_END_LOOP);
		else
			(void)expect_passed(f, "192.0.2.9", BRANCH);
	}
}

/* Another one, or none: what waits for the first ends, what is out there may
 * still be answered. */
static void test_other(void **state)
{
	struct sip_response_in r = {.end = SIP_END_RESPONSE, .status = 200};
	struct fixture *f = *state;
	uint64_t token, owner;

	f->p.options_ms = 0;
	begin(f, "sip:192.0.2.1");
	assert_int_equal(pass(f, 1, "192.0.2.1", 5060), FED_ENOTFOUND);
	set(f, HOP);
	set(f, HOP);
	assert_int_equal(pass(f, 1, "192.0.2.1", 5060), 0);
	set(f, "sip:192.0.2.9;transport=tcp");
	expect_end_of(f, 1, SIP_END_TRANSPORT);
	assert_int_equal(pass(f, 2, "192.0.2.1", 5060), 0);
	token = expect_passed(f, "192.0.2.9", BRANCH);
	set(f, NULL);
	assert_true(next_hops_on_response(f->h, token, &r, f->now, &owner));
	assert_int_equal(owner, 2);
	assert_int_equal(pass(f, 3, "192.0.2.1", 5060), FED_ENOTFOUND);
	assert_int_equal(next_hops_set_legacy(f->h, "tel:1", f->now),
			 FED_EPROTO);
	assert_false(next(f));
}

/* A long one leaves over TCP (RFC 3261 18.1.1). */
static void test_size(void **state)
{
	struct sip_request_out r = {
		.method = "MESSAGE",
		.request_uri = "sip:juliet@xmpp.example",
		.branch = BRANCH,
		.passed = 77,
		.passed_bytes = 1201, /* and 100 */
		.max_forwards = 69,
	};
	struct fixture *f = *state;

	f->p.options_ms = 0;
	begin(f, "sip:192.0.2.1");
	set(f, "sip:192.0.2.9");
	assert_int_equal(next_hops_send(f->h, 1, &r, f->now), 0);
	(void)expect_passed(f, "192.0.2.9", BRANCH);
	assert_int_equal(f->act.u.send.target->transport, SIP_TCP);
	r.passed_bytes--;
	assert_int_equal(next_hops_send(f->h, 2, &r, f->now), 0);
	(void)expect_passed(f, "192.0.2.9", BRANCH);
	assert_int_equal(f->act.u.send.target->transport, SIP_UDP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_is_asked), T(test_failover), T(test_sender),
		T(test_other),	  T(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
