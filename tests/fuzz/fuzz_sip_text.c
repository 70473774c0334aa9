/* Request lines and CSeq: parts lie inside the line and are what they are
 * called. */
#include <stdint.h>
#include <stdlib.h>

#include "fe-gateway/core/sip_text.h"

static void require(bool is_right)
{
	if (!is_right)
		abort();
}

static bool lies_in(struct span part, struct span whole)
{
	return part.n == 0 ||
	       (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct sip_text_line line;
	struct span method;
	uint32_t number;

	if (sip_text_request_line(in, &line) == 0) {
		require(sip_text_is_token(line.method));
		require(lies_in(line.method, in) && lies_in(line.uri, in) &&
			lies_in(line.version, in));
		require(line.method.p + line.method.n < line.uri.p);
		require(line.uri.p + line.uri.n < line.version.p);
		require(line.is_uri == sip_text_is_solid(line.uri));
	}
	if (sip_text_cseq(in, &number, &method) == 0)
		require(sip_text_is_token(method) && lies_in(method, in));
	return 0;
}
