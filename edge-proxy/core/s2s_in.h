/*
 * Receiving entity of an s2s stream (RFC 6120): pure state machine.
 *
 * HDR -> NEG(clear) -> TLS -> HDR -> NEG(secure) -> [HDR ->] OPEN -> DRAIN ->
 * CLOSED.  Also the authoritative server's answer to db:verify (XEP-0220).
 */
#ifndef FED_EDGE_S2S_IN_H
#define FED_EDGE_S2S_IN_H

#include "edge-proxy/core/s2s.h"

struct s2s_in;

/**
 * A connection was accepted; the peer speaks first.
 *
 * @param env  borrowed, outlives the core
 * @return 0; FED_ENOMEM
 */
int s2s_in_new(struct s2s_in **core_out, const struct s2s_env *env,
	       uint64_t now_ms) FED_NODISCARD;

/** Free; NULL is allowed. */
void s2s_in_free(struct s2s_in *s);

/**
 * One event.  BYTES must come only when the actions of the last event are
 * drained.  After S2S_ACT_CLOSE events are ignored.
 *
 * @return 0; FED_ESTATE broken call order; FED_ENOMEM (then CLOSE follows)
 */
int s2s_in_on_event(struct s2s_in *s, const struct s2s_event *ev,
		    uint64_t now_ms) FED_NODISCARD;

/** Next action; false when drained.  Parsed stanzas are looked at lazily, one
 * per call. */
bool s2s_in_next_action(struct s2s_in *s, struct s2s_action *action_out);

/** When S2S_EV_TIMER is due, ms; UINT64_MAX: never. */
uint64_t s2s_in_deadline_ms(const struct s2s_in *s);

/** For status: state name, peer domain ("" before the header). */
const char *s2s_in_state_name(const struct s2s_in *s);
const char *s2s_in_peer(const struct s2s_in *s);
const char *s2s_in_local(const struct s2s_in *s);

/** How the first pair authenticated; NO_MECHANISM: none did yet. */
Fed__Mechanism s2s_in_mechanism(const struct s2s_in *s);

/* ---- our stanzas on this stream (XEP-0288) ---- */

/** Stanzas of ours for that pair, and no other, may be written by the shell
 * behind what the core wrote: bidi was agreed on and the pair is authenticated
 * here. */
bool s2s_in_takes(const struct s2s_in *s, const struct s2s_pair *pair);

/** The peer's announced stanza limit (XEP-0478), 0: none. */
size_t s2s_in_peer_max_bytes(const struct s2s_in *s);

/** A stanza of ours was written: the stream is not idle.  Leaves actions and
 * what they point at alone. */
void s2s_in_wrote(struct s2s_in *s, uint64_t now_ms);

/** Reading goes on: what the peer said during the pause was not heard. */
void s2s_in_resumed(struct s2s_in *s, uint64_t now_ms);

/** Something on the stream is not allowed by the policy in force;
 * S2S_EV_POLICY ends it. */
bool s2s_in_offends(const struct s2s_in *s);

#endif
