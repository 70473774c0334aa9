/*
 * The text in the body of a MESSAGE: inside multipart (RFC 2046 5.1) and
 * message/cpim (RFC 3862), which wrap each other.
 */
#ifndef FED_GATEWAY_MIME_H
#define FED_GATEWAY_MIME_H

#include "base/buf.h"

/* What a body is said to be; spans are borrowed. */
struct mime_entity {
	struct span type;    /* "text/plain"; empty: not said */
	struct span charset; /* parameters of the type, unquoted */
	struct span boundary;
	struct span language; /* Content-Language; empty: not said */
	struct span body;
	bool is_text_unfit; /* an attachment, or encoded as for mail */
};

/* The text that was found. */
struct mime_text {
	struct mime_entity part; /* text/plain or text/html */
	/* headers of a message/cpim around it; empty: none */
	struct span cpim_from;	  /* URI */
	struct span cpim_to;	  /* URI */
	struct span cpim_subject; /* escapes still in it, RFC 3862 2.3.1 */
};

/** Bodies of that type are looked into or taken. */
bool mime_is_known(struct span type);

/**
 * The first text/plain part, else the first text/html part; parts inside
 * parts after those, LIMIT_MIME_DEPTH deep.
 *
 * @param root  type, parameters and body of the request
 * @return 0; FED_ENOTFOUND no text in it, or a header of message/cpim must be
 *         understood and is not (415)
 *         FED_EPROTO malformed (400)
 */
int mime_find_text(const struct mime_entity *root,
		   struct mime_text *out) FED_NODISCARD;

/**
 * Append a header's value of message/cpim without its escapes (RFC 3862
 * 2.3.1); a "\" before anything else is dropped.
 *
 * @return 0; FED_ELIMIT; FED_ENOMEM
 */
int mime_cpim_unescape(struct span value, struct buf *out) FED_NODISCARD;

#endif
