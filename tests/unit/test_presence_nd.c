/* IN: when a NOTIFY leaves, what becomes of one that fails, bounds, and what
 * waits for the store. */
#include "presence_in_harness.h"

/* --- one in flight -------------------------------------------------------- */

static void test_one_in_flight(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	f->sip_status = 0;
	wait_ms(f, 10000);
	available(f, "balcony", FED__SHOW__AWAY, 0, NULL);
	expect(f, "outcome ok\nNOTIFY active;expires=3590 {balcony away}\n");
	/* owed, changed, ended: all wait for the answer */
	refresh(f, 3600);
	available(f, "balcony", FED__SHOW__DND, 0, NULL);
	wait_ms(f, 20000);
	expect(f, "outcome ok\n200 expires=3600\n");
	unsubscribed(f);
	expect(f, "outcome ok\n");
	respond(f, 200);
	expect(f, "NOTIFY terminated;reason=rejected\n");
	respond(f, 200);
	expect(f, "");
	assert_int_equal(HASH_COUNT(f->p->contacts), 0);
}

static void test_cseq_rises(void **state)
{
	struct fixture *f = *state;
	uint32_t last = 0;

	begin_allowed(f);
	for (int i = 0; i < 10; i++) {
		refresh(f, 3600);
		drain(f);
		assert_true(f->notify_cseq > last);
		last = f->notify_cseq;
	}
	/* across a crash too */
	restart(f, 1000);
	wait_ms(f, 1000);
	refresh(f, 3600);
	drain(f);
	assert_true(f->notify_cseq > last);
}

/* none leaves that no row stands for: the next crash would use it again */
static void test_cseq_waits_for_its_row(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	restart(f, 1000);
	wait_ms(f, 1000);
	f->is_store_slow = true;
	f->out[0] = '\0';
	available(f, "balcony", FED__SHOW__NO_SHOW, 0, NULL);
	expect(f, "outcome ok\n");
	commit(f);
	expect(f, "NOTIFY active;expires=3598 {balcony}\n");
}

/* --- the interval --------------------------------------------------------- */

/* an empty NOTIFY says nothing of the state, so the first document follows at
 * once; from then on they are five seconds apart */
static void test_interval(void **state)
{
	struct fixture *f = *state;

	subscribe(f, 3600);
	drain(f);
	subscribed(f);
	available(f, "a", FED__SHOW__NO_SHOW, 0, NULL);
	available(f, "b", FED__SHOW__NO_SHOW, 0, NULL);
	f->out[0] = '\0';
	expect(f, "outcome ok\noutcome ok\noutcome ok\n"
		  "NOTIFY active;expires=3600 {a, b}\n");
	unavailable(f, "b");
	wait_ms(f, 4999);
	expect(f, "outcome ok\n");
	/* owed: at once, and it says all there is to say */
	refresh(f, 3600);
	expect(f, "200 expires=3600\nNOTIFY active;expires=3600 {a}\n");
	wait_ms(f, 20000);
	expect(f, "");
	/* the end: at once */
	available(f, "b", FED__SHOW__NO_SHOW, 0, NULL);
	unavailable(f, "b");
	available(f, "a", FED__SHOW__XA, 0, NULL);
	drain(f);
	f->out[0] = '\0';
	unsubscribed(f);
	expect(f, "outcome ok\nNOTIFY terminated;reason=rejected\n");
}

/* each dialog has its own interval, all say the same */
static void test_two_devices(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	wait_ms(f, 3000);
	subscribe(f, 3600);
	expect(f, "200 expires=3600\nNOTIFY active;expires=3600 {balcony}\n");
	available(f, "balcony", FED__SHOW__AWAY, 0, NULL);
	wait_ms(f, 2000);
	expect(f, "outcome ok\nNOTIFY active;expires=3595 {balcony away}\n");
	wait_ms(f, 3000);
	expect(f, "NOTIFY active;expires=3595 {balcony away}\n");
	/* one goes: the XMPP user hears nothing; the other too: he does */
	refresh(f, 0);
	expect(f, "200 expires=0\nNOTIFY terminated;reason=timeout {}\n");
	wait_ms(f, 3600000);
	expect(f, "NOTIFY terminated;reason=timeout {}\n<unavailable>\n");
}

/* V13: the same SUBSCRIBE on another way makes no second dialog; another one
 * of that Call-ID does */
static void test_merged(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in q;

	subscribe(f, 3600);
	drain(f);
	f->out[0] = '\0';
	q = request_again(f, 3600);
	q.has_to_tag = false;
	q.to_tag = SPAN_NULL;
	q.cseq--;
	send_request(f, &q);
	expect(f, "482\n");
	q.cseq += 2;
	send_request(f, &q);
	expect(f, "200 expires=3600\nNOTIFY pending;expires=3600\n");
}

/* --- what fails ----------------------------------------------------------- */

/* RFC 6665 4.2.2 */
static void test_fatal_answers(void **state)
{
	static const int fatal[] = {404, 405, 410, 416, 480, 481, 482,
				    483, 484, 485, 489, 501, 604};
	struct fixture *f = *state;

	begin_allowed(f);
	refresh(f, 0);
	drain(f);
	for (size_t i = 0; i < FED_ARRAY_LEN(fatal); i++) {
		f->out[0] = '\0';
		f->sip_status = fatal[i];
		subscribe(f, 3600);
		expect(f, "200 expires=3600\n"
			  "NOTIFY active;expires=3600 {balcony}\n"
			  "<unavailable>\n");
		assert_int_equal(HASH_COUNT(f->p->dialogs), 0);
		assert_int_equal(count_rows(f, PRESENCE_ROW_DIALOG), 0);
	}
}

static void test_other_answers(void **state)
{
	static const int others[] = {302, 400, 401, 403, 407, 420, 491,
				     500, 503, 504, 600, 603, 606};
	struct fixture *f = *state;

	begin_allowed(f);
	for (size_t i = 0; i < FED_ARRAY_LEN(others); i++) {
		f->sip_status = others[i];
		f->out[0] = '\0';
		refresh(f, 3600);
		expect(f, "200 expires=3600\n"
			  "NOTIFY active;expires=3600 {balcony}\n");
		wait_ms(f, 4999);
		expect(f, "");
		f->sip_status = 200;
		wait_ms(f, 1001);
		assert_non_null(strstr(f->out, "{balcony}"));
		f->out[0] = '\0';
		wait_ms(f, 60000);
		expect(f, "");
	}
}

/* Timer F ends it, a way that is broken does not: it may be back */
static void test_no_answer(void **state)
{
	struct fixture *f = *state;
	uint64_t wait;

	begin_allowed(f);
	f->sip_status = 0;
	refresh(f, 3600);
	drain(f);
	f->out[0] = '\0';
	for (wait = 5000; wait < LIMIT_PRESENCE_NOTIFY_MAX_MS; wait *= 2) {
		respond_end(f, SIP_END_TRANSPORT);
		wait_ms(f, wait - 1);
		expect(f, "");
		wait_ms(f, 1001);
		assert_int_equal(strncmp(f->out, "NOTIFY active", 13), 0);
		f->out[0] = '\0';
	}
	respond_end(f, SIP_END_DNS);
	wait_ms(f, LIMIT_PRESENCE_NOTIFY_MAX_MS + 1000);
	assert_int_equal(strncmp(f->out, "NOTIFY active", 13), 0);
	f->out[0] = '\0';
	/* the next hop is known to be down: it did not leave */
	respond_end(f, SIP_END_TIMEOUT);
	wait_ms(f, LIMIT_PRESENCE_NOTIFY_MAX_MS + 1000);
	assert_int_equal(strncmp(f->out, "NOTIFY active", 13), 0);
	f->out[0] = '\0';
	wait_ms(f, LIMIT_SIP_TIMER_F_MS);
	respond_end(f, SIP_END_TIMEOUT);
	expect(f, "<unavailable>\n");
	assert_int_equal(HASH_COUNT(f->p->dialogs), 0);
}

static void test_retry_after(void **state)
{
	struct fixture *f = *state;
	struct sip_response_in r = {
		.end = SIP_END_RESPONSE, .status = 503, .retry_after = 120};

	begin_allowed(f);
	f->sip_status = 0;
	refresh(f, 3600);
	drain(f);
	f->out[0] = '\0';
	f->sip_flying--;
	presence_on_sip_response(f->p, f->sip_token, &r, f->now);
	wait_ms(f, 119999);
	expect(f, "");
	/* a refresh is answered at once all the same */
	refresh(f, 3600);
	expect(f, "200 expires=3600\nNOTIFY active;expires=3600 {balcony}\n");
}

/* the last one is not said again, whatever it is answered */
static void test_last_one_fails(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	f->sip_status = 0;
	refresh(f, 0);
	expect(f, "200 expires=0\n"
		  "NOTIFY terminated;reason=timeout {}\n"
		  "<unavailable>\n");
	respond_end(f, SIP_END_TRANSPORT);
	wait_ms(f, 600000);
	expect(f, "");
	assert_int_equal(HASH_COUNT(f->p->dialogs), 0);
}

/* a way that no request can have */
static void test_hopeless_target(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in q = request(f, 3600);

	q.contact_uri = SPAN_LIT("not a uri");
	send_request(f, &q);
	drain(f);
	wait_ms(f, 60000);
	assert_null(strstr(f->out, "NOTIFY"));
	assert_int_equal(HASH_COUNT(f->p->dialogs), 0);
}

/* --- the store ------------------------------------------------------------ */

static void test_nothing_before_it_is_durable(void **state)
{
	struct fixture *f = *state;

	f->is_store_slow = true;
	subscribe(f, 3600);
	expect(f, "");
	assert_int_equal(f->kept.count, 2);
	commit(f);
	expect(f, "200 expires=3600\n"
		  "NOTIFY pending;expires=3600\n"
		  "<subscribe>\n");
	/* an approval counts as delivered when it is on disk */
	subscribed(f);
	expect(f, "NOTIFY active;expires=3600\n");
	/* and the same once more not before that */
	subscribed(f);
	expect(f, "");
	commit(f);
	expect(f, "outcome ok\noutcome ok\n");
	refresh(f, 3600);
	expect(f, "");
	commit(f);
	expect(f, "200 expires=3600\nNOTIFY active;expires=3600\n");
	unsubscribed(f);
	expect(f, "NOTIFY terminated;reason=rejected\n");
	commit(f);
	expect(f, "outcome ok\n");
	assert_int_equal(f->kept.count, 0);
	/* what changes nothing for good does not wait */
	available(f, "balcony", FED__SHOW__NO_SHOW, 0, NULL);
	expect(f, "outcome ok\n");
}

/* LIMIT_STORE_PENDING: nothing is promised that cannot be kept */
static void test_store_is_behind(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	f->is_store_slow = true;
	f->p->last_seq += LIMIT_STORE_PENDING;
	refresh(f, 7200);
	expect(f, "500 retry\n");
	subscribe(f, 3600);
	expect(f, "500 retry\n");
	unsubscribed(f);
	expect(f, "outcome resource-constraint\n"
		  "NOTIFY terminated;reason=rejected\n");
	f->p->committed_seq = f->p->last_seq;
	f->is_store_slow = false;
	/* the row is there still, and so is the dialog, for the next run: the
	 * probe will be answered no again */
	assert_int_equal(f->kept.count, 2);
	wait_ms(f, 10000000);
	expect(f, "");
}

/* --- bounds --------------------------------------------------------------- */

static void test_too_many_dialogs(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	for (unsigned i = 1; i < LIMIT_PRESENCE_DIALOGS; i++)
		subscribe(f, 3600);
	wait_ms(f, 10000);
	f->out[0] = '\0';
	assert_int_equal(HASH_COUNT(f->p->dialogs), LIMIT_PRESENCE_DIALOGS);
	/* the dead ones are found by a NOTIFY, and there is room again */
	f->sip_status = 481;
	subscribe(f, 3600);
	drain(f);
	assert_non_null(strstr(f->out, "480 retry\n"));
	f->out[0] = '\0';
	f->sip_status = 200;
	subscribe(f, 3600);
	expect(f, "200 expires=3600\nNOTIFY active;expires=3600 {balcony}\n");
	assert_int_equal(HASH_COUNT(f->p->dialogs), 1);
}

static void test_too_many_contacts(void **state)
{
	struct fixture *f = *state;
	size_t before = f->p->item_count;

	f->p->item_count = LIMIT_PRESENCE_ITEMS;
	subscribe(f, 3600);
	expect(f, "500 retry\n");
	f->p->item_count = LIMIT_PRESENCE_ITEMS - 1;
	subscribe(f, 3600);
	expect(f, "500 retry\n");
	assert_int_equal(HASH_COUNT(f->p->contacts), 0);
	assert_int_equal(f->p->item_count, LIMIT_PRESENCE_ITEMS - 1);
	f->p->item_count = before;
}

static void test_too_many_resources(void **state)
{
	struct fixture *f = *state;
	char name[32];

	begin_allowed(f);
	for (unsigned i = 0; i < 2 * LIMIT_PRESENCE_RESOURCES; i++) {
		(void)snprintf(name, sizeof(name), "r%u", i);
		available(f, name, FED__SHOW__NO_SHOW, 0, NULL);
	}
	wait_ms(f, 10000);
	assert_non_null(strstr(f->out, "r30"));
	assert_null(strstr(f->out, "r31"));
	/* those that are not shown leave without a trace */
	f->out[0] = '\0';
	unavailable(f, "r40");
	wait_ms(f, 10000);
	expect(f, "outcome ok\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_one_in_flight),
		T(test_cseq_rises),
		T(test_cseq_waits_for_its_row),
		T(test_interval),
		T(test_two_devices),
		T(test_merged),
		T(test_fatal_answers),
		T(test_other_answers),
		T(test_no_answer),
		T(test_retry_after),
		T(test_last_one_fails),
		T(test_hopeless_target),
		T(test_nothing_before_it_is_durable),
		T(test_store_is_behind),
		T(test_too_many_dialogs),
		T(test_too_many_contacts),
		T(test_too_many_resources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
