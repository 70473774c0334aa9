/* XMPP users watch SIP users: restart, repair, and what operators see. */
#include "presence_repair.h"
#include "presence_sub_harness.h"

/* --- restart ------------------------------------------------------------- */

static void test_pending_stays(void **state)
{
	struct fixture *f = *state;

	watch_pending(f);
	crash(f, 1000);
	expect(f, REFRESH("1", "1002"));
	respond(f, 200);
	notify(f, "pending;expires=3600", NULL);
	expect(f, OK("2"));
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	expect(f, OK("3") BARE("subscribed") FULL("x", "available"));
}

/* The peer forgot the dialog: a new one, and no approval again. */
static void test_481(void **state)
{
	struct fixture *f = *state;

	watch(f);
	crash(f, 1000);
	expect(f, REFRESH("1", "1002"));
	respond(f, 481);
	expect(f, SUBSCRIBE("2", "1"));
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	expect(f, OK("2") FULL("x", "available"));
	assert_int_equal(f->kept.count, 2);
}

/* It lives but says nothing of what it said before: a new dialog does. */
static void test_no_document(void **state)
{
	struct fixture *f = *state;

	watch(f);
	crash(f, 1000);
	settle(f);
	respond(f, 200);
	notify(f, "active;expires=3600", NULL);
	expect(f, OK("2") END("1", "1003"));
	respond(f, 200);
	expect(f, SUBSCRIBE("2", "1"));
	respond(f, 200);
	notify(f, "active;expires=3600", NULL);
	expect(f, OK("3") FULL("x", "unavailable"));
}

/* The SIP side does not answer: after the hold-off nobody is believed to be
 * there on the word of the last run. */
static void test_no_answer(void **state)
{
	struct fixture *f = *state;

	watch(f);
	crash(f, 1000);
	settle(f);
	end_by(f, SIP_END_TIMEOUT);
	pass(f, 29000);
	expect(f, "");
	pass(f, 10000);
	expect(f, REFRESH("1", "1003"));
	pass(f, 240000);
	expect(f, "");
	pass(f, 30000);
	expect(f, FULL("x", "unavailable"));
}

/* Nobody watches any more, the dialog is still there. */
static void test_orphan(void **state)
{
	struct fixture *f = *state;

	watch(f);
	(void)unsubscribe(f);
	settle(f);
	crash(f, 1000);
	expect(f, END("1", "1002"));
	respond(f, 200);
	notify(f, "terminated;reason=timeout", NULL);
	expect(f, OK("2"));
	assert_int_equal(watches(f), 0);
	assert_int_equal(f->kept.count, 0);
}

/* A SUBSCRIBE whose answer never came leaves no dialog to go on with. */
static void test_half_a_dialog(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	settle(f);
	assert_int_equal(f->kept.count, 2);
	crash(f, 1000);
	expect(f, SUBSCRIBE("2", "1"));
	assert_int_equal(f->kept.count, 2);
}

/* A crash after any commit: nobody is asked to approve again, everybody is told
 * so, but once more only before the row says that he was, no ghost stays, and
 * what is true is said. */
static void test_crash_anywhere(void **state)
{
	struct fixture *f = *state;

	for (int at = 0; at < 12; at++) {
		bool was_told;

		again(&f, state);
		f->is_commit_held = true;
		(void)subscribe(f);
		for (int i = 0; i < 12; i++) {
			drain(f);
			if (i == at)
				break;
			commit(f);
			if (i == 2)
				respond(f, 200);
			if (i == 4)
				notify(f, "active;expires=3600",
				       DOC(OPEN("x") OPEN("y")));
			if (i == 8)
				notify(f, "active;expires=3600",
				       DOC(OPEN("y") OPEN("z")));
		}
		was_told = strstr(f->text, BARE("subscribed")) != NULL;
		f->is_commit_held = false;
		if (at == 0) {
			assert_string_equal(f->text, "");
			assert_int_equal(f->kept.count, 0);
			continue;
		}
		assert_int_equal(was_told, at > 5);
		crash(f, 1000);
		f->text_n = 0;
		f->text[0] = '\0';
		drain(f);
		respond(f, 481);
		drain(f);
		respond(f, 200);
		drain(f);
		notify(f, "active;expires=3600", DOC(OPEN("z")));
		drain(f);
		assert_int_equal(strstr(f->text, BARE("subscribed")) != NULL,
				 at <= 6);
		assert_non_null(strstr(f->text, FULL("z", "available")));
		if (was_told)
			assert_non_null(
				strstr(f->text, FULL("y", "unavailable")));
		/* unless the last run has said so */
		if (was_told && at <= 8)
			assert_non_null(
				strstr(f->text, FULL("x", "unavailable")));
	}
}

/* SIP cancelled the watch, and its watcher was not told yet. */
/* The row says that he is approved, and no edge has taken the word. */
static void test_crash_before_subscribed(void **state)
{
	struct fixture *f = *state;

	f->is_outcome_held = true;
	(void)subscribe(f);
	drain(f);
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	settle(f);
	crash(f, 3600000);
	expect(f, SUBSCRIBE("2", "1") BARE("subscribed"));
	end_stanza(f, FED__CONDITION__NO_CONDITION);
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	expect(f, OK("2") FULL("x", "available"));
	end_stanza(f, FED__CONDITION__NO_CONDITION);
	expect(f, "");
	/* now one has */
	crash(f, 1000);
	expect(f, REFRESH("2", "1002"));
}

static void test_crash_when_cancelled(void **state)
{
	struct fixture *f = *state;

	watch(f);
	f->is_outcome_held = true;
	notify(f, "terminated;reason=rejected", NULL);
	expect(f, OK("2") FULL("x", "unavailable"));
	crash(f, 1000);
	f->is_outcome_held = false;
	expect(f, SUBSCRIBE("2", "1"));
	respond(f, 403);
	expect(f, FULL("x", "unavailable") BARE("unsubscribed"));
	assert_int_equal(f->kept.count, 0);
}

/* As many resources as there may be, and then as many others: at no moment
 * the row names more than can be restored, or fewer than were told. */
static const char *crowd(char first, char *out, size_t size)
{
	int n = snprintf(out, size,
			 XML "<presence xmlns='urn:ietf:params:xml:ns:pidf'"
			     " entity='pres:romeo@example.net'>");

	for (unsigned i = 0; i < LIMIT_PRESENCE_RESOURCES; i++)
		n += snprintf(out + n, size - (size_t)n,
			      "<tuple id='%c%u'><status><basic>open</basic>"
			      "</status></tuple>",
			      first, i);
	(void)snprintf(out + n, size - (size_t)n, "</presence>");
	return out;
}

static bool was_said(const struct fixture *f, char first, unsigned i,
		     const char *what)
{
	char line[128];

	(void)snprintf(line, sizeof(line),
		       "stanza " ROMEO "/%c%u -> " JULIET " %s\n", first, i,
		       what);
	return strstr(f->text, line) != NULL;
}

static void test_full_row(void **state)
{
	struct fixture *f = *state;
	char doc[8192];

	for (int at = 0; at < 200; at += at < 8 ? 1 : 19) {
		again(&f, state);
		watch(f);
		notify(f, "active;expires=3600", crowd('a', doc, sizeof(doc)));
		settle(f);
		f->is_commit_held = true;
		notify(f, "active;expires=3600", crowd('b', doc, sizeof(doc)));
		for (int i = 0; i < at; i++) {
			drain(f);
			commit(f);
		}
		f->is_commit_held = false;
		crash(f, 1000);
		drain(f);
		respond(f, 200);
		notify(f, "active;expires=3600", DOC(OPEN("z")));
		drain(f);
		/* whoever was told to be there was told to be gone */
		for (unsigned i = 0; i < LIMIT_PRESENCE_RESOURCES; i++) {
			assert_true(was_said(f, 'a', i, "unavailable"));
			if (was_said(f, 'b', i, "available"))
				assert_true(was_said(f, 'b', i, "unavailable"));
		}
	}
}

static void test_bad_rows(void **state)
{
	struct presence_row row = {
		.kind = PRESENCE_ROW_WATCH,
		.u.watch = {.direction = PRESENCE_OUT,
			    .local = SPAN_LIT(ROMEO),
			    .remote = SPAN_LIT(JULIET),
			    .auth = PRESENCE_NONE},
	};
	struct fixture *f = *state;

	assert_int_equal(presence_restore(f->p, &row, f->now), FED_EINVAL);
	row.u.watch.auth = PRESENCE_ALLOWED;
	row.u.watch.local = SPAN_LIT("a\0b");
	assert_int_equal(presence_restore(f->p, &row, f->now), FED_EINVAL);
	row.u.watch.local = SPAN_NULL;
	assert_int_equal(presence_restore(f->p, &row, f->now), FED_EINVAL);
	row.u.watch.local = SPAN_LIT(ROMEO);
	/* a resource without a name, and an end without a line end */
	row.u.watch.told = SPAN_LIT("\nx");
	assert_int_equal(presence_restore(f->p, &row, f->now), 0);
	assert_int_equal(presence_restore(f->p, &row, f->now), FED_EINVAL);
	row = (struct presence_row){
		.kind = PRESENCE_ROW_DIALOG,
		.u.dialog = {.direction = PRESENCE_OUT,
			     .local = SPAN_LIT(ROMEO),
			     .remote = SPAN_LIT(JULIET)},
	};
	assert_int_equal(presence_restore(f->p, &row, f->now), FED_EINVAL);
	expect(f, SUBSCRIBE("1", "1"));
	respond(f, 200);
	notify(f, "active", NULL);
	expect(f, OK("1") BARE("unavailable") FULL("x", "unavailable"));
}

/* --- repair, stop -------------------------------------------------------- */

static void test_repair(void **state)
{
	struct presence_repaired done;
	struct fixture *f = *state;

	watch(f);
	presence_repair(f->p, SPAN_LIT(ROMEO), &done, f->now);
	assert_int_equal(done.subscribes, 1);
	expect(f, REFRESH("1", "2") FULL("x", "available"));
	/* one that waits, waits no more */
	respond(f, 481);
	settle(f);
	respond(f, 500);
	settle(f);
	presence_repair(f->p, SPAN_LIT("example.com"), &done, f->now);
	pass(f, 10);
	assert_non_null(strstr(f->text, SUBSCRIBE("3", "1")));
	settle(f);
	/* one that is asked for already is not asked for twice */
	presence_repair(f->p, SPAN_LIT(JULIET), &done, f->now);
	pass(f, 20);
	expect(f, FULL("x", "available"));
}

static void test_repair_quiet(void **state)
{
	struct presence_repaired done;
	struct fixture *f = *state;

	watch(f);
	notify(f, "terminated;reason=invariant", NULL);
	settle(f);
	presence_repair(f->p, SPAN_LIT(ROMEO), &done, f->now);
	drain(f);
	assert_non_null(strstr(f->text, SUBSCRIBE("2", "1")));
}

/* A next hop that is back may have forgotten dialogs; what the watcher knows
 * is not said again. */
static void test_hop_back(void **state)
{
	struct fixture *f = *state;

	watch(f);
	presence_on_next_hop(f->p, SPAN_LIT("example.org"), f->now);
	expect(f, "");
	presence_on_next_hop(f->p, SPAN_LIT("example.net"), f->now);
	expect(f, REFRESH("1", "2"));
	respond(f, 481);
	expect(f, RENEW);
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(AWAY("x")));
	expect(f, OK("2") FULL("x", "available away"));
	settle(f);
	/* a wait that is over with it, and one that it had no part in */
	presence_on_next_hop(f->p, SPAN_NULL, f->now);
	pass(f, 10);
	respond(f, 481);
	drain(f);
	respond(f, 500);
	settle(f);
	presence_on_next_hop(f->p, SPAN_NULL, f->now);
	pass(f, 10);
	expect(f, SUBSCRIBE("4", "1"));
	respond(f, 200);
	notify(f, "terminated;reason=probation;retry-after=600", NULL);
	settle(f);
	presence_on_next_hop(f->p, SPAN_NULL, f->now);
	pass(f, 10);
	expect(f, "");
}

/* A client of the watcher may have asked while there was no way to us. */
static void test_channel_back(void **state)
{
	struct fixture *f = *state;

	watch(f);
	presence_on_channel(f->p, false, false, f->now);
	presence_on_channel(f->p, true, false, f->now);
	expect(f, "");
	presence_on_channel(f->p, true, true, f->now);
	pass(f, 10);
	expect(f, FULL("x", "available"));
	/* who is not there is not said to be away */
	notify(f, "active;expires=3600", DOC(CLOSED("x")));
	settle(f);
	presence_on_channel(f->p, true, true, f->now);
	pass(f, 10);
	expect(f, "");
}

static void lose_and_find(struct fixture *f)
{
	presence_on_stream(f->p, SPAN_LIT("example.com"),
			   PRESENCE_STREAM_FAILED, f->now);
	presence_on_stream(f->p, SPAN_LIT("example.com"),
			   PRESENCE_STREAM_OPENED, f->now);
}

/* A domain that flaps, or reaches us and is not reached, is not told all for
 * each of its stanzas. */
static void test_domain_flaps(void **state)
{
	struct fixture *f = *state;

	watch(f);
	notify(f, "active;expires=3600", DOC(AWAY("x")));
	settle(f);
	lose_and_find(f);
	expect(f, FULL("x", "available away"));
	for (int i = 0; i < 100; i++)
		lose_and_find(f);
	expect(f, "");
	f->now += LIMIT_PRESENCE_CALM_MS;
	lose_and_find(f);
	expect(f, FULL("x", "available away"));
}

/* --- the store is behind ------------------------------------------------- */

static void test_store_full(void **state)
{
	struct fixture *f = *state;
	char from[64];

	f->is_commit_held = f->is_store_broken = true;
	for (size_t i = 0; i < LIMIT_STORE_PENDING; i++) {
		(void)snprintf(from, sizeof(from), "w%zu@example.com", i);
		(void)from_xmpp(f, from, ROMEO, "q",
				FED__PRESENCE_TYPE__SUBSCRIBE);
		arena_reset(&f->a);
	}
	(void)subscribe(f);
	drain(f);
	assert_non_null(strstr(f->text, "outcome 65537 resource-constraint"));
	assert_int_equal(watches(f), LIMIT_STORE_PENDING);
}

/* --- operators ----------------------------------------------------------- */

static const Fed__PresenceWatch *describe(struct fixture *f)
{
	static struct presence_cursor c;
	const Fed__PresenceWatch *w;

	presence_query_begin(f->p, &c, SPAN_LIT(ROMEO));
	w = presence_query_next(f->p, &c, &f->a, f->now);
	presence_query_end(f->p, &c);
	return w;
}

static void test_describe(void **state)
{
	struct fixture *f = *state;
	const Fed__PresenceWatch *w;

	(void)subscribe(f);
	w = describe(f);
	assert_string_equal(w->watcher, JULIET);
	assert_string_equal(w->presentity, ROMEO);
	assert_string_equal(w->authorization, "pending");
	assert_string_equal(w->waiting_for, "SUBSCRIBE to be sent");
	assert_int_equal(w->last_stanza_age_ms, -1);
	settle(f);
	assert_string_equal(describe(f)->waiting_for, "response to SUBSCRIBE");
	respond(f, 200);
	settle(f);
	assert_string_equal(describe(f)->waiting_for, "NOTIFY");
	notify(f, "pending;expires=3600", NULL);
	settle(f);
	assert_string_equal(describe(f)->waiting_for,
			    "approval by the SIP user");
	f->is_outcome_held = true;
	notify(f, "active;expires=3600",
	       DOC("<tuple id='x'><status><basic>open</basic></status>"
		   "<note xml:lang='cs'>Ahoj</note></tuple>"));
	assert_string_equal(describe(f)->waiting_for, "subscribed to be sent");
	settle(f);
	assert_string_equal(describe(f)->waiting_for,
			    "the edge to deliver a stanza");
	end_stanza(f, FED__CONDITION__NO_CONDITION);
	f->is_outcome_held = false;
	settle(f);
	f->now += 7000;
	w = describe(f);
	assert_string_equal(w->authorization, "allowed");
	assert_string_equal(w->waiting_for, "");
	assert_string_equal(w->last_stanza, "available");
	assert_int_equal(w->last_stanza_age_ms, 7000);
	assert_int_equal(w->n_dialog, 1);
	assert_string_equal(w->dialog[0]->state, "live");
	assert_string_equal(w->dialog[0]->remote_tag, "peer");
	assert_string_equal(w->dialog[0]->remote_target, "sip:pa@192.0.2.1");
	assert_int_equal(w->dialog[0]->expires_in_ms, 3593000);
	assert_int_equal(w->dialog[0]->document_age_ms, 7000);
	assert_int_equal(w->n_believed, 1);
	assert_int_equal(w->n_told, 1);
	assert_string_equal(w->told[0]->name, "x");
	assert_string_equal(w->told[0]->note[0]->text, "Ahoj");
	notify(f, "terminated;retry-after=90", NULL);
	settle(f);
	w = describe(f);
	assert_int_equal(w->n_dialog, 0);
	assert_int_equal(strncmp(w->waiting_for, "SUBSCRIBE in 9", 14), 0);
}

/* What is told after a restart is not known, and does not look it. */
static void test_describe_stale(void **state)
{
	struct fixture *f = *state;
	const Fed__PresenceWatch *w;

	watch(f);
	crash(f, 1000);
	w = describe(f);
	assert_int_equal(w->n_told, 1);
	assert_int_equal(w->told[0]->priority, 0);
	assert_int_equal(w->n_believed, 0);
	assert_int_equal(w->dialog[0]->document_age_ms, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_pending_stays),
		T(test_481),
		T(test_no_document),
		T(test_no_answer),
		T(test_orphan),
		T(test_half_a_dialog),
		T(test_crash_anywhere),
		T(test_crash_before_subscribed),
		T(test_crash_when_cancelled),
		T(test_full_row),
		T(test_bad_rows),
		T(test_repair),
		T(test_repair_quiet),
		T(test_hop_back),
		T(test_domain_flaps),
		T(test_channel_back),
		T(test_store_full),
		T(test_describe),
		T(test_describe_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
