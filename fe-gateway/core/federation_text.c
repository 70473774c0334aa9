/* A record on one line, for the log: any kind of it, field by field. */
#include <stdio.h>
#include <string.h>

#include "chan/federation_form.h"
#include "fe-gateway/core/federation_change_priv.h"

/* Words one behind the other; what does not fit is cut. */
struct line {
	char *out;
	size_t size;
	size_t used;
};

static void put(struct line *l, const char *text)
{
	int n = snprintf(l->out + l->used, l->size - l->used, "%s", text);

	l->used += (size_t)n;
	if (l->used >= l->size)
		l->used = l->size - 1;
}

static const ProtobufCMessage *message_of(const Fed__Record *r)
{
	/* all of them are pointers to messages, in one place */
	return r != NULL && r->kind_case != FED__RECORD__KIND__NOT_SET
		       ? (const ProtobufCMessage *)(const void *)r->partner
		       : NULL;
}

static const void *field_at(const ProtobufCMessage *m,
			    const ProtobufCFieldDescriptor *f)
{
	return (const char *)m + f->offset;
}

static const char *text_at(const void *at)
{
	const char *s;

	memcpy(&s, at, sizeof(s));
	return s != NULL ? s : "";
}

static void put_list(struct line *l, const ProtobufCMessage *m,
		     const ProtobufCFieldDescriptor *f)
{
	const char *const *items;
	size_t count;

	memcpy(&count, (const char *)m + f->quantifier_offset, sizeof(count));
	memcpy(&items, field_at(m, f), sizeof(items));
	for (size_t i = 0; i < count; i++) {
		put(l, i == 0 ? "" : ",");
		put(l, items[i]);
	}
}

static const char *enum_word(const void *descriptor, uint32_t n)
{
	static const struct {
		const ProtobufCEnumDescriptor *descriptor;
		const char *const *words;
	} known[] = {
		{&fed__partner_type__descriptor, federation_type_words},
		{&fed__partner_state__descriptor, federation_state_words},
		{&fed__need__descriptor, federation_need_words},
		{&fed__policy_scope__descriptor, federation_scope_words},
	};

	for (size_t i = 0; i < FED_ARRAY_LEN(known); i++)
		if (known[i].descriptor == descriptor)
			return federation_word(known[i].words, n);
	return "?";
}

static void put_number(struct line *l, const ProtobufCFieldDescriptor *f,
		       const void *at)
{
	char text[16];
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	(void)snprintf(text, sizeof(text), "%u", n);
	if (f->type == PROTOBUF_C_TYPE_ENUM)
		put(l, enum_word(f->descriptor, n));
	else if (f->type == PROTOBUF_C_TYPE_BOOL)
		put(l, n != 0 ? "on" : "off");
	else
		put(l, text);
}

static void put_value(struct line *l, const ProtobufCMessage *m,
		      const ProtobufCFieldDescriptor *f)
{
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		put_list(l, m, f);
	else if (f->type == PROTOBUF_C_TYPE_STRING)
		put(l, text_at(field_at(m, f)));
	else if (f->type == PROTOBUF_C_TYPE_BYTES)
		put(l, "(secret)");
	else
		put_number(l, f, field_at(m, f));
}

static bool is_list_same(const ProtobufCMessage *a, const ProtobufCMessage *b,
			 const ProtobufCFieldDescriptor *f)
{
	const char *const *x;
	const char *const *y;
	size_t n;

	if (memcmp((const char *)a + f->quantifier_offset,
		   (const char *)b + f->quantifier_offset, sizeof(n)) != 0)
		return false;
	memcpy(&n, (const char *)a + f->quantifier_offset, sizeof(n));
	memcpy(&x, field_at(a, f), sizeof(x));
	memcpy(&y, field_at(b, f), sizeof(y));
	for (size_t i = 0; i < n; i++)
		if (strcmp(x[i], y[i]) != 0)
			return false;
	return true;
}

static bool is_bytes_same(const void *a, const void *b)
{
	ProtobufCBinaryData x;
	ProtobufCBinaryData y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return span_eq(span_of(x.data, x.len), span_of(y.data, y.len));
}

static bool is_same(const ProtobufCMessage *a, const ProtobufCMessage *b,
		    const ProtobufCFieldDescriptor *f)
{
	const void *x = field_at(a, f);
	const void *y = field_at(b, f);

	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return is_list_same(a, b, f);
	if (f->type == PROTOBUF_C_TYPE_STRING)
		return strcmp(text_at(x), text_at(y)) == 0;
	if (f->type == PROTOBUF_C_TYPE_BYTES)
		return is_bytes_same(x, y);
	/* enum, bool, uint32 */
	return memcmp(x, y, sizeof(uint32_t)) == 0;
}

/* Words and switches say something whatever they are. */
static bool is_worth(const ProtobufCMessage *m, const ProtobufCMessage *zero,
		     const ProtobufCFieldDescriptor *f)
{
	return f->type == PROTOBUF_C_TYPE_ENUM ||
	       f->type == PROTOBUF_C_TYPE_BOOL || !is_same(m, zero, f);
}

static void put_field(struct line *l, const ProtobufCMessage *m,
		      const ProtobufCFieldDescriptor *f)
{
	put(l, l->used > 0 ? " " : "");
	put(l, f->name);
	put(l, ":");
	put_value(l, m, f);
}

void federation_text(const Fed__Record *r, const Fed__Record *other, char *out,
		     size_t size)
{
	union {
		ProtobufCMessage base;
		Fed__PartnerRecord partner; /* the two largest */
		Fed__SettingsRecord settings;
	} zero;
	const ProtobufCMessage *m = message_of(r);
	const ProtobufCMessage *o = message_of(other);
	struct line l = {.out = out, .size = size};
	unsigned count;

	out[0] = '\0';
	if (m == NULL) {
		put(&l, "none");
		return;
	}
	count = m->descriptor->n_fields;
	protobuf_c_message_init(m->descriptor, &zero.base);
	/* texts may be long: they are cut, not what decides */
	for (unsigned i = 0; i < 2 * count; i++) {
		const ProtobufCFieldDescriptor *f =
			&m->descriptor->fields[i < count ? i : i - count];
		bool is_text = f->type == PROTOBUF_C_TYPE_STRING;

		if (is_text == (i >= count) &&
		    (o != NULL ? !is_same(m, o, f)
			       : is_worth(m, &zero.base, f)))
			put_field(&l, m, f);
	}
}
