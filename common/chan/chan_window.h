/*
 * Stanzas received that wait for our Outcome: a table as large as the window
 * we announced, so a peer cannot make it grow.
 *
 * A ref names one of them for ever: `serial * LIMIT_CHANNEL_WINDOW + slot`,
 * where serials are never used again, not even in another session.
 */
#ifndef FED_CHAN_CHAN_WINDOW_H
#define FED_CHAN_CHAN_WINDOW_H

#include "base/err.h"
#include "base/limits.h"

#include <stdint.h>

struct chan_owed {
	uint64_t ref; /* 0: free */
	uint64_t seq; /* of the Stanza */
	uint32_t next_free;
};

struct chan_window {
	struct chan_owed *slots;
	uint32_t size;
	uint32_t used;
	uint32_t first_free;   /* size: none */
	uint64_t serial;       /* last given */
	uint64_t first_serial; /* of this session; older ones are void */
};

/** @param size 1..LIMIT_CHANNEL_WINDOW  @return 0; FED_ENOMEM */
int chan_window_init(struct chan_window *w, uint32_t size) FED_NODISCARD;
void chan_window_deinit(struct chan_window *w);

/** A Stanza came; its ref, or 0: the window is full. */
uint64_t chan_window_take(struct chan_window *w, uint64_t seq);

/**
 * The Stanza of a ref.
 *
 * @param seq_out  0: the ref is of a lost session
 * @return 0; FED_ENOTFOUND never given, or answered
 */
int chan_window_find(const struct chan_window *w, uint64_t ref,
		     uint64_t *seq_out) FED_NODISCARD;

/** It was answered. */
void chan_window_give(struct chan_window *w, uint64_t ref);

/** The session is lost: all refs are void. */
void chan_window_clear(struct chan_window *w);

#endif
