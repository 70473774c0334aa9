/* Initiating role of server dialback, and asking the authoritative server
 * (XEP-0220). */
#include <string.h>

#include "edge-proxy/core/s2s_note.h"
#include "edge-proxy/core/s2s_out_impl.h"

void s2s_out_open(struct s2s_out *s, Fed__Mechanism mechanism,
		  const char *trigger)
{
	struct s2s_action a = {.kind = S2S_ACT_READY};

	s->mechanism = mechanism;
	if (s->cert_ms > 0 &&
	    negotiation_is_trusted(s->tls, span_str(s->remote)))
		s->expires_ms = s->cert_ms;
	s2s_out_set_state(s, OUT_OPEN, trigger);
	metrics_count(s->env->metrics, METRIC_streams_out);
	a.u.ready.pair = (struct s2s_pair){s->local, s->remote};
	a.u.ready.mechanism = mechanism;
	a.u.ready.is_bidi = s->has_bidi;
	s2s_out_push(s, &a);
}

/* The key is bound to the id of the peer's header. */
static bool has_peer_id(struct s2s_out *s)
{
	if (s->peer_id != NULL && s->peer_id[0] != '\0')
		return true;
	s2s_out_fail(s, S2S_BAD_FORMAT, "header without id");
	return false;
}

void s2s_out_start_dialback(struct s2s_out *s, const char *trigger)
{
	char key[DIALBACK_KEY_BYTES + 1];
	struct s2s_dialback d = {.element = "db:result",
				 .from = s->local,
				 .to = s->remote,
				 .key = key};

	if (!has_peer_id(s))
		return;
	if (dialback_key(s->env->policy->dialback_secret, s->remote, s->local,
			 s->peer_id, key) != 0) {
		s2s_out_fail(s, S2S_INTERNAL_SERVER_ERROR, NULL);
		return;
	}
	s2s_write_dialback(&s->queue.out, &d);
	s2s_note(s->env, s->now_ms, ATTEMPT_INFO, "dialback",
		 "our key is sent; it has to ask our server now");
	s2s_out_set_state(s, OUT_DIALBACK, trigger);
}

void s2s_out_start_verify(struct s2s_out *s, const char *trigger)
{
	struct s2s_dialback d = {.element = "db:verify",
				 .from = s->local,
				 .to = s->remote,
				 .id = s->verify_id,
				 .key = s->verify_key};

	s2s_write_dialback(&s->queue.out, &d);
	s2s_out_set_state(s, OUT_VERIFY, trigger);
}

/* XEP-0220 2.1.2: stanzas go back with remote-server-timeout; the stream could
 * stay for other pairs, but it has none. */
static void on_result_error(struct s2s_out *s, const char *error)
{
	struct s2s_action a = {.kind = S2S_ACT_PAIR_REFUSED};
	struct s2s_reason r =
		s2s_reason_make(S2S_END_AUTH, S2S_NO_CONDITION, error);

	a.u.refused.pair = (struct s2s_pair){s->local, s->remote};
	a.u.refused.reason = r;
	s2s_out_push(s, &a);
	s2s_out_finish(s, r.kind, r.condition, r.text);
}

/* XEP-0288 2.2: on a bidi stream the peer may ask to be believed for another
 * pair.  This stream has one: the peer is told to open its own. */
static bool refuse_request(struct s2s_out *s, const struct s2s_dialback_in *d)
{
	const struct s2s_dialback answer = {.element = "db:result",
					    .from = d->to,
					    .to = d->from,
					    .type = "error",
					    .error = "not-acceptable"};

	if (!s->has_bidi || s->state != OUT_OPEN || d->type[0] != '\0' ||
	    d->from[0] == '\0' || d->to[0] == '\0')
		return false;
	s2s_write_dialback(&s->queue.out, &answer);
	return true;
}

void s2s_out_on_result(struct s2s_out *s, const struct xml_el *el)
{
	struct s2s_dialback_in d;

	s2s_dialback_read(el, &d);
	if (refuse_request(s, &d))
		return;
	/* only the answer to our own question (XEP-0220 2.1.2) */
	if (s->state != OUT_DIALBACK || d.type[0] == '\0' ||
	    !span_eq_str(span_str(d.from), s->remote) ||
	    !span_eq_str(span_str(d.to), s->local)) {
		if (s2s_may_log(s->env, s->now_ms))
			fed_log(s->env->log, FED_LOG_WARN,
				"s2s_dialback_unsolicited", "%s peer=%s",
				s->env->label, s->remote);
		return;
	}
	s2s_note_dialback_answer(s->env, s->now_ms, d.type, d.error);
	if (strcmp(d.type, "valid") == 0) {
		s2s_out_open(s, FED__MECHANISM__DIALBACK, "db-valid");
	} else if (strcmp(d.type, "invalid") == 0) {
		metrics_count(s->env->metrics, METRIC_dialback_invalid);
		s2s_out_finish(s, S2S_END_AUTH, S2S_NOT_AUTHORIZED,
			       "the peer says our dialback key is invalid");
	} else {
		on_result_error(s, d.error);
	}
}

static bool is_own_verify(const struct s2s_out *s,
			  const struct s2s_dialback_in *d)
{
	return s->state == OUT_VERIFY && d->type[0] != '\0' &&
	       span_eq_str(span_str(d->from), s->remote) &&
	       span_eq_str(span_str(d->to), s->local) &&
	       span_eq_str(span_str(d->id), s->verify_id);
}

static enum s2s_verify_result verdict_of_error(const char *error)
{
	static const char *const not_found[] = {
		"item-not-found", "host-unknown", "remote-server-not-found"};

	for (size_t i = 0; i < FED_ARRAY_LEN(not_found); i++)
		if (strcmp(error, not_found[i]) == 0)
			return S2S_VERIFY_NOT_FOUND;
	if (strcmp(error, "remote-connection-failed") == 0)
		return S2S_VERIFY_NO_CONNECT;
	return S2S_VERIFY_NO_ANSWER;
}

void s2s_out_on_verify(struct s2s_out *s, const struct xml_el *el)
{
	struct s2s_action a = {.kind = S2S_ACT_VERDICT};
	struct s2s_dialback_in d;

	s2s_dialback_read(el, &d);
	if (!is_own_verify(s, &d)) {
		if (s2s_may_log(s->env, s->now_ms))
			fed_log(s->env->log, FED_LOG_WARN,
				"s2s_dialback_unsolicited", "%s peer=%s",
				s->env->label, s->remote);
		return;
	}
	if (strcmp(d.type, "valid") == 0)
		a.u.verdict = S2S_VERIFY_VALID;
	else if (strcmp(d.type, "invalid") == 0)
		a.u.verdict = S2S_VERIFY_INVALID;
	else
		a.u.verdict = verdict_of_error(d.error);
	s2s_out_push(s, &a);
	/* kind NONE: the verdict was given */
	s2s_out_finish(s, S2S_END_NONE, S2S_NO_CONDITION, "verified");
}

enum s2s_verify_result s2s_out_verdict_of(const struct s2s_reason *r)
{
	if (r->kind == S2S_END_ERROR_GOT &&
	    (r->condition == S2S_HOST_UNKNOWN || r->condition == S2S_HOST_GONE))
		return S2S_VERIFY_NOT_FOUND;
	if (r->kind == S2S_END_TLS || r->kind == S2S_END_CERT)
		return S2S_VERIFY_NO_CONNECT;
	return S2S_VERIFY_NO_ANSWER;
}
