/*
 * How many watches each asker has, of each direction: one who asks for
 * everybody must leave room for the others.
 */
#include "fe-gateway/core/presence_priv.h"

#include <stdlib.h>
#include <string.h>

struct presence_share {
	UT_hash_handle hh;
	size_t count;
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

void presence_share_leave(struct presence *p, struct presence_item *item)
{
	struct presence_share **table = table_of(p, item->kind);
	struct presence_share *s = item->share;

	item->share = NULL;
	if (s == NULL || --s->count > 0)
		return;
	HASH_DEL(*table, s);
	free(s);
}
