/* Receiving entity: deadlines, and the ends that are in order. */
#include "edge-proxy/core/s2s_in_impl.h"

/* ---- deadlines ----------------------------------------------------------- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The peer should say something each so long, a blank will do; UINT64_MAX: it
 * need not. */
static uint64_t keep_alive_ms(const struct s2s_in *s)
{
	uint64_t allowed_ms = s->env->policy->keep_alive_ms;
	const struct policy_partner *rule =
		allowed_ms == 0 ? NULL : s2s_in_rule(s);

	return rule != NULL && rule->keep_alive ? allowed_ms : UINT64_MAX;
}

uint64_t s2s_in_quiet_ms(const struct s2s_in *s)
{
	return earlier(policy_idle_ms(s->env->policy), keep_alive_ms(s));
}

static uint64_t silent_ms(const struct s2s_in *s)
{
	uint64_t allowed_ms = keep_alive_ms(s);

	return allowed_ms == UINT64_MAX ? UINT64_MAX : s->heard_ms + allowed_ms;
}

/* With bidi our whitespace finds a dead connection (RFC 6120 4.6.1). */
static uint64_t open_deadline(const struct s2s_in *s)
{
	uint64_t at_ms = earlier(s->used_ms + policy_idle_ms(s->env->policy),
				 silent_ms(s));

	return s->has_bidi
		       ? earlier(at_ms, s->wrote_ms + LIMIT_STREAM_KEEPALIVE_MS)
		       : at_ms;
}

uint64_t s2s_in_state_deadline_ms(const struct s2s_in *s)
{
	switch (s->state) {
	case IN_HDR_CLEAR:
	case IN_NEG_CLEAR:
	case IN_HDR_SECURE:
	case IN_NEG_SECURE:
	case IN_SASL:
	case IN_HDR_AUTH:
		return s->setup_deadline_ms;
	case IN_TLS:
		return earlier(s->now_ms + LIMIT_TLS_MS, s->setup_deadline_ms);
	case IN_OPEN:
		return open_deadline(s);
	case IN_DRAIN:
		return s->now_ms + LIMIT_STREAM_CLOSE_MS;
	case IN_CLOSED:
	case IN_STATE_COUNT:
		break;
	}
	return UINT64_MAX;
}

uint64_t s2s_in_deadline_ms(const struct s2s_in *s)
{
	if (s->state == IN_CLOSED || s->state == IN_DRAIN)
		return s->deadline_ms;
	if (s->state == IN_OPEN && s->has_cert_pair)
		return earlier(earlier(s->deadline_ms, s->expires_ms),
			       s2s_in_pairs_deadline_ms(s));
	return earlier(s->deadline_ms, s2s_in_pairs_deadline_ms(s));
}

/* ---- ends ---------------------------------------------------------------- */

/* Our side ends; the peer may finish what it is saying (RFC 6120 4.4). */
void s2s_in_drain(struct s2s_in *s, const struct s2s_reason *r,
		  const char *trigger)
{
	s->drain_reason = *r;
	s2s_in_set_state(s, IN_DRAIN, trigger);
}

void s2s_in_on_idle_close(struct s2s_in *s, const char *trigger)
{
	struct s2s_reason r =
		s2s_reason_make(S2S_END_CLOSED, S2S_NO_CONDITION, trigger);

	if (s->state == IN_DRAIN)
		return;
	if (s->state != IN_OPEN) {
		s2s_in_finish(s, &r);
		return;
	}
	s2s_write_end(&s->queue.out);
	s2s_in_drain(s, &r, trigger);
}

void s2s_in_on_shutdown(struct s2s_in *s)
{
	struct s2s_reason r =
		s2s_reason_make(S2S_END_SHUTDOWN, S2S_SYSTEM_SHUTDOWN, NULL);

	if (s->state == IN_DRAIN)
		return;
	if (s->state != IN_OPEN) {
		s2s_in_fail_as(s, r.kind, r.condition, NULL);
		return;
	}
	s2s_write_error(&s->queue.out, S2S_SYSTEM_SHUTDOWN, NULL, false);
	s2s_in_drain(s, &r, "shutdown");
}

/* What authenticated the stream does so no longer. */
static bool is_expired(const struct s2s_in *s)
{
	return s->state == IN_OPEN && s->has_cert_pair &&
	       s->now_ms >= s->expires_ms;
}

/* RFC 6120 13.7.2.3, 4.9.3.16: the peer comes again with a new one. */
static void on_expired(struct s2s_in *s)
{
	struct s2s_reason r = s2s_reason_make(S2S_END_CLOSED, S2S_RESET,
					      "certificate expired");

	s2s_write_error(&s->queue.out, r.condition, r.text, false);
	s2s_in_drain(s, &r, "expired");
}

/* It should have said that it is there, and did not. */
static void on_silent(struct s2s_in *s)
{
	struct s2s_reason r = s2s_reason_make(
		S2S_END_CLOSED, S2S_CONNECTION_TIMEOUT, "no sign of life");

	s2s_write_error(&s->queue.out, r.condition, r.text, false);
	s2s_in_drain(s, &r, "silent");
}

static void on_quiet(struct s2s_in *s)
{
	if (s->now_ms >= silent_ms(s)) {
		on_silent(s);
		return;
	}
	if (s->now_ms >= s->used_ms + policy_idle_ms(s->env->policy)) {
		s2s_in_on_idle_close(s, "idle");
		return;
	}
	buf_put_byte(&s->queue.out, ' ');
	s->wrote_ms = s->now_ms;
	s->deadline_ms = s2s_in_state_deadline_ms(s);
}

void s2s_in_on_timer(struct s2s_in *s)
{
	if (s->state != IN_DRAIN)
		s2s_in_expire_pairs(s);
	if (is_expired(s)) {
		on_expired(s);
		return;
	}
	if (s->now_ms < s->deadline_ms)
		return;
	if (s->state == IN_OPEN)
		on_quiet(s);
	else if (s->state == IN_DRAIN)
		s2s_in_drop(s, &s->drain_reason);
	else
		s2s_in_fail_as(s, S2S_END_TIMEOUT, S2S_CONNECTION_TIMEOUT,
			       s2s_in_state_name(s));
}

/* ---- use of an open stream ----------------------------------------------- */

void s2s_in_wrote(struct s2s_in *s, uint64_t now_ms)
{
	if (s->state != IN_OPEN)
		return;
	s->used_ms = now_ms;
	s->wrote_ms = now_ms;
	s->deadline_ms = s2s_in_state_deadline_ms(s);
}

void s2s_in_resumed(struct s2s_in *s, uint64_t now_ms)
{
	if (s->state != IN_OPEN)
		return;
	s->used_ms = now_ms;
	s->heard_ms = now_ms;
	s->deadline_ms = s2s_in_state_deadline_ms(s);
}
