/*
 * An edge without XMPP, to try a gateway by hand: takes its channel, prints
 * each Stanza, and sends messages that are typed.
 *
 *   fake_edge ADDRESS NAME GATEWAY TRUST CERT KEY
 *
 * A body "refuse" is refused with item-not-found, "silence" gets no Outcome,
 * all others are delivered.  Lines on stdin:
 *
 *   FROM TO TYPE BODY...    TYPE: chat, normal, ping, info, subscribe
 *   admin ID HEX            the answer to fedctl's request, as bytes; requests
 *                           are printed as "relay ID HEX"
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/chan_link.h"
#include "io/daemon.h"
#include "relay.h"
#include "xmpp/jid.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

struct edge {
	struct loop *loop;
	struct chan_link *link;
	struct chan_server *server;
	struct id_source ids;
	uint64_t next_handle;
	uv_pipe_t in;
	char line[4096];
	size_t used;
	char chunk[4096];
};

static const char *body_of(const Fed__Stanza *s)
{
	if (s->kind_case != FED__STANZA__KIND_MESSAGE ||
	    s->message->n_body == 0)
		return "";
	return s->message->body[0]->text;
}

static void print_stanza(const Fed__StanzaFrame *f)
{
	const Fed__Stanza *s = f->stanza;
	const Fed__Message *m =
		s->kind_case == FED__STANZA__KIND_MESSAGE ? s->message : NULL;
	char id[2 * ID_RAW_BYTES + 1] = "";

	if (f->delivery_id.len == ID_RAW_BYTES)
		digest_hex(f->delivery_id.data, ID_RAW_BYTES, id);
	printf("STANZA kind=%s from=%s to=%s id=%s lang=%s thread=%s type=%d "
	       "redelivered=%d delivery=%s body=%s\n",
	       stanza_kind_name(s), s->from, s->to, s->id, s->lang,
	       m != NULL ? m->thread : "", m != NULL ? (int)m->type : -1,
	       f->redelivered, id, body_of(s));
}

static void on_stanza(struct edge *e, struct chan_link *l,
		      const struct chan_action *a)
{
	const char *body = body_of(a->u.stanza.frame->stanza);
	struct arena arena;
	Fed__Error *refused = NULL;

	print_stanza(a->u.stanza.frame);
	(void)e;
	if (strcmp(body, "silence") == 0)
		return;
	arena_init(&arena, 4096);
	if (strcmp(body, "refuse") == 0)
		refused = stanza_error_new(
			&arena, FED__CONDITION__ITEM_NOT_FOUND, "nobody");
	if (chan_link_send_outcome(l, a->u.stanza.ref, refused) != 0)
		printf("OUTCOME FAILED\n");
	arena_deinit(&arena);
}

static void on_outcome(const struct chan_action *a)
{
	const Fed__Error *r = a->u.outcome.refused;

	if (r == NULL)
		printf("OUTCOME %" PRIu64 " delivered\n", a->u.outcome.handle);
	else
		printf("OUTCOME %" PRIu64 " refused %s/%s text=%s\n",
		       a->u.outcome.handle, stanza_error_name(r->condition),
		       stanza_error_type_name(r->type),
		       r->n_text > 0 ? r->text[0]->text : "");
}

static void on_link(struct chan_link *l, const struct chan_action *a, void *arg)
{
	struct edge *e = arg;

	switch (a->kind) {
	case CHAN_ACT_UP:
		e->link = l;
		printf("UP %s\n", chan_link_peer(l));
		break;
	case CHAN_ACT_STANZA:
		on_stanza(e, l, a);
		break;
	case CHAN_ACT_OUTCOME:
		on_outcome(a);
		break;
	case CHAN_ACT_RETURNED:
		printf("RETURNED %" PRIu64 "\n", a->u.outcome.handle);
		break;
	case CHAN_ACT_DRAIN:
		printf("DRAIN\n");
		break;
	case CHAN_ACT_DOWN:
		printf("DOWN\n");
		break;
	case CHAN_ACT_GONE:
		printf("GONE\n");
		e->link = NULL;
		break;
	case CHAN_ACT_FRAME:
		if (a->u.frame->kind_case == FED__FRAME__KIND_ADMIN_REQUEST)
			relay_print(a->u.frame->admin_request);
		break;
	case CHAN_ACT_WINDOW:
	case CHAN_ACT_CLOSE:
		break;
	}
	(void)fflush(stdout);
}

static Fed__Stanza *make_stanza(struct arena *a, const char *type,
				const char *body)
{
	Fed__Stanza *s;

	if (strcmp(type, "ping") == 0 || strcmp(type, "info") == 0) {
		static Fed__Ping ping;
		static Fed__DiscoInfo info;

		fed__ping__init(&ping);
		fed__disco_info__init(&info);
		s = stanza_new_iq(a);
		s->iq->type = FED__IQ_TYPE__GET;
		if (strcmp(type, "ping") == 0) {
			s->iq->payload_case = FED__IQ__PAYLOAD_PING;
			s->iq->ping = &ping;
		} else {
			s->iq->payload_case = FED__IQ__PAYLOAD_DISCO_INFO;
			s->iq->disco_info = &info;
		}
		return s;
	}
	if (strcmp(type, "subscribe") == 0) {
		s = stanza_new_presence(a);
		s->presence->type = FED__PRESENCE_TYPE__SUBSCRIBE;
		return s;
	}
	s = stanza_new_message(a);
	if (strcmp(type, "chat") == 0)
		s->message->type = FED__MESSAGE_TYPE__CHAT;
	if (stanza_add_text(a, &s->message->body, &s->message->n_body,
			    SPAN_NULL, span_str(body)) != 0)
		abort();
	return s;
}

static void on_line(struct edge *e, char *line)
{
	char *save = NULL;
	char *from = strtok_r(line, " ", &save);
	char *to = strtok_r(NULL, " ", &save);
	char *type = strtok_r(NULL, " ", &save);
	struct chan_delivery d = {.handle = ++e->next_handle};
	Fed__Facts facts;
	struct arena a;
	Fed__Stanza *s;
	int err = FED_ECLOSED;

	if (type == NULL)
		return;
	arena_init(&a, 1 << 20);
	s = make_stanza(&a, type, save);
	s->from = from;
	s->to = to;
	s->id = arena_printf(&a, "m%" PRIu64, d.handle);
	fed__facts__init(&facts);
	facts.peer_domain = arena_dup(&a, jid_split(span_str(from)).domain);
	facts.local_domain = arena_dup(&a, jid_split(span_str(to)).domain);
	facts.mechanism = FED__MECHANISM__DIALBACK;
	d.facts = &facts;
	d.stanza = s;
	id_source_next_raw(&e->ids, d.id);
	if (e->link != NULL)
		err = chan_link_send_stanza(e->link, &d);
	printf("SENT %" PRIu64 " %s\n", d.handle, fed_strerror(err));
	(void)fflush(stdout);
	arena_deinit(&a);
}

static void on_alloc(uv_handle_t *h, size_t n, uv_buf_t *b)
{
	struct edge *e = h->data;

	(void)n;
	*b = uv_buf_init(e->chunk, sizeof(e->chunk));
}

static void on_read(uv_stream_t *st, ssize_t n, const uv_buf_t *b)
{
	struct edge *e = st->data;

	if (n < 0) {
		uv_close((uv_handle_t *)st, NULL);
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (b->base[i] != '\n') {
			if (e->used + 1 < sizeof(e->line))
				e->line[e->used++] = b->base[i];
			continue;
		}
		e->line[e->used] = '\0';
		e->used = 0;
		if (strncmp(e->line, "admin ", 6) == 0)
			relay_send(e->link, FED__FRAME__KIND_ADMIN_RESPONSE,
				   e->line + 6);
		else
			on_line(e, e->line);
	}
}

static void on_stop(void *arg)
{
	struct edge *e = arg;

	loop_stop(e->loop);
}

static int run(struct edge *e, char **argv, struct logger *log)
{
	struct tls_identity id = {argv[2], argv[5], argv[6], NULL};
	struct tls_creds_params tp = {.trust_file = argv[4],
				      .identities = &id,
				      .identity_count = 1,
				      .verify = TLS_VERIFY_REQUIRED};
	struct chan_link_common p = {
		.instance = argv[2], .ids = &e->ids, .fn = on_link, .arg = e};
	const char *allowed[] = {argv[3]};
	struct daemon_signals *signals = NULL;
	struct errbuf err = {.text = ""};

	if (loop_new(&e->loop, log) != 0 ||
	    daemon_random(e->ids.key, sizeof(e->ids.key)) != 0 ||
	    daemon_random(p.boot_id, sizeof(p.boot_id)) != 0)
		return 1;
	p.loop = e->loop;
	if (tls_creds_new(&p.creds, &tp, &err) != 0 ||
	    chan_server_new(&e->server, &p, argv[1], allowed, 1, &err) != 0 ||
	    daemon_signals_new(&signals, e->loop, on_stop, e) != 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	(void)uv_pipe_init(loop_uv(e->loop), &e->in, 0);
	e->in.data = e;
	if (uv_pipe_open(&e->in, 0) == 0)
		(void)uv_read_start((uv_stream_t *)&e->in, on_alloc, on_read);
	loop_run(e->loop);
	daemon_signals_free(signals);
	chan_server_free(e->server);
	tls_creds_unref(p.creds);
	loop_free(e->loop);
	return 0;
}

int main(int argc, char **argv)
{
	static struct edge e;
	struct logger log;

	if (argc != 7) {
		fprintf(stderr,
			"usage: %s ADDRESS NAME GATEWAY TRUST CERT "
			"KEY\n",
			argv[0]);
		return 2;
	}
	daemon_logger_init(&log, FED_LOG_DEBUG);
	return run(&e, argv, &log);
}
