/* Findings into an answer. */
#include "chan/admin_finding.h"

#include "chan/chan_rules.h"

int admin_finding_add(struct arena *a, Fed__AdminResponse *out,
		      const struct admin_finding *from)
{
	Fed__Finding *f = arena_alloc(a, sizeof(*f));

	if (f == NULL || from->text == NULL)
		return FED_ENOMEM;
	fed__finding__init(f);
	f->level = from->level;
	f->what = chan_unconst(from->what);
	f->text = chan_unconst(from->text);
	if (from->group != NULL)
		f->group = chan_unconst(from->group);
	if (from->advice != NULL)
		f->advice = chan_unconst(from->advice);
	f->at_ms = from->at_ms;
	f->took_ms = from->took_ms;
	return arena_append(a, (void ***)&out->finding, &out->n_finding, f);
}
