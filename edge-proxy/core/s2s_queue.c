/* Ring of actions of an s2s core. */
#include "edge-proxy/core/s2s_queue.h"

#include <stdlib.h>

/* Room that stays with an idle stream; it is enough for one with traffic. */
enum { ROOM_KEPT = 4 };

void s2s_queue_init(struct s2s_queue *q)
{
	*q = (struct s2s_queue){.ring = NULL};
	buf_init(&q->out, S2S_QUEUE_BYTES);
}

void s2s_queue_deinit(struct s2s_queue *q)
{
	free(q->ring);
	buf_deinit(&q->out);
}

void s2s_queue_recycle(struct s2s_queue *q)
{
	if (!s2s_queue_is_empty(q) || q->taken != buf_len(&q->out))
		return;
	buf_reset(&q->out);
	q->taken = 0;
	q->promised = 0;
	if (q->room > ROOM_KEPT) {
		free(q->ring);
		q->ring = NULL;
		q->room = 0;
	}
}

bool s2s_queue_is_empty(const struct s2s_queue *q)
{
	return q->count == 0 && !q->has_close;
}

static struct s2s_action *slot(struct s2s_queue *q, size_t i)
{
	return &q->ring[(q->head + i) % q->room];
}

static int grow(struct s2s_queue *q)
{
	size_t room = q->room == 0 ? ROOM_KEPT : 2 * q->room;
	struct s2s_action *ring = calloc(room, sizeof(*ring));

	if (ring == NULL)
		return FED_ENOMEM;
	for (size_t i = 0; i < q->count; i++)
		ring[i] = *slot(q, i);
	free(q->ring);
	q->ring = ring;
	q->room = room;
	q->head = 0;
	return 0;
}

/* `places` is what must be free, itself and those that are kept. */
static int push(struct s2s_queue *q, const struct s2s_action *a, size_t places)
{
	if (q->count + places > S2S_QUEUE_MAX)
		return FED_ELIMIT;
	if (q->count == q->room && grow(q) != 0)
		return FED_ENOMEM;
	*slot(q, q->count) = *a;
	q->count++;
	return 0;
}

int s2s_queue_commit(struct s2s_queue *q)
{
	struct s2s_action a = {.kind = S2S_ACT_WRITE};
	size_t fresh = buf_len(&q->out) - q->promised;
	int err;

	if (q->out.is_failed)
		return FED_ENOMEM;
	if (fresh == 0)
		return 0;
	if (q->count > 0 && slot(q, q->count - 1)->kind == S2S_ACT_WRITE) {
		slot(q, q->count - 1)->u.bytes.n += fresh;
	} else {
		/* the pointer is filled in when it is taken: out may move */
		a.u.bytes = span_of(NULL, fresh);
		err = push(q, &a, 3); /* itself, one more, CLOSE */
		if (err != 0)
			return err;
	}
	q->promised += fresh;
	return 0;
}

int s2s_queue_push(struct s2s_queue *q, const struct s2s_action *a)
{
	int err = s2s_queue_commit(q);

	return err != 0 ? err : push(q, a, 2);
}

void s2s_queue_push_close(struct s2s_queue *q, const struct s2s_reason *r)
{
	int err = s2s_queue_commit(q);

	/* last words that cannot be written are not worth more */
	(void)err;
	if (FED_CHECK(!q->has_close)) {
		q->close = *r;
		q->has_close = true;
	}
}

static bool pop_close(struct s2s_queue *q, struct s2s_action *action_out)
{
	if (!q->has_close)
		return false;
	q->has_close = false;
	*action_out = (struct s2s_action){.kind = S2S_ACT_CLOSE,
					  .u.reason = q->close};
	return true;
}

bool s2s_queue_pop(struct s2s_queue *q, struct s2s_action *action_out)
{
	if (q->count == 0)
		return pop_close(q, action_out);
	*action_out = *slot(q, 0);
	q->head = (q->head + 1) % q->room;
	q->count--;
	if (action_out->kind == S2S_ACT_WRITE) {
		size_t n = action_out->u.bytes.n;

		action_out->u.bytes =
			span_sub(buf_span(&q->out), q->taken, q->taken + n);
		q->taken += n;
	}
	return true;
}
