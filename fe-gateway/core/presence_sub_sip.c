/* The SIP side of an OUT watch: dialogs, their SUBSCRIBEs, deadlines. */
#include "fe-gateway/core/presence_sub_priv.h"

#include <stdlib.h>

#include "fe-gateway/core/address.h"
#include "fe-gateway/core/dialog_route.h"

/* --- life of dialogs ----------------------------------------------------- */

void presence_sub_forget_dialog(struct presence *p, struct presence_sub *s,
				struct presence_dialog *d)
{
	/* a row that stays is told 481 after a restart */
	if (presence_dialog_put(p, d, s->local, s->remote, true) != 0)
		presence_log(p, FED_LOG_WARN, "out", s->local, s->remote,
			     "why=row-stays");
	if (d == s->dialog) {
		s->dialog = NULL;
		s->is_dialog_due = false;
		s->put_expires_ms = 0;
	}
	presence_dialog_free(p, d);
}

/* What its document says is believed as long as it was promised. */
static void drop_dialog(struct presence *p, struct presence_sub *s,
			uint64_t now_ms)
{
	struct presence_dialog *d = s->dialog;

	s->notify_by_ms = s->act_ms = UINT64_MAX;
	s->is_request_due = s->is_adopted = false;
	if (d == NULL)
		return;
	if (s->state == PRESENCE_SUB_LIVE &&
	    now_ms >= d->begun_ms + LIMIT_PRESENCE_STEADY_MS)
		s->tries = s->renewals = 0;
	if (d->expires_ms > 0 && d->expires_ms < s->doc_until_ms &&
	    s->auth == PRESENCE_ALLOWED)
		s->doc_until_ms = d->expires_ms;
	presence_sub_forget_dialog(p, s, d);
	s->is_flight_stale = s->flying != PRESENCE_SUB_NO_REQUEST;
}

void presence_sub_begin(struct presence *p, struct presence_sub *s,
			const char *why, uint64_t now_ms)
{
	drop_dialog(p, s, now_ms);
	presence_sub_set_state(p, s, PRESENCE_SUB_ASKING, why);
	s->is_again = s->is_invariant = false;
	s->raises = 0;
	free(s->redirect);
	s->redirect = NULL;
	s->is_request_due = true;
}

void presence_sub_wait(struct presence *p, struct presence_sub *s,
		       uint64_t wait_ms, const char *why, uint64_t now_ms)
{
	drop_dialog(p, s, now_ms);
	presence_sub_set_state(p, s, PRESENCE_SUB_WAITING, why);
	s->act_ms = now_ms + wait_ms;
}

void presence_sub_quiet(struct presence *p, struct presence_sub *s,
			const char *why, uint64_t now_ms)
{
	drop_dialog(p, s, now_ms);
	presence_sub_set_state(p, s, PRESENCE_SUB_QUIET, why);
	s->is_invariant = false;
}

/* 30 s, 1, 2, 4 ... minutes, at most an hour, and up to a quarter more, so
 * that what failed together is not tried together. */
uint64_t presence_sub_back_off_ms(struct presence *p, struct presence_sub *s)
{
	uint64_t wait_ms = LIMIT_PRESENCE_RETRY_MIN_MS;

	for (uint32_t i = 0;
	     i < s->tries && wait_ms < LIMIT_PRESENCE_RETRY_MAX_MS; i++)
		wait_ms *= 2;
	if (wait_ms > LIMIT_PRESENCE_RETRY_MAX_MS)
		wait_ms = LIMIT_PRESENCE_RETRY_MAX_MS;
	s->tries++;
	return wait_ms + presence_jitter(p, wait_ms / 4);
}

/* What the SIP side asks for; nobody is told to wait for ever. */
uint64_t presence_sub_bounded_ms(uint32_t seconds)
{
	return 1000ull * (seconds < LIMIT_PRESENCE_RETRY_AFTER_S
				  ? seconds
				  : LIMIT_PRESENCE_RETRY_AFTER_S);
}

void presence_sub_back_off(struct presence *p, struct presence_sub *s,
			   uint32_t at_least_s, const char *why,
			   uint64_t now_ms)
{
	uint64_t least_ms = presence_sub_bounded_ms(at_least_s);
	uint64_t wait_ms;

	/* LIMIT: users that were invented and never answer */
	if (s->auth == PRESENCE_PENDING &&
	    presence_wall_ms(p, now_ms) >=
		    s->since_ms + LIMIT_PRESENCE_PENDING_MS) {
		presence_sub_cancel(p, s, "no-answer", now_ms);
		return;
	}
	drop_dialog(p, s, now_ms); /* first: it knows of steady times */
	wait_ms = presence_sub_back_off_ms(p, s);
	if (least_ms > wait_ms)
		wait_ms = least_ms + presence_jitter(p, least_ms / 10);
	s->floor_ms = now_ms + least_ms;
	presence_sub_wait(p, s, wait_ms, why, now_ms);
}

void presence_sub_renew(struct presence *p, struct presence_sub *s,
			const char *why, uint64_t now_ms)
{
	drop_dialog(p, s, now_ms);
	/* LIMIT: a peer that ends each dialog as soon as it has begun */
	if (s->renewals >= LIMIT_PRESENCE_RENEWALS) {
		presence_sub_back_off(p, s, 0, why, now_ms);
		return;
	}
	s->renewals++;
	presence_sub_begin(p, s, why, now_ms);
}

/* --- the end ------------------------------------------------------------- */

void presence_sub_ended(struct presence *p, struct presence_sub *s,
			const char *why, uint64_t now_ms)
{
	/* COMPAT(Prosody, 0.12): one who asks anew in the same breath takes an
	 * "unsubscribed" that crosses his "subscribe" for the answer to it */
	if (s->is_leaving) {
		s->owes_unsubscribed = true;
		s->say_ms = now_ms + LIMIT_PRESENCE_FAREWELL_MS;
	}
	s->is_leaving = false;
	if (s->is_again)
		presence_sub_begin(p, s, why, now_ms);
	else
		presence_sub_quiet(p, s, why, now_ms);
}

void presence_sub_end(struct presence *p, struct presence_sub *s,
		      const char *why, uint64_t now_ms)
{
	bool is_known = s->dialog != NULL && s->dialog->remote_tag != NULL;

	/* the response to the first SUBSCRIBE says what there is to end */
	if (!is_known && s->flying != PRESENCE_SUB_ASK) {
		presence_sub_ended(p, s, why, now_ms);
		return;
	}
	presence_sub_set_state(p, s, PRESENCE_SUB_ENDING, why);
	s->notify_by_ms = s->act_ms = UINT64_MAX;
	s->is_request_due = is_known && s->flying != PRESENCE_SUB_ASK;
}

void presence_sub_cancel(struct presence *p, struct presence_sub *s,
			 const char *why, uint64_t now_ms)
{
	presence_sub_quiet(p, s, why, now_ms);
	presence_sub_set_auth(p, s, PRESENCE_NONE, now_ms);
	presence_sub_forget_doc(s, false);
	s->is_approved = s->owes_subscribed = false;
	s->owes_unsubscribed = true;
	s->is_cancelled = s->row_auth != PRESENCE_NONE;
	if (!s->is_poll)
		presence_sub_drop_answer(s);
}

void presence_sub_doubt(struct presence *p, struct presence_sub *s,
			uint64_t now_ms)
{
	if (s->auth == PRESENCE_ALLOWED &&
	    now_ms + p->p.hold_off_ms < s->doc_until_ms)
		s->doc_until_ms = now_ms + p->p.hold_off_ms;
}

void presence_sub_tell_failed(struct presence_sub *s, int error)
{
	if (s->auth == PRESENCE_PENDING && s->may_err)
		s->error = error;
	s->may_err = false;
}

void presence_sub_poke(struct presence *p, struct presence_sub *s,
		       uint64_t now_ms)
{
	bool is_muted = s->is_muted;

	presence_sub_unmute(s);
	if (s->state == PRESENCE_SUB_ENDING) {
		s->is_again = true;
		if (s->flying != PRESENCE_SUB_NO_REQUEST || s->is_request_due)
			return;
		/* a dialog of the last run may wait for its turn to end */
		s->is_request_due = s->act_ms != UINT64_MAX;
		s->act_ms = UINT64_MAX;
		if (!s->is_request_due)
			presence_sub_ended(p, s, "again", now_ms);
	} else if (s->state == PRESENCE_SUB_QUIET && !s->is_invariant) {
		presence_sub_begin(p, s, is_muted ? "unmuted" : "asked",
				   now_ms);
	} else if (s->state == PRESENCE_SUB_WAITING && now_ms >= s->floor_ms &&
		   now_ms >= s->asked_ms + LIMIT_PRESENCE_RETRY_MIN_MS) {
		presence_sub_begin(p, s, "asked", now_ms);
	}
}

/* --- requests ------------------------------------------------------------ */

enum presence_sub_request presence_sub_due(const struct presence_sub *s)
{
	if (!s->is_request_due)
		return PRESENCE_SUB_NO_REQUEST;
	switch (s->state) {
	case PRESENCE_SUB_ASKING:
		return PRESENCE_SUB_ASK;
	case PRESENCE_SUB_LIVE:
		return PRESENCE_SUB_REFRESH;
	case PRESENCE_SUB_ENDING:
		return PRESENCE_SUB_END;
	case PRESENCE_SUB_QUIET:
	case PRESENCE_SUB_WAITING:
		break;
	}
	return PRESENCE_SUB_NO_REQUEST;
}

static int new_dialog(struct presence *p, struct presence_sub *s,
		      uint64_t now_ms)
{
	struct buf from, to;
	int err;

	buf_init(&from, LIMIT_SIP_URI_BYTES + 1);
	buf_init(&to, LIMIT_SIP_URI_BYTES + 1);
	err = address_jid_to_aor(span_str(s->remote), ADDRESS_SIP, &from);
	if (err == 0)
		err = address_jid_to_aor(span_str(s->local), ADDRESS_SIP, &to);
	if (err == 0 && (buf_cstr(&from) == NULL || buf_cstr(&to) == NULL))
		err = FED_ENOMEM;
	if (err == 0) {
		s->dialog = presence_dialog_new(p, &s->item, buf_cstr(&from),
						buf_cstr(&to), now_ms);
		err = s->dialog != NULL ? 0 : FED_ENOMEM;
	}
	if (err == 0)
		s->dialog->is_transient = s->is_poll;
	buf_deinit(&from);
	buf_deinit(&to);
	return err;
}

/* The one hop further that a 3xx leads to. */
static int redirect(struct presence *p, const struct presence_sub *s)
{
	struct dialog_route way;
	int err;

	if (s->redirect == NULL || s->dialog->remote_tag != NULL)
		return 0;
	err = dialog_route_request(SPAN_NULL, span_str(s->redirect), &p->arena,
				   &way);
	if (err == 0)
		p->request.request_uri = way.request_uri;
	return err;
}

static int make_request(struct presence *p, struct presence_sub *s,
			enum presence_sub_request kind,
			struct presence_action *out, uint64_t now_ms)
{
	int err = 0;

	if (s->dialog == NULL)
		err = new_dialog(p, s, now_ms);
	if (err == 0)
		err = presence_dialog_request(p, s->dialog, "SUBSCRIBE",
					      s->local, s->remote, out);
	if (err == 0)
		err = redirect(p, s);
	if (err != 0)
		return err;
	p->request.has_expires = true;
	p->request.expires =
		kind == PRESENCE_SUB_END || s->is_poll ? 0 : s->asked_s;
	return 0;
}

/* The peer's Contact or routes cannot be used. */
static void give_up_dialog(struct presence *p, struct presence_sub *s,
			   enum presence_sub_request kind, uint64_t now_ms)
{
	if (kind == PRESENCE_SUB_END)
		presence_sub_ended(p, s, "bad-contact", now_ms);
	else if (s->is_poll)
		presence_sub_quiet(p, s, "bad-contact", now_ms);
	else
		presence_sub_renew(p, s, "bad-contact", now_ms);
}

bool presence_sub_next_sip(struct presence *p, struct presence_sub *s,
			   struct presence_action *out, uint64_t now_ms)
{
	enum presence_sub_request kind = presence_sub_due(s);
	int err;

	if (kind == PRESENCE_SUB_NO_REQUEST)
		return false;
	/* the next run goes on; what is to be ended it may not know of */
	if (p->is_stopping && kind != PRESENCE_SUB_END)
		return false;
	err = make_request(p, s, kind, out, now_ms);
	if (err != 0) {
		if (err == FED_EINVAL)
			give_up_dialog(p, s, kind, now_ms);
		s->again_ms = now_ms + LIMIT_PRESENCE_AGAIN_MS;
		presence_sub_arm(p, s, now_ms);
		return false;
	}
	s->flying = kind;
	s->is_flight_stale = s->is_request_due = false;
	s->is_notified = s->is_expiry_told = false;
	if (kind == PRESENCE_SUB_ASK)
		s->asked_ms = now_ms;
	return true;
}

/* --- time ---------------------------------------------------------------- */

/* RFC 6665 4.1.2.4: no NOTIFY after the 2xx. */
static void on_timer_n(struct presence *p, struct presence_sub *s,
		       uint64_t now_ms)
{
	s->notify_by_ms = UINT64_MAX;
	if (s->is_poll) {
		presence_sub_quiet(p, s, "timer-n", now_ms);
		if (!s->has_doc)
			presence_sub_drop_answer(s);
	} else if (s->state == PRESENCE_SUB_ENDING) {
		presence_sub_ended(p, s, "timer-n", now_ms);
	} else if (s->state == PRESENCE_SUB_LIVE) {
		presence_sub_renew(p, s, "timer-n", now_ms);
	} else {
		presence_sub_tell_failed(s, -ERROR_MAP_TIMEOUT - 1);
		presence_sub_back_off(p, s, 0, "timer-n", now_ms);
		presence_sub_doubt(p, s, now_ms);
	}
}

static void on_act(struct presence *p, struct presence_sub *s, uint64_t now_ms)
{
	s->act_ms = UINT64_MAX;
	if (s->is_repair_due) {
		s->is_repair_due = false;
		presence_sub_make_stale(s);
	}
	switch (s->state) {
	case PRESENCE_SUB_WAITING:
		presence_sub_begin(p, s, "time", now_ms);
		break;
	case PRESENCE_SUB_LIVE:
		if (now_ms >= s->dialog->expires_ms)
			presence_sub_renew(p, s, "expired", now_ms);
		else
			s->is_request_due = true;
		break;
	case PRESENCE_SUB_ENDING:
		s->is_request_due = true;
		break;
	case PRESENCE_SUB_QUIET:
	case PRESENCE_SUB_ASKING:
		break;
	}
}

void presence_sub_act(struct presence *p, struct presence_sub *s,
		      uint64_t now_ms)
{
	if (now_ms >= s->notify_by_ms)
		on_timer_n(p, s, now_ms);
	if (now_ms >= s->act_ms)
		on_act(p, s, now_ms);
}
