/* status: the revision in force, here and at the edges. */
#include <inttypes.h>

#include "deploy/fedctl/json.h"
#include "deploy/fedctl/text.h"

/* ---- for people ---------------------------------------------------------- */

static void print_edge(FILE *to, const Fed__FederationEdge *e,
		       uint64_t revision)
{
	text_print(to, span_str(e->name), NULL);
	if (e->revision == 0)
		(void)fputs("  no revision", to);
	else
		(void)fprintf(to, "  revision %" PRIu64, e->revision);
	if (e->revision != revision && e->refused[0] == '\0' && e->is_connected)
		(void)fputs(", the new one is on its way", to);
	(void)fputs(e->is_connected ? "\n" : ", not connected\n", to);
	if (e->refused[0] == '\0')
		return;
	(void)fputs("          refused: ", to);
	text_wrap(to, span_str(e->refused), "", 19, TEXT_COLUMNS);
}

static void more(struct shower *s, const Fed__AdminResponse *r)
{
	const Fed__FederationStatus *f = r->federation;

	if (f == NULL)
		return;
	if (f->revision == 0) {
		(void)fputs("revision  none: nothing is configured, so "
			    "nobody may talk\n",
			    s->to);
	} else {
		(void)fprintf(s->to, "revision  %" PRIu64 "\nwhen      %s\n",
			      f->revision, text_time(f->at_ms).text);
		(void)fputs("who       ", s->to);
		text_print(s->to, span_str(f->author), NULL);
		(void)fputs("\nwhat      ", s->to);
		text_wrap(s->to, span_str(f->what), "", 10, TEXT_COLUMNS);
	}
	if (f->n_edge == 0)
		(void)fputs("edges     none\n", s->to);
	for (size_t i = 0; i < f->n_edge; i++) {
		(void)fputs(i == 0 ? "edges     " : "          ", s->to);
		print_edge(s->to, f->edge[i], f->revision);
	}
}

const struct show show_status_text = {.more = more};

/* ---- for programs -------------------------------------------------------- */

static json_t *edges_json(const Fed__FederationStatus *f)
{
	json_t *all = json_array();

	for (size_t i = 0; i < f->n_edge; i++) {
		const Fed__FederationEdge *e = f->edge[i];
		json_t *one =
			json_pack("{s:s, s:b, s:I, s:o}", "name", e->name,
				  "connected", (int)e->is_connected, "revision",
				  (json_int_t)e->revision, "refused",
				  json_text_or_null(e->refused));

		if (json_array_append_new(all, one) != 0) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

static void json_more(struct shower *s, const Fed__AdminResponse *r)
{
	const Fed__FederationStatus *f = r->federation;

	if (f != NULL)
		json_document(s, "status",
			      json_pack("{s:I, s:o, s:o, s:o, s:o}", "revision",
					(json_int_t)f->revision, "at_ms",
					f->revision == 0
						? json_null()
						: json_integer(f->at_ms),
					"author", json_text_or_null(f->author),
					"what", json_text_or_null(f->what),
					"edges", edges_json(f)));
}

const struct show show_status_json = {.more = json_more};
