/* SUBSCRIBE of SIP users who watch XMPP users (RFC 6665 4.2.1, RFC 3856 6). */
#include "fe-gateway/core/presence_contact_priv.h"

#include <stdio.h>

enum {
	EXPIRES_DEFAULT_S = 3600, /* RFC 3856 6.4 */
	/* RFC 6665 4.2.1.1: 423 is for shorter ones only */
	EXPIRES_TOO_BRIEF_S = 3600,
};

/* --- what is asked for --------------------------------------------------- */

/* The time that it gets; false: 423 was answered. */
static bool choose_expires(struct presence *p, const struct sip_request_in *q,
			   uint32_t *expires_out)
{
	uint32_t s = q->has_expires ? q->expires : EXPIRES_DEFAULT_S;
	uint32_t most_s = presence_expires_max_s(p);

	if (s > 0 && s < EXPIRES_TOO_BRIEF_S && s < p->p.expires_min_s) {
		const struct presence_reply r = {
			.handle = q->handle,
			.status = 423,
			.min_expires = p->p.expires_min_s,
		};

		presence_answer(p, &r, 0);
		return false;
	}
	/* never longer than asked for */
	*expires_out = s < most_s ? s : most_s;
	return true;
}

/* --- answers ------------------------------------------------------------- */

static void answer_ok(struct presence *p, const struct presence_nd *n,
		      uint64_t handle, uint32_t expires, uint64_t seq)
{
	struct presence_reply r = {
		.handle = handle,
		.status = 200,
		.has_expires = true,
		.expires = expires,
		.is_dialog = true,
	};

	(void)snprintf(r.to_tag, sizeof(r.to_tag), "%s",
		       presence_dialog_local_tag(n->dialog));
	presence_answer(p, &r, seq);
}

static void answer_later(struct presence *p, uint64_t handle, int status)
{
	const struct presence_reply r = {
		.handle = handle,
		.status = status,
		.retry_after = LIMIT_PRESENCE_FULL_S,
	};

	presence_answer(p, &r, 0);
}

/* --- a new dialog -------------------------------------------------------- */

/* LIMIT: one who begins anew and never ends one.  Those that are gone do not
 * answer a NOTIFY, so that there is room the next time. */
static bool has_room(struct presence *p, struct presence_contact *c,
		     uint64_t now_ms)
{
	struct presence_nd *n;

	if (c->nd_count < LIMIT_PRESENCE_DIALOGS)
		return true;
	DL_FOREACH (c->nds, n) {
		if (n->is_poll || n->end != PRESENCE_END_NONE ||
		    now_ms < n->told_ms + p->p.notify_interval_ms)
			continue;
		n->is_owed = true;
		presence_nd_update(p, n, now_ms);
	}
	return false;
}

static int new_nd(struct presence *p, struct presence_contact *c,
		  const struct sip_request_in *q, uint32_t expires_s,
		  struct presence_nd **n_out, uint64_t now_ms)
{
	struct presence_dialog *d = presence_dialog_accept(p, NULL, q, now_ms);
	uint64_t lives_ms = (uint64_t)expires_s * 1000;
	int err;

	if (d == NULL)
		return FED_ENOMEM;
	d->is_transient = expires_s == 0;
	d->expires_ms =
		now_ms + (d->is_transient ? LIMIT_PRESENCE_POLL_MS : lives_ms);
	err = presence_nd_new(p, c, d, n_out);
	if (err != 0) {
		presence_dialog_free(p, d);
		return err;
	}
	(*n_out)->is_poll = d->is_transient;
	return 0;
}

/* The question to the XMPP user, or what he shows, as far as it is needed. */
static int put_rows(struct presence *p, struct presence_contact *c,
		    struct presence_nd *n, uint64_t now_ms)
{
	int err = presence_dialog_put(p, n->dialog, c->local, c->remote, false);

	if (err == 0 && c->auth == PRESENCE_NONE) {
		presence_contact_forget_view(p, c);
		err = presence_contact_set_auth(p, c, PRESENCE_PENDING, now_ms);
		if (err == 0)
			presence_contact_ask_leave(p, c);
	}
	/* no NOTIFY before the 200 */
	n->item.seq = p->last_seq;
	return err;
}

static void ask(struct presence *p, struct presence_contact *c, uint64_t now_ms)
{
	bool is_asked_long_ago =
		now_ms >= c->asked_ms + LIMIT_PRESENCE_ASK_AGAIN_MS;

	if (c->auth == PRESENCE_PENDING && is_asked_long_ago)
		presence_contact_ask_leave(p, c);
	if (c->auth != PRESENCE_PENDING && !c->is_known &&
	    !presence_contact_is_asking(c))
		presence_contact_probe(p, c);
}

/* Whoever it is that is watched, and whether he exists: the same answer. */
static void accept_nd(struct presence *p, struct presence_contact *c,
		      struct presence_nd *n, const struct sip_request_in *q,
		      uint32_t expires_s, uint64_t now_ms)
{
	uint64_t seq = 0;
	int err;

	if (!n->is_poll) {
		err = put_rows(p, c, n, now_ms);
		if (err != 0) {
			presence_nd_free(p, n);
			answer_later(p, q->handle, 500);
			return;
		}
		n->is_owed = true;
		seq = p->last_seq;
	}
	ask(p, c, now_ms);
	answer_ok(p, n, q->handle, expires_s, seq);
	presence_nd_update(p, n, now_ms);
}

/* @return 0, or the status that it is refused with */
static int find_or_make(struct presence *p, const char *local,
			const char *remote, struct presence_contact **c_out,
			uint64_t now_ms)
{
	struct presence_contact *c = presence_contact_find(p, local, remote);

	if (c != NULL && presence_access_look(p, &c->item, now_ms))
		c = presence_contact_find(p, local, remote);
	*c_out = c;
	if (c != NULL)
		return 0;
	/* LIMIT: one who subscribes to everybody */
	if (!presence_share_has_room(p, PRESENCE_ITEM_CONTACT, local))
		return 480;
	if (presence_contact_new(p, span_str(local), span_str(remote), c_out) !=
	    0)
		return 500;
	return 0;
}

/* RFC 3261 8.2.2.2: the same SUBSCRIBE on another way, as it forks. */
static bool is_merged(struct presence_contact *c,
		      const struct sip_request_in *q)
{
	struct presence_nd *n;

	DL_FOREACH (c->nds, n) {
		const struct presence_dialog *d = n->dialog;

		if (d->remote_cseq == q->cseq && d->remote_tag != NULL &&
		    span_eq_str(q->from_tag, d->remote_tag) &&
		    span_eq(presence_dialog_call_id(d), q->call_id))
			return true;
	}
	return false;
}

static void subscribe(struct presence *p, struct presence_contact *c,
		      const struct sip_request_in *q, uint32_t expires_s,
		      uint64_t now_ms)
{
	struct presence_nd *n;

	if (is_merged(c, q)) {
		presence_answer_status(p, q->handle, 482);
		return;
	}
	if (!has_room(p, c, now_ms)) {
		metrics_count(p->p.metrics, METRIC_queue_full);
		answer_later(p, q->handle, 480);
		return;
	}
	if (new_nd(p, c, q, expires_s, &n, now_ms) != 0) {
		answer_later(p, q->handle, 500);
		return;
	}
	accept_nd(p, c, n, q, expires_s, now_ms);
}

void presence_contact_on_subscribe(struct presence *p, const char *local,
				   const char *remote,
				   const struct sip_request_in *q,
				   uint64_t now_ms)
{
	struct presence_contact *c;
	uint32_t expires_s;
	int status = 500;

	if (!choose_expires(p, q, &expires_s))
		return;
	if (!p->is_stopping)
		status = find_or_make(p, local, remote, &c, now_ms);
	if (status != 0) {
		metrics_count(p->p.metrics, METRIC_queue_full);
		answer_later(p, q->handle, status);
		return;
	}
	subscribe(p, c, q, expires_s, now_ms);
	presence_contact_settle(p, c, now_ms);
}

/* --- inside of a dialog -------------------------------------------------- */

static bool is_same_event(const struct presence_nd *n,
			  const struct sip_request_in *q)
{
	return n->dialog->event_id != NULL
		       ? span_eq_str(q->event_id, n->dialog->event_id)
		       : q->event_id.n == 0;
}

/* The XMPP user is told that the SIP user went, not that he does not want it
 * any more. */
static void unsubscribe(struct presence *p, struct presence_nd *n,
			const struct sip_request_in *q, uint64_t now_ms)
{
	answer_ok(p, n, q->handle, 0, 0);
	presence_nd_end(p, n, PRESENCE_END_TIMEOUT, 0, now_ms);
	presence_contact_nd_ended(p, n->contact);
}

static void refresh(struct presence *p, struct presence_nd *n,
		    const struct sip_request_in *q, uint32_t expires_s,
		    uint64_t now_ms)
{
	struct presence_contact *c = n->contact;
	uint64_t old_ms = n->dialog->expires_ms;

	n->dialog->expires_ms = now_ms + (uint64_t)expires_s * 1000;
	if (presence_dialog_put(p, n->dialog, c->local, c->remote, false) !=
	    0) {
		n->dialog->expires_ms = old_ms;
		answer_later(p, q->handle, 500);
		return;
	}
	n->is_owed = true;
	n->not_before_ms = 0;
	answer_ok(p, n, q->handle, expires_s, n->item.seq);
	presence_nd_update(p, n, now_ms);
}

void presence_nd_on_subscribe(struct presence *p, struct presence_nd *n,
			      const struct sip_request_in *q, uint64_t now_ms)
{
	uint32_t expires_s;

	/* RFC 6665 4.4.1: it ends, or it is another subscription */
	if (n->end != PRESENCE_END_NONE || n->is_poll || !is_same_event(n, q)) {
		presence_answer_status(p, q->handle, 481);
		return;
	}
	if (!presence_dialog_take_request(n->dialog, q)) {
		presence_answer_status(p, q->handle, 500);
		return;
	}
	if (!choose_expires(p, q, &expires_s))
		return;
	if (expires_s == 0)
		unsubscribe(p, n, q, now_ms);
	else
		refresh(p, n, q, expires_s, now_ms);
}
