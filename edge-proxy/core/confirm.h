/*
 * The end of a delivery to XMPP: bytes that the system took say nothing of
 * the peer, and an unknown user's error comes as a stanza of its own.
 *
 * A ping to the peer's domain (XEP-0199) goes behind the messages.  A server
 * handles a stream in order (RFC 6120 10.1), so when the ping is answered,
 * whatever it had to say of the messages before it was said: those that got
 * no error stanza are delivered.  An error stanza that comes first refuses its
 * message, so that the SIP sender gets it as the final response.
 *
 * One ping per domain pair is under way; messages that come meanwhile share
 * the next.  No message is held longer than LIMIT_CONFIRM_MS: without a word it
 * counts as delivered then.  A peer that lets a ping wait so long is not asked
 * again for LIMIT_CONFIRM_SILENT_MS, or until its answer comes after all: its
 * messages count as delivered after LIMIT_CONFIRM_GRACE_MS without an error.
 */
#ifndef FED_EDGE_CONFIRM_H
#define FED_EDGE_CONFIRM_H

#include "base/digest.h"
#include "edge-proxy/core/pair_queue.h"
#include "edge-proxy/core/s2s.h"

struct confirm;

/* A message that was handed to the system; all copied. */
struct confirm_delivery {
	struct edge_origin origin;
	struct s2s_pair pair;
	const char *from;  /* of the stanza: ours */
	const char *to;	   /* the peer's */
	const char *id;	   /* "": an error cannot be matched */
	struct span tag;   /* given back with the outcome */
	uint64_t start_ms; /* given back too */
};

enum confirm_action_kind {
	CONFIRM_PING,	 /* send an iq ping from pair.local to pair.remote */
	CONFIRM_OUTCOME, /* of one delivery */
};

struct confirm_action {
	enum confirm_action_kind kind;
	union {
		struct {
			struct s2s_pair pair;
			const char *id;
		} ping;
		struct {
			struct edge_origin origin;
			const Fed__Error *refused; /* NULL: delivered */
			struct span tag;
			uint64_t start_ms;
		} outcome;
	} u; /* pointers live until the next call on it */
};

/** @param ids  ids of the pings, borrowed. @return 0; FED_ENOMEM */
int confirm_new(struct confirm **c_out, struct id_source *ids) FED_NODISCARD;

/** Free; what is held is forgotten.  NULL is allowed. */
void confirm_free(struct confirm *c);

/**
 * Hold a delivery until the peer spoke.
 *
 * @return 0; FED_ELIMIT LIMIT_CONFIRM_HELD or LIMIT_CONFIRM_BYTES reached,
 *         FED_ENOMEM: not held, it counts as delivered
 */
int confirm_add(struct confirm *c, const struct confirm_delivery *d,
		uint64_t now_ms) FED_NODISCARD;

/**
 * A stanza of the peer, already checked to come from its domain.
 *
 * @return true: it answered a ping or refused a message that is held, and is
 *         used up; false: it is somebody else's
 */
bool confirm_take(struct confirm *c, const Fed__Stanza *s);

/** The outbound stream of the pair was lost, not closed in order: what is held
 * is refused with remote-server-timeout. */
void confirm_lost(struct confirm *c, struct s2s_pair pair);

/** The ping of the pair could not be sent: that is not the peer's silence, and
 * what it was to cover waits LIMIT_CONFIRM_GRACE_MS for an error. */
void confirm_ping_failed(struct confirm *c, struct s2s_pair pair,
			 uint64_t now_ms);

/** Orderly end: what is held was written and counts as delivered. */
void confirm_release(struct confirm *c);

/** Next action; false when there is none now. */
bool confirm_next_action(struct confirm *c, struct confirm_action *action_out,
			 uint64_t now_ms);

/** The deadline may have passed. */
void confirm_on_timer(struct confirm *c, uint64_t now_ms);

/** When confirm_on_timer() is due; UINT64_MAX: never. */
uint64_t confirm_deadline_ms(const struct confirm *c);

/** Deliveries held. */
size_t confirm_held(const struct confirm *c);

#endif
