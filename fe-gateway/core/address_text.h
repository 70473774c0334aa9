/*
 * The two kinds of escapes: percent-encoding (RFC 3986 2.1) with the character
 * sets of each place, and XEP-0106.  Private to the address functions.
 */
#ifndef FED_GATEWAY_ADDRESS_TEXT_H
#define FED_GATEWAY_ADDRESS_TEXT_H

#include "base/limits.h"
#include "base/span.h"

/* Decoded userinfo before the fold, where a fullwidth letter has 3 bytes. */
enum { ADDRESS_DECODED_BYTES = 3 * LIMIT_JID_PART_BYTES };

/* Where encoded text is to stand; each has its set of bare characters. */
enum address_place {
	ADDRESS_PLACE_SIP_USER,	 /* RFC 3261 25, user */
	ADDRESS_PLACE_SIP_GR,	 /* RFC 3261 25, paramchar */
	ADDRESS_PLACE_IM_USER,	 /* RFC 7247 table 1, and RFC 3986 */
	ADDRESS_PLACE_XMPP_NODE, /* RFC 5122 2.2, nodeid */
	ADDRESS_PLACE_XMPP_RES,	 /* RFC 5122 2.2, resid */
};

/** Bytes that address_encode() will write. */
size_t address_encoded_bytes(struct span in, enum address_place place);

/** Percent-encode; returns the end of what was written at out. */
char *address_encode(struct span in, enum address_place place, char *out);

/**
 * Percent-decode to UTF-8 text without control characters.
 *
 * @param out  ADDRESS_DECODED_BYTES + 1 bytes, NUL-terminated
 * @return 0; FED_EINVAL; FED_ELIMIT
 */
int address_decode(struct span in, char *out, size_t *n_out) FED_NODISCARD;

/**
 * XEP-0106: escape what localparts cannot hold.
 *
 * @param out  LIMIT_JID_PART_BYTES + 1 bytes, NUL-terminated
 * @return 0; FED_ENOTFOUND begins or ends with a space, which has no escape
 *         there; FED_ELIMIT
 */
int address_escape(struct span in, char *out, size_t *n_out) FED_NODISCARD;

/**
 * XEP-0106: take the escapes back, once, from left to right.
 *
 * @param out  in.n + 1 bytes, NUL-terminated
 */
void address_unescape(struct span in, char *out, size_t *n_out);

#endif
