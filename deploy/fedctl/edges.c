/* One question, all edges. */
#include "deploy/fedctl/edges.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "deploy/fedctl/ask.h"
#include "deploy/fedctl/text.h"

/* What is to be asked. */
struct edges {
	bool is_gateway;
	char *names[LIMIT_CHANNEL_SESSIONS];
	size_t count;
	bool is_failed; /* out of memory */
};

/* ---- who is there -------------------------------------------------------- */

static void on_version(const Fed__AdminResponse *r, void *arg)
{
	struct edges *e = arg;

	e->is_gateway = r->version != NULL &&
			strcmp(r->version->program, "fe-gateway") == 0;
}

static void on_channels(const Fed__AdminResponse *r, void *arg)
{
	struct edges *e = arg;

	for (size_t i = 0; i < r->n_channel; i++) {
		char *name;

		if (e->count == FED_ARRAY_LEN(e->names))
			return;
		name = strdup(r->channel[i]->peer);
		if (name == NULL)
			e->is_failed = true;
		else
			e->names[e->count++] = name;
	}
}

/* @return as session_ask() */
static int find(struct session *s, struct edges *e)
{
	struct ask a;
	int status;

	ask_init(&a);
	(void)ask_show(&a, FED__ADMIN_SHOW__WHAT__VERSION);
	status = session_ask(s, &a.request, on_version, e);
	if (status != STATUS_DONE || !e->is_gateway)
		return status;
	ask_init(&a);
	(void)ask_show(&a, FED__ADMIN_SHOW__WHAT__CHANNELS);
	status = session_ask(s, &a.request, on_channels, e);
	if (status == STATUS_DONE && e->is_failed)
		return session_fail(s, STATUS_FAILED, "out of memory");
	if (status == STATUS_DONE && e->count == 0)
		return session_fail(s, STATUS_FAILED,
				    "the gateway has no edge "
				    "(channel.edges)");
	return status;
}

/* ---- their answers as one ------------------------------------------------ */

struct merging {
	const struct show *how;
	struct shower shower;
	bool is_begun;
	const char *edge;   /* who answers */
	struct buf verdict; /* all of them */
};

static void show(struct merging *m, const Fed__AdminResponse *r)
{
	if (!m->is_begun && m->how->begin != NULL)
		m->how->begin(&m->shower);
	m->is_begun = true;
	m->how->more(&m->shower, r);
}

/* The finding with its edge in front of its group; NULL: no memory. */
static Fed__Finding *name(struct arena *a, const char *edge,
			  const Fed__Finding *from)
{
	Fed__Finding *f = arena_alloc(a, sizeof(*f));

	if (f == NULL)
		return NULL;
	*f = *from;
	f->group =
		arena_printf(a, "%s%s%s", edge,
			     from->group[0] != '\0' ? ": " : "", from->group);
	return f->group == NULL ? NULL : f;
}

static void on_answer(const Fed__AdminResponse *r, void *arg)
{
	struct merging *m = arg;
	Fed__AdminResponse named = *r;
	struct arena a;

	arena_init(&a, LIMIT_ADMIN_ARENA_BYTES);
	named.verdict = text_lent("");
	named.finding = NULL;
	named.n_finding = 0;
	for (size_t i = 0; i < r->n_finding; i++) {
		Fed__Finding *f = name(&a, m->edge, r->finding[i]);

		if (f == NULL || arena_append(&a, (void ***)&named.finding,
					      &named.n_finding, f) != 0)
			m->shower.is_failed = true;
	}
	if (r->verdict[0] != '\0')
		buf_printf(&m->verdict, "%s%s: %s",
			   buf_len(&m->verdict) > 0 ? "\n" : "", m->edge,
			   r->verdict);
	show(m, &named);
	arena_deinit(&a);
}

/* An edge that does not answer is named, and the others are shown. */
static int ask_all(struct session *s, const struct edges *e,
		   Fed__AdminRequest *r, struct merging *m)
{
	Fed__AdminResponse last;
	int status = STATUS_DONE;
	int one;

	for (size_t i = 0; i < e->count; i++) {
		m->edge = e->names[i];
		r->edge = e->names[i];
		one = session_ask(s, r, on_answer, m);
		if (one == STATUS_AWAY)
			return one;
		if (one != STATUS_DONE)
			status = one;
	}
	if (!m->is_begun)
		return status;
	fed__admin_response__init(&last);
	last.verdict = text_lent(buf_cstr(&m->verdict));
	if (last.verdict == NULL)
		last.verdict = text_lent("");
	show(m, &last);
	if (m->how->end != NULL)
		m->how->end(&m->shower);
	return status;
}

static int show_all(struct session *s, const struct edges *e,
		    Fed__AdminRequest *r, const struct show *how)
{
	struct merging m = {.how = how};
	int status;
	int written;

	shower_init(&m.shower, s->out, line_arg(s->line, 0));
	buf_init(&m.verdict, LIMIT_ADMIN_RESPONSE_BYTES);
	status = ask_all(s, e, r, &m);
	if (m.shower.is_failed)
		status = session_fail(s, STATUS_FAILED, "out of memory");
	written = session_written(s);
	if (status == STATUS_DONE)
		status = written;
	if (status == STATUS_DONE && m.shower.is_bad)
		status = STATUS_FAILED;
	buf_deinit(&m.verdict);
	shower_deinit(&m.shower);
	return status;
}

int edges_show(struct session *s, Fed__AdminRequest *r, const struct show *how)
{
	struct edges e = {.count = 0};
	int status = STATUS_DONE;

	if (line_option(s->line, "edge") == NULL)
		status = find(s, &e);
	if (status == STATUS_DONE && e.count > 1) {
		status = show_all(s, &e, r, how);
	} else if (status == STATUS_DONE) {
		if (e.count == 1)
			r->edge = e.names[0];
		status = session_show(s, r, how);
	}
	while (e.count > 0)
		free(e.names[--e.count]);
	return status;
}
