/*
 * What the watcher is told (RFC 8048 5.2.2, RFC 6121 3.1.3, 4.3.2, 4.4): the
 * difference between what he was told and what is known, never a repetition.
 */
#include "fe-gateway/core/presence_sub_priv.h"

#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/error_map.h"
#include "xmpp/jid.h"

/* --- answers ------------------------------------------------------------- */

void presence_sub_drop_answer(struct presence_sub *s)
{
	struct presence_sub_answer *a = s->answer;

	if (a == NULL)
		return;
	free(a->to);
	free(a->id);
	free(a->resource);
	free(a->last);
	free(a);
	s->answer = NULL;
}

/* Two full JIDs that ask at once are both answered by way of the bare one. */
static struct span answer_to(const struct presence_sub *s, struct span to)
{
	if (s->answer != NULL && !span_eq_str(to, s->answer->to))
		return span_str(s->remote);
	return to;
}

int presence_sub_set_answer(struct presence_sub *s, struct span to,
			    struct span id, struct span resource)
{
	struct presence_sub_answer *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return FED_ENOMEM;
	a->to = span_dup(answer_to(s, to));
	if (id.n > 0)
		a->id = span_dup(id);
	if (resource.n > 0)
		a->resource = span_dup(resource);
	presence_sub_drop_answer(s);
	s->answer = a;
	s->is_answering = false;
	if (a->to != NULL && (id.n == 0 || a->id != NULL) &&
	    (resource.n == 0 || a->resource != NULL))
		return 0;
	presence_sub_drop_answer(s);
	return FED_ENOMEM;
}

/* The open resource that follows in the answer; NULL: none does. */
static const struct presence_resource *next_answer(const struct presence_sub *s)
{
	const struct presence_sub_answer *a = s->answer;
	const struct presence_resource *r;

	if (a->resource != NULL) {
		r = presence_view_find(&s->doc, span_str(a->resource));
		return a->last == NULL && r != NULL && r->is_open ? r : NULL;
	}
	for (size_t i = 0; i < s->doc.count; i++) {
		r = s->doc.items[i];
		if (r->is_open &&
		    (a->last == NULL || strcmp(r->name, a->last) > 0))
			return r;
	}
	return NULL;
}

void presence_sub_trim_answer(struct presence_sub *s)
{
	if (s->answer != NULL && s->answer->last != NULL &&
	    next_answer(s) == NULL)
		presence_sub_drop_answer(s);
}

static bool is_to_bare(const struct presence_sub *s)
{
	return strcmp(s->answer->to, s->remote) == 0;
}

/* --- what is next -------------------------------------------------------- */

static bool is_known_open(const struct presence_sub *s, const char *name)
{
	const struct presence_resource *r =
		presence_view_find(&s->doc, span_str(name));

	return r != NULL && r->is_open;
}

/* The first told one that is not there; all of them when is_all. */
static const struct presence_resource *pick_gone(const struct presence_sub *s,
						 bool is_all)
{
	for (size_t i = 0; i < s->told.count; i++)
		if (is_all || !is_known_open(s, s->told.items[i]->name))
			return s->told.items[i];
	return NULL;
}

/* As the watcher may see it. */
static struct presence_resource shown(const struct presence_sub *s,
				      const struct presence_resource *r)
{
	struct presence_resource copy = *r;

	if (s->hides_note)
		copy.note_count = 0;
	return copy;
}

static const struct presence_resource *pick_changed(
	const struct presence_sub *s)
{
	for (size_t i = 0; i < s->doc.count; i++) {
		const struct presence_resource *r = s->doc.items[i];
		const struct presence_resource *told;
		struct presence_resource now;

		if (!r->is_open)
			continue;
		now = shown(s, r);
		told = presence_view_find(&s->told, span_str(r->name));
		if (told == NULL || !presence_resource_eq(told, &now))
			return r;
	}
	return NULL;
}

static enum presence_sub_say pick_answer(const struct presence_sub *s,
					 const struct presence_resource **r_out)
{
	if (s->answer == NULL || !s->has_doc)
		return PRESENCE_SAY_NOTHING;
	*r_out = next_answer(s);
	if (*r_out != NULL)
		return PRESENCE_SAY_ANSWER;
	return s->answer->last == NULL ? PRESENCE_SAY_NO_ANSWER
				       : PRESENCE_SAY_NOTHING;
}

/* The watch is over, or never was one. */
static enum presence_sub_say pick_none(const struct presence_sub *s,
				       const struct presence_resource **r_out)
{
	if (s->error != 0)
		return PRESENCE_SAY_ERROR;
	if (!s->is_poll) {
		*r_out = pick_gone(s, true);
		if (*r_out != NULL)
			return PRESENCE_SAY_GONE;
	}
	if (s->owes_unsubscribed)
		return PRESENCE_SAY_UNSUBSCRIBED;
	return s->is_poll ? pick_answer(s, r_out) : PRESENCE_SAY_NOTHING;
}

/* Never a word of presence to one who was not approved; but what he was told
 * when he was, and left, is not there any more. */
static enum presence_sub_say pick_pending(
	const struct presence_sub *s, const struct presence_resource **r_out)
{
	if (s->error != 0)
		return PRESENCE_SAY_ERROR;
	if (s->is_approved)
		return PRESENCE_SAY_NOTHING;
	*r_out = pick_gone(s, true);
	return *r_out != NULL ? PRESENCE_SAY_GONE : PRESENCE_SAY_NOTHING;
}

static enum presence_sub_say pick_allowed(
	const struct presence *p, const struct presence_sub *s,
	const struct presence_resource **r_out)
{
	enum presence_sub_say say;

	if (s->owes_subscribed)
		return PRESENCE_SAY_SUBSCRIBED;
	if (!s->has_doc && !p->is_stopping)
		return PRESENCE_SAY_NOTHING;
	*r_out = pick_gone(s, p->is_stopping);
	if (*r_out != NULL)
		return PRESENCE_SAY_GONE;
	if (p->is_stopping)
		return PRESENCE_SAY_NOTHING;
	say = pick_answer(s, r_out);
	if (say != PRESENCE_SAY_NOTHING)
		return say;
	*r_out = pick_changed(s);
	return *r_out != NULL ? PRESENCE_SAY_CHANGED : PRESENCE_SAY_NOTHING;
}

/* What he was told is not there any more: all else would tell him why. */
static enum presence_sub_say pick_barred(const struct presence_sub *s,
					 const struct presence_resource **r_out)
{
	if (!s->is_poll)
		*r_out = pick_gone(s, true);
	return *r_out != NULL ? PRESENCE_SAY_GONE : PRESENCE_SAY_NOTHING;
}

enum presence_sub_say presence_sub_pick(const struct presence *p,
					const struct presence_sub *s,
					const struct presence_resource **r_out)
{
	*r_out = NULL;
	if (s->is_barred)
		return pick_barred(s, r_out);
	if (s->is_muted)
		return PRESENCE_SAY_NOTHING;
	switch (s->auth) {
	case PRESENCE_NONE:
		return pick_none(s, r_out);
	case PRESENCE_PENDING:
		return pick_pending(s, r_out);
	case PRESENCE_ALLOWED:
		break;
	}
	return pick_allowed(p, s, r_out);
}

/* --- stanzas ------------------------------------------------------------- */

static Fed__Error *make_error(struct presence *p, const struct presence_sub *s)
{
	Fed__Error *e = NULL;

	if (s->error < 0)
		return error_map_from_cause(
			(enum error_map_cause)(-s->error - 1), &p->arena);
	if (error_map_from_sip(s->error, SPAN_NULL, SPAN_NULL, &p->arena, &e) !=
	    0)
		return NULL;
	/* the watcher has no right to know who exists */
	if (e != NULL)
		error_map_conceal(e);
	return e;
}

static bool say_error(struct presence *p, const struct presence_sub *s,
		      struct presence_action *out)
{
	Fed__Presence *to =
		presence_make_stanza(p, out, s->local, "", s->remote, s->ask_id,
				     FED__PRESENCE_TYPE__PRESENCE_ERROR);

	if (to == NULL)
		return false;
	to->error = make_error(p, s);
	return to->error != NULL;
}

static bool fill(struct presence *p, const struct presence_sub *s,
		 const struct presence_resource *r, Fed__Presence *to)
{
	struct presence_resource now = shown(s, r);

	return presence_fill_stanza(p, to, &now);
}

/* Notes of a resource that is closed, if the document has it. */
static bool fill_closed(struct presence *p, const struct presence_sub *s,
			const char *name, Fed__Presence *to)
{
	const struct presence_resource *r = NULL;

	if (name != NULL)
		r = presence_view_find(&s->doc, span_str(name));
	else if (s->doc.count > 0)
		r = s->doc.items[0];
	return r == NULL || r->is_open || fill(p, s, r, to);
}

static bool say_gone(struct presence *p, const struct presence_sub *s,
		     const char *name, struct presence_action *out)
{
	Fed__Presence *to =
		presence_make_stanza(p, out, s->local, name, s->remote, NULL,
				     FED__PRESENCE_TYPE__UNAVAILABLE);

	return to != NULL && fill_closed(p, s, name, to);
}

static bool say_unsubscribed(struct presence *p, const struct presence_sub *s,
			     struct presence_action *out)
{
	const char *id = s->is_poll && s->answer != NULL ? s->answer->id : NULL;

	return presence_make_stanza(p, out, s->local, "", s->remote, id,
				    FED__PRESENCE_TYPE__UNSUBSCRIBED) != NULL;
}

/* RFC 6121 4.3.2.1: the id is mirrored in what says that nobody is there. */
static bool say_no_answer(struct presence *p, const struct presence_sub *s,
			  struct presence_action *out)
{
	const struct presence_sub_answer *a = s->answer;
	const char *resource = a->resource != NULL ? a->resource : "";
	Fed__Presence *to =
		presence_make_stanza(p, out, s->local, resource, a->to, a->id,
				     FED__PRESENCE_TYPE__UNAVAILABLE);

	return to != NULL && fill_closed(p, s, a->resource, to);
}

static bool say_open(struct presence *p, const struct presence_sub *s,
		     const struct presence_resource *r, const char *to_jid,
		     bool is_bare, struct presence_action *out)
{
	Fed__Presence *to =
		presence_make_stanza(p, out, s->local, r->name, to_jid, NULL,
				     FED__PRESENCE_TYPE__AVAILABLE);

	/* RFC 6121 4.3.2: a probe of a full JID learns of availability alone */
	return to != NULL && (is_bare || fill(p, s, r, to));
}

/* What the watcher then knows; false: no memory. */
static bool note_told(struct presence_sub *s, enum presence_sub_say say,
		      const struct presence_resource *r)
{
	struct presence_resource told = shown(s, r);

	if (say == PRESENCE_SAY_ANSWER && (s->is_poll || !is_to_bare(s)))
		return true;
	if (say == PRESENCE_SAY_ANSWER && s->answer->resource != NULL)
		told.priority = PRESENCE_STALE;
	return presence_view_set(&s->told, &told) == 0;
}

static bool make(struct presence *p, struct presence_sub *s,
		 enum presence_sub_say say, const struct presence_resource *r,
		 struct presence_action *out)
{
	switch (say) {
	case PRESENCE_SAY_NOTHING:
		break;
	case PRESENCE_SAY_ERROR:
		return say_error(p, s, out);
	case PRESENCE_SAY_SUBSCRIBED:
		return presence_make_stanza(
			       p, out, s->local, "", s->remote, NULL,
			       FED__PRESENCE_TYPE__SUBSCRIBED) != NULL;
	case PRESENCE_SAY_GONE:
		return say_gone(p, s, r->name, out);
	case PRESENCE_SAY_UNSUBSCRIBED:
		return say_unsubscribed(p, s, out);
	case PRESENCE_SAY_ANSWER:
		return say_open(p, s, r, s->answer->to,
				s->answer->resource != NULL, out) &&
		       note_told(s, say, r);
	case PRESENCE_SAY_NO_ANSWER:
		return say_no_answer(p, s, out);
	case PRESENCE_SAY_CHANGED:
		return say_open(p, s, r, s->remote, false, out) &&
		       note_told(s, say, r);
	}
	return false;
}

/* A promise that cannot be kept now is not in the store as kept. */
static void unsay_subscribed(struct presence_sub *s)
{
	s->auth = PRESENCE_PENDING;
	s->owes_subscribed = false;
	s->is_approved = true;
	s->is_row_due = true;
}

void presence_sub_promise(struct presence_sub *s)
{
	if (s->auth != PRESENCE_PENDING || !s->is_approved)
		return;
	s->auth = PRESENCE_ALLOWED;
	s->is_approved = false;
	s->owes_subscribed = true;
	s->is_row_due = true;
}

/* It is on its way: what it said is not due any more. */
static void leave(struct presence_sub *s, enum presence_sub_say say, char *name,
		  uint64_t now_ms)
{
	s->said = s->last_said = say;
	s->said_name = name;
	s->last_said_ms = now_ms;
	s->is_answering =
		say == PRESENCE_SAY_ANSWER || say == PRESENCE_SAY_NO_ANSWER;
	if (say == PRESENCE_SAY_ERROR)
		s->error = 0;
	else if (say == PRESENCE_SAY_SUBSCRIBED)
		s->owes_subscribed = false;
	else if (say == PRESENCE_SAY_UNSUBSCRIBED)
		s->owes_unsubscribed = false;
}

static bool try_again(struct presence *p, struct presence_sub *s,
		      uint64_t now_ms)
{
	s->again_ms = now_ms + LIMIT_PRESENCE_AGAIN_MS;
	presence_sub_arm(p, s, now_ms);
	return false;
}

bool presence_sub_next_stanza(struct presence *p, struct presence_sub *s,
			      struct presence_action *out, uint64_t now_ms)
{
	const struct presence_resource *r;
	enum presence_sub_say say = presence_sub_pick(p, s, &r);
	char *name = NULL;

	if (say == PRESENCE_SAY_NOTHING || s->is_row_due || now_ms < s->say_ms)
		return false;
	if (presence_domain_is_away(p, jid_split(span_str(s->remote)).domain)) {
		if (!s->owes_subscribed)
			return false;
		unsay_subscribed(s);
		return try_again(p, s, now_ms);
	}
	if (r != NULL) {
		name = span_dup(span_str(r->name));
		if (name == NULL)
			return try_again(p, s, now_ms);
	}
	if (!make(p, s, say, r, out)) {
		free(name);
		return try_again(p, s, now_ms);
	}
	leave(s, say, name, now_ms);
	return true;
}

/* --- outcomes ------------------------------------------------------------ */

/* What the watcher knows of it is not known. */
static void make_stale(struct presence_sub *s, const char *name)
{
	for (size_t i = 0; i < s->told.count; i++)
		if (strcmp(s->told.items[i]->name, name) == 0)
			s->told.items[i]->priority = PRESENCE_STALE;
}

void presence_sub_make_stale(struct presence_sub *s)
{
	for (size_t i = 0; i < s->told.count; i++) {
		struct presence_resource *told = s->told.items[i];

		/* what is in flight right now is new */
		if (s->said_name == NULL ||
		    strcmp(told->name, s->said_name) != 0)
			told->priority = PRESENCE_STALE;
	}
}

/* Refused for now: it is said again later. */
static void bounced(struct presence *p, struct presence_sub *s,
		    enum presence_sub_say said, const char *name,
		    uint64_t now_ms)
{
	uint64_t wait_ms = LIMIT_PRESENCE_RETRY_MIN_MS;

	for (uint32_t i = 0;
	     i < s->bounces && wait_ms < LIMIT_PRESENCE_RETRY_MAX_MS; i++)
		wait_ms *= 2;
	s->bounces++;
	s->say_ms = now_ms + wait_ms + presence_jitter(p, wait_ms / 4);
	if (said == PRESENCE_SAY_SUBSCRIBED && s->auth == PRESENCE_ALLOWED)
		unsay_subscribed(s);
	else if (said == PRESENCE_SAY_UNSUBSCRIBED && s->auth == PRESENCE_NONE)
		s->owes_unsubscribed = true;
	else if ((said == PRESENCE_SAY_CHANGED ||
		  said == PRESENCE_SAY_ANSWER) &&
		 name != NULL)
		make_stale(s, name);
}

/* The answer goes on behind what was said. */
static void step_answer(struct presence_sub *s, enum presence_sub_say said,
			char **name)
{
	struct presence_sub_answer *a = s->answer;

	if (a == NULL || !s->is_answering)
		return;
	if (said == PRESENCE_SAY_NO_ANSWER) {
		presence_sub_drop_answer(s);
	} else if (said == PRESENCE_SAY_ANSWER) {
		free(a->last);
		a->last = *name;
		*name = NULL;
	}
}

static bool is_for_now(const Fed__Error *e)
{
	return presence_is_unreachable(e) || e->type == FED__ERROR_TYPE__WAIT ||
	       e->condition == FED__CONDITION__RESOURCE_CONSTRAINT;
}

void presence_sub_on_outcome(struct presence *p, struct presence_sub *s,
			     const Fed__Error *refused, uint64_t now_ms)
{
	struct span domain = jid_split(span_str(s->remote)).domain;
	enum presence_sub_say said = s->said;
	char *name;

	if (refused == NULL)
		presence_domain_seen(p, domain, now_ms);
	else if (presence_is_unreachable(refused))
		presence_domain_failed(p, domain, now_ms);
	name = s->said_name;
	s->said = PRESENCE_SAY_NOTHING;
	s->said_name = NULL;
	s->is_row_due = true;
	if (refused != NULL && is_for_now(refused)) {
		bounced(p, s, said, name, now_ms);
	} else {
		if (refused != NULL)
			presence_sub_count_error(p, s, now_ms);
		else
			s->bounces = 0;
		if (said == PRESENCE_SAY_GONE)
			(void)presence_view_remove(&s->told, span_str(name));
		step_answer(s, said, &name);
	}
	s->is_answering = false;
	free(name);
	presence_sub_settle(p, s, now_ms);
}
