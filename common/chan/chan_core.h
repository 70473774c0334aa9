/*
 * One channel session between an edge and a gateway: pure state machine.
 *
 * A session outlives TCP connections: reliable frames (seq != 0) that the
 * peer did not acknowledge are sent again after a resume, and dropped by a
 * receiver that has seen them.  Every Stanza gets exactly one Outcome; what
 * has none when a session is lost for good comes back as RETURNED.
 *
 * CLOSED -> HELLO -> OPEN -> (CLOSED ...) ; DRAIN is OPEN without new Stanzas.
 * The gateway makes a core per configured edge and keeps it; the edge makes
 * one per gateway instance when its Hello arrives.
 */
#ifndef FED_CHAN_CHAN_CORE_H
#define FED_CHAN_CHAN_CORE_H

#include "base/digest.h"
#include "base/log.h"
#include "base/metrics.h"
#include "chan/chan_codec.h"

enum { CHAN_VERSION = 1, CHAN_VERSION_MIN = 1 };

enum chan_role { CHAN_EDGE, CHAN_GATEWAY };

struct chan_params {
	enum chan_role role;
	const char *instance; /* own name; copied */
	const char *peer;     /* the peer's instance name; copied */
	uint8_t boot_id[ID_RAW_BYTES];
	struct id_source *ids; /* session tokens; borrowed */
	uint32_t window;       /* Stanzas we take without Outcome, at most
				* LIMIT_CHANNEL_WINDOW */
	const struct logger *log;
	struct metrics *metrics;
};

/* One Stanza to hand over. */
struct chan_delivery {
	uint8_t id[ID_RAW_BYTES]; /* delivery_id, made once by the first box */
	bool is_redelivered;
	const Fed__Facts *facts; /* NULL from a gateway */
	const Fed__Stanza *stanza;
	uint64_t handle; /* the caller's, comes back with the Outcome */
};

enum chan_close {
	CHAN_CLOSE_NONE,
	CHAN_CLOSE_BYE,	     /* the peer said Bye */
	CHAN_CLOSE_PROTOCOL, /* a frame that is not allowed: text says which */
	CHAN_CLOSE_VERSION,  /* no common version */
	CHAN_CLOSE_IDENTITY, /* instance is not whom the certificate names */
	CHAN_CLOSE_DEAD,     /* silence for LIMIT_CHANNEL_DEAD_MS */
	CHAN_CLOSE_LIMIT,    /* a bound was passed */
	CHAN_CLOSE_LOCAL,    /* we are stopping */
	CHAN_CLOSE_LOST,     /* TCP or TLS went away */
};

const char *chan_close_name(enum chan_close c);

enum chan_action_kind {
	CHAN_ACT_UP,	  /* session in force (is_resumed says which) */
	CHAN_ACT_STANZA,  /* take it: answer with chan_core_send_outcome(ref) */
	CHAN_ACT_OUTCOME, /* of our Stanza `handle` */
	CHAN_ACT_RETURNED, /* our Stanza `handle` has no Outcome and never will
			    * in this session: it may or may not have been
			    * delivered; give it to another, marked
			    * redelivered */
	CHAN_ACT_WINDOW,   /* chan_core_send_stanza() works again */
	CHAN_ACT_DRAIN,	   /* the peer takes no new Stanza */
	CHAN_ACT_DOWN,	   /* the connection is gone, a resume may follow */
	CHAN_ACT_GONE,	   /* the session ended for good; every RETURNED came
			    * before.  An edge's link is freed after this call */
	CHAN_ACT_FRAME,	   /* another frame: config, events, admin */
	CHAN_ACT_CLOSE,	   /* close the TCP connection after flushing */
};

struct chan_action {
	enum chan_action_kind kind;
	union {
		struct {
			bool is_resumed;
		} up;
		struct {
			uint64_t ref; /* 0 never occurs */
			const Fed__StanzaFrame *frame;
		} stanza;
		struct {
			uint64_t handle;
			/* our Stanza again, for an error reply */
			const Fed__StanzaFrame *frame;
			const Fed__Error *refused; /* NULL: delivered */
		} outcome; /* OUTCOME; RETURNED with refused NULL */
		const Fed__Frame *frame; /* FRAME */
		struct {
			enum chan_close why;
			const char *text;
		} close;
	} u; /* pointers live until the next call on the core */
};

struct chan_core;

/** @return 0; FED_ENOMEM */
int chan_core_new(struct chan_core **core_out, const struct chan_params *p,
		  uint64_t now_ms) FED_NODISCARD;

/** Free; Stanzas without Outcome are forgotten: drain RETURNED first with
 * chan_core_abandon() if they matter. */
void chan_core_free(struct chan_core *c);

/**
 * A TCP connection with verified TLS is there.  GATEWAY: Hello is written.
 * EDGE: the first frame fed must be the Hello.
 */
void chan_core_on_up(struct chan_core *c, uint64_t now_ms);

/** The connection is gone; the session waits for a resume until
 * LIMIT_CHANNEL_RESUME_MS passed, then its Stanzas are RETURNED. */
void chan_core_on_down(struct chan_core *c, uint64_t now_ms);

/**
 * Received bytes; whole frames are handled by next_action, one at a time.
 *
 * @return 0; FED_ELIMIT too much unread, see chan_core_wants_bytes(), and
 *         FED_ENOMEM: the bytes were not taken, the connection is lost
 */
int chan_core_on_bytes(struct chan_core *c, struct span bytes,
		       uint64_t now_ms) FED_NODISCARD;

/** False: enough is unread, at least one whole frame; do not read more until
 * next_action drained it.  on_bytes() of LIMIT_READ_BYTES still fits then. */
bool chan_core_wants_bytes(const struct chan_core *c);

/** The deadline may have passed: pings, death, end of resumption. */
void chan_core_on_timer(struct chan_core *c, uint64_t now_ms);

uint64_t chan_core_deadline_ms(const struct chan_core *c);

/** Next action; false when drained. */
bool chan_core_next_action(struct chan_core *c, struct chan_action *action_out,
			   uint64_t now_ms);

/** Session in force and its window not full. */
bool chan_core_can_send(const struct chan_core *c);

/**
 * Hand over a Stanza.  It is packed at once; nothing is borrowed.
 *
 * @return 0; FED_EAGAIN no session, window full or draining (WINDOW or UP
 *         follows); FED_ELIMIT over LIMIT_FRAME_BYTES; FED_ENOMEM;
 *         FED_EINVAL the peer would refuse it (stanza_validate(), Facts
 *         missing on an edge or given by a gateway): refuse it to its sender
 */
int chan_core_send_stanza(struct chan_core *c, const struct chan_delivery *d,
			  uint64_t now_ms) FED_NODISCARD;

/**
 * The one Outcome of a received Stanza.  Refs of a session that is lost are
 * accepted and ignored.
 *
 * @param refused  NULL: delivered; texts that do not fit
 *                 LIMIT_CHANNEL_OUTCOME_BYTES or are not UTF-8 are left out
 * @return 0; FED_ENOTFOUND unknown or answered already; FED_ENOMEM
 */
int chan_core_send_outcome(struct chan_core *c, uint64_t ref,
			   const Fed__Error *refused,
			   uint64_t now_ms) FED_NODISCARD;

/**
 * Any other frame (config, config_result, stream_event: reliable; attempt,
 * admin: not).  A reliable one is also taken while the connection of a living
 * session is broken, and sent after the resume.
 *
 * @return 0; FED_EAGAIN no session, or an unreliable frame and no room;
 *         FED_ELIMIT over the type's size, or too many not acknowledged;
 *         FED_EINVAL not a frame that this role sends, or not UTF-8;
 *         FED_ENOMEM
 */
int chan_core_send_frame(struct chan_core *c, Fed__Frame *frame,
			 uint64_t now_ms) FED_NODISCARD;

/** Tell the peer that we take no new Stanzas (orderly stop). */
void chan_core_drain(struct chan_core *c, const char *reason, uint64_t now_ms);

/** End the session for good: Bye if connected, then every Stanza without
 * Outcome is RETURNED. */
void chan_core_abandon(struct chan_core *c, const char *reason,
		       uint64_t now_ms);

/**
 * Bytes to write, called once per loop turn: acknowledgements are added here,
 * coalesced.  Empty when there is nothing.  Call chan_core_sent() with what
 * was taken.
 */
struct span chan_core_output(struct chan_core *c, uint64_t now_ms);
void chan_core_sent(struct chan_core *c, size_t n);

/** Session state for status. */
const char *chan_core_state_name(const struct chan_core *c);
bool chan_core_is_up(const struct chan_core *c);
/** A session is there, in force or waiting for a resume. */
bool chan_core_has_session(const struct chan_core *c);
uint32_t chan_core_outstanding(const struct chan_core *c); /* ours */
uint32_t chan_core_owed(const struct chan_core *c);	   /* Outcomes we owe */
/** Connections in a row that resumed the session in force. */
uint64_t chan_core_resumes(const struct chan_core *c);
/** How long the connection has been up; 0: it is not. */
uint64_t chan_core_age_ms(const struct chan_core *c, uint64_t now_ms);

#endif
