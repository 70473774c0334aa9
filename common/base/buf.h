/*
 * A growing byte buffer with a hard maximum that is stated when it is made.
 * Bytes are taken from the front and added at the end; memory is wiped when
 * it is given back, so secrets may live here.
 */
#ifndef FED_BASE_BUF_H
#define FED_BASE_BUF_H

#include <stdarg.h>

#include "base/span.h"

struct buf {
	char *data;   /* private: use buf_span() */
	size_t start; /* first unread byte */
	size_t end;   /* behind the last byte */
	size_t cap;
	size_t max;	/* hard limit of end - start */
	bool is_failed; /* an append failed; sticky until buf_reset() */
};

/** Empty buffer that will hold at most max bytes; allocates nothing yet. */
void buf_init(struct buf *b, size_t max);

/** Wipe and give the memory back; the buffer may be used again. */
void buf_deinit(struct buf *b);

/** Forget the content and the failure, keep the memory. */
void buf_reset(struct buf *b);

/** What is in it; valid until the next call that changes the buffer. */
struct span buf_span(const struct buf *b);

/** Bytes in it. */
static inline size_t buf_len(const struct buf *b)
{
	return b->end - b->start;
}

/**
 * Append n bytes.  A failure is sticky: a writer may append many pieces and
 * look at is_failed once, at the end.
 *
 * @return 0; FED_ELIMIT over the maximum; FED_ENOMEM
 */
int buf_put(struct buf *b, const void *p, size_t n);

/** As buf_put(). */
int buf_put_span(struct buf *b, struct span s);

/** As buf_put(), of a C string without its NUL. */
int buf_put_str(struct buf *b, const char *s);

/** As buf_put(), one byte. */
int buf_put_byte(struct buf *b, char c);

/** As buf_put(), printf style. */
int buf_printf(struct buf *b, const char *fmt, ...) FED_PRINTF(2, 3);

/** As buf_printf(), with a va_list. */
int buf_vprintf(struct buf *b, const char *fmt, va_list ap) FED_PRINTF(2, 0);

/**
 * Room for n bytes at the end, to be written in place and then counted with
 * buf_commit().
 *
 * @return NULL over the maximum or out of memory (sticky, as buf_put())
 */
char *buf_reserve(struct buf *b, size_t n);

/** n bytes of the last buf_reserve() were written. */
void buf_commit(struct buf *b, size_t n);

/** Keep the first n bytes; n above the length keeps all. */
void buf_truncate(struct buf *b, size_t n);

/** Drop n bytes at the front; n above the length drops all. */
void buf_consume(struct buf *b, size_t n);

/**
 * NUL-terminate behind the content (not counted) and return the content as a
 * C string, valid until the next change; NULL when there is no room.
 */
const char *buf_cstr(struct buf *b);

#endif
