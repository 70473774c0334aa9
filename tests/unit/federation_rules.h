/* Federation configurations of tests, made of a few words. */
#ifndef FED_TESTS_FEDERATION_RULES_H
#define FED_TESTS_FEDERATION_RULES_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fe-gateway/core/federation.h"

enum { RULES_MAX = 8 };

/* All that a test may want to say; what it does not say allows everything. */
struct rules {
	bool is_off;	/* the switch */
	bool is_closed; /* only `partner` is one, and those after it */
	const char *partner;
	Fed__PartnerType type;
	bool is_disabled;   /* the partner */
	const char *legacy; /* legacy_next_hop */
	bool no_xmpp;	    /* policy of scope global */
	const char *user;   /* has a policy of his own ... */
	bool user_xmpp;	    /* ... which says that */
	const char *site;   /* a SIP domain with a policy ... */
	bool site_xmpp;	    /* ... which says that */
	bool logs_bodies;
	uint32_t refresh_interval_s; /* 0: 3600 */
};

/* Records and what they consist of; `edit` points into it. */
struct rules_records {
	Fed__SettingsRecord settings;
	Fed__PartnerRecord partner, all;
	Fed__PolicyRecord global, of_user, of_site;
	Fed__GrantRecord grant;
	Fed__SiteRecord site;
	char *site_domains[1];
	Fed__Record records[RULES_MAX];
	Fed__Record *put[RULES_MAX];
	size_t count;
};

static inline Fed__Record *rules_add(struct rules_records *w,
				     Fed__Record__KindCase kind)
{
	Fed__Record *r = &w->records[w->count];

	assert_true(w->count < RULES_MAX);
	fed__record__init(r);
	r->kind_case = kind;
	w->put[w->count++] = r;
	return r;
}

/* Generated structs have no const strings. */
static inline char *rules_text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static inline void rules_settings(struct rules_records *w,
				  const struct rules *r)
{
	federation_settings_init(&w->settings);
	w->settings.federation = !r->is_off;
	w->settings.open = !r->is_closed;
	w->settings.log_bodies = r->logs_bodies;
	w->settings.subscription_refresh_interval_s =
		r->refresh_interval_s != 0 ? r->refresh_interval_s : 3600;
	if (r->legacy != NULL)
		w->settings.legacy_next_hop = rules_text(r->legacy);
	rules_add(w, FED__RECORD__KIND_SETTINGS)->settings = &w->settings;
}

static inline void rules_partners(struct rules_records *w,
				  const struct rules *r)
{
	federation_partner_init(&w->all);
	w->all.domain = rules_text("*");
	w->all.type = FED__PARTNER_TYPE__FEDERATED;
	if (!r->is_closed)
		rules_add(w, FED__RECORD__KIND_PARTNER)->partner = &w->all;
	if (r->partner == NULL)
		return;
	federation_partner_init(&w->partner);
	w->partner.domain = rules_text(r->partner);
	w->partner.type = r->type;
	w->partner.state = r->is_disabled ? FED__PARTNER_STATE__DISABLED
					  : FED__PARTNER_STATE__ENABLED;
	rules_add(w, FED__RECORD__KIND_PARTNER)->partner = &w->partner;
}

static inline void rules_policy(struct rules_records *w, Fed__PolicyRecord *p,
				Fed__PolicyScope scope, const char *name,
				bool is_allowed)
{
	fed__policy_record__init(p);
	p->scope = scope;
	p->name = rules_text(name);
	p->federation = is_allowed;
	p->xmpp = is_allowed;
	rules_add(w, FED__RECORD__KIND_POLICY)->policy = p;
}

static inline void rules_policies(struct rules_records *w,
				  const struct rules *r)
{
	rules_policy(w, &w->global, FED__POLICY_SCOPE__GLOBAL, "", !r->no_xmpp);
	if (r->user != NULL) {
		rules_policy(w, &w->of_user, FED__POLICY_SCOPE__USER, "his",
			     r->user_xmpp);
		fed__grant_record__init(&w->grant);
		w->grant.user = rules_text(r->user);
		w->grant.policy = rules_text("his");
		rules_add(w, FED__RECORD__KIND_GRANT)->grant = &w->grant;
	}
	if (r->site != NULL) {
		fed__site_record__init(&w->site);
		w->site.name = rules_text("there");
		w->site_domains[0] = rules_text(r->site);
		w->site.domain = w->site_domains;
		w->site.n_domain = 1;
		rules_add(w, FED__RECORD__KIND_SITE)->site = &w->site;
		rules_policy(w, &w->of_site, FED__POLICY_SCOPE__SITE, "there",
			     r->site_xmpp);
	}
}

static inline struct federation *rules_make(const struct rules *r)
{
	struct rules_records w = {.count = 0};
	struct federation_edit edit = {.put = w.put, .replaces_all = true};
	struct federation *f = NULL;
	struct errbuf e;

	rules_settings(&w, r);
	rules_partners(&w, r);
	rules_policies(&w, r);
	edit.put_count = w.count;
	errbuf_set(&e, "no error");
	if (federation_new(&f, NULL, &edit, NULL, NULL, &e) != 0)
		fail_msg("%s", e.text);
	return f;
}

/* Everybody may talk to everybody, notes included. */
static inline struct federation *rules_open(void)
{
	const struct rules r = {.is_off = false};

	return rules_make(&r);
}

#endif
