/* presence show */
#include "deploy/fedctl/text.h"
#include "deploy/fedctl/watch.h"

/* ---- for people ---------------------------------------------------------- */

/* Continuation lines stand below the values. */
#define COLUMN "                 "

static void field(FILE *to, const char *name)
{
	(void)fprintf(to, "  %-15s", name);
}

static void line(FILE *to, const char *name, const char *value)
{
	field(to, name);
	text_print(to, span_str(value), NULL);
	(void)fputc('\n', to);
}

static void print_resources(FILE *to, const char *name,
			    Fed__PresenceResource *const *list, size_t count)
{
	if (count == 0)
		line(to, name, "no resource");
	for (size_t i = 0; i < count; i++) {
		field(to, i == 0 ? name : "");
		watch_print_resource(to, list[i]);
	}
}

static void print_expiry(FILE *to, int64_t ms)
{
	if (ms > 0)
		(void)fprintf(to, ", expires in %s",
			      text_age((uint64_t)ms).text);
	else if (ms < 0)
		(void)fputs(", expired", to);
	(void)fputc('\n', to);
}

static void print_document(const struct shower *s, const Fed__PresenceDialog *d)
{
	field(s->to, "document");
	if (d->document_age_ms < 0) {
		(void)fputs("none yet\n", s->to);
		return;
	}
	(void)fprintf(s->to, "%s old",
		      text_age((uint64_t)d->document_age_ms).text);
	/* of those that came only what they say is kept */
	if (d->document.len > 0)
		(void)fprintf(s->to, ", %zu bytes", d->document.len);
	(void)fputc('\n', s->to);
	if (s->is_full)
		text_print(s->to, span_of(d->document.data, d->document.len),
			   "    ");
}

static void print_dialog(const struct shower *s, const Fed__PresenceDialog *d)
{
	field(s->to, "dialog");
	text_print(s->to, span_str(d->state), NULL);
	print_expiry(s->to, d->expires_in_ms);
	(void)fputs(COLUMN "call-id ", s->to);
	text_print(s->to, span_str(d->call_id), NULL);
	(void)fputs("\n" COLUMN "to ", s->to);
	text_print(s->to,
		   span_str(d->remote_target[0] == '\0' ? "no target yet"
							: d->remote_target),
		   NULL);
	(void)fputs("\n" COLUMN "ours: tag ", s->to);
	text_print(s->to, span_str(d->local_tag), NULL);
	(void)fprintf(s->to, ", CSeq %u; theirs: tag ", d->local_cseq);
	text_print(s->to, span_str(d->remote_tag), NULL);
	(void)fprintf(s->to, ", CSeq %u\n", d->remote_cseq);
	print_document(s, d);
}

static void print_stanza(FILE *to, const Fed__PresenceWatch *w)
{
	field(to, "last stanza");
	if (w->last_stanza_age_ms < 0) {
		(void)fputs("none yet\n", to);
		return;
	}
	(void)fprintf(
		to, "%s ago: ", text_age((uint64_t)w->last_stanza_age_ms).text);
	text_print(to, span_str(w->last_stanza), NULL);
	(void)fputc('\n', to);
}

static void print_watch(struct shower *s, const Fed__PresenceWatch *w)
{
	if (s->shown++ > 0)
		(void)fputc('\n', s->to);
	watch_print_pair(s->to, w);
	line(s->to, "authorization", w->authorization);
	if (w->n_dialog == 0)
		line(s->to, "dialog", "none");
	for (size_t i = 0; i < w->n_dialog; i++)
		print_dialog(s, w->dialog[i]);
	print_resources(s->to, "believed", w->believed, w->n_believed);
	print_resources(s->to, "told", w->told, w->n_told);
	print_stanza(s->to, w);
	line(s->to, "waiting for",
	     w->waiting_for[0] == '\0' ? "nothing" : w->waiting_for);
}

static void more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_watch; i++)
		print_watch(s, r->watch[i]);
}

static void end(struct shower *s)
{
	if (s->shown > 0)
		return;
	(void)fputs("nobody watches ", s->to);
	text_print(s->to, span_str(s->arg), NULL);
	(void)fputs(", and nobody is watched from there\n", s->to);
}

const struct show show_watches_text = {.more = more, .end = end};

/* ---- for programs -------------------------------------------------------- */

static json_t *resources_json(Fed__PresenceResource *const *list, size_t count)
{
	json_t *all = json_array();

	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(all, watch_json_resource(list[i])) !=
		    0) {
			json_decref(all);
			return NULL;
		}
	return all;
}

static json_t *dialog_json(const Fed__PresenceDialog *d)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o}",
			 "call_id", d->call_id, "state", d->state, "local_tag",
			 d->local_tag, "remote_tag", d->remote_tag,
			 "local_cseq", (json_int_t)d->local_cseq, "remote_cseq",
			 (json_int_t)d->remote_cseq, "expires_in_ms",
			 (json_int_t)d->expires_in_ms, "remote_target",
			 json_text_or_null(d->remote_target), "document_age_ms",
			 json_age_or_null(d->document_age_ms), "document",
			 json_bytes(&d->document));
}

static json_t *dialogs_json(const Fed__PresenceWatch *w)
{
	json_t *all = json_array();

	for (size_t i = 0; i < w->n_dialog; i++)
		if (json_array_append_new(all, dialog_json(w->dialog[i])) !=
		    0) {
			json_decref(all);
			return NULL;
		}
	return all;
}

static json_t *watch_json(const Fed__PresenceWatch *w)
{
	json_t *pair = watch_json_pair(w);
	json_t *rest = json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "authorization",
		w->authorization, "dialogs", dialogs_json(w), "believed",
		resources_json(w->believed, w->n_believed), "told",
		resources_json(w->told, w->n_told), "last_stanza",
		json_text_or_null(w->last_stanza), "last_stanza_age_ms",
		json_age_or_null(w->last_stanza_age_ms), "waiting_for",
		json_text_or_null(w->waiting_for));
	bool is_whole = rest != NULL && json_object_update(pair, rest) == 0;

	json_decref(rest);
	if (is_whole)
		return pair;
	json_decref(pair);
	return NULL;
}

static void json_begin(struct shower *s)
{
	json_list_begin(s, "watches");
}

static void json_more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_watch; i++)
		json_entry(s, watch_json(r->watch[i]));
}

const struct show show_watches_json = {json_begin, json_more, json_list_end};
