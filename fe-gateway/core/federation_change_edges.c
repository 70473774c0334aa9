/* A change of the federation configuration: what edges are asked and told.
 * Edges are not trusted: their words are cut, their numbers are bounded. */
#include "fe-gateway/core/federation_change_priv.h"

#include <inttypes.h>

bool federation_change_is_awaited(const struct federation_change *c)
{
	for (size_t i = 0; i < c->p.edge_count; i++)
		if (c->edges[i].is_awaited)
			return true;
	return false;
}

/* Where it is noted what the edge has to answer. */
static uint64_t *owed(struct federation_edge *e, bool is_check)
{
	return is_check ? &e->owes_check : &e->owes_told;
}

static void send(struct federation_change *c, size_t edge, bool is_check)
{
	struct federation_action *a =
		federation_change_act(c, FEDERATION_ACT_CONFIG);

	a->u.config.edge = edge;
	a->u.config.config = is_check ? *c->next.config : *c->now.config;
	a->u.config.config.revision =
		is_check ? c->next_head.number : c->head.number;
	a->u.config.config.check_only = is_check;
	*owed(&c->edges[edge], is_check) = a->u.config.config.revision;
}

static void ask_all(struct federation_change *c)
{
	for (size_t i = 0; i < c->p.edge_count; i++) {
		c->edges[i].is_awaited = c->edges[i].is_connected;
		if (c->edges[i].is_connected)
			send(c, i, true);
	}
}

/* All are asked again, with a number above all that were heard of. */
static void raise_number(struct federation_change *c)
{
	c->is_raise_due = false;
	c->raises++;
	c->next_head.number = c->highest + 1;
	ask_all(c);
}

/* Nobody is waited for any more? */
static void go_on(struct federation_change *c, uint64_t now_ms)
{
	if (c->state == FEDERATION_CHECKING && c->is_raise_due &&
	    !federation_change_is_awaited(c))
		raise_number(c);
	if (federation_change_is_awaited(c))
		return;
	if (c->state == FEDERATION_CHECKING)
		federation_change_on_checked(c, now_ms);
	else if (c->state == FEDERATION_TELLING)
		federation_change_finish(c);
}

static void warn_away(struct federation_change *c, size_t edge)
{
	federation_change_warn(c,
			       "edge \"%s\" is not connected; it gets the "
			       "change with its next session",
			       c->p.edges[edge]);
}

void federation_change_ask(struct federation_change *c, uint64_t now_ms)
{
	federation_change_set_state(c, FEDERATION_CHECKING,
				    now_ms + LIMIT_FEDERATION_CHECK_MS);
	for (size_t i = 0; i < c->p.edge_count; i++)
		if (!c->edges[i].is_connected)
			warn_away(c, i);
	ask_all(c);
	go_on(c, now_ms);
}

/* One whose session is broken may get it all the same. */
void federation_change_tell(struct federation_change *c, uint64_t now_ms)
{
	federation_change_set_state(c, FEDERATION_TELLING,
				    now_ms + LIMIT_FEDERATION_CHECK_MS);
	for (size_t i = 0; i < c->p.edge_count; i++) {
		c->edges[i].is_awaited = c->edges[i].is_connected;
		send(c, i, false);
	}
	go_on(c, now_ms);
}

/* --- sessions ------------------------------------------------------------- */

void federation_change_on_session(struct federation_change *c, size_t edge,
				  uint64_t now_ms)
{
	struct federation_edge *e = &c->edges[edge];

	(void)now_ms;
	e->is_connected = true;
	e->owes_check = e->owes_told = 0;
	if (c->head.number != 0)
		send(c, edge, false);
	/* what it was asked or told before is lost, and told again; of the
	 * configuration in force it need not be awaited: it has it now */
	if (c->state == FEDERATION_CHECKING) {
		e->is_awaited = true;
		send(c, edge, true);
	}
}

void federation_change_on_resumed(struct federation_change *c, size_t edge)
{
	c->edges[edge].is_connected = true;
}

void federation_change_on_edge_down(struct federation_change *c, size_t edge,
				    uint64_t now_ms)
{
	struct federation_edge *e = &c->edges[edge];

	e->is_connected = false;
	if (!e->is_awaited)
		return;
	e->is_awaited = false;
	warn_away(c, edge);
	go_on(c, now_ms);
}

/* --- answers -------------------------------------------------------------- */

static void take_words(struct federation_edge *e, const char *text)
{
	federation_change_take_text(e->refused, LIMIT_FEDERATION_REFUSED_BYTES,
				    span_str(text));
}

/* What it has.  The next number of ours is above it. */
static void take_number(struct federation_change *c, size_t edge, uint64_t n)
{
	uint64_t most = c->head.number + LIMIT_FEDERATION_AHEAD;

	if (n > most || n > FEDERATION_REVISION_MAX - 1) {
		fed_log(c->p.log, FED_LOG_WARN, "federation_number",
			"edge=%s in_force=%" PRIu64 " ours=%" PRIu64,
			c->p.edges[edge], n, c->head.number);
		return;
	}
	c->edges[edge].in_force = n;
	if (n > c->highest)
		c->highest = n;
}

/* It has a revision of that number or a later one already. */
static bool wants_higher(const struct federation_change *c, size_t edge)
{
	return c->edges[edge].in_force >= c->next_head.number &&
	       c->raises < LIMIT_FEDERATION_RAISES;
}

static void on_check(struct federation_change *c, size_t edge,
		     const Fed__ConfigResult *r, uint64_t now_ms)
{
	struct federation_edge words = {.in_force = 0};

	if (c->state != FEDERATION_CHECKING ||
	    r->revision != c->next_head.number)
		return; /* of one that is over */
	c->edges[edge].is_awaited = false;
	if (r->refused[0] == '\0') {
		go_on(c, now_ms);
		return;
	}
	if (wants_higher(c, edge)) {
		c->is_raise_due = true;
		go_on(c, now_ms);
		return;
	}
	take_words(&words, r->refused);
	federation_change_refuse(c, "edge \"%s\" refuses it: %s",
				 c->p.edges[edge], words.refused);
}

static void on_told(struct federation_change *c, size_t edge,
		    const Fed__ConfigResult *r, uint64_t now_ms)
{
	struct federation_edge *e = &c->edges[edge];

	if (r->revision != c->head.number)
		return;
	take_words(e, r->refused);
	if (e->refused[0] != '\0')
		fed_log(c->p.log, FED_LOG_WARN, "federation_edge_refused",
			"edge=%s revision=%" PRIu64 " in_force=%" PRIu64
			" why=\"%s\"",
			c->p.edges[edge], r->revision, e->in_force,
			log_value(span_str(e->refused)).text);
	else
		fed_log(c->p.log, FED_LOG_INFO, "federation_edge",
			"edge=%s revision=%" PRIu64, c->p.edges[edge],
			r->revision);
	if (c->state != FEDERATION_TELLING || !e->is_awaited)
		return;
	if (e->refused[0] != '\0')
		federation_change_warn(c, "edge \"%s\" did not take it: %s",
				       c->p.edges[edge], e->refused);
	e->is_awaited = false;
	go_on(c, now_ms);
}

/* LIMIT: an edge that repeats itself, or answers what nobody asked: it may not
 * fill the log, nor change what is known of it. */
static void drop_unasked(struct federation_change *c, size_t edge,
			 const Fed__ConfigResult *r, uint64_t now_ms)
{
	c->edges[edge].unasked++;
	if (ratelimit_take(&c->unasked_rate, now_ms))
		fed_log(c->p.log, FED_LOG_INFO, "federation_unasked",
			"edge=%s revision=%" PRIu64 " check=%d count=%" PRIu64,
			c->p.edges[edge], r->revision, r->check_only,
			c->edges[edge].unasked);
}

void federation_change_on_result(struct federation_change *c, size_t edge,
				 const Fed__ConfigResult *result,
				 uint64_t now_ms)
{
	uint64_t *owes = owed(&c->edges[edge], result->check_only != 0);

	/* 0 is no revision */
	if (*owes == 0 || *owes != result->revision) {
		drop_unasked(c, edge, result, now_ms);
		return;
	}
	*owes = 0;
	take_number(c, edge, result->in_force);
	if (result->check_only)
		on_check(c, edge, result, now_ms);
	else
		on_told(c, edge, result, now_ms);
}
