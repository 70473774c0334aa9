/* Initiating entity: stanzas of the peer on a stream of ours (XEP-0288). */
#include "edge-proxy/core/s2s_out_impl.h"
#include "edge-proxy/core/s2s_stanza.h"

/* The one pair of the stream.  Bidi was asked for only because the certificate
 * proves the peer, so that is what is reported, however we proved ourselves. */
static bool find_pair(void *arg, struct span remote, const struct span *local,
		      struct s2s_stanza_pair *pair_out)
{
	const struct s2s_out *s = arg;

	if (!span_eq_str(remote, s->remote) ||
	    (local != NULL && !span_eq_str(*local, s->local)))
		return false;
	*pair_out = (struct s2s_stanza_pair){{s->local, s->remote},
					     FED__MECHANISM__EXTERNAL};
	return true;
}

void s2s_out_on_stanza(struct s2s_out *s, const struct xml_el *el)
{
	const struct s2s_stanza_source src = {.arena = &s->arena,
					      .metrics = s->env->metrics,
					      .lang = s->peer_lang,
					      .find = find_pair,
					      .arg = s};
	struct s2s_action a;
	bool has_action = false;
	/* without bidi nobody is authenticated in this direction; with it, the
	 * peer waits until we are (XEP-0288 2.2) */
	enum s2s_condition c = S2S_NOT_AUTHORIZED;

	if (s->has_bidi && (s->state == OUT_OPEN || s->state == OUT_DRAIN))
		c = s2s_stanza_take(&src, el, &a, &has_action);
	if (c != S2S_NO_CONDITION)
		s2s_out_fail(s, c, NULL);
	else if (has_action)
		s2s_out_push(s, &a);
}
