/* Receiving entity: stanzas of an authenticated peer. */
#include "edge-proxy/core/s2s_in_impl.h"
#include "edge-proxy/core/s2s_stanza.h"

static bool find_pair(void *arg, struct span remote, const struct span *local,
		      struct s2s_stanza_pair *pair_out)
{
	const struct in_pair *p = s2s_in_find_valid(arg, remote, local);

	if (p == NULL)
		return false;
	*pair_out =
		(struct s2s_stanza_pair){{p->local, p->remote}, p->mechanism};
	return true;
}

void s2s_in_on_stanza(struct s2s_in *s, const struct xml_el *el)
{
	const struct s2s_stanza_source src = {.arena = &s->arena,
					      .metrics = s->env->metrics,
					      .lang = s->lang,
					      .find = find_pair,
					      .arg = s};
	struct s2s_action a;
	bool has_action = false;
	enum s2s_condition c = S2S_NOT_AUTHORIZED;

	if (s->state == IN_OPEN || s->state == IN_DRAIN)
		c = s2s_stanza_take(&src, el, &a, &has_action);
	/* a pair that a new policy took off while the peer was speaking */
	if (s->state == IN_DRAIN && s->drain_reason.kind == S2S_END_POLICY &&
	    (c == S2S_INVALID_FROM || c == S2S_HOST_UNKNOWN))
		metrics_count(s->env->metrics, METRIC_stanzas_dropped);
	else if (c != S2S_NO_CONDITION)
		s2s_in_fail(s, c, NULL);
	else if (has_action)
		s2s_in_push(s, &a);
}
