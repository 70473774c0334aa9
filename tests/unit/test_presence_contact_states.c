/* IN: what each event does in each state. */
#include "presence_in_harness.h"

/* --- states --------------------------------------------------------------- */

static void be_nothing(struct fixture *f)
{
	(void)f;
}

static void be_pending(struct fixture *f)
{
	subscribe(f, 3600);
}

static void be_pending_alone(struct fixture *f)
{
	subscribe(f, 3600);
	drain(f);
	refresh(f, 0);
}

static void be_unknown(struct fixture *f)
{
	subscribe(f, 3600);
	drain(f);
	subscribed(f);
}

static void be_open(struct fixture *f)
{
	begin_allowed(f);
	wait_ms(f, 10000);
}

static void be_closed(struct fixture *f)
{
	begin_allowed(f);
	unavailable(f, "balcony");
	wait_ms(f, 10000);
}

static void be_cached(struct fixture *f)
{
	begin_allowed(f);
	refresh(f, 0);
}

static void be_forgotten(struct fixture *f)
{
	be_cached(f);
	wait_ms(f, LIMIT_PRESENCE_CACHE_MS);
}

static void be_ending(struct fixture *f)
{
	begin_allowed(f);
	f->sip_status = 0;
	unsubscribed(f);
}

static void be_polled(struct fixture *f)
{
	subscribe(f, 0);
}

static void be_stopping(struct fixture *f)
{
	begin_allowed(f);
	f->sip_status = 0;
	presence_stop(f->p, f->now);
}

/* --- events --------------------------------------------------------------- */

static void do_subscribe(struct fixture *f)
{
	subscribe(f, 3600);
}

static void do_refresh(struct fixture *f)
{
	refresh(f, 3600);
}

static void do_unsubscribe(struct fixture *f)
{
	refresh(f, 0);
}

static void do_poll(struct fixture *f)
{
	subscribe(f, 0);
	wait_ms(f, LIMIT_PRESENCE_POLL_MS);
}

static void do_available(struct fixture *f)
{
	available(f, "chamber", FED__SHOW__AWAY, 0, NULL);
}

static void do_unavailable(struct fixture *f)
{
	unavailable(f, "balcony");
}

static void do_all_unavailable(struct fixture *f)
{
	unavailable(f, "");
}

static void do_not_found(struct fixture *f)
{
	refuse(f, FED__CONDITION__ITEM_NOT_FOUND);
}

static void do_unreachable(struct fixture *f)
{
	refuse(f, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
}

static void do_unserved(struct fixture *f)
{
	refuse(f, FED__CONDITION__SERVICE_UNAVAILABLE);
}

static void do_silence(struct fixture *f)
{
	wait_ms(f, 2 * LIMIT_PRESENCE_ANSWER_MS);
}

static void do_expire(struct fixture *f)
{
	wait_ms(f, 3600000);
}

static void do_away(struct fixture *f)
{
	presence_on_stream(f->p, SPAN_LIT("example.com"),
			   PRESENCE_STREAM_FAILED, f->now);
	f->is_edge_full = true;
	wait_ms(f, f->params.hold_off_ms);
}

static void do_stop(struct fixture *f)
{
	presence_stop(f->p, f->now);
}

#include "presence_contact_states.h"

static void test_every_event_in_every_state(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(ROWS); i++) {
		void *fixture;
		struct fixture *f;

		assert_int_equal(setup(&fixture), 0);
		f = fixture;
		ROWS[i].be(f);
		drain(f);
		f->out[0] = '\0';
		ROWS[i].act(f);
		drain(f);
		while (f->sip_flying > 0) {
			respond(f, 200);
			drain(f);
		}
		if (strcmp(f->out, ROWS[i].wanted) != 0)
			fail_msg("row %zu: %s is not %s", i, f->out,
				 ROWS[i].wanted);
		assert_int_equal(teardown(&fixture), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_event_in_every_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
