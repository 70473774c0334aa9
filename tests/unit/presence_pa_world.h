/*
 * A world around OUT: a presence server with policies and dialogs, SIP users
 * who come and go, an XMPP server with a roster, a store that commits late,
 * ways that break.  It knows the truth, so that at rest it can be compared
 * with what each watcher was told last.
 */
#ifndef FED_TESTS_PRESENCE_PA_WORLD_H
#define FED_TESTS_PRESENCE_PA_WORLD_H

#include "presence_sub_harness.h"

enum {
	WATCHERS = 3,
	USERS = 3,
	PAIRS = WATCHERS * USERS,
	RESOURCES = 3,
	DIALOGS = 8, /* of one pair */
	IN_FLIGHT = 64,
	ASKS = 256,
};

enum policy { POLICY_PENDING, POLICY_ALLOWED, POLICY_REJECTED };
enum roster { ROSTER_NONE, ROSTER_ASKED, ROSTER_TO };

/* Shows of a resource; 0: it is closed. */
static const char *const SHOWS[] = {"", "", "away", "dnd"};

struct pa_dialog {
	bool is_used, is_due;
	bool is_kept; /* the next run must know it, too */
	char call_id[80], their_tag[80];
	unsigned tag;
	uint64_t expires_ms;
};

struct pair {
	enum policy policy;
	enum roster roster;
	int subscribes;	 /* that were sent */
	int subscribeds; /* that came */
	bool was_shown;	 /* SIP has shown presence since it last refused */
	bool is_shaken;	 /* a crash may have lost a stanza */
	struct pa_dialog dialogs[DIALOGS];
	int view[RESOURCES]; /* the watcher's */
	int sip_flying, stanzas_flying;
};

struct pa_flight {
	bool is_used, is_sip;
	int pair;
	uint64_t token;
	struct sent sent;     /* SIP */
	int type, name, show; /* stanza; name -1: bare */
};

/* A stanza of a watcher without Outcome: the edge sends it again. */
struct pa_ask {
	uint64_t ref; /* 0: none */
	int pair;
	Fed__PresenceType type;
};

struct world {
	struct fixture *f;
	uint64_t seed;
	bool is_calm; /* nothing fails any more */
	int truth[USERS][RESOURCES];
	struct pair pairs[PAIRS];
	struct pa_flight flights[IN_FLIGHT];
	struct pa_ask asks[ASKS];
	uint64_t late_ms; /* the oldest row that is not durable; 0: none */
	unsigned late_refusals;
	uint64_t notify_handle;
	int notify_status;
	unsigned next_tag;
	uint32_t next_cseq;
};

static inline unsigned chance(struct world *w, unsigned below)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return (unsigned)(w->seed >> 33) % below;
}

/* --- what the gateway does ------------------------------------------------ */

static inline int pair_of(const char *watcher, const char *user)
{
	int w = -1, u = -1;

	assert_int_equal(sscanf(watcher, "w%d@example.com", &w), 1);
	assert_int_equal(sscanf(user, "u%d@example.net", &u), 1);
	assert_true(w >= 0 && w < WATCHERS && u >= 0 && u < USERS);
	return w * USERS + u;
}

static inline struct pa_flight *new_flight(struct world *w, int pair,
					   bool is_sip, uint64_t token)
{
	for (size_t i = 0; i < IN_FLIGHT; i++) {
		struct pa_flight *x = &w->flights[i];

		if (x->is_used)
			continue;
		*x = (struct pa_flight){true, is_sip, pair, token,
					{0},  0,      0,    0};
		return x;
	}
	fail_msg("too much in flight");
	return NULL;
}

static inline void world_sip(struct world *w, const struct presence_action *act)
{
	const struct sip_request_out *q = act->u.sip_send.request;
	int pair = pair_of(q->from_uri + 4, q->to_uri + 4);
	struct pa_flight *x = new_flight(w, pair, true, act->u.sip_send.token);

	/* one of each watch, never more; a poll may follow a watch that is
	 * over before its last response is there */
	assert_true(++w->pairs[pair].sip_flying <= 4);
	x->sent = (struct sent){.cseq = q->cseq, .expires = q->expires};
	(void)snprintf(x->sent.call_id, 80, "%s", q->call_id);
	(void)snprintf(x->sent.from_tag, 80, "%s", q->from_tag);
	(void)snprintf(x->sent.to_tag, 80, "%s",
		       q->to_tag != NULL ? q->to_tag : "");
}

static inline void world_stanza(struct world *w,
				const struct presence_action *act)
{
	const Fed__Stanza *s = act->u.stanza.stanza;
	int pair = pair_of(s->to, s->from);
	struct pa_flight *x = new_flight(w, pair, false, act->u.stanza.token);
	const char *name = strchr(s->from, '/');

	assert_int_equal(stanza_validate(s), 0);
	assert_true(++w->pairs[pair].stanzas_flying <= 1);
	x->type = (int)s->presence->type;
	x->name = name != NULL ? name[2] - '0' : -1;
	x->show = s->presence->show == FED__SHOW__AWAY	? 2
		  : s->presence->show == FED__SHOW__DND ? 3
							: 1;
	/* nothing of presence without a word of the SIP side */
	if (x->type == FED__PRESENCE_TYPE__AVAILABLE)
		assert_true(w->pairs[pair].was_shown ||
			    w->pairs[pair].is_shaken);
}

/* Nothing but a "subscribe", and that only while the disk stands still. */
static inline void world_refused(struct world *w, struct pa_ask *ask,
				 const Fed__Error *refused)
{
	assert_int_equal(ask->type, FED__PRESENCE_TYPE__SUBSCRIBE);
	assert_int_equal(refused->condition,
			 FED__CONDITION__RESOURCE_CONSTRAINT);
	assert_true(w->late_ms > 0 &&
		    w->f->now >= w->late_ms + LIMIT_PRESENCE_STUCK_MS);
	w->late_refusals++;
	/* his server gets an error, and he is told */
	if (w->pairs[ask->pair].roster == ROSTER_ASKED)
		w->pairs[ask->pair].roster = ROSTER_NONE;
}

static inline void world_outcome(struct world *w,
				 const struct presence_action *act)
{
	for (size_t i = 0; i < ASKS; i++) {
		struct pa_ask *ask = &w->asks[i];

		if (ask->ref != act->u.outcome.ref)
			continue;
		ask->ref = 0;
		if (act->u.outcome.refused != NULL)
			world_refused(w, ask, act->u.outcome.refused);
	}
}

static inline void world_drain(struct world *w)
{
	struct fixture *f = w->f;
	struct presence_action act;

	while (presence_next_action(f->p, true, &act, f->now)) {
		switch (act.kind) {
		case PRESENCE_ACT_SIP_REPLY:
			if (act.u.sip_reply.handle == w->notify_handle)
				w->notify_status =
					act.u.sip_reply.reply->line.status;
			break;
		case PRESENCE_ACT_SIP_SEND:
			world_sip(w, &act);
			break;
		case PRESENCE_ACT_STANZA:
			world_stanza(w, &act);
			break;
		case PRESENCE_ACT_OUTCOME:
			world_outcome(w, &act);
			break;
		case PRESENCE_ACT_STORE:
			f->put_seq = act.u.store.seq;
			if (w->late_ms == 0)
				w->late_ms = f->now;
			rows_put(&f->put, act.u.store.row);
			break;
		}
	}
}

static inline void world_commit(struct world *w)
{
	w->late_ms = 0;
	commit(w->f);
}

/* --- the watcher's server ------------------------------------------------ */

static inline void world_ask(struct world *w, int pair, Fed__PresenceType type)
{
	char from[32], to[32];
	size_t i = 0;

	(void)snprintf(from, sizeof(from), "w%d@example.com", pair / USERS);
	(void)snprintf(to, sizeof(to), "u%d@example.net", pair % USERS);
	while (i < ASKS && w->asks[i].ref != 0)
		i++;
	assert_true(i < ASKS);
	w->asks[i] = (struct pa_ask){w->f->next_ref + 1, pair, type};
	(void)from_xmpp(w->f, from, to, "q", type);
}

static inline void world_land(struct world *w, struct pa_flight *x)
{
	struct pair *pair = &w->pairs[x->pair];

	switch (x->type) {
	case FED__PRESENCE_TYPE__SUBSCRIBED:
		/* each answers a "subscribe" of its own; after a crash it may
		 * come twice rather than never */
		assert_true(++pair->subscribeds <= pair->subscribes ||
			    pair->is_shaken);
		if (pair->roster == ROSTER_ASKED)
			pair->roster = ROSTER_TO;
		break;
	case FED__PRESENCE_TYPE__UNSUBSCRIBED:
		/* ghosts go before */
		for (int i = 0; i < RESOURCES; i++)
			assert_int_equal(pair->view[i], 0);
		pair->roster = ROSTER_NONE;
		break;
	case FED__PRESENCE_TYPE__AVAILABLE:
		assert_true(x->name >= 0);
		/* what others are told is forgotten */
		if (pair->roster == ROSTER_TO)
			pair->view[x->name] = x->show;
		break;
	case FED__PRESENCE_TYPE__UNAVAILABLE:
		if (x->name >= 0)
			pair->view[x->name] = 0;
		break;
	default:
		break;
	}
}

/* --- the presence server ------------------------------------------------- */

static inline void drop_dialogs(struct world *w, int pair)
{
	memset(w->pairs[pair].dialogs, 0, sizeof(w->pairs[pair].dialogs));
}

static inline void send_notify(struct world *w, int pair, struct pa_dialog *d,
			       const char *state, bool has_doc)
{
	struct sip_request_in q = request_of(w->f, "NOTIFY");
	char doc[2048] = XML "<presence xmlns='urn:ietf:params:xml:ns:pidf'"
			     " entity='pres:u@example.net'>";
	char tag[16];

	for (int i = 0; i < RESOURCES; i++) {
		int show = w->truth[pair % USERS][i];
		size_t n = strlen(doc);

		if (show > 0)
			(void)snprintf(doc + n, sizeof(doc) - n,
				       "<tuple id='r%d'><status><basic>open"
				       "</basic><show xmlns='jabber:client'>"
				       "%s</show></status></tuple>",
				       i, SHOWS[show]);
	}
	(void)strcat(doc, "</presence>");
	(void)snprintf(tag, sizeof(tag), "t%u", d->tag);
	q.call_id = span_str(d->call_id);
	q.to_tag = span_str(d->their_tag);
	q.has_to_tag = true;
	q.from_tag = span_str(tag);
	q.contact_uri = SPAN_LIT("sip:pa@192.0.2.1");
	q.cseq = ++w->next_cseq;
	q.subscription_state = span_str(state);
	if (has_doc) {
		q.content_type = SPAN_LIT(PIDF_TYPE);
		q.body = span_str(doc);
		w->pairs[pair].was_shown = true;
	}
	w->notify_handle = q.handle;
	w->notify_status = 0;
	d->is_due = false;
	presence_on_sip_request(w->f->p, &q, w->f->now);
	world_drain(w);
	assert_true(w->notify_status == 200 || w->notify_status == 481);
	if (w->notify_status == 481)
		d->is_used = false;
}

static inline void notify_state(struct world *w, int pair, struct pa_dialog *d)
{
	bool is_allowed = w->pairs[pair].policy == POLICY_ALLOWED;
	char state[64];

	(void)snprintf(state, sizeof(state), "%s;expires=%llu",
		       is_allowed ? "active" : "pending",
		       (unsigned long long)(d->expires_ms - w->f->now) / 1000);
	send_notify(w, pair, d, state, is_allowed);
}

static inline struct pa_dialog *find_dialog(struct pair *pair,
					    const struct sent *s)
{
	for (int i = 0; i < DIALOGS; i++)
		if (pair->dialogs[i].is_used &&
		    strcmp(pair->dialogs[i].call_id, s->call_id) == 0)
			return &pair->dialogs[i];
	return NULL;
}

static inline struct pa_dialog *make_dialog(struct world *w, struct pair *pair,
					    const struct sent *s)
{
	struct pa_dialog *d = &pair->dialogs[chance(w, DIALOGS)];

	memset(d, 0, sizeof(*d));
	d->is_used = true;
	d->tag = ++w->next_tag;
	(void)snprintf(d->call_id, sizeof(d->call_id), "%s", s->call_id);
	(void)snprintf(d->their_tag, sizeof(d->their_tag), "%s", s->from_tag);
	return d;
}

static inline void answer_by(struct world *w, struct pa_flight *x, int status,
			     const struct pa_dialog *d)
{
	struct sip_response_in r = {
		.end = status > 0 ? SIP_END_RESPONSE : SIP_END_TIMEOUT,
		.status = status,
		.contact_uri = SPAN_LIT("sip:pa@192.0.2.1"),
		.has_expires = status == 200,
		.expires = x->sent.expires,
	};
	char tag[16];

	if (d != NULL) {
		(void)snprintf(tag, sizeof(tag), "t%u", d->tag);
		r.to_tag = span_str(tag);
	}
	w->pairs[x->pair].sip_flying--;
	x->is_used = false;
	presence_on_sip_response(w->f->p, x->token, &r, w->f->now);
	world_drain(w);
}

/* A SUBSCRIBE arrives at the presence server. */
static inline void serve(struct world *w, struct pa_flight *x)
{
	struct pair *pair = &w->pairs[x->pair];
	struct pa_dialog *d = find_dialog(pair, &x->sent);
	bool is_first = chance(w, 3) == 0; /* NOTIFY before the 200 */
	bool is_new = x->sent.to_tag[0] == '\0';
	uint32_t expires = x->sent.expires;
	int number = x->pair;

	if (pair->policy == POLICY_REJECTED && chance(w, 2) == 0) {
		if (d != NULL)
			d->is_used = false;
		answer_by(w, x, 403, NULL);
		return;
	}
	if (!is_new && d == NULL) {
		answer_by(w, x, 481, NULL);
		return;
	}
	if (d == NULL)
		d = make_dialog(w, pair, &x->sent);
	d->expires_ms = w->f->now + 1000ull * expires;
	if (!is_first)
		answer_by(w, x, 200, d);
	if (d->is_used && pair->policy == POLICY_REJECTED) {
		send_notify(w, number, d, "terminated;reason=rejected", false);
		d->is_used = false;
	} else if (d->is_used && expires == 0) {
		send_notify(w, number, d, "terminated;reason=timeout",
			    pair->policy == POLICY_ALLOWED);
		d->is_used = false;
	} else if (d->is_used) {
		notify_state(w, number, d);
	}
	if (is_first)
		answer_by(w, x, 200, d);
}

#endif
