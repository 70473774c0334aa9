/*
 * The admin socket of a daemon: fedctl's requests, answered response by
 * response as the client takes them, so that no answer is ever in memory as a
 * whole.  Who may connect, the socket's mode says (user and group).
 */
#ifndef FED_IO_ADMIN_SERVER_H
#define FED_IO_ADMIN_SERVER_H

#include "base/metrics.h"
#include "chan/admin_codec.h"
#include "io/conn.h"

struct admin_server;

/* One request under way. */
struct admin_call {
	const Fed__AdminRequest *request; /* lives as the call */
	struct conn_user user;		  /* who asks */
	/* the handler's, zero at first: how far its answer got */
	uint64_t cursor;
	void *state;
};

enum admin_step {
	ADMIN_MORE, /* *out is a response, another one follows */
	ADMIN_LAST, /* *out is the last one */
	ADMIN_WAIT, /* none yet: admin_server_ready() will be called */
};

struct admin_handler {
	/**
	 * Make the next response: called when the client can take one.
	 *
	 * @param out  initialized, id is set; a response that does not fit
	 *             LIMIT_ADMIN_RESPONSE_BYTES becomes an error
	 * @param a    for what is in it, reset after the call
	 */
	enum admin_step (*on_more)(struct admin_call *call, struct arena *a,
				   Fed__AdminResponse *out, void *arg);
	/** The call is over, answered or not: its client may have gone.  May
	 * be NULL. */
	void (*on_end)(struct admin_call *call, void *arg);
	void *arg;
	/* The longest request it answers.  Of those above
	 * LIMIT_ADMIN_SMALL_BYTES, one is read and held at a time, until its
	 * answer is made; clients with others wait, in order of coming. */
	size_t request_max;
};

/**
 * Listen at `path`.
 *
 * @param metrics  borrowed
 * @return as listener_new_unix()
 */
int admin_server_new(struct admin_server **s_out, struct loop *loop,
		     const char *path, const struct admin_handler *handler,
		     struct metrics *metrics, struct errbuf *e) FED_NODISCARD;

/** An answer that waited goes on: on_more() is called at the end of the turn.
 */
void admin_server_ready(struct admin_server *s, struct admin_call *call);

/** End all calls, close all connections, remove the socket.  NULL is allowed.
 */
void admin_server_free(struct admin_server *s);

#endif
