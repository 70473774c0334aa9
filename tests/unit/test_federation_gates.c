/* The gates where traffic passes: type of partner by what is asked, in both
 * directions, with a contact and without; switch, policy, partner. */
#include "federation_rig.h"

/* --- partner types ------------------------------------------------------- */

enum { REFUSED, PASSES, WITHOUT_NOTE, WITH_NOTE };

/* What becomes of each thing; Romeo is the SIP user. */
static const struct type_row {
	Fed__PartnerType type;
	bool has_contact; /* Romeo has subscribed to Juliet */
	int message_to_xmpp, message_to_sip;
	int subscribe_to_xmpp, subscribe_to_sip;
	int note_to_xmpp, note_to_sip;
} types[] = {
	{FED__PARTNER_TYPE__FEDERATED, false, PASSES, PASSES, PASSES, PASSES,
	 WITH_NOTE, WITH_NOTE},
	{FED__PARTNER_TYPE__FEDERATED, true, PASSES, PASSES, PASSES, PASSES,
	 WITH_NOTE, WITH_NOTE},
	{FED__PARTNER_TYPE__PUBLIC_VERIFIED, false, PASSES, PASSES, PASSES,
	 PASSES, WITHOUT_NOTE, WITH_NOTE},
	{FED__PARTNER_TYPE__PUBLIC_VERIFIED, true, PASSES, PASSES, PASSES,
	 PASSES, WITHOUT_NOTE, WITH_NOTE},
	{FED__PARTNER_TYPE__PUBLIC_UNVERIFIED, false, REFUSED, REFUSED, PASSES,
	 REFUSED, REFUSED, WITH_NOTE},
	{FED__PARTNER_TYPE__PUBLIC_UNVERIFIED, true, PASSES, PASSES, PASSES,
	 PASSES, WITHOUT_NOTE, WITH_NOTE},
};

static int sent_message(struct rig *t)
{
	sip_message(t);
	return said(t, "reply 200") ? PASSES : REFUSED;
}

static int got_message(struct rig *t)
{
	xmpp_message(t);
	return said(t, "outcome delivered") ? PASSES : REFUSED;
}

static int sent_subscribe(struct rig *t)
{
	sip_subscribe(t, 3600);
	return said(t, "reply 200") ? PASSES : REFUSED;
}

static int got_subscribe(struct rig *t)
{
	xmpp_presence(t, FED__PRESENCE_TYPE__SUBSCRIBE, NULL);
	return said(t, "outcome delivered") ? PASSES : REFUSED;
}

/* Behind got_subscribe(). */
static int told_note(struct rig *t)
{
	if (t->call_id[0] == '\0')
		return REFUSED;
	sip_notify(t, "busy");
	if (!said(t, ROMEO "/phone -> " JULIET " available"))
		return REFUSED;
	assert_int_equal(said(t, "[busy]"), said(t, "[busy.it]"));
	return said(t, "[busy]") ? WITH_NOTE : WITHOUT_NOTE;
}

/* Behind sent_subscribe(). */
static int saw_note(struct rig *t)
{
	xmpp_presence(t, FED__PRESENCE_TYPE__SUBSCRIBED, NULL);
	xmpp_presence(t, FED__PRESENCE_TYPE__AVAILABLE, "dancing");
	if (!said(t, "sip NOTIFY sip:10.0.0.9 active {balcony+"))
		return REFUSED;
	return said(t, "[dancing]") ? WITH_NOTE : WITHOUT_NOTE;
}

static void test_types(void **state)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(types); i++) {
		const struct type_row *row = &types[i];
		const struct rules rules = {.is_closed = true,
					    .partner = "example.com",
					    .type = row->type};
		void *one;
		struct rig *t;

		(void)state;
		print_message("type %d, contact %d\n", (int)row->type,
			      row->has_contact);
		assert_int_equal(rig_setup(&one), 0);
		t = one;
		rig_rule(t, &rules, 100);
		if (row->has_contact)
			sip_subscribe(t, 3600);
		assert_int_equal(sent_message(t), row->message_to_xmpp);
		assert_int_equal(got_message(t), row->message_to_sip);
		assert_int_equal(got_subscribe(t), row->subscribe_to_sip);
		assert_int_equal(told_note(t), row->note_to_xmpp);
		assert_int_equal(sent_subscribe(t), row->subscribe_to_xmpp);
		assert_int_equal(saw_note(t), row->note_to_sip);
		/* who subscribed has added him */
		assert_int_equal(sent_message(t), PASSES);
		assert_int_equal(got_message(t), PASSES);
		rig_teardown(&one);
	}
}

/* What "has added the contact" means: a watch that was not refused. */
static void test_contact(void **state)
{
	static const struct rules rules = {.is_closed = true,
					   .partner = "example.com"};
	struct rig *t = *state;

	rig_rule(t, &rules, 100);
	/* a look is no wish to have him */
	sip_subscribe(t, 0);
	assert_true(said(t, "reply 200"));
	rig_pass(t, 60000);
	assert_false(said(t, "stanza"));
	xmpp_message(t);
	assert_true(said(t, "outcome policy-violation"));
	/* the question that is open opens it */
	sip_subscribe(t, 3600);
	xmpp_message(t);
	assert_true(said(t, "outcome delivered"));
	/* a user agent that goes away unsubscribes as well */
	sip_refresh(t, 0);
	rig_pass(t, 60000);
	xmpp_message(t);
	assert_true(said(t, "outcome delivered"));
	/* but who said no is no contact */
	xmpp_presence(t, FED__PRESENCE_TYPE__UNSUBSCRIBED, NULL);
	xmpp_message(t);
	assert_true(said(t, "outcome policy-violation"));
	sip_message(t);
	assert_true(said(t, "reply 403"));
}

/* An open question is forgotten after a week without a dialog, and what he had
 * been shown on the strength of it is hidden. */
static void test_contact_forgotten(void **state)
{
	static const struct rules rules = {.is_closed = true,
					   .partner = "example.com"};
	const struct presence_row row = {
		.kind = PRESENCE_ROW_WATCH,
		.u.watch = {.direction = PRESENCE_IN,
			    .local = SPAN_LIT(ROMEO),
			    .remote = SPAN_LIT(JULIET),
			    .auth = PRESENCE_PENDING,
			    .since_ms = RIG_WALL_MS + 60000 -
					LIMIT_PRESENCE_PENDING_MS},
	};
	struct rig *t = *state;

	assert_int_equal(presence_restore(t->p, &row, t->now), 0);
	rig_rule(t, &rules, 100);
	juliet_watches(t, "busy");
	assert_true(said(t, ROMEO "/phone -> " JULIET " available\n"));
	t->out[0] = '\0';
	rig_pass(t, 120000);
	assert_true(said(t, ROMEO "/phone -> " JULIET " unavailable"));
	assert_true(said(t, "sip SUBSCRIBE sip:10.0.0.9 expires=0"));
	assert_false(
		presence_has_contact(t->p, SPAN_LIT(ROMEO), SPAN_LIT(JULIET)));
}

/* --- switch, policy, partner --------------------------------------------- */

static const struct gate_row {
	const char *name;
	struct rules rules;
	const char *gate; /* NULL: it passes */
	enum metric metric;
} gates[] = {
	{"open", {.is_off = false}, NULL, METRIC_COUNT},
	{"switch", {.is_off = true}, "switch", METRIC_refused_switch},
	{"no policy", {.no_xmpp = true}, "policy", METRIC_refused_policy},
	{"user above global",
	 {.no_xmpp = true, .user = ROMEO, .user_xmpp = true},
	 NULL,
	 METRIC_COUNT},
	{"user above global, denied",
	 {.user = ROMEO, .user_xmpp = false},
	 "policy",
	 METRIC_refused_policy},
	{"site above global",
	 {.no_xmpp = true, .site = "sip.example", .site_xmpp = true},
	 NULL,
	 METRIC_COUNT},
	{"site above global, denied",
	 {.site = "sip.example", .site_xmpp = false},
	 "policy",
	 METRIC_refused_policy},
	{"user above site",
	 {.site = "sip.example",
	  .site_xmpp = false,
	  .user = ROMEO,
	  .user_xmpp = true},
	 NULL,
	 METRIC_COUNT},
	{"user above site, denied",
	 {.site = "sip.example",
	  .site_xmpp = true,
	  .user = ROMEO,
	  .user_xmpp = false},
	 "policy",
	 METRIC_refused_policy},
	{"another user's",
	 {.no_xmpp = true, .user = "tybalt@sip.example", .user_xmpp = true},
	 "policy",
	 METRIC_refused_policy},
	{"no partner", {.is_closed = true}, "partner", METRIC_refused_partner},
	{"another partner",
	 {.is_closed = true,
	  .partner = "example.org",
	  .type = FED__PARTNER_TYPE__FEDERATED},
	 "partner",
	 METRIC_refused_partner},
	{"disabled",
	 {.partner = "example.com",
	  .type = FED__PARTNER_TYPE__FEDERATED,
	  .is_disabled = true},
	 "partner",
	 METRIC_refused_partner},
	{"type", {.partner = "example.com"}, "type", METRIC_refused_type},
};

/* Everything that may come, each time. */
static void check_open(struct rig *t)
{
	sip_message(t);
	assert_true(said(t, "reply 200"));
	assert_true(said(t, "stanza " ROMEO " -> " JULIET " message"));
	xmpp_message(t);
	assert_true(said(t, "sip MESSAGE sip:" ROMEO));
	assert_true(said(t, "outcome delivered"));
	sip_subscribe(t, 0);
	assert_true(said(t, "reply 200"));
	xmpp_presence(t, FED__PRESENCE_TYPE__SUBSCRIBE, NULL);
	assert_true(said(t, "outcome delivered"));
	xmpp_iq(t, ROMEO);
	assert_true(said(t, "outcome service-unavailable"));
}

static void check_silent(struct rig *t)
{
	assert_string_equal(t->out, "outcome delivered\n");
}

static void check_stopped(struct rig *t, bool asks_to_add)
{
	Fed__Stanza *s;

	sip_message(t);
	assert_true(said(t, "reply 403 "));
	assert_false(said(t, "stanza"));
	xmpp_message(t);
	assert_true(said(t, "outcome policy-violation \""));
	assert_false(said(t, "sip"));
	if (!asks_to_add) {
		sip_subscribe(t, 3600);
		assert_true(said(t, "reply 403 "));
		sip_subscribe(t, 0);
		assert_true(said(t, "reply 403 "));
	}
	xmpp_presence(t, FED__PRESENCE_TYPE__SUBSCRIBE, NULL);
	assert_true(said(t, "outcome policy-violation \""));
	xmpp_iq(t, ROMEO);
	assert_true(said(t, "outcome policy-violation \""));
	/* he learns nothing */
	xmpp_presence(t, FED__PRESENCE_TYPE__PROBE, NULL);
	check_silent(t);
	xmpp_presence(t, FED__PRESENCE_TYPE__AVAILABLE, NULL);
	check_silent(t);
	xmpp_presence(t, FED__PRESENCE_TYPE__SUBSCRIBED, NULL);
	check_silent(t);
	/* no error for an error, nor for what no user wrote */
	s = rig_message(t, "failed");
	s->message->type = FED__MESSAGE_TYPE__MESSAGE_ERROR;
	rig_feed(t, s);
	check_silent(t);
	s = stanza_new_message(&t->a);
	s->message->chat_state = FED__CHAT_STATE__COMPOSING;
	rig_feed(t, s);
	check_silent(t);
	s = stanza_new_iq(&t->a);
	s->iq->type = FED__IQ_TYPE__RESULT;
	rig_feed(t, s);
	check_silent(t);
}

static void test_gates(void **state)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(gates); i++) {
		const struct gate_row *row = &gates[i];
		struct rig *t;
		void *one;

		(void)state;
		print_message("%s\n", row->name);
		assert_int_equal(rig_setup(&one), 0);
		t = one;
		rig_rule(t, &row->rules, 100);
		if (row->gate == NULL) {
			check_open(t);
			assert_false(logged(t, "gate="));
		} else {
			check_stopped(t, row->metric == METRIC_refused_type);
			assert_true(t->metrics.value[row->metric] >= 10);
			assert_true(logged(t, arena_printf(&t->a,
							   "outcome=refused "
							   "status=403 ms=0 "
							   "gate=%s",
							   row->gate)));
			assert_true(
				logged(t, arena_printf(&t->a,
						       "outcome=refused "
						       "status=0 ms=0 gate=%s",
						       row->gate)));
			assert_true(logged(
				t, arena_printf(&t->a,
						"event=access_refused "
						"what=presence from=" JULIET
						" to=" ROMEO " gate=%s",
						row->gate)));
		}
		rig_teardown(&one);
	}
}

/* Nothing is configured. */
static void test_nothing(void **state)
{
	struct rig *t = *state;

	check_stopped(t, false);
	rig_rule(t, NULL, 100);
	check_stopped(t, false);
}

/* A partner can send as fast as it likes: it is counted, not written down. */
static void test_flood(void **state)
{
	struct rig *t = *state;
	size_t lines = 0;
	const char *at;

	for (size_t i = 0; i < 100; i++)
		xmpp_presence(t, FED__PRESENCE_TYPE__PROBE, NULL);
	assert_int_equal(100, t->metrics.value[METRIC_refused_switch]);
	at = strstr(t->log, "event=access_refused");
	for (; at != NULL; at = strstr(at + 1, "event=access_refused"))
		lines++;
	assert_int_equal(LIMIT_GATEWAY_WARN_BURST, lines);
}

/* Each gate closes and opens while the gateway runs. */
static void test_live(void **state)
{
	static const struct rules open = {.is_off = false};
	struct rig *t = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(gates); i++) {
		rig_rule(t, &open, 100);
		sip_message(t);
		assert_true(said(t, "reply 200"));
		xmpp_message(t);
		assert_true(said(t, "outcome delivered"));
		rig_rule(t, &gates[i].rules, 100);
		sip_message(t);
		assert_int_equal(said(t, "reply 200"), gates[i].gate == NULL);
		xmpp_message(t);
		assert_int_equal(said(t, "outcome delivered"),
				 gates[i].gate == NULL);
	}
}

/* The SIP domain itself has no user whose policy could forbid it. */
static void test_domain(void **state)
{
	static const struct rules no_policy = {.no_xmpp = true};
	static const struct rules closed = {.is_closed = true};
	struct rig *t = *state;

	rig_rule(t, &no_policy, 100);
	xmpp_iq(t, "sip.example");
	assert_true(said(t, "outcome delivered"));
	assert_true(said(t, "stanza sip.example -> " JULIET "/balcony iq"));
	rig_rule(t, &closed, 100);
	xmpp_iq(t, "sip.example");
	assert_true(said(t, "outcome policy-violation"));
	rig_rule(t, NULL, 100);
	xmpp_iq(t, "sip.example");
	assert_true(said(t, "outcome policy-violation"));
}

/* --- the old gateway's --------------------------------------------------- */

/* A domain that it still serves: nobody asks for policies, and what comes from
 * there does not come here. */
static void test_legacy(void **state)
{
	static const struct rules rules = {
		.is_closed = true, .no_xmpp = true, .legacy = "sip:10.0.0.7"};
	struct rig *t = *state;

	rig_rule(t, &rules, 100);
	xmpp_message(t);
	assert_true(said(t, "outcome policy-violation"));
	sip_message(t);
	assert_false(said(t, "stanza"));
	assert_false(logged(t, "gate=policy"));
}

/* --- bodies in the log --------------------------------------------------- */

static void test_bodies(void **state)
{
	static const struct rules off = {.is_off = false};
	static const struct rules on = {.logs_bodies = true};
	struct rig *t = *state;
	Fed__Stanza *s;
	char body[2000];

	rig_rule(t, &off, 100);
	sip_message(t);
	xmpp_message(t);
	assert_false(logged(t, "event=body"));
	assert_false(logged(t, "hello"));
	rig_rule(t, &on, 100);
	sip_message(t);
	assert_true(logged(t, "event=body dir=to-xmpp from=" ROMEO " to=" JULIET
			      " call-id=call2 body=\"hello\""));
	s = rig_message(t, "a \"b\"\nevent=delivery");
	rig_feed(t, s);
	assert_true(logged(t, "event=body dir=to-sip from=" JULIET
			      "/balcony to=" ROMEO " call-id="));
	assert_true(logged(t, "body=\"a \\\"b\\\"\\x0aevent=delivery\""));
	memset(body, 'x', sizeof(body));
	body[800] = '\0';
	t->log[0] = '\0';
	rig_feed(t, rig_message(t, body));
	assert_true(logged(t, "x...\""));
	assert_true(strlen(t->log) < 1000);
	/* what is refused was not taken */
	t->log[0] = '\0';
	rig_rule(t, &(const struct rules){.logs_bodies = true, .is_off = true},
		 100);
	sip_message(t);
	xmpp_message(t);
	assert_false(logged(t, "event=body"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_types),	T(test_contact), T(test_contact_forgotten),
		T(test_gates),	T(test_nothing), T(test_live),
		T(test_flood),	T(test_domain),	 T(test_legacy),
		T(test_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
