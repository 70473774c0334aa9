/* show queues */
#include <inttypes.h>

#include "deploy/fedctl/json.h"
#include "deploy/fedctl/text.h"

static void begin(struct shower *s)
{
	table_column(&s->table, "<LOCAL");
	table_column(&s->table, "<PEER");
	table_column(&s->table, ">STANZAS");
	table_column(&s->table, ">BYTES");
	table_column(&s->table, ">OLDEST");
}

static void more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_queue; i++) {
		const Fed__QueueInfo *q = r->queue[i];

		s->shown++;
		table_cell(&s->table, "%s", q->local_domain);
		table_cell(&s->table, "%s", q->peer_domain);
		table_cell(&s->table, "%u", q->stanzas);
		table_cell(&s->table, "%" PRIu64, q->bytes);
		table_cell(&s->table, "%s", text_age(q->oldest_ms).text);
	}
}

static void end(struct shower *s)
{
	if (s->shown == 0)
		(void)fputs("no queue\n", s->to);
	else
		table_print(&s->table, s->to);
}

static void json_begin(struct shower *s)
{
	json_list_begin(s, "queues");
}

static void json_more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_queue; i++) {
		const Fed__QueueInfo *q = r->queue[i];

		json_entry(s, json_pack("{s:s, s:s, s:I, s:I, s:I}", "local",
					q->local_domain, "peer", q->peer_domain,
					"stanzas", (json_int_t)q->stanzas,
					"bytes", (json_int_t)q->bytes,
					"oldest_ms", (json_int_t)q->oldest_ms));
	}
}

const struct show show_queues_text = {begin, more, end};
const struct show show_queues_json = {json_begin, json_more, json_list_end};
