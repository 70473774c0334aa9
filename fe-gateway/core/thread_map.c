/* One bounded table; kinds are told apart by the first byte of the key. */
#include "fe-gateway/core/thread_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/map.h"

enum { KIND_THREAD = 'T', KIND_TYPE = 'C' };

/* What is digested: most of it fits without an allocation. */
enum { LENGTH_BYTES = 4, SMALL_KEY_BYTES = 512 };

struct entry {
	UT_hash_handle hh;
	uint8_t key[SHA256_BYTES];
	bool is_chat;
	size_t text_n;
	char text[]; /* KIND_THREAD: the thread */
};

struct thread_map {
	struct entry *table; /* in order of use, oldest first */
	size_t max;
};

int thread_map_new(struct thread_map **m_out, size_t max)
{
	struct thread_map *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return FED_ENOMEM;
	m->max = max;
	*m_out = m;
	return 0;
}

static void drop(struct thread_map *m, struct entry *e)
{
	HASH_DELETE(hh, m->table, e);
	free(e);
}

void thread_map_free(struct thread_map *m)
{
	struct entry *e = NULL;
	struct entry *tmp = NULL;

	if (m == NULL)
		return;
	HASH_ITER (hh, m->table, e, tmp) {
		drop(m, e);
	}
	free(m);
}

size_t thread_map_count(const struct thread_map *m)
{
	return HASH_COUNT(m->table);
}

static bool is_word_char(char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z'))
		return true;
	return c != '\0' && strchr("-.!%*_+`'~()<>:\\\"/[]?{}", c) != NULL;
}

bool thread_is_call_id(struct span thread)
{
	size_t at_count = 0;

	if (thread.n == 0 || thread.n > LIMIT_CALL_ID_BYTES)
		return false;
	for (size_t i = 0; i < thread.n; i++) {
		if (thread.p[i] == '@')
			at_count++;
		else if (!is_word_char(thread.p[i]))
			return false;
	}
	return at_count == 0 || (at_count == 1 && thread.p[0] != '@' &&
				 thread.p[thread.n - 1] != '@');
}

/* Big-endian, as every gateway writes it. */
static char *put_length(char *p, size_t n)
{
	*p++ = (char)(n >> 24);
	*p++ = (char)(n >> 16);
	*p++ = (char)(n >> 8);
	*p++ = (char)n;
	return p;
}

static char *put_bytes(char *p, struct span s)
{
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p + s.n;
}

/* Digest of kind and three fields; lengths in front, so that no two sets of
 * fields give the same input. */
static int make_key(char kind, struct span xmpp, struct span sip,
		    struct span what, uint8_t out[SHA256_BYTES])
{
	size_t n = 1 + 3 * (size_t)LENGTH_BYTES + xmpp.n + sip.n + what.n;
	char small[SMALL_KEY_BYTES];
	char *text = n <= sizeof(small) ? small : malloc(n);
	char *p = text;
	int err;

	if (text == NULL)
		return FED_ENOMEM;
	*p++ = kind;
	p = put_length(p, xmpp.n);
	p = put_length(p, sip.n);
	p = put_length(p, what.n);
	p = put_bytes(p, xmpp);
	p = put_bytes(p, sip);
	p = put_bytes(p, what);
	err = digest_sha256(span_of(text, (size_t)(p - text)), out);
	if (text != small)
		free(text);
	return err;
}

/* Found entries become the newest. */
static struct entry *find(struct thread_map *m, const uint8_t *key)
{
	struct entry *e;

	HASH_FIND(hh, m->table, key, SHA256_BYTES, e);
	return e;
}

static struct entry *touch(struct thread_map *m, const uint8_t *key)
{
	struct entry *e = find(m, key);

	if (e == NULL)
		return NULL;
	HASH_DELETE(hh, m->table, e);
	HASH_ADD(hh, m->table, key, SHA256_BYTES, e);
	if (e->hh.tbl == NULL) {
		free(e);
		return NULL;
	}
	return e;
}

/* LIMIT: peers invent threads; the one unused for longest goes. */
static struct entry *add(struct thread_map *m, const uint8_t *key,
			 struct span text)
{
	struct entry *e;

	if (m->max == 0)
		return NULL;
	if (HASH_COUNT(m->table) >= m->max)
		drop(m, m->table);
	e = calloc(1, sizeof(*e) + text.n);
	if (e == NULL)
		return NULL;
	memcpy(e->key, key, SHA256_BYTES);
	e->text_n = text.n;
	if (text.n > 0)
		memcpy(e->text, text.p, text.n);
	HASH_ADD(hh, m->table, key, SHA256_BYTES, e);
	if (e->hh.tbl == NULL) {
		free(e);
		return NULL;
	}
	return e;
}

const char *thread_map_call_id(struct thread_map *m, struct span xmpp,
			       struct span sip, struct span thread,
			       struct arena *a)
{
	uint8_t key[SHA256_BYTES];
	char hex[SHA256_HEX_BYTES + 1];

	if (thread_is_call_id(thread))
		return arena_dup(a, thread);
	if (make_key(KIND_THREAD, xmpp, sip, thread, key) != 0)
		return NULL;
	digest_hex(key, ID_RAW_BYTES, hex);
	/* the way back is found by users and Call-ID */
	if (make_key(KIND_THREAD, xmpp, sip, span_str(hex), key) != 0)
		return NULL;
	if (touch(m, key) == NULL && thread.n <= LIMIT_THREAD_BYTES)
		(void)add(m, key, thread);
	return arena_dup(a, span_str(hex));
}

struct span thread_map_thread(struct thread_map *m, struct span xmpp,
			      struct span sip, struct span call_id)
{
	uint8_t key[SHA256_BYTES];
	struct entry *e;

	/* no digest of ours: nothing to look up */
	if (call_id.n != 2 * (size_t)ID_RAW_BYTES)
		return call_id;
	if (make_key(KIND_THREAD, xmpp, sip, call_id, key) != 0)
		return call_id;
	e = touch(m, key);
	return e != NULL ? span_of(e->text, e->text_n) : call_id;
}

void thread_map_note_type(struct thread_map *m, struct span xmpp,
			  struct span sip, bool is_chat)
{
	uint8_t key[SHA256_BYTES];
	struct entry *e;

	if (make_key(KIND_TYPE, xmpp, sip, SPAN_NULL, key) != 0)
		return;
	e = touch(m, key);
	if (e == NULL && is_chat)
		e = add(m, key, SPAN_NULL);
	if (e != NULL)
		e->is_chat = is_chat;
}

bool thread_map_is_chat(struct thread_map *m, struct span xmpp, struct span sip)
{
	uint8_t key[SHA256_BYTES];
	struct entry *e;

	if (make_key(KIND_TYPE, xmpp, sip, SPAN_NULL, key) != 0)
		return false;
	e = find(m, key);
	return e != NULL && e->is_chat;
}
