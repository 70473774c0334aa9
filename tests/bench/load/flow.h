/*
 * One sender and one receiver of stamped messages, and the command lines on
 * stdin that drive them.  Both programs of the load generator have one.
 *
 *   rate N      send N messages a second
 *   closed N    keep N messages under way
 *   stop        send no more
 *   reset       forget the samples taken so far
 *   report      print counts and latencies since the last reset
 *
 * Each command is answered with one line of JSON; the end of stdin ends the
 * program.
 */
#ifndef FED_BENCH_FLOW_H
#define FED_BENCH_FLOW_H

#include "io/loop.h"

/* A stamp in nanoseconds of CLOCK_MONOTONIC and words that fill it up. */
enum { FLOW_STAMP_DIGITS = 20, FLOW_BODY_BYTES = 60 };

struct flow_params {
	struct loop *loop;
	/* send one message; number counts from 0 */
	void (*send)(uint64_t number, const char body[FLOW_BODY_BYTES + 1],
		     void *arg);
	/* another command; false: there is no such one.  May be NULL. */
	bool (*command)(const char *line, void *arg);
	void *arg;
};

struct flow;

/** Begin to read commands; ends the program when that fails.  It lives as the
 * program does. */
struct flow *flow_new(const struct flow_params *p);

/** A message arrived whose body begins at `body`. */
void flow_arrived(struct flow *f, struct span body);

/** n messages of ours are no longer under way. */
void flow_done(struct flow *f, uint64_t n);

/** Sample of the time from a message sent to its answer. */
void flow_answered(struct flow *f, struct span stamp);

/** Something came that means that a message was not delivered. */
void flow_failed(struct flow *f, struct span what);

/** `line` is the word `name` and `count` numbers, which are stored. */
bool flow_is(const char *line, const char *name, uint32_t *numbers,
	     size_t count);

/** Nanoseconds of CLOCK_MONOTONIC. */
uint64_t flow_now_ns(void);

/** Print one line of JSON: the answer to a command. */
void flow_say(const char *fmt, ...) FED_PRINTF(1, 2);

/** Say why on stderr and end the program with 1. */
_Noreturn void flow_die(const char *fmt, ...) FED_PRINTF(1, 2);

/** End the program unless err is 0. */
void flow_need(int err, const char *what);

#endif
