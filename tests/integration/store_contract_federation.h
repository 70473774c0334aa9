/*
 * What every implementation of fe-gateway/store.h must do with the federation
 * configuration; as store_contract.h.
 */
#ifndef FED_TEST_STORE_CONTRACT_FEDERATION_H
#define FED_TEST_STORE_CONTRACT_FEDERATION_H

#include "store_rig.h"

/* --- what is there -------------------------------------------------------- */

struct fed_found {
	uint64_t number; /* 0: none */
	int64_t at_ms;
	char author[64];
	char what[64];
	size_t records;
	char text[16384]; /* "key=record;" of the first ones */
};

static int fed_on_revision(const struct federation_revision_row *r, void *arg)
{
	struct fed_found *f = arg;

	assert_int_equal(0, f->number + f->records); /* once, and first */
	f->number = r->number;
	f->at_ms = r->at_ms;
	rig_print_span(f->author, sizeof(f->author), r->author);
	rig_print_span(f->what, sizeof(f->what), r->what);
	assert_int_equal(0, r->change_count);
	return 0;
}

static int fed_on_record(struct span key, struct span record, void *arg)
{
	struct fed_found *f = arg;

	rig_print_span(f->text, sizeof(f->text), key);
	rig_print_span(f->text, sizeof(f->text), record);
	f->records++;
	return 0;
}

static const struct store_federation_reader fed_reader = {fed_on_revision,
							  fed_on_record};

static void fed_load(struct store_rig *r, struct fed_found *out)
{
	memset(out, 0, sizeof(*out));
	assert_int_equal(0, store_load_federation(r->store, &fed_reader, out));
	r->put_revision = out->number;
	r->committed_revision = out->number;
}

static void fed_reload(struct store_rig *r, struct fed_found *out)
{
	rig_close(r);
	rig_open(r);
	fed_load(r, out);
}

/* --- putting -------------------------------------------------------------- */

static int fed_try_put(struct store_rig *r,
		       const struct federation_revision_row *row)
{
	int err;

	r->is_in_call = true;
	err = store_put_revision(r->store, row);
	r->is_in_call = false;
	if (err == 0)
		r->put_revision = row->number;
	return err;
}

/* One change of one record. */
static void fed_put(struct store_rig *r, uint64_t number, const char *key,
		    const char *before, const char *after)
{
	const struct federation_change_row c = {span_str(key), span_str(before),
						span_str(after)};
	const struct federation_revision_row row = {
		.number = number,
		.at_ms = (int64_t)number * 1000,
		.author = SPAN_LIT("alice"),
		.what = SPAN_LIT("set"),
		.changes = &c,
		.change_count = 1,
	};

	assert_int_equal(0, fed_try_put(r, &row));
}

/* --- asking --------------------------------------------------------------- */

struct fed_answer {
	unsigned calls;
	int err;
	bool is_more;
	struct store_ask next;
	uint64_t oldest;
	size_t bytes; /* of texts */
	size_t changes;
	char *text; /* "number:key,before,after;" and so on */
	size_t used;
	const struct store_rig *rig;
};

enum { FED_TEXT = 4 * 1024 * 1024 };

static void fed_note(struct fed_answer *f, struct span s, char end)
{
	f->bytes += s.n;
	if (f->used + s.n + 1 >= FED_TEXT)
		return;
	if (s.n > 0)
		memcpy(f->text + f->used, s.p, s.n);
	f->used += s.n;
	f->text[f->used++] = end;
}

static void fed_on_answer(const struct store_answer *a, void *arg)
{
	struct fed_answer *f = arg;
	char number[32];

	assert_false(f->rig->is_in_call);
	f->calls++;
	f->err = a->err;
	f->is_more = a->is_more;
	f->next = a->next;
	f->oldest = a->oldest;
	f->bytes = 0;
	for (size_t i = 0; i < a->count; i++) {
		const struct federation_revision_row *row = &a->revisions[i];

		(void)snprintf(number, sizeof(number), "%" PRIu64, row->number);
		fed_note(f, span_str(number), ':');
		fed_note(f, row->author, ',');
		fed_note(f, row->what, '.');
		for (size_t k = 0; k < row->change_count; k++) {
			fed_note(f, row->changes[k].key, ',');
			fed_note(f, row->changes[k].before, ',');
			fed_note(f, row->changes[k].after, ';');
		}
		f->changes += row->change_count;
	}
	f->text[f->used] = '\0';
}

static struct fed_answer *fed_waits_for;

static bool fed_is_answered(const struct store_rig *r)
{
	(void)r;
	return fed_waits_for->calls > 0;
}

/* One page; its text is put behind what is there. */
static void fed_ask(struct store_rig *r, struct fed_answer *f,
		    const struct store_ask *ask)
{
	struct store_question *q = NULL;

	f->calls = 0;
	f->rig = r;
	if (f->text == NULL)
		f->text = calloc(1, FED_TEXT);
	assert_non_null(f->text);
	r->is_in_call = true;
	assert_int_equal(0, store_ask(r->store, ask, fed_on_answer, f, &q));
	r->is_in_call = false;
	fed_waits_for = f;
	assert_true(rig_run(r, fed_is_answered, 20000));
	assert_int_equal(1, f->calls);
}

static unsigned fed_ask_all(struct store_rig *r, struct fed_answer *f,
			    struct store_ask ask)
{
	unsigned pages = 0;

	do {
		fed_ask(r, f, &ask);
		assert_int_equal(0, f->err);
		/* one change more than fits, at most */
		assert_in_range(f->bytes, 0,
				LIMIT_FEDERATION_PAGE_BYTES + 20000);
		pages++;
		ask = f->next;
	} while (f->is_more);
	return pages;
}

static const struct store_ask fed_everything = {
	.kind = STORE_ASK_HISTORY, .number = UINT64_MAX >> 1, .count = 100000};

/* --- contracts ------------------------------------------------------------ */

static void contract_no_revision_yet(void **state)
{
	struct store_rig *r = *state;
	struct fed_answer f = {.calls = 0};
	struct fed_found found;

	fed_load(r, &found);
	assert_int_equal(0, found.number + found.records);
	fed_ask(r, &f, &fed_everything);
	assert_int_equal(0, f.err);
	assert_string_equal("", f.text);
	assert_false(f.is_more);
	fed_ask(r, &f,
		&(struct store_ask){.kind = STORE_ASK_BACK, .number = 1});
	assert_int_equal(FED_ENOTFOUND, f.err);
	assert_int_equal(0, f.oldest);
	free(f.text);
}

static void contract_revision_comes_back(void **state)
{
	struct store_rig *r = *state;
	const struct federation_change_row changes[] = {
		{SPAN_LIT("a/\0x"), SPAN_NULL, SPAN_LIT("one\0\xff")},
		{SPAN_LIT("b"), SPAN_NULL, SPAN_LIT("two")},
	};
	const struct federation_revision_row row = {
		.number = 7,
		.at_ms = -5,
		.author = SPAN_LIT("\xc3\xa4lice (uid 7)"),
		.what = SPAN_LIT(""),
		.changes = changes,
		.change_count = 2,
	};
	struct fed_found found;

	fed_load(r, &found);
	assert_int_equal(0, fed_try_put(r, &row));
	assert_int_equal(1, store_pending(r->store));
	rig_settle(r);
	assert_int_equal(7, r->committed_revision);
	fed_reload(r, &found);
	assert_int_equal(7, found.number);
	assert_int_equal(-5, found.at_ms);
	assert_string_equal("\\c3\\a4lice\\20(uid\\207) ", found.author);
	assert_string_equal(" ", found.what);
	assert_int_equal(2, found.records);
	assert_string_equal("a/\\00x one\\00\\ff b two ", found.text);
}

static void contract_revisions_rise(void **state)
{
	struct store_rig *r = *state;
	const struct federation_change_row c = {SPAN_LIT("a"), SPAN_NULL,
						SPAN_LIT("1")};
	struct federation_revision_row row = {
		.number = 3, .changes = &c, .change_count = 1};
	struct fed_found found;

	/* what is there is not known yet */
	assert_int_equal(FED_ESTATE, store_put_revision(r->store, &row));
	fed_load(r, &found);
	assert_int_equal(0, fed_try_put(r, &row));
	assert_int_equal(FED_EINVAL, store_put_revision(r->store, &row));
	row.number = FEDERATION_REVISION_MAX + 1;
	assert_int_equal(FED_EINVAL, store_put_revision(r->store, &row));
	assert_int_equal(FED_ESTATE,
			 store_load_federation(r->store, &fed_reader, &found));
	fed_reload(r, &found);
	row.number = 3;
	assert_int_equal(FED_EINVAL, store_put_revision(r->store, &row));
	row.number = 5; /* gaps are allowed */
	assert_int_equal(0, fed_try_put(r, &row));
	rig_settle(r);
	assert_int_equal(5, r->committed_revision);
}

static void contract_records_follow(void **state)
{
	struct store_rig *r = *state;
	struct fed_found found;

	fed_load(r, &found);
	fed_put(r, 1, "b", "", "b1");
	fed_put(r, 2, "a", "", "a2");
	fed_put(r, 3, "b", "b1", "b3");
	fed_put(r, 4, "c", "", "c4");
	fed_put(r, 5, "a", "a2", "");
	fed_reload(r, &found); /* closing writes what was put */
	assert_int_equal(5, found.number);
	assert_string_equal("b b3 c c4 ", found.text);
}

/* Both go into the batches in the order in which they were put. */
static void contract_revisions_between_rows(void **state)
{
	struct store_rig *r = *state;
	struct fed_found found;
	struct rig_rows rows;
	char local[32];

	fed_load(r, &found);
	for (unsigned i = 1; i <= 3000; i++) {
		(void)snprintf(local, sizeof(local), "u%u", i);
		rig_put(r, row_of_watch(local, "b", 1));
		if (i % 100 == 0)
			fed_put(r, i, "k", i == 100 ? "" : "v", "v");
	}
	rig_settle(r);
	assert_int_equal(3000, r->committed);
	assert_int_equal(3000, r->committed_revision);
	rig_reload(r, &rows);
	assert_int_equal(3000, rows.watches);
	rig_rows_free(&rows);
	fed_load(r, &found);
	assert_int_equal(3000, found.number);
}

static void contract_history(void **state)
{
	struct store_rig *r = *state;
	struct store_ask ask = fed_everything;
	struct fed_answer f = {.calls = 0};
	struct fed_found found;

	fed_load(r, &found);
	fed_put(r, 1, "a", "", "1");
	fed_put(r, 4, "a", "1", "2");
	fed_put(r, 9, "a", "2", "");
	rig_settle(r);
	assert_int_equal(1, fed_ask_all(r, &f, ask));
	assert_string_equal("9:alice,set.a,2,;4:alice,set.a,1,2;"
			    "1:alice,set.a,,1;",
			    f.text);
	f.used = 0;
	ask.number = 8;
	ask.count = 1;
	fed_ask(r, &f, &ask);
	assert_string_equal("4:alice,set.a,1,2;", f.text);
	assert_false(f.is_more); /* no more were asked for */
	free(f.text);
}

enum { LONG_CHANGES = 20000 };

/* All changes of one revision, each some 30 bytes. */
static struct federation_revision_row fed_long(uint64_t number, char *room,
					       struct federation_change_row *c)
{
	for (size_t i = 0; i < LONG_CHANGES; i++) {
		char *at = room + i * 32;
		int n = snprintf(at, 32, "grant/user%zu@sip.example", i);

		c[i] = (struct federation_change_row){span_of(at, (size_t)n),
						      SPAN_NULL, SPAN_LIT("p")};
	}
	return (struct federation_revision_row){
		.number = number,
		.author = SPAN_LIT("bob"),
		.what = SPAN_LIT("many"),
		.changes = c,
		.change_count = LONG_CHANGES,
	};
}

static size_t count_text(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static void contract_history_in_pages(void **state)
{
	struct store_rig *r = *state;
	struct federation_change_row *c = calloc(LONG_CHANGES, sizeof(*c));
	char *room = calloc(LONG_CHANGES, 32);
	struct store_ask ask = fed_everything;
	struct fed_answer f = {.calls = 0};
	struct federation_revision_row row;
	struct fed_found found;
	unsigned pages;

	assert_non_null(c);
	assert_non_null(room);
	fed_load(r, &found);
	fed_put(r, 1, "a", "", "1");
	row = fed_long(2, room, c);
	assert_int_equal(0, fed_try_put(r, &row));
	fed_put(r, 3, "a", "1", "3");
	rig_settle(r);
	pages = fed_ask_all(r, &f, ask);
	assert_in_range(pages, 4, 20);
	assert_int_equal(LONG_CHANGES + 2, f.changes);
	assert_int_equal(LONG_CHANGES, count_text(f.text, ",,p;"));
	assert_int_equal(pages, count_text(f.text, "2:bob,many."));
	assert_non_null(strstr(f.text, "3:alice,set.a,1,3;2:bob,many.grant"));
	assert_non_null(strstr(f.text, ";1:alice,set.a,,1;"));
	/* two of them: the long one is whole, the third is left out */
	f.used = f.changes = 0;
	ask.count = 2;
	(void)fed_ask_all(r, &f, ask);
	assert_int_equal(LONG_CHANGES + 1, f.changes);
	assert_null(strstr(f.text, ",,1;"));
	fed_reload(r, &found);
	assert_int_equal(LONG_CHANGES + 1, found.records);
	free(f.text);
	free(room);
	free(c);
}

static void contract_old_revisions_go(void **state)
{
	struct store_rig *r = *state;
	struct fed_answer f = {.calls = 0};
	struct store_ask back = {.kind = STORE_ASK_BACK, .number = 20};
	enum { MORE = 20 };
	struct fed_found found;
	char value[32] = "";
	char before[32];

	fed_load(r, &found);
	for (unsigned i = 1; i <= LIMIT_FEDERATION_HISTORY + 1 + MORE; i++) {
		(void)snprintf(before, sizeof(before), "%s", value);
		(void)snprintf(value, sizeof(value), "v%u", i);
		fed_put(r, i, "a", before, value);
	}
	rig_settle(r);
	fed_ask_all(r, &f, fed_everything);
	assert_int_equal(LIMIT_FEDERATION_HISTORY + 1, f.changes);
	assert_non_null(strstr(f.text, ";21:alice,set.a,v20,v21;"));
	f.used = 0;
	fed_ask(r, &f, &back);
	assert_int_equal(FED_ENOTFOUND, f.err);
	assert_int_equal(21, f.oldest);
	back.number = 21;
	fed_ask(r, &f, &back);
	assert_int_equal(0, f.err);
	assert_string_equal("21:,.a,v21,;", f.text);
	fed_reload(r, &found);
	assert_string_equal("a v1021 ", found.text);
	free(f.text);
}

/* --- the way back --------------------------------------------------------- */

enum { BACK_KEYS = 12, BACK_REVISIONS = 120 };

/* What was the value of each key at the end of each revision; 0: none. */
static unsigned back_value[BACK_REVISIONS + 1][BACK_KEYS];

static void back_live(struct store_rig *r, unsigned *seed)
{
	for (unsigned n = 1; n <= BACK_REVISIONS; n++) {
		unsigned key = (unsigned)rand_r(seed) / 16 % BACK_KEYS;
		unsigned value = (unsigned)rand_r(seed) / 16 % 4 == 0 ? 0 : n;
		char name[16];
		char before[16] = "";
		char after[16] = "";

		memcpy(back_value[n], back_value[n - 1], sizeof(back_value[n]));
		(void)snprintf(name, sizeof(name), "k%u", key);
		if (back_value[n][key] != 0)
			(void)snprintf(before, sizeof(before), "%u",
				       back_value[n][key]);
		if (value != 0)
			(void)snprintf(after, sizeof(after), "%u", value);
		back_value[n][key] = value;
		fed_put(r, n, name, before, after);
	}
	rig_settle(r);
}

static void contract_way_back(void **state)
{
	struct store_rig *r = *state;
	struct fed_answer f = {.calls = 0};
	struct fed_found found;
	unsigned seed = 11;

	fed_load(r, &found);
	back_live(r, &seed);
	for (unsigned n = 1; n <= BACK_REVISIONS; n++) {
		unsigned now[BACK_KEYS];
		const char *p;

		memcpy(now, back_value[BACK_REVISIONS], sizeof(now));
		f.used = 0;
		fed_ask(r, &f,
			&(struct store_ask){.kind = STORE_ASK_BACK,
					    .number = n});
		assert_int_equal(0, f.err);
		p = strchr(f.text, '.') + 1;
		while (*p != '\0') {
			unsigned key = (unsigned)strtoul(p + 1, NULL, 10);

			p = strchr(p, ',') + 1;
			now[key] =
				*p == ',' ? 0 : (unsigned)strtoul(p, NULL, 10);
			p = strchr(p, ';') + 1;
		}
		assert_memory_equal(back_value[n], now, sizeof(now));
	}
	free(f.text);
}

/* --- bounds, ends --------------------------------------------------------- */

static void contract_size_of_a_revision(void **state)
{
	struct store_rig *r = *state;
	char *text = calloc(1, LIMIT_FEDERATION_REVISION_BYTES);
	struct federation_change_row c = {SPAN_LIT("a"), SPAN_NULL, SPAN_NULL};
	struct federation_revision_row row = {
		.number = 1, .changes = &c, .change_count = 1};
	struct fed_found found;

	assert_non_null(text);
	fed_load(r, &found);
	c.after = span_of(text, LIMIT_FEDERATION_REVISION_BYTES);
	assert_int_equal(FED_ELIMIT, fed_try_put(r, &row));
	c.after.n = LIMIT_FEDERATION_REVISION_BYTES / 4;
	for (; fed_try_put(r, &row) == 0; row.number++)
		assert_in_range(row.number, 1, 16);
	/* room comes back */
	assert_int_equal(FED_EAGAIN, store_put_revision(r->store, &row));
	rig_settle(r);
	assert_int_equal(0, fed_try_put(r, &row));
	free(text);
}

static void contract_sync(void **state)
{
	struct store_rig *r = *state;
	struct errbuf e = {.text = ""};
	struct fed_found found;

	assert_int_equal(0, store_sync(r->store, &e));
	fed_load(r, &found);
	fed_put(r, 1, "a", "", "1");
	rig_put(r, row_of_watch("a", "b", 1));
	assert_int_equal(0, store_sync(r->store, &e));
	/* without a turn of the loop */
	assert_int_equal(1, r->committed_revision);
	assert_int_equal(1, r->committed);
	assert_int_equal(0, store_pending(r->store));
}

static void contract_questions_end(void **state)
{
	struct store_rig *r = *state;
	struct fed_answer f = {.rig = r};
	struct fed_found found;
	struct store_question *q = NULL;

	f.text = calloc(1, FED_TEXT);
	assert_non_null(f.text);
	fed_load(r, &found);
	fed_put(r, 1, "a", "", "1");
	rig_settle(r);
	assert_int_equal(
		0, store_ask(r->store, &fed_everything, fed_on_answer, &f, &q));
	store_ask_cancel(q);
	fed_waits_for = &f;
	assert_false(rig_run(r, fed_is_answered, 100));
	/* one that is on its way when the store closes */
	for (int i = 0; i < 10; i++)
		assert_int_equal(0, store_ask(r->store, &fed_everything,
					      fed_on_answer, &f, &q));
	rig_close(r);
	assert_int_equal(0, f.calls);
	rig_open(r);
	free(f.text);
}

/** Run all of it. @return how many failed */
static inline int store_contract_federation(struct store_factory *f)
{
	const struct CMUnitTest tests[] = {
		CONTRACT(no_revision_yet),
		CONTRACT(revision_comes_back),
		CONTRACT(revisions_rise),
		CONTRACT(records_follow),
		CONTRACT(revisions_between_rows),
		CONTRACT(history),
		CONTRACT(history_in_pages),
		CONTRACT(old_revisions_go),
		CONTRACT(way_back),
		CONTRACT(size_of_a_revision),
		CONTRACT(sync),
		CONTRACT(questions_end),
	};

	return _cmocka_run_group_tests(f->name, tests, FED_ARRAY_LEN(tests),
				       NULL, NULL);
}

#endif
