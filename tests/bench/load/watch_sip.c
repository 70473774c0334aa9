/* The SIP end of watch: notifier of all r<i>, subscriber for all w<i>. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tests/bench/load/flow.h"
#include "tests/bench/load/watch.h"

enum { INPUT_MAX = 4 << 20, WINDOW = 128, TEXT_BYTES = 2048, RETRY_MS = 50 };

struct sip_link {
	struct watch_sip *s;
	struct conn *conn;
	struct buf input;
};

struct watch_sip {
	struct watch *w;
	const char *listen;
	struct sockaddr_storage gateway;
	struct sip_link out; /* conn NULL: not connected */
	bool is_up;
	uint32_t flying; /* requests of ours without response */
	struct watch_dialog *dialogs;
	size_t dialog_room;
	struct loop_timer *retry;
};

/* --- requests of ours ---------------------------------------------------- */

static void send_text(struct watch_sip *s, const char *text, int n)
{
	if (n <= 0 || n >= TEXT_BYTES)
		flow_die("a request that is too long");
	flow_need(conn_write(s->out.conn, span_of(text, (size_t)n)),
		  "write to the gateway");
	s->flying++;
}

void watch_sip_subscribe(struct watch *w, uint32_t i)
{
	struct watch_sip *s = w->sip;
	char text[TEXT_BYTES];
	int n = snprintf(text, sizeof(text),
			 "SUBSCRIBE sip:c%u@" LOAD_XMPP_DOMAIN " SIP/2.0\r\n"
			 "Via: SIP/2.0/TCP %s;branch=z9hG4bKs%u\r\n"
			 "Max-Forwards: 70\r\n"
			 "From: <sip:w%u@" LOAD_SIP_DOMAIN ">;tag=f%u\r\n"
			 "To: <sip:c%u@" LOAD_XMPP_DOMAIN ">\r\n"
			 "Call-ID: w%u@load\r\nCSeq: 1 SUBSCRIBE\r\n"
			 "Contact: <sip:w@%s;transport=tcp>\r\n"
			 "Event: presence\r\nAccept: application/pidf+xml\r\n"
			 "Expires: 3600\r\nContent-Length: 0\r\n\r\n",
			 i, s->listen, i, i, i, i, i, s->listen);

	send_text(s, text, n);
}

static int print_body(char *out, size_t size, uint32_t i, uint32_t round)
{
	return snprintf(out, size,
			"<?xml version='1.0' encoding='UTF-8'?>"
			"<presence xmlns='urn:ietf:params:xml:ns:pidf' "
			"xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' "
			"xmlns:rpid='urn:ietf:params:xml:ns:pidf:rpid' "
			"entity='pres:r%u@" LOAD_SIP_DOMAIN "'>"
			"<tuple id='phone'><status><basic>open</basic></status>"
			"<contact priority='0.8'>sip:r%u@" LOAD_SIP_DOMAIN
			"</contact>"
			"<note>round %u</note></tuple>"
			"<dm:person id='p'><rpid:activities><rpid:%s/>"
			"</rpid:activities></dm:person></presence>",
			i, i, round, round % 2 == 0 ? "away" : "busy");
}

void watch_sip_notify(struct watch *w, uint32_t i)
{
	struct watch_sip *s = w->sip;
	struct watch_dialog *d = &s->dialogs[i];
	char body[1024], text[TEXT_BYTES];
	int body_n = print_body(body, sizeof(body), i, w->round);
	int n = snprintf(text, sizeof(text),
			 "NOTIFY %s SIP/2.0\r\n"
			 "Via: SIP/2.0/TCP %s;branch=z9hG4bKn%u-%u\r\n"
			 "Max-Forwards: 70\r\n"
			 "From: <sip:r%u@" LOAD_SIP_DOMAIN ">;tag=t%u\r\n"
			 "To: %s\r\nCall-ID: %s\r\nCSeq: %u NOTIFY\r\n"
			 "Contact: <sip:r@%s;transport=tcp>\r\n"
			 "Event: presence\r\n"
			 "Subscription-State: active;expires=3600\r\n"
			 "Content-Type: application/pidf+xml\r\n"
			 "Content-Length: %d\r\n\r\n%s",
			 d->contact, s->listen, i, d->cseq + 1, i, i, d->from,
			 d->call_id, d->cseq + 1, s->listen, body_n, body);

	d->cseq++;
	send_text(s, text, n);
}

bool watch_sip_has_room(const struct watch *w)
{
	return w->sip->is_up && w->sip->flying < WINDOW;
}

static void on_response(struct watch_sip *s, const struct sip_scan *m)
{
	if (span_starts(m->head, SPAN_LIT("SIP/2.0 1")))
		return;
	/* what the gateway did not answer before it was killed is forgotten */
	if (!span_starts(m->head, SPAN_LIT("SIP/2.0 2")) &&
	    s->w->task != WATCH_RESTART)
		flow_die("refused: %.*s", (int)m->head.n, m->head.p);
	if (s->flying > 0)
		s->flying--;
}

/* --- requests of the gateway --------------------------------------------- */

static uint32_t number_behind(struct span value, const char *mark)
{
	const char *p = memmem(value.p, value.n, mark, strlen(mark));

	if (p == NULL)
		flow_die("no \"%s\" in %.*s", mark, (int)value.n, value.p);
	return (uint32_t)strtoul(p + strlen(mark), NULL, 10);
}

static void keep(char **text, struct span value)
{
	free(*text);
	*text = span_dup(value);
	if (*text == NULL)
		flow_die("out of memory");
}

static struct span uri_in(struct span value)
{
	size_t from = span_find(value, '<', 0);
	size_t to = span_find(value, '>', 0);

	if (from == SIZE_MAX || to == SIZE_MAX)
		flow_die("no URI in %.*s", (int)value.n, value.p);
	return span_sub(value, from + 1, to);
}

static struct watch_dialog *dialog_of(struct watch_sip *s, uint32_t i)
{
	if (i >= s->dialog_room) {
		size_t room = (i + 1) * 2;

		s->dialogs = realloc(s->dialogs, room * sizeof(*s->dialogs));
		if (s->dialogs == NULL)
			flow_die("out of memory");
		memset(s->dialogs + s->dialog_room, 0,
		       (room - s->dialog_room) * sizeof(*s->dialogs));
		s->dialog_room = room;
	}
	return &s->dialogs[i];
}

/* 200 with our tag, then the document. */
static void on_subscribe(struct sip_link *l, const struct sip_scan *m)
{
	struct watch_sip *s = l->s;
	uint32_t i = number_behind(sip_scan_field(m, "To"), "<sip:r");
	struct watch_dialog *d = dialog_of(s, i);
	char more[256], tag[16];
	struct buf b;

	keep(&d->call_id, sip_scan_field(m, "Call-ID"));
	keep(&d->from, sip_scan_field(m, "From"));
	keep(&d->contact, uri_in(sip_scan_field(m, "Contact")));
	(void)snprintf(more, sizeof(more),
		       "Expires: 3600\r\n"
		       "Contact: <sip:r@%s;transport=tcp>\r\n",
		       s->listen);
	(void)snprintf(tag, sizeof(tag), "t%u", i);
	buf_init(&b, LIMIT_SIP_BYTES);
	flow_need(sip_scan_answer(m, tag, more, &b), "response");
	flow_need(conn_write(l->conn, buf_span(&b)), "write to the gateway");
	buf_deinit(&b);
	if (s->is_up)
		watch_sip_notify(s->w, i);
}

static void on_notify(struct sip_link *l, const struct sip_scan *m)
{
	struct watch *w = l->s->w;
	struct buf b;

	buf_init(&b, LIMIT_SIP_BYTES);
	flow_need(sip_scan_answer(m, "load", "", &b), "response");
	flow_need(conn_write(l->conn, buf_span(&b)), "write to the gateway");
	buf_deinit(&b);
	if (m->body.n == 0)
		return;
	if (w->task == WATCH_IN || w->task == WATCH_CHANGE)
		w->done++;
	w->notified++;
}

static void on_request(struct sip_link *l, const struct sip_scan *m)
{
	struct buf b;

	if (span_starts(m->head, SPAN_LIT("SUBSCRIBE "))) {
		on_subscribe(l, m);
	} else if (span_starts(m->head, SPAN_LIT("NOTIFY "))) {
		on_notify(l, m);
	} else {
		buf_init(&b, LIMIT_SIP_BYTES);
		flow_need(sip_scan_answer(m, "load", "", &b), "response");
		flow_need(conn_write(l->conn, buf_span(&b)), "write");
		buf_deinit(&b);
	}
}

/* --- connections --------------------------------------------------------- */

static void on_message(const struct sip_scan *m, void *arg)
{
	struct sip_link *l = arg;

	if (span_starts(m->head, SPAN_LIT("SIP/2.0 ")))
		on_response(l->s, m);
	else
		on_request(l, m);
}

static void connect_soon(struct watch_sip *s)
{
	s->is_up = false;
	s->flying = 0;
	s->out.conn = NULL;
	buf_reset(&s->out.input);
	loop_timer_arm(s->retry, loop_now_ms(s->w->loop) + RETRY_MS);
}

static void on_conn(struct conn *c, const struct conn_event *ev, void *arg)
{
	struct sip_link *l = arg;

	switch (ev->kind) {
	case CONN_DATA:
		flow_need(sip_scan_feed(&l->input, ev->data, on_message, l),
			  "SIP");
		watch_pump(l->s->w);
		break;
	case CONN_EOF:
	case CONN_ERROR:
		conn_close(c);
		if (l == &l->s->out) {
			connect_soon(l->s);
			break;
		}
		buf_deinit(&l->input);
		free(l);
		break;
	case CONN_UP:
		l->s->is_up = true;
		watch_pump(l->s->w);
		break;
	case CONN_TLS_UP:
	case CONN_DRAINED:
	case CONN_TIMEOUT:
		break;
	}
}

static void on_accept(struct listener *listener, struct conn *c, void *arg)
{
	struct sip_link *l = calloc(1, sizeof(*l));

	(void)listener;
	if (l == NULL)
		flow_die("out of memory");
	*l = (struct sip_link){.s = arg, .conn = c};
	buf_init(&l->input, INPUT_MAX);
	conn_set_handler(c, on_conn, l);
}

static void dial(void *arg)
{
	struct watch_sip *s = arg;

	if (conn_connect(&s->out.conn, s->w->loop,
			 (const struct sockaddr *)&s->gateway, on_conn,
			 &s->out) != 0)
		connect_soon(s);
}

void watch_sip_listen(struct watch *w, const char *listen, const char *gateway)
{
	static struct watch_sip s;
	struct listener *listener;
	struct errbuf e;

	s.w = w;
	s.listen = listen;
	s.out.s = &s;
	w->sip = &s;
	buf_init(&s.out.input, INPUT_MAX);
	load_address(gateway, &s.gateway);
	flow_need(loop_timer_new(&s.retry, w->loop, dial, &s), "timer");
	if (listener_new(&listener, w->loop, listen, on_accept, &s, &e) != 0)
		flow_die("%s", e.text);
	dial(&s);
}
