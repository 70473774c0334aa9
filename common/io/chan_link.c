/*
 * One link: a chan_core on a connection that comes and goes.
 *
 * Connection events and the owner's calls only change state and ask for
 * `work` (drain actions, tell the core of a loss, dial) or `flush` (write).
 * Both run at the end of the turn, so the owner is never called back from
 * inside its own call, and what a turn has to say leaves together.
 */
#include "io/chan_link_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "io/host_config.h"

static void on_conn_event(struct conn *c, const struct conn_event *ev,
			  void *arg);

static uint64_t now_of(const struct chan_link *l)
{
	return loop_now_ms(l->loop);
}

/* ---- life --------------------------------------------------------------- */

static void link_release(struct chan_link *l)
{
	loop_undefer(l->loop, &l->work);
	loop_undefer(l->loop, &l->flush);
	loop_timer_free(l->timer);
	chan_core_free(l->core);
	tls_creds_unref(l->creds);
	free(l->instance);
	free(l->peer);
	free(l);
}

/* Inside fn the action still points into the core. */
static void link_destroy(struct chan_link *l)
{
	if (l->server != NULL)
		chan_server_forget(l->server, l);
	l->server = NULL;
	conn_close(l->conn);
	l->conn = NULL;
	l->is_dead = true;
	if (!l->is_calling)
		link_release(l);
}

static void arm_timer(struct chan_link *l)
{
	uint64_t at = chan_core_deadline_ms(l->core);

	if (l->conn == NULL && l->dial_ms < at)
		at = l->dial_ms;
	/* later deadlines are looked at when the timer fires */
	if (at >= l->armed_ms)
		return;
	l->armed_ms = at;
	loop_timer_arm(l->timer, at);
}

static void on_timer(void *arg)
{
	struct chan_link *l = arg;

	l->armed_ms = UINT64_MAX;
	chan_core_on_timer(l->core, now_of(l));
	loop_defer(l->loop, &l->work);
}

/* ---- writing ------------------------------------------------------------ */

static void write_out(struct chan_link *l)
{
	struct span out;

	while (l->conn != NULL && !conn_is_congested(l->conn)) {
		out = chan_core_output(l->core, now_of(l));
		if (out.n == 0)
			return;
		if (conn_write(l->conn, out) != 0)
			return; /* it is dead: its ERROR follows */
		chan_core_sent(l->core, out.n);
	}
	l->is_congested = l->conn != NULL;
}

/* Outcomes and Bye: nothing comes behind them, so the mark at which a source
 * pauses does not hold them back; the connection's hard limit does. */
static void write_last(struct chan_link *l)
{
	struct span out;

	while (l->conn != NULL) {
		out = chan_core_output(l->core, now_of(l));
		if (out.n == 0 || conn_write(l->conn, out) != 0)
			return;
		chan_core_sent(l->core, out.n);
	}
}

static void on_flush(void *arg)
{
	struct chan_link *l = arg;

	if (!l->is_lost)
		write_out(l);
	arm_timer(l);
}

/* ---- the connection ----------------------------------------------------- */

static void lose_conn(struct chan_link *l)
{
	conn_close(l->conn);
	l->conn = NULL;
	l->is_lost = true;
	l->is_conn_paused = false;
	l->is_congested = false;
	l->is_window_due = false;
	loop_defer(l->loop, &l->work);
}

static void take_bytes(struct chan_link *l, struct span bytes)
{
	if (chan_core_on_bytes(l->core, bytes, now_of(l)) != 0) {
		fed_log(loop_log(l->loop), FED_LOG_ERROR, "chan_input_lost",
			"peer=%s", l->peer);
		lose_conn(l);
		return;
	}
	if (!chan_core_wants_bytes(l->core)) {
		l->is_conn_paused = true;
		conn_pause(l->conn);
	}
	loop_defer(l->loop, &l->work);
}

static void start_tls(struct chan_link *l)
{
	const struct tls_params tls = {
		.side = TLS_CLIENT, .identity = l->instance, .sni = l->peer};
	int err = conn_start_tls(l->conn, l->creds, &tls);

	if (err == 0)
		return;
	fed_log(loop_log(l->loop), FED_LOG_ERROR, "chan_tls_failed",
		"peer=%s error=%s", l->peer, fed_strerror(err));
	lose_conn(l);
}

static void on_tls_up(struct chan_link *l)
{
	if (!conn_peer_has_name(l->conn, l->peer)) {
		fed_log(loop_log(l->loop), FED_LOG_ERROR, "chan_wrong_name",
			"peer=%s address=%s "
			"text=\"its certificate does not carry the name\"",
			l->peer, conn_peer_address(l->conn));
		lose_conn(l);
		return;
	}
	chan_core_on_up(l->core, now_of(l));
	loop_defer(l->loop, &l->work);
}

static void on_trouble(struct chan_link *l, const struct conn_event *ev)
{
	const char *text = ev->text != NULL ? ev->text : "closed by the peer";

	fed_log(loop_log(l->loop), FED_LOG_WARN, "chan_lost",
		"peer=%s address=%s text=%s", l->peer,
		conn_peer_address(l->conn), log_value(span_str(text)).text);
	lose_conn(l);
}

static void on_conn_event(struct conn *c, const struct conn_event *ev,
			  void *arg)
{
	struct chan_link *l = arg;

	(void)c;
	switch (ev->kind) {
	case CONN_UP:
		start_tls(l);
		return;
	case CONN_TLS_UP:
		on_tls_up(l);
		return;
	case CONN_DATA:
		take_bytes(l, ev->data);
		return;
	case CONN_DRAINED:
		if (l->is_congested)
			loop_defer(l->loop, &l->work);
		return;
	case CONN_EOF:
	case CONN_TIMEOUT:
	case CONN_ERROR:
		on_trouble(l, ev);
		return;
	}
}

/* Between half of the back-off and all of it, so that gateways of one edge
 * that restarted do not come back in step. */
static void plan_dial(struct chan_link *l)
{
	uint8_t random[ID_RAW_BYTES];
	uint64_t half = l->backoff_ms / 2;

	id_source_next_raw(l->ids, random);
	l->dial_ms = now_of(l) + half +
		     ((uint64_t)random[0] << 8 | random[1]) % (half + 1);
	l->backoff_ms *= 2;
	if (l->backoff_ms > LIMIT_CHANNEL_RETRY_MAX_MS)
		l->backoff_ms = LIMIT_CHANNEL_RETRY_MAX_MS;
}

static void dial_if_due(struct chan_link *l)
{
	int err;

	if (l->conn != NULL || now_of(l) < l->dial_ms)
		return;
	l->dial_ms = UINT64_MAX;
	err = conn_connect(&l->conn, l->loop, (struct sockaddr *)&l->addr,
			   on_conn_event, l);
	if (err == 0)
		return;
	l->conn = NULL;
	fed_log(loop_log(l->loop), FED_LOG_WARN, "chan_dial_failed",
		"peer=%s error=%s", l->peer, fed_strerror(err));
	plan_dial(l);
}

/* ---- actions ------------------------------------------------------------ */

static void log_tls(const struct chan_link *l)
{
	const struct tls_facts *tls =
		l->conn == NULL ? NULL : conn_tls_facts(l->conn);

	if (tls != NULL)
		fed_log(loop_log(l->loop), FED_LOG_INFO, "chan_tls",
			"peer=%s address=%s tls=%s cipher=%s", l->peer,
			conn_peer_address(l->conn), tls->version, tls->cipher);
}

static void call_owner(struct chan_link *l, const struct chan_action *a)
{
	if (a->kind == CHAN_ACT_UP) {
		l->is_told = true;
		l->backoff_ms = LIMIT_CHANNEL_RETRY_MIN_MS;
		log_tls(l);
	} else if (a->kind == CHAN_ACT_GONE) {
		l->is_told = false;
	}
	l->is_calling = true;
	l->fn(l, a, l->arg);
	l->is_calling = false;
}

/* Until nothing is left, the owner paused, or it freed the link. */
static void drain_actions(struct chan_link *l)
{
	struct chan_action a;

	while (!l->is_dead && !l->is_paused &&
	       chan_core_next_action(l->core, &a, now_of(l))) {
		if (a.kind == CHAN_ACT_CLOSE) {
			write_last(l);
			lose_conn(l);
		} else {
			call_owner(l, &a);
		}
	}
}

static void tell_loss(struct chan_link *l)
{
	l->is_lost = false;
	chan_core_on_down(l->core, now_of(l));
	if (l->server == NULL)
		plan_dial(l);
}

static void tell_window(struct chan_link *l)
{
	struct chan_action a = {.kind = CHAN_ACT_WINDOW};

	if (l->is_congested && l->conn != NULL && !conn_is_congested(l->conn)) {
		l->is_congested = false;
		l->is_window_due = true;
	}
	if (!l->is_window_due || l->is_paused)
		return;
	l->is_window_due = false;
	if (chan_core_can_send(l->core))
		call_owner(l, &a);
}

static void read_again(struct chan_link *l)
{
	if (l->is_conn_paused && chan_core_wants_bytes(l->core)) {
		l->is_conn_paused = false;
		conn_resume(l->conn);
	}
}

static void on_work(void *arg)
{
	struct chan_link *l = arg;

	drain_actions(l);
	while (!l->is_dead && l->is_lost) {
		tell_loss(l);
		drain_actions(l);
	}
	if (!l->is_dead)
		tell_window(l);
	if (l->is_dead) {
		link_release(l);
		return;
	}
	if (l->server != NULL && l->conn == NULL && !l->is_told &&
	    !chan_core_has_session(l->core)) {
		link_destroy(l);
		return;
	}
	if (l->server == NULL)
		dial_if_due(l);
	read_again(l);
	loop_defer(l->loop, &l->flush);
}

/* ---- made, adopted, freed ----------------------------------------------- */

int chan_link_new(struct chan_link **l_out, const struct chan_link_common *p,
		  enum chan_role role, const char *peer)
{
	struct chan_link *l = calloc(1, sizeof(*l));
	struct chan_params params = {
		.role = role,
		.instance = p->instance,
		.peer = peer,
		.ids = p->ids,
		.window = LIMIT_CHANNEL_WINDOW,
		.log = loop_log(p->loop),
		.metrics = p->metrics,
	};

	if (l == NULL)
		return FED_ENOMEM;
	memcpy(params.boot_id, p->boot_id, ID_RAW_BYTES);
	l->loop = p->loop;
	l->creds = tls_creds_ref(p->creds);
	l->ids = p->ids;
	l->fn = p->fn;
	l->arg = p->arg;
	l->work = (struct loop_deferred){.fn = on_work, .arg = l};
	l->flush = (struct loop_deferred){.fn = on_flush, .arg = l};
	l->armed_ms = UINT64_MAX;
	l->dial_ms = UINT64_MAX;
	l->backoff_ms = LIMIT_CHANNEL_RETRY_MIN_MS;
	l->instance = strdup(p->instance);
	l->peer = strdup(peer);
	if (l->instance == NULL || l->peer == NULL ||
	    loop_timer_new(&l->timer, l->loop, on_timer, l) != 0 ||
	    chan_core_new(&l->core, &params, now_of(l)) != 0) {
		link_release(l);
		return FED_ENOMEM;
	}
	*l_out = l;
	return 0;
}

int chan_link_dial(struct chan_link **l_out, const struct chan_link_common *p,
		   const char *peer, const char *addr, struct errbuf *e)
{
	struct sockaddr_storage sa;
	int err;

	if (host_config_sockaddr(addr, &sa) != 0) {
		errbuf_set(e,
			   "\"%s\" is not an address to dial: "
			   "\"address:port\" or \"[v6]:port\" is expected",
			   addr);
		return FED_ECONFIG;
	}
	if (!tls_creds_has(p->creds, p->instance)) {
		errbuf_set(e, "no certificate for the instance \"%s\"",
			   p->instance);
		return FED_ECONFIG;
	}
	err = chan_link_new(l_out, p, CHAN_GATEWAY, peer);
	if (err != 0)
		return err;
	(*l_out)->addr = sa;
	(*l_out)->dial_ms = now_of(*l_out);
	loop_defer(p->loop, &(*l_out)->work);
	return 0;
}

void chan_link_adopt(struct chan_link *l, struct conn *c, struct span bytes)
{
	if (l->conn != NULL)
		fed_log(loop_log(l->loop), FED_LOG_INFO, "chan_replaced",
			"peer=%s old=%s new=%s", l->peer,
			conn_peer_address(l->conn), conn_peer_address(c));
	conn_close(l->conn);
	l->conn = c;
	l->is_lost = false;
	l->is_conn_paused = false;
	l->is_congested = false;
	l->is_window_due = false;
	conn_set_handler(c, on_conn_event, l);
	conn_set_deadline(c, UINT64_MAX); /* the core has its own */
	chan_core_on_up(l->core, now_of(l));
	take_bytes(l, bytes);
}

void chan_link_free(struct chan_link *l)
{
	if (l == NULL || l->is_dead)
		return;
	if (l->conn != NULL) {
		chan_core_abandon(l->core, "stopping", now_of(l));
		write_last(l);
	}
	link_destroy(l);
}

/* ---- the owner's calls -------------------------------------------------- */

void chan_link_pause(struct chan_link *l)
{
	l->is_paused = true;
}

void chan_link_resume(struct chan_link *l)
{
	l->is_paused = false;
	loop_defer(l->loop, &l->work);
}

const char *chan_link_peer(const struct chan_link *l)
{
	return l->peer;
}

const char *chan_link_address(const struct chan_link *l)
{
	return l->conn == NULL ? "" : conn_peer_address(l->conn);
}

bool chan_link_can_send(const struct chan_link *l)
{
	return l->conn != NULL && !l->is_dead && !l->is_congested &&
	       chan_core_can_send(l->core);
}

int chan_link_send_stanza(struct chan_link *l, const struct chan_delivery *d)
{
	if (l->is_congested || l->conn == NULL)
		return FED_EAGAIN;
	loop_defer(l->loop, &l->flush);
	return chan_core_send_stanza(l->core, d, now_of(l));
}

int chan_link_send_outcome(struct chan_link *l, uint64_t ref,
			   const Fed__Error *refused)
{
	/* a bound may close the session: that is an action */
	loop_defer(l->loop, &l->work);
	return chan_core_send_outcome(l->core, ref, refused, now_of(l));
}

int chan_link_send_frame(struct chan_link *l, Fed__Frame *frame)
{
	loop_defer(l->loop, &l->flush);
	return chan_core_send_frame(l->core, frame, now_of(l));
}

void chan_link_drain(struct chan_link *l, const char *reason)
{
	chan_core_drain(l->core, reason, now_of(l));
	loop_defer(l->loop, &l->flush);
}

void chan_link_abandon(struct chan_link *l, const char *reason)
{
	chan_core_abandon(l->core, reason, now_of(l));
	loop_defer(l->loop, &l->work);
}

bool chan_link_is_up(const struct chan_link *l)
{
	return chan_core_is_up(l->core);
}

const struct chan_core *chan_link_core(const struct chan_link *l)
{
	return l->core;
}
