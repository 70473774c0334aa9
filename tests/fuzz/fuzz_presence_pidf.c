/*
 * PIDF: what is read is fit for stanzas, and comes back when it is written.
 *
 * Input: a line with Content-Language; the rest is the document.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/pidf.h"
#include "fe-gateway/core/pidf_id.h"
#include "fe-gateway/core/sip_text.h"
#include "xmpp/jid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_notes(const struct presence_resource *r)
{
	must(r->note_count <= LIMIT_PRESENCE_NOTES);
	for (size_t i = 0; i < r->note_count; i++) {
		struct span lang = span_str(r->note[i].lang);
		struct span text = span_str(r->note[i].text);

		must(lang.n == 0 || sip_text_is_language(lang));
		must(text.n > 0 && text.n <= LIMIT_PRESENCE_NOTE_BYTES);
		must(span_is_utf8(text));
		for (size_t k = 0; k < i; k++)
			must(!span_ieq(span_str(r->note[k].lang), lang));
	}
}

static void check_resource(const struct presence_resource *r)
{
	struct span name = span_str(r->name);
	struct jid jid;

	if (name.n > 0) {
		must(jid_make(SPAN_NULL, SPAN_LIT("x"), name, &jid) == 0);
		must(span_eq(jid_resource(&jid), name));
	}
	if (r->is_open)
		must(r->priority >= 0 && r->priority <= 127);
	else
		must(r->priority == 0 && r->show == FED__SHOW__NO_SHOW);
	check_notes(r);
}

/* Some name has a digest for its id. */
static bool has_digest(const struct presence_view *v)
{
	char id[PIDF_ID_BYTES + 1];

	for (size_t i = 0; i < v->count; i++) {
		struct span name = span_str(v->items[i]->name);

		must(pidf_id_make(name, id) == 0);
		if (name.n > 0 && strncmp(id, "ID-_x_", 6) == 0)
			return true;
	}
	return false;
}

static void there_and_back(const struct presence_view *v,
			   enum pidf_profile profile)
{
	const struct pidf_write_params params = {
		.profile = profile,
		.entity = SPAN_LIT("juliet@example.com"),
		.timestamp_ms = 1709210096789,
	};
	struct presence_view again = {.count = 0};
	struct span lang;
	struct buf out;
	bool is_brief;

	buf_init(&out, LIMIT_PIDF_BYTES);
	must(pidf_write(&params, v, &out, &lang) == 0);
	must(pidf_read(buf_span(&out), lang, &again) == 0);
	must(presence_view_is_open(v) == presence_view_is_open(&again));
	is_brief = strstr(buf_cstr(&out), "<contact") == NULL;
	if (profile == PIDF_LYNC)
		must(again.count == 1);
	else
		must(again.count == (v->count == 0 ? 1 : v->count));
	if (profile == PIDF_STANDARD && v->count > 0 && !is_brief &&
	    !has_digest(v))
		must(presence_view_eq(v, &again));
	presence_view_clear(&again);
	buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	size_t eol = span_find(in, '\n', 0);
	struct presence_view v = {.count = 0};
	int err;

	if (eol == SIZE_MAX)
		return 0;
	err = pidf_read(span_sub(in, eol + 1, in.n), span_sub(in, 0, eol), &v);
	must(err == 0 || v.count == 0);
	must(v.count <= LIMIT_PRESENCE_RESOURCES);
	for (size_t i = 0; i < v.count; i++) {
		must(i == 0 ||
		     strcmp(v.items[i - 1]->name, v.items[i]->name) < 0);
		check_resource(v.items[i]);
	}
	if (err == 0) {
		there_and_back(&v, PIDF_STANDARD);
		there_and_back(&v, PIDF_LYNC);
	}
	presence_view_clear(&v);
	return 0;
}
