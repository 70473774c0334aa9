/* Sending by a clock or by a window, counting what arrives, commands. */
#include "tests/bench/load/flow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/load/samples.h"

enum flow_mode { FLOW_STOPPED, FLOW_RATE, FLOW_CLOSED };

enum { FLOW_LINE_BYTES = 256, FLOW_TICK_MS = 1, FLOW_SHOWN_FAILURES = 3 };

/* What was counted since the last reset. */
struct flow_counts {
	uint64_t since_ns;
	uint64_t sent;
	uint64_t received;
	uint64_t failed;
};

struct flow {
	struct flow_params p;
	enum flow_mode mode;
	uint64_t target; /* RATE: a second; CLOSED: under way */
	uint64_t begun_ns;
	uint64_t sent_in_mode;
	uint64_t under_way;
	uint64_t sent;	   /* in all */
	uint64_t received; /* in all */
	uint64_t failures; /* in all */
	struct flow_counts now;
	struct samples latency;
	struct samples answers;
	struct loop_timer *tick;
	struct loop_deferred pump;
	uv_pipe_t in;
	char line[FLOW_LINE_BYTES];
	size_t used;
	char chunk[FLOW_LINE_BYTES];
};

/* ---- words --------------------------------------------------------------- */

uint64_t flow_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void flow_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
	(void)fflush(stdout);
}

_Noreturn void flow_die(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("load: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(1);
}

void flow_need(int err, const char *what)
{
	if (err != 0)
		flow_die("%s: %s", what, fed_strerror(err));
}

/* ---- sending ------------------------------------------------------------- */

static void send_one(struct flow *f, uint64_t now_ns)
{
	char body[FLOW_BODY_BYTES + 1];

	(void)snprintf(body, sizeof(body), "%0*" PRIu64 "%-*s",
		       FLOW_STAMP_DIGITS, now_ns,
		       FLOW_BODY_BYTES - FLOW_STAMP_DIGITS,
		       " Good night, good night! Parting is");
	f->p.send(f->sent, body, f->p.arg);
	f->sent++;
	f->now.sent++;
	f->sent_in_mode++;
	f->under_way++;
}

static uint64_t due(const struct flow *f, uint64_t now_ns)
{
	uint64_t wanted;

	switch (f->mode) {
	case FLOW_STOPPED:
		break;
	case FLOW_RATE:
		wanted = (now_ns - f->begun_ns) * f->target / 1000000000u;
		return wanted > f->sent_in_mode ? wanted - f->sent_in_mode : 0;
	case FLOW_CLOSED:
		return f->target > f->under_way ? f->target - f->under_way : 0;
	}
	return 0;
}

static void pump(void *arg)
{
	struct flow *f = arg;
	uint64_t n = due(f, flow_now_ns());

	while (n-- > 0)
		send_one(f, flow_now_ns());
}

static void on_tick(void *arg)
{
	struct flow *f = arg;

	pump(f);
	if (f->mode == FLOW_RATE)
		loop_timer_arm(f->tick, loop_now_ms(f->p.loop) + FLOW_TICK_MS);
}

static void set_mode(struct flow *f, enum flow_mode mode, uint64_t target)
{
	f->mode = mode;
	f->target = target;
	f->begun_ns = flow_now_ns();
	f->sent_in_mode = 0;
	on_tick(f);
}

void flow_done(struct flow *f, uint64_t n)
{
	f->under_way -= n < f->under_way ? n : f->under_way;
	if (f->mode == FLOW_CLOSED)
		loop_defer(f->p.loop, &f->pump);
}

/* ---- receiving ----------------------------------------------------------- */

static uint64_t stamp_of(struct span s)
{
	char digits[FLOW_STAMP_DIGITS + 1];
	char *end;
	uint64_t value;

	if (s.n < FLOW_STAMP_DIGITS)
		flow_die("a message without stamp");
	memcpy(digits, s.p, FLOW_STAMP_DIGITS);
	digits[FLOW_STAMP_DIGITS] = '\0';
	value = strtoull(digits, &end, 10);
	if (*end != '\0')
		flow_die("not a stamp: %s", digits);
	return value;
}

void flow_arrived(struct flow *f, struct span body)
{
	f->received++;
	f->now.received++;
	flow_need(samples_add(&f->latency, stamp_of(body), flow_now_ns()),
		  "sample");
}

void flow_answered(struct flow *f, struct span stamp)
{
	flow_need(samples_add(&f->answers, stamp_of(stamp), flow_now_ns()),
		  "sample");
}

void flow_failed(struct flow *f, struct span what)
{
	f->failures++;
	f->now.failed++;
	if (f->failures <= FLOW_SHOWN_FAILURES)
		(void)fprintf(stderr, "load: failed: %.*s\n", (int)what.n,
			      what.p);
}

/* ---- commands ------------------------------------------------------------ */

static void reset(struct flow *f)
{
	f->now = (struct flow_counts){.since_ns = flow_now_ns()};
	samples_reset(&f->latency);
	samples_reset(&f->answers);
}

static void report(struct flow *f)
{
	flow_say("{\"ns\": %" PRIu64 ", \"sent\": %" PRIu64
		 ", \"received\": %" PRIu64 ", \"failed\": %" PRIu64
		 ", \"under_way\": %" PRIu64 ", \"sent_in_all\": %" PRIu64
		 ", \"received_in_all\": %" PRIu64
		 ", \"p50_us\": %u, \"p99_us\": %u"
		 ", \"answer_p50_us\": %u, \"answer_p99_us\": %u}",
		 flow_now_ns() - f->now.since_ns, f->now.sent, f->now.received,
		 f->now.failed, f->under_way, f->sent, f->received,
		 samples_percentile(&f->latency, 50),
		 samples_percentile(&f->latency, 99),
		 samples_percentile(&f->answers, 50),
		 samples_percentile(&f->answers, 99));
}

bool flow_is(const char *line, const char *name, uint32_t *numbers,
	     size_t count)
{
	struct span rest = span_str(line);

	if (!span_starts(rest, span_str(name)))
		return false;
	rest = span_sub(rest, strlen(name), SIZE_MAX);
	for (size_t i = 0; i < count; i++) {
		size_t end;

		if (!span_starts(rest, SPAN_LIT(" ")))
			return false;
		rest = span_sub(rest, 1, SIZE_MAX);
		end = span_find(rest, ' ', 0);
		if (span_to_u32(span_sub(rest, 0, end), &numbers[i]) != 0)
			return false;
		rest = span_sub(rest, end, SIZE_MAX);
	}
	return rest.n == 0;
}

static bool own_command(struct flow *f, const char *line)
{
	uint32_t n;

	if (flow_is(line, "rate", &n, 1))
		set_mode(f, FLOW_RATE, n);
	else if (flow_is(line, "closed", &n, 1))
		set_mode(f, FLOW_CLOSED, n);
	else if (flow_is(line, "stop", NULL, 0))
		set_mode(f, FLOW_STOPPED, 0);
	else if (flow_is(line, "reset", NULL, 0))
		reset(f);
	else
		return false;
	flow_say("{}");
	return true;
}

static void on_line(struct flow *f, const char *line)
{
	if (flow_is(line, "report", NULL, 0))
		report(f);
	else if (!own_command(f, line) &&
		 (f->p.command == NULL || !f->p.command(line, f->p.arg)))
		flow_die("unknown command: %s", line);
}

static void take_byte(struct flow *f, char c)
{
	if (f->used == sizeof(f->line))
		flow_die("a command is too long");
	f->line[f->used++] = c;
	if (c != '\n')
		return;
	f->line[f->used - 1] = '\0';
	f->used = 0;
	on_line(f, f->line);
}

static void on_alloc(uv_handle_t *h, size_t n, uv_buf_t *b)
{
	struct flow *f = h->data;

	(void)n;
	*b = uv_buf_init(f->chunk, sizeof(f->chunk));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	struct flow *f = s->data;

	for (ssize_t i = 0; i < n; i++)
		take_byte(f, b->base[i]);
	if (n < 0)
		loop_stop(f->p.loop);
}

struct flow *flow_new(const struct flow_params *p)
{
	struct flow *f = calloc(1, sizeof(*f));

	if (f == NULL)
		flow_die("out of memory");
	f->p = *p;
	f->pump = (struct loop_deferred){.fn = pump, .arg = f};
	flow_need(loop_timer_new(&f->tick, p->loop, on_tick, f), "timer");
	f->in.data = f;
	if (uv_pipe_init(loop_uv(p->loop), &f->in, 0) != 0 ||
	    uv_pipe_open(&f->in, 0) != 0 ||
	    uv_read_start((uv_stream_t *)&f->in, on_alloc, on_read) != 0)
		flow_die("stdin is not a pipe");
	reset(f);
	return f;
}
