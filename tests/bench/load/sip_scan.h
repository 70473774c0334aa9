/*
 * SIP over TCP as far as MESSAGE and its responses need it: cut messages out
 * of a connection by Content-Length (RFC 3261 18.3), look at header fields.
 */
#ifndef FED_BENCH_SIP_SCAN_H
#define FED_BENCH_SIP_SCAN_H

#include "base/buf.h"

struct sip_scan {
	struct span head; /* first line and header fields, with the last CRLF */
	struct span body;
};

/**
 * The message at the front of `in`; CRLF before it is skipped (RFC 5626
 * 4.4.1).
 *
 * @param used_out  bytes to take off `in`, also with FED_EAGAIN
 * @return 0; FED_EAGAIN not whole yet; FED_EPROTO
 */
int sip_scan(struct span in, struct sip_scan *out,
	     size_t *used_out) FED_NODISCARD;

/**
 * Bytes of a connection: fn for each message that is whole now; the rest waits
 * in `input`.
 *
 * @return 0; FED_EPROTO; as buf_put()
 */
int sip_scan_feed(struct buf *input, struct span bytes,
		  void (*fn)(const struct sip_scan *m, void *arg),
		  void *arg) FED_NODISCARD;

/** Value of the first header field of that name, to the end of its line. */
struct span sip_scan_field(const struct sip_scan *m, const char *name);

/**
 * Append a 200 to the request.
 *
 * @param tag   of To, where it has none
 * @param more  header lines, or ""
 * @return as buf_put()
 */
int sip_scan_answer(const struct sip_scan *m, const char *tag, const char *more,
		    struct buf *out) FED_NODISCARD;

#endif
