/*
 * Inside of the initiating entity.  Private to s2s_out*.c.
 */
#ifndef FED_EDGE_S2S_OUT_IMPL_H
#define FED_EDGE_S2S_OUT_IMPL_H

#include "edge-proxy/core/dialback.h"
#include "edge-proxy/core/s2s_out.h"
#include "edge-proxy/core/s2s_queue.h"
#include "edge-proxy/core/s2s_wire.h"

/* X(state, name); START: nothing was said yet */
#define S2S_OUT_STATES(X)                          \
	X(OUT_START, "start")                      \
	X(OUT_HDR_CLEAR, "header")                 \
	X(OUT_FEAT_CLEAR, "features")              \
	X(OUT_PROCEED, "starttls")                 \
	X(OUT_TLS, "tls")                          \
	X(OUT_HDR_SECURE, "header-secure")         \
	X(OUT_FEAT_SECURE, "features-secure")      \
	X(OUT_SASL, "sasl")                        \
	X(OUT_HDR_AUTH, "header-authenticated")    \
	X(OUT_FEAT_AUTH, "features-authenticated") \
	X(OUT_DIALBACK, "dialback")                \
	X(OUT_VERIFY, "verify")                    \
	X(OUT_OPEN, "open")                        \
	X(OUT_DRAIN, "closing")                    \
	X(OUT_CLOSED, "closed")

enum out_state {
#define S2S_OUT_ENUM(state, name) state,
	S2S_OUT_STATES(S2S_OUT_ENUM)
#undef S2S_OUT_ENUM
		OUT_STATE_COUNT
};

struct s2s_out {
	const struct s2s_env *env;
	enum s2s_out_mode mode;
	enum out_state state;
	uint64_t now_ms;	    /* of the event in progress */
	uint64_t setup_deadline_ms; /* until OPEN */
	uint64_t deadline_ms;	    /* of the state */
	struct s2s_queue queue;
	struct xml_reader *reader;
	int feed_err;
	struct arena arena;	     /* of the stanza in the last action */
	const struct tls_facts *tls; /* NULL: in the clear */
	uint64_t cert_ms;	     /* the peer's certificate expires */
	uint64_t expires_ms; /* OPEN: and with it the stream; UINT64_MAX: no */
	size_t setup_bytes;  /* received before OPEN */
	unsigned sasl_tries; /* EXTERNAL was refused so often */
	unsigned challenges; /* answered */
	unsigned redirects;  /* followed before */
	struct other_host other_host;
	bool has_certificate;
	bool is_check;
	bool has_peer_version;
	bool has_bidi; /* we asked: the peer's stanzas come here */
	Fed__Mechanism mechanism;
	struct s2s_limits peer_limits;
	char *local;
	char *remote;
	char *verify_id;  /* VERIFY */
	char *verify_key; /* VERIFY */
	char *peer_id;	  /* stream id that the peer gave */
	char *peer_lang;  /* its header's xml:lang or NULL */
	struct s2s_reason drain_reason;
};

/* ---- s2s_out.c ---- */

/** Change the state; an edge that is not in the list closes the stream. */
void s2s_out_set_state(struct s2s_out *s, enum out_state to,
		       const char *trigger);

/** Our header; the peer's is awaited in state `to`. */
void s2s_out_start_stream(struct s2s_out *s, enum out_state to,
			  const char *trigger);

/** Stream error, close. */
void s2s_out_fail(struct s2s_out *s, enum s2s_condition c, const char *text);

/** As s2s_out_fail(), with another kind of reason. */
void s2s_out_fail_as(struct s2s_out *s, enum s2s_reason_kind kind,
		     enum s2s_condition c, const char *text);

/** </stream:stream> and close with that reason; text may be NULL. */
void s2s_out_finish(struct s2s_out *s, enum s2s_reason_kind kind,
		    enum s2s_condition c, const char *text);

/** Close without a word. */
void s2s_out_drop(struct s2s_out *s, const struct s2s_reason *r);

/** Queue an action; a full ring closes the stream. */
void s2s_out_push(struct s2s_out *s, const struct s2s_action *a);

/** Our end is closed; the peer may finish. */
void s2s_out_drain(struct s2s_out *s, enum s2s_reason_kind kind,
		   enum s2s_condition c, const char *trigger);

/* ---- s2s_out_policy.c ---- */

/** The peer's rule now; one that allows nothing where there is none. */
const struct policy_partner *s2s_out_rule(const struct s2s_out *s);

/** Another policy is in force. */
void s2s_out_on_policy(struct s2s_out *s);

/* ---- s2s_out_neg.c ---- */

void s2s_out_on_header(struct s2s_out *s, const struct xml_event *ev);
void s2s_out_on_tls_up(struct s2s_out *s, const struct s2s_event *ev);

/** One first-level element. */
void s2s_out_on_element(struct s2s_out *s, const struct xml_el *el);

/* ---- s2s_out_stanza.c ---- */

void s2s_out_on_stanza(struct s2s_out *s, const struct xml_el *el);

/* ---- s2s_out_dialback.c ---- */

/** Authenticate by db:result, or (VERIFY mode) ask db:verify. */
void s2s_out_start_dialback(struct s2s_out *s, const char *trigger);
void s2s_out_start_verify(struct s2s_out *s, const char *trigger);

void s2s_out_on_result(struct s2s_out *s, const struct xml_el *el);
void s2s_out_on_verify(struct s2s_out *s, const struct xml_el *el);

/** What a stream that ended for that reason says about the key asked for. */
enum s2s_verify_result s2s_out_verdict_of(const struct s2s_reason *r);

/** The pair is authenticated. */
void s2s_out_open(struct s2s_out *s, Fed__Mechanism mechanism,
		  const char *trigger);

#endif
