/*
 * The shell of core/attempts: streams leave their steps there, fedctl asks why.
 */
#ifndef FED_EDGE_ATTEMPTS_SHELL_H
#define FED_EDGE_ATTEMPTS_SHELL_H

#include "edge-proxy/core/s2s_note.h"
#include "edge-proxy/edge.h"
#include "edge-proxy/edge_session_in.h"
#include "edge-proxy/edge_session_out.h"

/** A connection was accepted: its attempt begins. */
void edge_attempts_accepted(struct edge_in *in);

/** A stream of ours is to be had: its attempt begins.  One that verifies a key
 * is part of the attempt that asked for it. */
void edge_attempts_dialing(struct edge_out *o);

/** TLS is up, or why not (NULL: it is). */
void edge_attempts_tls(struct edge *e, const struct s2s_env *env,
		       const struct conn *c, const char *problem);

/** The pair is authenticated. */
void edge_attempts_ready(struct edge *e, const struct s2s_env *env,
			 Fed__Mechanism mechanism, bool is_bidi);

/** The stream, or the attempt, is over. */
void edge_attempts_ended(struct edge *e, const struct s2s_env *env,
			 const struct s2s_reason *r);

/** A stream that verified a key is over; before the one who asked is told. */
void edge_attempts_verified(const struct edge_out *o,
			    const struct s2s_reason *r);

/** "fedctl why". */
void edge_attempts_why(struct edge *e, const Fed__AdminWhy *why,
		       struct arena *a, Fed__AdminResponse *out);

/** The level of a finding. */
Fed__Finding__Level edge_attempts_level(enum attempt_level level);

/** One step as a finding; group: borrowed.  @return 0; FED_ENOMEM */
int edge_attempts_add(struct arena *a, Fed__AdminResponse *out,
		      const struct attempt *at, const struct attempt_step *step,
		      const char *group) FED_NODISCARD;

#endif
