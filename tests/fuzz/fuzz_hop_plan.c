/*
 * RFC 3263 over hostile DNS: the first byte chooses URI and transports, then a
 * row of records, each behind a length byte, is the answer to every question
 * of a stage in turn.  What comes out must be usable.
 */
#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/hop_plan.h"

static const char *const URIS[] = {
	"sip:example.net",
	"sips:example.net",
	"sip:example.net;transport=tcp",
	"sip:example.net:5070",
};

static void check_found(const struct hop_plan *p)
{
	if (p->count == 0 || p->count > LIMIT_HOP_TARGETS)
		abort();
	for (size_t i = 0; i < p->count; i++) {
		const struct sip_target *t = &p->found[i].target;

		if (t->port == 0 || !hop_uri_is_ip(t->ip) ||
		    (p->transports & (1u << t->transport)) == 0)
			abort();
	}
}

/* One stage: records go to the questions in turn. */
static void answer(struct hop_plan *p, const uint8_t **data, size_t *size)
{
	for (size_t i = 0; *size > 0 && i < 64; i++) {
		size_t n = **data;

		(*data)++;
		(*size)--;
		if (n == 0xFF) /* the next stage */
			return;
		if (n > *size)
			n = *size;
		hop_plan_record(p, i % p->question_count, span_of(*data, n),
				(uint32_t)n);
		*data += n;
		*size -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hop_plan p;
	enum hop_plan_state state;
	struct hop_uri uri;

	if (size == 0 || hop_uri_parse(span_str(URIS[data[0] & 3u]), &uri) != 0)
		return 0;
	state = hop_plan_begin(&p, &uri, (unsigned)data[0] >> 2 & 7u);
	data++;
	size--;
	for (int stage = 0; state == HOP_PLAN_ASK; stage++) {
		if (stage == 4 || p.question_count == 0 ||
		    p.question_count > HOP_PLAN_QUESTIONS)
			abort();
		answer(&p, &data, &size);
		state = hop_plan_step(&p);
	}
	if (state == HOP_PLAN_FOUND)
		check_found(&p);
	return 0;
}
