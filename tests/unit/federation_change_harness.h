/* A change with some edges, mostly two, and what it does as one line of text.
 */
#ifndef FED_TESTS_FEDERATION_CHANGE_HARNESS_H
#define FED_TESTS_FEDERATION_CHANGE_HARNESS_H

#include "federation_harness.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "fe-gateway/core/federation_change.h"

enum { A, B, EDGES };

struct fc_test {
	struct fed_test records; /* of the next wish */
	struct federation_change *c;
	struct logger logger;
	uint64_t now_ms;
	uint64_t token;
	struct errbuf e;
	char did[4096];	   /* since the last look */
	char logged[8192]; /* without states */
	char stored[4096]; /* packed `after` of the last revision's first one */
	size_t stored_n;
	char warned[16384];   /* of the last DONE, one a line */
	size_t changes;	      /* of it */
	size_t changed_bytes; /* what is told, packed */
};

static inline void fc_on_line(void *arg, enum fed_log_level level,
			      const char *line, size_t n)
{
	struct fc_test *t = arg;
	size_t used = strlen(t->logged);

	(void)level;
	if (strstr(line, "event=federation_state") != NULL)
		return;
	assert_true(used + n + 2 < sizeof(t->logged));
	memcpy(t->logged + used, line, n);
	memcpy(t->logged + used + n, "\n", 2);
}

static inline void fc_init_edges(struct fc_test *t, size_t count)
{
	static const char *const domains[] = {"sip.example"};
	static const char *const edges[] = {"a.example", "b.example",
					    "c.example", "d.example",
					    "e.example", "f.example"};
	struct federation_change_params p = {
		.domains = domains,
		.domain_count = 1,
		.edges = edges,
		.edge_count = count,
	};

	assert_true(count <= FED_ARRAY_LEN(edges));
	memset(t, 0, sizeof(*t));
	ft_init(&t->records);
	t->logger = (struct logger){FED_LOG_DEBUG, fc_on_line, t};
	t->now_ms = 1000000;
	p.log = &t->logger;
	assert_int_equal(0, federation_change_new(&t->c, &p));
	assert_int_equal(UINT64_MAX, federation_change_deadline_ms(t->c));
}

static inline void fc_init(struct fc_test *t)
{
	fc_init_edges(t, EDGES);
}

static inline void fc_deinit(struct fc_test *t)
{
	federation_change_free(t->c);
	ft_deinit(&t->records);
}

/* --- what it does --------------------------------------------------------- */

static inline void fc_note(struct fc_test *t, const char *fmt, ...)
{
	size_t used = strlen(t->did);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(t->did + used, sizeof(t->did) - used, fmt, ap);
	va_end(ap);
}

static inline void fc_note_done(struct fc_test *t,
				const struct federation_action *a)
{
	const Fed__FederationChanged *changed = a->u.done.changed;

	assert_int_equal(t->token, a->u.done.token);
	assert_true((a->u.done.error == NULL) != (changed == NULL));
	if (changed == NULL) {
		fc_note(t, "refused: %s; ", a->u.done.error);
		return;
	}
	t->warned[0] = '\0';
	for (size_t i = 0; i < changed->n_warning; i++) {
		size_t used = strlen(t->warned);

		(void)snprintf(t->warned + used, sizeof(t->warned) - used,
			       "%s\n", changed->warning[i]);
	}
	t->changes = changed->n_change;
	/* the records are still there */
	t->changed_bytes = fed__federation_changed__get_packed_size(changed);
	fc_note(t, "done %" PRIu64 "%s; ", changed->revision,
		changed->dry_run ? " dry" : "");
}

static inline void fc_note_action(struct fc_test *t,
				  const struct federation_action *a)
{
	const Fed__Config *config = &a->u.config.config;
	const Fed__Record *r;

	switch (a->kind) {
	case FEDERATION_ACT_READ:
		fc_note(t, "read %" PRIu64 "; ", a->u.read_revision);
		break;
	case FEDERATION_ACT_STORE:
		assert_true(a->u.store->n_change > 0);
		r = a->u.store->change[0]->after;
		t->stored_n =
			r == NULL ? 0
				  : fed__record__pack(r, (uint8_t *)t->stored);
		fc_note(t, "store %" PRIu64 "; ", a->u.store->number);
		break;
	case FEDERATION_ACT_IN_FORCE:
		fc_note(t, "in force; ");
		break;
	case FEDERATION_ACT_CONFIG:
		assert_int_equal(1, config->n_domain);
		fc_note(t, "%s %c %" PRIu64 "; ",
			config->check_only ? "check" : "tell",
			(int)('a' + a->u.config.edge), config->revision);
		break;
	case FEDERATION_ACT_DONE:
		fc_note_done(t, a);
		break;
	}
}

/* What it did since the last look is exactly that. */
static inline void fc_did(struct fc_test *t, const char *what)
{
	struct federation_action a;
	size_t n;

	while (federation_change_next_action(t->c, &a))
		fc_note_action(t, &a);
	n = strlen(t->did);
	if (n > 0)
		t->did[n - 2] = '\0'; /* "; " */
	assert_string_equal(what, t->did);
	t->did[0] = '\0';
}

/* --- events --------------------------------------------------------------- */

static inline Fed__AdminFederationApply fc_apply(void)
{
	Fed__AdminFederationApply a;

	fed__admin_federation_apply__init(&a);
	return a;
}

/* The records that were put together are wished for. */
static inline int fc_try_wish(struct fc_test *t, Fed__AdminFederationApply *a)
{
	struct federation_wish w = {
		.apply = a,
		.author = SPAN_LIT("alice (uid 7)"),
		.wall_ms = 1700000000000,
		.token = t->token + 1,
	};
	int err;

	a->put = t->records.put;
	a->n_put = t->records.put_count;
	a->remove = t->records.remove;
	a->n_remove = t->records.remove_count;
	if (a->what[0] == '\0' && a->rollback_to == 0)
		a->what = ft_text(&t->records, "a wish");
	t->e.text[0] = '\0';
	err = federation_change_begin(t->c, &w, t->now_ms, &t->e);
	if (err == 0)
		t->token++;
	t->records.put_count = t->records.remove_count = 0;
	return err;
}

static inline void fc_wish(struct fc_test *t)
{
	Fed__AdminFederationApply a = fc_apply();

	if (fc_try_wish(t, &a) != 0)
		fail_msg("%s", t->e.text);
}

static inline void fc_wish_back(struct fc_test *t, uint64_t revision)
{
	Fed__AdminFederationApply a = fc_apply();

	a.rollback_to = revision;
	if (fc_try_wish(t, &a) != 0)
		fail_msg("%s", t->e.text);
}

static inline void fc_refused(struct fc_test *t, int err, const char *why)
{
	Fed__AdminFederationApply a = fc_apply();

	assert_int_equal(err, fc_try_wish(t, &a));
	assert_string_equal(why, t->e.text);
}

static inline void fc_wish_partner(struct fc_test *t, const char *domain)
{
	ft_partner(&t->records, domain)->dialback = false;
	fc_wish(t);
}

static inline void fc_committed(struct fc_test *t, uint64_t number)
{
	federation_change_on_committed(t->c, number, t->now_ms);
}

static inline void fc_up(struct fc_test *t, size_t edge)
{
	federation_change_on_session(t->c, edge, t->now_ms);
}

static inline void fc_down(struct fc_test *t, size_t edge)
{
	federation_change_on_edge_down(t->c, edge, t->now_ms);
}

static inline void fc_says(struct fc_test *t, size_t edge, bool is_check,
			   uint64_t revision, uint64_t in_force,
			   const char *refused)
{
	Fed__ConfigResult r;

	fed__config_result__init(&r);
	r.revision = revision;
	r.check_only = is_check;
	r.in_force = in_force;
	r.refused = ft_text(&t->records, refused);
	federation_change_on_result(t->c, edge, &r, t->now_ms);
}

/* An edge that would take it. */
static inline void fc_yes(struct fc_test *t, size_t edge, uint64_t revision)
{
	fc_says(t, edge, true, revision, 0, "");
}

/* An edge that has taken it. */
static inline void fc_has(struct fc_test *t, size_t edge, uint64_t revision)
{
	fc_says(t, edge, false, revision, revision, "");
}

static inline void fc_time(struct fc_test *t, uint64_t ms)
{
	t->now_ms += ms;
	federation_change_on_timer(t->c, t->now_ms);
}

static inline enum federation_change_state fc_state(const struct fc_test *t)
{
	return federation_change_state(t->c);
}

/* A partner is there since revision `number`, and no edge. */
static inline void fc_settle(struct fc_test *t, const char *domain,
			     uint64_t number)
{
	char what[64];

	fc_wish_partner(t, domain);
	(void)snprintf(what, sizeof(what), "store %" PRIu64, number);
	fc_did(t, what);
	fc_committed(t, number);
	(void)snprintf(what, sizeof(what),
		       "in force; tell a %" PRIu64 "; tell b %" PRIu64
		       "; done %" PRIu64,
		       number, number, number);
	fc_did(t, what);
	assert_int_equal(FEDERATION_IDLE, fc_state(t));
	t->logged[0] = '\0';
}

#endif
