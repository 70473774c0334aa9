/* XML to stanza: the iq and its payloads. */
#include "edge-proxy/core/stanza_parts.h"

#include <string.h>

#include "base/limits.h"
#include "edge-proxy/core/xml_names.h"

/* Appends to one of the schema's lists; false: the list is full. */
static bool append(struct stanza_reader *r, void ***list, size_t *count,
		   void *item)
{
	if (*count >= LIMIT_STANZA_LIST)
		return false;
	if (arena_append(r->arena, list, count, item) != 0)
		r->is_full = true;
	return true;
}

/* ---- XEP-0030 ---- */

static bool take_identity(struct stanza_reader *r, const struct xml_el *el)
{
	Fed__DiscoInfo *info = r->stanza->iq->disco_info;
	Fed__DiscoIdentity *id = stanza_part_alloc(r, sizeof(*id));
	void **list = (void **)info->identity;
	bool is_taken;

	if (id == NULL)
		return false;
	fed__disco_identity__init(id);
	/* XEP-0030 3.1: both are required */
	if (!stanza_part_attr(r, el, "category", &id->category) ||
	    !stanza_part_attr(r, el, "type", &id->type))
		return false;
	(void)stanza_part_attr(r, el, "name", &id->name);
	stanza_part_set(r, &id->lang, stanza_part_lang(r, el));
	is_taken = append(r, &list, &info->n_identity, id);
	info->identity = (Fed__DiscoIdentity **)list;
	return is_taken;
}

static bool take_feature(struct stanza_reader *r, const struct xml_el *el)
{
	Fed__DiscoInfo *info = r->stanza->iq->disco_info;
	void **list = (void **)info->feature;
	char *var = NULL;
	bool is_taken;

	if (!stanza_part_attr(r, el, "var", &var) || var == NULL)
		return false;
	is_taken = append(r, &list, &info->n_feature, var);
	info->feature = (char **)list;
	return is_taken;
}

static const struct stanza_rule DISCO_INFO_RULES[] = {
	{NS_DISCO_INFO, "identity", take_identity},
	{NS_DISCO_INFO, "feature", take_feature},
};

static bool take_disco_info(struct stanza_reader *r, const struct xml_el *el)
{
	Fed__DiscoInfo *info = stanza_part_alloc(r, sizeof(*info));

	if (info == NULL)
		return false;
	fed__disco_info__init(info);
	r->stanza->iq->disco_info = info;
	r->stanza->iq->payload_case = FED__IQ__PAYLOAD_DISCO_INFO;
	(void)stanza_part_attr(r, el, "node", &info->node);
	stanza_take_children(r, el, DISCO_INFO_RULES,
			     FED_ARRAY_LEN(DISCO_INFO_RULES));
	return true;
}

static bool take_item(struct stanza_reader *r, const struct xml_el *el)
{
	Fed__DiscoItems *items = r->stanza->iq->disco_items;
	Fed__DiscoItem *item = stanza_part_alloc(r, sizeof(*item));
	void **list = (void **)items->item;
	bool is_taken;

	if (item == NULL)
		return false;
	fed__disco_item__init(item);
	if (!stanza_part_attr(r, el, "jid", &item->jid))
		return false;
	(void)stanza_part_attr(r, el, "node", &item->node);
	(void)stanza_part_attr(r, el, "name", &item->name);
	is_taken = append(r, &list, &items->n_item, item);
	items->item = (Fed__DiscoItem **)list;
	return is_taken;
}

static const struct stanza_rule DISCO_ITEMS_RULES[] = {
	{NS_DISCO_ITEMS, "item", take_item},
};

static bool take_disco_items(struct stanza_reader *r, const struct xml_el *el)
{
	Fed__DiscoItems *items = stanza_part_alloc(r, sizeof(*items));

	if (items == NULL)
		return false;
	fed__disco_items__init(items);
	r->stanza->iq->disco_items = items;
	r->stanza->iq->payload_case = FED__IQ__PAYLOAD_DISCO_ITEMS;
	(void)stanza_part_attr(r, el, "node", &items->node);
	stanza_take_children(r, el, DISCO_ITEMS_RULES,
			     FED_ARRAY_LEN(DISCO_ITEMS_RULES));
	return true;
}

/* ---- XEP-0199, XEP-0092, XEP-0054 ---- */

static bool take_ping(struct stanza_reader *r, const struct xml_el *el)
{
	Fed__Ping *ping = stanza_part_alloc(r, sizeof(*ping));

	(void)el;
	if (ping == NULL)
		return false;
	fed__ping__init(ping);
	r->stanza->iq->ping = ping;
	r->stanza->iq->payload_case = FED__IQ__PAYLOAD_PING;
	return true;
}

/* Text of the child, or of the child's child when there is an inner name. */
static void take_leaf(struct stanza_reader *r, const struct xml_el *el,
		      const char *name, const char *inner, char **field)
{
	const struct xml_el *c = xml_child(el, el->ns, name);

	if (c != NULL && inner != NULL)
		c = xml_child(c, el->ns, inner);
	if (c != NULL)
		stanza_part_set(r, field, c->text);
}

static bool take_version(struct stanza_reader *r, const struct xml_el *el)
{
	Fed__Version *v = stanza_part_alloc(r, sizeof(*v));

	if (v == NULL)
		return false;
	fed__version__init(v);
	r->stanza->iq->version = v;
	r->stanza->iq->payload_case = FED__IQ__PAYLOAD_VERSION;
	take_leaf(r, el, "name", NULL, &v->name);
	take_leaf(r, el, "version", NULL, &v->version);
	take_leaf(r, el, "os", NULL, &v->os);
	return true;
}

static bool is_vcard_field(const char *name)
{
	static const char *const names[] = {"FN",  "NICKNAME", "URL", "EMAIL",
					    "TEL", "DESC",     "ORG", "TITLE"};

	for (size_t i = 0; i < FED_ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool take_vcard(struct stanza_reader *r, const struct xml_el *el)
{
	Fed__Vcard *v = stanza_part_alloc(r, sizeof(*v));

	if (v == NULL)
		return false;
	fed__vcard__init(v);
	r->stanza->iq->vcard = v;
	r->stanza->iq->payload_case = FED__IQ__PAYLOAD_VCARD;
	take_leaf(r, el, "FN", NULL, &v->full_name);
	take_leaf(r, el, "NICKNAME", NULL, &v->nickname);
	take_leaf(r, el, "URL", NULL, &v->url);
	take_leaf(r, el, "EMAIL", "USERID", &v->email);
	take_leaf(r, el, "TEL", "NUMBER", &v->tel);
	take_leaf(r, el, "DESC", NULL, &v->description);
	take_leaf(r, el, "ORG", "ORGNAME", &v->organisation);
	take_leaf(r, el, "TITLE", NULL, &v->title);
	for (const struct xml_el *c = el->children; c != NULL; c = c->next)
		if (!is_vcard_field(c->name))
			stanza_reduce(r);
	return true;
}

/* ---- the iq (RFC 6120 8.2.3) ---- */

static const struct stanza_rule PAYLOAD_RULES[] = {
	{NS_PING, "ping", take_ping},
	{NS_DISCO_INFO, "query", take_disco_info},
	{NS_DISCO_ITEMS, "query", take_disco_items},
	{NS_VERSION, "query", take_version},
	{NS_VCARD, "vCard", take_vcard},
};

/* The first known payload; one iq has one. */
static bool take_payload(struct stanza_reader *r, const struct xml_el *el)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(PAYLOAD_RULES); i++) {
		const struct stanza_rule *rule = &PAYLOAD_RULES[i];

		if (xml_is(el, rule->ns, rule->name))
			return rule->take(r, el);
	}
	return false;
}

static enum stanza_verdict answer(struct stanza_reader *r, Fed__Condition c)
{
	r->answer = c;
	return STANZA_ANSWER;
}

static enum stanza_verdict read_request(struct stanza_reader *r,
					const struct xml_el *el)
{
	const struct xml_el *payload = el->children;

	if (payload == NULL || payload->next != NULL)
		return answer(r, FED__CONDITION__BAD_REQUEST);
	if (!take_payload(r, payload))
		return answer(r, FED__CONDITION__SERVICE_UNAVAILABLE);
	return STANZA_OK;
}

static void read_result(struct stanza_reader *r, const struct xml_el *el)
{
	bool is_taken = false;

	for (const struct xml_el *c = el->children; c != NULL; c = c->next) {
		if (!is_taken && take_payload(r, c))
			is_taken = true;
		else
			stanza_reduce(r);
	}
}

static bool read_type(const struct xml_el *el, Fed__IqType *type_out)
{
	static const char *const names[] = {
		[FED__IQ_TYPE__GET] = "get",
		[FED__IQ_TYPE__SET] = "set",
		[FED__IQ_TYPE__RESULT] = "result",
		[FED__IQ_TYPE__IQ_ERROR] = "error",
	};
	const char *type = xml_attr_get(el, "type");

	for (size_t i = 0; type != NULL && i < FED_ARRAY_LEN(names); i++) {
		if (strcmp(names[i], type) == 0) {
			*type_out = (Fed__IqType)i;
			return true;
		}
	}
	return false;
}

enum stanza_verdict stanza_read_iq(struct stanza_reader *r,
				   const struct xml_el *el)
{
	Fed__Iq *iq = r->stanza->iq;

	/* a broken type stays GET in the stanza, so that it is answered */
	if (!read_type(el, &iq->type) || r->stanza->id[0] == '\0')
		return answer(r, FED__CONDITION__BAD_REQUEST);
	switch (iq->type) {
	case FED__IQ_TYPE__GET:
	case FED__IQ_TYPE__SET:
		return read_request(r, el);
	case FED__IQ_TYPE__RESULT:
		read_result(r, el);
		return STANZA_OK;
	case FED__IQ_TYPE__IQ_ERROR:
		stanza_part_error(r, el, &iq->error);
		return STANZA_OK;
	case _FED__IQ_TYPE_IS_INT_SIZE:
		break;
	}
	return answer(r, FED__CONDITION__BAD_REQUEST);
}
