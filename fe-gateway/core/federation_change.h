/*
 * One change of the federation configuration at a time, from the wish to the
 * moment in which it is in force everywhere.  Pure.
 *
 * IDLE -> [READING ->] CHECKING -> STORING -> TELLING -> IDLE
 *
 * READING: what a rollback goes back to is being read.  CHECKING: the
 * connected edges say whether they would take it; one no, or one that says
 * nothing, and nothing has changed anywhere.  STORING: from here on it will be
 * in force, also when this process ends.  TELLING: it is in force here, and the
 * edges are told.  An edge that is not connected holds nothing up: it is told
 * at its next session.
 */
#ifndef FED_GATEWAY_FEDERATION_CHANGE_H
#define FED_GATEWAY_FEDERATION_CHANGE_H

#include "admin.pb-c.h"
#include "base/limits.h"
#include "base/log.h"
#include "fe-gateway/core/federation.h"
#include "fe-gateway/core/federation_rows.h"

struct federation_change;

enum federation_change_state {
	FEDERATION_IDLE,
	FEDERATION_READING,
	FEDERATION_CHECKING,
	FEDERATION_STORING,
	FEDERATION_TELLING,
};

struct federation_change_params {
	const char *const *domains; /* SIP domains, for the edges; borrowed */
	size_t domain_count;
	const char *const *edges; /* their names; borrowed */
	size_t edge_count;	  /* LIMIT_CHANNEL_SESSIONS at most */
	const struct logger *log;
};

/** @return 0; FED_EINVAL too many edges; FED_ENOMEM */
int federation_change_new(struct federation_change **c_out,
			  const struct federation_change_params *p)
	FED_NODISCARD;

/** NULL is allowed. */
void federation_change_free(struct federation_change *c);

/* --- before all events: what is durable ----------------------------------- */

/**
 * One record of the store.
 *
 * @return 0; FED_EINVAL it is none; FED_ENOMEM
 */
int federation_change_restore(struct federation_change *c,
			      struct span record) FED_NODISCARD;

/**
 * Those were all; they are in force.
 *
 * @param newest  the revision that they are of
 * @param e       why they cannot be
 * @return 0; FED_EINVAL; FED_ELIMIT; FED_ENOMEM
 */
int federation_change_restored(struct federation_change *c,
			       const struct federation_revision_row *newest,
			       struct errbuf *e) FED_NODISCARD;

/**
 * What is stored of a record.
 *
 * @return 0; FED_EINVAL it is none; FED_ENOMEM
 */
int federation_change_unpack(struct arena *a, struct span bytes,
			     Fed__Record **out) FED_NODISCARD;

/* --- what is known -------------------------------------------------------- */

/** In force; NULL: nothing is configured.  Valid until the next one is. */
const struct federation *federation_change_now(
	const struct federation_change *c);

/* The revision in force. */
struct federation_head {
	uint64_t number; /* 0: none */
	int64_t at_ms;
	char author[LIMIT_FEDERATION_AUTHOR_BYTES + 1];
	char what[LIMIT_FEDERATION_WHAT_BYTES + 1];
};

const struct federation_head *federation_change_head(
	const struct federation_change *c);

/* What is known of an edge. */
struct federation_edge {
	bool is_connected;
	bool is_awaited;   /* its word on the change under way */
	uint64_t in_force; /* revision that it has; 0: none, or not known */
	/* revision that it was sent and has not answered; 0: none */
	uint64_t owes_check;
	uint64_t owes_told;
	uint64_t unasked; /* other results, that were dropped */
	/* why it did not take the last one; "": it did */
	char refused[LIMIT_FEDERATION_REFUSED_BYTES + 1];
};

/** @param edge  below edge_count */
const struct federation_edge *federation_change_edge(
	const struct federation_change *c, size_t edge);

enum federation_change_state federation_change_state(
	const struct federation_change *c);

/**
 * Who it was, for the history: "alice (uid 1000)", "www (uid 0, root)".  What
 * is too long is cut behind a whole character.
 *
 * @param name   that he says; may be empty
 * @param known  that the system has for the uid; NULL: none
 */
void federation_change_author(char out[LIMIT_FEDERATION_AUTHOR_BYTES + 1],
			      uint32_t uid, const char *name,
			      const char *known);

/* --- events --------------------------------------------------------------- */

struct federation_wish {
	const Fed__AdminFederationApply *apply; /* borrowed for the call */
	struct span author;			/* for history and log */
	int64_t wall_ms;
	uint64_t token; /* the caller's, comes back with DONE */
};

/**
 * Somebody wants a change.
 *
 * @param e  why not, in one sentence
 * @return 0: one DONE follows; FED_EBUSY another one is under way;
 *         FED_ESTATE base_revision is not the one in force; FED_EINVAL,
 *         FED_ELIMIT it is wrong; FED_ENOMEM
 */
int federation_change_begin(struct federation_change *c,
			    const struct federation_wish *w, uint64_t now_ms,
			    struct errbuf *e) FED_NODISCARD;

/**
 * READ is answered.
 *
 * @param err     0; FED_ENOTFOUND that revision is not kept; others
 * @param rows    key and `before` of each record that was changed since
 * @param oldest  revision that is kept
 */
void federation_change_on_read(struct federation_change *c, int err,
			       const struct federation_change_row *rows,
			       size_t count, uint64_t oldest, uint64_t now_ms);

/** The revision is on disk. */
void federation_change_on_committed(struct federation_change *c,
				    uint64_t number, uint64_t now_ms);

/** STORE could not be carried out. */
void federation_change_on_store_failed(struct federation_change *c,
				       uint64_t now_ms);

/** The edge has a new session: what it was sent before may be lost. */
void federation_change_on_session(struct federation_change *c, size_t edge,
				  uint64_t now_ms);

/** It has its session again. */
void federation_change_on_resumed(struct federation_change *c, size_t edge);

void federation_change_on_edge_down(struct federation_change *c, size_t edge,
				    uint64_t now_ms);

/** An edge answers a Config: the last one that it was sent, once; anything else
 * is dropped and counted. */
void federation_change_on_result(struct federation_change *c, size_t edge,
				 const Fed__ConfigResult *result,
				 uint64_t now_ms);

/** The deadline may have passed. */
void federation_change_on_timer(struct federation_change *c, uint64_t now_ms);

/** UINT64_MAX: none. */
uint64_t federation_change_deadline_ms(const struct federation_change *c);

/* --- actions -------------------------------------------------------------- */

enum federation_action_kind {
	FEDERATION_ACT_READ,  /* what was at the end of `revision`: on_read() */
	FEDERATION_ACT_STORE, /* on_committed(), or on_store_failed() */
	FEDERATION_ACT_IN_FORCE, /* federation_change_now() is another one */
	FEDERATION_ACT_CONFIG,	 /* send it, if the edge has a session */
	FEDERATION_ACT_DONE,
};

struct federation_action {
	enum federation_action_kind kind;
	union {
		uint64_t read_revision;
		const Fed__Revision *store;
		struct {
			size_t edge;
			Fed__Config config;
		} config;
		struct {
			uint64_t token;
			const char *error; /* NULL: it is done */
			/* without secrets; NULL after an error */
			const Fed__FederationChanged *changed;
		} done;
	} u; /* valid until the next event or action */
};

/** Drain until false. */
bool federation_change_next_action(struct federation_change *c,
				   struct federation_action *out);

#endif
