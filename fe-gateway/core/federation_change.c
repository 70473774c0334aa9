/* A change of the federation configuration: the disk, time, ends. */
#include "fe-gateway/core/federation_change_priv.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chan/chan_rules.h"
#include "chan/proto_arena.h"
#include "fe-gateway/core/federation_mask.h"

/* What a change makes beside its snapshot: pointers, warnings. */
#define RESULT_BYTES LIMIT_FEDERATION_REVISION_BYTES

/* --- small things --------------------------------------------------------- */

static const char *state_name(enum federation_change_state s)
{
	static const char *const names[] = {"idle", "reading", "checking",
					    "storing", "telling"};

	return names[s];
}

void federation_change_set_state(struct federation_change *c,
				 enum federation_change_state to,
				 uint64_t deadline_ms)
{
	static const unsigned allowed[] = {
		[FEDERATION_IDLE] =
			1u << FEDERATION_READING | 1u << FEDERATION_CHECKING,
		[FEDERATION_READING] =
			1u << FEDERATION_IDLE | 1u << FEDERATION_CHECKING,
		[FEDERATION_CHECKING] =
			1u << FEDERATION_IDLE | 1u << FEDERATION_STORING,
		[FEDERATION_STORING] =
			1u << FEDERATION_IDLE | 1u << FEDERATION_TELLING,
		[FEDERATION_TELLING] = 1u << FEDERATION_IDLE,
	};

	(void)FED_CHECK((allowed[c->state] & 1u << to) != 0);
	fed_log(c->p.log, FED_LOG_DEBUG, "federation_state",
		"revision=%" PRIu64 " from=%s to=%s", c->next_head.number,
		state_name(c->state), state_name(to));
	c->state = to;
	c->deadline_ms = deadline_ms;
}

struct federation_action *federation_change_act(
	struct federation_change *c, enum federation_action_kind kind)
{
	static const struct federation_action none;
	struct federation_action *a;

	if (!FED_CHECK(c->action_count < FEDERATION_ACTIONS))
		c->action_count--; /* the last one */
	a = &c->actions[(c->action_first + c->action_count++) %
			FEDERATION_ACTIONS];
	*a = none;
	a->kind = kind;
	return a;
}

bool federation_change_next_action(struct federation_change *c,
				   struct federation_action *out)
{
	if (c->action_count == 0)
		return false;
	*out = c->actions[c->action_first];
	c->action_first = (c->action_first + 1) % FEDERATION_ACTIONS;
	c->action_count--;
	return true;
}

void federation_change_warn(struct federation_change *c, const char *fmt, ...)
{
	struct federation_warnings *w = &c->warnings;
	char text[512];
	char *copy;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	span_make_utf8(text);
	copy = arena_dup(&c->result, span_str(text));
	if (copy == NULL ||
	    arena_append(&c->result, (void ***)&w->text, &w->count, copy) != 0)
		c->unlisted++;
}

void federation_snapshot_free(struct federation_snapshot *s)
{
	federation_free(s->f);
	arena_deinit(&s->arena);
	s->f = NULL;
	s->config = NULL;
}

static void snapshot_init(struct federation_snapshot *s)
{
	*s = (struct federation_snapshot){.f = NULL};
	arena_init(&s->arena, LIMIT_FRAME_ARENA_BYTES);
}

/* --- ends ----------------------------------------------------------------- */

static void say_done(struct federation_change *c, const char *error)
{
	struct federation_action *a;

	if (c->is_done)
		return;
	c->is_done = true;
	a = federation_change_act(c, FEDERATION_ACT_DONE);
	a->u.done.token = c->token;
	a->u.done.error = error;
	a->u.done.changed = error == NULL ? &c->changed : NULL;
}

/* The edges that have not answered may do so later: a number that they were
 * asked about is not used for another content. */
static void leave_number(struct federation_change *c)
{
	if (federation_change_is_awaited(c) && c->next_head.number > c->highest)
		c->highest = c->next_head.number;
	for (size_t i = 0; i < c->p.edge_count; i++)
		c->edges[i].is_awaited = false;
}

void federation_change_refuse(struct federation_change *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(c->error.text, sizeof(c->error.text), fmt, ap);
	va_end(ap);
	span_make_utf8(c->error.text);
	leave_number(c);
	if (!c->is_dry_run)
		federation_change_log_refused(c, &c->next_head, c->error.text);
	federation_change_set_state(c, FEDERATION_IDLE, UINT64_MAX);
	federation_snapshot_free(&c->next);
	say_done(c, c->error.text);
}

/* What is not in the answer is in the history: say that there is more.  When
 * there is no room to add that, it is in place of the last warning. */
static void warn_unlisted(struct federation_change *c)
{
	struct federation_warnings *w = &c->warnings;

	if (c->unlisted == 0)
		return;
	if (w->count == 0) {
		w->text = c->unlisted_list;
		w->text[w->count++] = c->unlisted_text;
	} else if (arena_append(&c->result, (void ***)&w->text, &w->count,
				c->unlisted_text) != 0) {
		w->text[w->count - 1] = c->unlisted_text;
		c->unlisted++;
	}
	(void)snprintf(c->unlisted_text, sizeof(c->unlisted_text),
		       "%zu more warnings and changes are not listed: out of "
		       "memory",
		       c->unlisted);
}

/* Secrets stay here. */
static void make_changed(struct federation_change *c)
{
	Fed__FederationChanged *out = &c->changed;

	fed__federation_changed__init(out);
	out->revision =
		c->change_count > 0 ? c->next_head.number : c->head.number;
	out->dry_run = c->is_dry_run;
	for (size_t i = 0; i < c->change_count; i++) {
		Fed__Change *masked =
			federation_mask_change(c->changes[i], &c->result);

		if (masked == NULL ||
		    arena_append(&c->result, (void ***)&out->change,
				 &out->n_change, masked) != 0)
			c->unlisted++;
	}
	warn_unlisted(c);
	out->warning = c->warnings.text;
	out->n_warning = c->warnings.count;
}

void federation_change_finish(struct federation_change *c)
{
	for (size_t i = 0; i < c->p.edge_count; i++)
		c->edges[i].is_awaited = false;
	make_changed(c);
	if (c->state != FEDERATION_IDLE)
		federation_change_set_state(c, FEDERATION_IDLE, UINT64_MAX);
	if (c->next.f != NULL) {
		/* a dry run, whose records are told of */
		federation_snapshot_free(&c->old);
		c->old = c->next;
		snapshot_init(&c->next);
	}
	say_done(c, NULL);
}

/* --- the disk ------------------------------------------------------------- */

static void make_revision(struct federation_change *c)
{
	Fed__Revision *r = &c->revision;

	fed__revision__init(r);
	r->number = c->next_head.number;
	r->at_ms = c->next_head.at_ms;
	r->author = c->next_head.author;
	r->what = c->next_head.what;
	r->change = c->changes;
	r->n_change = c->change_count;
}

void federation_change_on_checked(struct federation_change *c, uint64_t now_ms)
{
	if (c->is_dry_run) {
		federation_change_finish(c);
		return;
	}
	federation_change_set_state(c, FEDERATION_STORING,
				    now_ms + LIMIT_FEDERATION_STORE_MS);
	make_revision(c);
	federation_change_act(c, FEDERATION_ACT_STORE)->u.store = &c->revision;
}

void federation_change_on_store_failed(struct federation_change *c,
				       uint64_t now_ms)
{
	(void)now_ms;
	if (c->state == FEDERATION_STORING)
		federation_change_refuse(
			c, "the store has no room for it: its disk stands "
			   "still");
}

void federation_change_on_committed(struct federation_change *c,
				    uint64_t number, uint64_t now_ms)
{
	if (c->state != FEDERATION_STORING || number < c->next_head.number)
		return;
	federation_change_log(c);
	c->old = c->now;
	c->now = c->next;
	snapshot_init(&c->next);
	c->head = c->next_head;
	(void)federation_change_act(c, FEDERATION_ACT_IN_FORCE);
	federation_change_tell(c, now_ms);
}

/* --- time ----------------------------------------------------------------- */

/* "edge "a"", "edges "a", "b"": that have not said anything. */
static void name_silent(const struct federation_change *c, char *out,
			size_t size)
{
	size_t used = 0;
	unsigned count = 0;

	out[0] = '\0';
	for (size_t i = 0; i < c->p.edge_count && used < size; i++) {
		if (!c->edges[i].is_awaited)
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s\"%s\"",
					 count++ == 0 ? "" : ", ",
					 c->p.edges[i]);
	}
}

void federation_change_on_timer(struct federation_change *c, uint64_t now_ms)
{
	char names[256];

	if (now_ms < c->deadline_ms)
		return;
	name_silent(c, names, sizeof(names));
	switch (c->state) {
	case FEDERATION_IDLE:
		break;
	case FEDERATION_READING:
		federation_change_refuse(c, "the store does not answer");
		break;
	case FEDERATION_CHECKING:
		federation_change_refuse(
			c, "no answer from edge %s in %u s; nothing is changed",
			names, LIMIT_FEDERATION_CHECK_MS / 1000);
		break;
	case FEDERATION_STORING:
		/* it is on its way to the disk, nobody can take it back */
		c->deadline_ms = UINT64_MAX;
		say_done(c, "the store cannot be written now; the change will "
			    "be in force as soon as it can");
		break;
	case FEDERATION_TELLING:
		federation_change_warn(c,
				       "no answer from edge %s in %u s; it is "
				       "in force here",
				       names, LIMIT_FEDERATION_CHECK_MS / 1000);
		federation_change_finish(c);
		break;
	}
}

uint64_t federation_change_deadline_ms(const struct federation_change *c)
{
	return c->deadline_ms;
}

/* --- what is known -------------------------------------------------------- */

const struct federation *federation_change_now(
	const struct federation_change *c)
{
	return c->now.f;
}

const struct federation_head *federation_change_head(
	const struct federation_change *c)
{
	return &c->head;
}

const struct federation_edge *federation_change_edge(
	const struct federation_change *c, size_t edge)
{
	return &c->edges[edge];
}

enum federation_change_state federation_change_state(
	const struct federation_change *c)
{
	return c->state;
}

/* --- life ----------------------------------------------------------------- */

int federation_change_unpack(struct arena *a, struct span bytes,
			     Fed__Record **out)
{
	struct proto_arena memory;

	proto_arena_init(&memory, a);
	*out = fed__record__unpack(&memory.allocator, bytes.n,
				   (const uint8_t *)bytes.p);
	if (*out == NULL)
		return proto_arena_problem(&memory) == FED_ENOMEM ? FED_ENOMEM
								  : FED_EINVAL;
	return chan_message_is_clean(&(*out)->base) ? 0 : FED_EINVAL;
}

int federation_change_restore(struct federation_change *c, struct span record)
{
	Fed__Record *r;
	int err = federation_change_unpack(&c->loading, record, &r);

	return err != 0 ? err
			: arena_append(&c->loading, (void ***)&c->loaded,
				       &c->loaded_count, r);
}

int federation_change_restored(struct federation_change *c,
			       const struct federation_revision_row *newest,
			       struct errbuf *e)
{
	const struct federation_edit edit = {.put = c->loaded,
					     .put_count = c->loaded_count};
	int err;

	errbuf_set(e, "out of memory");
	err = federation_new(&c->now.f, NULL, &edit, NULL, NULL, e);
	if (err == 0)
		err = federation_push(c->now.f, c->p.domains, c->p.domain_count,
				      &c->now.arena, &c->now.config, e);
	arena_deinit(&c->loading);
	c->loaded = NULL;
	c->loaded_count = 0;
	if (err != 0)
		return err;
	c->head = (struct federation_head){.number = newest->number,
					   .at_ms = newest->at_ms};
	federation_change_take_text(
		c->head.author, LIMIT_FEDERATION_AUTHOR_BYTES, newest->author);
	federation_change_take_text(c->head.what, LIMIT_FEDERATION_WHAT_BYTES,
				    newest->what);
	return 0;
}

int federation_change_new(struct federation_change **c_out,
			  const struct federation_change_params *p)
{
	struct federation_change *c;

	if (!FED_CHECK(p->edge_count <= LIMIT_CHANNEL_SESSIONS))
		return FED_EINVAL;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return FED_ENOMEM;
	c->p = *p;
	c->deadline_ms = UINT64_MAX;
	ratelimit_init(&c->unasked_rate, LIMIT_GATEWAY_WARN_RATE,
		       LIMIT_GATEWAY_WARN_BURST, 0);
	snapshot_init(&c->now);
	snapshot_init(&c->next);
	snapshot_init(&c->old);
	arena_init(&c->result, RESULT_BYTES);
	arena_init(&c->loading, FEDERATION_LOADING_BYTES);
	*c_out = c;
	return 0;
}

void federation_change_free(struct federation_change *c)
{
	if (c == NULL)
		return;
	federation_snapshot_free(&c->now);
	federation_snapshot_free(&c->next);
	federation_snapshot_free(&c->old);
	arena_deinit(&c->result);
	arena_deinit(&c->loading);
	free(c);
}
