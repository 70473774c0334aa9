/* Answers of the SIP domain to info/query. */
#include "fe-gateway/core/iq_answer.h"

#include "base/limits.h"
#include "xmpp/jid.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

static const char *const FEATURES[] = {
	"http://jabber.org/protocol/disco#info",
	"http://jabber.org/protocol/disco#items",
	"jabber:iq:version",
	"urn:xmpp:ping",
};

static int refuse(struct arena *a, Fed__Condition c, Fed__Error **out)
{
	*out = stanza_error_new(a, c, NULL);
	return *out != NULL ? 0 : FED_ENOMEM;
}

/* To the others a server like theirs, to those who look closer what it is
 * (XEP-0030, registry of identities). */
static const char *const IDENTITIES[][2] = {
	{"server", "im"},
	{"gateway", "simple"},
};

static Fed__DiscoIdentity *new_identity(struct arena *a, size_t i)
{
	Fed__DiscoIdentity *id = arena_alloc(a, sizeof(*id));

	if (id == NULL)
		return NULL;
	fed__disco_identity__init(id);
	id->category = arena_dup(a, span_str(IDENTITIES[i][0]));
	id->type = arena_dup(a, span_str(IDENTITIES[i][1]));
	id->name = arena_dup(a, SPAN_LIT("SIP/SIMPLE gateway"));
	if (id->category == NULL || id->type == NULL || id->name == NULL)
		return NULL;
	return id;
}

static int fill_info(Fed__Iq *iq, struct arena *a)
{
	Fed__DiscoInfo *info = arena_alloc(a, sizeof(*info));
	void **ids = NULL, **features = NULL;
	size_t n = 0;

	if (info == NULL)
		return FED_ENOMEM;
	fed__disco_info__init(info);
	for (size_t i = 0; i < FED_ARRAY_LEN(IDENTITIES); i++) {
		Fed__DiscoIdentity *id = new_identity(a, i);

		if (id == NULL || arena_append(a, &ids, &n, id) != 0)
			return FED_ENOMEM;
	}
	info->identity = (Fed__DiscoIdentity **)ids;
	info->n_identity = n;
	n = 0;
	for (size_t i = 0; i < FED_ARRAY_LEN(FEATURES); i++) {
		char *name = arena_dup(a, span_str(FEATURES[i]));

		if (name == NULL || arena_append(a, &features, &n, name) != 0)
			return FED_ENOMEM;
	}
	info->feature = (char **)features;
	info->n_feature = n;
	iq->payload_case = FED__IQ__PAYLOAD_DISCO_INFO;
	iq->disco_info = info;
	return 0;
}

static int fill_items(Fed__Iq *iq, struct arena *a)
{
	Fed__DiscoItems *items = arena_alloc(a, sizeof(*items));

	if (items == NULL)
		return FED_ENOMEM;
	fed__disco_items__init(items);
	iq->payload_case = FED__IQ__PAYLOAD_DISCO_ITEMS;
	iq->disco_items = items;
	return 0;
}

static int fill_version(Fed__Iq *iq, struct arena *a)
{
	Fed__Version *v = arena_alloc(a, sizeof(*v));

	if (v == NULL)
		return FED_ENOMEM;
	fed__version__init(v);
	v->name = arena_dup(a, SPAN_LIT("fe-gateway"));
	v->version = arena_dup(a, SPAN_LIT(FED_VERSION));
	if (v->name == NULL || v->version == NULL)
		return FED_ENOMEM;
	iq->payload_case = FED__IQ__PAYLOAD_VERSION;
	iq->version = v;
	return 0;
}

static Fed__Stanza *new_result(const Fed__Stanza *iq, struct arena *a)
{
	Fed__Stanza *s = stanza_new_iq(a);

	if (s == NULL)
		return NULL;
	s->from = arena_dup(a, span_str(iq->to));
	s->to = arena_dup(a, span_str(iq->from));
	s->id = arena_dup(a, span_str(iq->id));
	s->iq->type = FED__IQ_TYPE__RESULT;
	if (s->from == NULL || s->to == NULL || s->id == NULL)
		return NULL;
	return s;
}

static bool has_node(const Fed__Iq *iq)
{
	if (iq->payload_case == FED__IQ__PAYLOAD_DISCO_INFO)
		return iq->disco_info->node[0] != '\0';
	if (iq->payload_case == FED__IQ__PAYLOAD_DISCO_ITEMS)
		return iq->disco_items->node[0] != '\0';
	return false;
}

/* @return 0; FED_ENOTFOUND not answered with a result; FED_ENOMEM */
static int fill_result(const Fed__Iq *get, Fed__Iq *result, struct arena *a)
{
	switch (get->payload_case) {
	case FED__IQ__PAYLOAD_DISCO_INFO:
		return fill_info(result, a);
	case FED__IQ__PAYLOAD_DISCO_ITEMS:
		return fill_items(result, a);
	case FED__IQ__PAYLOAD_VERSION:
		return fill_version(result, a);
	case FED__IQ__PAYLOAD_PING:
		/* XEP-0199: the answer is an empty result */
		return 0;
	case FED__IQ__PAYLOAD__NOT_SET:
	case FED__IQ__PAYLOAD_VCARD:
	case _FED__IQ__PAYLOAD__CASE_IS_INT_SIZE:
		break;
	}
	return FED_ENOTFOUND;
}

int iq_answer(const Fed__Stanza *s, struct arena *a, Fed__Stanza **result_out,
	      Fed__Error **refused_out)
{
	struct jid_parts to = jid_split(span_str(s->to));
	const Fed__Iq *iq = s->iq;
	Fed__Stanza *result;
	int err;

	*result_out = NULL;
	*refused_out = NULL;
	if (iq->type != FED__IQ_TYPE__GET && iq->type != FED__IQ_TYPE__SET)
		return 0;
	if (iq->type == FED__IQ_TYPE__SET || to.local.n > 0 ||
	    to.resource.n > 0)
		return refuse(a, FED__CONDITION__SERVICE_UNAVAILABLE,
			      refused_out);
	if (has_node(iq))
		return refuse(a, FED__CONDITION__ITEM_NOT_FOUND, refused_out);
	result = new_result(s, a);
	if (result == NULL)
		return FED_ENOMEM;
	err = fill_result(iq, result->iq, a);
	if (err == FED_ENOTFOUND)
		return refuse(a, FED__CONDITION__SERVICE_UNAVAILABLE,
			      refused_out);
	if (err == 0)
		*result_out = result;
	return err;
}
