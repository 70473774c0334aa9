/*
 * What a PIDF document says, element by element, without a parser: which
 * elements are known and where, and in the end the view that they make.
 * Private to the reader.
 */
#ifndef FED_GATEWAY_PIDF_DOC_H
#define FED_GATEWAY_PIDF_DOC_H

#include "base/arena.h"
#include "fe-gateway/core/pidf_rpid.h"
#include "fe-gateway/core/presence_view.h"

/* A start tag; spans live as long as the call. */
struct pidf_tag {
	struct span ns;
	struct span name;
	struct span id;
	struct span lang; /* xml:lang */
	bool has_lang;
	struct span priority;
	struct span aggregate;
	bool must_understand; /* of RFC 3863 */
};

/* What an element is where it stands. */
enum pidf_place {
	PIDF_AT_OTHER,	/* not known */
	PIDF_AT_OPAQUE, /* inside an element of text */
	PIDF_AT_DOCUMENT,
	PIDF_AT_PRESENCE,
	PIDF_AT_TUPLE,
	PIDF_AT_STATUS,
	PIDF_AT_PERSON,
	PIDF_AT_CONTACT,
	PIDF_AT_ACTIVITIES,
	/* those from here on have text */
	PIDF_AT_TEXT,
	PIDF_AT_BASIC = PIDF_AT_TEXT,
	PIDF_AT_SHOW,
	PIDF_AT_ACTIVITY,
	PIDF_AT_USER_INPUT,
	PIDF_AT_AVAILABILITY,
	PIDF_AT_NOTE,
	PIDF_AT_PERSON_NOTE,
	PIDF_AT_ACTIVITIES_NOTE,
};

struct pidf_level {
	enum pidf_place place;
	const char *lang; /* in force here */
};

struct pidf_notes {
	struct presence_note note[LIMIT_PRESENCE_NOTES];
	size_t count;
};

/* Of a tuple, or of the whole presentity. */
struct pidf_hints {
	Fed__Show activity;
	struct pidf_availability availability;
	bool is_idle;
};

struct pidf_tuple {
	const char *name; /* the resource */
	enum pidf_basic basic;
	bool is_undefined; /* something in its status must be understood */
	bool has_show;
	Fed__Show show; /* of jabber:client */
	struct pidf_hints hints;
	int priority;
	bool has_priority;
	struct pidf_notes notes;
};

struct pidf_doc {
	struct arena arena; /* names and texts */
	struct pidf_level levels[LIMIT_XML_DEPTH + 1];
	size_t depth;
	struct pidf_tuple tuples[LIMIT_PRESENCE_RESOURCES];
	size_t tuple_count;
	struct pidf_tuple *tuple; /* the one we are in; NULL */
	struct pidf_hints hints;
	struct pidf_notes notes;	    /* of presence */
	struct pidf_notes person_notes;	    /* of dm:person */
	struct pidf_notes activities_notes; /* of rpid:activities */
	char text[LIMIT_PRESENCE_NOTE_BYTES];
	size_t text_n;
	bool is_text_full;
};

/** lang: of texts that say none, or empty. */
int pidf_doc_init(struct pidf_doc *d, struct span lang) FED_NODISCARD;
void pidf_doc_deinit(struct pidf_doc *d);

/** @return 0; FED_EXML the root is not that of PIDF; FED_ELIMIT; FED_ENOMEM */
int pidf_doc_open(struct pidf_doc *d, const struct pidf_tag *tag) FED_NODISCARD;

/** Character data; may come in pieces, each of whole characters. */
void pidf_doc_text(struct pidf_doc *d, struct span text);

/** @return 0; FED_ENOMEM */
int pidf_doc_close(struct pidf_doc *d) FED_NODISCARD;

/** Add the tuples to the view. @return 0; FED_ENOMEM */
int pidf_doc_view(const struct pidf_doc *d,
		  struct presence_view *view) FED_NODISCARD;

#endif
