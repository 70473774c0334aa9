/*
 * What the TLS engine found out about a connection.  Facts only: one pure
 * function decides what they are worth (edge-proxy/core/negotiation.h).
 */
#ifndef FED_BASE_TLS_FACTS_H
#define FED_BASE_TLS_FACTS_H

#include "base/span.h"

struct tls_facts {
	char version[16];	 /* "TLSv1.2" */
	char cipher[64];	 /* the suite's IANA name */
	bool is_resumed;	 /* by ticket: no certificate was sent again */
	bool has_peer_cert;	 /* the peer showed a certificate */
	bool is_chain_valid;	 /* leads to a trusted CA, in date, not revoked;
				  * says nothing about names or key usage */
	char chain_problem[128]; /* why not, for a human; "" when valid */
	struct span peer_cert_der; /* end certificate; lives as the conn */
	int64_t peer_not_after_ms; /* when that one expires, ms since 1970;
				    * 0 without one */
	char alpn[32];		   /* the protocol agreed on; "" none */
	struct span sni;	   /* SERVER: the name that was asked for, as it
				    * came; n == 0: none; lives as the conn */
};

#endif
