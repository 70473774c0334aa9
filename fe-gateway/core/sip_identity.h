/*
 * Who a certificate says its owner is, for SIP (RFC 5922 7).  XMPP has other
 * rules: here nothing is a wildcard.
 */
#ifndef FED_GATEWAY_SIP_IDENTITY_H
#define FED_GATEWAY_SIP_IDENTITY_H

#include "base/span.h"

/* The names of a verified certificate, as bytes of its own. */
struct sip_identity {
	bool has_san;	 /* there is a subjectAltName extension */
	struct span san; /* its value: GeneralNames in DER */
	struct span cn;	 /* common name in UTF-8; empty: none */
};

/**
 * Is the owner of the certificate that SIP domain?
 *
 * RFC 5922 7.1: SIP URIs without a user in subjectAltName; when there is none,
 * its DNS names; when there is no subjectAltName at all, the common name.
 * 7.2: letter case makes no difference; a wildcard matches nothing, nor does a
 * suffix.  A host that is an address is matched with address entries too.
 *
 * @param host  the host of the URI that was to be reached, not what DNS made
 *              of it
 */
bool sip_identity_is(const struct sip_identity *id, struct span host);

/** The domain it stands for, for the log: the first that sip_identity_is()
 * would look at; empty when there is none. */
struct span sip_identity_name(const struct sip_identity *id);

#endif
