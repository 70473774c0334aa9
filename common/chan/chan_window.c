/* The Outcomes we owe. */
#include "chan/chan_window.h"

#include <stdlib.h>

static void free_all(struct chan_window *w)
{
	for (uint32_t i = 0; i < w->size; i++)
		w->slots[i] = (struct chan_owed){.next_free = i + 1};
	w->first_free = 0;
	w->used = 0;
}

int chan_window_init(struct chan_window *w, uint32_t size)
{
	*w = (struct chan_window){.size = size, .first_serial = 1};
	w->slots = calloc(size, sizeof(*w->slots));
	if (w->slots == NULL)
		return FED_ENOMEM;
	free_all(w);
	return 0;
}

void chan_window_deinit(struct chan_window *w)
{
	free(w->slots);
	*w = (struct chan_window){.slots = NULL};
}

uint64_t chan_window_take(struct chan_window *w, uint64_t seq)
{
	uint32_t i = w->first_free;
	struct chan_owed *o;

	if (i == w->size)
		return 0;
	o = &w->slots[i];
	w->first_free = o->next_free;
	w->used++;
	o->seq = seq;
	o->ref = ++w->serial * LIMIT_CHANNEL_WINDOW + i;
	return o->ref;
}

int chan_window_find(const struct chan_window *w, uint64_t ref,
		     uint64_t *seq_out)
{
	uint64_t serial = ref / LIMIT_CHANNEL_WINDOW;
	uint64_t i = ref % LIMIT_CHANNEL_WINDOW;

	*seq_out = 0;
	if (serial == 0 || serial > w->serial || i >= w->size)
		return FED_ENOTFOUND;
	if (serial < w->first_serial)
		return 0;
	if (w->slots[i].ref != ref)
		return FED_ENOTFOUND;
	*seq_out = w->slots[i].seq;
	return 0;
}

void chan_window_give(struct chan_window *w, uint64_t ref)
{
	uint32_t i = (uint32_t)(ref % LIMIT_CHANNEL_WINDOW);
	struct chan_owed *o = &w->slots[i];

	*o = (struct chan_owed){.next_free = w->first_free};
	w->first_free = i;
	w->used--;
}

void chan_window_clear(struct chan_window *w)
{
	free_all(w);
	w->first_serial = w->serial + 1;
}
