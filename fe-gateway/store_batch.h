/*
 * Rows that wait to be written: copies, and those of one transaction by key.
 */
#ifndef FED_GATEWAY_STORE_BATCH_H
#define FED_GATEWAY_STORE_BATCH_H

#include "base/map.h"
#include "fe-gateway/core/federation_rows.h"
#include "fe-gateway/core/presence_rows.h"

/* A copy in one piece of memory; a deleted row has its key only. */
struct store_row {
	struct presence_row row;
	UT_hash_handle hh;
	size_t bytes; /* of the piece */
	char text[];
};

/* A copy in one piece of memory. */
struct store_revision {
	struct federation_revision_row row;
	size_t bytes; /* of the piece */
	struct store_revision *prev;
	struct store_revision *next;
	struct federation_change_row changes[];
};

/* One transaction: the last word on each key, all revisions. */
struct store_batch {
	struct store_row *rows; /* a map; its iteration is in order */
	struct store_revision *revisions;
	size_t count; /* of both */
	size_t bytes;
	uint64_t seq;	   /* the highest of its rows; 0: none */
	uint64_t revision; /* the highest number; 0: none */
	struct store_batch *prev;
	struct store_batch *next;
};

/** @return 0; FED_ELIMIT above LIMIT_STORE_ROW_BYTES; FED_ENOMEM */
int store_row_new(struct store_row **r_out,
		  const struct presence_row *row) FED_NODISCARD;

/** Of a row that is in no batch. */
void store_row_free(struct store_row *r);

/** NULL: out of memory. */
struct store_batch *store_batch_new(void);

/** With its rows; NULL is allowed. */
void store_batch_free(struct store_batch *b);

/** The row of the same key that is in the batch, or NULL. */
struct store_row *store_batch_find(const struct store_batch *b,
				   const struct store_row *r);

/**
 * Put r, in the place of the row of the same key.
 *
 * @return 0: it is the batch's now; FED_ENOMEM: it still is the caller's
 */
int store_batch_put(struct store_batch *b, struct store_row *r,
		    uint64_t seq) FED_NODISCARD;

/** @return 0; FED_ELIMIT above LIMIT_FEDERATION_REVISION_BYTES; FED_ENOMEM */
int store_revision_new(struct store_revision **r_out,
		       const struct federation_revision_row *row) FED_NODISCARD;

/** Of one that is in no batch. */
void store_revision_free(struct store_revision *r);

/** It is the batch's now. */
void store_batch_put_revision(struct store_batch *b, struct store_revision *r);

#endif
