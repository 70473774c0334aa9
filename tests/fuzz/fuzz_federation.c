/* Any records as changes of the configuration: it is taken whole or refused
 * with a sentence, what is in it is normalized and reads to the same, and what
 * is asked of it and pushed from it fits together. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "chan/proto_arena.h"
#include "fe-gateway/core/access.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS = 64, ARENA_BYTES = 16 * 1024 * 1024 };

struct rig {
	struct federation *f;
	struct arena a;
	struct proto_arena memory;
	Fed__Record *put[RECORDS], *remove[RECORDS];
	size_t put_count, remove_count;
};

/* One line for a person. */
static void require_sentence(const char *text)
{
	struct span s = span_str(text);

	FED_REQUIRE(s.n > 0);
	for (size_t i = 0; i < s.n; i++)
		FED_REQUIRE((unsigned char)s.p[i] >= ' ');
}

/* All records once more, into nothing: they are what they were. */
static void require_stable(struct rig *t)
{
	struct federation_edit edit = {.replaces_all = true};
	struct federation *again = NULL;
	struct federation_walk w =
		federation_walk(t->f, FED__RECORD__KIND__NOT_SET);
	const Fed__Record *r;
	Fed__Record **all =
		arena_alloc(&t->a, (federation_count(t->f) + 1) * sizeof(*all));
	Fed__Change **changes;
	struct errbuf e;
	size_t n;

	FED_REQUIRE(all != NULL);
	while ((r = federation_walk_next(t->f, &w)) != NULL)
		all[edit.put_count++] = (Fed__Record *)(uintptr_t)r;
	FED_REQUIRE(edit.put_count == federation_count(t->f));
	edit.put = all;
	FED_REQUIRE(federation_new(&again, NULL, &edit, NULL, NULL, &e) == 0);
	FED_REQUIRE(federation_diff(t->f, again, &t->a, &changes, &n) == 0);
	FED_REQUIRE(n == 0);
	federation_free(again);
}

/* A partner has the domains that it names, and may be asked about. */
static void require_partner(struct rig *t, const Fed__PartnerRecord *p,
			    const char *name)
{
	struct access_query q = {.direction = ACCESS_TO_XMPP,
				 .local = SPAN_LIT("a@example.net"),
				 .remote = span_str(name)};
	struct access_verdict v;
	Fed__AdminResponse out;
	size_t bad = 0;

	if (name[0] == '*')
		return;
	FED_REQUIRE(federation_partner(t->f, span_str(name)) == p);
	v = access_decide(t->f, &q);
	FED_REQUIRE(v.partner == p);
	fed__admin_response__init(&out);
	FED_REQUIRE(access_explain(t->f, &q, &t->a, &out) == 0);
	require_sentence(out.verdict);
	for (size_t i = 0; i < out.n_finding; i++) {
		require_sentence(out.finding[i]->text);
		bad += out.finding[i]->level == FED__FINDING__LEVEL__BAD;
	}
	/* the words say what the decision does */
	FED_REQUIRE(v.is_legacy || (bad == 0) == (v.gate == ACCESS_GATES));
}

static void require_keys(struct rig *t)
{
	char key[2][FEDERATION_KEY_BYTES] = {"", ""};
	struct federation_walk w =
		federation_walk(t->f, FED__RECORD__KIND__NOT_SET);
	const Fed__Record *r;
	int at = 0;

	while ((r = federation_walk_next(t->f, &w)) != NULL) {
		FED_REQUIRE(federation_key(r, key[at]) > 0);
		FED_REQUIRE(strcmp(key[at], key[!at]) > 0);
		FED_REQUIRE(federation_find(t->f, key[at]) == r);
		at = !at;
		if (r->kind_case != FED__RECORD__KIND_PARTNER)
			continue;
		require_partner(t, r->partner, r->partner->domain);
		for (size_t i = 0; i < r->partner->n_additional; i++)
			require_partner(t, r->partner,
					r->partner->additional[i]);
	}
}

static void require_push(struct rig *t)
{
	Fed__Config *c = NULL;
	struct errbuf e;

	FED_REQUIRE(federation_push(t->f, NULL, 0, &t->a, &c, &e) == 0);
	for (size_t i = 0; i < c->n_partner; i++) {
		const Fed__Partner *p = c->partner[i];

		FED_REQUIRE(p->connection_limit > 0 &&
			    p->dialback != FED__NEED__REQUIRED);
		if (p->domain[0] != '*')
			FED_REQUIRE(strcmp(federation_partner(
						   t->f, span_str(p->domain))
						   ->domain,
					   p->name) == 0);
	}
}

static void apply(struct rig *t, bool replaces_all)
{
	struct federation_edit edit = {.put = t->put,
				       .put_count = t->put_count,
				       .remove = t->remove,
				       .remove_count = t->remove_count,
				       .replaces_all = replaces_all};
	struct federation_warnings w = {NULL, 0};
	struct federation *next = NULL;
	struct errbuf e;

	if (federation_new(&next, t->f, &edit, &t->a, &w, &e) == 0) {
		federation_free(t->f);
		t->f = next;
		for (size_t i = 0; i < w.count; i++)
			require_sentence(w.text[i]);
		require_stable(t);
		require_keys(t);
		require_push(t);
	} else {
		require_sentence(e.text);
	}
	t->put_count = 0;
	t->remove_count = 0;
	arena_reset(&t->a);
}

static void take(struct rig *t, struct span bytes, bool is_put)
{
	size_t *count = is_put ? &t->put_count : &t->remove_count;
	Fed__Record *r;

	if (*count == RECORDS)
		return;
	r = fed__record__unpack(&t->memory.allocator, bytes.n,
				(const uint8_t *)bytes.p);
	if (r != NULL)
		(is_put ? t->put : t->remove)[(*count)++] = r;
}

/* 'p' or 'r', two bytes of length and a record: put, remove; 'a': apply, 'A':
 * in the place of all. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct rig t = {.f = NULL};

	arena_init(&t.a, ARENA_BYTES);
	proto_arena_init(&t.memory, &t.a);
	while (in.n > 0) {
		char op = in.p[0];
		size_t n;

		in = span_sub(in, 1, in.n);
		if (op == 'a' || op == 'A') {
			apply(&t, op == 'A');
			continue;
		}
		if ((op != 'p' && op != 'r') || in.n < 2)
			break;
		n = (size_t)(uint8_t)in.p[0] << 8 | (uint8_t)in.p[1];
		in = span_sub(in, 2, in.n);
		take(&t, span_sub(in, 0, n), op == 'p');
		in = span_sub(in, n, in.n);
	}
	apply(&t, false);
	federation_free(t.f);
	arena_deinit(&t.a);
	return 0;
}
