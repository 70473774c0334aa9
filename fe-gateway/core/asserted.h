/*
 * P-Asserted-Identity (RFC 3325): who the sender is, as a trusted proxy says.
 */
#ifndef FED_GATEWAY_ASSERTED_H
#define FED_GATEWAY_ASSERTED_H

#include "base/span.h"

/**
 * The first sip: URI of the header's value, without <>; its tel: URI is of no
 * use here.
 *
 * @return points into value; empty: none, or the value is malformed
 */
struct span asserted_sip_uri(struct span value);

#endif
