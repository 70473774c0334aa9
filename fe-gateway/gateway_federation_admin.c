/* fedctl asks about the federation configuration, and changes it. */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chan/chan_rules.h"
#include "chan/federation_form.h"
#include "fe-gateway/core/federation_keep.h"
#include "fe-gateway/core/federation_mask.h"
#include "fe-gateway/gateway_federation_priv.h"
#include "io/admin_show.h"

enum {
	/* of records or changes in one response, and the last one */
	PAGE_BYTES = 64 * 1024,
	/* what each record counts that is looked at: a pattern that none
	 * matches must not hold the loop up */
	LOOK_BYTES = 32,
};

/* State of a call: of its kind, the part that it needs. */
struct federation_call {
	struct gateway_federation *g;
	struct admin_server *server;
	struct admin_call *call;
	struct arena arena; /* of what waits to be told */
	bool is_ready;	    /* the answer that it waits for is there */
	struct errbuf error;
	/* GET */
	struct federation_walk
		walk;	   /* behind what was looked at; 0, 0: begin */
	uint64_t revision; /* that it walks */
	/* APPLY */
	Fed__FederationChanged *changed;
	Fed__FederationChanged part; /* of it, in one response */
	size_t warned;		     /* warnings and changes that were told */
	size_t told;
	/* HISTORY */
	struct store_question *question;
	struct store_ask next;
	bool is_more;
	Fed__Revision **page;
	size_t page_count;
};

static struct federation_call *state_of(struct admin_call *call)
{
	return call->state;
}

static void ready(struct federation_call *s)
{
	s->is_ready = true;
	admin_server_ready(s->server, s->call);
}

/* A literal, or the call's own: no memory is needed to say it. */
static enum admin_step end_with(Fed__AdminResponse *out, const char *error)
{
	admin_show_no_memory(out); /* and nothing else is in it */
	admin_show_error(out, error);
	return ADMIN_LAST;
}

static enum admin_step no_memory(Fed__AdminResponse *out)
{
	admin_show_no_memory(out);
	return ADMIN_LAST;
}

/* --- get ------------------------------------------------------------------ */

/* '*' any bytes, '?' one. */
static bool matches(const char *pattern, const char *text)
{
	const char *star = NULL;
	const char *again = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			again = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star + 1;
			text = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* One of the kind: the name is all behind it, or its last part: "user/sales",
 * "sales". */
static bool is_wanted(const Fed__AdminFederationGet *get, const Fed__Record *r)
{
	char key[FEDERATION_KEY_BYTES];
	const char *name;

	if (get->pattern[0] == '\0')
		return true;
	if (federation_key(r, key) == 0)
		return false;
	name = strchr(key, '/');
	name = name != NULL ? name + 1 : key;
	if (matches(get->pattern, name))
		return true;
	name = r->kind_case == FED__RECORD__KIND_POLICY ? strchr(name, '/')
							: NULL;
	return name != NULL && matches(get->pattern, name + 1);
}

static enum admin_step get(struct federation_call *s, struct arena *a,
			   Fed__AdminResponse *out)
{
	const Fed__AdminFederationGet *what = s->call->request->federation_get;
	const struct federation *f = gateway_federation_now(s->g);
	const Fed__Record *r = NULL;
	Fed__Record *shown;
	size_t bytes = 0;

	out->revision = gateway_federation_head(s->g)->number;
	if (s->walk.end == 0) {
		s->walk = federation_walk(f, (Fed__Record__KindCase)what->kind);
		s->revision = out->revision;
	}
	if (out->revision != s->revision)
		return end_with(out, "the configuration has changed meanwhile; "
				     "ask again");
	while (bytes < PAGE_BYTES &&
	       (r = federation_walk_next(f, &s->walk)) != NULL) {
		bytes += LOOK_BYTES;
		if (!is_wanted(what, r))
			continue;
		shown = what->secrets ? chan_unconst(r) : federation_mask(r, a);
		if (shown == NULL || arena_append(a, (void ***)&out->record,
						  &out->n_record, shown) != 0)
			return no_memory(out);
		bytes += fed__record__get_packed_size(r);
	}
	return r != NULL ? ADMIN_MORE : ADMIN_LAST;
}

/* --- apply ---------------------------------------------------------------- */

/* In /etc/passwd, and nowhere else: a directory that is asked over the network
 * would hold up all messages.  LIMIT: a file with very many users.
 *
 * @return NULL: he is not there */
static const char *known_name(uint32_t uid, struct passwd *entry, char *room,
			      size_t size)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *found = NULL;
	const char *name = NULL;

	if (f == NULL)
		return NULL;
	for (unsigned i = 0; i < LIMIT_PASSWD_LINES && name == NULL; i++) {
		if (fgetpwent_r(f, entry, room, size, &found) != 0)
			break;
		if (found->pw_uid == uid)
			name = found->pw_name;
	}
	(void)fclose(f);
	return name;
}

void gateway_federation_author(const struct conn_user *user, const char *name,
			       char out[LIMIT_FEDERATION_AUTHOR_BYTES + 1])
{
	struct passwd entry = {.pw_name = NULL};
	char room[2048];

	federation_change_author(
		out, user->uid, name,
		known_name(user->uid, &entry, room, sizeof(room)));
}

static void on_done(const Fed__FederationChanged *changed, const char *error,
		    void *arg)
{
	struct federation_call *s = arg;

	federation_keep(changed, error, &s->arena, &s->changed, &s->error);
	ready(s);
}

static enum admin_step begin_apply(struct federation_call *s,
				   Fed__AdminResponse *out)
{
	const Fed__AdminFederationApply *apply =
		s->call->request->federation_apply;
	char author[LIMIT_FEDERATION_AUTHOR_BYTES + 1];

	gateway_federation_author(&s->call->user, apply->name, author);
	if (gateway_federation_change(s->g, apply, author, on_done, s) != 0)
		return no_memory(out);
	return ADMIN_WAIT;
}

/* Warnings, then changes: either may be thousands. */
static enum admin_step tell_changed(struct federation_call *s,
				    Fed__AdminResponse *out)
{
	const Fed__FederationChanged *all = s->changed;
	Fed__FederationChanged *part = &s->part;
	size_t bytes = 0;

	*part = *all;
	part->warning = all->warning + s->warned;
	part->n_warning = 0;
	part->change = all->change + s->told;
	part->n_change = 0;
	while (bytes < PAGE_BYTES && s->warned < all->n_warning) {
		bytes += strlen(all->warning[s->warned++]);
		part->n_warning++;
	}
	while (bytes < PAGE_BYTES && s->told < all->n_change) {
		bytes += fed__change__get_packed_size(all->change[s->told++]);
		part->n_change++;
	}
	out->changed = part;
	return s->warned < all->n_warning || s->told < all->n_change
		       ? ADMIN_MORE
		       : ADMIN_LAST;
}

static enum admin_step apply(struct federation_call *s, Fed__AdminResponse *out)
{
	if (!s->is_ready)
		return ADMIN_WAIT;
	if (s->changed == NULL)
		return end_with(out, s->error.text);
	return tell_changed(s, out);
}

/* --- history -------------------------------------------------------------- */

/* @param out  NULL: there was none */
static int unpack(struct arena *a, struct span bytes, Fed__Record **out)
{
	Fed__Record *r;
	int err;

	*out = NULL;
	if (bytes.n == 0)
		return 0;
	err = federation_change_unpack(a, bytes, &r);
	if (err != 0)
		return err;
	*out = federation_mask(r, a);
	return *out != NULL ? 0 : FED_ENOMEM;
}

static int add_change(struct arena *a, const struct federation_change_row *row,
		      Fed__Revision *r)
{
	Fed__Change *c = arena_alloc(a, sizeof(*c));
	int err;

	if (c == NULL)
		return FED_ENOMEM;
	fed__change__init(c);
	err = unpack(a, row->before, &c->before);
	if (err == 0)
		err = unpack(a, row->after, &c->after);
	if (err == 0 && c->before == NULL && c->after == NULL)
		err = FED_EINVAL;
	return err != 0
		       ? err
		       : arena_append(a, (void ***)&r->change, &r->n_change, c);
}

/* @return NULL: out of memory */
static char *text_of(struct arena *a, struct span stored)
{
	char *text = arena_dup(a, stored);

	if (text != NULL)
		span_make_utf8(text);
	return text;
}

/* @return 0; FED_EINVAL its row is damaged; FED_ENOMEM */
static int add_revision(struct federation_call *s,
			const struct federation_revision_row *row)
{
	struct arena *a = &s->arena;
	Fed__Revision *r = arena_alloc(a, sizeof(*r));
	int err = 0;

	if (r == NULL)
		return FED_ENOMEM;
	fed__revision__init(r);
	r->number = row->number;
	r->at_ms = row->at_ms;
	r->author = text_of(a, row->author);
	r->what = text_of(a, row->what);
	if (r->author == NULL || r->what == NULL)
		return FED_ENOMEM;
	for (size_t i = 0; i < row->change_count && err == 0; i++)
		err = add_change(a, &row->changes[i], r);
	return err != 0
		       ? err
		       : arena_append(a, (void ***)&s->page, &s->page_count, r);
}

static void on_page(const struct store_answer *answer, void *arg)
{
	struct federation_call *s = arg;
	int err = answer->err;

	s->question = NULL;
	s->is_more = answer->is_more;
	s->next = answer->next;
	if (answer->err != 0)
		errbuf_set(&s->error, "the history cannot be read: %s",
			   fed_strerror(answer->err));
	arena_reset(&s->arena);
	s->page = NULL;
	s->page_count = 0;
	for (size_t i = 0; i < answer->count && err == 0; i++) {
		err = add_revision(s, &answer->revisions[i]);
		if (err != 0)
			errbuf_set(&s->error,
				   "revision %" PRIu64
				   " cannot be read from the store: %s",
				   answer->revisions[i].number,
				   err == FED_ENOMEM ? "out of memory"
						     : "it is damaged");
	}
	ready(s);
}

static enum admin_step ask_history(struct federation_call *s,
				   const struct store_ask *ask,
				   Fed__AdminResponse *out)
{
	s->is_ready = false;
	if (store_ask(s->g->p.store, ask, on_page, s, &s->question) != 0)
		return no_memory(out);
	return ADMIN_WAIT;
}

static enum admin_step begin_history(struct federation_call *s,
				     Fed__AdminResponse *out)
{
	const Fed__AdminFederationHistory *h =
		s->call->request->federation_history;
	const struct store_ask ask = {
		.kind = STORE_ASK_HISTORY,
		.number = h->before == 0 || h->before > FEDERATION_REVISION_MAX
				  ? FEDERATION_REVISION_MAX
				  : h->before - 1,
		.count = h->count != 0 ? h->count : SIZE_MAX,
	};

	return ask_history(s, &ask, out);
}

static enum admin_step history(struct federation_call *s,
			       Fed__AdminResponse *out)
{
	const struct store_ask next = s->next;

	if (!s->is_ready)
		return ADMIN_WAIT;
	if (s->error.text[0] != '\0')
		return end_with(out, s->error.text);
	if (s->page == NULL && s->is_more)
		return ask_history(s, &next, out);
	out->history = s->page;
	out->n_history = s->page_count;
	s->page = NULL; /* told; it lives until the next one comes */
	return s->is_more ? ADMIN_MORE : ADMIN_LAST;
}

/* --- status --------------------------------------------------------------- */

static int add_edge(const struct gateway_federation *g, size_t i,
		    struct arena *a, Fed__FederationStatus *out)
{
	const struct federation_edge *e = federation_change_edge(g->core, i);
	Fed__FederationEdge *edge = arena_alloc(a, sizeof(*edge));

	if (edge == NULL)
		return FED_ENOMEM;
	fed__federation_edge__init(edge);
	edge->name = chan_unconst(g->p.edges[i]);
	edge->is_connected = e->is_connected;
	edge->revision = e->in_force;
	edge->refused = chan_unconst(e->refused);
	return arena_append(a, (void ***)&out->edge, &out->n_edge, edge);
}

static enum admin_step status(struct gateway_federation *g, struct arena *a,
			      Fed__AdminResponse *out)
{
	const struct federation_head *h = gateway_federation_head(g);
	Fed__FederationStatus *s = arena_alloc(a, sizeof(*s));

	if (s == NULL)
		return no_memory(out);
	fed__federation_status__init(s);
	s->revision = h->number;
	s->at_ms = h->at_ms;
	s->author = chan_unconst(h->author);
	s->what = chan_unconst(h->what);
	for (size_t i = 0; i < g->p.edge_count; i++)
		if (add_edge(g, i, a, s) != 0)
			return no_memory(out);
	out->federation = s;
	return ADMIN_LAST;
}

/* --- calls ---------------------------------------------------------------- */

static struct federation_call *begin(struct gateway_federation *g,
				     struct admin_server *server,
				     struct admin_call *call)
{
	struct federation_call *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->g = g;
	s->server = server;
	s->call = call;
	arena_init(&s->arena, LIMIT_FEDERATION_ARENA_BYTES);
	call->state = s;
	return s;
}

enum admin_step gateway_federation_admin(struct gateway_federation *g,
					 struct admin_server *server,
					 struct admin_call *call,
					 struct arena *a,
					 Fed__AdminResponse *out)
{
	Fed__AdminRequest__KindCase kind = call->request->kind_case;
	struct federation_call *s = state_of(call);
	bool is_new = s == NULL;

	if (kind == FED__ADMIN_REQUEST__KIND_FEDERATION_STATUS)
		return status(g, a, out);
	if (is_new)
		s = begin(g, server, call);
	if (s == NULL)
		return no_memory(out);
	if (kind == FED__ADMIN_REQUEST__KIND_FEDERATION_GET)
		return get(s, a, out);
	if (kind == FED__ADMIN_REQUEST__KIND_FEDERATION_APPLY)
		return is_new ? begin_apply(s, out) : apply(s, out);
	return is_new ? begin_history(s, out) : history(s, out);
}

void gateway_federation_admin_end(struct gateway_federation *g,
				  struct admin_call *call)
{
	struct federation_call *s = state_of(call);

	if (s == NULL)
		return;
	gateway_federation_forget(g, s);
	if (s->question != NULL)
		store_ask_cancel(s->question);
	arena_deinit(&s->arena);
	free(s);
}
