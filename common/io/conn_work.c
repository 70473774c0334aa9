/*
 * The costly parts of TLS handshakes, in libuv's worker threads: a few at
 * once, at a lower priority than the loop.  The handshake that began first goes
 * first: when there are more than can be made, some time out, not all.  The
 * channel goes in front: strangers who all begin handshakes must not have it
 * time out.
 *
 * A connection has one job at most.  While it waits, it can be taken back;
 * while it runs, the worker has the engine, `held` (its input) and `wire` (its
 * output), and the connection is not freed before it came back.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utlist.h>

#include "io/conn_priv.h"

/* The loop's thread comes first, two to one.  More would starve handshakes
 * beside other work of the machine: they time out. */
enum { CONN_WORK_NICE = 3 };

struct conn_job {
	struct conn *c;
	struct tls_engine *tls;
	uv_work_t req;
	bool is_running;
	struct conn_job *prev; /* of those that wait */
	struct conn_job *next;
};

static void start_waiting(void *arg);

static uint64_t rank(const struct conn_job *job)
{
	return tls_engine_is_private(job->tls) ? 0 : job->c->tls_began;
}

/* Behind those that began earlier. */
static void put_in_order(struct loop_jobs *jobs, struct conn_job *job)
{
	struct conn_job *it;

	DL_FOREACH (jobs->waiting, it) {
		if (rank(it) > rank(job))
			break;
	}
	if (it == NULL)
		DL_APPEND(jobs->waiting, job);
	else
		DL_PREPEND_ELEM(jobs->waiting, it, job);
}

bool conn_work_runs(const struct conn *c)
{
	return c->job != NULL && c->job->is_running;
}

int conn_work_ask(struct conn *c)
{
	struct loop_jobs *jobs = loop_jobs(c->loop);
	struct conn_job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return FED_ENOMEM;
	job->c = c;
	job->tls = c->tls;
	job->req.data = job;
	c->job = job;
	put_in_order(jobs, job);
	jobs->start.fn = start_waiting;
	jobs->start.arg = c->loop;
	loop_defer(c->loop, &jobs->start); /* the caller still fills held */
	return 0;
}

void conn_work_cancel(struct conn *c)
{
	if (c->job == NULL || c->job->is_running)
		return;
	DL_DELETE(loop_jobs(c->loop)->waiting, c->job);
	free(c->job);
	c->job = NULL;
}

/* ---- in a worker --------------------------------------------------------- */

static void run(uv_work_t *req)
{
	struct conn_job *job = req->data;

	/* On Linux this is a thread's own affair.  Not allowed: no harm. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), CONN_WORK_NICE);
	tls_engine_work(job->tls);
}

/* ---- back in the loop ---------------------------------------------------- */

/* What came of it is told where input is used. */
static void go_on(struct conn *c)
{
	size_t left = tls_engine_left(c->tls).n;

	buf_consume(&c->held, buf_len(&c->held) - left);
	tls_engine_feed(c->tls, SPAN_NULL);
	if (c->state == CONN_OPEN)
		loop_defer(c->loop, &c->work);
	loop_defer(c->loop, &c->flush);
}

static void on_done(uv_work_t *req, int status)
{
	struct conn_job *job = req->data;
	struct conn *c = job->c;
	struct loop_jobs *jobs = loop_jobs(c->loop);

	(void)status; /* never cancelled in libuv's queue */
	tls_engine_release(job->tls);
	jobs->running--;
	if (jobs->waiting != NULL)
		loop_defer(c->loop, &jobs->start);
	free(job);
	c->job = NULL;
	if (c->state == CONN_DEAD)
		conn_free_when_gone(c);
	else
		go_on(c);
}

static void start(struct loop *l, struct conn_job *job)
{
	struct loop_jobs *jobs = loop_jobs(l);

	DL_DELETE(jobs->waiting, job);
	job->is_running = true;
	jobs->running++;
	tls_engine_feed(job->tls, buf_span(&job->c->held));
	/* fails only without a function to call */
	(void)uv_queue_work(loop_uv(l), &job->req, run, on_done);
}

static void start_waiting(void *arg)
{
	struct loop *l = arg;
	struct loop_jobs *jobs = loop_jobs(l);
	struct conn_job *job;
	struct conn_job *next;

	DL_FOREACH_SAFE (jobs->waiting, job, next) {
		if (jobs->running >= tls_creds_step_max())
			return;
		if (tls_engine_claim(job->tls))
			start(l, job);
	}
}
