/* DER walk of hostile certificates. */
#include "edge-proxy/core/cert_facts.h"
#include "edge-proxy/core/cert_identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span der = span_of(data, size);
	const struct tls_facts tls = {.has_peer_cert = true,
				      .is_chain_valid = true,
				      .peer_cert_der = der};
	struct cert_facts facts;
	char text[128];

	(void)cert_identity_matches(der, SPAN_LIT("peer.example"));
	(void)cert_identity_matches(der, SPAN_LIT("b\xc3\xbc.example"));
	FED_REQUIRE(cert_identity_describe(der, text, sizeof(text)) <
		    sizeof(text));
	FED_REQUIRE(cert_facts_read(der, &facts) == 0 ||
		    facts.issuer[sizeof(facts.issuer) - 1] == '\0');
	(void)cert_facts_judge(&tls, SPAN_LIT("peer.example"),
			       INT64_C(1795659011000), text, sizeof(text));
	return 0;
}
