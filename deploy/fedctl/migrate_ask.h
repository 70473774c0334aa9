/*
 * What the commands of a migration share: the configuration as the gateway has
 * it, changes of it, findings of several daemons in one report.
 */
#ifndef FED_FEDCTL_MIGRATE_ASK_H
#define FED_FEDCTL_MIGRATE_ASK_H

#include "deploy/fedctl/change.h"
#include "deploy/fedctl/migrate_list.h"
#include "deploy/fedctl/session.h"

/* Copies of responses, one after the other, in an arena. */
struct migrate_answers {
	struct arena *a;
	Fed__AdminResponse **list;
	size_t count;
	bool is_failed; /* out of memory */
};

/**
 * Ask, and keep the responses.
 *
 * @param edge   NULL: the daemon itself
 * @param error  NULL: what is wrong is said, and is the result; else an answer
 *               that is an error is told there instead, and the result is
 *               STATUS_FAILED
 * @return exit status
 */
int migrate_ask(struct session *s, Fed__AdminRequest *r, const char *edge,
		struct migrate_answers *answers,
		const char **error) FED_NODISCARD;

/* What became different, as the gateway tells it. */
struct migrate_changed {
	uint64_t revision;
	size_t count; /* records */
	char **warnings;
	size_t warning_count;
};

/** Send a change, and keep what it did. @return exit status */
int migrate_apply(struct session *s, struct change *c,
		  struct migrate_changed *out) FED_NODISCARD;

/* --- commands that ask several times: run of their tables ----------------- */
int migrate_run_import(struct session *s, const struct line *l);
int migrate_run_users(struct session *s, const struct line *l);
int migrate_run_plan(struct session *s, const struct line *l);
int migrate_run_verify(struct session *s, const struct line *l);
int migrate_run_status(struct session *s, const struct line *l);

int migrate_run_enable(struct session *s, const struct line *l);
int migrate_run_rollback(struct session *s, const struct line *l);

/** The line's DOMAIN, where it has one, is a partner; else the nearest one is
 * said. @return exit status */
int migrate_need_partner(struct session *s) FED_NODISCARD;

/** Do edges find the certificates of the served domains BAD?
 * @param why  what the first one says; else as it was
 * @return exit status */
int migrate_look_at_certificates(struct session *s,
				 struct errbuf *why) FED_NODISCARD;

/**
 * What comes next, once edges have looked at certificates and DNS too; pure.
 *
 * @param verdict  of the gateway, about the steps that it knows
 * @param f        all findings, in the order of the steps
 * @return in the arena; NULL: it is full
 */
const char *migrate_next(struct arena *a, const char *verdict,
			 Fed__Finding *const *f, size_t count);

#endif
