/* fedctl map: one address on both sides. */
#include <string.h>

#include "fe-gateway/core/address.h"
#include "fe-gateway/core/address_text.h"
#include "fe-gateway/gateway_admin_explain.h"
#include "fe-gateway/gateway_session_priv.h"
#include "io/admin_show.h"

/* ---- why not ------------------------------------------------------------- */

/* As address_uri_to_jid() and jid_parse() have their errors. */
static const char *why_no_jid(int err)
{
	switch (err) {
	case FED_EDENIED:
		return "sips: is never translated (RFC 7247 8), since nobody "
		       "could keep its promise on the other side; use sip:";
	case FED_EPROTO:
		return "only sip:, im: and pres: URIs are translated";
	case FED_ENOTFOUND:
		return "no JID can express that user: it begins or ends with a "
		       "space, or has a character that no localpart may have";
	case FED_ELIMIT:
		return "a part of it is longer than the 1023 bytes of a JID's";
	case FED_ENOMEM:
		return NULL;
	default:
		return "it is no address: juliet@xmpp.example or "
		       "sip:romeo@sip.example is expected";
	}
}

static const char *why_no_uri(int err)
{
	switch (err) {
	case FED_ELIMIT:
		return "its URI would be too long";
	case FED_ENOMEM:
		return NULL;
	default:
		return "its localpart has an escape that no gateway would have "
		       "made, so the way back would not lead here";
	}
}

static enum admin_step refuse(Fed__AdminResponse *out, struct arena *a,
			      const char *address, const char *why)
{
	const char *text = NULL;

	if (why != NULL)
		text = arena_printf(a, "\"%s\" cannot be mapped: %s",
				    log_value(span_str(address)).text, why);
	admin_show_no_memory(out);
	if (text != NULL)
		admin_show_error(out, text);
	return ADMIN_LAST;
}

/* ---- the forms ----------------------------------------------------------- */

static int put_uri(struct arena *a, const struct jid *j,
		   enum address_scheme scheme, char **out)
{
	struct buf b;
	int err;

	buf_init(&b, LIMIT_SIP_URI_BYTES);
	err = address_jid_to_uri(jid_full(j), scheme, &b);
	if (err == 0) {
		*out = arena_dup(a, buf_span(&b));
		if (*out == NULL)
			err = FED_ENOMEM;
	}
	buf_deinit(&b);
	return err;
}

/* XEP-0106: the user as the SIP side has it. */
static char *print_escapes(struct arena *a, const struct jid *j)
{
	char plain[LIMIT_JID_PART_BYTES + 1];
	struct span local = jid_local(j);
	size_t n = 0;

	if (local.n == 0)
		return arena_dup(a, SPAN_NULL);
	address_unescape(local, plain, &n);
	if (span_eq(local, span_of(plain, n)))
		return arena_dup(a, SPAN_NULL);
	return arena_printf(a,
			    "; \"%.*s\" is \"%s\" with the escapes of "
			    "XEP-0106",
			    (int)local.n, local.p, plain);
}

static char *print_text(const struct gateway_session *s, struct arena *a,
			const struct jid *j)
{
	const char *escapes = print_escapes(a, j);
	const char *kind = j->local_n > 0 ? "user" : "domain";

	if (escapes == NULL)
		return NULL;
	return gateway_is_ours(s, j)
		       ? arena_printf(a,
				      "a SIP %s: the domain is one of "
				      "ours%s",
				      kind, escapes)
		       : arena_printf(a,
				      "an XMPP %s: the domain is none of "
				      "ours%s",
				      kind, escapes);
}

static int fill(const struct gateway_session *s, struct arena *a,
		const struct jid *j, Fed__Mapped *m)
{
	int err = put_uri(a, j, ADDRESS_SIP, &m->sip_uri);

	/* these two have no place for a resource */
	if (err == 0 && j->resource_n == 0)
		err = put_uri(a, j, ADDRESS_IM, &m->im_uri);
	if (err == 0 && j->resource_n == 0)
		err = put_uri(a, j, ADDRESS_PRES, &m->pres_uri);
	if (err != 0)
		return err;
	m->jid = arena_dup(a, jid_full(j));
	m->text = print_text(s, a, j);
	return m->jid != NULL && m->text != NULL ? 0 : FED_ENOMEM;
}

enum admin_step gateway_admin_map(const struct gateway_session *s,
				  const struct admin_call *call,
				  struct arena *a, Fed__AdminResponse *out)
{
	const char *address = call->request->map->address;
	Fed__Mapped *m = arena_alloc(a, sizeof(*m));
	struct jid j;
	int err = gateway_address_parse(span_str(address), &j);

	if (err != 0)
		return refuse(out, a, address, why_no_jid(err));
	if (m == NULL)
		return refuse(out, a, address, NULL);
	fed__mapped__init(m);
	err = fill(s, a, &j, m);
	if (err != 0)
		return refuse(out, a, address, why_no_uri(err));
	out->mapped = m;
	return ADMIN_LAST;
}
