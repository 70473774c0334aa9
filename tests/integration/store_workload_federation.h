/*
 * Revisions for a store that is cut off: what number N changes follows from
 * the numbers up to N, so that the records that are found can be held against
 * those of the newest revision that is found.
 */
#ifndef FED_TEST_STORE_WORKLOAD_FEDERATION_H
#define FED_TEST_STORE_WORKLOAD_FEDERATION_H

#include "store_workload.h"

enum { WORK_RECORDS = 24, WORK_CHANGES = 5, WORK_RECORD_BYTES = 3000 };

/* The number of the revision that made each record; 0: it is not there. */
struct work_records {
	uint64_t of[WORK_RECORDS];
};

/* One revision with its texts. */
struct work_revision {
	struct federation_revision_row row;
	struct federation_change_row changes[WORK_CHANGES];
	char keys[WORK_CHANGES][16];
	char texts[2 * WORK_CHANGES][WORK_RECORD_BYTES];
};

/* So many neighbours from there on. */
static inline unsigned work_first(uint64_t n)
{
	return (unsigned)(work_random(n * 3) % WORK_RECORDS);
}

static inline size_t work_change_count(uint64_t n)
{
	return 1 + (size_t)(work_random(n * 5) % WORK_CHANGES);
}

static inline bool work_removes(uint64_t n, unsigned key)
{
	return work_random(n * 7 + key) % 4 == 0;
}

/* What revision n has written of it; 0: nothing. */
static inline struct span work_record(uint64_t n, unsigned key, char *room)
{
	size_t size = 1 + (size_t)(work_random(n + key) % WORK_RECORD_BYTES);

	if (n == 0)
		return SPAN_NULL;
	memset(room, (int)('a' + (n + key) % 26), size);
	return span_of(room, size);
}

/* Revision n over the records before it, which become those behind it. */
static inline void work_revise(struct work_revision *out,
			       struct work_records *s, uint64_t n)
{
	size_t count = work_change_count(n);

	for (size_t i = 0; i < count; i++) {
		unsigned key = (work_first(n) + (unsigned)i) % WORK_RECORDS;
		uint64_t after = work_removes(n, key) ? 0 : n;

		(void)snprintf(out->keys[i], sizeof(out->keys[i]), "k%02u",
			       key);
		out->changes[i] = (struct federation_change_row){
			.key = span_str(out->keys[i]),
			.before =
				work_record(s->of[key], key, out->texts[2 * i]),
			.after = work_record(after, key, out->texts[2 * i + 1]),
		};
		s->of[key] = after;
	}
	out->row = (struct federation_revision_row){
		.number = n,
		.author = SPAN_LIT("somebody"),
		.what = SPAN_LIT("something"),
		.changes = out->changes,
		.change_count = count,
	};
}

/* --- what is found -------------------------------------------------------- */

struct work_found {
	uint64_t newest; /* revision; 0: none */
	uint64_t behind; /* rows up to that number were put before it */
	bool is_known;	 /* the records below are those of the newest */
	struct work_records expected;
	size_t records;
};

static inline int work_on_revision(const struct federation_revision_row *r,
				   void *arg)
{
	struct work_found *f = arg;

	f->newest = r->number;
	f->behind = (uint64_t)r->at_ms;
	return 0;
}

/* Before the first record: what must be there. */
static inline void work_expect(struct work_found *f)
{
	static struct work_revision scratch;

	if (f->is_known)
		return;
	f->is_known = true;
	memset(&f->expected, 0, sizeof(f->expected));
	for (uint64_t n = 1; n <= f->newest; n++)
		work_revise(&scratch, &f->expected, n);
}

/* FED_EINVAL: the newest revision left no such record. */
static inline int work_on_record(struct span key, struct span record, void *arg)
{
	static char room[WORK_RECORD_BYTES];
	struct work_found *f = arg;
	uint32_t k;

	work_expect(f);
	if (span_to_u32(span_sub(key, 1, key.n), &k) != 0 ||
	    k >= WORK_RECORDS || f->expected.of[k] == 0 ||
	    !span_eq(record, work_record(f->expected.of[k], k, room)))
		return FED_EINVAL;
	f->records++;
	return 0;
}

static inline const char *work_load_federation(struct store *s,
					       struct work_found *f)
{
	const struct store_federation_reader reader = {work_on_revision,
						       work_on_record};
	size_t expected = 0;

	*f = (struct work_found){.newest = 0};
	if (store_load_federation(s, &reader, f) != 0)
		return "a record that the newest revision did not leave";
	work_expect(f);
	for (unsigned k = 0; k < WORK_RECORDS; k++)
		expected += f->expected.of[k] != 0;
	return f->records == expected ? NULL : "a record is missing";
}

/* The changes of the newest revision, as they were put. */
struct work_newest {
	uint64_t number;
	bool is_answered;
	bool is_right;
};

static inline void work_on_newest(const struct store_answer *a, void *arg)
{
	static struct work_revision expected;
	struct work_newest *w = arg;
	struct work_records s = {{0}};

	w->is_answered = true;
	for (uint64_t n = 1; n <= w->number; n++)
		work_revise(&expected, &s, n);
	if (a->err != 0 || a->count != (w->number > 0 ? 1 : 0))
		return;
	w->is_right = true;
	for (size_t i = 0; a->count > 0 && i < expected.row.change_count; i++) {
		const struct federation_change_row *c = &expected.changes[i];
		const struct federation_change_row *x =
			&a->revisions[0].changes[i];

		w->is_right = w->is_right &&
			      a->revisions[0].change_count ==
				      expected.row.change_count &&
			      span_eq(c->key, x->key) &&
			      span_eq(c->before, x->before) &&
			      span_eq(c->after, x->after);
	}
}

static inline const char *work_check_newest(struct store *s, struct loop *loop,
					    uint64_t number)
{
	const struct store_ask ask = {.kind = STORE_ASK_HISTORY,
				      .number = FEDERATION_REVISION_MAX,
				      .count = 1};
	struct work_newest w = {.number = number};
	struct store_question *q = NULL;

	if (store_ask(s, &ask, work_on_newest, &w, &q) != 0)
		return "no question";
	while (!w.is_answered)
		(void)uv_run(loop_uv(loop), UV_RUN_ONCE);
	return w.is_right ? NULL : "the newest revision is half there";
}

#endif
