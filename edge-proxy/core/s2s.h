/*
 * What the two s2s cores (s2s_in: receiving entity, s2s_out: initiating
 * entity; RFC 6120 1.3) share: events in, actions out, typed close reasons.
 *
 * Use: feed one event, then call next_action until it is false, then arm one
 * timer to deadline_ms.  A shell that cannot take a stanza now stops calling
 * next_action and stops reading the socket: nothing piles up.
 */
#ifndef FED_EDGE_S2S_H
#define FED_EDGE_S2S_H

#include "base/digest.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/ratelimit.h"
#include "base/tls_facts.h"
#include "edge-proxy/core/attempts.h"
#include "edge-proxy/core/other_host.h"
#include "edge-proxy/core/policy.h"
#include "channel.pb-c.h"

/* Stream error conditions (RFC 6120 4.9.3); names by s2s_condition_name(). */
enum s2s_condition {
	S2S_NO_CONDITION,
	S2S_BAD_FORMAT,
	S2S_BAD_NAMESPACE_PREFIX,
	S2S_CONFLICT,
	S2S_CONNECTION_TIMEOUT,
	S2S_HOST_GONE,
	S2S_HOST_UNKNOWN,
	S2S_IMPROPER_ADDRESSING,
	S2S_INTERNAL_SERVER_ERROR,
	S2S_INVALID_FROM,
	S2S_INVALID_NAMESPACE,
	S2S_INVALID_XML,
	S2S_NOT_AUTHORIZED,
	S2S_NOT_WELL_FORMED,
	S2S_POLICY_VIOLATION,
	S2S_REMOTE_CONNECTION_FAILED,
	S2S_RESET,
	S2S_RESOURCE_CONSTRAINT,
	S2S_RESTRICTED_XML,
	S2S_SEE_OTHER_HOST,
	S2S_SYSTEM_SHUTDOWN,
	S2S_UNDEFINED_CONDITION,
	S2S_UNSUPPORTED_ENCODING,
	S2S_UNSUPPORTED_FEATURE,
	S2S_UNSUPPORTED_STANZA_TYPE,
	S2S_UNSUPPORTED_VERSION,
};

/** "host-unknown"...; never NULL. */
const char *s2s_condition_name(enum s2s_condition c);

/** Condition of an element name; S2S_UNDEFINED_CONDITION when unknown.
 * "xml-not-well-formed" (RFC 3920) is understood. */
enum s2s_condition s2s_condition_parse(const char *name);

/* Why a stream, or an attempt to have one, ended. */
enum s2s_reason_kind {
	S2S_END_NONE,
	S2S_END_CLOSED,	    /* orderly, by either side */
	S2S_END_DNS,	    /* name not resolvable */
	S2S_END_CONNECT,    /* resolved, no TCP connection */
	S2S_END_TLS,	    /* TLS could not be had */
	S2S_END_CERT,	    /* certificate does not do under the rules */
	S2S_END_AUTH,	    /* SASL and dialback refused */
	S2S_END_POLICY,	    /* our rules refuse this partner */
	S2S_END_ERROR_SENT, /* we sent the stream error `condition` */
	S2S_END_ERROR_GOT,  /* the peer sent the stream error `condition` */
	S2S_END_TIMEOUT,    /* a deadline passed */
	S2S_END_EOF,	    /* connection lost */
	S2S_END_SHUTDOWN,   /* we are stopping */
};

struct s2s_reason {
	enum s2s_reason_kind kind;
	enum s2s_condition condition;
	char text[160];	 /* the peer's words or what happened; peer text is raw
			  */
	char place[160]; /* addresses and host names: for our log only */
};

/** One line for logs: "error-got host-unknown (text)", "connect (text;
 * place)"; terminated. */
void s2s_reason_format(const struct s2s_reason *r, char *out, size_t out_size);

/** The same for those who waited on this stream: without the place, which is
 * nothing that senders are told about a partner's network or ours. */
void s2s_reason_tell(const struct s2s_reason *r, char *out, size_t out_size);

/** The stanza error for those who waited on this stream
 * (RFC 6120 10.4.3, XEP-0220): DNS -> remote-server-not-found, ... */
Fed__Condition s2s_reason_bounce(const struct s2s_reason *r);

/** A stream that ended so says nothing bad of the peer: either side said
 * goodbye (idle, certificate out of date), we are stopping, or the peer sent an
 * error that shows it alive and willing: reset, conflict with a newer stream,
 * connection-timeout, which it took for our silence. */
bool s2s_reason_is_in_order(const struct s2s_reason *r);

enum s2s_event_kind {
	S2S_EV_BYTES,	   /* plaintext bytes of the stream */
	S2S_EV_TLS_UP,	   /* the handshake is done */
	S2S_EV_TLS_FAILED, /* text says why */
	S2S_EV_EOF,	   /* connection lost or closed by the peer */
	S2S_EV_TIMER,	   /* the deadline may have passed */
	S2S_EV_VERIFIED,   /* s2s_in: answer to S2S_ACT_VERIFY */
	S2S_EV_SHUTDOWN,   /* close in order: system-shutdown */
	S2S_EV_IDLE_CLOSE, /* close in order: nothing to say any more */
	S2S_EV_TOO_SLOW,   /* peer does not read: resource-constraint */
	S2S_EV_TOO_MANY,   /* streams of its partner: the same */
	S2S_EV_POLICY,	   /* another policy is in force: what it forbids ends
			    * with policy-violation */
};

/* Result of a dialback verification by the authoritative server. */
enum s2s_verify_result {
	S2S_VERIFY_VALID,
	S2S_VERIFY_INVALID,
	S2S_VERIFY_NOT_FOUND,  /* item-not-found, host-unknown, no DNS */
	S2S_VERIFY_NO_CONNECT, /* remote-connection-failed */
	S2S_VERIFY_NO_ANSWER,  /* remote-server-timeout */
};

/* What a peer announced (XEP-0478). */
struct s2s_limits {
	size_t max_bytes; /* of a stanza to it; 0: not said */
	uint64_t
		idle_ms; /* it closes what is silent for so long; 0: not said */
};

/* A domain pair as seen by us: ours first. */
struct s2s_pair {
	const char *local;
	const char *remote;
};

enum { S2S_PAIR_KEY_BYTES = 2 * (LIMIT_DOMAIN_BYTES + 1) };

/** Key of a table of pairs: local NUL remote NUL. @return its length; 0: too
 * long for domains */
size_t s2s_pair_key(const struct s2s_pair *pair, char key[S2S_PAIR_KEY_BYTES]);

struct s2s_event {
	enum s2s_event_kind kind;
	/* TLS_UP: when the peer's certificate expires, in the time of the
	 * core; 0: it showed none */
	uint64_t expires_ms;
	union {
		struct span bytes;	     /* BYTES: 1..LIMIT_READ_BYTES */
		const struct tls_facts *tls; /* TLS_UP; lives as the stream */
		const char *text;	     /* TLS_FAILED */
		struct {
			struct s2s_pair pair; /* as in the action */
			enum s2s_verify_result result;
		} verified; /* VERIFIED */
	} u;
};

enum s2s_action_kind {
	S2S_ACT_WRITE,	      /* bytes to the connection */
	S2S_ACT_START_TLS,    /* begin the handshake: name = certificate to show
			       * (s2s_in) or name to ask for by SNI (s2s_out) */
	S2S_ACT_READY,	      /* pair is authenticated: stanzas may flow.
			       * s2s_in: from the peer; s2s_out: to it;
			       * is_bidi: both ways */
	S2S_ACT_PAIR_REFUSED, /* s2s_out: dialback for the pair failed, the
			       * stream may stay; reason is set */
	S2S_ACT_VERIFY,	      /* s2s_in: ask pair.remote's server whether key is
			       * its own for stream id; answer with VERIFIED */
	S2S_ACT_VERDICT,      /* s2s_out verify stream: the answer */
	S2S_ACT_STANZA,	      /* a checked stanza of the peer; s2s_out: with
			       * bidi only (XEP-0288) */
	S2S_ACT_REPLY,	      /* a stanza of ours to route to the peer domain;
			       * which stream it takes, the route decides */
	S2S_ACT_REDIRECT,     /* s2s_out: after CLOSE, try the same pair there,
			       * with one redirect more */
	S2S_ACT_CLOSE,	      /* last action: close the connection after what
			       * was written; reason is set */
};

struct s2s_action {
	enum s2s_action_kind kind;
	union {
		struct span bytes; /* WRITE */
		const char *name;  /* START_TLS */
		struct {
			struct s2s_pair pair;
			Fed__Mechanism mechanism;
			bool is_bidi;
		} ready;
		struct {
			struct s2s_pair pair;
			struct s2s_reason reason;
		} refused;
		struct {
			struct s2s_pair pair;
			const char *stream_id;
			const char *key;
		} verify;
		enum s2s_verify_result verdict;
		const struct other_host *redirect;
		struct {
			const Fed__Stanza *stanza;
			struct s2s_pair pair;
			Fed__Mechanism mechanism;
		} stanza;		  /* STANZA, REPLY */
		struct s2s_reason reason; /* CLOSE */
	} u; /* pointers live until the next call on the core */
};

/* What every s2s core is given; all borrowed, must outlive the core. */
struct s2s_env {
	const struct policy *policy;
	struct id_source *ids; /* stream ids */
	const struct logger *log;
	struct metrics *metrics;
	const char *label;	     /* "s2s=17 dir=in": context of log lines */
	struct ratelimit *log_limit; /* of lines that strangers cause; NULL:
				      * none */
	struct attempts *attempts; /* steps are recorded there, NULL: not... */
	uint64_t attempt;	   /* ...under that number */
};

/** LIMIT: a stranger cannot fill the disk with lines. */
bool s2s_may_log(const struct s2s_env *env, uint64_t now_ms);

#endif
