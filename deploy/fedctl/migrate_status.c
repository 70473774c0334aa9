/* migrate status: whose each partner is, since when, who did it. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "chan/federation_form.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/json.h"
#include "deploy/fedctl/migrate_ask.h"
#include "deploy/fedctl/text.h"

struct row {
	const Fed__PartnerRecord *partner;
	bool has_since;
	int64_t at_ms;
	uint64_t revision;
	const char *author;
};

struct status {
	struct session *s;
	struct arena a;
	struct records partners;
	struct row *rows;
	size_t count;
	bool is_failed; /* out of memory */
};

/* ---- partners ------------------------------------------------------------ */

static bool is_asked(const struct status *x, const Fed__PartnerRecord *p)
{
	const char *domain = line_arg(x->s->line, 0);

	return domain == NULL || strcasecmp(domain, p->domain) == 0;
}

static int take_partners(struct status *x)
{
	x->rows =
		arena_alloc(&x->a, (x->partners.count + 1) * sizeof(*x->rows));
	if (x->rows == NULL)
		return session_fail(x->s, STATUS_FAILED, "out of memory");
	for (size_t i = 0; i < x->partners.count; i++) {
		const Fed__PartnerRecord *p = x->partners.items[i]->partner;

		if (is_asked(x, p))
			x->rows[x->count++] =
				(struct row){.partner = p, .author = ""};
	}
	return STATUS_DONE;
}

/* ---- since when ---------------------------------------------------------- */

static const Fed__PartnerRecord *partner_of(const Fed__Record *r)
{
	return r != NULL && r->kind_case == FED__RECORD__KIND_PARTNER
		       ? r->partner
		       : NULL;
}

/* It made the partner what it is. */
static void note_change(struct status *x, const Fed__Revision *v,
			const Fed__Change *c)
{
	const Fed__PartnerRecord *before = partner_of(c->before);
	const Fed__PartnerRecord *after = partner_of(c->after);

	if (after == NULL || (before != NULL && before->state == after->state))
		return;
	for (size_t i = 0; i < x->count; i++) {
		struct row *r = &x->rows[i];

		if (r->has_since ||
		    strcmp(r->partner->domain, after->domain) != 0)
			continue;
		r->has_since = true;
		r->at_ms = v->at_ms;
		r->revision = v->number;
		r->author = arena_dup(&x->a, span_str(v->author));
		x->is_failed = x->is_failed || r->author == NULL;
	}
}

/* Newest first: the first word counts. */
static void take_history(const Fed__AdminResponse *r, void *arg)
{
	struct status *x = arg;

	for (size_t i = 0; i < r->n_history; i++)
		for (size_t k = 0; k < r->history[i]->n_change; k++)
			note_change(x, r->history[i], r->history[i]->change[k]);
}

static int ask_history(struct status *x)
{
	Fed__AdminFederationHistory h;
	Fed__AdminRequest r;
	int status;

	fed__admin_federation_history__init(&h);
	fed__admin_request__init(&r);
	r.kind_case = FED__ADMIN_REQUEST__KIND_FEDERATION_HISTORY;
	r.federation_history = &h;
	status = session_ask(x->s, &r, take_history, x);
	if (status == STATUS_DONE && x->is_failed)
		status = session_fail(x->s, STATUS_FAILED, "out of memory");
	return status;
}

/* ---- showing ------------------------------------------------------------- */

static const char *state_word(const struct row *r)
{
	return federation_word(federation_state_words, (int)r->partner->state);
}

static void print_rows(struct status *x, struct shower *to)
{
	table_column(&to->table, "<DOMAIN");
	table_column(&to->table, "<STATE");
	table_column(&to->table, "<SINCE");
	table_column(&to->table, "<WHO");
	for (size_t i = 0; i < x->count; i++) {
		const struct row *r = &x->rows[i];

		table_cell(&to->table, "%s", r->partner->domain);
		table_cell(&to->table, "%s", state_word(r));
		table_cell(&to->table, "%s",
			   r->has_since ? text_time(r->at_ms).text : "-");
		table_cell(&to->table, "%s", r->has_since ? r->author : "-");
	}
	if (x->count == 0)
		(void)fputs("there are no partners\n", to->to);
	else
		table_print(&to->table, to->to);
}

static json_t *row_json(const struct row *r)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o}", "domain",
			 r->partner->domain, "state", state_word(r), "since_ms",
			 r->has_since ? json_integer(r->at_ms) : json_null(),
			 "revision",
			 r->has_since ? json_integer((json_int_t)r->revision)
				      : json_null(),
			 "who", json_text_or_null(r->author));
}

static int show(struct status *x)
{
	struct shower to;
	bool is_failed;

	shower_init(&to, x->s->out, NULL);
	if (x->s->is_json) {
		json_list_begin(&to, "migration");
		for (size_t i = 0; i < x->count; i++)
			json_entry(&to, row_json(&x->rows[i]));
		json_list_end(&to);
	} else {
		print_rows(x, &to);
	}
	is_failed = to.is_failed || to.table.is_failed;
	shower_deinit(&to);
	if (is_failed)
		return session_fail(x->s, STATUS_FAILED, "out of memory");
	return session_written(x->s);
}

int migrate_run_status(struct session *s, const struct line *l)
{
	struct status x = {.s = s};
	int status;

	(void)l;
	arena_init(&x.a, LIMIT_MIGRATE_BYTES);
	status = migrate_need_partner(s);
	if (status == STATUS_DONE)
		status = records_get(s, &x.a,
				     FED__ADMIN_FEDERATION_GET__KIND__PARTNER,
				     "", &x.partners);
	if (status == STATUS_DONE)
		status = take_partners(&x);
	if (status == STATUS_DONE && x.count > 0)
		status = ask_history(&x);
	if (status == STATUS_DONE)
		status = show(&x);
	arena_deinit(&x.a);
	return status;
}
