/*
 * What an old gateway, or a table, says of partners and users: read line by
 * line, with a note of what was understood and what was not.
 */
#ifndef FED_FEDCTL_MIGRATE_LIST_H
#define FED_FEDCTL_MIGRATE_LIST_H

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "federation.pb-c.h"

/* A line of the file that says something. */
struct migrate_note {
	unsigned line;
	bool is_understood;
	const char *text;
};

struct migrate_list {
	struct arena *a; /* everything below lives in it */
	struct migrate_note **notes;
	size_t note_count;
	Fed__Record **records; /* partners, or movers */
	size_t record_count;
	Fed__PartnerType type; /* that partners get */
	/* of the partners, in order: a long table is looked through for each */
	const char *domains[LIMIT_FEDERATION_PARTNERS];
	size_t domain_count;
};

/** Empty; the arena is borrowed. */
void migrate_list_init(struct migrate_list *l, struct arena *a,
		       Fed__PartnerType type);

/** A note, printf style. @return 0; FED_ENOMEM */
int migrate_list_note(struct migrate_list *l, unsigned line, bool is_understood,
		      const char *fmt, ...) FED_PRINTF(4, 5) FED_NODISCARD;

/**
 * A partner at the old gateway, with its note.
 *
 * @param method       as the old gateway has it: "TCP Dialback (required)"
 * @param description  may be empty
 * @return 0; FED_ELIMIT LIMIT_FEDERATION_PARTNERS are there; FED_ENOMEM
 */
int migrate_list_partner(struct migrate_list *l, unsigned line,
			 struct span domain, struct span method,
			 struct span description) FED_NODISCARD;

/** It could be the name of a domain: two labels at least. */
bool migrate_list_is_domain(struct span s);

/** domain,method[,description]: a line for each partner; a head line, empty
 * lines and comments (#) are passed over.
 * @return 0; FED_ELIMIT; FED_ENOMEM */
int migrate_csv_partners(struct migrate_list *l,
			 struct span text) FED_NODISCARD;

/**
 * The configuration file of the old gateway: any element that names a domain
 * and a method is a partner, settings that are known are noted, whatever their
 * elements are called.
 *
 * @return 0; FED_EXML no XML, or with a DTD; FED_ELIMIT; FED_ENOMEM
 */
int migrate_xml(struct migrate_list *l, struct span text,
		struct errbuf *e) FED_NODISCARD;

/* How streams with a partner are to be. */
struct migrate_method {
	Fed__Need tls;
	Fed__Need sasl;
	bool dialback;
};

/** The words of a method; false: they say nothing, or not in words that are
 * known, or leave nothing to authenticate with: *out has the defaults of a
 * partner, which are the strictest. */
bool migrate_method_parse(struct span words, struct migrate_method *out);

/** A method is named, whatever is said of it. */
bool migrate_method_is_named(struct span words);

#endif
