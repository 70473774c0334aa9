/*
 * SRV records from hostile DNS: the input is a row of RDATA, each behind a
 * length byte.  What parses must be plain text and must survive the ordering.
 */
#include <stdlib.h>
#include <string.h>

#include "edge-proxy/core/srv_plan.h"

enum { MAX_RECORDS = 3 * LIMIT_SRV_TARGETS };

static void check_plan(const struct srv_plan *p)
{
	if (p->count > LIMIT_SRV_TARGETS)
		abort();
	for (size_t i = 0; i < p->count; i++) {
		if (p->rec[i].target[0] == '\0' || p->rec[i].port == 0)
			abort();
		if (i > 0 && p->rec[i].priority < p->rec[i - 1].priority)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct srv_record r[MAX_RECORDS];
	struct srv_plan p;
	size_t count = 0;
	size_t at = 0;

	while (at < size && count < MAX_RECORDS) {
		size_t n = data[at++];

		if (n > size - at)
			n = size - at;
		if (srv_record_parse(span_of(data + at, n), count % 2 == 1,
				     &r[count]) == 0) {
			if (memchr(r[count].target, '\0',
				   sizeof(r[count].target)) == NULL)
				abort();
			count++;
		}
		at += n;
	}
	if (srv_plan_make(&p, r, count, SPAN_LIT("a.example"), size) ==
	    SRV_TARGETS)
		check_plan(&p);
	return 0;
}
