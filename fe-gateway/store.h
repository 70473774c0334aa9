/*
 * Durable state of the gateway: an interface, whatever keeps it.  One writer;
 * what is put is written in batches and reported as committed, in order.
 *
 * Nothing of libraries is in it, so that a second implementation needs no
 * change above; tests/integration/store_contract.h is what each must pass.
 */
#ifndef FED_GATEWAY_STORE_H
#define FED_GATEWAY_STORE_H

#include "base/log.h"
#include "fe-gateway/core/presence_rows.h"
#include "io/loop.h"

struct store;

struct store_params {
	const char *path; /* file of SQLite; "postgresql://": not yet */
	struct loop *loop;
	/* All that was put up to this number is on disk.  Called in a turn of
	 * the loop, never from inside of another call.  It and the next one
	 * may put, but not close. */
	void (*on_committed)(uint64_t seq, void *arg);
	/* A batch could not be written (disk full, ...), or what was written
	 * is not there any more (deleted, ...): it is tried again until it can;
	 * told once when it begins and once when it is over. */
	void (*on_trouble)(bool is_broken, const char *why, void *arg);
	void *arg;
};

/**
 * Open, check integrity, migrate to this program's schema.
 *
 * @param e  one sentence: not writable, not a database, damaged, made by a
 *           newer program (with both versions)
 * @return 0; FED_EIO; FED_ECONFIG; FED_ENOMEM
 */
int store_open(struct store **s_out, const struct store_params *p,
	       struct errbuf *e) FED_NODISCARD;

/** Write what was put, close; no callback comes any more.  What cannot be
 * written in LIMIT_STORE_CLOSE_MS is lost, and logged.  NULL is allowed. */
void store_close(struct store *s);

/**
 * Call fn for each row: all watches, then all dialogs.  Before the first
 * store_put(), but fn may put.  Rows that do not hold what they should are
 * left out, logged and counted.
 *
 * @param fn  the row's spans are valid until it returns
 * @return 0; FED_EIO; FED_ENOMEM; FED_ESTATE rows were put; what fn returned
 *         if not 0
 */
int store_load(struct store *s,
	       int (*fn)(const struct presence_row *row, void *arg),
	       void *arg) FED_NODISCARD;

/**
 * Put or delete a row, which is copied.  The last word on a key counts.  Any
 * bytes may be in its texts.  What a crash leaves is all that was put up to
 * some number, and no less than what was committed.
 *
 * @param seq  above the one before; comes back through on_committed()
 * @return 0; FED_EAGAIN LIMIT_STORE_PENDING rows, or
 *         LIMIT_STORE_PENDING_BYTES, wait to be written; FED_ELIMIT the row is
 *         above LIMIT_STORE_ROW_BYTES; FED_EINVAL seq; FED_ENOMEM
 */
int store_put(struct store *s, const struct presence_row *row,
	      uint64_t seq) FED_NODISCARD;

/** Rows that wait to be written, or to be reported as committed. */
size_t store_pending(const struct store *s);

#endif
