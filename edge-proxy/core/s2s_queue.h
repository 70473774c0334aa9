/*
 * What an s2s core wants done: a bounded ring of actions, and the bytes that
 * the WRITE actions hand out.  Private to the s2s cores.
 *
 * The ring grows when it must: a full one is 17 KB, and each idle stream has
 * one.
 */
#ifndef FED_EDGE_S2S_QUEUE_H
#define FED_EDGE_S2S_QUEUE_H

#include "base/limits.h"
#include "edge-proxy/core/s2s.h"

/* Between two drains: answers to all pending verifications (a write and a
 * READY each) and a few of the stream itself. */
enum { S2S_QUEUE_MAX = 2 * (int)LIMIT_DIALBACK_PENDING + 16 };

/* Bytes of negotiation that a core may have waiting to be drained. */
#define S2S_QUEUE_BYTES LIMIT_UNAUTH_BYTES

struct s2s_queue {
	struct s2s_action *ring; /* room of them */
	size_t room;
	size_t head;
	size_t count;
	struct s2s_reason close; /* behind them */
	bool has_close;
	struct buf out;	 /* written by the wire functions */
	size_t taken;	 /* bytes of out that WRITE actions gave away */
	size_t promised; /* bytes of out that WRITE actions cover */
};

/** Empty queue. */
void s2s_queue_init(struct s2s_queue *q);

/** Free all. */
void s2s_queue_deinit(struct s2s_queue *q);

/** Start of a call on the core: what was drained is no longer pointed at. */
void s2s_queue_recycle(struct s2s_queue *q);

/** Nothing waits. */
bool s2s_queue_is_empty(const struct s2s_queue *q);

/**
 * Cover what was appended to q->out by a WRITE action.
 *
 * @return 0; FED_ENOMEM, FED_ELIMIT: nothing more can be written
 */
int s2s_queue_commit(struct s2s_queue *q) FED_NODISCARD;

/**
 * Append an action (not WRITE or CLOSE); q->out is committed first.
 *
 * @return 0; FED_ELIMIT the ring is full; as s2s_queue_commit()
 */
int s2s_queue_push(struct s2s_queue *q,
		   const struct s2s_action *a) FED_NODISCARD;

/** Append CLOSE, once; there is always room for it. */
void s2s_queue_push_close(struct s2s_queue *q, const struct s2s_reason *r);

/** Take the first action; false when there is none. */
bool s2s_queue_pop(struct s2s_queue *q, struct s2s_action *action_out);

#endif
