/*
 * Errors: one enum for the whole house, and one human sentence where a
 * person has to act on it.
 */
#ifndef FED_BASE_ERR_H
#define FED_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

#define FED_NODISCARD __attribute__((warn_unused_result))
#define FED_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* 0 is success; every function that can fail returns one of these. */
enum fed_err {
	FED_OK = 0,
	FED_ENOMEM = -1,      /* allocation failed */
	FED_EINVAL = -2,      /* an argument or a value is not allowed */
	FED_ELIMIT = -3,      /* a named limit of limits.h was reached */
	FED_EAGAIN = -4,      /* not now: window full, need more bytes */
	FED_EXML = -5,	      /* not well-formed XML or wrong namespaces */
	FED_ERESTRICTED = -6, /* XML that XMPP forbids (RFC 6120 11.1) */
	FED_EENCODING = -7,   /* not UTF-8 */
	FED_EPROTO = -8,      /* the peer broke the protocol */
	FED_ESTATE = -9,      /* not allowed in this state */
	FED_ENOTFOUND = -10,  /* no such object */
	FED_EEXIST = -11,     /* exists already */
	FED_EDENIED = -12,    /* policy says no */
	FED_ETIMEOUT = -13,   /* a deadline passed */
	FED_ECLOSED = -14,    /* the other side went away */
	FED_EIO = -15,	      /* the operating system said no; logged there */
	FED_ETLS = -16,	      /* TLS failed; logged there */
	FED_EDNS = -17,	      /* name resolution failed */
	FED_ECONFIG = -18,    /* configuration; the errbuf says where */
	FED_EBUSY = -19,      /* costly work is due before it goes on */
};

/** The error's name for logs, such as "ELIMIT"; never NULL. */
const char *fed_strerror(int err);

/* One sentence for a human; truncated, always terminated, always UTF-8. */
struct errbuf {
	char text[512];
};

/** Write the sentence, printf style.  `e` may be NULL: nothing happens. */
void errbuf_set(struct errbuf *e, const char *fmt, ...) FED_PRINTF(2, 3);

/** Say on stderr which invariant broke; always false. */
bool fed_check_failed(const char *expr, const char *file, int line);

/** Print the expression and abort: memory corruption and start-up only. */
_Noreturn void fed_require_failed(const char *expr, const char *file, int line);

/* Broken invariant of ours: true when it holds, otherwise logs to stderr and
 * is false; the caller closes the connection it was working for. */
#define FED_CHECK(x) ((x) ? true : fed_check_failed(#x, __FILE__, __LINE__))

/* Never reachable by peer input. */
#define FED_REQUIRE(x) \
	((x) ? (void)0 : fed_require_failed(#x, __FILE__, __LINE__))

#define FED_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
