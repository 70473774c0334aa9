/* OUT watches after a restart, their repair, their stop, and operators. */
#include "fe-gateway/core/presence_sub_priv.h"

#include <stdlib.h>
#include <string.h>

/* --- restart ------------------------------------------------------------- */

static struct presence_sub *find_or_make(struct presence *p, struct span local,
					 struct span remote, bool *is_new_out)
{
	char *local_text = span_dup(local);
	char *remote_text = span_dup(remote);
	struct presence_sub *s = NULL;

	if (local_text != NULL && remote_text != NULL) {
		s = presence_sub_find(p, local_text, remote_text);
		*is_new_out = s == NULL;
		if (s == NULL)
			s = presence_sub_new(p, local_text, remote_text);
	}
	free(local_text);
	free(remote_text);
	return s;
}

static bool is_pair(struct span local, struct span remote)
{
	return local.n > 0 && local.n <= LIMIT_JID_BYTES && remote.n > 0 &&
	       remote.n <= LIMIT_JID_BYTES &&
	       span_find(local, '\0', 0) == SIZE_MAX &&
	       span_find(remote, '\0', 0) == SIZE_MAX;
}

static int restore_resource(struct presence_sub *s, struct span line)
{
	char *name = span_dup(line);
	struct presence_resource r = {
		.name = name, .is_open = true, .priority = PRESENCE_STALE};
	int err = name != NULL ? presence_view_set(&s->told, &r) : FED_ENOMEM;

	free(name);
	return err;
}

/* What he was told to be there; what else of it is not known any more.  That
 * he is approved is said again, if it may not have been heard. */
static int restore_told(struct presence_sub *s, struct span told)
{
	int err = 0;

	for (size_t at = 0; at < told.n && err == 0;) {
		size_t end = span_find(told, '\n', at);
		struct span line = span_sub(told, at, end);

		if (span_eq(line, SPAN_LIT(PRESENCE_OWED)))
			s->owes_subscribed = true;
		else
			err = restore_resource(s, line);
		at = end < told.n ? end + 1 : told.n;
	}
	return err;
}

int presence_sub_restore(struct presence *p,
			 const struct presence_watch_row *row, uint64_t now_ms)
{
	bool is_new = false;
	struct presence_sub *s;
	int err;

	if (!is_pair(row->local, row->remote) ||
	    (row->auth == PRESENCE_NONE && row->told.n == 0))
		return FED_EINVAL;
	s = find_or_make(p, row->local, row->remote, &is_new);
	if (s == NULL)
		return HASH_COUNT(p->subs) >= LIMIT_PRESENCE_WATCHES
			       ? FED_ELIMIT
			       : FED_ENOMEM;
	if (!is_new)
		return FED_EINVAL;
	err = restore_told(s, row->told);
	s->row_told = err == 0 ? span_dup(row->told) : NULL;
	if (s->row_told == NULL) {
		presence_sub_free(p, s);
		return err != 0 ? err : FED_ENOMEM;
	}
	s->auth = s->row_auth = row->auth;
	s->since_ms = row->since_ms;
	s->is_taken = true;
	if (s->auth == PRESENCE_NONE)
		s->left_until_ms = presence_clock_ms(
			p, s->since_ms + LIMIT_PRESENCE_LEFT_MS);
	else
		presence_sub_wait(p, s, presence_paced_at(p, now_ms) - now_ms,
				  "restart", now_ms);
	presence_sub_settle(p, s, now_ms);
	return 0;
}

/* One that can be used is refreshed; one of a watch that is over is ended. */
static void adopt(struct presence *p, struct presence_sub *s,
		  struct presence_dialog *d, uint64_t now_ms)
{
	uint64_t at = s->auth != PRESENCE_NONE ? s->act_ms
					       : presence_paced_at(p, now_ms);

	d->owner = &s->item;
	s->dialog = d;
	s->put_expires_ms = d->expires_ms;
	s->is_adopted = true;
	presence_sub_set_state(p, s,
			       s->auth != PRESENCE_NONE ? PRESENCE_SUB_LIVE
							: PRESENCE_SUB_ENDING,
			       "restart");
	s->act_ms = at;
}

int presence_sub_restore_dialog(struct presence *p,
				const struct presence_dialog_row *row,
				uint64_t now_ms)
{
	struct presence_dialog *d;
	struct presence_sub *s;
	bool is_new = false;

	if (!is_pair(row->local, row->remote))
		return FED_EINVAL;
	d = presence_dialog_restore(p, row, now_ms);
	if (d == NULL)
		return FED_EINVAL;
	s = find_or_make(p, row->local, row->remote, &is_new);
	if (s == NULL) {
		presence_dialog_free(p, d);
		return FED_ENOMEM;
	}
	d->owner = &s->item;
	/* a second one of the watch, or one whose answer never came */
	if (s->dialog != NULL || d->remote_tag == NULL || d->target == NULL ||
	    d->expires_ms <= now_ms) {
		presence_sub_forget_dialog(p, s, d);
	} else {
		adopt(p, s, d, now_ms);
	}
	presence_sub_settle(p, s, now_ms);
	return 0;
}

/* --- repair -------------------------------------------------------------- */

void presence_sub_repair(struct presence *p, struct presence_sub *s,
			 uint64_t now_ms)
{
	if (s->auth == PRESENCE_NONE || s->is_barred)
		return;
	presence_sub_unmute(s);
	if (s->state == PRESENCE_SUB_QUIET)
		presence_sub_wait(p, s, 0, "repair", now_ms);
	/* one that is on its way anyway needs no other */
	s->is_repair_due = true;
	s->act_ms = presence_paced_at(p, now_ms);
	presence_sub_settle(p, s, now_ms);
}

void presence_sub_hop_back(struct presence *p, struct presence_sub *s,
			   uint64_t now_ms)
{
	uint64_t at;

	if (s->state != PRESENCE_SUB_LIVE && s->state != PRESENCE_SUB_WAITING)
		return;
	at = presence_paced_at(p, now_ms);
	if (s->state == PRESENCE_SUB_WAITING && at < s->floor_ms)
		at = s->floor_ms;
	if (at < s->act_ms)
		s->act_ms = at;
	presence_sub_settle(p, s, now_ms);
}

void presence_sub_domain_back(struct presence *p, struct presence_sub *s,
			      uint64_t now_ms)
{
	const struct presence_resource *r;

	s->bounces = 0;
	s->say_ms = 0;
	presence_sub_promise(s);
	presence_sub_make_stale(s);
	/* no settling: the caller may be in an event of this watch */
	if (s->is_row_due && presence_sub_put(p, s) != 0)
		s->again_ms = now_ms + LIMIT_PRESENCE_AGAIN_MS;
	if (presence_sub_pick(p, s, &r) != PRESENCE_SAY_NOTHING)
		presence_want_stanza(p, &s->item);
	presence_sub_arm(p, s, now_ms);
}

void presence_sub_channel_back(struct presence *p, struct presence_sub *s,
			       uint64_t now_ms)
{
	uint64_t at;

	if (s->told.count == 0)
		return;
	at = presence_paced_at(p, now_ms);
	presence_sub_make_stale(s);
	if (s->say_ms < at)
		s->say_ms = at;
	presence_sub_settle(p, s, now_ms);
}

bool presence_sub_scout(struct presence *p, struct presence_sub *s,
			uint64_t now_ms)
{
	const struct presence_resource *r;

	presence_sub_promise(s);
	if (presence_sub_pick(p, s, &r) == PRESENCE_SAY_NOTHING)
		return false;
	s->say_ms = 0;
	presence_sub_settle(p, s, now_ms);
	return true;
}

/* --- stop ---------------------------------------------------------------- */

void presence_sub_stop(struct presence *p, struct presence_sub *s,
		       uint64_t now_ms)
{
	s->is_row_due = true;
	presence_sub_settle(p, s, now_ms);
}

/* --- operators ----------------------------------------------------------- */

static bool describe_notes(struct arena *a, const struct presence_resource *r,
			   Fed__PresenceResource *out)
{
	for (size_t i = 0; i < r->note_count; i++) {
		Fed__PresenceNote *n = arena_alloc(a, sizeof(*n));

		if (n == NULL)
			return false;
		fed__presence_note__init(n);
		n->lang = arena_dup(a, span_str(r->note[i].lang));
		n->text = arena_dup(a, span_str(r->note[i].text));
		if (n->lang == NULL || n->text == NULL ||
		    arena_append(a, (void ***)&out->note, &out->n_note, n) != 0)
			return false;
	}
	return true;
}

static bool describe_view(struct arena *a, const struct presence_view *v,
			  Fed__PresenceResource ***list, size_t *count)
{
	for (size_t i = 0; i < v->count; i++) {
		const struct presence_resource *r = v->items[i];
		Fed__PresenceResource *out = arena_alloc(a, sizeof(*out));

		if (out == NULL)
			return false;
		fed__presence_resource__init(out);
		out->name = arena_dup(a, span_str(r->name));
		out->open = r->is_open;
		out->show = r->show;
		out->priority = r->priority == PRESENCE_STALE ? 0 : r->priority;
		if (out->name == NULL || !describe_notes(a, r, out) ||
		    arena_append(a, (void ***)list, count, out) != 0)
			return false;
	}
	return true;
}

static int64_t age_ms(uint64_t at_ms, uint64_t now_ms)
{
	return at_ms == 0 ? -1 : (int64_t)(now_ms - at_ms);
}

static char *text_of(struct arena *a, const char *text)
{
	return arena_dup(a, text != NULL ? span_str(text) : SPAN_NULL);
}

static bool describe_dialog(struct arena *a, const struct presence_sub *s,
			    uint64_t now_ms, Fed__PresenceWatch *out)
{
	const struct presence_dialog *d = s->dialog;
	Fed__PresenceDialog *to;

	if (d == NULL)
		return true;
	to = arena_alloc(a, sizeof(*to));
	if (to == NULL)
		return false;
	fed__presence_dialog__init(to);
	to->call_id = arena_dup(a, presence_dialog_call_id(d));
	to->state = text_of(a, presence_sub_state_name(s));
	to->local_tag = text_of(a, presence_dialog_local_tag(d));
	to->remote_tag = text_of(a, d->remote_tag);
	to->remote_target = text_of(a, d->target);
	to->local_cseq = d->local_cseq;
	to->remote_cseq = d->remote_cseq;
	to->expires_in_ms = (int64_t)d->expires_ms - (int64_t)now_ms;
	to->document_age_ms = age_ms(s->doc_ms, now_ms);
	return to->call_id != NULL && to->state != NULL &&
	       to->local_tag != NULL && to->remote_tag != NULL &&
	       to->remote_target != NULL &&
	       arena_append(a, (void ***)&out->dialog, &out->n_dialog, to) == 0;
}

static const char *said_name(enum presence_sub_say say)
{
	switch (say) {
	case PRESENCE_SAY_NOTHING:
		break;
	case PRESENCE_SAY_ERROR:
		return "error";
	case PRESENCE_SAY_SUBSCRIBED:
		return "subscribed";
	case PRESENCE_SAY_UNSUBSCRIBED:
		return "unsubscribed";
	case PRESENCE_SAY_GONE:
	case PRESENCE_SAY_NO_ANSWER:
		return "unavailable";
	case PRESENCE_SAY_ANSWER:
	case PRESENCE_SAY_CHANGED:
		return "available";
	}
	return "";
}

/* What is due, in words. */
static char *waiting_for(const struct presence *p, const struct presence_sub *s,
			 struct arena *a, uint64_t now_ms)
{
	const struct presence_resource *r;
	enum presence_sub_say say = presence_sub_pick(p, s, &r);

	if (s->is_muted)
		return text_of(a, "the watcher to ask: his server answers "
				  "with errors");
	if (s->flying != PRESENCE_SUB_NO_REQUEST)
		return text_of(a, "response to SUBSCRIBE");
	if (s->item.stanza != NULL)
		return text_of(a, "the edge to deliver a stanza");
	if (say != PRESENCE_SAY_NOTHING)
		return arena_printf(a, "%s to be sent", said_name(say));
	if (presence_sub_due(s) != PRESENCE_SUB_NO_REQUEST)
		return text_of(a, "SUBSCRIBE to be sent");
	if (s->notify_by_ms != UINT64_MAX)
		return text_of(a, "NOTIFY");
	if (s->state == PRESENCE_SUB_WAITING)
		return arena_printf(
			a, "SUBSCRIBE in %llu s",
			(unsigned long long)(s->act_ms > now_ms
						     ? (s->act_ms - now_ms) /
							       1000
						     : 0));
	if (s->state == PRESENCE_SUB_LIVE && s->auth == PRESENCE_PENDING)
		return text_of(a, "approval by the SIP user");
	return text_of(a, "");
}

Fed__PresenceWatch *presence_sub_describe(struct presence *p,
					  const struct presence_sub *s,
					  struct arena *a, uint64_t now_ms)
{
	Fed__PresenceWatch *out = arena_alloc(a, sizeof(*out));

	if (out == NULL)
		return NULL;
	fed__presence_watch__init(out);
	out->direction = FED__WATCH_DIRECTION__XMPP_WATCHES_SIP;
	out->watcher = text_of(a, s->remote);
	out->presentity = text_of(a, s->local);
	out->authorization = text_of(a, presence_auth_name(s->auth));
	out->last_stanza = text_of(a, said_name(s->last_said));
	out->last_stanza_age_ms = age_ms(s->last_said_ms, now_ms);
	out->waiting_for = waiting_for(p, s, a, now_ms);
	if (out->watcher == NULL || out->presentity == NULL ||
	    out->authorization == NULL || out->last_stanza == NULL ||
	    out->waiting_for == NULL || !describe_dialog(a, s, now_ms, out) ||
	    !describe_view(a, &s->doc, &out->believed, &out->n_believed) ||
	    !describe_view(a, &s->told, &out->told, &out->n_told))
		return NULL;
	return out;
}
