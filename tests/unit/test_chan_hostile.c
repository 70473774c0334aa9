/* A peer that breaks the rules: every frame type in every phase and role,
 * numbers that lie, fields that are wrong. */
#include "chan_frames.h"

static void feed_bytes(struct side *s, struct span bytes, uint64_t now)
{
	assert_int_equal(chan_core_on_bytes(s->core, bytes, now), 0);
	side_drain(s, now);
}

static void feed(struct side *s, Fed__Frame *frame, uint64_t now)
{
	struct buf wire;

	buf_init(&wire, 1u << 20);
	assert_int_equal(chan_codec_put(&wire, frame), 0);
	feed_bytes(s, buf_span(&wire), now);
	buf_deinit(&wire);
}

/* The last close was for that reason and its text says so. */
static void expect_close(struct side *s, enum chan_close why, const char *text)
{
	assert_int_equal(s->close, why);
	if (strstr(s->text, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, s->text);
	assert_string_equal(chan_core_state_name(s->core), "closing");
	s->close = CHAN_CLOSE_NONE;
}

/* Who takes it: by an edge (e) or a gateway (g); in HELLO (h) or OPEN. */
static const struct row {
	Fed__Frame__KindCase kind;
	bool is_reliable;
	bool edge_hello, edge_open, gw_hello, gw_open;
} ROWS[] = {
#define K(name) FED__FRAME__KIND_##name
	{K(_NOT_SET), false, false, true, false, true},
	{K(HELLO), false, true, false, false, false},
	{K(WELCOME), false, false, false, true, false},
	{K(STANZA), true, false, true, false, true},
	{K(CONFIG), true, false, true, false, false},
	{K(CONFIG_RESULT), true, false, false, false, true},
	{K(STREAM_EVENT), true, false, false, false, true},
	{K(ATTEMPT), false, false, false, false, true},
	{K(ADMIN_REQUEST), false, false, true, false, false},
	{K(ADMIN_RESPONSE), false, false, false, false, true},
	{K(PING), false, false, true, false, true},
	{K(PONG), false, false, true, false, true},
	{K(DRAIN), false, false, true, false, true},
/* OUTCOME has a test of its own; BYE closes everywhere */
#undef K
};

static void try_row(const struct row *r, bool at_edge, bool is_open,
		    bool has_seq, bool is_taken)
{
	struct pair *p;
	struct all_frames f;
	struct side *s;
	Fed__Frame frame;
	void *state;

	pair_setup(&state);
	p = state;
	if (is_open) {
		connect_pair(p);
	} else {
		chan_core_on_up(p->edge.core, p->now);
		chan_core_on_up(p->gw.core, p->now);
	}
	s = at_edge ? &p->edge : &p->gw;
	make_all(p, &f, !at_edge);
	frame = frame_of(&f, r->kind);
	frame.seq = has_seq;
	feed(s, &frame, p->now);
	if (is_taken)
		assert_int_equal(s->close, CHAN_CLOSE_NONE);
	else
		expect_close(s, CHAN_CLOSE_PROTOCOL, "");
	pair_teardown(&state);
}

static void every_type_in_every_phase(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(ROWS); i++) {
		const struct row *r = &ROWS[i];
		bool seq = r->is_reliable;

		try_row(r, true, false, seq, r->edge_hello);
		try_row(r, true, true, seq, r->edge_open);
		try_row(r, false, false, seq, r->gw_hello);
		try_row(r, false, true, seq, r->gw_open);
		/* a seq too many or too few is never right */
		try_row(r, true, false, !seq, false);
		try_row(r, true, true, !seq, false);
		try_row(r, false, false, !seq, false);
		try_row(r, false, true, !seq, false);
	}
}

static void wrong_types_are_named(void **state)
{
	struct pair *p = *state;
	struct all_frames f;
	Fed__Frame frame;

	connect_pair(p);
	make_all(p, &f, false);
	frame = frame_of(&f, FED__FRAME__KIND_HELLO);
	feed(&p->edge, &frame, p->now);
	expect_close(&p->edge, CHAN_CLOSE_PROTOCOL,
		     "Hello came after the handshake");
	frame = frame_of(&f, FED__FRAME__KIND_CONFIG);
	frame.seq = 1;
	feed(&p->gw, &frame, p->now);
	expect_close(&p->gw, CHAN_CLOSE_PROTOCOL,
		     "Config is not allowed from this side");
	/* the session is over: what breaks rules is not resumed */
	break_pair(p);
	expect(&p->edge, "up new\nclose protocol\ndown\ngone\n");
	chan_core_on_up(p->edge.core, p->now);
	frame = frame_of(&f, FED__FRAME__KIND_PING);
	feed(&p->edge, &frame, p->now);
	expect_close(&p->edge, CHAN_CLOSE_PROTOCOL,
		     "Ping came before the handshake");
}

static void numbers_that_lie(void **state)
{
	static const struct {
		uint64_t seq;
		uint64_t ack;
		const char *text;
	} rows[] = {
		{2, 0, "gap before seq (2)"},
		{1, 3, "ack of a frame never sent (3)"},
		{UINT64_MAX, 0, "gap"},
		{1, UINT64_MAX, "never sent"},
	};
	(void)state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct pair *p;
		struct all_frames f;
		Fed__Frame frame;
		void *each;

		pair_setup(&each);
		p = each;
		connect_pair(p);
		assert_int_equal(send_stanza(p, &p->gw, 1), 0);
		assert_int_equal(send_stanza(p, &p->gw, 2), 0);
		(void)chan_core_output(p->gw.core, p->now);
		make_all(p, &f, true);
		frame = frame_of(&f, FED__FRAME__KIND_STANZA);
		frame.seq = rows[i].seq;
		frame.ack = rows[i].ack;
		feed(&p->gw, &frame, p->now);
		expect_close(&p->gw, CHAN_CLOSE_PROTOCOL, rows[i].text);
		pair_teardown(&each);
	}
}

static void outcome_of_nothing(void **state)
{
	struct pair *p = *state;
	struct all_frames f;
	Fed__Frame frame;

	connect_pair(p);
	assert_int_equal(send_stanza(p, &p->gw, 1), 0);
	(void)chan_core_output(p->gw.core, p->now);
	make_all(p, &f, true);
	frame = frame_of(&f, FED__FRAME__KIND_OUTCOME);
	/* written, but whoever answers must acknowledge it too */
	frame.seq = 1;
	feed(&p->gw, &frame, p->now);
	expect_close(&p->gw, CHAN_CLOSE_PROTOCOL,
		     "Outcome of no outstanding Stanza (1)");
	break_pair(p);
	connect_pair(p);
	frame.ack = 0;
	f.outcome.stanza_seq = 77;
	feed(&p->edge, &frame, p->now);
	expect_close(&p->edge, CHAN_CLOSE_PROTOCOL, "(77)");
}

static void second_outcome(void **state)
{
	struct pair *p = *state;
	struct all_frames f;
	Fed__Frame frame;

	connect_pair(p);
	assert_int_equal(send_stanza(p, &p->gw, 1), 0);
	(void)chan_core_output(p->gw.core, p->now);
	make_all(p, &f, true);
	frame = frame_of(&f, FED__FRAME__KIND_OUTCOME);
	frame.seq = 1;
	frame.ack = 1;
	feed(&p->gw, &frame, p->now);
	expect(&p->gw, "up new\noutcome 101 1 delivered\n");
	feed(&p->gw, &frame, p->now); /* the same seq: seen, dropped */
	expect(&p->gw, "");
	frame.seq = 2;
	feed(&p->gw, &frame, p->now);
	expect_close(&p->gw, CHAN_CLOSE_PROTOCOL, "Outcome of no outstanding");
}

static void more_than_the_window(void **state)
{
	struct pair *p = *state;
	struct all_frames f;
	Fed__Frame frame;

	connect_pair(p);
	make_all(p, &f, true);
	frame = frame_of(&f, FED__FRAME__KIND_STANZA);
	for (frame.seq = 1; frame.seq <= 4; frame.seq++)
		feed(&p->gw, &frame, p->now);
	expect(&p->gw, "up new\nstanza 1\nstanza 1\nstanza 1\nstanza 1\n");
	feed(&p->gw, &frame, p->now);
	expect_close(&p->gw, CHAN_CLOSE_PROTOCOL,
		     "more Stanzas than the window (4)");
}

/* ---- fields ------------------------------------------------------------- */

static char BAD_UTF8[] = "\xc3\x28";

static void no_facts(struct all_frames *f)
{
	f->stanza.facts = NULL;
}
static void bad_mechanism(struct all_frames *f)
{
	f->stanza.facts->mechanism = (Fed__Mechanism)99;
}
static void bad_facts_text(struct all_frames *f)
{
	f->stanza.facts->tls_version = BAD_UTF8;
}
static void short_delivery_id(struct all_frames *f)
{
	f->stanza.delivery_id.len = 15;
}
static void no_stanza(struct all_frames *f)
{
	f->stanza.stanza = NULL;
}
static void bad_stanza_text(struct all_frames *f)
{
	f->stanza.stanza->id = BAD_UTF8;
}
static void no_sender(struct all_frames *f)
{
	static char none[] = "";

	f->stanza.stanza->from = none;
}

static void stanzas_that_are_not_right(void **state)
{
	static const struct {
		void (*spoil)(struct all_frames *f);
		const char *text;
	} rows[] = {
		{no_facts, "without Facts"},
		{bad_mechanism, "Facts that"},
		{bad_facts_text, "Facts that"},
		{short_delivery_id, "delivery_id"},
		{no_stanza, "without Stanza"},
		{bad_stanza_text, "invalid Stanza"},
		{no_sender, "invalid Stanza"},
	};
	(void)state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct pair *p;
		struct all_frames f;
		Fed__Frame frame;
		void *each;

		pair_setup(&each);
		p = each;
		connect_pair(p);
		make_all(p, &f, true);
		rows[i].spoil(&f);
		frame = frame_of(&f, FED__FRAME__KIND_STANZA);
		frame.seq = 1;
		feed(&p->gw, &frame, p->now);
		expect_close(&p->gw, CHAN_CLOSE_PROTOCOL, rows[i].text);
		expect(&p->gw, "up new\nclose protocol\n");
		pair_teardown(&each);
	}
}

static void facts_from_a_gateway(void **state)
{
	struct pair *p = *state;
	struct all_frames f;
	Fed__Frame frame;

	connect_pair(p);
	make_all(p, &f, true);
	frame = frame_of(&f, FED__FRAME__KIND_STANZA);
	frame.seq = 1;
	feed(&p->edge, &frame, p->now);
	expect_close(&p->edge, CHAN_CLOSE_PROTOCOL, "Facts from a gateway");
}

static void wrong_version(struct all_frames *f)
{
	f->hello.version = CHAN_VERSION + 5;
	f->hello.version_min = CHAN_VERSION + 1;
}
static void version_zero(struct all_frames *f)
{
	f->hello.version = 0;
	f->hello.version_min = 0;
}
static void newer_that_speaks_ours(struct all_frames *f)
{
	f->hello.version = CHAN_VERSION + 1;
}
static void wrong_role(struct all_frames *f)
{
	f->hello.role = FED__ROLE__EDGE;
}
static void wrong_instance(struct all_frames *f)
{
	static char other[] = "gw-2";

	f->hello.instance = other;
}
static void short_boot_id(struct all_frames *f)
{
	f->hello.boot_id.len = 3;
}
static void short_session(struct all_frames *f)
{
	f->hello.session = (ProtobufCBinaryData){8, f->id};
}
static void no_window(struct all_frames *f)
{
	f->hello.window = 0;
}
static void unknown_session(struct all_frames *f)
{
	f->hello.session = id_of(f);
	f->hello.last_received = 99;
}

static void hellos(void **state)
{
	static const struct {
		void (*spoil)(struct all_frames *f);
		enum chan_close why; /* NONE: taken */
		const char *text;
	} rows[] = {
		{wrong_version, CHAN_CLOSE_VERSION, "versions 2 to 6"},
		{version_zero, CHAN_CLOSE_VERSION, "versions 0 to 0"},
		{newer_that_speaks_ours, CHAN_CLOSE_NONE, ""},
		{wrong_role, CHAN_CLOSE_PROTOCOL, "role"},
		{wrong_instance, CHAN_CLOSE_IDENTITY, "instance"},
		{short_boot_id, CHAN_CLOSE_PROTOCOL, "boot_id"},
		{short_session, CHAN_CLOSE_PROTOCOL, "session"},
		{no_window, CHAN_CLOSE_PROTOCOL, "window"},
		{unknown_session, CHAN_CLOSE_NONE, ""},
	};
	(void)state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct pair *p;
		struct all_frames f;
		Fed__Frame frame;
		void *each;

		pair_setup(&each);
		p = each;
		chan_core_on_up(p->edge.core, p->now);
		make_all(p, &f, false);
		rows[i].spoil(&f);
		frame = frame_of(&f, FED__FRAME__KIND_HELLO);
		feed(&p->edge, &frame, p->now);
		if (rows[i].why == CHAN_CLOSE_NONE)
			expect(&p->edge, "up new\n");
		else
			expect_close(&p->edge, rows[i].why, rows[i].text);
		/* it is told why, or welcomed */
		assert_true(chan_core_output(p->edge.core, p->now).n > 0);
		pair_teardown(&each);
	}
}

/* An edge that claims to resume what is not there, or lies about it. */
static void welcomes_that_lie(void **state)
{
	struct pair *p = *state;
	struct all_frames f;
	Fed__Frame frame;

	make_all(p, &f, true);
	f.welcome.resumed = true;
	frame = frame_of(&f, FED__FRAME__KIND_WELCOME);
	chan_core_on_up(p->gw.core, p->now);
	feed(&p->gw, &frame, p->now);
	expect_close(&p->gw, CHAN_CLOSE_PROTOCOL, "does not have");
	chan_core_on_down(p->gw.core, p->now);

	f.welcome.resumed = false;
	chan_core_on_up(p->gw.core, p->now);
	feed(&p->gw, &frame, p->now);
	assert_true(chan_core_is_up(p->gw.core));
	chan_core_on_down(p->gw.core, p->now);

	f.welcome.resumed = true;
	f.welcome.last_received = 1; /* nothing was ever sent */
	chan_core_on_up(p->gw.core, p->now);
	feed(&p->gw, &frame, p->now);
	expect_close(&p->gw, CHAN_CLOSE_PROTOCOL, "last_received 1");
}

/* The same token with another boot id is another process. */
static void token_of_another_boot(void **state)
{
	struct pair *p = *state;
	Fed__Frame *got;
	struct arena a;
	struct all_frames f;
	Fed__Frame frame;
	size_t used;

	make_all(p, &f, false);
	frame = frame_of(&f, FED__FRAME__KIND_HELLO);
	chan_core_on_up(p->edge.core, p->now);
	feed(&p->edge, &frame, p->now);
	arena_init(&a, 1u << 20);
	assert_int_equal(chan_codec_take(chan_core_output(p->edge.core, p->now),
					 &a, &got, &used),
			 0);
	f.hello.session = got->welcome->session;
	chan_core_on_down(p->edge.core, p->now);
	chan_core_on_up(p->edge.core, p->now);
	feed(&p->edge, &frame, p->now);
	chan_core_on_down(p->edge.core, p->now);
	memset(f.id, 8, sizeof(f.id));
	chan_core_on_up(p->edge.core, p->now);
	feed(&p->edge, &frame, p->now);
	expect(&p->edge, "up new\ndown\nup resumed\ndown\nup new\n");
	arena_deinit(&a);
}

/* A refused Hello is answered with a Bye that says why, also when there is an
 * older session whose numbers are of no matter here. */
static void a_refused_hello_is_told_why(void **state)
{
	struct pair *p = *state;
	struct all_frames f;
	Fed__Frame frame;

	connect_pair(p);
	assert_int_equal(send_stanza(p, &p->gw, 1), 0);
	settle(p);
	break_pair(p);
	make_all(p, &f, false);
	f.hello.version_min = CHAN_VERSION + 1;
	f.hello.version = CHAN_VERSION + 1;
	frame = frame_of(&f, FED__FRAME__KIND_HELLO);
	chan_core_on_up(p->edge.core, p->now);
	chan_core_on_up(p->gw.core, p->now);
	feed(&p->edge, &frame, p->now);
	expect_close(&p->edge, CHAN_CLOSE_VERSION, "versions 2 to 2");
	assert_true(carry(&p->edge, &p->gw, p->now, LIMIT_READ_BYTES));
	expect_close(&p->gw, CHAN_CLOSE_BYE, "versions 2 to 2");
}

static void long_frames_are_refused_by_their_length(void **state)
{
	struct pair *p = *state;
	static const char hello[] = {0, 0, 8, 1};
	static const char open[] = {0, 8, 0, 1};

	chan_core_on_up(p->edge.core, p->now);
	feed_bytes(&p->edge, span_of(hello, 4), p->now);
	expect_close(&p->edge, CHAN_CLOSE_LIMIT, "too long");
	break_pair(p);
	connect_pair(p);
	feed_bytes(&p->gw, span_of(open, 4), p->now);
	expect_close(&p->gw, CHAN_CLOSE_LIMIT, "too long");
}

static void unknown_type_is_refused(void **state)
{
	struct pair *p = *state;
	static const char later[] = {0, 0, 0, 4, (char)0xba, 1, 1, 'x'};

	connect_pair(p);
	feed_bytes(&p->gw, span_of(later, sizeof(later)), p->now);
	expect_close(&p->gw, CHAN_CLOSE_PROTOCOL, "no known type");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, pair_setup, pair_teardown)
		cmocka_unit_test(every_type_in_every_phase),
		T(wrong_types_are_named),
		cmocka_unit_test(numbers_that_lie),
		T(outcome_of_nothing),
		T(second_outcome),
		T(more_than_the_window),
		cmocka_unit_test(stanzas_that_are_not_right),
		T(facts_from_a_gateway),
		cmocka_unit_test(hellos),
		T(welcomes_that_lie),
		T(token_of_another_boot),
		T(a_refused_hello_is_told_why),
		T(long_frames_are_refused_by_their_length),
		T(unknown_type_is_refused),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
