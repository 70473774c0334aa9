/* Stanzas of an authenticated peer. */
#include "edge-proxy/core/s2s_stanza.h"

#include "edge-proxy/core/stanza_xml.h"
#include "xmpp/jid.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

/* One element on its way. */
struct taking {
	const struct s2s_stanza_source *src;
	struct s2s_action *action;
	bool has_action;
};

/* RFC 6120 8.1.1.2, 8.1.2.2: the domains must be a pair that this stream
 * authenticated. */
static enum s2s_condition check_addresses(const struct s2s_stanza_source *src,
					  const Fed__Stanza *st,
					  struct s2s_stanza_pair *p)
{
	struct jid_parts from = jid_split(span_str(st->from));
	struct jid_parts to = jid_split(span_str(st->to));

	if (src->find(src->arg, from.domain, &to.domain, p))
		return S2S_NO_CONDITION;
	return src->find(src->arg, from.domain, NULL, p) ? S2S_HOST_UNKNOWN
							 : S2S_INVALID_FROM;
}

static void set_action(struct taking *t, enum s2s_action_kind kind,
		       const Fed__Stanza *st, const struct s2s_stanza_pair *p)
{
	*t->action = (struct s2s_action){.kind = kind};
	t->action->u.stanza.stanza = st;
	t->action->u.stanza.pair = p->pair;
	t->action->u.stanza.mechanism = p->mechanism;
	t->has_action = true;
}

/* The error comes from the address written to, by way of the route to the
 * peer's domain (RFC 6120 4.9.1.4: not simply on this stream). */
static void refuse_stanza(struct taking *t, const Fed__Stanza *st,
			  Fed__Condition c, const char *text,
			  const struct s2s_stanza_pair *p)
{
	struct arena *arena = t->src->arena;
	Fed__Error *error = stanza_error_new(arena, c, text);
	Fed__Stanza *reply =
		error == NULL ? NULL : stanza_error_reply(arena, st, error);

	if (reply == NULL) {
		metrics_count(t->src->metrics, METRIC_stanzas_dropped);
		return;
	}
	metrics_count(t->src->metrics, METRIC_stanzas_refused);
	set_action(t, S2S_ACT_REPLY, reply, p);
}

static enum s2s_condition on_readable(struct taking *t,
				      enum stanza_verdict verdict,
				      const Fed__Stanza *st,
				      Fed__Condition condition)
{
	struct s2s_stanza_pair p;
	enum s2s_condition c = check_addresses(t->src, st, &p);

	if (c != S2S_NO_CONDITION)
		return c;
	if (verdict == STANZA_ANSWER) {
		refuse_stanza(t, st, condition, NULL, &p);
	} else if (verdict == STANZA_IGNORE) {
		metrics_count(t->src->metrics, METRIC_stanzas_dropped);
	} else {
		metrics_count(t->src->metrics, METRIC_stanzas_in);
		set_action(t, S2S_ACT_STANZA, st, &p);
	}
	return S2S_NO_CONDITION;
}

/*
 * A stanza above a limit, or of so many pieces that the arena is full: its
 * sender alone is told (RFC 6120 8.3.3.12, XEP-0478 3), once the domains are
 * known to be right; what must not be answered is dropped.
 */
static enum s2s_condition refuse_too_complex(struct taking *t,
					     const struct xml_el *el)
{
	Fed__Condition condition = FED__CONDITION__NO_CONDITION;
	struct xml_el stub = *el;
	struct s2s_stanza_pair p;
	enum s2s_condition c;
	Fed__Stanza *st = NULL;

	stub.children = NULL;
	stub.text = "";
	arena_reset(t->src->arena);
	switch (stanza_xml_read(&stub, NULL, t->src->arena, NULL, &st,
				&condition)) {
	case STANZA_OK:
	case STANZA_IGNORE:
	case STANZA_ANSWER:
		c = check_addresses(t->src, st, &p);
		if (c == S2S_NO_CONDITION)
			refuse_stanza(t, st, FED__CONDITION__POLICY_VIOLATION,
				      "too large or too complex", &p);
		return c;
	case STANZA_IMPROPER_ADDRESSING:
		return S2S_IMPROPER_ADDRESSING;
	case STANZA_UNKNOWN:
		return S2S_UNSUPPORTED_STANZA_TYPE;
	case STANZA_NO_MEMORY:
		break;
	}
	metrics_count(t->src->metrics, METRIC_stanzas_dropped);
	return S2S_NO_CONDITION;
}

static enum s2s_condition read_stanza(struct taking *t, const struct xml_el *el)
{
	Fed__Condition c = FED__CONDITION__NO_CONDITION;
	Fed__Stanza *st = NULL;
	enum stanza_verdict verdict = stanza_xml_read(
		el, t->src->lang, t->src->arena, t->src->metrics, &st, &c);

	switch (verdict) {
	case STANZA_OK:
	case STANZA_IGNORE:
	case STANZA_ANSWER:
		return on_readable(t, verdict, st, c);
	case STANZA_IMPROPER_ADDRESSING:
		return S2S_IMPROPER_ADDRESSING;
	case STANZA_UNKNOWN:
		return S2S_UNSUPPORTED_STANZA_TYPE;
	case STANZA_NO_MEMORY:
		return refuse_too_complex(t, el);
	}
	return S2S_INTERNAL_SERVER_ERROR;
}

enum s2s_condition s2s_stanza_take(const struct s2s_stanza_source *src,
				   const struct xml_el *el,
				   struct s2s_action *action_out,
				   bool *has_action_out)
{
	struct taking t = {.src = src, .action = action_out};
	enum s2s_condition c;

	if (el->prefix[0] != '\0')
		/* RFC 6120 4.8.5: no prefix on the content namespace */
		c = S2S_BAD_NAMESPACE_PREFIX;
	else if (el->is_stub)
		c = refuse_too_complex(&t, el);
	else
		c = read_stanza(&t, el);
	*has_action_out = t.has_action;
	return c;
}
