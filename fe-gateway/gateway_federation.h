/*
 * The one source of the federation configuration: in the store under
 * revisions, here as the snapshot in force, at every edge what concerns it.
 */
#ifndef FED_GATEWAY_FEDERATION_SHELL_H
#define FED_GATEWAY_FEDERATION_SHELL_H

#include "channel.pb-c.h"
#include "fe-gateway/core/federation_change.h"
#include "fe-gateway/gateway_config.h"
#include "fe-gateway/store.h"
#include "io/admin_server.h"

struct gateway_federation;

struct gateway_federation_params {
	const struct gateway_config *config;
	const char *const *edges; /* their names; borrowed */
	size_t edge_count;
	struct loop *loop;
	struct store *store; /* on_revision is for ..._on_committed() */
	/* To the session of an edge. @return as chan_link_send_frame() */
	int (*send)(size_t edge, Fed__Frame *frame, void *arg);
	/* Another one is in force; the one before is not to be touched any
	 * more. */
	void (*on_change)(const struct federation *f, void *arg);
	void *arg;
};

/**
 * Take up what the store has.
 *
 * @param e  what is in it cannot be in force
 * @return 0; FED_EINVAL; FED_ELIMIT; FED_EIO; FED_ENOMEM
 */
int gateway_federation_new(struct gateway_federation **g_out,
			   const struct gateway_federation_params *p,
			   struct errbuf *e) FED_NODISCARD;

/**
 * When the store has no revision, federation.bootstrap is the first one: on
 * disk and in force when this returns.
 *
 * @param e  as of gateway_federation_bootstrap(), or why it is not on disk
 * @return 0; FED_ECONFIG the file is wrong; FED_EIO; FED_ENOMEM
 */
int gateway_federation_start(struct gateway_federation *g,
			     struct errbuf *e) FED_NODISCARD;

/** Nothing is told any more; before the store is closed.  NULL is allowed. */
void gateway_federation_free(struct gateway_federation *g);

/** In force; NULL: nothing is configured.  Valid until on_change. */
const struct federation *gateway_federation_now(
	const struct gateway_federation *g);

/** The revision in force. */
const struct federation_head *gateway_federation_head(
	const struct gateway_federation *g);

/** The store has that revision. */
void gateway_federation_on_committed(struct gateway_federation *g,
				     uint64_t number);

/** The edge has a new session: it gets what is in force. */
void gateway_federation_on_session(struct gateway_federation *g, size_t edge);

/** The edge has its session again. */
void gateway_federation_on_resumed(struct gateway_federation *g, size_t edge);

/** The edge is gone: what waits for its word goes on without it. */
void gateway_federation_on_edge_down(struct gateway_federation *g, size_t edge);

/** An edge answers a Config. */
void gateway_federation_on_result(struct gateway_federation *g, size_t edge,
				  const Fed__ConfigResult *result);

/* What becomes of a change: one of the two is NULL. */
typedef void (*gateway_federation_done_fn)(
	const Fed__FederationChanged *changed, const char *error, void *arg);

/**
 * A change, as by fedctl.
 *
 * @param author  for the history
 * @param done    called once, not from inside of this call; also when it is
 *                refused at once ("another change is under way...")
 * @return 0; FED_ENOMEM
 */
int gateway_federation_change(struct gateway_federation *g,
			      const Fed__AdminFederationApply *apply,
			      const char *author,
			      gateway_federation_done_fn done,
			      void *arg) FED_NODISCARD;

/** Whoever waits with that `arg` is not called any more. */
void gateway_federation_forget(struct gateway_federation *g, const void *arg);

/* --- gateway_federation_config.c ------------------------------------------ */

/**
 * The records of federation.bootstrap, checked as a whole: as a change is,
 * but for what edges say to it.
 *
 * @param domains  SIP domains, normalized
 * @param a        they live in there: of LIMIT_FEDERATION_ARENA_BYTES
 * @param e        "FILE:LINE: ...", or "FILE: ..." of the whole
 * @return 0; FED_ECONFIG; FED_ENOMEM
 */
int gateway_federation_bootstrap(const char *path, const char *const *domains,
				 size_t domain_count, struct arena *a,
				 Fed__AdminFederationApply *out,
				 struct errbuf *e) FED_NODISCARD;

/* --- gateway_federation_admin.c ------------------------------------------- */

/** The next response to a request about the configuration (get, apply,
 * history, status). */
enum admin_step gateway_federation_admin(struct gateway_federation *g,
					 struct admin_server *server,
					 struct admin_call *call,
					 struct arena *a,
					 Fed__AdminResponse *out);

/** The call is over. */
void gateway_federation_admin_end(struct gateway_federation *g,
				  struct admin_call *call);

/**
 * Who asks, for the history: "alice (uid 1000)", "www (uid 0, root)".
 *
 * @param name  that he says; may be empty
 */
void gateway_federation_author(const struct conn_user *user, const char *name,
			       char out[LIMIT_FEDERATION_AUTHOR_BYTES + 1]);

#endif
