/* Texts, delays and errors of a stanza; allocation with one sticky failure. */
#include "edge-proxy/core/stanza_parts.h"

#include <string.h>

#include "base/limits.h"
#include "edge-proxy/core/stamp.h"
#include "edge-proxy/core/xml_names.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

void stanza_reduce(struct stanza_reader *r)
{
	metrics_count(r->metrics, METRIC_elements_reduced);
}

static bool is_rule_for(const struct stanza_rule *rule, const struct xml_el *el)
{
	return (rule->name == NULL || strcmp(rule->name, el->name) == 0) &&
	       strcmp(rule->ns, el->ns) == 0;
}

void stanza_take_children(struct stanza_reader *r, const struct xml_el *el,
			  const struct stanza_rule *rules, size_t count)
{
	for (const struct xml_el *c = el->children; c != NULL; c = c->next) {
		size_t i = 0;

		while (i < count && !is_rule_for(&rules[i], c))
			i++;
		if (i < count && rules[i].take(r, c))
			r->taken++;
		else
			stanza_reduce(r);
	}
}

void *stanza_part_alloc(struct stanza_reader *r, size_t n)
{
	void *p = arena_alloc(r->arena, n);

	if (p == NULL)
		r->is_full = true;
	return p;
}

void stanza_part_set(struct stanza_reader *r, char **field, const char *value)
{
	char *copy;

	if (value == NULL || value[0] == '\0')
		return;
	copy = arena_dup(r->arena, span_str(value));
	if (copy == NULL)
		r->is_full = true;
	else
		*field = copy;
}

bool stanza_part_attr(struct stanza_reader *r, const struct xml_el *el,
		      const char *name, char **field)
{
	const char *value = xml_attr_get(el, name);

	stanza_part_set(r, field, value);
	return value != NULL && value[0] != '\0';
}

/* LIMIT: each text carries its language */
bool stanza_is_lang(const char *lang)
{
	return strnlen(lang, LIMIT_LANG_BYTES + 1) <= LIMIT_LANG_BYTES;
}

const char *stanza_part_lang(const struct stanza_reader *r,
			     const struct xml_el *el)
{
	const char *lang = xml_attr_get_ns(el, NS_XML, "lang");

	return lang == NULL || !stanza_is_lang(lang) ? r->stanza->lang : lang;
}

bool stanza_part_text(struct stanza_reader *r, const struct xml_el *el,
		      Fed__Text ***list, size_t *count)
{
	if (*count >= LIMIT_STANZA_LIST)
		return false;
	if (stanza_add_text(r->arena, list, count,
			    span_str(stanza_part_lang(r, el)),
			    span_str(el->text)) != 0)
		r->is_full = true;
	return true;
}

bool stanza_part_delay(struct stanza_reader *r, const struct xml_el *el,
		       Fed__Delay **field)
{
	const char *stamp = xml_attr_get(el, "stamp");
	Fed__Delay *delay;
	int64_t ms;

	if (*field != NULL || stamp == NULL ||
	    stamp_parse(span_trim(span_str(stamp)), &ms) != 0)
		return false;
	delay = stanza_part_alloc(r, sizeof(*delay));
	if (delay == NULL)
		return false;
	fed__delay__init(delay);
	delay->stamp_ms = ms;
	(void)stanza_part_attr(r, el, "from", &delay->from);
	*field = delay;
	return true;
}

/* RFC 6120 8.3.3.5, 8.3.3.14: the new address is the condition's text. */
static bool has_address(Fed__Condition c)
{
	return c == FED__CONDITION__GONE || c == FED__CONDITION__REDIRECT;
}

static void read_condition(struct stanza_reader *r, const struct xml_el *c,
			   Fed__Error *e)
{
	e->condition = stanza_error_parse(c->name);
	if (has_address(e->condition))
		stanza_part_set(r, &e->address, c->text);
}

static void read_error_child(struct stanza_reader *r, const struct xml_el *c,
			     Fed__Error *e)
{
	bool is_ours = strcmp(c->ns, NS_STANZA_ERRORS) == 0;
	bool is_text = is_ours && strcmp(c->name, "text") == 0;

	if (is_text && stanza_part_text(r, c, &e->text, &e->n_text))
		return;
	if (xml_is(c, NS_ERRORS_EXT, "stanza-too-big")) {
		e->detail = FED__ERROR_DETAIL__STANZA_TOO_BIG;
		return;
	}
	if (is_ours && !is_text && e->condition == FED__CONDITION__NO_CONDITION)
		read_condition(r, c, e);
	else
		stanza_reduce(r); /* application-specific, or one too many */
}

void stanza_part_error(struct stanza_reader *r, const struct xml_el *stanza,
		       Fed__Error **field)
{
	const struct xml_el *el = xml_child(stanza, NS_SERVER, "error");
	const char *type = el == NULL ? NULL : xml_attr_get(el, "type");
	Fed__Error *e = stanza_part_alloc(r, sizeof(*e));

	if (e == NULL)
		return;
	fed__error__init(e);
	*field = e;
	for (const struct xml_el *c = el == NULL ? NULL : el->children;
	     c != NULL; c = c->next)
		read_error_child(r, c, e);
	if (e->condition == FED__CONDITION__NO_CONDITION)
		e->condition = FED__CONDITION__UNDEFINED_CONDITION;
	e->type = type == NULL ? stanza_error_usual_type(e->condition)
			       : stanza_error_type_parse(type);
	if (el != NULL)
		(void)stanza_part_attr(r, el, "by", &e->by);
}
