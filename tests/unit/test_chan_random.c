/*
 * Two cores on a TCP that breaks where it likes, an edge and a gateway that
 * restart: 10,000 Stanzas each way.  Every Stanza ends exactly once, in
 * OUTCOME or RETURNED; within a session they arrive in order, none twice.
 */
#include "chan_harness.h"

enum { STANZAS = 10000, WINDOW = 32 };

/* One direction's books. */
struct books {
	unsigned sent;
	uint8_t ended[STANZAS];	   /* times */
	uint32_t seen_in[STANZAS]; /* session of the last delivery */
	uint32_t session;	   /* of the receiver */
	unsigned last;		   /* Stanza delivered last, this session */
	unsigned outcomes;
	unsigned returned;
};

struct owed {
	uint64_t ref;
	unsigned n;
};

struct world {
	struct pair pair;
	struct books from[2]; /* by role of the sender */
	struct owed owed[2][WINDOW];
	size_t owed_count[2];
	uint64_t seed;
};

static uint32_t roll(struct world *w, uint32_t n)
{
	w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(w->seed >> 33) % n;
}

static struct side *side_of(struct world *w, enum chan_role role)
{
	return role == CHAN_EDGE ? &w->pair.edge : &w->pair.gw;
}

static enum chan_role other(enum chan_role role)
{
	return role == CHAN_EDGE ? CHAN_GATEWAY : CHAN_EDGE;
}

static void on_delivery(struct world *w, enum chan_role me,
			const struct chan_action *a)
{
	struct books *b = &w->from[other(me)];
	unsigned n = (unsigned)atoi(a->u.stanza.frame->stanza->id);

	assert_true(n < b->sent);
	assert_true(b->seen_in[n] != b->session);
	assert_true(n > b->last || b->last == UINT32_MAX);
	b->seen_in[n] = b->session;
	b->last = n;
	assert_true(w->owed_count[me] < WINDOW);
	w->owed[me][w->owed_count[me]++] = (struct owed){a->u.stanza.ref, n};
}

static void on_end(struct world *w, enum chan_role me,
		   const struct chan_action *a)
{
	struct books *b = &w->from[me];
	unsigned n = (unsigned)a->u.outcome.handle;

	assert_int_equal(atoi(a->u.outcome.frame->stanza->id), n);
	b->ended[n]++;
	assert_int_equal(b->ended[n], 1);
	if (a->kind == CHAN_ACT_RETURNED) {
		b->returned++;
		return;
	}
	b->outcomes++;
	/* an Outcome is of something that was delivered, as it was answered */
	assert_true(b->seen_in[n] != 0);
	assert_int_equal(a->u.outcome.refused != NULL, n % 3 == 0);
}

static void new_session(struct world *w, enum chan_role me)
{
	struct books *b = &w->from[other(me)];

	b->session++;
	b->last = UINT32_MAX;
	w->owed_count[me] = 0;
}

static void drain(struct world *w, enum chan_role me)
{
	struct chan_action a;

	while (chan_core_next_action(side_of(w, me)->core, &a, w->pair.now)) {
		if (a.kind == CHAN_ACT_STANZA)
			on_delivery(w, me, &a);
		else if (a.kind == CHAN_ACT_OUTCOME ||
			 a.kind == CHAN_ACT_RETURNED)
			on_end(w, me, &a);
		else if (a.kind == CHAN_ACT_UP && !a.u.up.is_resumed)
			new_session(w, me);
		else
			assert_int_not_equal(a.kind, CHAN_ACT_CLOSE);
	}
}

/* Some bytes arrive; with 0 they are lost with the connection. */
static void move(struct world *w, enum chan_role from, bool is_lost)
{
	struct side *s = side_of(w, from);
	struct side *to = side_of(w, other(from));
	struct span out = chan_core_output(s->core, w->pair.now);
	size_t n = out.n == 0 ? 0 : 1 + roll(w, (uint32_t)out.n);

	if (n > LIMIT_READ_BYTES)
		n = LIMIT_READ_BYTES;
	if (n > 0 && !is_lost)
		assert_int_equal(chan_core_on_bytes(to->core, span_of(out.p, n),
						    w->pair.now),
				 0);
	chan_core_sent(s->core, n);
	drain(w, other(from));
}

static void reconnect(struct world *w)
{
	chan_core_on_up(w->pair.edge.core, w->pair.now);
	chan_core_on_up(w->pair.gw.core, w->pair.now);
}

/* Its Stanzas die with it: what it had sent is nobody's any more. */
static void restart(struct world *w, enum chan_role me)
{
	struct side *s = side_of(w, me);
	struct books *b = &w->from[me];

	drain(w, me);
	drain(w, other(me));
	for (unsigned i = 0; i < b->sent; i++)
		if (b->ended[i] == 0)
			b->ended[i] = 1;
	side_deinit(s);
	side_init(s, me, (uint8_t)(10 + roll(w, 240)), WINDOW);
	w->owed_count[me] = 0;
	chan_core_on_down(side_of(w, other(me))->core, w->pair.now);
}

static void answer_one(struct world *w, enum chan_role me)
{
	Fed__Error *refused = NULL;
	struct owed o;
	size_t i;

	if (w->owed_count[me] == 0)
		return;
	i = roll(w, (uint32_t)w->owed_count[me]);
	o = w->owed[me][i];
	w->owed[me][i] = w->owed[me][--w->owed_count[me]];
	arena_reset(&w->pair.arena);
	if (o.n % 3 == 0)
		refused = stanza_error_new(&w->pair.arena,
					   FED__CONDITION__CONFLICT, NULL);
	assert_int_equal(chan_core_send_outcome(side_of(w, me)->core, o.ref,
						refused, w->pair.now),
			 0);
}

static void send_one(struct world *w, enum chan_role me)
{
	struct side *s = side_of(w, me);
	struct books *b = &w->from[me];
	struct chan_delivery d = {.handle = b->sent};

	if (b->sent == STANZAS || !chan_core_can_send(s->core))
		return;
	arena_reset(&w->pair.arena);
	d.stanza = make_stanza(&w->pair.arena, b->sent);
	if (me == CHAN_EDGE)
		d.facts = make_facts(&w->pair.arena);
	b->sent++;
	assert_int_equal(chan_core_send_stanza(s->core, &d, w->pair.now), 0);
}

/* Everything that can go wrong with a connection, now and then. */
static void disturb(struct world *w)
{
	switch (roll(w, 400)) {
	case 0:
	case 1:
		chan_core_on_down(w->pair.edge.core, w->pair.now);
		chan_core_on_down(w->pair.gw.core, w->pair.now);
		reconnect(w);
		return;
	case 2: /* only one side noticed */
		move(w, CHAN_EDGE, true);
		chan_core_on_down(w->pair.gw.core, w->pair.now);
		reconnect(w);
		return;
	case 3: /* longer than a session is kept, on one side or both */
		chan_core_on_down(w->pair.edge.core, w->pair.now);
		chan_core_on_down(w->pair.gw.core, w->pair.now);
		w->pair.now += LIMIT_CHANNEL_RESUME_MS;
		if (roll(w, 2) == 0)
			chan_core_on_timer(w->pair.edge.core, w->pair.now);
		if (roll(w, 2) == 0)
			chan_core_on_timer(w->pair.gw.core, w->pair.now);
		drain(w, CHAN_EDGE);
		drain(w, CHAN_GATEWAY);
		reconnect(w);
		return;
	case 4:
		if (roll(w, 4) == 0) {
			restart(w, roll(w, 2) == 0 ? CHAN_EDGE : CHAN_GATEWAY);
			reconnect(w);
		}
		return;
	default:
		return;
	}
}

static bool is_finished(const struct world *w)
{
	for (int r = 0; r < 2; r++) {
		const struct books *b = &w->from[r];

		if (b->sent < STANZAS)
			return false;
		for (unsigned i = 0; i < STANZAS; i++)
			if (b->ended[i] == 0)
				return false;
	}
	return true;
}

static void step(struct world *w)
{
	enum chan_role me = roll(w, 2) == 0 ? CHAN_EDGE : CHAN_GATEWAY;

	switch (roll(w, 4)) {
	case 0:
		move(w, me, false);
		return;
	case 1:
		answer_one(w, me);
		return;
	case 2:
		move(w, other(me), false);
		return;
	default:
		send_one(w, me);
		return;
	}
}

static void play(uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));
	unsigned steps = 0;

	side_init(&w->pair.edge, CHAN_EDGE, 1, WINDOW);
	side_init(&w->pair.gw, CHAN_GATEWAY, 2, WINDOW);
	arena_init(&w->pair.arena, 1u << 20);
	w->pair.now = 1000;
	w->seed = seed;
	reconnect(w);
	do {
		step(w);
		disturb(w);
		assert_true(++steps < 5000000);
	} while (steps % 512 != 0 || !is_finished(w));
	for (int r = 0; r < 2; r++) {
		/* the test is one only if both ends happened, and resumes */
		assert_true(w->from[r].outcomes > STANZAS / 2);
		assert_true(w->from[r].returned > 10);
	}
	assert_int_equal(chan_core_outstanding(w->pair.edge.core), 0);
	side_deinit(&w->pair.edge);
	side_deinit(&w->pair.gw);
	arena_deinit(&w->pair.arena);
	free(w);
}

static void every_stanza_ends_once(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++)
		play(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_stanza_ends_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
