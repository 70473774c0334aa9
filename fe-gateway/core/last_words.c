/* A table by edge, direction and domain, and for each edge a list by age. */
#include "fe-gateway/core/last_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/map.h"

#include <utlist.h>

enum { KEY_MAX = LIMIT_DOMAIN_BYTES + 32 };

struct entry {
	UT_hash_handle hh;
	struct entry *prev, *next;
	size_t edge;
	struct last_word word;
	char key[];
};

struct edge {
	struct entry *ages; /* the newest is last */
	size_t count;
};

struct last_words {
	struct entry *table;
	struct edge edges[LIMIT_CHANNEL_SESSIONS];
};

static size_t print_key(char key[KEY_MAX], size_t edge, struct span domain,
			bool is_inbound)
{
	int n = snprintf(key, KEY_MAX, "%zu %d %.*s", edge, is_inbound,
			 (int)domain.n, domain.p != NULL ? domain.p : "");

	return n > 0 && n < KEY_MAX ? (size_t)n : 0;
}

static void drop(struct last_words *w, struct entry *e)
{
	HASH_DELETE(hh, w->table, e);
	DL_DELETE(w->edges[e->edge].ages, e);
	w->edges[e->edge].count--;
	free(e->word.reason);
	free(e);
}

static struct entry *find(const struct last_words *w, const char *key, size_t n)
{
	struct entry *e = NULL;

	HASH_FIND(hh, w->table, key, n, e);
	return e;
}

int last_words_new(struct last_words **w_out)
{
	*w_out = calloc(1, sizeof(**w_out));
	return *w_out != NULL ? 0 : FED_ENOMEM;
}

void last_words_free(struct last_words *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < LIMIT_CHANNEL_SESSIONS; i++)
		last_words_forget(w, i);
	free(w);
}

/* LIMIT: an edge that invents domains.  Who has most gives, so that up to an
 * equal share nobody loses words by those of others. */
static void drop_oldest(struct last_words *w)
{
	struct edge *most = &w->edges[0];

	for (size_t i = 1; i < LIMIT_CHANNEL_SESSIONS; i++)
		if (w->edges[i].count > most->count)
			most = &w->edges[i];
	drop(w, most->ages);
}

/* In the table, the newest; NULL: no memory. */
static struct entry *add(struct last_words *w, size_t edge, const char *key,
			 size_t n)
{
	struct entry *e = calloc(1, sizeof(*e) + n + 1);

	if (e == NULL)
		return NULL;
	memcpy(e->key, key, n);
	HASH_ADD_KEYPTR(hh, w->table, e->key, n, e);
	if (e->hh.tbl == NULL) {
		free(e);
		return NULL;
	}
	e->edge = edge;
	DL_APPEND(w->edges[edge].ages, e);
	w->edges[edge].count++;
	return e;
}

void last_words_note(struct last_words *w, size_t edge,
		     const Fed__StreamEvent *ev, uint64_t now_ms)
{
	char key[KEY_MAX];
	size_t n = print_key(key, edge, span_str(ev->peer_domain), ev->inbound);
	char *reason;
	struct entry *e;

	if (!FED_CHECK(edge < LIMIT_CHANNEL_SESSIONS))
		return;
	reason = span_dup(span_str(ev->reason));
	if (n == 0 || reason == NULL) {
		free(reason);
		return;
	}
	e = find(w, key, n);
	if (e != NULL)
		drop(w, e);
	e = add(w, edge, key, n);
	if (e == NULL) {
		free(reason);
		return;
	}
	e->word = (struct last_word){ev->what, now_ms, reason};
	if (HASH_COUNT(w->table) > LIMIT_LAST_WORDS)
		drop_oldest(w);
}

void last_words_forget(struct last_words *w, size_t edge)
{
	if (!FED_CHECK(edge < LIMIT_CHANNEL_SESSIONS))
		return;
	while (w->edges[edge].ages != NULL)
		drop(w, w->edges[edge].ages);
}

const struct last_word *last_words_find(const struct last_words *w, size_t edge,
					struct span domain, bool is_inbound)
{
	char key[KEY_MAX];
	size_t n = print_key(key, edge, domain, is_inbound);
	struct entry *e = n > 0 ? find(w, key, n) : NULL;

	return e != NULL ? &e->word : NULL;
}
