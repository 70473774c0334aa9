/* Growing byte buffer with a hard maximum. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_BYTES = 256 };

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_deinit(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	free(b->data);
	buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
	b->start = 0;
	b->end = 0;
	b->is_failed = false;
}

struct span buf_span(const struct buf *b)
{
	return span_of(b->data == NULL ? NULL : b->data + b->start,
		       b->end - b->start);
}

/* Wipes the old block, which realloc() would not. */
static int grow(struct buf *b, size_t need)
{
	size_t cap = b->cap == 0 ? BUF_FIRST_BYTES : b->cap;
	char *data;

	while (cap < need)
		cap *= 2;
	data = malloc(cap);
	if (data == NULL)
		return FED_ENOMEM;
	if (b->end > b->start)
		memcpy(data, b->data + b->start, b->end - b->start);
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	free(b->data);
	b->data = data;
	b->cap = cap;
	b->end -= b->start;
	b->start = 0;
	return 0;
}

/* One byte more than asked is always there, for buf_cstr(). */
static int make_room(struct buf *b, size_t n)
{
	size_t len = b->end - b->start;

	if (b->is_failed || n > b->max - len) {
		b->is_failed = true;
		return FED_ELIMIT;
	}
	if (b->cap - b->end > n)
		return 0;
	if (b->start >= len && b->cap - len > n) {
		memmove(b->data, b->data + b->start, len);
		b->start = 0;
		b->end = len;
		return 0;
	}
	if (grow(b, len + n + 1) != 0) {
		b->is_failed = true;
		return FED_ENOMEM;
	}
	return 0;
}

char *buf_reserve(struct buf *b, size_t n)
{
	return make_room(b, n) == 0 ? b->data + b->end : NULL;
}

void buf_commit(struct buf *b, size_t n)
{
	if (FED_CHECK(n <= b->cap - b->end))
		b->end += n;
}

int buf_put(struct buf *b, const void *p, size_t n)
{
	int err = make_room(b, n);

	if (err != 0)
		return err;
	if (n > 0)
		memcpy(b->data + b->end, p, n);
	b->end += n;
	return 0;
}

int buf_put_span(struct buf *b, struct span s)
{
	return buf_put(b, s.p, s.n);
}

int buf_put_str(struct buf *b, const char *s)
{
	return buf_put(b, s, strlen(s));
}

int buf_put_byte(struct buf *b, char c)
{
	return buf_put(b, &c, 1);
}

int buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;
	int err;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return FED_EINVAL;
	err = make_room(b, (size_t)n);
	if (err != 0)
		return err;
	(void)vsnprintf(b->data + b->end, (size_t)n + 1, fmt, ap);
	b->end += (size_t)n;
	return 0;
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = buf_vprintf(b, fmt, ap);
	va_end(ap);
	return err;
}

void buf_truncate(struct buf *b, size_t n)
{
	if (n < buf_len(b))
		b->end = b->start + n;
}

void buf_consume(struct buf *b, size_t n)
{
	b->start += n < b->end - b->start ? n : b->end - b->start;
	if (b->start == b->end) {
		b->start = 0;
		b->end = 0;
	}
}

const char *buf_cstr(struct buf *b)
{
	if (b->cap == b->end && make_room(b, 0) != 0)
		return NULL;
	b->data[b->end] = '\0';
	return b->data + b->start;
}
