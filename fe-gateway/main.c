/* fe-gateway: the SIP side of the XMPP federation pair. */
#include <stdio.h>
#include <stdlib.h>

#include "fe-gateway/gateway_admin.h"
#include "fe-gateway/gateway_config.h"
#include "fe-gateway/gateway_session.h"
#include "io/daemon.h"

enum { EXIT_USAGE = 2 };

static const char PROGRAM[] = "fe-gateway";

static void on_stop(void *arg)
{
	daemon_notify_stopping();
	gateway_session_stop(arg);
}

/* Until the session says stop. */
static int run_session(const struct gateway_config *c, struct sip_loop *sl,
		       struct loop *loop, struct logger *log, struct errbuf *e)
{
	struct id_source ids = {.counter = 0};
	struct metrics metrics = {.value = {0}};
	struct daemon_signals *signals = NULL;
	struct gateway_session *s = NULL;
	struct gateway_admin *admin = NULL;
	int err = daemon_random(ids.key, sizeof(ids.key));

	if (err == 0)
		err = gateway_session_new(&s, c, sl, &ids, &metrics, e);
	if (err == 0) {
		const struct gateway_admin_params p = {loop, c, s, &metrics,
						       log};

		err = gateway_admin_new(&admin, &p, e);
	}
	if (err == 0)
		err = daemon_signals_new(&signals, loop, on_stop, s);
	if (err == 0) {
		fed_log(loop_log(loop), FED_LOG_INFO, "started",
			"version=%s instance=%s edges=%u", FED_VERSION,
			c->file->instance, c->file->channel.edges_count);
		daemon_notify_ready();
		sip_loop_run(sl);
		fed_log(loop_log(loop), FED_LOG_INFO, "stopped",
			"delivered=%llu refused=%llu",
			(unsigned long long)metrics.value[METRIC_delivered],
			(unsigned long long)metrics.value[METRIC_refused]);
	}
	daemon_signals_free(signals);
	gateway_admin_free(admin);
	gateway_session_free(s);
	return err;
}

static int run(const struct gateway_config *c)
{
	struct errbuf e = {.text = "the system refused a resource"};
	struct sip_loop *sl = NULL;
	struct loop *loop = NULL;
	struct logger log;
	int err;

	daemon_logger_init(&log, c->log_level);
	err = loop_new(&loop, &log);
	if (err == 0)
		err = sip_loop_new(&sl, loop);
	if (err == 0)
		err = run_session(c, sl, loop, &log, &e);
	if (err != 0)
		fed_log(&log, FED_LOG_ERROR, "start_failed",
			"error=%s why=\"%s\"", fed_strerror(err), e.text);
	/* sofia's root watches libuv's descriptor: it goes first */
	sip_loop_free(sl);
	loop_free(loop);
	return err == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int with_config(enum daemon_mode mode, const char *file)
{
	struct errbuf e = {.text = ""};
	struct gateway_config *c = NULL;
	int status = EXIT_SUCCESS;

	if (gateway_config_load(&c, file, &e) != 0) {
		(void)fprintf(stderr, "%s\n", e.text);
		return EXIT_USAGE;
	}
	if (mode == DAEMON_CHECK)
		(void)printf("%s: ok\n", file);
	else if (mode == DAEMON_DUMP)
		status = gateway_config_dump(c) == 0 ? EXIT_SUCCESS
						     : EXIT_FAILURE;
	else
		status = run(c);
	gateway_config_free(c);
	return status;
}

int main(int argc, char **argv)
{
	struct daemon_args args = daemon_parse_args(PROGRAM, argc, argv);

	switch (args.mode) {
	case DAEMON_DONE:
		return EXIT_SUCCESS;
	case DAEMON_USAGE:
		return EXIT_USAGE;
	case DAEMON_RUN:
	case DAEMON_CHECK:
	case DAEMON_DUMP:
		break;
	}
	return with_config(args.mode, args.config_file);
}
