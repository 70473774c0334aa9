/*
 * The synthetic transaction: a SIP user of ours who sends one message, or
 * polls somebody's presence, made here as his client would make it, so that it
 * goes the way of all requests; and what came of it.  Pure.
 */
#ifndef FED_GATEWAY_SYNTHETIC_H
#define FED_GATEWAY_SYNTHETIC_H

#include "admin.pb-c.h"
#include "base/arena.h"
#include "base/digest.h"
#include "fe-gateway/core/access.h"
#include "fe-gateway/core/sip_types.h"

enum synthetic_what { SYNTHETIC_IM, SYNTHETIC_PRESENCE };

/* What was seen of a presentity. */
enum synthetic_seen {
	SYNTHETIC_NOTHING,
	SYNTHETIC_AVAILABLE,
	SYNTHETIC_UNAVAILABLE,
	SYNTHETIC_NOT_ALLOWED, /* his server says so */
	SYNTHETIC_SILENCE,     /* his server took the question, no more */
};

struct synthetic {
	enum synthetic_what what;
	struct arena arena; /* of all texts here */
	struct sip_request_in request;
	const char *from; /* bare JIDs */
	const char *to;
	const char *domain; /* of `to` */
	uint64_t begun_ms;
	uint64_t ended_ms; /* or when the first answer came */
	uint64_t taken_ms; /* when an edge got rid of our stanza; 0: not */
	bool is_over;
	bool is_notified;	 /* presence: without a document, so far */
	bool is_late;		 /* it was given up */
	struct sip_failure line; /* final response; status 0: none */
	enum synthetic_seen seen;
	const char *shown;     /* of who is available; NULL: none */
	const char *condition; /* the XMPP side's; NULL: none came */
	const char *text;      /* its words; NULL: none */
	const char *edge;      /* that said so; NULL: the peer in a stanza */
};

/**
 * Make the request.
 *
 * @param from,to  bare JIDs
 * @param handle   comes back with the reply
 * @return 0; FED_EINVAL one of them has no SIP URI; FED_ENOMEM: it is
 *         empty, synthetic_deinit() may be called
 */
int synthetic_init(struct synthetic *s, enum synthetic_what what,
		   struct span from, struct span to, uint64_t handle,
		   struct id_source *ids, uint64_t now_ms) FED_NODISCARD;

void synthetic_deinit(struct synthetic *s);

/** A reply to the request. */
void synthetic_on_reply(struct synthetic *s, const struct sip_reply *reply,
			uint64_t now_ms);

/** The request is the NOTIFY of a poll: it has no way to leave, and is to be
 * answered as by a client, also when nobody waits for it any more. */
bool synthetic_is_notify(const struct sip_request_out *q);

/** A NOTIFY came.  @return false: it is another one's */
bool synthetic_on_notify(struct synthetic *s, const struct sip_request_out *q,
			 uint64_t now_ms);

/** The stanza is one that the request became, or an answer to that. */
bool synthetic_is_ours(const struct synthetic *s, const Fed__Stanza *stanza);
bool synthetic_is_answer(const struct synthetic *s, const Fed__Stanza *stanza);

/** What an edge says of our stanza. @param refused  NULL: delivered */
void synthetic_on_outcome(struct synthetic *s, const Fed__Error *refused,
			  const char *edge, uint64_t now_ms);

/** A stanza that is an answer. */
void synthetic_on_answer(struct synthetic *s, const Fed__Stanza *stanza,
			 uint64_t now_ms);

/** Nobody waits any longer. */
void synthetic_give_up(struct synthetic *s, uint64_t now_ms);

/* What the shell knows beside it. */
struct synthetic_facts {
	struct access_verdict access;
	const char *edge; /* that the domain's stanzas go to; NULL: none is
			   * connected */
};

/** Result, latency, error and what is to be done; lives in the arena.
 * @return NULL: no memory */
Fed__TestResult *synthetic_result(const struct synthetic *s,
				  const struct synthetic_facts *f,
				  struct arena *a);

#endif
