/*
 * Who may see whom (access.h).  Each watch knows the verdict of its gates, so
 * that none is asked for each document; a change of the configuration begins a
 * round, in which all watches are looked at, a few at a time, and those that
 * have something to do at once.
 */
#include "fe-gateway/core/presence_contact_priv.h"
#include "fe-gateway/core/presence_sub_priv.h"

bool presence_has_contact(const struct presence *p, struct span local,
			  struct span remote)
{
	const struct presence_contact *c =
		presence_contact_find_spans(p, local, remote);

	return c != NULL && c->auth != PRESENCE_NONE;
}

struct access_verdict presence_access(const struct presence *p,
				      enum access_what what,
				      enum access_direction direction,
				      struct span local, struct span remote)
{
	struct access_query q = {
		.what = what,
		.direction = direction,
		.local = local,
		.remote = remote,
	};
	struct access_verdict v = access_decide(p->federation, &q);

	/* looked up only where it makes a difference */
	if (v.gate == ACCESS_TYPE &&
	    presence_has_contact(p, q.local, q.remote)) {
		q.has_contact = true;
		v = access_decide(p->federation, &q);
	}
	return v;
}

void presence_log_access(const struct presence *p,
			 enum presence_direction direction, const char *local,
			 const char *remote, const struct access_verdict *v)
{
	fed_log(p->p.log, FED_LOG_INFO, "presence",
		"what=access local=%s remote=%s dir=%s gate=%s",
		log_value(span_str(local)).text,
		log_value(span_str(remote)).text,
		direction == PRESENCE_OUT ? "out" : "in",
		access_is_open(v) ? "none" : access_gate_name(v->gate));
}

bool presence_access_look(struct presence *p, struct presence_item *item,
			  uint64_t now_ms)
{
	if (item->kind == PRESENCE_ITEM_ND)
		item = &((struct presence_nd *)item)->contact->item;
	if (item->looked == p->round)
		return false;
	item->looked = p->round;
	if (item->kind == PRESENCE_ITEM_SUB)
		return presence_sub_look(p, (struct presence_sub *)item,
					 now_ms);
	return presence_contact_look(p, (struct presence_contact *)item,
				     now_ms);
}

void presence_access_contact(struct presence *p, struct presence_contact *c,
			     uint64_t now_ms)
{
	struct access_verdict v =
		presence_access(p, ACCESS_PRESENCE, ACCESS_TO_SIP,
				span_str(c->local), span_str(c->remote));
	struct presence_sub *s = presence_sub_find(p, c->local, c->remote);

	/* who is asked and who is told is his matter who changed it */
	c->is_barred = !access_is_open(&v);
	c->item.looked = p->round;
	if (s == NULL)
		return;
	s->item.looked = 0;
	(void)presence_access_look(p, &s->item, now_ms);
}

/* --- rounds -------------------------------------------------------------- */

static void end_walk(struct presence *p)
{
	if (p->is_walking)
		presence_query_end(p, &p->walk);
	p->is_walking = false;
}

void presence_set_federation(struct presence *p, const struct federation *f,
			     uint64_t now_ms)
{
	p->federation = f;
	p->round++;
	end_walk(p);
	presence_query_begin(p, &p->walk, SPAN_NULL);
	p->is_walking = true;
	p->walk_ms = now_ms;
}

void presence_access_walk(struct presence *p, uint64_t now_ms)
{
	struct presence_item *item;

	if (!p->is_walking || now_ms < p->walk_ms)
		return;
	/* LIMIT: all watches at once would hold up messages */
	for (unsigned i = 0; i < LIMIT_PRESENCE_LOOKS; i++) {
		item = presence_query_step(p, &p->walk);
		if (item == NULL) {
			end_walk(p);
			return;
		}
		(void)presence_access_look(p, item, now_ms);
	}
	p->walk_ms = now_ms + LIMIT_PRESENCE_WALK_MS;
}

uint64_t presence_access_deadline_ms(const struct presence *p)
{
	return p->is_walking ? p->walk_ms : UINT64_MAX;
}

/* --- how long ------------------------------------------------------------ */

uint32_t presence_expires_s(const struct presence *p)
{
	uint32_t s = federation_settings(p->federation)
			     ->subscription_refresh_interval_s;

	return p->p.expires_s != 0 ? p->p.expires_s : s;
}

uint32_t presence_expires_max_s(const struct presence *p)
{
	uint32_t s = p->p.expires_max_s != 0 ? p->p.expires_max_s
					     : presence_expires_s(p);

	return s > p->p.expires_min_s ? s : p->p.expires_min_s;
}
