/* map */
#include "deploy/fedctl/json.h"
#include "deploy/fedctl/text.h"

static void print_form(struct shower *s, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	(void)fprintf(s->to, "%-6s", name);
	text_print(s->to, span_str(value), NULL);
	(void)fputc('\n', s->to);
}

static void print_text(struct shower *s, const Fed__AdminResponse *r)
{
	const Fed__Mapped *m = r->mapped;

	if (m == NULL)
		return;
	print_form(s, "jid", m->jid);
	print_form(s, "sip", m->sip_uri);
	print_form(s, "im", m->im_uri);
	print_form(s, "pres", m->pres_uri);
	text_wrap(s->to, span_str(m->text), "", 0, TEXT_COLUMNS);
}

static void print_json(struct shower *s, const Fed__AdminResponse *r)
{
	const Fed__Mapped *m = r->mapped;

	if (m != NULL)
		json_document(s, "mapped",
			      json_pack("{s:s, s:o, s:o, s:o, s:o}", "jid",
					m->jid, "sip",
					json_text_or_null(m->sip_uri), "im",
					json_text_or_null(m->im_uri), "pres",
					json_text_or_null(m->pres_uri), "text",
					json_text_or_null(m->text)));
}

const struct show show_mapped_text = {.more = print_text};
const struct show show_mapped_json = {.more = print_json};
