/* Elements in arenas, and the look-ups on them. */
#include "edge-proxy/core/xml_tree.h"

#include <stdlib.h>
#include <string.h>

enum {
	TEXT_FIRST_BYTES = 512,
	TEXT_KEPT_BYTES = 16 * 1024, /* more is given back after a stanza */
	/* pointers of one attribute in libxml2's array */
	SAX_NAME = 0,
	SAX_NS = 2,
	SAX_VALUE = 3,
	SAX_END = 4,
	SAX_POINTERS = 5,
};

void xml_tree_init(struct xml_tree *t)
{
	*t = (struct xml_tree){.depth = 0};
	/* an element has its limit in xml_tree_alloc(); as much again is for
	 * the elements of the feed in which it began */
	arena_init(&t->arenas[0], 2 * LIMIT_STANZA_ARENA_BYTES);
	arena_init(&t->arenas[1], 2 * LIMIT_STANZA_ARENA_BYTES);
}

static void drop_text(struct xml_tree *t)
{
	free(t->text);
	t->text = NULL;
	t->text_n = 0;
	t->text_cap = 0;
}

void xml_tree_deinit(struct xml_tree *t)
{
	arena_deinit(&t->arenas[0]);
	arena_deinit(&t->arenas[1]);
	drop_text(t);
	t->depth = 0;
}

void xml_tree_abandon(struct xml_tree *t)
{
	t->depth = 0;
	t->text_n = 0;
}

void xml_tree_reset(struct xml_tree *t)
{
	xml_tree_abandon(t);
	xml_tree_begin_feed(t);
}

void xml_tree_begin_feed(struct xml_tree *t)
{
	if (t->depth > 0) {
		t->fresh = 1 - t->open_in;
		arena_reset(&t->arenas[t->fresh]);
		return;
	}
	/* an idle stream keeps one block, not two */
	arena_deinit(&t->arenas[1 - t->fresh]);
	arena_reset(&t->arenas[t->fresh]);
	if (t->text_cap > TEXT_KEPT_BYTES)
		drop_text(t);
}

void *xml_tree_alloc(struct xml_tree *t, size_t n)
{
	struct arena *a;

	if (t->depth == 0) {
		t->open_in = t->fresh;
		t->open_at = t->arenas[t->fresh].used_bytes;
	}
	a = &t->arenas[t->open_in];
	if (a->used_bytes - t->open_at + n > LIMIT_STANZA_ARENA_BYTES)
		return NULL;
	return arena_alloc(a, n);
}

static const char *or_empty(const unsigned char *s)
{
	return s == NULL ? "" : (const char *)s;
}

static size_t value_len(const unsigned char **attr)
{
	return (size_t)(attr[SAX_END] - attr[SAX_VALUE]);
}

/* Element, attributes and values in one piece of memory. */
static struct xml_el *new_el(struct xml_tree *t, const struct xml_tag *tag)
{
	size_t need = sizeof(struct xml_el);
	struct xml_el *el;
	struct xml_attr *attr;
	char *value;

	for (size_t i = 0; i < tag->attr_count; i++)
		need += sizeof(*attr) + 1 +
			value_len(tag->attrs + i * SAX_POINTERS);
	el = xml_tree_alloc(t, need);
	if (el == NULL)
		return NULL;
	el->ns = or_empty(tag->ns);
	el->name = or_empty(tag->name);
	el->prefix = or_empty(tag->prefix);
	el->text = "";
	attr = (struct xml_attr *)(void *)(el + 1);
	value = (char *)(attr + tag->attr_count);
	el->attrs = tag->attr_count > 0 ? attr : NULL;
	for (size_t i = 0; i < tag->attr_count; i++, attr++) {
		const unsigned char **from = tag->attrs + i * SAX_POINTERS;
		size_t n = value_len(from);

		attr->ns = or_empty(from[SAX_NS]);
		attr->name = or_empty(from[SAX_NAME]);
		attr->value = memcpy(value, from[SAX_VALUE], n);
		attr->next = i + 1 < tag->attr_count ? attr + 1 : NULL;
		value += n + 1;
	}
	return el;
}

struct xml_el *xml_tree_single(struct xml_tree *t, const struct xml_tag *tag)
{
	return new_el(t, tag);
}

int xml_tree_open(struct xml_tree *t, const struct xml_tag *tag)
{
	struct xml_el *el;

	if (t->depth == LIMIT_XML_DEPTH)
		return FED_ELIMIT;
	el = new_el(t, tag);
	if (el == NULL)
		return FED_ELIMIT;
	if (t->depth > 0) {
		struct xml_frame *up = &t->frames[t->depth - 1];

		el->parent = up->el;
		if (up->last_child == NULL)
			up->el->children = el;
		else
			up->last_child->next = el;
		up->last_child = el;
	}
	t->frames[t->depth++] =
		(struct xml_frame){.el = el, .text_at = t->text_n};
	return 0;
}

/* LIMIT: no more text than bytes of one stanza, which the reader bounds. */
static int grow_text(struct xml_tree *t, size_t need)
{
	size_t cap = t->text_cap == 0 ? TEXT_FIRST_BYTES : t->text_cap;
	char *grown;

	while (cap < need)
		cap *= 2;
	grown = realloc(t->text, cap);
	if (grown == NULL)
		return FED_ENOMEM;
	t->text = grown;
	t->text_cap = cap;
	return 0;
}

int xml_tree_text(struct xml_tree *t, struct span s)
{
	if (s.n == 0)
		return 0;
	if (s.n > t->text_cap - t->text_n && grow_text(t, t->text_n + s.n) != 0)
		return FED_ENOMEM;
	memcpy(t->text + t->text_n, s.p, s.n);
	t->text_n += s.n;
	return 0;
}

struct xml_el *xml_tree_close(struct xml_tree *t)
{
	struct xml_frame *frame = &t->frames[t->depth - 1];
	size_t n = t->text_n - frame->text_at;

	if (n > 0) {
		char *text = xml_tree_alloc(t, n + 1);

		if (text == NULL)
			return NULL;
		frame->el->text = memcpy(text, t->text + frame->text_at, n);
		t->text_n = frame->text_at;
	}
	t->depth--;
	return frame->el;
}

const char *xml_attr_get(const struct xml_el *el, const char *name)
{
	return xml_attr_get_ns(el, "", name);
}

const char *xml_attr_get_ns(const struct xml_el *el, const char *ns,
			    const char *name)
{
	for (const struct xml_attr *a = el->attrs; a != NULL; a = a->next)
		if (strcmp(a->name, name) == 0 && strcmp(a->ns, ns) == 0)
			return a->value;
	return NULL;
}

bool xml_is(const struct xml_el *el, const char *ns, const char *name)
{
	return strcmp(el->name, name) == 0 && strcmp(el->ns, ns) == 0;
}

const struct xml_el *xml_child(const struct xml_el *el, const char *ns,
			       const char *name)
{
	for (const struct xml_el *c = el->children; c != NULL; c = c->next)
		if (xml_is(c, ns, name))
			return c;
	return NULL;
}
