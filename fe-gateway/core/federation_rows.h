/*
 * What is durable of the federation configuration: records under their keys,
 * and the revisions that made them.  Pure: packed by who has them, kept by the
 * store as bytes.
 */
#ifndef FED_GATEWAY_FEDERATION_ROWS_H
#define FED_GATEWAY_FEDERATION_ROWS_H

#include "base/span.h"

/* Of one record.  One change of a key in a revision. */
struct federation_change_row {
	struct span key;
	struct span before; /* packed Record; empty: it is new */
	struct span after;  /* the same; empty: it was removed */
};

struct federation_revision_row {
	uint64_t number; /* 1.. FEDERATION_REVISION_MAX */
	int64_t at_ms;	 /* since 1970 */
	struct span author;
	struct span what;
	const struct federation_change_row *changes;
	size_t change_count;
};

/* Numbers that every part of the system can hold.  An edge that claims more
 * is not believed: the next number must be above its own. */
#define FEDERATION_REVISION_MAX (UINT64_C(1) << 53)

#endif
