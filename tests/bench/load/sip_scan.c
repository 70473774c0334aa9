/* Lines of a SIP message. */
#include "tests/bench/load/sip_scan.h"

#include <string.h>

static struct span next_line(struct span *rest)
{
	size_t end = span_find(*rest, '\n', 0);
	struct span line = span_sub(*rest, 0, end == SIZE_MAX ? end : end + 1);

	*rest = span_sub(*rest, line.n, SIZE_MAX);
	return line;
}

static bool is_field(struct span line, const char *name)
{
	struct span want = span_str(name);

	return span_ieq(span_sub(line, 0, want.n), want) && line.n > want.n &&
	       line.p[want.n] == ':';
}

struct span sip_scan_field(const struct sip_scan *m, const char *name)
{
	struct span rest = m->head;

	while (rest.n > 0) {
		struct span line = next_line(&rest);

		if (is_field(line, name))
			return span_trim(
				span_sub(line, strlen(name) + 1, SIZE_MAX));
	}
	return SPAN_NULL;
}

int sip_scan(struct span in, struct sip_scan *out, size_t *used_out)
{
	size_t crlf = 0;
	uint32_t length = 0;
	const char *end;
	struct span text;

	while (crlf < in.n && (in.p[crlf] == '\r' || in.p[crlf] == '\n'))
		crlf++;
	*used_out = crlf;
	in = span_sub(in, crlf, SIZE_MAX);
	end = in.n > 0 ? memmem(in.p, in.n, "\r\n\r\n", 4) : NULL;
	if (end == NULL)
		return FED_EAGAIN;
	out->head = span_sub(in, 0, (size_t)(end - in.p) + 2);
	text = sip_scan_field(out, "Content-Length");
	if (text.n > 0 && span_to_u32(text, &length) != 0)
		return FED_EPROTO;
	if (in.n - out->head.n - 2 < length)
		return FED_EAGAIN;
	out->body = span_sub(in, out->head.n + 2, out->head.n + 2 + length);
	*used_out = crlf + out->head.n + 2 + length;
	return 0;
}

int sip_scan_feed(struct buf *input, struct span bytes,
		  void (*fn)(const struct sip_scan *m, void *arg), void *arg)
{
	int err = buf_put_span(input, bytes);

	while (err == 0) {
		struct sip_scan m;
		size_t used;

		err = sip_scan(buf_span(input), &m, &used);
		if (err == 0)
			fn(&m, arg);
		buf_consume(input, used);
	}
	return err == FED_EAGAIN ? 0 : err;
}

static void put_to(struct span line, const char *tag, struct buf *out)
{
	struct span to = span_trim(line);

	buf_put_span(out, to);
	if (memmem(to.p, to.n, ";tag=", 5) == NULL)
		buf_printf(out, ";tag=%s", tag);
	buf_put_str(out, "\r\n");
}

/* RFC 3261 8.2.6.2 */
int sip_scan_answer(const struct sip_scan *m, const char *tag, const char *more,
		    struct buf *out)
{
	static const char *const copied[] = {"Via", "From", "Call-ID", "CSeq"};
	struct span rest = m->head;

	buf_put_str(out, "SIP/2.0 200 OK\r\n");
	while (rest.n > 0) {
		struct span line = next_line(&rest);

		for (size_t i = 0; i < FED_ARRAY_LEN(copied); i++)
			if (is_field(line, copied[i]))
				buf_put_span(out, line);
		if (is_field(line, "To"))
			put_to(line, tag, out);
	}
	buf_put_str(out, more);
	return buf_put_str(out, "Content-Length: 0\r\n\r\n");
}
