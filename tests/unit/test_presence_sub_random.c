/* OUT under chance: nobody is approved twice, nothing is shown without leave,
 * and at rest every watcher knows the truth. */
#include "presence_pa_world.h"

/* --- what happens --------------------------------------------------------- */

static void change(struct world *w)
{
	int user = (int)chance(w, USERS);

	w->truth[user][chance(w, RESOURCES)] = (int)chance(w, 4);
	for (int i = 0; i < PAIRS; i++)
		for (int k = 0; k < DIALOGS && i % USERS == user; k++)
			w->pairs[i].dialogs[k].is_due = true;
}

static void set_policy(struct world *w, int pair, enum policy policy)
{
	struct pair *p = &w->pairs[pair];

	p->policy = policy;
	for (int k = 0; k < DIALOGS; k++) {
		if (!p->dialogs[k].is_used)
			continue;
		p->dialogs[k].is_due = true;
		if (policy != POLICY_REJECTED)
			continue;
		send_notify(w, pair, &p->dialogs[k],
			    "terminated;reason=rejected", false);
		p->dialogs[k].is_used = false;
		if (w->notify_status == 200)
			p->was_shown = false;
	}
}

static void notify_one(struct world *w)
{
	int pair = (int)chance(w, PAIRS);
	struct pa_dialog *d = &w->pairs[pair].dialogs[chance(w, DIALOGS)];

	if (d->is_used && d->is_due && d->expires_ms > w->f->now)
		notify_state(w, pair, d);
}

/* The server ends a dialog, or forgets it without a word. */
static void end_dialog(struct world *w)
{
	static const char *const states[] = {
		"terminated;reason=deactivated",
		"terminated;reason=timeout",
		"terminated;reason=probation;retry-after=60",
		"terminated;reason=giveup;retry-after=60",
		"terminated",
	};
	int pair = (int)chance(w, PAIRS);
	struct pa_dialog *d = &w->pairs[pair].dialogs[chance(w, DIALOGS)];
	unsigned how = chance(w, 6);

	if (d->is_used && how < FED_ARRAY_LEN(states))
		send_notify(w, pair, d, states[how], false);
	d->is_used = false;
}

/* The watcher's server acts by its roster (RFC 6121 A.2). */
static void watcher_acts(struct world *w)
{
	int number = (int)chance(w, PAIRS);
	struct pair *pair = &w->pairs[number];

	switch (chance(w, 4)) {
	case 0:
	case 1:
		pair->subscribes++;
		if (pair->roster == ROSTER_NONE)
			pair->roster = ROSTER_ASKED;
		world_ask(w, number, FED__PRESENCE_TYPE__SUBSCRIBE);
		break;
	case 2:
		if (pair->roster == ROSTER_NONE)
			break;
		pair->roster = ROSTER_NONE;
		world_ask(w, number, FED__PRESENCE_TYPE__UNSUBSCRIBE);
		break;
	default:
		world_ask(w, number, FED__PRESENCE_TYPE__PROBE);
		break;
	}
	world_drain(w);
}

static void end_flight(struct world *w, struct pa_flight *x)
{
	Fed__Error *e = NULL;
	unsigned luck = w->is_calm ? 9 : chance(w, 16);

	if (x->is_sip) {
		if (luck == 0)
			answer_by(w, x, 0, NULL);
		else if (luck == 1)
			answer_by(w, x, 500, NULL);
		else if (luck == 2)
			answer_by(w, x, 480, NULL);
		else
			serve(w, x);
		return;
	}
	w->pairs[x->pair].stanzas_flying--;
	x->is_used = false;
	if (luck == 0)
		e = stanza_error_new(
			&w->f->a, FED__CONDITION__REMOTE_SERVER_TIMEOUT, NULL);
	else
		world_land(w, x);
	presence_on_outcome(w->f->p, x->token, e, w->f->now);
	world_drain(w);
}

static void end_some(struct world *w, bool is_all)
{
	for (size_t i = 0; i < IN_FLIGHT; i++)
		if (w->flights[i].is_used && (is_all || chance(w, 2) == 0))
			end_flight(w, &w->flights[i]);
}

static void settle_all(struct world *w)
{
	uint64_t seq;

	do {
		seq = w->f->put_seq;
		world_commit(w);
		world_drain(w);
	} while (seq != w->f->put_seq);
}

/* All is durable, and no request of the pair is under way: the dialogs that
 * take a NOTIFY now take one in the next run. */
static void keep_dialogs(struct world *w)
{
	settle_all(w);
	for (int i = 0; i < PAIRS; i++)
		for (int k = 0; k < DIALOGS; k++) {
			struct pa_dialog *d = &w->pairs[i].dialogs[k];

			if (d->is_used && d->expires_ms > w->f->now)
				notify_state(w, i, d);
		}
	settle_all(w);
	for (int i = 0; i < PAIRS; i++)
		for (int k = 0; k < DIALOGS; k++)
			w->pairs[i].dialogs[k].is_kept =
				w->pairs[i].dialogs[k].is_used &&
				w->pairs[i].sip_flying == 0;
}

static void check_kept(struct world *w)
{
	for (int i = 0; i < PAIRS; i++)
		for (int k = 0; k < DIALOGS; k++) {
			struct pa_dialog *d = &w->pairs[i].dialogs[k];

			if (!d->is_kept || d->expires_ms <= w->f->now)
				continue;
			notify_state(w, i, d);
			if (!d->is_used)
				fail_msg("u%d w%d: a dialog is lost", i % USERS,
					 i / USERS);
			d->is_kept = false;
		}
}

/* What was in flight may have arrived or not; stanzas without Outcome come
 * again, in their order. */
static void world_crash(struct world *w)
{
	struct pa_ask again[ASKS];
	size_t count = 0;
	bool is_kept = chance(w, 2) == 0;

	if (is_kept)
		keep_dialogs(w);
	for (size_t i = 0; i < IN_FLIGHT; i++)
		if (w->flights[i].is_used && !w->flights[i].is_sip &&
		    chance(w, 2) == 0)
			world_land(w, &w->flights[i]);
	memset(w->flights, 0, sizeof(w->flights));
	for (int i = 0; i < PAIRS; i++) {
		w->pairs[i].sip_flying = w->pairs[i].stanzas_flying = 0;
		w->pairs[i].is_shaken = true;
	}
	for (uint64_t ref = 1; ref <= w->f->next_ref; ref++)
		for (size_t i = 0; i < ASKS; i++)
			if (w->asks[i].ref == ref)
				again[count++] = w->asks[i];
	memset(w->asks, 0, sizeof(w->asks));
	w->late_ms = 0; /* rows that were not durable are lost */
	crash(w->f, 1000ull * chance(w, 100));
	if (is_kept)
		check_kept(w);
	for (size_t i = 0; i < count; i++)
		world_ask(w, again[i].pair, again[i].type);
	world_drain(w);
}

static void pass_time(struct world *w, uint64_t ms)
{
	w->f->now += ms;
	for (int i = 0; i < PAIRS; i++)
		for (int k = 0; k < DIALOGS; k++)
			if (w->pairs[i].dialogs[k].expires_ms <= w->f->now)
				w->pairs[i].dialogs[k].is_used = false;
	world_drain(w);
}

static void happen(struct world *w)
{
	unsigned what = chance(w, 200);

	if (what < 30)
		watcher_acts(w);
	else if (what < 60)
		change(w);
	else if (what < 90)
		notify_one(w);
	else if (what < 110)
		set_policy(w, (int)chance(w, PAIRS), (enum policy)chance(w, 3));
	else if (what < 115)
		end_dialog(w);
	else if (what < 150)
		end_some(w, false);
	else if (what < 170)
		world_commit(w);
	else if (what < 197)
		pass_time(w, what < 190 ? chance(w, 2000)
					: 1000ull * chance(w, 4000));
	else
		world_crash(w);
	world_drain(w);
}

/* --- at rest -------------------------------------------------------------- */

static void calm_down(struct world *w, uint64_t ms)
{
	uint64_t end = w->f->now + ms;

	for (;;) {
		uint64_t at;

		world_commit(w);
		world_drain(w);
		end_some(w, true);
		for (int i = 0; i < PAIRS; i++)
			for (int k = 0; k < DIALOGS; k++)
				if (w->pairs[i].dialogs[k].is_used &&
				    w->pairs[i].dialogs[k].is_due)
					notify_state(w, i,
						     &w->pairs[i].dialogs[k]);
		world_commit(w);
		world_drain(w);
		at = presence_deadline_ms(w->f->p);
		if (at > end)
			break;
		pass_time(w, at > w->f->now ? at - w->f->now : 1);
	}
	pass_time(w, end - w->f->now);
}

static void check(const struct world *w, uint64_t seed)
{
	for (int i = 0; i < PAIRS; i++) {
		const struct pair *p = &w->pairs[i];
		bool sees =
			p->roster == ROSTER_TO && p->policy == POLICY_ALLOWED;

		for (int k = 0; k < RESOURCES; k++) {
			int is = sees ? w->truth[i % USERS][k] : 0;

			if (p->view[k] != is)
				fail_msg("seed %llu: w%d sees r%d of u%d as "
					 "%d, not %d (roster %d, policy %d)",
					 (unsigned long long)seed, i / USERS, k,
					 i % USERS, p->view[k], is, p->roster,
					 p->policy);
		}
		if (p->roster == ROSTER_TO)
			assert_int_not_equal(p->policy, POLICY_REJECTED);
		if (p->roster == ROSTER_ASKED)
			assert_int_equal(p->policy, POLICY_PENDING);
	}
}

/* All that fails, ends; servers probe, and none has to ask again. */
static void rest(struct world *w, uint64_t seed)
{
	w->is_calm = true;
	calm_down(w, 7200000);
	for (int i = 0; i < PAIRS; i++) {
		world_ask(w, i, FED__PRESENCE_TYPE__PROBE);
		calm_down(w, 1000);
	}
	calm_down(w, 7200000);
	check(w, seed);
}

/* How many were refused because the disk stood still. */
static unsigned run(void **state, uint64_t seed, int events)
{
	struct world *w = calloc(1, sizeof(*w));
	unsigned refusals;

	assert_non_null(w);
	(void)setup(state);
	w->f = *state;
	w->f->is_commit_held = true;
	w->seed = seed * 2654435761u + 1;
	for (int i = 0; i < events; i++)
		happen(w);
	refusals = w->late_refusals;
	rest(w, seed);
	/* a disk that is in time refuses nobody */
	assert_int_equal(w->late_refusals, refusals);
	free(w);
	(void)teardown(state);
	return refusals;
}

static void test_random(void **state)
{
	unsigned refusals = 0;

	for (uint64_t seed = 1; seed <= 400; seed++)
		refusals += run(state, seed, 400);
	assert_true(refusals > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
