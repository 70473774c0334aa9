/*
 * The federation configuration: a snapshot of all records (federation.proto),
 * checked as a whole and never changed; a change makes the next snapshot, which
 * shares what did not change: all of one configuration belong to one thread.
 * Pure.
 *
 * Names in it are normalized: domains as domain_normalize() has them, users as
 * bare JIDs.
 */
#ifndef FED_GATEWAY_FEDERATION_H
#define FED_GATEWAY_FEDERATION_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "chan/federation_form.h"

struct federation;

/* What becomes different. */
struct federation_edit {
	Fed__Record *const *put; /* new, or in the place of that with its key */
	size_t put_count;
	Fed__Record *const *remove; /* by key; what is not there is an error */
	size_t remove_count;
	bool replaces_all; /* what is not put goes, but movers */
	/* an empty secret is none; else one that was not said, so that the one
	 * there is stays */
	bool is_exact;
};

/* Sentences about what is allowed but doubtful. */
struct federation_warnings {
	char **text; /* in the arena */
	size_t count;
};

/**
 * The snapshot behind an edit.  Everything is checked: names, limits, the 18
 * combinations of tls, sasl and dialback, a domain that two partners have, a
 * grant of a policy that is not there, the last word on what would be lost.
 *
 * @param base  NULL: nothing is configured yet
 * @param edit  copied; its names are normalized in the copy
 * @param a     for warnings; may be NULL with w
 * @param e     the first thing that is wrong, with the name of the record and
 *              what would be right
 * @return 0; FED_EINVAL; FED_ELIMIT; FED_ENOMEM
 */
int federation_new(struct federation **f_out, const struct federation *base,
		   const struct federation_edit *edit, struct arena *a,
		   struct federation_warnings *w,
		   struct errbuf *e) FED_NODISCARD;

/** NULL is allowed. */
void federation_free(struct federation *f);

/** The record with that key; NULL: none. */
const Fed__Record *federation_find(const struct federation *f, const char *key);

size_t federation_count(const struct federation *f);

/* Where a walk over records of one kind is; of one snapshot. */
struct federation_walk {
	size_t at;
	size_t end;
};

/** Those of a kind in the order of their keys; KIND__NOT_SET: of all. */
struct federation_walk federation_walk(const struct federation *f,
				       Fed__Record__KindCase kind);

/** The next one, found without a search; NULL: that was all. */
const Fed__Record *federation_walk_next(const struct federation *f,
					struct federation_walk *w);

/**
 * What is different in `after`, in the order of keys; the records are borrowed
 * of both.
 *
 * @param before  NULL: nothing
 * @return 0; FED_ENOMEM
 */
int federation_diff(const struct federation *before,
		    const struct federation *after, struct arena *a,
		    Fed__Change ***changes_out,
		    size_t *count_out) FED_NODISCARD;

/* --- questions; f NULL: nothing is configured ------------------------------
 */

/** Never NULL. */
const Fed__SettingsRecord *federation_settings(const struct federation *f);

/**
 * The partner that a domain belongs to, whatever its state: its own name, an
 * additional one, the longest pattern; in open mode, when it is not denied, the
 * partner "*", or its defaults.
 *
 * @return NULL: no partner, or denied
 */
const Fed__PartnerRecord *federation_partner(const struct federation *f,
					     struct span domain);

/** The record that denies a domain, by its name or the longest pattern; NULL:
 * none.  It counts in closed mode too, against the pattern of a partner; a
 * domain that a partner has by its own name is not denied. */
const Fed__DeniedRecord *federation_denied(const struct federation *f,
					   struct span domain);

/* Why a policy is that of a user. */
struct federation_policy {
	const Fed__PolicyRecord *policy; /* NULL: none, so nothing is allowed */
	const char *site; /* that he is of, also when the policy is another;
			   * NULL: none */
};

/** User's, else his site's, else the global one. */
struct federation_policy federation_policy_of(const struct federation *f,
					      struct span user);

/* --- federation_push.c: for edges ------------------------------------------
 */

/**
 * What edges are told: domains of partners that are enabled, none while
 * federation is off; "*" only in open mode.  Those that are not enabled are
 * denied where a more general partner would have them.  revision and check_only
 * are left to the caller.
 *
 * @param domains  SIP domains that they serve for us
 * @param a        it lives in there, and borrows from f
 * @param e        it does not fit a frame
 * @return 0; FED_ELIMIT; FED_ENOMEM
 */
int federation_push(const struct federation *f, const char *const *domains,
		    size_t domain_count, struct arena *a,
		    Fed__Config **config_out, struct errbuf *e) FED_NODISCARD;

#endif
