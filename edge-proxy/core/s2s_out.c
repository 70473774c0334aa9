/*
 * Initiating entity: life, states, dispatch.  Same shape as s2s_in.c.
 *
 * In OPEN the shell writes the stanzas itself, behind what the core wrote; it
 * alone sees that the stream is idle and says so with S2S_EV_IDLE_CLOSE.
 */
#include "edge-proxy/core/s2s_out.h"

#include <stdlib.h>
#include <string.h>

#include "edge-proxy/core/s2s_out_impl.h"

static const char *const state_names[] = {
#define S2S_OUT_NAME(state, name) [state] = name,
	S2S_OUT_STATES(S2S_OUT_NAME)
#undef S2S_OUT_NAME
};

/* OUT_CLOSED is reached from everywhere and not listed. */
static const struct {
	enum out_state from;
	enum out_state to;
} edges[] = {
	{OUT_START, OUT_HDR_CLEAR},
	{OUT_START, OUT_HDR_SECURE},
	{OUT_HDR_CLEAR, OUT_FEAT_CLEAR},
	{OUT_HDR_CLEAR, OUT_DIALBACK},
	{OUT_HDR_CLEAR, OUT_VERIFY},
	{OUT_FEAT_CLEAR, OUT_PROCEED},
	{OUT_FEAT_CLEAR, OUT_DIALBACK},
	{OUT_FEAT_CLEAR, OUT_VERIFY},
	{OUT_PROCEED, OUT_TLS},
	{OUT_TLS, OUT_HDR_SECURE},
	{OUT_HDR_SECURE, OUT_FEAT_SECURE},
	{OUT_HDR_SECURE, OUT_DIALBACK},
	{OUT_HDR_SECURE, OUT_VERIFY},
	{OUT_FEAT_SECURE, OUT_SASL},
	{OUT_FEAT_SECURE, OUT_DIALBACK},
	{OUT_FEAT_SECURE, OUT_VERIFY},
	{OUT_SASL, OUT_HDR_AUTH},
	{OUT_SASL, OUT_DIALBACK},
	{OUT_HDR_AUTH, OUT_FEAT_AUTH},
	{OUT_FEAT_AUTH, OUT_OPEN},
	{OUT_DIALBACK, OUT_OPEN},
	{OUT_OPEN, OUT_DRAIN},
};

static bool is_edge(enum out_state from, enum out_state to)
{
	if (to == OUT_CLOSED)
		return from != OUT_CLOSED;
	for (size_t i = 0; i < FED_ARRAY_LEN(edges); i++)
		if (edges[i].from == from && edges[i].to == to)
			return true;
	return false;
}

static uint64_t in_setup(const struct s2s_out *s, uint64_t step_ms)
{
	uint64_t t = s->now_ms + step_ms;

	return t < s->setup_deadline_ms ? t : s->setup_deadline_ms;
}

static uint64_t state_deadline(const struct s2s_out *s)
{
	switch (s->state) {
	case OUT_START:
	case OUT_HDR_CLEAR:
	case OUT_FEAT_CLEAR:
	case OUT_PROCEED:
	case OUT_HDR_SECURE:
	case OUT_FEAT_SECURE:
	case OUT_SASL:
	case OUT_HDR_AUTH:
	case OUT_FEAT_AUTH:
	case OUT_DIALBACK:
		return s->setup_deadline_ms;
	case OUT_TLS:
		return in_setup(s, LIMIT_TLS_MS);
	case OUT_VERIFY:
		return in_setup(s, LIMIT_DIALBACK_MS);
	case OUT_OPEN:
		return s->now_ms + LIMIT_STREAM_KEEPALIVE_MS;
	case OUT_DRAIN:
		return s->now_ms + LIMIT_STREAM_CLOSE_MS;
	case OUT_CLOSED:
	case OUT_STATE_COUNT:
		break;
	}
	return UINT64_MAX;
}

void s2s_out_set_state(struct s2s_out *s, enum out_state to,
		       const char *trigger)
{
	struct s2s_reason r;

	if (s->state == OUT_CLOSED)
		return;
	if (!FED_CHECK(is_edge(s->state, to))) {
		r = s2s_reason_make(S2S_END_ERROR_SENT,
				    S2S_INTERNAL_SERVER_ERROR, "state");
		s->state = OUT_CLOSED;
		s2s_queue_push_close(&s->queue, &r);
		return;
	}
	fed_log(s->env->log, FED_LOG_DEBUG, "s2s_state",
		"%s from=%s to=%s trigger=%s", s->env->label,
		state_names[s->state], state_names[to], trigger);
	s->state = to;
	s->deadline_ms = state_deadline(s);
}

static void log_close(const struct s2s_out *s, const struct s2s_reason *r)
{
	char text[256];

	s2s_reason_format(r, text, sizeof(text));
	fed_log(s->env->log, FED_LOG_DEBUG, "s2s_close",
		"%s local=%s peer=%s state=%s reason=\"%s\"", s->env->label,
		s->local, s->remote, state_names[s->state], text);
}

/* A verify stream never ends without a verdict. */
static void push_verdict(struct s2s_out *s, const struct s2s_reason *r)
{
	struct s2s_action a = {.kind = S2S_ACT_VERDICT};
	int err;

	a.u.verdict = s2s_out_verdict_of(r);
	err = s2s_queue_push(&s->queue, &a);
	/* one verdict in an empty ring: there is room */
	(void)FED_CHECK(err == 0 || s->queue.out.is_failed);
}

void s2s_out_drop(struct s2s_out *s, const struct s2s_reason *r)
{
	struct s2s_reason reason = *r; /* may be s->drain_reason */

	if (s->state == OUT_CLOSED)
		return;
	if (reason.kind == S2S_END_NONE)
		reason.kind = S2S_END_CLOSED;
	else if (s->mode == S2S_OUT_VERIFY)
		push_verdict(s, &reason);
	log_close(s, &reason);
	s2s_out_set_state(s, OUT_CLOSED, "close");
	s2s_queue_push_close(&s->queue, &reason);
}

static bool may_write(const struct s2s_out *s)
{
	return s->state != OUT_START && s->state != OUT_TLS &&
	       s->state != OUT_DRAIN && s->state != OUT_CLOSED;
}

void s2s_out_finish(struct s2s_out *s, enum s2s_reason_kind kind,
		    enum s2s_condition c, const char *text)
{
	struct s2s_reason r = s2s_reason_make(kind, c, text);

	if (may_write(s))
		s2s_write_end(&s->queue.out);
	s2s_out_drop(s, &r);
}

void s2s_out_fail_as(struct s2s_out *s, enum s2s_reason_kind kind,
		     enum s2s_condition c, const char *text)
{
	struct s2s_reason r = s2s_reason_make(kind, c, text);

	if (may_write(s)) {
		s2s_write_error(&s->queue.out, c, text,
				s->feed_err == FED_ELIMIT);
		metrics_count(s->env->metrics, METRIC_stream_errors_sent);
	}
	s2s_out_drop(s, &r);
}

void s2s_out_fail(struct s2s_out *s, enum s2s_condition c, const char *text)
{
	s2s_out_fail_as(s, S2S_END_ERROR_SENT, c, text);
}

void s2s_out_push(struct s2s_out *s, const struct s2s_action *a)
{
	if (s->state == OUT_CLOSED || s2s_queue_push(&s->queue, a) == 0)
		return;
	s2s_out_fail(s, S2S_RESOURCE_CONSTRAINT, NULL);
}

void s2s_out_start_stream(struct s2s_out *s, enum out_state to,
			  const char *trigger)
{
	struct s2s_header_out h = {
		.from = s->local, .to = s->remote, .has_version = true};

	/* RFC 6120 4.3.3, 5.4.3.3: what the last features said is forgotten;
	 * in the clear anybody could have said it */
	s->peer_limits = (struct s2s_limits){0};
	s2s_out_set_state(s, to, trigger);
	s2s_write_header(&s->queue.out, &h);
}

void s2s_out_drain(struct s2s_out *s, enum s2s_reason_kind kind,
		   enum s2s_condition c, const char *trigger)
{
	s->drain_reason = s2s_reason_make(kind, c, trigger);
	s2s_out_set_state(s, OUT_DRAIN, trigger);
}

static int copy_params(struct s2s_out *s, const struct s2s_out_params *p)
{
	s->local = strdup(p->pair.local);
	s->remote = strdup(p->pair.remote);
	if (s->local == NULL || s->remote == NULL)
		return FED_ENOMEM;
	if (p->mode != S2S_OUT_VERIFY)
		return 0;
	s->verify_id = strdup(p->stream_id);
	s->verify_key = strdup(p->key);
	return s->verify_id == NULL || s->verify_key == NULL ? FED_ENOMEM : 0;
}

int s2s_out_new(struct s2s_out **core_out, const struct s2s_env *env,
		const struct s2s_out_params *p, uint64_t now_ms)
{
	const struct policy_partner *rule =
		policy_of_pair(env->policy, p->pair.local, p->pair.remote);
	struct s2s_out *s;

	if (rule == NULL || negotiation_methods(rule) == 0)
		return FED_EDENIED;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return FED_ENOMEM;
	s->env = env;
	s->mode = p->mode;
	s->has_certificate = p->has_certificate;
	s->redirects = p->redirects;
	s->is_check = p->is_check;
	s->now_ms = now_ms;
	s->expires_ms = UINT64_MAX;
	s->setup_deadline_ms = now_ms + policy_setup_ms(env->policy);
	s->deadline_ms = state_deadline(s);
	s2s_queue_init(&s->queue);
	arena_init(&s->arena, LIMIT_STANZA_ARENA_BYTES);
	if (copy_params(s, p) != 0 ||
	    xml_reader_new(&s->reader, LIMIT_STANZA_BYTES_FLOOR) != 0) {
		s2s_out_free(s);
		return FED_ENOMEM;
	}
	*core_out = s;
	return 0;
}

void s2s_out_free(struct s2s_out *s)
{
	if (s == NULL)
		return;
	xml_reader_free(s->reader);
	s2s_queue_deinit(&s->queue);
	arena_deinit(&s->arena);
	free(s->local);
	free(s->remote);
	free(s->verify_id);
	free(s->verify_key);
	free(s->peer_id);
	free(s->peer_lang);
	free(s);
}

static void on_peer_close(struct s2s_out *s)
{
	if (s->state == OUT_DRAIN)
		s2s_out_drop(s, &s->drain_reason);
	else
		s2s_out_finish(s, S2S_END_CLOSED, S2S_NO_CONDITION,
			       s->state == OUT_OPEN
				       ? "closed by the peer"
				       : "closed by the peer in negotiation");
}

/* One event of the reader; false when there is none. */
static bool pull(struct s2s_out *s)
{
	struct xml_event ev;

	if (s->state == OUT_START) {
		s2s_out_start_stream(s, OUT_HDR_CLEAR, "start");
		return true;
	}
	if (s->state == OUT_CLOSED || s->state == OUT_TLS)
		return false;
	if (!xml_reader_next(s->reader, &ev)) {
		if (s->feed_err == 0)
			return false;
		s2s_out_fail(s, s2s_feed_condition(s->feed_err), NULL);
		return true;
	}
	switch (ev.kind) {
	case XML_HEADER:
		s2s_out_on_header(s, &ev);
		break;
	case XML_ELEMENT:
		s2s_out_on_element(s, ev.el);
		break;
	case XML_CLOSE:
		on_peer_close(s);
		break;
	}
	return true;
}

static void commit(struct s2s_out *s)
{
	struct s2s_reason r;

	if (s->state == OUT_CLOSED || s2s_queue_commit(&s->queue) == 0)
		return;
	r = s2s_reason_make(S2S_END_ERROR_SENT, S2S_RESOURCE_CONSTRAINT,
			    "too much to write");
	s2s_out_drop(s, &r);
}

bool s2s_out_next_action(struct s2s_out *s, struct s2s_action *action_out)
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

static int on_bytes(struct s2s_out *s, struct span bytes)
{
	int err;

	if (s->state == OUT_TLS || s->state == OUT_START ||
	    !s2s_queue_is_empty(&s->queue))
		return FED_ESTATE;
	if (s->state != OUT_OPEN && s->state != OUT_DRAIN) {
		s->setup_bytes += bytes.n;
		if (s->setup_bytes > LIMIT_UNAUTH_BYTES) {
			s2s_out_fail(s, S2S_POLICY_VIOLATION,
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

/* RFC 6120 13.7.2.3, 4.9.3.16: a new stream proves the peer again. */
static void on_expired(struct s2s_out *s)
{
	static const char text[] = "certificate expired";

	s2s_write_error(&s->queue.out, S2S_RESET, text, false);
	s2s_out_drain(s, S2S_END_CLOSED, S2S_RESET, text);
}

static void on_timer(struct s2s_out *s)
{
	if (s->state == OUT_OPEN && s->now_ms >= s->expires_ms) {
		on_expired(s);
		return;
	}
	if (s->now_ms < s->deadline_ms)
		return;
	if (s->state == OUT_OPEN) {
		/* RFC 6120 4.6.1: whitespace finds a dead connection */
		buf_put_byte(&s->queue.out, ' ');
		s->deadline_ms = state_deadline(s);
	} else if (s->state == OUT_DRAIN) {
		s2s_out_drop(s, &s->drain_reason);
	} else {
		s2s_out_fail_as(s, S2S_END_TIMEOUT, S2S_CONNECTION_TIMEOUT,
				state_names[s->state]);
	}
}

static void on_idle_close(struct s2s_out *s)
{
	if (s->state == OUT_OPEN) {
		s2s_write_end(&s->queue.out);
		s2s_out_drain(s, S2S_END_CLOSED, S2S_NO_CONDITION, "idle");
	} else if (s->state != OUT_DRAIN) {
		s2s_out_finish(s, S2S_END_CLOSED, S2S_NO_CONDITION, "idle");
	}
}

static void on_shutdown(struct s2s_out *s)
{
	if (s->state == OUT_OPEN) {
		s2s_write_error(&s->queue.out, S2S_SYSTEM_SHUTDOWN, NULL,
				false);
		s2s_out_drain(s, S2S_END_SHUTDOWN, S2S_SYSTEM_SHUTDOWN, NULL);
	} else if (s->state != OUT_DRAIN) {
		s2s_out_fail_as(s, S2S_END_SHUTDOWN, S2S_SYSTEM_SHUTDOWN, NULL);
	}
}

static void on_lost(struct s2s_out *s, enum s2s_reason_kind kind,
		    const char *text)
{
	struct s2s_reason r = s2s_reason_make(kind, S2S_NO_CONDITION, text);

	/* COMPAT: a server without TLS may hang up instead of answering */
	if (s->state == OUT_PROCEED)
		r = s2s_reason_make(S2S_END_TLS, S2S_NO_CONDITION,
				    "connection lost after starttls");
	s2s_out_drop(s, s->state == OUT_DRAIN ? &s->drain_reason : &r);
}

static int dispatch(struct s2s_out *s, const struct s2s_event *ev)
{
	switch (ev->kind) {
	case S2S_EV_BYTES:
		return on_bytes(s, ev->u.bytes);
	case S2S_EV_TLS_UP:
		s2s_out_on_tls_up(s, ev);
		break;
	case S2S_EV_TLS_FAILED:
		on_lost(s, S2S_END_TLS, ev->u.text);
		break;
	case S2S_EV_EOF:
		on_lost(s, S2S_END_EOF, state_names[s->state]);
		break;
	case S2S_EV_TIMER:
		on_timer(s);
		break;
	case S2S_EV_VERIFIED:
		return FED_ESTATE;
	case S2S_EV_SHUTDOWN:
		on_shutdown(s);
		break;
	case S2S_EV_IDLE_CLOSE:
		on_idle_close(s);
		break;
	case S2S_EV_TOO_SLOW:
		s2s_out_fail(s, S2S_RESOURCE_CONSTRAINT, "peer does not read");
		break;
	case S2S_EV_TOO_MANY:
		s2s_out_fail(s, S2S_RESOURCE_CONSTRAINT, "too many streams");
		break;
	case S2S_EV_POLICY:
		s2s_out_on_policy(s);
		break;
	}
	return 0;
}

int s2s_out_on_event(struct s2s_out *s, const struct s2s_event *ev,
		     uint64_t now_ms)
{
	int err;

	if (s->state == OUT_CLOSED)
		return 0;
	s->now_ms = now_ms;
	s2s_queue_recycle(&s->queue);
	err = dispatch(s, ev);
	commit(s);
	return err;
}

uint64_t s2s_out_deadline_ms(const struct s2s_out *s)
{
	if (s->state == OUT_OPEN && s->expires_ms < s->deadline_ms)
		return s->expires_ms;
	return s->deadline_ms;
}

bool s2s_out_is_open(const struct s2s_out *s)
{
	return s->state == OUT_OPEN;
}

const struct s2s_limits *s2s_out_peer_limits(const struct s2s_out *s)
{
	return &s->peer_limits;
}

bool s2s_out_is_bidi(const struct s2s_out *s)
{
	return s->has_bidi;
}

const char *s2s_out_state_name(const struct s2s_out *s)
{
	return state_names[s->state];
}

Fed__Mechanism s2s_out_mechanism(const struct s2s_out *s)
{
	return s->mechanism;
}
