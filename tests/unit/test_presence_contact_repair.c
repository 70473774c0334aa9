/* IN: restarts, probes, domains that go and come, the end, what operators
 * see. */
#include "presence_in_harness.h"
#include "presence_repair.h"

/* --- after a crash -------------------------------------------------------- */

/* neither an empty nor a closed NOTIFY because we restarted */
static void test_restart(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	restart(f, 5000);
	wait_ms(f, 1000);
	expect(f, "<probe>\n");
	available(f, "balcony", FED__SHOW__AWAY, 0, NULL);
	expect(f, "outcome ok\nNOTIFY active;expires=3594 {balcony away}\n");
	wait_ms(f, 100000);
	expect(f, "");
}

/* a server that says nothing of users who are offline */
static void test_restart_offline(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	restart(f, 5000);
	wait_ms(f, LIMIT_PRESENCE_ANSWER_MS - 1);
	expect(f, "<probe>\n");
	wait_ms(f, 1);
	expect(f, "NOTIFY active;expires=3575 {}\n");
}

static void test_restart_too_late(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	restart(f, 4000000);
	wait_ms(f, 1000);
	expect(f, "NOTIFY terminated;reason=timeout {}\n");
	assert_int_equal(count_rows(f, PRESENCE_ROW_DIALOG), 0);
	assert_int_equal(count_rows(f, PRESENCE_ROW_WATCH), 1);
	/* and is not asked for again */
	subscribe(f, 3600);
	expect(f, "200 expires=3600\nNOTIFY active;expires=3600\n<probe>\n");
}

/* the subscriber lost it meanwhile */
static void test_restart_lost(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	restart(f, 5000);
	f->sip_status = 481;
	wait_ms(f, 1000);
	available(f, "balcony", FED__SHOW__NO_SHOW, 0, NULL);
	expect(f, "<probe>\n"
		  "outcome ok\n"
		  "NOTIFY active;expires=3594 {balcony}\n"
		  "<unavailable>\n");
}

/* "no" came while we were down */
static void test_restart_revoked(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	restart(f, 5000);
	wait_ms(f, 1000);
	unsubscribed(f);
	expect(f, "<probe>\noutcome ok\nNOTIFY terminated;reason=rejected\n");
	assert_int_equal(f->kept.count, 0);
}

/* approved, and the watcher was not told before the crash */
static void test_restart_untold(void **state)
{
	struct fixture *f = *state;

	subscribe(f, 3600);
	drain(f);
	f->sip_status = 0;
	f->is_store_slow = true;
	subscribed(f);
	/* the row is on disk, the NOTIFY did not leave */
	assert_true(step(f));
	restart(f, 1000);
	f->sip_status = 200;
	f->is_store_slow = false;
	wait_ms(f, 1000);
	expect(f, "<probe>\nNOTIFY active;expires=3599\n");
}

/* nobody is asked again because we restarted */
static void test_restart_pending(void **state)
{
	struct fixture *f = *state;

	subscribe(f, 3600);
	wait_ms(f, LIMIT_PRESENCE_ASK_LOST_MS);
	restart(f, 5000);
	wait_ms(f, 60000);
	expect(f, "");
	subscribed(f);
	expect(f, "outcome ok\nNOTIFY active;expires=3475\n");
}

/* but who may not have been asked is */
static void test_restart_not_asked(void **state)
{
	struct fixture *f = *state;

	f->is_edge_full = true;
	subscribe(f, 3600);
	drain(f);
	f->is_edge_full = false;
	restart(f, 5000);
	wait_ms(f, 1000);
	expect(f, "<subscribe>\n");
}

/* the last NOTIFY was not answered before the crash, or the store was behind
 * when its row was to be deleted */
static void test_restart_orphan(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	for (size_t i = 0; i < f->kept.count; i++)
		if (f->kept.rows[i]->row.kind == PRESENCE_ROW_WATCH)
			forget_stored(&f->kept, i--);
	restart(f, 1000);
	wait_ms(f, 1000);
	expect(f, "NOTIFY terminated;reason=probation;retry-after=soon {}\n");
	assert_int_equal(f->kept.count, 0);
	assert_int_equal(HASH_COUNT(f->p->contacts), 0);
}

static void test_bad_rows(void **state)
{
	struct fixture *f = *state;
	struct presence_row w = {.kind = PRESENCE_ROW_WATCH};
	struct presence_row d = {.kind = PRESENCE_ROW_DIALOG};

	w.u.watch = (struct presence_watch_row){.direction = PRESENCE_IN,
						.local = SPAN_LIT(R),
						.remote = SPAN_LIT(J)};
	assert_int_equal(presence_restore(f->p, &w, f->now), FED_EINVAL);
	w.u.watch.auth = PRESENCE_ALLOWED;
	assert_int_equal(presence_restore(f->p, &w, f->now), 0);
	assert_int_equal(presence_restore(f->p, &w, f->now), FED_EINVAL);
	d.u.dialog = (struct presence_dialog_row){
		.direction = PRESENCE_IN,
		.local = SPAN_LIT("tybalt@example.net"),
		.remote = SPAN_LIT(J),
		.call_id = SPAN_LIT("c"),
		.local_tag = SPAN_LIT("l"),
		.local_uri = SPAN_LIT("sip:" J),
		.remote_uri = SPAN_LIT("sip:tybalt@example.net"),
		.target = SPAN_LIT("sip:192.0.2.9"),
	};
	assert_int_equal(presence_restore(f->p, &d, f->now), FED_EINVAL);
	d.u.dialog.remote_tag = SPAN_LIT("r");
	d.u.dialog.call_id = SPAN_NULL;
	assert_int_equal(presence_restore(f->p, &d, f->now), FED_EINVAL);
	assert_int_equal(HASH_COUNT(f->p->contacts), 1);
	assert_int_equal(HASH_COUNT(f->p->dialogs), 0);
}

/* a thousand at once: so many a second */
static void test_restart_is_paced(void **state)
{
	struct fixture *f = *state;
	size_t probes = 0;

	for (int i = 0; i < 500; i++) {
		struct sip_request_in q = request(f, 3600);
		char uri[64];

		(void)snprintf(uri, sizeof(uri), "sip:user%d@example.com", i);
		q.request_uri = q.to_uri = span_str(uri);
		send_request(f, &q);
		drain(f);
		f->out[0] = '\0';
	}
	for (size_t i = 0; i < f->kept.count; i++)
		if (f->kept.rows[i]->row.kind == PRESENCE_ROW_WATCH)
			f->kept.rows[i]->row.u.watch.auth = PRESENCE_ALLOWED;
	restart(f, 1000);
	wait_ms(f, 999);
	for (const char *p = f->out; (p = strstr(p, "<probe")) != NULL; p++)
		probes++;
	assert_int_equal(probes, 100);
}

/* --- probes --------------------------------------------------------------- */

/* an edge that has no room, or cannot reach him: nobody is told anything */
static void test_probe_is_tried_again(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	restart(f, 1000);
	f->is_stanza_slow = true;
	wait_ms(f, 1000);
	expect(f, "<probe>\n");
	outcome(f, FED__CONDITION__RESOURCE_CONSTRAINT);
	wait_ms(f, LIMIT_PRESENCE_STANZA_MS + 1000);
	expect(f, "<probe>\n");
	outcome(f, FED__CONDITION__NO_CONDITION);
	available(f, "balcony", FED__SHOW__NO_SHOW, 0, NULL);
	drain(f);
	assert_non_null(strstr(f->out, "{balcony}"));
}

/* his server's words about the probe */
static void test_probe_errors(void **state)
{
	static const struct {
		Fed__Condition condition;
		const char *wanted;
	} rows[] = {
		{FED__CONDITION__ITEM_NOT_FOUND,
		 "outcome ok\nNOTIFY terminated;reason=noresource\n"},
		{FED__CONDITION__FORBIDDEN,
		 "outcome ok\nNOTIFY terminated;reason=rejected\n"},
		{FED__CONDITION__REMOTE_SERVER_TIMEOUT, "outcome ok\n"},
		{FED__CONDITION__SERVICE_UNAVAILABLE, "outcome ok\n"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		begin_allowed(f);
		restart(f, 1000);
		wait_ms(f, 1000);
		expect(f, "<probe>\n");
		refuse(f, rows[i].condition);
		expect(f, rows[i].wanted);
		unsubscribed(f);
		drain(f);
		f->out[0] = '\0';
	}
}

/* an edge's policy may change: what it says does not end an authorization */
static void test_probe_refused_by_edge(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	restart(f, 1000);
	f->is_stanza_slow = true;
	wait_ms(f, 1000);
	outcome(f, FED__CONDITION__FORBIDDEN);
	expect(f, "<probe>\n");
	assert_int_equal(count_rows(f, PRESENCE_ROW_WATCH), 1);
	assert_int_equal(HASH_COUNT(f->p->dialogs), 1);
}

/* the answer to a probe is no answer to the question that came after it */
static void test_unsubscribed_to_probe(void **state)
{
	struct fixture *f = *state;
	Fed__Stanza *s;

	f->is_stanza_slow = true;
	subscribe(f, 0);
	expect(f, "200 expires=0\n<probe>\n");
	s = presence_of(f, J, FED__PRESENCE_TYPE__UNSUBSCRIBED);
	s->id = arena_dup(&f->a, span_str(f->stanza_id));
	subscribe(f, 3600);
	expect(f, "200 expires=3600\nNOTIFY pending;expires=3600\n");
	feed(f, s);
	expect(f, "outcome ok\n");
	outcome(f, FED__CONDITION__NO_CONDITION);
	expect(f, "<subscribe>\n");
	unsubscribed(f);
	drain(f);
	assert_non_null(strstr(f->out, "reason=rejected"));
}

/* presence that vanished without a word is found by a repair */
static void test_repair_finds_ghosts(void **state)
{
	struct fixture *f = *state;
	struct presence_repaired done;

	begin_allowed(f);
	available(f, "chamber", FED__SHOW__NO_SHOW, 0, NULL);
	wait_ms(f, 10000);
	f->out[0] = '\0';
	presence_repair(f->p, SPAN_LIT("example.com"), &done, f->now);
	assert_int_equal(done.probes, 1);
	wait_ms(f, 100);
	expect(f, "<probe>\n");
	/* told anew as soon as anything is known */
	available(f, "chamber", FED__SHOW__NO_SHOW, 0, NULL);
	expect(f, "outcome ok\n"
		  "NOTIFY active;expires=3590 {balcony, chamber}\n");
	wait_ms(f, LIMIT_PRESENCE_ANSWER_MS);
	expect(f, "NOTIFY active;expires=3570 {chamber}\n");
	/* nobody answers at all */
	presence_repair(f->p, SPAN_LIT(R), &done, f->now);
	wait_ms(f, LIMIT_PRESENCE_ANSWER_MS + 100);
	expect(f, "<probe>\nNOTIFY active;expires=3550 {}\n");
}

/* --- time ----------------------------------------------------------------- */

static void test_asked_again(void **state)
{
	struct fixture *f = *state;

	f->p->p.expires_max_s = 3 * 86400;
	subscribe(f, 3 * 86400);
	drain(f);
	/* a new dialog, within the hour and after it */
	wait_ms(f, LIMIT_PRESENCE_ASK_AGAIN_MS - 1);
	f->out[0] = '\0';
	subscribe(f, 60);
	expect(f, "200 expires=60\nNOTIFY pending;expires=60\n");
	wait_ms(f, 1);
	subscribe(f, 60);
	expect(f, "200 expires=60\nNOTIFY pending;expires=60\n<subscribe>\n");
	wait_ms(f, 100000);
	f->out[0] = '\0';
	/* and every day, while somebody waits */
	wait_ms(f, LIMIT_PRESENCE_ASK_MS + 600000);
	expect(f, "<subscribe>\n");
}

static void test_open_question_is_forgotten(void **state)
{
	struct fixture *f = *state;

	subscribe(f, 3600);
	drain(f);
	refresh(f, 0);
	wait_ms(f, LIMIT_PRESENCE_PENDING_MS - 1);
	assert_int_equal(f->kept.count, 1);
	wait_ms(f, 1);
	assert_int_equal(f->kept.count, 0);
	assert_int_equal(HASH_COUNT(f->p->contacts), 0);
	f->out[0] = '\0';
	/* nobody asked any more */
	subscribed(f);
	expect(f, "outcome ok\n");
}

/* while he watches the SIP user, what he sees of him is what SIP says */
static void test_no_bye_to_a_watcher(void **state)
{
	struct fixture *f = *state;
	struct presence_row row = {.kind = PRESENCE_ROW_WATCH};

	row.u.watch = (struct presence_watch_row){.direction = PRESENCE_OUT,
						  .local = SPAN_LIT(R),
						  .remote = SPAN_LIT(J),
						  .auth = PRESENCE_ALLOWED};
	assert_int_equal(presence_restore(f->p, &row, f->now), 0);
	assert_non_null(presence_sub_find(f->p, R, J));
	begin_allowed(f);
	refresh(f, 0);
	drain(f);
	assert_null(strstr(f->out, "unavailable"));
}

/* --- domains -------------------------------------------------------------- */

static void fail_stream(struct fixture *f)
{
	presence_on_stream(f->p, SPAN_LIT("example.com"),
			   PRESENCE_STREAM_FAILED, f->now);
}

static void open_stream(struct fixture *f)
{
	presence_on_stream(f->p, SPAN_LIT("example.com"),
			   PRESENCE_STREAM_OPENED, f->now);
}

static void test_domain_away_and_back(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	f->is_stanza_slow = true;
	fail_stream(f);
	f->is_edge_full = true;
	wait_ms(f, f->params.hold_off_ms - 1);
	expect(f, "");
	wait_ms(f, 1);
	expect(f, "NOTIFY active;expires=3300 {}\n");
	/* others are subscribed meanwhile, and nobody is asked */
	subscribe(f, 3600);
	expect(f, "200 expires=3600\nNOTIFY active;expires=3600 {}\n");
	wait_ms(f, 10000);
	f->is_edge_full = false;
	open_stream(f);
	wait_ms(f, 1000);
	outcome(f, FED__CONDITION__NO_CONDITION);
	expect(f, "<probe>\n");
	available(f, "balcony", FED__SHOW__DND, 0, NULL);
	drain(f);
	assert_string_equal(f->out, "outcome ok\n"
				    "NOTIFY active;expires=3289 {balcony dnd}\n"
				    "NOTIFY active;expires=3589 {balcony "
				    "dnd}\n");
}

/* back in time: nobody was told anything, but what was missed is asked for */
static void test_domain_back_in_time(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	f->is_edge_full = true;
	fail_stream(f);
	wait_ms(f, 60000);
	f->is_edge_full = false;
	open_stream(f);
	wait_ms(f, 100);
	expect(f, "<probe>\n");
	available(f, "balcony", FED__SHOW__NO_SHOW, 0, NULL);
	wait_ms(f, 60000);
	expect(f, "outcome ok\n");
}

/* what is known of one nobody watches is not believed any more */
static void test_domain_back_unwatched(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	refresh(f, 0);
	drain(f);
	f->out[0] = '\0';
	f->is_edge_full = true;
	fail_stream(f);
	wait_ms(f, 1000);
	f->is_edge_full = false;
	open_stream(f);
	/* the sign of life was his probe */
	expect(f, "<probe>\n");
	subscribe(f, 3600);
	expect(f, "200 expires=3600\nNOTIFY active;expires=3600\n");
	wait_ms(f, LIMIT_PRESENCE_ANSWER_MS);
	expect(f, "NOTIFY active;expires=3580 {}\n");
}

/* the approval may have been lost: the question is put once more */
static void test_domain_back_pending(void **state)
{
	struct fixture *f = *state;

	f->p->p.expires_max_s = 86400;
	subscribe(f, 86400);
	wait_ms(f, 1000);
	f->out[0] = '\0';
	presence_on_channel(f->p, true, true, f->now);
	wait_ms(f, LIMIT_PRESENCE_ASK_AGAIN_MS - 1001);
	expect(f, "");
	wait_ms(f, 1);
	expect(f, "<subscribe>\n");
}

/* --- the end -------------------------------------------------------------- */

static void test_stop(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	f->sip_status = 0;
	presence_stop(f->p, f->now);
	expect(f, "NOTIFY terminated;reason=probation;retry-after=soon {}\n");
	assert_false(presence_is_idle(f->p));
	assert_false(f->p->contacts->nds == NULL);
	respond(f, 200);
	expect(f, "");
	assert_true(presence_is_idle(f->p));
	assert_true(f->p->contacts->nds == NULL);
	/* the authorization outlives us, the dialog does not */
	assert_int_equal(count_rows(f, PRESENCE_ROW_WATCH), 1);
	assert_int_equal(count_rows(f, PRESENCE_ROW_DIALOG), 0);
	restart(f, 1000);
	f->sip_status = 200;
	wait_ms(f, 30000);
	expect(f, "");
	subscribe(f, 3600);
	expect(f, "200 expires=3600\nNOTIFY active;expires=3600\n<probe>\n");
}

/* --- operators ------------------------------------------------------------ */

static void test_describe(void **state)
{
	struct fixture *f = *state;
	const struct presence_contact *c;
	Fed__PresenceWatch *w;

	begin_allowed(f);
	available(f, "balcony", FED__SHOW__DND, 7, "Busy");
	drain(f);
	c = presence_contact_find(f->p, R, J);
	assert_non_null(c);
	w = presence_contact_describe(f->p, c, &f->a, f->now + 1000);
	assert_non_null(w);
	assert_string_equal(w->watcher, R);
	assert_string_equal(w->presentity, J);
	assert_string_equal(w->authorization, "allowed");
	assert_string_equal(w->last_stanza, "in available");
	assert_int_equal(w->last_stanza_age_ms, 1000);
	assert_string_equal(w->waiting_for, "a NOTIFY");
	assert_int_equal(w->n_believed, 1);
	assert_string_equal(w->believed[0]->name, "balcony");
	assert_int_equal(w->believed[0]->show, FED__SHOW__DND);
	assert_int_equal(w->believed[0]->priority, 7);
	assert_string_equal(w->believed[0]->note[0]->text, "Busy");
	/* the difference: it was not told yet */
	assert_int_equal(w->n_told, 1);
	assert_int_equal(w->told[0]->show, FED__SHOW__NO_SHOW);
	assert_int_equal(w->n_dialog, 1);
	assert_string_equal(w->dialog[0]->state, "active");
	assert_string_equal(w->dialog[0]->call_id, f->call_id);
	assert_string_equal(w->dialog[0]->local_tag, f->to_tag);
	assert_string_equal(w->dialog[0]->remote_tag, f->from_tag);
	assert_int_equal(w->dialog[0]->expires_in_ms, 3599000);
	assert_int_equal(w->dialog[0]->document_age_ms, 1000);
	assert_non_null(memmem(w->dialog[0]->document.data,
			       w->dialog[0]->document.len, "ID-balcony", 10));
	wait_ms(f, 5000);
	w = presence_contact_describe(f->p, c, &f->a, f->now);
	assert_int_equal(w->told[0]->show, FED__SHOW__DND);
	assert_string_equal(w->waiting_for, "");
}

static void test_describe_in_little_room(void **state)
{
	struct fixture *f = *state;
	size_t failed = 0;

	begin_allowed(f);
	for (size_t max = 0; max < 8192; max += 16) {
		struct arena a;

		arena_init(&a, max);
		failed += presence_contact_describe(f->p, f->p->contacts, &a,
						    f->now) == NULL;
		arena_deinit(&a);
	}
	assert_true(failed > 10 && failed < 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_restart),
		T(test_restart_offline),
		T(test_restart_too_late),
		T(test_restart_lost),
		T(test_restart_revoked),
		T(test_restart_untold),
		T(test_restart_pending),
		T(test_restart_not_asked),
		T(test_restart_orphan),
		T(test_bad_rows),
		T(test_restart_is_paced),
		T(test_probe_is_tried_again),
		T(test_probe_errors),
		T(test_probe_refused_by_edge),
		T(test_unsubscribed_to_probe),
		T(test_repair_finds_ghosts),
		T(test_asked_again),
		T(test_open_question_is_forgotten),
		T(test_no_bye_to_a_watcher),
		T(test_domain_away_and_back),
		T(test_domain_back_in_time),
		T(test_domain_back_unwatched),
		T(test_domain_back_pending),
		T(test_stop),
		T(test_describe),
		T(test_describe_in_little_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
