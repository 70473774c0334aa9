/*
 * Cut the stanzas that the edge writes out of its stream.  Good for this one
 * writer only: no comments, no CDATA, no stanza inside a stanza.
 */
#ifndef FED_BENCH_STANZA_SCAN_H
#define FED_BENCH_STANZA_SCAN_H

#include "base/buf.h"

/**
 * The stanza at the front of `in`, blanks before it skipped.
 *
 * @param stanza_out  "<message ...</message>", or all of a closing stream tag
 * @param used_out    bytes to take off `in`
 * @return 0; FED_EAGAIN not whole yet; FED_EXML nothing that is known
 */
int stanza_scan(struct span in, struct span *stanza_out,
		size_t *used_out) FED_NODISCARD;

/** Value of an attribute of the first tag, as written; empty: has none. */
struct span stanza_scan_attr(struct span stanza, const char *name);

/** What stands behind "<body>"; empty: nothing. */
struct span stanza_scan_body(struct span stanza);

#endif
