/* fedctl asks the gateway. */
#include "fe-gateway/gateway_admin.h"

#include <stdlib.h>

#include "fe-gateway/gateway_admin_explain.h"
#include "fe-gateway/gateway_admin_migrate.h"
#include "fe-gateway/gateway_admin_relay.h"
#include "fe-gateway/gateway_admin_test.h"
#include "fe-gateway/gateway_session_priv.h"
#include "io/admin_show.h"

struct gateway_admin {
	struct gateway_admin_params p;
	struct admin_server *server;
	struct gateway_relays *relays;
	struct gateway_tests *tests;
	uint64_t start_ms;
};

static void show_channels(struct gateway_admin *g, struct arena *a,
			  Fed__AdminResponse *out)
{
	const struct gateway_session *s = g->p.session;

	for (size_t i = 0; i < s->edge_count; i++) {
		if (admin_show_channel(a, out, s->edges[i].link,
				       loop_now_ms(g->p.loop)) != 0) {
			admin_show_no_memory(out);
			return;
		}
	}
}

/* Not ours: whom to ask, by name. */
static void say_whose(const struct gateway_admin *g, struct arena *a,
		      Fed__AdminResponse *out)
{
	const struct gateway_session *s = g->p.session;
	const char *text = "XMPP streams and their queues are an edge's:";

	for (size_t i = 0; i < s->edge_count && text != NULL; i++)
		text = arena_printf(a, "%s%s --edge %s", text,
				    i > 0 ? " or" : "", s->edge_names[i]);
	if (text == NULL)
		admin_show_no_memory(out);
	else
		admin_show_error(out, text);
}

static void show(struct gateway_admin *g, const Fed__AdminShow *what,
		 struct arena *a, Fed__AdminResponse *out)
{
	switch (what->what) {
	case FED__ADMIN_SHOW__WHAT__VERSION:
		admin_show_version(a, out, "fe-gateway",
				   g->p.config->file->instance,
				   loop_now_ms(g->p.loop) - g->start_ms);
		break;
	case FED__ADMIN_SHOW__WHAT__CHANNELS:
		show_channels(g, a, out);
		break;
	case FED__ADMIN_SHOW__WHAT__COUNTERS:
		admin_show_counters(a, out, g->p.metrics);
		break;
	case FED__ADMIN_SHOW__WHAT__STREAMS:
	case FED__ADMIN_SHOW__WHAT__QUEUES:
	case _FED__ADMIN_SHOW__WHAT_IS_INT_SIZE:
		say_whose(g, a, out);
		break;
	}
}

static enum admin_step on_more(struct admin_call *call, struct arena *a,
			       Fed__AdminResponse *out, void *arg)
{
	struct gateway_admin *g = arg;
	const Fed__AdminRequest *r = call->request;

	if (r->edge[0] != '\0')
		return gateway_relays_more(g->relays, g->server, call, a, out);
	switch (r->kind_case) {
	case FED__ADMIN_REQUEST__KIND_SHOW:
		show(g, r->show, a, out);
		break;
	case FED__ADMIN_REQUEST__KIND_LOG_LEVEL:
		admin_set_log_level(a, out, g->p.log, r->log_level->level);
		break;
	case FED__ADMIN_REQUEST__KIND_PRESENCE:
		return gateway_admin_presence(g->p.session, call, a, out);
	case FED__ADMIN_REQUEST__KIND_EXPLAIN:
		return gateway_admin_explain(g->p.session, call, a, out);
	case FED__ADMIN_REQUEST__KIND_MAP:
		return gateway_admin_map(g->p.session, call, a, out);
	case FED__ADMIN_REQUEST__KIND_TEST:
		return gateway_tests_more(g->tests, g->server, call, a, out);
	case FED__ADMIN_REQUEST__KIND_WHY:
	case FED__ADMIN_REQUEST__KIND_CHECK:
		admin_show_error(out, "an edge knows that: --edge NAME");
		break;
	case FED__ADMIN_REQUEST__KIND_FEDERATION_GET:
	case FED__ADMIN_REQUEST__KIND_FEDERATION_APPLY:
	case FED__ADMIN_REQUEST__KIND_FEDERATION_HISTORY:
	case FED__ADMIN_REQUEST__KIND_FEDERATION_STATUS:
		return gateway_federation_admin(g->p.session->federation,
						g->server, call, a, out);
	case FED__ADMIN_REQUEST__KIND_MIGRATE:
		return gateway_admin_migrate(g->p.session, g->server, call, a,
					     out);
	case FED__ADMIN_REQUEST__KIND_CLOSE_STREAM:
	case FED__ADMIN_REQUEST__KIND_RELOAD:
	case FED__ADMIN_REQUEST__KIND__NOT_SET:
	case _FED__ADMIN_REQUEST__KIND__CASE_IS_INT_SIZE:
		admin_show_error(out, "the gateway knows no such request");
		break;
	}
	return ADMIN_LAST;
}

static void on_end(struct admin_call *call, void *arg)
{
	struct gateway_admin *g = arg;

	if (call->request->edge[0] != '\0')
		gateway_relays_end(g->relays, call);
	else if (call->request->kind_case == FED__ADMIN_REQUEST__KIND_TEST)
		gateway_tests_end(g->tests, call);
	else if (call->request->kind_case == FED__ADMIN_REQUEST__KIND_PRESENCE)
		gateway_admin_presence_end(g->p.session, call);
	else if (call->request->kind_case == FED__ADMIN_REQUEST__KIND_MIGRATE)
		gateway_admin_migrate_end(g->p.session, call);
	else
		gateway_federation_admin_end(g->p.session->federation, call);
}

void gateway_admin_on_response(struct gateway_admin *g, size_t edge,
			       const Fed__AdminRelay *relay)
{
	gateway_relays_on_response(g->relays, edge, relay);
}

int gateway_admin_new(struct gateway_admin **g_out,
		      const struct gateway_admin_params *p, struct errbuf *e)
{
	struct gateway_admin *g = calloc(1, sizeof(*g));
	const struct admin_handler handler = {on_more, on_end, g,
					      LIMIT_ADMIN_REQUEST_BYTES};
	int err;

	if (g == NULL)
		return FED_ENOMEM;
	g->p = *p;
	g->start_ms = loop_now_ms(p->loop);
	err = gateway_relays_new(&g->relays, p->session);
	if (err == 0)
		err = gateway_tests_new(&g->tests, p->session, p->session->ids);
	if (err == 0)
		err = admin_server_new(&g->server, p->loop,
				       p->config->file->admin.socket, &handler,
				       p->metrics, e);
	if (err != 0) {
		gateway_admin_free(g);
		return err;
	}
	p->session->admin = g;
	p->session->tests = g->tests;
	*g_out = g;
	return 0;
}

void gateway_admin_free(struct gateway_admin *g)
{
	if (g == NULL)
		return;
	g->p.session->admin = NULL;
	g->p.session->tests = NULL;
	admin_server_free(g->server);
	gateway_tests_free(g->tests);
	gateway_relays_free(g->relays);
	free(g);
}
