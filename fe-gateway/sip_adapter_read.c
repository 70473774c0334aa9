/* sofia's sip_t to sip_request_in. */
#include "fe-gateway/sip_adapter_read.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/url.h>

#include "fe-gateway/core/hop_uri.h"

/* Empty when it does not fit: refused above as malformed. */
static struct span print_url(const url_t *url, char *buf, size_t size)
{
	issize_t n = url_e(buf, (isize_t)size, url);

	if (n < 0 || (size_t)n >= size)
		return SPAN_NULL;
	return span_of(buf, (size_t)n);
}

struct span sip_adapter_source(msg_t *msg, char *buf, size_t size)
{
	const su_sockaddr_t *su = msg_addr(msg);

	buf[0] = '\0';
	if (su == NULL)
		return SPAN_NULL;
	if (su->su_family == AF_INET)
		(void)inet_ntop(AF_INET, &su->su_sin.sin_addr, buf,
				(socklen_t)size);
	else if (su->su_family == AF_INET6 &&
		 IN6_IS_ADDR_V4MAPPED(&su->su_sin6.sin6_addr))
		(void)inet_ntop(AF_INET, &su->su_sin6.sin6_addr.s6_addr[12],
				buf, (socklen_t)size);
	else if (su->su_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &su->su_sin6.sin6_addr, buf,
				(socklen_t)size);
	return span_str(buf);
}

/* The length with one more entry of the list, which is cut when it is full. */
static size_t add_item(char *buf, size_t size, size_t n, const char *text)
{
	int more = snprintf(buf + n, size - n, "%s%s", n > 0 ? ", " : "", text);
	size_t end = n + (more > 0 ? (size_t)more : 0);

	return end < size ? end : size - 1;
}

/* All option tags of all Require headers; what does not fit is cut, never left
 * out: a tag that is not seen would be ignored. */
static struct span print_require(sip_t const *sip, char *buf, size_t size)
{
	const sip_require_t *q = sip->sip_require;
	size_t n = 0;

	for (; q != NULL; q = (const sip_require_t *)q->k_next)
		for (size_t i = 0; q->k_items != NULL && q->k_items[i] != NULL;
		     i++)
			n = add_item(buf, size, n, q->k_items[i]);
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

/* RFC 3428 8: worth nothing any more.  Without a Date the time runs from now,
 * and no time at all (0) says something else. */
static bool is_expired(sip_t const *sip)
{
	const sip_expires_t *ex = sip->sip_expires;
	const sip_date_t *date = sip->sip_date;
	uint64_t end;

	if (ex == NULL || date == NULL || date->d_time == 0)
		return false;
	if (ex->ex_date != 0)
		end = ex->ex_date;
	else if (ex->ex_delta != 0)
		end = (uint64_t)date->d_time + ex->ex_delta;
	else
		return false;
	return end < (uint64_t)sip_now();
}

static void read_content(sip_t const *sip, struct sip_request_in *r)
{
	const sip_content_type_t *c = sip->sip_content_type;

	if (c != NULL) {
		r->content_type = span_str(c->c_type);
		r->charset = unquote(
			span_str(msg_params_find(c->c_params, "charset=")));
		r->boundary = unquote(
			span_str(msg_params_find(c->c_params, "boundary=")));
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

enum sip_transport sip_adapter_transport(sip_t const *sip)
{
	const char *p = sip->sip_via != NULL ? sip->sip_via->v_protocol : NULL;

	if (p != NULL && strcasecmp(p, sip_transport_udp) == 0)
		return SIP_UDP;
	if (p != NULL && strcasecmp(p, sip_transport_tls) == 0)
		return SIP_TLS;
	return SIP_TCP;
}

bool sip_adapter_is_udp(sip_t const *sip)
{
	return sip_adapter_transport(sip) == SIP_UDP;
}

/* --- headers of dialogs and events --------------------------------------- */

/* Where the values of a header are printed to. */
struct out {
	char *text;
	size_t size;
	int *status; /* gets 513 when they do not fit */
};

/* All values from `h` on as one list; nothing when they do not fit. */
static struct span print_values(const msg_header_t *h, struct out out)
{
	size_t n = 0;

	for (; h != NULL; h = h->sh_next) {
		issize_t more;

		if (n > 0 && n + 2 < out.size) {
			memcpy(out.text + n, ", ", 2);
			n += 2;
		}
		more = msg_header_field_e(out.text + n, (isize_t)(out.size - n),
					  h, 0);
		/* the library does not use the last two bytes */
		if (more < 0 || (size_t)more + 2 > out.size - n) {
			*out.status = 513;
			return SPAN_NULL;
		}
		n += (size_t)more;
	}
	return span_of(out.text, n);
}

static struct span print_contact(sip_t const *sip, struct out out)
{
	struct span uri;

	if (sip->sip_contact == NULL)
		return SPAN_NULL;
	uri = print_url(sip->sip_contact->m_url, out.text, out.size);
	if (uri.n == 0)
		*out.status = 513;
	return uri;
}

/* Seconds, of which the library takes as many as a long has. */
static uint32_t clamp(unsigned long seconds)
{
	return seconds < SIP_EXPIRES_MOST ? (uint32_t)seconds
					  : SIP_EXPIRES_MOST;
}

static bool read_expires(sip_t const *sip, uint32_t *expires_out)
{
	const sip_expires_t *ex = sip->sip_expires;

	/* RFC 3261 20.19: seconds; a date is of another time */
	if (ex == NULL || ex->ex_date != 0)
		return false;
	*expires_out = clamp(ex->ex_delta);
	return true;
}

/* The library answers 400 to what it cannot read and to what is there twice,
 * but for Accept. */
static bool is_accept_bad(sip_t const *sip)
{
	const sip_error_t *e = sip->sip_error;

	for (; e != NULL; e = e->er_next)
		if (e->er_common->h_class == sip_error_class &&
		    e->er_name != NULL && strcasecmp(e->er_name, "Accept") == 0)
			return true;
	return false;
}

static void read_event(sip_t const *sip, struct sip_adapter_text *text,
		       struct sip_request_in *r)
{
	int *status = &r->header_status;

	r->contact_uri =
		print_contact(sip, (struct out){text->contact,
						sizeof(text->contact), status});
	r->record_routes =
		print_values((msg_header_t *)sip->sip_record_route,
			     (struct out){text->record_routes,
					  sizeof(text->record_routes), status});
	r->has_event = sip->sip_event != NULL;
	if (r->has_event) {
		r->event = span_str(sip->sip_event->o_type);
		r->event_id = span_str(sip->sip_event->o_id);
	}
	r->has_accept = sip->sip_accept != NULL;
	r->accept = print_values(
		(msg_header_t *)sip->sip_accept,
		(struct out){text->accept, sizeof(text->accept), status});
	r->subscription_state = print_values(
		(msg_header_t *)sip->sip_subscription_state,
		(struct out){text->state, sizeof(text->state), status});
	r->has_expires = read_expires(sip, &r->expires);
	if (is_accept_bad(sip))
		r->header_status = 400;
}

void sip_adapter_read_response(sip_t const *sip,
			       struct sip_adapter_response_text *text,
			       struct sip_response_in *r)
{
	int status = 0;

	r->phrase = span_str(sip->sip_status->st_phrase);
	r->to_tag = span_str(sip->sip_to != NULL ? sip->sip_to->a_tag : NULL);
	r->contact_uri = print_contact(
		sip,
		(struct out){text->contact, sizeof(text->contact), &status});
	r->record_routes = print_values(
		(msg_header_t *)sip->sip_record_route,
		(struct out){text->record_routes, sizeof(text->record_routes),
			     &status});
	r->has_expires = read_expires(sip, &r->expires);
	if (sip->sip_min_expires != NULL)
		r->min_expires = clamp(sip->sip_min_expires->me_delta);
	if (sip->sip_retry_after != NULL)
		r->retry_after = clamp(sip->sip_retry_after->af_delta);
}

/* --- requests ------------------------------------------------------------ */

/* The library keeps headers that it does not know by their names. */
static struct span read_asserted(sip_t const *sip)
{
	const sip_unknown_t *u = sip->sip_unknown;

	for (; u != NULL; u = u->un_next)
		if (u->un_name != NULL &&
		    strcasecmp(u->un_name, "P-Asserted-Identity") == 0)
			return span_str(u->un_value);
	return SPAN_NULL;
}

/* Of all Via; nothing when they do not fit. */
static struct span print_branches(sip_t const *sip, char *buf, size_t size)
{
	const sip_via_t *v = sip->sip_via;
	size_t used = 0;

	for (; v != NULL; v = v->v_next) {
		bool has = v->v_branch != NULL && *v->v_branch != '\0';
		int n = snprintf(buf + used, size - used, "%s%s",
				 used > 0 ? " " : "", has ? v->v_branch : "-");

		if (n < 0 || (size_t)n >= size - used)
			return SPAN_NULL;
		used += (size_t)n;
	}
	return span_of(buf, used);
}

static uint16_t via_port(sip_t const *sip)
{
	const sip_via_t *v = sip->sip_via;
	uint32_t port = 0;

	if (v != NULL && v->v_port != NULL &&
	    span_to_u32(span_str(v->v_port), &port) == 0 && port <= UINT16_MAX)
		return (uint16_t)port;
	return hop_uri_default_port(sip_adapter_transport(sip));
}

/* What tells of the way that it came. */
static void read_way(sip_t const *sip, struct sip_adapter_text *text,
		     struct sip_request_in *r)
{
	r->is_tls = sip_adapter_transport(sip) == SIP_TLS;
	r->via_port = via_port(sip);
	r->branches =
		print_branches(sip, text->branches, sizeof(text->branches));
	r->has_max_forwards = sip->sip_max_forwards != NULL;
	if (r->has_max_forwards)
		r->max_forwards = clamp(sip->sip_max_forwards->mf_count);
}

void sip_adapter_read(sip_t const *sip, struct sip_adapter_text *text,
		      struct sip_request_in *r)
{
	*r = (struct sip_request_in){.source = span_str(text->source)};
	read_way(sip, text, r);
	r->asserted = read_asserted(sip);
	r->method = span_str(sip->sip_request->rq_method_name);
	r->request_uri = print_url(sip->sip_request->rq_url, text->request_uri,
				   sizeof(text->request_uri));
	if (span_eq_str(r->request_uri, SIP_ADAPTER_BAD_URI))
		r->request_uri = SPAN_NULL;
	r->from_uri = print_url(sip->sip_from->a_url, text->from_uri,
				sizeof(text->from_uri));
	r->from_tag = span_str(sip->sip_from->a_tag);
	r->to_uri = print_url(sip->sip_to->a_url, text->to_uri,
			      sizeof(text->to_uri));
	r->to_tag = span_str(sip->sip_to->a_tag);
	r->has_to_tag = sip->sip_to->a_tag != NULL;
	r->call_id = span_str(sip->sip_call_id->i_id);
	r->cseq = (uint32_t)sip->sip_cseq->cs_seq;
	r->is_expired = is_expired(sip);
	r->require = print_require(sip, text->require, sizeof(text->require));
	read_event(sip, text, r);
	read_content(sip, r);
}
