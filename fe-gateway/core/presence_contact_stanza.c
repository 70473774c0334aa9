/* What an XMPP user says to a SIP user who watches him, and the reverse
 * (RFC 8048 6, RFC 6121 3 and 4). */
#include "fe-gateway/core/presence_contact_priv.h"

#include <stdio.h>
#include <string.h>

#include "xmpp/jid.h"
#include "xmpp/stanza_util.h"

/* --- what is known of him ------------------------------------------------ */

/* The same in the answers to the probe, while they come.  Without memory they
 * are not believed to be whole. */
static void collect(struct presence_contact *c,
		    const struct presence_resource *r)
{
	if (c->is_collecting && presence_view_set(&c->fresh, r) != 0) {
		presence_view_clear(&c->fresh);
		c->is_collecting = false;
	}
}

/* One that is closed only stands for a user with none that is open. */
static void drop_closed(struct presence_view *v)
{
	if (v->count > 0 && !presence_view_is_open(v))
		presence_view_clear(v);
}

static void set_open(struct presence *p, struct presence_contact *c,
		     const struct presence_resource *r)
{
	drop_closed(&c->view);
	drop_closed(&c->fresh);
	collect(c, r);
	/* LIMIT: one more resource is not shown */
	if (presence_view_set(&c->view, r) != 0)
		presence_log(p, FED_LOG_DEBUG, "resource_dropped", c->local,
			     c->remote, "dir=in");
}

/* The last one stays, closed, with its last words. */
static void set_closed(struct presence_view *v,
		       const struct presence_resource *r)
{
	if (r->name[0] == '\0')
		presence_view_clear(v);
	else if (!presence_view_remove(v, span_str(r->name)))
		return;
	if (presence_view_is_open(v))
		return;
	presence_view_clear(v);
	/* without memory there are no last words */
	if (r->name[0] != '\0' || r->note_count > 0)
		if (presence_view_set(v, r) != 0)
			presence_view_clear(v);
}

static void end_waiting(struct presence *p, struct presence_contact *c)
{
	if (!c->is_collecting)
		presence_contact_set_at(p, c, PRESENCE_AT_ANSWER, UINT64_MAX);
}

/* Something is known, so that all can be told. */
static void tell_again(struct presence_contact *c)
{
	struct presence_nd *n;

	if (!c->is_repair)
		return;
	c->is_repair = false;
	DL_FOREACH (c->nds, n)
		presence_nd_forget_told(n);
}

void presence_contact_end_collecting(struct presence *p,
				     struct presence_contact *c,
				     uint64_t now_ms)
{
	presence_view_move(&c->view, &c->fresh);
	c->is_collecting = false;
	c->is_known = true;
	tell_again(c);
	presence_contact_changed(p, c, now_ms);
}

/* One change of what is not known says nothing of the rest: the answer to the
 * probe that is to come has it too. */
static bool is_too_early(const struct presence_contact *c)
{
	return !c->is_known && !presence_contact_is_asking(c);
}

static void on_presence(struct presence *p, struct presence_contact *c,
			const Fed__Stanza *s, uint64_t now_ms)
{
	struct span name = jid_split(span_str(s->from)).resource;
	struct presence_resource r;

	/* Directed presence of one who did not allow it: only a poll waits for
	 * that.  While the question is open it is no answer (RFC 6121 3.1.3:
	 * "unavailable" says that the request has arrived), and all of it
	 * comes once more with the answer. */
	if (c->auth == PRESENCE_PENDING ||
	    (c->auth == PRESENCE_NONE && !presence_contact_has_live(c)) ||
	    is_too_early(c))
		return;
	presence_read_stanza(s, name, &r);
	if (r.is_open) {
		set_open(p, c, &r);
	} else {
		set_closed(&c->view, &r);
		set_closed(&c->fresh, &r);
	}
	c->is_known = true;
	end_waiting(p, c);
	tell_again(c);
	presence_contact_changed(p, c, now_ms);
}

/* --- yes and no ---------------------------------------------------------- */

static Fed__Condition refusal_of(int err)
{
	if (err == 0)
		return FED__CONDITION__NO_CONDITION;
	return err == FED_ELIMIT ? FED__CONDITION__RESOURCE_CONSTRAINT
				 : FED__CONDITION__INTERNAL_SERVER_ERROR;
}

static Fed__Condition on_subscribed(struct presence *p,
				    struct presence_contact *c, uint64_t now_ms)
{
	int err;

	/* RFC 6121 A.3: nobody asked, or it is known */
	if (c->auth != PRESENCE_PENDING)
		return FED__CONDITION__NO_CONDITION;
	err = presence_contact_set_auth(p, c, PRESENCE_ALLOWED, now_ms);
	if (err != 0)
		return refusal_of(err);
	c->is_leave_due = false;
	presence_contact_set_at(p, c, PRESENCE_AT_ASK, UINT64_MAX);
	presence_contact_set_at(p, c, PRESENCE_AT_FORGET, UINT64_MAX);
	/* RFC 6121 3.1.6: his presence follows by itself, if he has one */
	if (!c->is_known && presence_contact_is_watched(c))
		presence_contact_set_at(p, c, PRESENCE_AT_ANSWER,
					now_ms + LIMIT_PRESENCE_ANSWER_MS);
	presence_contact_changed(p, c, now_ms);
	return FED__CONDITION__NO_CONDITION;
}

/* The answer to a probe that was sent before the question. */
static bool is_about_probe(const struct presence_contact *c,
			   const Fed__Stanza *s)
{
	return c->asked == PRESENCE_ASK_PROBE && s->id[0] != '\0' &&
	       strcmp(s->id, c->asked_id) == 0;
}

static Fed__Condition on_unsubscribed(struct presence *p,
				      struct presence_contact *c,
				      const Fed__Stanza *s, uint64_t now_ms)
{
	if (c->auth == PRESENCE_NONE ||
	    (c->auth == PRESENCE_PENDING && is_about_probe(c, s)))
		return FED__CONDITION__NO_CONDITION;
	return refusal_of(
		presence_contact_deny(p, c, PRESENCE_END_REJECTED, now_ms));
}

/* --- errors -------------------------------------------------------------- */

/* What becomes of the dialogs; NONE: they go on. */
static enum presence_end end_of(Fed__Condition c)
{
	switch ((int)c) {
	case FED__CONDITION__ITEM_NOT_FOUND:
	case FED__CONDITION__GONE:
	case FED__CONDITION__JID_MALFORMED:
		return PRESENCE_END_NORESOURCE;
	case FED__CONDITION__FORBIDDEN:
	case FED__CONDITION__NOT_ALLOWED:
	case FED__CONDITION__NOT_AUTHORIZED:
	case FED__CONDITION__POLICY_VIOLATION:
	case FED__CONDITION__REGISTRATION_REQUIRED:
		return PRESENCE_END_REJECTED;
	case FED__CONDITION__REMOTE_SERVER_NOT_FOUND:
	case FED__CONDITION__REMOTE_SERVER_TIMEOUT:
		return PRESENCE_END_PROBATION;
	default:
		return PRESENCE_END_NONE;
	}
}

static void on_ask_refused(struct presence *p, struct presence_contact *c,
			   Fed__Condition condition, uint64_t now_ms)
{
	enum presence_end end = end_of(condition);

	if (c->auth != PRESENCE_PENDING)
		return;
	if (end == PRESENCE_END_NONE) {
		presence_contact_set_at(p, c, PRESENCE_AT_ASK,
					now_ms + LIMIT_PRESENCE_ASK_AGAIN_MS);
		return;
	}
	if (presence_contact_deny(p, c, end, now_ms) != 0)
		presence_log(p, FED_LOG_WARN, "row_not_deleted", c->local,
			     c->remote, "dir=in");
}

/* An edge that cannot reach him, or has no room now. */
static void on_probe_stuck(struct presence *p, struct presence_contact *c,
			   uint64_t now_ms)
{
	c->is_probe_due = c->auth == PRESENCE_ALLOWED && c->nds != NULL;
	presence_contact_set_at(p, c, PRESENCE_AT_RETRY,
				now_ms + LIMIT_PRESENCE_STANZA_MS +
					presence_jitter(p, 1000));
}

/* His server's own words; those of an edge do not end an authorization. */
static Fed__Condition on_error(struct presence *p, struct presence_contact *c,
			       const Fed__Stanza *s, uint64_t now_ms)
{
	const Fed__Error *e = s->presence->error;
	enum presence_end end;

	if (e == NULL || strcmp(s->id, c->asked_id) != 0)
		return FED__CONDITION__NO_CONDITION;
	if (c->asked == PRESENCE_ASK_LEAVE) {
		on_ask_refused(p, c, e->condition, now_ms);
		return FED__CONDITION__NO_CONDITION;
	}
	end = end_of(e->condition);
	if (c->auth != PRESENCE_ALLOWED || end == PRESENCE_END_NONE)
		return FED__CONDITION__NO_CONDITION;
	if (end == PRESENCE_END_PROBATION) {
		on_probe_stuck(p, c, now_ms);
		return FED__CONDITION__NO_CONDITION;
	}
	return refusal_of(presence_contact_deny(p, c, end, now_ms));
}

/* --- stanzas in ---------------------------------------------------------- */

static const char *name_of(Fed__PresenceType type)
{
	switch (type) {
	case FED__PRESENCE_TYPE__AVAILABLE:
		return "in available";
	case FED__PRESENCE_TYPE__UNAVAILABLE:
		return "in unavailable";
	case FED__PRESENCE_TYPE__SUBSCRIBED:
		return "in subscribed";
	case FED__PRESENCE_TYPE__UNSUBSCRIBED:
		return "in unsubscribed";
	case FED__PRESENCE_TYPE__PRESENCE_ERROR:
		return "in error";
	case FED__PRESENCE_TYPE__SUBSCRIBE:
	case FED__PRESENCE_TYPE__UNSUBSCRIBE:
	case FED__PRESENCE_TYPE__PROBE:
	case _FED__PRESENCE_TYPE_IS_INT_SIZE:
		break;
	}
	return "in other";
}

static Fed__Condition take(struct presence *p, struct presence_contact *c,
			   const Fed__Stanza *s, uint64_t now_ms)
{
	switch (s->presence->type) {
	case FED__PRESENCE_TYPE__AVAILABLE:
	case FED__PRESENCE_TYPE__UNAVAILABLE:
		on_presence(p, c, s, now_ms);
		break;
	case FED__PRESENCE_TYPE__SUBSCRIBED:
		return on_subscribed(p, c, now_ms);
	case FED__PRESENCE_TYPE__UNSUBSCRIBED:
		return on_unsubscribed(p, c, s, now_ms);
	case FED__PRESENCE_TYPE__PRESENCE_ERROR:
		return on_error(p, c, s, now_ms);
	case FED__PRESENCE_TYPE__SUBSCRIBE:
	case FED__PRESENCE_TYPE__UNSUBSCRIBE:
	case FED__PRESENCE_TYPE__PROBE:
	case _FED__PRESENCE_TYPE_IS_INT_SIZE:
		break;
	}
	return FED__CONDITION__NO_CONDITION;
}

void presence_contact_on_stanza(struct presence *p, size_t edge, uint64_t ref,
				const Fed__Stanza *s, uint64_t now_ms)
{
	struct span local = jid_split(span_str(s->to)).bare;
	struct span remote = jid_split(span_str(s->from)).bare;
	struct presence_contact *c =
		presence_contact_find_spans(p, local, remote);
	Fed__Condition refused;
	bool is_durable;

	if (c != NULL && presence_access_look(p, &c->item, now_ms))
		c = presence_contact_find_spans(p, local, remote);
	/* shown only to whom it was addressed to, if he asked for it */
	if (c == NULL) {
		presence_outcome(p, edge, ref, FED__CONDITION__NO_CONDITION, 0);
		return;
	}
	c->last_stanza = name_of(s->presence->type);
	c->last_stanza_ms = now_ms;
	refused = take(p, c, s, now_ms);
	is_durable = s->presence->type != FED__PRESENCE_TYPE__AVAILABLE &&
		     s->presence->type != FED__PRESENCE_TYPE__UNAVAILABLE;
	/* yes and no count as delivered when they are on disk, also the one
	 * that says nothing new */
	presence_outcome(p, edge, ref, refused, is_durable ? c->item.seq : 0);
	presence_contact_settle(p, c, now_ms);
}

/* --- stanzas out --------------------------------------------------------- */

void presence_contact_probe(struct presence *p, struct presence_contact *c)
{
	c->is_probe_due = true;
	presence_want_stanza(p, &c->item);
}

void presence_contact_ask_leave(struct presence *p, struct presence_contact *c)
{
	c->is_leave_due = true;
	presence_want_stanza(p, &c->item);
}

/* What is no use any more is not said. */
static void drop_stale(struct presence_contact *c)
{
	if (c->auth != PRESENCE_PENDING)
		c->is_leave_due = false;
	/* while the question is open, "unsubscribed" to a probe would be taken
	 * for the answer */
	if (c->auth == PRESENCE_PENDING ||
	    (c->auth == PRESENCE_NONE && c->nds == NULL))
		c->is_probe_due = false;
	if (c->auth != PRESENCE_ALLOWED || presence_contact_is_watched(c))
		c->is_bye_due = false;
}

static bool make(struct presence *p, struct presence_contact *c,
		 Fed__PresenceType type, struct presence_action *out)
{
	return presence_make_stanza(p, out, c->local, "", c->remote, NULL,
				    type) != NULL;
}

static void note_asked(struct presence_contact *c, enum presence_ask ask,
		       const struct presence_action *out)
{
	c->flying = c->asked = ask;
	(void)snprintf(c->asked_id, sizeof(c->asked_id), "%s",
		       out->u.stanza.stanza->id);
}

static bool make_leave(struct presence *p, struct presence_contact *c,
		       struct presence_action *out, uint64_t now_ms)
{
	if (!make(p, c, FED__PRESENCE_TYPE__SUBSCRIBE, out))
		return false;
	c->is_leave_due = false;
	c->asked_ms = now_ms;
	note_asked(c, PRESENCE_ASK_LEAVE, out);
	c->last_stanza = "out subscribe";
	presence_contact_set_at(p, c, PRESENCE_AT_ASK,
				now_ms + LIMIT_PRESENCE_ASK_MS +
					presence_jitter(p, 600000));
	return true;
}

static bool make_probe(struct presence *p, struct presence_contact *c,
		       struct presence_action *out)
{
	if (!make(p, c, FED__PRESENCE_TYPE__PROBE, out))
		return false;
	c->is_probe_due = c->is_stale = false;
	c->was_probed = true;
	note_asked(c, PRESENCE_ASK_PROBE, out);
	c->last_stanza = "out probe";
	/* what nobody speaks of any more is gone in the end */
	presence_view_clear(&c->fresh);
	c->is_collecting = c->is_known;
	return true;
}

static bool make_bye(struct presence *p, struct presence_contact *c,
		     struct presence_action *out)
{
	if (!make(p, c, FED__PRESENCE_TYPE__UNAVAILABLE, out))
		return false;
	c->is_bye_due = false;
	c->flying = PRESENCE_ASK_NONE;
	c->last_stanza = "out unavailable";
	return true;
}

static bool make_due(struct presence *p, struct presence_contact *c,
		     struct presence_action *out, uint64_t now_ms)
{
	if (c->is_leave_due)
		return make_leave(p, c, out, now_ms);
	if (c->is_probe_due)
		return make_probe(p, c, out);
	return make_bye(p, c, out);
}

bool presence_contact_next_stanza(struct presence *p,
				  struct presence_contact *c,
				  struct presence_action *out, uint64_t now_ms)
{
	drop_stale(c);
	if (p->is_stopping || c->is_barred ||
	    (!c->is_leave_due && !c->is_probe_due && !c->is_bye_due))
		return false;
	/* presence_contact_domain_back() asks again */
	if (presence_domain_is_away(p, jid_split(span_str(c->remote)).domain))
		return false;
	if (!make_due(p, c, out, now_ms)) {
		presence_contact_set_at(p, c, PRESENCE_AT_RETRY,
					now_ms + LIMIT_PRESENCE_TRY_MIN_MS);
		return false;
	}
	c->last_stanza_ms = now_ms;
	if (c->is_leave_due || c->is_probe_due || c->is_bye_due)
		presence_want_stanza(p, &c->item);
	return true;
}

static void on_refused(struct presence *p, struct presence_contact *c,
		       enum presence_ask ask, const Fed__Error *e,
		       uint64_t now_ms)
{
	if (presence_is_unreachable(e))
		presence_domain_failed(p, jid_split(span_str(c->remote)).domain,
				       now_ms);
	switch (ask) {
	case PRESENCE_ASK_NONE:
		break;
	case PRESENCE_ASK_LEAVE:
		on_ask_refused(p, c, e->condition, now_ms);
		break;
	case PRESENCE_ASK_PROBE:
		c->is_collecting = false;
		presence_view_clear(&c->fresh);
		on_probe_stuck(p, c, now_ms);
		break;
	}
}

/* That it got there says that the domain is there. */
static void on_delivered(struct presence *p, struct presence_contact *c,
			 enum presence_ask ask, uint64_t now_ms)
{
	bool is_collecting = c->is_collecting;
	bool is_stale = c->is_stale;

	presence_domain_seen(p, jid_split(span_str(c->remote)).domain, now_ms);
	if (ask != PRESENCE_ASK_PROBE || is_stale ||
	    c->auth == PRESENCE_PENDING || (c->is_known && !is_collecting))
		return;
	c->is_collecting = is_collecting;
	presence_contact_set_at(p, c, PRESENCE_AT_ANSWER,
				now_ms + LIMIT_PRESENCE_ANSWER_MS);
}

void presence_contact_on_outcome(struct presence *p, struct presence_contact *c,
				 const Fed__Error *refused, uint64_t now_ms)
{
	enum presence_ask ask = c->flying;

	c->flying = PRESENCE_ASK_NONE;
	if (refused != NULL)
		on_refused(p, c, ask, refused, now_ms);
	else
		on_delivered(p, c, ask, now_ms);
	presence_contact_settle(p, c, now_ms);
}
