/* One line per event, through the logger that the caller was handed. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};

const char *log_level_name(enum fed_log_level level)
{
	size_t i = (size_t)level;

	return i < FED_ARRAY_LEN(level_names) ? level_names[i] : "?";
}

int log_level_parse(struct span name, enum fed_log_level *level_out)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(level_names); i++) {
		if (span_eq_str(name, level_names[i])) {
			*level_out = (enum fed_log_level)i;
			return 0;
		}
	}
	return FED_EINVAL;
}

/* One byte of peer text as the log shows it; returns bytes written. */
static size_t escape_byte(char out[5], unsigned char c)
{
	if (c == '"' || c == '\\') {
		out[0] = '\\';
		out[1] = (char)c;
		return 2;
	}
	if (c >= 0x20 && c < 0x7F) {
		out[0] = (char)c;
		return 1;
	}
	(void)snprintf(out, 5, "\\x%02x", c);
	return 4;
}

void log_escape(struct span s, char *out, size_t out_size)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char piece[5];
		size_t len = escape_byte(piece, (unsigned char)s.p[i]);

		if (n + len > out_size - 4) {
			memcpy(out + n, "...", 3);
			n += 3;
			break;
		}
		memcpy(out + n, piece, len);
		n += len;
	}
	out[n] = '\0';
}

struct log_value log_value(struct span s)
{
	struct log_value v;

	v.text[0] = '\0'; /* for tools that do not look into calls */
	log_escape(s, v.text, sizeof(v.text));
	return v;
}

void(fed_log)(const struct logger *l, enum fed_log_level level,
	      const char *event, const char *fmt, ...)
{
	char line[LOG_LINE_MAX];
	va_list ap;
	int n;
	int m;

	if (!log_wants(l, level))
		return;
	n = snprintf(line, sizeof(line), "event=%s ", event);
	if (n < 0 || (size_t)n >= sizeof(line))
		return;
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	if (m < 0)
		return;
	l->sink(l->arg, level, line, strlen(line));
}
