/*
 * PRECIS (RFC 8264) string classes and the two profiles that JIDs use
 * (RFC 8265).  Private to common/xmpp; the username profile is also in jid.h.
 */
#ifndef FED_XMPP_PRECIS_H
#define FED_XMPP_PRECIS_H

#include "base/span.h"

/* Most code points of one part that are looked at: every one of them is at
 * least one byte of the result, composition included but for a few marks. */
enum { PRECIS_MAX_POINTS = 1023 };

/**
 * The username profile as precis_fold_username() describes it.
 *
 * @param out    out_size bytes, NUL-terminated
 * @param n_out  bytes without the NUL
 */
int precis_username(struct span in, char *out, size_t out_size,
		    size_t *n_out) FED_NODISCARD;

/**
 * The OpaqueString profile (RFC 8265 4.2): other spaces to U+0020, NFC,
 * FreeformClass.  Parameters and errors as precis_username().
 */
int precis_opaque(struct span in, char *out, size_t out_size,
		  size_t *n_out) FED_NODISCARD;

/**
 * The text unchanged, when nothing in it can do harm: UTF-8 without controls,
 * line or paragraph separators and noncharacters.  Parameters and errors as
 * precis_username().
 */
int precis_verbatim(struct span in, char *out, size_t out_size,
		    size_t *n_out) FED_NODISCARD;

/**
 * The mapping of a domain name before IDNA2008 (RFC 5895 2): width, lower
 * case, NFC, ideographic full stop.  Parameters and errors as
 * precis_username(); nothing is checked but UTF-8.
 */
int precis_map_domain(struct span in, char *out, size_t out_size,
		      size_t *n_out) FED_NODISCARD;

#endif
