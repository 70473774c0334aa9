/* XMPP users watch SIP users: what the SIP side may answer and notify. */
#include "presence_sub_harness.h"

/* --- responses ----------------------------------------------------------- */

/* What a failed SUBSCRIBE leads to at once, and when the next one comes. */
struct failure {
	enum sip_end end;
	int status;
	const char *first;   /* never answered before, not approved */
	const char *renewed; /* approved, the dialog was lost */
	const char *refresh; /* approved, inside the dialog */
	bool is_over;	     /* of `first`: nothing is left of it */
};

#define ERR(condition) BARE("error id=q " condition)
#define CONCEALED ERR("service-unavailable")
#define TIMEOUT ERR("remote-server-timeout")
#define R(status) SIP_END_RESPONSE, status

static const struct failure FAILURES[] = {
	{R(403), BARE("unsubscribed"), CANCEL, CANCEL, true},
	{R(489), BARE("unsubscribed"), CANCEL, CANCEL, true},
	{R(603), BARE("unsubscribed"), CANCEL, CANCEL, true},
	{R(404), CONCEALED, GONE, RENEW, true},
	{R(405), ERR("feature-not-implemented"), GONE, RENEW, true},
	{R(410), CONCEALED, GONE, RENEW, true},
	{R(416), ERR("not-acceptable"), GONE, RENEW, true},
	{R(482), ERR("not-acceptable"), GONE, RENEW, true},
	{R(483), ERR("not-acceptable"), GONE, RENEW, true},
	{R(484), CONCEALED, GONE, RENEW, true},
	{R(485), CONCEALED, GONE, RENEW, true},
	{R(501), ERR("feature-not-implemented"), GONE, RENEW, true},
	{R(604), CONCEALED, GONE, RENEW, true},
	{R(480), "", GONE, RENEW, false},
	{R(481), RENEW, SUBSCRIBE("3", "1"), RENEW, false},
	{R(423), TIMEOUT, "", "", false}, /* without Min-Expires */
	{R(302), TIMEOUT, "", "", false}, /* without Contact */
	{R(401), TIMEOUT, "", "", false},
	{R(407), TIMEOUT, "", "", false},
	{R(408), TIMEOUT, "", "", false},
	{R(486), TIMEOUT, "", "", false},
	{R(500), TIMEOUT, "", "", false},
	{R(503), TIMEOUT, "", "", false},
	{R(600), TIMEOUT, "", "", false},
	{SIP_END_TIMEOUT, 0, TIMEOUT, "", "", false},
	{SIP_END_TRANSPORT, 0, TIMEOUT, "", "", false},
	{SIP_END_DNS, 0, ERR("remote-server-not-found"), "", "", false},
	{SIP_END_TOO_BIG, 0, TIMEOUT, "", "", false},
};

static void fail_by(struct fixture *f, const struct failure *row)
{
	const struct sip_response_in r = {.end = row->end,
					  .status = row->status};

	respond_to(f, last_sent(f), &r);
}

static void expect_of(struct fixture *f, int status, const char *what,
		      const char *lines)
{
	drain(f);
	if (strcmp(f->text, lines) != 0)
		fail_msg("%d, %s: \"%s\", not \"%s\"", status, what, f->text,
			 lines);
	settle(f);
}

static void test_initial(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(FAILURES); i++) {
		const struct failure *row = &FAILURES[i];

		again(&f, state);
		(void)subscribe(f);
		settle(f);
		fail_by(f, row);
		expect_of(f, row->status, "first", row->first);
		assert_int_equal(watches(f), row->is_over ? 0 : 1);
		assert_int_equal(f->kept.count > 0, !row->is_over);
		/* never an answer that was not given */
		pass(f, 86400000);
		assert_null(strstr(f->text, "subscribed\n"));
	}
}

static void test_refresh(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(FAILURES); i++) {
		const struct failure *row = &FAILURES[i];

		again(&f, state);
		watch(f);
		pass(f, 3000000);
		settle(f);
		fail_by(f, row);
		expect_of(f, row->status, "refresh", row->refresh);
	}
}

/* The first try of a new dialog after the old one was lost. */
static void test_renewed(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(FAILURES); i++) {
		const struct failure *row = &FAILURES[i];

		again(&f, state);
		watch(f);
		pass(f, 3000000);
		respond(f, 481);
		settle(f);
		fail_by(f, row);
		expect_of(f, row->status, "renewed", row->renewed);
		if (row->renewed[0] != '\0')
			continue;
		/* it is believed for the hold-off, or until its expiry */
		pass(f, 299000);
		assert_null(strstr(f->text, "stanza"));
		pass(f, 2000);
		assert_non_null(strstr(f->text, GONE));
	}
}

/* 30 s, doubled each time to an hour, a quarter of jitter at most. */
static void test_back_off(void **state)
{
	struct fixture *f = *state;
	uint64_t wait_ms = 30000;

	(void)subscribe(f);
	settle(f);
	for (int i = 0; i < 12; i++) {
		respond(f, 500);
		settle(f);
		pass(f, wait_ms - 1);
		expect(f, "");
		pass(f, wait_ms / 4 + 1);
		assert_non_null(strstr(f->text, "sip SUBSCRIBE"));
		settle(f);
		wait_ms = wait_ms * 2 > 3600000 ? 3600000 : wait_ms * 2;
	}
}

/* An invented user is not asked for ever. */
static void test_never_answers(void **state)
{
	struct fixture *f = *state;
	uint64_t end = f->now + LIMIT_PRESENCE_PENDING_MS;

	(void)subscribe(f);
	settle(f);
	while (f->now < end) {
		assert_int_equal(watches(f), 1);
		respond(f, 480);
		drain(f);
		assert_null(strstr(f->text, "unsubscribed"));
		settle(f);
		pass(f, LIMIT_PRESENCE_RETRY_MAX_MS * 5 / 4 + 1);
	}
	respond(f, 480);
	drain(f);
	assert_non_null(strstr(f->text, BARE("unsubscribed")));
	assert_int_equal(watches(f), 0);
}

/* Told once, not each time. */
static void test_error_once(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	settle(f);
	respond(f, 500);
	expect(f, TIMEOUT);
	pass(f, 40000);
	expect(f, SUBSCRIBE("2", "1"));
	respond(f, 500);
	expect(f, "");
	/* who asks again is told again */
	pass(f, 80000);
	settle(f);
	(void)subscribe(f);
	settle(f);
	respond(f, 500);
	expect(f, TIMEOUT);
}

static void test_retry_after(void **state)
{
	struct sip_response_in r = {
		.end = SIP_END_RESPONSE, .status = 503, .retry_after = 600};
	struct fixture *f = *state;

	(void)subscribe(f);
	settle(f);
	respond_to(f, last_sent(f), &r);
	settle(f);
	/* the watcher's interest does not cut it short */
	pass(f, 300000);
	(void)subscribe(f);
	expect(f, DELIVERED("2"));
	pass(f, 299000);
	expect(f, "");
	pass(f, 61000);
	expect(f, SUBSCRIBE("2", "1"));
	/* nobody is told to wait for ever */
	r.retry_after = UINT32_MAX;
	respond_to(f, last_sent(f), &r);
	pass(f, 1000ull * LIMIT_PRESENCE_RETRY_AFTER_S * 11 / 10);
	expect(f, TIMEOUT SUBSCRIBE("3", "1"));
}

/* Who shows interest need not wait for an hour, but does not hurry us. */
static void test_own_back_off_cut(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	for (int i = 0; i < 7; i++) {
		drain(f);
		respond(f, 500);
		pass(f, 2500000);
	}
	respond(f, 500);
	settle(f);
	(void)subscribe(f);
	expect(f, DELIVERED("2") SUBSCRIBE("9", "1"));
	respond(f, 500);
	settle(f);
	pass(f, 29000);
	(void)subscribe(f);
	expect(f, DELIVERED("3"));
	pass(f, 2000);
	expect(f, "");
	(void)subscribe(f);
	expect(f, DELIVERED("4") SUBSCRIBE("10", "1"));
}

static void test_423(void **state)
{
	struct sip_response_in r = {.end = SIP_END_RESPONSE, .status = 423};
	struct fixture *f = *state;

	watch(f);
	pass(f, 3000000);
	settle(f);
	r.min_expires = 7200;
	respond_to(f, last_sent(f), &r);
	expect(f, "sip SUBSCRIBE sip:pa@192.0.2.1 call=1 cseq=3 to-tag=peer "
		  "expires=7200\n");
	respond(f, 200);
	notify(f, "active;expires=7200", NULL);
	settle(f);
	pass(f, 5000000);
	expect(f, "");
	/* one that asks for more and more, or for years, has failed */
	pass(f, 1000000);
	for (uint32_t i = 1; i <= LIMIT_PRESENCE_RENEWALS; i++) {
		settle(f);
		r.min_expires = 7200 + i;
		respond_to(f, last_sent(f), &r);
		drain(f);
		assert_non_null(strstr(f->text, "sip SUBSCRIBE"));
	}
	settle(f);
	r.min_expires = 9000;
	respond_to(f, last_sent(f), &r);
	expect(f, "");
}

static void test_redirect(void **state)
{
	struct sip_response_in r = {
		.end = SIP_END_RESPONSE,
		.status = 302,
		.contact_uri = SPAN_LIT("sip:romeo@b.example.net?Subject=x"),
	};
	struct fixture *f = *state;

	(void)subscribe(f);
	settle(f);
	respond_to(f, last_sent(f), &r);
	expect(f, "sip SUBSCRIBE sip:romeo@b.example.net call=2 cseq=1 "
		  "expires=3600\n");
	/* one step, no more */
	respond_to(f, last_sent(f), &r);
	expect(f, TIMEOUT);
	pass(f, 40000);
	expect(f, SUBSCRIBE("3", "1"));
	r.contact_uri = SPAN_LIT("sips:romeo@b.example.net");
	respond_to(f, last_sent(f), &r);
	expect(f, "");
}

/* --- lifetime ------------------------------------------------------------ */

/* Between 70 and 80 % of it, never sooner than 10 s. */
static void test_refresh_time(void **state)
{
	static const struct {
		uint32_t granted_s;
		uint64_t not_before_ms, until_ms;
	} rows[] = {
		{3600, 2520000, 2880000},  {60, 42000, 48000},
		{1, 10000, 10000},	   {0, 10000, 10000},
		{86400, 2520000, 2880000}, /* longer than was asked for */
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct sip_response_in r = {
			.end = SIP_END_RESPONSE,
			.status = 202,
			.to_tag = SPAN_LIT("peer"),
			.contact_uri = SPAN_LIT("sip:pa@192.0.2.1"),
			.has_expires = true,
			.expires = rows[i].granted_s,
		};

		again(&f, state);
		(void)subscribe(f);
		drain(f);
		respond_to(f, last_sent(f), &r);
		notify(f, "pending", NULL);
		settle(f);
		pass(f, rows[i].not_before_ms - 1);
		expect(f, "");
		pass(f, rows[i].until_ms - rows[i].not_before_ms + 1);
		drain(f);
		assert_non_null(strstr(f->text, "sip SUBSCRIBE"));
	}
}

/* The NOTIFY has the last word. */
static void test_notify_shortens(void **state)
{
	struct fixture *f = *state;

	watch(f);
	notify(f, "active;expires=100", DOC(OPEN("x")));
	settle(f);
	pass(f, 69999);
	expect(f, "");
	pass(f, 10001);
	expect(f, REFRESH("1", "2"));
}

/* A dialog that cannot be refreshed is good until its expiry. */
static void test_expiry(void **state)
{
	struct fixture *f = *state;

	watch(f);
	pass(f, 3000000);
	settle(f);
	for (int i = 0; i < 4; i++) {
		end_by(f, SIP_END_TIMEOUT);
		pass(f, 600000);
	}
	drain(f);
	assert_non_null(strstr(f->text, SUBSCRIBE("2", "1")));
	assert_non_null(strstr(f->text, GONE));
	settle(f);
	respond(f, 200);
	notify(f, "active", DOC(OPEN("x")));
	expect(f, OK("2") FULL("x", "available"));
}

static void test_timer_n_of_refresh(void **state)
{
	struct fixture *f = *state;

	watch(f);
	pass(f, 3000000);
	settle(f);
	respond(f, 200);
	pass(f, LIMIT_SIP_TIMER_N_MS - 1);
	expect(f, "");
	pass(f, 1);
	expect(f, SUBSCRIBE("2", "1"));
	respond(f, 200);
	pass(f, LIMIT_SIP_TIMER_N_MS);
	expect(f, ""); /* now it waits */
	pass(f, 40000);
	expect(f, SUBSCRIBE("3", "1"));
}

/* Dialogs that end as they begin are not begun without a pause. */
static void test_renewals_bounded(void **state)
{
	struct fixture *f = *state;
	size_t count = 0;

	watch(f);
	for (int i = 0; i < 100; i++) {
		respond(f, 200);
		notify(f, "terminated;reason=deactivated", NULL);
		drain(f);
		if (strstr(f->text, "sip SUBSCRIBE") != NULL)
			count++;
		settle(f);
		if (i >= 2 * (int)LIMIT_PRESENCE_RENEWALS)
			break;
	}
	assert_int_equal(count, LIMIT_PRESENCE_RENEWALS);
	/* one that stood is renewed at once again */
	pass(f, 40000);
	settle(f);
	respond(f, 200);
	notify(f, "active", DOC(OPEN("x")));
	pass(f, LIMIT_PRESENCE_STEADY_MS);
	settle(f);
	notify(f, "terminated;reason=deactivated", NULL);
	drain(f);
	assert_non_null(strstr(f->text, "sip SUBSCRIBE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_initial),
		T(test_refresh),
		T(test_renewed),
		T(test_back_off),
		T(test_never_answers),
		T(test_error_once),
		T(test_retry_after),
		T(test_own_back_off_cut),
		T(test_423),
		T(test_redirect),
		T(test_refresh_time),
		T(test_notify_shortens),
		T(test_expiry),
		T(test_timer_n_of_refresh),
		T(test_renewals_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
