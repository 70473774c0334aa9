/*
 * Inside of a change: federation_change_begin.c (from the wish to the next
 * snapshot), federation_change_edges.c (what edges are asked and told),
 * federation_change.c (the disk, time, ends), federation_change_log.c.
 */
#ifndef FED_GATEWAY_FEDERATION_CHANGE_PRIV_H
#define FED_GATEWAY_FEDERATION_CHANGE_PRIV_H

#include "base/limits.h"
#include "base/ratelimit.h"
#include "fe-gateway/core/federation_change.h"

/* Objects of records that were packed: many times their bytes. */
#define FEDERATION_LOADING_BYTES (4u * LIMIT_FEDERATION_REVISION_BYTES)

/* What an event causes: each edge is told twice, and the rest. */
enum { FEDERATION_ACTIONS = 2 * LIMIT_CHANNEL_SESSIONS + 8 };

/* A configuration, and what edges are told of it. */
struct federation_snapshot {
	struct federation *f;
	struct arena arena; /* of config */
	Fed__Config *config;
};

struct federation_change {
	struct federation_change_params p;
	enum federation_change_state state;
	uint64_t deadline_ms;
	struct federation_snapshot now;
	struct federation_head head; /* of now */
	struct federation_edge edges[LIMIT_CHANNEL_SESSIONS];
	uint64_t highest; /* number that was used, tried or heard of */
	struct ratelimit unasked_rate;

	/* the change under way */
	bool is_raise_due; /* an edge has its number: once all have answered */
	struct federation_snapshot next;
	struct federation_snapshot old; /* changes borrow from it */
	struct federation_head next_head;
	uint64_t token;
	uint64_t rollback_to;
	unsigned raises;
	bool is_dry_run;
	bool is_done; /* DONE was said, it goes on without who wanted it */
	struct arena result; /* of the rest */
	Fed__Change **changes;
	size_t change_count;
	struct federation_warnings warnings;
	size_t unlisted; /* warnings and changes that did not fit result */
	char unlisted_text[96];
	char *unlisted_list[1]; /* when it is the only warning */
	Fed__Revision revision;
	Fed__FederationChanged changed;
	struct errbuf error;

	/* while restoring */
	struct arena loading;
	Fed__Record **loaded;
	size_t loaded_count;

	struct federation_action actions[FEDERATION_ACTIONS];
	size_t action_first;
	size_t action_count;
};

/* --- federation_change.c -------------------------------------------------- */

/* The change stands in that state from now on. */
void federation_change_set_state(struct federation_change *c,
				 enum federation_change_state to,
				 uint64_t deadline_ms);

/* Room for one more action; its kind is set. */
struct federation_action *federation_change_act(
	struct federation_change *c, enum federation_action_kind kind);

/* One more warning of the change; those that do not fit are counted. */
void federation_change_warn(struct federation_change *c, const char *fmt, ...)
	FED_PRINTF(2, 3);

/* It is refused: nothing has changed. */
void federation_change_refuse(struct federation_change *c, const char *fmt, ...)
	FED_PRINTF(2, 3);

/* All edges would take it. */
void federation_change_on_checked(struct federation_change *c, uint64_t now_ms);

/* All edges were told, or will be. */
void federation_change_finish(struct federation_change *c);

void federation_snapshot_free(struct federation_snapshot *s);

/* --- federation_change_edges.c -------------------------------------------- */

/* Ask all that are connected. */
void federation_change_ask(struct federation_change *c, uint64_t now_ms);

/* Tell all. */
void federation_change_tell(struct federation_change *c, uint64_t now_ms);

bool federation_change_is_awaited(const struct federation_change *c);

/* --- federation_change_log.c ---------------------------------------------- */

/* One line for each record, or one for all. */
void federation_change_log(const struct federation_change *c);

void federation_change_log_refused(const struct federation_change *c,
				   const struct federation_head *h,
				   const char *why);

/* One line, at most max bytes and the end, without half a character. */
void federation_change_take_text(char *out, size_t max, struct span text);

/* "2026-11-26 02:38:13 UTC" */
void federation_change_put_time(char *out, size_t size, int64_t at_ms);

/* --- federation_text.c ---------------------------------------------------- */

/**
 * The fields of `r` that are other ones than in `other`, "tls:required
 * dialback:off", without secrets; texts behind all else.
 *
 * @param r      NULL: "none"
 * @param other  NULL: all that say something
 */
void federation_text(const Fed__Record *r, const Fed__Record *other, char *out,
		     size_t size);

#endif
