/* Stanzas of an authenticated peer. */
#include "edge-proxy/core/s2s_stanza.h"

#include <string.h>

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
			  Fed__Condition c, const struct s2s_stanza_pair *p)
{
	struct arena *arena = t->src->arena;
	Fed__Error *error = stanza_error_new(arena, c, NULL);
	Fed__Stanza *reply =
		error == NULL ? NULL : stanza_error_reply(arena, st, error);

	if (reply == NULL) {
		metrics_count(t->src->metrics, METRIC_stanzas_dropped);
		return;
	}
	metrics_count(t->src->metrics, METRIC_stanzas_refused);
	set_action(t, S2S_ACT_REPLY, reply, p);
}

static char *read_jid(struct arena *arena, const char *value)
{
	struct jid j;

	if (value == NULL || jid_parse(span_str(value), &j) != 0)
		return NULL;
	return arena_dup(arena, jid_full(&j));
}

static Fed__Stanza *new_stanza_like(struct arena *arena,
				    const struct xml_el *el)
{
	const char *type = xml_attr_get(el, "type");

	/* errors and results are never answered, nor is presence */
	if (type != NULL &&
	    (strcmp(type, "error") == 0 || strcmp(type, "result") == 0))
		return NULL;
	if (strcmp(el->name, "message") == 0)
		return stanza_new_message(arena);
	if (strcmp(el->name, "iq") == 0)
		return stanza_new_iq(arena);
	return NULL;
}

/* A stanza of so many pieces that the arena is full: only its addresses are
 * read, to tell the sender (RFC 6120 8.3.3.12). */
static enum s2s_condition refuse_too_complex(struct taking *t,
					     const struct xml_el *el)
{
	struct arena *arena = t->src->arena;
	const char *id = xml_attr_get(el, "id");
	struct s2s_stanza_pair p;
	enum s2s_condition c;
	Fed__Stanza *st;

	arena_reset(arena);
	st = new_stanza_like(arena, el);
	if (st == NULL) {
		metrics_count(t->src->metrics, METRIC_stanzas_dropped);
		return S2S_NO_CONDITION;
	}
	st->from = read_jid(arena, xml_attr_get(el, "from"));
	st->to = read_jid(arena, xml_attr_get(el, "to"));
	st->id = arena_dup(arena, span_str(id == NULL ? "" : id));
	/* both are there, the first reading saw to that: what is left is an
	 * address that would be jid-malformed */
	if (st->from == NULL || st->to == NULL || st->id == NULL) {
		metrics_count(t->src->metrics, METRIC_stanzas_dropped);
		return S2S_NO_CONDITION;
	}
	c = check_addresses(t->src, st, &p);
	if (c == S2S_NO_CONDITION)
		refuse_stanza(t, st, FED__CONDITION__POLICY_VIOLATION, &p);
	return c;
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
		refuse_stanza(t, st, condition, &p);
	} else if (verdict == STANZA_IGNORE) {
		metrics_count(t->src->metrics, METRIC_stanzas_dropped);
	} else {
		metrics_count(t->src->metrics, METRIC_stanzas_in);
		set_action(t, S2S_ACT_STANZA, st, &p);
	}
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
	/* RFC 6120 4.8.5: no prefix on the content namespace */
	enum s2s_condition c = el->prefix[0] != '\0' ? S2S_BAD_NAMESPACE_PREFIX
						     : read_stanza(&t, el);

	*has_action_out = t.has_action;
	return c;
}
