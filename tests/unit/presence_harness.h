/*
 * Presence with a clock, a store, and edges and a SIP side that a test plays:
 * what it does is text, one line for each action, in order.
 *
 *   sip SUBSCRIBE sip:romeo@example.net call=1 cseq=1 expires=3600
 *   sip NOTIFY sip:w@192.0.2.1 call=a cseq=1 state=active;expires=60 doc={x +}
 *   reply 7 200 expires=3600 contact tag
 *   stanza romeo@example.net/x -> juliet@example.com available away
 *   outcome 3 delivered
 *   store put watch out romeo@example.net juliet@example.com pending told=
 *
 * Call-IDs that we make are numbered as they come, those of the test are
 * shown.  store lines only with f->is_store_shown.
 */
#ifndef FED_TESTS_PRESENCE_HARNESS_H
#define FED_TESTS_PRESENCE_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fe-gateway/core/presence.h"
#include "federation_rules.h"
#include "presence_store.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

enum { FLIGHTS = 64, CALLS = 256, TEXT_BYTES = 64 * 1024 };

#define ROMEO "romeo@example.net"   /* SIP */
#define JULIET "juliet@example.com" /* XMPP */

/* A request of ours as it left; all texts cut to their room. */
struct sent {
	uint64_t token;
	char method[16];
	char uri[256];
	char call_id[80];
	char from_tag[80];
	char to_tag[80];
	uint32_t cseq;
	uint32_t expires;
};

struct fixture {
	struct presence *p;
	struct federation *federation;
	struct presence_params params;
	struct id_source ids;
	struct metrics metrics;
	struct logger logger;
	uint64_t now;
	uint64_t begun; /* the clock's zero as time of the wall: see params */
	bool is_commit_held, is_outcome_held, is_store_shown;
	bool is_store_broken; /* what is put is lost */
	bool is_store_full;   /* nothing can be put */
	uint64_t put_seq;     /* last row that was put */
	struct rows put;      /* all that were */
	struct rows kept;     /* those that are durable */

	char text[TEXT_BYTES]; /* of actions since the last expect() */
	size_t text_n;
	char call_ids[CALLS][80];
	size_t call_count;
	struct sent sent[FLIGHTS]; /* newest last */
	size_t sent_count;
	uint64_t stanza_token; /* newest */
	char stanza_id[80];
	uint64_t next_handle, next_ref;
	struct arena a; /* of what is fed */
};

/* --- text ---------------------------------------------------------------- */

static inline void say(struct fixture *f, const char *fmt, ...)
	FED_PRINTF(2, 3);

static inline void say(struct fixture *f, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(f->text + f->text_n, TEXT_BYTES - f->text_n, fmt, ap);
	va_end(ap);
	assert_true(n >= 0 && f->text_n + (size_t)n < TEXT_BYTES);
	f->text_n += (size_t)n;
}

static inline const char *word_of_type(Fed__PresenceType type)
{
	static const char *const words[] = {
		"available",   "unavailable",  "subscribe", "subscribed",
		"unsubscribe", "unsubscribed", "probe",	    "error",
	};

	return words[type];
}

static inline const char *word_of_show(Fed__Show show)
{
	static const char *const words[] = {"", " away", " chat", " dnd",
					    " xa"};

	return words[show];
}

static inline void say_view(struct fixture *f, const struct presence_view *v)
{
	say(f, "{");
	for (size_t i = 0; i < v->count; i++) {
		const struct presence_resource *r = v->items[i];

		say(f, "%s%s %s%s", i > 0 ? ", " : "", r->name,
		    r->is_open ? "+" : "-", word_of_show(r->show));
		if (r->priority != 0)
			say(f, " %d", r->priority);
		for (size_t k = 0; k < r->note_count; k++)
			say(f, " [%s]%s", r->note[k].lang, r->note[k].text);
	}
	say(f, "}");
}

/* 1, 2 ... for our Call-IDs in the order they were first seen. */
static inline void say_call(struct fixture *f, const char *call_id)
{
	if (strlen(call_id) != ID_TEXT_BYTES) {
		say(f, " call=%s", call_id);
		return;
	}
	for (size_t i = 0; i < f->call_count; i++)
		if (strcmp(f->call_ids[i], call_id) == 0) {
			say(f, " call=%zu", i + 1);
			return;
		}
	assert_true(f->call_count < CALLS);
	(void)snprintf(f->call_ids[f->call_count++], 80, "%s", call_id);
	say(f, " call=%zu", f->call_count);
}

/* --- actions ------------------------------------------------------------- */

static inline void on_sip_send(struct fixture *f,
			       const struct presence_action *act)
{
	const struct sip_request_out *q = act->u.sip_send.request;
	struct presence_view v = {.count = 0};
	struct sent *s;

	if (f->sent_count == FLIGHTS)
		memmove(f->sent, f->sent + 1,
			sizeof(f->sent[0]) * --f->sent_count);
	s = &f->sent[f->sent_count++];
	*s = (struct sent){.token = act->u.sip_send.token,
			   .cseq = q->cseq,
			   .expires = q->expires};
	(void)snprintf(s->method, sizeof(s->method), "%s", q->method);
	(void)snprintf(s->uri, sizeof(s->uri), "%s", q->request_uri);
	(void)snprintf(s->call_id, sizeof(s->call_id), "%s", q->call_id);
	(void)snprintf(s->from_tag, sizeof(s->from_tag), "%s", q->from_tag);
	(void)snprintf(s->to_tag, sizeof(s->to_tag), "%s",
		       q->to_tag != NULL ? q->to_tag : "");
	say(f, "sip %s %s", q->method, q->request_uri);
	say_call(f, q->call_id);
	say(f, " cseq=%u", q->cseq);
	if (q->to_tag != NULL)
		say(f, " to-tag=%s", q->to_tag);
	if (q->routes != NULL)
		say(f, " routes=%s", q->routes);
	if (q->has_expires)
		say(f, " expires=%u", q->expires);
	if (q->subscription_state != NULL)
		say(f, " state=%s", q->subscription_state);
	if (q->body.n > 0) {
		say(f, " doc=");
		assert_string_equal(q->content_type, PIDF_TYPE);
		assert_int_equal(pidf_read(q->body, SPAN_NULL, &v), 0);
		say_view(f, &v);
		presence_view_clear(&v);
	}
	say(f, "\n");
}

static inline void on_reply(struct fixture *f,
			    const struct presence_action *act)
{
	const struct sip_reply *r = act->u.sip_reply.reply;

	say(f, "reply %d %d", (int)act->u.sip_reply.handle, r->line.status);
	if (r->has_expires)
		say(f, " expires=%u", r->expires);
	if (r->min_expires > 0)
		say(f, " min-expires=%u", r->min_expires);
	if (r->accept != NULL)
		say(f, " accept=%s", r->accept);
	if (r->allow_events != NULL)
		say(f, " allow-events=%s", r->allow_events);
	if (r->has_contact)
		say(f, " contact");
	if (r->to_tag != NULL)
		say(f, " tag");
	say(f, "\n");
}

static inline void on_stanza(struct fixture *f,
			     const struct presence_action *act)
{
	const Fed__Stanza *s = act->u.stanza.stanza;
	const Fed__Presence *p = s->presence;

	/* an honest gateway */
	assert_int_equal(stanza_validate(s), 0);
	f->stanza_token = act->u.stanza.token;
	(void)snprintf(f->stanza_id, sizeof(f->stanza_id), "%s", s->id);
	say(f, "stanza %s -> %s %s%s", s->from, s->to, word_of_type(p->type),
	    word_of_show(p->show));
	if (p->priority != 0)
		say(f, " %d", p->priority);
	/* ids that the test gave are mirrored ones */
	if (strlen(s->id) != ID_TEXT_BYTES + 1)
		say(f, " id=%s", s->id);
	for (size_t i = 0; i < p->n_status; i++)
		say(f, " [%s]%s", p->status[i]->lang, p->status[i]->text);
	if (p->error != NULL)
		say(f, " %s", stanza_error_name(p->error->condition));
	say(f, "\n");
}

static inline void on_store(struct fixture *f,
			    const struct presence_action *act)
{
	char line[4096];

	assert_int_equal(act->u.store.seq, f->put_seq + 1);
	f->put_seq = act->u.store.seq;
	if (!f->is_store_broken)
		rows_put(&f->put, act->u.store.row);
	rows_text(act->u.store.row, line, sizeof(line));
	if (f->is_store_shown)
		say(f, "store %s\n", line);
}

static inline void on_outcome(struct fixture *f,
			      const struct presence_action *act)
{
	const Fed__Error *e = act->u.outcome.refused;

	say(f, "outcome %d %s\n", (int)act->u.outcome.ref,
	    e != NULL ? stanza_error_name(e->condition) : "delivered");
}

/* One action; false: there is none. */
static inline bool step(struct fixture *f)
{
	struct presence_action act;

	if (!presence_next_action(f->p, true, &act, f->now))
		return false;
	switch (act.kind) {
	case PRESENCE_ACT_SIP_REPLY:
		on_reply(f, &act);
		break;
	case PRESENCE_ACT_SIP_SEND:
		on_sip_send(f, &act);
		break;
	case PRESENCE_ACT_STANZA:
		on_stanza(f, &act);
		if (!f->is_outcome_held)
			presence_on_outcome(f->p, act.u.stanza.token, NULL,
					    f->now);
		break;
	case PRESENCE_ACT_OUTCOME:
		on_outcome(f, &act);
		break;
	case PRESENCE_ACT_STORE:
		if (f->is_store_full)
			presence_store_again(f->p, f->now);
		else
			on_store(f, &act);
		break;
	}
	return true;
}

/* All that was put is durable from now on. */
static inline void commit(struct fixture *f)
{
	rows_copy(&f->kept, &f->put);
	presence_on_committed(f->p, f->put_seq, f->now);
}

static inline void drain(struct fixture *f)
{
	uint64_t seq;

	do {
		seq = f->put_seq;
		while (step(f))
			;
		if (!f->is_commit_held)
			commit(f);
	} while (seq != f->put_seq || step(f));
}

/* What was done since the last time, all of it. */
static inline void expect(struct fixture *f, const char *lines)
{
	drain(f);
	assert_string_equal(f->text, lines);
	f->text_n = 0;
	f->text[0] = '\0';
}

/* Forget what was done. */
static inline void settle(struct fixture *f)
{
	drain(f);
	f->text_n = 0;
	f->text[0] = '\0';
}

/* Let time pass, deadline by deadline. */
static inline void pass(struct fixture *f, uint64_t ms)
{
	uint64_t end = f->now + ms;

	drain(f);
	for (;;) {
		uint64_t at = presence_deadline_ms(f->p);

		if (at > end)
			break;
		if (at > f->now)
			f->now = at;
		drain(f);
		/* what is due is done, or nothing would ever end */
		assert_true(presence_deadline_ms(f->p) > f->now);
	}
	f->now = end;
	drain(f);
}

/* --- what comes ---------------------------------------------------------- */

static inline Fed__Stanza *presence_of(struct fixture *f, const char *from,
				       const char *to, const char *id,
				       Fed__PresenceType type)
{
	Fed__Stanza *s = stanza_new_presence(&f->a);

	s->from = arena_dup(&f->a, span_str(from));
	s->to = arena_dup(&f->a, span_str(to));
	s->id = arena_dup(&f->a, span_str(id));
	s->presence->type = type;
	return s;
}

/* @return ref of its outcome */
static inline uint64_t feed(struct fixture *f, const Fed__Stanza *s)
{
	presence_on_stanza(f->p, 0, ++f->next_ref, s, f->now);
	return f->next_ref;
}

static inline uint64_t from_xmpp(struct fixture *f, const char *from,
				 const char *to, const char *id,
				 Fed__PresenceType type)
{
	return feed(f, presence_of(f, from, to, id, type));
}

static inline const struct sent *last_sent(const struct fixture *f)
{
	assert_true(f->sent_count > 0);
	return &f->sent[f->sent_count - 1];
}

static inline void respond_to(struct fixture *f, const struct sent *s,
			      const struct sip_response_in *r)
{
	presence_on_sip_response(f->p, s->token, r, f->now);
}

/* To the last request. */
static inline void respond(struct fixture *f, int status)
{
	const struct sip_response_in r = {
		.end = SIP_END_RESPONSE,
		.status = status,
		.to_tag = SPAN_LIT("peer"),
		.contact_uri = SPAN_LIT("sip:pa@192.0.2.1"),
	};

	respond_to(f, last_sent(f), &r);
}

/* A stanza of ours that is held: how it ended. */
static inline void end_stanza(struct fixture *f, Fed__Condition refused)
{
	Fed__Error *e = refused != FED__CONDITION__NO_CONDITION
				? stanza_error_new(&f->a, refused, NULL)
				: NULL;

	presence_on_outcome(f->p, f->stanza_token, e, f->now);
}

/* A request of the SIP side with what all of them have. */
static inline struct sip_request_in request_of(struct fixture *f,
					       const char *method)
{
	return (struct sip_request_in){
		.handle = ++f->next_handle,
		.source = SPAN_LIT("192.0.2.1"),
		.method = span_str(method),
		.has_event = true,
		.event = SPAN_LIT("presence"),
	};
}

/* --- life ---------------------------------------------------------------- */

static inline void start(struct fixture *f)
{
	f->params.ids = &f->ids;
	f->params.log = &f->logger;
	f->params.metrics = &f->metrics;
	f->params.wall_ms = f->begun + f->now;
	assert_int_equal(presence_new(&f->p, &f->params, f->now), 0);
	if (f->federation == NULL)
		f->federation = rules_open();
	presence_set_federation(f->p, f->federation, f->now);
	f->put_seq = 0;
	rows_copy(&f->put, &f->kept);
	for (size_t i = 0; i < f->kept.count; i++)
		assert_int_equal(
			presence_restore(f->p, &f->kept.items[i]->row, f->now),
			0);
}

/* As kill -9 does, after so long. */
static inline void crash(struct fixture *f, uint64_t away_ms)
{
	presence_free(f->p);
	f->now += away_ms;
	f->sent_count = 0;
	start(f);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->now = 1000000;
	f->begun = 1700000000000;
	f->params = (struct presence_params){
		.expires_s = 3600,
		.expires_min_s = 60,
		.expires_max_s = 7200,
		.notify_interval_ms = 5000,
		.hold_off_ms = 300000,
		.repair_rate = 100,
	};
	arena_init(&f->a, 256u << 20);
	start(f);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	presence_free(f->p);
	federation_free(f->federation);
	rows_free(&f->put);
	rows_free(&f->kept);
	arena_deinit(&f->a);
	free(f);
	return 0;
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
