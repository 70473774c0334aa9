/*
 * The decisions of stream negotiation, pure: which ways of authentication a
 * partner's rule leaves, what is offered, what comes next.
 */
#ifndef FED_EDGE_NEGOTIATION_H
#define FED_EDGE_NEGOTIATION_H

#include "base/tls_facts.h"
#include "edge-proxy/core/policy.h"

/* Ways to authenticate a domain pair; a set of bits. */
enum {
	NEGOTIATION_SASL_TLS = 1u,     /* EXTERNAL over TLS (XEP-0178) */
	NEGOTIATION_TLS_DIALBACK = 2u, /* XEP-0220 over TLS */
	NEGOTIATION_TCP_DIALBACK = 4u, /* XEP-0220 in the clear */
};

/** The ways that a rule allows; 0: the rule contradicts itself. */
unsigned negotiation_methods(const struct policy_partner *rule);

/** The end certificate leads to a trusted CA and speaks for the domain. */
bool negotiation_is_trusted(const struct tls_facts *tls, struct span domain);

/** Dialback is allowed here; tls NULL: the stream is in the clear. */
bool negotiation_allows_dialback(const struct policy_partner *rule,
				 const struct tls_facts *tls);

/* What the receiving entity puts into its features. */
struct negotiation_offer {
	bool starttls;
	bool is_starttls_required;
	bool external;
	bool dialback;
	bool bidi;
};

/**
 * Features for a peer (RFC 6120 4.3.2, XEP-0178 3, XEP-0220 2.4.1, XEP-0288
 * 2.1).  Nothing offered: the rule leaves no way in, policy-violation.
 *
 * @param rule    NULL: the peer did not say yet who it is (clear only)
 * @param tls     NULL: in the clear
 * @param domain  peer domain, for its certificate
 */
struct negotiation_offer negotiation_offer(const struct policy_partner *rule,
					   const struct tls_facts *tls,
					   struct span domain);

/* What the initiating entity does next. */
enum negotiation_step {
	NEGOTIATION_STARTTLS,
	NEGOTIATION_EXTERNAL,
	NEGOTIATION_DIALBACK,
	NEGOTIATION_GIVE_UP,
};

struct negotiation_view {
	const struct tls_facts *tls; /* NULL: in the clear */
	bool has_starttls;	     /* the peer offers it */
	bool has_external;	     /* the peer offers it */
	bool has_version;	     /* 1.0: STARTTLS and SASL exist */
	bool has_own_cert;	     /* we can show one */
	bool is_external_refused;    /* tried in vain */
};

/** Next step of the initiating entity after the peer's features. */
enum negotiation_step negotiation_next(const struct policy_partner *rule,
				       const struct negotiation_view *view);

/** After the handshake: may we go on with this peer's certificate?  An
 * untrusted one will do where the rule allows dialback, which proves nothing
 * about the receiving entity either. */
bool negotiation_accepts_peer(const struct policy_partner *rule,
			      const struct tls_facts *tls, struct span domain);

/**
 * May the initiating entity ask for bidi (XEP-0288)?  It takes stanzas of
 * `domain` on a stream that it opened itself, so the receiving entity must have
 * proved who it is.  Only its certificate does, where the rule trusts
 * certificates; dialback proves the initiating entity alone.
 */
bool negotiation_wants_bidi(const struct policy_partner *rule,
			    const struct tls_facts *tls, struct span domain);

#endif
