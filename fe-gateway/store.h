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
#include "fe-gateway/core/federation_rows.h"
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
	/* The same of revisions, up to this one.  May be NULL when none is
	 * put. */
	void (*on_revision)(uint64_t number, void *arg);
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

/* --- the federation configuration ----------------------------------------- */

/* What store_load_federation() found, in this order. */
struct store_federation_reader {
	/* The newest one, without its changes; not called when there is
	 * none. */
	int (*on_revision)(const struct federation_revision_row *r, void *arg);
	/* Each record, in the order of keys. */
	int (*on_record)(struct span key, struct span record, void *arg);
};

/**
 * Before the first put.  The spans are valid until a function returns.
 *
 * @return 0; FED_EIO; FED_ENOMEM; FED_ESTATE something was put; what a
 *         function returned if not 0
 */
int store_load_federation(struct store *s,
			  const struct store_federation_reader *fn,
			  void *arg) FED_NODISCARD;

/**
 * Put a revision, which is copied: it, its changes and the records behind them
 * are there after a crash, or nothing of it.  LIMIT_FEDERATION_HISTORY
 * older ones are kept.  It comes back through on_revision().
 *
 * @param r  its number is above the one before
 * @return 0; FED_EAGAIN as store_put(); FED_ELIMIT it is above
 *         LIMIT_FEDERATION_REVISION_BYTES; FED_EINVAL number; FED_ESTATE
 *         store_load_federation() was not called; FED_ENOMEM
 */
int store_put_revision(struct store *s,
		       const struct federation_revision_row *r) FED_NODISCARD;

/**
 * Wait until all that was put is on disk, and report it from inside of this
 * call: for the start, when there is nothing else to do.
 *
 * @return 0; FED_EIO it cannot be written, with the sentence
 */
int store_sync(struct store *s, struct errbuf *why) FED_NODISCARD;

enum store_ask_kind {
	STORE_ASK_HISTORY, /* revisions, newest first */
	/* what the records were at the end of a revision: one change for each
	 * key that was changed since, of which only `before` is set */
	STORE_ASK_BACK,
};

struct store_ask {
	enum store_ask_kind kind;
	/* HISTORY: that revision, or the next older one.  BACK: that one. */
	uint64_t number;
	size_t position; /* HISTORY: first change of that very revision */
	size_t count;	 /* HISTORY: revisions, at most */
};

struct store_answer {
	int err; /* 0; FED_ENOTFOUND BACK: it is not kept; FED_ELIMIT BACK:
		  * above LIMIT_FEDERATION_REVISION_BYTES; FED_EIO;
		  * FED_ENOMEM */
	const struct federation_revision_row *revisions;
	size_t count;
	/* HISTORY: how to go on; there was more than a page of
	 * LIMIT_FEDERATION_PAGE_BYTES.  The last revision of a page may have
	 * some of its changes only, and begins the next one. */
	bool is_more;
	struct store_ask next;
	uint64_t oldest; /* BACK: that is kept; 0: none */
};

struct store_question;

/**
 * Ask for what is on disk, without waiting for it.
 *
 * @param fn  called once, in a turn of the loop and never from inside of
 *            another call; the answer is valid until it returns.  Not called
 *            after store_close()
 * @param q_out  valid until fn was called
 * @return 0; FED_ENOMEM
 */
int store_ask(struct store *s, const struct store_ask *ask,
	      void (*fn)(const struct store_answer *a, void *arg), void *arg,
	      struct store_question **q_out) FED_NODISCARD;

/** fn will not be called. */
void store_ask_cancel(struct store_question *q);

/** Rows that wait to be written, or to be reported as committed. */
size_t store_pending(const struct store *s);

#endif
