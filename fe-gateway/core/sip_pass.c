/* Branches of passed requests: cookie, "f", digest of the one below, mark. */
#include "fe-gateway/core/sip_pass.h"

#include <string.h>

#define SIP_PASS_PREFIX "z9hG4bKf"

/* The first of several, which stand apart by one space; the rest is left. */
static struct span take_first(struct span *list)
{
	size_t n = 0;
	struct span first;

	while (n < list->n && list->p[n] != ' ')
		n++;
	first = span_sub(*list, 0, n);
	*list = span_sub(*list, n < list->n ? n + 1 : n, SIZE_MAX);
	return first;
}

static int digest_below(const struct sip_request_in *q,
			uint8_t sha[SHA256_BYTES])
{
	struct span rest = q->branches;
	struct span top = take_first(&rest);
	struct buf b;
	int err;

	buf_init(&b, LIMIT_SIP_BYTES);
	err = buf_printf(&b, "%u %u ", (unsigned)q->via_port,
			 (unsigned)q->cseq);
	/* RFC 2543 branches are not unique: what else is a transaction's */
	if (err == 0)
		err = buf_put_span(&b, q->source);
	if (err == 0)
		err = buf_put_byte(&b, ' ');
	if (err == 0)
		err = buf_put_span(&b, top);
	if (err == 0)
		err = buf_put_byte(&b, ' ');
	if (err == 0)
		err = buf_put_span(&b, q->call_id);
	if (err == 0)
		err = buf_put_byte(&b, ' ');
	if (err == 0)
		err = buf_put_span(&b, q->from_tag);
	if (err == 0)
		err = digest_sha256(buf_span(&b), sha);
	buf_deinit(&b);
	return err;
}

const char *sip_pass_branch(const struct sip_request_in *q, const char *mark,
			    uint8_t id_out[ID_RAW_BYTES], struct arena *a)
{
	char hex[2 * ID_RAW_BYTES + 1];
	uint8_t sha[SHA256_BYTES];

	if (digest_below(q, sha) != 0)
		return NULL;
	memcpy(id_out, sha, ID_RAW_BYTES);
	digest_hex(id_out, ID_RAW_BYTES, hex);
	return arena_printf(a, SIP_PASS_PREFIX "%s%s", hex,
			    mark != NULL ? mark : "");
}

/* A second try at another target has ".1" behind it. */
static bool is_ours(struct span branch, const char *mark)
{
	size_t at = sizeof(SIP_PASS_PREFIX) - 1 + 2 * ID_RAW_BYTES;
	size_t n = mark != NULL ? strlen(mark) : 0;

	if (branch.n < at + n ||
	    !span_eq_str(span_sub(branch, 0, sizeof(SIP_PASS_PREFIX) - 1),
			 SIP_PASS_PREFIX))
		return false;
	if (n > 0 && !span_eq_str(span_sub(branch, at, at + n), mark))
		return false;
	return branch.n == at + n || branch.p[at + n] == '.';
}

bool sip_pass_was_here(const struct sip_request_in *q, const char *mark)
{
	struct span rest = q->branches;

	if (rest.n == 0)
		return true;
	while (rest.n > 0)
		if (is_ours(take_first(&rest), mark))
			return true;
	return false;
}
