/* show version */
#include "deploy/fedctl/json.h"
#include "deploy/fedctl/text.h"

static void print_text(struct shower *s, const Fed__AdminResponse *r)
{
	const Fed__VersionInfo *v = r->version;

	if (v == NULL)
		return;
	text_print(s->to, span_str(v->program), NULL);
	(void)fputc(' ', s->to);
	text_print(s->to, span_str(v->version), NULL);
	(void)fputs("\ninstance  ", s->to);
	text_print(s->to, span_str(v->instance), NULL);
	(void)fprintf(s->to, "\nchannel   version %u\nup        %s\n",
		      v->channel_version, text_age(v->uptime_ms).text);
}

static void print_json(struct shower *s, const Fed__AdminResponse *r)
{
	const Fed__VersionInfo *v = r->version;

	if (v != NULL)
		json_document(s, "version",
			      json_pack("{s:s, s:s, s:s, s:I, s:I}", "program",
					v->program, "version", v->version,
					"instance", v->instance,
					"channel_version",
					(json_int_t)v->channel_version,
					"uptime_ms", (json_int_t)v->uptime_ms));
}

const struct show show_version_text = {.more = print_text};
const struct show show_version_json = {.more = print_json};
