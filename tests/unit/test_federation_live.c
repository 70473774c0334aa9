/* The configuration changes while people watch each other and while messages
 * wait. */
#include "federation_rig.h"

static const struct rules OPEN = {.is_off = false};
static const struct rules OFF = {.is_off = true};
static const struct rules CLOSED = {.is_closed = true};
static const struct rules DENIED = {.user = ROMEO, .user_xmpp = false};
static const struct rules DISABLED = {.partner = "example.com",
				      .type = FED__PARTNER_TYPE__FEDERATED,
				      .is_disabled = true};
static const struct rules VERIFIED = {
	.partner = "example.com", .type = FED__PARTNER_TYPE__PUBLIC_VERIFIED};
static const struct rules UNVERIFIED = {
	.partner = "example.com", .type = FED__PARTNER_TYPE__PUBLIC_UNVERIFIED};

/* Each forbids that Romeo and Juliet know of each other. */
static const struct rules *const FORBID[] = {&OFF, &CLOSED, &DENIED, &DISABLED,
					     NULL};

/* --- an XMPP user watches a SIP user ------------------------------------- */

static void test_watcher(void **state)
{
	struct rig *t = *state;

	rig_rule(t, &OPEN, 100);
	juliet_watches(t, "busy");
	assert_true(said(t, "available [busy] [busy.it]"));
	for (size_t i = 0; i < FED_ARRAY_LEN(FORBID); i++) {
		rig_pass(t, 60000);
		rig_rule(t, FORBID[i], 1000);
		assert_true(
			said(t, ROMEO "/phone -> " JULIET " unavailable\n"));
		assert_true(said(t, "sip SUBSCRIBE sip:10.0.0.9 expires=0"));
		/* as if nobody were there, whatever she does */
		xmpp_presence(t, FED__PRESENCE_TYPE__PROBE, NULL);
		assert_string_equal(t->out, "outcome delivered\n");
		xmpp_presence(t, FED__PRESENCE_TYPE__SUBSCRIBE, NULL);
		assert_true(said(t, "outcome policy-violation"));
		assert_false(said(t, "sip SUBSCRIBE"));
		/* whatever he does: a NOTIFY that was on its way */
		sip_notify(t, "late");
		rig_pass(t, 7200000);
		assert_false(said(t, "stanza"));
		/* and by itself */
		rig_rule(t, &OPEN, 1000);
		assert_true(
			said(t, "sip SUBSCRIBE sip:" ROMEO " expires=3600"));
		sip_notify(t, "back");
		assert_true(said(t, ROMEO "/phone -> " JULIET
					  " available [back] [back.it]"));
		assert_false(said(t, "subscribed"));
	}
}

/* Hidden and back before the phone said goodbye. */
static void test_flap(void **state)
{
	struct rig *t = *state;

	rig_rule(t, &OPEN, 100);
	juliet_watches(t, "busy");
	t->is_sip_held = true;
	rig_rule(t, &OFF, 100);
	assert_true(said(t, "sip SUBSCRIBE sip:10.0.0.9 expires=0"));
	rig_rule(t, &OPEN, 100);
	rig_rule(t, &OFF, 100);
	rig_rule(t, &OPEN, 100);
	t->is_sip_held = false;
	t->out[0] = '\0';
	gw_router_on_sip_response(
		t->r, t->token,
		&(const struct sip_response_in){.end = SIP_END_RESPONSE,
						.status = 200},
		t->now);
	rig_pass(t, 1000);
	assert_true(said(t, "sip SUBSCRIBE sip:" ROMEO " expires=3600"));
	sip_notify(t, "back");
	assert_true(said(t, ROMEO "/phone -> " JULIET " available [back]"));
}

/* What Romeo allows while it is forbidden is told when it is allowed. */
static void test_pending(void **state)
{
	struct rig *t = *state;

	rig_rule(t, &OPEN, 100);
	xmpp_presence(t, FED__PRESENCE_TYPE__SUBSCRIBE, NULL);
	rig_rule(t, &OFF, 100);
	assert_true(said(t, "expires=0"));
	sip_notify(t, "yes");
	assert_false(said(t, "stanza"));
	rig_rule(t, &OPEN, 1000);
	sip_notify(t, "yes");
	assert_true(said(t, "stanza " ROMEO " -> " JULIET " subscribed\n"));
	assert_true(said(t, "available [yes]"));
}

/* Who takes her wish back while she is refused is heard. */
static void test_takes_back(void **state)
{
	struct rig *t = *state;

	rig_rule(t, &OPEN, 100);
	juliet_watches(t, "busy");
	rig_rule(t, &OFF, 1000);
	xmpp_presence(t, FED__PRESENCE_TYPE__UNSUBSCRIBE, NULL);
	assert_string_equal(t->out, "outcome delivered\n");
	rig_rule(t, &OPEN, 60000);
	assert_false(said(t, "available"));
	assert_false(said(t, "sip SUBSCRIBE"));
}

/* A crash while it is forbidden: the next run hides what the last one left. */
static void test_restored(void **state)
{
	const struct presence_row row = {
		.kind = PRESENCE_ROW_WATCH,
		.u.watch = {.direction = PRESENCE_OUT,
			    .local = SPAN_LIT(ROMEO),
			    .remote = SPAN_LIT(JULIET),
			    .auth = PRESENCE_ALLOWED,
			    .told = SPAN_LIT("phone\n")},
	};
	struct rig *t = *state;

	assert_int_equal(presence_restore(t->p, &row, t->now), 0);
	rig_rule(t, &OFF, 1000);
	assert_string_equal(t->out, "stanza " ROMEO "/phone -> " JULIET
				    " unavailable\n");
	rig_rule(t, &OPEN, 1000);
	assert_true(said(t, "sip SUBSCRIBE sip:" ROMEO " expires=3600"));
}

/* --- notes --------------------------------------------------------------- */

static void test_notes(void **state)
{
	static const struct rules *const hide[] = {&VERIFIED, &UNVERIFIED};
	struct rig *t = *state;

	rig_rule(t, &OPEN, 100);
	/* so that both types let her see him */
	sip_subscribe(t, 3600);
	juliet_watches(t, "busy");
	for (size_t i = 0; i < FED_ARRAY_LEN(hide); i++) {
		rig_rule(t, hide[i], 1000);
		assert_string_equal(t->out, "stanza " ROMEO "/phone -> " JULIET
					    " available\n");
		sip_notify(t, "bored");
		/* nothing that she may see has changed */
		assert_false(said(t, "stanza"));
		xmpp_presence(t, FED__PRESENCE_TYPE__PROBE, NULL);
		assert_true(said(t, " available\n"));
		rig_rule(t, &OPEN, 1000);
		assert_string_equal(t->out, "stanza " ROMEO "/phone -> " JULIET
					    " available [bored] [bored.it]\n");
	}
}

/* --- a SIP user watches an XMPP user ------------------------------------- */

static void test_watched(void **state)
{
	struct rig *t = *state;

	rig_rule(t, &OPEN, 100);
	romeo_watches(t, "dancing");
	assert_true(said(t, "active {balcony+ [dancing]}"));
	for (size_t i = 0; i < FED_ARRAY_LEN(FORBID); i++) {
		size_t stanzas;

		rig_pass(t, 60000);
		rig_rule(t, FORBID[i], 1000);
		assert_true(said(t, "sip NOTIFY sip:10.0.0.9 active {"));
		assert_false(said(t, "+"));
		assert_false(said(t, "[dancing]"));
		/* his dialog lives on, but no other begins */
		sip_refresh(t, 3600);
		assert_true(said(t, "reply 200"));
		assert_false(said(t, "+"));
		sip_subscribe(t, 3600);
		assert_true(said(t, "reply 403"));
		xmpp_presence(t, FED__PRESENCE_TYPE__AVAILABLE, "hidden");
		assert_string_equal(t->out, "outcome delivered\n");
		stanzas = t->stanza_count;
		rig_pass(t, 1800000);
		assert_int_equal(t->stanza_count, stanzas);
		/* and by itself */
		rig_rule(t, &OPEN, 1000);
		assert_string_equal(t->out,
				    "stanza " ROMEO " -> " JULIET " probe\n");
		xmpp_presence(t, FED__PRESENCE_TYPE__AVAILABLE, "dancing");
		rig_pass(t, 5000);
		assert_true(said(t, "active {balcony+ [dancing]}"));
	}
}

/* He is told at once, not when presence.notify_interval is over. */
static void test_at_once(void **state)
{
	struct rig *t = *state;

	rig_rule(t, &OPEN, 100);
	romeo_watches(t, "dancing");
	assert_true(said(t, "active {balcony+ [dancing]}"));
	rig_rule(t, &OFF, 0);
	assert_true(said(t, "sip NOTIFY sip:10.0.0.9 active {"));
}

/* A question that is open is not asked meanwhile, and the answer that was not
 * heard is asked for again. */
static void test_question(void **state)
{
	struct rig *t = *state;

	rig_rule(t, &OPEN, 100);
	sip_subscribe(t, 86400);
	rig_rule(t, &OFF, 1000);
	assert_false(said(t, "sip SUBSCRIBE"));
	xmpp_presence(t, FED__PRESENCE_TYPE__SUBSCRIBED, NULL);
	assert_string_equal(t->out, "outcome delivered\n");
	rig_pass(t, LIMIT_PRESENCE_ASK_MS / 100);
	sip_refresh(t, 86400);
	assert_true(said(t, "pending"));
	assert_false(said(t, "stanza"));
	rig_rule(t, &OPEN, 1000);
	assert_string_equal(t->out,
			    "stanza " ROMEO " -> " JULIET " subscribe\n");
	xmpp_presence(t, FED__PRESENCE_TYPE__SUBSCRIBED, NULL);
	assert_true(said(t, "sip NOTIFY sip:10.0.0.9 active"));
}

/* He who says no while he is refused is heard. */
static void test_says_no(void **state)
{
	struct rig *t = *state;

	rig_rule(t, &OPEN, 100);
	romeo_watches(t, NULL);
	rig_rule(t, &OFF, 1000);
	xmpp_presence(t, FED__PRESENCE_TYPE__UNSUBSCRIBED, NULL);
	assert_true(said(t, "sip NOTIFY sip:10.0.0.9 terminated"));
	assert_true(said(t, "outcome delivered"));
}

/* Romeo adds her, and what she sees of him since another time comes back. */
static void test_added(void **state)
{
	struct rig *t = *state;

	rig_rule(t, &OPEN, 100);
	juliet_watches(t, "busy");
	rig_rule(t, &UNVERIFIED, 1000);
	assert_true(said(t, ROMEO "/phone -> " JULIET " unavailable\n"));
	sip_subscribe(t, 3600);
	rig_pass(t, 1000);
	assert_true(said(t, "sip SUBSCRIBE sip:" ROMEO " expires=3600"));
	sip_notify(t, "busy");
	assert_true(said(t, ROMEO "/phone -> " JULIET " available\n"));
	/* she does not want him to see her: he has not added her any more */
	xmpp_presence(t, FED__PRESENCE_TYPE__UNSUBSCRIBED, NULL);
	assert_true(said(t, ROMEO "/phone -> " JULIET " unavailable\n"));
}

/* --- messages that wait -------------------------------------------------- */

static void test_held_for_edge(void **state)
{
	struct rig *t = *state;

	rig_rule(t, &OPEN, 100);
	gw_router_on_edge(t->r, 0, GW_EDGE_FULL, t->now);
	for (int i = 0; i < 3; i++)
		sip_message(t);
	assert_int_equal(gw_router_held_in(t->r), 3);
	rig_rule(t, &DENIED, 0);
	assert_string_equal(t->out, "reply 403 not allowed by policy\n"
				    "reply 403 not allowed by policy\n"
				    "reply 403 not allowed by policy\n");
	assert_int_equal(gw_router_held_in(t->r), 0);
	assert_int_equal(t->metrics.value[METRIC_refused_policy], 3);
	assert_true(logged(t, "outcome=refused status=403 ms=0 gate=policy"));
}

/* What has left cannot be called back, and tells its sender how it ends. */
static void test_held_by_edge(void **state)
{
	struct rig *t = *state;

	rig_rule(t, &OPEN, 100);
	t->is_stanza_held = true;
	sip_message(t);
	assert_true(said(t, "stanza"));
	rig_rule(t, &DENIED, 0);
	assert_string_equal(t->out, "");
	assert_int_equal(gw_router_held_in(t->r), 1);
}

static void test_queued(void **state)
{
	struct rig *t = *state;

	rig_rule(t, &OPEN, 100);
	t->is_sip_held = true;
	for (int i = 0; i < 4; i++)
		xmpp_message(t);
	assert_int_equal(gw_router_held_out(t->r), 4);
	rig_rule(t, &DENIED, 0);
	assert_string_equal(
		t->out, "outcome policy-violation \"not allowed by policy\"\n"
			"outcome policy-violation \"not allowed by policy\"\n"
			"outcome policy-violation \"not allowed by policy\"\n");
	/* the one in flight */
	assert_int_equal(gw_router_held_out(t->r), 1);
	t->out[0] = '\0';
	gw_router_on_sip_response(
		t->r, t->token,
		&(const struct sip_response_in){.end = SIP_END_RESPONSE,
						.status = 200},
		t->now);
	rig_drain(t);
	assert_string_equal(t->out, "outcome delivered\n");
	rig_rule(t, &OPEN, 0);
	xmpp_message(t);
	assert_true(said(t, "sip MESSAGE"));
}

/* --- how long ------------------------------------------------------------ */

static void test_refresh_interval(void **state)
{
	static const struct rules rules = {.refresh_interval_s = 600};
	struct rig *t = *state;

	rig_rule(t, &rules, 100);
	xmpp_presence(t, FED__PRESENCE_TYPE__SUBSCRIBE, NULL);
	assert_true(said(t, "sip SUBSCRIBE sip:" ROMEO " expires=600"));
	sip_notify(t, "busy");
	sip_subscribe(t, 3600);
	assert_true(said(t, "reply 200 OK expires=600"));
	sip_subscribe(t, 300);
	assert_true(said(t, "reply 200 OK expires=300"));
	rig_rule(t, &OPEN, 600000);
	assert_true(said(t, "sip SUBSCRIBE sip:10.0.0.9 expires=3600"));
	sip_subscribe(t, 86400);
	assert_true(said(t, "reply 200 OK expires=3600"));
}

/* A dialog of the last run, before anybody has said how long one may be. */
static void test_restored_dialog(void **state)
{
	const struct presence_row watch = {
		.kind = PRESENCE_ROW_WATCH,
		.u.watch = {.direction = PRESENCE_IN,
			    .local = SPAN_LIT(ROMEO),
			    .remote = SPAN_LIT(JULIET),
			    .auth = PRESENCE_ALLOWED},
	};
	const struct presence_row dialog = {
		.kind = PRESENCE_ROW_DIALOG,
		.u.dialog = {.direction = PRESENCE_IN,
			     .local = SPAN_LIT(ROMEO),
			     .remote = SPAN_LIT(JULIET),
			     .call_id = SPAN_LIT("last-run"),
			     .local_tag = SPAN_LIT("ours"),
			     .remote_tag = SPAN_LIT("t"),
			     .local_uri = SPAN_LIT("sip:" JULIET),
			     .remote_uri = SPAN_LIT("sip:" ROMEO),
			     .target = SPAN_LIT("sip:10.0.0.9"),
			     .local_cseq = 7,
			     .remote_cseq = 1,
			     .expires_ms = RIG_WALL_MS + 80000000,
			     .is_active = true},
	};
	static const struct rules rules = {.refresh_interval_s = 86400};
	struct rig *t = *state;

	assert_int_equal(presence_restore(t->p, &watch, t->now), 0);
	assert_int_equal(presence_restore(t->p, &dialog, t->now), 0);
	rig_rule(t, &rules, 1000);
	xmpp_presence(t, FED__PRESENCE_TYPE__AVAILABLE, NULL);
	rig_pass(t, 79000000);
	assert_true(said(t, "sip NOTIFY sip:10.0.0.9 active {balcony+}"));
	assert_false(said(t, "terminated"));
	rig_pass(t, 2000000);
	assert_true(said(t, "sip NOTIFY sip:10.0.0.9 terminated"));
}

/* --- many ---------------------------------------------------------------- */

enum { MANY = 3000 };

/* One step looks at so many, and each is hidden in the end. */
static void test_many(void **state)
{
	struct rig *t = *state;
	size_t most = 0;
	uint64_t begun;

	for (int i = 0; i < MANY; i++) {
		const struct presence_row row = {
			.kind = PRESENCE_ROW_WATCH,
			.u.watch = {.direction = PRESENCE_OUT,
				    .local = SPAN_LIT(ROMEO),
				    .remote = span_str(arena_printf(
					    &t->a, "j%d@c%d.example", i,
					    i % 50)),
				    .auth = PRESENCE_ALLOWED,
				    .told = SPAN_LIT("phone\n")},
		};

		assert_int_equal(presence_restore(t->p, &row, t->now), 0);
	}
	rig_rule(t, &OPEN, 0);
	begun = t->now;
	rig_rule(t, &OFF, 0);
	while (t->stanza_count < MANY) {
		size_t before = t->stanza_count;
		uint64_t at = gw_router_deadline_ms(t->r);

		assert_true(at <= begun + 1000);
		t->now = at > t->now ? at : t->now + 1;
		rig_drain(t);
		if (t->stanza_count - before > most)
			most = t->stanza_count - before;
		t->out[0] = '\0';
	}
	/* the turns of a restart come as well */
	assert_true(most <= LIMIT_PRESENCE_LOOKS + 10);
	assert_true(t->now - begun <= 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_watcher),
		T(test_flap),
		T(test_pending),
		T(test_takes_back),
		T(test_restored),
		T(test_notes),
		T(test_watched),
		T(test_at_once),
		T(test_question),
		T(test_says_no),
		T(test_added),
		T(test_held_for_edge),
		T(test_held_by_edge),
		T(test_queued),
		T(test_refresh_interval),
		T(test_restored_dialog),
		T(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
