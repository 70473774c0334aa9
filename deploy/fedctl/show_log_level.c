/* log LEVEL */
#include "deploy/fedctl/json.h"

static void print_text(struct shower *s, const Fed__AdminResponse *r)
{
	if (r->last)
		(void)fprintf(s->to, "the log's level is %s now\n", s->arg);
}

static void print_json(struct shower *s, const Fed__AdminResponse *r)
{
	if (r->last)
		json_document(s, "log", json_pack("{s:s}", "level", s->arg));
}

const struct show show_log_level_text = {.more = print_text};
const struct show show_log_level_json = {.more = print_json};
