/*
 * Rows for a store that is cut off: what number N puts follows from N alone,
 * so that what is found afterwards can be held against every state there was.
 */
#ifndef FED_TEST_STORE_WORKLOAD_H
#define FED_TEST_STORE_WORKLOAD_H

#include "store_rig.h"

enum {
	WORK_KEYS = 64,
	WORK_LARGE_BYTES = 12 * 1024,
	/* every so many numbers, as many with large rows */
	WORK_BLOCK = 128,
};

/* The number that put what is there; 0: nothing. */
struct work_state {
	uint64_t of[WORK_KEYS];
};

static inline uint64_t work_random(uint64_t n)
{
	n = (n + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
	n = (n ^ (n >> 27)) * 0x94d049bb133111ebu;
	return n ^ (n >> 31);
}

static inline unsigned work_key(uint64_t n)
{
	return (unsigned)(work_random(n) % WORK_KEYS);
}

static inline bool work_deletes(uint64_t n)
{
	return (work_random(n) >> 16) % 4 == 0;
}

/* Small, over some pages, and enough to fill the log. */
static inline size_t work_bytes(uint64_t n)
{
	uint64_t x = work_random(n) >> 24;

	if (n / WORK_BLOCK % 6 == 5)
		return WORK_LARGE_BYTES;
	return x % 16 == 0 ? 5000 : x % 300;
}

/* Its text is that letter again and again. */
static inline char work_letter(uint64_t n)
{
	return (char)('a' + n % 26);
}

/* The text is valid until the next call. */
static inline struct presence_row work_row(uint64_t n)
{
	static char name[32];
	static char text[WORK_LARGE_BYTES];
	unsigned key = work_key(n);
	struct span s = span_of(text, work_bytes(n));
	struct presence_row row;

	(void)snprintf(name, sizeof(name), "%u", key);
	memset(text, work_letter(n), s.n);
	if (key % 2 == 0) {
		row = row_of_watch(name, "b", n);
		row.u.watch.told = s;
	} else {
		row = row_of_dialog(name, "t", n);
		row.u.dialog.routes = s;
	}
	row.is_deleted = work_deletes(n);
	return row;
}

static inline void work_apply(struct work_state *s, uint64_t n)
{
	s->of[work_key(n)] = work_deletes(n) ? 0 : n;
}

/* For store_load(); FED_EINVAL: no number put such a row. */
static inline int work_read(const struct presence_row *row, void *arg)
{
	struct work_state *s = arg;
	bool is_watch = row->kind == PRESENCE_ROW_WATCH;
	uint64_t n =
		is_watch ? row->u.watch.since_ms : row->u.dialog.expires_ms;
	struct span text = is_watch ? row->u.watch.told : row->u.dialog.routes;
	struct span name =
		is_watch ? row->u.watch.local : row->u.dialog.call_id;
	uint32_t key;

	if (span_to_u32(name, &key) != 0 || key != work_key(n) ||
	    work_deletes(n) || text.n != work_bytes(n) || s->of[key] != 0)
		return FED_EINVAL;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != work_letter(n))
			return FED_EINVAL;
	s->of[key] = n;
	return 0;
}

/**
 * Is what was found the state behind some number from `acked` to `last`?
 *
 * @param before  the state behind `from`; becomes that behind the result
 * @return the number; 0: there was no such state
 */
static inline uint64_t work_find(struct work_state *before, uint64_t from,
				 const struct work_state *found, uint64_t acked,
				 uint64_t last)
{
	uint64_t n = from;

	while (n < acked)
		work_apply(before, ++n);
	while (memcmp(before, found, sizeof(*before)) != 0 && n < last)
		work_apply(before, ++n);
	return memcmp(before, found, sizeof(*before)) == 0 ? n : 0;
}

#endif
