/*
 * A router with presence and one edge, under rules (federation_rules.h): what
 * it does is written down, requests of ours are taken, rows are durable at
 * once.
 *
 *   reply 403 Not allowed by policy
 *   outcome policy-violation "..." | outcome delivered
 *   sip MESSAGE sip:romeo@sip.example
 *   sip SUBSCRIBE sip:romeo@sip.example expires=3600
 *   sip NOTIFY sip:10.0.0.9 active {balcony+ [here]}
 *   stanza juliet@example.com/x -> romeo@sip.example message
 *   stanza romeo@sip.example/phone -> juliet@example.com available [busy]
 */
#ifndef FED_TESTS_FEDERATION_RIG_H
#define FED_TESTS_FEDERATION_RIG_H

#include "federation_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/router.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

/* When it begins. */
#define RIG_WALL_MS 1700000000000ull
#define ROMEO "romeo@sip.example"
#define JULIET "juliet@example.com"

struct rig {
	struct gw_router *r;
	struct presence *p;
	struct federation *federation;
	struct id_source ids;
	struct metrics metrics;
	struct logger logger;
	struct arena a;
	uint64_t now;
	uint64_t handle, ref;
	uint32_t cseq;	     /* of what the SIP side sends */
	bool is_sip_held;    /* requests of ours get no answer by themselves */
	uint64_t token;	     /* of the last one */
	bool is_stanza_held; /* ... and stanzas */
	char call_id[80];    /* of our last SUBSCRIBE */
	char from_tag[80];
	char nd_call_id[80]; /* of our last NOTIFY */
	char nd_tag[80];
	char stanza_id[80];
	size_t stanza_count, sip_count;
	char out[65536];
	char log[65536];
};

static inline void put(char *to, size_t size, const char *line)
{
	size_t used = strlen(to);

	(void)snprintf(to + used, size - used, "%s\n", line);
}

static inline void say(struct rig *t, const char *fmt, ...) FED_PRINTF(2, 3);
static inline void say(struct rig *t, const char *fmt, ...)
{
	size_t used = strlen(t->out);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(t->out + used, sizeof(t->out) - used, fmt, ap);
	va_end(ap);
}

static inline void rig_sink(void *arg, enum fed_log_level level,
			    const char *line, size_t n)
{
	struct rig *t = arg;

	(void)level;
	(void)n;
	put(t->log, sizeof(t->log), line);
}

/* --- what it does -------------------------------------------------------- */

static inline void rig_say_document(struct rig *t, struct span body)
{
	struct presence_view v = {.count = 0};

	assert_int_equal(pidf_read(body, SPAN_NULL, &v), 0);
	say(t, " {");
	for (size_t i = 0; i < v.count; i++) {
		say(t, "%s%s%s", i > 0 ? ", " : "", v.items[i]->name,
		    v.items[i]->is_open ? "+" : "-");
		for (size_t k = 0; k < v.items[i]->note_count; k++)
			say(t, " [%s]", v.items[i]->note[k].text);
	}
	say(t, "}");
	presence_view_clear(&v);
}

static inline void rig_on_send(struct rig *t, uint64_t token,
			       const struct sip_request_out *q)
{
	struct sip_response_in ok = {
		.end = SIP_END_RESPONSE,
		.status = 200,
		.to_tag = SPAN_LIT("theirs"),
		.contact_uri = SPAN_LIT("sip:10.0.0.9"),
		.has_expires = q->has_expires,
		.expires = q->expires,
	};

	say(t, "sip %s %s", q->method, q->request_uri);
	if (q->has_expires)
		say(t, " expires=%u", q->expires);
	if (q->subscription_state != NULL)
		say(t, " %.*s", (int)strcspn(q->subscription_state, ";"),
		    q->subscription_state);
	if (q->subscription_state != NULL && q->body.n > 0)
		rig_say_document(t, q->body);
	say(t, "\n");
	if (strcmp(q->method, "SUBSCRIBE") == 0) {
		(void)snprintf(t->call_id, sizeof(t->call_id), "%s",
			       q->call_id);
		(void)snprintf(t->from_tag, sizeof(t->from_tag), "%s",
			       q->from_tag);
	} else if (strcmp(q->method, "NOTIFY") == 0) {
		(void)snprintf(t->nd_call_id, sizeof(t->nd_call_id), "%s",
			       q->call_id);
		(void)snprintf(t->nd_tag, sizeof(t->nd_tag), "%s", q->from_tag);
	}
	t->sip_count++;
	t->token = token;
	if (!t->is_sip_held)
		gw_router_on_sip_response(t->r, token, &ok, t->now);
}

static inline const char *rig_type(Fed__PresenceType type)
{
	static const char *const words[] = {
		"available",   "unavailable",  "subscribe", "subscribed",
		"unsubscribe", "unsubscribed", "probe",	    "error"};

	return words[type];
}

static inline void rig_on_stanza(struct rig *t, const struct chan_delivery *d)
{
	const Fed__Stanza *s = d->stanza;

	assert_int_equal(stanza_validate(s), 0);
	say(t, "stanza %s -> %s", s->from, s->to);
	if (s->kind_case == FED__STANZA__KIND_PRESENCE) {
		say(t, " %s", rig_type(s->presence->type));
		for (size_t i = 0; i < s->presence->n_status; i++)
			say(t, " [%s]", s->presence->status[i]->text);
		(void)snprintf(t->stanza_id, sizeof(t->stanza_id), "%s", s->id);
	} else {
		say(t, " %s", stanza_kind_name(s));
	}
	say(t, "\n");
	t->stanza_count++;
	if (!t->is_stanza_held)
		gw_router_on_outcome(t->r, d->handle, NULL, t->now);
}

static inline void rig_do(struct rig *t, const struct gw_action *a)
{
	const Fed__Error *e;

	switch (a->kind) {
	case GW_ACT_SIP_REPLY:
		say(t, "reply %d %s", a->u.sip_reply.reply->line.status,
		    a->u.sip_reply.reply->line.phrase);
		if (a->u.sip_reply.reply->has_expires)
			say(t, " expires=%u", a->u.sip_reply.reply->expires);
		say(t, "\n");
		break;
	case GW_ACT_SIP_DROP:
		say(t, "drop\n");
		break;
	case GW_ACT_SIP_PASS:
		say(t, "pass\n");
		break;
	case GW_ACT_SIP_SEND:
		rig_on_send(t, a->u.sip_send.token, a->u.sip_send.request);
		break;
	case GW_ACT_STANZA:
		rig_on_stanza(t, &a->u.stanza.delivery);
		break;
	case GW_ACT_OUTCOME:
		e = a->u.outcome.refused;
		if (e == NULL)
			say(t, "outcome delivered\n");
		else
			say(t, "outcome %s \"%s\"\n",
			    stanza_error_name(e->condition),
			    e->n_text > 0 ? e->text[0]->text : "");
		break;
	case GW_ACT_STORE:
		gw_router_on_committed(t->r, a->u.store.seq, t->now);
		break;
	}
}

static inline void rig_drain(struct rig *t)
{
	struct gw_action a;

	while (gw_router_next_action(t->r, &a, t->now))
		rig_do(t, &a);
}

/* Let time pass, deadline by deadline. */
static inline void rig_pass(struct rig *t, uint64_t ms)
{
	uint64_t end = t->now + ms;
	uint64_t at;

	rig_drain(t);
	while ((at = gw_router_deadline_ms(t->r)) <= end) {
		t->now = at > t->now ? at : t->now + 1;
		rig_drain(t);
	}
	t->now = end > t->now ? end : t->now;
	rig_drain(t);
}

/* --- what is done to it -------------------------------------------------- */

/* Other rules, and what comes of them in so many milliseconds. */
static inline void rig_rule(struct rig *t, const struct rules *r, uint64_t ms)
{
	struct federation *old = t->federation;

	t->out[0] = '\0';
	t->federation = r != NULL ? rules_make(r) : NULL;
	gw_router_set_federation(t->r, t->federation, t->now);
	federation_free(old);
	rig_pass(t, ms);
}

static inline struct sip_request_in rig_request(struct rig *t,
						const char *method)
{
	struct sip_request_in q = {
		.handle = ++t->handle,
		.method = span_str(method),
		.source = SPAN_LIT("192.0.2.1"),
		.from_uri = SPAN_LIT("sip:" ROMEO),
		.request_uri = SPAN_LIT("sip:" JULIET),
		.to_uri = SPAN_LIT("sip:" JULIET),
		.from_tag = SPAN_LIT("t"),
		.cseq = ++t->cseq,
		.contact_uri = SPAN_LIT("sip:10.0.0.9"),
	};

	q.call_id = span_str(arena_printf(&t->a, "call%d", (int)t->handle));
	t->out[0] = '\0';
	return q;
}

static inline void rig_feed_request(struct rig *t,
				    const struct sip_request_in *q)
{
	gw_router_on_sip_request(t->r, q, t->now);
	rig_drain(t);
}

static inline void sip_message(struct rig *t)
{
	struct sip_request_in q = rig_request(t, "MESSAGE");

	q.content_type = SPAN_LIT("text/plain");
	q.body = SPAN_LIT("hello");
	rig_feed_request(t, &q);
}

static inline void sip_subscribe(struct rig *t, uint32_t expires)
{
	struct sip_request_in q = rig_request(t, "SUBSCRIBE");

	q.has_event = true;
	q.event = SPAN_LIT("presence");
	q.has_expires = true;
	q.expires = expires;
	rig_feed_request(t, &q);
}

/* Inside of the dialog of the last NOTIFY. */
static inline void sip_refresh(struct rig *t, uint32_t expires)
{
	struct sip_request_in q = rig_request(t, "SUBSCRIBE");

	q.call_id = span_str(arena_dup(&t->a, span_str(t->nd_call_id)));
	q.has_to_tag = true;
	q.to_tag = span_str(arena_dup(&t->a, span_str(t->nd_tag)));
	q.has_event = true;
	q.event = SPAN_LIT("presence");
	q.has_expires = true;
	q.expires = expires;
	rig_feed_request(t, &q);
}

/* The answer to our last SUBSCRIBE: Romeo's phone, with a note. */
static inline void sip_notify(struct rig *t, const char *note)
{
	struct sip_request_in q = rig_request(t, "NOTIFY");

	q.call_id = span_str(arena_dup(&t->a, span_str(t->call_id)));
	q.has_to_tag = true;
	q.to_tag = span_str(arena_dup(&t->a, span_str(t->from_tag)));
	q.from_tag = SPAN_LIT("theirs");
	q.has_event = true;
	q.event = SPAN_LIT("presence");
	q.subscription_state = SPAN_LIT("active;expires=3600");
	q.content_type = SPAN_LIT("application/pidf+xml");
	q.body = span_str(arena_printf(
		&t->a,
		"<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='x'>"
		"<tuple id='ID-phone'><status><basic>open</basic></status>"
		"<note xml:lang='en'>%s</note><note xml:lang='it'>%s.it</note>"
		"</tuple></presence>",
		note, note));
	rig_feed_request(t, &q);
}

static inline void rig_feed(struct rig *t, Fed__Stanza *s)
{
	uint8_t raw[ID_RAW_BYTES] = {0};
	Fed__StanzaFrame frame;

	t->ref++;
	memcpy(raw, &t->ref, sizeof(t->ref));
	s->from = rules_text(s->from[0] != '\0' ? s->from : JULIET "/balcony");
	s->to = rules_text(s->to[0] != '\0' ? s->to : ROMEO);
	s->id = s->id[0] != '\0' ? s->id : arena_dup(&t->a, SPAN_LIT("x1"));
	fed__stanza_frame__init(&frame);
	frame.delivery_id.data = raw;
	frame.delivery_id.len = ID_RAW_BYTES;
	frame.stanza = s;
	t->out[0] = '\0';
	gw_router_on_stanza(t->r, 0, t->ref, &frame, t->now);
	rig_drain(t);
}

static inline Fed__Stanza *rig_message(struct rig *t, const char *body)
{
	Fed__Stanza *s = stanza_new_message(&t->a);

	assert_int_equal(stanza_add_text(&t->a, &s->message->body,
					 &s->message->n_body, SPAN_NULL,
					 span_str(body)),
			 0);
	return s;
}

static inline void xmpp_message(struct rig *t)
{
	rig_feed(t, rig_message(t, "hi"));
}

static inline void xmpp_presence(struct rig *t, Fed__PresenceType type,
				 const char *note)
{
	Fed__Stanza *s = stanza_new_presence(&t->a);

	s->presence->type = type;
	/* all but his presence come from the user himself */
	if (type != FED__PRESENCE_TYPE__AVAILABLE)
		s->from = rules_text(JULIET);
	if (note != NULL)
		assert_int_equal(stanza_add_text(&t->a, &s->presence->status,
						 &s->presence->n_status,
						 SPAN_NULL, span_str(note)),
				 0);
	rig_feed(t, s);
}

static inline void xmpp_iq(struct rig *t, const char *to)
{
	Fed__Stanza *s = stanza_new_iq(&t->a);
	Fed__Ping *ping = arena_alloc(&t->a, sizeof(*ping));

	fed__ping__init(ping);
	s->to = rules_text(to);
	s->iq->type = FED__IQ_TYPE__GET;
	s->iq->payload_case = FED__IQ__PAYLOAD_PING;
	s->iq->ping = ping;
	rig_feed(t, s);
}

static inline bool said(const struct rig *t, const char *text)
{
	return strstr(t->out, text) != NULL;
}

static inline bool logged(const struct rig *t, const char *text)
{
	return strstr(t->log, text) != NULL;
}

/* Juliet watches Romeo, and was told of his phone. */
static inline void juliet_watches(struct rig *t, const char *note)
{
	xmpp_presence(t, FED__PRESENCE_TYPE__SUBSCRIBE, NULL);
	assert_true(said(t, "sip SUBSCRIBE sip:" ROMEO));
	sip_notify(t, note);
}

/* Romeo watches Juliet, who lets him and is there. */
static inline void romeo_watches(struct rig *t, const char *note)
{
	sip_subscribe(t, 3600);
	assert_true(said(t, "stanza " ROMEO " -> " JULIET " subscribe"));
	xmpp_presence(t, FED__PRESENCE_TYPE__SUBSCRIBED, NULL);
	xmpp_presence(t, FED__PRESENCE_TYPE__AVAILABLE, note);
}

/* --- life ---------------------------------------------------------------- */

static const char *const RIG_DOMAINS[] = {"sip.example"};
static const char *const RIG_TRUSTED[] = {"192.0.2.1"};
static const char *const RIG_EDGES[] = {"edge.example"};

static inline int rig_setup(void **state)
{
	struct rig *t = calloc(1, sizeof(*t));
	struct presence_params presence = {
		.expires_min_s = 60,
		.repair_rate = 100,
		.hold_off_ms = 300000,
		.notify_interval_ms = 5000,
		.wall_ms = RIG_WALL_MS,
	};
	struct gw_router_params p = {
		.checks = {.domains = RIG_DOMAINS,
			   .domain_count = 1,
			   .trusted = RIG_TRUSTED,
			   .trusted_count = 1},
		.map = {.page_max_bytes = 1300, .fixed_bytes = 100},
		.edges = RIG_EDGES,
		.edge_count = 1,
	};

	assert_non_null(t);
	t->now = 1000000;
	t->logger = (struct logger){FED_LOG_INFO, rig_sink, t};
	presence.ids = p.ids = &t->ids;
	presence.log = p.log = &t->logger;
	presence.metrics = p.metrics = &t->metrics;
	arena_init(&t->a, 64u << 20);
	assert_int_equal(presence_new(&t->p, &presence, t->now), 0);
	p.presence = t->p;
	assert_int_equal(gw_router_new(&t->r, &p, t->now), 0);
	gw_router_on_session(t->r, 0);
	gw_router_on_edge(t->r, 0, GW_EDGE_READY, t->now);
	rig_drain(t);
	*state = t;
	return 0;
}

static inline int rig_teardown(void **state)
{
	struct rig *t = *state;

	gw_router_free(t->r);
	presence_free(t->p);
	federation_free(t->federation);
	arena_deinit(&t->a);
	free(t);
	return 0;
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

#endif
