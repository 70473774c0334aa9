/*
 * Findings of an answer to fedctl: one way to put them in.
 */
#ifndef FED_CHAN_ADMIN_FINDING_H
#define FED_CHAN_ADMIN_FINDING_H

#include "admin.pb-c.h"
#include "base/arena.h"

/* As Fed__Finding, texts borrowed. */
struct admin_finding {
	Fed__Finding__Level level;
	const char *group; /* NULL: none */
	const char *what;
	const char *text;
	const char *advice; /* NULL: none */
	int64_t at_ms;	    /* since 1970; 0: now */
	uint32_t took_ms;
};

/**
 * Append a finding.
 *
 * @param a     the finding lives in it, and its texts must live as long
 * @param from  text NULL: it could not be made
 * @return 0; FED_ENOMEM, also for such a text
 */
int admin_finding_add(struct arena *a, Fed__AdminResponse *out,
		      const struct admin_finding *from) FED_NODISCARD;

#endif
