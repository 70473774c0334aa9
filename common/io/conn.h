/*
 * One connection over TCP or a Unix socket, optionally with TLS attached in
 * place: one opaque object, one callback, seven events.
 *
 * Writes are collected and leave at the end of the loop turn in one call.
 * Memory goes at the end of a turn once libuv let go of every handle.
 */
#ifndef FED_IO_CONN_H
#define FED_IO_CONN_H

#include "base/tls_facts.h"
#include "io/loop.h"
#include "io/tls_creds.h"

struct conn;
struct listener;

enum conn_event_kind {
	CONN_UP,      /* connected (outgoing); accepted ones are up at once */
	CONN_TLS_UP,  /* handshake done: conn_tls_facts() */
	CONN_DATA,    /* plaintext bytes in data, at most LIMIT_READ_BYTES */
	CONN_DRAINED, /* written bytes were handed to the system: see
		       * conn_flushed(); raised when any write completed */
	CONN_EOF,     /* the peer closed in order */
	CONN_TIMEOUT, /* the deadline of conn_set_deadline() passed */
	CONN_ERROR,   /* err and text say why; the connection is dead */
};

struct conn_event {
	enum conn_event_kind kind;
	struct span data; /* DATA: borrowed for the call */
	int err;	  /* ERROR: FED_EIO, FED_ETLS, FED_ETIMEOUT */
	const char *text; /* ERROR: for a human */
};

/**
 * The one callback.  It may call any conn function, conn_close() included.
 * After EOF, ERROR or TIMEOUT the owner calls conn_close().
 */
typedef void (*conn_event_fn)(struct conn *c, const struct conn_event *ev,
			      void *arg);

/** A new connection was accepted; the owner takes it with
 * conn_set_handler() or closes it. */
typedef void (*listener_fn)(struct listener *l, struct conn *c, void *arg);

/**
 * Listen on "address:port" or "[v6]:port".
 *
 * @return 0; FED_ECONFIG not an address; FED_EIO cannot bind (errbuf says);
 *         FED_ENOMEM
 */
int listener_new(struct listener **l_out, struct loop *loop, const char *addr,
		 listener_fn fn, void *arg, struct errbuf *e) FED_NODISCARD;

/**
 * Listen on a Unix socket that the daemon's user and group may use.  A socket
 * that a dead process left there is replaced.  Connections are taken as by
 * listener_new(); the socket's name is removed by listener_close().
 *
 * @return 0; FED_EIO in use by a living process, or cannot be made there
 *         (errbuf says); FED_ENOMEM
 */
int listener_new_unix(struct listener **l_out, struct loop *loop,
		      const char *path, listener_fn fn, void *arg,
		      struct errbuf *e) FED_NODISCARD;

/** "127.0.0.1:5269", with the port that port 0 became, or the path; lives as
 * the listener. */
const char *listener_address(const struct listener *l);

/** Stop listening; freed at the end of a turn.  NULL is allowed. */
void listener_close(struct listener *l);

/**
 * Connect; UP or ERROR follows.  Deadline LIMIT_TCP_CONNECT_MS.
 *
 * @return 0; FED_EIO at once; FED_ENOMEM
 */
int conn_connect(struct conn **c_out, struct loop *loop,
		 const struct sockaddr *addr, conn_event_fn fn,
		 void *arg) FED_NODISCARD;

/** Who gets the events from now on. */
void conn_set_handler(struct conn *c, conn_event_fn fn, void *arg);

/**
 * Attach TLS; TLS_UP or ERROR follows within LIMIT_TLS_MS.  Bytes that were
 * written before leave in clear first.
 *
 * @param creds  referenced by the connection
 * @return 0; FED_ENOTFOUND no such identity; FED_ESTATE; FED_ENOMEM
 */
int conn_start_tls(struct conn *c, struct tls_creds *creds,
		   const struct tls_params *p) FED_NODISCARD;

/**
 * Queue bytes (copied).  Above LIMIT_WRITE_SOFT_BYTES the connection is
 * congested; above LIMIT_WRITE_HARD_BYTES the write is refused.
 *
 * @return 0; FED_ELIMIT too much queued: close it; FED_ECLOSED; FED_ENOMEM
 */
int conn_write(struct conn *c, struct span bytes) FED_NODISCARD;

/** Plaintext bytes given to conn_write() so far. */
uint64_t conn_written(const struct conn *c);

/** Of those, bytes handed to the system so far; a stanza whose last byte is
 * at or below this counts as written. */
uint64_t conn_flushed(const struct conn *c);

/** More than LIMIT_WRITE_SOFT_BYTES wait: its source should pause. */
bool conn_is_congested(const struct conn *c);

/** Stop and resume reading; DATA is not raised while paused. */
void conn_pause(struct conn *c);
void conn_resume(struct conn *c);

/** One TIMEOUT event at at_ms (loop_now_ms() scale); UINT64_MAX: none. */
void conn_set_deadline(struct conn *c, uint64_t at_ms);

/** Facts of the handshake, NULL before TLS_UP; live as the connection. */
const struct tls_facts *conn_tls_facts(const struct conn *c);

/** DER of the certificate shown by the peer has that DNS name (exact or
 * wildcard, channel use); false without a certificate. */
bool conn_peer_has_name(const struct conn *c, const char *name);

/* Who made a Unix socket's connection. */
struct conn_user {
	uint32_t uid;
	int32_t pid;
};

/** The system's word for it.  @return 0; FED_ENOTFOUND it cannot say, as of a
 * TCP connection */
int conn_peer_user(const struct conn *c,
		   struct conn_user *user_out) FED_NODISCARD;

/** "192.0.2.1:5269"; "unix" for a Unix socket; lives as the connection. */
const char *conn_peer_address(const struct conn *c);

/** "192.0.2.1:5269", "[2001:db8::1]:5269" */
void conn_format_address(const struct sockaddr *sa, char *out, size_t n);

/**
 * Close after what was written has left (at most LIMIT_STREAM_CLOSE_MS), with
 * TLS close_notify.  No event comes after this call.  Idempotent; NULL is
 * allowed.  The pointer is invalid afterwards.
 */
void conn_close(struct conn *c);

#endif
