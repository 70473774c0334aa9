/*
 * Many streams to the edge at once: idle ones, whose memory is measured, and
 * ones that end as soon as they are open, for the cost of a handshake.
 */
#ifndef FED_BENCH_CROWD_H
#define FED_BENCH_CROWD_H

#include "tests/bench/load/peer.h"

struct crowd;

/**
 * @param domain    streams are from s0.DOMAIN, s1.DOMAIN...
 * @param identity  name of a certificate in host->creds for all of them
 */
struct crowd *crowd_new(struct peer_host *host, const struct sockaddr *edge,
			const char *domain, const char *identity);

/** "idle N": have N open streams, 0 ends them; answered when it is so.
 *  "handshakes N MS": N at a time for MS milliseconds.
 * @return false: another command */
bool crowd_command(struct crowd *c, const char *line);

#endif
