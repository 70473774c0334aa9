/* DNS answers in words. */
#include "edge-proxy/core/dns_facts.h"

#include <arpa/inet.h>
#include <stdio.h>

const char *dns_facts_service(size_t which)
{
	return which == DNS_FACTS_XMPP ? "_xmpp-server" : "_xmpps-server";
}

void dns_facts_address_text(const struct dns_facts_address *from, char *out,
			    size_t out_size)
{
	if (inet_ntop(from->is_v6 ? AF_INET6 : AF_INET, from->raw, out,
		      (socklen_t)out_size) == NULL)
		(void)snprintf(out, out_size, "?");
}

void dns_facts_put_srv(struct buf *out, const struct srv_record *rec)
{
	buf_printf(out, "%u %u %u %s.", rec->priority, rec->weight, rec->port,
		   rec->target);
}

static void put_answer(struct buf *out, const struct dns_facts_answer *a)
{
	switch (a->fact) {
	case DNS_FACT_UNKNOWN:
		buf_put_str(out, "no answer in time");
		break;
	case DNS_FACT_NONE:
		buf_put_str(out, "none");
		break;
	case DNS_FACT_NO_NAME:
		buf_put_str(out, "no such name");
		break;
	case DNS_FACT_FAILED:
		buf_put_str(out, a->problem);
		break;
	case DNS_FACT_DATA:
		break;
	}
}

static void put_service(struct buf *out, const struct dns_facts *f,
			size_t which)
{
	bool is_first = true;

	buf_printf(out, "%s%s: ", buf_len(out) > 0 ? "; " : "",
		   dns_facts_service(which));
	/* that there is no such name says no more than that there are none */
	if (f->srv[which].fact == DNS_FACT_NO_NAME) {
		buf_put_str(out, "none");
		return;
	}
	if (f->srv[which].fact != DNS_FACT_DATA) {
		put_answer(out, &f->srv[which]);
		return;
	}
	for (size_t i = 0; i < f->rec_count; i++) {
		if (f->rec[i].is_direct_tls != (which == DNS_FACTS_XMPPS))
			continue;
		buf_put_str(out, is_first ? "" : ", ");
		dns_facts_put_srv(out, &f->rec[i]);
		is_first = false;
	}
	if (is_first)
		buf_put_str(out, "records that cannot be used");
}

void dns_facts_put_records(struct buf *out, const struct dns_facts *f)
{
	if (f->is_host || (f->srv[DNS_FACTS_XMPP].fact == DNS_FACT_UNKNOWN &&
			   f->srv[DNS_FACTS_XMPPS].fact == DNS_FACT_UNKNOWN))
		return;
	for (size_t i = 0; i < DNS_FACTS_SERVICES; i++)
		put_service(out, f, i);
}

static void put_failed(struct buf *out, const char *type,
		       const struct dns_facts_answer *a)
{
	if (a->fact != DNS_FACT_FAILED && a->fact != DNS_FACT_UNKNOWN)
		return;
	buf_printf(out, " (%s: ", type);
	put_answer(out, a);
	buf_put_byte(out, ')');
}

void dns_facts_put_addresses(struct buf *out, const struct dns_facts *f)
{
	char text[64];

	for (size_t i = 0; i < f->host_count; i++) {
		const struct dns_facts_host *h = &f->host[i];

		buf_printf(out, "%s%s:", i > 0 ? "; " : "", h->name);
		for (size_t j = 0; j < h->address_count; j++) {
			dns_facts_address_text(&h->address[j], text,
					       sizeof(text));
			buf_printf(out, "%s %s", j > 0 ? "," : "", text);
		}
		if (h->a.fact == DNS_FACT_NO_NAME)
			buf_put_str(out, " no such name");
		else if (h->address_count == 0)
			buf_put_str(out, " no address");
		put_failed(out, "A", &h->a);
		put_failed(out, "AAAA", &h->aaaa);
	}
}
