/* Decisions of stream negotiation. */
#include "edge-proxy/core/negotiation.h"

#include "edge-proxy/core/cert_identity.h"

/*
 * The 18 rows of the three settings (TLS, SASL, dialback) in four lines:
 * - EXTERNAL needs TLS;
 * - TLS and SASL both required: dialback does not operate;
 * - TLS required never falls back to plain TCP;
 * - SASL required while TLS is not: doubtful, but where dialback is switched
 *   on it stays possible.
 * Dialback required (not in the table) means: a certificate is not enough,
 * unless SASL is required as well.
 */
unsigned negotiation_methods(const struct policy_partner *rule)
{
	bool has_tls = rule->tls != POLICY_OFF;
	bool is_strict =
		rule->tls == POLICY_REQUIRED && rule->sasl == POLICY_REQUIRED;
	bool has_dialback = rule->dialback != POLICY_OFF && !is_strict;
	bool has_sasl = has_tls && rule->sasl != POLICY_OFF;
	unsigned set = 0;

	if (rule->dialback == POLICY_REQUIRED && rule->sasl != POLICY_REQUIRED)
		has_sasl = false;
	if (has_sasl)
		set |= NEGOTIATION_SASL_TLS;
	if (has_dialback && has_tls)
		set |= NEGOTIATION_TLS_DIALBACK;
	if (has_dialback && rule->tls != POLICY_REQUIRED)
		set |= NEGOTIATION_TCP_DIALBACK;
	return set;
}

static bool has(const struct policy_partner *rule, unsigned method)
{
	return (negotiation_methods(rule) & method) != 0;
}

bool negotiation_is_trusted(const struct tls_facts *tls, struct span domain)
{
	return tls != NULL && tls->has_peer_cert && tls->is_chain_valid &&
	       cert_identity_matches(tls->peer_cert_der, domain);
}

bool negotiation_allows_dialback(const struct policy_partner *rule,
				 const struct tls_facts *tls)
{
	return has(rule, tls != NULL ? NEGOTIATION_TLS_DIALBACK
				     : NEGOTIATION_TCP_DIALBACK);
}

struct negotiation_offer negotiation_offer(const struct policy_partner *rule,
					   const struct tls_facts *tls,
					   struct span domain)
{
	struct negotiation_offer offer = {0};

	/* RFC 6120 4.7.1: `from` may be absent before TLS; then only TLS can
	 * lead further */
	if (rule == NULL) {
		offer.starttls = tls == NULL;
		offer.is_starttls_required = offer.starttls;
		return offer;
	}
	offer.dialback = negotiation_allows_dialback(rule, tls);
	if (tls != NULL) {
		offer.external = has(rule, NEGOTIATION_SASL_TLS) &&
				 negotiation_is_trusted(tls, domain);
		offer.bidi = offer.external || offer.dialback;
		return offer;
	}
	offer.starttls =
		has(rule, NEGOTIATION_SASL_TLS | NEGOTIATION_TLS_DIALBACK);
	/* without TCP dialback there is no other way than TLS */
	offer.is_starttls_required = offer.starttls && !offer.dialback;
	/* as for any feature: only where the stream may go on without TLS */
	offer.bidi = offer.dialback;
	return offer;
}

static enum negotiation_step next_clear(const struct policy_partner *rule,
					const struct negotiation_view *view)
{
	bool can_tls =
		view->has_version &&
		has(rule, NEGOTIATION_SASL_TLS | NEGOTIATION_TLS_DIALBACK);

	if (can_tls && view->has_starttls)
		return NEGOTIATION_STARTTLS;
	if (has(rule, NEGOTIATION_TCP_DIALBACK))
		return NEGOTIATION_DIALBACK;
	/* RFC 7590 3.1: not deterred by a missing offer, which somebody in
	 * between may have taken away */
	return can_tls ? NEGOTIATION_STARTTLS : NEGOTIATION_GIVE_UP;
}

enum negotiation_step negotiation_next(const struct policy_partner *rule,
				       const struct negotiation_view *view)
{
	if (view->tls == NULL)
		return next_clear(rule, view);
	if (has(rule, NEGOTIATION_SASL_TLS) && view->has_external &&
	    view->has_own_cert && !view->is_external_refused)
		return NEGOTIATION_EXTERNAL;
	if (has(rule, NEGOTIATION_TLS_DIALBACK))
		return NEGOTIATION_DIALBACK;
	return NEGOTIATION_GIVE_UP;
}

bool negotiation_accepts_peer(const struct policy_partner *rule,
			      const struct tls_facts *tls, struct span domain)
{
	return has(rule, NEGOTIATION_TLS_DIALBACK) ||
	       negotiation_is_trusted(tls, domain);
}

bool negotiation_wants_bidi(const struct policy_partner *rule,
			    const struct tls_facts *tls, struct span domain)
{
	return has(rule, NEGOTIATION_SASL_TLS) &&
	       negotiation_is_trusted(tls, domain);
}
