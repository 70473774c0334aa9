/* sofia nta: transports, server and client transactions. */
#include "fe-gateway/sip_adapter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tagarg.h>
#include <sofia-sip/tport_tag.h>

#include "base/limits.h"
#include "base/map.h"
#include "fe-gateway/sip_adapter_read.h"
#include "fe-gateway/sip_adapter_write.h"

/* LIMIT: sofia queues at most this much per connection (it clips to 1000);
 * an idle connection of a peer goes after ten minutes, half a message after
 * thirty seconds.  TPTAG_SDWN_ERROR below: what waits for an answer on a
 * connection hears at once that it ended, not after 32 s. */
enum {
	SIP_QUEUE_SIZE = 1000,
	SIP_IDLE_MS = 600000,
	SIP_HALF_MS = 30000,
	SIP_TLS_DEPTH = 5, /* CAs above a certificate */
};

/* A server transaction that has no final response yet. */
struct sip_server {
	UT_hash_handle hh;
	uint64_t handle;
	nta_incoming_t *irq;
	enum sip_transport transport; /* it came over */
	char source[64];
	msg_t *answer; /* to the request as it was passed on; NULL: none */
};

/* A client transaction. */
struct sip_client {
	UT_hash_handle hh;
	uint64_t token;
	uint64_t passed; /* handle of the request that it is; 0: of none */
	struct sip_adapter *adapter;
	nta_outgoing_t *orq;
};

struct sip_adapter {
	struct sip_adapter_params p;
	nta_agent_t *agent;
	nta_leg_t *leg;
	struct sip_server *servers;
	struct sip_client *clients;
	uint64_t next_handle;
	struct sip_adapter_text *text; /* of the message at hand; 22 KB */
};

/* --- server transactions ------------------------------------------------- */

static void forget_server(struct sip_adapter *a, struct sip_server *s)
{
	HASH_DEL(a->servers, s);
	/* sofia keeps 16 KB of each transaction that is not given back; it
	 * goes on answering retransmissions itself */
	nta_incoming_destroy(s->irq);
	if (s->answer != NULL)
		msg_destroy(s->answer);
	free(s);
}

static struct sip_server *find_server(struct sip_adapter *a, uint64_t handle)
{
	struct sip_server *s;

	HASH_FIND(hh, a->servers, &handle, sizeof(handle), s);
	return s;
}

void sip_adapter_drop(struct sip_adapter *a, uint64_t handle)
{
	struct sip_server *s = find_server(a, handle);

	if (s != NULL)
		forget_server(a, s);
}

void sip_adapter_reply(struct sip_adapter *a, uint64_t handle,
		       const struct sip_reply *r)
{
	struct sip_server *s = find_server(a, handle);
	struct sip_adapter_own own;

	if (s == NULL)
		return;
	own = (struct sip_adapter_own){
		.vias = nta_agent_via(a->agent),
		.instance = a->p.instance,
		.transport = s->transport,
		.peer_ip = s->source,
	};
	sip_loop_message(a->p.loop);
	if (sip_adapter_answer(s->irq, r, &own) != 0)
		fed_log(loop_log(sip_loop_inner(a->p.loop)), FED_LOG_WARN,
			"sip_reply_failed", "status=%d", r->line.status);
	if (r->line.status >= 200)
		forget_server(a, s);
}

void sip_adapter_pass(struct sip_adapter *a, uint64_t handle)
{
	struct sip_server *s = find_server(a, handle);

	if (s == NULL)
		return;
	sip_loop_message(a->p.loop);
	if (sip_adapter_pass_answer(s->irq, s->answer) != 0) {
		fed_log(loop_log(sip_loop_inner(a->p.loop)), FED_LOG_WARN,
			"sip_pass_failed", "source=%s", s->source);
		(void)nta_incoming_treply(s->irq, SIP_502_BAD_GATEWAY,
					  TAG_END());
	}
	forget_server(a, s);
}

static struct sip_server *new_server(struct sip_adapter *a)
{
	struct sip_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->handle = ++a->next_handle;
	HASH_ADD(hh, a->servers, handle, sizeof(s->handle), s);
	if (s->hh.tbl == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

static void on_request(struct sip_adapter *a, nta_incoming_t *irq,
		       sip_t const *sip, struct sip_adapter_text *text)
{
	struct sip_server *s = new_server(a);
	struct sip_request_in r;

	if (s == NULL) {
		(void)nta_incoming_treply(irq, SIP_500_INTERNAL_SERVER_ERROR,
					  TAG_END());
		nta_incoming_destroy(irq);
		return;
	}
	s->irq = irq;
	s->transport = sip_adapter_transport(sip);
	(void)snprintf(s->source, sizeof(s->source), "%s", text->source);
	sip_adapter_read(sip, text, &r);
	r.handle = s->handle;
	r.bytes = text->bytes;
	a->p.on_request(&r, a->p.arg);
}

/* @return false: to be dropped */
static bool is_wanted(struct sip_adapter *a, msg_t *msg, sip_t const *sip,
		      struct sip_adapter_text *text)
{
	struct span source;

	/* a response to nobody, or an ACK, which has no answer */
	if (sip->sip_request == NULL ||
	    sip->sip_request->rq_method == sip_method_ack)
		return false;
	text->bytes = msg_size(msg);
	source = sip_adapter_source(msg, text->source, sizeof(text->source));
	return !sip_adapter_is_udp(sip) || a->p.admit_udp(source, a->p.arg);
}

/* nta calls this for each message of no transaction: a request gets one here
 * and not before, so that what is dropped holds no memory. */
static int on_message(struct sip_adapter *a, nta_agent_t *agent, msg_t *msg,
		      sip_t *sip)
{
	nta_incoming_t *irq;

	if (!is_wanted(a, msg, sip, a->text)) {
		nta_msg_discard(agent, msg);
		return 0;
	}
	/* takes the message, also when it fails */
	irq = nta_incoming_create(agent, a->leg, msg, sip, TAG_END());
	if (irq != NULL)
		on_request(a, irq, sip, a->text);
	return 0;
}

/* --- client transactions ------------------------------------------------- */

static void forget_client(struct sip_client *c)
{
	HASH_DEL(c->adapter->clients, c);
	if (c->orq != NULL)
		nta_outgoing_destroy(c->orq);
	free(c);
}

/* Responses that sofia made itself stand for what happened to the
 * transaction (RFC 3261 8.1.3.1). */
static enum sip_end internal_end(int status)
{
	switch (status) {
	case 408:
		return SIP_END_TIMEOUT;
	case 404:
	case 502:
		return SIP_END_DNS;
	default:
		return SIP_END_TRANSPORT;
	}
}

/* For sip_adapter_pass(): the last answer counts. */
static void keep_answer(struct sip_adapter *a, const struct sip_client *c,
			nta_outgoing_t *orq)
{
	struct sip_server *s =
		c->passed != 0 ? find_server(a, c->passed) : NULL;

	if (s == NULL)
		return;
	if (s->answer != NULL)
		msg_destroy(s->answer);
	s->answer = nta_outgoing_getresponse(orq);
}

static int on_response(struct sip_client *c, nta_outgoing_t *orq,
		       sip_t const *sip)
{
	struct sip_adapter *a = c->adapter;
	struct sip_response_in r = {.end = SIP_END_RESPONSE};
	struct sip_adapter_response_text text;
	uint64_t token = c->token;
	struct sip_client *found;

	r.status = sip != NULL ? sip->sip_status->st_status
			       : nta_outgoing_status(orq);
	if (r.status < 200)
		return 0;
	/* an end from inside sip_adapter_send() is its return value */
	HASH_FIND(hh, a->clients, &token, sizeof(token), found);
	if (found != c)
		return 0;
	if (sip == NULL || nta_sip_is_internal(sip)) {
		r.end = internal_end(r.status);
	} else {
		sip_adapter_read_response(sip, &text, &r);
		keep_answer(a, c, orq);
	}
	c->orq = orq;
	/* what `r` points into is the transaction's: it goes last, but out of
	 * the table, since the call may send anew */
	HASH_DEL(a->clients, c);
	a->p.on_response(token, &r, a->p.arg);
	nta_outgoing_destroy(orq);
	free(c);
	return 0;
}

/* A connection that is open to that address belongs to the domain, too. */
static bool may_use(const struct sip_target *t)
{
	return t->transport != SIP_TLS ||
	       sip_tls_compat_may_reuse(t->ip, t->port, t->host);
}

static nta_outgoing_t *start(struct sip_adapter *a, struct sip_client *c,
			     const struct sip_request_out *r,
			     const struct sip_target *t)
{
	const struct sip_adapter_start begin = {a->agent, a->leg, on_response,
						c};
	const struct sip_adapter_own own = {
		.vias = nta_agent_via(a->agent),
		.transport = t->transport,
		.peer_ip = t->ip,
	};
	const struct sip_server *s;

	if (r->passed == 0)
		return sip_adapter_start(&begin, r, t, &own);
	s = find_server(a, r->passed);
	return s != NULL ? sip_adapter_start_passed(&begin, s->irq, r, t, &own)
			 : NULL;
}

int sip_adapter_send(struct sip_adapter *a, uint64_t token,
		     const struct sip_request_out *r,
		     const struct sip_target *t)
{
	struct sip_client *c = calloc(1, sizeof(*c));
	nta_outgoing_t *orq = NULL;

	if (c != NULL && may_use(t)) {
		c->adapter = a;
		c->token = token;
		c->passed = r->passed;
		sip_loop_message(a->p.loop);
		sip_tls_compat_dial(t->host);
		orq = start(a, c, r, t);
		sip_tls_compat_dial(NULL);
	}
	if (orq == NULL) {
		free(c);
		return FED_EIO;
	}
	c->orq = orq;
	HASH_ADD(hh, a->clients, token, sizeof(c->token), c);
	if (c->hh.tbl == NULL) {
		nta_outgoing_destroy(orq);
		free(c);
		return FED_EIO;
	}
	if (nta_outgoing_status(orq) >= 200) {
		forget_client(c);
		return FED_EIO;
	}
	return 0;
}

/* --- life ---------------------------------------------------------------- */

size_t sip_adapter_via_bytes(const struct sip_adapter *a,
			     enum sip_transport transport)
{
	return sip_adapter_via_line(nta_agent_via(a->agent), transport);
}

size_t sip_adapter_contact_bytes(const struct sip_adapter *a,
				 enum sip_transport transport)
{
	return sip_adapter_contact_line(nta_agent_via(a->agent), transport);
}

/* "udp:192.0.2.1:5060" as the URL that binds it. */
static char *listen_url(const char *text)
{
	const char *addr = strchr(text, ':');
	const char *scheme = strncmp(text, "tls:", 4) == 0 ? "sips" : "sip";
	char *url = NULL;

	if (addr == NULL || asprintf(&url, "%s:%s;transport=%.*s", scheme,
				     addr + 1, (int)(addr - text), text) < 0)
		return NULL;
	return url;
}

static nta_agent_t *create_agent(struct sip_adapter *a, const char *url,
				 const char *folder)
{
	return nta_agent_create(
		sip_loop_root(a->p.loop), URL_STRING_MAKE(url), on_message, a,
		NTATAG_STATELESS(1), NTATAG_USE_NAPTR(0), NTATAG_USE_SRV(0),
		NTATAG_MAXSIZE(LIMIT_SIP_WAITING_BYTES),
		/* it would change the transport behind our back */
		NTATAG_UDP_MTU(LIMIT_SIP_BYTES - 1),
		TPTAG_QUEUESIZE(SIP_QUEUE_SIZE), TPTAG_IDLE(SIP_IDLE_MS),
		TPTAG_TIMEOUT(SIP_HALF_MS), TPTAG_PONG2PING(1),
		TPTAG_SDWN_ERROR(1),
		TAG_IF(folder != NULL, TPTAG_CERTIFICATE(folder)),
		TAG_IF(folder != NULL, TPTAG_TLS_VERIFY_DEPTH(SIP_TLS_DEPTH)),
		TAG_END());
}

static int add_address(struct sip_adapter *a, const char *url,
		       const char *folder)
{
	return nta_agent_add_tport(
		a->agent, URL_STRING_MAKE(url), TPTAG_QUEUESIZE(SIP_QUEUE_SIZE),
		TPTAG_IDLE(SIP_IDLE_MS), TPTAG_TIMEOUT(SIP_HALF_MS),
		TPTAG_PONG2PING(1), TPTAG_SDWN_ERROR(1),
		TAG_IF(folder != NULL, TPTAG_CERTIFICATE(folder)),
		TAG_IF(folder != NULL, TPTAG_TLS_VERIFY_DEPTH(SIP_TLS_DEPTH)),
		TAG_END());
}

static bool bind_url(struct sip_adapter *a, const char *url, const char *folder)
{
	if (a->agent != NULL)
		return add_address(a, url, folder) == 0;
	a->agent = create_agent(a, url, folder);
	return a->agent != NULL;
}

/* The library makes a context of each address and goes on without a
 * certificate when it cannot read one. */
static int bind_tls(struct sip_adapter *a, const char *url, struct errbuf *e,
		    bool *bound_out)
{
	int err = a->p.tls != NULL ? sip_tls_begin_load(a->p.tls, e)
				   : FED_ECONFIG;

	if (err != 0)
		return err;
	errno = 0;
	*bound_out = bind_url(a, url, sip_tls_folder(a->p.tls));
	err = errno;
	if (sip_tls_end_load(a->p.tls) == 0) {
		errbuf_set(e, "sip.tls: OpenSSL does not take certificate and "
			      "key");
		return FED_ECONFIG;
	}
	errno = err;
	return 0;
}

static int bind_one(struct sip_adapter *a, const char *text, struct errbuf *e)
{
	char *url = listen_url(text);
	bool is_bound = false;
	int err = 0;

	if (url == NULL)
		return FED_ENOMEM;
	errno = 0;
	if (strncmp(text, "tls:", 4) == 0)
		err = bind_tls(a, url, e, &is_bound);
	else
		is_bound = bind_url(a, url, NULL);
	free(url);
	if (err != 0)
		return err;
	if (is_bound)
		return 0;
	errbuf_set(e, "sip.listen: cannot bind %s: %s", text,
		   errno != 0 ? strerror(errno) : "refused by the SIP library");
	return FED_EIO;
}

void sip_adapter_keep_text(struct sip_adapter *a, bool is_on)
{
	unsigned flags = MSG_DO_CANONIC;

	if (is_on)
		flags |= MSG_DO_EXTRACT_COPY;
	(void)nta_agent_set_params(a->agent, NTATAG_SIPFLAGS(flags), TAG_END());
}

static int bind_all(struct sip_adapter *a, struct errbuf *e)
{
	int err = 0;

	for (size_t i = 0; i < a->p.listen_count && err == 0; i++)
		err = bind_one(a, a->p.listen[i], e);
	if (err != 0)
		return err;
	/* for what is sent: a stateless agent gives it no request */
	a->leg = nta_leg_tcreate(a->agent, NULL, NULL, NTATAG_NO_DIALOG(1),
				 TAG_END());
	return a->leg != NULL ? 0 : FED_ENOMEM;
}

int sip_adapter_new(struct sip_adapter **a_out,
		    const struct sip_adapter_params *p, struct errbuf *e)
{
	struct sip_adapter *a = calloc(1, sizeof(*a));
	int err;

	if (a == NULL)
		return FED_ENOMEM;
	a->p = *p;
	a->text = calloc(1, sizeof(*a->text));
	if (a->text == NULL) {
		free(a);
		return FED_ENOMEM;
	}
	err = bind_all(a, e);
	if (err != 0) {
		sip_adapter_free(a);
		return err;
	}
	*a_out = a;
	return 0;
}

void sip_adapter_free(struct sip_adapter *a)
{
	if (a == NULL)
		return;
	/* the analyzer does not know that the head has no predecessor, so
	 * that deleting it moves the head on */
	while (a->servers != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		forget_server(a, a->servers);
	while (a->clients != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		forget_client(a->clients);
	if (a->leg != NULL)
		nta_leg_destroy(a->leg);
	if (a->agent != NULL)
		nta_agent_destroy(a->agent);
	free(a->text);
	free(a);
}
