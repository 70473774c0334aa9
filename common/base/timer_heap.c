/* The textbook's heap; each node knows its place. */
#include "base/timer_heap.h"

#include <stdlib.h>

enum { ROOM_MIN = 64 };

void timer_heap_deinit(struct timer_heap *h)
{
	free(h->nodes);
	*h = (struct timer_heap){.nodes = NULL};
}

int timer_heap_reserve(struct timer_heap *h, size_t count)
{
	size_t room = h->room > 0 ? h->room : ROOM_MIN;
	struct timer_node **nodes;

	while (room < count + 1)
		room *= 2;
	if (room == h->room)
		return 0;
	nodes = realloc(h->nodes, room * sizeof(struct timer_node *));
	if (nodes == NULL)
		return FED_ENOMEM;
	h->nodes = nodes;
	h->room = room;
	return 0;
}

static void put(struct timer_heap *h, struct timer_node *n, size_t place)
{
	h->nodes[place] = n;
	n->place = place;
}

static void sift_up(struct timer_heap *h, struct timer_node *n, size_t place)
{
	while (place > 1 && h->nodes[place / 2]->at_ms > n->at_ms) {
		put(h, h->nodes[place / 2], place);
		place /= 2;
	}
	put(h, n, place);
}

static void sift_down(struct timer_heap *h, struct timer_node *n, size_t place)
{
	for (;;) {
		size_t child = 2 * place;

		if (child < h->count &&
		    h->nodes[child + 1]->at_ms < h->nodes[child]->at_ms)
			child++;
		if (child > h->count || h->nodes[child]->at_ms >= n->at_ms)
			break;
		put(h, h->nodes[child], place);
		place = child;
	}
	put(h, n, place);
}

static void settle(struct timer_heap *h, struct timer_node *n, size_t place)
{
	if (place > 1 && h->nodes[place / 2]->at_ms > n->at_ms)
		sift_up(h, n, place);
	else
		sift_down(h, n, place);
}

static void take_out(struct timer_heap *h, struct timer_node *n)
{
	size_t place = n->place;
	struct timer_node *last;

	if (place == 0)
		return;
	last = h->nodes[h->count--];
	n->place = 0;
	if (last != n)
		settle(h, last, place);
}

void timer_heap_set(struct timer_heap *h, struct timer_node *n, uint64_t at_ms)
{
	if (at_ms == UINT64_MAX) {
		take_out(h, n);
		return;
	}
	n->at_ms = at_ms;
	if (n->place != 0) {
		settle(h, n, n->place);
	} else if (FED_CHECK(h->count + 1 < h->room)) {
		h->count++;
		sift_up(h, n, h->count);
	}
}

uint64_t timer_heap_deadline_ms(const struct timer_heap *h)
{
	return h->count > 0 ? h->nodes[1]->at_ms : UINT64_MAX;
}

struct timer_node *timer_heap_pop(struct timer_heap *h, uint64_t now_ms)
{
	struct timer_node *n;

	if (h->count == 0 || h->nodes[1]->at_ms > now_ms)
		return NULL;
	n = h->nodes[1];
	take_out(h, n);
	return n;
}
