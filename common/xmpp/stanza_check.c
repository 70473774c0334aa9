/*
 * stanza_validate(): the struct is walked along its protobuf-c description, so
 * that a field added later is checked too.
 *
 * Nothing is refused here that an edge could have taken from a well-formed
 * stanza of a peer: a peer must not be able to make the gateway break with
 * its own edge.
 */
#include "xmpp/stanza_util.h"

#include <string.h>

#include "base/limits.h"
#include "xmpp/jid_shape.h"

/* messages nest as the schema does: Stanza, Message, Error, Text */
enum { NESTING_MAX = 8 };

/* Char of XML 1.0: the bytes of U+FFFE and U+FFFF */
static bool has_non_character(struct span s)
{
	for (size_t i = 0; i + 2 < s.n; i++)
		if (memcmp(s.p + i, "\xEF\xBF\xBE", 3) == 0 ||
		    memcmp(s.p + i, "\xEF\xBF\xBF", 3) == 0)
			return true;
	return false;
}

/* Eight bytes at once: none of them below U+0020, none above U+007F.  Without
 * one below, the subtraction sets no highest bit; with one, at least its own.
 */
static bool is_plain_word(const char *p)
{
	uint64_t high = UINT64_C(0x8080808080808080);
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return ((w | (w - UINT64_C(0x2020202020202020))) & high) == 0;
}

/* UTF-8 text that XML can carry. */
static bool is_text(struct span s)
{
	bool is_ascii = true;
	size_t i = 0;

	if (s.n > LIMIT_STANZA_BYTES)
		return false;
	while (i < s.n) {
		unsigned char c = (unsigned char)s.p[i];

		if (s.n - i >= sizeof(uint64_t) && is_plain_word(s.p + i)) {
			i += sizeof(uint64_t);
			continue;
		}
		if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
			return false;
		if (c >= 0x80)
			is_ascii = false;
		i++;
	}
	return is_ascii || (span_is_utf8(s) && !has_non_character(s));
}

static bool check_message(const ProtobufCMessage *m, unsigned int depth);

/* One value of the field, at p. */
static bool check_value(const ProtobufCFieldDescriptor *f, const char *p,
			unsigned int depth)
{
	const char *text;
	const ProtobufCMessage *sub;
	int number;

	if (f->type == PROTOBUF_C_TYPE_STRING) {
		memcpy(&text, p, sizeof(text));
		return text != NULL && is_text(span_str(text));
	}
	if (f->type == PROTOBUF_C_TYPE_ENUM) {
		memcpy(&number, p, sizeof(number));
		return protobuf_c_enum_descriptor_get_value(f->descriptor,
							    number) != NULL;
	}
	if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
		memcpy(&sub, p, sizeof(sub)); /* NOLINT(bugprone-sizeof-*) */
		if (sub == NULL) /* absent, allowed but in a list or oneof */
			return f->label != PROTOBUF_C_LABEL_REPEATED &&
			       (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0;
		return sub->descriptor == f->descriptor &&
		       check_message(sub, depth + 1);
	}
	return true; /* numbers */
}

/* The lists of the schema are strings and messages: arrays of pointers. */
static bool check_list(const ProtobufCFieldDescriptor *f, const char *base,
		       unsigned int depth)
{
	const char *items;
	size_t count;

	memcpy(&count, base + f->quantifier_offset, sizeof(count));
	memcpy(&items, base + f->offset, sizeof(items));
	if (count > LIMIT_STANZA_LIST || (count > 0 && items == NULL))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!check_value(f, items + i * sizeof(void *), depth))
			return false;
	return true;
}

static bool is_oneof_chosen(const ProtobufCFieldDescriptor *f, const char *base)
{
	uint32_t chosen;

	memcpy(&chosen, base + f->quantifier_offset, sizeof(chosen));
	return chosen == f->id;
}

static bool check_message(const ProtobufCMessage *m, unsigned int depth)
{
	const ProtobufCMessageDescriptor *d = m->descriptor;
	const char *base = (const char *)m;

	if (depth > NESTING_MAX)
		return false;
	for (unsigned int i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];

		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			if (!check_list(f, base, depth))
				return false;
		} else if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
			   is_oneof_chosen(f, base)) {
			if (!check_value(f, base + f->offset, depth))
				return false;
		}
	}
	return true;
}

/* The kinds by number: the compiler's enum says nothing about the wire. */
static bool is_kind_present(const Fed__Stanza *s)
{
	switch (s->kind_case) {
	case FED__STANZA__KIND_MESSAGE:
	case FED__STANZA__KIND_PRESENCE:
	case FED__STANZA__KIND_IQ:
		return true;
	case FED__STANZA__KIND__NOT_SET:
	case _FED__STANZA__KIND__CASE_IS_INT_SIZE:
		break;
	}
	return false;
}

int stanza_validate(const Fed__Stanza *s)
{
	if (s->base.descriptor != &fed__stanza__descriptor ||
	    !is_kind_present(s) || !check_message(&s->base, 0))
		return FED_EPROTO;
	if (!jid_is_shaped(span_str(s->from)) ||
	    !jid_is_shaped(span_str(s->to)))
		return FED_EPROTO;
	/* RFC 6121 4.7.2.3 */
	if (s->kind_case == FED__STANZA__KIND_PRESENCE &&
	    (s->presence->priority < -128 || s->presence->priority > 127))
		return FED_EPROTO;
	return 0;
}
