/*
 * A store under test: opened on a loop that the test turns, with what came
 * back from it.  A failure of the rig is a failure of the test.
 */
#ifndef FED_TEST_STORE_RIG_H
#define FED_TEST_STORE_RIG_H

/* clang-format off: cmocka wants this order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "fe-gateway/store.h"

/* Where a store lives: one for each implementation. */
struct store_factory {
	const char *name;
	/* A place where nothing is yet: what store_open() gets. */
	void (*make)(char *path, size_t size);
	void (*drop)(const char *path);
};

struct store_rig {
	const struct store_factory *factory;
	char path[256];
	struct logger log;
	struct loop *loop;
	struct store *store;
	uint64_t put_seq;
	uint64_t committed;
	unsigned commits;
	uint64_t put_revision;
	uint64_t committed_revision;
	unsigned troubles; /* that began */
	unsigned mends;
	bool is_in_call; /* of the store: no callback may come */
	char why[512];
	char logged[4096]; /* the last lines */
};

static inline void rig_on_committed(uint64_t seq, void *arg)
{
	struct store_rig *r = arg;

	assert_false(r->is_in_call);
	assert_true(seq > r->committed);
	assert_true(seq <= r->put_seq);
	r->committed = seq;
	r->commits++;
}

static inline void rig_on_revision(uint64_t number, void *arg)
{
	struct store_rig *r = arg;

	assert_false(r->is_in_call);
	assert_true(number > r->committed_revision);
	assert_true(number <= r->put_revision);
	r->committed_revision = number;
}

static inline void rig_on_trouble(bool is_broken, const char *why, void *arg)
{
	struct store_rig *r = arg;

	assert_false(r->is_in_call);
	assert_int_equal(is_broken ? r->mends : r->mends + 1, r->troubles);
	if (is_broken) {
		r->troubles++;
		(void)snprintf(r->why, sizeof(r->why), "%s", why);
	} else {
		r->mends++;
	}
}

static inline void rig_on_line(void *arg, enum fed_log_level level,
			       const char *line, size_t n)
{
	struct store_rig *r = arg;
	size_t used = strlen(r->logged);

	(void)level;
	if (used + n + 2 > sizeof(r->logged))
		used = 0;
	(void)snprintf(r->logged + used, sizeof(r->logged) - used, "%s\n",
		       line);
}

/* What store_open() says; e->text is its sentence. */
static inline int rig_try_open(struct store_rig *r, struct errbuf *e)
{
	const struct store_params p = {
		.path = r->path,
		.loop = r->loop,
		.on_committed = rig_on_committed,
		.on_revision = rig_on_revision,
		.on_trouble = rig_on_trouble,
		.arg = r,
	};

	r->put_seq = 0;
	r->committed = 0;
	r->put_revision = 0;
	r->committed_revision = 0;
	return store_open(&r->store, &p, e);
}

static inline void rig_open(struct store_rig *r)
{
	struct errbuf e = {.text = ""};

	if (rig_try_open(r, &e) != 0)
		fail_msg("%s", e.text);
}

static inline void rig_close(struct store_rig *r)
{
	r->is_in_call = true;
	store_close(r->store);
	r->is_in_call = false;
	r->store = NULL;
}

static inline void rig_init(struct store_rig *r, const struct store_factory *f)
{
	*r = (struct store_rig){.factory = f};
	r->log = (struct logger){FED_LOG_INFO, rig_on_line, r};
	assert_int_equal(0, loop_new(&r->loop, &r->log));
	f->make(r->path, sizeof(r->path));
}

static inline void rig_deinit(struct store_rig *r)
{
	rig_close(r);
	loop_free(r->loop);
	r->factory->drop(r->path);
}

/* --- contracts ------------------------------------------------------------ */

static inline int contract_setup(void **state)
{
	const struct store_factory *f = *state;
	struct store_rig *r = malloc(sizeof(*r));

	assert_non_null(r);
	rig_init(r, f);
	rig_open(r);
	*state = r;
	return 0;
}

static inline int contract_teardown(void **state)
{
	struct store_rig *r = *state;

	rig_deinit(r);
	free(r);
	return 0;
}

/* A row of a table of contracts for `f`. */
#define CONTRACT(name)                                                       \
	{                                                                    \
#name, contract_##name, contract_setup, contract_teardown, f \
	}

/* --- rows ----------------------------------------------------------------- */

static inline struct presence_row row_of_watch(const char *local,
					       const char *remote,
					       uint64_t since_ms)
{
	return (struct presence_row){
		.kind = PRESENCE_ROW_WATCH,
		.u.watch = {.direction = PRESENCE_OUT,
			    .local = span_str(local),
			    .remote = span_str(remote),
			    .auth = PRESENCE_ALLOWED,
			    .since_ms = since_ms},
	};
}

static inline struct presence_row row_of_dialog(const char *call_id,
						const char *tag,
						uint64_t expires_ms)
{
	return (struct presence_row){
		.kind = PRESENCE_ROW_DIALOG,
		.u.dialog = {.direction = PRESENCE_IN,
			     .local = SPAN_LIT("romeo@sip.example"),
			     .remote = SPAN_LIT("juliet@xmpp.example"),
			     .call_id = span_str(call_id),
			     .local_tag = span_str(tag),
			     .expires_ms = expires_ms},
	};
}

static inline struct presence_row row_deleted(struct presence_row row)
{
	row.is_deleted = true;
	return row;
}

static inline int rig_try_put(struct store_rig *r,
			      const struct presence_row *row)
{
	uint64_t seq = r->put_seq + 1;
	int err;

	r->is_in_call = true;
	err = store_put(r->store, row, seq);
	r->is_in_call = false;
	if (err == 0)
		r->put_seq = seq;
	return err;
}

static inline void rig_put(struct store_rig *r, struct presence_row row)
{
	assert_int_equal(0, rig_try_put(r, &row));
}

/* --- waiting -------------------------------------------------------------- */

static inline void rig_on_tick(void *arg)
{
	(void)arg;
}

/* Turn the loop until `done` says so, at most ms. */
static inline bool rig_run(struct store_rig *r,
			   bool (*done)(const struct store_rig *r), uint64_t ms)
{
	uint64_t end = uv_hrtime() / 1000000 + ms;
	struct loop_timer *t;

	assert_int_equal(0, loop_timer_new(&t, r->loop, rig_on_tick, NULL));
	while (!done(r) && uv_hrtime() / 1000000 < end) {
		loop_timer_arm(t, loop_now_ms(r->loop) + 10);
		(void)uv_run(loop_uv(r->loop), UV_RUN_ONCE);
	}
	loop_timer_free(t);
	return done(r);
}

static inline bool rig_is_settled(const struct store_rig *r)
{
	return r->committed == r->put_seq &&
	       r->committed_revision == r->put_revision &&
	       store_pending(r->store) == 0;
}

static inline void rig_settle(struct store_rig *r)
{
	assert_true(rig_run(r, rig_is_settled, 20000));
}

/* As rig_put(); a store that is full is waited for. */
static inline void rig_put_patiently(struct store_rig *r,
				     struct presence_row row)
{
	int err = rig_try_put(r, &row);

	if (err == FED_EAGAIN) {
		rig_settle(r);
		err = rig_try_put(r, &row);
	}
	assert_int_equal(0, err);
}

/* --- what is kept --------------------------------------------------------- */

/* Each row on one line, as text, in the order of loading. */
struct rig_rows {
	size_t watches;
	size_t dialogs;
	char *text[64]; /* of the first ones */
};

static inline void rig_print_span(char *out, size_t size, struct span s)
{
	size_t used = strlen(out);

	for (size_t i = 0; i < s.n && used + 4 < size; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c > ' ' && c < 0x7f && c != '\\')
			used += (size_t)snprintf(out + used, size - used, "%c",
						 c);
		else
			used += (size_t)snprintf(out + used, size - used,
						 "\\%02x", c);
	}
	(void)snprintf(out + used, size - used, " ");
}

static inline char *rig_print_row(const struct presence_row *row)
{
	const struct presence_watch_row *w = &row->u.watch;
	const struct presence_dialog_row *d = &row->u.dialog;
	const struct span *of_dialog[] = {
		&d->call_id,	&d->local_tag, &d->local,      &d->remote,
		&d->remote_tag, &d->local_uri, &d->remote_uri, &d->target,
		&d->routes,	&d->event_id,
	};
	const struct span *of_watch[] = {&w->local, &w->remote, &w->told};
	bool is_watch = row->kind == PRESENCE_ROW_WATCH;
	const struct span **texts = is_watch ? of_watch : of_dialog;
	size_t count =
		is_watch ? FED_ARRAY_LEN(of_watch) : FED_ARRAY_LEN(of_dialog);
	char *out = calloc(1, 4096);
	size_t used;

	assert_non_null(out);
	for (size_t i = 0; i < count; i++)
		rig_print_span(out, 4096, *texts[i]);
	used = strlen(out);
	if (is_watch)
		(void)snprintf(out + used, 4096 - used, "%d %d %" PRIu64,
			       w->direction, w->auth, w->since_ms);
	else
		(void)snprintf(out + used, 4096 - used,
			       "%d %" PRIu32 " %" PRIu32 " %" PRIu64 " %d",
			       d->direction, d->local_cseq, d->remote_cseq,
			       d->expires_ms, d->is_active);
	return out;
}

static inline int rig_on_row(const struct presence_row *row, void *arg)
{
	struct rig_rows *rows = arg;
	size_t n = rows->watches + rows->dialogs;

	assert_false(row->is_deleted);
	if (row->kind == PRESENCE_ROW_WATCH) {
		assert_int_equal(0, rows->dialogs); /* all watches first */
		rows->watches++;
	} else {
		rows->dialogs++;
	}
	if (n < FED_ARRAY_LEN(rows->text))
		rows->text[n] = rig_print_row(row);
	return 0;
}

static inline void rig_rows_free(struct rig_rows *rows)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(rows->text); i++)
		free(rows->text[i]);
	*rows = (struct rig_rows){0};
}

/* Close, open, load. */
static inline void rig_reload(struct store_rig *r, struct rig_rows *out)
{
	if (r->store != NULL)
		rig_close(r);
	rig_open(r);
	*out = (struct rig_rows){0};
	assert_int_equal(0, store_load(r->store, rig_on_row, out));
}

static inline bool rig_rows_have(const struct rig_rows *rows,
				 const struct presence_row *row)
{
	char *text = rig_print_row(row);
	bool found = false;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows->text) && !found; i++)
		found = rows->text[i] != NULL &&
			strcmp(rows->text[i], text) == 0;
	free(text);
	return found;
}

#endif
