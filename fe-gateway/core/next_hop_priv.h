/*
 * Inside of the next hops: next_hop.c (requests), next_hop_table.c (which are
 * known), next_hop_pick.c (which target), next_hop_probe.c (which are alive).
 */
#ifndef FED_GATEWAY_NEXT_HOP_PRIV_H
#define FED_GATEWAY_NEXT_HOP_PRIV_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/map.h"
#include "fe-gateway/core/next_hop.h"

#include <utlist.h>

enum {
	/* a token is the request's number and that of the try */
	TRY_BITS = 3,
	PROBE_TEXT_BYTES = SIP_HOST_BYTES + 16,
};

/* OPTIONS to a target: the last one. */
struct hop_probe {
	uint64_t number; /* 0: none yet */
	bool is_open;	 /* no answer yet */
	uint64_t sent_ms;
	uint64_t next_ms;
	struct sip_request_out request;
	char uri[PROBE_TEXT_BYTES];
	char call_id[ID_TEXT_BYTES + 1];
	char branch[ID_TEXT_BYTES + 8];
};

struct hop_target {
	struct next_hop_found found;
	uint64_t id;   /* never used twice */
	bool is_quiet; /* of a destination: never asked for signs of life */
	bool is_down;
	bool is_heard;	    /* it said something, once */
	bool is_mute;	    /* while down: it said nothing; else it said no */
	uint64_t avoid_ms;  /* last choice until then */
	uint64_t silent_ms; /* asked then, no word since; 0: nothing asked */
	bool is_lost;	    /* a connection to it ended */
	uint64_t reborn_ms; /* may be reborn again from then on */
	struct hop_probe probe;
};

struct hop {
	UT_hash_handle hh; /* by key */
	UT_hash_handle hh_id;
	uint64_t id;
	struct hop_uri uri;
	bool is_permanent; /* of the configuration */
	bool is_legacy;	   /* the old gateway */
	bool is_quiet;	   /* a destination of dialogs */
	bool is_static;	   /* numeric: no DNS */
	bool is_resolving;
	bool is_wanted; /* to be resolved: in that list */
	bool is_back;	/* the owner is to be told */
	struct hop *w_prev, *w_next;
	uint64_t expires_ms;
	uint64_t used_ms;
	enum next_hop_result result;
	struct hop_target *targets;
	size_t count;
	struct hop_flight *waiting; /* for DNS */
	char key[];
};

enum hop_flight_state {
	FLIGHT_WAITING,
	FLIGHT_READY,
	FLIGHT_OUT,
	FLIGHT_ENDED
};

struct hop_flight {
	UT_hash_handle hh; /* by number */
	uint64_t number;
	uint64_t token; /* the owner's */
	enum hop_flight_state state;
	enum sip_end end; /* ENDED */
	uint64_t since_ms;
	uint64_t hop;
	uint64_t tried[LIMIT_HOP_TRIES]; /* ids of targets, the last is at
					  * work */
	unsigned tries;
	bool is_pinned;	  /* to one address: no failover */
	bool is_switched; /* to TCP for its size */
	struct sip_target target;
	size_t bytes;
	struct arena arena; /* of the request */
	struct sip_request_out request;
	const char *branch;		/* of the first try */
	struct hop_flight *prev, *next; /* waiting, ready or ended */
};

struct next_hops {
	struct next_hop_params p;
	uint64_t next_number;
	struct hop *hops;	  /* watched, by key */
	struct hop *destinations; /* of dialogs, by key, in order of use */
	struct hop *hop_ids;	  /* both */
	struct hop *wanted;
	struct hop_flight *flights;
	struct hop_flight *ready, *ended;
	uint64_t wake_ms;
	bool has_back;	  /* some hop is */
	char *legacy_uri; /* NULL: no old gateway */
};

/* Of the old gateway: others are "" or have a space in it. */
#define NEXT_HOP_LEGACY_KEY "legacy"

/* Where a request goes: to a hop, or straight to an address. */
struct next_hop_way {
	struct hop *hop; /* of is_direct: that has the address, or NULL */
	bool is_direct;
	struct sip_target target;  /* of is_direct */
	struct hop_target *pinned; /* of is_direct: of `hop`, or NULL */
};

/* --- next_hop_table.c --- */
struct hop *next_hop_find(struct next_hops *h, uint64_t id);
/* The old gateway; NULL: none. */
struct hop *next_hop_legacy(struct next_hops *h);
struct hop_target *next_hop_find_target(struct hop *hop, uint64_t id);
int next_hop_new(struct next_hops *h, const char *key,
		 const struct hop_uri *uri, bool is_quiet, uint64_t now_ms,
		 struct hop **hop_out) FED_NODISCARD;
void next_hop_forget(struct next_hops *h, struct hop *hop);
/* Destinations that nothing went to. */
void next_hop_forget_idle(struct next_hops *h, uint64_t now_ms);
/* To be resolved; the next one that is, or NULL. */
void next_hop_want(struct next_hops *h, struct hop *hop);
struct hop *next_hop_next_wanted(struct next_hops *h);
/* The target of a URI whose host is an address. */
void next_hop_numeric(const struct hop_uri *uri, enum sip_transport transport,
		      struct sip_target *out);
/* @return 0; as hop_uri_parse(); FED_ELIMIT; FED_ENOMEM */
int next_hop_way(struct next_hops *h, const struct sip_request_out *r,
		 uint64_t now_ms, struct next_hop_way *out) FED_NODISCARD;

/* --- next_hop.c --- */
/* Give it to another target; false: there is none, it stays as it is. */
bool next_hop_try_again(struct next_hops *h, struct hop_flight *f,
			uint64_t now_ms);

/* --- next_hop_pick.c --- */
/* NULL: none that is worth a try. */
struct hop_target *next_hop_pick(struct hop *hop, const struct hop_flight *f,
				 uint64_t now_ms);

/* --- next_hop_probe.c --- */
/* A new target: when it is asked first. */
void next_hop_watch(struct next_hops *h, struct hop_target *t, uint64_t now_ms);
/* A request went there. */
void next_hop_note_sent(struct next_hops *h, struct hop_target *t,
			uint64_t now_ms);
/* It said something, of whatever kind. */
void next_hop_note_heard(struct next_hops *h, struct hop_target *t);
/* A request failed there: look after it at once. */
void next_hop_note_failed(struct next_hops *h, struct hop_target *t,
			  uint64_t now_ms);
/* All its targets are down and one more request came: has one come back? */
void next_hop_ask_all(struct next_hops *h, struct hop *hop, uint64_t now_ms);
/* An answer to a probe? */
bool next_hop_on_probe(struct next_hops *h, uint64_t number,
		       const struct sip_response_in *r, uint64_t now_ms);
/* The next BACK. */
bool next_hop_back_next(struct next_hops *h, struct next_hop_action *out);
/* What is due; true: a SEND is in *out. */
bool next_hop_probe_due(struct next_hops *h, struct next_hop_action *out,
			uint64_t now_ms);
void next_hop_wake(struct next_hops *h, uint64_t at_ms);

#endif
