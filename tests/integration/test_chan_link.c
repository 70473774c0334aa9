/*
 * The channel on loopback: an edge's server and gateways' links in one loop,
 * with a private CA made by openssl in a temporary folder.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "io/chan_link_priv.h"
#include "io/conn_priv.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

/* What one owner saw. */
struct owner {
	struct chan_link *link;
	struct buf log;
	bool is_answering; /* every Stanza is answered at once */
	bool is_pausing;   /* at the first Stanza */
	unsigned stanzas;
	unsigned outcomes;
	unsigned windows;
};

struct rig {
	char dir[64];
	char addr[32];
	struct loop *loop;
	struct id_source ids;
	struct metrics metrics;
	struct arena arena;
	struct tls_creds *creds_edge, *creds_gw, *creds_gw2, *creds_alien;
	struct owner edge, gw;
	struct chan_server *server;
};

static void shell(const char *cmd)
{
	assert_int_equal(system(cmd), 0);
}

static void make_ca(const char *dir, const char *name)
{
	char cmd[1024];

	(void)snprintf(cmd, sizeof(cmd),
		       "cd %s && openssl req -x509 -newkey ec -pkeyopt "
		       "ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=ca "
		       "-keyout %s.key -out %s.crt 2>/dev/null",
		       dir, name, name);
	shell(cmd);
}

/* Signed by the CA of that name; the file is <ca>-<name>. */
static void make_cert(const char *dir, const char *ca, const char *name)
{
	char cmd[1024];

	(void)snprintf(cmd, sizeof(cmd),
		       "cd %s && printf 'subjectAltName=DNS:%s\\n' > ext && "
		       "openssl req -newkey ec -pkeyopt "
		       "ec_paramgen_curve:P-256 -nodes -subj /CN=%s "
		       "-keyout %s-%s.key -out csr 2>/dev/null && "
		       "openssl x509 -req -in csr -CA %s.crt -CAkey %s.key "
		       "-CAcreateserial -days 30 -extfile ext -out %s-%s.crt "
		       "2>/dev/null",
		       dir, name, name, ca, name, ca, ca, ca, name);
	shell(cmd);
}

/* Shown for the instance `as`. */
static struct tls_creds *load(const char *dir, const char *ca, const char *name,
			      const char *as)
{
	char cert[128], key[128], trust[128];
	struct tls_identity id = {as, cert, key, NULL};
	struct tls_creds_params p = {.trust_file = trust,
				     .identities = &id,
				     .identity_count = 1,
				     .verify = TLS_VERIFY_REQUIRED};
	struct tls_creds *creds = NULL;
	struct errbuf e = {""};

	(void)snprintf(cert, sizeof(cert), "%s/%s-%s.crt", dir, ca, name);
	(void)snprintf(key, sizeof(key), "%s/%s-%s.key", dir, ca, name);
	(void)snprintf(trust, sizeof(trust), "%s/ca.crt", dir);
	if (tls_creds_new(&creds, &p, &e) != 0)
		fail_msg("%s", e.text);
	return creds;
}

static void free_port(char *out, size_t n)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	close(fd);
	(void)snprintf(out, n, "127.0.0.1:%u", ntohs(in.sin_port));
}

static void on_action(struct chan_link *l, const struct chan_action *a,
		      void *arg)
{
	struct owner *o = arg;

	o->link = l;
	if (a->kind == CHAN_ACT_UP)
		buf_printf(&o->log, "up %s\n",
			   a->u.up.is_resumed ? "resumed" : "new");
	if (a->kind == CHAN_ACT_DOWN)
		buf_put_str(&o->log, "down\n");
	if (a->kind == CHAN_ACT_RETURNED)
		buf_printf(&o->log, "returned %llu\n",
			   (unsigned long long)a->u.outcome.handle);
	if (a->kind == CHAN_ACT_DRAIN)
		buf_put_str(&o->log, "drain\n");
	if (a->kind == CHAN_ACT_WINDOW)
		o->windows++;
	if (a->kind == CHAN_ACT_OUTCOME)
		o->outcomes++;
	if (a->kind == CHAN_ACT_STANZA) {
		o->stanzas++;
		if (o->is_pausing)
			chan_link_pause(l);
		if (o->is_answering)
			assert_int_equal(chan_link_send_outcome(
						 l, a->u.stanza.ref, NULL),
					 0);
	}
	if (a->kind == CHAN_ACT_GONE) {
		buf_put_str(&o->log, "gone\n");
		o->link = NULL;
	}
}

static struct chan_link_common common_of(struct rig *r, const char *instance,
					 struct tls_creds *creds,
					 struct owner *o, uint8_t boot)
{
	struct chan_link_common c = {
		.loop = r->loop,
		.instance = instance,
		.creds = creds,
		.ids = &r->ids,
		.metrics = &r->metrics,
		.fn = on_action,
		.arg = o,
	};

	memset(c.boot_id, boot, sizeof(c.boot_id));
	return c;
}

static void start_edge(struct rig *r, uint8_t boot)
{
	static const char *const allowed[] = {"gw-1", "gw-3"};
	struct chan_link_common c =
		common_of(r, "edge-1", r->creds_edge, &r->edge, boot);
	struct errbuf e = {""};

	if (chan_server_new(&r->server, &c, r->addr, allowed, 2, &e) != 0)
		fail_msg("%s", e.text);
}

static struct chan_link *start_gw(struct rig *r, const char *instance,
				  struct tls_creds *creds, struct owner *o,
				  const char *peer)
{
	struct chan_link_common c = common_of(r, instance, creds, o, 77);
	struct chan_link *l = NULL;
	struct errbuf e = {""};

	if (chan_link_dial(&l, &c, peer, r->addr, &e) != 0)
		fail_msg("%s", e.text);
	return l;
}

static void on_tick(void *arg)
{
	*(bool *)arg = true;
}

/* Turn the loop for so long, or until the text is what the owner logged. */
static bool run(struct rig *r, uint64_t ms, struct owner *o, const char *until)
{
	struct loop_timer *t;
	bool is_late = false;
	bool is_met = false;

	assert_int_equal(loop_timer_new(&t, r->loop, on_tick, &is_late), 0);
	loop_timer_arm(t, loop_now_ms(r->loop) + ms);
	while (!is_late && !is_met) {
		(void)uv_run(loop_uv(r->loop), UV_RUN_ONCE);
		is_met = o != NULL && span_eq_str(buf_span(&o->log), until);
	}
	loop_timer_free(t);
	return is_met;
}

static void expect(struct rig *r, struct owner *o, const char *lines)
{
	if (!run(r, 5000, o, lines))
		assert_string_equal(buf_cstr(&o->log), lines);
	buf_reset(&o->log);
}

static bool counted(struct rig *r, const unsigned *n, unsigned want)
{
	for (int i = 0; i < 500 && *n < want; i++)
		(void)run(r, 10, NULL, NULL);
	return *n == want;
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	(void)snprintf(r->dir, sizeof(r->dir), "/tmp/test_chan_link.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	make_ca(r->dir, "ca");
	make_ca(r->dir, "other");
	make_cert(r->dir, "ca", "edge-1");
	make_cert(r->dir, "ca", "gw-1");
	make_cert(r->dir, "ca", "gw-2");
	make_cert(r->dir, "other", "gw-1");
	r->creds_edge = load(r->dir, "ca", "edge-1", "edge-1");
	r->creds_gw = load(r->dir, "ca", "gw-1", "gw-1");
	r->creds_gw2 = load(r->dir, "ca", "gw-2", "gw-2");
	r->creds_alien = load(r->dir, "other", "gw-1", "gw-1");
	(void)signal(SIGPIPE, SIG_IGN); /* as daemon_signals_new() does */
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;
	char cmd[128];

	tls_creds_unref(r->creds_edge);
	tls_creds_unref(r->creds_gw);
	tls_creds_unref(r->creds_gw2);
	tls_creds_unref(r->creds_alien);
	(void)snprintf(cmd, sizeof(cmd), "rm -r %s", r->dir);
	shell(cmd);
	free(r);
	return 0;
}

static int each_setup(void **state)
{
	struct rig *r = *state;

	assert_int_equal(loop_new(&r->loop, NULL), 0);
	memset(&r->ids, 3, sizeof(r->ids));
	r->edge = (struct owner){.is_answering = true};
	r->gw = (struct owner){.is_answering = true};
	buf_init(&r->edge.log, 1u << 16);
	buf_init(&r->gw.log, 1u << 16);
	arena_init(&r->arena, 1u << 20);
	free_port(r->addr, sizeof(r->addr));
	return 0;
}

static int each_teardown(void **state)
{
	struct rig *r = *state;

	loop_free(r->loop);
	buf_deinit(&r->edge.log);
	buf_deinit(&r->gw.log);
	arena_deinit(&r->arena);
	return 0;
}

static int send_sized(struct rig *r, struct chan_link *l, bool is_edge,
		      size_t id_bytes)
{
	struct chan_delivery d = {.handle = 5};
	Fed__Stanza *s;
	Fed__Facts f;
	char domain[] = "montague.example";

	arena_reset(&r->arena);
	s = stanza_new_message(&r->arena);
	s->id = arena_alloc(&r->arena, id_bytes + 1);
	assert_non_null(s->id);
	memset(s->id, 'i', id_bytes);
	s->from = arena_dup(&r->arena, SPAN_LIT("romeo@montague.example"));
	s->to = arena_dup(&r->arena, SPAN_LIT("juliet@capulet.example"));
	fed__facts__init(&f);
	f.peer_domain = domain;
	f.local_domain = domain;
	f.mechanism = FED__MECHANISM__DIALBACK;
	d.stanza = s;
	d.facts = is_edge ? &f : NULL;
	return chan_link_send_stanza(l, &d);
}

static int send_one(struct rig *r, struct chan_link *l, bool is_edge)
{
	return send_sized(r, l, is_edge, 0);
}

/* As if the network had failed: both ends see the socket end. */
static void cut(struct chan_link *l)
{
	uv_os_fd_t fd;

	assert_non_null(l->conn);
	assert_int_equal(uv_fileno((uv_handle_t *)&l->conn->tcp, &fd), 0);
	assert_int_equal(shutdown(fd, SHUT_RDWR), 0);
}

/* ---- tests
 * ------------------------------------------------------------------- */

static void both_directions_then_bye(void **state)
{
	struct rig *r = *state;
	struct chan_link *l;

	start_edge(r, 1);
	l = start_gw(r, "gw-1", r->creds_gw, &r->gw, "edge-1");
	assert_false(chan_link_is_up(l));
	expect(r, &r->gw, "up new\n");
	expect(r, &r->edge, "up new\n");
	assert_string_equal(chan_link_peer(r->edge.link), "gw-1");
	for (int i = 0; i < 100; i++) {
		assert_int_equal(send_one(r, l, false), 0);
		assert_int_equal(send_one(r, r->edge.link, true), 0);
	}
	assert_int_equal(r->gw.outcomes, 0); /* nothing from inside a call */
	assert_true(counted(r, &r->gw.outcomes, 100));
	assert_true(counted(r, &r->edge.outcomes, 100));
	chan_link_drain(l, "stop");
	expect(r, &r->edge, "drain\n");
	chan_link_free(l);
	expect(r, &r->edge, "down\ngone\n");
	assert_null(r->edge.link);
	chan_server_free(r->server);
}

static void a_cut_connection_resumes(void **state)
{
	struct rig *r = *state;
	struct chan_link *l;

	start_edge(r, 1);
	l = start_gw(r, "gw-1", r->creds_gw, &r->gw, "edge-1");
	expect(r, &r->gw, "up new\n");
	expect(r, &r->edge, "up new\n");
	cut(l);
	for (int i = 0; i < 10; i++)
		assert_int_equal(send_one(r, l, false), 0);
	expect(r, &r->gw, "down\nup resumed\n");
	expect(r, &r->edge, "down\nup resumed\n");
	assert_true(counted(r, &r->gw.outcomes, 10));
	assert_int_equal(r->edge.stanzas, 10);
	assert_int_equal(r->metrics.value[METRIC_channel_resumes] % 2, 0);
	chan_link_free(l);
	chan_server_free(r->server);
}

/* Bye ends the session; the gateway dials until an edge is there again. */
static void an_edge_that_comes_back(void **state)
{
	struct rig *r = *state;
	struct chan_link *l;

	l = start_gw(r, "gw-1", r->creds_gw, &r->gw, "edge-1");
	(void)run(r, 100, NULL, NULL); /* refused at least once */
	start_edge(r, 1);
	expect(r, &r->gw, "up new\n");
	r->edge.is_answering = false;
	assert_int_equal(send_one(r, l, false), 0);
	assert_true(counted(r, &r->edge.stanzas, 1));
	chan_server_free(r->server);
	expect(r, &r->gw, "down\nreturned 5\ngone\n");
	start_edge(r, 2);
	expect(r, &r->gw, "up new\n");
	chan_link_free(l);
	chan_server_free(r->server);
}

static void who_is_not_let_in(void **state)
{
	struct rig *r = *state;
	struct tls_creds *lying = load(r->dir, "ca", "gw-2", "gw-1");
	struct owner unused = {.link = NULL};
	struct chan_link *l[4];

	buf_init(&unused.log, 1000);
	start_edge(r, 1);
	/* another CA; not in the list; another's name; not the edge meant */
	l[0] = start_gw(r, "gw-1", r->creds_alien, &unused, "edge-1");
	l[1] = start_gw(r, "gw-2", r->creds_gw2, &unused, "edge-1");
	l[2] = start_gw(r, "gw-1", lying, &unused, "edge-1");
	l[3] = start_gw(r, "gw-1", r->creds_gw, &unused, "edge-2");
	(void)run(r, 1500, NULL, NULL);
	assert_string_equal(buf_cstr(&unused.log), "");
	assert_int_equal(buf_len(&r->edge.log), 0);
	assert_true(r->metrics.value[METRIC_channel_bad_frames] >= 3);
	for (int i = 0; i < 4; i++)
		chan_link_free(l[i]);
	chan_server_free(r->server);
	tls_creds_unref(lying);
	buf_deinit(&unused.log);
}

static void a_second_connection_replaces_the_first(void **state)
{
	struct rig *r = *state;
	struct owner second = {.is_answering = true};
	struct chan_link *old;
	struct chan_link *l;

	buf_init(&second.log, 1000);
	start_edge(r, 1);
	old = start_gw(r, "gw-1", r->creds_gw, &r->gw, "edge-1");
	expect(r, &r->gw, "up new\n");
	expect(r, &r->edge, "up new\n");
	l = start_gw(r, "gw-1", r->creds_gw, &second, "edge-1");
	expect(r, &second, "up new\n");
	expect(r, &r->edge, "down\nup new\n");
	/* the old one sees its end, and is not answered by the new one's */
	assert_true(run(r, 5000, &r->gw, "down\n"));
	chan_link_free(old);
	assert_int_equal(send_one(r, l, false), 0);
	assert_true(counted(r, &second.outcomes, 1));
	chan_link_free(l);
	chan_server_free(r->server);
	buf_deinit(&second.log);
}

static void pause_stops_the_sender(void **state)
{
	struct rig *r = *state;
	struct chan_link *l;
	unsigned sent = 0;

	start_edge(r, 1);
	l = start_gw(r, "gw-1", r->creds_gw, &r->gw, "edge-1");
	expect(r, &r->gw, "up new\n");
	r->edge.is_pausing = true;
	for (int i = 0; i < 20; i++) {
		while (chan_link_can_send(l)) {
			assert_int_equal(send_one(r, l, false), 0);
			sent++;
		}
		(void)run(r, 10, NULL, NULL);
	}
	assert_int_equal(r->edge.stanzas, 1);
	assert_int_equal(send_one(r, l, false), FED_EAGAIN);
	assert_true(sent >= LIMIT_CHANNEL_WINDOW);
	r->edge.is_pausing = false;
	chan_link_resume(r->edge.link);
	assert_true(counted(r, &r->gw.outcomes, sent));
	assert_true(r->gw.windows > 0);
	assert_int_equal(r->edge.stanzas, sent);
	chan_link_free(l);
	chan_server_free(r->server);
}

/* Stanzas until the socket takes no more: the edge's owner pauses and the
 * system's buffers are small. */
static void congest(struct rig *r, struct chan_link *l)
{
	int bytes = 16 * 1024;

	assert_int_equal(
		uv_send_buffer_size((uv_handle_t *)&l->conn->tcp, &bytes), 0);
	assert_int_equal(
		uv_recv_buffer_size((uv_handle_t *)&r->edge.link->conn->tcp,
				    &bytes),
		0);
	r->edge.is_pausing = true;
	for (int i = 0; i < 100 && !l->is_congested; i++) {
		assert_int_equal(send_sized(r, l, false, 200 * 1024), 0);
		(void)run(r, 10, NULL, NULL);
	}
	assert_true(l->is_congested);
	r->edge.is_pausing = false;
}

/* Without the Bye the edge would keep the session for a resume. */
static void freed_while_congested_says_bye(void **state)
{
	struct rig *r = *state;
	struct chan_link *l;

	start_edge(r, 1);
	l = start_gw(r, "gw-1", r->creds_gw, &r->gw, "edge-1");
	expect(r, &r->gw, "up new\n");
	expect(r, &r->edge, "up new\n");
	congest(r, l);
	chan_link_free(l);
	chan_link_resume(r->edge.link);
	expect(r, &r->edge, "down\ngone\n");
	chan_server_free(r->server);
}

static void window_after_congestion_while_paused(void **state)
{
	struct rig *r = *state;
	struct chan_link *l;

	start_edge(r, 1);
	l = start_gw(r, "gw-1", r->creds_gw, &r->gw, "edge-1");
	expect(r, &r->gw, "up new\n");
	congest(r, l);
	chan_link_pause(l);
	assert_int_equal(send_one(r, l, false), FED_EAGAIN);
	chan_link_resume(r->edge.link);
	for (int i = 0; i < 500 && l->is_congested; i++)
		(void)run(r, 10, NULL, NULL);
	assert_false(l->is_congested);
	r->gw.windows = 0;
	assert_int_equal(r->gw.outcomes, 0); /* paused: nothing is shown */
	chan_link_resume(l);
	assert_true(counted(r, &r->gw.windows, 1));
	chan_link_free(l);
	chan_server_free(r->server);
}

static void freed_while_it_dials(void **state)
{
	struct rig *r = *state;
	struct chan_link_common c =
		common_of(r, "gw-1", r->creds_gw, &r->gw, 1);
	struct chan_link *l =
		start_gw(r, "gw-1", r->creds_gw, &r->gw, "edge-1");
	struct errbuf e;

	chan_link_free(l);
	l = start_gw(r, "gw-1", r->creds_gw, &r->gw, "edge-1");
	(void)run(r, 20, NULL, NULL);
	chan_link_free(l);
	chan_link_free(NULL);
	chan_server_free(NULL);
	assert_int_equal(chan_link_dial(&l, &c, "edge-1", "nowhere", &e),
			 FED_ECONFIG);
	c.instance = "gw-9";
	assert_int_equal(chan_link_dial(&l, &c, "edge-1", r->addr, &e),
			 FED_ECONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, each_setup, each_teardown)
		T(both_directions_then_bye),
		T(a_cut_connection_resumes),
		T(an_edge_that_comes_back),
		T(who_is_not_let_in),
		T(a_second_connection_replaces_the_first),
		T(pause_stops_the_sender),
		T(freed_while_congested_says_bye),
		T(window_after_congestion_while_paused),
		T(freed_while_it_dials),
#undef T
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
