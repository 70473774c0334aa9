/* A dial in words. */
#include "edge-proxy/core/dial_note.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* ---- DNS ----------------------------------------------------------------- */

/* A line that fits a step; what is longer is cut. */
static void note_line(const struct dial_note *n, uint64_t now_ms,
		      enum attempt_level level, const struct buf *b)
{
	struct span s = buf_span(b);
	int cut = (int)(s.n < LIMIT_ATTEMPT_TEXT ? s.n : LIMIT_ATTEMPT_TEXT);

	if (s.n > 0)
		attempts_note(n->attempts, n->attempt, now_ms, level, "dns",
			      "%.*s", cut, s.p);
}

void dial_note_dns(const struct dial_note *n, uint64_t now_ms,
		   const struct dns_facts *f, bool is_secure,
		   const char *problem)
{
	struct buf b;

	if (n->attempts == NULL)
		return;
	/* LIMIT: of 16 targets with 16 addresses */
	buf_init(&b, 32u * 1024u);
	if (f != NULL) {
		dns_facts_put_records(&b, f);
		if (is_secure)
			buf_put_str(&b, " (secured by DNSSEC)");
		note_line(n, now_ms, ATTEMPT_INFO, &b);
		buf_reset(&b);
		dns_facts_put_addresses(&b, f);
		note_line(n, now_ms, ATTEMPT_INFO, &b);
	}
	buf_deinit(&b);
	if (problem != NULL)
		attempts_note(n->attempts, n->attempt, now_ms, ATTEMPT_BAD,
			      "dns", "%s", problem);
}

/* ---- addresses ----------------------------------------------------------- */

static const char *tls_of(const struct dial_note_address *a)
{
	return a->is_direct_tls ? ", direct TLS" : "";
}

void dial_note_up(const struct dial_note *n, uint64_t now_ms,
		  const struct dial_note_address *a)
{
	attempts_note_since(n->attempts, n->attempt, now_ms, a->since_ms,
			    ATTEMPT_GOOD, "tcp", "%s (%s%s): connected",
			    a->address, log_value(span_str(a->host)).text,
			    tls_of(a));
}

enum dial_fate dial_note_failed(const struct dial_note *n, uint64_t now_ms,
				const struct dial_note_address *a,
				const char *text)
{
	attempts_note_since(n->attempts, n->attempt, now_ms, a->since_ms,
			    ATTEMPT_WARN, "tcp", "%s (%s%s): %s", a->address,
			    log_value(span_str(a->host)).text, tls_of(a), text);
	if (strstr(text, "refused") != NULL)
		return DIAL_FATE_REFUSED;
	return strstr(text, "timed out") != NULL ? DIAL_FATE_SILENT
						 : DIAL_FATE_OTHER;
}

/* ---- the end ------------------------------------------------------------- */

static void whose(const struct dial_note_end *end, char *out, size_t out_size)
{
	struct log_value host = log_value(span_str(end->host));

	if (end->is_host)
		(void)snprintf(out, out_size, "the host %s", host.text);
	else if (end->is_fallback)
		(void)snprintf(out, out_size,
			       "DNS has no SRV records, and the domain's own "
			       "address");
	else if (end->tried > 1 && end->fate == DIAL_FATE_NONE)
		(void)snprintf(out, out_size,
			       "SRV points to %zu addresses that cannot be "
			       "connected to; the last, %s,",
			       end->tried, host.text);
	else if (end->tried > 1)
		(void)snprintf(out, out_size,
			       "SRV points to %zu addresses, and each (the "
			       "last is %s)",
			       end->tried, host.text);
	else
		(void)snprintf(out, out_size, "SRV points to a host that");
}

void dial_note_lost(const struct dial_note *n, uint64_t now_ms,
		    const struct dial_note_end *end)
{
	char subject[LIMIT_ATTEMPT_TEXT];
	bool is_refused = strstr(end->text, "refused") != NULL;
	bool is_silent = strstr(end->text, "timed out") != NULL;

	if (n->attempts == NULL)
		return;
	whose(end, subject, sizeof(subject));
	if (is_refused || is_silent)
		attempts_note(n->attempts, n->attempt, now_ms, ATTEMPT_BAD,
			      "tcp", "%s %s port %u", subject,
			      is_refused ? "refuses" : "does not answer on",
			      end->port);
	else
		attempts_note(n->attempts, n->attempt, now_ms, ATTEMPT_BAD,
			      "tcp", "%s cannot be used on port %u: %s",
			      subject, end->port, end->text);
}
