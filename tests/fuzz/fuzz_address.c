/*
 * Any bytes as a URI, a JID and an IRI: for what is accepted, the way there
 * and back is the identity, and nothing that is written can break a header.
 */
#include <stdint.h>
#include <stdlib.h>

#include "fe-gateway/core/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* May stand between < and > of a header. */
static void check_wire(struct span uri)
{
	for (size_t i = 0; i < uri.n; i++)
		expect(uri.p[i] > 0x20 && uri.p[i] < 0x7F && uri.p[i] != '<' &&
		       uri.p[i] != '>' && uri.p[i] != '"');
}

/* The URI of a JID leads back to it. */
static void check_there_and_back(struct span jid, bool must_map)
{
	struct jid first;
	struct jid back;
	struct buf uri;
	int err;

	if (jid_parse(jid, &first) != 0)
		return;
	buf_init(&uri, LIMIT_SIP_URI_BYTES);
	err = address_jid_to_uri(jid, ADDRESS_SIP, &uri);
	expect(err == 0 || (!must_map && err == FED_EINVAL));
	if (err == 0) {
		check_wire(buf_span(&uri));
		expect(address_uri_to_jid(buf_span(&uri), &back) == 0);
		expect(span_eq(jid_full(&first), jid_full(&back)));
		buf_reset(&uri);
		expect(address_jid_to_aor(jid, ADDRESS_IM, &uri) == 0);
		check_wire(buf_span(&uri));
		expect(address_uri_to_jid(buf_span(&uri), &back) == 0);
		expect(span_eq(jid_bare(&first), jid_full(&back)));
	}
	buf_deinit(&uri);
}

/* xmpp: URI of a URI and back to the canonical SIP URI. */
static void check_iri(struct span uri, struct span jid)
{
	struct buf iri;
	struct buf sip;
	struct buf want;

	buf_init(&iri, LIMIT_SIP_URI_BYTES);
	buf_init(&sip, LIMIT_SIP_URI_BYTES);
	buf_init(&want, LIMIT_SIP_URI_BYTES);
	expect(address_uri_to_iri(uri, &iri) == 0);
	check_wire(buf_span(&iri));
	expect(address_iri_to_uri(buf_span(&iri), &sip) == 0);
	expect(address_jid_to_uri(jid, ADDRESS_SIP, &want) == 0);
	expect(span_eq(buf_span(&sip), buf_span(&want)));
	buf_deinit(&iri);
	buf_deinit(&sip);
	buf_deinit(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct jid j;
	struct buf out;

	if (address_uri_to_jid(in, &j) == 0) {
		check_there_and_back(jid_full(&j), true);
		check_iri(in, jid_full(&j));
	}
	check_there_and_back(in, false);
	buf_init(&out, LIMIT_SIP_URI_BYTES);
	if (address_iri_to_uri(in, &out) == 0)
		check_wire(buf_span(&out));
	buf_deinit(&out);
	return 0;
}
