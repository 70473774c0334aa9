/* Error names, the human sentence, and the two kinds of invariant checks. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/span.h"

const char *fed_strerror(int err)
{
	static const char *const names[] = {
		"OK",	     "ENOMEM",	    "EINVAL",	 "ELIMIT",   "EAGAIN",
		"EXML",	     "ERESTRICTED", "EENCODING", "EPROTO",   "ESTATE",
		"ENOTFOUND", "EEXIST",	    "EDENIED",	 "ETIMEOUT", "ECLOSED",
		"EIO",	     "ETLS",	    "EDNS",	 "ECONFIG",  "EBUSY",
	};
	size_t i = err <= 0 ? (size_t)(-(long)err) : FED_ARRAY_LEN(names);

	return i < FED_ARRAY_LEN(names) ? names[i] : "EUNKNOWN";
}

void errbuf_set(struct errbuf *e, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	span_make_utf8(e->text);
}

bool fed_check_failed(const char *expr, const char *file, int line)
{
	(void)fprintf(stderr, "event=broken_invariant at=%s:%d expr=\"%s\"\n",
		      file, line, expr);
	return false;
}

_Noreturn void fed_require_failed(const char *expr, const char *file, int line)
{
	(void)fprintf(stderr, "event=abort at=%s:%d expr=\"%s\"\n", file, line,
		      expr);
	abort();
}
