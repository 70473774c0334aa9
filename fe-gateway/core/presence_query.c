/* For operators: a walk over the watches of a user or a domain. */
#include "fe-gateway/core/presence_priv.h"

#include <string.h>

#include "xmpp/jid.h"

static struct presence_item *first_contact(const struct presence *p)
{
	return p->contacts != NULL ? &p->contacts->item : NULL;
}

static struct presence_item *first(const struct presence *p)
{
	return p->subs != NULL ? &p->subs->item : first_contact(p);
}

static struct presence_item *next_of(const struct presence *p,
				     const struct presence_item *item)
{
	const struct presence_contact *c;
	const struct presence_sub *s;

	if (item->kind == PRESENCE_ITEM_SUB) {
		s = (const struct presence_sub *)item;
		return s->hh.next != NULL
			       ? &((struct presence_sub *)s->hh.next)->item
			       : first_contact(p);
	}
	c = (const struct presence_contact *)item;
	return c->hh.next != NULL
		       ? &((struct presence_contact *)c->hh.next)->item
		       : NULL;
}

void presence_query_begin(struct presence *p, struct presence_cursor *c,
			  struct span target)
{
	size_t n = target.n < LIMIT_JID_BYTES ? target.n : LIMIT_JID_BYTES;

	*c = (struct presence_cursor){.at = first(p)};
	if (n > 0)
		memcpy(c->target, target.p, n);
	DL_APPEND(p->cursors, c);
}

void presence_query_end(struct presence *p, struct presence_cursor *c)
{
	DL_DELETE(p->cursors, c);
}

void presence_query_leave(struct presence *p, struct presence_item *item)
{
	struct presence_cursor *c;

	if (item->kind == PRESENCE_ITEM_ND)
		return;
	DL_FOREACH (p->cursors, c)
		if (c->at == item)
			c->at = next_of(p, item);
}

struct presence_item *presence_query_step(struct presence *p,
					  struct presence_cursor *c)
{
	struct presence_item *item = c->at;

	if (item != NULL)
		c->at = next_of(p, item);
	return item;
}

static bool is_jid_of(const char *jid, const char *target)
{
	if (strchr(target, '@') != NULL)
		return strcmp(jid, target) == 0;
	return span_eq_str(jid_split(span_str(jid)).domain, target);
}

static bool is_target(const struct presence_item *item, const char *target)
{
	const struct presence_contact *c;
	const struct presence_sub *s;

	if (item->kind == PRESENCE_ITEM_SUB) {
		s = (const struct presence_sub *)item;
		return is_jid_of(s->local, target) ||
		       is_jid_of(s->remote, target);
	}
	c = (const struct presence_contact *)item;
	return is_jid_of(c->local, target) || is_jid_of(c->remote, target);
}

/* The next one that is meant; the cursor stands behind it.  A long walk must
 * not hold up all else: *looks says how many may still be looked at. */
static struct presence_item *step(struct presence *p, struct presence_cursor *c,
				  unsigned *looks)
{
	struct presence_item *item;

	while ((item = c->at) != NULL && *looks > 0) {
		--*looks;
		c->at = next_of(p, item);
		if (is_target(item, c->target))
			return item;
	}
	return NULL;
}

Fed__PresenceWatch *presence_query_next(struct presence *p,
					struct presence_cursor *c,
					struct arena *a, uint64_t now_ms)
{
	unsigned looks = LIMIT_PRESENCE_LOOKS;
	struct presence_item *item = step(p, c, &looks);

	if (item == NULL)
		return NULL;
	if (item->kind == PRESENCE_ITEM_SUB)
		return presence_sub_describe(p, (struct presence_sub *)item, a,
					     now_ms);
	return presence_contact_describe(p, (struct presence_contact *)item, a,
					 now_ms);
}

void presence_query_repair(struct presence *p, struct presence_cursor *c,
			   struct presence_repaired *out, uint64_t now_ms)
{
	unsigned looks = LIMIT_PRESENCE_LOOKS;
	struct presence_item *item;

	while ((item = step(p, c, &looks)) != NULL) {
		out->watches++;
		if (item->kind == PRESENCE_ITEM_SUB) {
			out->subscribes++;
			presence_sub_repair(p, (struct presence_sub *)item,
					    now_ms);
		} else {
			out->probes++;
			presence_contact_repair(
				p, (struct presence_contact *)item, now_ms);
		}
	}
}
