/*
 * The contract of the store, first part: what is put comes back.
 */
#ifndef FED_TEST_STORE_CONTRACT_ROWS_H
#define FED_TEST_STORE_CONTRACT_ROWS_H

#include "store_rig.h"

/* --- one row -------------------------------------------------------------- */

static void contract_new_store_is_empty(void **state)
{
	struct store_rig *r = *state;
	struct rig_rows rows = {0};

	assert_int_equal(0, store_load(r->store, rig_on_row, &rows));
	assert_int_equal(0, rows.watches + rows.dialogs);
	assert_int_equal(0, store_pending(r->store));
	rig_reload(r, &rows);
	assert_int_equal(0, rows.watches + rows.dialogs);
}

static struct presence_row full_watch(void)
{
	struct presence_row row = row_of_watch(
		"romeo@sip.example", "juliet@xmpp.example", UINT64_MAX);

	row.u.watch.direction = PRESENCE_IN;
	row.u.watch.auth = PRESENCE_PENDING;
	row.u.watch.told = SPAN_LIT("phone\ndesk\n\xc3\xa4");
	return row;
}

static struct presence_row full_dialog(void)
{
	return (struct presence_row){
		.kind = PRESENCE_ROW_DIALOG,
		.u.dialog =
			{
				.direction = PRESENCE_OUT,
				.local = SPAN_LIT("romeo@sip.example"),
				.remote = SPAN_LIT("juliet@xmpp.example"),
				.call_id = SPAN_LIT("abc@10.0.0.1"),
				.local_tag = SPAN_LIT("t1"),
				.remote_tag = SPAN_LIT("t2"),
				.local_uri = SPAN_LIT("sip:j@xmpp.example"),
				.remote_uri = SPAN_LIT("sip:r@sip.example"),
				.target = SPAN_LIT("sip:r@10.0.0.2:5060;lr"),
				.routes = SPAN_LIT("<sip:p1;lr>, <sip:p2;lr>"),
				.event_id = SPAN_LIT("7"),
				.local_cseq = UINT32_MAX,
				.remote_cseq = 2147483648u,
				.expires_ms = 1763900000000,
				.is_active = true,
			},
	};
}

static void contract_every_field_comes_back(void **state)
{
	struct store_rig *r = *state;
	const struct presence_row row[] = {
		full_dialog(),
		full_watch(),
		row_of_dialog("c", "t", 0),
		row_of_watch("a", "b", 0),
	};
	struct rig_rows rows;

	for (size_t i = 0; i < FED_ARRAY_LEN(row); i++)
		rig_put(r, row[i]);
	rig_settle(r);
	rig_reload(r, &rows);
	assert_int_equal(2, rows.watches);
	assert_int_equal(2, rows.dialogs);
	for (size_t i = 0; i < FED_ARRAY_LEN(row); i++)
		assert_true(rig_rows_have(&rows, &row[i]));
	rig_rows_free(&rows);
}

/* The memory of what was put is the caller's again at once. */
static void contract_rows_are_copied(void **state)
{
	struct store_rig *r = *state;
	char local[] = "romeo@sip.example";
	struct presence_row row = row_of_watch(local, "j", 1);
	struct rig_rows rows;

	rig_put(r, row);
	memset(local, '!', sizeof(local) - 1);
	rig_reload(r, &rows);
	row = row_of_watch("romeo@sip.example", "j", 1);
	assert_true(rig_rows_have(&rows, &row));
	rig_rows_free(&rows);
}

static void contract_overwrite_and_delete(void **state)
{
	struct store_rig *r = *state;
	struct presence_row w = row_of_watch("a", "b", 1);
	struct presence_row d = row_of_dialog("c", "t", 1);
	struct rig_rows rows;

	rig_put(r, w);
	rig_put(r, d);
	rig_settle(r);
	w.u.watch.since_ms = 2;
	w.u.watch.told = SPAN_LIT("x");
	d.u.dialog.local_cseq = 9;
	rig_put(r, w);
	rig_put(r, d);
	rig_reload(r, &rows);
	assert_int_equal(1, rows.watches);
	assert_int_equal(1, rows.dialogs);
	assert_true(rig_rows_have(&rows, &w));
	assert_true(rig_rows_have(&rows, &d));
	rig_rows_free(&rows);

	rig_put(r, row_deleted(w));
	rig_put(r, row_deleted(d));
	rig_put(r, row_deleted(row_of_watch("never", "was", 0)));
	rig_settle(r);
	rig_put(r, row_of_dialog("c", "t", 3)); /* and again */
	rig_reload(r, &rows);
	assert_int_equal(0, rows.watches);
	d = row_of_dialog("c", "t", 3);
	assert_true(rig_rows_have(&rows, &d));
	rig_rows_free(&rows);
}

/* What belongs to the key, and where its parts end. */
static void contract_keys(void **state)
{
	struct store_rig *r = *state;
	struct presence_row row[] = {
		row_of_watch("a", "bc", 1),  row_of_watch("ab", "c", 2),
		row_of_watch("a", "bc", 3),  row_of_dialog("x", "yz", 4),
		row_of_dialog("xy", "z", 5), row_of_dialog("x", "y", 6),
	};
	struct rig_rows rows;

	row[2].u.watch.direction = PRESENCE_IN;
	for (size_t i = 0; i < FED_ARRAY_LEN(row); i++)
		rig_put(r, row[i]);
	/* of a dialog, nothing but call-id and tag */
	row[5].u.dialog.direction = PRESENCE_OUT;
	row[5].u.dialog.local = SPAN_LIT("other@sip.example");
	rig_put(r, row[5]);
	rig_reload(r, &rows);
	assert_int_equal(3, rows.watches);
	assert_int_equal(3, rows.dialogs);
	for (size_t i = 0; i < FED_ARRAY_LEN(row); i++)
		assert_true(rig_rows_have(&rows, &row[i]));
	rig_rows_free(&rows);
	rig_put(r, row_deleted(row[0]));
	rig_put(r, row_deleted(row[3]));
	rig_reload(r, &rows);
	assert_int_equal(2, rows.watches);
	assert_int_equal(2, rows.dialogs);
	assert_false(rig_rows_have(&rows, &row[0]));
	assert_false(rig_rows_have(&rows, &row[3]));
	rig_rows_free(&rows);
}

static void contract_any_bytes(void **state)
{
	const struct span texts[] = {
		SPAN_LIT("a\0b"),
		SPAN_LIT("a"),
		SPAN_LIT("\0"),
		SPAN_LIT("\xff\xfe not UTF-8 \x80"),
		SPAN_LIT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80@sip.example"),
		SPAN_LIT("a\xcc\x88"), /* the same letter, not composed */
		SPAN_LIT("'; DROP TABLE watch; --"),
		SPAN_LIT("A"), /* not "a" */
		SPAN_LIT("a "),
	};
	enum { N = FED_ARRAY_LEN(texts) };
	struct store_rig *r = *state;
	struct presence_row row[2 * N];
	struct rig_rows rows;

	for (size_t i = 0; i < N; i++) {
		row[i] = row_of_watch("", "b", i);
		row[i].u.watch.local = texts[i];
		row[i].u.watch.told = texts[N - 1 - i];
		row[N + i] = row_of_dialog("", "t", i);
		row[N + i].u.dialog.call_id = texts[i];
		row[N + i].u.dialog.routes = texts[N - 1 - i];
	}
	for (size_t i = 0; i < FED_ARRAY_LEN(row); i++)
		rig_put(r, row[i]);
	rig_reload(r, &rows);
	assert_int_equal(N, rows.watches);
	assert_int_equal(N, rows.dialogs);
	for (size_t i = 0; i < FED_ARRAY_LEN(row); i++)
		assert_true(rig_rows_have(&rows, &row[i]));
	rig_rows_free(&rows);
}

static int sum_told(const struct presence_row *row, void *arg)
{
	size_t *sum = arg;

	for (size_t i = 0; i < row->u.watch.told.n; i++)
		assert_int_equal('x', row->u.watch.told.p[i]);
	*sum += row->u.watch.told.n;
	return 0;
}

static void contract_size_of_a_row(void **state)
{
	struct store_rig *r = *state;
	size_t large = LIMIT_STORE_ROW_BYTES - 4096;
	char *text = malloc(LIMIT_STORE_ROW_BYTES);
	struct presence_row row = row_of_watch("a", "b", 1);
	size_t sum = 0;

	assert_non_null(text);
	memset(text, 'x', LIMIT_STORE_ROW_BYTES);
	row.u.watch.told = span_of(text, large);
	rig_put(r, row);
	row.u.watch.told = span_of(text, LIMIT_STORE_ROW_BYTES);
	assert_int_equal(FED_ELIMIT, rig_try_put(r, &row));
	row.u.watch.local = span_of(text, SIZE_MAX / 2); /* not looked at */
	assert_int_equal(FED_ELIMIT, rig_try_put(r, &row));
	rig_close(r);
	rig_open(r);
	assert_int_equal(0, store_load(r->store, sum_told, &sum));
	assert_int_equal(large, sum);
	free(text);
}

#endif
