/*
 * Records of the federation configuration as operators know them: kinds and
 * fields with their names, which are those of the YAML form.
 */
#ifndef FED_FEDCTL_RECORD_H
#define FED_FEDCTL_RECORD_H

#include <jansson.h>
#include <stdio.h>

#include "admin.pb-c.h"
#include "base/arena.h"

enum field_type {
	FIELD_TEXT,
	FIELD_LIST,   /* of texts */
	FIELD_WORD,   /* one of words: an enum, or a boolean */
	FIELD_NUMBER, /* uint32 */
	FIELD_SECRET, /* bytes that nobody sees */
};

struct field {
	const char *name; /* the last of a list has none */
	enum field_type type;
	size_t at;		  /* of the member in its message */
	size_t count_at;	  /* FIELD_LIST: of its count */
	const char *const *words; /* FIELD_WORD: by value */
	const char *none;	  /* what 0 and empty mean; NULL: nothing */
	bool is_key;		  /* a part of the record's name */
};

struct record_kind {
	const char *name;   /* "partner" */
	const char *plural; /* "partners": of lists in --json */
	Fed__Record__KindCase kind;
	Fed__AdminFederationGet__Kind get;
	const ProtobufCMessageDescriptor *descriptor;
	const struct field *fields;
};

/* The words of a boolean; NULL ends them. */
extern const char *const record_off_on[];

/** @return NULL: of a newer daemon */
const struct record_kind *record_kind(Fed__Record__KindCase kind);

/** A record of that kind with the defaults. @return NULL: no memory */
Fed__Record *record_new(struct arena *a, Fed__Record__KindCase kind);

/** A copy of any message, of its own kind. @return NULL: no memory */
void *message_dup(struct arena *a, const ProtobufCMessage *m);

/** A copy that can be changed. @return NULL: no memory */
Fed__Record *record_dup(struct arena *a, const Fed__Record *r);

/** "partner fabrikam.example", "policy user sales", "settings".
 * @return NULL: no memory */
char *record_label(struct arena *a, const Fed__Record *r);

/** The text that makes the key of its kind: the domain, the user, the name;
 * "": it has none. */
const char *record_name(const Fed__Record *r);

/* ---- fields -------------------------------------------------------------- */

/** @return NULL: none of that name */
const struct field *field_find(const struct record_kind *k, struct span name);

bool field_equal(const struct field *f, const Fed__Record *a,
		 const Fed__Record *b);

/** 0 or empty. */
bool field_is_none(const struct field *f, const Fed__Record *r);

/** Its value for people, without what it means when there is none. */
void field_print(FILE *to, const struct field *f, const Fed__Record *r);

/** The n-th text of a list; NULL: no more. */
const char *field_item(const struct field *f, const Fed__Record *r, size_t n);

/**
 * Give it a value: a word, a number, a text; of a list the texts between
 * commas, or behind + and - what to add and remove.
 *
 * @param values  of an option that repeats, NULL ends them
 * @param e       what is expected
 * @return 0; FED_EINVAL; FED_ENOMEM
 */
int field_set(struct arena *a, const struct field *f, Fed__Record *r,
	      const char *const *values, struct errbuf *e) FED_NODISCARD;

/* ---- whole records ------------------------------------------------------- */

/** All fields but its key, a line each. */
void record_print(FILE *to, const Fed__Record *r, const char *indent);

/** An object with all fields; NULL: no memory.  A record that is NULL is
 * null. */
json_t *record_json(const Fed__Record *r);

#endif
