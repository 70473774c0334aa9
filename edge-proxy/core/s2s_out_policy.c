/* Initiating entity: what becomes of a stream when the policy changes. */
#include "edge-proxy/core/s2s_out_impl.h"

const struct policy_partner *s2s_out_rule(const struct s2s_out *s)
{
	static const struct policy_partner nobody = {.domain = "",
						     .tls = POLICY_OFF,
						     .sasl = POLICY_OFF,
						     .dialback = POLICY_OFF};
	const struct policy_partner *rule =
		policy_of_pair(s->env->policy, s->local, s->remote);

	return rule == NULL ? &nobody : rule;
}

/* What went on behind TLS rests on the certificate that was accepted. */
static bool does_certificate_do(const struct s2s_out *s,
				const struct policy_partner *rule)
{
	return s->tls == NULL || s->mode == S2S_OUT_VERIFY ||
	       negotiation_accepts_peer(rule, s->tls, span_str(s->remote));
}

static bool does_mechanism_do(const struct s2s_out *s,
			      const struct policy_partner *rule)
{
	bool is_external =
		s->state == OUT_OPEN
			? s->mechanism == FED__MECHANISM__EXTERNAL
			: s->state != OUT_DIALBACK && s->state != OUT_VERIFY;

	if (is_external)
		return (negotiation_methods(rule) & NEGOTIATION_SASL_TLS) != 0;
	return negotiation_allows_dialback(rule, s->tls);
}

/* The peer's stanzas are believed for its certificate. */
static bool does_bidi_do(const struct s2s_out *s,
			 const struct policy_partner *rule)
{
	return !s->has_bidi ||
	       negotiation_wants_bidi(rule, s->tls, span_str(s->remote));
}

bool s2s_out_offends(const struct s2s_out *s)
{
	const struct policy_partner *rule = s2s_out_rule(s);

	switch (s->state) {
	case OUT_START:
	case OUT_HDR_CLEAR:
	case OUT_FEAT_CLEAR:
	case OUT_PROCEED:
	case OUT_TLS:
		return negotiation_methods(rule) == 0;
	case OUT_HDR_SECURE:
	case OUT_FEAT_SECURE:
		return negotiation_methods(rule) == 0 ||
		       !does_certificate_do(s, rule);
	case OUT_SASL:
	case OUT_HDR_AUTH:
	case OUT_FEAT_AUTH:
	case OUT_DIALBACK:
	case OUT_VERIFY:
	case OUT_OPEN:
		return !does_certificate_do(s, rule) ||
		       !does_mechanism_do(s, rule) || !does_bidi_do(s, rule);
	case OUT_DRAIN:
	case OUT_CLOSED:
	case OUT_STATE_COUNT:
		break;
	}
	return false;
}

void s2s_out_on_policy(struct s2s_out *s)
{
	if (s2s_out_offends(s))
		s2s_out_fail_as(s, S2S_END_POLICY, S2S_POLICY_VIOLATION,
				"not allowed any more");
}
