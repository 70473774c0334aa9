/*
 * Names of a certificate for XMPP (RFC 6120 13.7, RFC 9525): a DER walk over
 * bytes, no TLS library.
 */
#ifndef FED_EDGE_CERT_IDENTITY_H
#define FED_EDGE_CERT_IDENTITY_H

#include "base/span.h"

/**
 * Does the end certificate speak for the XMPP domain?  subjectAltName only:
 * dNSName (wildcard as whole left-most label), SRVName _xmpp-server.<domain>,
 * xmppAddr.  The common name is never looked at.  A certificate with
 * basicConstraints cA TRUE speaks for nobody (RFC 6120 13.7.1.1).
 *
 * @param der     X.509 certificate, hostile
 * @param domain  normalized domainpart (U-labels); compared as A-labels
 */
bool cert_identity_matches(struct span der, struct span domain);

/**
 * The names, for logs and operators: "dns:a.example srv:_xmpp-server.b ...".
 *
 * @return bytes written without the NUL; always terminated
 */
size_t cert_identity_describe(struct span der, char *out, size_t out_size);

#endif
