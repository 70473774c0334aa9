/* The steps of a migration as they are measured, and its two changes. */
#include "fe-gateway/gateway_admin_migrate.h"

#include <stdlib.h>
#include <string.h>

#include "chan/chan_rules.h"
#include "fe-gateway/core/federation_keep.h"
#include "fe-gateway/core/migrate.h"
#include "fe-gateway/gateway_session_priv.h"
#include "io/admin_show.h"

/* A change under way. */
struct migrate_call {
	struct admin_server *server;
	struct admin_call *call;
	struct arena arena; /* of `changed` */
	bool is_ready;
	Fed__FederationChanged *changed; /* NULL: error */
	struct errbuf error;
};

static enum admin_step no_memory(Fed__AdminResponse *out)
{
	admin_show_no_memory(out);
	return ADMIN_LAST;
}

static enum admin_step refuse(Fed__AdminResponse *out, const char *why)
{
	if (why == NULL)
		return no_memory(out);
	admin_show_error(out, why);
	return ADMIN_LAST;
}

/* --- what is measured ----------------------------------------------------- */

/* The edges with the revisions in force there, as "status" has them. */
static const Fed__FederationStatus *federation_status(struct gateway_session *s,
						      struct arena *a)
{
	Fed__AdminRequest request;
	struct admin_call call = {.request = &request};
	Fed__AdminResponse out;

	fed__admin_request__init(&request);
	request.kind_case = FED__ADMIN_REQUEST__KIND_FEDERATION_STATUS;
	fed__admin_response__init(&out);
	(void)gateway_federation_admin(s->federation, NULL, &call, a, &out);
	return out.federation;
}

static int measure(struct gateway_session *s, struct arena *a,
		   struct migrate_facts *out,
		   const Fed__FederationStatus **status_out)
{
	const Fed__FederationStatus *f = federation_status(s, a);
	const char *hop = s->config->file->sip.next_hop;
	struct migrate_edge *edges;

	*status_out = f;
	/* the answer is for who looks again; what is known is of a while ago */
	sip_hops_ask(s->hops);
	if (f == NULL)
		return FED_ENOMEM;
	edges = arena_alloc(a, (f->n_edge + 1) * sizeof(*edges));
	if (edges == NULL)
		return FED_ENOMEM;
	for (size_t i = 0; i < f->n_edge; i++)
		edges[i] = (struct migrate_edge){
			.name = f->edge[i]->name,
			.is_up = f->edge[i]->is_connected,
			.revision = f->edge[i]->revision,
			.refused = f->edge[i]->refused,
		};
	*out = (struct migrate_facts){
		.next_hop = strcmp(hop, GATEWAY_CONFIG_DNS) == 0 ? NULL : hop,
		.next_hop_health = sip_hops_health(s->hops, false),
		.legacy_health = sip_hops_health(s->hops, true),
		.revision = f->revision,
		.edges = edges,
		.edge_count = f->n_edge,
	};
	return 0;
}

static enum admin_step report(struct gateway_session *s,
			      const Fed__AdminMigrate *m, struct arena *a,
			      Fed__AdminResponse *out)
{
	const struct federation *f = gateway_federation_now(s->federation);
	const Fed__FederationStatus *status;
	struct migrate_facts facts;
	struct errbuf e = {.text = ""};
	int err = measure(s, a, &facts, &status);

	if (err == 0 && m->what == FED__ADMIN_MIGRATE__WHAT__PLAN)
		err = migrate_plan(f, &facts, a, out);
	else if (err == 0)
		err = migrate_verify(f, &facts, m->domain, a, out, &e);
	if (err == FED_ENOTFOUND)
		return refuse(out, arena_dup(a, span_str(e.text)));
	if (err != 0)
		return no_memory(out);
	/* for who goes on to ask the edges */
	out->federation = chan_unconst(status);
	out->domain = s->config->domains;
	out->n_domain = s->config->file->sip.domains_count;
	return ADMIN_LAST;
}

/* --- changes -------------------------------------------------------------- */

static void on_done(const Fed__FederationChanged *changed, const char *error,
		    void *arg)
{
	struct migrate_call *m = arg;

	federation_keep(changed, error, &m->arena, &m->changed, &m->error);
	m->is_ready = true;
	admin_server_ready(m->server, m->call);
}

static int apply(struct gateway_session *s, struct migrate_call *m,
		 Fed__Record *record, uint64_t revision, struct arena *a)
{
	const Fed__AdminMigrate *q = m->call->request->migrate;
	bool to_ours = q->what == FED__ADMIN_MIGRATE__WHAT__ENABLE;
	char author[LIMIT_FEDERATION_AUTHOR_BYTES + 1];
	Fed__AdminFederationApply change;

	fed__admin_federation_apply__init(&change);
	change.base_revision = revision;
	change.put = &record;
	change.n_put = 1;
	change.name = q->name;
	change.what = arena_printf(
		a, "migrate %s %s%s", to_ours ? "enable" : "rollback",
		record->partner->domain, q->force ? " --force" : "");
	if (change.what == NULL)
		return FED_ENOMEM;
	gateway_federation_author(&m->call->user, q->name, author);
	return gateway_federation_change(s->federation, &change, author,
					 on_done, m);
}

static enum admin_step begin_change(struct gateway_session *s,
				    struct migrate_call *m, struct arena *a,
				    Fed__AdminResponse *out)
{
	const Fed__AdminMigrate *q = m->call->request->migrate;
	const Fed__FederationStatus *status;
	struct migrate_facts facts;
	Fed__Record *record = NULL;
	const char *why = NULL;
	int err = measure(s, a, &facts, &status);

	if (err == 0)
		err = migrate_change(
			gateway_federation_now(s->federation), &facts,
			q->domain, q->what == FED__ADMIN_MIGRATE__WHAT__ENABLE,
			q->force, a, &record, &why);
	if (why != NULL)
		return refuse(out, why);
	if (err == 0)
		err = apply(s, m, record, facts.revision, a);
	return err == 0 ? ADMIN_WAIT : no_memory(out);
}

static enum admin_step change(struct gateway_session *s,
			      struct admin_server *server,
			      struct admin_call *call, struct arena *a,
			      Fed__AdminResponse *out)
{
	struct migrate_call *m = call->state;

	if (m == NULL) {
		m = calloc(1, sizeof(*m));
		if (m == NULL)
			return no_memory(out);
		m->server = server;
		m->call = call;
		arena_init(&m->arena, LIMIT_ADMIN_ARENA_BYTES);
		call->state = m;
		return begin_change(s, m, a, out);
	}
	if (!m->is_ready)
		return ADMIN_WAIT;
	if (m->changed == NULL)
		return refuse(out, m->error.text);
	out->changed = m->changed;
	return ADMIN_LAST;
}

/* --- calls ---------------------------------------------------------------- */

enum admin_step gateway_admin_migrate(struct gateway_session *s,
				      struct admin_server *server,
				      struct admin_call *call, struct arena *a,
				      Fed__AdminResponse *out)
{
	const Fed__AdminMigrate *m = call->request->migrate;

	switch (m->what) {
	case FED__ADMIN_MIGRATE__WHAT__PLAN:
	case FED__ADMIN_MIGRATE__WHAT__VERIFY:
		return report(s, m, a, out);
	case FED__ADMIN_MIGRATE__WHAT__ENABLE:
	case FED__ADMIN_MIGRATE__WHAT__ROLLBACK:
		return change(s, server, call, a, out);
	case FED__ADMIN_MIGRATE__WHAT__ASK:
		return gateway_admin_ask(s, server, call, a, out);
	case FED__ADMIN_MIGRATE__WHAT__STATUS:
	case _FED__ADMIN_MIGRATE__WHAT_IS_INT_SIZE:
		break;
	}
	admin_show_error(out, "partners and their history say that");
	return ADMIN_LAST;
}

void gateway_admin_migrate_end(struct gateway_session *s,
			       struct admin_call *call)
{
	struct migrate_call *m = call->state;

	if (call->request->migrate->what == FED__ADMIN_MIGRATE__WHAT__ASK) {
		gateway_admin_ask_end(s, call);
		return;
	}
	if (m == NULL)
		return;
	gateway_federation_forget(s->federation, m);
	arena_deinit(&m->arena);
	free(m);
}
