/*
 * Receiving entity: life, states, dispatch.
 *
 * An event never answers directly: it changes the state and leaves actions in
 * the ring.  Received elements wait in the reader and are taken one by one
 * when the ring is empty, so a shell that stops draining stops the peer.
 */
#include "edge-proxy/core/s2s_in.h"

#include <stdlib.h>
#include <string.h>

#include "edge-proxy/core/s2s_in_impl.h"

static const char *const state_names[] = {
#define S2S_IN_NAME(state, name) [state] = name,
	S2S_IN_STATES(S2S_IN_NAME)
#undef S2S_IN_NAME
};

static const struct {
	enum in_state from;
	enum in_state to;
} edges[] = {
	{IN_HDR_CLEAR, IN_NEG_CLEAR},	{IN_HDR_CLEAR, IN_HDR_SECURE},
	{IN_HDR_CLEAR, IN_CLOSED},	{IN_NEG_CLEAR, IN_TLS},
	{IN_NEG_CLEAR, IN_OPEN},	{IN_NEG_CLEAR, IN_CLOSED},
	{IN_TLS, IN_HDR_SECURE},	{IN_TLS, IN_CLOSED},
	{IN_HDR_SECURE, IN_NEG_SECURE}, {IN_HDR_SECURE, IN_CLOSED},
	{IN_NEG_SECURE, IN_SASL},	{IN_NEG_SECURE, IN_HDR_AUTH},
	{IN_NEG_SECURE, IN_OPEN},	{IN_NEG_SECURE, IN_CLOSED},
	{IN_SASL, IN_NEG_SECURE},	{IN_SASL, IN_HDR_AUTH},
	{IN_SASL, IN_CLOSED},		{IN_HDR_AUTH, IN_OPEN},
	{IN_HDR_AUTH, IN_CLOSED},	{IN_OPEN, IN_DRAIN},
	{IN_OPEN, IN_CLOSED},		{IN_DRAIN, IN_CLOSED},
};

static bool is_edge(enum in_state from, enum in_state to)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(edges); i++)
		if (edges[i].from == from && edges[i].to == to)
			return true;
	return false;
}

void s2s_in_set_state(struct s2s_in *s, enum in_state to, const char *trigger)
{
	struct s2s_reason r;

	if (!FED_CHECK(is_edge(s->state, to))) {
		r = s2s_reason_make(S2S_END_ERROR_SENT,
				    S2S_INTERNAL_SERVER_ERROR, "state");
		s->state = IN_CLOSED;
		s2s_queue_push_close(&s->queue, &r);
		return;
	}
	fed_log(s->env->log, FED_LOG_DEBUG, "s2s_state",
		"%s from=%s to=%s trigger=%s", s->env->label,
		state_names[s->state], state_names[to], trigger);
	s->state = to;
	s->deadline_ms = s2s_in_state_deadline_ms(s);
}

static void log_close(const struct s2s_in *s, const struct s2s_reason *r)
{
	char text[256];

	s2s_reason_format(r, text, sizeof(text));
	fed_log(s->env->log, FED_LOG_DEBUG, "s2s_close",
		"%s local=%s peer=%s state=%s reason=\"%s\"", s->env->label,
		s2s_in_local(s), s2s_in_peer(s), state_names[s->state], text);
}

/* The only way to IN_CLOSED. */
void s2s_in_drop(struct s2s_in *s, const struct s2s_reason *r)
{
	struct s2s_reason reason = *r; /* may be s->drain_reason */

	if (s->state == IN_CLOSED)
		return;
	log_close(s, &reason);
	s2s_in_set_state(s, IN_CLOSED, "close");
	s2s_queue_push_close(&s->queue, &reason);
}

static bool may_write(const struct s2s_in *s)
{
	/* under TLS handshake and behind our </stream:stream>: nothing */
	return s->state != IN_TLS && s->state != IN_DRAIN &&
	       s->state != IN_CLOSED;
}

void s2s_in_write_header(struct s2s_in *s)
{
	const char *from = s->local;
	struct s2s_header_out h = {.to = s->peer, .id = s->id};

	id_source_next(s->env->ids, s->id);
	/* RFC 6120 4.7.1: an authoritative name of ours also in errors */
	if (from == NULL)
		from = s->env->policy->domain_count > 0
			       ? s->env->policy->domains[0]
			       : "";
	h.from = from;
	h.has_version = s->has_peer_version;
	s2s_write_header(&s->queue.out, &h);
}

/* Our header was not written yet in the present document. */
static bool awaits_header(const struct s2s_in *s)
{
	return s->state == IN_HDR_CLEAR || s->state == IN_HDR_SECURE ||
	       s->state == IN_HDR_AUTH;
}

void s2s_in_finish(struct s2s_in *s, const struct s2s_reason *r)
{
	if (may_write(s)) {
		if (awaits_header(s))
			s2s_in_write_header(s);
		s2s_write_end(&s->queue.out);
	}
	s2s_in_drop(s, r);
}

void s2s_in_fail_as(struct s2s_in *s, enum s2s_reason_kind kind,
		    enum s2s_condition c, const char *text)
{
	struct s2s_reason r = s2s_reason_make(kind, c, text);

	if (may_write(s)) {
		if (awaits_header(s))
			s2s_in_write_header(s);
		s2s_write_error(&s->queue.out, c, text,
				s->feed_err == FED_ELIMIT &&
					c == S2S_POLICY_VIOLATION &&
					!awaits_header(s));
		metrics_count(s->env->metrics, METRIC_stream_errors_sent);
	}
	s2s_in_drop(s, &r);
}

void s2s_in_fail(struct s2s_in *s, enum s2s_condition c, const char *text)
{
	s2s_in_fail_as(s, S2S_END_ERROR_SENT, c, text);
}

void s2s_in_push(struct s2s_in *s, const struct s2s_action *a)
{
	if (s->state == IN_CLOSED || s2s_queue_push(&s->queue, a) == 0)
		return;
	s2s_in_fail(s, S2S_RESOURCE_CONSTRAINT, NULL);
}

bool s2s_in_is_clean(const struct s2s_in *s)
{
	return s->feed_err == 0 && xml_reader_is_clean(s->reader);
}

void s2s_in_open(struct s2s_in *s, const char *trigger)
{
	if (s->state == IN_OPEN || s->state == IN_DRAIN)
		return;
	s->used_ms = s->now_ms;
	s->heard_ms = s->now_ms;
	s->wrote_ms = s->now_ms;
	s2s_in_set_state(s, IN_OPEN, trigger);
	xml_reader_set_stanza_max(s->reader, s->env->policy->stanza_max);
	xml_reader_set_lenient(s->reader);
	metrics_count(s->env->metrics, METRIC_streams_in);
}

int s2s_in_new(struct s2s_in **core_out, const struct s2s_env *env,
	       uint64_t now_ms)
{
	struct s2s_in *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return FED_ENOMEM;
	if (xml_reader_new(&s->reader, LIMIT_STANZA_BYTES_FLOOR) != 0) {
		free(s);
		return FED_ENOMEM;
	}
	s->env = env;
	s->state = IN_HDR_CLEAR;
	s->now_ms = now_ms;
	s->has_peer_version = true;
	s->expires_ms = UINT64_MAX;
	s->setup_deadline_ms = now_ms + policy_setup_ms(env->policy);
	s->deadline_ms = s2s_in_state_deadline_ms(s);
	s2s_queue_init(&s->queue);
	arena_init(&s->arena, LIMIT_STANZA_ARENA_BYTES);
	*core_out = s;
	return 0;
}

void s2s_in_free(struct s2s_in *s)
{
	if (s == NULL)
		return;
	xml_reader_free(s->reader);
	s2s_queue_deinit(&s->queue);
	arena_deinit(&s->arena);
	s2s_in_free_pairs(s);
	free(s->peer);
	free(s->local);
	free(s->lang);
	free(s);
}

static void on_peer_error(struct s2s_in *s, const struct xml_el *el)
{
	struct s2s_reason r;

	s2s_error_read(el, &r);
	metrics_count(s->env->metrics, METRIC_stream_errors_got);
	s2s_in_finish(s, &r);
}

static void on_element(struct s2s_in *s, const struct xml_el *el)
{
	enum s2s_el is = s2s_el_classify(el);

	/* behind our </stream:stream> nothing can be answered any more */
	if (s->state == IN_DRAIN && is != S2S_EL_STANZA && is != S2S_EL_ERROR)
		return;
	switch (is) {
	case S2S_EL_STANZA:
		s2s_in_on_stanza(s, el);
		break;
	case S2S_EL_ERROR:
		on_peer_error(s, el);
		break;
	case S2S_EL_STARTTLS:
		s2s_in_on_starttls(s);
		break;
	case S2S_EL_AUTH:
		s2s_in_on_auth(s, el);
		break;
	case S2S_EL_RESPONSE:
		s2s_in_on_response(s, el);
		break;
	case S2S_EL_ABORT:
		s2s_in_on_abort(s);
		break;
	case S2S_EL_RESULT:
		s2s_in_on_result(s, el);
		break;
	case S2S_EL_VERIFY:
		s2s_in_on_verify(s, el);
		break;
	case S2S_EL_BIDI:
		s2s_in_on_bidi(s, el);
		break;
	case S2S_EL_CLIENT:
		s2s_in_fail(s, S2S_INVALID_NAMESPACE, NULL);
		break;
	case S2S_EL_TOO_BIG:
		s2s_in_fail(s, S2S_POLICY_VIOLATION, NULL);
		break;
	case S2S_EL_FEATURES:
	case S2S_EL_PROCEED:
	case S2S_EL_TLS_FAILURE:
	case S2S_EL_CHALLENGE:
	case S2S_EL_SUCCESS:
	case S2S_EL_SASL_FAILURE:
	case S2S_EL_OTHER:
		s2s_in_fail(s, S2S_UNSUPPORTED_STANZA_TYPE, NULL);
		break;
	}
}

static void on_peer_close(struct s2s_in *s)
{
	struct s2s_reason r = s2s_reason_make(S2S_END_CLOSED, S2S_NO_CONDITION,
					      "closed by the peer");

	if (s->state == IN_DRAIN)
		r = s->drain_reason;
	s2s_in_finish(s, &r);
}

/* One event of the reader; false when there is none. */
static bool pull(struct s2s_in *s)
{
	struct xml_event ev;

	if (s->state == IN_CLOSED || s->state == IN_TLS)
		return false;
	if (!xml_reader_next(s->reader, &ev)) {
		if (s->feed_err == 0)
			return false;
		s2s_in_fail(s, s2s_feed_condition(s->feed_err), NULL);
		return true;
	}
	switch (ev.kind) {
	case XML_HEADER:
		s2s_in_on_header(s, &ev);
		break;
	case XML_ELEMENT:
		on_element(s, ev.el);
		break;
	case XML_CLOSE:
		on_peer_close(s);
		break;
	}
	return true;
}

/* What was appended to the bytes becomes a WRITE; a buffer that failed ends
 * the stream. */
static void commit(struct s2s_in *s)
{
	struct s2s_reason r;

	if (s->state == IN_CLOSED || s2s_queue_commit(&s->queue) == 0)
		return;
	r = s2s_reason_make(S2S_END_ERROR_SENT, S2S_RESOURCE_CONSTRAINT,
			    "too much to write");
	s2s_in_drop(s, &r);
}

bool s2s_in_next_action(struct s2s_in *s, struct s2s_action *action_out)
{
	while (s2s_queue_is_empty(&s->queue)) {
		s2s_queue_recycle(&s->queue);
		arena_reset(&s->arena);
		if (!pull(s)) {
			/* a stream that is silent keeps no block */
			arena_deinit(&s->arena);
			return false;
		}
		commit(s);
	}
	return s2s_queue_pop(&s->queue, action_out);
}

static int on_bytes(struct s2s_in *s, struct span bytes)
{
	int err;

	if (s->state == IN_TLS || !s2s_queue_is_empty(&s->queue))
		return FED_ESTATE;
	if (s->state == IN_OPEN) {
		s->used_ms = s->now_ms;
		s->heard_ms = s->now_ms;
		s->deadline_ms = s2s_in_state_deadline_ms(s);
	} else if (s->state != IN_DRAIN) {
		s->unauth_bytes += bytes.n;
		if (s->unauth_bytes > LIMIT_UNAUTH_BYTES) {
			s2s_in_fail(s, S2S_POLICY_VIOLATION,
				    "too much before authentication");
			return 0;
		}
	}
	err = xml_reader_feed(s->reader, bytes);
	if (err == FED_ESTATE)
		return err;
	s->feed_err = err;
	return err == FED_ENOMEM ? err : 0;
}

static void on_tls_failed(struct s2s_in *s, const char *text)
{
	struct s2s_reason r =
		s2s_reason_make(S2S_END_TLS, S2S_NO_CONDITION, text);

	/* RFC 6120 5.4.3.2: no </stream:stream>, just TCP close */
	s2s_in_drop(s, &r);
}

static void on_eof(struct s2s_in *s)
{
	struct s2s_reason r =
		s2s_reason_make(S2S_END_EOF, S2S_NO_CONDITION, NULL);

	s2s_in_drop(s, s->state == IN_DRAIN ? &s->drain_reason : &r);
}

static int dispatch(struct s2s_in *s, const struct s2s_event *ev)
{
	switch (ev->kind) {
	case S2S_EV_BYTES:
		return on_bytes(s, ev->u.bytes);
	case S2S_EV_TLS_UP:
		s2s_in_on_tls_up(s, ev);
		break;
	case S2S_EV_TLS_FAILED:
		on_tls_failed(s, ev->u.text);
		break;
	case S2S_EV_EOF:
		on_eof(s);
		break;
	case S2S_EV_TIMER:
		s2s_in_on_timer(s);
		break;
	case S2S_EV_VERIFIED:
		s2s_in_on_verified(s, &ev->u.verified.pair,
				   ev->u.verified.result);
		break;
	case S2S_EV_SHUTDOWN:
		s2s_in_on_shutdown(s);
		break;
	case S2S_EV_IDLE_CLOSE:
		s2s_in_on_idle_close(s, "asked to close");
		break;
	case S2S_EV_POLICY:
		s2s_in_on_policy(s);
		break;
	case S2S_EV_TOO_SLOW:
		s2s_in_fail(s, S2S_RESOURCE_CONSTRAINT, "peer does not read");
		break;
	case S2S_EV_TOO_MANY:
		s2s_in_fail(s, S2S_RESOURCE_CONSTRAINT, "too many streams");
		break;
	}
	return 0;
}

int s2s_in_on_event(struct s2s_in *s, const struct s2s_event *ev,
		    uint64_t now_ms)
{
	int err;

	if (s->state == IN_CLOSED)
		return 0;
	s->now_ms = now_ms;
	s2s_queue_recycle(&s->queue);
	err = dispatch(s, ev);
	commit(s);
	return err;
}

const char *s2s_in_state_name(const struct s2s_in *s)
{
	return state_names[s->state];
}

const char *s2s_in_peer(const struct s2s_in *s)
{
	return s->peer == NULL ? "" : s->peer;
}

const char *s2s_in_local(const struct s2s_in *s)
{
	return s->local == NULL ? "" : s->local;
}

bool s2s_in_takes(const struct s2s_in *s, const struct s2s_pair *pair)
{
	return s->has_bidi && s->state == IN_OPEN && s2s_in_has_pair(s, pair);
}

size_t s2s_in_peer_max_bytes(const struct s2s_in *s)
{
	return s->peer_max_bytes;
}
