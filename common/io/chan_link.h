/*
 * The channel's shell: chan_core on connections with mutual TLS.  The gateway
 * dials and dials again with back-off; the edge accepts.
 */
#ifndef FED_IO_CHAN_LINK_H
#define FED_IO_CHAN_LINK_H

#include "chan/chan_core.h"
#include "io/conn.h"

struct chan_link;

/**
 * An action of the core (all but CLOSE, which the link does itself).  Called
 * from the loop, never from inside a chan_link_* call.
 */
typedef void (*chan_link_fn)(struct chan_link *l, const struct chan_action *a,
			     void *arg);

/* Pausing: while the owner cannot take a Stanza it calls
 * chan_link_pause(); nothing more is drained or read until resume. */
void chan_link_pause(struct chan_link *l);
void chan_link_resume(struct chan_link *l);

struct chan_link_common {
	struct loop *loop;
	const char *instance;	 /* own name */
	struct tls_creds *creds; /* TLS_VERIFY_REQUIRED; referenced */
	uint8_t boot_id[ID_RAW_BYTES];
	struct id_source *ids;
	struct metrics *metrics;
	chan_link_fn fn;
	void *arg;
};

/**
 * Gateway: keep a session to the edge `peer` at `addr` ("ip:port"); the
 * edge's certificate must carry the name `peer`.
 *
 * @return 0; FED_ECONFIG bad address; FED_ENOMEM
 */
int chan_link_dial(struct chan_link **l_out, const struct chan_link_common *p,
		   const char *peer, const char *addr,
		   struct errbuf *e) FED_NODISCARD;

struct chan_server;

/**
 * Edge: accept gateways whose certificate carries a name in `allowed` and
 * whose Hello gives that name.  A link is made for each instance at its first
 * Hello and stays until its session is abandoned; its first action is UP.
 *
 * @return 0; FED_ECONFIG; FED_EIO cannot bind; FED_ENOMEM
 */
int chan_server_new(struct chan_server **s_out,
		    const struct chan_link_common *p, const char *addr,
		    const char *const *allowed, size_t allowed_count,
		    struct errbuf *e) FED_NODISCARD;

/** Stop: sessions are drained, said Bye, freed.  NULL is allowed. */
void chan_server_free(struct chan_server *s);

/** Say Bye, close, free; no event comes after it (Stanzas without Outcome are
 * forgotten: drain first).  Allowed inside fn.  Only for links that were
 * dialled, or for a server's link that must end.  NULL is allowed. */
void chan_link_free(struct chan_link *l);

/** The peer's instance name; lives as the link. */
const char *chan_link_peer(const struct chan_link *l);

/** "192.0.2.1:23456" of the connection, "" without one. */
const char *chan_link_address(const struct chan_link *l);

/** Arguments and errors as the chan_core functions of the same name; a
 * congested connection counts as a full window. */
bool chan_link_can_send(const struct chan_link *l);
int chan_link_send_stanza(struct chan_link *l,
			  const struct chan_delivery *d) FED_NODISCARD;
int chan_link_send_outcome(struct chan_link *l, uint64_t ref,
			   const Fed__Error *refused) FED_NODISCARD;
int chan_link_send_frame(struct chan_link *l, Fed__Frame *frame) FED_NODISCARD;
void chan_link_drain(struct chan_link *l, const char *reason);

/** End the session for good, as chan_core_abandon(): RETURNED and GONE follow;
 * a server's link is freed behind GONE. */
void chan_link_abandon(struct chan_link *l, const char *reason);
bool chan_link_is_up(const struct chan_link *l);
const struct chan_core *chan_link_core(const struct chan_link *l);

#endif
