/* Bump allocator over a list of blocks. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 4096, ARENA_ALIGN = alignof(max_align_t) };

struct arena_block {
	struct arena_block *next;
	size_t cap;
	size_t used;
	alignas(max_align_t) char data[];
};

void arena_init(struct arena *a, size_t max_bytes)
{
	*a = (struct arena){.max_bytes = max_bytes};
}

static void free_blocks(struct arena_block *b)
{
	while (b != NULL) {
		struct arena_block *next = b->next;

		free(b);
		b = next;
	}
}

void arena_deinit(struct arena *a)
{
	free_blocks(a->head);
	arena_init(a, a->max_bytes);
}

void arena_reset(struct arena *a)
{
	a->used_bytes = 0;
	if (a->head == NULL)
		return;
	free_blocks(a->head->next);
	a->head->next = NULL;
	a->head->used = 0;
	/* a block made for one huge stanza is not kept for small ones */
	if (a->head->cap > ARENA_BLOCK_BYTES)
		arena_deinit(a);
}

static struct arena_block *add_block(struct arena *a, size_t n)
{
	size_t cap = n > ARENA_BLOCK_BYTES ? n : ARENA_BLOCK_BYTES;
	struct arena_block *b = malloc(sizeof(*b) + cap);

	if (b == NULL)
		return NULL;
	b->next = a->head;
	b->cap = cap;
	b->used = 0;
	a->head = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
	size_t need = (n + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	struct arena_block *b = a->head;
	void *p;

	if (need < n || need > a->max_bytes - a->used_bytes)
		return NULL;
	if (b == NULL || b->cap - b->used < need)
		b = add_block(a, need);
	if (b == NULL)
		return NULL;
	p = b->data + b->used;
	b->used += need;
	a->used_bytes += need;
	memset(p, 0, need);
	return p;
}

char *arena_dup(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (p != NULL && s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_list again;
	char *p = NULL;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n >= 0)
		p = arena_alloc(a, (size_t)n + 1);
	if (p != NULL)
		(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

int arena_append(struct arena *a, void ***items, size_t *count, void *item)
{
	void **old = *items;

	/* capacity is the next power of two, so a full one is recognised */
	if ((*count & (*count - 1)) == 0) {
		size_t cap = *count == 0 ? 1 : *count * 2;
		void **grown = arena_alloc(a, cap * sizeof(*grown));

		if (grown == NULL)
			return FED_ENOMEM;
		if (*count > 0)
			memcpy(grown, old, *count * sizeof(*grown));
		*items = grown;
	}
	(*items)[(*count)++] = item;
	return 0;
}
