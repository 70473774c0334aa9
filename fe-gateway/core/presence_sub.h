/*
 * OUT: an XMPP user (remote) watches a SIP user (local).  We are the
 * subscriber: one SIP dialog, one NOTIFY document, and what of it the watcher
 * was told (RFC 8048 5, RFC 6665 4.1, 4.4).
 */
#ifndef FED_GATEWAY_PRESENCE_SUB_H
#define FED_GATEWAY_PRESENCE_SUB_H

#include "fe-gateway/core/presence_priv.h"

/* The SIP side of a watch.  Edges: sub_edges in presence_sub.c. */
enum presence_sub_state {
	PRESENCE_SUB_QUIET,   /* no dialog, and none is wanted */
	PRESENCE_SUB_WAITING, /* no dialog before act_ms */
	PRESENCE_SUB_ASKING,  /* a dialog is wanted, it had no NOTIFY yet */
	PRESENCE_SUB_LIVE,    /* its NOTIFYs come */
	PRESENCE_SUB_ENDING,  /* not wanted any more, until its last NOTIFY */
};

/* What a request of it is. */
enum presence_sub_request {
	PRESENCE_SUB_NO_REQUEST,
	PRESENCE_SUB_ASK, /* the first of a dialog, a poll's too */
	PRESENCE_SUB_REFRESH,
	PRESENCE_SUB_END, /* Expires: 0 inside the dialog */
};

/* What a stanza of it says, in the order in which it is said. */
enum presence_sub_say {
	PRESENCE_SAY_NOTHING,
	PRESENCE_SAY_ERROR, /* to the watcher's "subscribe" */
	PRESENCE_SAY_SUBSCRIBED,
	PRESENCE_SAY_GONE, /* a resource is not there any more */
	PRESENCE_SAY_UNSUBSCRIBED,
	PRESENCE_SAY_ANSWER,	/* one resource to who asked */
	PRESENCE_SAY_NO_ANSWER, /* none is there, to who asked */
	PRESENCE_SAY_CHANGED,	/* a resource came, or is otherwise now */
};

/* To a probe, or what follows "subscribed". */
struct presence_sub_answer {
	char *to;	/* who asked, bare or full JID */
	char *id;	/* of the probe; NULL: nobody asked */
	char *resource; /* of the SIP user, that alone; NULL: all */
	char *last;	/* said up to that one; NULL: none yet */
};

struct presence_sub {
	struct presence_item item;
	UT_hash_handle hh; /* by key */
	uint64_t id;
	char *key; /* local, '\0', remote, '\0' */
	const char *local;
	const char *remote;
	enum presence_auth auth;
	uint64_t since_ms; /* wall clock: of this auth */
	bool is_barred;	   /* by the gates: see presence_sub_access.c */
	bool hides_note;   /* the watcher never sees the SIP user's */
	struct presence_dialog *dialog; /* NULL: none */

	/* SIP */
	enum presence_sub_state state;
	enum presence_sub_request flying;
	bool is_flight_stale;	 /* it was of a dialog that is gone */
	bool is_request_due;	 /* that of the state */
	bool is_poll;		 /* no watch: a probe of a stranger */
	bool is_stranger;	 /* poll: SIP has not let him see anything */
	bool is_again;		 /* ENDING: then from the begin */
	bool is_taken;		 /* a SUBSCRIBE since "subscribe" got a 2xx */
	bool is_notified;	 /* since the last SUBSCRIBE left */
	bool is_expiry_told;	 /* by a NOTIFY since then */
	bool is_adopted;	 /* of the last run, no document of it yet */
	bool is_invariant;	 /* QUIET: what is known holds for ever */
	bool is_muted;		 /* QUIET: the watcher's side answers errors */
	bool is_repair_due;	 /* at act_ms all is said anew */
	bool is_dialog_due;	 /* its row is to be written */
	uint32_t asked_s;	 /* Expires of our SUBSCRIBE */
	uint32_t tries;		 /* that failed in a row */
	uint32_t renewals;	 /* new dialogs at once, in a row */
	uint32_t raises;	 /* 423s of one dialog */
	char *redirect;		 /* Contact of a 3xx; NULL: none */
	uint64_t asked_ms;	 /* begin of the last dialog; 0: none */
	uint64_t act_ms;	 /* WAITING: ask; LIVE: refresh; ENDING: end */
	uint64_t floor_ms;	 /* not asked before: the SIP side's wish */
	uint64_t notify_by_ms;	 /* Timer N */
	uint64_t put_expires_ms; /* expiry in the dialog's row; 0: none */

	/* what is known */
	bool has_doc; /* `doc` is the state, or what is believed of it */
	struct presence_view doc;
	uint64_t doc_ms;       /* when it came */
	uint64_t doc_until_ms; /* believed so long without a dialog */

	/* XMPP */
	struct presence_view told; /* open ones that the watcher knows of */
	bool is_leaving;	   /* "unsubscribe": told so when it is done */
	uint64_t left_until_ms;	   /* then nothing is said of it any more */
	bool is_approved;	   /* PENDING, because it could not be said */
	bool is_cancelled;	   /* by SIP, and not all is said of it */
	bool owes_subscribed;
	bool owes_unsubscribed;
	bool may_err; /* "subscribe" was not answered with an error yet */
	int error;    /* SIP status that is told, or ERROR_MAP_* below 0 */
	char *ask_id; /* of the "subscribe"; NULL: none */
	struct presence_sub_answer *answer; /* NULL: nobody waits */
	bool is_answering;		    /* what is in flight is of it */
	enum presence_sub_say said;	    /* in flight */
	char *said_name;		    /* its resource; NULL: none */
	uint32_t errors;		    /* from the watcher's side */
	uint32_t bounces;		    /* in a row */
	uint64_t say_ms;		    /* nothing before it */
	enum presence_sub_say last_said;
	uint64_t last_said_ms;

	/* its row */
	bool is_row_due;	     /* it may differ from what is true */
	enum presence_auth row_auth; /* NONE and nothing told: no row */
	char *row_told;		     /* NULL: none */
	uint64_t again_ms;	     /* what could not be put is tried again */
};

struct presence_sub *presence_sub_find(struct presence *p, const char *local,
				       const char *remote);

/** subscribe, unsubscribe, probe, error to one of our subscribed, ... */
void presence_sub_on_stanza(struct presence *p, size_t edge, uint64_t ref,
			    const Fed__Stanza *s, uint64_t now_ms);

/** A NOTIFY that belongs to its dialog. */
void presence_sub_on_notify(struct presence *p, struct presence_sub *s,
			    const struct sip_request_in *q, uint64_t now_ms);

void presence_sub_on_response(struct presence *p, struct presence_sub *s,
			      const struct sip_response_in *r, uint64_t now_ms);
void presence_sub_on_outcome(struct presence *p, struct presence_sub *s,
			     const Fed__Error *refused, uint64_t now_ms);
void presence_sub_on_time(struct presence *p, struct presence_sub *s,
			  uint64_t now_ms);

/** The request (stanza) that is due; false: none is. */
bool presence_sub_next_sip(struct presence *p, struct presence_sub *s,
			   struct presence_action *out, uint64_t now_ms);
bool presence_sub_next_stanza(struct presence *p, struct presence_sub *s,
			      struct presence_action *out, uint64_t now_ms);

/** Rows of the last run; the dialog's comes after the watch's.  Repair is
 * paced: the dialog is refreshed, a new one on 481. */
int presence_sub_restore(struct presence *p,
			 const struct presence_watch_row *row,
			 uint64_t now_ms) FED_NODISCARD;
int presence_sub_restore_dialog(struct presence *p,
				const struct presence_dialog_row *row,
				uint64_t now_ms) FED_NODISCARD;

/** What its gates say, for one that is new. */
void presence_sub_judge(struct presence *p, struct presence_sub *s);

/** Are its gates open, and for notes too? @return they changed, and it is
 * settled: gone perhaps */
bool presence_sub_look(struct presence *p, struct presence_sub *s,
		       uint64_t now_ms);

/** Ask the SIP side anew, say all to the watcher anew; paced. */
void presence_sub_repair(struct presence *p, struct presence_sub *s,
			 uint64_t now_ms);

/** The SIP side may have forgotten its dialogs: asked anew, paced; what the
 * watcher was told still holds. */
void presence_sub_hop_back(struct presence *p, struct presence_sub *s,
			   uint64_t now_ms);

/** The watcher's domain can be reached again: what he was told is unknown. */
void presence_sub_domain_back(struct presence *p, struct presence_sub *s,
			      uint64_t now_ms);

/** Probes of the watcher's clients may have been lost: all is said anew,
 * paced. */
void presence_sub_channel_back(struct presence *p, struct presence_sub *s,
			       uint64_t now_ms);

/** What it has to say may show whether its domain is there; false: it has
 * nothing to say. */
bool presence_sub_scout(struct presence *p, struct presence_sub *s,
			uint64_t now_ms);

/** Unavailable for all that the watcher was told; the dialog stays, and its
 * row: the next run adopts it. */
void presence_sub_stop(struct presence *p, struct presence_sub *s,
		       uint64_t now_ms);

/** For operators: what the watch is, in the arena; NULL: it is full. */
Fed__PresenceWatch *presence_sub_describe(struct presence *p,
					  const struct presence_sub *s,
					  struct arena *a, uint64_t now_ms);

void presence_sub_free(struct presence *p, struct presence_sub *s);

#endif
