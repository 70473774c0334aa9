/*
 * Text of a SIP request that is looked at before the SIP library does.
 */
#ifndef FED_GATEWAY_SIP_TEXT_H
#define FED_GATEWAY_SIP_TEXT_H

#include "base/err.h"
#include "base/span.h"

/* A request line in its parts; spans point into the line. */
struct sip_text_line {
	struct span method;
	struct span uri; /* whatever stands there; is_uri says if it can be */
	struct span version;
	bool is_uri; /* without white space and controls */
};

/**
 * Cut a request line (RFC 3261 7.1), CRLF taken off.  Several spaces where one
 * belongs are taken (RFC 4475 3.1.2.9, 3.1.2.10), a Request-URI that is none
 * is not looked into.
 *
 * @return 0; FED_EINVAL not the first line of a request
 */
int sip_text_request_line(struct span line,
			  struct sip_text_line *out) FED_NODISCARD;

/**
 * Cut the value of CSeq.
 *
 * @return 0; FED_EINVAL not digits and a method, or above 2^32 - 1
 */
int sip_text_cseq(struct span value, uint32_t *number_out,
		  struct span *method_out) FED_NODISCARD;

/** A token of RFC 3261 25.1, which a method is. */
bool sip_text_is_token(struct span s);

/** Free of white space and controls, and not empty. */
bool sip_text_is_solid(struct span s);

/** A language tag, at most LIMIT_LANG_BYTES: subtags of one to eight letters,
 * or digits behind the first, as RFC 5646 and XML Schema have them. */
bool sip_text_is_language(struct span s);

#endif
