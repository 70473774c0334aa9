/*
 * Any bytes as a JID, a domain and a username: what is accepted is stable,
 * shaped, and its parts make the same JID again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "xmpp/jid.h"
#include "xmpp/jid_shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void check_jid(struct span in)
{
	struct jid j;
	struct jid again;
	struct jid_parts parts;

	if (jid_parse(in, &j) != 0)
		return;
	expect(jid_is_shaped(jid_full(&j)));
	expect(jid_parse(jid_full(&j), &again) == 0);
	expect(span_eq(jid_full(&j), jid_full(&again)));
	parts = jid_split(jid_full(&j));
	expect(span_eq(parts.local, jid_local(&j)));
	expect(span_eq(parts.domain, jid_domain(&j)));
	expect(span_eq(parts.resource, jid_resource(&j)));
	expect(span_eq(parts.bare, jid_bare(&j)));
	expect(jid_make(parts.local, parts.domain, parts.resource, &again) ==
	       0);
	expect(span_eq(jid_full(&j), jid_full(&again)));
}

static void check_domain(struct span in)
{
	char name[LIMIT_DOMAIN_BYTES + 1];
	char ascii[LIMIT_DOMAIN_BYTES + 1];
	char again[LIMIT_DOMAIN_BYTES + 1];
	int err = domain_normalize(in, name, sizeof(name));

	expect(domain_to_ascii(in, ascii, sizeof(ascii)) == err);
	if (err != 0)
		return;
	/* both forms name the same host */
	expect(domain_normalize(span_str(ascii), again, sizeof(again)) == 0);
	expect(strcmp(again, name) == 0);
	expect(domain_to_ascii(span_str(name), again, sizeof(again)) == 0);
	expect(strcmp(again, ascii) == 0);
	for (const char *c = ascii; *c != '\0'; c++)
		expect((*c & 0x80) == 0 && *c > 0x20 && *c != '@' && *c != '/');
}

static void check_fold(struct span in)
{
	char once[LIMIT_JID_PART_BYTES + 1];
	char twice[LIMIT_JID_PART_BYTES + 1];

	if (precis_fold_username(in, once, sizeof(once)) != 0)
		return;
	expect(span_is_utf8(span_str(once)));
	expect(precis_fold_username(span_str(once), twice, sizeof(twice)) == 0);
	expect(strcmp(once, twice) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);

	check_jid(in);
	check_domain(in);
	check_fold(in);
	return 0;
}
