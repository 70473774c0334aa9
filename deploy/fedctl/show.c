/* The life of an answer on its way out. */
#include "deploy/fedctl/show.h"

#include <jansson.h>
#include <stdlib.h>

void shower_init(struct shower *s, FILE *to, const char *arg)
{
	*s = (struct shower){.to = to, .arg = arg};
}

void shower_deinit(struct shower *s)
{
	table_deinit(&s->table);
	free(s->group);
	free(s->verdict);
	json_decref(s->warnings);
}
