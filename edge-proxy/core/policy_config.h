/*
 * The policy that a gateway's Config makes.  The gateway is not believed: what
 * is wrong in any place refuses the whole, with one sentence that names it.
 */
#ifndef FED_EDGE_POLICY_CONFIG_H
#define FED_EDGE_POLICY_CONFIG_H

#include "base/arena.h"
#include "base/err.h"
#include "edge-proxy/core/policy.h"
#include "channel.pb-c.h"

/** Why a rule leaves no way to authenticate (five of the eighteen combinations
 * of tls, sasl and dialback); NULL: it leaves one. */
const char *policy_row_problem(const struct policy_partner *rule);

/**
 * Check a Config and make its policy.
 *
 * @param host         of the host file: has the domains that there are
 *                     certificates for, and what a Config does not say
 * @param streams_max  of the host file
 * @param a            it lives in there, and borrows from c and host
 * @param e            what is wrong
 * @return 0; FED_EINVAL; FED_ELIMIT more than fits in `a`
 */
int policy_config_read(const Fed__Config *c, const struct policy *host,
		       size_t streams_max, struct arena *a, struct policy *out,
		       struct errbuf *e) FED_NODISCARD;

/**
 * Is the Config one that may follow what is in force?
 *
 * @param packed    of c, as if it were no check
 * @param revision  in force; 0: none
 * @param in_force  that Config, packed
 * @return 0: as something new; FED_EEXIST: it is in force already; FED_EINVAL
 */
int policy_config_follows(const Fed__Config *c, struct span packed,
			  uint64_t revision, struct span in_force,
			  struct errbuf *e) FED_NODISCARD;

/* ---- as a file ----------------------------------------------------------- */

/** A packed Config as it is kept on disk. @return 0; FED_ENOMEM; FED_ELIMIT */
int policy_file_write(struct span packed, struct buf *out) FED_NODISCARD;

/**
 * The packed Config in a file: whole, and one of ours.
 *
 * @param packed_out  into `file`
 * @return 0; FED_EINVAL
 */
int policy_file_read(struct span file, struct span *packed_out,
		     struct errbuf *e) FED_NODISCARD;

#endif
