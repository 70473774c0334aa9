/*
 * A dialog that is notified (RFC 6665 4.2, RFC 3856 6).  A NOTIFY is made when
 * it is asked for, of what is true then; its answer comes before the next one.
 * Owed ones (to a SUBSCRIBE, to an approval) and the last one leave at once,
 * those for a change when the last document is old enough.
 */
#include "fe-gateway/core/presence_contact_priv.h"

#include <stdlib.h>
#include <string.h>

/* --- life ---------------------------------------------------------------- */

int presence_nd_new(struct presence *p, struct presence_contact *c,
		    struct presence_dialog *d, struct presence_nd **n_out)
{
	struct presence_nd *n = calloc(1, sizeof(*n));
	int err;

	if (n == NULL)
		return FED_ENOMEM;
	err = presence_item_add(p, &n->item, PRESENCE_ITEM_ND);
	if (err != 0) {
		free(n);
		return err;
	}
	n->contact = c;
	n->dialog = d;
	d->owner = &n->item;
	DL_APPEND(c->nds, n);
	c->nd_count++;
	*n_out = n;
	return 0;
}

void presence_nd_free(struct presence *p, struct presence_nd *n)
{
	struct presence_contact *c = n->contact;

	DL_DELETE(c->nds, n);
	c->nd_count--;
	presence_dialog_free(p, n->dialog);
	presence_item_drop(p, &n->item);
	presence_view_clear(&n->told);
	free(n);
}

static void log_end(const struct presence *p, const struct presence_nd *n,
		    const char *why)
{
	presence_log(p, FED_LOG_DEBUG, "dialog_ended", n->contact->local,
		     n->contact->remote, why);
}

/* The dialog is over for both ends; the contact may go with it. */
static void remove_nd(struct presence *p, struct presence_nd *n,
		      const char *why, uint64_t now_ms)
{
	struct presence_contact *c = n->contact;
	bool was_alive = n->end == PRESENCE_END_NONE && !n->is_poll;

	log_end(p, n, why);
	/* what stays in the store is found out by its first NOTIFY */
	if (presence_dialog_put(p, n->dialog, c->local, c->remote, true) != 0)
		presence_log(p, FED_LOG_WARN, "row_not_deleted", c->local,
			     c->remote, "dir=in");
	presence_nd_free(p, n);
	if (was_alive)
		presence_contact_nd_ended(p, c);
	presence_contact_settle(p, c, now_ms);
}

void presence_nd_forget_told(struct presence_nd *n)
{
	presence_view_clear(&n->told);
	n->has_told = false;
}

void presence_nd_end(struct presence *p, struct presence_nd *n,
		     enum presence_end end, uint32_t retry_after_s,
		     uint64_t now_ms)
{
	if (n->end != PRESENCE_END_NONE)
		return;
	n->end = end;
	n->retry_after_s = retry_after_s;
	n->not_before_ms = 0;
	presence_nd_update(p, n, now_ms);
}

/* --- when ---------------------------------------------------------------- */

static bool has_notes(const struct presence_view *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->items[i]->note_count > 0)
			return true;
	return false;
}

/* Nobody there is nobody there, whoever left last. */
static bool is_same(const struct presence_view *a,
		    const struct presence_view *b)
{
	if (!presence_view_is_open(a) && !presence_view_is_open(b) &&
	    !has_notes(a) && !has_notes(b))
		return true;
	return presence_view_eq(a, b);
}

static bool is_change_due(const struct presence_nd *n)
{
	const struct presence_contact *c = n->contact;

	return n->dialog->is_active && c->is_known &&
	       !(n->has_told && is_same(&n->told, &c->view));
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* When the next NOTIFY is due; UINT64_MAX: none is. */
static uint64_t due_at(const struct presence *p, const struct presence_nd *n)
{
	const struct presence_contact *c = n->contact;
	bool is_approved = c->auth == PRESENCE_ALLOWED && !n->dialog->is_active;

	if (n->end != PRESENCE_END_NONE)
		return n->not_before_ms;
	/* as soon as something is known, or when the time is over */
	if (n->is_poll)
		return c->is_known ? 0 : n->dialog->expires_ms;
	if (n->is_owed || is_approved)
		return n->not_before_ms;
	if (!is_change_due(n))
		return UINT64_MAX;
	/* RFC 3856 6.10 */
	return later(n->not_before_ms,
		     n->told_ms != 0 ? n->told_ms + p->p.notify_interval_ms
				     : 0);
}

bool presence_nd_is_due(const struct presence *p, const struct presence_nd *n)
{
	return due_at(p, n) != UINT64_MAX;
}

void presence_nd_update(struct presence *p, struct presence_nd *n,
			uint64_t now_ms)
{
	uint64_t at_ms = due_at(p, n);

	if (at_ms <= now_ms) {
		presence_want_sip(p, &n->item);
		at_ms = UINT64_MAX;
	}
	if (n->end == PRESENCE_END_NONE && n->dialog->expires_ms < at_ms)
		at_ms = n->dialog->expires_ms;
	presence_set_timer(p, &n->item, at_ms);
}

void presence_nd_hurry(struct presence *p, struct presence_nd *n,
		       uint64_t now_ms)
{
	if (is_change_due(n))
		n->is_owed = true;
	presence_nd_update(p, n, now_ms);
}

static void expire(struct presence *p, struct presence_nd *n, uint64_t now_ms)
{
	bool was_poll = n->is_poll;

	if (n->end != PRESENCE_END_NONE || now_ms < n->dialog->expires_ms)
		return;
	presence_nd_end(p, n, PRESENCE_END_TIMEOUT, 0, now_ms);
	if (!was_poll)
		presence_contact_nd_ended(p, n->contact);
}

void presence_nd_on_time(struct presence *p, struct presence_nd *n,
			 uint64_t now_ms)
{
	expire(p, n, now_ms);
	presence_nd_update(p, n, now_ms);
}

/* --- what ---------------------------------------------------------------- */

static uint32_t rest_s(const struct presence_nd *n, uint64_t now_ms)
{
	return (uint32_t)((n->dialog->expires_ms - now_ms + 999) / 1000);
}

static const char *print_state(struct presence *p, const struct presence_nd *n,
			       bool is_active, uint64_t now_ms)
{
	switch (n->end) {
	case PRESENCE_END_NONE:
		return arena_printf(&p->arena, "%s;expires=%u",
				    is_active ? "active" : "pending",
				    rest_s(n, now_ms));
	case PRESENCE_END_TIMEOUT:
		return "terminated;reason=timeout";
	case PRESENCE_END_REJECTED:
		return "terminated;reason=rejected";
	case PRESENCE_END_NORESOURCE:
		return "terminated;reason=noresource";
	case PRESENCE_END_PROBATION:
		return arena_printf(&p->arena,
				    "terminated;reason=probation;"
				    "retry-after=%u",
				    n->retry_after_s);
	}
	return NULL;
}

/* The view that the NOTIFY shows; NULL: it has no body.  Who hears nothing any
 * more is told that nobody is there, if he was told anything. */
static const struct presence_view *view_of(const struct presence_nd *n,
					   bool is_active)
{
	static const struct presence_view closed = {.count = 0};
	const struct presence_contact *c = n->contact;

	switch (n->end) {
	case PRESENCE_END_NONE:
		return is_active && c->is_known ? &c->view : NULL;
	case PRESENCE_END_TIMEOUT:
		if (n->is_poll)
			return c->is_known ? &c->view : NULL;
		return n->dialog->is_active ? &closed : NULL;
	case PRESENCE_END_PROBATION:
		return n->dialog->is_active ? &closed : NULL;
	case PRESENCE_END_REJECTED:
	case PRESENCE_END_NORESOURCE:
		break;
	}
	return NULL;
}

struct document {
	struct span body;     /* in p->arena */
	const char *language; /* NULL: none */
	uint64_t stamp_ms;
};

/* Empty for NULL. */
static int print_document(struct presence *p, const struct presence_nd *n,
			  const struct presence_view *view,
			  struct document *out, uint64_t now_ms)
{
	struct pidf_write_params params = {
		.profile = p->p.profile,
		.entity = span_str(n->contact->remote),
		.timestamp_ms =
			later(presence_wall_ms(p, now_ms), n->stamp_ms + 1),
	};
	struct span lang = SPAN_NULL;
	struct buf b;
	int err;

	*out = (struct document){.stamp_ms = params.timestamp_ms};
	if (view == NULL)
		return 0;
	buf_init(&b, LIMIT_PIDF_BYTES);
	err = pidf_write(&params, view, &b, &lang);
	if (err == 0) {
		out->body = span_of(arena_dup(&p->arena, buf_span(&b)),
				    buf_len(&b));
		if (lang.n > 0)
			out->language = arena_dup(&p->arena, lang);
		if (out->body.p == NULL || (lang.n > 0 && !out->language))
			err = FED_ENOMEM;
	}
	buf_deinit(&b);
	return err;
}

/* Remembered so that a state that did not change is not said again; without
 * memory it is said once more. */
static void remember(struct presence_nd *n, const struct presence_view *view)
{
	presence_nd_forget_told(n);
	for (size_t i = 0; i < view->count; i++) {
		if (presence_view_set(&n->told, view->items[i]) != 0) {
			presence_view_clear(&n->told);
			return;
		}
	}
	n->has_told = true;
}

static void set_active(struct presence *p, struct presence_nd *n)
{
	struct presence_contact *c = n->contact;

	if (n->dialog->is_active)
		return;
	n->dialog->is_active = true;
	/* if it is not written, he is told once more after a crash */
	if (presence_dialog_put(p, n->dialog, c->local, c->remote, false) != 0)
		presence_log(p, FED_LOG_DEBUG, "row_not_written", c->local,
			     c->remote, "dir=in");
}

static int make_notify(struct presence *p, struct presence_nd *n,
		       struct presence_action *out, uint64_t now_ms)
{
	struct presence_contact *c = n->contact;
	bool is_active = c->auth == PRESENCE_ALLOWED;
	const struct presence_view *view = view_of(n, is_active);
	const char *state = print_state(p, n, is_active, now_ms);
	struct document doc;
	int err = print_document(p, n, view, &doc, now_ms);

	if (err == 0 && state == NULL)
		err = FED_ENOMEM;
	if (err == 0)
		err = presence_dialog_request(p, n->dialog, "NOTIFY", c->local,
					      c->remote, out);
	if (err != 0)
		return err;
	p->request.subscription_state = state;
	n->sent_ms = now_ms;
	n->is_owed = false;
	n->is_last = n->end != PRESENCE_END_NONE;
	if (is_active && !n->is_last)
		set_active(p, n);
	if (view == NULL)
		return 0;
	p->request.body = doc.body;
	p->request.content_type = PIDF_TYPE;
	p->request.content_language = doc.language;
	n->stamp_ms = doc.stamp_ms;
	n->told_ms = now_ms;
	remember(n, view);
	return 0;
}

bool presence_nd_next_sip(struct presence *p, struct presence_nd *n,
			  struct presence_action *out, uint64_t now_ms)
{
	int err;

	expire(p, n, now_ms);
	if (n->is_poll && n->end == PRESENCE_END_NONE && due_at(p, n) <= now_ms)
		n->end = PRESENCE_END_TIMEOUT;
	if (due_at(p, n) > now_ms) {
		presence_nd_update(p, n, now_ms);
		return false;
	}
	err = make_notify(p, n, out, now_ms);
	if (err == FED_EINVAL) {
		/* a way that no request can have */
		remove_nd(p, n, "why=target", now_ms);
		return false;
	}
	if (err != 0 && err != FED_EAGAIN)
		n->not_before_ms = now_ms + LIMIT_PRESENCE_TRY_MIN_MS;
	presence_nd_update(p, n, now_ms);
	return err == 0;
}

/* --- answers ------------------------------------------------------------- */

/* RFC 6665 4.2.2: the subscriber has no such subscription. */
static bool is_fatal(int status)
{
	static const int fatal[] = {404, 405, 410, 416, 480, 481, 482,
				    483, 484, 485, 489, 501, 604};

	for (size_t i = 0; i < FED_ARRAY_LEN(fatal); i++)
		if (status == fatal[i])
			return true;
	return false;
}

/* RFC 6665 4.2.2: Timer F.  One that is over sooner never left: the next hop
 * is known to be down, which says nothing of the subscriber. */
static bool is_silence(const struct presence_nd *n,
		       const struct sip_response_in *r, uint64_t now_ms)
{
	return r->end == SIP_END_TIMEOUT &&
	       now_ms >= n->sent_ms + LIMIT_SIP_TIMER_F_MS / 2;
}

/* The dialog lives on, what it was told is not known. */
static void try_again(struct presence *p, struct presence_nd *n,
		      uint32_t retry_after_s, uint64_t now_ms)
{
	uint64_t wait_ms = LIMIT_PRESENCE_NOTIFY_MIN_MS;

	for (uint32_t i = 0;
	     i < n->failures && wait_ms < LIMIT_PRESENCE_NOTIFY_MAX_MS; i++)
		wait_ms *= 2;
	n->failures++;
	wait_ms = later(wait_ms, (uint64_t)retry_after_s * 1000);
	if (wait_ms > LIMIT_PRESENCE_NOTIFY_MAX_MS)
		wait_ms = LIMIT_PRESENCE_NOTIFY_MAX_MS;
	presence_nd_forget_told(n);
	n->is_owed = true;
	n->not_before_ms = now_ms + wait_ms + presence_jitter(p, 1000);
}

void presence_nd_on_response(struct presence *p, struct presence_nd *n,
			     const struct sip_response_in *r, uint64_t now_ms)
{
	bool is_answer = r->end == SIP_END_RESPONSE;

	if (n->is_last) {
		remove_nd(p, n, "why=told", now_ms);
		return;
	}
	if (is_silence(n, r, now_ms) || (is_answer && is_fatal(r->status))) {
		remove_nd(p, n, "why=refused", now_ms);
		return;
	}
	if (is_answer && r->status < 300) {
		n->failures = 0;
		n->not_before_ms = 0;
	} else {
		try_again(p, n, r->retry_after, now_ms);
	}
	presence_nd_update(p, n, now_ms);
}
