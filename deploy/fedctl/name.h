/*
 * Names that were typed, as the configuration has them; and the one that was
 * meant.
 */
#ifndef FED_FEDCTL_NAME_H
#define FED_FEDCTL_NAME_H

#include "base/arena.h"
#include "base/slip.h"

/** "Fabrikam.EXAMPLE", "*.example.org", "*" normalized; what is no domain as it
 * was typed, the daemon says what is wrong with it.  @return NULL: no memory */
const char *name_domain(struct arena *a, const char *typed);

/** A user as a bare JID, also of a sip: URI; as name_domain() otherwise. */
const char *name_user(struct arena *a, const char *typed);

/** It can be a user's name: something@something. */
bool name_is_user(const char *typed);

/* The nearest of many names. */
struct name_near {
	struct span typed;
	const char *best; /* NULL: none is near */
	size_t distance;
};

/** Begin; everything is borrowed. */
void name_near_init(struct name_near *n, struct span typed);

/** Look at another name. */
void name_near_try(struct name_near *n, const char *name);

struct name_hint {
	char text[SLIP_WORD_BYTES + 24];
};

/** "; did you mean "sales"?"; "": none is near. */
struct name_hint name_near_hint(const struct name_near *n);

#endif
