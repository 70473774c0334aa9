/*
 * Which target a request goes to (RFC 3263): targets of a next hop in the
 * order of DNS, another one when one fails, and which of them are alive.
 * Stands between the router and the transactions.  Pure: the shell feeds
 * events and drains actions until there are none.
 *
 * A request that goes to another target is the same request (Call-ID, CSeq,
 * From tag) in a new transaction: its branch gets a number behind it.
 */
#ifndef FED_GATEWAY_NEXT_HOP_H
#define FED_GATEWAY_NEXT_HOP_H

#include "base/digest.h"
#include "base/log.h"
#include "fe-gateway/core/hop_uri.h"

struct next_hops;

/* A target as DNS has it. */
struct next_hop_found {
	struct sip_target target;
	uint32_t rank;	 /* lower ones first */
	uint16_t weight; /* share among those of a rank (RFC 2782) */
	unsigned group;	 /* addresses of one host: tried in their order */
};

enum next_hop_result {
	NEXT_HOP_FOUND,
	NEXT_HOP_NOT_FOUND, /* DNS says that there is none */
	NEXT_HOP_FAILED,    /* cannot be resolved now */
};

struct next_hop_params {
	const char *uri;      /* where all requests go; NULL: each one to the
			       * domain of its Request-URI.  Borrowed */
	unsigned transports;  /* that addresses are bound of: 1 << transport */
	uint64_t options_ms;  /* how often a target is asked; 0: never */
	const char *from_uri; /* of OPTIONS; borrowed */
	size_t fixed_bytes;   /* as in message_map_params */
	size_t contact_bytes; /* the same */
	struct id_source *ids;
	const struct logger *log;
};

enum next_hop_action_kind {
	NEXT_HOP_ACT_SEND,    /* start a client transaction */
	NEXT_HOP_ACT_RESOLVE, /* next_hops_on_resolved() is due */
	NEXT_HOP_ACT_END,     /* a request ended without a response */
	/* A target answers that did not, or whose connection had ended: it
	 * may have forgotten what it knew. */
	NEXT_HOP_ACT_BACK,
};

struct next_hop_action {
	enum next_hop_action_kind kind;
	union {
		struct {
			uint64_t token; /* of next_hops_on_response() */
			const struct sip_request_out *request;
			const struct sip_target *target;
		} send;
		struct {
			uint64_t hop;
			const struct hop_uri *uri;
		} resolve;
		struct {
			uint64_t token; /* of next_hops_send() */
			enum sip_end end;
		} end;
		struct {
			const char *host; /* of the next hop's URI; NULL: all
					   * requests go there */
		} back;
	} u; /* pointers live until the next call */
};

/** @return 0; FED_EINVAL the URI; FED_ENOMEM */
int next_hops_new(struct next_hops **h_out, const struct next_hop_params *p,
		  uint64_t now_ms) FED_NODISCARD;

/** NULL is allowed. */
void next_hops_free(struct next_hops *h);

/**
 * Send a request, which is copied, to its next hop, or inside a dialog to its
 * destination.  Where that leads to the next hop, it is that, with all its
 * targets; where it is an address of it, what is known of that address holds.
 * Other destinations are not asked for signs of life.  What is passed on goes
 * to the old gateway.  One END, or one response that is for the owner, follows.
 *
 * @return 0; FED_EPROTO, FED_EINVAL the destination or Request-URI; FED_ENOMEM;
 *         FED_ELIMIT too many next hops; FED_ENOTFOUND no old gateway
 */
int next_hops_send(struct next_hops *h, uint64_t token,
		   const struct sip_request_out *request,
		   uint64_t now_ms) FED_NODISCARD;

/**
 * Where requests that are passed on go: the old gateway.  It is asked for signs
 * of life like a next hop, but what is of those is not of it: its return is
 * told to nobody.
 *
 * @param uri  copied; NULL: there is none, and what waits for it ends
 * @return 0; as hop_uri_parse(), FED_ELIMIT, FED_ENOMEM: there is none
 */
int next_hops_set_legacy(struct next_hops *h, const char *uri,
			 uint64_t now_ms) FED_NODISCARD;

/** Is the old gateway up, as far as is known? */
enum next_hop_health {
	NEXT_HOP_UNKNOWN, /* there is none, or nothing is known of it yet */
	NEXT_HOP_UP,
	NEXT_HOP_DOWN,
};

/** Ask all targets of both for a sign of life now; not more often than each
 * LIMIT_HOP_ASK_AGAIN_MS. */
void next_hops_ask(struct next_hops *h, uint64_t now_ms);

/** @param of_legacy  the old gateway; false: the configured next hop */
enum next_hop_health next_hops_health(struct next_hops *h, bool of_legacy);

/**
 * A transaction ended.
 *
 * @param response   gets is_again when the request had another try before
 * @param token_out  of the request that it ended
 * @return the response is for the owner of token_out; false: it is not, the
 *         request goes on elsewhere or was one of our own
 */
bool next_hops_on_response(struct next_hops *h, uint64_t token,
			   struct sip_response_in *response, uint64_t now_ms,
			   uint64_t *token_out);

/**
 * A connection to that target ended that we did not close.  It is asked at
 * once; that it answers is believed to be a new life of it, but not more often
 * than each LIMIT_HOP_REBORN_MS: some close connections for other reasons.
 */
void next_hops_on_lost(struct next_hops *h, const char *ip, uint16_t port,
		       uint64_t now_ms);

/** Answer to RESOLVE. @param ttl_ms  how long it may be kept */
void next_hops_on_resolved(struct next_hops *h, uint64_t hop,
			   enum next_hop_result result,
			   const struct next_hop_found *found, size_t count,
			   uint64_t ttl_ms, uint64_t now_ms);

/** Next action, deadlines included; false when drained. */
bool next_hops_next_action(struct next_hops *h, struct next_hop_action *out,
			   uint64_t now_ms);

/** When to call next_action again; UINT64_MAX: no deadline. */
uint64_t next_hops_deadline_ms(const struct next_hops *h);

#endif
