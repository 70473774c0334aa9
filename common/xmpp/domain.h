/*
 * Domainparts, with the length that the public functions of jid.h leave out.
 * Private to common/xmpp.
 */
#ifndef FED_XMPP_DOMAIN_H
#define FED_XMPP_DOMAIN_H

#include "base/span.h"

/** domain_normalize(); n_out: bytes written without the NUL. */
int domain_normalize_n(struct span in, char *out, size_t out_size,
		       size_t *n_out) FED_NODISCARD;

#endif
