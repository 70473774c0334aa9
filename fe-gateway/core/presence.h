/*
 * Presence, both ways (RFC 8048): for XMPP users who watch SIP users the
 * gateway is a SIP subscriber, for SIP users who watch XMPP users a notifier
 * (RFC 6665, RFC 3856), and toward XMPP the server of every SIP user (RFC 6121
 * 3, 4).  Pure: the owner feeds events and drains actions until there are
 * none.
 *
 * A "watch" is one direction between one SIP user and one XMPP user.  What is
 * due is noted at its watch and made when there is room, so that no queue of
 * stanzas or requests exists and the last state wins.
 */
#ifndef FED_GATEWAY_PRESENCE_H
#define FED_GATEWAY_PRESENCE_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/metrics.h"
#include "fe-gateway/core/access.h"
#include "fe-gateway/core/pidf.h"
#include "fe-gateway/core/presence_rows.h"
#include "fe-gateway/core/sip_types.h"
#include "admin.pb-c.h"

struct presence_params {
	const char *route;	 /* next hop of requests outside a dialog: URI,
				  * borrowed; NULL: none */
	const char *branch_mark; /* as in message_map_params */
	enum pidf_profile profile;
	uint32_t expires_s;	     /* that we ask for; 0: what the federation
				      * configuration says */
	uint32_t expires_min_s;	     /* that watchers may have */
	uint32_t expires_max_s;	     /* 0: as expires_s */
	uint64_t notify_interval_ms; /* least, between two NOTIFYs of a watch */
	uint64_t hold_off_ms;  /* a domain that cannot be reached is believed
				* to be away after so long */
	uint32_t repair_rate;  /* watches a second that are repaired */
	uint64_t wall_ms;      /* since 1970, at the start */
	struct id_source *ids; /* borrowed */
	const struct logger *log;
	struct metrics *metrics;
};

enum presence_action_kind {
	PRESENCE_ACT_SIP_REPLY, /* answer a server transaction */
	PRESENCE_ACT_SIP_SEND,	/* presence_on_sip_response() follows */
	PRESENCE_ACT_STANZA,	/* presence_on_outcome() follows */
	PRESENCE_ACT_OUTCOME,	/* of a stanza that came in */
	PRESENCE_ACT_STORE,	/* presence_on_committed() follows */
};

struct presence_action {
	enum presence_action_kind kind;
	union {
		struct {
			uint64_t handle;
			const struct sip_reply *reply;
		} sip_reply;
		struct {
			uint64_t token;
			const struct sip_request_out *request;
		} sip_send;
		struct {
			uint64_t token;
			Fed__Stanza *stanza;
			struct arena *take; /* `stanza` lives in it; the
					     * owner may move it out */
		} stanza;
		struct {
			size_t edge;
			uint64_t ref;
			const Fed__Error *refused; /* NULL: delivered */
		} outcome;
		struct {
			const struct presence_row *row;
			uint64_t seq; /* rising by one */
		} store;
	} u; /* pointers live until the next call */
};

struct presence;

/** @return 0; FED_ENOMEM */
int presence_new(struct presence **p_out, const struct presence_params *params,
		 uint64_t now_ms) FED_NODISCARD;

/** NULL is allowed. */
void presence_free(struct presence *p);

/**
 * Who may see whom from now on; looked up again for all watches, some at a
 * time.  What becomes forbidden is hidden on both sides, its rows stay; what
 * becomes allowed comes back by itself.
 *
 * @param f  borrowed until the next one; NULL: nothing is allowed, as before
 *           the first call
 */
void presence_set_federation(struct presence *p, const struct federation *f,
			     uint64_t now_ms);

/** The SIP user has subscribed to the XMPP user (bare JIDs), and has not been
 * refused: he has added him. */
bool presence_has_contact(const struct presence *p, struct span local,
			  struct span remote);

/** May this pass between the two?  access_decide(), which hears of the contact
 * where that makes a difference. */
struct access_verdict presence_access(const struct presence *p,
				      enum access_what what,
				      enum access_direction direction,
				      struct span local, struct span remote);

/**
 * A row of the last run.  Before any other event.
 *
 * @return 0; FED_EINVAL not what this program wrote; FED_ELIMIT; FED_ENOMEM
 */
int presence_restore(struct presence *p, const struct presence_row *row,
		     uint64_t now_ms) FED_NODISCARD;

/** A presence stanza whose parties were checked: exactly one OUTCOME with its
 * ref follows, at once or when it is durable what it says. */
void presence_on_stanza(struct presence *p, size_t edge, uint64_t ref,
			const Fed__Stanza *stanza, uint64_t now_ms);

/** How a STANZA of ours ended. */
void presence_on_outcome(struct presence *p, uint64_t token,
			 const Fed__Error *refused, uint64_t now_ms);

/** A SUBSCRIBE or NOTIFY that passed sip_checks(): one SIP_REPLY follows. */
void presence_on_sip_request(struct presence *p,
			     const struct sip_request_in *request,
			     uint64_t now_ms);

/** How a SIP_SEND of ours ended. */
void presence_on_sip_response(struct presence *p, uint64_t token,
			      const struct sip_response_in *response,
			      uint64_t now_ms);

/** The row of the last STORE action was not taken: it comes again, before all
 * later ones, after LIMIT_PRESENCE_AGAIN_MS.  Before any other call. */
void presence_store_again(struct presence *p, uint64_t now_ms);

/** All rows up to that number are durable. */
void presence_on_committed(struct presence *p, uint64_t seq, uint64_t now_ms);

enum presence_stream_event {
	PRESENCE_STREAM_OPENED,
	PRESENCE_STREAM_CLOSED, /* in order: idle, or the peer stops */
	PRESENCE_STREAM_FAILED, /* broke, or could not be opened */
};

/** An edge says so of a stream with that domain. */
void presence_on_stream(struct presence *p, struct span domain,
			enum presence_stream_event event, uint64_t now_ms);

/**
 * The channel changed.
 *
 * @param is_up          some edge is there
 * @param may_have_lost  stanzas to us may have been dropped meanwhile: all
 *                       that is believed is asked for anew
 */
void presence_on_channel(struct presence *p, bool is_up, bool may_have_lost,
			 uint64_t now_ms);

/**
 * The way to SIP users, all or those of a domain, is back: what is behind it
 * may have forgotten our subscriptions, and NOTIFYs may have been lost.
 *
 * @param domain  empty: all
 */
void presence_on_next_hop(struct presence *p, struct span domain,
			  uint64_t now_ms);

/** Tell all who watch that there is no presence any more. */
void presence_stop(struct presence *p, uint64_t now_ms);

/** After presence_stop(): all that had to be said was said. */
bool presence_is_idle(const struct presence *p);

/** Next action, deadlines included; false when drained.
 *
 * @param may_stanza  there is room for a stanza */
bool presence_next_action(struct presence *p, bool may_stanza,
			  struct presence_action *out, uint64_t now_ms);

/** When to call presence_next_action() again; UINT64_MAX: no deadline. */
uint64_t presence_deadline_ms(const struct presence *p);

/* --- for operators ------------------------------------------------------- */

/* A walk over all watches of a user or domain. */
struct presence_cursor {
	struct presence_cursor *prev, *next;
	void *at;			  /* private */
	char target[LIMIT_JID_BYTES + 1]; /* bare JID of either side, domain */
};

/** Begin; the cursor must not move until presence_query_end(). Watches that
 * come meanwhile are shown, those that go are not. */
void presence_query_begin(struct presence *p, struct presence_cursor *c,
			  struct span target);

/**
 * The next watch of the target.  Looks at LIMIT_PRESENCE_LOOKS at most.
 *
 * @param a  the answer lives in it
 * @return NULL: none among those, or the arena is full; the walk goes on until
 *         presence_query_is_done()
 */
Fed__PresenceWatch *presence_query_next(struct presence *p,
					struct presence_cursor *c,
					struct arena *a, uint64_t now_ms);

/** There is none left. */
static inline bool presence_query_is_done(const struct presence_cursor *c)
{
	return c->at == NULL;
}

void presence_query_end(struct presence *p, struct presence_cursor *c);

struct presence_repaired {
	uint32_t watches;
	uint32_t subscribes;
	uint32_t probes;
};

/**
 * Ask both sides anew about the next watches of the target, paced.  Looks at
 * LIMIT_PRESENCE_LOOKS at most; call until presence_query_is_done().
 *
 * @param out  what was asked is added
 */
void presence_query_repair(struct presence *p, struct presence_cursor *c,
			   struct presence_repaired *out, uint64_t now_ms);

/* For status, tests and benchmarks. */
struct presence_counts {
	size_t out_watches; /* XMPP users watch SIP users */
	size_t in_watches;  /* SIP users watch XMPP users */
	size_t dialogs;
	size_t sip_flying;
	size_t stanzas_flying;
};

void presence_count(const struct presence *p, struct presence_counts *out);

#endif
