/* One channel session: life, connection events, deadlines, actions. */
#include "chan/chan_core_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* A whole frame and what one more read may bring. */
enum {
	CHAN_IN_ENOUGH = LIMIT_FRAME_BYTES + CHAN_PREFIX_BYTES,
	CHAN_IN_MAX = CHAN_IN_ENOUGH + LIMIT_READ_BYTES,
};

int chan_core_new(struct chan_core **core_out, const struct chan_params *p,
		  uint64_t now_ms)
{
	struct chan_core *c = calloc(1, sizeof(*c));
	uint32_t window = p->window;

	*core_out = NULL;
	if (c == NULL)
		return FED_ENOMEM;
	if (window == 0 || window > LIMIT_CHANNEL_WINDOW)
		window = LIMIT_CHANNEL_WINDOW;
	c->role = p->role;
	memcpy(c->boot_id, p->boot_id, ID_RAW_BYTES);
	c->ids = p->ids;
	c->log = p->log;
	c->metrics = p->metrics;
	c->lost_ms = now_ms;
	c->starved_ms = UINT64_MAX;
	chan_ack_settled(c);
	buf_init(&c->in, CHAN_IN_MAX);
	buf_init(&c->out, LIMIT_WRITE_HARD_BYTES);
	arena_init(&c->frame_arena, LIMIT_FRAME_ARENA_BYTES);
	arena_init(&c->show_arena, LIMIT_FRAME_ARENA_BYTES);
	c->instance = strdup(p->instance);
	c->peer = strdup(p->peer);
	if (c->instance == NULL || c->peer == NULL ||
	    chan_window_init(&c->window, window) != 0) {
		chan_core_free(c);
		return FED_ENOMEM;
	}
	*core_out = c;
	return 0;
}

void chan_core_free(struct chan_core *c)
{
	if (c == NULL)
		return;
	chan_kept_deinit(&c->kept);
	chan_window_deinit(&c->window);
	buf_deinit(&c->in);
	buf_deinit(&c->out);
	arena_deinit(&c->frame_arena);
	arena_deinit(&c->show_arena);
	explicit_bzero(c->token, sizeof(c->token));
	free(c->instance);
	free(c->peer);
	free(c);
}

void chan_core_on_up(struct chan_core *c, uint64_t now_ms)
{
	/* a new connection of the peer replaces the old one */
	chan_core_on_down(c, now_ms);
	c->up_ms = now_ms;
	c->last_in_ms = now_ms;
	c->last_out_ms = now_ms;
	c->last_ping_ms = now_ms;
	chan_set_state(c, CHAN_HELLO);
	if (c->role == CHAN_GATEWAY && chan_write_hello(c) != 0)
		chan_close(c, CHAN_CLOSE_DEAD, "no memory for Hello");
}

static void go_gone(struct chan_core *c)
{
	if (!c->has_session)
		return;
	fed_log(c->log, FED_LOG_INFO, "chan_session_end",
		"peer=%s returned=%u owed=%u", c->peer,
		chan_core_outstanding(c), c->window.used);
	chan_session_end(c);
	chan_push(c, CHAN_ACT_GONE, false);
}

void chan_core_on_down(struct chan_core *c, uint64_t now_ms)
{
	bool is_end = c->state == CHAN_CLOSING &&
		      chan_close_ends_session(c->close_why);

	if (c->state == CHAN_CLOSED)
		return;
	chan_unpush_close(c);
	buf_reset(&c->in);
	buf_reset(&c->out);
	c->is_bye_due = false;
	c->is_ping_due = false;
	c->is_pong_due = false;
	c->is_drain_due = false;
	chan_set_state(c, CHAN_CLOSED);
	if (c->is_up) {
		c->lost_ms = now_ms;
		chan_push(c, CHAN_ACT_DOWN, false);
	}
	c->is_up = false;
	if (is_end)
		go_gone(c);
}

bool chan_core_wants_bytes(const struct chan_core *c)
{
	return buf_len(&c->in) < CHAN_IN_ENOUGH;
}

int chan_core_on_bytes(struct chan_core *c, struct span bytes, uint64_t now_ms)
{
	if (c->state != CHAN_HELLO && c->state != CHAN_OPEN)
		return 0;
	if (bytes.n > CHAN_IN_MAX - buf_len(&c->in))
		return FED_ELIMIT;
	c->last_in_ms = now_ms;
	if (buf_put_span(&c->in, bytes) == 0)
		return 0;
	c->in.is_failed = false;
	return FED_ENOMEM;
}

static uint64_t min_ms(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_ms(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Silence in either direction: a side that does not read for a while still
 * shows that it lives. */
static uint64_t ping_at(const struct chan_core *c)
{
	uint64_t quiet = min_ms(c->last_in_ms, c->last_out_ms);

	return max_ms(quiet, c->last_ping_ms) + LIMIT_CHANNEL_PING_MS;
}

static uint64_t state_deadline(const struct chan_core *c)
{
	switch (c->state) {
	case CHAN_CLOSED:
		return c->has_session ? c->lost_ms + LIMIT_CHANNEL_RESUME_MS
				      : UINT64_MAX;
	case CHAN_HELLO:
		return c->up_ms + LIMIT_CHANNEL_HELLO_MS;
	case CHAN_OPEN:
		return min_ms(ping_at(c),
			      c->last_in_ms + LIMIT_CHANNEL_DEAD_MS);
	case CHAN_CLOSING:
		return UINT64_MAX; /* the shell closes at once */
	}
	return UINT64_MAX;
}

uint64_t chan_core_deadline_ms(const struct chan_core *c)
{
	uint64_t at = state_deadline(c);

	if (c->starved_ms != UINT64_MAX)
		at = min_ms(at, c->starved_ms + CHAN_STARVED_MS);
	if (c->state == CHAN_OPEN)
		at = min_ms(at, c->ack_ms);
	return at;
}

/* Something whole waits to be drained: the silence is ours. */
static bool has_whole_frame(const struct chan_core *c)
{
	size_t n = chan_codec_peek(buf_span(&c->in));

	return n != SIZE_MAX && buf_len(&c->in) - CHAN_PREFIX_BYTES >= n;
}

static void open_timer(struct chan_core *c, uint64_t now_ms)
{
	if (has_whole_frame(c))
		c->last_in_ms = now_ms;
	if (now_ms >= c->ack_ms) {
		c->ack_ms = UINT64_MAX;
		c->is_ack_due = true;
	}
	if (now_ms >= c->last_in_ms + LIMIT_CHANNEL_DEAD_MS) {
		chan_close(c, CHAN_CLOSE_DEAD, "silence for %u ms",
			   LIMIT_CHANNEL_DEAD_MS);
		return;
	}
	if (now_ms >= ping_at(c)) {
		c->is_ping_due = true;
		c->last_ping_ms = now_ms;
	}
}

void chan_core_on_timer(struct chan_core *c, uint64_t now_ms)
{
	if (c->starved_ms != UINT64_MAX &&
	    now_ms >= c->starved_ms + CHAN_STARVED_MS)
		c->starved_ms = UINT64_MAX;
	switch (c->state) {
	case CHAN_CLOSED:
		if (now_ms >= state_deadline(c))
			go_gone(c);
		return;
	case CHAN_HELLO:
		if (now_ms >= state_deadline(c))
			chan_close(c, CHAN_CLOSE_DEAD, "no answer to Hello");
		return;
	case CHAN_OPEN:
		open_timer(c, now_ms);
		return;
	case CHAN_CLOSING:
		return;
	}
}

bool chan_core_next_action(struct chan_core *c, struct chan_action *action_out,
			   uint64_t now_ms)
{
	enum chan_received rx = CHAN_RX_DONE;

	*action_out = (struct chan_action){.kind = CHAN_ACT_UP};
	while (c->starved_ms == UINT64_MAX && rx == CHAN_RX_DONE) {
		if (c->act_count > 0 && chan_pop(c, action_out, now_ms))
			return true;
		if (c->act_count > 0)
			return false;
		rx = chan_receive(c, action_out, now_ms);
	}
	return rx == CHAN_RX_ACTION;
}

void chan_core_abandon(struct chan_core *c, const char *reason, uint64_t now_ms)
{
	(void)now_ms;
	if (c->state == CHAN_CLOSED)
		go_gone(c);
	else if (c->state == CHAN_CLOSING)
		c->close_why = CHAN_CLOSE_LOCAL;
	else
		chan_close(c, CHAN_CLOSE_LOCAL, "%s", reason);
}

bool chan_core_is_up(const struct chan_core *c)
{
	return c->state == CHAN_OPEN;
}

bool chan_core_has_session(const struct chan_core *c)
{
	return c->has_session;
}

uint32_t chan_core_outstanding(const struct chan_core *c)
{
	return c->kept.count[KEPT_STANZA];
}

uint32_t chan_core_owed(const struct chan_core *c)
{
	return c->window.used;
}

uint64_t chan_core_resumes(const struct chan_core *c)
{
	return c->resumes;
}

uint64_t chan_core_age_ms(const struct chan_core *c, uint64_t now_ms)
{
	return chan_core_is_up(c) ? now_ms - c->up_ms : 0;
}
