/*
 * What the responses to the SUBSCRIBEs of an OUT watch mean (RFC 8048 5.2,
 * RFC 6665 4.1.2).
 */
#include "fe-gateway/core/presence_sub_priv.h"

#include <stdlib.h>

#include "fe-gateway/core/address.h"

enum verdict {
	ACCEPTED,
	REFUSED,   /* for good (RFC 8048 5.2.2) */
	TOO_BRIEF, /* 423 */
	NO_DIALOG, /* 481 */
	NOBODY,	   /* RFC 6665 4.1.2.2: ends what there was */
	ELSEWHERE, /* 3xx */
	NOT_NOW,   /* all else, and what was not answered */
};

static enum verdict verdict_of(const struct sip_response_in *r)
{
	if (r->end != SIP_END_RESPONSE)
		return NOT_NOW;
	switch (r->status) {
	case 403:
	case 489:
	case 603:
		return REFUSED;
	case 423:
		return TOO_BRIEF;
	case 481:
		return NO_DIALOG;
	case 404:
	case 405:
	case 410:
	case 416:
	case 480:
	case 482:
	case 483:
	case 484:
	case 485:
	case 501:
	case 604:
		return NOBODY;
	default:
		break;
	}
	if (r->status < 300)
		return ACCEPTED;
	return r->status < 400 ? ELSEWHERE : NOT_NOW;
}

/* At 80 % of the lifetime, up to a tenth of it earlier. */
static uint64_t refresh_at(struct presence *p, uint64_t expires_ms,
			   uint64_t now_ms)
{
	uint64_t left_ms = expires_ms > now_ms ? expires_ms - now_ms : 0;
	uint64_t wait_ms = left_ms / 10 * 8 - presence_jitter(p, left_ms / 10);

	/* LIMIT: a peer that grants a second */
	if (wait_ms < LIMIT_PRESENCE_REFRESH_MIN_MS)
		wait_ms = LIMIT_PRESENCE_REFRESH_MIN_MS;
	return now_ms + wait_ms;
}

void presence_sub_set_expiry(struct presence *p, struct presence_sub *s,
			     uint64_t lifetime_s, uint64_t now_ms)
{
	struct presence_dialog *d = s->dialog;
	uint64_t at, moved_ms;

	/* RFC 6665 4.2.1.1: never longer than what was asked for */
	if (lifetime_s > s->asked_s)
		lifetime_s = s->asked_s;
	at = now_ms + lifetime_s * 1000;
	moved_ms = at > d->expires_ms ? at - d->expires_ms : d->expires_ms - at;
	if (moved_ms > LIMIT_PRESENCE_DRIFT_MS || s->act_ms == UINT64_MAX) {
		d->expires_ms = at;
		s->act_ms = refresh_at(p, at, now_ms);
	}
	moved_ms = at > s->put_expires_ms ? at - s->put_expires_ms
					  : s->put_expires_ms - at;
	if (moved_ms > LIMIT_PRESENCE_DRIFT_MS)
		s->is_dialog_due = true;
}

/* A 2xx of a SUBSCRIBE that is to be followed by a NOTIFY. */
static void on_accepted(struct presence *p, struct presence_sub *s,
			const struct sip_response_in *r, uint64_t now_ms)
{
	uint32_t granted_s = r->has_expires ? r->expires : s->asked_s;
	const char *routes = s->dialog->routes;

	if (presence_dialog_learn_response(s->dialog, r) != 0) {
		presence_sub_back_off(p, s, 0, "bad-dialog", now_ms);
		return;
	}
	if (s->dialog->routes != routes)
		s->is_dialog_due = true;
	s->is_taken = true;
	s->raises = 0;
	if (!s->is_notified)
		s->notify_by_ms = now_ms + LIMIT_SIP_TIMER_N_MS;
	if (!s->is_expiry_told) {
		s->act_ms = UINT64_MAX;
		presence_sub_set_expiry(p, s, granted_s, now_ms);
	}
}

/* 423: once more with what is asked for; false: that makes no sense. */
static bool ask_longer(struct presence_sub *s, const struct sip_response_in *r)
{
	if (r->min_expires <= s->asked_s ||
	    r->min_expires > LIMIT_PRESENCE_ASKED_S ||
	    s->raises >= LIMIT_PRESENCE_RENEWALS)
		return false;
	s->raises++;
	s->asked_s = r->min_expires;
	s->is_request_due = true;
	return true;
}

static bool follow(struct presence *p, struct presence_sub *s,
		   const struct sip_response_in *r, uint64_t now_ms)
{
	struct address_uri uri;
	char *contact;

	if (s->redirect != NULL ||
	    address_uri_split(r->contact_uri, &uri) != 0 ||
	    uri.scheme != ADDRESS_SIP)
		return false;
	contact = span_dup(r->contact_uri);
	if (contact == NULL)
		return false;
	presence_sub_begin(p, s, "redirect", now_ms);
	s->redirect = contact;
	return true;
}

static int error_of(const struct sip_response_in *r)
{
	return r->end == SIP_END_DNS ? -ERROR_MAP_DNS - 1
				     : -ERROR_MAP_TIMEOUT - 1;
}

/* Nobody of that name, or he is not there. */
static void on_nobody(struct presence *p, struct presence_sub *s,
		      const struct sip_response_in *r, uint64_t now_ms)
{
	if (s->auth == PRESENCE_PENDING && !s->is_taken && r->status != 480) {
		presence_sub_tell_failed(s, r->status);
		presence_sub_set_auth(p, s, PRESENCE_NONE, now_ms);
		presence_sub_quiet(p, s, "nobody", now_ms);
		return;
	}
	presence_sub_back_off(p, s, r->retry_after, "nobody", now_ms);
	if (s->auth == PRESENCE_ALLOWED)
		presence_sub_forget_doc(s, true);
}

static void on_not_now(struct presence *p, struct presence_sub *s,
		       const struct sip_response_in *r, uint64_t now_ms)
{
	/* its NOTIFY says that it got there */
	if (s->state == PRESENCE_SUB_LIVE)
		return;
	presence_sub_tell_failed(s, error_of(r));
	presence_sub_back_off(p, s,
			      r->end == SIP_END_RESPONSE ? r->retry_after : 0,
			      "failed", now_ms);
	presence_sub_doubt(p, s, now_ms);
}

static void on_ask_response(struct presence *p, struct presence_sub *s,
			    const struct sip_response_in *r, uint64_t now_ms)
{
	switch (verdict_of(r)) {
	case ACCEPTED:
		on_accepted(p, s, r, now_ms);
		break;
	case REFUSED:
		presence_sub_cancel(p, s, "refused", now_ms);
		break;
	case TOO_BRIEF:
		if (!ask_longer(s, r))
			on_not_now(p, s, r, now_ms);
		break;
	case NO_DIALOG:
		presence_sub_renew(p, s, "481", now_ms);
		break;
	case NOBODY:
		on_nobody(p, s, r, now_ms);
		break;
	case ELSEWHERE:
		if (!follow(p, s, r, now_ms))
			on_not_now(p, s, r, now_ms);
		break;
	case NOT_NOW:
		on_not_now(p, s, r, now_ms);
		break;
	}
}

/* The dialog is good until its expiry. */
static void refresh_later(struct presence *p, struct presence_sub *s,
			  const struct sip_response_in *r, uint64_t now_ms)
{
	uint64_t wait_ms = presence_sub_back_off_ms(p, s);
	uint64_t least_ms = r->end == SIP_END_RESPONSE
				    ? presence_sub_bounded_ms(r->retry_after)
				    : 0;

	if (least_ms > wait_ms)
		wait_ms = least_ms;
	s->act_ms = now_ms + wait_ms;
	if (s->act_ms > s->dialog->expires_ms)
		s->act_ms = s->dialog->expires_ms;
	if (!s->has_doc)
		presence_sub_doubt(p, s, now_ms);
}

static void on_refresh_response(struct presence *p, struct presence_sub *s,
				const struct sip_response_in *r,
				uint64_t now_ms)
{
	switch (verdict_of(r)) {
	case ACCEPTED:
		s->tries = s->renewals = 0;
		on_accepted(p, s, r, now_ms);
		break;
	case REFUSED:
		presence_sub_cancel(p, s, "refused", now_ms);
		break;
	case TOO_BRIEF:
		if (!ask_longer(s, r))
			refresh_later(p, s, r, now_ms);
		break;
	case NO_DIALOG:
	case NOBODY:
		presence_sub_renew(p, s, "lost", now_ms);
		break;
	case ELSEWHERE:
	case NOT_NOW:
		refresh_later(p, s, r, now_ms);
		break;
	}
}

static void on_poll_response(struct presence *p, struct presence_sub *s,
			     const struct sip_response_in *r, uint64_t now_ms)
{
	enum verdict v = verdict_of(r);

	if (v == ACCEPTED &&
	    presence_dialog_learn_response(s->dialog, r) == 0) {
		s->notify_by_ms = now_ms + LIMIT_SIP_TIMER_N_MS;
		return;
	}
	if (v == REFUSED ||
	    (v == NOBODY &&
	     (r->status == 404 || r->status == 410 || r->status == 604)))
		presence_sub_cancel(p, s, "refused", now_ms);
	else if (v != ELSEWHERE || !follow(p, s, r, now_ms))
		presence_sub_quiet(p, s, "poll-failed", now_ms);
	if (s->state == PRESENCE_SUB_QUIET && !s->owes_unsubscribed &&
	    !s->has_doc)
		presence_sub_drop_answer(s);
}

static void on_end_response(struct presence *p, struct presence_sub *s,
			    enum presence_sub_request kind,
			    const struct sip_response_in *r, uint64_t now_ms)
{
	bool is_accepted = verdict_of(r) == ACCEPTED;

	/* it was sent before the watcher left */
	if (kind == PRESENCE_SUB_ASK && is_accepted && s->dialog != NULL &&
	    presence_dialog_learn_response(s->dialog, r) == 0 &&
	    s->dialog->remote_tag != NULL) {
		s->is_request_due = true;
		return;
	}
	if (kind == PRESENCE_SUB_REFRESH && s->is_request_due &&
	    verdict_of(r) != NO_DIALOG)
		return;
	if (s->dialog == NULL || kind != PRESENCE_SUB_END || !is_accepted ||
	    s->is_again) {
		presence_sub_ended(p, s, "ended", now_ms);
		return;
	}
	/* the watcher need not wait for the last NOTIFY */
	if (s->is_leaving)
		s->owes_unsubscribed = true;
	s->is_leaving = false;
	s->notify_by_ms = now_ms + LIMIT_SIP_TIMER_N_MS;
}

void presence_sub_on_response(struct presence *p, struct presence_sub *s,
			      const struct sip_response_in *r, uint64_t now_ms)
{
	enum presence_sub_request kind = s->flying;
	bool is_stale = s->is_flight_stale;

	s->flying = PRESENCE_SUB_NO_REQUEST;
	s->is_flight_stale = false;
	if (s->state == PRESENCE_SUB_ENDING)
		on_end_response(p, s, kind, r, now_ms);
	else if (is_stale || s->dialog == NULL)
		; /* of a dialog that is gone */
	else if (s->is_poll)
		on_poll_response(p, s, r, now_ms);
	else if (kind == PRESENCE_SUB_ASK)
		on_ask_response(p, s, r, now_ms);
	else
		on_refresh_response(p, s, r, now_ms);
	presence_sub_settle(p, s, now_ms);
}
