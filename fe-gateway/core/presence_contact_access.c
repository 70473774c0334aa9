/*
 * A contact whose gates close: its watchers see that nobody is there, their
 * subscriptions go on, and the XMPP user is neither asked nor told anything.
 * When they open he is asked again, in his turn.
 */
#include "fe-gateway/core/presence_contact_priv.h"

static void hide(struct presence *p, struct presence_contact *c,
		 uint64_t now_ms)
{
	struct presence_nd *n;

	for (int i = 0; i < PRESENCE_AT_COUNT; i++)
		if (i != PRESENCE_AT_FORGET)
			presence_contact_set_at(p, c,
						(enum presence_contact_timer)i,
						UINT64_MAX);
	if (c->auth != PRESENCE_ALLOWED)
		return;
	presence_contact_forget_view(p, c);
	c->is_known = true;
	/* it does not wait for presence.notify_interval */
	DL_FOREACH (c->nds, n)
		presence_nd_hurry(p, n, now_ms);
}

/* His answer to what was asked may have been lost meanwhile. */
static void show(struct presence *p, struct presence_contact *c,
		 uint64_t now_ms)
{
	if (c->auth == PRESENCE_ALLOWED)
		presence_contact_domain_back(p, c, now_ms);
	else if (c->auth == PRESENCE_PENDING && presence_contact_is_watched(c))
		(void)presence_contact_scout(p, c, now_ms);
}

bool presence_contact_look(struct presence *p, struct presence_contact *c,
			   uint64_t now_ms)
{
	struct access_verdict v =
		presence_access(p, ACCESS_PRESENCE, ACCESS_TO_SIP,
				span_str(c->local), span_str(c->remote));
	bool is_barred = !access_is_open(&v);

	if (c->is_barred == is_barred)
		return false;
	c->is_barred = is_barred;
	presence_log_access(p, PRESENCE_IN, c->local, c->remote, &v);
	if (is_barred)
		hide(p, c, now_ms);
	else
		show(p, c, now_ms);
	/* its timer is set again, if it was given out */
	presence_contact_set_at(p, c, PRESENCE_AT_FORGET,
				c->at_ms[PRESENCE_AT_FORGET]);
	presence_contact_settle(p, c, now_ms);
	return true;
}
