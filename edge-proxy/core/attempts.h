/*
 * What became of the last attempts to have a stream with a domain, in both
 * directions, step by step, for those who ask why.  Bounded: domains that are
 * no partners never push out those that are.
 *
 * An attempt is written to under a number, from its begin to the end of its
 * stream, also when its domain is not known yet (inbound) or was forgotten
 * meanwhile; number 0 and a recorder NULL take everything and keep nothing.
 */
#ifndef FED_EDGE_ATTEMPTS_H
#define FED_EDGE_ATTEMPTS_H

#include "base/buf.h"
#include "base/limits.h"

struct attempts;

enum attempt_level { ATTEMPT_GOOD, ATTEMPT_INFO, ATTEMPT_WARN, ATTEMPT_BAD };

enum attempt_state {
	ATTEMPT_UNDER_WAY,
	ATTEMPT_OPEN, /* authenticated */
	ATTEMPT_ENDED,
};

struct attempt_step {
	enum attempt_level level;
	const char *what; /* "tcp"...: a literal */
	char *text;	  /* UTF-8; a peer may have written parts of it */
	uint64_t at_ms;	  /* of the loop */
	uint32_t took_ms;
};

/* To be read only. */
struct attempt {
	uint64_t number; /* rising */
	enum attempt_state state;
	bool is_inbound;
	bool is_check;	     /* fedctl asked for it */
	bool was_open;	     /* it was authenticated */
	bool was_in_order;   /* ENDED: a goodbye, not a failure */
	char *local;	     /* "" not known */
	char *mechanism;     /* OPEN: "EXTERNAL"... */
	uint64_t start_ms;   /* of the loop... */
	int64_t start_wall;  /* ...and since 1970 */
	uint64_t changed_ms; /* the last step */
	uint64_t open_ms;
	struct attempt_step *steps;
	size_t step_count;
	size_t bytes;	 /* of texts */
	size_t left_out; /* steps that had no room */
};

enum { ATTEMPTS_OF_DOMAIN = 2 * LIMIT_ATTEMPTS };

/** @return 0; FED_ENOMEM */
int attempts_new(struct attempts **a_out) FED_NODISCARD;

/** NULL is allowed. */
void attempts_free(struct attempts *a);

struct attempt_params {
	bool is_inbound;
	bool is_check;
	const char *local;  /* "" not known; copied */
	const char *domain; /* "" not known yet: attempts_name(); copied */
	bool is_partner;    /* by a rule of its own */
	int64_t wall_ms;    /* now, since 1970 */
};

/** An attempt begins. @return its number; 0 out of memory */
uint64_t attempts_begin(struct attempts *a, const struct attempt_params *p,
			uint64_t now_ms) FED_NODISCARD;

/** Its domain shows; only the first time counts. */
void attempts_name(struct attempts *a, uint64_t number, const char *domain,
		   bool is_partner);

/** A step that took since the last one; printf style. */
void attempts_note(struct attempts *a, uint64_t number, uint64_t now_ms,
		   enum attempt_level level, const char *what, const char *fmt,
		   ...) FED_PRINTF(6, 7);

/** A step that began at since_ms. */
void attempts_note_since(struct attempts *a, uint64_t number, uint64_t now_ms,
			 uint64_t since_ms, enum attempt_level level,
			 const char *what, const char *fmt, ...)
	FED_PRINTF(7, 8);

/** The stream is authenticated. */
void attempts_opened(struct attempts *a, uint64_t number, uint64_t now_ms,
		     const char *mechanism);

/** The stream, or the attempt, is over: the number means nothing any more.
 * @param text  why */
void attempts_ended(struct attempts *a, uint64_t number, uint64_t now_ms,
		    bool is_in_order, const char *text);

/** The attempt while it is under way or open; NULL: none. */
const struct attempt *attempts_find(const struct attempts *a, uint64_t number);

/** Since 1970, when the loop says now_ms; 0 without such an attempt. */
int64_t attempts_wall_ms(const struct attempts *a, uint64_t number,
			 uint64_t now_ms);

/** Those of a domain (normalized), newest first; the pointers live until the
 * next change. @return how many */
size_t attempts_of(const struct attempts *a, const char *domain,
		   const struct attempt *out[ATTEMPTS_OF_DOMAIN]);

/** Domains that are remembered. */
size_t attempts_domains(const struct attempts *a);

/** When that was, since 1970. */
static inline int64_t attempt_wall_ms(const struct attempt *at, uint64_t ms)
{
	return at->start_wall + (int64_t)(ms - at->start_ms);
}

/** What came of an attempt, without a full stop: "its certificate expired on
 * ...", "connected by EXTERNAL since ...". */
void attempt_outcome(const struct attempt *at, char *out, size_t out_size);

/**
 * One sentence about a domain, of its attempts as attempts_of() gives them.
 *
 * @param start_wall  since when attempts are remembered, since 1970
 */
void attempts_verdict(const struct attempt *const *list, size_t count,
		      int64_t start_wall, struct buf *out);

/** "2026-01-02 03:04:05 UTC" of milliseconds since 1970. */
void attempt_date(int64_t wall_ms, char *out, size_t out_size);

/** The same without the time of the day. */
void attempt_day(int64_t wall_ms, char *out, size_t out_size);

#endif
