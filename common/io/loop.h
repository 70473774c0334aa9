/*
 * The loop of a daemon: libuv, with an end of turn at which written bytes
 * leave and dead objects are freed.  Nobody frees inside a callback.
 */
#ifndef FED_IO_LOOP_H
#define FED_IO_LOOP_H

#include <uv.h>

#include "base/log.h"

struct loop;

/**
 * New loop around its own uv_loop_t.
 *
 * @param log  borrowed for the loop's life, NULL: silence
 * @return 0; FED_ENOMEM; FED_EIO
 */
int loop_new(struct loop **loop_out, const struct logger *log) FED_NODISCARD;

/** Let closing connections send their last bytes (for half a second at most),
 * close what is left, then free.  NULL is allowed. */
void loop_free(struct loop *l);

/** The libuv loop inside. */
uv_loop_t *loop_uv(struct loop *l);

/** The logger given to loop_new(). */
const struct logger *loop_log(const struct loop *l);

/** Monotonic milliseconds of this turn. */
uint64_t loop_now_ms(const struct loop *l);

/** Wall clock, milliseconds since 1970. */
int64_t loop_wall_ms(void);

/** Run until loop_stop(); for a daemon whose outer loop is this one. */
void loop_run(struct loop *l);

/** One pass without waiting, for a daemon whose outer loop is another's. */
void loop_run_once(struct loop *l);

/** How long the outer loop may wait, ms; -1: for ever. */
int loop_wait_ms(struct loop *l);

/** Make loop_run() return. */
void loop_stop(struct loop *l);

/** True after loop_stop(). */
bool loop_is_stopped(const struct loop *l);

typedef void (*loop_defer_fn)(void *arg);

/* A call at the end of this turn; embedded in the object that wants it. */
struct loop_deferred {
	loop_defer_fn fn;
	void *arg;
	struct loop_deferred *next;
	bool is_queued;
};

/** Call d->fn(d->arg) at the end of this turn; once, however often asked. */
void loop_defer(struct loop *l, struct loop_deferred *d);

/** Take it back. */
void loop_undefer(struct loop *l, struct loop_deferred *d);

/* A one-shot timer on absolute monotonic time. */
struct loop_timer;
typedef void (*loop_timer_fn)(void *arg);

/** @return 0; FED_ENOMEM */
int loop_timer_new(struct loop_timer **t_out, struct loop *l, loop_timer_fn fn,
		   void *arg) FED_NODISCARD;

/** Due at at_ms (loop_now_ms() scale); UINT64_MAX disarms. */
void loop_timer_arm(struct loop_timer *t, uint64_t at_ms);

/** Stop and free (after libuv let go of it); NULL is allowed. */
void loop_timer_free(struct loop_timer *t);

/* The way back from a thread beside the loop. */
struct loop_wake;

/** @return 0; FED_ENOMEM; FED_EIO */
int loop_wake_new(struct loop_wake **w_out, struct loop *l, loop_timer_fn fn,
		  void *arg) FED_NODISCARD;

/** Call fn(arg) in a turn of the loop; from any thread.  Several before that
 * turn are one call. */
void loop_wake_send(struct loop_wake *w);

/** No call comes any more; the threads that might send have ended.  NULL is
 * allowed. */
void loop_wake_free(struct loop_wake *w);

#endif
