/* Deliveries to XMPP held until a ping behind them was answered. */
#include "edge-proxy/core/confirm.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/map.h"
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
	size_t bytes;
	const char *from; /* these into data */
	const char *to;
	const char *id;
	struct span tag;
	bool is_by_id;		   /* in confirm.by_id */
	const Fed__Error *refused; /* NULL: delivered */
	Fed__Error *said;	   /* the peer's, owned */
	UT_hash_handle hh;
	struct held *prev; /* pair's list, then confirm.done */
	struct held *next;
	struct held **wait; /* the list by deadline it is in */
	struct held *wait_prev;
	struct held *wait_next;
	char data[];
};

/* QUIET only while something is held: a pair with nothing to remember goes.
 * The id of a ping is good until there is another: a late answer ends the
 * silence. */
enum pair_state {
	PAIR_QUIET,   /* no ping is under way */
	PAIR_DUE,     /* one is to be handed out */
	PAIR_PINGING, /* until_ms: it should be answered by then */
	PAIR_SILENT,  /* until_ms: the next one is not sent before */
	PAIR_STATES,
};

struct confirm_pair {
	const char *local; /* into key */
	const char *remote;
	struct held *held; /* in the order of the stream */
	uint64_t round;	   /* of the last ping */
	enum pair_state state;
	uint64_t until_ms;
	char ping_id[ID_TEXT_BYTES + 1];
	UT_hash_handle hh;
	struct confirm_pair *prev; /* in the list of its state */
	struct confirm_pair *next;
	char key[]; /* local NUL remote NUL */
};

/* All of a list wait equally long, so its head is due first and time costs
 * only what it settles, however many pairs there are. */
struct confirm {
	struct id_source *ids;
	struct confirm_pair *pairs;
	struct confirm_pair *by_state[PAIR_STATES];
	struct held *by_id;
	struct held *asked;   /* LIMIT_CONFIRM_MS */
	struct held *unasked; /* LIMIT_CONFIRM_GRACE_MS */
	struct held *done;    /* settled, outcome not yet taken */
	struct held *last;    /* its pointers are with the caller */
	size_t held_count;
	size_t held_bytes;
	Fed__Error lost; /* what a lost stream says of all */
};

int confirm_new(struct confirm **c_out, struct id_source *ids)
{
	struct confirm *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return FED_ENOMEM;
	c->ids = ids;
	fed__error__init(&c->lost);
	c->lost.condition = FED__CONDITION__REMOTE_SERVER_TIMEOUT;
	c->lost.type = stanza_error_usual_type(c->lost.condition);
	*c_out = c;
	return 0;
}

static void free_held(struct confirm *c, struct held *h)
{
	if (h->is_by_id)
		HASH_DEL(c->by_id, h);
	if (h->said != NULL)
		fed__error__free_unpacked(h->said, NULL);
	free(h);
}

static void free_list(struct confirm *c, struct held *list)
{
	struct held *h;
	struct held *tmp;

	DL_FOREACH_SAFE (list, h, tmp)
		free_held(c, h);
}

static void set_state(struct confirm *c, struct confirm_pair *p,
		      enum pair_state to)
{
	DL_DELETE(c->by_state[p->state], p);
	p->state = to;
	DL_APPEND(c->by_state[to], p);
}

static void forget_pair(struct confirm *c, struct confirm_pair *p)
{
	DL_DELETE(c->by_state[p->state], p);
	HASH_DEL(c->pairs, p);
	free(p);
}

static void forget_if_idle(struct confirm *c, struct confirm_pair *p)
{
	if (p->state == PAIR_QUIET && p->held == NULL)
		forget_pair(c, p);
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

static struct confirm_pair *find_pair(struct confirm *c, struct s2s_pair pair)
{
	struct confirm_pair *found = NULL;
	char key[S2S_PAIR_KEY_BYTES];
	size_t n = s2s_pair_key(&pair, key);

	if (n > 0)
		HASH_FIND(hh, c->pairs, key, n, found);
	return found;
}

/* LIMIT: peers that are only remembered as silent keep no other out */
static bool make_room(struct confirm *c)
{
	struct confirm_pair *oldest = c->by_state[PAIR_SILENT];

	if (HASH_COUNT(c->pairs) < LIMIT_PAIRS)
		return true;
	if (oldest == NULL || oldest->held != NULL)
		return false;
	forget_pair(c, oldest);
	return true;
}

static struct confirm_pair *add_pair(struct confirm *c, struct s2s_pair pair)
{
	char key[S2S_PAIR_KEY_BYTES];
	size_t n = s2s_pair_key(&pair, key);
	struct confirm_pair *p;

	if (n == 0 || !make_room(c))
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
	DL_APPEND(c->by_state[PAIR_QUIET], p);
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

static size_t bytes_of(const struct confirm_delivery *d)
{
	return sizeof(struct held) + strlen(d->from) + strlen(d->to) +
	       strlen(d->id) + 3 + d->tag.n;
}

static struct held *new_held(const struct confirm_delivery *d)
{
	size_t bytes = bytes_of(d);
	struct held *h = calloc(1, bytes);
	char *at;

	if (h == NULL)
		return NULL;
	at = h->data;
	h->bytes = bytes;
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

static void wait_until(struct held *h, struct held **list, uint64_t at_ms)
{
	h->deadline_ms = at_ms;
	h->wait = list;
	DL_APPEND2(*list, h, wait_prev, wait_next);
}

static void hold(struct confirm *c, struct confirm_pair *p, struct held *h,
		 uint64_t now_ms)
{
	bool is_silent = p->state == PAIR_SILENT && now_ms < p->until_ms;

	h->pair = p;
	h->round = p->round + 1;
	DL_APPEND(p->held, h);
	index_id(c, h);
	c->held_count++;
	c->held_bytes += h->bytes;
	if (is_silent)
		wait_until(h, &c->unasked, now_ms + LIMIT_CONFIRM_GRACE_MS);
	else
		wait_until(h, &c->asked, now_ms + LIMIT_CONFIRM_MS);
	if (!is_silent && p->state != PAIR_PINGING)
		set_state(c, p, PAIR_DUE);
}

int confirm_add(struct confirm *c, const struct confirm_delivery *d,
		uint64_t now_ms)
{
	struct confirm_pair *p;
	struct held *h;

	/* LIMIT: what peers that do not answer can make us keep */
	if (c->held_count >= LIMIT_CONFIRM_HELD ||
	    bytes_of(d) > LIMIT_CONFIRM_BYTES - c->held_bytes)
		return FED_ELIMIT;
	p = find_pair(c, d->pair);
	if (p == NULL)
		p = add_pair(c, d->pair);
	if (p == NULL)
		return FED_ENOMEM;
	h = new_held(d);
	if (h == NULL) {
		forget_if_idle(c, p);
		return FED_ENOMEM;
	}
	hold(c, p, h, now_ms);
	return 0;
}

/* ---- what the peer says ------------------------------------------------- */

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

static void settle(struct confirm *c, struct held *h, const Fed__Error *refused)
{
	if (h->is_by_id)
		HASH_DEL(c->by_id, h);
	h->is_by_id = false;
	DL_DELETE(h->pair->held, h);
	DL_DELETE2(*h->wait, h, wait_prev, wait_next);
	h->pair = NULL;
	h->refused = refused;
	DL_APPEND(c->done, h);
}

static void answered(struct confirm *c, struct confirm_pair *p)
{
	/* nothing bad was said of those before the ping */
	while (p->held != NULL && p->held->round <= p->round)
		settle(c, p->held, NULL);
	set_state(c, p, p->held != NULL ? PAIR_DUE : PAIR_QUIET);
	forget_if_idle(c, p);
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
	if (p == NULL ||
	    (p->state != PAIR_PINGING && p->state != PAIR_SILENT) ||
	    strcmp(s->id, p->ping_id) != 0 || strcmp(s->from, p->remote) != 0 ||
	    strcmp(s->to, p->local) != 0)
		return false;
	answered(c, p);
	return true;
}

static bool same_bare(const char *a, const char *b)
{
	return span_eq(jid_split(span_str(a)).bare,
		       jid_split(span_str(b)).bare);
}

static bool take_error(struct confirm *c, const Fed__Stanza *s)
{
	struct confirm_pair *p;
	struct held *h = NULL;

	if (s->message->type != FED__MESSAGE_TYPE__MESSAGE_ERROR ||
	    s->message->error == NULL || s->id[0] == '\0')
		return false;
	HASH_FIND_STR(c->by_id, s->id, h);
	if (h == NULL || !same_bare(s->from, h->to) ||
	    !same_bare(s->to, h->from))
		return false;
	h->said = copy_error(s->message->error);
	if (h->said == NULL)
		return false;
	p = h->pair;
	settle(c, h, h->said);
	forget_if_idle(c, p);
	return true;
}

bool confirm_take(struct confirm *c, const Fed__Stanza *s)
{
	if (c->pairs == NULL)
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

	if (p == NULL)
		return;
	while (p->held != NULL)
		settle(c, p->held, &c->lost);
	/* a ping that was lost too says nothing of the peer */
	if (p->state != PAIR_SILENT)
		forget_pair(c, p);
}

void confirm_ping_failed(struct confirm *c, struct s2s_pair pair,
			 uint64_t now_ms)
{
	struct confirm_pair *p = find_pair(c, pair);
	uint64_t at_ms = now_ms + LIMIT_CONFIRM_GRACE_MS;
	struct held *h;

	if (p == NULL || p->state != PAIR_PINGING)
		return;
	set_state(c, p, PAIR_QUIET);
	DL_FOREACH (p->held, h) {
		if (h->deadline_ms <= at_ms)
			continue;
		DL_DELETE2(*h->wait, h, wait_prev, wait_next);
		wait_until(h, &c->unasked, at_ms);
	}
	forget_if_idle(c, p);
}

void confirm_release(struct confirm *c)
{
	struct confirm_pair *p;
	struct confirm_pair *tmp;

	HASH_ITER (hh, c->pairs, p, tmp) {
		while (p->held != NULL)
			settle(c, p->held, NULL);
		forget_pair(c, p);
	}
}

/* ---- actions and time --------------------------------------------------- */

static bool next_outcome(struct confirm *c, struct confirm_action *out)
{
	struct held *h = c->done;

	if (h == NULL)
		return false;
	DL_DELETE(c->done, h);
	c->held_count--;
	c->held_bytes -= h->bytes;
	c->last = h;
	out->kind = CONFIRM_OUTCOME;
	out->u.outcome.origin = h->origin;
	out->u.outcome.refused = h->refused;
	out->u.outcome.tag = h->tag;
	out->u.outcome.start_ms = h->start_ms;
	return true;
}

static bool next_ping(struct confirm *c, struct confirm_action *out,
		      uint64_t now_ms)
{
	struct confirm_pair *p = c->by_state[PAIR_DUE];

	if (p == NULL)
		return false;
	set_state(c, p, PAIR_PINGING);
	p->until_ms = now_ms + LIMIT_CONFIRM_MS;
	p->round++;
	id_source_next(c->ids, p->ping_id);
	out->kind = CONFIRM_PING;
	out->u.ping.pair = (struct s2s_pair){p->local, p->remote};
	out->u.ping.id = p->ping_id;
	return true;
}

bool confirm_next_action(struct confirm *c, struct confirm_action *action_out,
			 uint64_t now_ms)
{
	if (c->last != NULL)
		free_held(c, c->last);
	c->last = NULL;
	return next_outcome(c, action_out) || next_ping(c, action_out, now_ms);
}

static void pairs_due(struct confirm *c, uint64_t now_ms)
{
	struct confirm_pair *p;

	while ((p = c->by_state[PAIR_PINGING]) != NULL &&
	       p->until_ms <= now_ms) {
		set_state(c, p, PAIR_SILENT);
		p->until_ms = now_ms + LIMIT_CONFIRM_SILENT_MS;
	}
	while ((p = c->by_state[PAIR_SILENT]) != NULL &&
	       p->until_ms <= now_ms) {
		set_state(c, p, PAIR_QUIET);
		forget_if_idle(c, p);
	}
}

static void held_due(struct confirm *c, struct held **list, uint64_t now_ms)
{
	while (*list != NULL && (*list)->deadline_ms <= now_ms) {
		struct confirm_pair *p = (*list)->pair;

		settle(c, *list, NULL);
		forget_if_idle(c, p);
	}
}

void confirm_on_timer(struct confirm *c, uint64_t now_ms)
{
	held_due(c, &c->asked, now_ms);
	held_due(c, &c->unasked, now_ms);
	pairs_due(c, now_ms);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t confirm_deadline_ms(const struct confirm *c)
{
	const struct confirm_pair *pinging = c->by_state[PAIR_PINGING];
	const struct confirm_pair *silent = c->by_state[PAIR_SILENT];
	uint64_t at = UINT64_MAX;

	if (c->asked != NULL)
		at = earlier(at, c->asked->deadline_ms);
	if (c->unasked != NULL)
		at = earlier(at, c->unasked->deadline_ms);
	if (pinging != NULL)
		at = earlier(at, pinging->until_ms);
	if (silent != NULL)
		at = earlier(at, silent->until_ms);
	return at;
}

size_t confirm_held(const struct confirm *c)
{
	return c->held_count;
}
