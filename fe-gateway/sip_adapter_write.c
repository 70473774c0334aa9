/* sip_request_out and sip_reply to sofia's tags. */
#include "fe-gateway/sip_adapter_write.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tagarg.h>

#include "fe-gateway/core/hop_uri.h"

static const char *const PROTOCOLS[SIP_TRANSPORTS] = {
	[SIP_UDP] = "SIP/2.0/UDP",
	[SIP_TCP] = "SIP/2.0/TCP",
	[SIP_TLS] = "SIP/2.0/TLS",
};

/* --- addresses of this gateway ------------------------------------------- */

static const sip_via_t *next_via(const sip_via_t *v, enum sip_transport t)
{
	while (v != NULL && strcasecmp(v->v_protocol, PROTOCOLS[t]) != 0)
		v = v->v_next;
	return v;
}

/* The address that the system would send from to that one, as Via has it. */
static void local_address(const char *peer_ip, char *out, size_t size)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = 9};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = 9};
	bool is_v6 = strchr(peer_ip, ':') != NULL;
	struct sockaddr *sa =
		is_v6 ? (struct sockaddr *)&six : (struct sockaddr *)&four;
	socklen_t n = is_v6 ? sizeof(six) : sizeof(four);
	void *addr = is_v6 ? (void *)&six.sin6_addr : (void *)&four.sin_addr;
	char ip[INET6_ADDRSTRLEN];
	int fd = socket(sa->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	out[0] = '\0';
	/* of a datagram socket: nothing is sent */
	if (fd >= 0 && inet_pton(sa->sa_family, peer_ip, addr) == 1 &&
	    connect(fd, sa, n) == 0 && getsockname(fd, sa, &n) == 0 &&
	    inet_ntop(sa->sa_family, addr, ip, sizeof(ip)) != NULL)
		(void)snprintf(out, size, is_v6 ? "[%s]" : "%s", ip);
	if (fd >= 0)
		(void)close(fd);
}

static bool is_family(const sip_via_t *v, const char *peer_ip)
{
	return (v->v_host[0] == '[') == (strchr(peer_ip, ':') != NULL);
}

/* Where the peer reaches us: the bound address of its transport and family,
 * and of several, as 0.0.0.0 has them, the one on the way to it. */
static const sip_via_t *own_via(const struct sip_adapter_own *own)
{
	const sip_via_t *first = next_via(own->vias, own->transport);
	char host[INET6_ADDRSTRLEN + 2];
	const sip_via_t *v, *of_family = NULL;
	size_t count = 0;

	for (v = first; v != NULL; v = next_via(v->v_next, own->transport)) {
		if (!is_family(v, own->peer_ip))
			continue;
		if (count++ == 0)
			of_family = v;
	}
	if (count < 2)
		return of_family != NULL ? of_family : first;
	local_address(own->peer_ip, host, sizeof(host));
	for (v = first; v != NULL; v = next_via(v->v_next, own->transport))
		if (strcmp(v->v_host, host) == 0)
			return v;
	return of_family;
}

/* "<sip:192.0.2.1:5060;transport=tcp>"; false: there is no such address. */
static bool print_contact(const struct sip_adapter_own *own, char *out,
			  size_t size)
{
	const sip_via_t *v = own_via(own);
	int n;

	if (v == NULL)
		return false;
	n = snprintf(out, size, "<sip:%s%s%s;transport=%s>", v->v_host,
		     v->v_port != NULL ? ":" : "",
		     v->v_port != NULL ? v->v_port : "",
		     hop_uri_transport_name(own->transport));
	return n > 0 && (size_t)n < size;
}

static size_t host_bytes(const sip_via_t *v)
{
	return strlen(v->v_host) +
	       (v->v_port != NULL ? 1 + strlen(v->v_port) : 0);
}

size_t sip_adapter_via_line(const sip_via_t *vias, enum sip_transport t)
{
	const sip_via_t *v = next_via(vias, t);

	if (v == NULL)
		return 0;
	return sizeof("Via:  ;branch=\r\n") - 1 + strlen(PROTOCOLS[t]) +
	       host_bytes(v);
}

size_t sip_adapter_contact_line(const sip_via_t *vias, enum sip_transport t)
{
	const sip_via_t *v = next_via(vias, t);
	size_t most = 0;

	for (; v != NULL; v = next_via(v->v_next, t))
		if (host_bytes(v) > most)
			most = host_bytes(v);
	return most == 0
		       ? 0
		       : sizeof("Contact: <sip:;transport=udp>\r\n") - 1 + most;
}

/* --- requests ------------------------------------------------------------ */

/* "<uri>" or "<uri>;tag=x" on the heap. */
static char *name_addr(const char *uri, const char *tag)
{
	char *s = NULL;
	int n = tag != NULL ? asprintf(&s, "<%s>;tag=%s", uri, tag)
			    : asprintf(&s, "<%s>", uri);

	return n >= 0 ? s : NULL;
}

/* Numeric, so that the library has nothing to resolve. */
void sip_adapter_print_target(const struct sip_target *t, char *out,
			      size_t size)
{
	bool is_v6 = strchr(t->ip, ':') != NULL;

	(void)snprintf(out, size, "sip:%s%s%s:%u;transport=%s",
		       is_v6 ? "[" : "", t->ip, is_v6 ? "]" : "",
		       (unsigned)t->port, hop_uri_transport_name(t->transport));
}

/* Values of headers that are not texts of the request as they are. */
struct values {
	char *from, *to;
	char url[SIP_IP_TEXT_BYTES + 64];
	char cseq[64];
	char route[LIMIT_SIP_URI_BYTES];
	char contact[128];
	char expires[16];
};

static bool print_values(const struct sip_request_out *r,
			 const struct sip_target *t,
			 const struct sip_adapter_own *own, struct values *v)
{
	v->from = name_addr(r->from_uri, r->from_tag);
	v->to = name_addr(r->to_uri, r->to_tag);
	sip_adapter_print_target(t, v->url, sizeof(v->url));
	(void)snprintf(v->cseq, sizeof(v->cseq), "%u %s", (unsigned)r->cseq,
		       r->method);
	if (r->route != NULL)
		(void)snprintf(v->route, sizeof(v->route), "<%s;lr>", r->route);
	(void)snprintf(v->expires, sizeof(v->expires), "%u",
		       (unsigned)r->expires);
	if (r->has_contact &&
	    !print_contact(own, v->contact, sizeof(v->contact)))
		return false;
	return v->from != NULL && v->to != NULL;
}

static nta_outgoing_t *create(const struct sip_adapter_start *s,
			      const struct sip_request_out *r,
			      const struct values *v)
{
	const char *route = r->routes != NULL ? r->routes : v->route;
	bool has_route = r->routes != NULL || r->route != NULL;

	return nta_outgoing_tcreate(
		s->leg, s->fn, s->client, URL_STRING_MAKE(v->url),
		sip_method_code(r->method), r->method,
		URL_STRING_MAKE(r->request_uri), NTATAG_BRANCH_KEY(r->branch),
		TAG_IF(has_route, SIPTAG_ROUTE_STR(route)),
		SIPTAG_FROM_STR(v->from), SIPTAG_TO_STR(v->to),
		SIPTAG_CALL_ID_STR(r->call_id), SIPTAG_CSEQ_STR(v->cseq),
		SIPTAG_MAX_FORWARDS_STR("70"),
		TAG_IF(r->has_contact, SIPTAG_CONTACT_STR(v->contact)),
		TAG_IF(r->event != NULL, SIPTAG_EVENT_STR(r->event)),
		TAG_IF(r->accept != NULL, SIPTAG_ACCEPT_STR(r->accept)),
		TAG_IF(r->has_expires, SIPTAG_EXPIRES_STR(v->expires)),
		TAG_IF(r->subscription_state != NULL,
		       SIPTAG_SUBSCRIPTION_STATE_STR(r->subscription_state)),
		TAG_IF(r->subject != NULL, SIPTAG_SUBJECT_STR(r->subject)),
		TAG_IF(r->content_language != NULL,
		       SIPTAG_CONTENT_LANGUAGE_STR(r->content_language)),
		TAG_IF(r->content_type != NULL,
		       SIPTAG_CONTENT_TYPE_STR(r->content_type)),
		TAG_IF(r->body.n > 0, SIPTAG_PAYLOAD_STR(r->body.p)),
		TAG_END());
}

nta_outgoing_t *sip_adapter_start(const struct sip_adapter_start *s,
				  const struct sip_request_out *r,
				  const struct sip_target *t,
				  const struct sip_adapter_own *own)
{
	struct values v;
	nta_outgoing_t *orq = NULL;

	if (print_values(r, t, own, &v))
		orq = create(s, r, &v);
	free(v.from);
	free(v.to);
	return orq;
}

/* --- responses ----------------------------------------------------------- */

static void print_reply_contact(const struct sip_reply *r,
				const struct sip_adapter_own *own, char *out,
				size_t size)
{
	out[0] = '\0';
	if (r->line.contact[0] != '\0')
		(void)snprintf(out, size, "<%s>", r->line.contact);
	else if (r->has_contact && !print_contact(own, out, size))
		out[0] = '\0';
}

int sip_adapter_answer(nta_incoming_t *irq, const struct sip_reply *r,
		       const struct sip_adapter_own *own)
{
	char warning[LIMIT_DOMAIN_BYTES + 128];
	char contact[LIMIT_SIP_CONTACT_BYTES + 3];
	char expires[16], min_expires[16], retry_after[16];

	if (r->warning != NULL)
		(void)snprintf(warning, sizeof(warning), "380 %s \"%s\"",
			       own->instance, r->warning);
	print_reply_contact(r, own, contact, sizeof(contact));
	(void)snprintf(expires, sizeof(expires), "%u", (unsigned)r->expires);
	(void)snprintf(min_expires, sizeof(min_expires), "%u",
		       (unsigned)r->min_expires);
	(void)snprintf(retry_after, sizeof(retry_after), "%u",
		       (unsigned)r->retry_after);
	/* the library makes one up, if it gets none */
	if (r->to_tag != NULL)
		(void)nta_incoming_tag(irq, r->to_tag);
	return nta_incoming_treply(
		       irq, r->line.status, r->line.phrase,
		       TAG_IF(contact[0] != '\0', SIPTAG_CONTACT_STR(contact)),
		       TAG_IF(r->has_expires, SIPTAG_EXPIRES_STR(expires)),
		       TAG_IF(r->min_expires != 0,
			      SIPTAG_MIN_EXPIRES_STR(min_expires)),
		       TAG_IF(r->retry_after != 0,
			      SIPTAG_RETRY_AFTER_STR(retry_after)),
		       TAG_IF(r->allow != NULL, SIPTAG_ALLOW_STR(r->allow)),
		       TAG_IF(r->allow_events != NULL,
			      SIPTAG_ALLOW_EVENTS_STR(r->allow_events)),
		       TAG_IF(r->accept != NULL, SIPTAG_ACCEPT_STR(r->accept)),
		       TAG_IF(r->accept_encoding != NULL,
			      SIPTAG_ACCEPT_ENCODING_STR(r->accept_encoding)),
		       TAG_IF(r->warning != NULL, SIPTAG_WARNING_STR(warning)),
		       TAG_IF(r->unsupported[0] != '\0',
			      SIPTAG_UNSUPPORTED_STR(r->unsupported)),
		       TAG_END()) < 0
		       ? FED_EIO
		       : 0;
}
