/* What fuzz_presence knows of the core that it drives: dialogs, rows, who may
 * talk to whom. */
#ifndef FED_TESTS_FUZZ_PRESENCE_RIG_H
#define FED_TESTS_FUZZ_PRESENCE_RIG_H

#include <string.h>

#include "fe-gateway/core/presence_priv.h"
#include "tests/fuzz/rules.h"

enum { USERS = 2, SLOTS = 16, ROWS = 128, RULES = 4 };

/* A dialog, by what the core said of it. */
struct dialog {
	int local, remote; /* users */
	bool is_ours;	   /* we are the subscriber */
	char call_id[80], our_tag[80];
	uint32_t cseq, their_cseq;
};

struct row {
	struct presence_row row;
	bool is_there;
};

struct rig {
	struct presence *p;
	/* open, public-unverified, public-verified; last: nothing is */
	struct federation *rules[RULES];
	size_t rule; /* that is in force */
	struct presence_params params;
	struct id_source ids;
	struct metrics metrics;
	struct logger log;
	uint64_t now;
	struct arena a;
	struct dialog dialogs[SLOTS];
	size_t dialog_count; /* made, newest at count % SLOTS */
	struct dialog asked; /* of the SUBSCRIBE that is being answered */
	uint64_t sip[SLOTS], stanzas[SLOTS]; /* in flight; 0: none */
	size_t sip_dialog[SLOTS];
	uint64_t handle, ref;
	size_t answered, ended;
	struct row rows[ROWS];
	size_t row_count;
	uint64_t last_seq;
};

/* --- names ---------------------------------------------------------------- */

static const char *const locals[USERS] = {"romeo@example.net",
					  "tybalt@example.net"};
static const char *const remotes[USERS] = {"juliet@example.com",
					   "nurse@example.org"};

static const char *uri_of(struct rig *t, const char *jid)
{
	return arena_printf(&t->a, "sip:%s", jid);
}

/* What one shows to one has both in its name. */
static const char *resource_of(struct rig *t, int local, int remote)
{
	return arena_printf(&t->a, "p%d%d", local, remote);
}

static inline int index_of(const char *const *list, struct span bare)
{
	for (int i = 0; i < USERS; i++)
		if (span_eq_str(bare, list[i]))
			return i;
	FED_REQUIRE(false);
	return 0;
}

/* --- who may talk to whom ------------------------------------------------- */

static inline void make_all_rules(struct rig *t)
{
	static struct federation *rules[RULES];

	if (rules[0] == NULL) {
		rules[0] = fuzz_rules(FED__PARTNER_TYPE__FEDERATED);
		rules[1] = fuzz_rules(FED__PARTNER_TYPE__PUBLIC_UNVERIFIED);
		rules[2] = fuzz_rules(FED__PARTNER_TYPE__PUBLIC_VERIFIED);
	}
	memcpy(t->rules, rules, sizeof(rules));
}

static inline bool may(struct rig *t, enum access_what what,
		       enum access_direction direction, int local, int remote)
{
	struct access_verdict v =
		presence_access(t->p, what, direction, span_str(locals[local]),
				span_str(remotes[remote]));

	return access_is_open(&v);
}

/* --- the store ------------------------------------------------------------ */

static inline bool is_key_eq(const struct presence_row *a,
			     const struct presence_row *b)
{
	const struct presence_watch_row *v = &a->u.watch, *w = &b->u.watch;
	const struct presence_dialog_row *d = &a->u.dialog, *e = &b->u.dialog;

	if (a->kind != b->kind)
		return false;
	if (a->kind == PRESENCE_ROW_WATCH)
		return v->direction == w->direction &&
		       span_eq(v->local, w->local) &&
		       span_eq(v->remote, w->remote);
	return span_eq(d->call_id, e->call_id) &&
	       span_eq(d->local_tag, e->local_tag);
}

static inline struct span keep(struct rig *t, struct span s)
{
	return s.n > 0 ? span_of(arena_dup(&t->a, s), s.n) : SPAN_NULL;
}

static inline struct presence_row copy_of(struct rig *t,
					  const struct presence_row *r)
{
	struct presence_row c = *r;
	struct presence_dialog_row *d = &c.u.dialog;

	if (r->kind == PRESENCE_ROW_WATCH) {
		c.u.watch.local = keep(t, r->u.watch.local);
		c.u.watch.remote = keep(t, r->u.watch.remote);
		c.u.watch.told = keep(t, r->u.watch.told);
		return c;
	}
	d->local = keep(t, d->local);
	d->remote = keep(t, d->remote);
	d->call_id = keep(t, d->call_id);
	d->local_tag = keep(t, d->local_tag);
	d->remote_tag = keep(t, d->remote_tag);
	d->local_uri = keep(t, d->local_uri);
	d->remote_uri = keep(t, d->remote_uri);
	d->target = keep(t, d->target);
	d->routes = keep(t, d->routes);
	d->event_id = keep(t, d->event_id);
	return c;
}

static inline void put_row(struct rig *t, const struct presence_row *r)
{
	for (size_t i = 0; i < t->row_count; i++)
		if (is_key_eq(&t->rows[i].row, r))
			t->rows[i].is_there = false;
	if (r->is_deleted || t->row_count == ROWS)
		return;
	t->rows[t->row_count].row = copy_of(t, r);
	t->rows[t->row_count++].is_there = true;
}

static inline void restore(struct rig *t, enum presence_row_kind kind)
{
	for (size_t i = 0; i < t->row_count; i++)
		if (t->rows[i].is_there && t->rows[i].row.kind == kind &&
		    presence_restore(t->p, &t->rows[i].row, t->now) != 0)
			t->rows[i].is_there = false;
}

#endif
