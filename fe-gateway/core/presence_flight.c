/*
 * Requests and stanzas in flight.  The window of requests is that of fast ones:
 * who has said nothing for LIMIT_SIP_SLOW_MS counts among the slow ones, so
 * that phones that are gone without a word do not hold up those that are there.
 */
#include "fe-gateway/core/presence_priv.h"

#include <stdlib.h>

struct presence_flight *presence_flight_new(struct presence *p,
					    struct presence_item *item,
					    bool is_sip)
{
	struct presence_flight *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->token = ++p->next_token;
	f->is_sip = is_sip;
	f->item = item;
	HASH_ADD(hh, p->flights, token, sizeof(f->token), f);
	if (f->hh.tbl == NULL) {
		free(f);
		return NULL;
	}
	return f;
}

void presence_flight_begin(struct presence *p, struct presence_flight *f,
			   uint64_t now_ms)
{
	f->is_flying = true;
	f->since_ms = now_ms;
	if (!f->is_sip) {
		p->stanzas_flying++;
		return;
	}
	DL_APPEND(p->sip_ages, f);
	if (p->sip_fast == NULL)
		p->sip_fast = f;
	p->sip_fast_count++;
}

static void leave_ages(struct presence *p, struct presence_flight *f)
{
	if (p->sip_fast == f)
		p->sip_fast = f->next;
	DL_DELETE(p->sip_ages, f);
	if (f->is_slow)
		p->sip_slow_count--;
	else
		p->sip_fast_count--;
}

void presence_flight_end(struct presence *p, struct presence_flight *f)
{
	HASH_DEL(p->flights, f);
	presence_share_land(p, f->share);
	if (f->is_flying && f->is_sip)
		leave_ages(p, f);
	else if (f->is_flying)
		p->stanzas_flying--;
	free(f);
}

struct presence_item *presence_flight_land(struct presence *p, uint64_t token,
					   bool is_sip)
{
	struct presence_item *item;
	struct presence_flight *f;

	HASH_FIND(hh, p->flights, &token, sizeof(token), f);
	if (f == NULL || f->is_sip != is_sip)
		return NULL;
	item = f->item;
	presence_flight_end(p, f);
	if (item != NULL && is_sip) {
		item->sip = NULL;
	} else if (item != NULL) {
		item->stanza = NULL;
		presence_domain_landed(p, item);
	}
	return item;
}

/* The oldest of the fast ones becomes slow then; UINT64_MAX: there is no need
 * to, or no room among the slow ones. */
static uint64_t slow_at(const struct presence *p)
{
	if (p->sip_fast == NULL || p->sip_fast_count < LIMIT_PRESENCE_SIP ||
	    p->sip_slow_count >= LIMIT_PRESENCE_SIP_SLOW)
		return UINT64_MAX;
	return p->sip_fast->since_ms + LIMIT_SIP_SLOW_MS;
}

bool presence_flight_has_room(struct presence *p, uint64_t now_ms)
{
	while (now_ms >= slow_at(p)) {
		p->sip_fast->is_slow = true;
		p->sip_fast = p->sip_fast->next;
		p->sip_fast_count--;
		p->sip_slow_count++;
	}
	return p->sip_fast_count < LIMIT_PRESENCE_SIP;
}

uint64_t presence_flight_deadline_ms(const struct presence *p)
{
	return p->sip_work != NULL ? slow_at(p) : UINT64_MAX;
}

void presence_flight_free_all(struct presence *p)
{
	struct presence_flight *f, *next;

	HASH_ITER (hh, p->flights, f, next)
		presence_flight_end(p, f);
}
