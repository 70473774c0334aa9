/*
 * Accept of SIP (RFC 3261 20.1, RFC 7231 5.3.2): is a type wanted?
 */
#ifndef FED_GATEWAY_MEDIA_RANGE_H
#define FED_GATEWAY_MEDIA_RANGE_H

#include "base/span.h"

/**
 * The list takes that type: of the ranges that match it, the one that says
 * most counts, and q=0 is a no.  An empty list takes nothing.
 *
 * @param list  all values of Accept, as one list
 * @param type  "application/pidf+xml"
 */
bool media_range_allows(struct span list, struct span type);

#endif
