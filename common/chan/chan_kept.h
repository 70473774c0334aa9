/*
 * What a session keeps of what it sent: every reliable frame until it is
 * acknowledged, a Stanza until its Outcome.
 *
 * Two lists.  `queue` holds what is not acknowledged, in order of seq; the
 * cursor is the first entry that was not written to this connection.
 * `waiting` holds acknowledged Stanzas without Outcome, found by seq.
 */
#ifndef FED_CHAN_CHAN_KEPT_H
#define FED_CHAN_CHAN_KEPT_H

#include "base/limits.h"
#include "chan/chan_codec.h"

enum chan_kept_kind { KEPT_STANZA, KEPT_OUTCOME, KEPT_EVENT };

struct chan_kept {
	struct chan_kept *next;
	struct chan_kept *prev;	       /* in waiting */
	struct chan_kept *next_bucket; /* in waiting */
	enum chan_kept_kind kind;
	uint64_t seq;
	uint64_t ack;	 /* the ack packed inside */
	uint64_t handle; /* of a Stanza */
	size_t n;
	uint8_t bytes[]; /* as on the wire */
};

enum { CHAN_KEPT_KINDS = KEPT_EVENT + 1 };

struct chan_kept_list {
	struct chan_kept *head;
	struct chan_kept *tail;
};

struct chan_kept_set {
	struct chan_kept_list queue;
	struct chan_kept *cursor; /* NULL: all written */
	struct chan_kept_list waiting;
	struct chan_kept_list returning; /* of a lost session */
	struct chan_kept *buckets[LIMIT_CHANNEL_WINDOW];
	uint64_t last_seq;  /* highest given */
	uint64_t sent_seq;  /* highest written to this connection */
	uint64_t high_seq;  /* highest ever written to any connection */
	uint64_t acked_seq; /* highest the peer acknowledged */
	uint32_t count[CHAN_KEPT_KINDS];
	size_t stanza_bytes;
};

/**
 * Give the frame the next seq, pack it and queue it.
 *
 * @param max_bytes  of the frame, prefix not counted
 * @return 0; FED_ELIMIT over max_bytes; FED_ENOMEM
 */
int chan_kept_add(struct chan_kept_set *k, enum chan_kept_kind kind,
		  Fed__Frame *frame, size_t max_bytes,
		  uint64_t handle) FED_NODISCARD;

/** The next entry to write was written. */
void chan_kept_wrote(struct chan_kept_set *k);

/** Everything to seq was received; seq is at most sent_seq. */
void chan_kept_ack(struct chan_kept_set *k, uint64_t seq);

/** New connection of the same session: the peer has everything to seq, which
 * lies in acked_seq..high_seq; the rest is written again. */
void chan_kept_resume(struct chan_kept_set *k, uint64_t seq);

/** The acknowledged Stanza without Outcome of that seq, or NULL. */
struct chan_kept *chan_kept_find(const struct chan_kept_set *k, uint64_t seq);

/** Take it out of waiting and free it. */
void chan_kept_answered(struct chan_kept_set *k, struct chan_kept *e);

/** The session is lost: Stanzas move to returning in their order, all else
 * is freed, numbers begin again. */
void chan_kept_end(struct chan_kept_set *k);

/** Free the first of returning. */
void chan_kept_returned(struct chan_kept_set *k);

/** Free everything. */
void chan_kept_deinit(struct chan_kept_set *k);

#endif
