/*
 * COMPAT(sofia-sip, 1.12.11): two of its parsers, replaced by name.
 *
 * Its own refuse a method with a character such as "`" or "+", and a request
 * whose Request-URI is malformed never reaches us: it is dropped without an
 * answer, so that the sender waits out his timers.  The library calls these
 * two through its symbol table, where the executable comes first (-rdynamic);
 * should that end, the gateway does not start.
 */
#include "fe-gateway/sip_adapter.h"
#include "fe-gateway/sip_adapter_read.h"

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/url.h>

#include "fe-gateway/core/sip_text.h"

/* The text of `part` as a string: what follows it in `s` is a separator. */
static char *end_string(char *s, struct span part)
{
	char *start = s + (part.p - s);

	start[part.n] = '\0';
	return start;
}

static void set_method(struct span name, char *s, sip_method_t *code_out,
		       char const **name_out)
{
	const char *text = end_string(s, name);
	sip_method_t code = sip_method_code(text);

	/* one with a character that the library does not take is unknown */
	*code_out = code > 0 ? code : sip_method_unknown;
	*name_out = code > 0 ? sip_method_name(code, text) : text;
}

issize_t sip_request_d(su_home_t *home, msg_header_t *h, char *s, isize_t n)
{
	sip_request_t *rq = (sip_request_t *)h;
	struct sip_text_line line;
	char *version, *uri;

	if (sip_text_request_line(span_of(s, (size_t)n), &line) != 0)
		return -1;
	version = end_string(s, line.version);
	uri = end_string(s, line.uri);
	set_method(line.method, s, &rq->rq_method, &rq->rq_method_name);
	if (!line.is_uri || url_d(rq->rq_url, uri) < 0) {
		uri = su_strdup(home, SIP_ADAPTER_BAD_URI);
		if (uri == NULL || url_d(rq->rq_url, uri) < 0)
			return -1;
	}
	return sip_version_d(&version, &rq->rq_version) < 0 ? -1 : 0;
}

issize_t sip_cseq_d(su_home_t *home, msg_header_t *h, char *s, isize_t n)
{
	sip_cseq_t *cs = (sip_cseq_t *)h;
	struct span method;

	(void)home;
	if (sip_text_cseq(span_of(s, (size_t)n), &cs->cs_seq, &method) != 0)
		return -1;
	set_method(method, s, &cs->cs_method, &cs->cs_method_name);
	return 0;
}

bool sip_adapter_parse_is_in_place(void)
{
	return sip_request_class->hc_parse == sip_request_d &&
	       sip_cseq_class->hc_parse == sip_cseq_d;
}
