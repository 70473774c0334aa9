/* Any bytes as a Config of a gateway, and as the file on disk: what is taken
 * is a policy whose rules all leave a way to authenticate. */
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "edge-proxy/core/negotiation.h"
#include "edge-proxy/core/policy_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const served[] = {"sip.example"};
static const struct policy host = {.domains = served,
				   .domain_count = 1,
				   .dialback_secret = {"0123456789abcdef", 16},
				   .stanza_max = 20000};

static void check_policy(const struct policy *p)
{
	FED_REQUIRE(p->dialback_secret.n >= LIMIT_SECRET_BYTES_FLOOR &&
		    p->dialback_secret.n <= LIMIT_SECRET_BYTES);
	FED_REQUIRE(p->domain_count == 1 && p->connection_limit <= 100);
	FED_REQUIRE(policy_setup_ms(p) > 0 && policy_idle_ms(p) > 0);
	for (size_t i = 0; i < p->partner_count; i++) {
		const struct policy_partner *rule = &p->partners[i];

		FED_REQUIRE(negotiation_methods(rule) != 0);
		FED_REQUIRE(rule->connection_limit <= 100);
		/* each is found by its name */
		FED_REQUIRE(policy_find(p, span_str(rule->domain)) == rule);
		FED_REQUIRE(policy_limit_name(rule, "x.example") != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span packed;
	struct errbuf e = {""};
	struct policy policy;
	struct arena a;
	Fed__Config *c;
	int err;

	if (policy_file_read(span_of(data, size), &packed, &e) == 0)
		FED_REQUIRE(packed.n < size);
	else
		FED_REQUIRE(e.text[0] != '\0');
	c = fed__config__unpack(NULL, size, data);
	if (c == NULL)
		return 0;
	arena_init(&a, LIMIT_POLICY_BYTES);
	e.text[0] = '\0';
	err = policy_config_read(c, &host, 100, &a, &policy, &e);
	if (err == 0)
		check_policy(&policy);
	else
		FED_REQUIRE(e.text[0] != '\0');
	arena_deinit(&a);
	fed__config__free_unpacked(c, NULL);
	return 0;
}
