/* What is allowed in a record, and rarely meant. */
#include "fe-gateway/core/federation_priv.h"

#include <string.h>

static int doubt_methods(struct federation_check *c,
			 const Fed__PartnerRecord *p)
{
	const struct federation_row *row = federation_row(p);

	if (!row->is_doubtful)
		return 0;
	return federation_warn(c, "tls %s, sasl %s, dialback %s: %s",
			       federation_word(federation_need_words, p->tls),
			       federation_word(federation_need_words, p->sasl),
			       p->dialback ? "on" : "off", row->remark);
}

static int doubt_limits(struct federation_check *c, const struct federation *f,
			const Fed__PartnerRecord *p)
{
	uint32_t most = f->settings->connection_limit;

	if (p->connection_limit > most)
		return federation_warn(
			c,
			"connection_limit %u is above that of all partners "
			"(%u), which counts",
			p->connection_limit, most);
	if (p->connection_limit == 1)
		return federation_warn(
			c, "connection_limit 1: streams of both directions "
			   "count, and most servers need one for each");
	return 0;
}

static int doubt_partner(struct federation_check *c, const struct federation *f,
			 const Fed__PartnerRecord *p)
{
	int err = doubt_methods(c, p);

	if (err == 0)
		err = doubt_limits(c, f, p);
	if (err == 0 && strcmp(p->domain, "*") == 0 && !f->settings->open)
		err = federation_warn(c, "it has no effect while the list is "
					 "closed (settings mode: closed)");
	if (err == 0 && p->state == FED__PARTNER_STATE__LEGACY &&
	    f->settings->legacy_next_hop[0] == '\0')
		err = federation_warn(c, "nobody serves a legacy partner until "
					 "settings have legacy_next_hop");
	return err;
}

static int doubt_settings(struct federation_check *c,
			  const Fed__SettingsRecord *s)
{
	int err = 0;

	if (s->open)
		err = federation_warn(
			c, "mode open: every domain that is not denied is a "
			   "partner");
	if (err == 0 &&
	    s->keep_alive_interval_s >= s->stream_inactivity_timeout_s)
		err = federation_warn(
			c,
			"keep_alive_interval %u s is not below "
			"stream_inactivity_timeout %u s: idle streams are "
			"closed before a sign of life is missed",
			s->keep_alive_interval_s,
			s->stream_inactivity_timeout_s);
	return err;
}

static int doubt_policy(struct federation_check *c, const Fed__PolicyRecord *p)
{
	if (p->federation && !p->xmpp)
		return federation_warn(c, "federation without xmpp allows "
					  "nothing here: both are asked");
	return 0;
}

static bool is_gone(const struct federation_check *c,
		    const struct federation *f, const char *key)
{
	return federation_find(c->base, key) != NULL &&
	       federation_find(f, key) == NULL;
}

int federation_check_resets(struct federation_check *c,
			    const struct federation *f)
{
	int err = 0;

	if (is_gone(c, f, "settings")) {
		federation_check_name(c, "settings");
		err = federation_warn(
			c,
			"they go back to their defaults: federation is off, "
			"the list closed%s",
			federation_settings(c->base)->dialback_secret.len > 0
				? "; the dialback secret is gone"
				: "");
	}
	if (err == 0 && is_gone(c, f, "policy/global")) {
		federation_check_name(c, "policy/global");
		err = federation_warn(
			c, "it goes back to its default: users without "
			   "another policy may talk to nobody");
	}
	return err;
}

int federation_check_doubts(struct federation_check *c,
			    const struct federation *f, const Fed__Record *r)
{
	if (r->kind_case == FED__RECORD__KIND_PARTNER)
		return doubt_partner(c, f, r->partner);
	if (r->kind_case == FED__RECORD__KIND_SETTINGS)
		return doubt_settings(c, r->settings);
	if (r->kind_case == FED__RECORD__KIND_POLICY)
		return doubt_policy(c, r->policy);
	return 0;
}
