/* Limits and rates of partners. */
#include "edge-proxy/edge_partner.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/map.h"
#include "edge-proxy/core/pace.h"
#include "edge-proxy/edge_source.h"

struct edge_partner {
	UT_hash_handle hh; /* in e->partners, by name */
	struct edge *e;
	unsigned in; /* streams */
	unsigned out;
	bool is_kept; /* without streams, until its rates are as new */
	struct pace stanzas;
	struct pace bytes;
	struct edge_source *paced; /* who waits, in order */
	struct loop_timer *timer;
	char name[];
};

static uint64_t now_of(const struct edge_partner *p)
{
	return loop_now_ms(p->e->loop);
}

/* ---- rates --------------------------------------------------------------- */

static uint64_t ready_ms(struct edge_partner *p)
{
	uint64_t now_ms = now_of(p);
	uint64_t stanzas_ms = pace_ready_ms(&p->stanzas, now_ms);
	uint64_t bytes_ms = pace_ready_ms(&p->bytes, now_ms);

	return stanzas_ms > bytes_ms ? stanzas_ms : bytes_ms;
}

static uint64_t full_ms(struct edge_partner *p)
{
	uint64_t now_ms = now_of(p);
	uint64_t stanzas_ms = pace_full_ms(&p->stanzas, now_ms);
	uint64_t bytes_ms = pace_full_ms(&p->bytes, now_ms);

	return stanzas_ms > bytes_ms ? stanzas_ms : bytes_ms;
}

/* ---- life ---------------------------------------------------------------- */

static void forget(struct edge_partner *p)
{
	p->e->partners_kept -= p->is_kept;
	HASH_DEL(p->e->partners, p);
	loop_timer_free(p->timer);
	free(p);
}

/* It has no stream any more, or has none yet.  LIMIT: those that are kept. */
static void forget_if_empty(struct edge_partner *p)
{
	uint64_t until_ms;

	if (p->in + p->out > 0)
		return;
	until_ms = full_ms(p);
	if (until_ms <= now_of(p) ||
	    (!p->is_kept && p->e->partners_kept >= LIMIT_PARTNERS_KEPT)) {
		forget(p);
		return;
	}
	p->e->partners_kept += !p->is_kept;
	p->is_kept = true;
	loop_timer_arm(p->timer, until_ms);
}

void edge_partner_forget_all(struct edge *e)
{
	struct edge_partner *p;
	struct edge_partner *next;

	HASH_ITER (hh, e->partners, p, next)
		if (p->in + p->out == 0)
			forget(p);
}

/* ---- those that wait ----------------------------------------------------- */

void edge_partner_hurry(struct edge_source *src)
{
	if (!src->is_paced)
		return;
	src->is_paced = false;
	DL_DELETE2(src->partner->paced, src, pace_prev, pace_next);
}

/* One after the other, as far as the rate goes.  A stream may end, and the
 * partner with the last of them. */
static void on_timer(void *arg)
{
	struct edge_partner *p = arg;
	struct edge_source *src = p->paced;
	uint64_t at_ms;

	if (src == NULL) {
		forget_if_empty(p);
		return;
	}
	at_ms = ready_ms(p);
	if (at_ms > now_of(p)) {
		loop_timer_arm(p->timer, at_ms);
		return;
	}
	edge_partner_hurry(src);
	/* the others have their turn in the next turn of the loop */
	if (p->paced != NULL)
		loop_timer_arm(p->timer, at_ms);
	if (!src->is_held)
		src->wait.retry(src->wait.arg);
}

void edge_partner_spend(struct edge_source *src, uint64_t stanzas,
			uint64_t bytes)
{
	struct edge_partner *p = src->partner;
	uint64_t at_ms;

	if (p == NULL || src->conn == NULL || p->e->phase != EDGE_RUNNING)
		return;
	pace_spend(&p->stanzas, stanzas, now_of(p));
	pace_spend(&p->bytes, bytes, now_of(p));
	at_ms = ready_ms(p);
	if (src->is_paced || at_ms <= now_of(p))
		return;
	src->is_paced = true;
	DL_APPEND2(p->paced, src, pace_prev, pace_next);
	conn_pause(src->conn);
	loop_timer_arm(p->timer, at_ms);
}

/* ---- streams ------------------------------------------------------------- */

static struct edge_partner *add(struct edge *e, const char *name)
{
	size_t n = strlen(name);
	struct edge_partner *p = calloc(1, sizeof(*p) + n + 1);

	if (p == NULL)
		return NULL;
	memcpy(p->name, name, n + 1);
	p->e = e;
	if (loop_timer_new(&p->timer, e->loop, on_timer, p) != 0) {
		free(p);
		return NULL;
	}
	HASH_ADD(hh, e->partners, name, n, p);
	if (p->hh.tbl != NULL)
		return p;
	loop_timer_free(p->timer);
	free(p);
	return NULL;
}

/* LIMIT: streams of one partner.  Where nobody set a limit, ours to it are as
 * many as there are pairs. */
static bool has_room(const struct edge_partner *p, unsigned limit,
		     bool is_inbound)
{
	if (limit != 0)
		return p->in + p->out < limit;
	return !is_inbound || p->in < LIMIT_STREAMS_PER_PARTNER;
}

static struct edge_partner *find_or_add(struct edge *e, const char *name)
{
	struct edge_partner *p = NULL;

	HASH_FIND(hh, e->partners, name, strlen(name), p);
	return p != NULL ? p : add(e, name);
}

static void count(struct edge_partner *p, struct edge_source *src,
		  bool is_inbound)
{
	src->partner = p;
	src->is_counted_in = is_inbound;
	if (is_inbound)
		p->in++;
	else
		p->out++;
	p->e->partners_kept -= p->is_kept;
	p->is_kept = false;
}

/* The partner stays, whose it was; NULL: nobody's. */
static struct edge_partner *uncount(struct edge_source *src)
{
	struct edge_partner *p = src->partner;

	if (p == NULL)
		return NULL;
	edge_partner_hurry(src);
	src->partner = NULL;
	if (src->is_counted_in)
		p->in--;
	else
		p->out--;
	return p;
}

bool edge_partner_enter(struct edge_source *src, const char *domain,
			bool is_inbound, enum edge_partner_when when)
{
	struct edge *e = src->e;
	const struct policy_partner *rule =
		policy_find(&e->policy, span_str(domain));
	struct edge_partner *old = uncount(src);
	struct edge_partner *p =
		find_or_add(e, policy_limit_name(rule, domain));
	bool is_in = p != NULL &&
		     (when == EDGE_PARTNER_THERE ||
		      has_room(p, rule == NULL ? 0 : rule->connection_limit,
			       is_inbound));

	if (is_in) {
		pace_set(&p->stanzas, rule == NULL ? 0 : rule->stanzas_per_s,
			 now_of(p));
		pace_set(&p->bytes, rule == NULL ? 0 : rule->bytes_per_s,
			 now_of(p));
		count(p, src, is_inbound);
	} else if (p != NULL && p != old) {
		forget_if_empty(p);
	}
	/* not before: it may be the same one, with what it still owes */
	if (old != NULL)
		forget_if_empty(old);
	return is_in;
}

void edge_partner_leave(struct edge_source *src)
{
	struct edge_partner *p = uncount(src);

	if (p != NULL)
		forget_if_empty(p);
}
