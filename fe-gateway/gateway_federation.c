/* The federation configuration: its core, the store, the edges. */
#include "fe-gateway/gateway_federation_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "chan/federation_form.h"

static const struct logger *log_of(const struct gateway_federation *g)
{
	return loop_log(g->p.loop);
}

static uint64_t now_ms(const struct gateway_federation *g)
{
	return loop_now_ms(g->p.loop);
}

static void pump(struct gateway_federation *g);

/* --- what is stored ------------------------------------------------------- */

/* A revision on its way into bytes. */
struct packing {
	struct federation_change_row *rows;
	char *room;
	size_t bytes;
};

static size_t packed_bytes(const Fed__Change *c)
{
	size_t n = FEDERATION_KEY_BYTES;

	if (c->before != NULL)
		n += fed__record__get_packed_size(c->before);
	if (c->after != NULL)
		n += fed__record__get_packed_size(c->after);
	return n;
}

static struct span pack(struct packing *p, const Fed__Record *r)
{
	char *at = p->room + p->bytes;
	size_t n;

	if (r == NULL)
		return SPAN_NULL;
	n = fed__record__pack(r, (uint8_t *)at);
	p->bytes += n;
	return span_of(at, n);
}

static void pack_change(struct packing *p, const Fed__Change *c,
			struct federation_change_row *row)
{
	char *key = p->room + p->bytes;
	size_t n = federation_key(c->after != NULL ? c->after : c->before, key);

	p->bytes += n;
	row->key = span_of(key, n);
	row->before = pack(p, c->before);
	row->after = pack(p, c->after);
}

/* @return 0; FED_ELIMIT; FED_ENOMEM; as store_put_revision() */
static int put_revision(struct gateway_federation *g, const Fed__Revision *r)
{
	struct packing p = {.bytes = 0};
	struct federation_revision_row row = {
		.number = r->number,
		.at_ms = r->at_ms,
		.author = span_str(r->author),
		.what = span_str(r->what),
		.change_count = r->n_change,
	};
	size_t room = 1;
	int err = FED_ENOMEM;

	for (size_t i = 0; i < r->n_change; i++)
		room += packed_bytes(r->change[i]);
	p.rows = calloc(r->n_change + 1, sizeof(*p.rows));
	p.room = malloc(room);
	if (p.rows != NULL && p.room != NULL) {
		for (size_t i = 0; i < r->n_change; i++)
			pack_change(&p, r->change[i], &p.rows[i]);
		row.changes = p.rows;
		err = store_put_revision(g->p.store, &row);
	}
	free(p.rows);
	free(p.room);
	return err;
}

/* --- actions -------------------------------------------------------------- */

static void on_read(const struct store_answer *a, void *arg)
{
	struct gateway_federation *g = arg;
	const struct federation_change_row *rows =
		a->count > 0 ? a->revisions[0].changes : NULL;

	g->question = NULL;
	federation_change_on_read(g->core, a->err, rows,
				  a->count > 0 ? a->revisions[0].change_count
					       : 0,
				  a->oldest, now_ms(g));
	pump(g);
}

static void read_back(struct gateway_federation *g, uint64_t revision)
{
	const struct store_ask ask = {.kind = STORE_ASK_BACK,
				      .number = revision};
	int err;

	if (g->question != NULL)
		store_ask_cancel(g->question); /* it took too long */
	g->question = NULL;
	err = store_ask(g->p.store, &ask, on_read, g, &g->question);
	if (err != 0)
		federation_change_on_read(g->core, err, NULL, 0, 0, now_ms(g));
}

static void send_config(struct gateway_federation *g, size_t edge,
			Fed__Config *config)
{
	Fed__Frame frame;
	int err;

	fed__frame__init(&frame);
	frame.kind_case = FED__FRAME__KIND_CONFIG;
	frame.config = config;
	err = g->p.send(edge, &frame, g->p.arg);
	/* without a session: it gets what is in force with the next one */
	if (err != 0 && err != FED_EAGAIN)
		fed_log(log_of(g), FED_LOG_WARN, "federation_unsendable",
			"edge=%s revision=%" PRIu64 " error=%s",
			g->p.edges[edge], config->revision, fed_strerror(err));
}

static void end_waiter(struct gateway_federation *g,
		       struct federation_waiter *w,
		       const Fed__FederationChanged *changed, const char *error)
{
	DL_DELETE(g->waiters, w);
	if (w->done != NULL)
		w->done(changed, error, w->arg);
	free(w);
}

static void say_done(struct gateway_federation *g, uint64_t token,
		     const Fed__FederationChanged *changed, const char *error)
{
	struct federation_waiter *w;

	DL_FOREACH (g->waiters, w)
		if (w->token == token)
			break;
	if (w != NULL)
		end_waiter(g, w, changed, error);
}

static void perform(struct gateway_federation *g, struct federation_action *a)
{
	int err;

	switch (a->kind) {
	case FEDERATION_ACT_READ:
		read_back(g, a->u.read_revision);
		break;
	case FEDERATION_ACT_STORE:
		err = put_revision(g, a->u.store);
		if (err == 0)
			break;
		fed_log(log_of(g), FED_LOG_ERROR, "store_put_failed",
			"revision=%" PRIu64 " waiting=%zu error=%s",
			a->u.store->number, store_pending(g->p.store),
			fed_strerror(err));
		federation_change_on_store_failed(g->core, now_ms(g));
		break;
	case FEDERATION_ACT_IN_FORCE:
		g->p.on_change(federation_change_now(g->core), g->p.arg);
		break;
	case FEDERATION_ACT_CONFIG:
		send_config(g, a->u.config.edge, &a->u.config.config);
		break;
	case FEDERATION_ACT_DONE:
		say_done(g, a->u.done.token, a->u.done.changed,
			 a->u.done.error);
		break;
	}
}

/* What an action causes is drained by the outermost call. */
static void pump(struct gateway_federation *g)
{
	struct federation_action a;

	if (g->is_pumping)
		return;
	g->is_pumping = true;
	while (federation_change_next_action(g->core, &a))
		perform(g, &a);
	g->is_pumping = false;
	loop_timer_arm(g->timer, federation_change_deadline_ms(g->core));
}

/* --- changes -------------------------------------------------------------- */

static void on_work(void *arg)
{
	struct gateway_federation *g = arg;
	struct federation_waiter *w;
	struct federation_waiter *next;

	pump(g);
	DL_FOREACH_SAFE (g->waiters, w, next)
		if (w->is_refused)
			end_waiter(g, w, NULL, w->error.text);
}

int gateway_federation_change(struct gateway_federation *g,
			      const Fed__AdminFederationApply *apply,
			      const char *author,
			      gateway_federation_done_fn done, void *arg)
{
	struct federation_waiter *w = calloc(1, sizeof(*w));
	struct federation_wish wish = {
		.apply = apply,
		.author = span_str(author),
		.wall_ms = loop_wall_ms(),
		.token = g->last_token + 1,
	};
	int err;

	if (w == NULL)
		return FED_ENOMEM;
	w->token = ++g->last_token;
	w->done = done;
	w->arg = arg;
	pump(g); /* of another one in this turn */
	err = federation_change_begin(g->core, &wish, now_ms(g), &w->error);
	w->is_refused = err != 0;
	DL_APPEND(g->waiters, w);
	loop_defer(g->p.loop, &g->work);
	return 0;
}

void gateway_federation_forget(struct gateway_federation *g, const void *arg)
{
	struct federation_waiter *w;

	DL_FOREACH (g->waiters, w)
		if (w->arg == arg)
			w->done = NULL;
}

/* --- events --------------------------------------------------------------- */

static void on_timer(void *arg)
{
	struct gateway_federation *g = arg;

	federation_change_on_timer(g->core, now_ms(g));
	pump(g);
}

void gateway_federation_on_committed(struct gateway_federation *g,
				     uint64_t number)
{
	federation_change_on_committed(g->core, number, now_ms(g));
	pump(g);
}

void gateway_federation_on_session(struct gateway_federation *g, size_t edge)
{
	federation_change_on_session(g->core, edge, now_ms(g));
	pump(g);
}

void gateway_federation_on_resumed(struct gateway_federation *g, size_t edge)
{
	federation_change_on_resumed(g->core, edge);
}

void gateway_federation_on_edge_down(struct gateway_federation *g, size_t edge)
{
	federation_change_on_edge_down(g->core, edge, now_ms(g));
	pump(g);
}

void gateway_federation_on_result(struct gateway_federation *g, size_t edge,
				  const Fed__ConfigResult *result)
{
	federation_change_on_result(g->core, edge, result, now_ms(g));
	pump(g);
}

const struct federation *gateway_federation_now(
	const struct gateway_federation *g)
{
	return federation_change_now(g->core);
}

const struct federation_head *gateway_federation_head(
	const struct gateway_federation *g)
{
	return federation_change_head(g->core);
}

/* --- life ----------------------------------------------------------------- */

/* What the store has, while it is read. */
struct loading {
	struct gateway_federation *g;
	struct federation_revision_row newest;
	char author[LIMIT_FEDERATION_AUTHOR_BYTES];
	char what[LIMIT_FEDERATION_WHAT_BYTES];
};

static struct span keep(char *room, size_t size, struct span s)
{
	size_t n = s.n < size ? s.n : size;

	if (n > 0)
		memcpy(room, s.p, n);
	return span_of(room, n);
}

static int on_revision(const struct federation_revision_row *r, void *arg)
{
	struct loading *l = arg;

	l->newest = *r;
	l->newest.author = keep(l->author, sizeof(l->author), r->author);
	l->newest.what = keep(l->what, sizeof(l->what), r->what);
	return 0;
}

static int on_record(struct span key, struct span record, void *arg)
{
	struct loading *l = arg;
	int err = federation_change_restore(l->g->core, record);

	if (err != 0)
		fed_log(log_of(l->g), FED_LOG_ERROR, "federation_unreadable",
			"key=\"%s\" error=%s", log_value(key).text,
			fed_strerror(err));
	return err;
}

/* Nobody is let in by what is left of a configuration that is damaged. */
static int load(struct gateway_federation *g, struct errbuf *e)
{
	static const struct store_federation_reader reader = {on_revision,
							      on_record};
	struct loading l = {.g = g};
	struct errbuf why = {.text = ""};
	int err = store_load_federation(g->p.store, &reader, &l);

	if (err != 0)
		(void)errbuf_set(&why, "%s", fed_strerror(err));
	else if (l.newest.number != 0)
		err = federation_change_restored(g->core, &l.newest, &why);
	if (err != 0)
		errbuf_set(e,
			   "store.path: the federation configuration cannot "
			   "be read: %s",
			   why.text);
	else
		fed_log(log_of(g), FED_LOG_INFO, "federation_loaded",
			"revision=%" PRIu64 " records=%zu", l.newest.number,
			federation_count(gateway_federation_now(g)));
	return err;
}

int gateway_federation_new(struct gateway_federation **g_out,
			   const struct gateway_federation_params *p,
			   struct errbuf *e)
{
	struct gateway_federation *g = calloc(1, sizeof(*g));
	const struct federation_change_params core = {
		.domains = (const char *const *)p->config->domains,
		.domain_count = p->config->file->sip.domains_count,
		.edges = p->edges,
		.edge_count = p->edge_count,
		.log = loop_log(p->loop),
	};
	int err;

	if (g == NULL)
		return FED_ENOMEM;
	g->p = *p;
	g->work = (struct loop_deferred){.fn = on_work, .arg = g};
	err = loop_timer_new(&g->timer, p->loop, on_timer, g);
	if (err == 0)
		err = federation_change_new(&g->core, &core);
	if (err == 0)
		err = load(g, e);
	if (err != 0) {
		gateway_federation_free(g);
		return err;
	}
	*g_out = g;
	return 0;
}

/* What became of the first configuration. */
struct starting {
	bool is_done;
	struct errbuf why; /* not */
};

static void on_started(const Fed__FederationChanged *changed, const char *error,
		       void *arg)
{
	struct starting *s = arg;

	s->is_done = changed != NULL;
	if (error != NULL)
		errbuf_set(&s->why, "%s", error);
}

int gateway_federation_start(struct gateway_federation *g, struct errbuf *e)
{
	const char *path = g->p.config->file->federation.bootstrap;
	Fed__AdminFederationApply apply;
	struct starting s = {.is_done = false};
	struct arena a;
	int err;

	if (path == NULL || gateway_federation_head(g)->number != 0)
		return 0;
	arena_init(&a, LIMIT_FEDERATION_ARENA_BYTES);
	err = gateway_federation_bootstrap(
		path, (const char *const *)g->p.config->domains,
		g->p.config->file->sip.domains_count, &a, &apply, e);
	if (err == 0)
		err = gateway_federation_change(g, &apply, "bootstrap",
						on_started, &s);
	arena_deinit(&a);
	if (err != 0)
		return err;
	on_work(g); /* to the store */
	err = store_sync(g->p.store, &s.why);
	if (err == 0 && !s.is_done)
		err = FED_ECONFIG;
	if (err != 0)
		errbuf_set(e, "federation.bootstrap: %s", s.why.text);
	return err;
}

void gateway_federation_free(struct gateway_federation *g)
{
	struct federation_waiter *w;

	if (g == NULL)
		return;
	if (g->question != NULL)
		store_ask_cancel(g->question);
	loop_undefer(g->p.loop, &g->work);
	while ((w = g->waiters) != NULL) {
		DL_DELETE(g->waiters, w);
		free(w);
	}
	loop_timer_free(g->timer);
	federation_change_free(g->core);
	free(g);
}
