/* Shell of the router: stanzas in, its actions carried out at the end of the
 * turn, the ledger. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge-proxy/core/stanza_xml.h"
#include "edge-proxy/edge_confirm.h"
#include "xmpp/jid.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

struct edge_routes {
	struct edge_router *router;
	struct loop_deferred work;
	struct loop_timer *timer;
	struct buf xml; /* the stanza being taken */
	struct buf tag; /* and what it is known by */
};

/* ---- actions of the router ----------------------------------------------- */

static void on_write(struct edge *e, const struct edge_router_action *a)
{
	struct edge_router *r = e->routes->router;
	uint64_t stream = a->stream;
	bool is_congested = false;
	uint64_t end = 0;

	/* when it is gone, its end was or will be reported: the stanza is
	 * tried again then */
	if (!edge_out_write(e, stream, a->u.bytes, &end, &is_congested) &&
	    !edge_in_write(e, stream, a->u.bytes, &end, &is_congested))
		return;
	edge_router_wrote(r, stream, end, loop_now_ms(e->loop));
	if (is_congested)
		edge_router_set_congested(r, stream, true);
}

void edge_routes_settle(struct edge *e, struct edge_origin origin,
			struct span tag, const Fed__Error *refused,
			uint64_t start_ms)
{
	unsigned long long ms = loop_now_ms(e->loop) - start_ms;
	const char *ledger = edge_tag_read(tag).ledger;
	const char *text = refused != NULL && refused->n_text > 0
				   ? refused->text[0]->text
				   : "";

	metrics_count(&e->metrics,
		      refused == NULL ? METRIC_delivered : METRIC_refused);
	if (refused == NULL)
		fed_log(&e->log, FED_LOG_INFO, "delivery",
			"%s dir=to-xmpp outcome=delivered ms=%llu", ledger, ms);
	else
		fed_log(&e->log, FED_LOG_INFO, "delivery",
			"%s dir=to-xmpp outcome=%s ms=%llu text=\"%s\"", ledger,
			stanza_error_name(refused->condition), ms,
			log_value(span_str(text)).text);
	if (origin.link != 0)
		edge_channel_outcome(e, origin, refused);
}

static bool is_ping(const struct edge_router_action *a)
{
	return a->u.outcome.origin.link == 0 &&
	       edge_tag_read(a->u.outcome.tag).from[0] != '\0';
}

static void on_outcome(struct edge *e, const struct edge_router_action *a)
{
	Fed__Condition c = a->u.outcome.refused;
	struct arena arena;
	Fed__Error *error = NULL;

	edge_channel_made_room(e);
	if (is_ping(a)) {
		if (c != FED__CONDITION__NO_CONDITION)
			edge_confirm_ping_failed(e, a->u.outcome.tag);
		return;
	}
	if (c == FED__CONDITION__NO_CONDITION &&
	    edge_confirm_hold(e, a->u.outcome.origin, a->u.outcome.tag,
			      a->u.outcome.start_ms))
		return;
	arena_init(&arena, 4096);
	if (c != FED__CONDITION__NO_CONDITION)
		error = stanza_error_new(&arena, c,
					 a->u.outcome.text[0] == '\0'
						 ? NULL
						 : a->u.outcome.text);
	if (error != NULL)
		error->detail = a->u.outcome.detail;
	edge_routes_settle(e, a->u.outcome.origin, a->u.outcome.tag, error,
			   a->u.outcome.start_ms);
	arena_deinit(&arena);
}

static void on_work(void *arg)
{
	struct edge *e = arg;
	struct edge_router *r = e->routes->router;
	struct edge_router_action a;

	while (edge_router_next_action(r, &a, loop_now_ms(e->loop))) {
		switch (a.kind) {
		case EDGE_ROUTER_CONNECT:
			edge_out_route(e, a.stream, &a.u.pair);
			break;
		case EDGE_ROUTER_WRITE:
			on_write(e, &a);
			break;
		case EDGE_ROUTER_CLOSE:
			edge_out_close(e, a.stream, a.u.why);
			edge_in_close(e, a.stream);
			break;
		case EDGE_ROUTER_OUTCOME:
			on_outcome(e, &a);
			break;
		case EDGE_ROUTER_LOST:
			edge_confirm_lost(e, &a.u.pair);
			break;
		}
	}
	loop_timer_arm(e->routes->timer, edge_router_deadline_ms(r));
	edge_check_stopped(e);
}

static void on_timer(void *arg)
{
	struct edge *e = arg;

	edge_router_on_timer(e->routes->router, loop_now_ms(e->loop));
	loop_defer(e->loop, &e->routes->work);
}

static void kick(struct edge *e)
{
	loop_defer(e->loop, &e->routes->work);
}

/* ---- life ---------------------------------------------------------------- */

int edge_routes_new(struct edge *e)
{
	const struct edge_router_env env = {
		.ids = &e->ids, .log = &e->log, .metrics = &e->metrics};
	struct edge_routes *rs = calloc(1, sizeof(*rs));

	if (rs == NULL)
		return FED_ENOMEM;
	e->routes = rs;
	rs->work = (struct loop_deferred){.fn = on_work, .arg = e};
	buf_init(&rs->xml, LIMIT_STANZA_BYTES);
	buf_init(&rs->tag, LIMIT_STANZA_BYTES);
	if (edge_router_new(&rs->router, &env) == 0 &&
	    loop_timer_new(&rs->timer, e->loop, on_timer, e) == 0)
		return 0;
	edge_routes_free(e);
	return FED_ENOMEM;
}

void edge_routes_free(struct edge *e)
{
	struct edge_routes *rs = e->routes;

	if (rs == NULL)
		return;
	e->routes = NULL;
	loop_undefer(e->loop, &rs->work);
	loop_timer_free(rs->timer);
	edge_router_free(rs->router);
	buf_deinit(&rs->xml);
	buf_deinit(&rs->tag);
	free(rs);
}

void edge_routes_stop(struct edge *e)
{
	edge_router_stop(e->routes->router);
	kick(e);
}

bool edge_routes_owes(const struct edge *e, const struct s2s_pair *pair)
{
	return edge_router_owes(e->routes->router, pair);
}

size_t edge_routes_queues(const struct edge *e, uint64_t *cursor,
			  struct edge_router_queue *out, size_t max)
{
	return edge_router_queues(e->routes->router, cursor, out, max,
				  loop_now_ms(e->loop));
}

void edge_routes_look_again(struct edge *e)
{
	edge_router_look_again(e->routes->router, &e->policy,
			       loop_now_ms(e->loop));
	kick(e);
}

size_t edge_routes_stanzas(const struct edge *e)
{
	return edge_router_stanzas(e->routes->router);
}

/* ---- streams ------------------------------------------------------------- */

void edge_routes_seen(struct edge *e, const struct s2s_pair *pair)
{
	edge_router_seen(e->routes->router, pair, loop_now_ms(e->loop));
	kick(e);
}

uint64_t edge_routes_adopt(struct edge *e, const struct s2s_pair *pair,
			   size_t peer_max)
{
	uint64_t stream = edge_router_adopt(e->routes->router, pair, peer_max,
					    loop_now_ms(e->loop));

	kick(e);
	return stream;
}

void edge_routes_heard(struct edge *e, uint64_t stream)
{
	edge_router_heard(e->routes->router, stream, loop_now_ms(e->loop));
}

void edge_routes_opened(struct edge *e, uint64_t stream,
			const struct s2s_limits *limits)
{
	edge_router_opened(e->routes->router, stream, limits,
			   loop_now_ms(e->loop));
	kick(e);
}

void edge_routes_ended(struct edge *e, uint64_t stream,
		       const struct s2s_reason *reason)
{
	edge_router_ended(e->routes->router, stream, reason,
			  loop_now_ms(e->loop));
	kick(e);
}

void edge_routes_flushed(struct edge *e, uint64_t stream, uint64_t offset,
			 bool is_congested)
{
	edge_router_flushed(e->routes->router, stream, offset,
			    loop_now_ms(e->loop));
	edge_router_set_congested(e->routes->router, stream, is_congested);
	kick(e);
}

/* ---- stanzas ------------------------------------------------------------- */

static struct span write_xml(struct edge *e, const Fed__Stanza *s)
{
	struct buf *b = &e->routes->xml;

	buf_reset(b);
	if (stanza_xml_write(b, s) != 0 || b->is_failed)
		return SPAN_NULL;
	return buf_span(b);
}

static int take(struct edge *e, const struct edge_router_stanza *s,
		struct edge_router_refusal *no)
{
	int err = edge_router_send(e->routes->router, s, loop_now_ms(e->loop),
				   no);

	kick(e);
	return err;
}

static struct span write_tag(struct edge *e, const char *trace,
			     const Fed__Stanza *s, const struct s2s_pair *pair,
			     bool wants_word)
{
	struct buf *b = &e->routes->tag;

	if (edge_tag_write(b, trace, s, pair, wants_word) != 0)
		return SPAN_LIT("trace=\0");
	return buf_span(b);
}

void edge_routes_send_own(struct edge *e, const struct s2s_pair *pair,
			  const Fed__Stanza *s)
{
	char trace[ID_TEXT_BYTES + 1];
	struct edge_router_refusal no = {0};
	struct edge_router_stanza rs = {.pair = *pair, .is_answer = true};

	id_source_next(&e->ids, trace);
	rs.tag = write_tag(e, trace, s, pair, false);
	rs.xml = write_xml(e, s);
	if (rs.xml.n > 0 && take(e, &rs, &no) == 0)
		return;
	metrics_count(&e->metrics, METRIC_stanzas_dropped);
	fed_log(&e->log, FED_LOG_DEBUG, "answer_dropped", "%s why=\"%s\"",
		edge_tag_read(rs.tag).ledger, no.text);
}

int edge_routes_send_ping(struct edge *e, const struct s2s_pair *pair,
			  const Fed__Stanza *s)
{
	struct edge_router_refusal no = {0};
	struct edge_router_stanza rs = {.pair = *pair};

	rs.tag = write_tag(e, "", s, pair, true);
	rs.xml = write_xml(e, s);
	return rs.xml.n == 0 ? FED_ENOMEM : take(e, &rs, &no);
}

void edge_routes_send_error(struct edge *e, const Fed__Stanza *to,
			    const Fed__Error *error)
{
	char local[LIMIT_DOMAIN_BYTES + 1];
	char remote[LIMIT_DOMAIN_BYTES + 1];
	Fed__Error copy = *error;
	struct arena arena;
	Fed__Stanza *reply;

	arena_init(&arena, LIMIT_STANZA_ARENA_BYTES);
	reply = stanza_error_reply(&arena, to, &copy);
	if (reply != NULL &&
	    domain_normalize(jid_split(span_str(reply->from)).domain, local,
			     sizeof(local)) == 0 &&
	    domain_normalize(jid_split(span_str(reply->to)).domain, remote,
			     sizeof(remote)) == 0)
		edge_routes_send_own(e, &(struct s2s_pair){local, remote},
				     reply);
	arena_deinit(&arena);
}

void edge_routes_refuse(struct edge *e, const Fed__Stanza *to, Fed__Condition c,
			const char *text)
{
	struct arena arena;
	Fed__Error *error;

	if (!stanza_may_be_answered(to)) {
		metrics_count(&e->metrics, METRIC_stanzas_dropped);
		fed_log(&e->log, FED_LOG_DEBUG, "stanza_dropped",
			"from=%s to=%s kind=%s why=%s",
			log_value(span_str(to->from)).text,
			log_value(span_str(to->to)).text, stanza_kind_name(to),
			stanza_error_name(c));
		return;
	}
	metrics_count(&e->metrics, METRIC_stanzas_refused);
	arena_init(&arena, 4096);
	error = stanza_error_new(&arena, c, text);
	if (error != NULL)
		edge_routes_send_error(e, to, error);
	arena_deinit(&arena);
}

/* ---- stanzas of gateways ------------------------------------------------- */

static int refuse(struct edge_router_refusal *no, Fed__Condition c,
		  const char *text)
{
	no->condition = c;
	no->detail = FED__ERROR_DETAIL__NO_DETAIL;
	(void)snprintf(no->text, sizeof(no->text), "%s", text);
	return FED_EDENIED;
}

static int refuse_too_big(struct edge_router_refusal *no)
{
	int err = refuse(no, FED__CONDITION__POLICY_VIOLATION,
			 "too large for a stanza");

	no->detail = FED__ERROR_DETAIL__STANZA_TOO_BIG;
	return err;
}

/* The gateway is not believed either: its domains must be ours and a
 * partner's. not-allowed and policy-violation are SIP 403 for any address
 * (RFC 7247 7.1). */
static int check_pair(struct edge *e, const Fed__Stanza *s, char *local,
		      char *remote, struct edge_router_refusal *no)
{
	struct span from = jid_split(span_str(s->from)).domain;
	struct span to = jid_split(span_str(s->to)).domain;

	if (domain_normalize(from, local, LIMIT_DOMAIN_BYTES + 1) != 0 ||
	    domain_normalize(to, remote, LIMIT_DOMAIN_BYTES + 1) != 0)
		return refuse(no, FED__CONDITION__JID_MALFORMED,
			      "not a domain");
	if (!policy_serves(&e->policy, span_str(local)))
		return refuse(no, FED__CONDITION__NOT_ALLOWED,
			      "the edge does not serve the sender's domain");
	if (policy_serves(&e->policy, span_str(remote)))
		return refuse(no, FED__CONDITION__NOT_ALLOWED,
			      "the domain is inside");
	if (policy_find(&e->policy, span_str(remote)) == NULL)
		return refuse(no, FED__CONDITION__POLICY_VIOLATION,
			      "the domain is not a partner");
	return 0;
}

/* A server answers a message that it cannot deliver (RFC 6121 8.5); errors
 * and receipts are answered by nobody. */
static bool wants_word(const Fed__Stanza *s)
{
	return s->kind_case == FED__STANZA__KIND_MESSAGE &&
	       s->message->type != FED__MESSAGE_TYPE__MESSAGE_ERROR &&
	       s->message->n_body > 0;
}

int edge_routes_send(struct edge *e, struct edge_origin origin,
		     const Fed__StanzaFrame *frame,
		     struct edge_router_refusal *refusal_out)
{
	char local[LIMIT_DOMAIN_BYTES + 1] = "";
	char remote[LIMIT_DOMAIN_BYTES + 1] = "";
	char trace[2 * ID_RAW_BYTES + 1] = "";
	struct edge_router_stanza rs = {.origin = origin};
	int err = check_pair(e, frame->stanza, local, remote, refusal_out);

	if (frame->delivery_id.len == ID_RAW_BYTES)
		digest_hex(frame->delivery_id.data, ID_RAW_BYTES, trace);
	rs.pair = (struct s2s_pair){local, remote};
	rs.tag = write_tag(e, trace, frame->stanza, &rs.pair,
			   wants_word(frame->stanza));
	if (err == 0) {
		rs.xml = write_xml(e, frame->stanza);
		if (rs.xml.n == 0)
			err = refuse_too_big(refusal_out);
	}
	if (err == 0)
		err = take(e, &rs, refusal_out);
	if (err == 0)
		return 0;
	metrics_count(&e->metrics, METRIC_refused);
	fed_log(&e->log, FED_LOG_INFO, "delivery",
		"%s dir=to-xmpp outcome=%s ms=0 text=\"%s\"",
		edge_tag_read(rs.tag).ledger,
		stanza_error_name(refusal_out->condition), refusal_out->text);
	return err;
}
