/*
 * Initiating entity of an s2s stream (RFC 6120): pure state machine.  TCP is
 * up when it is made.
 *
 * HDR -> FEAT(clear) -> PROCEED -> TLS -> HDR -> FEAT(secure) ->
 * SASL | DIALBACK | VERIFY -> OPEN -> DRAIN -> CLOSED.
 */
#ifndef FED_EDGE_S2S_OUT_H
#define FED_EDGE_S2S_OUT_H

#include "edge-proxy/core/s2s.h"

enum s2s_out_mode {
	S2S_OUT_ROUTE,	/* authenticate, then carry stanzas */
	S2S_OUT_VERIFY, /* only ask db:verify, then close (XEP-0220 2.3) */
};

struct s2s_out_params {
	enum s2s_out_mode mode;
	struct s2s_pair pair;  /* copied */
	const char *stream_id; /* VERIFY: the id in question; copied */
	const char *key;       /* VERIFY: the key in question; copied */
	bool has_certificate;  /* we can show one for pair.local */
	unsigned redirects;    /* followed on the way here, in a row */
	bool is_check; /* it will carry nothing: bidi is not asked for */
};

struct s2s_out;

/**
 * TCP to a server of pair.remote is up; the first action is our header.
 *
 * @return 0; FED_ENOMEM; FED_EDENIED the policy has no rule for the partner
 */
int s2s_out_new(struct s2s_out **core_out, const struct s2s_env *env,
		const struct s2s_out_params *p, uint64_t now_ms) FED_NODISCARD;

/** Free; NULL is allowed. */
void s2s_out_free(struct s2s_out *s);

/** One event; rules and errors as s2s_in_on_event(). */
int s2s_out_on_event(struct s2s_out *s, const struct s2s_event *ev,
		     uint64_t now_ms) FED_NODISCARD;

/** Next action; false when drained. */
bool s2s_out_next_action(struct s2s_out *s, struct s2s_action *action_out);

/** When S2S_EV_TIMER is due, ms; UINT64_MAX: never. */
uint64_t s2s_out_deadline_ms(const struct s2s_out *s);

/** OPEN: stanzas may be written by the shell behind what the core wrote. */
bool s2s_out_is_open(const struct s2s_out *s);

/** What the peer announced in its last features; lives as the core. */
const struct s2s_limits *s2s_out_peer_limits(const struct s2s_out *s);

/** The stream carries the peer's stanzas too (XEP-0288). */
bool s2s_out_is_bidi(const struct s2s_out *s);

/** As s2s_in_offends(). */
bool s2s_out_offends(const struct s2s_out *s);

/** For status. */
const char *s2s_out_state_name(const struct s2s_out *s);
Fed__Mechanism s2s_out_mechanism(const struct s2s_out *s);

#endif
