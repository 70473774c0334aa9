/* The store's part for the federation configuration: revisions, questions. */
#include <utlist.h>

#include "base/limits.h"
#include "fe-gateway/store_priv.h"

/* --- reading at the start ------------------------------------------------- */

struct federation_load {
	struct store *s;
	const struct store_federation_reader *fn;
	void *arg;
};

static int on_newest(const struct federation_revision_row *r, void *arg)
{
	struct federation_load *l = arg;

	l->s->put_revision = r->number;
	return l->fn->on_revision(r, l->arg);
}

static int on_record(struct span key, struct span record, void *arg)
{
	struct federation_load *l = arg;

	return l->fn->on_record(key, record, l->arg);
}

int store_load_federation(struct store *s,
			  const struct store_federation_reader *fn, void *arg)
{
	static const struct store_federation_reader ours = {on_newest,
							    on_record};
	struct federation_load l = {s, fn, arg};
	int err;

	if (s->is_put)
		return FED_ESTATE;
	store_hold(s, true);
	err = s->backend->ops->load_federation(s->backend, &ours, &l);
	store_hold(s, false);
	s->knows_revision = err == 0;
	return err;
}

/* --- revisions ------------------------------------------------------------ */

/* Under the lock.  The last batch, or NULL when it is full. */
static struct store_batch *last_batch(struct store_shared *sh)
{
	struct store_batch *b = sh->waiting != NULL ? sh->waiting->prev : NULL;

	return b != NULL && b->count < LIMIT_STORE_BATCH ? b : NULL;
}

/* Under the lock. */
static int add_revision(struct store *s, struct store_revision *r)
{
	struct store_shared *sh = &s->shared;
	struct store_batch *b = last_batch(sh);

	if (s->pending_rows >= LIMIT_STORE_PENDING ||
	    s->pending_bytes + r->bytes > LIMIT_STORE_PENDING_BYTES)
		return FED_EAGAIN;
	if (b == NULL) {
		b = store_batch_new();
		if (b == NULL)
			return FED_ENOMEM;
		DL_APPEND(sh->waiting, b);
	}
	s->pending_rows++;
	s->pending_bytes += r->bytes;
	store_batch_put_revision(b, r);
	return 0;
}

int store_put_revision(struct store *s, const struct federation_revision_row *r)
{
	struct store_revision *copy = NULL;
	int err;

	if (!FED_CHECK(s->knows_revision))
		return FED_ESTATE;
	if (!FED_CHECK(r->number > s->put_revision &&
		       r->number <= FEDERATION_REVISION_MAX))
		return FED_EINVAL;
	err = store_revision_new(&copy, r);
	if (err != 0)
		return err;
	store_lock(s);
	err = add_revision(s, copy);
	(void)pthread_cond_signal(&s->shared.changed);
	store_unlock(s);
	if (err != 0) {
		store_revision_free(copy);
		return err;
	}
	s->put_revision = r->number;
	s->is_put = true;
	return 0;
}

/* --- waiting and asking --------------------------------------------------- */

int store_sync(struct store *s, struct errbuf *why)
{
	struct store_shared *sh = &s->shared;
	bool is_broken;

	store_lock(s);
	while (!sh->is_broken && (sh->waiting != NULL || sh->is_busy))
		(void)pthread_cond_wait(&sh->changed, &sh->lock);
	is_broken = sh->is_broken;
	if (is_broken)
		*why = sh->why;
	store_unlock(s);
	if (is_broken)
		return FED_EIO;
	store_report(s);
	return 0;
}

int store_ask(struct store *s, const struct store_ask *ask,
	      void (*fn)(const struct store_answer *a, void *arg), void *arg,
	      struct store_question **q_out)
{
	int err = store_questions_add(&s->questions, ask, fn, arg, q_out);

	if (err != 0)
		return err;
	store_lock(s);
	s->shared.is_asked = true;
	(void)pthread_cond_signal(&s->shared.changed);
	store_unlock(s);
	return 0;
}
