/*
 * A contact: an XMPP user as one SIP user sees him.  Its authorization is
 * durable, what is known of him is not.  It lives while somebody is
 * subscribed, while the question is open, and while the answer was yes.
 */
#include "fe-gateway/core/presence_contact_priv.h"

#include <stdlib.h>
#include <string.h>

/* --- life ---------------------------------------------------------------- */

enum { KEY_MAX = 2 * (LIMIT_JID_BYTES + 1) };

/* "local\0remote\0"; the length of it, 0: too long. */
static size_t print_key(struct span local, struct span remote, char *out)
{
	size_t n = local.n + 1 + remote.n + 1;

	if (n > KEY_MAX || local.n == 0 || remote.n == 0)
		return 0;
	memcpy(out, local.p, local.n);
	out[local.n] = '\0';
	memcpy(out + local.n + 1, remote.p, remote.n);
	out[n - 1] = '\0';
	return n;
}

struct presence_contact *presence_contact_find_spans(const struct presence *p,
						     struct span local,
						     struct span remote)
{
	struct presence_contact *c = NULL;
	char key[KEY_MAX];
	size_t n = print_key(local, remote, key);

	if (n > 0)
		HASH_FIND(hh, p->contacts, key, n, c);
	return c;
}

struct presence_contact *presence_contact_find(struct presence *p,
					       const char *local,
					       const char *remote)
{
	return presence_contact_find_spans(p, span_str(local),
					   span_str(remote));
}

static bool insert(struct presence *p, struct presence_contact *c, size_t n)
{
	HASH_ADD_KEYPTR(hh, p->contacts, c->key, n, c);
	if (c->hh.tbl == NULL)
		return false;
	if (presence_item_add(p, &c->item, PRESENCE_ITEM_CONTACT) == 0) {
		if (presence_domain_join(p, &c->item, c->remote) == 0 &&
		    presence_share_join(p, &c->item, c->local) == 0)
			return true;
		presence_item_drop(p, &c->item);
	}
	HASH_DEL(p->contacts, c);
	return false;
}

int presence_contact_new(struct presence *p, struct span local,
			 struct span remote, struct presence_contact **c_out)
{
	struct presence_contact *c;
	char key[KEY_MAX];
	size_t n = print_key(local, remote, key);

	/* LIMIT: a user agent that subscribes to everybody */
	if (n == 0 || HASH_COUNT(p->contacts) >= LIMIT_PRESENCE_CONTACTS ||
	    p->item_count >= LIMIT_PRESENCE_ITEMS)
		return FED_ELIMIT;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return FED_ENOMEM;
	for (int i = 0; i < PRESENCE_AT_COUNT; i++)
		c->at_ms[i] = UINT64_MAX;
	c->key = malloc(n);
	if (c->key != NULL) {
		memcpy(c->key, key, n);
		c->local = c->key;
		c->remote = c->key + local.n + 1;
	}
	if (c->key == NULL || !insert(p, c, n)) {
		free(c->key);
		free(c);
		return FED_ENOMEM;
	}
	*c_out = c;
	return 0;
}

/* The process ends, or nobody needs it: rows are not its matter. */
void presence_contact_free(struct presence *p, struct presence_contact *c)
{
	while (c->nds != NULL)
		presence_nd_free(p, c->nds);
	HASH_DEL(p->contacts, c);
	presence_item_drop(p, &c->item);
	presence_view_clear(&c->view);
	presence_view_clear(&c->fresh);
	free(c->key);
	free(c);
}

/* --- authorization ------------------------------------------------------- */

int presence_contact_set_auth(struct presence *p, struct presence_contact *c,
			      enum presence_auth auth, uint64_t now_ms)
{
	uint64_t since_ms = presence_wall_ms(p, now_ms);
	struct presence_row row = {
		.kind = PRESENCE_ROW_WATCH,
		.is_deleted = auth == PRESENCE_NONE,
		.u.watch = {.direction = PRESENCE_IN,
			    .local = span_str(c->local),
			    .remote = span_str(c->remote),
			    .auth = auth,
			    .since_ms = since_ms},
	};
	bool was_added = c->auth != PRESENCE_NONE;
	int err = presence_put_row(p, &c->item, &row);

	if (err != 0)
		return err;
	c->auth = auth;
	c->since_ms = since_ms;
	presence_log_auth(p, PRESENCE_IN, c->local, c->remote, auth);
	if (was_added != (auth != PRESENCE_NONE))
		presence_access_contact(p, c, now_ms);
	return 0;
}

int presence_contact_deny(struct presence *p, struct presence_contact *c,
			  enum presence_end end, uint64_t now_ms)
{
	int err = presence_contact_set_auth(p, c, PRESENCE_NONE, now_ms);
	struct presence_nd *n;

	c->auth = PRESENCE_NONE;
	if (err != 0)
		presence_access_contact(p, c, now_ms);
	c->is_leave_due = c->is_probe_due = c->is_bye_due = false;
	presence_contact_set_at(p, c, PRESENCE_AT_ASK, UINT64_MAX);
	presence_contact_forget_view(p, c);
	DL_FOREACH (c->nds, n)
		presence_nd_end(p, n, end, LIMIT_PRESENCE_UNREACHABLE_S,
				now_ms);
	return err;
}

/* --- what is known ------------------------------------------------------- */

void presence_contact_forget_view(struct presence *p,
				  struct presence_contact *c)
{
	presence_view_clear(&c->view);
	presence_view_clear(&c->fresh);
	c->is_known = c->is_collecting = c->was_probed = false;
	presence_contact_set_at(p, c, PRESENCE_AT_ANSWER, UINT64_MAX);
}

void presence_contact_changed(struct presence *p, struct presence_contact *c,
			      uint64_t now_ms)
{
	struct presence_nd *n;

	DL_FOREACH (c->nds, n)
		presence_nd_update(p, n, now_ms);
}

bool presence_contact_has_live(const struct presence_contact *c)
{
	const struct presence_nd *n;

	DL_FOREACH (c->nds, n)
		if (n->end == PRESENCE_END_NONE)
			return true;
	return false;
}

bool presence_contact_is_watched(const struct presence_contact *c)
{
	const struct presence_nd *n;

	DL_FOREACH (c->nds, n)
		if (n->end == PRESENCE_END_NONE && !n->is_poll)
			return true;
	return false;
}

/* RFC 8048 6.3: "unavailable", not "unsubscribe": the authorization stays.
 * Not while he watches the SIP user as well: then what he sees of him is what
 * SIP says, and he has not gone. */
void presence_contact_nd_ended(struct presence *p, struct presence_contact *c)
{
	const struct presence_sub *s;

	if (p->is_stopping || c->auth != PRESENCE_ALLOWED ||
	    presence_contact_is_watched(c))
		return;
	c->is_probe_due = c->is_leave_due = false;
	s = presence_sub_find(p, c->local, c->remote);
	if (s != NULL && s->auth == PRESENCE_ALLOWED)
		return;
	c->is_bye_due = true;
	presence_want_stanza(p, &c->item);
}

/* --- time ---------------------------------------------------------------- */

void presence_contact_set_at(struct presence *p, struct presence_contact *c,
			     enum presence_contact_timer which, uint64_t at_ms)
{
	uint64_t first_ms = UINT64_MAX;

	c->at_ms[which] = at_ms;
	for (int i = 0; i < PRESENCE_AT_COUNT; i++)
		if (c->at_ms[i] < first_ms)
			first_ms = c->at_ms[i];
	presence_set_timer(p, &c->item, first_ms);
}

/* Nobody is subscribed; false: it is gone. */
static bool forget(struct presence *p, struct presence_contact *c,
		   uint64_t now_ms)
{
	if (c->auth == PRESENCE_ALLOWED) {
		presence_contact_forget_view(p, c);
		return true;
	}
	if (presence_contact_set_auth(p, c, PRESENCE_NONE, now_ms) != 0) {
		presence_contact_set_at(p, c, PRESENCE_AT_FORGET,
					now_ms + LIMIT_PRESENCE_CACHE_MS);
		return true;
	}
	presence_contact_free(p, c);
	return false;
}

/* The probe was delivered and nobody answered: some servers say nothing of a
 * user who is offline.  Who approved and did not show himself is probed
 * first. */
static void on_silence(struct presence *p, struct presence_contact *c,
		       uint64_t now_ms)
{
	if (!c->is_known && !c->was_probed) {
		presence_contact_probe(p, c);
		return;
	}
	if (c->is_collecting) {
		presence_contact_end_collecting(p, c, now_ms);
		return;
	}
	c->is_known = true;
	presence_contact_changed(p, c, now_ms);
}

bool presence_contact_is_asking(const struct presence_contact *c)
{
	return (c->flying == PRESENCE_ASK_PROBE && !c->is_stale) ||
	       c->at_ms[PRESENCE_AT_ANSWER] != UINT64_MAX;
}

static void on_turn(struct presence *p, struct presence_contact *c)
{
	if (c->auth == PRESENCE_PENDING)
		presence_contact_ask_leave(p, c);
	else if (!presence_contact_is_asking(c))
		presence_contact_probe(p, c);
}

/* false: it is gone. */
static bool on_deadline(struct presence *p, struct presence_contact *c,
			enum presence_contact_timer which, uint64_t now_ms)
{
	switch (which) {
	case PRESENCE_AT_ANSWER:
		on_silence(p, c, now_ms);
		break;
	case PRESENCE_AT_ASK:
		if (presence_contact_is_watched(c))
			presence_contact_ask_leave(p, c);
		break;
	case PRESENCE_AT_TURN:
		on_turn(p, c);
		break;
	case PRESENCE_AT_RETRY:
		presence_want_stanza(p, &c->item);
		break;
	case PRESENCE_AT_FORGET:
		return forget(p, c, now_ms);
	case PRESENCE_AT_COUNT:
		break;
	}
	return true;
}

void presence_contact_on_time(struct presence *p, struct presence_contact *c,
			      uint64_t now_ms)
{
	for (int i = 0; i < PRESENCE_AT_COUNT; i++) {
		enum presence_contact_timer which =
			(enum presence_contact_timer)i;

		if (now_ms < c->at_ms[i])
			continue;
		presence_contact_set_at(p, c, which, UINT64_MAX);
		if (!on_deadline(p, c, which, now_ms))
			return;
	}
	/* the heap gave the node out: the next one goes in */
	presence_contact_set_at(p, c, PRESENCE_AT_ANSWER,
				c->at_ms[PRESENCE_AT_ANSWER]);
}

/* When it is no use any more, while nobody is subscribed. */
static uint64_t forget_at(const struct presence *p,
			  const struct presence_contact *c, uint64_t now_ms)
{
	uint64_t until_ms;

	if (c->auth == PRESENCE_ALLOWED)
		return c->is_known || c->is_collecting
			       ? now_ms + LIMIT_PRESENCE_CACHE_MS
			       : UINT64_MAX;
	until_ms =
		presence_clock_ms(p, c->since_ms + LIMIT_PRESENCE_PENDING_MS);
	return until_ms > now_ms ? until_ms : now_ms;
}

void presence_contact_settle(struct presence *p, struct presence_contact *c,
			     uint64_t now_ms)
{
	if (c->nds != NULL) {
		presence_contact_set_at(p, c, PRESENCE_AT_FORGET, UINT64_MAX);
		return;
	}
	if (c->auth == PRESENCE_NONE) {
		presence_contact_free(p, c);
		return;
	}
	if (c->at_ms[PRESENCE_AT_FORGET] == UINT64_MAX)
		presence_contact_set_at(p, c, PRESENCE_AT_FORGET,
					forget_at(p, c, now_ms));
}
