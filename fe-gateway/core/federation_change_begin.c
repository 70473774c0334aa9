/* A change of the federation configuration: from the wish to the next
 * snapshot. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chan/chan_rules.h"
#include "fe-gateway/core/federation_change_priv.h"
#include "fe-gateway/core/federation_priv.h"

/* A domain of ours is nobody's: each edge would refuse it, but none may be
 * there now to say so, and those that come later would be stuck. */
static int check_served(const struct federation_change *c,
			const struct federation *f, struct errbuf *e)
{
	for (size_t i = 0; i < c->p.domain_count; i++) {
		const char *domain = c->p.domains[i];
		const char *name = "";
		const Fed__PartnerRecord *p =
			federation_partner_by(f, span_str(domain), &name);

		if (p == NULL || strcmp(name, domain) != 0)
			continue;
		errbuf_set(e,
			   "partner %s: %s is a SIP domain of ours "
			   "(sip.domains)",
			   p->domain, domain);
		return FED_EINVAL;
	}
	return 0;
}

/* --- the next snapshot ---------------------------------------------------- */

static size_t bytes_of(const Fed__Change *x)
{
	char key[FEDERATION_KEY_BYTES];
	size_t n = federation_key(x->after != NULL ? x->after : x->before, key);

	if (x->before != NULL)
		n += fed__record__get_packed_size(x->before);
	if (x->after != NULL)
		n += fed__record__get_packed_size(x->after);
	return n;
}

/* LIMIT: the store takes no more in one revision; edges need not be asked. */
static int check_size(const struct federation_change *c, struct errbuf *e)
{
	size_t n = LIMIT_FEDERATION_AUTHOR_BYTES + LIMIT_FEDERATION_WHAT_BYTES;

	for (size_t i = 0; i < c->change_count; i++)
		n += bytes_of(c->changes[i]);
	if (n <= LIMIT_FEDERATION_REVISION_BYTES)
		return 0;
	errbuf_set(e,
		   "%zu records at once are too large for the history: %zu "
		   "bytes, before and after; %u are the most",
		   c->change_count, n, LIMIT_FEDERATION_REVISION_BYTES);
	return FED_ELIMIT;
}

static int make_next(struct federation_change *c,
		     const struct federation_edit *edit, struct errbuf *e)
{
	struct federation_snapshot *next = &c->next;
	int err;

	errbuf_set(e, "out of memory");
	err = federation_new(&next->f, c->now.f, edit, &c->result, &c->warnings,
			     e);
	if (err == 0)
		err = check_served(c, next->f, e);
	if (err == 0) {
		errbuf_set(e, "out of memory");
		err = federation_diff(c->now.f, next->f, &c->result,
				      &c->changes, &c->change_count);
	}
	if (err == 0)
		err = check_size(c, e);
	if (err == 0)
		err = federation_push(next->f, c->p.domains, c->p.domain_count,
				      &next->arena, &next->config, e);
	if (err != 0)
		federation_snapshot_free(next);
	return err;
}

/* @return 0: it is under way, or done */
static int prepare(struct federation_change *c,
		   const struct federation_edit *edit, uint64_t now_ms,
		   struct errbuf *e)
{
	uint64_t last =
		c->highest > c->head.number ? c->highest : c->head.number;
	int err = make_next(c, edit, e);

	if (err != 0)
		return err;
	if (c->change_count == 0) {
		federation_change_finish(c);
		return 0;
	}
	c->next_head.number = last + 1;
	federation_change_ask(c, now_ms);
	return 0;
}

/* --- the wish ------------------------------------------------------------- */

static int check_base(const struct federation_change *c, uint64_t base,
		      struct errbuf *e)
{
	const struct federation_head *h = &c->head;
	char at[64];

	if (base == 0 || base == h->number)
		return 0;
	if (h->number == 0) {
		errbuf_set(e,
			   "revision %" PRIu64 " is not in force: nothing is "
			   "configured",
			   base);
		return FED_ESTATE;
	}
	federation_change_put_time(at, sizeof(at), h->at_ms);
	errbuf_set(e,
		   "revision %" PRIu64 " is not in force any more: %s has made "
		   "revision %" PRIu64 " of it (%s, \"%s\"); look at that "
		   "first",
		   base, h->author, h->number, at, h->what);
	return FED_ESTATE;
}

static int check_wish(const struct federation_change *c,
		      const Fed__AdminFederationApply *a, struct errbuf *e)
{
	/* what the last one came to is told before the next one begins */
	if (c->state != FEDERATION_IDLE || c->action_count > 0) {
		errbuf_set(e, "another change is under way, by %s: \"%s\"",
			   c->next_head.author, c->next_head.what);
		return FED_EBUSY;
	}
	if (a->rollback_to != 0 &&
	    (a->n_put > 0 || a->n_remove > 0 || a->replaces_all)) {
		errbuf_set(e, "a rollback changes nothing else");
		return FED_EINVAL;
	}
	if (a->rollback_to > c->head.number) {
		errbuf_set(e,
			   "there is no revision %" PRIu64 "; the newest one "
			   "is %" PRIu64,
			   a->rollback_to, c->head.number);
		return FED_EINVAL;
	}
	return check_base(c, a->base_revision, e);
}

static void take_wish(struct federation_change *c,
		      const struct federation_wish *w)
{
	const Fed__AdminFederationApply *a = w->apply;

	federation_snapshot_free(&c->old);
	arena_reset(&c->result);
	c->next_head = (struct federation_head){.at_ms = w->wall_ms};
	federation_change_take_text(c->next_head.author,
				    LIMIT_FEDERATION_AUTHOR_BYTES, w->author);
	federation_change_take_text(c->next_head.what,
				    LIMIT_FEDERATION_WHAT_BYTES,
				    span_str(a->what));
	if (a->what[0] == '\0' && a->rollback_to != 0)
		(void)snprintf(c->next_head.what, sizeof(c->next_head.what),
			       "rollback %" PRIu64, a->rollback_to);
	c->token = w->token;
	c->rollback_to = a->rollback_to;
	c->is_dry_run = a->dry_run;
	c->is_done = false;
	c->raises = 0;
	c->is_raise_due = false;
	c->changes = NULL;
	c->change_count = 0;
	c->warnings = (struct federation_warnings){.count = 0};
	c->unlisted = 0;
}

static void begin_reading(struct federation_change *c, uint64_t now_ms)
{
	federation_change_set_state(c, FEDERATION_READING,
				    now_ms + LIMIT_FEDERATION_STORE_MS);
	federation_change_act(c, FEDERATION_ACT_READ)->u.read_revision =
		c->rollback_to;
}

int federation_change_begin(struct federation_change *c,
			    const struct federation_wish *w, uint64_t now_ms,
			    struct errbuf *e)
{
	const Fed__AdminFederationApply *a = w->apply;
	const struct federation_edit edit = {
		.put = a->put,
		.put_count = a->n_put,
		.remove = a->remove,
		.remove_count = a->n_remove,
		.replaces_all = a->replaces_all,
	};
	struct federation_head head = {.number = 0};
	int err = check_wish(c, a, e);

	if (err == 0) {
		take_wish(c, w);
		if (c->rollback_to == 0)
			err = prepare(c, &edit, now_ms, e);
		else if (c->rollback_to == c->head.number)
			federation_change_finish(c);
		else
			begin_reading(c, now_ms);
	}
	if (err != 0 && !a->dry_run) {
		federation_change_take_text(
			head.author, LIMIT_FEDERATION_AUTHOR_BYTES, w->author);
		federation_change_take_text(head.what,
					    LIMIT_FEDERATION_WHAT_BYTES,
					    span_str(a->what));
		federation_change_log_refused(c, &head, e->text);
	}
	return err;
}

/* --- rollback ------------------------------------------------------------- */

/* One record is what it was. */
static int undo(struct federation_change *c, struct arena *a,
		const struct federation_change_row *row,
		struct federation_edit *edit, void ***put, void ***remove)
{
	char *key = arena_dup(a, row->key);
	const Fed__Record *now;
	Fed__Record *before;
	int err;

	if (key == NULL)
		return FED_ENOMEM;
	if (row->before.n == 0) {
		now = federation_find(c->now.f, key);
		return now == NULL
			       ? 0
			       : arena_append(a, remove, &edit->remove_count,
					      chan_unconst(now));
	}
	err = federation_change_unpack(a, row->before, &before);
	return err != 0 ? err : arena_append(a, put, &edit->put_count, before);
}

static int go_back(struct federation_change *c, struct arena *a,
		   const struct federation_change_row *rows, size_t count,
		   uint64_t now_ms)
{
	struct federation_edit edit = {.is_exact = true};
	void **put = NULL;
	void **remove = NULL;
	int err = 0;

	errbuf_set(&c->error, "what revision %" PRIu64 " was cannot be read",
		   c->rollback_to);
	for (size_t i = 0; i < count && err == 0; i++)
		err = undo(c, a, &rows[i], &edit, &put, &remove);
	if (err == FED_ENOMEM)
		errbuf_set(&c->error, "out of memory");
	edit.put = (Fed__Record *const *)put;
	edit.remove = (Fed__Record *const *)remove;
	return err != 0 ? err : prepare(c, &edit, now_ms, &c->error);
}

void federation_change_on_read(struct federation_change *c, int err,
			       const struct federation_change_row *rows,
			       size_t count, uint64_t oldest, uint64_t now_ms)
{
	struct arena a;
	char why[sizeof(c->error.text)];

	if (c->state != FEDERATION_READING)
		return;
	if (err == FED_ENOTFOUND) {
		federation_change_refuse(c,
					 "there is no revision %" PRIu64
					 "; the oldest one that "
					 "is kept is %" PRIu64,
					 c->rollback_to, oldest);
		return;
	}
	if (err != 0) {
		federation_change_refuse(
			c, "what revision %" PRIu64 " was cannot be read: %s",
			c->rollback_to, fed_strerror(err));
		return;
	}
	arena_init(&a, FEDERATION_LOADING_BYTES);
	if (go_back(c, &a, rows, count, now_ms) != 0) {
		(void)snprintf(why, sizeof(why), "%s", c->error.text);
		federation_change_refuse(c, "%s", why);
	}
	arena_deinit(&a);
}
