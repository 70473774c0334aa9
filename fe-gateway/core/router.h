/*
 * The gateway's router: which SIP transaction belongs to which Stanza of the
 * channel, what waits for what, and until when.  Pure: the shell feeds events
 * and drains actions until there are none.
 *
 * SIP -> XMPP: the final response of a MESSAGE waits for the Outcome.
 * XMPP -> SIP: the Outcome of a Stanza waits for the final response.
 */
#ifndef FED_GATEWAY_ROUTER_H
#define FED_GATEWAY_ROUTER_H

#include "base/log.h"
#include "base/metrics.h"
#include "chan/chan_core.h"
#include "fe-gateway/core/federation.h"
#include "fe-gateway/core/message_map.h"
#include "fe-gateway/core/presence.h"
#include "fe-gateway/core/sip_checks.h"

struct gw_router_params {
	struct sip_checks_params checks; /* borrowed texts */
	struct message_map_params map;
	const char *next_hop;	  /* URI, borrowed; NULL: no Route */
	const char *const *edges; /* names, borrowed */
	size_t edge_count;	  /* 1..LIMIT_CHANNEL_SESSIONS */
	struct id_source *ids;	  /* delivery ids; borrowed */
	/* borrowed, given to nobody else; NULL: presence is not translated */
	struct presence *presence;
	const struct logger *log;
	struct metrics *metrics;
};

enum gw_action_kind {
	GW_ACT_SIP_REPLY, /* answer a server transaction; above 199: final */
	GW_ACT_SIP_DROP,  /* forget the server transaction, no answer */
	GW_ACT_SIP_PASS,  /* answer it with the response to what it passed on */
	GW_ACT_SIP_SEND,  /* start a client transaction */
	GW_ACT_STANZA,	  /* chan_link_send_stanza() on that edge */
	GW_ACT_OUTCOME,	  /* chan_link_send_outcome() on that edge */
	GW_ACT_STORE,	  /* store_put() */
};

struct gw_action {
	enum gw_action_kind kind;
	union {
		struct {
			uint64_t handle;
			const struct sip_reply *reply; /* DROP, PASS: NULL */
		} sip_reply;
		struct {
			uint64_t token; /* of gw_router_on_sip_response() */
			const struct sip_request_out *request;
		} sip_send;
		struct {
			size_t edge;
			struct chan_delivery delivery;
		} stanza;
		struct {
			size_t edge;
			uint64_t ref;
			const Fed__Error *refused; /* NULL: delivered */
		} outcome;
		struct {
			const struct presence_row *row;
			uint64_t seq; /* of gw_router_on_committed() */
		} store;
	} u; /* pointers live until the next call on the router */
};

struct gw_router;

/** @return 0; FED_EINVAL no edge or too many; FED_ENOMEM */
int gw_router_new(struct gw_router **r_out, const struct gw_router_params *p,
		  uint64_t now_ms) FED_NODISCARD;

/**
 * Who may talk to whom from now on.  What waits and is not allowed any more is
 * refused; presence is told as well.
 *
 * @param f  borrowed until the next one; NULL: nothing is allowed, as before
 *           the first call
 */
void gw_router_set_federation(struct gw_router *r, const struct federation *f,
			      uint64_t now_ms);

/** Forget everything; NULL is allowed. */
void gw_router_free(struct gw_router *r);

/**
 * May a new request over UDP have a transaction?  Each holds memory of the SIP
 * library for 32 s (RFC 3261 17.2.2, Timer J), whatever it is answered.  When
 * not, it is to be dropped without an answer: its sender sends it again 0.5,
 * 1, 2, 4 s later, so a burst is spread and nothing is lost; an answer would
 * fail the message, and 503 the whole gateway.  Strangers have a small share of
 * their own.
 *
 * @param source  IP address as inet_ntop() prints it
 */
bool gw_router_admit_udp(struct gw_router *r, struct span source,
			 uint64_t now_ms);

/** Requests from that address are taken. */
bool gw_router_is_trusted(const struct gw_router *r, struct span source);

/** A TCP connection was closed at once, because of its number: counts and
 * tells it. */
void gw_router_on_connection_refused(struct gw_router *r, struct span source,
				     uint64_t now_ms);

/** A request came in; a reply to it follows at once or later. */
void gw_router_on_sip_request(struct gw_router *r,
			      const struct sip_request_in *request,
			      uint64_t now_ms);

/** A client transaction ended; unknown tokens are ignored. */
void gw_router_on_sip_response(struct gw_router *r, uint64_t token,
			       const struct sip_response_in *response,
			       uint64_t now_ms);

/** A Stanza came; exactly one OUTCOME with its ref follows, but while the
 * router stops: then it may be left to the end of the session, when the edge
 * gives it to another gateway. */
void gw_router_on_stanza(struct gw_router *r, size_t edge, uint64_t ref,
			 const Fed__StanzaFrame *frame, uint64_t now_ms);

/** Outcome of our Stanza; late ones are counted and ignored. */
void gw_router_on_outcome(struct gw_router *r, uint64_t handle,
			  const Fed__Error *refused, uint64_t now_ms);

/** Our Stanza came back from an edge without Outcome: it goes out again,
 * redelivered. */
void gw_router_on_returned(struct gw_router *r, size_t edge, uint64_t handle,
			   uint64_t now_ms);

/**
 * chan_link_send_stanza() failed.
 *
 * @param err  FED_EAGAIN: waits for gw_router_on_edge(); others refuse it
 */
void gw_router_on_send_failed(struct gw_router *r, uint64_t handle, int err,
			      uint64_t now_ms);

/** The row of the last GW_ACT_STORE was not taken: it comes again.  Before any
 * other call. */
void gw_router_on_store_full(struct gw_router *r, uint64_t now_ms);

/** Rows of GW_ACT_STORE up to that number are durable. */
void gw_router_on_committed(struct gw_router *r, uint64_t seq, uint64_t now_ms);

/** The next hop, or that of a SIP domain, may have been born again.
 * @param domain  empty: all requests go there */
void gw_router_on_next_hop(struct gw_router *r, struct span domain,
			   uint64_t now_ms);

/** An edge says so of a stream with that XMPP domain. */
void gw_router_on_stream(struct gw_router *r, struct span domain,
			 enum presence_stream_event event, uint64_t now_ms);

enum gw_edge_state {
	GW_EDGE_DOWN,	  /* no connection */
	GW_EDGE_DRAINING, /* answers what it has, takes nothing new */
	GW_EDGE_FULL,	  /* its window has no room now */
	GW_EDGE_READY,
};

/**
 * The state of an edge may have changed.  What it did not answer
 * LIMIT_EDGE_GRACE_MS after it went down goes to another one, redelivered.
 * While for so long no edge is live, requests are answered 504.
 */
void gw_router_on_edge(struct gw_router *r, size_t edge,
		       enum gw_edge_state state, uint64_t now_ms);

/** The edge has another session, its state follows: what it had for us in one
 * before may be lost. */
void gw_router_on_session(struct gw_router *r, size_t edge);

/**
 * From now on nothing new is taken.  What is held may still end well for
 * LIMIT_GATEWAY_STOP_MS; then requests are answered 504, and stanzas are
 * forgotten without an Outcome, so that the edge gives them to another
 * gateway.
 */
void gw_router_stop(struct gw_router *r, uint64_t now_ms);

/** Nothing is held. */
bool gw_router_is_idle(const struct gw_router *r);

/** Next action, deadlines included; false when drained. */
bool gw_router_next_action(struct gw_router *r, struct gw_action *action_out,
			   uint64_t now_ms);

/** When to call next_action again; UINT64_MAX: no deadline. */
uint64_t gw_router_deadline_ms(const struct gw_router *r);

/** The stanza that was given to an edge with that handle and waits for its
 * Outcome; NULL: none.  Lives until the next call on the router. */
const Fed__Stanza *gw_router_sent(struct gw_router *r, uint64_t handle);

/* For status and tests. */
size_t gw_router_held_in(const struct gw_router *r);  /* SIP -> XMPP */
size_t gw_router_held_out(const struct gw_router *r); /* XMPP -> SIP */

/** Which edge sends to the domain: rendezvous hash over the live ones, the
 * same on every gateway; edge_count when none is live. */
size_t gw_router_pick_edge(const struct gw_router *r, struct span domain);

#endif
