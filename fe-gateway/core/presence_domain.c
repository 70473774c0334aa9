/*
 * XMPP domains that cannot be reached.  suspect -> away (after the hold-off:
 * its users count as unavailable) -> forgotten as soon as anything comes from
 * it or gets there; then all that was told or believed is checked anew.
 * Meanwhile one stanza in a while is let through as a sign of life.
 */
#include "fe-gateway/core/presence_priv.h"

#include <stdlib.h>
#include <string.h>

#include "xmpp/jid.h"

struct presence_domain {
	UT_hash_handle hh;
	bool is_away; /* its users were made unavailable */
	uint64_t since_ms;
	uint64_t next_try_ms;
	uint64_t tries;
	struct timer_node timer;
	char name[];
};

static struct presence_domain *find(struct presence *p, struct span name)
{
	struct presence_domain *d;

	HASH_FIND(hh, p->domains, name.p, name.n, d);
	return d;
}

static struct presence_domain *new_domain(struct presence *p, struct span name,
					  uint64_t now_ms)
{
	struct presence_domain *d;
	size_t count = HASH_COUNT(p->domains);

	/* LIMIT: domains that were invented; they are only not watched */
	if (name.n == 0 || count >= LIMIT_PRESENCE_DOMAINS ||
	    timer_heap_reserve(&p->domain_timers, count + 1) != 0)
		return NULL;
	d = calloc(1, sizeof(*d) + name.n + 1);
	if (d == NULL)
		return NULL;
	memcpy(d->name, name.p, name.n);
	d->since_ms = now_ms;
	HASH_ADD(hh, p->domains, name, name.n, d);
	if (d->hh.tbl == NULL) {
		free(d);
		return NULL;
	}
	return d;
}

static void forget(struct presence *p, struct presence_domain *d)
{
	timer_heap_set(&p->domain_timers, &d->timer, UINT64_MAX);
	HASH_DEL(p->domains, d);
	free(d);
}

void presence_domain_free_all(struct presence *p)
{
	struct presence_domain *d, *next;

	HASH_ITER (hh, p->domains, d, next)
		forget(p, d);
	timer_heap_deinit(&p->domain_timers);
}

static bool is_of(const char *jid, const char *domain)
{
	return span_eq_str(jid_split(span_str(jid)).domain, domain);
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

	if (d != NULL)
		return;
	d = new_domain(p, domain, now_ms);
	if (d == NULL)
		return;
	fed_log(p->p.log, FED_LOG_INFO, "presence_domain", "domain=%s is=lost",
		log_value(domain).text);
	delay_try(d, now_ms);
	arm(p, d);
}

static void tell_back(struct presence *p, const char *domain, uint64_t now_ms)
{
	struct presence_sub *s, *s_next;
	struct presence_contact *c, *c_next;

	HASH_ITER (hh, p->subs, s, s_next)
		if (is_of(s->remote, domain))
			presence_sub_domain_back(p, s, now_ms);
	HASH_ITER (hh, p->contacts, c, c_next)
		if (is_of(c->remote, domain))
			presence_contact_domain_back(p, c, now_ms);
}

void presence_domain_seen(struct presence *p, struct span domain,
			  uint64_t now_ms)
{
	struct presence_domain *d = find(p, domain);

	if (d == NULL)
		return;
	fed_log(p->p.log, FED_LOG_INFO, "presence_domain",
		"domain=%s is=back after_ms=%llu", log_value(domain).text,
		(unsigned long long)(now_ms - d->since_ms));
	/* out of the table first: those who are told ask whether it is away */
	HASH_DEL(p->domains, d);
	timer_heap_set(&p->domain_timers, &d->timer, UINT64_MAX);
	tell_back(p, d->name, now_ms);
	free(d);
}

bool presence_domain_is_away(struct presence *p, struct span domain)
{
	struct presence_domain *d = find(p, domain);

	if (d == NULL)
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

/* Somebody of that domain asks or is told; false: there is no need to. */
static bool send_scout(struct presence *p, const struct presence_domain *d,
		       uint64_t now_ms)
{
	struct presence_contact *c, *c_next;
	struct presence_sub *s, *s_next;

	HASH_ITER (hh, p->contacts, c, c_next) {
		if (!is_of(c->remote, d->name))
			continue;
		presence_contact_scout(p, c, now_ms);
		return true;
	}
	HASH_ITER (hh, p->subs, s, s_next) {
		/* who has nothing to say shows nothing */
		if (is_of(s->remote, d->name) &&
		    presence_sub_scout(p, s, now_ms))
			return true;
	}
	return false;
}

static void go_away(struct presence *p, struct presence_domain *d,
		    uint64_t now_ms)
{
	struct presence_contact *c, *c_next;

	d->is_away = true;
	fed_log(p->p.log, FED_LOG_WARN, "presence_domain",
		"domain=%s is=away after_ms=%llu",
		log_value(span_str(d->name)).text,
		(unsigned long long)(now_ms - d->since_ms));
	HASH_ITER (hh, p->contacts, c, c_next)
		if (is_of(c->remote, d->name))
			presence_contact_domain_away(p, c, now_ms);
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

void presence_domain_on_time(struct presence *p, uint64_t now_ms)
{
	struct timer_node *n;

	if (now_ms >= alone_until(p))
		give_up_channel(p, now_ms);

	while ((n = timer_heap_pop(&p->domain_timers, now_ms)) != NULL) {
		struct presence_domain *d =
			(struct presence_domain
				 *)((char *)n -
				    offsetof(struct presence_domain, timer));

		if (!d->is_away && now_ms >= d->since_ms + p->p.hold_off_ms)
			go_away(p, d, now_ms);
		if (now_ms >= d->next_try_ms && !send_scout(p, d, now_ms)) {
			forget(p, d);
			continue;
		}
		/* the scout takes the turn when it is made; if it is not, the
		 * next one does */
		if (now_ms >= d->next_try_ms)
			timer_heap_set(&p->domain_timers, &d->timer,
				       now_ms + LIMIT_PRESENCE_TRY_MIN_MS);
		else
			arm(p, d);
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
	struct presence_contact *c, *next;
	bool is_gap = may_have_lost || (is_up && p->is_alone_told);

	if (!is_up && p->alone_ms == 0)
		p->alone_ms = now_ms;
	if (is_up) {
		p->alone_ms = 0;
		p->is_alone_told = false;
	}
	if (!is_gap)
		return;
	HASH_ITER (hh, p->contacts, c, next)
		presence_contact_domain_back(p, c, now_ms);
}

bool presence_is_unreachable(const Fed__Error *e)
{
	return e->condition == FED__CONDITION__REMOTE_SERVER_NOT_FOUND ||
	       e->condition == FED__CONDITION__REMOTE_SERVER_TIMEOUT;
}
