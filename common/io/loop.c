/* The loop: libuv, an end of turn, timers on absolute time. */
#include "io/loop.h"

#include <stdlib.h>
#include <time.h>
#include <utlist.h>

#include "io/loop_priv.h"

/* Rounds of deferred calls in one end of turn; what asks again after that
 * waits for the next turn, so that sockets are never starved. */
enum { LOOP_DEFER_ROUNDS = 8 };

/* loop_free() waits so long for connections that are closing. */
enum { LOOP_LEAVE_MS = 500 };

struct defer_list {
	struct loop_deferred *head; /* in order of asking */
	struct loop_deferred *tail;
};

struct loop {
	uv_loop_t uv;
	uv_loop_t *self; /* &uv, for functions that get a const loop */
	const struct logger *log;
	uv_prepare_t prepare; /* after timers, before the wait */
	uv_check_t check;     /* after sockets */
	uv_idle_t again;      /* runs while deferred calls are left */
	/* Keeps the loop alive: without an active handle uv_run() returns and
	 * uv_backend_timeout() says 0, which would spin an outer loop. */
	uv_async_t anchor;
	uv_timer_t late;	    /* of loop_free() */
	struct defer_list deferred; /* asked for */
	struct defer_list running;  /* the rest of this round */
	struct loop_member *members;
	struct loop_jobs jobs;
	bool is_stopped;
	/* Before the first turn the daemon starts up, and between two
	 * loop_run_once() the outer loop waits and calls others: libuv's
	 * cached time is old then. */
	bool is_outside;
	char read_buffer[LOOP_READ_BYTES];
	char plain_buffer[LIMIT_READ_BYTES];
};

struct loop_timer {
	uv_timer_t uv;
	struct loop *loop;
	struct loop_member member;
	loop_timer_fn fn;
	void *arg;
	uint64_t at_ms;
};

/* ---- end of turn --------------------------------------------------------- */

static struct loop_deferred *take_first(struct defer_list *list)
{
	struct loop_deferred *d = list->head;

	list->head = d->next;
	if (list->head == NULL)
		list->tail = NULL;
	d->next = NULL;
	d->is_queued = false;
	return d;
}

/* One round is what was queued when it began. */
static void run_round(struct loop *l)
{
	l->running = l->deferred;
	l->deferred = (struct defer_list){NULL, NULL};
	while (l->running.head != NULL) {
		struct loop_deferred *d = take_first(&l->running);

		d->fn(d->arg); /* may free d */
	}
}

static void on_again(uv_idle_t *h)
{
	(void)h; /* only there to make the next wait 0 ms long */
}

static void end_turn(struct loop *l)
{
	for (int i = 0; i < LOOP_DEFER_ROUNDS && l->deferred.head != NULL; i++)
		run_round(l);
	if (l->deferred.head != NULL)
		(void)uv_idle_start(&l->again, on_again);
	else
		(void)uv_idle_stop(&l->again);
}

static void on_prepare(uv_prepare_t *h)
{
	end_turn(h->data);
}

static void on_check(uv_check_t *h)
{
	end_turn(h->data);
}

void loop_defer(struct loop *l, struct loop_deferred *d)
{
	if (d->is_queued)
		return;
	d->is_queued = true;
	d->next = NULL;
	if (l->deferred.tail != NULL)
		l->deferred.tail->next = d;
	else
		l->deferred.head = d;
	l->deferred.tail = d;
}

static bool remove_from(struct defer_list *list, struct loop_deferred *d)
{
	struct loop_deferred *prev = NULL;
	struct loop_deferred *it = list->head;

	while (it != NULL && it != d) {
		prev = it;
		it = it->next;
	}
	if (it == NULL)
		return false;
	if (prev != NULL)
		prev->next = d->next;
	else
		list->head = d->next;
	if (list->tail == d)
		list->tail = prev;
	return true;
}

void loop_undefer(struct loop *l, struct loop_deferred *d)
{
	if (!d->is_queued)
		return;
	if (!FED_CHECK(remove_from(&l->deferred, d) ||
		       remove_from(&l->running, d)))
		return;
	d->next = NULL;
	d->is_queued = false;
}

/* ---- life ---------------------------------------------------------------- */

static void init_handles(struct loop *l)
{
	/* None of these can fail in libuv: they only link a struct. */
	(void)uv_prepare_init(&l->uv, &l->prepare);
	(void)uv_check_init(&l->uv, &l->check);
	(void)uv_idle_init(&l->uv, &l->again);
	(void)uv_timer_init(&l->uv, &l->late);
	l->prepare.data = l;
	l->check.data = l;
	(void)uv_prepare_start(&l->prepare, on_prepare);
	(void)uv_check_start(&l->check, on_check);
	uv_unref((uv_handle_t *)&l->prepare);
	uv_unref((uv_handle_t *)&l->check);
}

int loop_new(struct loop **loop_out, const struct logger *log)
{
	struct loop *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL)
		return FED_ENOMEM;
	l->log = log;
	l->self = &l->uv;
	l->is_outside = true;
	rc = uv_loop_init(&l->uv);
	if (rc == 0) {
		rc = uv_async_init(&l->uv, &l->anchor, NULL);
		if (rc != 0)
			(void)uv_loop_close(&l->uv);
	}
	if (rc != 0) {
		fed_log(log, FED_LOG_ERROR, "loop_failed", "error=\"%s\"",
			uv_strerror(rc));
		free(l);
		return rc == UV_ENOMEM ? FED_ENOMEM : FED_EIO;
	}
	init_handles(l);
	*loop_out = l;
	return 0;
}

static void close_handle(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static bool is_leaving(const struct loop *l)
{
	const struct loop_member *m;

	DL_FOREACH (l->members, m) {
		if (m->is_leaving)
			return true;
	}
	return false;
}

static void on_late(uv_timer_t *t)
{
	(void)t; /* ends the wait of uv_run() */
}

/* A socket killed with bytes on the way costs the peer our last words. */
static void let_leave(struct loop *l)
{
	uint64_t end;

	uv_update_time(&l->uv);
	end = uv_now(&l->uv) + LOOP_LEAVE_MS;
	(void)uv_timer_start(&l->late, on_late, LOOP_LEAVE_MS, 0);
	while (is_leaving(l) && uv_now(&l->uv) < end)
		(void)uv_run(&l->uv, UV_RUN_ONCE);
	(void)uv_timer_stop(&l->late);
}

void loop_free(struct loop *l)
{
	struct loop_member *m;
	struct loop_member *next;

	if (l == NULL)
		return;
	end_turn(l); /* what was written leaves */
	let_leave(l);
	DL_FOREACH_SAFE (l->members, m, next)
		m->kill(m->arg);
	/* Every member has uv_close() behind it now; libuv calls back in the
	 * next turns, and members may ask for an end of turn once more. */
	while (l->members != NULL)
		(void)uv_run(&l->uv, UV_RUN_NOWAIT);
	end_turn(l);
	uv_walk(&l->uv, close_handle, NULL);
	/* a loop_stop() outside of a turn ends the first run at once */
	while (uv_run(&l->uv, UV_RUN_DEFAULT) != 0)
		continue;
	if (!FED_CHECK(uv_loop_close(&l->uv) == 0))
		return; /* leak rather than pull memory from under libuv */
	free(l);
}

void loop_join(struct loop *l, struct loop_member *m)
{
	DL_APPEND(l->members, m);
}

void loop_leave(struct loop *l, struct loop_member *m)
{
	DL_DELETE(l->members, m);
}

uv_loop_t *loop_uv(struct loop *l)
{
	return &l->uv;
}

const struct logger *loop_log(const struct loop *l)
{
	return l->log;
}

struct loop_jobs *loop_jobs(struct loop *l)
{
	return &l->jobs;
}

char *loop_read_buffer(struct loop *l)
{
	return l->read_buffer;
}

char *loop_plain_buffer(struct loop *l)
{
	return l->plain_buffer;
}

/* ---- time and running ---------------------------------------------------- */

uint64_t loop_now_ms(const struct loop *l)
{
	if (l->is_outside)
		uv_update_time(l->self);
	return uv_now(l->self);
}

int64_t loop_wall_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) != 0)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void loop_run(struct loop *l)
{
	l->is_outside = false;
	while (!l->is_stopped)
		(void)uv_run(&l->uv, UV_RUN_DEFAULT);
	end_turn(l);
}

void loop_run_once(struct loop *l)
{
	l->is_outside = false;
	(void)uv_run(&l->uv, UV_RUN_NOWAIT);
	/* close callbacks come after the check handle */
	end_turn(l);
	l->is_outside = true;
}

int loop_wait_ms(struct loop *l)
{
	if (l->is_stopped || l->deferred.head != NULL)
		return 0;
	/* its answer counts from the cached time */
	uv_update_time(&l->uv);
	return uv_backend_timeout(&l->uv);
}

void loop_stop(struct loop *l)
{
	l->is_stopped = true;
	uv_stop(&l->uv);
}

bool loop_is_stopped(const struct loop *l)
{
	return l->is_stopped;
}

/* ---- timers -------------------------------------------------------------- */

static void on_timer(uv_timer_t *h)
{
	struct loop_timer *t = h->data;

	t->at_ms = UINT64_MAX;
	t->fn(t->arg);
}

static void on_timer_closed(uv_handle_t *h)
{
	struct loop_timer *t = h->data;

	loop_leave(t->loop, &t->member);
	free(t);
}

static void timer_kill(void *arg)
{
	struct loop_timer *t = arg;

	if (!uv_is_closing((uv_handle_t *)&t->uv))
		uv_close((uv_handle_t *)&t->uv, on_timer_closed);
}

int loop_timer_new(struct loop_timer **t_out, struct loop *l, loop_timer_fn fn,
		   void *arg)
{
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return FED_ENOMEM;
	t->loop = l;
	t->fn = fn;
	t->arg = arg;
	t->at_ms = UINT64_MAX;
	(void)uv_timer_init(&l->uv, &t->uv); /* cannot fail */
	t->uv.data = t;
	t->member.kill = timer_kill;
	t->member.arg = t;
	loop_join(l, &t->member);
	*t_out = t;
	return 0;
}

void loop_timer_arm(struct loop_timer *t, uint64_t at_ms)
{
	uint64_t now;

	if (at_ms == t->at_ms)
		return;
	t->at_ms = at_ms;
	if (at_ms == UINT64_MAX) {
		(void)uv_timer_stop(&t->uv);
		return;
	}
	now = loop_now_ms(t->loop);
	/* fails only on a closing handle, which nobody holds any more */
	(void)uv_timer_start(&t->uv, on_timer, at_ms > now ? at_ms - now : 0,
			     0);
}

void loop_timer_free(struct loop_timer *t)
{
	if (t != NULL)
		timer_kill(t);
}
