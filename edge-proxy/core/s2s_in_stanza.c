/* Receiving entity: stanzas of an authenticated peer. */
#include <string.h>

#include "edge-proxy/core/s2s_in_impl.h"
#include "edge-proxy/core/stanza_xml.h"
#include "edge-proxy/core/xml_names.h"
#include "xmpp/jid.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

/* RFC 6120 8.1.1.2, 8.1.2.2: the domains must be a pair that this stream
 * authenticated.  NULL: the stream was closed. */
static struct in_pair *check_addresses(struct s2s_in *s, const Fed__Stanza *st)
{
	struct jid_parts from = jid_split(span_str(st->from));
	struct jid_parts to = jid_split(span_str(st->to));
	struct in_pair *p = s2s_in_find_valid(s, from.domain, &to.domain);

	if (p != NULL)
		return p;
	if (s2s_in_find_valid(s, from.domain, NULL) == NULL)
		s2s_in_fail(s, S2S_INVALID_FROM, NULL);
	else
		s2s_in_fail(s, S2S_HOST_UNKNOWN, NULL);
	return NULL;
}

static void push_stanza(struct s2s_in *s, enum s2s_action_kind kind,
			const Fed__Stanza *st, const struct in_pair *p)
{
	struct s2s_action a = {.kind = kind};

	a.u.stanza.stanza = st;
	a.u.stanza.pair = (struct s2s_pair){p->local, p->remote};
	a.u.stanza.mechanism = p->mechanism;
	s2s_in_push(s, &a);
}

/* The error comes from the address written to, on our own outbound stream
 * (RFC 6120 4.9.1.4: never on this one). */
static void refuse_stanza(struct s2s_in *s, const Fed__Stanza *st,
			  Fed__Condition c, const struct in_pair *p)
{
	Fed__Error *error = stanza_error_new(&s->arena, c, NULL);
	Fed__Stanza *reply =
		error == NULL ? NULL : stanza_error_reply(&s->arena, st, error);

	if (reply == NULL) {
		metrics_count(s->env->metrics, METRIC_stanzas_dropped);
		return;
	}
	metrics_count(s->env->metrics, METRIC_stanzas_refused);
	push_stanza(s, S2S_ACT_REPLY, reply, p);
}

static char *read_jid(struct s2s_in *s, const char *value)
{
	struct jid j;

	if (value == NULL || jid_parse(span_str(value), &j) != 0)
		return NULL;
	return arena_dup(&s->arena, jid_full(&j));
}

static Fed__Stanza *new_stanza_like(struct s2s_in *s, const struct xml_el *el)
{
	const char *type = xml_attr_get(el, "type");
	Fed__Stanza *st;

	/* errors and results are never answered, nor is presence */
	if (type != NULL &&
	    (strcmp(type, "error") == 0 || strcmp(type, "result") == 0))
		return NULL;
	if (strcmp(el->name, "message") == 0)
		st = stanza_new_message(&s->arena);
	else if (strcmp(el->name, "iq") == 0)
		st = stanza_new_iq(&s->arena);
	else
		return NULL;
	return st;
}

/* A stanza of so many pieces that the arena is full: only its addresses are
 * read, to tell the sender (RFC 6120 8.3.3.12). */
static void refuse_too_complex(struct s2s_in *s, const struct xml_el *el)
{
	const char *id = xml_attr_get(el, "id");
	Fed__Stanza *st;
	struct in_pair *p;

	arena_reset(&s->arena);
	st = new_stanza_like(s, el);
	if (st == NULL) {
		metrics_count(s->env->metrics, METRIC_stanzas_dropped);
		return;
	}
	st->from = read_jid(s, xml_attr_get(el, "from"));
	st->to = read_jid(s, xml_attr_get(el, "to"));
	st->id = arena_dup(&s->arena, span_str(id == NULL ? "" : id));
	/* both are there, the first reading saw to that: what is left is an
	 * address that would be jid-malformed */
	if (st->from == NULL || st->to == NULL || st->id == NULL) {
		metrics_count(s->env->metrics, METRIC_stanzas_dropped);
		return;
	}
	p = check_addresses(s, st);
	if (p != NULL)
		refuse_stanza(s, st, FED__CONDITION__POLICY_VIOLATION, p);
}

static void on_readable(struct s2s_in *s, enum stanza_verdict verdict,
			const Fed__Stanza *st, Fed__Condition c)
{
	struct in_pair *p = check_addresses(s, st);

	if (p == NULL)
		return;
	if (verdict == STANZA_ANSWER) {
		refuse_stanza(s, st, c, p);
	} else if (verdict == STANZA_IGNORE) {
		metrics_count(s->env->metrics, METRIC_stanzas_dropped);
	} else {
		metrics_count(s->env->metrics, METRIC_stanzas_in);
		push_stanza(s, S2S_ACT_STANZA, st, p);
	}
}

static void read_stanza(struct s2s_in *s, const struct xml_el *el)
{
	Fed__Condition c = FED__CONDITION__NO_CONDITION;
	Fed__Stanza *st = NULL;
	enum stanza_verdict verdict = stanza_xml_read(el, s->lang, &s->arena,
						      s->env->metrics, &st, &c);

	switch (verdict) {
	case STANZA_OK:
	case STANZA_IGNORE:
	case STANZA_ANSWER:
		on_readable(s, verdict, st, c);
		break;
	case STANZA_IMPROPER_ADDRESSING:
		s2s_in_fail(s, S2S_IMPROPER_ADDRESSING, NULL);
		break;
	case STANZA_UNKNOWN:
		s2s_in_fail(s, S2S_UNSUPPORTED_STANZA_TYPE, NULL);
		break;
	case STANZA_NO_MEMORY:
		refuse_too_complex(s, el);
		break;
	}
}

void s2s_in_on_stanza(struct s2s_in *s, const struct xml_el *el)
{
	if (s->state != IN_OPEN && s->state != IN_DRAIN)
		s2s_in_fail(s, S2S_NOT_AUTHORIZED, NULL);
	else if (el->prefix[0] != '\0')
		/* RFC 6120 4.8.5: no prefix on the content namespace */
		s2s_in_fail(s, S2S_BAD_NAMESPACE_PREFIX, NULL);
	else
		read_stanza(s, el);
}
