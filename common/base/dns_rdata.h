/*
 * Parts of DNS records as they are on the wire, from hostile bytes.
 */
#ifndef FED_BASE_DNS_RDATA_H
#define FED_BASE_DNS_RDATA_H

#include "base/span.h"

/**
 * A whole name, not compressed, to dotted text without a final dot; "." gives
 * the empty text.  Only bytes of host names and "_" pass.
 *
 * @return 0; FED_EINVAL
 */
int dns_rdata_name(struct span in, char *out, size_t out_size) FED_NODISCARD;

/** Two octets in network order. */
uint16_t dns_rdata_u16(const char *p);

#endif
