/*
 * Info/query stanzas to SIP users and domains, answered here: SIP has no
 * counterpart (RFC 6120 8.2.3).
 */
#ifndef FED_GATEWAY_IQ_ANSWER_H
#define FED_GATEWAY_IQ_ANSWER_H

#include "base/arena.h"
#include "stanza.pb-c.h"

/**
 * The answer to an iq for one of our domains.  The domain itself answers
 * service discovery (XEP-0030), ping (XEP-0199) and software version
 * (XEP-0092); all else, and everything to a user, is service-unavailable.
 *
 * @param result_out  the result stanza, NULL: see refused_out; in the arena
 * @param refused_out NULL with no result: nothing is due (results, errors)
 * @return 0; FED_ENOMEM
 */
int iq_answer(const Fed__Stanza *iq, struct arena *a, Fed__Stanza **result_out,
	      Fed__Error **refused_out);

#endif
