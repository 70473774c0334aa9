/* presence repair */
#include "deploy/fedctl/json.h"

static void print_text(struct shower *s, const Fed__AdminResponse *r)
{
	const Fed__PresenceRepaired *p = r->repaired;

	if (p == NULL)
		return;
	if (p->watches == 0)
		(void)fputs("nothing to repair: no watch\n", s->to);
	else
		(void)fprintf(s->to,
			      "%u watches are being repaired: %u SUBSCRIBE, "
			      "%u probes\n",
			      p->watches, p->subscribes, p->probes);
}

static void print_json(struct shower *s, const Fed__AdminResponse *r)
{
	const Fed__PresenceRepaired *p = r->repaired;

	if (p != NULL)
		json_document(s, "repaired",
			      json_pack("{s:I, s:I, s:I}", "watches",
					(json_int_t)p->watches, "subscribes",
					(json_int_t)p->subscribes, "probes",
					(json_int_t)p->probes));
}

const struct show show_repaired_text = {.more = print_text};
const struct show show_repaired_json = {.more = print_json};
