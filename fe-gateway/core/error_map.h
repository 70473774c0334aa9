/*
 * Stanza errors to SIP failures and back (RFC 7247 section 7), with what SIP
 * forbids left out: no 401 or 407 without a challenge (RFC 3261 20), no 408 to
 * a non-INVITE (RFC 4320 4.2), never 503.
 */
#ifndef FED_GATEWAY_ERROR_MAP_H
#define FED_GATEWAY_ERROR_MAP_H

#include "base/arena.h"
#include "base/limits.h"
#include "stanza.pb-c.h"

/* The response to send. */
struct sip_failure {
	int status; /* from error_map_*_to_sip(): 300..699 */
	/* Reason-Phrase, UTF-8, safe to put on the wire, never empty */
	char phrase[LIMIT_SIP_PHRASE_BYTES + 1];
	/* URI for Contact without <>, only with 301 and 302; "": none */
	char contact[LIMIT_SIP_CONTACT_BYTES + 1];
};

/**
 * The response for a stanza error (RFC 7247 Table 2).
 *
 * <gone/> is 301 with an address that has a SIP URI, else 410; <redirect/> is
 * 302, else 480.  remote-server-not-found of type wait means "cannot be
 * resolved now".  not-authorized and registration-required are 403.  Whatever
 * says stanza-too-big is 513.
 *
 * @param e            NULL: 500
 * @param is_full_jid  the error is about a full JID: 4xx; a bare one gets the
 *                     table's 6xx (and 501), which also stops the search of a
 *                     forking proxy.  Who wants no 6xx passes true.
 * @param is_invite    the request to answer is an INVITE: 408 and 491 allowed
 */
void error_map_to_sip(const Fed__Error *e, bool is_full_jid, bool is_invite,
		      struct sip_failure *out);

/** As error_map_to_sip() for a status that was chosen elsewhere: the status'
 * own phrase, no Contact. */
void error_map_status(int status, struct sip_failure *out);

/** Reason-Phrase of a status code; that of its class when unknown. */
const char *error_map_phrase(int status);

/**
 * The stanza error for a SIP response (RFC 7247 Table 3).
 *
 * 1xx and 2xx are no error: *error_out is NULL and 0 is returned.  A status
 * outside 100..699 is treated as 500.  301 gives <gone/>, other 3xx but 380
 * give <redirect/>, both with the xmpp: URI of the Contact; without a Contact
 * that has a JID, 301 gives <gone/> without address and the others give
 * recipient-unavailable, because <redirect/> must name one (RFC 6120 8.3.3.14).
 * 423 to a SUBSCRIBE, and 401/407 where credentials exist, are to be retried
 * by the caller first.
 *
 * @param phrase       Reason-Phrase, becomes <text/>; may be empty
 * @param contact_uri  first Contact's URI without <>; may be empty
 * @param error_out    in the arena
 * @return 0; FED_ENOMEM
 */
int error_map_from_sip(int status, struct span phrase, struct span contact_uri,
		       struct arena *a, Fed__Error **error_out) FED_NODISCARD;

/* Failures without a response from the SIP side. */
enum error_map_cause {
	ERROR_MAP_TIMEOUT,   /* Timer B or F, no final response */
	ERROR_MAP_TRANSPORT, /* connection refused, broken, TLS failed */
	ERROR_MAP_DNS,	     /* the next hop has no address */
	ERROR_MAP_OVERLOAD,  /* a window, queue or table of ours is full */
	ERROR_MAP_USER_BUSY, /* too many messages wait for one user */
	ERROR_MAP_DENIED,    /* our policy */
	ERROR_MAP_LOOP,	     /* target leads back to the side it came from */
	ERROR_MAP_INTERNAL,  /* out of memory, broken invariant */
};

/** The stanza error for a cause of ours, in the arena; NULL: arena full. */
Fed__Error *error_map_from_cause(enum error_map_cause cause, struct arena *a);

/** The response for a cause of ours; 504 instead of 408 unless is_invite. */
void error_map_cause_to_sip(enum error_map_cause cause, bool is_invite,
			    struct sip_failure *out);

/**
 * Turn an error that tells whether a user exists or is online into
 * service-unavailable, for presence and iq from a sender who has no presence
 * subscription (RFC 6120 8.3.3.7, 8.3.3.13).  Other errors stay.
 */
void error_map_conceal(Fed__Error *e);

#endif
