/* The XMPP end of watch: an edge that answers for all XMPP users. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/daemon.h"
#include "tests/bench/load/flow.h"
#include "tests/bench/load/watch.h"
#include "xmpp/jid.h"
#include "xmpp/stanza_util.h"

enum { KIND_SHIFT = 28, ARENA_MAX = 1 << 16 };

/* --- out ----------------------------------------------------------------- */

static Fed__Show show_of(uint32_t round)
{
	return round % 2 == 0 ? FED__SHOW__AWAY : FED__SHOW__DND;
}

static void fill(struct watch *w, Fed__Stanza *s, struct arena *a,
		 enum watch_stanza what, uint32_t i)
{
	switch (what) {
	case WATCH_SUBSCRIBE:
		s->from = arena_printf(a, "j%u@" LOAD_XMPP_DOMAIN, i);
		s->to = arena_printf(a, "r%u@" LOAD_SIP_DOMAIN, i);
		s->presence->type = FED__PRESENCE_TYPE__SUBSCRIBE;
		break;
	case WATCH_SUBSCRIBED:
		s->from = arena_printf(a, "c%u@" LOAD_XMPP_DOMAIN, i);
		s->to = arena_printf(a, "w%u@" LOAD_SIP_DOMAIN, i);
		s->presence->type = FED__PRESENCE_TYPE__SUBSCRIBED;
		break;
	case WATCH_PRESENCE:
		s->from = arena_printf(a, "c%u@" LOAD_XMPP_DOMAIN "/desk", i);
		s->to = arena_printf(a, "w%u@" LOAD_SIP_DOMAIN, i);
		s->presence->show = show_of(w->round);
		s->presence->priority = 5;
		break;
	}
	s->id = arena_printf(a, "p%u", i);
	if (s->from == NULL || s->to == NULL || s->id == NULL)
		flow_die("out of memory");
}

/* false: no room now */
static bool send_now(struct watch *w, enum watch_stanza what, uint32_t i)
{
	char domain[] = LOAD_XMPP_DOMAIN;
	char local[] = LOAD_SIP_DOMAIN;
	struct chan_delivery d = {.handle = i + 1};
	Fed__Facts facts;
	struct arena a;
	Fed__Stanza *s;
	int err;

	arena_init(&a, ARENA_MAX);
	s = stanza_new_presence(&a);
	if (s == NULL)
		flow_die("out of memory");
	fill(w, s, &a, what, i);
	fed__facts__init(&facts);
	facts.peer_domain = domain;
	facts.local_domain = local;
	facts.mechanism = FED__MECHANISM__EXTERNAL;
	d.facts = &facts;
	d.stanza = s;
	id_source_next_raw(&w->ids, d.id);
	err = chan_link_send_stanza(w->link, &d);
	arena_deinit(&a);
	if (err != 0 && err != FED_EAGAIN)
		flow_die("channel: %s", fed_strerror(err));
	return err == 0;
}

static void send_waiting(struct watch *w)
{
	while (w->waiting_at < w->waiting_count && w->link != NULL &&
	       chan_link_can_send(w->link)) {
		uint32_t word = w->waiting[w->waiting_at];

		if (!send_now(w, (enum watch_stanza)(word >> KIND_SHIFT),
			      word & ((1u << KIND_SHIFT) - 1)))
			return;
		w->waiting_at++;
	}
	if (w->waiting_at == w->waiting_count)
		w->waiting_at = w->waiting_count = 0;
}

void watch_edge_send(struct watch *w, enum watch_stanza what, uint32_t i)
{
	if (w->waiting_count == w->waiting_room) {
		w->waiting_room = w->waiting_room * 2 + 4096;
		w->waiting = realloc(w->waiting,
				     w->waiting_room * sizeof(*w->waiting));
		if (w->waiting == NULL)
			flow_die("out of memory");
	}
	w->waiting[w->waiting_count++] = (uint32_t)what << KIND_SHIFT | i;
	send_waiting(w);
}

bool watch_edge_has_room(const struct watch *w)
{
	return w->waiting_count == 0 && w->link != NULL &&
	       chan_link_can_send(w->link);
}

/* --- in ------------------------------------------------------------------ */

static uint32_t number_of(const char *jid)
{
	return (uint32_t)strtoul(jid + 1, NULL, 10);
}

static void on_presence(struct watch *w, const Fed__Stanza *s)
{
	uint32_t i = number_of(s->to);

	switch (s->presence->type) {
	case FED__PRESENCE_TYPE__AVAILABLE:
		if (w->task == WATCH_OUT || w->task == WATCH_NOTIFY)
			w->done++;
		w->restated++;
		break;
	case FED__PRESENCE_TYPE__SUBSCRIBE:
		watch_edge_send(w, WATCH_SUBSCRIBED, i);
		watch_edge_send(w, WATCH_PRESENCE, i);
		break;
	case FED__PRESENCE_TYPE__PROBE:
		watch_edge_send(w, WATCH_PRESENCE, i);
		break;
	case FED__PRESENCE_TYPE__SUBSCRIBED:
		if (w->task == WATCH_RESTART)
			flow_die("subscribed again: %s", s->to);
		break;
	case FED__PRESENCE_TYPE__UNAVAILABLE:
		break;
	case FED__PRESENCE_TYPE__UNSUBSCRIBE:
	case FED__PRESENCE_TYPE__UNSUBSCRIBED:
	case FED__PRESENCE_TYPE__PRESENCE_ERROR:
	case _FED__PRESENCE_TYPE_IS_INT_SIZE:
		flow_die("not expected: presence %d to %s",
			 (int)s->presence->type, s->to);
	}
}

static void on_link(struct chan_link *l, const struct chan_action *a, void *arg)
{
	struct watch *w = arg;

	switch (a->kind) {
	case CHAN_ACT_UP:
		w->link = l;
		w->restated = w->notified = 0;
		break;
	case CHAN_ACT_STANZA:
		flow_need(chan_link_send_outcome(l, a->u.stanza.ref, NULL),
			  "outcome");
		on_presence(w, a->u.stanza.frame->stanza);
		break;
	case CHAN_ACT_OUTCOME:
		if (a->u.outcome.refused != NULL && w->task != WATCH_RESTART)
			flow_die("a stanza was refused: %d",
				 (int)a->u.outcome.refused->condition);
		break;
	case CHAN_ACT_DOWN:
	case CHAN_ACT_GONE:
		w->link = NULL;
		break;
	case CHAN_ACT_RETURNED:
	case CHAN_ACT_DRAIN:
	case CHAN_ACT_WINDOW:
	case CHAN_ACT_FRAME:
	case CHAN_ACT_CLOSE:
		break;
	}
	send_waiting(w);
	watch_pump(w);
}

void watch_edge_listen(struct watch *w, char **argv)
{
	struct tls_identity id = {argv[2], argv[5], argv[6], NULL};
	struct tls_creds_params tp = {.trust_file = argv[4],
				      .identities = &id,
				      .identity_count = 1,
				      .verify = TLS_VERIFY_REQUIRED};
	struct chan_link_common p = {.loop = w->loop,
				     .instance = argv[2],
				     .ids = &w->ids,
				     .fn = on_link,
				     .arg = w};
	const char *allowed[] = {argv[3]};
	struct errbuf e = {.text = ""};
	struct chan_server *server;

	flow_need(daemon_random(p.boot_id, sizeof(p.boot_id)), "random");
	if (tls_creds_new(&p.creds, &tp, &e) != 0 ||
	    chan_server_new(&server, &p, argv[1], allowed, 1, &e) != 0)
		flow_die("%s", e.text);
}
