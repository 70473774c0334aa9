/* Receiving entity: what becomes of a stream when the policy changes. */
#include "edge-proxy/core/s2s_in_impl.h"

static const char forbidden[] = "not allowed any more";

const struct policy_partner *s2s_in_rule(const struct s2s_in *s)
{
	return s->peer == NULL ? NULL
			       : policy_find(s->env->policy, span_str(s->peer));
}

/* The header's pair, which still negotiates. */
static bool header_offends(const struct s2s_in *s)
{
	if (s->local == NULL ||
	    !policy_serves(s->env->policy, span_str(s->local)))
		return true;
	if (s->peer == NULL)
		return false; /* it may say so behind TLS */
	if (policy_of_pair(s->env->policy, s->local, s->peer) == NULL)
		return true;
	/* EXTERNAL succeeded: only its header is awaited */
	if (s->state == IN_HDR_AUTH)
		return (negotiation_methods(s2s_in_rule(s)) &
			NEGOTIATION_SASL_TLS) == 0;
	return !s2s_in_has_way(s);
}

static bool pairs_offend(const struct s2s_in *s)
{
	for (size_t i = 0; i < s->pair_count; i++)
		if (s->pairs[i].state != IN_PAIR_FREE &&
		    !s2s_in_allows_pair(s, &s->pairs[i]))
			return true;
	return false;
}

bool s2s_in_offends(const struct s2s_in *s)
{
	switch (s->state) {
	case IN_NEG_CLEAR:
	case IN_NEG_SECURE:
	case IN_SASL:
	case IN_HDR_AUTH:
		return header_offends(s) || pairs_offend(s);
	case IN_OPEN:
		return pairs_offend(s);
	case IN_HDR_CLEAR:
	case IN_TLS:
	case IN_HDR_SECURE:
		/* the header that comes is judged by the new policy */
	case IN_DRAIN:
	case IN_CLOSED:
	case IN_STATE_COUNT:
		break;
	}
	return false;
}

/* Other pairs may be on the stream.  It ends for them too, so that the peer
 * hears why, but what it was saying for them is still taken. */
static void end_open(struct s2s_in *s)
{
	struct s2s_reason r = s2s_reason_make(S2S_END_POLICY,
					      S2S_POLICY_VIOLATION, forbidden);

	if (s2s_in_drop_pairs(s) == 0)
		return; /* what waited for a verification was answered */
	if (s2s_in_count_pairs(s, IN_PAIR_VALID) == 0) {
		s2s_in_refuse(s, forbidden);
		return;
	}
	s2s_write_error(&s->queue.out, r.condition, r.text, false);
	s2s_in_drain(s, &r, "policy");
}

void s2s_in_on_policy(struct s2s_in *s)
{
	if (s->state == IN_OPEN)
		end_open(s);
	else if (s2s_in_offends(s) && header_offends(s))
		s2s_in_refuse(s, forbidden);
	else if (s2s_in_offends(s))
		(void)s2s_in_drop_pairs(s);
	/* times may be others */
	if (s->state == IN_OPEN)
		s->deadline_ms = s2s_in_state_deadline_ms(s);
}
