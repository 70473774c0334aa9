/* Sets of resources: sorted arrays of blocks that never change. */
#include "fe-gateway/core/presence_view.h"

#include <stdlib.h>
#include <string.h>

/* Order of names: bytes, the shorter one first. */
static int name_cmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int cmp = n > 0 ? memcmp(a.p, b.p, n) : 0;

	if (cmp != 0)
		return cmp;
	return (a.n > b.n) - (a.n < b.n);
}

/* Where the name is, or belongs. */
static size_t place_of(const struct presence_view *v, struct span name,
		       bool *is_there_out)
{
	size_t lo = 0;
	size_t hi = v->count;

	*is_there_out = false;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int cmp = name_cmp(span_str(v->items[mid]->name), name);

		if (cmp == 0) {
			*is_there_out = true;
			return mid;
		}
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct span note_cut(struct span text)
{
	size_t n = LIMIT_PRESENCE_NOTE_BYTES;

	if (text.n <= n)
		return text;
	while (n > 0 && ((unsigned char)text.p[n] & 0xC0) == 0x80)
		n--;
	return span_sub(text, 0, n);
}

/* Copy into the block; *at moves behind the NUL. */
static const char *put_text(char **at, struct span s)
{
	char *start = *at;

	if (s.n > 0)
		memcpy(start, s.p, s.n);
	start[s.n] = '\0';
	*at = start + s.n + 1;
	return start;
}

static struct span lang_of(const struct presence_note *note)
{
	struct span lang = span_str(note->lang);

	return lang.n > LIMIT_LANG_BYTES ? SPAN_NULL : lang;
}

/* The resource and its texts in one block. */
static struct presence_resource *copy_of(const struct presence_resource *r)
{
	size_t bytes = sizeof(*r) + span_str(r->name).n + 1;
	struct presence_resource *copy;
	char *at;

	for (size_t i = 0; i < r->note_count; i++)
		bytes += lang_of(&r->note[i]).n + 1 +
			 note_cut(span_str(r->note[i].text)).n + 1;
	copy = malloc(bytes);
	if (copy == NULL)
		return NULL;
	*copy = *r;
	at = (char *)(copy + 1);
	copy->name = put_text(&at, span_str(r->name));
	for (size_t i = 0; i < r->note_count; i++) {
		struct span text = span_str(r->note[i].text);

		copy->note[i].lang = put_text(&at, lang_of(&r->note[i]));
		copy->note[i].text = put_text(&at, note_cut(text));
	}
	return copy;
}

void presence_view_clear(struct presence_view *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct presence_view){.count = 0};
}

static int insert(struct presence_view *v, size_t at,
		  struct presence_resource *item)
{
	struct presence_resource **items;

	if (v->count >= LIMIT_PRESENCE_RESOURCES)
		return FED_ELIMIT;
	items = realloc(v->items,
			(v->count + 1) * sizeof(struct presence_resource *));
	if (items == NULL)
		return FED_ENOMEM;
	memmove(items + at + 1, items + at,
		(v->count - at) * sizeof(struct presence_resource *));
	items[at] = item;
	v->items = items;
	v->count++;
	return 0;
}

int presence_view_set(struct presence_view *v,
		      const struct presence_resource *r)
{
	struct presence_resource *item = copy_of(r);
	bool is_there;
	size_t at;
	int err;

	if (item == NULL)
		return FED_ENOMEM;
	at = place_of(v, span_str(item->name), &is_there);
	if (is_there) {
		free(v->items[at]);
		v->items[at] = item;
		return 0;
	}
	err = insert(v, at, item);
	if (err != 0)
		free(item);
	return err;
}

bool presence_view_remove(struct presence_view *v, struct span name)
{
	bool is_there;
	size_t at = place_of(v, name, &is_there);

	if (!is_there)
		return false;
	free(v->items[at]);
	v->count--;
	memmove(v->items + at, v->items + at + 1,
		(v->count - at) * sizeof(struct presence_resource *));
	if (v->count == 0)
		presence_view_clear(v);
	return true;
}

const struct presence_resource *presence_view_find(
	const struct presence_view *v, struct span name)
{
	bool is_there;
	size_t at = place_of(v, name, &is_there);

	return is_there ? v->items[at] : NULL;
}

bool presence_view_is_open(const struct presence_view *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->items[i]->is_open)
			return true;
	return false;
}

static bool text_eq(const char *a, const char *b)
{
	return span_eq(span_str(a), span_str(b));
}

bool presence_resource_eq(const struct presence_resource *a,
			  const struct presence_resource *b)
{
	if (!text_eq(a->name, b->name) || a->is_open != b->is_open ||
	    a->note_count != b->note_count)
		return false;
	if (a->is_open && (a->show != b->show || a->priority != b->priority))
		return false;
	for (size_t i = 0; i < a->note_count; i++)
		if (!text_eq(a->note[i].lang, b->note[i].lang) ||
		    !text_eq(a->note[i].text, b->note[i].text))
			return false;
	return true;
}

bool presence_view_eq(const struct presence_view *a,
		      const struct presence_view *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!presence_resource_eq(a->items[i], b->items[i]))
			return false;
	return true;
}

static int talkativeness(Fed__Show show)
{
	switch (show) {
	case FED__SHOW__SHOW_CHAT:
		return 4;
	case FED__SHOW__NO_SHOW:
		return 3;
	case FED__SHOW__AWAY:
		return 2;
	case FED__SHOW__XA:
		return 1;
	case FED__SHOW__DND:
	case _FED__SHOW_IS_INT_SIZE:
		break;
	}
	return 0;
}

static bool is_better(const struct presence_resource *a,
		      const struct presence_resource *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return talkativeness(a->show) > talkativeness(b->show);
}

const struct presence_resource *presence_view_best(
	const struct presence_view *v)
{
	const struct presence_resource *best = NULL;

	for (size_t i = 0; i < v->count; i++) {
		const struct presence_resource *r = v->items[i];

		if (r->is_open && (best == NULL || is_better(r, best)))
			best = r;
	}
	return best;
}

void presence_view_move(struct presence_view *to, struct presence_view *from)
{
	if (to == from)
		return;
	presence_view_clear(to);
	*to = *from;
	*from = (struct presence_view){.count = 0};
}
