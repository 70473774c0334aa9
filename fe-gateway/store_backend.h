/*
 * What store.c asks of that which keeps the rows.  One thread at a time is in
 * it: the loop's while it opens, loads and closes, else the writer's.
 */
#ifndef FED_GATEWAY_STORE_BACKEND_H
#define FED_GATEWAY_STORE_BACKEND_H

#include "base/log.h"
#include "base/arena.h"
#include "fe-gateway/store.h"
#include "fe-gateway/store_batch.h"

struct store_backend;

struct store_backend_ops {
	/* As store_open(). */
	int (*open)(struct store_backend **b_out, const char *path,
		    const struct logger *log, struct errbuf *e);
	/* NULL is allowed. */
	void (*close)(struct store_backend *b);
	/* As store_load(). */
	int (*load)(struct store_backend *b,
		    int (*fn)(const struct presence_row *row, void *arg),
		    void *arg);
	/* As store_load_federation(). */
	int (*load_federation)(struct store_backend *b,
			       const struct store_federation_reader *fn,
			       void *arg);
	/* As store_ask(); what is in the answer lives in the arena. */
	void (*answer)(struct store_backend *b, const struct store_ask *ask,
		       struct arena *a, struct store_answer *out);
	/* One transaction, all or nothing; 0: it is on disk.  What fails is
	 * tried again, so nothing of it is left. */
	int (*write)(struct store_backend *b, const struct store_batch *batch,
		     struct errbuf *why);
	/* Nothing is to be written: is what was written still where the next
	 * start finds it?  What is not is mended at the next call. */
	int (*look)(struct store_backend *b, struct errbuf *why);
};

/* The head of each implementation's struct. */
struct store_backend {
	const struct store_backend_ops *ops;
};

extern const struct store_backend_ops store_sqlite_ops;

#endif
