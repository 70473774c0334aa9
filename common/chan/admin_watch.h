/*
 * Watches as admin.proto has them: what a watcher was told against what is
 * believed.
 */
#ifndef FED_CHAN_ADMIN_WATCH_H
#define FED_CHAN_ADMIN_WATCH_H

#include <stdbool.h>

#include "admin.pb-c.h"

/* A walk over the resources that differ. */
struct admin_difference {
	size_t at;			       /* private, zero at first */
	const Fed__PresenceResource *told;     /* NULL: not there */
	const Fed__PresenceResource *believed; /* NULL: not there */
};

/**
 * The next resource that is not the same on both sides.  One that is closed is
 * one that is not there, but for its notes, which a SIP watcher can see.  A SIP
 * watcher without a dialog is not told, so nothing differs.
 *
 * @return false: no more
 */
bool admin_watch_next_difference(const Fed__PresenceWatch *w,
				 struct admin_difference *d);

/** There is one. */
bool admin_watch_differs(const Fed__PresenceWatch *w);

#endif
