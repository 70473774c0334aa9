/*
 * What a check of fedctl found: points in the order they were looked at, each
 * with its advice.  The judgements are pure (check_dns.h, check_cert.h); the
 * shell hands in facts.
 */
#ifndef FED_EDGE_CHECK_H
#define FED_EDGE_CHECK_H

#include "base/arena.h"
#include "edge-proxy/core/attempts.h"
#include "edge-proxy/core/policy.h"

struct check_finding {
	enum attempt_level level;
	const char *what; /* a literal */
	const char *text;
	const char *advice; /* "" none */
	const char *group;  /* "" none */
	int64_t at_ms;	    /* since 1970; 0: now */
	uint32_t took_ms;
};

struct check {
	struct arena arena;
	struct check_finding finding[LIMIT_CHECK_FINDINGS];
	size_t count;
	size_t left_out;	       /* had no room */
	enum attempt_level left_level; /* the worst of those */
	char rest[96];		       /* the last point: how many they are */
	const char *group;	       /* of those that follow */
};

/** Nothing found. */
void check_init(struct check *c);

void check_deinit(struct check *c);

/** The group of what follows, printf style. */
void check_group(struct check *c, const char *fmt, ...) FED_PRINTF(2, 3);

/** A point, printf style. */
void check_add(struct check *c, enum attempt_level level, const char *what,
	       const char *fmt, ...) FED_PRINTF(4, 5);

/** Advice for the last point. */
void check_advise(struct check *c, const char *fmt, ...) FED_PRINTF(2, 3);

/** A step of an attempt as a point. */
void check_add_step(struct check *c, const struct attempt *at,
		    const struct attempt_step *step);

/** No more points follow: those that had no room are one, as bad as the worst
 * of them. */
void check_end(struct check *c);

/** It ends, and the worst of it in a sentence, or `well` when nothing is
 * wrong. */
void check_verdict(struct check *c, const char *well, char *out,
		   size_t out_size);

/** What a rule asks of a partner, in both directions; NULL: no partner. */
void check_rule(struct check *c, const struct policy_partner *rule);

#endif
