/*
 * Inside of the receiving entity: state, and what its files do for each other.
 * Private to s2s_in*.c.
 */
#ifndef FED_EDGE_S2S_IN_IMPL_H
#define FED_EDGE_S2S_IN_IMPL_H

#include "edge-proxy/core/s2s_in.h"
#include "edge-proxy/core/s2s_queue.h"
#include "edge-proxy/core/s2s_wire.h"

/* X(state, name) */
#define S2S_IN_STATES(X)                       \
	X(IN_HDR_CLEAR, "header")              \
	X(IN_NEG_CLEAR, "negotiating-clear")   \
	X(IN_TLS, "tls")                       \
	X(IN_HDR_SECURE, "header-secure")      \
	X(IN_NEG_SECURE, "negotiating-secure") \
	X(IN_SASL, "sasl")                     \
	X(IN_HDR_AUTH, "header-authenticated") \
	X(IN_OPEN, "open")                     \
	X(IN_DRAIN, "closing")                 \
	X(IN_CLOSED, "closed")

enum in_state {
#define S2S_IN_ENUM(state, name) state,
	S2S_IN_STATES(S2S_IN_ENUM)
#undef S2S_IN_ENUM
		IN_STATE_COUNT
};

enum in_pair_state { IN_PAIR_FREE, IN_PAIR_PENDING, IN_PAIR_VALID };

/* A domain pair that was or is being authenticated on this stream.  The texts
 * of a freed pair stay until the place is used again: actions point at them. */
struct in_pair {
	enum in_pair_state state;
	Fed__Mechanism mechanism;
	uint64_t deadline_ms; /* PENDING */
	char *local;
	char *remote;
	char *key; /* PENDING: what VERIFY asks about */
};

struct s2s_in {
	const struct s2s_env *env;
	enum in_state state;
	uint64_t now_ms;	    /* of the event in progress */
	uint64_t setup_deadline_ms; /* until OPEN */
	uint64_t deadline_ms;	    /* of the state */
	uint64_t used_ms;	    /* OPEN: last bytes of either side */
	uint64_t heard_ms;	    /* OPEN: last bytes of the peer */
	uint64_t wrote_ms;	    /* OPEN: last bytes of ours */
	struct s2s_queue queue;
	struct xml_reader *reader;
	int feed_err;	    /* of the last feed, reported behind its events */
	struct arena arena; /* of the stanza in the last action */
	const struct tls_facts *tls; /* NULL: in the clear */
	uint64_t expires_ms; /* the peer's certificate; UINT64_MAX: none */
	bool has_cert_pair;  /* and it authenticated a pair */
	size_t unauth_bytes;
	unsigned sasl_tries;
	bool has_peer_version; /* the peer speaks 1.0 */
	bool has_bidi;	       /* stanzas of ours may go out here */
	size_t peer_max_bytes; /* of those, 0: no limit */
	char *peer;	       /* header's from, normalized, or NULL */
	char *local;	       /* header's to */
	char *lang;	       /* header's xml:lang or NULL */
	char id[ID_TEXT_BYTES + 1];
	struct s2s_reason drain_reason;
	struct in_pair *pairs; /* move when one is added */
	size_t pair_count;     /* at most LIMIT_STREAM_PAIRS */
};

/* ---- s2s_in.c ---- */

/** Change the state; an edge that is not in the list closes the stream. */
void s2s_in_set_state(struct s2s_in *s, enum in_state to, const char *trigger);

/** Our header, with a new stream id. */
void s2s_in_write_header(struct s2s_in *s);

/** Stream error (with our header before it where that is missing), close. */
void s2s_in_fail(struct s2s_in *s, enum s2s_condition c, const char *text);

/** As s2s_in_fail(), with another kind of reason. */
void s2s_in_fail_as(struct s2s_in *s, enum s2s_reason_kind kind,
		    enum s2s_condition c, const char *text);

/** </stream:stream> without an error, then close with that reason. */
void s2s_in_finish(struct s2s_in *s, const struct s2s_reason *r);

/** Close without a word. */
void s2s_in_drop(struct s2s_in *s, const struct s2s_reason *r);

/** Queue an action; a full ring closes the stream. */
void s2s_in_push(struct s2s_in *s, const struct s2s_action *a);

/** Nothing stands behind the element in hand, not even broken bytes. */
bool s2s_in_is_clean(const struct s2s_in *s);

/** The first pair is authenticated: stanzas may come. */
void s2s_in_open(struct s2s_in *s, const char *trigger);

/* ---- s2s_in_time.c ---- */

/** When the present state ends by itself; UINT64_MAX: it does not. */
uint64_t s2s_in_state_deadline_ms(const struct s2s_in *s);

/** How long the peer may say nothing at all. */
uint64_t s2s_in_quiet_ms(const struct s2s_in *s);

/** Our side ends; the peer may finish what it is saying (RFC 6120 4.4). */
void s2s_in_drain(struct s2s_in *s, const struct s2s_reason *r,
		  const char *trigger);

void s2s_in_on_idle_close(struct s2s_in *s, const char *trigger);
void s2s_in_on_shutdown(struct s2s_in *s);
void s2s_in_on_timer(struct s2s_in *s);

/* ---- s2s_in_policy.c ---- */

/** The rule of the header's peer; NULL: not known yet, or no partner. */
const struct policy_partner *s2s_in_rule(const struct s2s_in *s);

/** Another policy is in force. */
void s2s_in_on_policy(struct s2s_in *s);

/* ---- s2s_in_neg.c ---- */

void s2s_in_on_header(struct s2s_in *s, const struct xml_event *ev);
void s2s_in_on_starttls(struct s2s_in *s);
void s2s_in_on_tls_up(struct s2s_in *s, const struct s2s_event *ev);
void s2s_in_on_auth(struct s2s_in *s, const struct xml_el *el);
void s2s_in_on_response(struct s2s_in *s, const struct xml_el *el);
void s2s_in_on_abort(struct s2s_in *s);
void s2s_in_on_bidi(struct s2s_in *s, const struct xml_el *el);

/** The rule and the certificate leave the peer some way to authenticate. */
bool s2s_in_has_way(const struct s2s_in *s);

/** Close with policy-violation. */
void s2s_in_refuse(struct s2s_in *s, const char *text);

/* ---- s2s_in_dialback.c ---- */

void s2s_in_on_result(struct s2s_in *s, const struct xml_el *el);
void s2s_in_on_verify(struct s2s_in *s, const struct xml_el *el);
void s2s_in_on_verified(struct s2s_in *s, const struct s2s_pair *pair,
			enum s2s_verify_result result);

/** Answer what waited too long; the earliest deadline of the others. */
void s2s_in_expire_pairs(struct s2s_in *s);
uint64_t s2s_in_pairs_deadline_ms(const struct s2s_in *s);

/** Authenticated pair by remote and, unless NULL, local; NULL: none. */
struct in_pair *s2s_in_find_valid(struct s2s_in *s, struct span remote,
				  const struct span *local);

/** That pair is authenticated. */
bool s2s_in_has_pair(const struct s2s_in *s, const struct s2s_pair *pair);

/** Enter an authenticated pair and report it. */
void s2s_in_add_valid(struct s2s_in *s, const char *local, const char *remote,
		      Fed__Mechanism mechanism);

/** The policy in force allows that pair, as it authenticated or tries to. */
bool s2s_in_allows_pair(const struct s2s_in *s, const struct in_pair *p);

/** Take pairs off that the policy does not allow; those that wait for a
 * verification are answered.  @return how many were authenticated */
size_t s2s_in_drop_pairs(struct s2s_in *s);

/** Pairs in that state. */
size_t s2s_in_count_pairs(const struct s2s_in *s, enum in_pair_state state);

/** Some pair is or was pending or authenticated: the stream id that its key is
 * bound to must stay, because the answer of its server may still come. */
bool s2s_in_had_pairs(const struct s2s_in *s);

/** Free all texts. */
void s2s_in_free_pairs(struct s2s_in *s);

/* ---- s2s_in_stanza.c ---- */

void s2s_in_on_stanza(struct s2s_in *s, const struct xml_el *el);

#endif
