/*
 * A world around IN: SIP user agents with dialogs, an XMPP server with users
 * who come, go, approve and revoke, a store that commits late, ways that
 * break.  It knows the truth, so that at rest it can be compared with what
 * each user agent was told last.
 */
#ifndef FED_TESTS_PRESENCE_WORLD_H
#define FED_TESTS_PRESENCE_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/presence_priv.h"
#include "federation_rules.h"
#include "presence_in_store.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

enum {
	WATCHERS = 3,
	USERS = 3,
	RESOURCES = 3,
	DIALOGS = 8, /* of one pair */
	FLYING = 512,
	PENDING_ROWS = 4096,
	DOC_BYTES = 512,
};

enum leave { LEAVE_NONE, LEAVE_ASKED, LEAVE_GIVEN };

/* A user agent's side of one dialog. */
struct device {
	bool is_used;
	bool is_deaf; /* answers 481 */
	bool has_200; /* to the last SUBSCRIBE */
	bool is_flying;
	bool is_owed;
	bool is_over; /* "terminated" came */
	bool wants;   /* refreshes in time */
	char call_id[32], from_tag[32], to_tag[64];
	uint32_t cseq, notify_cseq;
	uint64_t handle; /* of the SUBSCRIBE without answer; 0: none */
	uint64_t expires_ms;
	char state[32];
	char doc[DOC_BYTES]; /* "-": none yet */
	uint64_t doc_ms;
};

struct pair {
	enum leave leave;     /* as his server has it */
	bool is_acknowledged; /* ... and we took the "yes" */
	struct device devices[DIALOGS];
};

/* A request or stanza without an end. */
struct flying {
	uint64_t token;
	bool is_sip;
	struct device *device;
	int watcher, user;
	Fed__PresenceType type;
	char id[64];
};

struct world {
	struct presence *p;
	struct federation *federation;
	struct presence_params params;
	struct id_source ids;
	struct metrics metrics;
	struct logger logger;
	uint64_t now, seed;
	struct arena a;
	struct pair pairs[WATCHERS][USERS];
	int show[USERS][RESOURCES]; /* -1: not there */
	bool is_cut;		    /* the way to his server */
	bool is_silent; /* his server says nothing of who is offline */
	struct flying flying[FLYING];
	size_t flying_count;
	struct kept kept;
	struct kept_later {
		struct presence_row_copy_of *row;
		uint64_t seq;
	} later[PENDING_ROWS];
	size_t later_count;
	uint64_t next_handle, next_ref;
	struct {
		uint64_t ref;
		struct pair *pair;
	} yes[64]; /* "subscribed" without Outcome */
	size_t notify_count;
	char lost[256][32]; /* Call-IDs */
	size_t lost_count;
};

/* --- chance --------------------------------------------------------------- */

static inline unsigned chance(struct world *w, unsigned below)
{
	w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(w->seed >> 33) % below;
}

/* --- rows that are not on disk yet ---------------------------------------- */

struct presence_row_copy_of {
	struct kept one;
	struct presence_row row; /* a deletion: its key's spans live in `one` */
};

static inline void later_put(struct world *w, const struct presence_row *row,
			     uint64_t seq)
{
	struct presence_row_copy_of *c = calloc(1, sizeof(*c));
	struct presence_row whole = *row;

	assert_non_null(c);
	assert_true(w->later_count < PENDING_ROWS);
	whole.is_deleted = false;
	kept_put(&c->one, &whole);
	c->row = c->one.rows[0]->row;
	c->row.is_deleted = row->is_deleted;
	w->later[w->later_count++] = (struct kept_later){c, seq};
}

static inline void later_drop(struct world *w)
{
	for (size_t i = 0; i < w->later_count; i++) {
		kept_clear(&w->later[i].row->one);
		free(w->later[i].row);
	}
	w->later_count = 0;
}

static inline void commit_all(struct world *w)
{
	uint64_t seq;

	if (w->later_count == 0)
		return;
	seq = w->later[w->later_count - 1].seq;
	for (size_t i = 0; i < w->later_count; i++)
		kept_put(&w->kept, &w->later[i].row->row);
	later_drop(w);
	presence_on_committed(w->p, seq, w->now);
}

/* --- names ---------------------------------------------------------------- */

static inline void user_jid(int user, char out[64])
{
	(void)snprintf(out, 64, "user%d@example.com", user);
}

static inline void watcher_jid(int watcher, char out[64])
{
	(void)snprintf(out, 64, "watcher%d@example.net", watcher);
}

/* What a document of that user says to that watcher: each resource has both
 * in its name, so that none can be shown to another. */
static inline void print_truth(const struct world *w, int watcher, int user,
			       char out[DOC_BYTES])
{
	size_t n = 0;

	out[0] = '\0';
	for (int i = 0; i < RESOURCES; i++)
		if (w->show[user][i] >= 0)
			n += (size_t)snprintf(out + n, DOC_BYTES - n,
					      "w%du%dr%d:%d ", watcher, user, i,
					      w->show[user][i]);
}

static inline void print_doc(struct span body, char out[DOC_BYTES])
{
	struct presence_view v = {.count = 0};
	size_t n = 0;

	out[0] = '\0';
	assert_int_equal(pidf_read(body, SPAN_NULL, &v), 0);
	for (size_t i = 0; i < v.count; i++)
		if (v.items[i]->is_open)
			n += (size_t)snprintf(out + n, DOC_BYTES - n, "%s:%d ",
					      v.items[i]->name,
					      (int)v.items[i]->show);
	presence_view_clear(&v);
}

/* --- the XMPP server ------------------------------------------------------ */

static inline uint64_t say_to(struct world *w, int watcher, int user,
			      const char *resource, Fed__PresenceType type,
			      Fed__Show show, const char *id)
{
	Fed__Stanza *s = stanza_new_presence(&w->a);
	char jid[64];

	user_jid(user, jid);
	s->from =
		arena_printf(&w->a, "%s%s%s", jid, resource != NULL ? "/" : "",
			     resource != NULL ? resource : "");
	watcher_jid(watcher, jid);
	s->to = arena_dup(&w->a, span_str(jid));
	s->id = arena_dup(&w->a, span_str(id));
	s->presence->type = type;
	s->presence->show = show;
	presence_on_stanza(w->p, 0, ++w->next_ref, s, w->now);
	arena_reset(&w->a);
	return w->next_ref;
}

static inline void say_resource(struct world *w, int watcher, int user, int i)
{
	char name[32];
	int show = w->show[user][i];

	(void)snprintf(name, sizeof(name), "w%du%dr%d", watcher, user, i);
	(void)say_to(w, watcher, user, name,
		     show < 0 ? FED__PRESENCE_TYPE__UNAVAILABLE
			      : FED__PRESENCE_TYPE__AVAILABLE,
		     show < 0 ? FED__SHOW__NO_SHOW : (Fed__Show)show, "");
}

/* All that he shows; false: nothing. */
static inline bool say_all(struct world *w, int watcher, int user)
{
	bool is_any = false;

	for (int i = 0; i < RESOURCES; i++) {
		if (w->show[user][i] < 0)
			continue;
		say_resource(w, watcher, user, i);
		is_any = true;
	}
	return is_any;
}

static inline void give_leave(struct world *w, int watcher, int user)
{
	struct pair *pair = &w->pairs[watcher][user];
	uint64_t ref;

	pair->leave = LEAVE_GIVEN;
	if (w->is_cut)
		return; /* lost */
	ref = say_to(w, watcher, user, NULL, FED__PRESENCE_TYPE__SUBSCRIBED,
		     FED__SHOW__NO_SHOW, "");
	w->yes[ref % FED_ARRAY_LEN(w->yes)].ref = ref;
	w->yes[ref % FED_ARRAY_LEN(w->yes)].pair = pair;
	(void)say_all(w, watcher, user);
}

static inline void take_leave(struct world *w, int watcher, int user,
			      const char *id)
{
	struct pair *pair = &w->pairs[watcher][user];

	pair->leave = LEAVE_NONE;
	pair->is_acknowledged = false;
	if (!w->is_cut)
		(void)say_to(w, watcher, user, NULL,
			     FED__PRESENCE_TYPE__UNSUBSCRIBED,
			     FED__SHOW__NO_SHOW, id);
}

static inline void serve(struct world *w, const struct flying *fl)
{
	struct pair *pair = &w->pairs[fl->watcher][fl->user];

	switch ((int)fl->type) {
	case FED__PRESENCE_TYPE__SUBSCRIBE:
		if (pair->leave == LEAVE_GIVEN)
			give_leave(w, fl->watcher, fl->user);
		else
			pair->leave = LEAVE_ASKED;
		break;
	case FED__PRESENCE_TYPE__PROBE:
		if (pair->leave != LEAVE_GIVEN)
			(void)say_to(w, fl->watcher, fl->user, NULL,
				     FED__PRESENCE_TYPE__UNSUBSCRIBED,
				     FED__SHOW__NO_SHOW, fl->id);
		else if (!say_all(w, fl->watcher, fl->user) && !w->is_silent)
			(void)say_to(w, fl->watcher, fl->user, NULL,
				     FED__PRESENCE_TYPE__UNAVAILABLE,
				     FED__SHOW__NO_SHOW, fl->id);
		break;
	case FED__PRESENCE_TYPE__UNAVAILABLE:
		break;
	default:
		fail_msg("a stanza that IN does not send: %d", (int)fl->type);
	}
}

/* --- what the gateway does ------------------------------------------------ */

static inline struct device *find_device(struct world *w, int *watcher,
					 int *user, const char *call_id,
					 const char *to_tag)
{
	for (*watcher = 0; *watcher < WATCHERS; ++*watcher)
		for (*user = 0; *user < USERS; ++*user)
			for (int i = 0; i < DIALOGS; i++) {
				struct device *d =
					&w->pairs[*watcher][*user].devices[i];

				if (d->is_used &&
				    strcmp(d->call_id, call_id) == 0 &&
				    strcmp(d->from_tag, to_tag) == 0)
					return d;
			}
	return NULL;
}

static inline void check_pace(const struct world *w, const struct device *d,
			      const char *state, bool has_body)
{
	bool is_exempt = d->is_owed || strncmp(state, "term", 4) == 0 ||
			 strncmp(d->state, state, 4) != 0 || !has_body;

	if (!is_exempt && d->doc_ms != 0)
		assert_true(w->now >= d->doc_ms + w->params.notify_interval_ms);
}

/* To a dialog whose user agent gave it up without an answer. */
static inline void take_stray(struct world *w, const struct presence_action *a)
{
	const char *call_id = a->u.sip_send.request->call_id;
	bool was_begun = false;

	for (size_t i = 0; i < FED_ARRAY_LEN(w->lost); i++)
		was_begun |= strcmp(w->lost[i], call_id) == 0;
	assert_true(was_begun);
	w->flying[w->flying_count++] =
		(struct flying){.token = a->u.sip_send.token, .is_sip = true};
}

static inline void take_notify(struct world *w, const struct presence_action *a)
{
	const struct sip_request_out *q = a->u.sip_send.request;
	int watcher, user;
	struct device *d =
		find_device(w, &watcher, &user, q->call_id, q->to_tag);
	char wanted[64], name[16];

	if (d == NULL) {
		take_stray(w, a);
		return;
	}
	assert_true(d->has_200 && d->handle == 0);
	assert_string_equal(d->to_tag, q->from_tag);
	assert_false(d->is_flying);
	assert_false(d->is_over);
	assert_true(q->cseq > d->notify_cseq);
	d->notify_cseq = q->cseq;
	(void)snprintf(wanted, sizeof(wanted), "sip:user%d@example.com", user);
	assert_string_equal(q->from_uri, wanted);
	check_pace(w, d, q->subscription_state, q->body.n > 0);
	(void)snprintf(d->state, sizeof(d->state), "%s", q->subscription_state);
	if (strncmp(d->state, "active", 6) != 0 &&
	    strncmp(d->state, "term", 4) != 0)
		assert_int_equal(q->body.n, 0);
	d->is_over = strncmp(d->state, "term", 4) == 0;
	d->is_owed = false;
	d->is_flying = true;
	if (q->body.n > 0) {
		print_doc(q->body, d->doc);
		d->doc_ms = w->now;
		/* nothing of another pair */
		(void)snprintf(name, sizeof(name), "w%du%d", watcher, user);
		for (const char *at = d->doc; *at != '\0';
		     at = strchr(at, ' ') + 1)
			assert_int_equal(strncmp(at, name, 4), 0);
	}
	assert_true(w->flying_count < FLYING);
	w->flying[w->flying_count++] = (struct flying){
		.token = a->u.sip_send.token, .is_sip = true, .device = d};
	w->notify_count++;
}

static inline void take_stanza(struct world *w, const struct presence_action *a)
{
	const Fed__Stanza *s = a->u.stanza.stanza;
	struct flying *fl = &w->flying[w->flying_count++];

	assert_true(w->flying_count < FLYING);
	*fl = (struct flying){.token = a->u.stanza.token,
			      .type = s->presence->type};
	assert_int_equal(sscanf(s->from, "watcher%d@", &fl->watcher), 1);
	assert_int_equal(sscanf(s->to, "user%d@", &fl->user), 1);
	(void)snprintf(fl->id, sizeof(fl->id), "%s", s->id);
}

/* Its user agent knows it no more, but NOTIFYs may come. */
static inline void lose(struct world *w, struct device *d)
{
	memcpy(w->lost[w->lost_count++ % FED_ARRAY_LEN(w->lost)], d->call_id,
	       sizeof(w->lost[0]));
	d->is_used = false;
}

static inline void take_reply(struct world *w, const struct presence_action *a)
{
	const struct sip_reply *r = a->u.sip_reply.reply;

	for (int i = 0; i < WATCHERS * USERS * DIALOGS; i++) {
		struct device *d =
			&w->pairs[i / DIALOGS / USERS][i / DIALOGS % USERS]
				 .devices[i % DIALOGS];

		if (!d->is_used || d->handle != a->u.sip_reply.handle)
			continue;
		d->handle = 0;
		if (r->line.status != 200) {
			/* a new dialog that is refused is none, and begins all
			 * the same if only the disk was slow */
			if (d->to_tag[0] == '\0')
				lose(w, d);
			d->wants = false;
			return;
		}
		d->has_200 = d->is_owed = true;
		d->expires_ms = w->now + (uint64_t)r->expires * 1000;
		(void)snprintf(d->to_tag, sizeof(d->to_tag), "%s", r->to_tag);
		return;
	}
}

static inline void take_outcome(struct world *w,
				const struct presence_action *a)
{
	uint64_t ref = a->u.outcome.ref;
	size_t at = ref % FED_ARRAY_LEN(w->yes);
	struct presence_contact *c;
	char watcher[64], user[64];
	size_t pair;

	if (w->yes[at].ref != ref || a->u.outcome.refused != NULL)
		return;
	pair = (size_t)(w->yes[at].pair - &w->pairs[0][0]);
	watcher_jid((int)(pair / USERS), watcher);
	user_jid((int)(pair % USERS), user);
	c = presence_contact_find(w->p, watcher, user);
	/* a "yes" to a question that was withdrawn is taken, and is nothing */
	if (c != NULL && c->auth == PRESENCE_ALLOWED)
		w->yes[at].pair->is_acknowledged = true;
}

static inline void run(struct world *w)
{
	struct presence_action a;

	while (presence_next_action(w->p, true, &a, w->now)) {
		switch (a.kind) {
		case PRESENCE_ACT_SIP_REPLY:
			take_reply(w, &a);
			break;
		case PRESENCE_ACT_SIP_SEND:
			take_notify(w, &a);
			break;
		case PRESENCE_ACT_STANZA:
			take_stanza(w, &a);
			break;
		case PRESENCE_ACT_OUTCOME:
			take_outcome(w, &a);
			break;
		case PRESENCE_ACT_STORE:
			later_put(w, a.u.store.row, a.u.store.seq);
			break;
		}
	}
}

#endif
