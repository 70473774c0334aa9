/* What a watcher sends (RFC 8048 5.2, 7.1; RFC 6121 3.1.3, 3.3.3, 4.3.2). */
#include "fe-gateway/core/presence_sub_priv.h"

#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/address.h"
#include "xmpp/jid.h"

/* A presence stanza in its parts. */
struct ask {
	const Fed__Stanza *stanza;
	struct jid_parts from;
	struct jid_parts to;
	char local[LIMIT_JID_BYTES + 1];  /* the SIP user */
	char remote[LIMIT_JID_BYTES + 1]; /* the watcher */
};

static void copy_bare(char out[LIMIT_JID_BYTES + 1], struct span bare)
{
	size_t n = bare.n < LIMIT_JID_BYTES ? bare.n : LIMIT_JID_BYTES;

	memcpy(out, bare.p, n);
	out[n] = '\0';
}

/* The Outcome, when the row is durable; false: the store takes none. */
static bool acknowledge(struct presence *p, struct presence_sub *s, size_t edge,
			uint64_t ref)
{
	bool is_put = presence_sub_put(p, s) == 0;

	presence_outcome(p, edge, ref,
			 is_put ? FED__CONDITION__NO_CONDITION
				: FED__CONDITION__RESOURCE_CONSTRAINT,
			 is_put ? s->item.seq : 0);
	return is_put;
}

/* --- subscribe ----------------------------------------------------------- */

/* The condition that it is refused with; NO_CONDITION: both have a URI. */
static Fed__Condition check_names(const struct ask *a)
{
	struct buf uri;
	int err;

	/* a domain watches nobody */
	if (a->from.local.n == 0)
		return FED__CONDITION__SERVICE_UNAVAILABLE;
	buf_init(&uri, LIMIT_SIP_URI_BYTES);
	err = address_jid_to_aor(span_str(a->remote), ADDRESS_SIP, &uri);
	if (err == 0)
		err = address_jid_to_aor(span_str(a->local), ADDRESS_SIP, &uri);
	buf_deinit(&uri);
	return err == 0 ? FED__CONDITION__NO_CONDITION
			: address_error_condition(err);
}

/* LIMIT: one who asks for everybody, a domain that invents such.
 * @return NULL: that, another limit, or no memory */
static struct presence_sub *make(struct presence *p, const struct ask *a)
{
	struct presence_sub *s;

	if (!presence_share_has_room(p, PRESENCE_ITEM_SUB, a->remote) ||
	    !presence_domain_has_room(p, a->from.domain)) {
		metrics_count(p->p.metrics, METRIC_queue_full);
		return NULL;
	}
	s = presence_sub_new(p, a->local, a->remote);
	if (s != NULL)
		presence_sub_judge(p, s);
	return s;
}

static void set_ask_id(struct presence_sub *s, const struct ask *a)
{
	free(s->ask_id);
	/* without memory the error has an id of its own */
	s->ask_id = a->stanza->id[0] != '\0' ? span_dup(span_str(a->stanza->id))
					     : NULL;
	s->may_err = true;
	s->error = 0;
}

/* From the begin, whatever is left of an earlier watch or a poll. */
static void start(struct presence *p, struct presence_sub *s, uint64_t now_ms)
{
	presence_sub_set_auth(p, s, PRESENCE_PENDING, now_ms);
	presence_sub_forget_doc(s, false);
	presence_sub_drop_answer(s);
	s->owes_unsubscribed = s->owes_subscribed = s->is_approved = false;
	s->is_leaving = s->is_taken = s->is_cancelled = false;
	s->say_ms = 0;
	if (s->is_poll) {
		p->poll_count--;
		s->is_poll = false;
		presence_sub_begin(p, s, "subscribe", now_ms);
		return;
	}
	presence_sub_poke(p, s, now_ms);
}

/* RFC 6121 3.1.3: who was approved is told so again. */
static void again(struct presence *p, struct presence_sub *s, uint64_t now_ms)
{
	s->owes_subscribed = true;
	if (presence_sub_set_answer(s, span_str(s->remote), SPAN_NULL,
				    SPAN_NULL) != 0)
		presence_log(p, FED_LOG_WARN, "out", s->local, s->remote,
			     "why=no-memory");
	presence_sub_poke(p, s, now_ms);
}

/* LIMIT: while the disk stands still, Outcomes that wait for it would fill the
 * window, which messages need too.  Who has a row waits for none. */
static bool is_too_slow(struct presence *p, const struct presence_sub *s,
			uint64_t now_ms)
{
	if ((s != NULL && s->auth != PRESENCE_NONE) ||
	    !presence_held_is_stuck(p, now_ms))
		return false;
	metrics_count(p->p.metrics, METRIC_queue_full);
	return true;
}

static void on_subscribe(struct presence *p, struct presence_sub *s,
			 const struct ask *a, size_t edge, uint64_t ref,
			 uint64_t now_ms)
{
	Fed__Condition refused = check_names(a);

	if (refused == FED__CONDITION__NO_CONDITION &&
	    is_too_slow(p, s, now_ms))
		refused = FED__CONDITION__RESOURCE_CONSTRAINT;
	if (refused == FED__CONDITION__NO_CONDITION && s == NULL) {
		s = make(p, a);
		if (s == NULL)
			refused = FED__CONDITION__RESOURCE_CONSTRAINT;
	}
	if (refused != FED__CONDITION__NO_CONDITION) {
		presence_outcome(p, edge, ref, refused, 0);
		return;
	}
	if (s->auth == PRESENCE_NONE)
		start(p, s, now_ms);
	else if (s->auth == PRESENCE_ALLOWED)
		again(p, s, now_ms);
	else
		presence_sub_poke(p, s, now_ms);
	set_ask_id(s, a);
	if (!acknowledge(p, s, edge, ref) && s->row_auth == PRESENCE_NONE) {
		/* what cannot be kept was not taken */
		s->auth = PRESENCE_NONE;
		presence_sub_quiet(p, s, "no-store", now_ms);
	}
	presence_sub_settle(p, s, now_ms);
}

/* --- unsubscribe --------------------------------------------------------- */

static void on_unsubscribe(struct presence *p, struct presence_sub *s,
			   size_t edge, uint64_t ref, uint64_t now_ms)
{
	/* RFC 6121 A.3.2: there is nothing to change */
	if (s == NULL || (s->auth == PRESENCE_NONE && !s->is_cancelled)) {
		presence_outcome(p, edge, ref, FED__CONDITION__NO_CONDITION, 0);
		return;
	}
	if (s->is_cancelled) {
		s->is_cancelled = false;
		(void)acknowledge(p, s, edge, ref);
		presence_sub_settle(p, s, now_ms);
		return;
	}
	presence_sub_set_auth(p, s, PRESENCE_NONE, now_ms);
	presence_sub_forget_doc(s, false);
	presence_sub_drop_answer(s);
	s->owes_subscribed = s->is_approved = s->is_muted = false;
	s->error = 0;
	s->is_again = false;
	s->is_leaving = true;
	/* it may be ending already, for another reason */
	if (s->state != PRESENCE_SUB_ENDING)
		presence_sub_end(p, s, "unsubscribe", now_ms);
	(void)acknowledge(p, s, edge, ref);
	presence_sub_settle(p, s, now_ms);
}

/* --- probe --------------------------------------------------------------- */

/* A stranger asks: SIP says what he may see (RFC 8048 7.1). */
static void poll(struct presence *p, const struct ask *a, uint64_t now_ms)
{
	struct presence_sub *s;

	/* LIMIT: probes of strangers for invented users */
	if (p->poll_count >= LIMIT_PRESENCE_POLLS ||
	    check_names(a) != FED__CONDITION__NO_CONDITION)
		return;
	s = make(p, a);
	if (s == NULL)
		return;
	p->poll_count++;
	s->is_poll = true;
	if (presence_sub_set_answer(s, span_str(a->stanza->from),
				    span_str(a->stanza->id),
				    a->to.resource) == 0)
		presence_sub_begin(p, s, "probe", now_ms);
	presence_sub_settle(p, s, now_ms);
}

static void on_probe(struct presence *p, struct presence_sub *s,
		     const struct ask *a, uint64_t now_ms)
{
	if (s == NULL) {
		poll(p, a, now_ms);
		return;
	}
	/* who is not approved learns nothing, not even that */
	if (s->auth == PRESENCE_ALLOWED || s->is_poll) {
		if (presence_sub_set_answer(s, span_str(a->stanza->from),
					    span_str(a->stanza->id),
					    a->to.resource) != 0)
			presence_log(p, FED_LOG_WARN, "out", s->local,
				     s->remote, "why=no-memory");
	}
	if (s->auth != PRESENCE_NONE)
		presence_sub_poke(p, s, now_ms);
	presence_sub_settle(p, s, now_ms);
}

/* --- errors -------------------------------------------------------------- */

void presence_sub_count_error(struct presence *p, struct presence_sub *s,
			      uint64_t now_ms)
{
	s->errors++;
	if (s->errors < LIMIT_PRESENCE_ERRORS || s->is_muted)
		return;
	presence_log(p, FED_LOG_INFO, "out", s->local, s->remote,
		     "why=errors is=muted");
	s->is_muted = true;
	presence_sub_make_stale(s);
	presence_sub_drop_answer(s);
	presence_sub_forget_doc(s, false);
	s->is_again = false;
	if (s->state != PRESENCE_SUB_ENDING)
		presence_sub_end(p, s, "errors", now_ms);
}

void presence_sub_unmute(struct presence_sub *s)
{
	if (s->is_muted)
		presence_sub_forget_doc(s, false);
	s->is_muted = false;
	s->errors = 0;
}

void presence_sub_on_stanza(struct presence *p, size_t edge, uint64_t ref,
			    const Fed__Stanza *stanza, uint64_t now_ms)
{
	struct ask a = {.stanza = stanza};
	struct presence_sub *s;

	a.from = jid_split(span_str(stanza->from));
	a.to = jid_split(span_str(stanza->to));
	copy_bare(a.remote, a.from.bare);
	copy_bare(a.local, a.to.bare);
	s = presence_sub_find(p, a.local, a.remote);
	if (s != NULL && presence_access_look(p, &s->item, now_ms))
		s = presence_sub_find(p, a.local, a.remote);
	switch (stanza->presence->type) {
	case FED__PRESENCE_TYPE__SUBSCRIBE:
		on_subscribe(p, s, &a, edge, ref, now_ms);
		return;
	case FED__PRESENCE_TYPE__UNSUBSCRIBE:
		on_unsubscribe(p, s, edge, ref, now_ms);
		return;
	case FED__PRESENCE_TYPE__PROBE:
		presence_outcome(p, edge, ref, FED__CONDITION__NO_CONDITION, 0);
		on_probe(p, s, &a, now_ms);
		return;
	case FED__PRESENCE_TYPE__PRESENCE_ERROR:
		presence_outcome(p, edge, ref, FED__CONDITION__NO_CONDITION, 0);
		if (s == NULL)
			return;
		presence_sub_count_error(p, s, now_ms);
		presence_sub_settle(p, s, now_ms);
		return;
	case FED__PRESENCE_TYPE__AVAILABLE:
	case FED__PRESENCE_TYPE__UNAVAILABLE:
	case FED__PRESENCE_TYPE__SUBSCRIBED:
	case FED__PRESENCE_TYPE__UNSUBSCRIBED:
	case _FED__PRESENCE_TYPE_IS_INT_SIZE:
		break;
	}
	presence_outcome(p, edge, ref, FED__CONDITION__NO_CONDITION, 0);
}
