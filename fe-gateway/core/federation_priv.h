/*
 * Inside of a snapshot: records shared with the snapshots before it, in the
 * order of their keys, and what finds them.
 */
#ifndef FED_GATEWAY_FEDERATION_PRIV_H
#define FED_GATEWAY_FEDERATION_PRIV_H

#include "base/limits.h"
#include "base/map.h"
#include "fe-gateway/core/federation.h"

enum { FEDERATION_KINDS = FED__RECORD__KIND_SETTINGS + 1 };

/* A record in one block of memory with its key; of all snapshots that have it.
 * They are all used by one thread. */
struct federation_held {
	size_t refs;
	size_t key_n;
	const char *key;
	const Fed__Record *record;
};

struct federation_node {
	UT_hash_handle hh;
	struct federation_held *held;
};

/* A domain or pattern, and whose it is. */
struct federation_name {
	UT_hash_handle hh;
	const char *name;
	const struct federation_held *owner;
	/* a pattern, and a more special one is of a partner that is enabled */
	bool has_enabled_below;
};

struct federation {
	struct federation_node *nodes; /* in the order of keys */
	size_t count;
	struct federation_node *by_key;
	struct federation_name *names; /* those of the two tables below */
	size_t name_count;
	struct federation_name *partners; /* domains, patterns, "*" */
	struct federation_name *sites;	  /* SIP domains */
	size_t kind_count[FEDERATION_KINDS];
	const Fed__SettingsRecord *settings;
	Fed__PartnerRecord anyone; /* in open mode, without a partner "*" */
	char anyone_domain[2];
};

/* --- federation_record.c: one record -------------------------------------- */

/** A copy with the key; NULL: out of memory. */
struct federation_held *federation_held_new(const Fed__Record *r,
					    struct span key) FED_NODISCARD;

void federation_held_unref(struct federation_held *h);

/** Same content, field by field. */
bool federation_record_eq(const Fed__Record *a, const Fed__Record *b);

/* --- federation_matrix.c: the 18 combinations ----------------------------- */

/* What comes of tls, sasl and dialback (Lync Server 2013). */
struct federation_row {
	const char *methods; /* NULL: the combination is not allowed */
	const char *remark;  /* why not, or what is doubtful; NULL: nothing */
	bool is_doubtful;
};

const struct federation_row *federation_row(const Fed__PartnerRecord *p);

/* --- federation_normal.c, federation_check.c: a record that is put -------- */

struct federation_check {
	const struct federation *base; /* NULL: nothing is configured yet */
	struct arena *scratch;	       /* for normalized names */
	struct arena *a;	       /* for warnings */
	struct federation_warnings *w; /* NULL: nobody reads them */
	struct errbuf *e;
	char label[160]; /* "partner fabrikam.example" */
	bool is_exact;	 /* of the edit */
};

/**
 * A copy in `scratch` with normalized names.
 *
 * @param is_key_only  it is to be removed: other fields do not count
 * @return 0; FED_EINVAL a name is none; FED_ELIMIT; FED_ENOMEM
 */
int federation_normalize(struct federation_check *c, const Fed__Record *r,
			 bool is_key_only,
			 const Fed__Record **out) FED_NODISCARD;

/** Ranges, lengths, combinations, references to nothing else.
 * @return 0; FED_EINVAL; FED_ELIMIT */
int federation_check_record(struct federation_check *c,
			    const Fed__Record *r) FED_NODISCARD;

/** Warn that settings or the global policy went back to defaults.
 * @return 0; FED_ENOMEM */
int federation_check_resets(struct federation_check *c,
			    const struct federation *f) FED_NODISCARD;

/** Warn of what is allowed in a record that is new or changed.
 * @return 0; FED_ENOMEM */
int federation_check_doubts(struct federation_check *c,
			    const struct federation *f,
			    const Fed__Record *r) FED_NODISCARD;

/** A record to be removed is not there; with the nearest name.
 * @return FED_EINVAL */
int federation_complain_missing(struct federation_check *c, const char *key);

/** The label of a key, for complaints. */
void federation_check_name(struct federation_check *c, const char *key);

/** "LABEL: FIELD: sentence" (no field: NULL). @return FED_EINVAL */
int federation_complain(struct federation_check *c, const char *field,
			const char *fmt, ...) FED_PRINTF(3, 4);

/** @return 0; FED_ENOMEM */
int federation_warn(struct federation_check *c, const char *fmt, ...)
	FED_PRINTF(2, 3) FED_NODISCARD;

/* --- federation_whole.c: what holds between records ----------------------- */

/** Fill `partners` and `sites`.
 * @return 0; FED_EINVAL two of them have the same name; FED_ENOMEM */
int federation_index(struct federation_check *c,
		     struct federation *f) FED_NODISCARD;

/**
 * References, limits, domains that are denied and partners.
 *
 * @param put    records that are new in f or changed
 * @param is_less  a policy or a site of the base is not in f
 * @return 0; FED_EINVAL; FED_ELIMIT
 */
int federation_check_whole(struct federation_check *c,
			   const struct federation *f,
			   struct federation_held *const *put, size_t put_count,
			   bool is_less) FED_NODISCARD;

/* --- federation_find.c -----------------------------------------------------
 */

/** As federation_find(), with the length; NULL: none. */
const struct federation_held *federation_held_of(const struct federation *f,
						 struct span key);

/** federation_denied(), where partners do not count. */
const Fed__DeniedRecord *federation_denied_by(const struct federation *f,
					      struct span domain);

/** federation_partner(), and which of its names it is by. */
const Fed__PartnerRecord *federation_partner_by(const struct federation *f,
						struct span domain,
						const char **name_out);

/** Whose a domain or a pattern would be if its own name were nobody's; NULL:
 * nobody's. */
const Fed__PartnerRecord *federation_partner_above(const struct federation *f,
						   struct span name);

/** Note at each pattern whether an enabled one is below it. */
void federation_mark_patterns(struct federation *f);

/** PREFIX and name as key; NULL: none. */
const Fed__Record *federation_named(const struct federation *f,
				    const char *prefix, struct span name);

#endif
