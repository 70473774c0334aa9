/* NOTIFYs of an OUT watch (RFC 8048 5.2.2, RFC 6665 4.1.3). */
#include "fe-gateway/core/presence_sub_priv.h"

#include "fe-gateway/core/pidf.h"
#include "fe-gateway/core/substate.h"

/* A NOTIFY as it was read. */
struct notify {
	struct substate state;
	bool has_doc;
	struct presence_view doc;
};

/* --- documents ----------------------------------------------------------- */

static int read_doc(const struct sip_request_in *q, struct notify *n)
{
	int err;

	if (q->body.n == 0)
		return 200;
	if (!span_ieq(q->content_type, SPAN_LIT(PIDF_TYPE)) ||
	    q->content_encoding.n > 0)
		return 415;
	err = pidf_read(q->body, q->content_language, &n->doc);
	if (err == FED_ENOMEM)
		return 500;
	n->has_doc = err == 0;
	return err == 0 ? 200 : 400;
}

static void set_doc(struct presence_sub *s, struct notify *n, uint64_t now_ms)
{
	presence_view_move(&s->doc, &n->doc);
	s->has_doc = true;
	s->doc_ms = now_ms;
	s->doc_until_ms = UINT64_MAX;
	s->is_adopted = false;
	s->is_row_due = true;
}

/* RFC 3856 6.8: a NOTIFY without a body leaves the last document in force; one
 * that is the first of its dialog says that nothing is known. */
static void take_doc(struct presence_sub *s, struct notify *n, uint64_t now_ms)
{
	if (n->has_doc || !s->has_doc)
		set_doc(s, n, now_ms);
	s->doc_until_ms = UINT64_MAX;
}

/* --- states -------------------------------------------------------------- */

static void approve(struct presence *p, struct presence_sub *s, uint64_t now_ms)
{
	presence_sub_set_auth(p, s, PRESENCE_ALLOWED, now_ms);
	s->owes_subscribed = true;
	s->may_err = false;
	/* current presence follows, whatever it is */
	if (presence_sub_set_answer(s, span_str(s->remote), SPAN_NULL,
				    SPAN_NULL) != 0)
		presence_log(p, FED_LOG_WARN, "out", s->local, s->remote,
			     "why=no-memory");
}

static void on_active(struct presence *p, struct presence_sub *s,
		      struct notify *n, uint64_t now_ms)
{
	if (s->is_poll) {
		s->is_stranger = false;
		if (n->has_doc)
			set_doc(s, n, now_ms);
		return;
	}
	/* the peer does not say what the last run knew: a new dialog does */
	if (s->is_adopted && !n->has_doc) {
		s->is_again = true;
		presence_sub_end(p, s, "no-document", now_ms);
		return;
	}
	if (s->auth == PRESENCE_PENDING)
		approve(p, s, now_ms);
	take_doc(s, n, now_ms);
}

/* RFC 8048 5.2.1: the watcher learns nothing. */
static void on_pending(struct presence *p, struct presence_sub *s,
		       uint64_t now_ms)
{
	s->is_stranger = s->is_poll;
	if (!s->is_poll)
		presence_sub_doubt(p, s, now_ms);
}

static void live(struct presence *p, struct presence_sub *s,
		 const struct notify *n, uint64_t now_ms)
{
	presence_sub_set_state(p, s, PRESENCE_SUB_LIVE, "notify");
	s->is_taken = true;
	if (n->state.has_expires) {
		s->is_expiry_told = true;
		presence_sub_set_expiry(p, s, n->state.expires, now_ms);
	} else if (s->act_ms == UINT64_MAX && !s->is_request_due &&
		   s->flying != PRESENCE_SUB_REFRESH) {
		presence_sub_set_expiry(p, s, s->asked_s, now_ms);
	}
}

/* --- terminated ---------------------------------------------------------- */

static void poll_ended(struct presence *p, struct presence_sub *s,
		       struct notify *n, uint64_t now_ms)
{
	/* RFC 6121 4.3.2: the same as of a user who is not there */
	if (s->is_stranger) {
		presence_sub_cancel(p, s, "pending", now_ms);
		return;
	}
	switch (n->state.reason) {
	case SUBSTATE_REJECTED:
	case SUBSTATE_NORESOURCE:
		presence_sub_cancel(p, s, "rejected", now_ms);
		return;
	case SUBSTATE_DEACTIVATED:
	case SUBSTATE_PROBATION:
	case SUBSTATE_GIVEUP:
		if (n->has_doc)
			set_doc(s, n, now_ms);
		else if (!s->has_doc)
			presence_sub_drop_answer(s);
		break;
	case SUBSTATE_NO_REASON:
	case SUBSTATE_TIMEOUT:
	case SUBSTATE_INVARIANT:
		take_doc(s, n, now_ms);
		break;
	}
	presence_sub_quiet(p, s, "polled", now_ms);
}

/* What it is now will be so for ever (RFC 6665 4.1.3). */
static void on_invariant(struct presence *p, struct presence_sub *s,
			 uint64_t now_ms)
{
	presence_sub_quiet(p, s, "invariant", now_ms);
	s->doc_until_ms = UINT64_MAX;
	s->is_invariant = true;
}

static uint32_t retry_after(const struct notify *n, uint32_t otherwise)
{
	return n->state.has_retry_after ? n->state.retry_after : otherwise;
}

static void on_terminated(struct presence *p, struct presence_sub *s,
			  struct notify *n, uint64_t now_ms)
{
	bool is_known = n->has_doc;

	if (n->has_doc && s->auth == PRESENCE_ALLOWED)
		set_doc(s, n, now_ms);
	switch (n->state.reason) {
	case SUBSTATE_REJECTED:
	case SUBSTATE_NORESOURCE:
		presence_sub_cancel(p, s, "rejected", now_ms);
		break;
	case SUBSTATE_DEACTIVATED:
		presence_sub_renew(p, s, "deactivated", now_ms);
		break;
	case SUBSTATE_TIMEOUT:
		presence_sub_renew(p, s, "timeout", now_ms);
		break;
	case SUBSTATE_PROBATION:
	case SUBSTATE_GIVEUP:
		presence_sub_back_off(
			p, s, retry_after(n, LIMIT_PRESENCE_PROBATION_S),
			"probation", now_ms);
		break;
	case SUBSTATE_INVARIANT:
		on_invariant(p, s, now_ms);
		break;
	case SUBSTATE_NO_REASON:
		presence_sub_back_off(p, s, retry_after(n, 0), "terminated",
				      now_ms);
		if (!is_known && s->has_doc)
			presence_sub_forget_doc(s, true);
		break;
	}
}

static void last_of_ending(struct presence *p, struct presence_sub *s,
			   uint64_t now_ms)
{
	if (s->flying == PRESENCE_SUB_NO_REQUEST) {
		presence_sub_ended(p, s, "terminated", now_ms);
		return;
	}
	/* the response to what is in flight is the end */
	presence_sub_forget_dialog(p, s, s->dialog);
	s->is_request_due = false;
}

/* --- the request --------------------------------------------------------- */

/* @return the status to answer */
static int check(struct presence_sub *s, const struct sip_request_in *q,
		 struct notify *n)
{
	const char *id = s->dialog->event_id;
	int err;

	if (!span_eq(q->event_id, id != NULL ? span_str(id) : SPAN_NULL))
		return 481;
	if (substate_read(q->subscription_state, &n->state) != 0)
		return 400;
	err = presence_dialog_learn_notify(s->dialog, q);
	if (err != 0)
		return err == FED_ENOMEM ? 500 : 400;
	/* its row has the target */
	if (s->dialog->target == NULL ||
	    !span_eq_str(q->contact_uri, s->dialog->target))
		s->is_dialog_due = true;
	return presence_dialog_take_request(s->dialog, q) ? 200 : 500;
}

static void answer(struct presence *p, const struct sip_request_in *q,
		   int status)
{
	const struct presence_reply r = {
		.handle = q->handle,
		.status = status,
		.accept = status == 415 ? PIDF_TYPE : NULL,
		.is_dialog = status == 200,
	};

	presence_answer(p, &r, 0);
}

static void apply(struct presence *p, struct presence_sub *s, struct notify *n,
		  bool is_usable, uint64_t now_ms)
{
	bool is_terminated = n->state.kind == SUBSTATE_TERMINATED;

	s->is_notified = true;
	if (s->state == PRESENCE_SUB_ENDING) {
		if (is_terminated)
			last_of_ending(p, s, now_ms);
		return;
	}
	if (s->is_poll && is_terminated) {
		poll_ended(p, s, n, now_ms);
		return;
	}
	if (!s->is_poll)
		s->notify_by_ms = UINT64_MAX;
	if (is_terminated) {
		on_terminated(p, s, n, now_ms);
		return;
	}
	if (!s->is_poll)
		live(p, s, n, now_ms);
	if (!is_usable)
		return;
	if (n->state.kind == SUBSTATE_ACTIVE)
		on_active(p, s, n, now_ms);
	else
		on_pending(p, s, now_ms);
}

void presence_sub_on_notify(struct presence *p, struct presence_sub *s,
			    const struct sip_request_in *q, uint64_t now_ms)
{
	struct notify n = {.has_doc = false};
	int status = check(s, q, &n);
	bool is_valid = status == 200;

	if (is_valid)
		status = read_doc(q, &n);
	answer(p, q, status);
	/* one whose document is of no use still is a NOTIFY: the subscription
	 * lives or ends, the last state stays */
	if (is_valid)
		apply(p, s, &n, status == 200, now_ms);
	presence_view_clear(&n.doc);
	presence_sub_settle(p, s, now_ms);
}
