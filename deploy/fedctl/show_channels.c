/* show channels */
#include <inttypes.h>

#include "deploy/fedctl/json.h"
#include "deploy/fedctl/text.h"

static void begin(struct shower *s)
{
	table_column(&s->table, "<PEER");
	table_column(&s->table, "<ADDRESS");
	table_column(&s->table, "<STATE");
	table_column(&s->table, ">UP");
	table_column(&s->table, ">SENT");
	table_column(&s->table, ">OWED");
	table_column(&s->table, ">RESUMES");
}

static void more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_channel; i++) {
		const Fed__ChannelInfo *c = r->channel[i];

		s->shown++;
		table_cell(&s->table, "%s", c->peer);
		table_cell(&s->table, "%s", c->address);
		table_cell(&s->table, "%s", c->state);
		table_cell(&s->table, "%s",
			   c->up_ms == 0 ? "" : text_age(c->up_ms).text);
		table_cell(&s->table, "%u", c->outstanding);
		table_cell(&s->table, "%u", c->owed);
		table_cell(&s->table, "%" PRIu64, c->resumes);
	}
}

static void end(struct shower *s)
{
	if (s->shown == 0)
		(void)fputs("no channel\n", s->to);
	else
		table_print(&s->table, s->to);
}

static void json_begin(struct shower *s)
{
	json_list_begin(s, "channels");
}

static void json_more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_channel; i++) {
		const Fed__ChannelInfo *c = r->channel[i];

		json_entry(s,
			   json_pack("{s:s, s:o, s:s, s:I, s:I, s:I, s:I}",
				     "peer", c->peer, "address",
				     json_text_or_null(c->address), "state",
				     c->state, "up_ms", (json_int_t)c->up_ms,
				     "outstanding", (json_int_t)c->outstanding,
				     "owed", (json_int_t)c->owed, "resumes",
				     (json_int_t)c->resumes));
	}
}

const struct show show_channels_text = {begin, more, end};
const struct show show_channels_json = {json_begin, json_more, json_list_end};
