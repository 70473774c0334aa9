/*
 * XMPP domains with the watches of their users, and whether they can be
 * reached: lost -> away (after the hold-off: its users count as unavailable)
 * -> back as soon as anything comes from it or gets there; then all that was
 * told or believed is checked anew.  Meanwhile one stanza in a while is let
 * through as a sign of life.
 *
 * Each knows its watches: what happens to many domains at once must not look
 * through all watches for each of them.
 */
#include "fe-gateway/core/presence_priv.h"

#include <stdlib.h>
#include <string.h>

#include "xmpp/jid.h"

struct presence_domain {
	UT_hash_handle hh;
	struct presence_item *watches;
	size_t sub_count;	      /* OUT ones of them */
	size_t flying;		      /* stanzas to it */
	struct presence_item *parked; /* they wait for the end of some */
	bool is_lost;
	bool is_away;	/* its users were made unavailable */
	bool is_walked; /* it stays, even if its last watch goes */
	uint64_t since_ms;
	uint64_t next_try_ms;
	uint64_t tries;
	uint64_t calm_ms; /* it is not back again before that */
	struct timer_node timer;
	char name[];
};

static struct presence_domain *find(struct presence *p, struct span name)
{
	struct presence_domain *d;

	HASH_FIND(hh, p->domains, name.p, name.n, d);
	return d;
}

static struct presence_domain *new_domain(struct presence *p, struct span name)
{
	struct presence_domain *d;

	if (timer_heap_reserve(&p->domain_timers, HASH_COUNT(p->domains) + 1) !=
	    0)
		return NULL;
	d = calloc(1, sizeof(*d) + name.n + 1);
	if (d == NULL)
		return NULL;
	memcpy(d->name, name.p, name.n);
	HASH_ADD(hh, p->domains, name, name.n, d);
	if (d->hh.tbl == NULL) {
		free(d);
		return NULL;
	}
	return d;
}

/* Unless somebody needs it. */
static void let_go(struct presence *p, struct presence_domain *d)
{
	if (d->watches != NULL || d->is_walked)
		return;
	timer_heap_set(&p->domain_timers, &d->timer, UINT64_MAX);
	HASH_DEL(p->domains, d);
	free(d);
}

int presence_domain_join(struct presence *p, struct presence_item *item,
			 const char *remote)
{
	struct span name = jid_split(span_str(remote)).domain;
	struct presence_domain *d = find(p, name);

	if (d == NULL)
		d = new_domain(p, name);
	if (d == NULL)
		return FED_ENOMEM;
	DL_APPEND2(d->watches, item, w_prev, w_next);
	d->sub_count += item->kind == PRESENCE_ITEM_SUB;
	item->domain = d;
	return 0;
}

void presence_domain_leave(struct presence *p, struct presence_item *item)
{
	struct presence_domain *d = item->domain;

	if (d == NULL)
		return;
	presence_domain_landed(p, item);
	presence_domain_pass(p, item);
	DL_DELETE2(d->watches, item, w_prev, w_next);
	d->sub_count -= item->kind == PRESENCE_ITEM_SUB;
	item->domain = NULL;
	let_go(p, d);
}

/* --- turns ---------------------------------------------------------------
 *
 * While some wait, one of the domain is in flight or in the work list: each
 * that ends there, in whatever way, has the next one listed. */

void presence_domain_flies(struct presence_item *item)
{
	item->domain->flying++;
	item->is_counted = true;
}

void presence_domain_landed(struct presence *p, struct presence_item *item)
{
	if (!item->is_counted)
		return;
	item->is_counted = false;
	item->domain->flying--;
	presence_domain_pass(p, item);
}

bool presence_domain_park(struct presence *p, struct presence_item *item)
{
	struct presence_domain *d = item->domain;

	/* LIMIT: a server that takes connections and says nothing */
	if (d->flying < LIMIT_PRESENCE_DOMAIN_STANZAS)
		return false;
	DL_DELETE2(p->xmpp_work, item, x_prev, x_next);
	DL_APPEND2(d->parked, item, x_prev, x_next);
	item->is_stanza_parked = true;
	return true;
}

void presence_domain_unpark(struct presence_item *item)
{
	DL_DELETE2(item->domain->parked, item, x_prev, x_next);
	item->is_stanza_parked = false;
}

void presence_domain_pass(struct presence *p, struct presence_item *item)
{
	struct presence_item *next = item->domain->parked;

	if (next == NULL)
		return;
	presence_domain_unpark(next);
	DL_APPEND2(p->xmpp_work, next, x_prev, x_next);
}

/* --- can it be reached --------------------------------------------------- */

bool presence_domain_has_room(struct presence *p, struct span domain)
{
	const struct presence_domain *d = find(p, domain);

	return d == NULL || d->sub_count < LIMIT_PRESENCE_DOMAIN_WATCHES;
}

void presence_domain_deinit(struct presence *p)
{
	timer_heap_deinit(&p->domain_timers);
}

/* The next of: the next sign of life, the end of the hold-off. */
static void arm(struct presence *p, struct presence_domain *d)
{
	uint64_t at = d->next_try_ms;

	if (!d->is_away && d->since_ms + p->p.hold_off_ms < at)
		at = d->since_ms + p->p.hold_off_ms;
	timer_heap_set(&p->domain_timers, &d->timer, at);
}

/* 1, 2, 4 ... seconds, at most a minute apart. */
static void delay_try(struct presence_domain *d, uint64_t now_ms)
{
	uint64_t wait_ms = LIMIT_PRESENCE_TRY_MIN_MS;

	for (uint64_t i = 0;
	     i < d->tries && wait_ms < LIMIT_PRESENCE_TRY_MAX_MS; i++)
		wait_ms *= 2;
	if (wait_ms > LIMIT_PRESENCE_TRY_MAX_MS)
		wait_ms = LIMIT_PRESENCE_TRY_MAX_MS;
	d->tries++;
	d->next_try_ms = now_ms + wait_ms;
}

void presence_domain_failed(struct presence *p, struct span domain,
			    uint64_t now_ms)
{
	struct presence_domain *d = find(p, domain);

	if (d == NULL || d->is_lost)
		return;
	d->is_lost = true;
	d->is_away = false;
	d->since_ms = now_ms;
	d->tries = 0;
	fed_log(p->p.log, FED_LOG_INFO, "presence_domain", "domain=%s is=lost",
		log_value(domain).text);
	delay_try(d, now_ms);
	arm(p, d);
}

static void set_found(struct presence *p, struct presence_domain *d)
{
	d->is_lost = false;
	timer_heap_set(&p->domain_timers, &d->timer, UINT64_MAX);
}

static void tell_back(struct presence *p, struct presence_domain *d,
		      uint64_t now_ms)
{
	struct presence_item *i, *next;

	d->is_walked = true;
	DL_FOREACH_SAFE2 (d->watches, i, next, w_next) {
		if (i->kind == PRESENCE_ITEM_SUB)
			presence_sub_domain_back(p, (struct presence_sub *)i,
						 now_ms);
		else
			presence_contact_domain_back(
				p, (struct presence_contact *)i, now_ms);
	}
	d->is_walked = false;
	let_go(p, d);
}

void presence_domain_seen(struct presence *p, struct span domain,
			  uint64_t now_ms)
{
	struct presence_domain *d = find(p, domain);

	/* LIMIT: a domain whose stanzas come and that cannot be reached would
	 * have all its watches repaired for each stanza */
	if (d == NULL || !d->is_lost || now_ms < d->calm_ms)
		return;
	d->calm_ms = now_ms + LIMIT_PRESENCE_CALM_MS;
	fed_log(p->p.log, FED_LOG_INFO, "presence_domain",
		"domain=%s is=back after_ms=%llu", log_value(domain).text,
		(unsigned long long)(now_ms - d->since_ms));
	/* first: those who are told ask whether it is away */
	set_found(p, d);
	tell_back(p, d, now_ms);
}

bool presence_domain_is_away(struct presence *p, struct span domain)
{
	struct presence_domain *d = find(p, domain);

	if (d == NULL || !d->is_lost)
		return false;
	if (p->now_ms < d->next_try_ms)
		return true;
	delay_try(d, p->now_ms);
	arm(p, d);
	return false;
}

void presence_on_stream(struct presence *p, struct span domain,
			enum presence_stream_event event, uint64_t now_ms)
{
	switch (event) {
	case PRESENCE_STREAM_OPENED:
		presence_domain_seen(p, domain, now_ms);
		break;
	case PRESENCE_STREAM_CLOSED:
		break;
	case PRESENCE_STREAM_FAILED:
		presence_domain_failed(p, domain, now_ms);
		break;
	}
}

void presence_on_next_hop(struct presence *p, struct span domain,
			  uint64_t now_ms)
{
	struct presence_sub *s, *s_next;
	struct presence_contact *c, *c_next;

	fed_log(p->p.log, FED_LOG_INFO, "presence_next_hop",
		"domain=%s is=back",
		domain.n > 0 ? log_value(domain).text : "*");
	HASH_ITER (hh, p->subs, s, s_next)
		if (domain.n == 0 ||
		    span_eq(jid_split(span_str(s->local)).domain, domain))
			presence_sub_hop_back(p, s, now_ms);
	HASH_ITER (hh, p->contacts, c, c_next)
		if (domain.n == 0 ||
		    span_eq(jid_split(span_str(c->local)).domain, domain))
			presence_contact_hop_back(p, c, now_ms);
}

static bool scout(struct presence *p, struct presence_item *item,
		  uint64_t now_ms)
{
	/* who has nothing to say shows nothing */
	if (item->kind == PRESENCE_ITEM_SUB)
		return presence_sub_scout(p, (struct presence_sub *)item,
					  now_ms);
	return presence_contact_scout(p, (struct presence_contact *)item,
				      now_ms);
}

/* Somebody of that domain asks, or else is told; false: there is no need to. */
static bool send_scout(struct presence *p, struct presence_domain *d,
		       uint64_t now_ms)
{
	static const enum presence_item_kind order[] = {PRESENCE_ITEM_CONTACT,
							PRESENCE_ITEM_SUB};
	struct presence_item *i, *next;

	for (size_t k = 0; k < FED_ARRAY_LEN(order); k++)
		DL_FOREACH_SAFE2 (d->watches, i, next, w_next)
			if (i->kind == order[k] && scout(p, i, now_ms))
				return true;
	return false;
}

static void go_away(struct presence *p, struct presence_domain *d,
		    uint64_t now_ms)
{
	struct presence_item *i, *next;

	d->is_away = true;
	fed_log(p->p.log, FED_LOG_WARN, "presence_domain",
		"domain=%s is=away after_ms=%llu",
		log_value(span_str(d->name)).text,
		(unsigned long long)(now_ms - d->since_ms));
	DL_FOREACH_SAFE2 (d->watches, i, next, w_next)
		if (i->kind == PRESENCE_ITEM_CONTACT)
			presence_contact_domain_away(
				p, (struct presence_contact *)i, now_ms);
}

/* Without an edge all domains are away. */
static uint64_t alone_until(const struct presence *p)
{
	return p->alone_ms != 0 && !p->is_alone_told
		       ? p->alone_ms + p->p.hold_off_ms
		       : UINT64_MAX;
}

static void give_up_channel(struct presence *p, uint64_t now_ms)
{
	struct presence_contact *c, *next;

	p->is_alone_told = true;
	HASH_ITER (hh, p->contacts, c, next)
		presence_contact_domain_away(p, c, now_ms);
}

static struct presence_domain *domain_of(struct timer_node *n)
{
	return (struct presence_domain *)((char *)n -
					  offsetof(struct presence_domain,
						   timer));
}

static void on_domain_time(struct presence *p, struct presence_domain *d,
			   uint64_t now_ms)
{
	if (!d->is_away && now_ms >= d->since_ms + p->p.hold_off_ms)
		go_away(p, d, now_ms);
	if (now_ms >= d->next_try_ms && !send_scout(p, d, now_ms)) {
		d->is_lost = false;
		return;
	}
	/* the scout takes the turn when it is made; if it is not, the next one
	 * does */
	if (now_ms >= d->next_try_ms)
		timer_heap_set(&p->domain_timers, &d->timer,
			       now_ms + LIMIT_PRESENCE_TRY_MIN_MS);
	else
		arm(p, d);
}

void presence_domain_on_time(struct presence *p, uint64_t now_ms)
{
	struct timer_node *n;

	if (now_ms >= alone_until(p))
		give_up_channel(p, now_ms);
	while ((n = timer_heap_pop(&p->domain_timers, now_ms)) != NULL) {
		struct presence_domain *d = domain_of(n);

		d->is_walked = true;
		on_domain_time(p, d, now_ms);
		d->is_walked = false;
		let_go(p, d);
	}
}

uint64_t presence_domain_deadline_ms(const struct presence *p)
{
	uint64_t at = timer_heap_deadline_ms(&p->domain_timers);
	uint64_t alone = alone_until(p);

	return alone < at ? alone : at;
}

void presence_on_channel(struct presence *p, bool is_up, bool may_have_lost,
			 uint64_t now_ms)
{
	struct presence_contact *c, *c_next;
	struct presence_sub *s, *s_next;
	bool is_gap = may_have_lost || (is_up && p->is_alone_told);

	if (!is_up && p->alone_ms == 0)
		p->alone_ms = now_ms;
	if (is_up) {
		p->alone_ms = 0;
		p->is_alone_told = false;
	}
	if (!is_gap)
		return;
	fed_log(p->p.log, FED_LOG_INFO, "presence_channel", "is=back lost=%d",
		may_have_lost);
	HASH_ITER (hh, p->subs, s, s_next)
		presence_sub_channel_back(p, s, now_ms);
	HASH_ITER (hh, p->contacts, c, c_next)
		presence_contact_domain_back(p, c, now_ms);
}

bool presence_is_unreachable(const Fed__Error *e)
{
	return e->condition == FED__CONDITION__REMOTE_SERVER_NOT_FOUND ||
	       e->condition == FED__CONDITION__REMOTE_SERVER_TIMEOUT;
}
