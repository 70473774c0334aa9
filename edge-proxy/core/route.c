/* State, deadlines and back-off of one domain pair. */
#include "edge-proxy/core/route.h"

#include <stdlib.h>
#include <string.h>

const char *route_state_name(enum route_state s)
{
	static const char *const names[] = {
#define ROUTE_NAME(name) #name,
		ROUTE_STATES(ROUTE_NAME)
#undef ROUTE_NAME
	};

	return (size_t)s < FED_ARRAY_LEN(names) ? names[s] : "?";
}

struct route *route_new(const struct s2s_pair *pair)
{
	size_t local_n = strlen(pair->local) + 1;
	size_t remote_n = strlen(pair->remote) + 1;
	struct route *rt = calloc(1, sizeof(*rt) + local_n + remote_n);

	if (rt == NULL)
		return NULL;
	memcpy(rt->key, pair->local, local_n);
	memcpy(rt->key + local_n, pair->remote, remote_n);
	rt->local = rt->key;
	rt->remote = rt->key + local_n;
	rt->key_n = local_n + remote_n;
	rt->now = &rt->slots[0];
	rt->spare = &rt->slots[1];
	rt->now->route = rt;
	rt->spare->route = rt;
	rt->deadline_ms = UINT64_MAX;
	return rt;
}

void route_free(struct route *rt)
{
	pair_queue_clear(&rt->queue);
	free(rt);
}

static bool is_edge(enum route_state from, enum route_state to)
{
	switch (from) {
	case ROUTE_IDLE:
		return to == ROUTE_CONNECTING || to == ROUTE_OPEN;
	case ROUTE_CONNECTING:
		return to == ROUTE_OPEN || to == ROUTE_BACKOFF;
	case ROUTE_OPEN:
		return to == ROUTE_IDLE || to == ROUTE_CONNECTING ||
		       to == ROUTE_BACKOFF;
	case ROUTE_BACKOFF:
		return to == ROUTE_CONNECTING || to == ROUTE_IDLE ||
		       to == ROUTE_OPEN;
	}
	return false;
}

void route_set_state(struct route *rt, enum route_state to, const char *why,
		     const struct logger *log)
{
	(void)FED_CHECK(is_edge(rt->state, to));
	fed_log(log, FED_LOG_DEBUG, "route_state",
		"local=%s peer=%s from=%s to=%s why=%s",
		log_value(span_str(rt->local)).text,
		log_value(span_str(rt->remote)).text,
		route_state_name(rt->state), route_state_name(to), why);
	rt->state = to;
}

uint64_t route_backoff_ms(unsigned failures, struct id_source *ids)
{
	uint64_t wait = LIMIT_BACKOFF_MIN_MS;
	uint8_t raw[ID_RAW_BYTES];
	uint16_t r;

	for (unsigned i = 1; i < failures && wait < LIMIT_BACKOFF_MAX_MS; i++)
		wait *= 2;
	if (wait > LIMIT_BACKOFF_MAX_MS)
		wait = LIMIT_BACKOFF_MAX_MS;
	id_source_next_raw(ids, raw);
	memcpy(&r, raw, sizeof(r));
	return wait + wait / 2 * r / UINT16_MAX;
}

/* An attempt: DNS, TCP to the first address that answers, authentication.
 * The shell's own deadlines are shorter; this one only makes sure. */
enum {
	ROUTE_ATTEMPT_MS =
		LIMIT_DNS_MS + LIMIT_TCP_CONNECT_MS + LIMIT_STREAM_SETUP_MS
};

/* The peer closes its own streams. */
static uint64_t idle_ms(const struct route_stream *st)
{
	if (st->number == 0 || !st->is_open || st->is_adopted)
		return UINT64_MAX;
	return st->used_ms + st->idle_ms;
}

uint64_t route_spare_idle_ms(const struct route *rt)
{
	return idle_ms(rt->spare);
}

static uint64_t open_next_ms(const struct route *rt)
{
	uint64_t spare_ms = idle_ms(rt->spare);
	uint64_t now_ms = rt->queue.in_flight != NULL
				  ? rt->progress_ms + LIMIT_WRITE_STALL_MS
				  : idle_ms(rt->now);

	return now_ms < spare_ms ? now_ms : spare_ms;
}

uint64_t route_next_ms(const struct route *rt)
{
	switch (rt->state) {
	case ROUTE_IDLE:
		return UINT64_MAX;
	case ROUTE_CONNECTING:
		return rt->attempt_ms + ROUTE_ATTEMPT_MS;
	case ROUTE_OPEN:
		return open_next_ms(rt);
	case ROUTE_BACKOFF:
		if (rt->queue.waiting != NULL)
			return rt->until_ms;
		/* the failures are remembered for a while */
		return rt->until_ms + LIMIT_BACKOFF_MAX_MS;
	}
	return UINT64_MAX;
}

/* Ahead of the peer, so that no stanza meets a stream that it is closing. */
uint64_t route_idle_ms(uint64_t peer_idle_ms, uint64_t most_ms)
{
	uint64_t idle_ms = peer_idle_ms / 4 * 3;

	if (idle_ms < LIMIT_STREAM_IDLE_MIN_MS)
		idle_ms = LIMIT_STREAM_IDLE_MIN_MS;
	return peer_idle_ms == 0 || idle_ms > most_ms ? most_ms : idle_ms;
}

bool route_is_empty(const struct route *rt)
{
	return rt->state == ROUTE_IDLE && rt->queue.count == 0 &&
	       !rt->is_lost && !rt->wants_connect && rt->close_stream == 0;
}
