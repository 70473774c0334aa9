/* Delivery ids that ended well: what the edge sends again is not sent on. */
#include "fe-gateway/core/router_priv.h"

#include <string.h>

bool gw_seen_has(const struct gw_router *r, const uint8_t *id)
{
	struct gw_seen *s;

	HASH_FIND(hh, r->seen, id, ID_RAW_BYTES, s);
	return s != NULL;
}

/* LIMIT: a ring of ids; the oldest is forgotten. */
void gw_seen_add(struct gw_router *r, const uint8_t *id)
{
	struct gw_seen *s = &r->seen_ring[r->seen_at];

	if (gw_seen_has(r, id))
		return;
	r->seen_at = (r->seen_at + 1) % LIMIT_DELIVERED_IDS;
	if (s->is_used)
		HASH_DELETE(hh, r->seen, s);
	memcpy(s->id, id, ID_RAW_BYTES);
	HASH_ADD(hh, r->seen, id, ID_RAW_BYTES, s);
	s->is_used = s->hh.tbl != NULL;
}
