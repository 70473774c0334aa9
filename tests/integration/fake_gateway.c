/*
 * A gateway without SIP, to test an edge alone: prints every stanza it gets,
 * answers with an outcome, and sends what it is told on stdin.
 *
 *   fake_gateway INSTANCE EDGE ADDR CA CERT KEY
 *
 * A message whose body, or a presence whose status begins with "refuse" is
 * refused with item-not-found, with "hold" gets no outcome; a message with
 * "echo" comes back.  Lines of stdin:
 *
 *   FROM TO BODY                     is sent as a message
 *   presence TYPE FROM TO [STATUS]   TYPE is the name in XMPP, or "available"
 *   burst COUNT PER_SECOND FROM TO   presences whose statuses are numbers, in
 *                                    order; the window may slow it down
 *   admin ID HEX                     fedctl's request, as bytes; the answer is
 *                                    printed as "relay ID HEX"
 *   config HEX                       a Config, as bytes; the answer is printed
 *                                    as "config REVISION ..."
 *   quit
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/chan_link.h"
#include "io/daemon.h"
#include "relay.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

struct fake {
	struct loop *loop;
	struct chan_link *link;
	struct id_source ids;
	struct metrics metrics;
	struct logger log;
	uv_poll_t in;
	char line[65536];
	size_t n;
	uint64_t sent;
	struct burst {
		struct loop_timer *timer;
		char from[256];
		char to[256];
		unsigned count;
		unsigned rate;
		unsigned done;
		uint64_t start_ms;
	} burst;
	bool is_quitting;
};

static const char *const presence_types[] = {
	[FED__PRESENCE_TYPE__AVAILABLE] = "available",
	[FED__PRESENCE_TYPE__UNAVAILABLE] = "unavailable",
	[FED__PRESENCE_TYPE__SUBSCRIBE] = "subscribe",
	[FED__PRESENCE_TYPE__SUBSCRIBED] = "subscribed",
	[FED__PRESENCE_TYPE__UNSUBSCRIBE] = "unsubscribe",
	[FED__PRESENCE_TYPE__UNSUBSCRIBED] = "unsubscribed",
	[FED__PRESENCE_TYPE__PROBE] = "probe",
	[FED__PRESENCE_TYPE__PRESENCE_ERROR] = "error",
};

/* First body or status. */
static const char *body_of(const Fed__Stanza *s)
{
	if (s->kind_case == FED__STANZA__KIND_PRESENCE)
		return s->presence->n_status == 0
			       ? ""
			       : s->presence->status[0]->text;
	if (s->kind_case != FED__STANZA__KIND_MESSAGE ||
	    s->message->n_body == 0)
		return "";
	return s->message->body[0]->text;
}

/* "message", "presence/subscribe"... */
static void print_kind(const Fed__Stanza *s)
{
	printf("stanza %s", stanza_kind_name(s));
	if (s->kind_case == FED__STANZA__KIND_PRESENCE)
		printf("/%s", presence_types[s->presence->type]);
}

static int address(struct fake *f, struct arena *a, Fed__Stanza *s,
		   const char *from, const char *to)
{
	if (s == NULL)
		return FED_ENOMEM;
	s->from = arena_dup(a, span_str(from));
	s->to = arena_dup(a, span_str(to));
	s->id = arena_printf(a, "fake%llu", (unsigned long long)f->sent);
	return s->from == NULL || s->to == NULL || s->id == NULL ? FED_ENOMEM
								 : 0;
}

static int send_stanza(struct fake *f, const Fed__Stanza *s)
{
	struct chan_delivery d = {.handle = f->sent, .stanza = s};

	id_source_next_raw(&f->ids, d.id);
	return chan_link_send_stanza(f->link, &d);
}

static void send_message(struct fake *f, const char *from, const char *to,
			 const char *body)
{
	struct arena a;
	Fed__Stanza *s;
	int err;

	f->sent++;
	arena_init(&a, 65536);
	s = stanza_new_message(&a);
	err = address(f, &a, s, from, to);
	if (err == 0) {
		s->message->type = FED__MESSAGE_TYPE__CHAT;
		err = stanza_add_text(&a, &s->message->body,
				      &s->message->n_body, SPAN_NULL,
				      span_str(body));
	}
	if (err == 0)
		err = send_stanza(f, s);
	if (err != 0)
		printf("send-failed %s\n", fed_strerror(err));
	arena_deinit(&a);
}

static int send_presence(struct fake *f, Fed__PresenceType type,
			 const char *from, const char *to, const char *status)
{
	struct arena a;
	Fed__Stanza *s;
	int err;

	f->sent++;
	arena_init(&a, 65536);
	s = stanza_new_presence(&a);
	err = address(f, &a, s, from, to);
	if (err == 0) {
		s->presence->type = type;
		if (type == FED__PRESENCE_TYPE__PRESENCE_ERROR)
			s->presence->error = stanza_error_new(
				&a, FED__CONDITION__FORBIDDEN, NULL);
		if (status != NULL)
			err = stanza_add_text(&a, &s->presence->status,
					      &s->presence->n_status, SPAN_NULL,
					      span_str(status));
	}
	if (err == 0)
		err = send_stanza(f, s);
	if (err != 0)
		f->sent--;
	arena_deinit(&a);
	return err;
}

/* What is due by now, as far as the window allows. */
static void on_burst(void *arg)
{
	struct fake *f = arg;
	struct burst *b = &f->burst;
	uint64_t ms = loop_now_ms(f->loop) - b->start_ms;
	uint64_t due = ms * b->rate / 1000 + 1;
	char status[16];

	while (b->done < b->count && b->done < due) {
		(void)snprintf(status, sizeof(status), "%u", b->done);
		if (send_presence(f, FED__PRESENCE_TYPE__AVAILABLE, b->from,
				  b->to, status) != 0)
			break;
		b->done++;
	}
	if (b->done < b->count)
		loop_timer_arm(b->timer, loop_now_ms(f->loop) + 5);
	else
		printf("burst-sent\n");
	(void)fflush(stdout);
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

	const Fed__ConfigResult *config = f->config_result;

	if (f->kind_case == FED__FRAME__KIND_ADMIN_RESPONSE)
		relay_print(f->admin_response);
	if (f->kind_case == FED__FRAME__KIND_CONFIG_RESULT)
		printf("config %llu check=%d in_force=%llu refused=%s\n",
		       (unsigned long long)config->revision,
		       (int)config->check_only,
		       (unsigned long long)config->in_force, config->refused);
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
		print_kind(frame->stanza);
		printf(" from=%s to=%s peer=%s mechanism=%d tls=%s again=%d "
		       "body=%s\n",
		       frame->stanza->from, frame->stanza->to,
		       frame->facts->peer_domain, (int)frame->facts->mechanism,
		       frame->facts->tls_version, frame->redelivered,
		       body_of(frame->stanza));
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

static void on_presence(struct fake *f, char *rest)
{
	const char *name = strsep(&rest, " ");
	const char *from = rest == NULL ? NULL : strsep(&rest, " ");
	const char *to = rest == NULL ? NULL : strsep(&rest, " ");
	int err = FED_EINVAL;

	for (size_t i = 0; to != NULL && i < FED_ARRAY_LEN(presence_types); i++)
		if (strcmp(name, presence_types[i]) == 0)
			err = send_presence(f, (Fed__PresenceType)i, from, to,
					    rest);
	if (err != 0)
		printf("send-failed %s\n", fed_strerror(err));
}

static void begin_burst(struct fake *f, const char *rest)
{
	struct burst *b = &f->burst;

	if (sscanf(rest, "%u %u %255s %255s", &b->count, &b->rate, b->from,
		   b->to) != 4)
		return;
	b->done = 0;
	b->start_ms = loop_now_ms(f->loop);
	on_burst(f);
}

static void send_config(struct fake *f, const char *hex)
{
	uint8_t bytes[sizeof(f->line) / 2];
	Fed__Frame frame;
	size_t n = 0;
	unsigned byte;

	for (; sscanf(hex, "%2x", &byte) == 1 && n < sizeof(bytes); hex += 2)
		bytes[n++] = (uint8_t)byte;
	fed__frame__init(&frame);
	frame.kind_case = FED__FRAME__KIND_CONFIG;
	frame.config = fed__config__unpack(NULL, n, bytes);
	if (frame.config == NULL || chan_link_send_frame(f->link, &frame) != 0)
		printf("config-failed\n");
	if (frame.config != NULL)
		fed__config__free_unpacked(frame.config, NULL);
}

static void on_line(struct fake *f, char *line)
{
	char *rest = line;
	const char *from = strsep(&rest, " ");
	const char *to;

	if (strcmp(line, "quit") == 0) {
		f->is_quitting = true;
		loop_stop(f->loop);
	} else if (rest != NULL && strcmp(from, "presence") == 0) {
		on_presence(f, rest);
	} else if (rest != NULL && strcmp(from, "burst") == 0) {
		begin_burst(f, rest);
	} else if (rest != NULL && strcmp(from, "admin") == 0) {
		relay_send(f->link, FED__FRAME__KIND_ADMIN_REQUEST, rest);
	} else if (rest != NULL && strcmp(from, "config") == 0) {
		send_config(f, rest);
	} else if (rest != NULL) {
		to = strsep(&rest, " ");
		if (rest != NULL)
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
		err = loop_timer_new(&f->burst.timer, f->loop, on_burst, f);
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
	loop_timer_free(f.burst.timer);
	daemon_signals_free(signals);
	loop_free(f.loop);
	return err == 0 ? 0 : 1;
}
