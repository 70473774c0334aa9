/*
 * The SIP adapter in a thread of its own, listening on loopback over UDP and
 * TCP, and a peer that writes and reads bytes.
 */
#ifndef FED_TESTS_SIP_RAW_RIG_H
#define FED_TESTS_SIP_RAW_RIG_H

/* clang-format off: cmocka wants this order */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "fe-gateway/sip_adapter.h"

enum {
	RIG_TEXT = 16 * 1024,
	RIG_WAIT_MS = 10000,
	RIG_TICK_MS = 2,
};

/* All but the head is of the thread, under the lock. */
struct rig {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char listen[2][64];
	uint16_t port;
	const char *address; /* that it is bound to */

	struct loop *loop;
	struct sip_loop *sip_loop;
	struct sip_adapter *a;
	struct loop_timer *timer;
	bool is_ending;
	const struct sip_request_out *to_send; /* one at a time */
	struct sip_target target;
	int send_err;

	struct sip_reply reply; /* to all requests */
	bool is_dropping;	/* no reply at all */
	uint16_t pass_port;	/* where requests are passed on to; 0: not */
	enum sip_transport pass_transport;
	uint64_t passed; /* the last one that was; 0: it is answered */
	unsigned admitted, requests, responses;
	char request[RIG_TEXT];	 /* the last one, as text */
	char response[RIG_TEXT]; /* the last one, as text */
};

static inline const char *rig_text(char *out, size_t size, struct span s)
{
	(void)snprintf(out, size, "%.*s", (int)s.n, s.n > 0 ? s.p : "");
	return out;
}

/* Every field that is set, in the order of the struct. */
static inline void rig_print_request(const struct sip_request_in *r, char *out)
{
	struct buf b;
	const struct {
		const char *name;
		struct span value;
	} spans[] = {
		{"uri", r->request_uri},
		{"from", r->from_uri},
		{"from-tag", r->from_tag},
		{"to", r->to_uri},
		{"to-tag", r->to_tag},
		{"contact", r->contact_uri},
		{"rr", r->record_routes},
		{"event", r->event},
		{"id", r->event_id},
		{"accept", r->accept},
		{"state", r->subscription_state},
		{"call-id", r->call_id},
		{"require", r->require},
		{"type", r->content_type},
		{"charset", r->charset},
		{"lang", r->content_language},
		{"body", r->body},
	};

	buf_init(&b, RIG_TEXT - 1);
	(void)buf_put_span(&b, r->method);
	(void)buf_printf(&b, " %u\n", (unsigned)r->cseq);
	for (size_t i = 0; i < FED_ARRAY_LEN(spans); i++) {
		if (spans[i].value.n == 0)
			continue;
		(void)buf_printf(&b, "%s=", spans[i].name);
		(void)buf_put_span(&b, spans[i].value);
		(void)buf_put_byte(&b, '\n');
	}
	if (r->has_event)
		(void)buf_put_str(&b, "has event\n");
	if (r->has_accept)
		(void)buf_put_str(&b, "has accept\n");
	if (r->has_expires)
		(void)buf_printf(&b, "expires=%u\n", (unsigned)r->expires);
	if (r->header_status != 0)
		(void)buf_printf(&b, "status=%d\n", r->header_status);
	(void)rig_text(out, RIG_TEXT, buf_span(&b));
	buf_deinit(&b);
}

static inline void rig_print_response(const struct sip_response_in *r,
				      char *out)
{
	char tag[256], contact[2048], routes[8192];

	(void)snprintf(
		out, RIG_TEXT,
		"end=%d status=%d to-tag=%s contact=%s rr=%s expires=%s%u "
		"min=%u retry=%u",
		(int)r->end, r->status, rig_text(tag, sizeof(tag), r->to_tag),
		rig_text(contact, sizeof(contact), r->contact_uri),
		rig_text(routes, sizeof(routes), r->record_routes),
		r->has_expires ? "" : "none ", (unsigned)r->expires,
		(unsigned)r->min_expires, (unsigned)r->retry_after);
}

static inline bool rig_admit(struct span source, void *arg)
{
	struct rig *g = arg;

	(void)source;
	g->admitted++;
	return true;
}

/* As a proxy does, with two hops less than it had. */
static inline void rig_pass(struct rig *g, const struct sip_request_in *r)
{
	const struct sip_target to = {.transport = g->pass_transport,
				      .ip = "127.0.0.1",
				      .port = g->pass_port,
				      .host = "127.0.0.1"};
	const struct sip_request_out out = {
		.method = "MESSAGE",
		.request_uri = "sip:juliet@example.com",
		.branch = "z9hG4bKpassed",
		.passed = r->handle,
		.max_forwards = r->has_max_forwards ? r->max_forwards - 2 : 70,
	};

	g->passed = r->handle;
	g->send_err = sip_adapter_send(g->a, 2, &out, &to);
}

/* The lock is held in all callbacks: see rig_on_tick(). */
static inline void rig_on_request(const struct sip_request_in *r, void *arg)
{
	struct rig *g = arg;

	(void)pthread_mutex_lock(&g->lock);
	rig_print_request(r, g->request);
	if (g->pass_port != 0)
		rig_pass(g, r);
	else if (g->is_dropping)
		sip_adapter_drop(g->a, r->handle);
	else
		sip_adapter_reply(g->a, r->handle, &g->reply);
	g->requests++;
	(void)pthread_cond_broadcast(&g->changed);
	(void)pthread_mutex_unlock(&g->lock);
}

static inline void rig_on_response(uint64_t token,
				   const struct sip_response_in *r, void *arg)
{
	struct rig *g = arg;

	(void)pthread_mutex_lock(&g->lock);
	rig_print_response(r, g->response);
	if (token == 2)
		sip_adapter_pass(g->a, g->passed);
	g->responses++;
	(void)pthread_cond_broadcast(&g->changed);
	(void)pthread_mutex_unlock(&g->lock);
}

static inline void rig_on_tick(void *arg)
{
	struct rig *g = arg;

	(void)pthread_mutex_lock(&g->lock);
	if (g->to_send != NULL) {
		g->send_err = sip_adapter_send(g->a, 1, g->to_send, &g->target);
		g->to_send = NULL;
		(void)pthread_cond_broadcast(&g->changed);
	}
	if (g->is_ending)
		loop_stop(g->loop);
	(void)pthread_mutex_unlock(&g->lock);
	loop_timer_arm(g->timer, loop_now_ms(g->loop) + RIG_TICK_MS);
}

static inline void *rig_run(void *arg)
{
	struct rig *g = arg;
	const char *listen[] = {g->listen[0], g->listen[1]};
	struct errbuf e = {.text = ""};
	struct sip_adapter_params p = {
		.instance = "gw.example",
		.listen = listen,
		.listen_count = 2,
		.admit_udp = rig_admit,
		.on_request = rig_on_request,
		.on_response = rig_on_response,
		.arg = g,
	};
	int err = loop_new(&g->loop, NULL);

	if (err == 0)
		err = sip_loop_new(&g->sip_loop, g->loop);
	p.loop = g->sip_loop;
	if (err == 0)
		err = sip_adapter_new(&g->a, &p, &e);
	if (err == 0)
		err = loop_timer_new(&g->timer, g->loop, rig_on_tick, g);
	if (err != 0) {
		(void)fprintf(stderr, "%s\n", e.text);
		abort();
	}
	sip_adapter_keep_text(g->a, true);
	rig_on_tick(g);
	sip_loop_run(g->sip_loop);
	sip_adapter_free(g->a);
	loop_timer_free(g->timer);
	sip_loop_free(g->sip_loop);
	loop_free(g->loop);
	return NULL;
}

static inline uint16_t rig_port_of(int fd)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	return ntohs(a.sin_port);
}

static inline int rig_socket(int type)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, type, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* @param address  to bind: "127.0.0.1", "0.0.0.0" */
static inline void rig_start(struct rig *g, const char *address)
{
	int fd = rig_socket(SOCK_STREAM);

	*g = (struct rig){.port = rig_port_of(fd), .address = address};
	(void)close(fd);
	g->reply.line = (struct sip_failure){.status = 200, .phrase = "OK"};
	(void)snprintf(g->listen[0], sizeof(g->listen[0]), "tcp:%s:%u", address,
		       g->port);
	(void)snprintf(g->listen[1], sizeof(g->listen[1]), "udp:%s:%u", address,
		       g->port);
	assert_int_equal(pthread_mutex_init(&g->lock, NULL), 0);
	assert_int_equal(pthread_cond_init(&g->changed, NULL), 0);
	assert_int_equal(pthread_create(&g->thread, NULL, rig_run, g), 0);
}

static inline void rig_stop(struct rig *g)
{
	(void)pthread_mutex_lock(&g->lock);
	g->is_ending = true;
	(void)pthread_mutex_unlock(&g->lock);
	assert_int_equal(pthread_join(g->thread, NULL), 0);
	(void)pthread_cond_destroy(&g->changed);
	(void)pthread_mutex_destroy(&g->lock);
}

/* With the lock: until *count is above `old`. */
static inline void rig_wait(struct rig *g, const unsigned *count, unsigned old)
{
	struct timespec until;

	assert_int_equal(clock_gettime(CLOCK_REALTIME, &until), 0);
	until.tv_sec += RIG_WAIT_MS / 1000;
	while (*count <= old)
		if (pthread_cond_timedwait(&g->changed, &g->lock, &until) != 0)
			break;
	assert_true(*count > old);
}

/* Give it a request; @return what sip_adapter_send() said */
static inline int rig_send(struct rig *g, const struct sip_request_out *r,
			   enum sip_transport transport, uint16_t port)
{
	int err;

	(void)pthread_mutex_lock(&g->lock);
	g->target = (struct sip_target){.transport = transport,
					.ip = "127.0.0.1",
					.port = port,
					.host = "127.0.0.1"};
	g->to_send = r;
	while (g->to_send != NULL)
		(void)pthread_cond_wait(&g->changed, &g->lock);
	err = g->send_err;
	(void)pthread_mutex_unlock(&g->lock);
	return err;
}

/* --- the peer ------------------------------------------------------------ */

static inline int rig_connect(const struct rig *g, int type)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				.sin_port = htons(g->port)};
	int fd = rig_socket(type);

	/* the thread may not have bound yet */
	for (int i = 0; i < 500; i++) {
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
			return fd;
		(void)usleep(10000);
	}
	fail_msg("nobody listens");
	return -1;
}

static inline bool rig_is_whole(const char *text, size_t n)
{
	const char *end = memmem(text, n, "\r\n\r\n", 4);
	const char *length = memmem(text, n, "Content-Length: ", 16);

	return end != NULL && length != NULL &&
	       (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10) <= n;
}

/* One message; "" when none comes in that time. */
static inline void rig_read(int fd, char *out, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t n = 0;

	out[0] = '\0';
	while (n < RIG_TEXT - 1 && poll(&p, 1, wait_ms) == 1) {
		ssize_t got = recv(fd, out + n, RIG_TEXT - 1 - n, 0);

		if (got <= 0)
			break;
		n += (size_t)got;
		out[n] = '\0';
		if (rig_is_whole(out, n))
			break;
	}
}

static inline void rig_write(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
}

static inline int rig_accept(int listener)
{
	int fd = accept(listener, NULL, NULL);

	assert_true(fd >= 0);
	return fd;
}

/* ---- words of both sides --------------------------------------------------
 */

/* One of ours. */
static const struct sip_request_out RIG_SUBSCRIBE = {
	.method = "SUBSCRIBE",
	.request_uri = "sip:romeo@example.net",
	.from_uri = "sip:juliet@example.com",
	.from_tag = "ft",
	.to_uri = "sip:romeo@example.net",
	.call_id = "c1",
	.branch = "z9hG4bKb1",
	.cseq = 7,
	.route = "sip:127.0.0.1",
	.has_contact = true,
	.event = "presence",
	.accept = "application/pidf+xml",
	.has_expires = true,
	.expires = 3600,
};

/* The peer's, up to the headers that are of interest. */
static inline void rig_head(char *out, const char *method,
			    const char *transport, const char *branch)
{
	(void)snprintf(out, RIG_TEXT,
		       "%s sip:juliet@example.com SIP/2.0\r\n"
		       "Via: SIP/2.0/%s 127.0.0.1:9;rport;branch=z9hG4bK%s\r\n"
		       "From: <sip:romeo@example.net>;tag=rt\r\n"
		       "Call-ID: c3\r\nCSeq: 9 %s\r\nMax-Forwards: 70\r\n",
		       method, transport, branch, method);
}

#endif
