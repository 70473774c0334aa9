/* DER walk of hostile certificates. */
#include "edge-proxy/core/cert_identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span der = span_of(data, size);
	char text[128];

	(void)cert_identity_matches(der, SPAN_LIT("peer.example"));
	(void)cert_identity_matches(der, SPAN_LIT("b\xc3\xbc.example"));
	FED_REQUIRE(cert_identity_describe(der, text, sizeof(text)) <
		    sizeof(text));
	return 0;
}
