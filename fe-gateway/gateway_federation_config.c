/* The first configuration, from a file. */
#include <stdio.h>

#include "base/limits.h"
#include "fe-gateway/gateway_federation.h"
#include "io/federation_yaml.h"

/* As a whole, as the change will be. */
static int check(const char *path, const struct federation_records *r,
		 struct errbuf *e)
{
	const struct federation_edit edit = {.put = r->items,
					     .put_count = r->count};
	struct errbuf why = {.text = "out of memory"};
	struct federation *f = NULL;
	int err = federation_new(&f, NULL, &edit, NULL, NULL, &why);

	federation_free(f);
	if (err == 0 || err == FED_ENOMEM)
		return err;
	errbuf_set(e, "%s: %s", path, why.text);
	return FED_ECONFIG;
}

int gateway_federation_bootstrap(const char *path, struct arena *a,
				 Fed__AdminFederationApply *out,
				 struct errbuf *e)
{
	struct federation_records r = {.count = 0};
	int err;

	errbuf_set(e, "%s: out of memory", path);
	err = federation_yaml_read_file(path, a, &r, e);
	if (err == 0)
		err = check(path, &r, e);
	if (err != 0)
		return err;
	fed__admin_federation_apply__init(out);
	out->put = r.items;
	out->n_put = r.count;
	out->what = arena_printf(a, "bootstrap %s", path);
	return out->what != NULL ? 0 : FED_ENOMEM;
}
