/* Where a domain says it is served. */
#include "edge-proxy/core/other_host.h"

#include <arpa/inet.h>
#include <string.h>

#include "xmpp/jid.h"

enum { DEFAULT_PORT = 5269 };

/* "" or ":port" */
static int parse_port(struct span text, uint16_t *port_out)
{
	uint32_t port;

	*port_out = DEFAULT_PORT;
	if (text.n == 0)
		return 0;
	if (text.p[0] != ':' ||
	    span_to_u32(span_sub(text, 1, text.n), &port) != 0 || port == 0 ||
	    port > UINT16_MAX)
		return FED_EINVAL;
	*port_out = (uint16_t)port;
	return 0;
}

static bool is_address(const char *host, int family)
{
	struct in6_addr any;

	return inet_pton(family, host, &any) == 1;
}

static int parse_v6(struct span text, struct other_host *out)
{
	size_t end = span_find(text, ']', 0);
	struct span host = span_sub(text, 1, end);

	if (end == SIZE_MAX || host.n == 0 || host.n >= sizeof(out->host))
		return FED_EINVAL;
	memcpy(out->host, host.p, host.n);
	out->host[host.n] = '\0';
	if (strlen(out->host) != host.n || !is_address(out->host, AF_INET6))
		return FED_EINVAL;
	out->is_address = true;
	return parse_port(span_sub(text, end + 1, text.n), &out->port);
}

int other_host_parse(struct span text, struct other_host *host_out)
{
	size_t end;

	text = span_trim(text);
	*host_out = (struct other_host){.port = 0};
	if (text.n > 0 && text.p[0] == '[')
		return parse_v6(text, host_out);
	end = span_find(text, ':', 0);
	if (end == SIZE_MAX)
		end = text.n;
	if (domain_normalize(span_sub(text, 0, end), host_out->host,
			     sizeof(host_out->host)) != 0)
		return FED_EINVAL;
	host_out->is_address = is_address(host_out->host, AF_INET);
	return parse_port(span_sub(text, end, text.n), &host_out->port);
}
