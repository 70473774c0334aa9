/*
 * Inside of the store: store.c (the writer's thread, the way back into the
 * loop, rows), store_federation.c (revisions, questions).
 */
#ifndef FED_GATEWAY_STORE_PRIV_H
#define FED_GATEWAY_STORE_PRIV_H

#include "fe-gateway/store_ask.h"
#include "fe-gateway/store_backend.h"

/* What the writer's thread and the loop's both see, under the lock. */
struct store_shared {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* on the monotonic clock */
	struct store_batch *waiting;
	uint64_t done_seq;
	uint64_t done_revision;
	size_t done_rows; /* since the loop's thread looked */
	size_t done_bytes;
	uint64_t give_up_ms; /* while closing */
	struct errbuf why;   /* while broken */
	bool is_broken;
	bool was_broken; /* since the loop's thread looked */
	bool is_held;	 /* the loop's thread is in the backend */
	bool is_busy;	 /* the writer's is */
	bool is_asked;	 /* a question came in */
	bool is_closing;
};

struct store {
	struct store_backend *backend;
	struct store_params p;
	struct loop_wake *wake;
	struct store_questions questions;
	pthread_t thread;
	bool has_thread;
	bool has_lock;
	/* of the loop's thread */
	size_t pending_rows;
	size_t pending_bytes;
	uint64_t put_seq;
	uint64_t told_seq;
	uint64_t put_revision; /* or that was loaded */
	uint64_t told_revision;
	bool is_told_broken;
	bool is_put; /* something was */
	bool knows_revision;
	struct store_shared shared;
};

void store_lock(struct store *s);
void store_unlock(struct store *s);

/* Keep the writer out of the backend, and let it in again. */
void store_hold(struct store *s, bool is_held);

/* Tell all that is to be told. */
void store_report(struct store *s);

#endif
