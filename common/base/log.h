/*
 * Logging: one line per event, `event=name key=value ...`.  No global state:
 * whoever logs was handed a logger.  Values that a peer wrote go through
 * log_value().  Never logged: keys, dialback keys, SASL data; bodies only where
 * the operator asked for them.
 */
#ifndef FED_BASE_LOG_H
#define FED_BASE_LOG_H

#include "base/span.h"

enum fed_log_level {
	FED_LOG_ERROR, /* the operator must act */
	FED_LOG_WARN,  /* a peer or the configuration is wrong */
	FED_LOG_INFO,  /* lifecycle */
	FED_LOG_DEBUG, /* protocol */
};

/* Where lines go; made by the shell (or a test), borrowed by everyone. */
struct logger {
	enum fed_log_level level;
	/* line is NUL-terminated, without newline, n bytes long */
	void (*sink)(void *arg, enum fed_log_level level, const char *line,
		     size_t n);
	void *arg;
};

enum { LOG_VALUE_MAX = 128, LOG_LINE_MAX = 1024 };

/* A peer's text made harmless: quotes, controls and non-ASCII escaped. */
struct log_value {
	char text[LOG_VALUE_MAX + 4];
};

/** Escape into out, and cut with "..." where it would be more than
 * out_size - 4 bytes; NUL-terminated.  out_size is above 4. */
void log_escape(struct span s, char *out, size_t out_size);

/** Escaped and truncated to LOG_VALUE_MAX bytes; use as log_value(s).text. */
struct log_value log_value(struct span s);

/** "error", "warn", "info", "debug". */
const char *log_level_name(enum fed_log_level level);

/** @return 0; FED_EINVAL no such level */
int log_level_parse(struct span name,
		    enum fed_log_level *level_out) FED_NODISCARD;

/** Would a line of this level be written? `l` may be NULL: no. */
static inline bool log_wants(const struct logger *l, enum fed_log_level level)
{
	return l != NULL && l->sink != NULL && level <= l->level;
}

/**
 * Write one line: "event=<event> <fmt...>".  `l` may be NULL: silence.
 *
 * @param event  snake_case name
 * @param fmt    printf format of the key=value pairs
 */
void fed_log(const struct logger *l, enum fed_log_level level,
	     const char *event, const char *fmt, ...) FED_PRINTF(4, 5);

/* The arguments of a line that nobody wants are not computed: escaping what a
 * peer wrote costs more than the line.  They have no effects of their own. */
#define fed_log(l, level, ...) \
	(log_wants((l), (level)) ? fed_log((l), (level), __VA_ARGS__) : (void)0)

#endif
