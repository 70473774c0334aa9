/* Snapshots: an edit of one makes the next. */
#include "fe-gateway/core/federation_priv.h"

#include <stdlib.h>
#include <string.h>

/* An edit on its way. */
struct build {
	struct federation_check check;
	const struct federation *base;
	struct federation_held **put; /* by key, in the end */
	size_t put_count;
	char *gone; /* of each record of the base: enum */
	bool is_less;
};

enum { STAYS, REPLACED, REMOVED };

/* One record with its names normalized. */
#define SCRATCH_BYTES (1024u * 1024u)

/* --- what is put -----------------------------------------------------------
 */

/* That of the base, when nothing is different: changes are seen by pointer. */
static struct federation_held *held_for(const struct federation *base,
					const Fed__Record *r, struct span key)
{
	struct federation_node *n = NULL;

	if (base != NULL)
		HASH_FIND(hh, base->by_key, key.p, key.n, n);
	if (n != NULL && federation_record_eq(n->held->record, r)) {
		n->held->refs++;
		return n->held;
	}
	return federation_held_new(r, key);
}

static int put_one(struct build *b, const Fed__Record *r)
{
	char key[FEDERATION_KEY_BYTES];
	const Fed__Record *normal = NULL;
	struct federation_held *h;
	size_t n;
	int err = federation_normalize(&b->check, r, false, &normal);

	if (err != 0)
		return err;
	n = federation_key(normal, key);
	err = federation_check_record(&b->check, normal);
	if (err != 0)
		return err;
	h = held_for(b->base, normal, span_of(key, n));
	if (h == NULL)
		return FED_ENOMEM;
	b->put[b->put_count++] = h;
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct federation_held *const *x = a;
	const struct federation_held *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static int put_all(struct build *b, const struct federation_edit *edit)
{
	int err = 0;

	b->put = calloc(edit->put_count + 1, sizeof(void *));
	if (b->put == NULL)
		return FED_ENOMEM;
	for (size_t i = 0; i < edit->put_count && err == 0; i++) {
		err = put_one(b, edit->put[i]);
		arena_reset(b->check.scratch);
	}
	if (err != 0)
		return err;
	qsort(b->put, b->put_count, sizeof(void *), by_key);
	for (size_t i = 1; i < b->put_count; i++)
		if (by_key(&b->put[i - 1], &b->put[i]) == 0) {
			federation_check_name(&b->check, b->put[i]->key);
			return federation_complain(&b->check, NULL,
						   "it is there twice");
		}
	return 0;
}

/* --- what goes -------------------------------------------------------------
 */

static int remove_one(struct build *b, const Fed__Record *r)
{
	char key[FEDERATION_KEY_BYTES];
	const Fed__Record *normal = NULL;
	struct federation_node *n = NULL;
	size_t key_n;
	int err = federation_normalize(&b->check, r, true, &normal);

	if (err != 0)
		return err;
	key_n = federation_key(normal, key);
	if (b->base != NULL && key_n > 0)
		HASH_FIND(hh, b->base->by_key, key, key_n, n);
	if (n == NULL)
		return federation_complain_missing(&b->check, key);
	b->gone[n - b->base->nodes] = REMOVED;
	return 0;
}

static int remove_all(struct build *b, const struct federation_edit *edit)
{
	size_t count = federation_count(b->base);
	int err = 0;

	b->gone = calloc(count + 1, 1);
	if (b->gone == NULL)
		return FED_ENOMEM;
	for (size_t i = 0; i < count && edit->replaces_all; i++)
		if (b->base->nodes[i].held->record->kind_case !=
		    FED__RECORD__KIND_MOVER)
			b->gone[i] = REPLACED;
	for (size_t i = 0; i < edit->remove_count && err == 0; i++) {
		err = remove_one(b, edit->remove[i]);
		arena_reset(b->check.scratch);
	}
	return err;
}

/* --- both together ---------------------------------------------------------
 */

static void add(struct federation *f, struct federation_held *h)
{
	h->refs++;
	f->nodes[f->count++].held = h;
	f->kind_count[h->record->kind_case]++;
}

static int put_and_removed(struct build *b, const char *key)
{
	federation_check_name(&b->check, key);
	return federation_complain(&b->check, NULL,
				   "it is put and removed in one change");
}

/* A record of the base that nothing takes the place of. */
static void pass(struct build *b, struct federation *f, size_t i)
{
	struct federation_held *h = b->base->nodes[i].held;

	if (b->gone[i] == STAYS)
		add(f, h);
	else if (h->record->kind_case == FED__RECORD__KIND_POLICY ||
		 h->record->kind_case == FED__RECORD__KIND_SITE)
		b->is_less = true;
}

static int merge(struct build *b, struct federation *f)
{
	size_t base_count = federation_count(b->base);
	size_t i = 0;

	f->nodes = calloc(base_count + b->put_count + 1, sizeof(*f->nodes));
	if (f->nodes == NULL)
		return FED_ENOMEM;
	for (size_t j = 0; j < b->put_count; j++) {
		const char *key = b->put[j]->key;
		int order = 1;

		while (i < base_count &&
		       (order = strcmp(b->base->nodes[i].held->key, key)) < 0)
			pass(b, f, i++);
		if (i < base_count && order == 0) {
			if (b->gone[i++] == REMOVED)
				return put_and_removed(b, key);
		}
		add(f, b->put[j]);
	}
	while (i < base_count)
		pass(b, f, i++);
	return 0;
}

static int hash_keys(struct federation *f)
{
	for (size_t i = 0; i < f->count; i++) {
		struct federation_node *n = &f->nodes[i];

		HASH_ADD_KEYPTR(hh, f->by_key, n->held->key, n->held->key_n, n);
		if (n->hh.tbl == NULL)
			return FED_ENOMEM;
	}
	return 0;
}

static void set_settings(struct federation *f)
{
	const Fed__Record *r = federation_find(f, "settings");

	f->settings = r != NULL ? r->settings : federation_settings(NULL);
	federation_partner_init(&f->anyone);
	f->anyone_domain[0] = '*';
	f->anyone.domain = f->anyone_domain;
}

static int check_all(struct build *b, const struct federation *f)
{
	int err = federation_check_whole(&b->check, f, b->put, b->put_count,
					 b->is_less);

	for (size_t i = 0; i < b->put_count && err == 0; i++) {
		const struct federation_held *h = b->put[i];

		if (federation_held_of(b->base, span_of(h->key, h->key_n)) == h)
			continue;
		federation_check_name(&b->check, h->key);
		err = federation_check_doubts(&b->check, f, h->record);
	}
	if (err == 0)
		err = federation_check_resets(&b->check, f);
	return err;
}

static int build(struct build *b, const struct federation_edit *edit,
		 struct federation *f)
{
	int err = put_all(b, edit);

	if (err == 0)
		err = remove_all(b, edit);
	if (err == 0)
		err = merge(b, f);
	if (err == 0)
		err = hash_keys(f);
	if (err != 0)
		return err;
	set_settings(f);
	err = federation_index(&b->check, f);
	return err == 0 ? check_all(b, f) : err;
}

static void build_deinit(struct build *b)
{
	for (size_t i = 0; i < b->put_count; i++)
		federation_held_unref(b->put[i]);
	free(b->put);
	free(b->gone);
	arena_deinit(b->check.scratch);
}

int federation_new(struct federation **f_out, const struct federation *base,
		   const struct federation_edit *edit, struct arena *a,
		   struct federation_warnings *w, struct errbuf *e)
{
	struct arena scratch;
	struct build b = {
		.check = {base, &scratch, a, w, e, "", edit->is_exact},
		.base = base,
	};
	struct federation *f = calloc(1, sizeof(*f));
	int err = FED_ENOMEM;

	*f_out = NULL;
	arena_init(&scratch, SCRATCH_BYTES);
	errbuf_set(e, "out of memory");
	if (f != NULL)
		err = build(&b, edit, f);
	build_deinit(&b);
	if (err != 0) {
		federation_free(f);
		return err;
	}
	errbuf_set(e, "%s", "");
	*f_out = f;
	return 0;
}

void federation_free(struct federation *f)
{
	if (f == NULL)
		return;
	HASH_CLEAR(hh, f->by_key);
	HASH_CLEAR(hh, f->partners);
	HASH_CLEAR(hh, f->sites);
	for (size_t i = 0; i < f->count; i++)
		federation_held_unref(f->nodes[i].held);
	free(f->nodes);
	free(f->names);
	free(f);
}

/* --- differences -----------------------------------------------------------
 */

static int add_change(struct arena *a, const struct federation_held *before,
		      const struct federation_held *after, void ***changes,
		      size_t *count)
{
	Fed__Change *c;

	/* the same record, or one that says the same */
	if (before == after ||
	    (before != NULL && after != NULL &&
	     federation_record_eq(before->record, after->record)))
		return 0;
	c = arena_alloc(a, sizeof(*c));
	if (c == NULL)
		return FED_ENOMEM;
	fed__change__init(c);
	/* a message only borrows */
	c->before = before != NULL ? (Fed__Record *)(uintptr_t)before->record
				   : NULL;
	c->after =
		after != NULL ? (Fed__Record *)(uintptr_t)after->record : NULL;
	return arena_append(a, changes, count, c);
}

static const struct federation_held *held_at(const struct federation *f,
					     size_t i)
{
	return f != NULL && i < f->count ? f->nodes[i].held : NULL;
}

static int order_of(const struct federation_held *a,
		    const struct federation_held *b)
{
	if (a == NULL || b == NULL)
		return a == NULL ? 1 : -1;
	return a == b ? 0 : strcmp(a->key, b->key);
}

int federation_diff(const struct federation *before,
		    const struct federation *after, struct arena *a,
		    Fed__Change ***changes_out, size_t *count_out)
{
	const struct federation_held *x = held_at(before, 0);
	const struct federation_held *y = held_at(after, 0);
	void **changes = NULL;
	size_t i = 0;
	size_t j = 0;
	int err = 0;

	*count_out = 0;
	while ((x != NULL || y != NULL) && err == 0) {
		int order = order_of(x, y);

		err = add_change(a, order <= 0 ? x : NULL,
				 order >= 0 ? y : NULL, &changes, count_out);
		if (order <= 0)
			x = held_at(before, ++i);
		if (order >= 0)
			y = held_at(after, ++j);
	}
	*changes_out = (Fed__Change **)changes;
	return err;
}
