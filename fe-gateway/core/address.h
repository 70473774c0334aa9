/*
 * Addresses of both sides (RFC 7247 section 6, XEP-0106, RFC 5627): SIP, im
 * and pres URIs to JIDs and back.  For every JID either the way there and back
 * is the identity, or the way there is refused: no two JIDs share a URI.
 */
#ifndef FED_GATEWAY_ADDRESS_H
#define FED_GATEWAY_ADDRESS_H

#include "base/buf.h"
#include "xmpp/jid.h"
#include "stanza.pb-c.h"

enum address_scheme {
	ADDRESS_SIP,
	ADDRESS_SIPS,
	ADDRESS_IM,
	ADDRESS_PRES,
};

/* A URI cut in its parts; spans are borrowed from the URI's text. */
struct address_uri {
	enum address_scheme scheme;
	struct span user; /* percent-encoded, no password; empty: none */
	struct span host; /* as written, an IPv6 literal with its brackets */
	uint32_t port;	  /* 0: none */
	struct span gr;	  /* percent-encoded value of gr=; empty: none */
	bool has_gr;	  /* there is a gr parameter, with a value or without */
};

/**
 * Cut a URI (no angle brackets, no display name).  Nothing is decoded.
 *
 * @return 0; FED_EPROTO  a scheme we do not translate (tel:, http:, xmpp:)
 *         FED_EINVAL  malformed
 */
int address_uri_split(struct span uri, struct address_uri *out) FED_NODISCARD;

/**
 * The JID of a sip:, im: or pres: URI; a public GRUU gives a full JID, all
 * else a bare one, and a URI without userinfo a domain.
 *
 * @return 0, or with the SIP answer for a target / for a sender
 *         (address_error_status() knows these):
 *         FED_EDENIED   sips: is never translated (RFC 7247 8): 480 with
 *                       "Warning: 380 <host> \"SIPS Not Allowed\""
 *         FED_EPROTO    another scheme: 416 / 400
 *         FED_EINVAL    malformed URI, bad percent-encoding, not UTF-8,
 *                       control character, bad host: 400 / 400
 *         FED_ENOTFOUND well-formed, but no JID can express it: 404 / 400
 *         FED_ELIMIT    a part is over 1023 bytes: 414 / 400
 *         FED_ENOMEM    500 / 500
 */
int address_uri_to_jid(struct span uri, struct jid *jid_out) FED_NODISCARD;

/**
 * SIP status for an error of address_uri_to_jid().
 *
 * @param is_target  the URI was the Request-URI or To; false: From
 */
int address_error_status(int err, bool is_target);

/**
 * Append the URI of a JID, the resource as ;gr= (sip and sips only; im and
 * pres have no place for it).  In a header it always stands inside <>.
 *
 * @param jid     JID text, normalized here
 * @param out     gets at most LIMIT_SIP_URI_BYTES; content is as before when
 *                this fails
 * @return 0; FED_EINVAL not a JID, or an escape no gateway would have made,
 *         so that the way back would not lead here: jid-malformed
 *         FED_ELIMIT a part is too long (jid-malformed), or `out` is full
 *         FED_ENOMEM
 */
int address_jid_to_uri(struct span jid, enum address_scheme scheme,
		       struct buf *out) FED_NODISCARD;

/**
 * As address_jid_to_uri(), without the resource: the address of record for
 * To headers, presentity and watcher URIs.
 */
int address_jid_to_aor(struct span jid, enum address_scheme scheme,
		       struct buf *out) FED_NODISCARD;

/** Stanza error condition for an error of address_jid_to_*(). */
Fed__Condition address_error_condition(int err);

/**
 * The URI's host as an XMPP domain (lower case, U-labels); any scheme of
 * enum address_scheme, sips: included.
 *
 * @param out  LIMIT_DOMAIN_BYTES + 1 bytes are always enough
 * @return as address_uri_split(); FED_EINVAL, FED_ELIMIT a bad host
 */
int address_uri_domain(struct span uri, char *out,
		       size_t out_size) FED_NODISCARD;

/** As address_uri_domain(), in ASCII (A-labels) for SIP and DNS. */
int address_uri_domain_ascii(struct span uri, char *out,
			     size_t out_size) FED_NODISCARD;

/** Same host: case, a trailing dot and A- or U-labels make no difference.
 * A malformed host equals nothing. */
bool address_host_eq(struct span a, struct span b);

/** Both URIs are of the same JID without resource: same user and host as the
 * XMPP side sees it.  URIs that have no JID equal nothing. */
bool address_uri_same_user(struct span a, struct span b);

/**
 * Append the SIP URI of an xmpp: IRI or URI (RFC 5122) or of a sip: URI, as
 * found in <gone/> and <redirect/>.  Authority, query and fragment are dropped.
 *
 * @return as address_jid_to_uri(); FED_EPROTO another scheme
 */
int address_iri_to_uri(struct span iri, struct buf *out) FED_NODISCARD;

/**
 * Append the xmpp: URI (RFC 5122) of a sip:, im: or pres: URI.
 *
 * @return as address_uri_to_jid(); FED_ELIMIT also when `out` is full
 */
int address_uri_to_iri(struct span uri, struct buf *out) FED_NODISCARD;

#endif
