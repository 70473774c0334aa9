/* Names of SIP certificates: a match must be spelled out in the bytes. */
#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/sip_identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sip_identity id = {.has_san = true, .san = span_of(data, size)};
	struct span name = sip_identity_name(&id);

	if (name.n > size)
		abort();
	(void)sip_identity_is(&id, SPAN_LIT("192.0.2.1"));
	/* it takes nine bytes to spell it */
	if (sip_identity_is(&id, SPAN_LIT("a.example")) && size < 9)
		abort();
	/* no name that is written with a wildcard */
	if (sip_identity_is(&id, SPAN_LIT("*.example")))
		abort();
	id.has_san = false;
	id.cn = id.san;
	(void)sip_identity_is(&id, SPAN_LIT("a.example"));
	return 0;
}
