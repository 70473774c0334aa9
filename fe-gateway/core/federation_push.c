/* What edges are told: the partners that are enabled, one row a domain. */
#include "fe-gateway/core/federation_priv.h"

#include <string.h>

enum {
	/* kind, sequence number and lengths around the Config */
	FRAME_BYTES_BESIDES = 64,
	/* of one row at the edge, beside its struct and texts: protobuf-c
	 * notes where each begins, in blocks that double */
	ROW_BYTES_BESIDES = 128,
	TEXT_BYTES_BESIDES = 16,
};

struct push {
	const struct federation *f;
	struct arena *a;
	struct errbuf *e;
	Fed__Config *config;
	size_t packed_bytes;
	size_t unpacked_bytes;
	size_t rows;
	size_t fit; /* until one did not; behind it they are only counted */
	bool is_full;
};

static int out_of_memory(struct errbuf *e)
{
	errbuf_set(e, "out of memory");
	return FED_ENOMEM;
}

static void *new_message(struct arena *a, const ProtobufCMessageDescriptor *d)
{
	void *m = arena_alloc(a, d->sizeof_message);

	if (m != NULL)
		protobuf_c_message_init(d, m);
	return m;
}

/* LIMIT: a frame, and the memory that an edge unpacks one into. */
static void count_row(struct push *p, size_t packed, size_t unpacked)
{
	p->packed_bytes += packed + 1 + 4; /* field number and length */
	p->unpacked_bytes += unpacked + ROW_BYTES_BESIDES;
	if (p->packed_bytes > LIMIT_FRAME_BYTES ||
	    p->unpacked_bytes > LIMIT_FRAME_ARENA_BYTES)
		p->is_full = true;
	p->rows++;
	p->fit += !p->is_full;
}

static size_t text_cost(const char *text)
{
	return strlen(text) + TEXT_BYTES_BESIDES;
}

/* Streams of both directions; 0 says that of the settings. */
static uint32_t limit_of(const struct federation *f,
			 const Fed__PartnerRecord *p)
{
	uint32_t own = p->connection_limit != 0
			       ? p->connection_limit
			       : f->settings->partner_connection_limit;
	uint32_t all = f->settings->connection_limit;

	return own < all ? own : all;
}

static int push_domain(struct push *p, const Fed__PartnerRecord *r,
		       char *domain)
{
	Fed__Partner *row;

	if (p->is_full) {
		p->rows++;
		return 0;
	}
	row = new_message(p->a, &fed__partner__descriptor);
	if (row == NULL)
		return out_of_memory(p->e);
	row->domain = domain;
	row->name = r->domain;
	row->tls = r->tls;
	row->sasl = r->sasl;
	row->dialback = r->dialback ? FED__NEED__OPTIONAL : FED__NEED__OFF;
	row->keep_alive = r->keep_alive;
	row->connection_limit = limit_of(p->f, r);
	row->proxy_host = r->proxy_host;
	row->stanzas_per_s = r->stanzas_per_s;
	row->bytes_per_s = r->bytes_per_s;
	if (arena_append(p->a, (void ***)&p->config->partner,
			 &p->config->n_partner, row) != 0)
		return out_of_memory(p->e);
	count_row(p, fed__partner__get_packed_size(row),
		  sizeof(*row) + text_cost(row->domain) + text_cost(row->name) +
			  text_cost(row->proxy_host));
	return 0;
}

static int push_denied(struct push *p, char *domain)
{
	if (p->is_full) {
		p->rows++;
		return 0;
	}
	if (arena_append(p->a, (void ***)&p->config->denied,
			 &p->config->n_denied, domain) != 0)
		return out_of_memory(p->e);
	count_row(p, strlen(domain), text_cost(domain));
	return 0;
}

/* --- partners that are not enabled -----------------------------------------
 */

static bool is_enabled(const Fed__PartnerRecord *r)
{
	return r->state == FED__PARTNER_STATE__ENABLED;
}

/* An edge would take it for one of a more general partner. */
static bool is_covered(const struct federation *f, const char *domain)
{
	const Fed__PartnerRecord *r =
		federation_partner_above(f, span_str(domain));

	return r != NULL && is_enabled(r);
}

/* A more special pattern, which an edge would take for denied too. */
static bool has_enabled_below(const struct federation *f, const char *pattern)
{
	const struct federation_name *n;

	HASH_FIND_STR(f->partners, pattern, n);
	return n != NULL && n->has_enabled_below;
}

static int push_off(struct push *p, char *domain)
{
	if (strcmp(domain, "*") == 0 || !is_covered(p->f, domain) ||
	    (domain[0] == '*' && has_enabled_below(p->f, domain)))
		return 0;
	return push_denied(p, domain);
}

/* --- records ---------------------------------------------------------------
 */

static int push_name(struct push *p, const Fed__PartnerRecord *r, char *domain)
{
	return is_enabled(r) ? push_domain(p, r, domain) : push_off(p, domain);
}

static int push_partner(struct push *p, const Fed__PartnerRecord *r)
{
	int err;

	if (strcmp(r->domain, "*") == 0 && !p->f->settings->open)
		return 0;
	err = push_name(p, r, r->domain);
	for (size_t i = 0; i < r->n_additional && err == 0; i++)
		err = push_name(p, r, r->additional[i]);
	return err;
}

static int push_record(struct push *p, const Fed__Record *r)
{
	if (r->kind_case == FED__RECORD__KIND_PARTNER)
		return push_partner(p, r->partner);
	if (r->kind_case == FED__RECORD__KIND_DENIED)
		return push_denied(p, r->denied->domain);
	return 0;
}

/* With the switch off nobody is a partner. */
static int push_partners(struct push *p)
{
	const struct federation *f = p->f;
	int err = 0;

	if (f == NULL || !f->settings->federation)
		return 0;
	for (size_t i = 0; i < f->count && err == 0; i++)
		err = push_record(p, f->nodes[i].held->record);
	if (err == 0 && f->settings->open &&
	    federation_find(f, "partner/*") == NULL)
		err = push_domain(p, &f->anyone, f->anyone.domain);
	return err;
}

static int push_served(struct push *p, const char *const *domains, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		Fed__ServedDomain *d =
			new_message(p->a, &fed__served_domain__descriptor);

		if (d == NULL)
			return out_of_memory(p->e);
		d->name = arena_dup(p->a, span_str(domains[i]));
		if (d->name == NULL ||
		    arena_append(p->a, (void ***)&p->config->domain,
				 &p->config->n_domain, d) != 0)
			return out_of_memory(p->e);
	}
	return 0;
}

static int push_settings(struct push *p)
{
	const Fed__SettingsRecord *from = federation_settings(p->f);
	Fed__EdgeSettings *to =
		new_message(p->a, &fed__edge_settings__descriptor);

	if (to == NULL)
		return out_of_memory(p->e);
	to->connection_limit = from->connection_limit;
	to->keep_alive_interval_s = from->keep_alive_interval_s;
	to->stream_establishment_timeout_s =
		from->stream_establishment_timeout_s;
	to->stream_inactivity_timeout_s = from->stream_inactivity_timeout_s;
	p->config->settings = to;
	p->config->dialback_secret = from->dialback_secret;
	return 0;
}

static int check_fit(const struct push *p)
{
	if (!p->is_full)
		return 0;
	errbuf_set(p->e,
		   "%zu domains of partners and denied ones are more than an "
		   "edge can be told at once: the first %zu fit",
		   p->rows, p->fit);
	return FED_ELIMIT;
}

int federation_push(const struct federation *f, const char *const *domains,
		    size_t domain_count, struct arena *a,
		    Fed__Config **config_out, struct errbuf *e)
{
	struct push p = {.f = f, .a = a, .e = e};
	int err;

	*config_out = NULL;
	p.config = new_message(a, &fed__config__descriptor);
	if (p.config == NULL)
		return out_of_memory(e);
	err = push_served(&p, domains, domain_count);
	if (err == 0)
		err = push_settings(&p);
	p.packed_bytes =
		FRAME_BYTES_BESIDES + fed__config__get_packed_size(p.config);
	p.unpacked_bytes =
		2 * p.packed_bytes + domain_count * ROW_BYTES_BESIDES;
	if (err == 0)
		err = push_partners(&p);
	if (err == 0)
		err = check_fit(&p);
	if (err == 0)
		*config_out = p.config;
	return err;
}
