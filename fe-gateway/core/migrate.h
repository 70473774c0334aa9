/*
 * From an old gateway to this one, in six steps: pool, edges, users, policies
 * and certificates, federation, DNS.  What of them is done, measured and not
 * asked for; and the last two changes, a partner is ours, or the old gateway's
 * again.  Pure.
 *
 * Certificates and DNS are looked at by edges: they are not in here.
 */
#ifndef FED_GATEWAY_MIGRATE_H
#define FED_GATEWAY_MIGRATE_H

#include "admin.pb-c.h"
#include "fe-gateway/core/federation.h"
#include "fe-gateway/core/next_hop.h"
#include "fe-gateway/core/sip_types.h"

/* Groups of findings, in their order. */
#define MIGRATE_POOL "1. pool"
#define MIGRATE_EDGES "2. edges"
#define MIGRATE_USERS "3. users"
#define MIGRATE_POLICIES "4. policies and certificates"
#define MIGRATE_FEDERATION "5. federation"

struct migrate_edge {
	const char *name;
	bool is_up;	     /* its channel is */
	uint64_t revision;   /* in force there */
	const char *refused; /* why it did not take the last one; "": it did */
};

/* What was measured. */
struct migrate_facts {
	const char *next_hop; /* URI; NULL: that of each domain */
	enum next_hop_health next_hop_health;
	enum next_hop_health legacy_health;
	uint64_t revision; /* in force here */
	const struct migrate_edge *edges;
	size_t edge_count;
};

/**
 * Findings of the steps, each with what to do where it is not well, and as the
 * verdict what comes next.
 *
 * @param out  finding and verdict are set; they live in a
 * @return 0; FED_ENOMEM
 */
int migrate_plan(const struct federation *f, const struct migrate_facts *facts,
		 struct arena *a, Fed__AdminResponse *out) FED_NODISCARD;

/**
 * Findings about one partner, or all of them: is it ours, does every edge know
 * that, who cannot reach it.
 *
 * @param domain  "": all
 * @param e       there is no such partner
 * @return 0; FED_ENOTFOUND; FED_ENOMEM
 */
int migrate_verify(const struct federation *f,
		   const struct migrate_facts *facts, const char *domain,
		   struct arena *a, Fed__AdminResponse *out,
		   struct errbuf *e) FED_NODISCARD;

/**
 * The record of a partner that is ours from now on, or the old gateway's again.
 *
 * Ours: refused, if not forced, while something in the first five steps is BAD,
 * and while users are still at the old gateway, who would lose the partner:
 * they are named.
 *
 * @param record_out  in a
 * @param why_out     NULL, or why not, in a
 * @return 0; FED_EDENIED, FED_ENOTFOUND: *why_out says it; FED_ENOMEM
 */
int migrate_change(const struct federation *f,
		   const struct migrate_facts *facts, const char *domain,
		   bool to_ours, bool is_forced, struct arena *a,
		   Fed__Record **record_out,
		   const char **why_out) FED_NODISCARD;

/* --- migrate_judge.c ------------------------------------------------------ */

enum migrate_where {
	MIGRATE_THERE, /* on the SIP side */
	MIGRATE_NOT_THERE,
	MIGRATE_UNKNOWN,
};

/**
 * Where a user is, by what came of an OPTIONS to him.  Only what is said of
 * him counts: who is taken for moved and is not would lose all partners, so
 * everything else is not known.
 */
enum migrate_where migrate_judge(enum sip_end end, int status);

#endif
