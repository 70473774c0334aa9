/*
 * What sets a contact right: after a restart, when an operator asks, when its
 * domain was away; and the orderly end.
 */
#include "fe-gateway/core/presence_contact_priv.h"

#include <string.h>

#include "xmpp/jid.h"

/* --- after a restart ----------------------------------------------------- */

static void take_turn(struct presence *p, struct presence_contact *c,
		      uint64_t now_ms)
{
	if (c->at_ms[PRESENCE_AT_TURN] == UINT64_MAX)
		presence_contact_set_at(p, c, PRESENCE_AT_TURN,
					presence_paced_at(p, now_ms));
}

/* Whether the question left before the crash is not known, and an answer may
 * have been lost meanwhile. */
static void restore_pending(struct presence *p, struct presence_contact *c,
			    uint64_t now_ms)
{
	uint64_t soon_ms =
		now_ms + presence_jitter(p, LIMIT_PRESENCE_ASK_AGAIN_MS);
	uint64_t may_ms;

	c->asked_ms = presence_clock_ms(p, c->since_ms);
	may_ms = c->asked_ms + LIMIT_PRESENCE_ASK_AGAIN_MS;
	if (now_ms < c->asked_ms + LIMIT_PRESENCE_ASK_LOST_MS)
		take_turn(p, c, now_ms);
	else
		presence_contact_set_at(p, c, PRESENCE_AT_ASK,
					soon_ms > may_ms ? soon_ms : may_ms);
}

int presence_contact_restore(struct presence *p,
			     const struct presence_watch_row *row,
			     uint64_t now_ms)
{
	struct presence_contact *c;
	int err;

	if (row->auth == PRESENCE_NONE || row->local.n == 0 ||
	    row->remote.n == 0 ||
	    presence_contact_find_spans(p, row->local, row->remote) != NULL)
		return FED_EINVAL;
	err = presence_contact_new(p, row->local, row->remote, &c);
	if (err != 0)
		return err;
	c->auth = row->auth;
	c->since_ms = row->since_ms;
	if (c->auth == PRESENCE_PENDING)
		restore_pending(p, c, now_ms);
	presence_contact_settle(p, c, now_ms);
	return 0;
}

/* A dialog whose watch is gone: its last NOTIFY was not answered. */
static int orphan(struct presence *p, const struct presence_dialog_row *row,
		  struct presence_contact **c_out)
{
	struct presence_contact *c =
		presence_contact_find_spans(p, row->local, row->remote);
	int err = 0;

	if (c == NULL)
		err = presence_contact_new(p, row->local, row->remote, &c);
	*c_out = c;
	return err;
}

static uint32_t come_again_s(struct presence *p)
{
	return LIMIT_PRESENCE_STOP_S +
	       (uint32_t)presence_jitter(p, LIMIT_PRESENCE_STOP_SPREAD_S + 1);
}

/* When its turn comes it is told what came of the probe, or that it ended. */
static void schedule(struct presence *p, struct presence_contact *c,
		     struct presence_nd *n, uint64_t now_ms)
{
	if (c->auth == PRESENCE_NONE)
		presence_nd_end(p, n, PRESENCE_END_PROBATION, come_again_s(p),
				now_ms);
	else if (n->dialog->expires_ms <= now_ms)
		presence_nd_end(p, n, PRESENCE_END_TIMEOUT, 0, now_ms);
	else if (c->auth == PRESENCE_ALLOWED)
		take_turn(p, c, now_ms);
	else
		n->dialog->is_active = false;
	n->not_before_ms = c->at_ms[PRESENCE_AT_TURN] != UINT64_MAX
				   ? c->at_ms[PRESENCE_AT_TURN]
				   : presence_paced_at(p, now_ms);
	presence_nd_update(p, n, now_ms);
}

int presence_nd_restore(struct presence *p,
			const struct presence_dialog_row *row, uint64_t now_ms)
{
	struct presence_dialog *d;
	struct presence_contact *c;
	struct presence_nd *n;
	int err;

	if (row->local.n == 0 || row->remote.n == 0 || row->remote_tag.n == 0 ||
	    row->target.n == 0)
		return FED_EINVAL;
	err = orphan(p, row, &c);
	if (err != 0)
		return err;
	d = presence_dialog_restore(p, row, now_ms);
	err = d != NULL ? presence_nd_new(p, c, d, &n) : FED_EINVAL;
	if (err != 0) {
		presence_dialog_free(p, d);
		presence_contact_settle(p, c, now_ms);
		return err;
	}
	schedule(p, c, n, now_ms);
	presence_contact_settle(p, c, now_ms);
	return 0;
}

/* --- operators and domains ----------------------------------------------- */

void presence_contact_repair(struct presence *p, struct presence_contact *c,
			     uint64_t now_ms)
{
	if (c->is_barred)
		return;
	c->is_repair = true;
	take_turn(p, c, now_ms);
}

bool presence_contact_scout(struct presence *p, struct presence_contact *c,
			    uint64_t now_ms)
{
	if (c->is_barred)
		return false;
	take_turn(p, c, now_ms);
	return true;
}

/* RFC 6121 4.2.4 does not know it, but nobody can say what became of him. */
void presence_contact_domain_away(struct presence *p,
				  struct presence_contact *c, uint64_t now_ms)
{
	if (c->auth != PRESENCE_ALLOWED)
		return;
	presence_contact_forget_view(p, c);
	c->is_known = true;
	presence_contact_changed(p, c, now_ms);
}

/* The answer may have been lost: he is asked again, not too often. */
static void ask_again(struct presence *p, struct presence_contact *c,
		      uint64_t now_ms)
{
	uint64_t turn_ms = presence_paced_at(p, now_ms);
	uint64_t may_ms = c->asked_ms + LIMIT_PRESENCE_ASK_AGAIN_MS;

	presence_contact_set_at(p, c, PRESENCE_AT_ASK,
				turn_ms > may_ms ? turn_ms : may_ms);
}

void presence_contact_domain_back(struct presence *p,
				  struct presence_contact *c, uint64_t now_ms)
{
	if (c->is_barred)
		return;
	if (c->is_leave_due || c->is_bye_due)
		presence_want_stanza(p, &c->item);
	if (c->auth == PRESENCE_PENDING)
		ask_again(p, c, now_ms);
	if (c->auth != PRESENCE_ALLOWED)
		return;
	/* the answer to a probe may have been lost: silence means nothing */
	c->is_stale = c->flying == PRESENCE_ASK_PROBE;
	presence_view_clear(&c->fresh);
	c->is_collecting = false;
	presence_contact_set_at(p, c, PRESENCE_AT_ANSWER, UINT64_MAX);
	if (c->nds != NULL)
		take_turn(p, c, now_ms);
	else
		presence_contact_forget_view(p, c);
}

void presence_contact_hop_back(struct presence *p, struct presence_contact *c,
			       uint64_t now_ms)
{
	struct presence_nd *n;

	DL_FOREACH (c->nds, n) {
		if (n->failures == 0 || n->end != PRESENCE_END_NONE)
			continue;
		n->failures = 0;
		n->not_before_ms = presence_paced_at(p, now_ms);
		presence_nd_update(p, n, now_ms);
	}
}

/* --- the end ------------------------------------------------------------- */

void presence_contact_stop(struct presence *p, struct presence_contact *c,
			   uint64_t now_ms)
{
	struct presence_nd *n;

	for (int i = 0; i < PRESENCE_AT_COUNT; i++)
		c->at_ms[i] = UINT64_MAX;
	presence_set_timer(p, &c->item, UINT64_MAX);
	DL_FOREACH (c->nds, n)
		presence_nd_end(p, n,
				n->is_poll ? PRESENCE_END_TIMEOUT
					   : PRESENCE_END_PROBATION,
				come_again_s(p), now_ms);
}
