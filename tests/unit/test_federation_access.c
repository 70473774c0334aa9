/* Who may talk to whom: the gates, as tables. */
#include "tests/unit/federation_harness.h"

#include <stdio.h>

#include "base/limits.h"
#include "fe-gateway/core/access.h"

/* --- partner types (Lync Server 2013, "PartnerType") -----------------------
 */

#define TO_XMPP ACCESS_TO_XMPP
#define TO_SIP ACCESS_TO_SIP
#define FEDERATED FED__PARTNER_TYPE__FEDERATED
#define VERIFIED FED__PARTNER_TYPE__PUBLIC_VERIFIED
#define UNVERIFIED FED__PARTNER_TYPE__PUBLIC_UNVERIFIED

#define YES ACCESS_GATES
#define NO ACCESS_TYPE

/* type, what, direction: gate without and with a contact of the SIP user;
 * is the SIP user's note hidden */
static const struct {
	Fed__PartnerType type;
	enum access_what what;
	enum access_direction direction;
	enum access_gate without, with;
	bool hides_note;
} types[] = {
	{FEDERATED, ACCESS_MESSAGE, TO_XMPP, YES, YES, 0},
	{FEDERATED, ACCESS_MESSAGE, TO_SIP, YES, YES, 0},
	{FEDERATED, ACCESS_SUBSCRIBE, TO_XMPP, YES, YES, 0},
	{FEDERATED, ACCESS_SUBSCRIBE, TO_SIP, YES, YES, 0},
	{FEDERATED, ACCESS_PRESENCE, TO_XMPP, YES, YES, 0},
	{FEDERATED, ACCESS_PRESENCE, TO_SIP, YES, YES, 0},
	{VERIFIED, ACCESS_MESSAGE, TO_XMPP, YES, YES, 1},
	{VERIFIED, ACCESS_MESSAGE, TO_SIP, YES, YES, 0},
	{VERIFIED, ACCESS_SUBSCRIBE, TO_XMPP, YES, YES, 1},
	{VERIFIED, ACCESS_SUBSCRIBE, TO_SIP, YES, YES, 0},
	{VERIFIED, ACCESS_PRESENCE, TO_XMPP, YES, YES, 1},
	{VERIFIED, ACCESS_PRESENCE, TO_SIP, YES, YES, 0},
	{UNVERIFIED, ACCESS_MESSAGE, TO_XMPP, NO, YES, 1},
	{UNVERIFIED, ACCESS_MESSAGE, TO_SIP, NO, YES, 0},
	/* the user's own wish is what opens the way */
	{UNVERIFIED, ACCESS_SUBSCRIBE, TO_XMPP, YES, YES, 1},
	{UNVERIFIED, ACCESS_SUBSCRIBE, TO_SIP, NO, YES, 0},
	{UNVERIFIED, ACCESS_PRESENCE, TO_XMPP, NO, YES, 1},
	{UNVERIFIED, ACCESS_PRESENCE, TO_SIP, NO, YES, 0},
};

static struct access_query query(enum access_what what,
				 enum access_direction direction)
{
	return (struct access_query){.what = what,
				     .direction = direction,
				     .local = SPAN_LIT("alice@example.net"),
				     .remote = SPAN_LIT("juliet@fabrikam."
							"example")};
}

/* The switch is on, everybody may. */
static void open_gates(struct fed_test *t)
{
	ft_settings(t)->federation = true;
	ft_policy(t, FED__POLICY_SCOPE__GLOBAL, "", true, true);
}

static void test_types(void **state)
{
	(void)state;
	assert_int_equal(FED_ARRAY_LEN(types), 3 * 3 * 2);
	for (size_t i = 0; i < FED_ARRAY_LEN(types); i++) {
		struct access_query q =
			query(types[i].what, types[i].direction);
		struct access_verdict v;
		struct fed_test t;

		ft_init(&t);
		open_gates(&t);
		ft_partner(&t, "fabrikam.example")->type = types[i].type;
		ft_ok(&t);
		v = access_decide(t.f, &q);
		assert_int_equal(v.gate, types[i].without);
		assert_int_equal(v.hides_note, types[i].hides_note);
		assert_false(v.is_legacy);
		assert_string_equal(v.partner->domain, "fabrikam.example");
		q.has_contact = true;
		v = access_decide(t.f, &q);
		assert_int_equal(v.gate, types[i].with);
		ft_deinit(&t);
	}
}

/* --- policies --------------------------------------------------------------
 */

/* Flags of a policy: none there is, or federation and xmpp. */
enum flags { ABSENT, OFF_OFF, ON_OFF, ON_ON, FLAGS };

static void put_policy(struct fed_test *t, Fed__PolicyScope scope,
		       const char *name, enum flags flags)
{
	if (flags != ABSENT)
		ft_policy(t, scope, name, flags != OFF_OFF, flags == ON_ON);
}

/* The user's own counts, else his site's, else the global one; both flags. */
static bool may_by(enum flags user, enum flags site, enum flags global)
{
	if (user != ABSENT)
		return user == ON_ON;
	if (site != ABSENT)
		return site == ON_ON;
	return global == ON_ON;
}

static Fed__PolicyScope scope_by(enum flags user, enum flags site)
{
	if (user != ABSENT)
		return FED__POLICY_SCOPE__USER;
	return site != ABSENT ? FED__POLICY_SCOPE__SITE
			      : FED__POLICY_SCOPE__GLOBAL;
}

static void expect_policy(const struct fed_test *t, enum flags user,
			  enum flags site, enum flags global)
{
	struct federation_policy p =
		federation_policy_of(t->f, SPAN_LIT("alice@example.net"));
	bool may = may_by(user, site, global);

	assert_string_equal(p.site, "Berlin");
	if (user == ABSENT && site == ABSENT && global == ABSENT) {
		assert_null(p.policy);
	} else {
		assert_non_null(p.policy);
		assert_int_equal(p.policy->scope, scope_by(user, site));
	}
	for (int direction = 0; direction < 2; direction++) {
		struct access_query q =
			query(ACCESS_MESSAGE, (enum access_direction)direction);

		assert_int_equal(access_decide(t->f, &q).gate,
				 may ? ACCESS_GATES : ACCESS_POLICY);
	}
}

static void test_precedence(void **state)
{
	(void)state;
	for (int i = 0; i < FLAGS * FLAGS * FLAGS * 2; i++) {
		enum flags user = (enum flags)(i % FLAGS);
		enum flags site = (enum flags)(i / FLAGS % FLAGS);
		enum flags global = (enum flags)(i / FLAGS / FLAGS % FLAGS);
		bool is_listed = i >= FLAGS * FLAGS * FLAGS;
		struct fed_test t;

		ft_init(&t);
		ft_settings(&t)->federation = true;
		ft_partner(&t, "fabrikam.example")->type =
			FED__PARTNER_TYPE__FEDERATED;
		/* by his domain, or by himself although it is another's */
		ft_site(&t, "Berlin", is_listed ? NULL : "example.net");
		if (is_listed) {
			ft_site(&t, "Bonn", "example.net");
			ft_policy(&t, FED__POLICY_SCOPE__SITE, "Bonn",
				  site != ON_ON, site != ON_ON);
			ft_member(&t, "alice@example.net", "Berlin");
		}
		put_policy(&t, FED__POLICY_SCOPE__USER, "sales", user);
		put_policy(&t, FED__POLICY_SCOPE__SITE, "Berlin", site);
		put_policy(&t, FED__POLICY_SCOPE__GLOBAL, "", global);
		if (user != ABSENT)
			ft_grant(&t, "alice@example.net", "sales");
		ft_ok(&t);
		expect_policy(&t, user, site, global);
		ft_deinit(&t);
	}
}

/* --- gates in series -------------------------------------------------------
 */

enum partner { NO_PARTNER, DISABLED, LEGACY, DENIED, ENABLED, PARTNERS };

static void put_partner(struct fed_test *t, enum partner partner)
{
	Fed__PartnerRecord *p;

	if (partner == NO_PARTNER)
		return;
	if (partner == DENIED) {
		ft_denied(t, "fabrikam.example");
		return;
	}
	p = ft_partner(t, "fabrikam.example");
	if (partner == DISABLED)
		p->state = FED__PARTNER_STATE__DISABLED;
	if (partner == LEGACY)
		p->state = FED__PARTNER_STATE__LEGACY;
}

/* The first one that refuses is told, whatever those behind it say. */
static enum access_gate expected_gate(bool is_on, bool may,
				      enum partner partner, bool is_open,
				      bool has_contact)
{
	bool is_partner =
		partner == ENABLED || (partner == NO_PARTNER && is_open);

	if (!is_on)
		return ACCESS_SWITCH;
	if (!may)
		return ACCESS_POLICY;
	if (!is_partner)
		return ACCESS_PARTNER;
	return has_contact ? ACCESS_GATES : ACCESS_TYPE;
}

static void expect_gates(bool is_on, bool may, enum partner partner,
			 bool is_open, bool has_hop)
{
	Fed__SettingsRecord *s;
	struct fed_test t;
	bool is_legacy = has_hop && (partner == LEGACY ||
				     (partner == NO_PARTNER && !is_open));

	ft_init(&t);
	s = ft_settings(&t);
	s->federation = is_on;
	s->open = is_open;
	if (has_hop)
		s->legacy_next_hop = ft_text(&t, "sip:old.example.net");
	ft_policy(&t, FED__POLICY_SCOPE__GLOBAL, "", may, may);
	put_partner(&t, partner);
	ft_ok(&t);
	for (int i = 0; i < 4; i++) {
		struct access_query q =
			query(ACCESS_MESSAGE, (enum access_direction)(i % 2));
		struct access_verdict v;

		q.has_contact = i >= 2;
		v = access_decide(t.f, &q);
		assert_int_equal(v.is_legacy, is_legacy);
		assert_int_equal(v.gate,
				 is_legacy ? ACCESS_PARTNER
					   : expected_gate(is_on, may, partner,
							   is_open,
							   q.has_contact));
	}
	ft_deinit(&t);
}

static void test_gates(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * 2 * 2 * 2 * PARTNERS; i++)
		expect_gates(i & 1, i & 2, (enum partner)(i / 16), i & 4,
			     i & 8);
}

static void test_nothing_is_configured(void **state)
{
	struct access_query q = query(ACCESS_MESSAGE, ACCESS_TO_XMPP);
	struct access_verdict v;
	struct fed_test t;

	(void)state;
	v = access_decide(NULL, &q);
	assert_int_equal(v.gate, ACCESS_SWITCH);
	assert_false(v.is_legacy);
	assert_null(v.partner);
	/* switch and partner without any policy */
	ft_init(&t);
	ft_settings(&t)->federation = true;
	ft_partner(&t, "fabrikam.example");
	ft_ok(&t);
	assert_int_equal(access_decide(t.f, &q).gate, ACCESS_POLICY);
	ft_deinit(&t);
}

/* A domain is asked as a user of it is. */
static void test_remote_domain(void **state)
{
	struct access_query q = query(ACCESS_MESSAGE, ACCESS_TO_XMPP);
	struct fed_test t;

	(void)state;
	ft_init(&t);
	open_gates(&t);
	ft_partner(&t, "fabrikam.example")->type = FED__PARTNER_TYPE__FEDERATED;
	ft_ok(&t);
	q.remote = SPAN_LIT("fabrikam.example");
	assert_int_equal(access_decide(t.f, &q).gate, ACCESS_GATES);
	q.remote = SPAN_LIT("sub.fabrikam.example");
	assert_int_equal(access_decide(t.f, &q).gate, ACCESS_PARTNER);
	ft_deinit(&t);
}

/* --- in words --------------------------------------------------------------
 */

/* The findings as lines "GOOD what: text => advice", then the verdict. */
static const char *explained(struct fed_test *t, const struct access_query *q)
{
	static const char *const levels[] = {"good", "info", "warn", "bad"};
	Fed__AdminResponse out;
	char *text = ft_text(t, "");

	fed__admin_response__init(&out);
	assert_int_equal(access_explain(t->f, q, &t->a, &out), 0);
	for (size_t i = 0; i < out.n_finding; i++) {
		const Fed__Finding *f = out.finding[i];

		text = arena_printf(&t->a, "%s%s %s: %s%s%s\n", text,
				    levels[f->level], f->what, f->text,
				    f->advice[0] != '\0' ? " => " : "",
				    f->advice);
	}
	return arena_printf(&t->a, "%s%s\n", text, out.verdict);
}

static void expect_text(struct fed_test *t, const struct access_query *q,
			const char *want)
{
	assert_string_equal(explained(t, q), want);
}

static void test_explain_allowed(void **state)
{
	struct access_query q = query(ACCESS_PRESENCE, ACCESS_TO_XMPP);
	Fed__PartnerRecord *p;
	struct fed_test t;

	(void)state;
	q.has_contact = true;
	ft_init(&t);
	open_gates(&t);
	p = ft_partner(&t, "fabrikam.example");
	ft_additional(&t, p, "*.fabrikam.example");
	ft_ok(&t);
	q.remote = SPAN_LIT("juliet@b.fabrikam.example");
	expect_text(
		&t, &q,
		"good switch: federation is on for the whole deployment\n"
		"good policy: alice@example.net has the global policy (none "
		"is granted to him, he is of no site): federation on, xmpp "
		"on\n"
		"good partner: b.fabrikam.example belongs to partner "
		"fabrikam.example by the pattern *.fabrikam.example: enabled, "
		"type public-unverified\n"
		"good type: type public-unverified: the SIP user has "
		"subscribed to this contact, so both may talk\n"
		"info type: status notes of SIP users are shown to partners "
		"of type federated only\n"
		"warn edge: tls required, sasl required, dialback on: SASL "
		"EXTERNAL over TLS; dialback will not operate, since SASL is "
		"required\n"
		"presence from alice@example.net to "
		"juliet@b.fabrikam.example: allowed, without its status "
		"note\n");
	ft_deinit(&t);
}

/* All gates are shown, also those behind the first that refuses. */
static void test_explain_refused(void **state)
{
	struct access_query q = query(ACCESS_MESSAGE, ACCESS_TO_SIP);
	Fed__PartnerRecord *p;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_policy(&t, FED__POLICY_SCOPE__USER, "guests", true, false);
	ft_grant(&t, "alice@example.net", "guests");
	p = ft_partner(&t, "fabrikam.example");
	p->state = FED__PARTNER_STATE__DISABLED;
	p->sasl = FED__NEED__OFF;
	p->proxy_host = ft_text(&t, "xmpp.example:5270");
	ft_ok(&t);
	expect_text(
		&t, &q,
		"bad switch: federation is off for the whole deployment => "
		"fedctl settings set federation on\n"
		"bad policy: alice@example.net has policy \"guests\", which "
		"is granted to him: federation on, xmpp off => fedctl policy "
		"set user guests --federation on --xmpp on, or fedctl grant "
		"alice@example.net POLICY\n"
		"bad partner: fabrikam.example belongs to partner "
		"fabrikam.example: disabled, type public-unverified => fedctl "
		"partner enable fabrikam.example\n"
		"bad type: type public-unverified: nothing goes either way "
		"until the SIP user has subscribed to this contact, and he "
		"has not => alice@example.net adds the contact "
		"juliet@fabrikam.example, or fedctl partner set "
		"fabrikam.example --type federated\n"
		"info edge: tls required, sasl not-supported, dialback on: "
		"dialback over TLS; by way of xmpp.example:5270\n"
		"message from juliet@fabrikam.example to alice@example.net: "
		"refused by gate \"switch\" (policy-violation)\n");
	ft_deinit(&t);
}

/* For the SIP domain itself: no policy is asked, and nobody has contacts. */
static void test_explain_domain(void **state)
{
	struct access_query q = query(ACCESS_MESSAGE, ACCESS_TO_SIP);
	struct fed_test t;
	struct access_verdict v;

	(void)state;
	q.local = SPAN_NULL;
	ft_init(&t);
	ft_settings(&t)->federation = true;
	(void)ft_partner(&t, "fabrikam.example");
	ft_ok(&t);
	v = access_decide(t.f, &q);
	assert_int_equal(v.gate, ACCESS_GATES);
	expect_text(&t, &q,
		    "good switch: federation is on for the whole deployment\n"
		    "good policy: it is for the SIP domain itself, which has "
		    "no policy\n"
		    "good partner: fabrikam.example belongs to partner "
		    "fabrikam.example: enabled, type public-unverified\n"
		    "good type: type public-unverified: it may ask the SIP "
		    "domain itself\n"
		    "warn edge: tls required, sasl required, dialback on: SASL "
		    "EXTERNAL over TLS; dialback will not operate, since SASL "
		    "is required\n"
		    "message from juliet@fabrikam.example to the SIP domain "
		    "itself: allowed\n");
	ft_deinit(&t);
}

static void test_explain_nothing(void **state)
{
	struct access_query q = query(ACCESS_SUBSCRIBE, ACCESS_TO_XMPP);
	struct fed_test t;

	(void)state;
	ft_init(&t);
	expect_text(
		&t, &q,
		"bad switch: federation is off for the whole deployment => "
		"fedctl settings set federation on\n"
		"bad policy: alice@example.net has no policy: none is granted "
		"to him, none is of his site, there is no global one => "
		"fedctl policy set global --federation on --xmpp on, or "
		"fedctl grant alice@example.net POLICY\n"
		"bad partner: fabrikam.example is no partner, and the list is "
		"closed => fedctl partner add fabrikam.example\n"
		"info type: no partner, so no type\n"
		"subscription from alice@example.net to "
		"juliet@fabrikam.example: refused by gate \"switch\" (SIP "
		"403)\n");
	ft_deinit(&t);
}

/* Lines of one gate, in other states. */
static void test_explain_lines(void **state)
{
	struct access_query q = query(ACCESS_MESSAGE, ACCESS_TO_XMPP);
	Fed__SettingsRecord *s;
	struct fed_test t;
	const char *got;

	(void)state;
	ft_init(&t);
	open_gates(&t);
	s = t.put[0]->settings;
	ft_site(&t, "Berlin", "example.net");
	ft_denied(&t, "*.bad.example");
	ft_ok(&t);
	q.remote = SPAN_LIT("x@a.bad.example");
	got = explained(&t, &q);
	assert_non_null(strstr(got, "has the global policy (site \"Berlin\" "
				    "has none): federation on, xmpp on\n"));
	assert_non_null(strstr(got, "bad partner: a.bad.example is denied by "
				    "the record *.bad.example => fedctl "
				    "deny remove \"*.bad.example\"\n"));
	ft_policy(&t, FED__POLICY_SCOPE__SITE, "Berlin", true, true);
	s = ft_settings(&t);
	s->federation = true;
	s->open = true;
	ft_ok(&t);
	q.remote = SPAN_LIT("x@new.example");
	got = explained(&t, &q);
	assert_non_null(strstr(got, "has the policy of site \"Berlin\", which "
				    "has his domain: federation on, xmpp "
				    "on\n"));
	assert_non_null(strstr(got, "good partner: new.example belongs to "
				    "partner * by the open list, with the "
				    "defaults of a partner: enabled, type "
				    "public-unverified\n"));
	ft_member(&t, "alice@example.net", "Berlin");
	ft_additional(&t, ft_partner(&t, "a.example"), "new.example");
	ft_ok(&t);
	got = explained(&t, &q);
	assert_non_null(strstr(got, "site \"Berlin\", which he belongs to: "));
	assert_non_null(strstr(got, "new.example belongs to partner a.example "
				    "by an additional domain: enabled"));
	ft_deinit(&t);
}

static void test_explain_legacy(void **state)
{
	struct access_query q = query(ACCESS_MESSAGE, ACCESS_TO_XMPP);
	const char *got;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_settings(&t)->legacy_next_hop = ft_text(&t, "sip:old.example.net");
	ft_partner(&t, "fabrikam.example")->state = FED__PARTNER_STATE__LEGACY;
	ft_partner(&t, "b.example");
	ft_ok(&t);
	got = explained(&t, &q);
	assert_non_null(strstr(got, "info legacy: fabrikam.example is still "
				    "the old gateway's: requests of all users "
				    "go to sip:old.example.net, and no gate "
				    "is asked\n"));
	assert_non_null(strstr(got, "=> fedctl migrate enable "
				    "fabrikam.example\n"));
	assert_non_null(strstr(got, "fabrikam.example: goes to the old "
				    "gateway, sip:old.example.net\n"));
	q.direction = ACCESS_TO_SIP;
	got = explained(&t, &q);
	assert_non_null(strstr(got, "bad legacy: fabrikam.example is still "
				    "the old gateway's (sip:old.example.net): "
				    "it reaches users there, and edges refuse "
				    "it here\n"));
	assert_non_null(strstr(got, ": refused by gate \"partner\" "
				    "(policy-violation)\n"));
	q.remote = SPAN_LIT("x@b.example");
	got = explained(&t, &q);
	assert_non_null(strstr(got, "info legacy: the old gateway "
				    "(sip:old.example.net) is not asked\n"));
	ft_deinit(&t);
}

static void test_gate_texts(void **state)
{
	(void)state;
	for (int g = ACCESS_SWITCH; g < ACCESS_GATES; g++)
		for (int h = ACCESS_SWITCH; h < g; h++)
			assert_string_not_equal(
				access_gate_text((enum access_gate)g),
				access_gate_text((enum access_gate)h));
	assert_string_equal(access_gate_text(ACCESS_POLICY),
			    "not allowed by policy");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_gates),
		cmocka_unit_test(test_nothing_is_configured),
		cmocka_unit_test(test_remote_domain),
		cmocka_unit_test(test_explain_allowed),
		cmocka_unit_test(test_explain_refused),
		cmocka_unit_test(test_explain_domain),
		cmocka_unit_test(test_explain_nothing),
		cmocka_unit_test(test_explain_lines),
		cmocka_unit_test(test_explain_legacy),
		cmocka_unit_test(test_gate_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
