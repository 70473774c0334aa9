/* RFC 3263 4: the parts of a URI that say where it leads. */
#include "fe-gateway/core/hop_uri.h"

#include <arpa/inet.h>
#include <string.h>

#include "fe-gateway/core/address.h"

static const char *const TRANSPORT_NAMES[SIP_TRANSPORTS] = {
	[SIP_UDP] = "udp",
	[SIP_TCP] = "tcp",
	[SIP_TLS] = "tls",
};

const char *hop_uri_transport_name(enum sip_transport t)
{
	return TRANSPORT_NAMES[t];
}

uint16_t hop_uri_default_port(enum sip_transport t)
{
	return t == SIP_TLS ? 5061 : 5060;
}

bool hop_uri_is_ip(const char *text)
{
	unsigned char raw[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, raw) == 1 ||
	       inet_pton(AF_INET6, text, raw) == 1;
}

static int put_host(struct span host, char out[SIP_HOST_BYTES])
{
	size_t n;

	if (domain_to_ascii(host, out, SIP_HOST_BYTES) != 0)
		return FED_EINVAL;
	n = strlen(out);
	if (out[0] == '[') {
		memmove(out, out + 1, n - 2);
		out[n - 2] = '\0';
	}
	return 0;
}

static int put_transport(struct span value, struct hop_uri *out)
{
	for (unsigned i = 0; i < SIP_TRANSPORTS; i++) {
		if (!span_ieq(value, span_str(TRANSPORT_NAMES[i])))
			continue;
		out->transport = (enum sip_transport)i;
		out->has_transport = true;
		return 0;
	}
	return FED_EPROTO;
}

static int take_param(struct span param, struct hop_uri *out)
{
	size_t eq = span_find(param, '=', 0);
	struct span name = span_sub(param, 0, eq);
	struct span value =
		eq == SIZE_MAX ? SPAN_NULL : span_sub(param, eq + 1, param.n);

	if (span_ieq(name, SPAN_LIT("transport")))
		return put_transport(value, out);
	if (span_ieq(name, SPAN_LIT("maddr")))
		return put_host(value, out->maddr);
	return 0;
}

/* Behind the host: ";a=b;c?headers"; none of them may stand before. */
static int take_params(struct span uri, struct span host, struct hop_uri *out)
{
	size_t at = (size_t)(host.p - uri.p) + host.n;
	size_t end = span_find(uri, '?', at);
	struct span rest = span_sub(uri, at, end);
	int err = 0;

	at = span_find(rest, ';', 0);
	while (at != SIZE_MAX && err == 0) {
		size_t next = span_find(rest, ';', at + 1);

		err = take_param(span_sub(rest, at + 1, next), out);
		at = next;
	}
	return err;
}

int hop_uri_parse(struct span uri, struct hop_uri *out)
{
	struct address_uri u;
	int err = address_uri_split(uri, &u);

	*out = (struct hop_uri){.is_sips = false};
	if (err != 0)
		return err;
	if (u.scheme != ADDRESS_SIP && u.scheme != ADDRESS_SIPS)
		return FED_EPROTO;
	out->is_sips = u.scheme == ADDRESS_SIPS;
	out->port = (uint16_t)u.port;
	err = put_host(u.host, out->host);
	if (err == 0)
		err = take_params(uri, u.host, out);
	if (err != 0)
		return err;
	/* sips over TCP is TLS over TCP; over UDP it is nothing */
	if (out->is_sips && out->has_transport && out->transport == SIP_UDP)
		return FED_EPROTO;
	if (out->is_sips) {
		out->transport = SIP_TLS;
		out->has_transport = true;
	}
	return 0;
}

const char *hop_uri_target(const struct hop_uri *u)
{
	return u->maddr[0] != '\0' ? u->maddr : u->host;
}
