/*
 * What every implementation of fe-gateway/store.h must do.  A test program
 * calls store_contract() with a factory for each implementation.
 */
#ifndef FED_TEST_STORE_CONTRACT_H
#define FED_TEST_STORE_CONTRACT_H

#include "store_contract_rows.h"

/* --- order ---------------------------------------------------------------- */

static void contract_numbers_rise(void **state)
{
	struct store_rig *r = *state;
	struct presence_row row = row_of_watch("a", "b", 1);

	assert_int_equal(FED_EINVAL, store_put(r->store, &row, 0));
	r->put_seq = 10;
	assert_int_equal(0, store_put(r->store, &row, 10));
	assert_int_equal(FED_EINVAL, store_put(r->store, &row, 10));
	assert_int_equal(FED_EINVAL, store_put(r->store, &row, 9));
	rig_settle(r);
	assert_int_equal(10, r->committed);
	r->put_seq = UINT64_MAX;
	assert_int_equal(0, store_put(r->store, &row, UINT64_MAX));
	rig_settle(r);
	assert_true(r->committed == UINT64_MAX);
}

static void contract_commits_in_order(void **state)
{
	struct store_rig *r = *state;
	char local[32];

	/* rig_on_committed() holds what comes against what was put */
	for (int i = 0; i < 200; i++) {
		(void)snprintf(local, sizeof(local), "u%d", i);
		rig_put(r, row_of_watch(local, "b", 1));
		loop_run_once(r->loop);
	}
	rig_settle(r);
	assert_int_equal(200, r->committed);
	assert_in_range(r->commits, 1, 200);
	assert_int_equal(0, r->troubles);
}

/* What is put while a transaction runs goes into the next one, all of it. */
static void contract_batches(void **state)
{
	struct store_rig *r = *state;
	struct rig_rows rows;
	char local[32];

	for (int i = 0; i < 10000; i++) {
		(void)snprintf(local, sizeof(local), "u%d", i);
		rig_put(r, row_of_watch(local, "b", 1));
	}
	assert_int_equal(10000, store_pending(r->store));
	rig_settle(r);
	assert_in_range(r->commits, 1, 1000);
	rig_reload(r, &rows);
	assert_int_equal(10000, rows.watches);
	rig_rows_free(&rows);
}

static void contract_last_word_counts(void **state)
{
	struct store_rig *r = *state;
	struct presence_row row;
	struct rig_rows rows;
	char local[32];

	for (int i = 0; i < 20000; i++) {
		(void)snprintf(local, sizeof(local), "u%d", i % 10);
		row = row_of_watch(local, "b", (uint64_t)i);
		if (i % 7 == 3)
			row.is_deleted = true;
		rig_put(r, row);
	}
	/* the same key waits once in each batch */
	assert_in_range(store_pending(r->store), 1, 10000);
	rig_reload(r, &rows);
	for (int i = 19990; i < 20000; i++) {
		(void)snprintf(local, sizeof(local), "u%d", i % 10);
		row = row_of_watch(local, "b", (uint64_t)i);
		assert_int_equal(i % 7 != 3, rig_rows_have(&rows, &row));
	}
	rig_rows_free(&rows);
}

/* --- against a model ------------------------------------------------------ */

enum { MODEL_KEYS = 500 };

struct model {
	uint64_t value[MODEL_KEYS]; /* 0: not there */
	size_t found;
};

static int match_model(const struct presence_row *row, void *arg)
{
	struct model *m = arg;
	bool is_watch = row->kind == PRESENCE_ROW_WATCH;
	struct span name =
		is_watch ? row->u.watch.local : row->u.dialog.call_id;
	uint32_t key;

	assert_int_equal(0, span_to_u32(name, &key));
	assert_in_range(key, 0, MODEL_KEYS - 1);
	assert_int_equal(m->value[key], is_watch ? row->u.watch.since_ms
						 : row->u.dialog.expires_ms);
	m->found++;
	return 0;
}

static void check_model(struct store_rig *r, struct model *m)
{
	size_t there = 0;

	for (size_t i = 0; i < MODEL_KEYS; i++)
		there += m->value[i] != 0;
	m->found = 0;
	rig_close(r);
	rig_open(r);
	assert_int_equal(0, store_load(r->store, match_model, m));
	assert_int_equal(there, m->found);
}

static void contract_random_life(void **state)
{
	struct store_rig *r = *state;
	struct model m = {.found = 0};
	unsigned seed = 4711;
	char name[32];

	for (int round = 0; round < 10; round++) {
		for (uint64_t i = 1; i <= 3000; i++) {
			unsigned x = (unsigned)rand_r(&seed);
			unsigned key = x % MODEL_KEYS;
			struct presence_row row;

			(void)snprintf(name, sizeof(name), "%u", key);
			row = key % 2 == 0 ? row_of_watch(name, "b", i)
					   : row_of_dialog(name, "t", i);
			row.is_deleted = (x >> 16) % 3 == 0;
			m.value[key] = row.is_deleted ? 0 : i;
			rig_put_patiently(r, row);
			if ((x >> 8) % 200 == 0)
				rig_settle(r);
		}
		check_model(r, &m);
	}
}

/* --- bounds, calls from calls --------------------------------------------- */

static void contract_pending_rows_are_bounded(void **state)
{
	struct store_rig *r = *state;
	struct presence_row row;
	struct rig_rows rows;
	char local[32];
	int err = 0;

	for (unsigned i = 0; err == 0; i++) {
		(void)snprintf(local, sizeof(local), "u%u", i);
		row = row_of_watch(local, "b", 1);
		err = rig_try_put(r, &row);
		assert_in_range(i, 0, LIMIT_STORE_PENDING);
	}
	/* what is written gives room only when it is reported */
	assert_int_equal(FED_EAGAIN, err);
	assert_int_equal(LIMIT_STORE_PENDING, r->put_seq);
	assert_int_equal(LIMIT_STORE_PENDING, store_pending(r->store));
	rig_settle(r);
	rig_put(r, row);
	rig_reload(r, &rows);
	assert_int_equal(LIMIT_STORE_PENDING + 1, rows.watches);
	rig_rows_free(&rows);
}

/* Large keys of rows that are not there: memory, and nothing on disk. */
static void contract_pending_bytes_are_bounded(void **state)
{
	struct store_rig *r = *state;
	enum { LARGE = LIMIT_STORE_ROW_BYTES - 4096 };
	char *text = calloc(1, LARGE);
	struct presence_row row = row_deleted(row_of_watch("", "b", 1));
	int err = 0;

	assert_non_null(text);
	row.u.watch.local = span_of(text, LARGE);
	for (unsigned i = 0; err == 0; i++) {
		(void)snprintf(text, LARGE, "%u", i);
		err = rig_try_put(r, &row);
	}
	assert_int_equal(FED_EAGAIN, err);
	assert_in_range(r->put_seq, LIMIT_STORE_PENDING_BYTES / LARGE * 9 / 10,
			LIMIT_STORE_PENDING_BYTES / LARGE);
	rig_settle(r);
	rig_put(r, row);
	free(text);
}

static void contract_close_writes_what_was_put(void **state)
{
	struct store_rig *r = *state;
	struct rig_rows rows;
	char call_id[32];

	for (int i = 0; i < 30000; i++) {
		(void)snprintf(call_id, sizeof(call_id), "c%d", i);
		rig_put(r, row_of_dialog(call_id, "t", 1));
	}
	rig_reload(r, &rows); /* without a turn of the loop */
	assert_int_equal(30000, rows.dialogs);
	rig_rows_free(&rows);
}

struct chain {
	struct store_rig *rig;
	struct store *store;
	uint64_t seq;
	int err;
};

static void put_next(uint64_t seq, void *arg)
{
	struct chain *c = arg;
	struct presence_row row = row_of_watch("a", "b", seq);

	if (seq < 20) {
		c->seq = seq + 1;
		c->err = store_put(c->store, &row, c->seq);
	}
}

static void no_trouble(bool is_broken, const char *why, void *arg)
{
	(void)is_broken;
	(void)arg;
	fail_msg("%s", why);
}

static bool is_put_by_chain(const struct store_rig *r)
{
	(void)r;
	return false;
}

static void contract_put_inside_of_committed(void **state)
{
	struct store_rig *r = *state;
	struct chain c = {.rig = r, .seq = 1};
	struct store_params p = {.path = r->path,
				 .loop = r->loop,
				 .on_committed = put_next,
				 .on_trouble = no_trouble,
				 .arg = &c};
	struct presence_row row = row_of_watch("a", "b", 0);
	struct errbuf e = {.text = ""};
	struct rig_rows rows;

	rig_close(r);
	assert_int_equal(0, store_open(&c.store, &p, &e));
	assert_int_equal(0, store_put(c.store, &row, 1));
	for (int i = 0; i < 100 && c.seq < 20; i++)
		(void)rig_run(r, is_put_by_chain, 20);
	assert_int_equal(0, c.err);
	assert_int_equal(20, c.seq);
	store_close(c.store);
	rig_reload(r, &rows);
	row.u.watch.since_ms = 19;
	assert_true(rig_rows_have(&rows, &row));
	rig_rows_free(&rows);
}

static int put_back(const struct presence_row *row, void *arg)
{
	struct store_rig *r = arg;
	struct presence_row changed = *row;

	changed.u.watch.since_ms++;
	return rig_try_put(r, &changed);
}

static void contract_put_while_loading(void **state)
{
	struct store_rig *r = *state;
	struct rig_rows rows = {0};
	char local[32];

	for (int i = 0; i < 20; i++) {
		(void)snprintf(local, sizeof(local), "u%d", i);
		rig_put(r, row_of_watch(local, "b", 6));
	}
	rig_close(r);
	rig_open(r);
	assert_int_equal(0, store_load(r->store, put_back, r));
	/* no more: the writer has it */
	assert_int_equal(FED_ESTATE, store_load(r->store, rig_on_row, &rows));
	rig_settle(r);
	rig_reload(r, &rows);
	assert_int_equal(20, rows.watches);
	for (int i = 0; i < 20; i++) {
		struct presence_row row;

		(void)snprintf(local, sizeof(local), "u%d", i);
		row = row_of_watch(local, "b", 7);
		assert_true(rig_rows_have(&rows, &row));
	}
	rig_rows_free(&rows);
}

static int stop_at_second(const struct presence_row *row, void *arg)
{
	int *count = arg;

	(void)row;
	return ++*count == 2 ? FED_ENOTFOUND : 0;
}

static void contract_loading_stops(void **state)
{
	struct store_rig *r = *state;
	struct rig_rows rows = {0};
	int count = 0;

	rig_put(r, row_of_watch("a", "b", 1));
	rig_put(r, row_of_watch("b", "b", 1));
	rig_put(r, row_of_watch("c", "b", 1));
	rig_close(r);
	rig_open(r);
	assert_int_equal(FED_ENOTFOUND,
			 store_load(r->store, stop_at_second, &count));
	assert_int_equal(2, count);
	/* and it can be done again */
	assert_int_equal(0, store_load(r->store, rig_on_row, &rows));
	assert_int_equal(3, rows.watches);
	rig_rows_free(&rows);
}

/* --- size ----------------------------------------------------------------- */

/* As large as a gateway gets; it has to be open again in two seconds. */
static void contract_many_rows(void **state)
{
	enum { MANY = 100000 }; /* of each kind */
	struct store_rig *r = *state;
	struct presence_row row = full_dialog();
	struct rig_rows rows = {0};
	char name[32];
	uint64_t began;

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "user%d@sip.example", i);
		rig_put_patiently(r,
				  row_of_watch(name, "juliet@xmpp.example", 1));
		row.u.dialog.call_id = span_str(name);
		rig_put_patiently(r, row);
	}
	rig_settle(r);
	rig_close(r);
	began = uv_hrtime();
	rig_open(r);
	assert_in_range((uv_hrtime() - began) / 1000000, 0, 2000);
	assert_int_equal(0, store_load(r->store, rig_on_row, &rows));
	assert_int_equal(MANY, rows.watches);
	assert_int_equal(MANY, rows.dialogs);
	rig_rows_free(&rows);
}

/** Run all of it. @return how many failed */
static inline int store_contract(struct store_factory *f)
{
	const struct CMUnitTest tests[] = {
		CONTRACT(new_store_is_empty),
		CONTRACT(every_field_comes_back),
		CONTRACT(rows_are_copied),
		CONTRACT(overwrite_and_delete),
		CONTRACT(keys),
		CONTRACT(any_bytes),
		CONTRACT(size_of_a_row),
		CONTRACT(numbers_rise),
		CONTRACT(commits_in_order),
		CONTRACT(batches),
		CONTRACT(last_word_counts),
		CONTRACT(random_life),
		CONTRACT(pending_rows_are_bounded),
		CONTRACT(pending_bytes_are_bounded),
		CONTRACT(close_writes_what_was_put),
		CONTRACT(put_inside_of_committed),
		CONTRACT(put_while_loading),
		CONTRACT(loading_stops),
		CONTRACT(many_rows),
	};

	return _cmocka_run_group_tests(f->name, tests, FED_ARRAY_LEN(tests),
				       NULL, NULL);
}

#endif
