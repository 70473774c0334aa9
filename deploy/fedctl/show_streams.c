/* show streams */
#include <inttypes.h>

#include "deploy/fedctl/json.h"
#include "deploy/fedctl/text.h"

static void begin(struct shower *s)
{
	table_column(&s->table, ">ID");
	table_column(&s->table, "<DIR");
	table_column(&s->table, "<LOCAL");
	table_column(&s->table, "<PEER");
	table_column(&s->table, "<STATE");
	table_column(&s->table, "<AUTH");
	table_column(&s->table, "<TLS");
	table_column(&s->table, ">AGE");
	table_column(&s->table, ">IN");
	table_column(&s->table, ">OUT");
}

static const char *auth_name(Fed__Mechanism m)
{
	switch (m) {
	case FED__MECHANISM__EXTERNAL:
		return "external";
	case FED__MECHANISM__DIALBACK:
		return "dialback";
	case FED__MECHANISM__NO_MECHANISM:
	case _FED__MECHANISM_IS_INT_SIZE:
		break;
	}
	return "";
}

/* "TLSv1.2": the digits do */
static const char *short_tls(const char *version)
{
	return span_starts(span_str(version), SPAN_LIT("TLSv")) ? version + 4
								: version;
}

static void more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_stream; i++) {
		const Fed__StreamInfo *x = r->stream[i];

		s->shown++;
		table_cell(&s->table, "%" PRIu64, x->id);
		table_cell(&s->table, "%s", x->inbound ? "in" : "out");
		table_cell(&s->table, "%s", x->local_domain);
		table_cell(&s->table, "%s", x->peer_domain);
		table_cell(&s->table, "%s", x->state);
		table_cell(&s->table, "%s", auth_name(x->mechanism));
		table_cell(&s->table, "%s", short_tls(x->tls_version));
		table_cell(&s->table, "%s", text_age(x->age_ms).text);
		table_cell(&s->table, "%" PRIu64, x->stanzas_in);
		table_cell(&s->table, "%" PRIu64, x->stanzas_out);
	}
}

static void end(struct shower *s)
{
	if (s->shown == 0)
		(void)fputs("no stream\n", s->to);
	else
		table_print(&s->table, s->to);
}

static void json_begin(struct shower *s)
{
	json_list_begin(s, "streams");
}

static json_t *stream_json(const Fed__StreamInfo *x)
{
	return json_pack(
		"{s:I, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:I, s:I, s:I}",
		"id", (json_int_t)x->id, "direction", x->inbound ? "in" : "out",
		"local", json_text_or_null(x->local_domain), "peer",
		json_text_or_null(x->peer_domain), "address",
		json_text_or_null(x->address), "state", x->state, "mechanism",
		json_text_or_null(auth_name(x->mechanism)), "tls_version",
		json_text_or_null(x->tls_version), "tls_cipher",
		json_text_or_null(x->tls_cipher), "age_ms",
		(json_int_t)x->age_ms, "stanzas_in", (json_int_t)x->stanzas_in,
		"stanzas_out", (json_int_t)x->stanzas_out);
}

static void json_more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_stream; i++)
		json_entry(s, stream_json(r->stream[i]));
}

const struct show show_streams_text = {begin, more, end};
const struct show show_streams_json = {json_begin, json_more, json_list_end};
