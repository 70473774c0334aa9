/*
 * What a dial leaves in the record of attempts: DNS, TCP of each address, and
 * in one sentence why none would do.
 */
#ifndef FED_EDGE_DIAL_NOTE_H
#define FED_EDGE_DIAL_NOTE_H

#include "edge-proxy/core/attempts.h"
#include "edge-proxy/core/dns_facts.h"

/* Whose dial; attempts NULL: nobody's. */
struct dial_note {
	struct attempts *attempts;
	uint64_t attempt;
};

/** DNS has answered, or not in time.
 * @param f        NULL: not known
 * @param problem  NULL: there are addresses; else what is wrong */
void dial_note_dns(const struct dial_note *n, uint64_t now_ms,
		   const struct dns_facts *f, bool is_secure,
		   const char *problem);

/* What became of one address. */
enum dial_fate {
	DIAL_FATE_NONE, /* not tried, or another one was faster */
	DIAL_FATE_REFUSED,
	DIAL_FATE_SILENT,
	DIAL_FATE_OTHER,
};

struct dial_note_address {
	const char *host;    /* target */
	const char *address; /* "192.0.2.1:5269" */
	uint16_t port;
	uint64_t since_ms;
	bool is_direct_tls;
};

/** The address is connected. */
void dial_note_up(const struct dial_note *n, uint64_t now_ms,
		  const struct dial_note_address *a);

/** It failed; text says how. @return its fate */
enum dial_fate dial_note_failed(const struct dial_note *n, uint64_t now_ms,
				const struct dial_note_address *a,
				const char *text);

/* Why no address would do. */
struct dial_note_end {
	size_t tried;	     /* addresses... */
	enum dial_fate fate; /* ...and of all of them; NONE: they differ */
	const char *host;    /* target of the last one */
	uint16_t port;	     /* of it */
	const char *text;    /* what the last one said */
	bool is_fallback;    /* there were no SRV records */
	bool is_host;	     /* nor was SRV asked for */
};

/** No address is left. */
void dial_note_lost(const struct dial_note *n, uint64_t now_ms,
		    const struct dial_note_end *end);

#endif
