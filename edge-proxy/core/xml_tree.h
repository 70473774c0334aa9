/*
 * Builds the elements of one stream: nodes in arenas that are bounded and
 * given back as a whole, text collected on a stack without copying twice.
 * Knows nothing of the parser but the shape of its attribute array.
 */
#ifndef FED_EDGE_XML_TREE_H
#define FED_EDGE_XML_TREE_H

#include "base/limits.h"
#include "edge-proxy/core/xml_reader.h"

/* One start tag as libxml2 shows it; borrowed.  Names live as long as the
 * parser and are not copied. */
struct xml_tag {
	const unsigned char *ns; /* NULL: none */
	const unsigned char *name;
	const unsigned char *prefix; /* NULL: none */
	/* five pointers an attribute: name, prefix, namespace, value, end of
	 * the value */
	const unsigned char **attrs;
	size_t attr_count;
};

struct xml_frame {
	struct xml_el *el;
	struct xml_el *last_child;
	size_t text_at; /* where its text begins on the stack */
};

/*
 * An element that is not complete at the end of a feed must outlive the
 * events of that feed.  So there are two arenas: it stays where it began, and
 * what begins during the next feed goes into the other.
 */
struct xml_tree {
	struct arena arenas[2];
	unsigned int fresh;   /* where new first-level elements go */
	unsigned int open_in; /* where the open one lives */
	size_t open_at;	      /* bytes used there before it began */
	size_t depth;	      /* open elements, the stream's not counted */
	struct xml_frame frames[LIMIT_XML_DEPTH];
	/* Text of all open elements, the innermost on top: when a child is
	 * closed its text is taken off and the parent's is contiguous again. */
	char *text;
	size_t text_n;
	size_t text_cap;
};

/** Nothing open, nothing allocated. */
void xml_tree_init(struct xml_tree *t);

/** Free everything. */
void xml_tree_deinit(struct xml_tree *t);

/** Forget the open element too. */
void xml_tree_reset(struct xml_tree *t);

/** Forget the open element, keep what was completed. */
void xml_tree_abandon(struct xml_tree *t);

/** The events of the last feed are done with: take their memory back. */
void xml_tree_begin_feed(struct xml_tree *t);

/** Zeroed bytes that live like the first-level element; NULL: full. */
void *xml_tree_alloc(struct xml_tree *t, size_t n) FED_NODISCARD;

/** An element that stands alone (the stream header); NULL: full. */
struct xml_el *xml_tree_single(struct xml_tree *t,
			       const struct xml_tag *tag) FED_NODISCARD;

/** Start tag. @return 0; FED_ELIMIT too deep, or the arena is full */
int xml_tree_open(struct xml_tree *t, const struct xml_tag *tag) FED_NODISCARD;

/** Character data of the innermost element. @return 0; FED_ENOMEM */
int xml_tree_text(struct xml_tree *t, struct span s) FED_NODISCARD;

/**
 * End tag; never call it with nothing open.
 *
 * @return the closed element; NULL: the arena is full
 */
struct xml_el *xml_tree_close(struct xml_tree *t) FED_NODISCARD;

#endif
