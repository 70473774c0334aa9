/* Requests that go on as they came, and their answers back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fe-gateway/sip_adapter_write.h"

#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_tagarg.h>

/* The route is an address of ours: it has done its work (RFC 3261 16.4). */
static bool leads_here(const sip_route_t *r, const sip_via_t *own)
{
	const char *host = r->r_url->url_host;
	const char *port = url_port(r->r_url);

	for (; own != NULL && host != NULL; own = own->v_next)
		if (strcasecmp(own->v_host, host) == 0 &&
		    strcmp(sip_via_port(own, NULL), port) == 0)
			return true;
	return false;
}

static int set_max_forwards(msg_t *msg, sip_t *sip, uint32_t count)
{
	char text[16];

	if (sip->sip_max_forwards != NULL) {
		sip->sip_max_forwards->mf_count = count;
		msg_fragment_clear(sip->sip_max_forwards->mf_common);
		return 0;
	}
	(void)snprintf(text, sizeof(text), "%u", (unsigned)count);
	return sip_add_make(msg, sip, sip_max_forwards_class, text);
}

/* A copy of the request that shares its texts; NULL: out of memory. */
static msg_t *copy_request(nta_incoming_t *irq, const struct sip_request_out *r,
			   const struct sip_adapter_own *own)
{
	msg_t *came = nta_incoming_getrequest(irq);
	msg_t *msg = came != NULL ? msg_copy(came) : NULL;
	sip_t *sip;

	/* the copy holds it */
	if (came != NULL)
		msg_destroy(came);
	if (msg == NULL)
		return NULL;
	sip = sip_object(msg);
	while (sip->sip_route != NULL && leads_here(sip->sip_route, own->vias))
		(void)sip_route_remove(msg, sip);
	if (set_max_forwards(msg, sip, r->max_forwards) != 0) {
		msg_destroy(msg);
		return NULL;
	}
	return msg;
}

nta_outgoing_t *sip_adapter_start_passed(const struct sip_adapter_start *s,
					 nta_incoming_t *irq,
					 const struct sip_request_out *r,
					 const struct sip_target *t,
					 const struct sip_adapter_own *own)
{
	char url[SIP_IP_TEXT_BYTES + 64];
	msg_t *msg = copy_request(irq, r, own);
	nta_outgoing_t *orq;

	if (msg == NULL)
		return NULL;
	sip_adapter_print_target(t, url, sizeof(url));
	orq = nta_outgoing_mcreate(s->agent, s->fn, s->client,
				   URL_STRING_MAKE(url), msg,
				   NTATAG_BRANCH_KEY(r->branch), TAG_END());
	if (orq == NULL)
		msg_destroy(msg);
	return orq;
}

/* The library answers for what it asserts: one of another method, or with our
 * Via alone, is none. */
static bool is_answer(nta_incoming_t *irq, sip_t const *sip)
{
	return sip != NULL && sip->sip_status != NULL &&
	       sip->sip_cseq != NULL && sip->sip_via != NULL &&
	       sip->sip_via->v_next != NULL &&
	       sip->sip_cseq->cs_method == nta_incoming_method(irq);
}

int sip_adapter_pass_answer(nta_incoming_t *irq, msg_t *answer)
{
	msg_t *msg;
	sip_t *sip;

	if (answer == NULL || !is_answer(irq, sip_object(answer)))
		return FED_EPROTO;
	msg = msg_copy(answer);
	if (msg == NULL)
		return FED_ENOMEM;
	sip = sip_object(msg);
	(void)sip_via_remove(msg, sip);
	/* takes the message */
	return nta_incoming_mreply(irq, msg) == 0 ? 0 : FED_EIO;
}
