/* IN under chance: nothing leaks, nothing is doubled, and at rest everybody
 * knows the truth. */
#include "presence_world.h"

/* --- life ----------------------------------------------------------------- */

static void begin(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->now = 10000000;
	w->params = (struct presence_params){
		.expires_s = 3600,
		.expires_min_s = 60,
		.expires_max_s = 3600,
		.notify_interval_ms = 5000,
		.hold_off_ms = 300000,
		.repair_rate = 100,
		.wall_ms = 1700000000000u,
		.ids = &w->ids,
		.log = &w->logger,
		.metrics = &w->metrics,
	};
	w->is_silent = seed % 2 == 0;
	arena_init(&w->a, 1u << 20);
	memset(w->show, 0xFF, sizeof(w->show));
	assert_int_equal(presence_new(&w->p, &w->params, w->now), 0);
	w->federation = rules_open();
	presence_set_federation(w->p, w->federation, w->now);
	presence_on_channel(w->p, true, false, w->now);
}

static void end(struct world *w)
{
	presence_free(w->p);
	federation_free(w->federation);
	later_drop(w);
	kept_clear(&w->kept);
	arena_deinit(&w->a);
}

/* What was acknowledged is on disk, whatever was not. */
static void check_promises(const struct world *w)
{
	for (int i = 0; i < WATCHERS * USERS; i++) {
		const struct pair *pair = &w->pairs[i / USERS][i % USERS];
		char key[160];
		bool is_there = false;

		(void)snprintf(key, sizeof(key),
			       "0 watcher%d@example.net user%d@example.com",
			       i / USERS, i % USERS);
		for (size_t k = 0; k < w->kept.count; k++)
			is_there |= strcmp(w->kept.rows[k]->key, key) == 0 &&
				    w->kept.rows[k]->row.u.watch.auth ==
					    PRESENCE_ALLOWED;
		if (pair->is_acknowledged)
			assert_true(is_there);
	}
}

static void crash(struct world *w, uint64_t down_ms)
{
	uint64_t wall_ms = w->params.wall_ms + w->now - 10000000 + down_ms;

	check_promises(w);
	presence_free(w->p);
	later_drop(w);
	w->flying_count = 0;
	memset(w->yes, 0, sizeof(w->yes));
	w->now += down_ms;
	w->params.wall_ms = wall_ms;
	assert_int_equal(presence_new(&w->p, &w->params, w->now), 0);
	presence_set_federation(w->p, w->federation, w->now);
	w->params.wall_ms = wall_ms - (w->now - 10000000);
	for (int kind = PRESENCE_ROW_WATCH; kind <= PRESENCE_ROW_DIALOG; kind++)
		for (size_t i = 0; i < w->kept.count; i++)
			if ((int)w->kept.rows[i]->row.kind == kind)
				assert_int_equal(
					presence_restore(w->p,
							 &w->kept.rows[i]->row,
							 w->now),
					0);
	presence_on_channel(w->p, true, true, w->now);
	for (int i = 0; i < WATCHERS * USERS * DIALOGS; i++) {
		struct device *d =
			&w->pairs[i / DIALOGS / USERS][i / DIALOGS % USERS]
				 .devices[i % DIALOGS];

		d->is_flying = false;
		d->doc_ms = 0;
		/* it sends it again, or it gives up: a new one then */
		if (d->handle != 0)
			lose(w, d);
		/* its "terminated" may come again: the answer was lost */
		if (d->is_over)
			d->is_deaf = true, d->is_over = false;
	}
}

/* --- user agents ---------------------------------------------------------- */

static void send_subscribe(struct world *w, int watcher, int user,
			   struct device *d, uint32_t expires)
{
	char local[80], remote[80];
	struct sip_request_in q = {
		.handle = ++w->next_handle,
		.method = SPAN_LIT("SUBSCRIBE"),
		.contact_uri = SPAN_LIT("sip:192.0.2.7"),
		.has_event = true,
		.event = SPAN_LIT("presence"),
		.has_expires = true,
		.expires = expires,
		.call_id = span_str(d->call_id),
		.from_tag = span_str(d->from_tag),
		.cseq = ++d->cseq,
	};

	(void)snprintf(local, sizeof(local), "sip:watcher%d@example.net",
		       watcher);
	(void)snprintf(remote, sizeof(remote), "sip:user%d@example.com", user);
	q.from_uri = span_str(local);
	q.request_uri = q.to_uri = span_str(remote);
	q.has_to_tag = d->to_tag[0] != '\0';
	q.to_tag = span_str(d->to_tag);
	d->handle = q.handle;
	presence_on_sip_request(w->p, &q, w->now);
}

static void subscribe(struct world *w, int watcher, int user)
{
	for (int i = 0; i < DIALOGS; i++) {
		struct device *d = &w->pairs[watcher][user].devices[i];
		bool is_poll = chance(w, 5) == 0;

		if (d->is_used && !(d->is_over && !d->is_flying))
			continue;
		/* that it is over may be forgotten in a crash */
		if (d->is_used)
			lose(w, d);
		memset(d, 0, sizeof(*d));
		d->is_used = true;
		d->wants = !is_poll;
		d->doc[0] = '-';
		(void)snprintf(d->call_id, sizeof(d->call_id), "c%llu",
			       (unsigned long long)w->next_handle);
		(void)snprintf(d->from_tag, sizeof(d->from_tag), "t%d", i);
		send_subscribe(w, watcher, user, d, is_poll ? 0 : 3600);
		return;
	}
}

static bool is_alive(const struct device *d)
{
	return d->is_used && d->has_200 && !d->is_over && !d->is_deaf &&
	       d->wants;
}

/* One of the pair's; NULL: there is none. */
static struct device *any_device(struct world *w, int watcher, int user)
{
	struct device *d = &w->pairs[watcher][user].devices[chance(w, DIALOGS)];

	return is_alive(d) && d->handle == 0 ? d : NULL;
}

/* --- ways ----------------------------------------------------------------- */

static void land(struct world *w, size_t at, bool is_well)
{
	static const int bad[] = {481, 500, 404, 503, 603};
	struct flying fl = w->flying[at];
	struct sip_response_in r = {.end = SIP_END_RESPONSE, .status = 200};
	Fed__Error *e = NULL;

	w->flying[at] = w->flying[--w->flying_count];
	if (fl.is_sip) {
		if (fl.device == NULL || fl.device->is_deaf)
			r.status = 481;
		else if (!is_well && chance(w, 8) == 0)
			r.status = bad[chance(w, FED_ARRAY_LEN(bad))];
		else if (!is_well && chance(w, 8) == 0)
			r.end = SIP_END_TRANSPORT;
		/* who says so has none */
		if (fl.device == NULL)
			;
		else if (r.end == SIP_END_RESPONSE &&
			 (r.status == 481 || r.status == 404))
			fl.device->is_deaf = true;
		else if (r.end != SIP_END_RESPONSE || r.status >= 300)
			fl.device->doc[0] = '-';
		if (fl.device != NULL)
			fl.device->is_flying = false;
		presence_on_sip_response(w->p, fl.token, &r, w->now);
		return;
	}
	if (w->is_cut)
		e = stanza_error_new(
			&w->a, FED__CONDITION__REMOTE_SERVER_TIMEOUT, NULL);
	presence_on_outcome(w->p, fl.token, e, w->now);
	if (!w->is_cut)
		serve(w, &fl);
}

static void cut(struct world *w, bool is_cut)
{
	if (w->is_cut == is_cut)
		return;
	w->is_cut = is_cut;
	presence_on_stream(w->p, SPAN_LIT("example.com"),
			   is_cut ? PRESENCE_STREAM_FAILED
				  : PRESENCE_STREAM_OPENED,
			   w->now);
}

/* --- time ----------------------------------------------------------------- */

static void keep_alive(struct world *w)
{
	for (int i = 0; i < WATCHERS * USERS * DIALOGS; i++) {
		int watcher = i / DIALOGS / USERS;
		int user = i / DIALOGS % USERS;
		struct device *d =
			&w->pairs[watcher][user].devices[i % DIALOGS];

		if (is_alive(d) && d->handle == 0 &&
		    w->now + 600000 > d->expires_ms)
			send_subscribe(w, watcher, user, d, 3600);
	}
}

/* At most so much of it, deadline by deadline. */
static void pass(struct world *w, uint64_t ms, bool is_well)
{
	uint64_t until = w->now + ms;

	for (;;) {
		uint64_t at;

		keep_alive(w);
		run(w);
		if (is_well) {
			commit_all(w);
			while (w->flying_count > 0)
				land(w, 0, true);
			run(w);
			commit_all(w);
			run(w);
			if (w->flying_count > 0 || w->later_count > 0)
				continue;
		}
		at = presence_deadline_ms(w->p);
		if (at < w->now + 1)
			at = w->now + 1;
		if (at > w->now + 300000)
			at = w->now + 300000;
		if (at > until)
			break;
		w->now = at;
	}
	w->now = until;
	run(w);
}

/* --- chance --------------------------------------------------------------- */

static void change_user(struct world *w, int user)
{
	int i = (int)chance(w, RESOURCES);

	w->show[user][i] = (int)chance(w, 6) - 1;
	for (int watcher = 0; watcher < WATCHERS; watcher++)
		if (w->pairs[watcher][user].leave == LEAVE_GIVEN && !w->is_cut)
			say_resource(w, watcher, user, i);
}

static void answer_question(struct world *w, int watcher, int user)
{
	struct pair *pair = &w->pairs[watcher][user];

	if (pair->leave == LEAVE_ASKED && chance(w, 4) > 0)
		give_leave(w, watcher, user);
	else if (pair->leave != LEAVE_NONE && chance(w, 4) == 0 && !w->is_cut)
		take_leave(w, watcher, user, "");
}

static void act(struct world *w)
{
	int watcher = (int)chance(w, WATCHERS);
	int user = (int)chance(w, USERS);
	struct device *d = any_device(w, watcher, user);

	switch (chance(w, 16)) {
	case 0:
	case 1:
		subscribe(w, watcher, user);
		break;
	case 2:
		if (d != NULL)
			send_subscribe(w, watcher, user, d, 3600);
		break;
	case 3:
		if (d != NULL) {
			d->wants = false;
			send_subscribe(w, watcher, user, d, 0);
		}
		break;
	case 4:
		if (d != NULL && chance(w, 4) == 0)
			d->is_deaf = true;
		break;
	case 5:
	case 6:
	case 7:
		change_user(w, user);
		break;
	case 8:
	case 9:
		answer_question(w, watcher, user);
		break;
	case 10:
		cut(w, chance(w, 4) == 0);
		break;
	case 11:
		commit_all(w);
		break;
	case 12:
	case 13:
		if (w->flying_count > 0)
			land(w, chance(w, (unsigned)w->flying_count), false);
		break;
	case 14:
		pass(w, chance(w, 2) == 0 ? chance(w, 3000) : chance(w, 400000),
		     false);
		break;
	case 15:
		if (chance(w, 10) == 0)
			crash(w, chance(w, 100000));
		break;
	}
	run(w);
}

static void check_device(const struct world *w, int watcher, int user,
			 const struct device *d, uint64_t seed)
{
	char truth[DOC_BYTES];

	if (!is_alive(d))
		return;
	print_truth(w, watcher, user, truth);
	if (w->pairs[watcher][user].leave != LEAVE_GIVEN)
		assert_int_equal(strncmp(d->state, "pending", 7), 0);
	else if (strncmp(d->state, "active", 6) != 0 ||
		 strcmp(d->doc, truth) != 0)
		fail_msg("seed %d: w%d u%d %s: %s %s is not %s", (int)seed,
			 watcher, user, d->call_id, d->state, d->doc, truth);
}

static void check_truth(struct world *w, uint64_t seed)
{
	cut(w, false);
	/* a "yes" that was lost is asked for again within the hour */
	pass(w, 2u * LIMIT_PRESENCE_ASK_AGAIN_MS, true);
	for (int watcher = 0; watcher < WATCHERS; watcher++)
		for (int user = 0; user < USERS; user++)
			for (int i = 0; i < DIALOGS; i++)
				check_device(
					w, watcher, user,
					&w->pairs[watcher][user].devices[i],
					seed);
}

static void test_random(void **state)
{
	static struct world w;
	size_t notify_count = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		begin(&w, seed);
		for (int round = 0; round < 4; round++) {
			for (int i = 0; i < 300; i++)
				act(&w);
			check_truth(&w, seed);
		}
		notify_count += w.notify_count;
		end(&w);
	}
	/* it was not for nothing */
	assert_true(notify_count > 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
