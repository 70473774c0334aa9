/*
 * Text that a SIP user agent wrote, made fit for a stanza: UTF-8, only
 * characters of XML 1.0, no markup.
 */
#ifndef FED_GATEWAY_CHARSET_H
#define FED_GATEWAY_CHARSET_H

#include "base/buf.h"

/**
 * Append `in` as UTF-8 without the characters that XML 1.0 forbids (section
 * 2.2) and without a byte order mark.
 *
 * @param charset  name from Content-Type, any case; empty: UTF-8 (RFC 3261
 *                 7.4.1)
 * @return 0; FED_ENOTFOUND a charset we do not take; FED_EENCODING the bytes
 *         are not of that charset; FED_ELIMIT; FED_ENOMEM
 */
int charset_to_text(struct span in, struct span charset,
		    struct buf *out) FED_NODISCARD;

/**
 * Append UTF-8 text without what XML 1.0 forbids.
 *
 * @return 0; FED_EENCODING not UTF-8; FED_ELIMIT; FED_ENOMEM
 */
int charset_strip(struct span utf8, struct buf *out) FED_NODISCARD;

/**
 * Append the text of an HTML document: tags dropped, <br> and block ends as
 * line ends, white space folded, character references decoded.
 *
 * @param html  UTF-8, as charset_to_text() gives it
 * @return 0; FED_ELIMIT; FED_ENOMEM
 */
int charset_html_to_text(struct span html, struct buf *out) FED_NODISCARD;

#endif
