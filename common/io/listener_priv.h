/*
 * A listener's inside, for listener.c (TCP, and what both kinds do alike) and
 * listener_unix.c.
 */
#ifndef FED_IO_LISTENER_PRIV_H
#define FED_IO_LISTENER_PRIV_H

#include <sys/stat.h>

#include "io/conn_priv.h"

union listener_handle {
	uv_stream_t stream;
	uv_tcp_t tcp;
	uv_pipe_t pipe;
};

struct listener {
	struct loop *loop;
	struct loop_member member;
	union listener_handle handle;
	union listener_handle refused; /* a connection there is no memory for */
	bool is_refusing;
	bool has_another;
	unsigned open_handles;
	listener_fn fn; /* NULL: closed */
	void *arg;
	char address[80]; /* of TCP */
	char *path;	  /* of a Unix socket, else NULL */
	bool is_named;	  /* the file at path is ours: */
	dev_t device;
	ino_t inode;
};

/** Without a handle.  @return NULL: no memory */
struct listener *listener_make(struct loop *loop, listener_fn fn, void *arg);

/** Its handle was initialized: listener_close() frees it from now on. */
void listener_join(struct listener *l);

/** Take connections.  @return 0 or libuv's error */
int listener_begin(struct listener *l);

/** The file of a Unix socket, if it is still the one that was made. */
void listener_remove_name(struct listener *l);

#endif
