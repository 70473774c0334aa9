/* One task of watch: what is begun next, and when it is over. */
#include "tests/bench/load/watch.h"

#include <inttypes.h>

#include "tests/bench/load/flow.h"

static bool is_over(const struct watch *w)
{
	if (w->task == WATCH_RESTART)
		return w->restated >= w->count && w->notified >= w->count;
	return w->done >= w->count;
}

static void end_task(struct watch *w)
{
	uint64_t ns = flow_now_ns() - w->begun_ns;

	w->task = WATCH_IDLE;
	flow_say("{\"count\": %u, \"ns\": %" PRIu64 ", \"restated\": %u, "
		 "\"notified\": %u}",
		 w->count, ns, w->restated, w->notified);
}

static void begin_one(struct watch *w)
{
	uint32_t i = w->next++;

	switch (w->task) {
	case WATCH_OUT:
		watch_edge_send(w, WATCH_SUBSCRIBE, i);
		break;
	case WATCH_IN:
		watch_sip_subscribe(w, i);
		break;
	case WATCH_CHANGE:
		watch_edge_send(w, WATCH_PRESENCE, i);
		break;
	case WATCH_NOTIFY:
		watch_sip_notify(w, i);
		break;
	case WATCH_IDLE:
	case WATCH_RESTART:
		break;
	}
}

static bool has_room(const struct watch *w)
{
	return w->task == WATCH_OUT || w->task == WATCH_CHANGE
		       ? watch_edge_has_room(w)
		       : watch_sip_has_room(w);
}

void watch_pump(struct watch *w)
{
	if (w->task == WATCH_IDLE)
		return;
	while (w->task != WATCH_RESTART && w->next < w->count && has_room(w))
		begin_one(w);
	if (is_over(w))
		end_task(w);
}

void watch_begin(struct watch *w, enum watch_task task, uint32_t count)
{
	w->task = task;
	w->count = count;
	w->next = w->done = 0;
	/* what a gateway says that started again counts from its first word,
	 * which may come before ours */
	if (task != WATCH_RESTART)
		w->restated = w->notified = 0;
	w->round++;
	w->begun_ns = flow_now_ns();
	watch_pump(w);
}
