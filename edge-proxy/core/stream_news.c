/* News of streams: what is to be told, merged and paced. */
#include "edge-proxy/core/stream_news.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/map.h"
#include "base/ratelimit.h"

/* All that a session of the channel must keep while its connection is silent
 * and then broken fits: a gateway misses nothing of a session. */
_Static_assert(LIMIT_STREAM_NEWS_BURST + LIMIT_STREAM_NEWS_RATE *
						 ((LIMIT_CHANNEL_DEAD_MS +
						   LIMIT_CHANNEL_RESUME_MS) /
						  1000u) <
		       LIMIT_CHANNEL_KEPT_EVENTS,
	       "the channel keeps all news of a broken session");

/* No token: so long until the next look. */
enum { NEWS_WAIT_MS = 1000 / LIMIT_STREAM_NEWS_RATE };

struct ending {
	bool is_there;
	bool is_in_order;
	char reason[256];
};

/* READY: has something to tell.  RESTING: told something a moment ago, in
 * order of rest_ms.  QUIET: in no list. */
enum news_state { NEWS_QUIET, NEWS_READY, NEWS_RESTING };

/* One pair in one direction. */
struct news {
	UT_hash_handle hh; /* in the direction's table, by key */
	enum news_state state;
	bool is_inbound;
	size_t open;	   /* streams now */
	bool is_told_open; /* the last word was OPENED */
	uint64_t rest_ms;  /* RESTING: until then */
	struct news *prev;
	struct news *next;
	/* since the last word, in this order */
	struct ending before; /* not in order, and then... */
	bool has_opened;      /* ...a stream, and then... */
	struct ending after;  /* ...its end, or an attempt that failed */
	const char *local;    /* into key */
	const char *remote;
	char key[]; /* local NUL remote NUL */
};

struct stream_news {
	struct metrics *metrics;
	struct news *tables[2]; /* outbound, inbound */
	struct news *ready;
	struct news *resting;
	struct ratelimit rate;
	uint64_t retry_ms;     /* when there is a token for READY ones */
	struct ending current; /* borrowed by the last item */
};

int stream_news_new(struct stream_news **n_out, struct metrics *m,
		    uint64_t now_ms)
{
	struct stream_news *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return FED_ENOMEM;
	n->metrics = m;
	ratelimit_init(&n->rate, LIMIT_STREAM_NEWS_RATE,
		       LIMIT_STREAM_NEWS_BURST, now_ms);
	*n_out = n;
	return 0;
}

/* ---- table --------------------------------------------------------------- */

static struct news **table_of(struct stream_news *n, bool is_inbound)
{
	return &n->tables[is_inbound ? 1 : 0];
}

static void forget(struct stream_news *n, struct news *p)
{
	struct news **table = table_of(n, p->is_inbound);

	HASH_DEL(*table, p);
	free(p);
}

void stream_news_free(struct stream_news *n)
{
	struct news *p;
	struct news *tmp;

	if (n == NULL)
		return;
	for (size_t i = 0; i < FED_ARRAY_LEN(n->tables); i++)
		HASH_ITER (hh, n->tables[i], p, tmp)
			forget(n, p);
	free(n);
}

static struct news *find(struct stream_news *n, const struct s2s_pair *pair,
			 bool is_inbound)
{
	char key[S2S_PAIR_KEY_BYTES];
	size_t key_n = s2s_pair_key(pair, key);
	struct news *p = NULL;

	if (key_n > 0)
		HASH_FIND(hh, *table_of(n, is_inbound), key, key_n, p);
	return p;
}

static struct news *add(struct stream_news *n, const struct s2s_pair *pair,
			bool is_inbound)
{
	struct news **table = table_of(n, is_inbound);
	char key[S2S_PAIR_KEY_BYTES];
	size_t key_n = s2s_pair_key(pair, key);
	struct news *p = NULL;

	/* LIMIT: each direction has its own, so that strangers who come for
	 * many domains do not hide what becomes of our own streams */
	if (key_n > 0 && HASH_COUNT(*table) < LIMIT_STREAM_NEWS_PAIRS)
		p = calloc(1, sizeof(*p) + key_n);
	if (p == NULL)
		return NULL;
	memcpy(p->key, key, key_n);
	p->local = p->key;
	p->remote = p->key + strlen(p->key) + 1;
	p->is_inbound = is_inbound;
	HASH_ADD(hh, *table, key, key_n, p);
	if (p->hh.tbl != NULL)
		return p;
	free(p);
	return NULL;
}

static struct news *find_or_add(struct stream_news *n,
				const struct s2s_pair *pair, bool is_inbound)
{
	struct news *p = find(n, pair, is_inbound);

	if (p == NULL)
		p = add(n, pair, is_inbound);
	if (p == NULL)
		metrics_count(n->metrics, METRIC_stream_news_lost);
	return p;
}

size_t stream_news_pairs(const struct stream_news *n)
{
	return HASH_COUNT(n->tables[0]) + HASH_COUNT(n->tables[1]);
}

/* ---- changes ------------------------------------------------------------- */

static void make_ready(struct stream_news *n, struct news *p)
{
	if (p->state != NEWS_QUIET)
		return;
	p->state = NEWS_READY;
	DL_APPEND(n->ready, p);
	n->retry_ms = 0;
}

static void set_ending(struct ending *e, const struct s2s_reason *r,
		       bool is_in_order)
{
	e->is_there = true;
	e->is_in_order = is_in_order;
	s2s_reason_tell(r, e->reason, sizeof(e->reason));
}

void stream_news_opened(struct stream_news *n, const struct s2s_pair *pair,
			bool is_inbound)
{
	struct news *p = find_or_add(n, pair, is_inbound);

	if (p == NULL || ++p->open > 1)
		return;
	if (p->after.is_there && !p->after.is_in_order)
		p->before = p->after;
	p->after.is_there = false;
	p->has_opened = true;
	make_ready(n, p);
}

void stream_news_ended(struct stream_news *n, const struct s2s_pair *pair,
		       bool is_inbound, const struct s2s_reason *reason)
{
	struct news *p = find(n, pair, is_inbound);

	if (p == NULL || p->open == 0 || --p->open > 0)
		return;
	set_ending(&p->after, reason, s2s_reason_is_in_order(reason));
	make_ready(n, p);
}

void stream_news_failed(struct stream_news *n, const struct s2s_pair *pair,
			const struct s2s_reason *reason)
{
	struct news *p = NULL;

	if (reason->kind != S2S_END_SHUTDOWN)
		p = find_or_add(n, pair, false);
	if (p == NULL || p->open > 0)
		return;
	set_ending(&p->after, reason, false);
	make_ready(n, p);
}

/* ---- telling ------------------------------------------------------------- */

/* What cannot be told any more: the domain was open and is again, or was not
 * and is now. */
static void reduce(struct news *p)
{
	if (!p->is_told_open || !p->has_opened)
		p->before.is_there = false;
	if (p->is_told_open && !p->before.is_there)
		p->has_opened = false;
}

static bool has_news(struct news *p)
{
	reduce(p);
	return p->before.is_there || p->has_opened || p->after.is_there;
}

static void tell_ending(struct stream_news *n, struct news *p, struct ending *e,
			struct stream_news_item *out)
{
	n->current = *e;
	e->is_there = false;
	out->what = p->is_told_open ? FED__STREAM_EVENT__WHAT__CLOSED
				    : FED__STREAM_EVENT__WHAT__FAILED;
	out->is_in_order = n->current.is_in_order;
	out->reason = n->current.reason;
	p->is_told_open = false;
}

/* The oldest of what it has. */
static void tell(struct stream_news *n, struct news *p,
		 struct stream_news_item *out)
{
	*out = (struct stream_news_item){.pair = {p->local, p->remote},
					 .is_inbound = p->is_inbound,
					 .reason = ""};
	if (p->before.is_there) {
		tell_ending(n, p, &p->before, out);
	} else if (p->has_opened) {
		p->has_opened = false;
		p->is_told_open = true;
		out->what = FED__STREAM_EVENT__WHAT__OPENED;
	} else {
		tell_ending(n, p, &p->after, out);
	}
}

/* It has said all, or nothing was left of it. */
static void rest(struct stream_news *n, struct news *p, uint64_t now_ms)
{
	DL_DELETE(n->ready, p);
	p->state = NEWS_RESTING;
	p->rest_ms = now_ms + LIMIT_STREAM_NEWS_MS;
	DL_APPEND(n->resting, p);
}

static void wake_rested(struct stream_news *n, uint64_t now_ms)
{
	struct news *p;

	while ((p = n->resting) != NULL && p->rest_ms <= now_ms) {
		DL_DELETE(n->resting, p);
		p->state = NEWS_QUIET;
		if (has_news(p))
			make_ready(n, p);
		else if (p->open == 0)
			forget(n, p);
	}
}

bool stream_news_next(struct stream_news *n, struct stream_news_item *item_out,
		      uint64_t now_ms)
{
	struct news *p;

	wake_rested(n, now_ms);
	while ((p = n->ready) != NULL && !has_news(p))
		rest(n, p, now_ms);
	n->retry_ms = UINT64_MAX;
	if (p == NULL)
		return false;
	/* LIMIT: all pairs together */
	if (!ratelimit_take(&n->rate, now_ms)) {
		n->retry_ms = now_ms + NEWS_WAIT_MS;
		return false;
	}
	tell(n, p, item_out);
	return true;
}

uint64_t stream_news_deadline_ms(const struct stream_news *n)
{
	uint64_t at = n->ready != NULL ? n->retry_ms : UINT64_MAX;

	if (n->resting != NULL && n->resting->rest_ms < at)
		at = n->resting->rest_ms;
	return at;
}
