/*
 * Presence with a clock, a store and peers that answer by themselves, for
 * tests of IN: what it does is one line of text for each action, so that a
 * test reads as a dialogue.
 */
#ifndef FED_TESTS_PRESENCE_IN_HARNESS_H
#define FED_TESTS_PRESENCE_IN_HARNESS_H

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

#define J "juliet@example.com"
#define R "romeo@example.net"

/* where memory runs out, it does not for the test itself */
#ifndef MEMORY_OF_THE_TEST
#define MEMORY_OF_THE_TEST(is_on) ((void)(is_on))
#endif

enum { TEXT_BYTES = 65536, REFS = 8192 };

struct fixture {
	struct presence *p;
	struct federation *federation;
	struct presence_params params;
	struct id_source ids;
	struct metrics metrics;
	struct logger logger;
	char log[TEXT_BYTES];
	uint64_t now;
	struct arena a;
	char out[TEXT_BYTES]; /* what was done since the last expect() */

	struct kept kept;
	uint64_t stored_seq;
	bool is_store_slow; /* committed by commit() only */

	/* what peers do: 0: wait for respond() */
	int sip_status;
	bool is_stanza_slow;
	bool is_edge_full;		  /* no stanza can leave */
	uint64_t sip_token, stanza_token; /* of the last ones */
	size_t sip_flying, stanza_flying;

	uint64_t next_handle, next_ref;
	bool was_ended[REFS]; /* stanzas that had their Outcome */
	/* the last dialog made, NOTIFY sent, stanza sent */
	char to_tag[64];
	char call_id[64];
	char from_tag[64];
	uint32_t cseq;
	char routes[512], request_uri[512], to_uri[512], body[TEXT_BYTES];
	char content_type[64], language[64];
	uint32_t notify_cseq;
	bool is_notify;
	char stanza_id[64];
};

static inline void sink(void *arg, enum fed_log_level level, const char *line,
			size_t n)
{
	struct fixture *f = arg;
	size_t used = strlen(f->log);

	(void)level;
	if (used + n + 2 < sizeof(f->log))
		(void)snprintf(f->log + used, sizeof(f->log) - used, "%s\n",
			       line);
}

static inline void say(struct fixture *f, const char *fmt, ...)
	FED_PRINTF(2, 3);
static inline void say(struct fixture *f, const char *fmt, ...)
{
	size_t used = strlen(f->out);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(f->out + used, sizeof(f->out) - used, fmt, ap);
	va_end(ap);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->now = 10000000;
	f->logger = (struct logger){FED_LOG_DEBUG, sink, f};
	f->params = (struct presence_params){
		.route = "sip:proxy.example.net",
		.expires_s = 3600,
		.expires_min_s = 60,
		.expires_max_s = 7200,
		.notify_interval_ms = 5000,
		.hold_off_ms = 300000,
		.repair_rate = 100,
		.wall_ms = 1700000000000u,
		.ids = &f->ids,
		.log = &f->logger,
		.metrics = &f->metrics,
	};
	f->sip_status = 200;
	arena_init(&f->a, 64u << 20);
	assert_int_equal(presence_new(&f->p, &f->params, f->now), 0);
	f->federation = rules_open();
	presence_set_federation(f->p, f->federation, f->now);
	presence_on_channel(f->p, true, false, f->now);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	presence_free(f->p);
	federation_free(f->federation);
	kept_clear(&f->kept);
	arena_deinit(&f->a);
	free(f);
	return 0;
}

static inline size_t count_rows(const struct fixture *f,
				enum presence_row_kind kind)
{
	return kept_count(&f->kept, kind);
}

/* --- what was done -------------------------------------------------------- */

static inline const char *show_text(Fed__Show show)
{
	static const char *const names[] = {"", " away", " chat", " dnd",
					    " xa"};

	return names[show];
}

/* "{balcony away 5 'Zzz'}", open resources only; "{}": closed. */
static inline void say_document(struct fixture *f, struct span body)
{
	struct presence_view v = {.count = 0};

	MEMORY_OF_THE_TEST(true);
	assert_int_equal(pidf_read(body, SPAN_NULL, &v), 0);
	MEMORY_OF_THE_TEST(false);
	say(f, " {");
	for (size_t i = 0, n = 0; i < v.count; i++) {
		const struct presence_resource *r = v.items[i];

		if (!r->is_open)
			continue;
		say(f, "%s%s%s", n++ > 0 ? ", " : "", r->name,
		    show_text(r->show));
		if (r->priority != 0)
			say(f, " %d", r->priority);
		if (r->note_count > 0)
			say(f, " '%s'", r->note[0].text);
	}
	say(f, "}");
	presence_view_clear(&v);
}

/* "soon" for what has jitter: 5 to 30 seconds. */
static inline void say_state(struct fixture *f, const char *state)
{
	const char *after = strstr(state, "retry-after=");
	unsigned long s = 0;

	if (after != NULL) {
		after += strlen("retry-after=");
		s = strtoul(after, NULL, 10);
	}
	if (s >= LIMIT_PRESENCE_STOP_S &&
	    s <= LIMIT_PRESENCE_STOP_S + LIMIT_PRESENCE_STOP_SPREAD_S)
		say(f, "%.*ssoon", (int)(after - state), state);
	else
		say(f, "%s", state);
}

static inline void take_send(struct fixture *f, const struct presence_action *a)
{
	const struct sip_request_out *q = a->u.sip_send.request;

	f->is_notify = strcmp(q->method, "NOTIFY") == 0;
	if (!f->is_notify)
		return; /* of OUT, which is not looked at */
	say(f, "NOTIFY ");
	say_state(f, q->subscription_state);
	if (q->body.n > 0)
		say_document(f, q->body);
	say(f, "\n");
	(void)snprintf(f->routes, sizeof(f->routes), "%s",
		       q->routes != NULL ? q->routes : "");
	(void)snprintf(f->request_uri, sizeof(f->request_uri), "%s",
		       q->request_uri);
	(void)snprintf(f->to_uri, sizeof(f->to_uri), "%s", q->to_uri);
	(void)snprintf(f->body, sizeof(f->body), "%.*s", (int)q->body.n,
		       q->body.n > 0 ? q->body.p : "");
	(void)snprintf(f->content_type, sizeof(f->content_type), "%s",
		       q->content_type != NULL ? q->content_type : "");
	(void)snprintf(f->language, sizeof(f->language), "%s",
		       q->content_language != NULL ? q->content_language : "");
	assert_true(q->cseq > 0 && q->has_contact);
	assert_string_equal(q->event, "presence");
	f->notify_cseq = q->cseq;
	f->sip_token = a->u.sip_send.token;
	f->sip_flying++;
}

static inline const char *type_text(Fed__PresenceType type)
{
	static const char *const names[] = {
		"available",   "unavailable",  "subscribe", "subscribed",
		"unsubscribe", "unsubscribed", "probe",	    "error"};

	return names[type];
}

static inline void take_stanza(struct fixture *f,
			       const struct presence_action *a)
{
	const Fed__Stanza *s = a->u.stanza.stanza;

	say(f, "<%s", type_text(s->presence->type));
	if (strcmp(s->from, R) != 0 || strcmp(s->to, J) != 0)
		say(f, " %s %s", s->from, s->to);
	say(f, ">\n");
	(void)snprintf(f->stanza_id, sizeof(f->stanza_id), "%s", s->id);
	f->stanza_token = a->u.stanza.token;
	f->stanza_flying++;
}

static inline void take_reply(struct fixture *f,
			      const struct presence_action *a)
{
	const struct sip_reply *r = a->u.sip_reply.reply;

	say(f, "%d", r->line.status);
	if (r->has_expires)
		say(f, " expires=%u", (unsigned)r->expires);
	if (r->min_expires > 0)
		say(f, " min=%u", (unsigned)r->min_expires);
	if (r->retry_after > 0)
		say(f, " retry");
	if (r->accept != NULL)
		say(f, " accept=%s", r->accept);
	if (r->allow_events != NULL)
		say(f, " allow-events=%s", r->allow_events);
	say(f, "\n");
	if (r->line.status == 200) {
		assert_non_null(r->to_tag);
		assert_true(r->has_contact);
		(void)snprintf(f->to_tag, sizeof(f->to_tag), "%s", r->to_tag);
	}
}

static inline void take_outcome(struct fixture *f,
				const struct presence_action *a)
{
	const Fed__Error *e = a->u.outcome.refused;

	/* none comes twice */
	assert_true(a->u.outcome.ref <= f->next_ref);
	assert_false(f->was_ended[a->u.outcome.ref % REFS]);
	f->was_ended[a->u.outcome.ref % REFS] = true;
	f->was_ended[(a->u.outcome.ref + REFS / 2) % REFS] = false;
	say(f, "outcome %s\n",
	    e != NULL ? stanza_error_name(e->condition) : "ok");
}

static inline void respond(struct fixture *f, int status);
static inline void outcome(struct fixture *f, Fed__Condition c);

/* One action; false: there is none. */
static inline bool step(struct fixture *f)
{
	struct presence_action a;

	if (!presence_next_action(f->p, !f->is_edge_full, &a, f->now))
		return false;
	switch (a.kind) {
	case PRESENCE_ACT_SIP_REPLY:
		take_reply(f, &a);
		break;
	case PRESENCE_ACT_SIP_SEND:
		take_send(f, &a);
		if (f->is_notify && f->sip_status != 0)
			respond(f, f->sip_status);
		break;
	case PRESENCE_ACT_STANZA:
		take_stanza(f, &a);
		if (!f->is_stanza_slow)
			outcome(f, FED__CONDITION__NO_CONDITION);
		break;
	case PRESENCE_ACT_OUTCOME:
		take_outcome(f, &a);
		break;
	case PRESENCE_ACT_STORE:
		kept_put(&f->kept, a.u.store.row);
		f->stored_seq = a.u.store.seq;
		if (!f->is_store_slow)
			presence_on_committed(f->p, f->stored_seq, f->now);
		break;
	}
	return true;
}

static inline void drain(struct fixture *f)
{
	for (int i = 0; i < 1000; i++)
		if (!step(f))
			return;
	fail_msg("it does not come to rest: %s", f->out);
}

/* All that was done, in this order, and nothing else. */
static inline void expect(struct fixture *f, const char *text)
{
	drain(f);
	assert_string_equal(f->out, text);
	f->out[0] = '\0';
}

/* --- what peers do -------------------------------------------------------- */

static inline void respond(struct fixture *f, int status)
{
	struct sip_response_in r = {.end = SIP_END_RESPONSE, .status = status};

	assert_true(f->sip_flying > 0);
	f->sip_flying--;
	presence_on_sip_response(f->p, f->sip_token, &r, f->now);
}

static inline void respond_end(struct fixture *f, enum sip_end end)
{
	struct sip_response_in r = {.end = end};

	assert_true(f->sip_flying > 0);
	f->sip_flying--;
	presence_on_sip_response(f->p, f->sip_token, &r, f->now);
}

static inline void outcome(struct fixture *f, Fed__Condition c)
{
	Fed__Error *e = c == FED__CONDITION__NO_CONDITION
				? NULL
				: stanza_error_new(&f->a, c, NULL);

	assert_true(f->stanza_flying > 0);
	f->stanza_flying--;
	presence_on_outcome(f->p, f->stanza_token, e, f->now);
}

static inline void commit(struct fixture *f)
{
	presence_on_committed(f->p, f->stored_seq, f->now);
}

/* Time passes, with all that is due meanwhile. */
static inline void wait_ms(struct fixture *f, uint64_t ms)
{
	uint64_t until = f->now + ms;

	drain(f);
	while (presence_deadline_ms(f->p) <= until) {
		uint64_t at = presence_deadline_ms(f->p);

		f->now = at > f->now ? at : f->now;
		drain(f);
	}
	f->now = until;
	drain(f);
}

/* The initial SUBSCRIBE; expires below zero: no such header. */
static inline struct sip_request_in request(struct fixture *f, long expires)
{
	struct sip_request_in q = {
		.handle = ++f->next_handle,
		.method = SPAN_LIT("SUBSCRIBE"),
		.source = SPAN_LIT("192.0.2.1"),
		.request_uri = SPAN_LIT("sip:" J),
		.to_uri = SPAN_LIT("sip:" J),
		.from_uri = SPAN_LIT("sip:" R),
		.contact_uri = SPAN_LIT("sip:romeo@192.0.2.7:5060"),
		.has_event = true,
		.event = SPAN_LIT("presence"),
		.has_expires = expires >= 0,
		.expires = expires >= 0 ? (uint32_t)expires : 0,
	};

	(void)snprintf(f->call_id, sizeof(f->call_id), "call%d",
		       (int)f->next_handle);
	(void)snprintf(f->from_tag, sizeof(f->from_tag), "tag%d",
		       (int)f->next_handle);
	f->cseq = 1;
	q.call_id = span_str(f->call_id);
	q.from_tag = span_str(f->from_tag);
	q.cseq = f->cseq;
	return q;
}

static inline void send_request(struct fixture *f,
				const struct sip_request_in *q)
{
	presence_on_sip_request(f->p, q, f->now);
}

static inline void subscribe(struct fixture *f, long expires)
{
	struct sip_request_in q = request(f, expires);

	send_request(f, &q);
}

/* Inside of the last dialog. */
static inline struct sip_request_in request_again(struct fixture *f,
						  long expires)
{
	char call_id[64], from_tag[64];
	uint32_t cseq = f->cseq + 1;
	struct sip_request_in q;

	(void)snprintf(call_id, sizeof(call_id), "%s", f->call_id);
	(void)snprintf(from_tag, sizeof(from_tag), "%s", f->from_tag);
	q = request(f, expires);
	(void)snprintf(f->call_id, sizeof(f->call_id), "%s", call_id);
	(void)snprintf(f->from_tag, sizeof(f->from_tag), "%s", from_tag);
	q.call_id = span_str(f->call_id);
	q.from_tag = span_str(f->from_tag);
	q.cseq = f->cseq = cseq;
	q.has_to_tag = true;
	q.to_tag = span_str(f->to_tag);
	return q;
}

static inline void refresh(struct fixture *f, long expires)
{
	struct sip_request_in q = request_again(f, expires);

	send_request(f, &q);
}

static inline Fed__Stanza *presence_of(struct fixture *f, const char *from,
				       Fed__PresenceType type)
{
	Fed__Stanza *s = stanza_new_presence(&f->a);

	s->from = arena_dup(&f->a, span_str(from));
	s->to = arena_dup(&f->a, SPAN_LIT(R));
	s->id = arena_dup(&f->a, SPAN_LIT("x1"));
	s->presence->type = type;
	return s;
}

static inline void feed(struct fixture *f, const Fed__Stanza *s)
{
	presence_on_stanza(f->p, 0, ++f->next_ref, s, f->now);
}

static inline void say_type(struct fixture *f, const char *from,
			    Fed__PresenceType type)
{
	feed(f, presence_of(f, from, type));
}

static inline void available(struct fixture *f, const char *resource,
			     Fed__Show show, int priority, const char *status)
{
	Fed__Stanza *s;
	char from[256];

	(void)snprintf(from, sizeof(from), J "%s%s",
		       resource[0] != '\0' ? "/" : "", resource);
	s = presence_of(f, from, FED__PRESENCE_TYPE__AVAILABLE);
	s->presence->show = show;
	s->presence->priority = priority;
	if (status != NULL)
		assert_int_equal(stanza_add_text(&f->a, &s->presence->status,
						 &s->presence->n_status,
						 SPAN_NULL, span_str(status)),
				 0);
	feed(f, s);
}

static inline void unavailable(struct fixture *f, const char *resource)
{
	char from[256];

	(void)snprintf(from, sizeof(from), J "%s%s",
		       resource[0] != '\0' ? "/" : "", resource);
	say_type(f, from, FED__PRESENCE_TYPE__UNAVAILABLE);
}

static inline void subscribed(struct fixture *f)
{
	say_type(f, J, FED__PRESENCE_TYPE__SUBSCRIBED);
}

static inline void unsubscribed(struct fixture *f)
{
	say_type(f, J, FED__PRESENCE_TYPE__UNSUBSCRIBED);
}

/* His server's error to the stanza that left last. */
static inline void refuse(struct fixture *f, Fed__Condition c)
{
	Fed__Stanza *s = presence_of(f, J, FED__PRESENCE_TYPE__PRESENCE_ERROR);

	s->id = arena_dup(&f->a, span_str(f->stanza_id));
	s->presence->error = stanza_error_new(&f->a, c, NULL);
	feed(f, s);
}

/* A crash, and a new run on the same store. */
static inline void restart(struct fixture *f, uint64_t down_ms)
{
	f->params.wall_ms += f->now + down_ms - 10000000;
	f->now = 10000000; /* another boot: the clock begins anew */
	presence_free(f->p);
	f->sip_flying = f->stanza_flying = 0;
	f->out[0] = '\0';
	assert_int_equal(presence_new(&f->p, &f->params, f->now), 0);
	presence_set_federation(f->p, f->federation, f->now);
	for (int kind = PRESENCE_ROW_WATCH; kind <= PRESENCE_ROW_DIALOG; kind++)
		for (size_t i = 0; i < f->kept.count; i++)
			if ((int)f->kept.rows[i]->row.kind == kind)
				assert_int_equal(
					presence_restore(f->p,
							 &f->kept.rows[i]->row,
							 f->now),
					0);
	presence_on_channel(f->p, true, false, f->now);
}

/* J allowed it and shows himself with one resource, R has one dialog. */
static inline void begin_allowed(struct fixture *f)
{
	subscribe(f, 3600);
	drain(f);
	subscribed(f);
	drain(f);
	available(f, "balcony", FED__SHOW__NO_SHOW, 0, NULL);
	drain(f);
	f->out[0] = '\0';
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
