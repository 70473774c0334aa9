/* States, the queue of actions, closing. */
#include "chan/chan_core_priv.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const STATE_NAMES[] = {
	[CHAN_CLOSED] = "closed",
	[CHAN_HELLO] = "hello",
	[CHAN_OPEN] = "open",
	[CHAN_CLOSING] = "closing",
};

static const struct {
	enum chan_state from;
	enum chan_state to;
} EDGES[] = {
	{CHAN_CLOSED, CHAN_HELLO},   {CHAN_HELLO, CHAN_OPEN},
	{CHAN_HELLO, CHAN_CLOSING},  {CHAN_HELLO, CHAN_CLOSED},
	{CHAN_OPEN, CHAN_CLOSING},   {CHAN_OPEN, CHAN_CLOSED},
	{CHAN_CLOSING, CHAN_CLOSED},
};

const char *chan_core_state_name(const struct chan_core *c)
{
	if (c->state == CHAN_OPEN && (c->is_draining || c->is_peer_draining))
		return "drain";
	if (c->state == CHAN_CLOSED && c->has_session)
		return "broken";
	return STATE_NAMES[c->state];
}

const char *chan_close_name(enum chan_close c)
{
	static const char *const NAMES[] = {
		[CHAN_CLOSE_NONE] = "none",
		[CHAN_CLOSE_BYE] = "bye",
		[CHAN_CLOSE_PROTOCOL] = "protocol",
		[CHAN_CLOSE_VERSION] = "version",
		[CHAN_CLOSE_IDENTITY] = "identity",
		[CHAN_CLOSE_DEAD] = "dead",
		[CHAN_CLOSE_LIMIT] = "limit",
		[CHAN_CLOSE_LOCAL] = "local",
		[CHAN_CLOSE_LOST] = "lost",
	};

	return (size_t)c < FED_ARRAY_LEN(NAMES) ? NAMES[c] : "unknown";
}

void chan_set_state(struct chan_core *c, enum chan_state to)
{
	bool is_allowed = false;

	for (size_t i = 0; i < FED_ARRAY_LEN(EDGES); i++)
		is_allowed |= EDGES[i].from == c->state && EDGES[i].to == to;
	if (!FED_CHECK(is_allowed))
		return;
	fed_log(c->log, FED_LOG_DEBUG, "chan_state", "peer=%s from=%s to=%s",
		c->peer, STATE_NAMES[c->state], STATE_NAMES[to]);
	c->state = to;
}

static struct chan_act *act_at(struct chan_core *c, size_t i)
{
	return &c->acts[(c->act_first + i) % CHAN_ACTS];
}

void chan_push(struct chan_core *c, enum chan_action_kind kind, bool is_resumed)
{
	if (!FED_CHECK(c->act_count < CHAN_ACTS))
		return;
	*act_at(c, c->act_count++) = (struct chan_act){kind, is_resumed};
}

/* The connection it spoke of is gone already. */
void chan_unpush_close(struct chan_core *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->act_count; i++) {
		if (act_at(c, i)->kind != CHAN_ACT_CLOSE)
			*act_at(c, kept++) = *act_at(c, i);
	}
	c->act_count = kept;
}

void chan_starve(struct chan_core *c, uint64_t now_ms)
{
	c->starved_ms = now_ms;
	fed_log(c->log, FED_LOG_ERROR, "chan_out_of_memory", "peer=%s",
		c->peer);
}

const Fed__StanzaFrame *chan_show(struct chan_core *c,
				  const struct chan_kept *e)
{
	Fed__Frame *frame;
	size_t used;

	if (chan_codec_take(span_of(e->bytes, e->n), &c->show_arena, &frame,
			    &used) != 0)
		return NULL;
	return frame->kind_case == FED__FRAME__KIND_STANZA ? frame->stanza
							   : NULL;
}

/* RETURNED stays at the front of the ring until the last one was shown. */
static bool pop_returned(struct chan_core *c, struct chan_action *a,
			 uint64_t now_ms)
{
	struct chan_kept *e = c->kept.returning.head;

	a->u.outcome.frame = chan_show(c, e);
	if (a->u.outcome.frame == NULL) {
		chan_starve(c, now_ms);
		return false;
	}
	a->u.outcome.handle = e->handle;
	a->u.outcome.refused = NULL;
	chan_kept_returned(&c->kept);
	return true;
}

bool chan_pop(struct chan_core *c, struct chan_action *a, uint64_t now_ms)
{
	while (c->act_count > 0) {
		const struct chan_act *act = act_at(c, 0);

		*a = (struct chan_action){.kind = act->kind};
		if (act->kind == CHAN_ACT_RETURNED &&
		    c->kept.returning.head != NULL)
			return pop_returned(c, a, now_ms);
		c->act_first = (c->act_first + 1) % CHAN_ACTS;
		c->act_count--;
		if (act->kind == CHAN_ACT_RETURNED)
			continue;
		if (act->kind == CHAN_ACT_UP)
			a->u.up.is_resumed = act->is_resumed;
		if (act->kind == CHAN_ACT_CLOSE) {
			a->u.close.why = c->close_why;
			a->u.close.text = c->close_text;
		}
		return true;
	}
	return false;
}

bool chan_close_ends_session(enum chan_close why)
{
	return why != CHAN_CLOSE_DEAD && why != CHAN_CLOSE_LOST &&
	       why != CHAN_CLOSE_NONE;
}

void chan_close(struct chan_core *c, enum chan_close why, const char *fmt, ...)
{
	enum fed_log_level level =
		why == CHAN_CLOSE_BYE || why == CHAN_CLOSE_LOCAL ? FED_LOG_INFO
								 : FED_LOG_WARN;
	va_list ap;

	if (c->state != CHAN_HELLO && c->state != CHAN_OPEN)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(c->close_text, sizeof(c->close_text), fmt, ap);
	va_end(ap);
	if (why == CHAN_CLOSE_PROTOCOL || why == CHAN_CLOSE_LIMIT)
		metrics_count(c->metrics, METRIC_channel_bad_frames);
	fed_log(c->log, level, "chan_close", "peer=%s why=%s text=%s", c->peer,
		chan_close_name(why), log_value(span_str(c->close_text)).text);
	c->close_why = why;
	c->is_bye_due = chan_close_ends_session(why) && why != CHAN_CLOSE_BYE;
	buf_reset(&c->in);
	chan_set_state(c, CHAN_CLOSING);
	chan_push(c, CHAN_ACT_CLOSE, false);
}
