/*
 * What both daemons do alike: command line, log sink, signals, readiness.
 */
#ifndef FED_IO_DAEMON_H
#define FED_IO_DAEMON_H

#include "base/digest.h"
#include "io/loop.h"

enum daemon_mode {
	DAEMON_RUN,   /* --config FILE */
	DAEMON_CHECK, /* --check FILE: validate, exit 0 or 2 */
	DAEMON_DUMP,  /* --dump FILE: print the effective configuration */
	DAEMON_DONE,  /* --help, --version: printed, exit 0 */
	DAEMON_USAGE, /* wrong command line: said so, exit 2 */
};

struct daemon_args {
	enum daemon_mode mode;
	const char *config_file;
};

/** Parse argv; prints help, version and complaints itself. */
struct daemon_args daemon_parse_args(const char *program, int argc,
				     char **argv);

/** Logger to stderr, one write per line, with time and level in front (or
 * the journal's priority prefix when stderr is the journal). */
void daemon_logger_init(struct logger *l, enum fed_log_level level);

/** Fill with the system's randomness.  @return 0; FED_EIO */
int daemon_random(void *out, size_t n) FED_NODISCARD;

/** Let this process have so many files open, as far as it may.
 * @return how many it may have */
size_t daemon_allow_files(size_t n) FED_NODISCARD;

struct daemon_signals;
typedef void (*daemon_stop_fn)(void *arg);

/** SIGTERM and SIGINT call fn once; SIGPIPE is ignored.
 * @return 0; FED_ENOMEM; FED_EIO */
int daemon_signals_new(struct daemon_signals **s_out, struct loop *l,
		       daemon_stop_fn fn, void *arg) FED_NODISCARD;
void daemon_signals_free(struct daemon_signals *s);

/** Tell the service manager (sd_notify); nothing without one. */
void daemon_notify_ready(void);
void daemon_notify_stopping(void);

#endif
