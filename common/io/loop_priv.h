/*
 * What the loop shares with its own folder: read buffers, and the list of
 * objects that have to be gone before the loop is.
 */
#ifndef FED_IO_LOOP_PRIV_H
#define FED_IO_LOOP_PRIV_H

#include "base/limits.h"
#include "io/loop.h"

/* Bytes taken from a socket at once: four full TLS records. */
enum { LOOP_READ_BYTES = 4 * LIMIT_READ_BYTES };

/* An object with libuv handles that lives on until they are closed. */
struct loop_member {
	void (*kill)(void *arg); /* close the handles now, without events */
	void *arg;
	bool is_leaving; /* goes by itself once its last bytes are gone */
	struct loop_member *prev;
	struct loop_member *next;
};

struct conn_job;

/* Connections whose TLS handshake waits for a worker thread (conn_work.c). */
struct loop_jobs {
	struct conn_job *waiting; /* who began first is first */
	uint64_t began;		  /* handshakes so far */
	unsigned running;
	struct loop_deferred start;
};

struct loop_jobs *loop_jobs(struct loop *l);

void loop_join(struct loop *l, struct loop_member *m);
void loop_leave(struct loop *l, struct loop_member *m);

/** LOOP_READ_BYTES for libuv to read into.  Shared by all connections: what
 * was read is used up, or copied, before the read callback returns. */
char *loop_read_buffer(struct loop *l);

/** LIMIT_READ_BYTES for decrypted bytes, under the same rule. */
char *loop_plain_buffer(struct loop *l);

#endif
