/*
 * Records without what nobody may see.  Pure.
 */
#ifndef FED_GATEWAY_FEDERATION_MASK_H
#define FED_GATEWAY_FEDERATION_MASK_H

#include "base/arena.h"
#include "federation.pb-c.h"

/**
 * The same record, or a copy without its secret in the arena; NULL stays NULL.
 *
 * @return NULL too: out of memory
 */
Fed__Record *federation_mask(const Fed__Record *r, struct arena *a);

/** A copy in the arena, whose records are masked. @return NULL: out of memory
 */
Fed__Change *federation_mask_change(const Fed__Change *c, struct arena *a);

#endif
