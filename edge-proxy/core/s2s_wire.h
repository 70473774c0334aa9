/*
 * The elements of s2s negotiation (RFC 6120 4-6, XEP-0178, XEP-0220,
 * XEP-0288, XEP-0478), written and recognised.  Private to the s2s cores;
 * writing failures are sticky in the buffer.
 */
#ifndef FED_EDGE_S2S_WIRE_H
#define FED_EDGE_S2S_WIRE_H

#include "base/limits.h"
#include "edge-proxy/core/negotiation.h"
#include "edge-proxy/core/s2s.h"
#include "edge-proxy/core/xml_reader.h"

/* ---- headers ---- */

/* What we say in our header; NULL: left out. */
struct s2s_header_out {
	const char *from;
	const char *to;
	const char *id; /* receiving entity only */
	bool has_version;
};

/** XML declaration and <stream:stream ...>. */
void s2s_write_header(struct buf *b, const struct s2s_header_out *h);

/* What the peer says in its header. */
struct s2s_header {
	enum s2s_condition problem; /* of the shape, not of the names */
	const char *problem_text;
	char from[LIMIT_DOMAIN_BYTES + 1]; /* normalized; "" absent or bad */
	char to[LIMIT_DOMAIN_BYTES + 1];
	bool has_from;	  /* the attribute was there */
	bool has_version; /* 1.0 or more; otherwise the peer is 0.9 */
	const char *id;	  /* "" when absent; lives as the event */
	const char *lang; /* NULL when absent; lives as the event */
};

/** Read and check the shape (RFC 6120 4.7, 4.8). */
void s2s_header_read(const struct xml_event *ev, struct s2s_header *h);

/* ---- features ---- */

/** Features of the receiving entity; limits: ours (XEP-0478), NULL: not said.
 */
void s2s_write_features(struct buf *b, const struct negotiation_offer *offer,
			const struct s2s_limits *limits);

struct s2s_features {
	bool has_starttls;
	bool has_external;
	bool has_bidi;
	bool has_limits; /* XEP-0478 */
	struct s2s_limits limits;
};

/** What matters of <stream:features/>. */
void s2s_features_read(const struct xml_el *el, struct s2s_features *f);

/* ---- bidi (XEP-0288) ---- */

/** <bidi/> of the initiating entity, with its limits (XEP-0478 3.3). */
void s2s_write_bidi(struct buf *b, const struct s2s_limits *limits);

/** The peer's stanza limit inside its <bidi/>, 0: none. */
size_t s2s_bidi_max_bytes(const struct xml_el *el);

/* ---- stream errors and ends ---- */

/** <stream:error/> and </stream:stream>; text may be NULL. */
void s2s_write_error(struct buf *b, enum s2s_condition c, const char *text,
		     bool is_too_big);

/** </stream:stream> */
void s2s_write_end(struct buf *b);

/** The peer's <stream:error/> as a reason of kind ERROR_GOT. */
void s2s_error_read(const struct xml_el *el, struct s2s_reason *r);

/** The stream error for a failure of xml_reader_feed(). */
enum s2s_condition s2s_feed_condition(int feed_err);

/** Fill a reason; text may be NULL. */
struct s2s_reason s2s_reason_make(enum s2s_reason_kind kind,
				  enum s2s_condition condition,
				  const char *text);

/* ---- dialback ---- */

/* One db:result or db:verify element. */
struct s2s_dialback {
	const char *element; /* "db:result" or "db:verify" */
	const char *from;
	const char *to;
	const char *id;	   /* db:verify only, NULL: none */
	const char *type;  /* NULL: a request */
	const char *key;   /* NULL: none */
	const char *error; /* with type "error": the condition, else NULL */
};

/** Write it. */
void s2s_write_dialback(struct buf *b, const struct s2s_dialback *d);

/* A received one. */
struct s2s_dialback_in {
	char from[LIMIT_DOMAIN_BYTES + 1]; /* normalized; "" absent or bad */
	char to[LIMIT_DOMAIN_BYTES + 1];
	const char *id;	  /* "" absent; lives as the element */
	const char *type; /* "" for a request */
	struct span key;
	const char *error; /* condition's name, "" none */
};

/** Read it. */
void s2s_dialback_read(const struct xml_el *el, struct s2s_dialback_in *d);

/* ---- SASL ---- */

/** <auth/> (or <response/>) of mechanism EXTERNAL with that authzid. */
void s2s_write_auth(struct buf *b, const char *authzid);
void s2s_write_response(struct buf *b, const char *authzid);

/** <failure><condition/></failure> */
void s2s_write_sasl_failure(struct buf *b, const char *condition);

/** Name of the first child in the namespace, "" when there is none. */
const char *s2s_child_name(const struct xml_el *el, const char *ns);

/* ---- first-level elements ---- */

enum s2s_el {
	S2S_EL_STANZA, /* anything in jabber:server */
	S2S_EL_FEATURES,
	S2S_EL_ERROR,
	S2S_EL_STARTTLS,
	S2S_EL_PROCEED,
	S2S_EL_TLS_FAILURE,
	S2S_EL_AUTH,
	S2S_EL_RESPONSE,
	S2S_EL_ABORT,
	S2S_EL_CHALLENGE,
	S2S_EL_SUCCESS,
	S2S_EL_SASL_FAILURE,
	S2S_EL_RESULT,	/* db:result */
	S2S_EL_VERIFY,	/* db:verify */
	S2S_EL_BIDI,	/* the request, not the feature */
	S2S_EL_CLIENT,	/* jabber:client, not allowed here */
	S2S_EL_TOO_BIG, /* a stub, and not of a stanza: nobody to answer */
	S2S_EL_OTHER,
};

/** What the element is, by namespace and name. */
enum s2s_el s2s_el_classify(const struct xml_el *el);

#endif
