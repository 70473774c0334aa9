/*
 * IN: a SIP user (local) watches an XMPP user (remote).  We are the notifier:
 * what the XMPP user lets this SIP user see, and the dialogs that are told
 * (RFC 8048 6, RFC 6665 4.2, RFC 3856).
 */
#ifndef FED_GATEWAY_PRESENCE_CONTACT_H
#define FED_GATEWAY_PRESENCE_CONTACT_H

#include "fe-gateway/core/presence_priv.h"

struct presence_contact;

/* Why a dialog ends (RFC 6665 4.1.3). */
enum presence_end {
	PRESENCE_END_NONE, /* it lives */
	PRESENCE_END_TIMEOUT,
	PRESENCE_END_REJECTED,
	PRESENCE_END_NORESOURCE,
	PRESENCE_END_PROBATION,
};

/* One dialog that is notified. */
struct presence_nd {
	struct presence_item item;
	struct presence_contact *contact;
	struct presence_dialog *dialog;
	struct presence_nd *prev, *next; /* of the contact */
	enum presence_end end;
	uint32_t retry_after_s; /* PROBATION */
	bool is_poll;
	bool is_owed; /* a NOTIFY, whatever it says, at once */
	bool is_last; /* the one in flight says "terminated" */
	bool has_told;
	struct presence_view told; /* the document it has, if has_told */
	uint32_t failures;	   /* NOTIFYs in a row */
	uint64_t not_before_ms;	   /* its turn, or the next try */
	uint64_t sent_ms;	   /* the last NOTIFY */
	uint64_t told_ms;	   /* when it got a document; 0: never */
	uint64_t stamp_ms;	   /* of the last document, wall clock */
};

/* What of ours is asked of the XMPP user. */
enum presence_ask { PRESENCE_ASK_NONE, PRESENCE_ASK_LEAVE, PRESENCE_ASK_PROBE };

/* Deadlines of a contact. */
enum presence_contact_timer {
	PRESENCE_AT_ANSWER, /* the probe has no answer */
	PRESENCE_AT_ASK,    /* ask for leave again */
	PRESENCE_AT_TURN,   /* it is its turn to be repaired */
	PRESENCE_AT_RETRY,  /* what could not leave is tried again */
	PRESENCE_AT_FORGET, /* nobody is subscribed any more */
	PRESENCE_AT_COUNT,
};

struct presence_contact {
	struct presence_item item;
	UT_hash_handle hh; /* by key */
	char *key;	   /* local, '\0', remote, '\0' */
	const char *local;
	const char *remote;
	enum presence_auth auth;
	uint64_t since_ms; /* of auth, wall clock */
	bool is_barred;	   /* by the gates: see presence_contact_access.c */

	/* What the XMPP user shows to this SIP user: open resources, or at
	 * most one closed one; means nothing unless is_known, which it is
	 * not while the question is open. */
	struct presence_view view;
	bool is_known;
	/* What the answers to the last probe say; in the end it is the view,
	 * so that what nobody said any more goes. */
	struct presence_view fresh;
	bool is_collecting;
	bool is_repair; /* all dialogs are to be told anew */

	bool is_leave_due, is_probe_due, is_bye_due;
	bool was_probed;	  /* since something was known */
	enum presence_ask flying; /* NONE: another stanza, or none */
	bool is_stale;		  /* the probe in flight: a gap came after it */
	enum presence_ask asked;  /* the last one that left... */
	char asked_id[ID_TEXT_BYTES + 2]; /* ... and its id */
	uint64_t asked_ms;		  /* when leave was asked for */
	uint64_t at_ms[PRESENCE_AT_COUNT];

	struct presence_nd *nds;
	size_t nd_count;
	const char *last_stanza; /* "in subscribed", "out probe"; for show */
	uint64_t last_stanza_ms;
};

struct presence_contact *presence_contact_find(struct presence *p,
					       const char *local,
					       const char *remote);

/** subscribed, unsubscribed, available, unavailable, error to one of our
 * subscribe or probe, ... */
void presence_contact_on_stanza(struct presence *p, size_t edge, uint64_t ref,
				const Fed__Stanza *s, uint64_t now_ms);

/** A SUBSCRIBE without To tag; local and remote are bare JIDs. */
void presence_contact_on_subscribe(struct presence *p, const char *local,
				   const char *remote,
				   const struct sip_request_in *q,
				   uint64_t now_ms);

/** A SUBSCRIBE that belongs to its dialog. */
void presence_nd_on_subscribe(struct presence *p, struct presence_nd *n,
			      const struct sip_request_in *q, uint64_t now_ms);

void presence_nd_on_response(struct presence *p, struct presence_nd *n,
			     const struct sip_response_in *r, uint64_t now_ms);
void presence_contact_on_outcome(struct presence *p, struct presence_contact *c,
				 const Fed__Error *refused, uint64_t now_ms);
void presence_nd_on_time(struct presence *p, struct presence_nd *n,
			 uint64_t now_ms);
void presence_contact_on_time(struct presence *p, struct presence_contact *c,
			      uint64_t now_ms);

/** The request (stanza) that is due; false: none is. */
bool presence_nd_next_sip(struct presence *p, struct presence_nd *n,
			  struct presence_action *out, uint64_t now_ms);
bool presence_contact_next_stanza(struct presence *p,
				  struct presence_contact *c,
				  struct presence_action *out, uint64_t now_ms);

/** Rows of the last run; dialogs come after the watches.  Repair is paced:
 * the contact is probed, the dialogs are told what comes of it. */
int presence_contact_restore(struct presence *p,
			     const struct presence_watch_row *row,
			     uint64_t now_ms) FED_NODISCARD;
int presence_nd_restore(struct presence *p,
			const struct presence_dialog_row *row,
			uint64_t now_ms) FED_NODISCARD;

/** Are its gates open? @return they changed, and it is settled: gone perhaps */
bool presence_contact_look(struct presence *p, struct presence_contact *c,
			   uint64_t now_ms);

/** Probe, and tell all dialogs anew; paced. */
void presence_contact_repair(struct presence *p, struct presence_contact *c,
			     uint64_t now_ms);

/** A sign of life is wanted of its domain: as a repair, but nobody is told
 * what he knows; false: it may not be asked. */
bool presence_contact_scout(struct presence *p, struct presence_contact *c,
			    uint64_t now_ms);

/** The contact's domain is away: all closed.  It is back: probe; paced. */
void presence_contact_domain_away(struct presence *p,
				  struct presence_contact *c, uint64_t now_ms);
void presence_contact_domain_back(struct presence *p,
				  struct presence_contact *c, uint64_t now_ms);

/** The way to the SIP user is back: NOTIFYs that failed are sent now. */
void presence_contact_hop_back(struct presence *p, struct presence_contact *c,
			       uint64_t now_ms);

/** "terminated;reason=probation" to all dialogs. */
void presence_contact_stop(struct presence *p, struct presence_contact *c,
			   uint64_t now_ms);

/** For operators: what the watch is, in the arena; NULL: it is full. */
Fed__PresenceWatch *presence_contact_describe(struct presence *p,
					      const struct presence_contact *c,
					      struct arena *a, uint64_t now_ms);

void presence_contact_free(struct presence *p, struct presence_contact *c);

#endif
