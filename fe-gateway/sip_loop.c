/* sofia's root around libuv; public interfaces of both only. */
#include "fe-gateway/sip_loop.h"

#include <signal.h>
#include <stdlib.h>

#include "fe-gateway/sip_cork.h"

#define SU_ROOT_MAGIC_T struct sip_loop
#include <sofia-sip/su.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_wait.h>

/* The root wakes for its own sake at least so often, ms. */
enum { SIP_LOOP_IDLE_MS = 10000 };

struct sip_loop {
	su_root_t *root;
	struct loop *loop;
	su_wait_t wait;
	int wait_index;
	struct sip_cork cork;
};

/* Being woken is all: libuv is run after each step. */
static int on_uv_ready(struct sip_loop *s, su_wait_t *w, su_wakeup_arg_t *arg)
{
	(void)s;
	(void)w;
	(void)arg;
	return 0;
}

static void on_sofia_log(void *stream, char const *fmt, va_list ap)
{
	const struct logger *log = stream;
	char line[256];
	size_t n;

	if (!log_wants(log, FED_LOG_DEBUG))
		return;
	n = (size_t)vsnprintf(line, sizeof(line), fmt, ap);
	if (n >= sizeof(line))
		n = sizeof(line) - 1;
	fed_log(log, FED_LOG_DEBUG, "sofia", "text=%s",
		log_value(span_trim(span_of(line, n))).text);
}

static void redirect_log(const struct logger *log)
{
	/* the log is only read through this pointer */
	su_log_redirect(NULL, on_sofia_log, (void *)(uintptr_t)log);
	/* errors and warnings of the library */
	su_log_set_level(NULL, 1);
}

static int watch_uv(struct sip_loop *s)
{
	int fd = uv_backend_fd(loop_uv(s->loop));

	if (su_wait_create(&s->wait, fd, SU_WAIT_IN) != 0)
		return FED_EIO;
	s->wait_index =
		su_root_register(s->root, &s->wait, on_uv_ready, NULL, 0);
	return s->wait_index > 0 ? 0 : FED_EIO;
}

int sip_loop_new(struct sip_loop **s_out, struct loop *loop)
{
	struct sip_loop *s = calloc(1, sizeof(*s));
	int err = 0;

	if (s == NULL)
		return FED_ENOMEM;
	s->loop = loop;
	/* another kind of port would not nest libuv's descriptor */
	(void)unsetenv("SU_PORT");
	(void)signal(SIGPIPE, SIG_IGN);
	if (su_init() != 0) {
		free(s);
		return FED_EIO;
	}
	redirect_log(loop_log(loop));
	s->root = su_root_create(s);
	if (s->root == NULL) {
		err = FED_EIO;
	} else {
		su_root_threading(s->root, 0);
		err = watch_uv(s);
	}
	if (err != 0) {
		sip_loop_free(s);
		return err;
	}
	*s_out = s;
	return 0;
}

void sip_loop_free(struct sip_loop *s)
{
	if (s == NULL)
		return;
	if (s->root != NULL) {
		if (s->wait_index > 0)
			(void)su_root_deregister(s->root, s->wait_index);
		su_root_destroy(s->root);
	}
	su_deinit();
	free(s);
}

void sip_loop_run(struct sip_loop *s)
{
	while (!loop_is_stopped(s->loop)) {
		int wait_ms;

		loop_run_once(s->loop);
		sip_cork_release(&s->cork);
		if (loop_is_stopped(s->loop))
			break;
		wait_ms = loop_wait_ms(s->loop);
		if (wait_ms < 0 || wait_ms > SIP_LOOP_IDLE_MS)
			wait_ms = SIP_LOOP_IDLE_MS;
		(void)su_root_step(s->root, wait_ms);
	}
}

void sip_loop_message(struct sip_loop *s)
{
	sip_cork_message(&s->cork, loop_now_ms(s->loop));
}

struct su_root_s *sip_loop_root(struct sip_loop *s)
{
	return s->root;
}

struct loop *sip_loop_inner(struct sip_loop *s)
{
	return s->loop;
}
