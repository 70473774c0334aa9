/* What came of a synthetic transaction, in words. */
#include <string.h>

#include "fe-gateway/core/synthetic.h"

/* --- did it end well ------------------------------------------------------ */

static bool is_refused(const struct synthetic *s)
{
	return s->line.status >= 300;
}

static bool is_good(const struct synthetic *s)
{
	if (s->is_late || is_refused(s))
		return false;
	/* whatever his server says of him, it was asked and answered */
	return s->what == SYNTHETIC_IM || s->seen != SYNTHETIC_NOTHING;
}

/* --- what was seen -------------------------------------------------------- */

static char *print_seen(const struct synthetic *s, struct arena *a)
{
	if (s->what == SYNTHETIC_IM)
		return arena_printf(a, "delivered");
	switch (s->seen) {
	case SYNTHETIC_AVAILABLE:
		return s->shown != NULL && strcmp(s->shown, "available") != 0
			       ? arena_printf(a, "available (%s)", s->shown)
			       : arena_printf(a, "available");
	case SYNTHETIC_UNAVAILABLE:
		return arena_printf(a, "unavailable");
	case SYNTHETIC_NOT_ALLOWED:
		return arena_printf(a, "nothing: %s has not let %s see it",
				    s->to, s->from);
	case SYNTHETIC_SILENCE:
		return arena_printf(a,
				    "nothing: the server of %s took the "
				    "question and says nothing to %s, as to "
				    "one who may not see it",
				    s->domain, s->from);
	case SYNTHETIC_NOTHING:
		break;
	}
	return arena_printf(a, "nothing");
}

/* --- what went wrong ------------------------------------------------------ */

static char *print_error(const struct synthetic *s, struct arena *a)
{
	unsigned long long ms = (unsigned long long)(s->ended_ms - s->begun_ms);

	if (s->condition != NULL)
		return arena_printf(a, "%s%s%s%s", s->condition,
				    s->text != NULL ? " (" : "",
				    s->text != NULL ? s->text : "",
				    s->text != NULL ? ")" : "");
	if (is_refused(s))
		return arena_printf(a, "%d %s", s->line.status, s->line.phrase);
	return arena_printf(a, "no answer in %llu ms", ms);
}

/* --- where, and what to do ------------------------------------------------ */

static char *by_gate(const struct synthetic *s, const struct synthetic_facts *f,
		     struct arena *a)
{
	return arena_printf(
		a,
		"our gate \"%s\" refuses: %s; \"fedctl explain %s %s\" names "
		"the rule",
		access_gate_name(f->access.gate),
		access_gate_text(f->access.gate), s->from, s->to);
}

/* What the edge says of its way there. */
static char *by_edge(const struct synthetic *s, const char *edge,
		     struct arena *a)
{
	if (strcmp(s->condition, "remote-server-not-found") == 0)
		return arena_printf(a,
				    "edge %s found no XMPP server of %s; "
				    "\"fedctl --edge %s check dns %s\" shows "
				    "what is published",
				    edge, s->domain, edge, s->domain);
	if (strcmp(s->condition, "remote-server-timeout") == 0)
		return arena_printf(a,
				    "edge %s has no stream to %s, or nothing "
				    "comes back; \"fedctl --edge %s why %s\" "
				    "shows its last attempts",
				    edge, s->domain, edge, s->domain);
	if (strcmp(s->condition, "item-not-found") == 0 ||
	    strcmp(s->condition, "service-unavailable") == 0 ||
	    strcmp(s->condition, "recipient-unavailable") == 0)
		return arena_printf(a,
				    "the way is good: the server of %s "
				    "answers, and takes nothing for %s; is "
				    "there such a user?",
				    s->domain, s->to);
	if (strcmp(s->condition, "policy-violation") == 0 ||
	    strcmp(s->condition, "forbidden") == 0 ||
	    strcmp(s->condition, "not-allowed") == 0)
		return arena_printf(a,
				    "the other side does not allow it; is our "
				    "domain a partner of %s there?",
				    s->domain);
	return arena_printf(a,
			    "it was refused behind our gates; \"fedctl --edge "
			    "%s why %s\" shows the last attempts",
			    edge, s->domain);
}

static char *by_silence(const struct synthetic *s, const char *edge,
			struct arena *a)
{
	if (s->what == SYNTHETIC_PRESENCE)
		return arena_printf(a,
				    "edge %s took the question and nothing "
				    "came back: \"fedctl --edge %s why %s\" "
				    "shows its last attempts, \"fedctl "
				    "presence show %s\" whether %s waits for "
				    "an approval (then nothing is asked)",
				    edge, edge, s->domain, s->from, s->from);
	return arena_printf(a,
			    "edge %s took it and nothing came back; \"fedctl "
			    "--edge %s why %s\" shows its last attempts",
			    edge, edge, s->domain);
}

static char *print_diagnosis(const struct synthetic *s,
			     const struct synthetic_facts *f, struct arena *a)
{
	const char *edge = s->edge != NULL ? s->edge : f->edge;

	/* the gates are asked first, and they answer at once */
	if (s->condition == NULL && f->access.gate != ACCESS_GATES)
		return by_gate(s, f, a);
	if (edge == NULL)
		return arena_printf(a, "no edge is connected; \"fedctl show "
				       "channels\" lists them");
	if (s->condition != NULL)
		return by_edge(s, edge, a);
	if (is_refused(s) && s->line.status != 504)
		return arena_printf(a,
				    "the gateway itself refuses it: no client "
				    "could do better");
	return by_silence(s, edge, a);
}

Fed__TestResult *synthetic_result(const struct synthetic *s,
				  const struct synthetic_facts *f,
				  struct arena *a)
{
	Fed__TestResult *r = arena_alloc(a, sizeof(*r));

	if (r == NULL)
		return NULL;
	fed__test_result__init(r);
	r->ok = is_good(s);
	r->latency_us = (s->ended_ms - s->begun_ms) * 1000;
	if (r->ok) {
		r->seen = print_seen(s, a);
		return r->seen != NULL ? r : NULL;
	}
	r->error = print_error(s, a);
	r->diagnosis = print_diagnosis(s, f, a);
	return r->error != NULL && r->diagnosis != NULL ? r : NULL;
}
