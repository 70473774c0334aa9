/* What is the old gateway's: which requests, on which way, with what end. */
#include "gw_router_harness.h"

#include "fe-gateway/core/sip_pass.h"

#define HOP "sip:legacy.example;transport=tcp"

/* The configuration: federation on, one partner that is ours, one that is known
 * and not ours yet. */
static struct federation *configuration(const char *hop)
{
	static char ours[] = "ours.example", known[] = "known.example";
	static char empty[] = "";
	Fed__SettingsRecord settings;
	Fed__PartnerRecord partners[2];
	Fed__Record records[3];
	Fed__Record *put[] = {&records[0], &records[1], &records[2]};
	struct federation_edit edit = {.put = put, .put_count = 3};
	struct federation *f = NULL;
	struct errbuf e = {.text = ""};
	char uri[128];

	(void)snprintf(uri, sizeof(uri), "%s", hop);
	for (size_t i = 0; i < 3; i++)
		fed__record__init(&records[i]);
	fed__settings_record__init(&settings);
	federation_settings_init(&settings);
	settings.federation = true;
	settings.legacy_next_hop = hop[0] != '\0' ? uri : empty;
	records[0].kind_case = FED__RECORD__KIND_SETTINGS;
	records[0].settings = &settings;
	for (size_t i = 0; i < 2; i++) {
		fed__partner_record__init(&partners[i]);
		federation_partner_init(&partners[i]);
		records[i + 1].kind_case = FED__RECORD__KIND_PARTNER;
		records[i + 1].partner = &partners[i];
	}
	partners[0].domain = ours;
	partners[1].domain = known;
	partners[1].state = FED__PARTNER_STATE__LEGACY;
	if (federation_new(&f, NULL, &edit, NULL, NULL, &e) != 0)
		fail_msg("%s", e.text);
	return f;
}

struct legacy {
	struct fixture *f;
	struct federation *config;
};

static int setup_legacy(void **state)
{
	struct legacy *l = calloc(1, sizeof(*l));
	void *inner = NULL;

	assert_non_null(l);
	assert_int_equal(setup(&inner), 0);
	l->f = inner;
	l->config = configuration(HOP);
	gw_router_set_federation(l->f->r, l->config, l->f->now);
	*state = l;
	return 0;
}

static int teardown_legacy(void **state)
{
	struct legacy *l = *state;
	void *inner = l->f;

	assert_int_equal(teardown(&inner), 0);
	federation_free(l->config);
	free(l);
	return 0;
}

#define L(fn) cmocka_unit_test_setup_teardown(fn, setup_legacy, teardown_legacy)

static struct sip_request_in message_to(const char *uri)
{
	return (struct sip_request_in){
		.method = SPAN_LIT("MESSAGE"),
		.source = SPAN_LIT("192.0.2.1"),
		.via_port = 5060,
		.branches = SPAN_LIT("z9hG4bKtop z9hG4bKsecond"),
		.request_uri = span_str(uri),
		.to_uri = span_str(uri),
		.from_uri = SPAN_LIT("sip:romeo@sip.example"),
		.from_tag = SPAN_LIT("t"),
		.call_id = SPAN_LIT("call"),
		.cseq = 1,
		.has_max_forwards = true,
		.max_forwards = 12,
		.bytes = 500,
		.content_type = SPAN_LIT("application/whatever"),
		.body = SPAN_LIT("x"),
	};
}

static uint64_t feed_request(struct fixture *f, struct sip_request_in q)
{
	q.handle = ++f->next_handle;
	gw_router_on_sip_request(f->r, &q, f->now);
	return q.handle;
}

/* @return the token */
static uint64_t expect_passed(struct fixture *f, uint64_t handle)
{
	expect(f, GW_ACT_SIP_SEND);
	assert_int_equal(f->act.u.sip_send.request->passed, handle);
	assert_string_equal(f->act.u.sip_send.request->method, "MESSAGE");
	assert_int_equal(f->act.u.sip_send.request->passed_bytes, 500);
	assert_int_equal(f->act.u.sip_send.request->sender.port, 5060);
	assert_string_equal(f->act.u.sip_send.request->sender.ip, "192.0.2.1");
	return f->act.u.sip_send.token;
}

/* Domains and methods that go there, and those that do not: they are answered
 * as always, with that status. */
static void test_which(void **state)
{
	static const struct {
		const char *method;
		const char *uri;
		const char *from;
		const char *source;
		int status; /* 0: it is passed on */
	} rows[] = {
		{"MESSAGE", "sip:j@known.example", NULL, NULL, 0},
		{"MESSAGE", "sip:j@unknown.example", NULL, NULL, 0},
		{"MESSAGE", "sip:j@UNKNOWN.example;gr=x", NULL, NULL, 0},
		{"SUBSCRIBE", "sip:j@known.example", NULL, NULL, 0},
		{"NOTIFY", "sip:j@known.example", NULL, NULL, 0},
		{"OPTIONS", "sip:j@known.example", NULL, NULL, 200},
		{"INVITE", "sip:j@known.example", NULL, NULL, 405},
		{"MESSAGE", "sip:j@sip.example", NULL, NULL, 415},
		{"MESSAGE", "sip:known.example", NULL, NULL, 415},
		{"MESSAGE", "sip:j@192.0.2.77", NULL, NULL, 415},
		{"MESSAGE", "sips:j@known.example", NULL, NULL, 480},
		{"MESSAGE", "tel:+1", NULL, NULL, 416},
		{"MESSAGE", "sip:j@known.example", NULL, "192.0.2.66", 403},
		/* nobody's relay */
		{"MESSAGE", "sip:j@known.example", "sip:x@other.example", NULL,
		 415},
		{"MESSAGE", "sip:j@ours.example", NULL, NULL, 415},
	};
	struct legacy *l = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct sip_request_in q = message_to(rows[i].uri);
		uint64_t h;

		q.method = span_str(rows[i].method);
		if (rows[i].from != NULL)
			q.from_uri = span_str(rows[i].from);
		if (rows[i].source != NULL)
			q.source = span_str(rows[i].source);
		h = feed_request(l->f, q);
		if (rows[i].status != 0) {
			expect_reply(l->f, h, rows[i].status);
			continue;
		}
		expect(l->f, GW_ACT_SIP_SEND);
		assert_int_equal(l->f->act.u.sip_send.request->passed, h);
		assert_string_equal(l->f->act.u.sip_send.request->method,
				    rows[i].method);
	}
	assert_int_equal(l->f->metrics.value[METRIC_legacy_refused], 0);
}

/* Without an old gateway nothing is passed on. */
static void test_none(void **state)
{
	struct legacy *l = *state;
	struct federation *none = configuration("");
	uint64_t h;

	gw_router_set_federation(l->f->r, NULL, l->f->now);
	h = feed_request(l->f, message_to("sip:j@known.example"));
	expect_reply(l->f, h, 415);
	gw_router_set_federation(l->f->r, none, l->f->now);
	h = feed_request(l->f, message_to("sip:j@known.example"));
	expect_reply(l->f, h, 415);
	gw_router_set_federation(l->f->r, l->config, l->f->now);
	federation_free(none);
}

static void test_answers(void **state)
{
	static const struct {
		enum sip_end end;
		int status;
		int told; /* 0: the answer as it came */
		const char *ledger;
	} rows[] = {
		{SIP_END_RESPONSE, 200, 0, "outcome=delivered status=200"},
		{SIP_END_RESPONSE, 202, 0, "outcome=delivered status=202"},
		{SIP_END_RESPONSE, 302, 0, "outcome=refused status=302"},
		{SIP_END_RESPONSE, 404, 0, "outcome=refused status=404"},
		{SIP_END_RESPONSE, 603, 0, "outcome=refused status=603"},
		{SIP_END_RESPONSE, 503, 500, "outcome=refused status=500"},
		{SIP_END_RESPONSE, 408, 504, "outcome=refused status=504"},
		{SIP_END_TIMEOUT, 0, 504, "outcome=timeout status=504"},
		{SIP_END_TRANSPORT, 0, 504, "outcome=transport status=504"},
		{SIP_END_DNS, 0, 502, "outcome=dns status=502"},
		{SIP_END_TOO_BIG, 0, 513, "outcome=too-big status=513"},
		{SIP_END_LOOP, 0, 482, "outcome=loop status=482"},
	};
	struct legacy *l = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct sip_response_in s = {.end = rows[i].end,
					    .status = rows[i].status};
		uint64_t h =
			feed_request(l->f, message_to("sip:j@known.example"));
		uint64_t token = expect_passed(l->f, h);

		assert_false(gw_router_is_idle(l->f->r));
		l->f->log[0] = '\0';
		gw_router_on_sip_response(l->f->r, token, &s, l->f->now);
		if (rows[i].told == 0) {
			expect(l->f, GW_ACT_SIP_PASS);
			assert_int_equal(l->f->act.u.sip_reply.handle, h);
		} else {
			expect_reply(l->f, h, rows[i].told);
		}
		expect_none(l->f);
		assert_int_equal(
			count_log(l->f, "dir=to-legacy", rows[i].ledger), 1);
		assert_true(gw_router_is_idle(l->f->r));
		/* once */
		gw_router_on_sip_response(l->f->r, token, &s, l->f->now);
		expect_none(l->f);
	}
	assert_int_equal(l->f->metrics.value[METRIC_legacy_passed], 2);
	assert_int_equal(l->f->metrics.value[METRIC_legacy_refused], 10);
}

static void test_max_forwards(void **state)
{
	static const struct {
		bool has;
		uint32_t count, left;
		int status;
	} rows[] = {
		{true, 70, 69, 0},
		{true, 1, 0, 0},
		{true, 0, 0, 483},
		{false, 0, SIP_PASS_MAX_FORWARDS, 0},
	};
	struct legacy *l = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct sip_request_in q = message_to("sip:j@known.example");
		uint64_t h;

		q.has_max_forwards = rows[i].has;
		q.max_forwards = rows[i].count;
		h = feed_request(l->f, q);
		if (rows[i].status != 0) {
			expect_reply(l->f, h, rows[i].status);
			continue;
		}
		(void)expect_passed(l->f, h);
		assert_int_equal(l->f->act.u.sip_send.request->max_forwards,
				 rows[i].left);
	}
}

/* What was here before never goes there again, also behind others' Via. */
static void test_loop(void **state)
{
	struct legacy *l = *state;
	struct sip_request_in q = message_to("sip:j@known.example");
	char branches[256];
	uint64_t h = feed_request(l->f, q);

	(void)expect_passed(l->f, h);
	(void)snprintf(branches, sizeof(branches), "z9hG4bKa %s z9hG4bKtop",
		       l->f->act.u.sip_send.request->branch);
	q.branches = span_str(branches);
	expect_reply(l->f, feed_request(l->f, q), 482);
	/* the second try of a failover */
	q.branches =
		SPAN_LIT("z9hG4bKa z9hG4bKf0123456789abcdef0123456789abcdef.1");
	expect_reply(l->f, feed_request(l->f, q), 482);
	/* too many to be read */
	q.branches = SPAN_NULL;
	expect_reply(l->f, feed_request(l->f, q), 482);
	/* one that only looks like it */
	q.branches = SPAN_LIT("z9hG4bKf0123456789abcdef0123456789abcdef0");
	(void)expect_passed(l->f, feed_request(l->f, q));
}

/* The same request has the same branch, after a restart too; others do not. */
static void test_branch(void **state)
{
	struct legacy *l = *state;
	struct sip_request_in q = message_to("sip:j@known.example");
	uint8_t id[ID_RAW_BYTES], other[ID_RAW_BYTES];
	const char *one = sip_pass_branch(&q, "aabbccdd", id, &l->f->a);

	assert_non_null(one);
	assert_string_equal(one,
			    sip_pass_branch(&q, "aabbccdd", other, &l->f->a));
	assert_memory_equal(id, other, ID_RAW_BYTES);
	assert_string_not_equal(one,
				sip_pass_branch(&q, "11223344", id, &l->f->a));
	q.branches = span_str(one);
	assert_true(sip_pass_was_here(&q, "aabbccdd"));
	assert_false(sip_pass_was_here(&q, "11223344"));
	assert_string_not_equal(one,
				sip_pass_branch(&q, "aabbccdd", id, &l->f->a));
	q = message_to("sip:j@known.example");
	q.cseq++;
	assert_string_not_equal(one,
				sip_pass_branch(&q, "aabbccdd", id, &l->f->a));
}

/* 100 at 3.5 s, 504 at 25 s; what comes later changes nothing. */
static void test_deadlines(void **state)
{
	struct legacy *l = *state;
	struct fixture *f = l->f;
	uint64_t start = f->now;
	uint64_t h = feed_request(f, message_to("sip:j@known.example"));
	uint64_t token = expect_passed(f, h);

	expect_none(f);
	assert_int_equal(gw_router_deadline_ms(f->r),
			 start + LIMIT_SIP_TRYING_MS);
	f->now = start + LIMIT_SIP_TRYING_MS;
	expect_reply(f, h, 100);
	expect_none(f);
	assert_int_equal(gw_router_deadline_ms(f->r),
			 start + LIMIT_SIP_FINAL_MS);
	f->now = start + LIMIT_SIP_FINAL_MS;
	expect_reply(f, h, 504);
	respond(f, token, 200);
	expect_none(f);
	assert_true(gw_router_is_idle(f->r));
}

static void test_stop(void **state)
{
	struct legacy *l = *state;
	struct fixture *f = l->f;
	uint64_t h = feed_request(f, message_to("sip:j@known.example"));

	(void)expect_passed(f, h);
	gw_router_stop(f->r, f->now);
	expect_reply(f, feed_request(f, message_to("sip:j@known.example")),
		     504);
	expect_none(f);
	f->now += LIMIT_GATEWAY_STOP_MS;
	expect_reply(f, h, 504);
	assert_true(gw_router_is_idle(f->r));
}

/* A mute old gateway holds so many, and so many bytes. */
static void test_bounds(void **state)
{
	struct legacy *l = *state;
	struct fixture *f = l->f;
	struct sip_request_in q = message_to("sip:j@known.example");
	uint64_t token = 0;

	for (size_t i = 0; i < LIMIT_SIP_PASSED; i++)
		token = expect_passed(f, feed_request(f, q));
	expect_reply(f, feed_request(f, q), 500);
	respond(f, token, 200);
	expect(f, GW_ACT_SIP_PASS);
	q.bytes = LIMIT_SIP_PENDING_BYTES;
	expect_reply(f, feed_request(f, q), 500);
	q.bytes = 500;
	(void)expect_passed(f, feed_request(f, q));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		L(test_which),	      L(test_none), L(test_answers),
		L(test_max_forwards), L(test_loop), L(test_branch),
		L(test_deadlines),    L(test_stop), L(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
