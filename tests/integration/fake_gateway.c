/*
 * A gateway without SIP, to test an edge alone: prints every stanza it gets,
 * answers with an outcome, and sends what it is told on stdin.
 *
 *   fake_gateway INSTANCE EDGE ADDR CA CERT KEY
 *
 * A message whose body begins with "refuse" is refused with item-not-found,
 * with "hold" gets no outcome, with "echo" comes back.  Lines of stdin:
 * "FROM TO BODY" is sent as a message; "quit" ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/chan_link.h"
#include "io/daemon.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

struct fake {
	struct loop *loop;
	struct chan_link *link;
	struct id_source ids;
	struct metrics metrics;
	struct logger log;
	uv_poll_t in;
	char line[4096];
	size_t n;
	uint64_t sent;
	bool is_quitting;
};

static const char *body_of(const Fed__Stanza *s)
{
	if (s->kind_case != FED__STANZA__KIND_MESSAGE ||
	    s->message->n_body == 0)
		return "";
	return s->message->body[0]->text;
}

static void send_message(struct fake *f, const char *from, const char *to,
			 const char *body)
{
	struct chan_delivery d = {.handle = ++f->sent};
	struct arena a;
	Fed__Stanza *s;
	int err = FED_ENOMEM;

	arena_init(&a, 65536);
	s = stanza_new_message(&a);
	if (s != NULL) {
		s->from = arena_dup(&a, span_str(from));
		s->to = arena_dup(&a, span_str(to));
		s->id = arena_printf(&a, "fake%llu",
				     (unsigned long long)f->sent);
		s->message->type = FED__MESSAGE_TYPE__CHAT;
		err = stanza_add_text(&a, &s->message->body,
				      &s->message->n_body, SPAN_NULL,
				      span_str(body));
	}
	d.stanza = s;
	id_source_next_raw(&f->ids, d.id);
	if (err == 0)
		err = chan_link_send_stanza(f->link, &d);
	if (err != 0)
		printf("send-failed %s\n", fed_strerror(err));
	arena_deinit(&a);
}

static void answer(struct fake *f, const struct chan_action *a)
{
	const Fed__Stanza *s = a->u.stanza.frame->stanza;
	const char *body = body_of(s);
	struct arena arena;
	Fed__Error *refused = NULL;

	if (strncmp(body, "hold", 4) == 0)
		return;
	arena_init(&arena, 4096);
	if (strncmp(body, "refuse", 6) == 0)
		refused = stanza_error_new(
			&arena, FED__CONDITION__ITEM_NOT_FOUND, "no such user");
	if (chan_link_send_outcome(f->link, a->u.stanza.ref, refused) != 0)
		printf("outcome-failed\n");
	arena_deinit(&arena);
	if (strncmp(body, "echo", 4) == 0)
		send_message(f, s->to, s->from, body);
}

static void on_frame(const Fed__Frame *f)
{
	static const char *const what[] = {"opened", "closed", "failed"};
	const Fed__StreamEvent *ev = f->stream_event;

	if (f->kind_case == FED__FRAME__KIND_STREAM_EVENT)
		printf("event %s dir=%s local=%s peer=%s in_order=%d "
		       "reason=%s\n",
		       what[ev->what], ev->inbound ? "in" : "out",
		       ev->local_domain, ev->peer_domain, ev->in_order,
		       ev->reason);
}

static void on_link(struct chan_link *l, const struct chan_action *a, void *arg)
{
	struct fake *f = arg;
	const Fed__StanzaFrame *frame;

	(void)l;
	if (a->kind == CHAN_ACT_STANZA) {
		frame = a->u.stanza.frame;
		printf("stanza %s from=%s to=%s peer=%s mechanism=%d tls=%s "
		       "again=%d body=%s\n",
		       stanza_kind_name(frame->stanza), frame->stanza->from,
		       frame->stanza->to, frame->facts->peer_domain,
		       (int)frame->facts->mechanism, frame->facts->tls_version,
		       frame->redelivered, body_of(frame->stanza));
		answer(f, a);
	} else if (a->kind == CHAN_ACT_OUTCOME) {
		printf("outcome %llu %s\n",
		       (unsigned long long)a->u.outcome.handle,
		       a->u.outcome.refused == NULL
			       ? "delivered"
			       : stanza_error_name(
					 a->u.outcome.refused->condition));
	} else if (a->kind == CHAN_ACT_UP) {
		printf("up\n");
	} else if (a->kind == CHAN_ACT_DRAIN) {
		printf("drain\n");
	} else if (a->kind == CHAN_ACT_RETURNED) {
		printf("returned %llu\n",
		       (unsigned long long)a->u.outcome.handle);
	} else if (a->kind == CHAN_ACT_FRAME) {
		on_frame(a->u.frame);
	} else if (a->kind == CHAN_ACT_DOWN || a->kind == CHAN_ACT_GONE) {
		printf("down\n");
	}
	(void)fflush(stdout);
}

static void on_line(struct fake *f, char *line)
{
	char *rest = line;
	const char *from = strsep(&rest, " ");
	const char *to = rest == NULL ? NULL : strsep(&rest, " ");

	if (strcmp(line, "quit") == 0) {
		f->is_quitting = true;
		loop_stop(f->loop);
	} else if (to != NULL && rest != NULL) {
		send_message(f, from, to, rest);
	}
	(void)fflush(stdout);
}

static void on_input(uv_poll_t *h, int status, int events)
{
	struct fake *f = h->data;
	ssize_t got;
	char *end;

	(void)status;
	(void)events;
	got = read(0, f->line + f->n, sizeof(f->line) - 1 - f->n);
	if (got <= 0) {
		(void)uv_poll_stop(h);
		loop_stop(f->loop);
		return;
	}
	f->n += (size_t)got;
	f->line[f->n] = '\0';
	while (!f->is_quitting && (end = strchr(f->line, '\n')) != NULL) {
		*end = '\0';
		on_line(f, f->line);
		f->n -= (size_t)(end + 1 - f->line);
		memmove(f->line, end + 1, f->n + 1);
	}
}

static void on_stop(void *arg)
{
	loop_stop(arg);
}

static int start(struct fake *f, char **argv, struct daemon_signals **signals)
{
	const struct tls_identity id = {argv[1], argv[5], argv[6], NULL};
	const struct tls_creds_params p = {.trust_file = argv[4],
					   .identities = &id,
					   .identity_count = 1,
					   .verify = TLS_VERIFY_REQUIRED};
	struct chan_link_common c = {.loop = f->loop,
				     .instance = argv[1],
				     .ids = &f->ids,
				     .metrics = &f->metrics,
				     .fn = on_link,
				     .arg = f};
	struct errbuf e = {0};
	int err = tls_creds_new(&c.creds, &p, &e);

	id_source_next_raw(&f->ids, c.boot_id);
	if (err == 0)
		err = chan_link_dial(&f->link, &c, argv[2], argv[3], &e);
	if (err == 0)
		err = daemon_signals_new(signals, f->loop, on_stop, f->loop);
	tls_creds_unref(c.creds);
	if (err != 0)
		(void)fprintf(stderr, "%s\n", e.text);
	return err;
}

int main(int argc, char **argv)
{
	struct fake f = {0};
	struct daemon_signals *signals = NULL;
	int err;

	if (argc != 7)
		return 2;
	daemon_logger_init(&f.log, FED_LOG_DEBUG);
	if (daemon_random(f.ids.key, sizeof(f.ids.key)) != 0 ||
	    loop_new(&f.loop, &f.log) != 0)
		return 1;
	err = start(&f, argv, &signals);
	if (err == 0) {
		(void)uv_poll_init(loop_uv(f.loop), &f.in, 0);
		f.in.data = &f;
		(void)uv_poll_start(&f.in, UV_READABLE, on_input);
		loop_run(f.loop);
		uv_close((uv_handle_t *)&f.in, NULL);
	}
	chan_link_free(f.link);
	daemon_signals_free(signals);
	loop_free(f.loop);
	return err == 0 ? 0 : 1;
}
