/*
 * OUT: an XMPP user (remote) watches a SIP user (local).  We are the
 * subscriber: one SIP dialog, one NOTIFY document, and what of it the watcher
 * was told (RFC 8048 5, RFC 6665 4.1, 4.4).
 */
#ifndef FED_GATEWAY_PRESENCE_SUB_H
#define FED_GATEWAY_PRESENCE_SUB_H

#include "fe-gateway/core/presence_priv.h"

struct presence_sub {
	struct presence_item item;
	UT_hash_handle hh; /* by key */
	uint64_t id;
	char *key; /* local, '\0', remote, '\0' */
	const char *local;
	const char *remote;
	enum presence_auth auth;
	struct presence_dialog *dialog; /* NULL: none */
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

/** Ask the SIP side anew, say all to the watcher anew; paced. */
void presence_sub_repair(struct presence *p, struct presence_sub *s,
			 uint64_t now_ms);

/** The watcher's domain can be reached again: what he was told is unknown. */
void presence_sub_domain_back(struct presence *p, struct presence_sub *s,
			      uint64_t now_ms);

/** Unavailable for all that the watcher was told; the dialog stays, and its
 * row: the next run adopts it. */
void presence_sub_stop(struct presence *p, struct presence_sub *s,
		       uint64_t now_ms);
bool presence_sub_is_stopped(const struct presence_sub *s);

/** For operators: what the watch is, in the arena; NULL: it is full. */
Fed__PresenceWatch *presence_sub_describe(struct presence *p,
					  const struct presence_sub *s,
					  struct arena *a, uint64_t now_ms);

void presence_sub_free(struct presence *p, struct presence_sub *s);

#endif
