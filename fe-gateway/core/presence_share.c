/*
 * How many watches each asker has, of each direction: one who asks for
 * everybody must leave room for the others.  And how many NOTIFYs a SIP user
 * has in flight: where they go is his word, and if nobody answers there each
 * keeps its place for half a minute.
 */
#include "fe-gateway/core/presence_priv.h"

#include <stdlib.h>
#include <string.h>

struct presence_share {
	UT_hash_handle hh;
	enum presence_item_kind kind;
	size_t count;
	size_t flying;		      /* NOTIFYs */
	struct presence_item *parked; /* those that wait for one to land */
	char asker[];
};

static struct presence_share **table_of(struct presence *p,
					enum presence_item_kind kind)
{
	return kind == PRESENCE_ITEM_SUB ? &p->sub_shares : &p->contact_shares;
}

static struct presence_share *find(struct presence *p,
				   enum presence_item_kind kind,
				   const char *asker)
{
	struct presence_share *table = *table_of(p, kind);
	struct presence_share *s;

	HASH_FIND_STR(table, asker, s);
	return s;
}

bool presence_share_has_room(struct presence *p, enum presence_item_kind kind,
			     const char *asker)
{
	const struct presence_share *s = find(p, kind, asker);

	return s == NULL || s->count < LIMIT_PRESENCE_SHARE;
}

static struct presence_share *new_share(struct presence *p,
					enum presence_item_kind kind,
					const char *asker)
{
	struct presence_share **table = table_of(p, kind);
	size_t n = strlen(asker);
	struct presence_share *s = calloc(1, sizeof(*s) + n + 1);

	if (s == NULL)
		return NULL;
	s->kind = kind;
	memcpy(s->asker, asker, n);
	HASH_ADD(hh, *table, asker, n, s);
	if (s->hh.tbl == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

int presence_share_join(struct presence *p, struct presence_item *item,
			const char *asker)
{
	struct presence_share *s = find(p, item->kind, asker);

	if (s == NULL)
		s = new_share(p, item->kind, asker);
	if (s == NULL)
		return FED_ENOMEM;
	s->count++;
	item->share = s;
	return 0;
}

/* Unless somebody needs it. */
static void let_go(struct presence *p, struct presence_share *s)
{
	struct presence_share **table = table_of(p, s->kind);

	if (s->count > 0 || s->flying > 0)
		return;
	HASH_DEL(*table, s);
	free(s);
}

/* --- NOTIFYs in flight -----------------------------------------------------
 */

/* NULL: it is no ND */
static struct presence_share *share_of_nd(const struct presence_item *item)
{
	return item->kind == PRESENCE_ITEM_ND
		       ? ((const struct presence_nd *)item)->contact->item.share
		       : NULL;
}

/* As many as there is room for; one that is not sent then is dropped, which
 * comes back here. */
static void release(struct presence *p, struct presence_share *s)
{
	for (size_t n = s->flying;
	     n < LIMIT_PRESENCE_SHARE_SIP && s->parked != NULL; n++) {
		struct presence_item *item = s->parked;

		presence_share_unpark(item);
		presence_want_sip(p, item);
	}
}

bool presence_share_park(struct presence *p, struct presence_item *item)
{
	struct presence_share *s = share_of_nd(item);

	/* LIMIT: one who has his NOTIFYs sent to nowhere */
	if (s == NULL || s->flying < LIMIT_PRESENCE_SHARE_SIP)
		return false;
	DL_DELETE2(p->sip_work, item, s_prev, s_next);
	item->in_sip_list = false;
	DL_APPEND2(s->parked, item, s_prev, s_next);
	item->is_parked = true;
	return true;
}

void presence_share_unpark(struct presence_item *item)
{
	struct presence_share *s = share_of_nd(item);

	if (!item->is_parked)
		return;
	DL_DELETE2(s->parked, item, s_prev, s_next);
	item->is_parked = false;
}

struct presence_share *presence_share_fly(struct presence_item *item)
{
	struct presence_share *s = share_of_nd(item);

	if (s != NULL)
		s->flying++;
	return s;
}

void presence_share_land(struct presence *p, struct presence_share *s)
{
	if (s == NULL)
		return;
	s->flying--;
	release(p, s);
	let_go(p, s);
}

void presence_share_leave(struct presence *p, struct presence_item *item)
{
	struct presence_share *s = item->share;

	if (item->kind == PRESENCE_ITEM_ND)
		release(p, share_of_nd(item));
	item->share = NULL;
	if (s == NULL)
		return;
	s->count--;
	let_go(p, s);
}
