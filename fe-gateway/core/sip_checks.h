/*
 * What a request must pass before it is worked on, in the order of RFC 3261
 * 8.2: who sent it, method, Request-URI, Require, content.
 *
 * SUBSCRIBE and NOTIFY with a To tag belong to a dialog, or say so: whose they
 * are, and 481, is for those who know the dialogs.
 */
#ifndef FED_GATEWAY_SIP_CHECKS_H
#define FED_GATEWAY_SIP_CHECKS_H

#include "fe-gateway/core/sip_types.h"

struct sip_checks_params {
	const char *const *domains; /* SIP domains, as domain_normalize() */
	size_t domain_count;
	const char *const *trusted; /* IP addresses as inet_ntop() has them */
	size_t trusted_count;
};

enum sip_checks_verdict {
	SIP_CHECKS_PASS,      /* MESSAGE, SUBSCRIBE, NOTIFY to work on */
	SIP_CHECKS_DROP,      /* a stray ACK: no answer at all */
	SIP_CHECKS_UNTRUSTED, /* reply holds 403; counted apart */
	SIP_CHECKS_REPLY,     /* reply holds the final response */
};

/**
 * Check all that needs no state.  *why_out is a word for the log.
 *
 * @param is_merged  a transaction with the same From tag, Call-ID and CSeq is
 *                   open (RFC 3261 8.2.2.2)
 */
enum sip_checks_verdict sip_checks(const struct sip_checks_params *p,
				   const struct sip_request_in *r,
				   bool is_merged, struct sip_reply *reply_out,
				   const char **why_out);

/** The request comes from who may send, by its address or over TLS. */
bool sip_checks_may_send(const struct sip_checks_params *p,
			 const struct sip_request_in *r);

/** Requests from that address are taken. */
bool sip_checks_is_trusted(const struct sip_checks_params *p,
			   struct span source);

/** The domain is one of ours (normalized text). */
bool sip_checks_is_ours(const struct sip_checks_params *p, struct span domain);

#endif
