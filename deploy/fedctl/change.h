/*
 * Looking at records and changing them: get some, make others of them, put
 * those in their place, and show what became different.
 */
#ifndef FED_FEDCTL_CHANGE_H
#define FED_FEDCTL_CHANGE_H

#include "base/arena.h"
#include "base/limits.h"
#include "deploy/fedctl/record.h"
#include "deploy/fedctl/session.h"

/* Memory of one command: the whole configuration a few times. */
#define CHANGE_ARENA_BYTES (2u * LIMIT_ADMIN_REQUEST_ARENA_BYTES)

/* How long a change may take: the edges are asked first, many records are
 * written, and the edges are told. */
enum { CHANGE_PATIENCE_S = 60 };

/* The option of every command that changes something. */
#define CHANGE_DRY_RUN                                          \
	{                                                       \
		.name = "dry-run",                              \
		.help = "only show what would become different" \
	}

/* Some records of the configuration, in an arena. */
struct records {
	Fed__Record **items;
	size_t count;
	uint64_t revision; /* that they are of; 0: nothing is configured */
};

/** Ask for records.
 *
 * @param get      of that kind, or all; secrets in them are empty, which keeps
 *                 those there are when they are put again
 * @param pattern  of their names, with * and ?; "": all
 * @return STATUS_DONE; else what failed was said
 */
int records_get(struct session *s, struct arena *a,
		Fed__AdminFederationGet__Kind get, const char *pattern,
		struct records *out) FED_NODISCARD;

/** The same of all kinds or settings, with secrets. @return as records_get() */
int records_get_secret(struct session *s, struct arena *a,
		       Fed__AdminFederationGet__Kind get,
		       struct records *out) FED_NODISCARD;

/** The one of that name (the first, of policies with the same name); NULL:
 * none. */
Fed__Record *records_find(const struct records *rs, const char *name);

/**
 * The one of that name, of all records of its kind; when there is none, that is
 * said with the nearest name.
 *
 * @param all_out  what was asked for
 * @return STATUS_DONE; STATUS_USAGE there is none of that name
 */
int records_need(struct session *s, struct arena *a,
		 const struct record_kind *k, const char *name,
		 struct records *all_out, Fed__Record **out) FED_NODISCARD;

/** A new record of a kind whose name is its first field.
 * @return STATUS_DONE; STATUS_FAILED said */
int change_new(struct session *s, struct arena *a, Fed__Record__KindCase kind,
	       const char *name, Fed__Record **out) FED_NODISCARD;

/* A change as it grows. */
struct change {
	struct arena *a;
	Fed__AdminFederationApply apply;
	const char *what; /* for the history; NULL: the line */
};

/** Begin; base: the revision of what it was made of, 0: any. */
void change_init(struct change *c, struct arena *a, uint64_t base);

/** Another record. @return 0; FED_ENOMEM */
int change_put(struct change *c, Fed__Record *r) FED_NODISCARD;
int change_remove(struct change *c, Fed__Record *r) FED_NODISCARD;

/** Who sits there: sudo's user, or the one who logged in; "": nobody said. */
const char *change_who(void);

/** It as a request, with who does it and what; the session waits long enough
 * for its answer. @return STATUS_DONE; STATUS_FAILED said */
int change_request(struct session *s, struct change *c,
		   Fed__AdminRequest *r_out) FED_NODISCARD;

/** Send it, and show what it did. @return exit status */
int change_send(struct session *s, struct change *c);

/** Fields of a record from the options that have their names.
 *
 * @param set_out  how many were set
 * @return STATUS_DONE; else what is wrong was said */
int change_fields(struct session *s, struct arena *a, Fed__Record *r,
		  size_t *set_out) FED_NODISCARD;

/** Out of memory, in words. */
int change_no_memory(struct session *s);

#endif
