/*
 * Between the parts of IN: presence_contact.c (life, authorization, time),
 * presence_contact_stanza.c (what the XMPP user says, and what we say to him),
 * presence_contact_repair.c (restart, operators, domains, stop),
 * presence_contact_access.c (gates that open and close),
 * presence_contact_show.c, presence_nd.c (NOTIFY), presence_nd_subscribe.c
 * (SUBSCRIBE).
 */
#ifndef FED_GATEWAY_PRESENCE_CONTACT_PRIV_H
#define FED_GATEWAY_PRESENCE_CONTACT_PRIV_H

#include "fe-gateway/core/presence_contact.h"

/* --- presence_contact.c -------------------------------------------------- */

/** By two bare JIDs that need not end with a NUL. */
struct presence_contact *presence_contact_find_spans(const struct presence *p,
						     struct span local,
						     struct span remote);

/** A new one without authorization. @return 0; FED_ELIMIT; FED_ENOMEM */
int presence_contact_new(struct presence *p, struct span local,
			 struct span remote,
			 struct presence_contact **c_out) FED_NODISCARD;

/** Its row with another authorization, which it has then; NONE deletes it.
 * @return as presence_put_row(): the authorization is as before */
int presence_contact_set_auth(struct presence *p, struct presence_contact *c,
			      enum presence_auth auth,
			      uint64_t now_ms) FED_NODISCARD;

/** The XMPP user, or his server, says no: all dialogs end so.
 * @return as presence_put_row(): they end, but the store has it still */
int presence_contact_deny(struct presence *p, struct presence_contact *c,
			  enum presence_end end, uint64_t now_ms) FED_NODISCARD;

/** One of its deadlines; UINT64_MAX: none. */
void presence_contact_set_at(struct presence *p, struct presence_contact *c,
			     enum presence_contact_timer which, uint64_t at_ms);

/** Forget what is known. */
void presence_contact_forget_view(struct presence *p,
				  struct presence_contact *c);

/** What he shows is on its way: a probe that no gap came after, or the word
 * that he allows it. */
bool presence_contact_is_asking(const struct presence_contact *c);

/** The view is what is known now: all dialogs are told when they may be. */
void presence_contact_changed(struct presence *p, struct presence_contact *c,
			      uint64_t now_ms);

/** Some dialog lives; some that is not a poll. */
bool presence_contact_has_live(const struct presence_contact *c);
bool presence_contact_is_watched(const struct presence_contact *c);

/** A dialog ended: the XMPP user is told when it was the last one. */
void presence_contact_nd_ended(struct presence *p, struct presence_contact *c);

/** The last word of each event: it goes when nobody needs it any more. */
void presence_contact_settle(struct presence *p, struct presence_contact *c,
			     uint64_t now_ms);

/* --- presence_contact_stanza.c ------------------------------------------- */

/** Ask what the XMPP user shows, when there is room. */
void presence_contact_probe(struct presence *p, struct presence_contact *c);

/** Ask for his leave. */
void presence_contact_ask_leave(struct presence *p, struct presence_contact *c);

/** The answers to the probe are all there. */
void presence_contact_end_collecting(struct presence *p,
				     struct presence_contact *c,
				     uint64_t now_ms);

/* --- presence_nd.c ------------------------------------------------------- */

/** @return 0; FED_ELIMIT; FED_ENOMEM: d is the caller's still */
int presence_nd_new(struct presence *p, struct presence_contact *c,
		    struct presence_dialog *d,
		    struct presence_nd **n_out) FED_NODISCARD;

/** Out of the contact, its row deleted; the contact is not settled. */
void presence_nd_free(struct presence *p, struct presence_nd *n);

/** The NOTIFY "terminated" is due; nothing if it ends already. */
void presence_nd_end(struct presence *p, struct presence_nd *n,
		     enum presence_end end, uint32_t retry_after_s,
		     uint64_t now_ms);

/** Something that it is told may have changed. */
void presence_nd_update(struct presence *p, struct presence_nd *n,
			uint64_t now_ms);

/** The same, and it does not wait for presence.notify_interval. */
void presence_nd_hurry(struct presence *p, struct presence_nd *n,
		       uint64_t now_ms);

/** A NOTIFY is due, now or when its time comes. */
bool presence_nd_is_due(const struct presence *p, const struct presence_nd *n);

/** It does not know what it was told. */
void presence_nd_forget_told(struct presence_nd *n);

#endif
