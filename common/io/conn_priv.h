/*
 * A connection's inside, for conn.c, conn_read.c, conn_write.c, listener.c.
 */
#ifndef FED_IO_CONN_PRIV_H
#define FED_IO_CONN_PRIV_H

#include "base/buf.h"
#include "io/conn.h"
#include "io/loop_priv.h"
#include "io/tls_engine.h"

enum {
	/* out, wire, flight: what may wait, and room for a handshake */
	CONN_BUF_MAX = LIMIT_WRITE_HARD_BYTES + 256 * 1024,
	/* plaintext encrypted at once */
	CONN_SEAL_BYTES = 4 * LIMIT_READ_BYTES,
	/* an empty buffer larger than this is given back */
	CONN_BUF_KEEP = 32 * 1024,
};

enum conn_state {
	CONN_CONNECTING,
	CONN_OPEN,
	CONN_FAILED,  /* ERROR was raised; the owner closes */
	CONN_CLOSING, /* owner gone; what was written leaves */
	CONN_LINGER,  /* FIN sent; waits for the peer's, so that the kernel
		       * does not throw our last bytes away with a reset */
	CONN_DEAD,    /* uv_close() called */
};

struct conn {
	struct loop *loop;
	struct loop_member member;
	enum conn_state state;
	conn_event_fn fn; /* NULL: nobody yet, or gone */
	void *arg;
	union { /* the stream; what they have in common goes by tcp */
		uv_tcp_t tcp;
		uv_pipe_t pipe; /* of a Unix socket */
	};
	uv_connect_t connect;
	uv_write_t write;
	uv_shutdown_t shutdown;
	struct loop_timer *deadline; /* the owner's */
	struct loop_timer *guard;    /* connect, TLS, close */
	char address[80];	     /* of the peer */

	/* reading */
	bool is_paused;
	bool is_reading; /* uv_read_start() is on */
	bool is_eof;	 /* FIN or close_notify came */
	struct buf held; /* received, not used: the owner paused */
	struct loop_deferred work;
	struct tls_engine *tls;
	uint64_t tls_began;   /* the loop's how manieth handshake */
	struct conn_job *job; /* a part of the handshake, for a worker */
	bool is_handle_closed;

	/* writing: out (plaintext) -> wire (for the socket) -> flight */
	struct buf out;
	struct buf wire;
	struct buf flight;  /* with libuv, must not move */
	size_t wire_clear;  /* bytes at the front of wire that are plaintext */
	size_t wire_sealed; /* plaintext bytes the rest of wire stands for */
	size_t flight_plain;
	bool is_in_flight;
	bool is_notified; /* close_notify made */
	uint64_t written;
	uint64_t flushed;
	struct loop_deferred flush;
};

/** New one with a TCP handle; state OPEN, no handler.  @return NULL: no
 * memory */
struct conn *conn_new(struct loop *loop);

/** The same for a Unix socket. */
struct conn *conn_new_unix(struct loop *loop);

/** Close the handles now, without events; freed when libuv let go. */
void conn_kill(struct conn *c);

/** Say what happened, unless the owner is gone. */
void conn_raise(struct conn *c, const struct conn_event *ev);

/** ERROR, once; a connection whose owner is gone is killed. */
void conn_fail(struct conn *c, int err, const char *text);

/** Start or stop reading, whichever is due. */
void conn_update_reading(struct conn *c);

/** The socket is connected: set what all connections want. */
void conn_tune(struct conn *c);

/** Deferred: use held bytes, begin the handshake. */
void conn_on_work(void *arg);

/** The handshake goes on in a worker thread; conn_on_work() follows.  The
 * engine then works on held.  @return 0; FED_ENOMEM */
int conn_work_ask(struct conn *c) FED_NODISCARD;

/** Take it back unless it runs. */
void conn_work_cancel(struct conn *c);

/** It runs: wire and held belong to it. */
bool conn_work_runs(const struct conn *c);

/** Free, once libuv and the workers let go. */
void conn_free_when_gone(struct conn *c);

/** Deferred: write what can be written. */
void conn_on_flush(void *arg);

/** Before TLS: queued plaintext leaves in clear.  @return 0; FED_ENOMEM */
int conn_release_clear(struct conn *c) FED_NODISCARD;

/** One attempt to get an alert out of a connection that failed. */
void conn_push_last(struct conn *c);

#endif
