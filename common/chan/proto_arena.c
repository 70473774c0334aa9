/* protobuf-c's allocator on an arena. */
#include "chan/proto_arena.h"

#include <stdalign.h>

static void *memory_alloc(void *arg, size_t n)
{
	struct proto_arena *m = arg;
	void *p = arena_alloc(m->arena, n);
	size_t left = m->arena->max_bytes - m->arena->used_bytes;

	if (p == NULL && left >= alignof(max_align_t) &&
	    n <= left - alignof(max_align_t))
		m->is_out_of_memory = true;
	return p;
}

/* The arena is freed as a whole. */
static void memory_free(void *arg, void *p)
{
	(void)arg;
	(void)p;
}

void proto_arena_init(struct proto_arena *m, struct arena *a)
{
	*m = (struct proto_arena){
		.allocator = {memory_alloc, memory_free, m},
		.arena = a,
	};
}

int proto_arena_problem(const struct proto_arena *m)
{
	return m->is_out_of_memory ? FED_ENOMEM : FED_EPROTO;
}
