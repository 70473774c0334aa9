/* sofia's sip_t to sip_request_in. */
#include "fe-gateway/sip_adapter_read.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/url.h>

/* Empty when it does not fit: refused above as malformed. */
static struct span print_url(const url_t *url, char *buf, size_t size)
{
	issize_t n = url_e(buf, (isize_t)size, url);

	if (n < 0 || (size_t)n >= size)
		return SPAN_NULL;
	return span_of(buf, (size_t)n);
}

struct span sip_adapter_contact(sip_t const *sip, char *buf, size_t size)
{
	if (sip->sip_contact == NULL)
		return SPAN_NULL;
	return print_url(sip->sip_contact->m_url, buf, size);
}

/* inet_ntop() form, as the configuration has it; IPv4 never mapped. */
static void print_source(nta_incoming_t *irq, char *buf, size_t size)
{
	msg_t *msg = nta_incoming_getrequest(irq);
	const su_sockaddr_t *su;

	buf[0] = '\0';
	if (msg == NULL)
		return;
	su = msg_addr(msg);
	if (su != NULL && su->su_family == AF_INET)
		(void)inet_ntop(AF_INET, &su->su_sin.sin_addr, buf,
				(socklen_t)size);
	else if (su != NULL && su->su_family == AF_INET6 &&
		 IN6_IS_ADDR_V4MAPPED(&su->su_sin6.sin6_addr))
		(void)inet_ntop(AF_INET, &su->su_sin6.sin6_addr.s6_addr[12],
				buf, (socklen_t)size);
	else if (su != NULL && su->su_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &su->su_sin6.sin6_addr, buf,
				(socklen_t)size);
	msg_destroy(msg);
}

/* All option tags of all Require headers, comma-separated. */
static struct span print_require(sip_t const *sip, char *buf, size_t size)
{
	const sip_require_t *q = sip->sip_require;
	size_t n = 0;

	buf[0] = '\0';
	for (; q != NULL; q = (const sip_require_t *)q->k_next) {
		for (size_t i = 0; q->k_items != NULL && q->k_items[i] != NULL;
		     i++) {
			size_t len = strlen(q->k_items[i]);

			if (n + len + 3 > size)
				break;
			if (n > 0) {
				memcpy(buf + n, ", ", 2);
				n += 2;
			}
			memcpy(buf + n, q->k_items[i], len);
			n += len;
		}
	}
	return span_of(buf, n);
}

static struct span unquote(struct span s)
{
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return span_sub(s, 1, s.n - 1);
	return s;
}

static struct span first_item(msg_param_t const *items)
{
	return items != NULL ? span_str(items[0]) : SPAN_NULL;
}

static void read_content(sip_t const *sip, struct sip_request_in *r)
{
	const sip_content_type_t *c = sip->sip_content_type;

	if (c != NULL) {
		r->content_type = span_str(c->c_type);
		r->charset = unquote(
			span_str(msg_params_find(c->c_params, "charset=")));
	}
	if (sip->sip_content_encoding != NULL)
		r->content_encoding =
			first_item(sip->sip_content_encoding->k_items);
	if (sip->sip_content_language != NULL)
		r->content_language =
			first_item(sip->sip_content_language->k_items);
	if (sip->sip_subject != NULL)
		r->subject = span_str(sip->sip_subject->g_string);
	if (sip->sip_payload != NULL)
		r->body = span_of(sip->sip_payload->pl_data,
				  sip->sip_payload->pl_len);
}

static enum sip_transport transport_of(sip_t const *sip)
{
	const char *p = sip->sip_via != NULL ? sip->sip_via->v_protocol : NULL;

	return p != NULL && strcasecmp(p, sip_transport_udp) == 0 ? SIP_UDP
								  : SIP_TCP;
}

void sip_adapter_read(nta_incoming_t *irq, sip_t const *sip,
		      struct sip_adapter_text *text, struct sip_request_in *r)
{
	*r = (struct sip_request_in){.transport = transport_of(sip)};
	print_source(irq, text->source, sizeof(text->source));
	r->source = span_str(text->source);
	r->method = span_str(sip->sip_request->rq_method_name);
	r->request_uri = print_url(sip->sip_request->rq_url, text->request_uri,
				   sizeof(text->request_uri));
	r->from_uri = print_url(sip->sip_from->a_url, text->from_uri,
				sizeof(text->from_uri));
	r->from_tag = span_str(sip->sip_from->a_tag);
	r->to_uri = print_url(sip->sip_to->a_url, text->to_uri,
			      sizeof(text->to_uri));
	r->has_to_tag = sip->sip_to->a_tag != NULL;
	r->call_id = span_str(sip->sip_call_id->i_id);
	r->cseq = (uint32_t)sip->sip_cseq->cs_seq;
	r->require = print_require(sip, text->require, sizeof(text->require));
	read_content(sip, r);
}
