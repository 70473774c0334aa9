/*
 * A request that is passed on as it came, as a proxy does (RFC 3261 16): what
 * our Via says of it, and whether it was here before.
 */
#ifndef FED_GATEWAY_SIP_PASS_H
#define FED_GATEWAY_SIP_PASS_H

#include "base/arena.h"
#include "base/digest.h"
#include "fe-gateway/core/sip_types.h"

/* Max-Forwards of a request that has none (RFC 3261 16.6.3). */
enum { SIP_PASS_MAX_FORWARDS = 70 };

/**
 * The branch, made of that of the Via below ours (RFC 3261 16.11): the same
 * request has the same one, also from a gateway that was restarted meanwhile,
 * so that whoever gets it twice knows.
 *
 * @param mark    of this gateway, in hex; NULL: none
 * @param id_out  what is in it, for the ledger
 * @return in the arena; NULL: it is full
 */
const char *sip_pass_branch(const struct sip_request_in *q, const char *mark,
			    uint8_t id_out[ID_RAW_BYTES], struct arena *a);

/** One of its Via is such a branch of ours, or they cannot be read. */
bool sip_pass_was_here(const struct sip_request_in *q, const char *mark);

#endif
