/* A copy of what came of a change. */
#include "fe-gateway/core/federation_keep.h"

#include <stdlib.h>

#include "chan/proto_arena.h"

/* NULL: out of memory. */
static Fed__FederationChanged *copy(const Fed__FederationChanged *changed,
				    struct arena *a)
{
	size_t n = fed__federation_changed__get_packed_size(changed);
	uint8_t *bytes = malloc(n + 1);
	Fed__FederationChanged *out;
	struct proto_arena memory;

	if (bytes == NULL)
		return NULL;
	(void)fed__federation_changed__pack(changed, bytes);
	proto_arena_init(&memory, a);
	out = fed__federation_changed__unpack(&memory.allocator, n, bytes);
	free(bytes);
	return out;
}

void federation_keep(const Fed__FederationChanged *changed, const char *error,
		     struct arena *a, Fed__FederationChanged **changed_out,
		     struct errbuf *e)
{
	*changed_out = error == NULL ? copy(changed, a) : NULL;
	if (error != NULL)
		errbuf_set(e, "%s", error);
	else if (*changed_out == NULL)
		errbuf_set(e, "it is done, but there is no memory to say what");
}
