/*
 * What is known of a presentity: its resources, each open or closed, with
 * show, priority and notes.  The same on both sides: an XMPP resource is a
 * tuple of PIDF (RFC 8048 4).  No state of a subscription, no XML, no SIP.
 */
#ifndef FED_GATEWAY_PRESENCE_VIEW_H
#define FED_GATEWAY_PRESENCE_VIEW_H

#include "base/limits.h"
#include "base/span.h"
#include "stanza.pb-c.h"

/* A status text; an empty lang: none is known. */
struct presence_note {
	const char *lang;
	const char *text;
};

/* One resource.  Names are XMPP resources, normalized; "" is the presentity
 * without a resource.  Languages of its notes differ from each other. */
struct presence_resource {
	const char *name;
	bool is_open;
	Fed__Show show; /* of an open one */
	int priority;	/* -128..127; 0 when none is known */
	struct presence_note note[LIMIT_PRESENCE_NOTES];
	size_t note_count;
};

/* A set of resources, by name.  All zero is an empty one; owns what is in
 * it. */
struct presence_view {
	struct presence_resource **items; /* sorted by name, each one block */
	size_t count;
};

/** Forget all; the view is empty then and can be used on. */
void presence_view_clear(struct presence_view *v);

/**
 * Put a copy of the resource in, in the place of one of that name.  Texts are
 * cut at LIMIT_PRESENCE_NOTE_BYTES, between characters; a lang that is longer
 * than LIMIT_LANG_BYTES is dropped.  `r` may be in the view.
 *
 * @return 0; FED_ELIMIT there are LIMIT_PRESENCE_RESOURCES; FED_ENOMEM: the
 *         view is as before
 */
int presence_view_set(struct presence_view *v,
		      const struct presence_resource *r) FED_NODISCARD;

/** Take one out; false: there is none of that name. */
bool presence_view_remove(struct presence_view *v, struct span name);

/** NULL: there is none of that name.  Lives until the view changes. */
const struct presence_resource *presence_view_find(
	const struct presence_view *v, struct span name);

/** Some resource is open. */
bool presence_view_is_open(const struct presence_view *v);

/** Same in all that a watcher can see, order of notes included; a closed one
 * equals a closed one of its name by their notes alone. */
bool presence_resource_eq(const struct presence_resource *a,
			  const struct presence_resource *b);

bool presence_view_eq(const struct presence_view *a,
		      const struct presence_view *b);

/** The resource that stands for the presentity where there is place for one
 * only: the open one of the highest priority, then of the most talkative show
 * (chat, none, away, xa, dnd), then the first; NULL: none is open. */
const struct presence_resource *presence_view_best(
	const struct presence_view *v);

/** Move all of `from` to `to`, whose own go; `from` is empty then. */
void presence_view_move(struct presence_view *to, struct presence_view *from);

#endif
