/* What both daemons do alike. */
#include "io/daemon.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "io/loop_priv.h"

/* ---- command line -------------------------------------------------------- */

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", required_argument, NULL, 'k'},
	{"dump", required_argument, NULL, 'd'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'v'},
	{NULL, 0, NULL, 0},
};

static void print_help(FILE *to, const char *program)
{
	(void)fprintf(to,
		      "usage: %s --config FILE   run\n"
		      "       %s --check FILE    say whether FILE is right\n"
		      "       %s --dump FILE     print the effective "
		      "configuration\n"
		      "       %s --help | --version\n",
		      program, program, program, program);
}

static struct daemon_args usage_error(const char *program, const char *what)
{
	if (what != NULL)
		(void)fprintf(stderr, "%s: %s\n", program, what);
	print_help(stderr, program);
	return (struct daemon_args){.mode = DAEMON_USAGE};
}

/* false: not an option; getopt has complained already */
static bool take_option(struct daemon_args *a, int option)
{
	switch (option) {
	case 'c':
		a->mode = DAEMON_RUN;
		break;
	case 'k':
		a->mode = DAEMON_CHECK;
		break;
	case 'd':
		a->mode = DAEMON_DUMP;
		break;
	default:
		return false;
	}
	a->config_file = optarg;
	return true;
}

struct daemon_args daemon_parse_args(const char *program, int argc, char **argv)
{
	struct daemon_args a = {.mode = DAEMON_USAGE};
	int option;

	optind = 0; /* getopt: start anew */
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h') {
			print_help(stdout, program);
			return (struct daemon_args){.mode = DAEMON_DONE};
		}
		if (option == 'v') {
			(void)printf("%s %s\n", program, FED_VERSION);
			return (struct daemon_args){.mode = DAEMON_DONE};
		}
		if (a.config_file != NULL)
			return usage_error(program, "one FILE, one purpose");
		if (!take_option(&a, option))
			return usage_error(program, NULL);
	}
	if (optind < argc || a.config_file == NULL)
		return usage_error(program, optind < argc
						    ? "too many arguments"
						    : "--config is missing");
	return a;
}

/* ---- log ----------------------------------------------------------------- */

static void write_line(const char *head, const char *line, size_t n)
{
	static const char newline[] = "\n";
	struct iovec v[3] = {
		{.iov_base = (void *)(uintptr_t)head, .iov_len = strlen(head)},
		{.iov_base = (void *)(uintptr_t)line, .iov_len = n},
		{.iov_base = (void *)(uintptr_t)newline, .iov_len = 1},
	};

	/* a log line that cannot be written has nowhere to be reported */
	if (writev(STDERR_FILENO, v, 3) < 0)
		return;
}

/* sd-daemon(3): "<priority>" in front of each line */
static void sink_journal(void *arg, enum fed_log_level level, const char *line,
			 size_t n)
{
	static const char *const heads[] = {"<3>", "<4>", "<6>", "<7>"};

	(void)arg;
	write_line(heads[level], line, n);
}

static void sink_stderr(void *arg, enum fed_log_level level, const char *line,
			size_t n)
{
	int64_t now = loop_wall_ms();
	time_t seconds = (time_t)(now / 1000);
	struct tm tm;
	char when[32];
	char head[64];

	(void)arg;
	if (gmtime_r(&seconds, &tm) == NULL ||
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		when[0] = '\0';
	(void)snprintf(head, sizeof(head), "%s.%03dZ %s ", when,
		       (int)(now % 1000), log_level_name(level));
	write_line(head, line, n);
}

/* systemd.exec(5), $JOURNAL_STREAM: device and inode of the stream that goes
 * to the journal; stderr may have been redirected since. */
static bool is_journal(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (text == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	(void)snprintf(own, sizeof(own), "%llu:%llu",
		       (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino);
	return strcmp(text, own) == 0;
}

void daemon_logger_init(struct logger *l, enum fed_log_level level)
{
	*l = (struct logger){
		.level = level,
		.sink = is_journal() ? sink_journal : sink_stderr,
	};
}

/* ---- randomness ---------------------------------------------------------- */

int daemon_random(void *out, size_t n)
{
	char *p = out;

	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return FED_EIO;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

size_t daemon_allow_files(size_t n)
{
	struct rlimit limit = {.rlim_cur = 0};

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return n; /* who knows */
	if (limit.rlim_cur >= n)
		return limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max < n ? limit.rlim_max : n;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* at worst as it was */
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}

/* ---- signals ------------------------------------------------------------- */

struct daemon_signals {
	struct loop *loop;
	struct loop_member member;
	uv_signal_t term;
	uv_signal_t intr;
	unsigned open_handles;
	daemon_stop_fn fn;
	void *arg;
	bool is_told;
};

static void on_signal(uv_signal_t *h, int number)
{
	struct daemon_signals *s = h->data;

	if (s->is_told) /* whoever asks twice does not want to wait */
		_exit(128 + number);
	s->is_told = true;
	fed_log(loop_log(s->loop), FED_LOG_INFO, "signal", "name=%s",
		number == SIGTERM ? "SIGTERM" : "SIGINT");
	s->fn(s->arg);
}

static void on_signal_closed(uv_handle_t *h)
{
	struct daemon_signals *s = h->data;

	if (--s->open_handles > 0)
		return;
	loop_leave(s->loop, &s->member);
	free(s);
}

static void kill_signals(void *arg)
{
	daemon_signals_free(arg);
}

int daemon_signals_new(struct daemon_signals **s_out, struct loop *l,
		       daemon_stop_fn fn, void *arg)
{
	struct daemon_signals *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return FED_ENOMEM;
	s->loop = l;
	s->fn = fn;
	s->arg = arg;
	if (uv_signal_init(loop_uv(l), &s->term) != 0) {
		free(s);
		return FED_EIO;
	}
	/* the second cannot fail: it shares what the first made */
	(void)uv_signal_init(loop_uv(l), &s->intr);
	s->open_handles = 2;
	s->term.data = s;
	s->intr.data = s;
	s->member = (struct loop_member){.kill = kill_signals, .arg = s};
	loop_join(l, &s->member);
	if (uv_signal_start(&s->term, on_signal, SIGTERM) != 0 ||
	    uv_signal_start(&s->intr, on_signal, SIGINT) != 0 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
		daemon_signals_free(s);
		return FED_EIO;
	}
	*s_out = s;
	return 0;
}

void daemon_signals_free(struct daemon_signals *s)
{
	if (s == NULL || uv_is_closing((uv_handle_t *)&s->term))
		return;
	uv_close((uv_handle_t *)&s->term, on_signal_closed);
	uv_close((uv_handle_t *)&s->intr, on_signal_closed);
}

/* ---- service manager ----------------------------------------------------- */

void daemon_notify_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void daemon_notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}
