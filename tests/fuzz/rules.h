/* Federation configurations for fuzzers. */
#ifndef FED_TESTS_FUZZ_RULES_H
#define FED_TESTS_FUZZ_RULES_H

#include "base/err.h"
#include "fe-gateway/core/federation.h"

/* Everybody may talk, and all partners are of that type. */
static inline struct federation *fuzz_rules(Fed__PartnerType type)
{
	Fed__SettingsRecord settings;
	Fed__PartnerRecord partner;
	Fed__PolicyRecord policy;
	Fed__Record records[3];
	Fed__Record *put[] = {&records[0], &records[1], &records[2]};
	const struct federation_edit edit = {.put = put, .put_count = 3};
	struct federation *f = NULL;
	static char all[] = "*";

	for (size_t i = 0; i < 3; i++)
		fed__record__init(&records[i]);
	fed__policy_record__init(&policy);
	federation_settings_init(&settings);
	settings.federation = settings.open = true;
	federation_partner_init(&partner);
	partner.domain = all;
	partner.type = type;
	policy.federation = policy.xmpp = true;
	records[0].kind_case = FED__RECORD__KIND_SETTINGS;
	records[0].settings = &settings;
	records[1].kind_case = FED__RECORD__KIND_PARTNER;
	records[1].partner = &partner;
	records[2].kind_case = FED__RECORD__KIND_POLICY;
	records[2].policy = &policy;
	FED_REQUIRE(federation_new(&f, NULL, &edit, NULL, NULL, NULL) == 0);
	return f;
}

#endif
