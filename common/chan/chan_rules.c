/* The table of frames, and the check of their fields. */
#include "chan/chan_rules.h"

#include <string.h>

#include "base/digest.h"
#include "base/limits.h"
#include "xmpp/stanza_util.h"

#define KIND(name) FED__FRAME__KIND_##name

static const struct chan_rule RULES[] = {
	{KIND(_NOT_SET), "ack", CHAN_BY_BOTH, CHAN_IN_OPEN,
	 LIMIT_CHANNEL_SMALL_BYTES, false, false},
	{KIND(HELLO), "Hello", CHAN_BY_GATEWAY, CHAN_IN_HELLO,
	 LIMIT_CHANNEL_HELLO_BYTES, false, false},
	{KIND(WELCOME), "Welcome", CHAN_BY_EDGE, CHAN_IN_HELLO,
	 LIMIT_CHANNEL_HELLO_BYTES, false, false},
	{KIND(STANZA), "Stanza", CHAN_BY_BOTH, CHAN_IN_OPEN, LIMIT_FRAME_BYTES,
	 true, false},
	{KIND(OUTCOME), "Outcome", CHAN_BY_BOTH, CHAN_IN_OPEN,
	 LIMIT_CHANNEL_OUTCOME_BYTES, true, false},
	{KIND(CONFIG), "Config", CHAN_BY_GATEWAY, CHAN_IN_OPEN,
	 LIMIT_FRAME_BYTES, true, true},
	{KIND(CONFIG_RESULT), "ConfigResult", CHAN_BY_EDGE, CHAN_IN_OPEN,
	 LIMIT_CHANNEL_EVENT_BYTES, true, true},
	{KIND(STREAM_EVENT), "StreamEvent", CHAN_BY_EDGE, CHAN_IN_OPEN,
	 LIMIT_CHANNEL_EVENT_BYTES, true, true},
	{KIND(ATTEMPT), "Attempt", CHAN_BY_EDGE, CHAN_IN_OPEN,
	 LIMIT_CHANNEL_EVENT_BYTES, false, true},
	{KIND(ADMIN_REQUEST), "AdminRequest", CHAN_BY_GATEWAY, CHAN_IN_OPEN,
	 LIMIT_FRAME_BYTES, false, true},
	{KIND(ADMIN_RESPONSE), "AdminResponse", CHAN_BY_EDGE, CHAN_IN_OPEN,
	 LIMIT_FRAME_BYTES, false, true},
	{KIND(PING), "Ping", CHAN_BY_BOTH, CHAN_IN_OPEN,
	 LIMIT_CHANNEL_SMALL_BYTES, false, false},
	{KIND(PONG), "Pong", CHAN_BY_BOTH, CHAN_IN_OPEN,
	 LIMIT_CHANNEL_SMALL_BYTES, false, false},
	{KIND(DRAIN), "Drain", CHAN_BY_BOTH, CHAN_IN_OPEN,
	 LIMIT_CHANNEL_SMALL_BYTES, false, false},
	{KIND(BYE), "Bye", CHAN_BY_BOTH, CHAN_IN_HELLO | CHAN_IN_OPEN,
	 LIMIT_CHANNEL_SMALL_BYTES, false, false},
};

const struct chan_rule *chan_rule_of(Fed__Frame__KindCase kind)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(RULES); i++) {
		if (RULES[i].kind == kind)
			return &RULES[i];
	}
	return NULL;
}

static const char *pointer_at(const char *at)
{
	const char *p;

	memcpy(&p, at, sizeof(p));
	return p;
}

static bool value_is_clean(const ProtobufCFieldDescriptor *f, const char *at)
{
	const char *p;
	int number;

	if (f->type == PROTOBUF_C_TYPE_STRING) {
		p = pointer_at(at);
		return p == NULL || span_is_utf8(span_str(p));
	}
	if (f->type == PROTOBUF_C_TYPE_ENUM) {
		memcpy(&number, at, sizeof(number));
		return protobuf_c_enum_descriptor_get_value(f->descriptor,
							    number) != NULL;
	}
	if (f->type == PROTOBUF_C_TYPE_MESSAGE &&
	    f->descriptor != &fed__stanza__descriptor) {
		p = pointer_at(at);
		return p == NULL || chan_message_is_clean((const void *)p);
	}
	return true;
}

/* Only strings, enums and messages are looked into. */
static size_t element_size(const ProtobufCFieldDescriptor *f)
{
	return f->type == PROTOBUF_C_TYPE_ENUM ? sizeof(int) : sizeof(void *);
}

static bool is_looked_into(const ProtobufCFieldDescriptor *f)
{
	return f->type == PROTOBUF_C_TYPE_STRING ||
	       f->type == PROTOBUF_C_TYPE_ENUM ||
	       f->type == PROTOBUF_C_TYPE_MESSAGE;
}

static bool field_is_clean(const ProtobufCFieldDescriptor *f, const char *base)
{
	uint32_t chosen;
	size_t count;

	if (!is_looked_into(f))
		return true;
	if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		memcpy(&chosen, base + f->quantifier_offset, sizeof(chosen));
		return chosen != f->id || value_is_clean(f, base + f->offset);
	}
	if (f->label != PROTOBUF_C_LABEL_REPEATED)
		return value_is_clean(f, base + f->offset);
	memcpy(&count, base + f->quantifier_offset, sizeof(count));
	for (size_t i = 0; i < count; i++) {
		const char *items = pointer_at(base + f->offset);

		if (!value_is_clean(f, items + i * element_size(f)))
			return false;
	}
	return true;
}

bool chan_message_is_clean(const ProtobufCMessage *m)
{
	const ProtobufCMessageDescriptor *d = m->descriptor;

	for (unsigned i = 0; i < d->n_fields; i++) {
		if (!field_is_clean(&d->fields[i], (const char *)m))
			return false;
	}
	return true;
}

static bool is_domain_sized(const char *s)
{
	size_t n = s == NULL ? 0 : strlen(s);

	return n > 0 && n <= LIMIT_DOMAIN_BYTES;
}

static const char *facts_problem(const Fed__Facts *f)
{
	if (!chan_message_is_clean(&f->base))
		return "Facts that are not UTF-8 or name no mechanism";
	if (!is_domain_sized(f->peer_domain) ||
	    !is_domain_sized(f->local_domain))
		return "Facts without domains";
	return NULL;
}

const char *chan_stanza_problem(const Fed__StanzaFrame *f, bool is_from_edge)
{
	const char *problem = NULL;

	if (f->delivery_id.len != ID_RAW_BYTES)
		return "delivery_id is not 16 bytes";
	if (is_from_edge != (f->facts != NULL))
		return is_from_edge ? "Stanza without Facts"
				    : "Facts from a gateway";
	if (f->facts != NULL)
		problem = facts_problem(f->facts);
	if (problem != NULL)
		return problem;
	if (f->stanza == NULL)
		return "StanzaFrame without Stanza";
	return stanza_validate(f->stanza) == 0 ? NULL : "invalid Stanza";
}
