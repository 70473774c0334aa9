/*
 * Two chan_cores in one test: what they do is written down as one line of
 * text per action, and frames can be made by hand.
 */
#ifndef FED_TESTS_CHAN_HARNESS_H
#define FED_TESTS_CHAN_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "chan/chan_core.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

struct side {
	struct chan_core *core;
	struct id_source ids;
	struct metrics metrics;
	struct chan_params params;
	struct buf log;	     /* one line per action */
	uint64_t refs[4096]; /* of STANZA, in order */
	size_t ref_count;
	enum chan_close close; /* of the last CLOSE */
	char text[256];
};

struct pair {
	struct side edge;
	struct side gw;
	struct arena arena;
	uint64_t now;
};

static inline void side_init(struct side *s, enum chan_role role, uint8_t boot,
			     uint32_t window)
{
	*s = (struct side){.core = NULL};
	memset(s->ids.key, boot, sizeof(s->ids.key));
	buf_init(&s->log, 1u << 20);
	s->params = (struct chan_params){
		.role = role,
		.instance = role == CHAN_EDGE ? "edge-1" : "gw-1",
		.peer = role == CHAN_EDGE ? "gw-1" : "edge-1",
		.ids = &s->ids,
		.window = window,
		.metrics = &s->metrics,
	};
	memset(s->params.boot_id, boot, ID_RAW_BYTES);
	assert_int_equal(chan_core_new(&s->core, &s->params, 0), 0);
}

static inline void side_deinit(struct side *s)
{
	chan_core_free(s->core);
	buf_deinit(&s->log);
}

static inline int pair_setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));

	side_init(&p->edge, CHAN_EDGE, 1, 4);
	side_init(&p->gw, CHAN_GATEWAY, 2, 4);
	arena_init(&p->arena, 1u << 20);
	p->now = 1000;
	*state = p;
	return 0;
}

static inline int pair_teardown(void **state)
{
	struct pair *p = *state;

	side_deinit(&p->edge);
	side_deinit(&p->gw);
	arena_deinit(&p->arena);
	free(p);
	return 0;
}

static inline void side_note(struct side *s, const struct chan_action *a)
{
	switch (a->kind) {
	case CHAN_ACT_UP:
		buf_printf(&s->log, "up %s\n",
			   a->u.up.is_resumed ? "resumed" : "new");
		return;
	case CHAN_ACT_STANZA:
		s->refs[s->ref_count++ % 4096] = a->u.stanza.ref;
		buf_printf(&s->log, "stanza %s%s\n",
			   a->u.stanza.frame->stanza->id,
			   a->u.stanza.frame->redelivered ? " again" : "");
		return;
	case CHAN_ACT_OUTCOME:
		buf_printf(&s->log, "outcome %llu %s %s\n",
			   (unsigned long long)a->u.outcome.handle,
			   a->u.outcome.frame->stanza->id,
			   a->u.outcome.refused == NULL
				   ? "delivered"
				   : stanza_error_name(
					     a->u.outcome.refused->condition));
		return;
	case CHAN_ACT_RETURNED:
		buf_printf(&s->log, "returned %llu %s\n",
			   (unsigned long long)a->u.outcome.handle,
			   a->u.outcome.frame->stanza->id);
		return;
	case CHAN_ACT_WINDOW:
		buf_put_str(&s->log, "window\n");
		return;
	case CHAN_ACT_DRAIN:
		buf_put_str(&s->log, "drain\n");
		return;
	case CHAN_ACT_DOWN:
		buf_put_str(&s->log, "down\n");
		return;
	case CHAN_ACT_GONE:
		buf_put_str(&s->log, "gone\n");
		return;
	case CHAN_ACT_FRAME:
		buf_printf(&s->log, "frame %u\n",
			   (unsigned)a->u.frame->kind_case);
		return;
	case CHAN_ACT_CLOSE:
		s->close = a->u.close.why;
		(void)snprintf(s->text, sizeof(s->text), "%s", a->u.close.text);
		buf_printf(&s->log, "close %s\n", chan_close_name(s->close));
		return;
	}
}

static inline void side_drain(struct side *s, uint64_t now)
{
	struct chan_action a;

	while (chan_core_next_action(s->core, &a, now))
		side_note(s, &a);
}

/* What happened since the last look. */
static inline void expect(struct side *s, const char *lines)
{
	const char *got = buf_cstr(&s->log);

	assert_string_equal(got == NULL ? "" : got, lines);
	buf_reset(&s->log);
}

/* Move what one side has to say; false: nothing. */
static inline bool carry(struct side *from, struct side *to, uint64_t now,
			 size_t step)
{
	struct span out = chan_core_output(from->core, now);
	size_t n = out.n < step ? out.n : step;

	if (n == 0)
		return false;
	assert_int_equal(chan_core_on_bytes(to->core, span_of(out.p, n), now),
			 0);
	chan_core_sent(from->core, n);
	side_drain(to, now);
	return true;
}

static inline void settle_by(struct pair *p, size_t step)
{
	bool is_moving = true;

	side_drain(&p->edge, p->now);
	side_drain(&p->gw, p->now);
	while (is_moving) {
		is_moving = carry(&p->gw, &p->edge, p->now, step);
		is_moving |= carry(&p->edge, &p->gw, p->now, step);
	}
}

static inline void settle(struct pair *p)
{
	settle_by(p, LIMIT_READ_BYTES);
}

static inline void connect_pair(struct pair *p)
{
	chan_core_on_up(p->edge.core, p->now);
	chan_core_on_up(p->gw.core, p->now);
	settle(p);
}

static inline void break_pair(struct pair *p)
{
	chan_core_on_down(p->edge.core, p->now);
	chan_core_on_down(p->gw.core, p->now);
	side_drain(&p->edge, p->now);
	side_drain(&p->gw, p->now);
}

static inline Fed__Stanza *make_stanza(struct arena *a, unsigned id)
{
	Fed__Stanza *s = stanza_new_message(a);

	s->from = arena_dup(a, SPAN_LIT("romeo@montague.example/orchard"));
	s->to = arena_dup(a, SPAN_LIT("juliet@capulet.example"));
	s->id = arena_printf(a, "%u", id);
	assert_int_equal(stanza_add_text(a, &s->message->body,
					 &s->message->n_body, SPAN_LIT(""),
					 SPAN_LIT("Art thou not Romeo?")),
			 0);
	return s;
}

static inline Fed__Facts *make_facts(struct arena *a)
{
	Fed__Facts *f = arena_alloc(a, sizeof(*f));

	fed__facts__init(f);
	f->peer_domain = arena_dup(a, SPAN_LIT("montague.example"));
	f->local_domain = arena_dup(a, SPAN_LIT("capulet.example"));
	f->mechanism = FED__MECHANISM__EXTERNAL;
	return f;
}

/* Stanza `id`, whose handle is 100 + id. */
static inline int send_stanza(struct pair *p, struct side *from, unsigned id)
{
	struct chan_delivery d = {.handle = 100 + id};

	arena_reset(&p->arena);
	d.stanza = make_stanza(&p->arena, id);
	if (from->params.role == CHAN_EDGE)
		d.facts = make_facts(&p->arena);
	d.id[0] = (uint8_t)id;
	return chan_core_send_stanza(from->core, &d, p->now);
}

#endif
