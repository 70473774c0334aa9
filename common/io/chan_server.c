/*
 * The edge's side of dialling: accept, TLS, and the first frame.  A stranger
 * is anonymous until its Hello names an instance that is allowed and that its
 * certificate carries; then its connection goes to that instance's link.
 */
#include "io/chan_link_priv.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/limits.h"

/* A connection before its Hello. */
struct chan_guest {
	struct chan_guest *prev;
	struct chan_guest *next;
	struct chan_server *server;
	struct conn *conn;
	struct buf in;
};

struct chan_server {
	struct chan_link_common common; /* strings and creds are ours */
	char *instance;
	char **allowed;
	size_t allowed_count;
	struct listener *listener;
	struct chan_link *links;
	size_t link_count;
	struct chan_guest *guests;
	size_t guest_count;
};

static const struct logger *log_of(const struct chan_server *s)
{
	return loop_log(s->common.loop);
}

/* ---- guests ------------------------------------------------------------- */

static void guest_free(struct chan_guest *g)
{
	DL_DELETE(g->server->guests, g);
	g->server->guest_count--;
	buf_deinit(&g->in);
	free(g);
}

/* @param instance  what it called itself, "" before it said so */
static void guest_reject(struct chan_guest *g, const char *instance,
			 const char *why)
{
	fed_log(log_of(g->server), FED_LOG_WARN, "chan_guest_refused",
		"address=%s instance=%s text=\"%s\"",
		conn_peer_address(g->conn), log_value(span_str(instance)).text,
		log_value(span_str(why)).text);
	metrics_count(g->server->common.metrics, METRIC_channel_bad_frames);
	conn_close(g->conn);
	guest_free(g);
}

static bool is_allowed(const struct chan_server *s, const char *instance)
{
	for (size_t i = 0; i < s->allowed_count; i++) {
		if (strcmp(s->allowed[i], instance) == 0)
			return true;
	}
	return false;
}

static struct chan_link *find_link(struct chan_server *s, const char *peer)
{
	struct chan_link *l;

	DL_FOREACH (s->links, l) {
		if (strcmp(l->peer, peer) == 0)
			return l;
	}
	return NULL;
}

/* NULL: no memory, or too many */
static struct chan_link *find_or_make_link(struct chan_server *s,
					   const char *peer)
{
	struct chan_link *l = find_link(s, peer);

	if (l != NULL)
		return l;
	if (s->link_count >= LIMIT_CHANNEL_SESSIONS ||
	    chan_link_new(&l, &s->common, CHAN_EDGE, peer) != 0)
		return NULL;
	l->server = s;
	DL_APPEND(s->links, l);
	s->link_count++;
	return l;
}

/* The name the guest gave, proved; NULL: *why_out says what is wrong. */
static const char *proven_instance(const struct chan_guest *g,
				   const Fed__Frame *f, const char **why_out)
{
	const char *name;

	if (f->kind_case != FED__FRAME__KIND_HELLO) {
		*why_out = "the first frame is not Hello";
		return NULL;
	}
	name = f->hello->instance;
	if (!is_allowed(g->server, name)) {
		*why_out = "the instance is not one of ours";
		return NULL;
	}
	if (!conn_peer_has_name(g->conn, name)) {
		*why_out = "the certificate does not carry the instance's name";
		return NULL;
	}
	return name;
}

static void guest_hello(struct chan_guest *g, const Fed__Frame *f)
{
	const char *why = "";
	const char *name = proven_instance(g, f, &why);
	struct chan_link *l;

	if (name == NULL) {
		guest_reject(g,
			     f->kind_case == FED__FRAME__KIND_HELLO
				     ? f->hello->instance
				     : "",
			     why);
		return;
	}
	l = find_or_make_link(g->server, name);
	if (l == NULL) {
		guest_reject(g, name, "no room for another instance");
		return;
	}
	/* the core reads the Hello again, and checks all of it */
	chan_link_adopt(l, g->conn, buf_span(&g->in));
	guest_free(g);
}

static void guest_bytes(struct chan_guest *g, struct span bytes)
{
	struct arena arena;
	Fed__Frame *f;
	size_t n;
	size_t used;
	int err;

	if (buf_put_span(&g->in, bytes) != 0) {
		guest_reject(g, "", "out of memory");
		return;
	}
	n = chan_codec_peek(buf_span(&g->in));
	if (n != SIZE_MAX && n > LIMIT_CHANNEL_HELLO_BYTES) {
		guest_reject(g, "", "the first frame is too long");
		return;
	}
	arena_init(&arena, LIMIT_FRAME_ARENA_BYTES);
	err = chan_codec_take(buf_span(&g->in), &arena, &f, &used);
	if (err == 0)
		guest_hello(g, f);
	else if (err != FED_EAGAIN)
		guest_reject(g, "", "the first bytes are not a frame");
	arena_deinit(&arena);
}

static void on_guest_event(struct conn *c, const struct conn_event *ev,
			   void *arg)
{
	struct chan_guest *g = arg;

	(void)c;
	switch (ev->kind) {
	case CONN_UP:
	case CONN_TLS_UP:
	case CONN_DRAINED:
		return;
	case CONN_DATA:
		guest_bytes(g, ev->data);
		return;
	case CONN_EOF:
		guest_reject(g, "", "closed before Hello");
		return;
	case CONN_TIMEOUT:
		guest_reject(g, "", "no Hello in time");
		return;
	case CONN_ERROR:
		guest_reject(g, "", ev->text);
		return;
	}
}

static void on_accept(struct listener *listener, struct conn *c, void *arg)
{
	struct chan_server *s = arg;
	const struct tls_params tls = {.side = TLS_SERVER,
				       .identity = s->instance};
	struct chan_guest *g = NULL;

	(void)listener;
	if (s->guest_count < LIMIT_CHANNEL_UNAUTH)
		g = calloc(1, sizeof(*g));
	if (g == NULL) {
		conn_close(c);
		return;
	}
	g->server = s;
	g->conn = c;
	/* a whole Hello may come with what the reader brings at once */
	buf_init(&g->in, LIMIT_CHANNEL_HELLO_BYTES + CHAN_PREFIX_BYTES +
				 LIMIT_READ_BYTES);
	DL_APPEND(s->guests, g);
	s->guest_count++;
	conn_set_handler(c, on_guest_event, g);
	conn_set_deadline(c, loop_now_ms(s->common.loop) + LIMIT_TLS_MS +
				     LIMIT_CHANNEL_HELLO_MS);
	if (conn_start_tls(c, s->common.creds, &tls) != 0)
		guest_reject(g, "", "TLS cannot start");
}

/* ---- life --------------------------------------------------------------- */

void chan_server_forget(struct chan_server *s, struct chan_link *l)
{
	DL_DELETE(s->links, l);
	s->link_count--;
}

static int copy_names(struct chan_server *s, const char *const *allowed,
		      size_t count)
{
	s->allowed = calloc(count + 1, sizeof(*s->allowed));
	if (s->allowed == NULL)
		return FED_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		s->allowed[i] = strdup(allowed[i]);
		if (s->allowed[i] == NULL)
			return FED_ENOMEM;
		s->allowed_count++;
	}
	return 0;
}

int chan_server_new(struct chan_server **s_out,
		    const struct chan_link_common *p, const char *addr,
		    const char *const *allowed, size_t allowed_count,
		    struct errbuf *e)
{
	struct chan_server *s;
	int err;

	if (!tls_creds_has(p->creds, p->instance)) {
		errbuf_set(e, "no certificate for the instance \"%s\"",
			   p->instance);
		return FED_ECONFIG;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return FED_ENOMEM;
	s->common = *p;
	s->common.creds = tls_creds_ref(p->creds);
	s->instance = strdup(p->instance);
	s->common.instance = s->instance;
	err = copy_names(s, allowed, allowed_count);
	if (s->instance == NULL)
		err = FED_ENOMEM;
	if (err == 0)
		err = listener_new(&s->listener, p->loop, addr, on_accept, s,
				   e);
	if (err != 0) {
		chan_server_free(s);
		return err;
	}
	*s_out = s;
	return 0;
}

void chan_server_free(struct chan_server *s)
{
	if (s == NULL)
		return;
	listener_close(s->listener);
	while (s->guests != NULL) {
		conn_close(s->guests->conn);
		guest_free(s->guests);
	}
	while (s->links != NULL)
		chan_link_free(s->links);
	for (size_t i = 0; i < s->allowed_count; i++)
		free(s->allowed[i]);
	free(s->allowed);
	free(s->instance);
	tls_creds_unref(s->common.creds);
	free(s);
}
