/* The race for a connection. */
#include "edge-proxy/core/dial_plan.h"

/* ---- order --------------------------------------------------------------- */

/* Next address of the family in [from, to) that has no place yet. */
static bool take_family(struct dial_plan *p, bool is_v6, size_t *from,
			size_t to)
{
	while (*from < to && p->address[*from].is_v6 != is_v6)
		(*from)++;
	if (*from >= to)
		return false;
	p->order[p->count++] = (*from)++;
	return true;
}

/* RFC 8305 4: alternate, so that one broken family costs one delay only. */
static void place_target(struct dial_plan *p, size_t from, size_t to)
{
	size_t v6 = from;
	size_t v4 = from;
	bool has_v6 = true;
	bool has_v4 = true;

	while (has_v6 || has_v4) {
		has_v6 = take_family(p, true, &v6, to);
		has_v4 = take_family(p, false, &v4, to);
	}
}

void dial_plan_init(struct dial_plan *p, const struct dial_address *address,
		    size_t count, uint64_t now_ms, uint64_t until_ms)
{
	size_t from = 0;

	*p = (struct dial_plan){.next_ms = now_ms, .until_ms = until_ms};
	/* LIMIT: addresses tried for one domain */
	if (count > LIMIT_SRV_ADDRESSES)
		count = LIMIT_SRV_ADDRESSES;
	for (size_t i = 0; i < count; i++)
		p->address[i] = address[i];
	for (size_t i = 1; i <= count; i++) {
		if (i < count && address[i].target == address[from].target)
			continue;
		place_target(p, from, i);
		from = i;
	}
}

/* ---- events -------------------------------------------------------------- */

static bool is_in(const struct dial_plan *p, size_t address,
		  enum dial_state state)
{
	return address < p->count && p->state[address] == state;
}

void dial_plan_on_up(struct dial_plan *p, size_t address)
{
	if (!is_in(p, address, DIAL_CONNECTING))
		return;
	p->pending--;
	p->state[address] =
		p->address[address].is_direct_tls ? DIAL_CONNECTED : DIAL_UP;
}

void dial_plan_on_secure(struct dial_plan *p, size_t address)
{
	if (is_in(p, address, DIAL_SECURING))
		p->state[address] = DIAL_UP;
}

void dial_plan_on_failed(struct dial_plan *p, size_t address, uint64_t now_ms)
{
	if (is_in(p, address, DIAL_CONNECTING))
		p->pending--;
	else if (!is_in(p, address, DIAL_SECURING))
		return;
	p->state[address] = DIAL_FAILED;
	p->next_ms = now_ms;
}

/* ---- decisions ----------------------------------------------------------- */

/* Index of the first address in that state, in the order of trying;
 * p->count: none. */
static size_t find(const struct dial_plan *p, enum dial_state state)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->state[p->order[i]] == state)
			return p->order[i];
	return p->count;
}

/* The others go back in line: should TLS fail, they get another chance. */
static bool stop_one(struct dial_plan *p, struct dial_action *out)
{
	size_t i = find(p, DIAL_CONNECTING);

	if (i == p->count)
		return false;
	p->state[i] = DIAL_WAITING;
	p->pending--;
	*out = (struct dial_action){DIAL_STOP, i};
	return true;
}

static bool start_one(struct dial_plan *p, uint64_t now_ms,
		      struct dial_action *out)
{
	size_t i = find(p, DIAL_WAITING);

	if (i == p->count || now_ms < p->next_ms || now_ms >= p->until_ms ||
	    p->pending >= LIMIT_DIAL_PARALLEL)
		return false;
	p->state[i] = DIAL_CONNECTING;
	p->pending++;
	p->next_ms = now_ms + LIMIT_DIAL_STAGGER_MS;
	*out = (struct dial_action){DIAL_START, i};
	return true;
}

static bool end(struct dial_plan *p, enum dial_action_kind kind, size_t i,
		struct dial_action *out)
{
	p->is_over = true;
	*out = (struct dial_action){kind, i};
	return true;
}

/* TCP of direct TLS won: nobody else runs while TLS is made of it. */
static bool secure(struct dial_plan *p, size_t i, struct dial_action *out)
{
	p->state[i] = DIAL_SECURING;
	*out = (struct dial_action){DIAL_SECURE, i};
	return true;
}

bool dial_plan_next(struct dial_plan *p, uint64_t now_ms,
		    struct dial_action *action_out)
{
	size_t up = find(p, DIAL_UP);
	size_t connected = find(p, DIAL_CONNECTED);

	if (p->is_over || find(p, DIAL_SECURING) < p->count)
		return false;
	if (up < p->count)
		return stop_one(p, action_out) ||
		       end(p, DIAL_WON, up, action_out);
	if (connected < p->count)
		return stop_one(p, action_out) ||
		       secure(p, connected, action_out);
	/* nothing runs and nothing can start: all failed, or time is up */
	return start_one(p, now_ms, action_out) ||
	       (p->pending == 0 && end(p, DIAL_LOST, 0, action_out));
}

uint64_t dial_plan_deadline_ms(const struct dial_plan *p)
{
	if (p->is_over || p->pending == 0 ||
	    p->pending >= LIMIT_DIAL_PARALLEL || p->next_ms >= p->until_ms ||
	    find(p, DIAL_WAITING) == p->count)
		return UINT64_MAX;
	return p->next_ms;
}
