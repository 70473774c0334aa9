/*
 * A view as PIDF.  Children stand in the order of RFC 3863's schema:
 * in presence tuples, notes, then what other namespaces have; in a tuple
 * status, contact, notes, timestamp.
 */
#include "fe-gateway/core/pidf.h"

#include <stdio.h>
#include <string.h>

#include "fe-gateway/core/address.h"
#include "fe-gateway/core/pidf_id.h"
#include "fe-gateway/core/pidf_rpid.h"
#include "fe-gateway/core/pidf_xml.h"
#include "fe-gateway/core/sip_text.h"

enum {
	CONTACT_BYTES = 256,
	TIMESTAMP_BYTES = 48, /* for any numbers, so that compilers agree */
};

struct writing {
	struct pidf_xml x;
	const struct presence_resource *best;  /* of the open ones; NULL */
	const struct presence_resource *notes; /* whose notes count for all */
	struct span entity;		       /* URI */
	struct span contact;		       /* URI; empty: left out */
	char timestamp[TIMESTAMP_BYTES];
	bool is_brief; /* notes once, no contacts: it must fit */
	/* of the notes written */
	struct span lang;
	bool has_notes;
	bool is_mixed; /* not all in `lang` */
};

/* ---- pieces ---- */

/* RFC 3339, in UTC; years of four digits. */
static void make_timestamp(uint64_t ms, char out[TIMESTAMP_BYTES])
{
	uint64_t s = ms / 1000;
	/* days since 0000-03-01: the leap day is the last of a year */
	uint64_t days = s / 86400 + 719468;
	uint64_t era = days / 146097;
	uint64_t doe = days % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint64_t m = (5 * doy + 2) / 153; /* 0: March */
	unsigned day = (unsigned)(doy - (153 * m + 2) / 5 + 1);
	unsigned month = (unsigned)(m < 10 ? m + 3 : m - 9);
	unsigned year = (unsigned)(era * 400 + yoe + (month <= 2));

	(void)snprintf(out, TIMESTAMP_BYTES,
		       "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year % 10000,
		       month, day, (unsigned)(s / 3600 % 24),
		       (unsigned)(s / 60 % 60), (unsigned)(s % 60),
		       (unsigned)(ms % 1000));
}

/* The tag of a note, for xml:lang and a header. */
static struct span note_lang(const struct presence_note *note)
{
	struct span lang = span_str(note->lang);

	return sip_text_is_language(lang) ? lang : SPAN_NULL;
}

static void write_note(struct writing *w, const struct presence_note *note)
{
	struct span text = span_str(note->text);
	struct span lang = note_lang(note);

	if (text.n == 0)
		return;
	PIDF_XML_LIT(&w->x, "<note");
	if (lang.n > 0)
		pidf_xml_attr(&w->x, "xml:lang", lang);
	PIDF_XML_LIT(&w->x, ">");
	pidf_xml_text(&w->x, text);
	PIDF_XML_LIT(&w->x, "</note>");
	if (!w->has_notes)
		w->lang = lang;
	else if (!span_eq(w->lang, lang))
		w->is_mixed = true;
	w->has_notes = true;
}

static void write_notes(struct writing *w, const struct presence_resource *r)
{
	for (size_t i = 0; r != NULL && i < r->note_count; i++)
		write_note(w, &r->note[i]);
}

static void write_status(struct pidf_xml *x, const struct presence_resource *r)
{
	const char *show = pidf_show_name(r->show);

	if (!r->is_open) {
		PIDF_XML_LIT(x, "<status><basic>closed</basic></status>");
		return;
	}
	PIDF_XML_LIT(x, "<status><basic>open</basic>");
	if (show != NULL) {
		PIDF_XML_LIT(x, "<show xmlns='" PIDF_NS_CLIENT "'>");
		pidf_xml_raw(x, span_str(show));
		PIDF_XML_LIT(x, "</show>");
	}
	PIDF_XML_LIT(x, "</status>");
}

/* The address of record, not that of the resource: clients look it up in
 * their lists.  RFC 8048 4.1: 0 to 127 as 0 to 1; negative ones have none. */
static void write_contact(struct writing *w, const struct presence_resource *r)
{
	char priority[sizeof("0.000")];

	if (w->contact.n == 0)
		return;
	PIDF_XML_LIT(&w->x, "<contact");
	if (r->is_open && r->priority >= 0) {
		int thousandths =
			r->priority >= 127 ? 1000 : 1000 * r->priority / 127;
		bool is_whole = thousandths % 1000 == 0;

		(void)snprintf(priority, sizeof(priority), "%d%s%.*d",
			       thousandths / 1000, is_whole ? "" : ".",
			       is_whole ? 0 : 3, thousandths % 1000);
		pidf_xml_attr(&w->x, "priority", span_str(priority));
	}
	PIDF_XML_LIT(&w->x, ">");
	pidf_xml_text(&w->x, w->contact);
	PIDF_XML_LIT(&w->x, "</contact>");
}

static void write_tuple(struct writing *w, const struct presence_resource *r)
{
	char id[PIDF_ID_BYTES + 1];

	if (w->x.err == 0)
		w->x.err = pidf_id_make(span_str(r->name), id);
	if (w->x.err != 0)
		return;
	PIDF_XML_LIT(&w->x, "\n<tuple");
	pidf_xml_attr(&w->x, "id", span_str(id));
	PIDF_XML_LIT(&w->x, ">");
	write_status(&w->x, r);
	write_contact(w, r);
	if (!w->is_brief)
		write_notes(w, r);
	PIDF_XML_LIT(&w->x, "<timestamp>");
	pidf_xml_raw(&w->x, span_str(w->timestamp));
	PIDF_XML_LIT(&w->x, "</timestamp></tuple>");
}

/* ---- documents ---- */

static const struct presence_resource NOBODY = {.name = ""};

/* COMPAT(baresip): it and others look at the first tuple only, so the best
 * one comes first and closed ones last. */
static void write_tuples(struct writing *w, const struct presence_view *view)
{
	if (view->count == 0)
		write_tuple(w, &NOBODY);
	if (w->best != NULL)
		write_tuple(w, w->best);
	for (size_t i = 0; i < view->count; i++)
		if (view->items[i]->is_open && view->items[i] != w->best)
			write_tuple(w, view->items[i]);
	for (size_t i = 0; i < view->count; i++)
		if (!view->items[i]->is_open)
			write_tuple(w, view->items[i]);
}

static void write_standard(struct writing *w, const struct presence_view *view)
{
	const char *activity =
		w->best != NULL ? pidf_rpid_activity(w->best->show) : NULL;

	PIDF_XML_LIT(&w->x, "<?xml version='1.0' encoding='UTF-8'?>\n"
			    "<presence xmlns='" PIDF_NS "'");
	/* COMPAT(baresip): it looks for the bytes "<rpid:away/>" */
	if (activity != NULL)
		PIDF_XML_LIT(&w->x, " xmlns:dm='" PIDF_NS_MODEL
				    "' xmlns:rpid='" PIDF_NS_RPID "'");
	pidf_xml_attr(&w->x, "entity", w->entity);
	PIDF_XML_LIT(&w->x, ">");
	write_tuples(w, view);
	PIDF_XML_LIT(&w->x, "\n");
	write_notes(w, w->notes);
	if (activity != NULL) {
		PIDF_XML_LIT(&w->x, "<dm:person id='person'>"
				    "<rpid:activities><rpid:");
		pidf_xml_raw(&w->x, span_str(activity));
		PIDF_XML_LIT(&w->x, "/></rpid:activities></dm:person>");
	}
	PIDF_XML_LIT(&w->x, "</presence>\n");
}

/* COMPAT(Lync): one tuple with basic and one activity is what it reads. */
static void write_lync(struct writing *w)
{
	const char *activity =
		w->best != NULL ? pidf_rpid_activity(w->best->show) : NULL;

	PIDF_XML_LIT(&w->x, "<?xml version='1.0' encoding='UTF-8'?>\n"
			    "<presence xmlns='" PIDF_NS
			    "' xmlns:ep='" PIDF_NS_RPID_STATUS "'");
	pidf_xml_attr(&w->x, "entity", w->entity);
	PIDF_XML_LIT(&w->x, ">\n<tuple id='ID-0'><status><basic>");
	if (w->best != NULL)
		PIDF_XML_LIT(&w->x, "open");
	else
		PIDF_XML_LIT(&w->x, "closed");
	PIDF_XML_LIT(&w->x, "</basic>");
	if (activity != NULL) {
		PIDF_XML_LIT(&w->x, "<ep:activities><ep:activity>");
		pidf_xml_raw(&w->x, span_str(activity));
		PIDF_XML_LIT(&w->x, "</ep:activity></ep:activities>");
	}
	PIDF_XML_LIT(&w->x, "</status>");
	write_notes(w, w->notes);
	PIDF_XML_LIT(&w->x, "</tuple>\n</presence>\n");
}

static bool has_text(const struct presence_resource *r)
{
	for (size_t i = 0; i < r->note_count; i++)
		if (span_str(r->note[i].text).n > 0)
			return true;
	return false;
}

/* Whose notes stand for the presentity: the best one's, and when all are
 * closed, the first that has any. */
static const struct presence_resource *notes_of(
	const struct presence_view *view, const struct presence_resource *best)
{
	if (best != NULL)
		return best;
	for (size_t i = 0; i < view->count; i++)
		if (has_text(view->items[i]))
			return view->items[i];
	return NULL;
}

static void write_document(struct writing *w, enum pidf_profile profile,
			   const struct presence_view *view)
{
	w->has_notes = false;
	w->is_mixed = false;
	w->lang = SPAN_NULL;
	w->x.err = 0;
	if (profile == PIDF_LYNC)
		write_lync(w);
	else
		write_standard(w, view);
}

static int add_uri(struct span jid, enum address_scheme scheme,
		   struct buf *uris)
{
	int err = address_jid_to_aor(jid, scheme, uris);

	return err == 0 || err == FED_ENOMEM ? err : FED_EINVAL;
}

/* What address_jid_to_aor() made of the entity, once for each use. */
static int make_uris(struct writing *w, const struct pidf_write_params *p,
		     struct buf *uris)
{
	size_t n;
	int err;

	if (p->profile == PIDF_LYNC) {
		err = add_uri(p->entity, ADDRESS_SIP, uris);
		w->entity = buf_span(uris);
		return err;
	}
	/* RFC 8048 has pres: in all its examples */
	err = add_uri(p->entity, ADDRESS_PRES, uris);
	n = buf_len(uris);
	if (err == 0)
		err = add_uri(p->entity, ADDRESS_SIP, uris);
	w->entity = span_sub(buf_span(uris), 0, n);
	w->contact = span_sub(buf_span(uris), n, buf_len(uris));
	if (w->contact.n > CONTACT_BYTES)
		w->contact = SPAN_NULL;
	return err;
}

int pidf_write(const struct pidf_write_params *p,
	       const struct presence_view *view, struct buf *out,
	       struct span *lang_out)
{
	const size_t start = buf_len(out);
	const size_t room = out->max - start;
	struct writing w = {.x = {.out = out}};
	struct buf uris;
	int err;

	*lang_out = SPAN_NULL;
	buf_init(&uris, 2 * LIMIT_SIP_URI_BYTES);
	err = make_uris(&w, p, &uris);
	if (err == 0) {
		make_timestamp(p->timestamp_ms, w.timestamp);
		w.best = presence_view_best(view);
		w.notes = notes_of(view, w.best);
		w.x.end = start +
			  (room < LIMIT_PIDF_BYTES ? room : LIMIT_PIDF_BYTES);
		write_document(&w, p->profile, view);
		if (w.x.err == FED_ELIMIT) {
			buf_truncate(out, start);
			w.is_brief = true;
			w.contact = SPAN_NULL;
			write_document(&w, p->profile, view);
		}
		err = w.x.err;
	}
	if (err != 0)
		buf_truncate(out, start);
	else if (!w.is_mixed)
		*lang_out = w.lang;
	buf_deinit(&uris);
	return err;
}
