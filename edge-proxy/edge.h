/*
 * The daemon's one object and what its parts offer each other.  Shell only:
 * decisions are in the cores.
 */
#ifndef FED_EDGE_H
#define FED_EDGE_H

#include "admin.pb-c.h"
#include "base/arena.h"
#include "base/ratelimit.h"
#include "edge-proxy/core/router.h"
#include "edge-proxy/edge_config.h"
#include "edge-proxy/edge_count.h"
#include "edge-proxy/edge_dns.h"
#include "io/conn.h"

struct edge_admin;
struct edge_in;
struct edge_in_route;
struct edge_out;
struct chan_link;
struct edge_channel;
struct edge_check;
struct edge_routes;
struct edge_confirm;
struct edge_news;
struct edge_federation;
struct edge_partner;

enum edge_phase {
	EDGE_RUNNING,
	EDGE_STOPPING_IN,  /* no new work; what is under way gets answers */
	EDGE_STOPPING_OUT, /* our own streams close */
};

struct edge {
	struct loop *loop;
	struct logger log;
	struct metrics metrics;
	struct id_source ids;
	struct edge_config *config;
	struct edge_federation *federation;
	struct policy policy;	 /* in force; changes as a whole */
	struct tls_creds *creds; /* of the XMPP side */
	struct edge_dns *dns;
	struct edge_routes *routes;
	struct edge_confirm *confirm;
	struct edge_news *news;
	struct edge_channel *channel;
	struct edge_admin *admin;
	struct attempts *attempts; /* what fedctl why knows */
	struct listener **listeners;
	size_t listener_count;
	struct edge_in *ins;		 /* inbound streams */
	struct edge_in_route *in_routes; /* uthash: router's stream numbers */
	struct edge_out *outs;		 /* outbound streams */
	struct edge_out *outs_by_route;	 /* uthash: router's stream numbers */
	size_t streams;			 /* both, attempts too */
	size_t verifies;		 /* outbound streams that only verify */
	size_t checks;			 /* of fedctl */
	uint64_t last_label;	     /* number of the last stream, for logs */
	struct edge_count strangers; /* unauthenticated streams by source */
	struct edge_partner
		*partners;	      /* uthash: those with streams, or debts */
	size_t partners_kept;	      /* without streams */
	struct edge_count verifying;  /* verify streams by peer domain */
	struct ratelimit refused_log; /* connections refused */
	struct ratelimit stranger_log; /* lines that strangers cause */
	enum edge_phase phase;
	uint64_t start_ms;
	uint64_t stop_ms; /* not RUNNING: when it ends at the latest */
	struct loop_timer *stop_timer;
	struct loop_deferred stop_work;
};

/* The context of a stream's log lines: "s2s=17 dir=in". */
struct edge_label {
	uint64_t number; /* rising, never reused */
	char text[40];
};

/** Next label. */
struct edge_label edge_label_next(struct edge *e, const char *dir);

/** How many streams there may be when we want one more... */
size_t edge_streams_max(const struct edge *e);

/** ... and when others do: a quarter is kept for those we open. */
size_t edge_streams_of_others(const struct edge *e);

/** protobuf-c's structs have no const; what they borrow is not written. */
static inline char *edge_unconst(const char *s)
{
	return (char *)(uintptr_t)s;
}

/** Condition and text as reason of a stream that could not be had. */
struct s2s_reason edge_reason(enum s2s_reason_kind kind, enum s2s_condition c,
			      const char *text);

/** When the peer's certificate expires, in the loop's time; 0: it has none.
 * The calendar is asked once: a clock that is set later moves nothing. */
uint64_t edge_expires_ms(struct edge *e, const struct tls_facts *tls);

/** Something ended: the stop may go on.  Nothing while running. */
void edge_check_stopped(struct edge *e);

/* --- edge_session_in*.c --------------------------------------------------- */

/** listener_fn; arg is the struct edge.  The second one for direct TLS. */
void edge_in_accept(struct listener *l, struct conn *c, void *arg);
void edge_in_accept_direct(struct listener *l, struct conn *c, void *arg);

/** Another policy is in force: close what it forbids. */
void edge_in_look_again_all(struct edge *e);

/** Close all in order (system-shutdown), or at once. */
void edge_in_shutdown_all(struct edge *e);
void edge_in_kill_all(struct edge *e);

/** As edge_out_write(), where the router adopted the peer's stream. */
bool edge_in_write(struct edge *e, uint64_t stream, struct span bytes,
		   uint64_t *end_out, bool *is_congested_out);

/** The router let go of that stream of the peer, which takes nothing. */
void edge_in_close(struct edge *e, uint64_t stream);

/* --- edge_session_out*.c -------------------------------------------------- */

/** Stream for a route of the router; opened/ended are reported to it. */
void edge_out_route(struct edge *e, uint64_t stream,
		    const struct s2s_pair *pair);

/* A dialback verification that an inbound stream waits for. */
struct edge_verify {
	struct edge_in *in;
	struct edge_out *out; /* NULL when done */
	char *local;
	char *remote;
	bool is_done;
	enum s2s_verify_result result;
	struct edge_verify *prev;
	struct edge_verify *next;
};

/** Ask pair.remote's server; edge_in_verified() follows, perhaps at once. */
void edge_out_verify(struct edge *e, struct edge_verify *v,
		     const char *stream_id, const char *key);

/** v->is_done was set. */
void edge_in_verified(struct edge_in *in);

/** Nobody waits for the answer any more. */
void edge_out_abandon(struct edge_out *o);

/** A stream that carries nothing: it is closed when it is authenticated, and
 * edge_check_ended() is called, perhaps at once.  check->out is set.
 * @return false: too many streams */
bool edge_out_check(struct edge *e, struct edge_check *check,
		    const struct s2s_pair *pair) FED_NODISCARD;

/** Write to the stream of a route; false: the stream is gone. */
bool edge_out_write(struct edge *e, uint64_t stream, struct span bytes,
		    uint64_t *end_out, bool *is_congested_out);

/** The router let go of that stream. */
void edge_out_close(struct edge *e, uint64_t stream,
		    enum edge_router_close_why why);

/** Nobody waits for the channel any more: stanzas that are held get an error.
 */
void edge_out_release_all(struct edge *e);

/** As edge_in_look_again_all(), attempts and verifications too. */
void edge_out_look_again_all(struct edge *e);

void edge_out_shutdown_all(struct edge *e);
void edge_out_kill_all(struct edge *e);

/* --- edge_routes.c -------------------------------------------------------- */

/** @return 0; FED_ENOMEM */
int edge_routes_new(struct edge *e) FED_NODISCARD;
void edge_routes_free(struct edge *e);
void edge_routes_stop(struct edge *e);

/** Another policy is in force: as edge_router_look_again(). */
void edge_routes_look_again(struct edge *e);

/** Stanzas that wait for a stream or for the system. */
size_t edge_routes_stanzas(const struct edge *e);

/** As edge_router_queues(). */
size_t edge_routes_queues(const struct edge *e, uint64_t *cursor,
			  struct edge_router_queue *out, size_t max);

/** The peer authenticated a stream of its own. */
void edge_routes_seen(struct edge *e, const struct s2s_pair *pair);

/** As edge_router_adopt(). */
uint64_t edge_routes_adopt(struct edge *e, const struct s2s_pair *pair,
			   size_t peer_max) FED_NODISCARD;

/** The peer said something on that stream. */
void edge_routes_heard(struct edge *e, uint64_t stream);

void edge_routes_opened(struct edge *e, uint64_t stream,
			const struct s2s_limits *limits);
void edge_routes_ended(struct edge *e, uint64_t stream,
		       const struct s2s_reason *reason);
void edge_routes_flushed(struct edge *e, uint64_t stream, uint64_t offset,
			 bool is_congested);

/** So much waits for that domain, answers or bytes, that its streams should
 * not be read; edge_channel_made_room() follows with all that leaves. */
bool edge_routes_owes(const struct edge *e, const struct s2s_pair *pair);

/** An answer of the edge itself; what cannot be taken is dropped. */
void edge_routes_send_own(struct edge *e, const struct s2s_pair *pair,
			  const Fed__Stanza *s);

/** A ping of edge_confirm: not in the ledger, as nobody wrote it.
 * @return 0: sent, or edge_confirm_ping_failed() follows; else not sent */
int edge_routes_send_ping(struct edge *e, const struct s2s_pair *pair,
			  const Fed__Stanza *s) FED_NODISCARD;

/** Answer a stanza from the XMPP side with an error, if it may be. */
void edge_routes_send_error(struct edge *e, const Fed__Stanza *to,
			    const Fed__Error *error);

/** The end of a stanza of a gateway or of our own: ledger, outcome.
 * @param tag  as edge_tag_write() made it; @param refused NULL: delivered */
void edge_routes_settle(struct edge *e, struct edge_origin origin,
			struct span tag, const Fed__Error *refused,
			uint64_t start_ms);

/** As edge_routes_send_error() with the condition's usual type. */
void edge_routes_refuse(struct edge *e, const Fed__Stanza *to, Fed__Condition c,
			const char *text);

/**
 * A stanza of a gateway.
 *
 * @return 0: an outcome follows by edge_channel_outcome(); otherwise
 *         refusal_out says what to answer
 */
int edge_routes_send(struct edge *e, struct edge_origin origin,
		     const Fed__StanzaFrame *frame,
		     struct edge_router_refusal *refusal_out) FED_NODISCARD;

/* --- edge_news.c ---------------------------------------------------------- */

/** @return 0; FED_ENOMEM */
int edge_news_new(struct edge *e) FED_NODISCARD;
void edge_news_free(struct edge *e);

/** As the stream_news functions of the same name: gateways hear of it, perhaps
 * later, perhaps merged with what comes. */
void edge_news_opened(struct edge *e, const struct s2s_pair *pair,
		      bool is_inbound);
void edge_news_ended(struct edge *e, const struct s2s_pair *pair,
		     bool is_inbound, const struct s2s_reason *reason);
void edge_news_failed(struct edge *e, const struct s2s_pair *pair,
		      const struct s2s_reason *reason);

/* --- edge_channel.c ------------------------------------------------------- */

/** Listen for gateways. @return 0; as chan_server_new() */
int edge_channel_new(struct edge *e, struct tls_creds *creds,
		     struct errbuf *err) FED_NODISCARD;
void edge_channel_free(struct edge *e);

/** The link of that number; NULL: gone. */
struct chan_link *edge_channel_link(struct edge *e, uint64_t number);

/** Orderly end: take no new stanzas. */
void edge_channel_drain(struct edge *e);

/** The channels for status, one response. */
void edge_channel_show(struct edge *e, struct arena *a,
		       Fed__AdminResponse *out);

/** Stanzas given to gateways that have no outcome yet. */
size_t edge_channel_outstanding(const struct edge *e);

/** Outcome of a stanza that came from a gateway; refused NULL: delivered. */
void edge_channel_outcome(struct edge *e, struct edge_origin origin,
			  const Fed__Error *refused);

/** A reliable frame to every gateway that has a session; one whose connection
 * is broken gets it when it resumes. */
void edge_channel_tell(struct edge *e, Fed__Frame *frame);

/* Where a stream waits for its turn. */
struct edge_wait {
	void (*retry)(void *arg); /* its turn: offer the stanza again */
	void *arg;
	struct edge_wait **list; /* head of the list it is in, NULL: none */
	unsigned turn;		 /* stanzas it may still send before others */
	struct edge_wait *prev;
	struct edge_wait *next;
};

/**
 * Hand a stanza of the XMPP side to a gateway.
 *
 * @return 0; FED_EAGAIN not now: `w` is in line, its retry() follows;
 *         FED_ENOTFOUND no gateway; FED_ELIMIT too big; FED_ENOMEM
 */
int edge_channel_deliver(struct edge *e, struct edge_wait *w,
			 const Fed__Facts *facts,
			 const Fed__Stanza *stanza) FED_NODISCARD;

/** A stanza to the XMPP side left: streams that wait for that go on. */
void edge_channel_made_room(struct edge *e);

/** Leave the line. */
void edge_channel_forget(struct edge_wait *w);

#endif
