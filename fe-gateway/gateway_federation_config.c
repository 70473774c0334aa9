/* The first configuration, from a file. */
#include <stdio.h>

#include "base/limits.h"
#include "fe-gateway/gateway_federation.h"
#include "io/federation_yaml.h"

/* As the start does it, but there are no edges to ask, and no store. */
static int check(const char *path, const char *const *domains,
		 size_t domain_count, const Fed__AdminFederationApply *apply,
		 struct errbuf *e)
{
	const struct federation_change_params p = {
		.domains = domains, .domain_count = domain_count};
	Fed__AdminFederationApply dry = *apply;
	const struct federation_wish wish = {.apply = &dry};
	struct errbuf why = {.text = "out of memory"};
	struct federation_change *c = NULL;
	int err = federation_change_new(&c, &p);

	dry.dry_run = true;
	if (err == 0)
		err = federation_change_begin(c, &wish, 0, &why);
	federation_change_free(c);
	if (err == 0)
		return 0;
	errbuf_set(e, "%s: %s", path, why.text);
	return err == FED_ENOMEM ? FED_ENOMEM : FED_ECONFIG;
}

int gateway_federation_bootstrap(const char *path, const char *const *domains,
				 size_t domain_count, struct arena *a,
				 Fed__AdminFederationApply *out,
				 struct errbuf *e)
{
	struct federation_records r = {.count = 0};
	int err;

	errbuf_set(e, "%s: out of memory", path);
	err = federation_yaml_read_file(path, a, &r, e);
	if (err != 0)
		return err;
	fed__admin_federation_apply__init(out);
	out->put = r.items;
	out->n_put = r.count;
	out->what = arena_printf(a, "bootstrap %s", path);
	return out->what != NULL ? check(path, domains, domain_count, out, e)
				 : FED_ENOMEM;
}
