/* One record: a copy in one block, comparison. */
#include "fe-gateway/core/federation_priv.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* --- copy ------------------------------------------------------------------
 */

/* Counts, then writes the same again. */
struct block {
	char *p; /* NULL: only counts */
	size_t n;
};

static void *take(struct block *b, const void *from, size_t n)
{
	size_t at = b->n;

	b->n += (n + alignof(max_align_t) - 1) / alignof(max_align_t) *
		alignof(max_align_t);
	if (b->p == NULL)
		return NULL;
	if (n > 0)
		memcpy(b->p + at, from, n);
	return b->p + at;
}

static char *take_text(struct block *b, const char *text)
{
	return take(b, text, strlen(text) + 1);
}

static void *member_of(const ProtobufCMessage *m,
		       const ProtobufCFieldDescriptor *f)
{
	return (char *)(uintptr_t)m + f->offset;
}

static size_t list_count(const ProtobufCMessage *m,
			 const ProtobufCFieldDescriptor *f)
{
	size_t n;

	memcpy(&n, (const char *)m + f->quantifier_offset, sizeof(n));
	return n;
}

static void copy_list(struct block *b, const ProtobufCMessage *m,
		      ProtobufCMessage *to, const ProtobufCFieldDescriptor *f)
{
	char *const *from = *(char **const *)member_of(m, f);
	size_t n = list_count(m, f);
	char **items = take(b, from, n * sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		char *item = take_text(b, from[i]);

		if (items != NULL)
			items[i] = item;
	}
	if (to != NULL)
		*(char ***)member_of(to, f) = items;
}

static void copy_bytes(struct block *b, const ProtobufCMessage *m,
		       ProtobufCMessage *to, const ProtobufCFieldDescriptor *f)
{
	const ProtobufCBinaryData *from = member_of(m, f);
	uint8_t *data = take(b, from->data, from->len);

	if (to != NULL)
		((ProtobufCBinaryData *)member_of(to, f))->data = data;
}

static void copy_text(struct block *b, const ProtobufCMessage *m,
		      ProtobufCMessage *to, const ProtobufCFieldDescriptor *f)
{
	char *text = take_text(b, *(char **)member_of(m, f));

	if (to != NULL)
		*(char **)member_of(to, f) = text;
}

static void copy_field(struct block *b, const ProtobufCMessage *m,
		       ProtobufCMessage *to, const ProtobufCFieldDescriptor *f)
{
	if (f->type == PROTOBUF_C_TYPE_BYTES)
		copy_bytes(b, m, to, f);
	else if (f->type == PROTOBUF_C_TYPE_STRING &&
		 f->label == PROTOBUF_C_LABEL_REPEATED)
		copy_list(b, m, to, f);
	else if (f->type == PROTOBUF_C_TYPE_STRING)
		copy_text(b, m, to, f);
}

/* Without what a later version put in: nobody here would check it. */
static ProtobufCMessage *copy_message(struct block *b,
				      const ProtobufCMessage *m)
{
	const ProtobufCMessageDescriptor *d = m->descriptor;
	ProtobufCMessage *to = take(b, m, d->sizeof_message);

	if (to != NULL) {
		to->n_unknown_fields = 0;
		to->unknown_fields = NULL;
	}
	for (unsigned i = 0; i < d->n_fields; i++)
		copy_field(b, m, to, &d->fields[i]);
	return to;
}

/* The message of the oneof; they share one place. */
static const ProtobufCMessage *kind_of(const Fed__Record *r)
{
	return r->kind_case == FED__RECORD__KIND__NOT_SET ? NULL
							  : &r->partner->base;
}

static Fed__Record *copy_record(struct block *b, const Fed__Record *r)
{
	Fed__Record *to = take(b, r, sizeof(*r));
	ProtobufCMessage *kind = copy_message(b, kind_of(r));

	if (to == NULL)
		return NULL;
	to->base.n_unknown_fields = 0;
	to->base.unknown_fields = NULL;
	to->partner = (Fed__PartnerRecord *)kind;
	return to;
}

struct federation_held *federation_held_new(const Fed__Record *r,
					    struct span key)
{
	struct block b = {NULL, 0};
	struct federation_held *h;

	(void)copy_record(&b, r);
	h = malloc(sizeof(*h) + alignof(max_align_t) + b.n + key.n + 1);
	if (h == NULL)
		return NULL;
	b = (struct block){(char *)h, 0};
	(void)take(&b, h, sizeof(*h));
	h->refs = 1;
	h->record = copy_record(&b, r);
	memcpy(b.p + b.n, key.p, key.n);
	b.p[b.n + key.n] = '\0';
	h->key = b.p + b.n;
	h->key_n = key.n;
	return h;
}

void federation_held_unref(struct federation_held *h)
{
	if (h != NULL && --h->refs == 0)
		free(h);
}

/* --- comparison ------------------------------------------------------------
 */

static bool is_list_eq(const ProtobufCMessage *a, const ProtobufCMessage *b,
		       const ProtobufCFieldDescriptor *f)
{
	char *const *x = *(char **const *)member_of(a, f);
	char *const *y = *(char **const *)member_of(b, f);
	size_t n = list_count(a, f);

	if (n != list_count(b, f))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(x[i], y[i]) != 0)
			return false;
	return true;
}

static bool is_bytes_eq(const ProtobufCMessage *a, const ProtobufCMessage *b,
			const ProtobufCFieldDescriptor *f)
{
	const ProtobufCBinaryData *x = member_of(a, f);
	const ProtobufCBinaryData *y = member_of(b, f);

	return span_eq(span_of(x->data, x->len), span_of(y->data, y->len));
}

/* Of the types that records have: text, bytes, bool, 32-bit numbers. */
static bool is_field_eq(const ProtobufCMessage *a, const ProtobufCMessage *b,
			const ProtobufCFieldDescriptor *f)
{
	if (f->type == PROTOBUF_C_TYPE_BYTES)
		return is_bytes_eq(a, b, f);
	if (f->type == PROTOBUF_C_TYPE_STRING)
		return f->label == PROTOBUF_C_LABEL_REPEATED
			       ? is_list_eq(a, b, f)
			       : strcmp(*(char **)member_of(a, f),
					*(char **)member_of(b, f)) == 0;
	return memcmp(member_of(a, f), member_of(b, f), sizeof(uint32_t)) == 0;
}

bool federation_record_eq(const Fed__Record *a, const Fed__Record *b)
{
	const ProtobufCMessage *x = kind_of(a);
	const ProtobufCMessage *y = kind_of(b);

	if (x == NULL || y == NULL || x->descriptor != y->descriptor)
		return x == y;
	for (unsigned i = 0; i < x->descriptor->n_fields; i++)
		if (!is_field_eq(x, y, &x->descriptor->fields[i]))
			return false;
	return true;
}
