/*
 * COMPAT(sofia-sip, 1.12.11): what its TLS lacks.  It keeps 36 KB of every
 * connection that closes and the names of each certificate, sends no
 * certificate chain, accepts TLS 1.0, leaves errors of one connection in the
 * queue that all share, and compares names too loosely.  Four functions of
 * OpenSSL are replaced for the whole process; they act on contexts that were
 * made between sip_tls_compat_begin() and _end() only, and are OpenSSL's own
 * for everybody else.
 */
#ifndef FED_GATEWAY_SIP_TLS_COMPAT_H
#define FED_GATEWAY_SIP_TLS_COMPAT_H

#include <stddef.h>
#include <stdint.h>

#include "fe-gateway/core/sip_identity.h"

/* The peer of a handshake. */
struct sip_tls_peer {
	const char *ip;	  /* as inet_ntop() prints it */
	const char *host; /* the URI's host that was dialled; NULL: it dialled
			   * us */
	struct sip_identity identity; /* of a certificate that is valid */
	const char *problem; /* NULL; or why the certificate is not valid:
			      * nothing can be said then but no */
};

/** May this peer have the connection?  Asked once in each handshake, in the
 * thread of the SIP library. */
typedef bool (*sip_tls_compat_fn)(void *arg, const struct sip_tls_peer *peer);

/**
 * Until _end(), contexts that this thread loads a certificate into are the
 * SIP library's.
 *
 * @param fn,arg  for all their handshakes; arg outlives the contexts
 * @return 0; FED_EIO OpenSSL refuses
 */
int sip_tls_compat_begin(sip_tls_compat_fn fn, void *arg) FED_NODISCARD;

/** @return how many contexts got a certificate, its chain and its key */
size_t sip_tls_compat_end(void);

/**
 * Connections that this thread dials from now on are to this host of a URI;
 * NULL: none may be dialled.
 *
 * @param host  borrowed until the next call
 */
void sip_tls_compat_dial(const char *host);

/** All open connections that were dialled to that address are to a peer whose
 * certificate also stands for host; true when there is none. */
bool sip_tls_compat_may_reuse(const char *ip, uint16_t port, const char *host);

/** Shut down connections that did not end their handshake between two calls.
 * @return how many */
size_t sip_tls_compat_end_slow(void);

#endif
