/*
 * Pieces that the readers of several stanza kinds share.  Private to
 * stanza_xml_*.c.
 */
#ifndef FED_EDGE_STANZA_PARTS_H
#define FED_EDGE_STANZA_PARTS_H

#include "edge-proxy/core/stanza_xml.h"

/* One stanza being read. */
struct stanza_reader {
	struct arena *arena;
	struct metrics *metrics; /* NULL: none */
	Fed__Stanza *stanza;
	size_t taken;	       /* elements that have a field */
	bool has_priority;     /* of a presence */
	bool is_full;	       /* an allocation failed; sticky */
	bool is_malformed;     /* an address keeps a part no JID can have */
	Fed__Condition answer; /* the error to answer with, if any */
};

/* Puts an element into its field; false when it has none (any more). */
typedef bool (*stanza_take_fn)(struct stanza_reader *r,
			       const struct xml_el *el);

struct stanza_rule {
	const char *ns;
	const char *name; /* NULL: any */
	stanza_take_fn take;
};

/** Every child of el through the rules; what has none is counted. */
void stanza_take_children(struct stanza_reader *r, const struct xml_el *el,
			  const struct stanza_rule *rules, size_t count);

/** An element is left out. */
void stanza_reduce(struct stanza_reader *r);

/** n zeroed bytes; NULL sets is_full. */
void *stanza_part_alloc(struct stanza_reader *r, size_t n);

/** *field becomes a copy of value; NULL and "" leave it alone. */
void stanza_part_set(struct stanza_reader *r, char **field, const char *value);

/** As stanza_part_set(), with an attribute; false when it is absent. */
bool stanza_part_attr(struct stanza_reader *r, const struct xml_el *el,
		      const char *name, char **field);

/** Short enough to be a language; longer ones count as absent. */
bool stanza_is_lang(const char *lang);

/** xml:lang of the element, else the stanza's; never NULL. */
const char *stanza_part_lang(const struct stanza_reader *r,
			     const struct xml_el *el);

/** Append the element's text with its language; false: the list is full. */
bool stanza_part_text(struct stanza_reader *r, const struct xml_el *el,
		      Fed__Text ***list, size_t *count);

/** XEP-0203; false when *field is set already or the stamp is broken. */
bool stanza_part_delay(struct stanza_reader *r, const struct xml_el *el,
		       Fed__Delay **field);

/** The error of a stanza of type error; always made (RFC 6120 8.3). */
void stanza_part_error(struct stanza_reader *r, const struct xml_el *stanza,
		       Fed__Error **field);

/** Message, presence, iq: type and content go into r->stanza. */
enum stanza_verdict stanza_read_message(struct stanza_reader *r,
					const struct xml_el *el);
enum stanza_verdict stanza_read_presence(struct stanza_reader *r,
					 const struct xml_el *el);
enum stanza_verdict stanza_read_iq(struct stanza_reader *r,
				   const struct xml_el *el);

#endif
