/* A contact and its dialogs, for operators. */
#include "fe-gateway/core/presence_contact_priv.h"

#include <string.h>

/* Strings are copied: the contact may be gone when the answer is sent.  Each
 * function is false when the arena is full. */

static bool put_text(struct arena *a, char **out, const char *text)
{
	*out = arena_dup(a, span_str(text));
	return *out != NULL;
}

static bool add_note(struct arena *a, Fed__PresenceResource *to,
		     const struct presence_note *note)
{
	Fed__PresenceNote *n = arena_alloc(a, sizeof(*n));

	if (n == NULL)
		return false;
	fed__presence_note__init(n);
	return put_text(a, &n->lang, note->lang) &&
	       put_text(a, &n->text, note->text) &&
	       arena_append(a, (void ***)&to->note, &to->n_note, n) == 0;
}

static Fed__PresenceResource *copy_resource(struct arena *a,
					    const struct presence_resource *r)
{
	Fed__PresenceResource *to = arena_alloc(a, sizeof(*to));

	if (to == NULL)
		return NULL;
	fed__presence_resource__init(to);
	to->open = r->is_open;
	to->show = r->is_open ? r->show : FED__SHOW__NO_SHOW;
	to->priority = r->priority;
	if (!put_text(a, &to->name, r->name))
		return NULL;
	for (size_t i = 0; i < r->note_count; i++)
		if (!add_note(a, to, &r->note[i]))
			return NULL;
	return to;
}

static bool copy_view(struct arena *a, const struct presence_view *view,
		      Fed__PresenceResource ***list, size_t *count)
{
	for (size_t i = 0; i < view->count; i++) {
		Fed__PresenceResource *r = copy_resource(a, view->items[i]);

		if (r == NULL || arena_append(a, (void ***)list, count, r) != 0)
			return false;
	}
	return true;
}

/* The document that it has, written again. */
static bool put_document(const struct presence *p, const struct presence_nd *n,
			 struct arena *a, Fed__PresenceDialog *to)
{
	struct pidf_write_params params = {
		.profile = p->p.profile,
		.entity = span_str(n->contact->remote),
		.timestamp_ms = n->stamp_ms,
	};
	struct span lang;
	struct buf b;
	bool is_ok = true;

	if (!n->has_told)
		return true;
	buf_init(&b, LIMIT_PIDF_BYTES);
	if (pidf_write(&params, &n->told, &b, &lang) == 0) {
		to->document.data = (uint8_t *)arena_dup(a, buf_span(&b));
		to->document.len = buf_len(&b);
		is_ok = to->document.data != NULL;
	}
	buf_deinit(&b);
	return is_ok;
}

static const char *state_of(const struct presence_nd *n)
{
	if (n->end != PRESENCE_END_NONE)
		return "terminated";
	return n->dialog->is_active ? "active" : "pending";
}

static bool add_dialog(const struct presence *p, const struct presence_nd *n,
		       struct arena *a, Fed__PresenceWatch *w, uint64_t now_ms)
{
	const struct presence_dialog *d = n->dialog;
	Fed__PresenceDialog *to = arena_alloc(a, sizeof(*to));

	if (to == NULL)
		return false;
	fed__presence_dialog__init(to);
	to->local_cseq = d->local_cseq;
	to->remote_cseq = d->remote_cseq;
	to->expires_in_ms = (int64_t)(d->expires_ms - now_ms);
	to->document_age_ms =
		n->told_ms != 0 ? (int64_t)(now_ms - n->told_ms) : -1;
	to->call_id = arena_dup(a, presence_dialog_call_id(d));
	return to->call_id != NULL && put_text(a, &to->state, state_of(n)) &&
	       put_text(a, &to->local_tag, presence_dialog_local_tag(d)) &&
	       put_text(a, &to->remote_tag, d->remote_tag) &&
	       put_text(a, &to->remote_target, d->target) &&
	       put_document(p, n, a, to) &&
	       arena_append(a, (void ***)&w->dialog, &w->n_dialog, to) == 0;
}

/* The dialog that shows most: one that was told something else, if there is
 * one. */
static const struct presence_nd *spokesman(const struct presence_contact *c)
{
	const struct presence_nd *best = NULL;
	const struct presence_nd *n;

	DL_FOREACH (c->nds, n) {
		if (!n->has_told)
			continue;
		if (!presence_view_eq(&n->told, &c->view))
			return n;
		best = n;
	}
	return best;
}

static bool is_notifying(const struct presence *p,
			 const struct presence_contact *c)
{
	const struct presence_nd *n;

	DL_FOREACH (c->nds, n)
		if (n->item.sip != NULL || presence_nd_is_due(p, n))
			return true;
	return false;
}

static const char *waiting_for(const struct presence *p,
			       const struct presence_contact *c)
{
	if (c->at_ms[PRESENCE_AT_TURN] != UINT64_MAX)
		return "its turn to be repaired";
	if (c->item.stanza != NULL)
		return "a stanza on its way";
	if (c->is_leave_due || c->is_probe_due || c->is_bye_due)
		return "a stanza to leave";
	if (c->at_ms[PRESENCE_AT_ANSWER] != UINT64_MAX)
		return c->is_collecting ? "more answers to the probe"
					: "an answer to the probe";
	if (is_notifying(p, c))
		return "a NOTIFY";
	return c->auth == PRESENCE_PENDING ? "approval" : "";
}

static bool fill(const struct presence *p, const struct presence_contact *c,
		 struct arena *a, Fed__PresenceWatch *w, uint64_t now_ms)
{
	const struct presence_nd *told = spokesman(c);
	const struct presence_nd *n;

	w->direction = FED__WATCH_DIRECTION__SIP_WATCHES_XMPP;
	w->last_stanza_age_ms = c->last_stanza != NULL
					? (int64_t)(now_ms - c->last_stanza_ms)
					: -1;
	if (!put_text(a, &w->watcher, c->local) ||
	    !put_text(a, &w->presentity, c->remote) ||
	    !put_text(a, &w->authorization, presence_auth_name(c->auth)) ||
	    !put_text(a, &w->last_stanza, c->last_stanza) ||
	    !put_text(a, &w->waiting_for, waiting_for(p, c)) ||
	    !copy_view(a, &c->view, &w->believed, &w->n_believed))
		return false;
	if (told != NULL && !copy_view(a, &told->told, &w->told, &w->n_told))
		return false;
	DL_FOREACH (c->nds, n)
		if (!add_dialog(p, n, a, w, now_ms))
			return false;
	return true;
}

Fed__PresenceWatch *presence_contact_describe(struct presence *p,
					      const struct presence_contact *c,
					      struct arena *a, uint64_t now_ms)
{
	Fed__PresenceWatch *w = arena_alloc(a, sizeof(*w));

	if (w == NULL)
		return NULL;
	fed__presence_watch__init(w);
	return fill(p, c, a, w, now_ms) ? w : NULL;
}
