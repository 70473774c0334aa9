/*
 * The store above what keeps the rows: a queue of batches, one writer thread,
 * and the way back into the loop.
 *
 * New rows go into the last batch until it is full; the writer takes the first
 * one whole, so what is on disk is always all that was put up to some number.
 * libuv's pool is not used: TLS handshakes queue there.
 */
#include "fe-gateway/store_priv.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#include "base/limits.h"

static uint64_t monotonic_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static struct timespec timespec_of(uint64_t ms)
{
	return (struct timespec){(time_t)(ms / 1000),
				 (long)(ms % 1000) * 1000000};
}

/* Neither fails on a mutex that is used as ours is. */
void store_lock(struct store *s)
{
	(void)pthread_mutex_lock(&s->shared.lock);
}

void store_unlock(struct store *s)
{
	(void)pthread_mutex_unlock(&s->shared.lock);
}

/* --- the writer's thread -------------------------------------------------- */

/* The next batch; NULL: there was none for a while, or there is none any more,
 * which is false. */
static bool take(struct store *s, struct store_batch **b_out)
{
	struct store_shared *sh = &s->shared;
	struct timespec until =
		timespec_of(monotonic_ms() + LIMIT_STORE_LOOK_MS);
	bool is_end;
	int rc = 0;

	store_lock(s);
	sh->is_busy = false;
	(void)pthread_cond_broadcast(&sh->changed);
	while (sh->is_held || (sh->waiting == NULL && !sh->is_asked &&
			       !sh->is_closing && rc == 0))
		rc = sh->is_held ? pthread_cond_wait(&sh->changed, &sh->lock)
				 : pthread_cond_timedwait(&sh->changed,
							  &sh->lock, &until);
	*b_out = sh->waiting;
	if (*b_out != NULL)
		DL_DELETE(sh->waiting, *b_out);
	is_end = *b_out == NULL && sh->is_closing;
	sh->is_asked = false;
	sh->is_busy = true;
	store_unlock(s);
	return !is_end;
}

static void tell_broken(struct store *s, const struct errbuf *why)
{
	store_lock(s);
	s->shared.is_broken = true;
	s->shared.was_broken = true;
	s->shared.why = *why;
	store_unlock(s);
	loop_wake_send(s->wake);
}

/* b is NULL: nothing was to be written. */
static void tell_done(struct store *s, const struct store_batch *b)
{
	bool is_news;

	store_lock(s);
	is_news = b != NULL || s->shared.is_broken;
	s->shared.is_broken = false;
	if (b != NULL) {
		/* of what it has none, nothing is said */
		if (b->seq != 0)
			s->shared.done_seq = b->seq;
		if (b->revision != 0)
			s->shared.done_revision = b->revision;
		s->shared.done_rows += b->count;
		s->shared.done_bytes += b->bytes;
	}
	store_unlock(s);
	if (is_news)
		loop_wake_send(s->wake);
}

/* Let the time pass.  The end of the program is no time to wait long: at its
 * begin once more, then often.  False: it must not wait for us any longer. */
static bool may_try_again(struct store *s, unsigned wait_ms)
{
	struct store_shared *sh = &s->shared;
	struct timespec until;
	bool was_closing;
	bool is_late;
	int rc = 0;

	store_lock(s);
	sh->is_busy = false;
	(void)pthread_cond_broadcast(&sh->changed);
	was_closing = sh->is_closing;
	until = timespec_of(monotonic_ms() +
			    (was_closing ? LIMIT_STORE_RETRY_MIN_MS : wait_ms));
	while (rc == 0 && sh->is_closing == was_closing)
		rc = pthread_cond_timedwait(&sh->changed, &sh->lock, &until);
	while (sh->is_held)
		(void)pthread_cond_wait(&sh->changed, &sh->lock);
	sh->is_busy = true;
	is_late = sh->is_closing && monotonic_ms() >= sh->give_up_ms;
	store_unlock(s);
	return !is_late;
}

static int try_once(struct store *s, const struct store_batch *b,
		    struct errbuf *why)
{
	struct store_backend *backend = s->backend;

	return b != NULL ? backend->ops->write(backend, b, why)
			 : backend->ops->look(backend, why);
}

static void answer_all(struct store *s)
{
	struct store_question *q;
	bool is_any = false;

	while ((q = store_questions_take(&s->questions)) != NULL) {
		s->backend->ops->answer(s->backend, &q->ask, &q->arena,
					&q->answer);
		store_questions_done(&s->questions, q);
		is_any = true;
	}
	if (is_any)
		loop_wake_send(s->wake);
}

/* Until it can. */
static bool write_batch(struct store *s, const struct store_batch *b)
{
	unsigned wait_ms = LIMIT_STORE_RETRY_MIN_MS;
	struct errbuf why = {.text = ""};

	while (try_once(s, b, &why) != 0) {
		tell_broken(s, &why);
		if (!may_try_again(s, wait_ms))
			return false;
		answer_all(s);
		wait_ms *= 2;
		if (wait_ms > LIMIT_STORE_RETRY_MAX_MS)
			wait_ms = LIMIT_STORE_RETRY_MAX_MS;
	}
	return true;
}

/* At the end it looks once more. */
static void *run_writer(void *arg)
{
	struct store *s = arg;
	struct store_batch *b;
	bool is_last = false;
	bool is_written = true;

	while (is_written && !is_last) {
		is_last = !take(s, &b);
		answer_all(s);
		is_written = write_batch(s, b);
		if (is_written)
			tell_done(s, b);
		store_batch_free(b);
	}
	return NULL;
}

/* --- back in the loop ----------------------------------------------------- */

void store_report(struct store *s)
{
	struct store_shared *sh = &s->shared;
	struct errbuf why;
	bool was_broken;
	bool is_broken;
	uint64_t seq;
	uint64_t revision;

	store_lock(s);
	seq = sh->done_seq;
	revision = sh->done_revision;
	s->pending_rows -= sh->done_rows;
	s->pending_bytes -= sh->done_bytes;
	sh->done_rows = 0;
	sh->done_bytes = 0;
	is_broken = sh->is_broken;
	was_broken = sh->was_broken;
	sh->was_broken = false;
	why = sh->why;
	store_unlock(s);
	if (seq > s->told_seq) {
		s->told_seq = seq;
		s->p.on_committed(seq, s->p.arg);
	}
	if (revision > s->told_revision) {
		s->told_revision = revision;
		if (s->p.on_revision != NULL)
			s->p.on_revision(revision, s->p.arg);
	}
	store_questions_tell(&s->questions);
	/* one that is over by now is told too */
	if (was_broken && !s->is_told_broken) {
		s->is_told_broken = true;
		s->p.on_trouble(true, why.text, s->p.arg);
	}
	if (!is_broken && s->is_told_broken) {
		s->is_told_broken = false;
		s->p.on_trouble(false, "", s->p.arg);
	}
}

static void on_wake(void *arg)
{
	store_report(arg);
}

/* --- life ----------------------------------------------------------------- */

static int init_lock(struct store_shared *sh)
{
	pthread_condattr_t attr;
	int rc = pthread_condattr_init(&attr);

	if (rc != 0)
		return FED_ENOMEM;
	rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (rc == 0)
		rc = pthread_cond_init(&sh->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (rc != 0)
		return FED_ENOMEM;
	rc = pthread_mutex_init(&sh->lock, NULL);
	if (rc != 0)
		(void)pthread_cond_destroy(&sh->changed);
	return rc == 0 ? 0 : FED_ENOMEM;
}

/* Signals are for the loop's thread. */
static int start_thread(struct store *s)
{
	sigset_t all;
	sigset_t old;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&s->thread, NULL, run_writer, s);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return FED_ENOMEM;
	s->has_thread = true;
	(void)pthread_setname_np(s->thread, "store");
	return 0;
}

/* By the form of the path. */
static const struct store_backend_ops *ops_for(const char *path,
					       struct errbuf *e)
{
	struct span p = span_str(path);

	if (span_starts(p, SPAN_LIT("postgresql://")) ||
	    span_starts(p, SPAN_LIT("postgres://"))) {
		errbuf_set(e, "the store cannot be at \"postgresql://\": this "
			      "program keeps it in a file of SQLite only");
		return NULL;
	}
	return &store_sqlite_ops;
}

int store_open(struct store **s_out, const struct store_params *p,
	       struct errbuf *e)
{
	const struct store_backend_ops *ops = ops_for(p->path, e);
	struct store *s;
	int err;

	if (ops == NULL)
		return FED_ECONFIG;
	errbuf_set(e, "out of memory");
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return FED_ENOMEM;
	s->p = *p;
	s->p.path = NULL; /* the caller's */
	err = init_lock(&s->shared);
	s->has_lock = err == 0;
	if (err == 0)
		err = store_questions_init(&s->questions);
	if (err == 0)
		err = loop_wake_new(&s->wake, p->loop, on_wake, s);
	if (err == 0)
		err = ops->open(&s->backend, p->path, loop_log(p->loop), e);
	if (err == 0)
		err = start_thread(s);
	if (err != 0) {
		store_close(s);
		return err;
	}
	*s_out = s;
	return 0;
}

static void stop_thread(struct store *s)
{
	store_lock(s);
	s->shared.is_closing = true;
	s->shared.give_up_ms = monotonic_ms() + LIMIT_STORE_CLOSE_MS;
	(void)pthread_cond_signal(&s->shared.changed);
	store_unlock(s);
	(void)pthread_join(s->thread, NULL);
	s->pending_rows -= s->shared.done_rows;
	if (s->pending_rows > 0 || s->shared.is_broken)
		fed_log(loop_log(s->p.loop), FED_LOG_ERROR, "store_lost",
			"rows=%zu why=\"%s\"", s->pending_rows,
			s->shared.why.text);
}

void store_close(struct store *s)
{
	struct store_batch *b;

	if (s == NULL)
		return;
	if (s->has_thread)
		stop_thread(s);
	while ((b = s->shared.waiting) != NULL) {
		DL_DELETE(s->shared.waiting, b);
		store_batch_free(b);
	}
	if (s->backend != NULL)
		s->backend->ops->close(s->backend);
	loop_wake_free(s->wake);
	store_questions_deinit(&s->questions);
	if (s->has_lock) {
		(void)pthread_cond_destroy(&s->shared.changed);
		(void)pthread_mutex_destroy(&s->shared.lock);
	}
	free(s);
}

/* --- rows ----------------------------------------------------------------- */

void store_hold(struct store *s, bool is_held)
{
	store_lock(s);
	s->shared.is_held = is_held;
	while (is_held && s->shared.is_busy)
		(void)pthread_cond_wait(&s->shared.changed, &s->shared.lock);
	(void)pthread_cond_signal(&s->shared.changed);
	store_unlock(s);
}

int store_load(struct store *s,
	       int (*fn)(const struct presence_row *row, void *arg), void *arg)
{
	int err;

	if (s->is_put)
		return FED_ESTATE;
	store_hold(s, true);
	err = s->backend->ops->load(s->backend, fn, arg);
	store_hold(s, false);
	return err;
}

/* Under the lock. */
static int add(struct store *s, struct store_row *r, uint64_t seq)
{
	struct store_shared *sh = &s->shared;
	struct store_batch *b = sh->waiting != NULL ? sh->waiting->prev : NULL;
	struct store_row *old = b != NULL ? store_batch_find(b, r) : NULL;
	size_t rows = s->pending_rows + (old == NULL ? 1 : 0);
	size_t bytes =
		s->pending_bytes + r->bytes - (old != NULL ? old->bytes : 0);
	bool is_new =
		b == NULL || (old == NULL && b->count >= LIMIT_STORE_BATCH);
	int err;

	if (rows > LIMIT_STORE_PENDING || bytes > LIMIT_STORE_PENDING_BYTES)
		return FED_EAGAIN;
	if (is_new)
		b = store_batch_new();
	if (b == NULL)
		return FED_ENOMEM;
	err = store_batch_put(b, r, seq);
	if (err != 0) {
		if (is_new)
			store_batch_free(b);
		return err;
	}
	if (is_new)
		DL_APPEND(sh->waiting, b);
	s->pending_rows = rows;
	s->pending_bytes = bytes;
	return 0;
}

int store_put(struct store *s, const struct presence_row *row, uint64_t seq)
{
	struct store_row *r = NULL;
	int err;

	if (!FED_CHECK(seq > s->put_seq))
		return FED_EINVAL;
	err = store_row_new(&r, row);
	if (err != 0)
		return err;
	store_lock(s);
	err = add(s, r, seq);
	(void)pthread_cond_signal(&s->shared.changed);
	store_unlock(s);
	if (err != 0) {
		store_row_free(r);
		return err;
	}
	s->put_seq = seq;
	s->is_put = true;
	return 0;
}

size_t store_pending(const struct store *s)
{
	return s->pending_rows;
}
