/*
 * Shell of core/confirm: what was handed to the system waits here for the
 * peer's word before its gateway hears that it was delivered.
 */
#ifndef FED_EDGE_CONFIRM_SHELL_H
#define FED_EDGE_CONFIRM_SHELL_H

#include "edge-proxy/edge.h"

/* What a delivery is known by; goes through the router as its tag. */
struct edge_tag {
	const char *ledger; /* "trace=... from=... to=..." */
	const char *from;   /* "": nothing to confirm, the rest is empty too;
			     * a stanza of our own that has one is a ping */
	const char *to;
	const char *id;
	const char *local;
	const char *remote;
};

/**
 * Write the tag of a stanza.
 *
 * @param wants_word  the peer's word is worth waiting for: a message of a
 *                    gateway that is not itself an error, or a ping
 * @return 0; FED_ELIMIT; FED_ENOMEM
 */
int edge_tag_write(struct buf *out, const char *trace, const Fed__Stanza *s,
		   const struct s2s_pair *pair, bool wants_word) FED_NODISCARD;

/** Read it back; borrows from the span. */
struct edge_tag edge_tag_read(struct span tag);

/** @return 0; FED_ENOMEM */
int edge_confirm_new(struct edge *e) FED_NODISCARD;

/** Free; what is held is forgotten.  NULL content is allowed. */
void edge_confirm_free(struct edge *e);

/** Hold an outcome until the peer spoke. @return false: not held, deliver */
bool edge_confirm_hold(struct edge *e, struct edge_origin origin,
		       struct span tag, uint64_t start_ms);

/** As confirm_take(), for every checked stanza of a peer. */
bool edge_confirm_take(struct edge *e, const Fed__Stanza *s);

/** The ping with that tag was taken by the router and then refused. */
void edge_confirm_ping_failed(struct edge *e, struct span tag);

/** The outbound stream of the pair was lost, not closed in order. */
void edge_confirm_lost(struct edge *e, const struct s2s_pair *pair);

/** Orderly stop: what is held was written and counts as delivered. */
void edge_confirm_release(struct edge *e);

#endif
