/* migrate import, migrate users: a file becomes records. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "chan/federation_form.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/json.h"
#include "deploy/fedctl/load.h"
#include "deploy/fedctl/migrate_ask.h"
#include "deploy/fedctl/text.h"
#include "deploy/fedctl/users.h"

/* One import at work. */
struct import {
	struct session *s;
	struct arena a;
	struct migrate_list list;
	struct records known; /* before it */
	struct migrate_changed changed;
};

static void begin(struct import *x, struct session *s)
{
	const char *type = line_option(s->line, "type");

	*x = (struct import){.s = s};
	arena_init(&x->a, LIMIT_MIGRATE_BYTES);
	migrate_list_init(
		&x->list, &x->a,
		type != NULL ? (Fed__PartnerType)federation_word_value(
				       federation_type_words, span_str(type))
			     : FED__PARTNER_TYPE__FEDERATED);
}

static int finish(struct import *x, int status)
{
	arena_deinit(&x->a);
	return status;
}

/* ---- reading ------------------------------------------------------------- */

/* XML begins with "<", in whatever encoding. */
static bool is_xml(struct span text)
{
	for (size_t i = 0; i < text.n && i < 16; i++)
		if (text.p[i] == '<')
			return true;
		else if ((unsigned char)text.p[i] > ' ' &&
			 (unsigned char)text.p[i] < 0x80)
			return false;
	return false;
}

static int read_partners(struct import *x, const char *name)
{
	struct errbuf e = {.text = ""};
	struct span text;
	int err;
	int status = load_file(x->s, &x->a, name, &text);

	if (status != STATUS_DONE)
		return status;
	err = is_xml(text) ? migrate_xml(&x->list, text, &e)
			   : migrate_csv_partners(&x->list, text);
	if (err == FED_EXML)
		return session_fail(x->s, STATUS_FAILED, "%s: %s",
				    load_name(name), e.text);
	if (err == FED_ELIMIT)
		return session_fail(x->s, STATUS_FAILED,
				    "%s: more than %u partners, which is as "
				    "many as there can be; nothing was changed",
				    load_name(name), LIMIT_FEDERATION_PARTNERS);
	if (err != 0)
		return session_fail(x->s, STATUS_FAILED, "out of memory");
	return STATUS_DONE;
}

/* ---- what is there already ----------------------------------------------- */

static const Fed__PartnerRecord *there(const struct import *x,
				       const char *domain)
{
	for (size_t i = 0; i < x->known.count; i++)
		if (strcasecmp(record_name(x->known.items[i]), domain) == 0)
			return x->known.items[i]->partner;
	return NULL;
}

/* A partner that is ours is not given away by a file. */
static int leave_ours(struct import *x)
{
	size_t kept = 0;
	int err = 0;

	for (size_t i = 0; i < x->list.record_count && err == 0; i++) {
		Fed__Record *r = x->list.records[i];
		const Fed__PartnerRecord *p = there(x, r->partner->domain);

		if (p == NULL || p->state == FED__PARTNER_STATE__LEGACY)
			x->list.records[kept++] = r;
		else
			err = migrate_list_note(
				&x->list, 0, false,
				"%s is a partner already (%s): it stays as it "
				"is",
				p->domain,
				federation_word(federation_state_words,
						(int)p->state));
	}
	x->list.record_count = kept;
	return err != 0 ? session_fail(x->s, STATUS_FAILED, "out of memory")
			: STATUS_DONE;
}

/* ---- applying and showing ------------------------------------------------ */

static int apply(struct import *x)
{
	struct change c;

	x->changed.revision = x->known.revision;
	if (x->list.record_count == 0)
		return STATUS_DONE;
	change_init(&c, &x->a, x->known.revision);
	c.apply.put = x->list.records;
	c.apply.n_put = x->list.record_count;
	return migrate_apply(x->s, &c, &x->changed);
}

static size_t not_understood(const struct migrate_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->note_count; i++)
		n += !l->notes[i]->is_understood;
	return n;
}

static void print_notes(const struct import *x)
{
	FILE *to = x->s->out;

	for (size_t i = 0; i < x->list.note_count; i++) {
		const struct migrate_note *n = x->list.notes[i];

		char head[32] = "";

		if (n->line > 0)
			(void)snprintf(head, sizeof(head),
				       "line %u: ", n->line);
		(void)fprintf(to, "%s%s", head, n->is_understood ? "" : "? ");
		text_wrap(to, span_str(n->text), "", strlen(head),
			  TEXT_COLUMNS);
	}
	if (x->list.note_count > 0)
		(void)fputc('\n', to);
}

/* @param what  "partner", "user" */
static void print_text(const struct import *x, const char *what)
{
	const struct migrate_changed *c = &x->changed;
	size_t odd = not_understood(&x->list);
	size_t n = x->list.record_count;
	FILE *to = x->s->out;

	print_notes(x);
	for (size_t i = 0; i < c->warning_count; i++) {
		(void)fputs("warning: ", to);
		text_wrap(to, span_str(c->warnings[i]), "", 9, TEXT_COLUMNS);
	}
	(void)fprintf(to, "%zu %s%s", n, what, n == 1 ? "" : "s");
	if (c->count == 0)
		(void)fputs(", nothing changes", to);
	else if (line_has(x->s->line, "dry-run"))
		(void)fprintf(to, ", %zu would be new or different", c->count);
	else
		(void)fprintf(to, ", %zu new or different, revision %llu",
			      c->count, (unsigned long long)c->revision);
	if (odd > 0)
		(void)fprintf(to, "; %zu line%s marked ? %s not as expected",
			      odd, odd == 1 ? "" : "s",
			      odd == 1 ? "is" : "are");
	(void)fputc('\n', to);
}

static json_t *notes_json(const struct migrate_list *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->note_count; i++)
		(void)json_array_append_new(
			list, json_pack("{s:i, s:b, s:s}", "line",
					(int)l->notes[i]->line, "understood",
					(int)l->notes[i]->is_understood, "text",
					l->notes[i]->text));
	return list;
}

static json_t *names_json(const struct migrate_list *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->record_count; i++) {
		const Fed__Record *r = l->records[i];

		(void)json_array_append_new(
			list,
			json_string(r->kind_case == FED__RECORD__KIND_MOVER
					    ? r->mover->user
					    : r->partner->domain));
	}
	return list;
}

static json_t *warnings_json(const struct migrate_changed *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->warning_count; i++)
		(void)json_array_append_new(list, json_string(c->warnings[i]));
	return list;
}

static int show(struct import *x, const char *what)
{
	const struct migrate_changed *c = &x->changed;
	struct shower to;

	if (!x->s->is_json) {
		print_text(x, what);
		return session_written(x->s);
	}
	shower_init(&to, x->s->out, NULL);
	json_document(&to, "import",
		      json_pack("{s:o, s:o, s:o, s:I, s:I, s:b}", "lines",
				notes_json(&x->list), "names",
				names_json(&x->list), "warnings",
				warnings_json(c), "changes",
				(json_int_t)c->count, "revision",
				(json_int_t)c->revision, "dry_run",
				(int)line_has(x->s->line, "dry-run")));
	shower_deinit(&to);
	if (to.is_failed)
		return session_fail(x->s, STATUS_FAILED, "out of memory");
	return session_written(x->s);
}

int migrate_run_import(struct session *s, const struct line *l)
{
	struct import x;
	int status;

	begin(&x, s);
	status = read_partners(&x, line_arg(l, 0));
	if (status == STATUS_DONE)
		status = records_get(s, &x.a,
				     FED__ADMIN_FEDERATION_GET__KIND__PARTNER,
				     "", &x.known);
	if (status == STATUS_DONE)
		status = leave_ours(&x);
	if (status == STATUS_DONE)
		status = apply(&x);
	if (status == STATUS_DONE)
		status = show(&x, "partner");
	return finish(&x, status);
}

/* ---- users --------------------------------------------------------------- */

static int add_mover(struct import *x, struct csv *c, struct csv_row *row)
{
	const char *state = row->cells[1];
	Fed__Record *r;
	int status;

	if (state[0] != '\0' && strcasecmp(state, "moved") != 0 &&
	    strcasecmp(state, "legacy") != 0) {
		csv_complain(c, row, "%s: \"%s\" is neither moved nor legacy",
			     row->cells[0], state);
		return STATUS_DONE;
	}
	status = change_new(x->s, &x->a, FED__RECORD__KIND_MOVER, row->cells[0],
			    &r);
	if (status != STATUS_DONE)
		return status;
	r->mover->is_moved = strcasecmp(state, "legacy") != 0;
	return arena_append(&x->a, (void ***)&x->list.records,
			    &x->list.record_count, r) == 0
		       ? STATUS_DONE
		       : change_no_memory(x->s);
}

/* A user whose line is wrong would be missing among those who have not moved:
 * the table is taken whole, or not at all. */
static int read_users(struct import *x, const char *name)
{
	static const char *const heads[] = {"user", "state", NULL};
	static const struct csv_form form = {
		.heads = heads, .due = 1, .is_foreign = true};
	struct csv c;
	int status = csv_read(x->s, &x->a, name, &form, &c);

	if (status == STATUS_DONE)
		status = users_of_csv(x->s, &x->a, &c);
	for (size_t i = 0; i < c.count && status == STATUS_DONE; i++)
		status = add_mover(x, &c, &c.rows[i]);
	return status == STATUS_DONE ? csv_verdict(x->s, &c) : status;
}

/* Those that the gateway knows. */
static int known_users(struct import *x)
{
	for (size_t i = 0; i < x->known.count; i++)
		if (arena_append(&x->a, (void ***)&x->list.records,
				 &x->list.record_count, x->known.items[i]) != 0)
			return change_no_memory(x->s);
	if (x->list.record_count > 0)
		return STATUS_DONE;
	return session_usage(x->s, "no user is known yet: which ones? FILE "
				   "says it");
}

/* Those that were answered take the place of those that were asked for. */
static int take_answers(struct import *x, const struct migrate_answers *r,
			size_t *kept)
{
	for (size_t i = 0; i < r->count; i++) {
		const Fed__AdminResponse *one = r->list[i];

		for (size_t n = 0; n < one->n_finding; n++)
			if (migrate_list_note(&x->list, 0, false, "%s",
					      one->finding[n]->text) != 0)
				return FED_ENOMEM;
		for (size_t n = 0; n < one->n_record; n++)
			if (*kept < x->list.record_count)
				x->list.records[(*kept)++] = one->record[n];
	}
	return 0;
}

/* One question to the SIP side. */
static int ask_some(struct import *x, char **users, size_t count, size_t *kept)
{
	struct migrate_answers answers = {.a = &x->a};
	Fed__AdminMigrate m;
	Fed__AdminRequest r;
	int status;

	fed__admin_migrate__init(&m);
	m.what = FED__ADMIN_MIGRATE__WHAT__ASK;
	m.user = users;
	m.n_user = count;
	fed__admin_request__init(&r);
	r.kind_case = FED__ADMIN_REQUEST__KIND_MIGRATE;
	r.migrate = &m;
	status = migrate_ask(x->s, &r, NULL, &answers, NULL);
	if (status == STATUS_DONE && take_answers(x, &answers, kept) != 0)
		status = session_fail(x->s, STATUS_FAILED, "out of memory");
	return status;
}

/* Users of records, in order. */
struct user_set {
	const char **users;
	size_t count;
};

static int by_user(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static void take_users(struct user_set *to, Fed__Record *const *list,
		       size_t count)
{
	for (size_t i = 0; i < count; i++)
		to->users[to->count++] = record_name(list[i]);
}

/* Who nobody says anything of has not moved, if he is new; else he stays what
 * he was. */
static int take_silent(struct import *x, Fed__Record *const *asked,
		       size_t count, size_t *kept)
{
	struct user_set have = {
		.users = arena_alloc(&x->a, (*kept + x->known.count + 1) *
						    sizeof(char *))};

	if (have.users == NULL)
		return change_no_memory(x->s);
	take_users(&have, x->list.records, *kept);
	take_users(&have, x->known.items, x->known.count);
	qsort(have.users, have.count, sizeof(*have.users), by_user);
	for (size_t i = 0; i < count && *kept < count; i++) {
		const char *user = asked[i]->mover->user;

		if (bsearch(&user, have.users, have.count, sizeof(user),
			    by_user) != NULL)
			continue;
		asked[i]->mover->is_moved = false;
		x->list.records[(*kept)++] = asked[i];
	}
	return STATUS_DONE;
}

static int ask_sip_side(struct import *x)
{
	size_t count = x->list.record_count;
	char **users = arena_alloc(&x->a, (count + 1) * sizeof(*users));
	Fed__Record **asked = NULL;
	int status = STATUS_DONE;
	size_t kept = 0;

	/* the list itself is written over */
	for (size_t n = 0; n < count;)
		if (users == NULL || arena_append(&x->a, (void ***)&asked, &n,
						  x->list.records[n]) != 0)
			return session_fail(x->s, STATUS_FAILED,
					    "out of memory");
	for (size_t i = 0; i < count; i++)
		users[i] = asked[i]->mover->user;
	/* one who says nothing takes Timer F */
	x->s->patience_s = LIMIT_SIP_TIMER_F_MS / 1000 + SESSION_PATIENCE_S;
	for (size_t i = 0; i < count && status == STATUS_DONE;
	     i += LIMIT_MIGRATE_ASK)
		status = ask_some(x, users + i,
				  count - i < LIMIT_MIGRATE_ASK
					  ? count - i
					  : LIMIT_MIGRATE_ASK,
				  &kept);
	x->s->patience_s = SESSION_PATIENCE_S;
	if (status == STATUS_DONE)
		status = take_silent(x, asked, count, &kept);
	x->list.record_count = kept;
	return status;
}

int migrate_run_users(struct session *s, const struct line *l)
{
	const char *file = line_arg(l, 0);
	struct import x;
	int status;

	if (file == NULL && !line_has(l, "ask"))
		return session_usage(s, "FILE is missing: a line "
					"USER,moved|legacy for each user; or "
					"--ask");
	begin(&x, s);
	status = file != NULL ? read_users(&x, file) : STATUS_DONE;
	if (status == STATUS_DONE)
		status = records_get(s, &x.a,
				     FED__ADMIN_FEDERATION_GET__KIND__MOVER, "",
				     &x.known);
	if (status == STATUS_DONE && file == NULL)
		status = known_users(&x);
	if (status == STATUS_DONE && line_has(l, "ask"))
		status = ask_sip_side(&x);
	if (status == STATUS_DONE)
		status = apply(&x);
	if (status == STATUS_DONE)
		status = show(&x, "user");
	return finish(&x, status);
}
