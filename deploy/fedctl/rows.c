/* Records as rows. */
#include "deploy/fedctl/rows.h"

#include <stdlib.h>

#include "base/limits.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/json.h"
#include "deploy/fedctl/text.h"

struct listing {
	struct session *session;
	const struct rows *how;
	struct shower shower;
};

static void take(const Fed__AdminResponse *r, void *arg)
{
	struct listing *x = arg;

	for (size_t i = 0; i < r->n_record; i++) {
		const Fed__Record *one = r->record[i];

		if (one->kind_case != x->how->kind ||
		    (x->how->wants != NULL &&
		     !x->how->wants(x->session->line, one)))
			continue;
		if (x->session->is_json) {
			json_entry(&x->shower, record_json(one));
			continue;
		}
		if (x->shower.shown++ == 0)
			x->how->heads(&x->shower.table);
		x->how->cells(&x->shower.table, one);
	}
}

static int ask(struct listing *x, const char *pattern)
{
	Fed__AdminFederationGet get;
	Fed__AdminRequest r;

	fed__admin_federation_get__init(&get);
	get.kind = record_kind(x->how->kind)->get;
	get.pattern = text_lent(pattern != NULL ? pattern : "");
	fed__admin_request__init(&r);
	r.kind_case = FED__ADMIN_REQUEST__KIND_FEDERATION_GET;
	r.federation_get = &get;
	return session_ask(x->session, &r, take, x);
}

static void print_end(struct listing *x)
{
	FILE *to = x->shower.to;

	if (x->session->is_json)
		json_list_end(&x->shower);
	else if (x->shower.shown > 0)
		table_print(&x->shower.table, to);
	else
		(void)fprintf(to, "%s\n", x->how->none);
}

int rows_list(struct session *s, const struct rows *how, const char *pattern)
{
	struct listing x = {.session = s, .how = how};
	char *document = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&document, &n);
	int status;

	if (to == NULL)
		return change_no_memory(s);
	/* a refusal is no half of a document */
	shower_init(&x.shower, to, NULL);
	if (s->is_json)
		json_list_begin(&x.shower, record_kind(how->kind)->plural);
	status = ask(&x, pattern);
	if (status == STATUS_DONE)
		print_end(&x);
	if (fclose(to) != 0 || x.shower.is_failed || x.shower.table.is_failed)
		status = change_no_memory(s);
	if (status == STATUS_DONE && document != NULL)
		(void)fwrite(document, 1, n, s->out);
	shower_deinit(&x.shower);
	free(document);
	return status == STATUS_DONE ? session_written(s) : status;
}

int rows_show(struct session *s, const struct record_kind *k,
	      const Fed__Record *r)
{
	struct shower x;

	shower_init(&x, s->out, NULL);
	if (s->is_json)
		json_document(&x, k->name, record_json(r));
	else
		record_print(s->out, r, "");
	if (x.is_failed)
		return change_no_memory(s);
	return session_written(s);
}
