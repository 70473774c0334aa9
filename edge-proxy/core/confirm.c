/* Deliveries to XMPP held until a ping behind them was answered. */
#include "edge-proxy/core/confirm.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "edge-proxy/core/edge_map.h"
#include "xmpp/jid.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

struct confirm_pair;

struct held {
	struct edge_origin origin;
	uint64_t start_ms;
	uint64_t deadline_ms; /* delivered then, if nothing was said */
	uint64_t round;	      /* the ping that covers it */
	struct confirm_pair *pair;
	const char *from; /* these into data */
	const char *to;
	const char *id;
	struct span tag;
	bool is_by_id;	     /* in confirm.by_id */
	Fed__Error *refused; /* its own; NULL: delivered */
	UT_hash_handle hh;
	struct held *prev; /* pair's list, then confirm.done */
	struct held *next;
	char data[];
};

struct confirm_pair {
	char *local; /* these two and the key are one block */
	char *remote;
	struct held *held; /* in the order of the stream */
	uint64_t round;	   /* of the last ping */
	bool is_pinging;   /* it is under way */
	bool is_due;	   /* it is not yet handed out */
	char ping_id[ID_TEXT_BYTES + 1];
	uint64_t silent_until_ms; /* the peer does not answer pings */
	UT_hash_handle hh;
	char key[];
};

struct confirm {
	struct id_source *ids;
	struct confirm_pair *pairs;
	struct held *by_id;
	struct held *done; /* settled, outcome not yet taken */
	struct held *last; /* its pointers are with the caller */
	size_t held_count;
	size_t due_count;     /* pairs with is_due */
	uint64_t deadline_ms; /* no pair's is earlier */
};

int confirm_new(struct confirm **c_out, struct id_source *ids)
{
	struct confirm *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return FED_ENOMEM;
	c->ids = ids;
	c->deadline_ms = UINT64_MAX;
	*c_out = c;
	return 0;
}

static void free_held(struct confirm *c, struct held *h)
{
	if (h->is_by_id)
		HASH_DEL(c->by_id, h);
	if (h->refused != NULL)
		fed__error__free_unpacked(h->refused, NULL);
	free(h);
}

static void free_list(struct confirm *c, struct held *list)
{
	struct held *h;
	struct held *tmp;

	DL_FOREACH_SAFE (list, h, tmp)
		free_held(c, h);
}

static void forget_pair(struct confirm *c, struct confirm_pair *p)
{
	if (p->is_due)
		c->due_count--;
	HASH_DEL(c->pairs, p);
	free(p);
}

void confirm_free(struct confirm *c)
{
	struct confirm_pair *p;
	struct confirm_pair *tmp;

	if (c == NULL)
		return;
	HASH_ITER (hh, c->pairs, p, tmp) {
		free_list(c, p->held);
		forget_pair(c, p);
	}
	free_list(c, c->done);
	if (c->last != NULL)
		free_held(c, c->last);
	free(c);
}

/* ---- table --------------------------------------------------------------- */

enum { KEY_BYTES = 2 * (LIMIT_DOMAIN_BYTES + 1) };

/* local NUL remote NUL; 0: too long for domains */
static size_t make_key(struct s2s_pair pair, char key[KEY_BYTES])
{
	size_t local_n = strlen(pair.local) + 1;
	size_t remote_n = strlen(pair.remote) + 1;

	if (local_n + remote_n > KEY_BYTES)
		return 0;
	memcpy(key, pair.local, local_n);
	memcpy(key + local_n, pair.remote, remote_n);
	return local_n + remote_n;
}

static struct confirm_pair *find_pair(struct confirm *c, struct s2s_pair pair)
{
	struct confirm_pair *found = NULL;
	char key[KEY_BYTES];
	size_t n = make_key(pair, key);

	if (n > 0)
		HASH_FIND(hh, c->pairs, key, n, found);
	return found;
}

static struct confirm_pair *add_pair(struct confirm *c, struct s2s_pair pair)
{
	char key[KEY_BYTES];
	size_t n = make_key(pair, key);
	struct confirm_pair *p;

	if (n == 0 || HASH_COUNT(c->pairs) >= LIMIT_PAIRS)
		return NULL;
	p = calloc(1, sizeof(*p) + n);
	if (p == NULL)
		return NULL;
	memcpy(p->key, key, n);
	p->local = p->key;
	p->remote = p->key + strlen(pair.local) + 1;
	HASH_ADD_KEYPTR(hh, c->pairs, p->key, n, p);
	if (p->hh.tbl == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

static const char *put(char **at, const char *text)
{
	size_t n = strlen(text) + 1;
	char *mine = *at;

	memcpy(mine, text, n);
	*at += n;
	return mine;
}

static struct held *new_held(const struct confirm_delivery *d)
{
	size_t n = strlen(d->from) + strlen(d->to) + strlen(d->id) + 3;
	struct held *h = calloc(1, sizeof(*h) + n + d->tag.n);
	char *at;

	if (h == NULL)
		return NULL;
	at = h->data;
	h->from = put(&at, d->from);
	h->to = put(&at, d->to);
	h->id = put(&at, d->id);
	if (d->tag.n > 0)
		memcpy(at, d->tag.p, d->tag.n);
	h->tag = span_of(at, d->tag.n);
	h->origin = d->origin;
	h->start_ms = d->start_ms;
	return h;
}

/* Two messages of one id: the first keeps it, the second is not matched. */
static void index_id(struct confirm *c, struct held *h)
{
	struct held *other = NULL;

	if (h->id[0] == '\0')
		return;
	HASH_FIND_STR(c->by_id, h->id, other);
	if (other != NULL)
		return;
	HASH_ADD_KEYPTR(hh, c->by_id, h->id, strlen(h->id), h);
	h->is_by_id = h->hh.tbl != NULL;
}

static void want_ping(struct confirm *c, struct confirm_pair *p)
{
	if (p->is_pinging || p->is_due)
		return;
	p->is_due = true;
	c->due_count++;
}

static void wake_at(struct confirm *c, uint64_t at_ms)
{
	if (at_ms < c->deadline_ms)
		c->deadline_ms = at_ms;
}

int confirm_add(struct confirm *c, const struct confirm_delivery *d,
		uint64_t now_ms)
{
	struct confirm_pair *p;
	struct held *h;

	if (c->held_count >= LIMIT_CONFIRM_HELD)
		return FED_ELIMIT;
	p = find_pair(c, d->pair);
	if (p == NULL)
		p = add_pair(c, d->pair);
	h = p == NULL ? NULL : new_held(d);
	if (h == NULL)
		return FED_ENOMEM;
	h->pair = p;
	h->round = p->round + 1;
	if (now_ms < p->silent_until_ms) {
		h->deadline_ms = now_ms + LIMIT_CONFIRM_GRACE_MS;
	} else {
		h->deadline_ms = now_ms + LIMIT_CONFIRM_MS;
		want_ping(c, p);
	}
	DL_APPEND(p->held, h);
	index_id(c, h);
	c->held_count++;
	wake_at(c, h->deadline_ms);
	return 0;
}

/* ---- what the peer says ---------------------------------------------------
 */

/* The error outlives the stanza it came in. */
static Fed__Error *copy_error(const Fed__Error *e)
{
	size_t n = fed__error__get_packed_size(e);
	uint8_t *packed = malloc(n == 0 ? 1 : n);
	Fed__Error *copy;

	if (packed == NULL)
		return NULL;
	(void)fed__error__pack(e, packed);
	copy = fed__error__unpack(NULL, n, packed);
	free(packed);
	return copy;
}

static void settle(struct confirm *c, struct held *h)
{
	if (h->is_by_id)
		HASH_DEL(c->by_id, h);
	h->is_by_id = false;
	DL_DELETE(h->pair->held, h);
	h->pair = NULL;
	DL_APPEND(c->done, h);
}

/* Its answer is in, or the time is up: nothing bad was said. */
static void settle_covered(struct confirm *c, struct confirm_pair *p)
{
	while (p->held != NULL && p->held->round <= p->round)
		settle(c, p->held);
	p->is_pinging = false;
	if (p->held != NULL)
		want_ping(c, p);
	else if (p->silent_until_ms == 0)
		forget_pair(c, p);
}

static struct s2s_pair pair_of(const Fed__Stanza *s, char local[],
			       char remote[])
{
	struct span l = jid_split(span_str(s->to)).domain;
	struct span r = jid_split(span_str(s->from)).domain;

	if (l.n > LIMIT_DOMAIN_BYTES || r.n > LIMIT_DOMAIN_BYTES)
		l = r = SPAN_NULL;
	if (l.n > 0)
		memcpy(local, l.p, l.n);
	local[l.n] = '\0';
	if (r.n > 0)
		memcpy(remote, r.p, r.n);
	remote[r.n] = '\0';
	return (struct s2s_pair){local, remote};
}

/* Any answer will do, an error too: the peer handled what came before. */
static bool take_pong(struct confirm *c, const Fed__Stanza *s)
{
	char local[LIMIT_DOMAIN_BYTES + 1];
	char remote[LIMIT_DOMAIN_BYTES + 1];
	struct confirm_pair *p;

	if (s->iq->type != FED__IQ_TYPE__RESULT &&
	    s->iq->type != FED__IQ_TYPE__IQ_ERROR)
		return false;
	p = find_pair(c, pair_of(s, local, remote));
	/* only the domains themselves speak of a ping */
	if (p == NULL || !p->is_pinging || strcmp(s->id, p->ping_id) != 0 ||
	    strcmp(s->from, p->remote) != 0 || strcmp(s->to, p->local) != 0)
		return false;
	settle_covered(c, p);
	return true;
}

static bool same_bare(const char *a, const char *b)
{
	return span_eq(jid_split(span_str(a)).bare,
		       jid_split(span_str(b)).bare);
}

static bool take_error(struct confirm *c, const Fed__Stanza *s)
{
	struct held *h = NULL;

	if (s->message->type != FED__MESSAGE_TYPE__MESSAGE_ERROR ||
	    s->message->error == NULL || s->id[0] == '\0')
		return false;
	HASH_FIND_STR(c->by_id, s->id, h);
	if (h == NULL || !same_bare(s->from, h->to) ||
	    !same_bare(s->to, h->from))
		return false;
	h->refused = copy_error(s->message->error);
	if (h->refused == NULL)
		return false;
	settle(c, h);
	return true;
}

bool confirm_take(struct confirm *c, const Fed__Stanza *s, uint64_t now_ms)
{
	(void)now_ms;
	if (c->held_count == 0)
		return false;
	if (s->kind_case == FED__STANZA__KIND_IQ)
		return take_pong(c, s);
	if (s->kind_case == FED__STANZA__KIND_MESSAGE)
		return take_error(c, s);
	return false;
}

void confirm_lost(struct confirm *c, struct s2s_pair pair)
{
	struct confirm_pair *p = find_pair(c, pair);
	Fed__Error e;

	if (p == NULL)
		return;
	fed__error__init(&e);
	e.condition = FED__CONDITION__REMOTE_SERVER_TIMEOUT;
	e.type = stanza_error_usual_type(e.condition);
	while (p->held != NULL) {
		p->held->refused = copy_error(&e);
		settle(c, p->held);
	}
	forget_pair(c, p);
}

void confirm_release(struct confirm *c)
{
	struct confirm_pair *p;
	struct confirm_pair *tmp;

	HASH_ITER (hh, c->pairs, p, tmp) {
		while (p->held != NULL)
			settle(c, p->held);
		forget_pair(c, p);
	}
}

/* ---- actions and time ------------------------------------------------------
 */

static bool next_outcome(struct confirm *c, struct confirm_action *out)
{
	struct held *h = c->done;

	if (h == NULL)
		return false;
	DL_DELETE(c->done, h);
	c->held_count--;
	c->last = h;
	out->kind = CONFIRM_OUTCOME;
	out->u.outcome.origin = h->origin;
	out->u.outcome.refused = h->refused;
	out->u.outcome.tag = h->tag;
	out->u.outcome.start_ms = h->start_ms;
	return true;
}

static bool next_ping(struct confirm *c, struct confirm_action *out)
{
	struct confirm_pair *p;
	struct confirm_pair *tmp;

	if (c->due_count == 0)
		return false;
	HASH_ITER (hh, c->pairs, p, tmp) {
		if (!p->is_due)
			continue;
		p->is_due = false;
		c->due_count--;
		p->is_pinging = true;
		p->round++;
		id_source_next(c->ids, p->ping_id);
		out->kind = CONFIRM_PING;
		out->u.ping.pair = (struct s2s_pair){p->local, p->remote};
		out->u.ping.id = p->ping_id;
		return true;
	}
	return false;
}

bool confirm_next_action(struct confirm *c, struct confirm_action *action_out,
			 uint64_t now_ms)
{
	(void)now_ms;
	if (c->last != NULL)
		free_held(c, c->last);
	c->last = NULL;
	return next_outcome(c, action_out) || next_ping(c, action_out);
}

static void pair_timer(struct confirm *c, struct confirm_pair *p,
		       uint64_t now_ms)
{
	bool is_silent = now_ms < p->silent_until_ms;

	while (p->held != NULL && p->held->deadline_ms <= now_ms) {
		if (!is_silent) {
			p->silent_until_ms = now_ms + LIMIT_CONFIRM_SILENT_MS;
			p->is_pinging = false;
		}
		settle(c, p->held);
	}
	if (p->held != NULL)
		wake_at(c, p->held->deadline_ms);
	else if (now_ms >= p->silent_until_ms)
		forget_pair(c, p);
	else
		wake_at(c, p->silent_until_ms);
}

void confirm_on_timer(struct confirm *c, uint64_t now_ms)
{
	struct confirm_pair *p;
	struct confirm_pair *tmp;

	if (now_ms < c->deadline_ms)
		return;
	c->deadline_ms = UINT64_MAX;
	HASH_ITER (hh, c->pairs, p, tmp)
		pair_timer(c, p, now_ms);
}

uint64_t confirm_deadline_ms(const struct confirm *c)
{
	return c->deadline_ms;
}

size_t confirm_held(const struct confirm *c)
{
	return c->held_count;
}
