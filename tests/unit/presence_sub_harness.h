/* Words for tests of OUT: J watches R, and the SIP side answers. */
#ifndef FED_TESTS_PRESENCE_SUB_HARNESS_H
#define FED_TESTS_PRESENCE_SUB_HARNESS_H

#include "presence_harness.h"

#define XML "<?xml version='1.0' encoding='UTF-8'?>\n"
#define DOC(tuples)                                         \
	XML "<presence xmlns='urn:ietf:params:xml:ns:pidf'" \
	    " entity='pres:romeo@example.net'>" tuples "</presence>"
#define OPEN(id)                                                     \
	"<tuple id='ID-" id "'><status><basic>open</basic></status>" \
	"</tuple>"
#define CLOSED(id)                                                     \
	"<tuple id='ID-" id "'><status><basic>closed</basic></status>" \
	"</tuple>"
#define AWAY(id)                                            \
	"<tuple id='ID-" id "'><status><basic>open</basic>" \
	"<show xmlns='jabber:client'>away</show></status></tuple>"

/* lines of harness texts */
#define SUBSCRIBE(call, cseq)                                          \
	"sip SUBSCRIBE sip:romeo@example.net call=" call " cseq=" cseq \
	" expires=3600\n"
#define REFRESH(call, cseq)                                       \
	"sip SUBSCRIBE sip:pa@192.0.2.1 call=" call " cseq=" cseq \
	" to-tag=peer expires=3600\n"
#define END(call, cseq)                                           \
	"sip SUBSCRIBE sip:pa@192.0.2.1 call=" call " cseq=" cseq \
	" to-tag=peer expires=0\n"
#define POLL(call) \
	"sip SUBSCRIBE sip:romeo@example.net call=" call " cseq=1 expires=0\n"
#define BARE(what) "stanza " ROMEO " -> " JULIET " " what "\n"
#define FULL(name, what) "stanza " ROMEO "/" name " -> " JULIET " " what "\n"
#define GONE FULL("x", "unavailable")
#define CANCEL GONE BARE("unsubscribed")
#define RENEW SUBSCRIBE("2", "1")
#define DELIVERED(ref) "outcome " ref " delivered\n"
#define OK(handle) "reply " handle " 200 contact\n"

static inline uint64_t ask(struct fixture *f, Fed__PresenceType type)
{
	return from_xmpp(f, JULIET, ROMEO, "q", type);
}

static inline uint64_t subscribe(struct fixture *f)
{
	return ask(f, FED__PRESENCE_TYPE__SUBSCRIBE);
}

static inline uint64_t unsubscribe(struct fixture *f)
{
	return ask(f, FED__PRESENCE_TYPE__UNSUBSCRIBE);
}

static inline uint64_t probe(struct fixture *f, const char *id)
{
	return from_xmpp(f, JULIET, ROMEO, id, FED__PRESENCE_TYPE__PROBE);
}

/* A NOTIFY for the dialog of that request of ours. */
static inline struct sip_request_in notify_of(struct fixture *f,
					      const struct sent *s,
					      const char *state,
					      const char *doc)
{
	struct sip_request_in q = request_of(f, "NOTIFY");

	q.call_id = span_str(s->call_id);
	q.to_tag = span_str(s->from_tag);
	q.has_to_tag = true;
	q.from_tag = SPAN_LIT("peer");
	q.contact_uri = SPAN_LIT("sip:pa@192.0.2.1");
	q.cseq = (uint32_t)f->next_handle;
	q.subscription_state = span_str(state);
	if (doc != NULL) {
		q.content_type = SPAN_LIT(PIDF_TYPE);
		q.body = span_str(doc);
	}
	return q;
}

/* To the newest dialog. */
static inline void notify(struct fixture *f, const char *state, const char *doc)
{
	struct sip_request_in q = notify_of(f, last_sent(f), state, doc);

	presence_on_sip_request(f->p, &q, f->now);
}

static inline void end_by(struct fixture *f, enum sip_end end)
{
	const struct sip_response_in r = {.end = end};

	respond_to(f, last_sent(f), &r);
}

/* Asked, answered, approved, R is there with resource x; nothing is left to
 * be looked at. */
static inline void watch(struct fixture *f)
{
	(void)subscribe(f);
	drain(f);
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	settle(f);
}

/* The same, not approved yet. */
static inline void watch_pending(struct fixture *f)
{
	(void)subscribe(f);
	drain(f);
	respond(f, 200);
	notify(f, "pending;expires=3600", NULL);
	settle(f);
}

/* Another one, for the next row. */
static inline void again(struct fixture **f, void **state)
{
	(void)teardown(state);
	(void)setup(state);
	*f = *state;
}

static inline size_t watches(const struct fixture *f)
{
	struct presence_counts c;

	presence_count(f->p, &c);
	return c.out_watches;
}

#endif
