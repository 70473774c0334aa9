/*
 * What chan_link.c and chan_server.c share.
 */
#ifndef FED_IO_CHAN_LINK_PRIV_H
#define FED_IO_CHAN_LINK_PRIV_H

#include "io/chan_link.h"

struct chan_link {
	struct chan_link *prev; /* in the server's list */
	struct chan_link *next;
	struct chan_server *server; /* edge; NULL: a gateway, or being freed */
	struct loop *loop;
	struct chan_core *core;
	struct tls_creds *creds;
	struct id_source *ids;
	char *instance;
	char *peer;
	chan_link_fn fn;
	void *arg;

	struct conn *conn;	    /* NULL: none */
	struct loop_deferred work;  /* drain the core's actions */
	struct loop_deferred flush; /* after it: what they made us say */
	struct loop_timer *timer;
	uint64_t armed_ms; /* of timer */

	bool is_lost;	     /* the connection went; the core is not told yet */
	bool is_paused;	     /* by the owner */
	bool is_conn_paused; /* the core has enough to read */
	bool is_congested;   /* until the connection drained */
	bool is_window_due;  /* it did; the owner was not told yet */
	bool is_told;	     /* UP was raised, GONE not yet */
	bool is_calling;     /* inside fn */
	bool is_dead;	     /* freed inside fn */

	/* gateway */
	struct sockaddr_storage addr;
	uint64_t dial_ms; /* when to dial; UINT64_MAX: not */
	uint64_t backoff_ms;
};

/** A link without connection; the server owns it when given.
 * @return 0; FED_ENOMEM */
int chan_link_new(struct chan_link **l_out, const struct chan_link_common *p,
		  enum chan_role role, const char *peer) FED_NODISCARD;

/** Edge: the peer's new connection, with the bytes of its Hello and what
 * came behind; the old one is closed. */
void chan_link_adopt(struct chan_link *l, struct conn *c, struct span bytes);

/** The link goes away: out of the list. */
void chan_server_forget(struct chan_server *s, struct chan_link *l);

#endif
