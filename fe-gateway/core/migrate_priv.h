/* Inside of the migration: migrate.c (the steps), migrate_change.c. */
#ifndef FED_GATEWAY_MIGRATE_PRIV_H
#define FED_GATEWAY_MIGRATE_PRIV_H

#include "fe-gateway/core/migrate.h"

enum { MIGRATE_NAMES = 10 }; /* of users, in one sentence */

/* Users and where they are. */
struct migrate_users {
	size_t count;
	size_t moved;
	const char *left; /* the first ones that have not moved: "a, b, c" */
	/* who has moved and may not talk to XMPP */
	size_t denied_count;
	const char *denied;
};

/* Partners and whose they are. */
struct migrate_partners {
	size_t count;
	size_t of_state[3];
	const Fed__PartnerRecord *first_legacy; /* NULL: none */
};

struct migrate {
	const struct federation *f;
	const struct migrate_facts *facts;
	struct arena *a;
	Fed__AdminResponse *out;
	const struct migrate_users *users; /* counted once */
	struct migrate_partners partners;
	bool is_out_of_memory;
};

/** Count and name them. @return 0; FED_ENOMEM */
int migrate_count_users(const struct federation *f, struct arena *a,
			struct migrate_users *out) FED_NODISCARD;

/** migrate_plan() with users that are counted. @return 0; FED_ENOMEM */
int migrate_steps(const struct federation *f, const struct migrate_facts *facts,
		  const struct migrate_users *users, struct arena *a,
		  Fed__AdminResponse *out) FED_NODISCARD;

/* text NULL: it could not be made; advice NULL: none, "" could not be. */
void migrate_add(struct migrate *m, Fed__Finding__Level level,
		 const char *group, const char *what, char *text,
		 const char *advice);

/** The edges' findings, in that group. */
void migrate_edges(struct migrate *m, const char *group);

#endif
