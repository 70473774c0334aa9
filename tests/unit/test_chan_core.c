/* The channel session: handshake, window, resume, hostile peers. */
#include "chan_harness.h"

/* ---- the ordinary life --------------------------------------------------- */

static void handshake_and_both_directions(void **state)
{
	struct pair *p = *state;

	connect_pair(p);
	expect(&p->edge, "up new\n");
	expect(&p->gw, "up new\n");
	assert_int_equal(send_stanza(p, &p->edge, 1), 0);
	assert_int_equal(send_stanza(p, &p->gw, 2), 0);
	settle(p);
	expect(&p->edge, "stanza 2\n");
	expect(&p->gw, "stanza 1\n");
	assert_int_equal(chan_core_owed(p->gw.core), 1);
	assert_int_equal(
		chan_core_send_outcome(p->gw.core, p->gw.refs[0], NULL, p->now),
		0);
	arena_reset(&p->arena);
	assert_int_equal(
		chan_core_send_outcome(
			p->edge.core, p->edge.refs[0],
			stanza_error_new(&p->arena,
					 FED__CONDITION__ITEM_NOT_FOUND, "no"),
			p->now),
		0);
	settle(p);
	expect(&p->edge, "outcome 101 1 delivered\n");
	expect(&p->gw, "outcome 102 2 item-not-found\n");
	assert_int_equal(chan_core_outstanding(p->edge.core), 0);
	assert_int_equal(chan_core_owed(p->edge.core), 0);
	assert_int_equal(
		chan_core_send_outcome(p->gw.core, p->gw.refs[0], NULL, p->now),
		FED_ENOTFOUND);
	assert_int_equal(
		chan_core_send_outcome(p->gw.core, 12345, NULL, p->now),
		FED_ENOTFOUND);
}

static void every_byte_alone(void **state)
{
	struct pair *p = *state;

	chan_core_on_up(p->edge.core, p->now);
	chan_core_on_up(p->gw.core, p->now);
	settle_by(p, 1);
	assert_int_equal(send_stanza(p, &p->edge, 1), 0);
	assert_int_equal(send_stanza(p, &p->gw, 2), 0);
	settle_by(p, 1);
	expect(&p->edge, "up new\nstanza 2\n");
	expect(&p->gw, "up new\nstanza 1\n");
}

static void window_stops_and_opens(void **state)
{
	struct pair *p = *state;

	connect_pair(p);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(send_stanza(p, &p->edge, i), 0);
	assert_false(chan_core_can_send(p->edge.core));
	assert_int_equal(send_stanza(p, &p->edge, 9), FED_EAGAIN);
	settle(p);
	expect(&p->edge, "up new\n");
	assert_int_equal(
		chan_core_send_outcome(p->gw.core, p->gw.refs[2], NULL, p->now),
		0);
	settle(p);
	expect(&p->edge, "outcome 102 2 delivered\nwindow\n");
	assert_int_equal(send_stanza(p, &p->edge, 9), 0);
	settle(p);
	expect(&p->gw, "up new\nstanza 0\nstanza 1\nstanza 2\nstanza 3\n"
		       "stanza 9\n");
}

static void other_frames_cross(void **state)
{
	struct pair *p = *state;
	Fed__Frame config = FED__FRAME__INIT;
	Fed__Frame event = FED__FRAME__INIT;
	Fed__Config c = FED__CONFIG__INIT;
	Fed__StreamEvent e;

	fed__stream_event__init(&e);
	config.kind_case = FED__FRAME__KIND_CONFIG;
	config.config = &c;
	event.kind_case = FED__FRAME__KIND_STREAM_EVENT;
	event.stream_event = &e;
	assert_int_equal(chan_core_send_frame(p->gw.core, &config, p->now),
			 FED_EAGAIN);
	connect_pair(p);
	assert_int_equal(chan_core_send_frame(p->gw.core, &config, p->now), 0);
	assert_int_equal(chan_core_send_frame(p->edge.core, &event, p->now), 0);
	/* a role's frames are its own */
	assert_int_equal(chan_core_send_frame(p->edge.core, &config, p->now),
			 FED_EINVAL);
	settle(p);
	expect(&p->edge, "up new\nframe 7\n");
	expect(&p->gw, "up new\nframe 9\n");
	/* reliable frames of a broken session leave after the resume */
	break_pair(p);
	assert_int_equal(chan_core_send_frame(p->edge.core, &event, p->now), 0);
	connect_pair(p);
	expect(&p->gw, "down\nup resumed\nframe 9\n");
}

static void drain_and_bye(void **state)
{
	struct pair *p = *state;

	connect_pair(p);
	assert_int_equal(send_stanza(p, &p->edge, 1), 0);
	settle(p);
	chan_core_drain(p->gw.core, "upgrade", p->now);
	settle(p);
	expect(&p->edge, "up new\ndrain\n");
	assert_false(chan_core_can_send(p->edge.core));
	assert_int_equal(send_stanza(p, &p->edge, 2), FED_EAGAIN);
	/* the last Outcome still leaves, in front of Bye */
	assert_int_equal(
		chan_core_send_outcome(p->gw.core, p->gw.refs[0], NULL, p->now),
		0);
	assert_int_equal(send_stanza(p, &p->gw, 3), 0);
	chan_core_abandon(p->gw.core, "upgrade", p->now);
	settle(p);
	expect(&p->edge, "outcome 101 1 delivered\nstanza 3\nclose bye\n");
	expect(&p->gw, "up new\nstanza 1\nclose local\n");
	break_pair(p);
	expect(&p->edge, "down\ngone\n");
	expect(&p->gw, "down\nreturned 103 3\ngone\n");
}

/* ---- broken connections -------------------------------------------------- */

static void resume_sends_again_what_was_not_seen(void **state)
{
	struct pair *p = *state;
	struct span out;

	connect_pair(p);
	assert_int_equal(send_stanza(p, &p->edge, 1), 0);
	settle(p);
	assert_int_equal(send_stanza(p, &p->edge, 2), 0);
	assert_int_equal(send_stanza(p, &p->edge, 3), 0);
	/* both written, neither arrives */
	out = chan_core_output(p->edge.core, p->now);
	chan_core_sent(p->edge.core, out.n);
	break_pair(p);
	assert_string_equal(chan_core_state_name(p->edge.core), "broken");
	/* the Outcome of the first is given while nobody listens */
	assert_int_equal(
		chan_core_send_outcome(p->gw.core, p->gw.refs[0], NULL, p->now),
		0);
	p->now += LIMIT_CHANNEL_RESUME_MS - 1;
	chan_core_on_timer(p->edge.core, p->now);
	chan_core_on_timer(p->gw.core, p->now);
	connect_pair(p);
	expect(&p->edge, "up new\ndown\nup resumed\noutcome 101 1 delivered\n");
	expect(&p->gw, "up new\nstanza 1\ndown\nup resumed\nstanza 2\n"
		       "stanza 3\n");
	assert_int_equal(p->edge.metrics.value[METRIC_channel_resumes], 1);
	/* as an operator sees it */
	assert_int_equal(chan_core_resumes(p->edge.core), 1);
	assert_int_equal(chan_core_age_ms(p->edge.core, p->now + 30), 30);
	break_pair(p);
	assert_int_equal(chan_core_age_ms(p->edge.core, p->now + 30), 0);
}

static void welcome_lost_then_resumed(void **state)
{
	struct pair *p = *state;

	connect_pair(p);
	assert_int_equal(send_stanza(p, &p->gw, 1), 0);
	break_pair(p);
	chan_core_on_up(p->edge.core, p->now);
	chan_core_on_up(p->gw.core, p->now);
	assert_true(carry(&p->gw, &p->edge, p->now, LIMIT_READ_BYTES));
	expect(&p->edge, "up new\ndown\nup resumed\n");
	break_pair(p); /* Welcome was never read */
	connect_pair(p);
	expect(&p->edge, "down\nup resumed\nstanza 1\n");
	expect(&p->gw, "up new\ndown\nup resumed\n");
}

static void session_expires(void **state)
{
	struct pair *p = *state;

	connect_pair(p);
	assert_int_equal(send_stanza(p, &p->gw, 1), 0);
	assert_int_equal(send_stanza(p, &p->gw, 2), 0);
	settle(p);
	assert_int_equal(send_stanza(p, &p->gw, 3), 0);
	break_pair(p);
	expect(&p->gw, "up new\ndown\n");
	assert_int_equal(chan_core_deadline_ms(p->gw.core),
			 p->now + LIMIT_CHANNEL_RESUME_MS);
	p->now += LIMIT_CHANNEL_RESUME_MS;
	chan_core_on_timer(p->gw.core, p->now);
	side_drain(&p->gw, p->now);
	expect(&p->gw, "returned 101 1\nreturned 102 2\nreturned 103 3\n"
		       "gone\n");
	assert_int_equal(chan_core_deadline_ms(p->gw.core), UINT64_MAX);
	/* the edge still has it: the new Hello ends it there too */
	connect_pair(p);
	expect(&p->gw, "up new\n");
	expect(&p->edge, "up new\nstanza 1\nstanza 2\ndown\nup new\n");
	/* refs of the lost session are void, without complaint */
	assert_int_equal(chan_core_owed(p->edge.core), 0);
	assert_int_equal(chan_core_send_outcome(p->edge.core, p->edge.refs[0],
						NULL, p->now),
			 0);
	settle(p);
	expect(&p->gw, "");
}

/* The edge restarts: another boot id, no session. */
static void edge_restart_returns_before_up(void **state)
{
	struct pair *p = *state;

	connect_pair(p);
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(send_stanza(p, &p->gw, i), 0);
	settle(p);
	assert_int_equal(chan_core_send_outcome(p->edge.core, p->edge.refs[1],
						NULL, p->now),
			 0);
	settle(p);
	expect(&p->gw, "up new\noutcome 102 2 delivered\n");
	chan_core_on_down(p->gw.core, p->now);
	side_deinit(&p->edge);
	side_init(&p->edge, CHAN_EDGE, 9, 4);
	connect_pair(p);
	expect(&p->gw, "down\nreturned 101 1\nreturned 103 3\nup new\n");
	expect(&p->edge, "up new\n");
}

static void gateway_restart_ends_the_session(void **state)
{
	struct pair *p = *state;

	connect_pair(p);
	assert_int_equal(send_stanza(p, &p->edge, 1), 0);
	settle(p);
	side_deinit(&p->gw);
	side_init(&p->gw, CHAN_GATEWAY, 8, 4);
	connect_pair(p); /* replaces the connection that nobody closed */
	expect(&p->edge, "up new\ndown\nreturned 101 1\nup new\n");
	expect(&p->gw, "up new\n");
}

/* ---- time --------------------------------------------------------------- */

static void ping_then_dead(void **state)
{
	struct pair *p = *state;

	connect_pair(p);
	expect(&p->gw, "up new\n");
	p->now += LIMIT_CHANNEL_PING_MS;
	assert_int_equal(chan_core_deadline_ms(p->gw.core), p->now);
	chan_core_on_timer(p->gw.core, p->now);
	settle(p);
	/* the pong counts as life */
	assert_int_equal(chan_core_deadline_ms(p->gw.core),
			 p->now + LIMIT_CHANNEL_PING_MS);
	for (unsigned i = 1; i < 3; i++) {
		p->now += LIMIT_CHANNEL_PING_MS;
		chan_core_on_timer(p->gw.core, p->now);
		assert_true(chan_core_output(p->gw.core, p->now).n > 0);
		chan_core_sent(p->gw.core, SIZE_MAX);
		side_drain(&p->gw, p->now);
		expect(&p->gw, "");
	}
	p->now += LIMIT_CHANNEL_PING_MS;
	chan_core_on_timer(p->gw.core, p->now);
	side_drain(&p->gw, p->now);
	expect(&p->gw, "close dead\n");
	chan_core_on_down(p->gw.core, p->now);
	side_drain(&p->gw, p->now);
	expect(&p->gw, "down\n");
	assert_true(chan_core_has_session(p->gw.core));
}

/* An ack waits for a frame that carries it; without one it goes alone. */
static void ack_waits(void **state)
{
	struct pair *p = *state;

	connect_pair(p);
	assert_int_equal(send_stanza(p, &p->edge, 1), 0);
	assert_true(carry(&p->edge, &p->gw, p->now, SIZE_MAX));
	assert_int_equal(chan_core_output(p->gw.core, p->now).n, 0);
	assert_int_equal(chan_core_deadline_ms(p->gw.core),
			 p->now + LIMIT_CHANNEL_ACK_MS);
	p->now += LIMIT_CHANNEL_ACK_MS - 1;
	chan_core_on_timer(p->gw.core, p->now);
	assert_int_equal(chan_core_output(p->gw.core, p->now).n, 0);
	p->now++;
	chan_core_on_timer(p->gw.core, p->now);
	/* a link that cannot write now is not woken again for it */
	assert_true(chan_core_deadline_ms(p->gw.core) > p->now);
	assert_true(carry(&p->gw, &p->edge, p->now, SIZE_MAX));
	assert_int_equal(chan_core_output(p->gw.core, p->now).n, 0);
	/* an Outcome carries it: nothing is due behind that */
	assert_int_equal(send_stanza(p, &p->edge, 2), 0);
	assert_true(carry(&p->edge, &p->gw, p->now, SIZE_MAX));
	assert_int_equal(chan_core_output(p->gw.core, p->now).n, 0);
	assert_int_equal(
		chan_core_send_outcome(p->gw.core, p->gw.refs[1], NULL, p->now),
		0);
	assert_true(carry(&p->gw, &p->edge, p->now, SIZE_MAX));
	assert_int_equal(chan_core_output(p->gw.core, p->now).n, 0);
	assert_true(chan_core_deadline_ms(p->gw.core) >
		    p->now + LIMIT_CHANNEL_ACK_MS);
}

static void hello_has_a_deadline(void **state)
{
	struct pair *p = *state;

	chan_core_on_up(p->gw.core, p->now);
	chan_core_on_up(p->edge.core, p->now);
	p->now += LIMIT_CHANNEL_HELLO_MS;
	assert_int_equal(chan_core_deadline_ms(p->gw.core), p->now);
	chan_core_on_timer(p->gw.core, p->now);
	chan_core_on_timer(p->edge.core, p->now);
	side_drain(&p->gw, p->now);
	side_drain(&p->edge, p->now);
	expect(&p->gw, "close dead\n");
	expect(&p->edge, "close dead\n");
	break_pair(p);
	expect(&p->gw, "");
}

/* Whoever does not drain is slow, not dead; and its input is bounded. */
static void backpressure_is_not_silence(void **state)
{
	struct pair *p = *state;
	Fed__Frame frame = FED__FRAME__INIT;
	struct buf wire;

	connect_pair(p);
	buf_init(&wire, 1u << 20);
	while (buf_len(&wire) < LIMIT_READ_BYTES)
		assert_int_equal(chan_codec_put(&wire, &frame), 0);
	while (chan_core_wants_bytes(p->gw.core))
		assert_int_equal(
			chan_core_on_bytes(p->gw.core,
					   span_of(buf_span(&wire).p, 16384),
					   p->now),
			0);
	assert_int_equal(
		chan_core_on_bytes(p->gw.core, buf_span(&wire), p->now),
		FED_ELIMIT);
	for (unsigned i = 0; i < 10; i++) {
		p->now += LIMIT_CHANNEL_PING_MS;
		chan_core_on_timer(p->gw.core, p->now);
	}
	side_drain(&p->gw, p->now);
	expect(&p->gw, "up new\n");
	assert_true(chan_core_wants_bytes(p->gw.core));
	buf_deinit(&wire);
}

/* ---- what is refused before it is sent ---------------------------------- */

static void own_mistakes_do_not_cost_the_session(void **state)
{
	struct pair *p = *state;
	struct chan_delivery d = {.handle = 1};
	char bad_utf8[] = "\xff\xfe";
	Fed__Error *error;
	char *huge;

	connect_pair(p);
	d.stanza = make_stanza(&p->arena, 1);
	assert_int_equal(chan_core_send_stanza(p->edge.core, &d, p->now),
			 FED_EINVAL); /* no Facts */
	d.facts = make_facts(&p->arena);
	assert_int_equal(chan_core_send_stanza(p->gw.core, &d, p->now),
			 FED_EINVAL);
	assert_int_equal(chan_core_send_stanza(p->edge.core, &d, p->now), 0);
	assert_int_equal(chan_core_send_stanza(p->edge.core, &d, p->now), 0);
	settle(p);
	error = stanza_error_new(&p->arena, FED__CONDITION__CONFLICT, "x");
	error->text[0]->text = bad_utf8;
	assert_int_equal(chan_core_send_outcome(p->gw.core, p->gw.refs[0],
						error, p->now),
			 0);
	huge = arena_alloc(&p->arena, 10000);
	memset(huge, 'x', 9999);
	error->text[0]->text = huge;
	assert_int_equal(chan_core_send_outcome(p->gw.core, p->gw.refs[1],
						error, p->now),
			 0);
	settle(p);
	expect(&p->edge,
	       "up new\noutcome 1 1 conflict\noutcome 1 1 conflict\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, pair_setup, pair_teardown)
		T(handshake_and_both_directions),
		T(every_byte_alone),
		T(window_stops_and_opens),
		T(other_frames_cross),
		T(drain_and_bye),
		T(resume_sends_again_what_was_not_seen),
		T(welcome_lost_then_resumed),
		T(session_expires),
		T(edge_restart_returns_before_up),
		T(gateway_restart_ends_the_session),
		T(ping_then_dead),
		T(ack_waits),
		T(hello_has_a_deadline),
		T(backpressure_is_not_silence),
		T(own_mistakes_do_not_cost_the_session),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
