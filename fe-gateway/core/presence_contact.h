/*
 * IN: a SIP user (local) watches an XMPP user (remote).  We are the notifier:
 * what the XMPP user lets this SIP user see, and the dialogs that are told
 * (RFC 8048 6, RFC 6665 4.2, RFC 3856).
 */
#ifndef FED_GATEWAY_PRESENCE_CONTACT_H
#define FED_GATEWAY_PRESENCE_CONTACT_H

#include "fe-gateway/core/presence_priv.h"

struct presence_contact;

/* One dialog that is notified. */
struct presence_nd {
	struct presence_item item;
	struct presence_contact *contact;
	struct presence_dialog *dialog;
	struct presence_nd *prev, *next; /* of the contact */
};

struct presence_contact {
	struct presence_item item;
	UT_hash_handle hh; /* by key */
	uint64_t id;
	char *key; /* local, '\0', remote, '\0' */
	const char *local;
	const char *remote;
	enum presence_auth auth;
	struct presence_view view;
	struct presence_nd *nds;
	size_t nd_count;
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

/** Probe, and tell all dialogs anew; paced. */
void presence_contact_repair(struct presence *p, struct presence_contact *c,
			     uint64_t now_ms);

/** The contact's domain is away: all closed.  It is back: probe; paced. */
void presence_contact_domain_away(struct presence *p,
				  struct presence_contact *c, uint64_t now_ms);
void presence_contact_domain_back(struct presence *p,
				  struct presence_contact *c, uint64_t now_ms);

/** "terminated;reason=probation" to all dialogs. */
void presence_contact_stop(struct presence *p, struct presence_contact *c,
			   uint64_t now_ms);
bool presence_contact_is_stopped(const struct presence_contact *c);

/** For operators: what the watch is, in the arena; NULL: it is full. */
Fed__PresenceWatch *presence_contact_describe(struct presence *p,
					      const struct presence_contact *c,
					      struct arena *a, uint64_t now_ms);

void presence_contact_free(struct presence *p, struct presence_contact *c);

#endif
