/*
 * Inside of chan_core: the struct, and the seams between its files.
 *
 *   chan_core.c     life, connection events, deadlines, actions
 *   chan_state.c    states, the queue of actions, closing
 *   chan_session.c  Hello, Welcome, resume, end of a session
 *   chan_receive.c  one received frame: table, ack, seq, handler
 *   chan_send.c     frames of ours, what goes to the wire
 */
#ifndef FED_CHAN_CHAN_CORE_PRIV_H
#define FED_CHAN_CHAN_CORE_PRIV_H

#include "chan/chan_core.h"
#include "chan/chan_kept.h"
#include "chan/chan_rules.h"
#include "chan/chan_window.h"

enum chan_state {
	CHAN_CLOSED,  /* no connection */
	CHAN_HELLO,   /* waiting for Hello (edge) or Welcome (gateway) */
	CHAN_OPEN,    /* frames flow */
	CHAN_CLOSING, /* CLOSE was raised; the shell flushes and closes */
};

/* At most between two drains: WINDOW, DRAIN, CLOSE, DOWN, RETURNED, GONE, and
 * the same end of one more session. */
enum { CHAN_ACTS = 16, CHAN_TEXT_BYTES = 256, CHAN_REASON_BYTES = 128 };

/* Retry of what failed for want of memory. */
enum { CHAN_STARVED_MS = 100 };

struct chan_act {
	enum chan_action_kind kind;
	bool is_resumed; /* of UP */
};

struct chan_core {
	enum chan_role role;
	char *instance;
	char *peer;
	uint8_t boot_id[ID_RAW_BYTES];
	struct id_source *ids;
	const struct logger *log;
	struct metrics *metrics;

	enum chan_state state;
	struct chan_act acts[CHAN_ACTS]; /* a ring */
	size_t act_first;
	size_t act_count;
	enum chan_close close_why; /* of CLOSING */
	bool is_up;		   /* UP was raised, DOWN not yet */
	char close_text[CHAN_TEXT_BYTES];

	/* the session; it outlives connections */
	bool has_session;
	uint8_t token[ID_RAW_BYTES];
	uint8_t peer_boot[ID_RAW_BYTES];
	uint32_t peer_window;
	uint64_t recv_seq; /* highest seen */
	uint64_t resumes;
	struct chan_kept_set kept;
	struct chan_window window;

	/* the connection */
	bool is_full;	       /* WINDOW is due when can_send() */
	bool is_peer_draining; /* it said Drain */
	uint64_t acked_out;    /* highest ack written */
	uint64_t ack_ms;       /* when is_ack_due; UINT64_MAX: not yet known */
	bool is_ack_due;       /* in a frame of its own */
	bool is_pong_due;
	bool is_ping_due;
	bool is_drain_due;
	bool is_bye_due;
	uint64_t pong_token;
	bool is_draining; /* we said Drain, again after each resume */
	char drain_reason[CHAN_REASON_BYTES];

	/* times */
	uint64_t up_ms;	     /* of HELLO */
	uint64_t lost_ms;    /* connection of a living session broke */
	uint64_t last_in_ms; /* bytes came */
	uint64_t last_out_ms;
	uint64_t last_ping_ms;
	uint64_t starved_ms; /* out of memory at; UINT64_MAX: not */

	struct buf in;
	struct buf out;
	struct arena frame_arena; /* the frame being shown */
	struct arena show_arena;  /* our Stanza, shown again */
};

/* chan_state.c */
void chan_set_state(struct chan_core *c, enum chan_state to);
void chan_push(struct chan_core *c, enum chan_action_kind kind,
	       bool is_resumed);
bool chan_pop(struct chan_core *c, struct chan_action *a, uint64_t now_ms);
void chan_unpush_close(struct chan_core *c);
/* From HELLO or OPEN to CLOSING; the text goes to the log, the action, and
 * as Bye to the peer when the session ends by it. */
void chan_close(struct chan_core *c, enum chan_close why, const char *fmt, ...)
	FED_PRINTF(3, 4);
bool chan_close_ends_session(enum chan_close why);
void chan_starve(struct chan_core *c, uint64_t now_ms);
/* Our kept Stanza in show_arena. @return NULL out of memory */
const Fed__StanzaFrame *chan_show(struct chan_core *c,
				  const struct chan_kept *e);

/* chan_session.c */
int chan_write_hello(struct chan_core *c);
void chan_on_hello(struct chan_core *c, const Fed__Hello *h, uint64_t now_ms);
void chan_on_welcome(struct chan_core *c, const Fed__Welcome *w,
		     uint64_t now_ms);
/* Forget the session; what is unanswered becomes RETURNED. */
void chan_session_end(struct chan_core *c);

/* chan_receive.c */
enum chan_received {
	CHAN_RX_NONE,	 /* no whole frame, or not in this state */
	CHAN_RX_DONE,	 /* a frame was handled; look again */
	CHAN_RX_ACTION,	 /* and shows an action */
	CHAN_RX_STARVED, /* out of memory: later, the frame stays */
};
enum chan_received chan_receive(struct chan_core *c, struct chan_action *a,
				uint64_t now_ms);

/* chan_send.c */
int chan_put(struct chan_core *c, Fed__Frame *frame) FED_NODISCARD;

/** Nothing received waits for its ack. */
static inline void chan_ack_settled(struct chan_core *c)
{
	c->ack_ms = UINT64_MAX;
	c->is_ack_due = false;
}

#endif
