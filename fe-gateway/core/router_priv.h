/*
 * Inside of the router: router.c (life, actions, deadlines), router_request.c
 * (SIP requests on their way in), router_in.c (SIP -> XMPP), router_edges.c
 * (which edge has what), router_out.c (XMPP -> SIP), router_queue.c (one in
 * flight), router_seen.c (delivered ids), router_presence.c (the way of
 * presence), router_access.c (who may talk to whom), router_legacy.c (what is
 * the old gateway's).
 */
#ifndef FED_GATEWAY_ROUTER_PRIV_H
#define FED_GATEWAY_ROUTER_PRIV_H

#include "base/map.h"
#include "base/ratelimit.h"
#include "fe-gateway/core/access.h"
#include "fe-gateway/core/router.h"

#include <utlist.h>

struct gw_edge {
	const char *name;
	enum gw_edge_state state;
	uint64_t down_ms;   /* since when, in state DOWN */
	bool is_given_away; /* its unanswered stanzas were taken back */
	bool was_live;
	bool is_new;	       /* its session, and presence was not told */
	size_t sent_count;     /* stanzas it has not answered */
	struct gw_in *waiting; /* for it or for room in its window; by handle */
};

/* A Stanza of ours: a MESSAGE from the SIP side, an iq result, presence. */
struct gw_in {
	UT_hash_handle hh;	 /* by handle */
	UT_hash_handle hh_merge; /* by merge_key */
	uint64_t handle;	 /* of the channel; rising, so also the age */
	uint64_t sip_handle;
	bool has_sip; /* false: no SIP transaction waits for an answer */
	uint64_t presence_token; /* presence waits for its end; 0: not */
	bool is_sent;		 /* given to `edge`; else in a waiting list */
	bool is_redelivered;
	bool is_trying_due; /* in the list `trying` */
	uint8_t id[ID_RAW_BYTES];
	size_t edge; /* edge_count while none is live */
	uint64_t since_ms;
	struct arena arena; /* of all below */
	Fed__Stanza *stanza;
	const char *merge_key;
	const char *call_id;
	const char *gate;	   /* that refused it at last; NULL: none did */
	struct gw_in *prev, *next; /* all, by age */
	struct gw_in *t_prev, *t_next; /* no 100 Trying yet, by age */
	struct gw_in *w_prev, *w_next; /* waiting list of an edge */
};

/* The MESSAGEs to one Request-URI: one in flight, others wait in order
 * (RFC 3428 8). */
struct gw_queue {
	UT_hash_handle hh;
	struct gw_out *waiting;
	size_t waiting_count;
	struct gw_out *flying;
	bool is_ready; /* in the list `ready` */
	struct gw_queue *prev, *next;
	char uri[];
};

struct gw_out {
	UT_hash_handle hh;    /* by token */
	UT_hash_handle hh_id; /* by delivery id */
	uint64_t token;
	uint8_t id[ID_RAW_BYTES];
	size_t edge;
	uint64_t ref;
	uint64_t since_ms;
	uint64_t sent_ms;
	bool is_again;	    /* the edge gave it to a gateway before */
	bool is_slow;	    /* in flight, does not count against the window */
	struct arena arena; /* of all below */
	struct sip_request_out request;
	const char *from;
	const char *to;
	const char *gate; /* as of a gw_in */
	struct gw_queue *queue;
	struct gw_out *prev, *next;	/* of the queue */
	struct gw_out *a_prev, *a_next; /* waiting or flying, by age */
};

/* Where a stanza came from, while it is looked at. */
struct gw_origin {
	size_t edge;
	uint64_t ref;
	const Fed__StanzaFrame *frame;
};

/* A delivery id that ended well. */
struct gw_seen {
	UT_hash_handle hh;
	uint8_t id[ID_RAW_BYTES];
	bool is_used;
};

struct gw_pending_action {
	struct gw_action action;
	struct sip_reply reply;
	struct arena arena; /* what the action points into */
};

/* An event makes at most two actions that are not pulled from lists. */
enum { GW_RING = 4 };

struct gw_router {
	struct gw_router_params p;
	struct thread_map *threads;
	bool is_stopping;
	uint64_t stop_ms; /* while stopping: when nothing is held any more */
	uint64_t next_id; /* handles and tokens */
	struct ratelimit udp_rate;
	struct ratelimit stranger_rate;
	struct ratelimit warn_rate; /* of log lines that anybody can cause */
	struct ratelimit hop_rate;  /* of those about the next hop */
	bool is_hop_failed;	    /* so it was logged */

	const struct federation *federation; /* NULL: nothing is allowed */
	/* of what waits, these and younger ones are not looked at yet since it
	 * changed */
	struct gw_in *in_look;
	struct gw_out *out_look;

	struct gw_edge edges[LIMIT_CHANNEL_SESSIONS];
	uint64_t alone_ms;	/* while no edge is live: since when */
	struct gw_in *homeless; /* waiting while no edge is live */
	struct gw_in *ins, *merges;
	struct gw_in *in_ages, *in_trying;
	size_t in_bytes; /* of their arenas */

	struct gw_out *outs, *out_ids;
	struct gw_queue *queues, *ready;
	struct gw_out *wait_ages, *fly_ages;
	struct gw_out *fly_fast; /* of fly_ages: all before it are slow */
	size_t fast_count, slow_count;

	struct gw_pass *passes;
	struct gw_pass *pass_ages, *pass_trying;
	size_t pass_bytes; /* of their requests */

	struct gw_seen *seen, *seen_ring;
	size_t seen_at;

	struct gw_pending_action ring[GW_RING];
	size_t ring_head, ring_count;
	struct gw_pending_action last; /* what the last action points into */
};

/* One thing that happened, for the ledger. */
struct gw_ledger {
	const uint8_t *id; /* NULL: it had none yet */
	const char *dir;   /* "to-xmpp", "to-sip", "to-legacy" */
	struct span from;
	struct span to;
	struct span call_id;
	const char *outcome;
	const char *gate; /* NULL: none refused it */
	int status;
	uint64_t ms;
};

/* --- router.c --- */
void gw_ledger_write(struct gw_router *r, const struct gw_ledger *l);
/* A free slot, zeroed but for its arena, which is empty; NULL: the shell did
 * not drain. */
struct gw_pending_action *gw_push(struct gw_router *r,
				  enum gw_action_kind kind);

/* --- router_in.c --- */
void gw_push_reply(struct gw_router *r, uint64_t sip_handle,
		   const struct sip_reply *reply);
/* id NULL: it had none yet */
void gw_in_refuse(struct gw_router *r, const uint8_t *id,
		  const struct sip_request_in *q, enum error_map_cause cause);
/* Ledger line of a request that was answered without a stanza; gate NULL: none
 * refused it. */
void gw_in_short_ledger(struct gw_router *r, const uint8_t *id,
			const struct sip_request_in *q, const char *gate,
			int status);
/* A request with that key is held. */
bool gw_in_is_merged(struct gw_router *r, struct span key);
/* A MESSAGE that passed checks and gates. */
void gw_in_on_message(struct gw_router *r, const struct sip_request_in *q,
		      struct span key, uint64_t now_ms);
/* One deadline that passed, as an action; false: none did. */
bool gw_in_expire(struct gw_router *r, uint64_t now_ms);
uint64_t gw_in_deadline_ms(const struct gw_router *r);
struct gw_in *gw_in_find(struct gw_router *r, uint64_t handle);
void gw_in_free_all(struct gw_router *r);
/* Send a stanza that nobody waits for; takes the arena. */
void gw_in_send_own(struct gw_router *r, struct arena *take,
		    Fed__Stanza *stanza, uint64_t now_ms);

/* As gw_in_send_own(), and presence hears how it ends; moves the arena out
 * when 0 is returned. @return 0; FED_ELIMIT; FED_ENOMEM */
int gw_in_send_presence(struct gw_router *r, struct arena *a,
			Fed__Stanza *stanza, uint64_t token,
			uint64_t now_ms) FED_NODISCARD;
bool gw_in_has_room(const struct gw_router *r);

/* The next one that waits and is not allowed any more is refused; false: there
 * is none. */
bool gw_in_look(struct gw_router *r, uint64_t now_ms);

/* --- router_access.c --- */
struct access_verdict gw_access(const struct gw_router *r,
				enum access_what what,
				enum access_direction direction,
				struct span local, struct span remote);
/* The verdict on a request that is not of a dialog.  One whose URIs no JID can
 * be made of is open: its answer says so. */
struct access_verdict gw_access_request(const struct gw_router *r,
					const struct sip_request_in *q);
/* ... and on a stanza. */
struct access_verdict gw_access_stanza(const struct gw_router *r,
				       const Fed__Stanza *s);
/* It is counted, and logged if it has no line in the ledger. */
void gw_access_note(struct gw_router *r, const struct access_verdict *v,
		    const char *what, struct span from, struct span to,
		    uint64_t now_ms);
void gw_access_reply(enum access_gate gate, struct sip_reply *out);
/* NULL: no memory. */
Fed__Error *gw_access_error(enum access_gate gate, struct arena *a);

/* --- router_body.c --- */
/* The body of a message that was taken, if the operator wants it in the log. */
void gw_body_log(const struct gw_router *r, const struct gw_ledger *l,
		 struct span body);

/* --- router_presence.c --- */
/* A presence stanza that passed all checks. */
void gw_presence_on_stanza(struct gw_router *r, const struct gw_origin *o,
			   uint64_t now_ms);
/* A SUBSCRIBE or NOTIFY that passed them. */
void gw_presence_on_request(struct gw_router *r, const struct sip_request_in *q,
			    uint64_t now_ms);
/* The response is for presence; false: it is not. */
bool gw_presence_on_response(struct gw_router *r, uint64_t token,
			     const struct sip_response_in *s, uint64_t now_ms);
/* The end of a stanza that gw_in_send_presence() took. */
void gw_presence_on_outcome(struct gw_router *r, uint64_t token,
			    const Fed__Error *refused, uint64_t now_ms);
bool gw_presence_next(struct gw_router *r, struct gw_action *out,
		      uint64_t now_ms);

/* --- router_legacy.c --- */
/* It is the old gateway's, and passed on or refused; false: it is not, and
 * nothing was done. */
bool gw_legacy_on_request(struct gw_router *r, const struct sip_request_in *q,
			  uint64_t now_ms);
/* The response is to one of those; false: it is not. */
bool gw_legacy_on_response(struct gw_router *r, uint64_t token,
			   const struct sip_response_in *s, uint64_t now_ms);
bool gw_legacy_expire(struct gw_router *r, uint64_t now_ms);
uint64_t gw_legacy_deadline_ms(const struct gw_router *r);
void gw_legacy_free_all(struct gw_router *r);

/* --- router_edges.c --- */
bool gw_edges_has_live(const struct gw_router *r);
/* Into the list of the edge that the hash picks. */
void gw_wait_for_edge(struct gw_router *r, struct gw_in *d);
/* Out of its list, or of the count of what the edge has. */
void gw_leave_edge(struct gw_router *r, struct gw_in *d);
/* The edge had no room after all: back into the list. */
void gw_edge_refused_room(struct gw_router *r, struct gw_in *d);
/* The next stanza that an edge has room for. */
bool gw_edge_next(struct gw_router *r, struct gw_action *out);
/* Take back what edges did not answer that are gone for too long. */
void gw_edges_expire(struct gw_router *r, uint64_t now_ms);
/* One that waits in vain for any edge; NULL: none. */
struct gw_in *gw_edges_hopeless(struct gw_router *r, uint64_t now_ms);
uint64_t gw_edges_deadline_ms(const struct gw_router *r);

/* --- router_out.c --- */
/* For the ledger. */
const char *gw_end_name(enum sip_end end);
bool gw_out_expire(struct gw_router *r, uint64_t now_ms);
uint64_t gw_out_deadline_ms(const struct gw_router *r);
void gw_out_free_all(struct gw_router *r);
/* As gw_in_look(). */
bool gw_out_look(struct gw_router *r, uint64_t now_ms);

/* --- router_queue.c --- */
/* @return 0; FED_EAGAIN the queue of its Request-URI is full; FED_ELIMIT too
 * many queues; FED_ENOMEM */
int gw_queue_add(struct gw_router *r, struct gw_out *d) FED_NODISCARD;
/* Out of all tables; the caller owns what is left. */
void gw_queue_remove(struct gw_router *r, struct gw_out *d);
/* The next request that may leave. */
bool gw_queue_next(struct gw_router *r, struct gw_action *out, uint64_t now_ms);
/* When the full window gets room because one in flight is slow. */
uint64_t gw_queue_deadline_ms(const struct gw_router *r);

/* --- router_seen.c --- */
bool gw_seen_has(const struct gw_router *r, const uint8_t *id);
void gw_seen_add(struct gw_router *r, const uint8_t *id);

#endif
