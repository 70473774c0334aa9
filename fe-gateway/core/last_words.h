/*
 * What edges last said of their streams, for operators: whether there is one
 * with a domain, or how it ended.  Pure.
 */
#ifndef FED_GATEWAY_LAST_WORDS_H
#define FED_GATEWAY_LAST_WORDS_H

#include "base/span.h"
#include "channel.pb-c.h"

struct last_words;

/* Of one edge and domain, in one direction. */
struct last_word {
	Fed__StreamEvent__What what;
	uint64_t at_ms;
	char *reason; /* "" for OPENED */
};

/** @return 0; FED_ENOMEM */
int last_words_new(struct last_words **w_out) FED_NODISCARD;

/** NULL is allowed. */
void last_words_free(struct last_words *w);

/**
 * Remember it; when there are LIMIT_LAST_WORDS of all edges, the edge that has
 * the most of them loses its oldest one.
 *
 * @param edge  below LIMIT_CHANNEL_SESSIONS
 */
void last_words_note(struct last_words *w, size_t edge,
		     const Fed__StreamEvent *ev, uint64_t now_ms);

/** The edge is another one than before: nothing is known of its streams. */
void last_words_forget(struct last_words *w, size_t edge);

/** NULL: it said nothing.  Lives until the next call. */
const struct last_word *last_words_find(const struct last_words *w, size_t edge,
					struct span domain, bool is_inbound);

#endif
