/* The edge: start, stop, and what holds its parts together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "edge-proxy/edge_admin.h"
#include "edge-proxy/edge_confirm.h"
#include "edge-proxy/edge_federation.h"
#include "edge-proxy/edge_partner.h"
#include "io/daemon.h"

/* After SIGTERM: what is under way has this long, the answers to it that go
 * back to the XMPP side included; then our own streams close. */
enum {
	EDGE_STOP_MS = LIMIT_STREAM_CLOSE_MS + 1000,
	EDGE_STOP_IN_MS = LIMIT_STREAM_CLOSE_MS / 2,
};

struct edge_label edge_label_next(struct edge *e, const char *dir)
{
	struct edge_label l;

	l.number = ++e->last_label;
	(void)snprintf(l.text, sizeof(l.text), "s2s=%llu dir=%s",
		       (unsigned long long)l.number, dir);
	return l;
}

size_t edge_streams_max(const struct edge *e)
{
	return e->policy.connection_limit != 0
		       ? e->policy.connection_limit
		       : e->config->file->s2s.streams_max;
}

size_t edge_streams_of_others(const struct edge *e)
{
	return edge_streams_max(e) - edge_streams_max(e) / 4;
}

struct s2s_reason edge_reason(enum s2s_reason_kind kind, enum s2s_condition c,
			      const char *text)
{
	struct s2s_reason r = {.kind = kind, .condition = c};

	(void)snprintf(r.text, sizeof(r.text), "%s", text);
	return r;
}

uint64_t edge_expires_ms(struct edge *e, const struct tls_facts *tls)
{
	uint64_t now_ms = loop_now_ms(e->loop);
	int64_t left_ms;

	if (tls == NULL || tls->peer_not_after_ms == 0)
		return 0;
	left_ms = tls->peer_not_after_ms - loop_wall_ms();
	return left_ms > 0 ? now_ms + (uint64_t)left_ms : now_ms;
}

/* ---- stop ---------------------------------------------------------------- */

/* Nothing waits for an answer any more. */
static bool is_quiet(const struct edge *e)
{
	return e->ins == NULL && edge_channel_outstanding(e) == 0 &&
	       edge_routes_stanzas(e) == 0;
}

static void stop_out(struct edge *e)
{
	e->phase = EDGE_STOPPING_OUT;
	edge_routes_stop(e);
	edge_out_shutdown_all(e);
	loop_timer_arm(e->stop_timer, e->stop_ms);
}

/* At the end of the turn: not while somebody walks the streams. */
static void on_stop_work(void *arg)
{
	struct edge *e = arg;

	if (e->phase == EDGE_STOPPING_IN && is_quiet(e))
		stop_out(e);
	if (e->phase == EDGE_STOPPING_OUT && e->streams == 0)
		loop_stop(e->loop);
}

void edge_check_stopped(struct edge *e)
{
	if (e->phase != EDGE_RUNNING)
		loop_defer(e->loop, &e->stop_work);
}

static void close_listeners(struct edge *e)
{
	for (size_t i = 0; i < e->listener_count; i++) {
		listener_close(e->listeners[i]);
		e->listeners[i] = NULL;
	}
}

static void on_stop(void *arg)
{
	struct edge *e = arg;
	uint64_t now_ms = loop_now_ms(e->loop);

	if (e->phase != EDGE_RUNNING)
		return;
	e->phase = EDGE_STOPPING_IN;
	e->stop_ms = now_ms + EDGE_STOP_MS;
	fed_log(&e->log, FED_LOG_INFO, "stopping", "streams=%zu", e->streams);
	daemon_notify_stopping();
	close_listeners(e);
	edge_channel_drain(e);
	edge_confirm_release(e); /* nobody will answer a ping any more */
	edge_in_shutdown_all(e);
	edge_out_release_all(e);
	loop_timer_arm(e->stop_timer, now_ms + EDGE_STOP_IN_MS);
	edge_check_stopped(e);
}

static void on_stop_timer(void *arg)
{
	struct edge *e = arg;

	fed_log(&e->log, FED_LOG_WARN, "stop_timeout",
		"streams=%zu waiting=%zu unanswered=%zu", e->streams,
		edge_routes_stanzas(e), edge_channel_outstanding(e));
	if (e->phase == EDGE_STOPPING_IN)
		stop_out(e);
	else
		loop_stop(e->loop);
	edge_check_stopped(e);
}

/* ---- start --------------------------------------------------------------- */

static int start_list(struct edge *e, char *const *list, unsigned count,
		      listener_fn fn, struct errbuf *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < count; i++)
		rc = listener_new(&e->listeners[e->listener_count++], e->loop,
				  list[i], fn, e, err);
	return rc;
}

static int start_listeners(struct edge *e, struct errbuf *err)
{
	const struct edge_config_s2s *s = &e->config->file->s2s;
	size_t count = (size_t)s->listen_count + s->listen_direct_tls_count;
	int rc;

	e->listeners = calloc(count, sizeof(struct listener *));
	if (e->listeners == NULL)
		return FED_ENOMEM;
	rc = start_list(e, s->listen, s->listen_count, edge_in_accept, err);
	if (rc == 0)
		rc = start_list(e, s->listen_direct_tls,
				s->listen_direct_tls_count,
				edge_in_accept_direct, err);
	return rc;
}

static int start_channel(struct edge *e, struct errbuf *err)
{
	struct tls_creds *creds = NULL;
	int rc = edge_config_channel_creds(e->config, &creds, err);

	if (rc == 0)
		rc = edge_channel_new(e, creds, err);
	tls_creds_unref(creds);
	return rc;
}

static int start_parts(struct edge *e, struct errbuf *err)
{
	const struct edge_config_file *f = e->config->file;
	int rc = edge_config_s2s_creds(e->config, &e->creds, err);

	if (rc == 0)
		rc = edge_dns_new(&e->dns, e->loop,
				  (const char *const *)f->dns.servers,
				  f->dns.servers_count, err);
	if (rc == 0 && f->dns.trust_anchor_file != NULL)
		rc = edge_dns_trust(e->dns, f->dns.trust_anchor_file, err);
	if (rc == 0)
		rc = attempts_new(&e->attempts);
	if (rc == 0)
		rc = edge_routes_new(e);
	if (rc == 0)
		rc = edge_confirm_new(e);
	if (rc == 0)
		rc = edge_news_new(e);
	if (rc == 0)
		rc = start_channel(e, err);
	if (rc == 0)
		rc = edge_admin_new(e, err);
	if (rc == 0)
		rc = start_listeners(e, err);
	return rc;
}

static int start(struct edge *e, struct daemon_signals **signals_out,
		 struct errbuf *err)
{
	int rc;

	if (daemon_random(e->ids.key, sizeof(e->ids.key)) != 0 ||
	    edge_federation_new(e) != 0) {
		errbuf_set(err, "the system gives no randomness");
		return FED_EIO;
	}
	rc = loop_new(&e->loop, &e->log);
	if (rc != 0)
		return rc;
	e->stop_work = (struct loop_deferred){.fn = on_stop_work, .arg = e};
	e->start_ms = loop_now_ms(e->loop);
	ratelimit_init(&e->refused_log, 1, 10, loop_now_ms(e->loop));
	ratelimit_init(&e->stranger_log, 5, 50, loop_now_ms(e->loop));
	rc = start_parts(e, err);
	if (rc == 0)
		rc = loop_timer_new(&e->stop_timer, e->loop, on_stop_timer, e);
	if (rc == 0)
		rc = daemon_signals_new(signals_out, e->loop, on_stop, e);
	return rc;
}

/* In the order that nobody calls what is gone. */
static void teardown(struct edge *e, struct daemon_signals *signals)
{
	e->phase = EDGE_RUNNING; /* nobody stops the loop any more */
	if (e->loop == NULL)
		return;
	loop_undefer(e->loop, &e->stop_work);
	daemon_signals_free(signals);
	close_listeners(e);
	free(e->listeners);
	edge_admin_free(e->admin);
	e->admin = NULL;
	if (e->routes != NULL)
		edge_routes_stop(e);
	edge_in_kill_all(e);
	edge_out_kill_all(e);
	edge_channel_free(e);
	loop_run_once(e->loop); /* what was finished is freed now */
	edge_news_free(e);
	edge_confirm_free(e);
	edge_routes_free(e);
	edge_partner_forget_all(e);
	attempts_free(e->attempts);
	edge_dns_free(e->dns);
	loop_timer_free(e->stop_timer);
	loop_free(e->loop);
	tls_creds_unref(e->creds);
}

/* Each stream is an open file. */
static void allow_files(struct edge *e)
{
	size_t most = e->config->file->s2s.streams_max;
	size_t need = most + LIMIT_FILES_BESIDES;
	size_t have = daemon_allow_files(need);

	if (have < need)
		fed_log(&e->log, FED_LOG_WARN, "few_files",
			"have=%zu need=%zu streams_max=%zu", have, need, most);
}

static int run(struct edge_config *config)
{
	struct edge e = {.config = config};
	struct daemon_signals *signals = NULL;
	struct errbuf err = {0};
	int rc;

	daemon_logger_init(&e.log, config->log_level);
	allow_files(&e);
	rc = start(&e, &signals, &err);
	if (rc == 0) {
		fed_log(&e.log, FED_LOG_INFO, "started",
			"instance=%s version=%s domains=%zu",
			config->file->instance, FED_VERSION,
			e.policy.domain_count);
		daemon_notify_ready();
		loop_run(e.loop);
	} else {
		fed_log(&e.log, FED_LOG_ERROR, "start_failed",
			"error=%s text=\"%s\"", fed_strerror(rc), err.text);
	}
	fed_log(&e.log, FED_LOG_INFO, "stopped", "delivered=%llu refused=%llu",
		(unsigned long long)e.metrics.value[METRIC_delivered],
		(unsigned long long)e.metrics.value[METRIC_refused]);
	teardown(&e, signals);
	edge_federation_free(&e);
	explicit_bzero(&e.ids, sizeof(e.ids));
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int with_config(const struct daemon_args *args)
{
	struct edge_config *config = NULL;
	struct errbuf err = {0};
	int rc = EXIT_SUCCESS;

	if (edge_config_load(&config, args->config_file, &err) != 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	if (args->mode == DAEMON_CHECK)
		(void)printf("%s: ok\n", args->config_file);
	else if (args->mode == DAEMON_DUMP)
		rc = edge_config_dump(config) == 0 ? EXIT_SUCCESS
						   : EXIT_FAILURE;
	else
		rc = run(config);
	edge_config_free(config);
	return rc;
}

int main(int argc, char **argv)
{
	const struct daemon_args args =
		daemon_parse_args("edge-proxy", argc, argv);

	switch (args.mode) {
	case DAEMON_DONE:
		return EXIT_SUCCESS;
	case DAEMON_USAGE:
		return 2;
	case DAEMON_RUN:
	case DAEMON_CHECK:
	case DAEMON_DUMP:
		break;
	}
	return with_config(&args);
}
