/* Character sets by iconv, filter for XML 1.0. */
#include "fe-gateway/core/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"

/* LIMIT: iconv loads a module per name, so only names of this list reach it:
 * what instant messaging clients were seen to send, and the families of them
 * that have registered names. */
static const char *const CHARSETS[] = {
	"iso-8859-1",	"iso-8859-2",	"iso-8859-3",	"iso-8859-4",
	"iso-8859-5",	"iso-8859-6",	"iso-8859-7",	"iso-8859-8",
	"iso-8859-9",	"iso-8859-10",	"iso-8859-13",	"iso-8859-14",
	"iso-8859-15",	"iso-8859-16",	"windows-1250", "windows-1251",
	"windows-1252", "windows-1253", "windows-1254", "windows-1255",
	"windows-1256", "windows-1257", "windows-1258", "koi8-r",
	"koi8-u",	"utf-16",	"utf-16le",	"utf-16be",
	"shift_jis",	"euc-jp",	"iso-2022-jp",	"gb2312",
	"gbk",		"gb18030",	"big5",		"euc-kr",
	"tis-620",	"us-ascii",
};

/* Bytes of the UTF-8 sequence at p that XML 1.0 must not see; 0: it may.
 * The input is valid UTF-8, so look-ahead stays inside. */
static size_t forbidden_at(const unsigned char *p, size_t n)
{
	if (p[0] < 0x20 && p[0] != '\t' && p[0] != '\n' && p[0] != '\r')
		return 1;
	/* U+FFFE and U+FFFF; U+FEFF is dropped as a stray byte order mark */
	if (n >= 3 && p[0] == 0xEF && p[1] == 0xBF &&
	    (p[2] == 0xBE || p[2] == 0xBF))
		return 3;
	if (n >= 3 && p[0] == 0xEF && p[1] == 0xBB && p[2] == 0xBF)
		return 3;
	return 0;
}

/* A NUL is UTF-8 but no text: it is taken out before the check. */
static bool is_utf8_but_nul(struct span in)
{
	size_t from = 0;

	for (;;) {
		size_t nul = span_find(in, '\0', from);
		size_t to = nul == SIZE_MAX ? in.n : nul;

		if (!span_is_utf8(span_sub(in, from, to)))
			return false;
		if (nul == SIZE_MAX)
			return true;
		from = nul + 1;
	}
}

int charset_strip(struct span utf8, struct buf *out)
{
	size_t clean = 0; /* start of the run not yet copied */
	size_t i = 0;
	int err;

	if (!is_utf8_but_nul(utf8))
		return FED_EENCODING;
	while (i < utf8.n) {
		const unsigned char *p = (const unsigned char *)utf8.p + i;
		size_t bad = forbidden_at(p, utf8.n - i);

		if (bad == 0) {
			i++;
			continue;
		}
		err = buf_put_span(out, span_sub(utf8, clean, i));
		if (err != 0)
			return err;
		i += bad;
		clean = i;
	}
	return buf_put_span(out, span_sub(utf8, clean, utf8.n));
}

static const char *find_charset(struct span name)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(CHARSETS); i++)
		if (span_ieq(name, span_str(CHARSETS[i])))
			return CHARSETS[i];
	return NULL;
}

/* All of `in` through the converter, then its final shift state. */
static int run_iconv(iconv_t cd, struct span in, struct buf *out)
{
	/* iconv() does not write through its input pointer */
	char *p = (char *)(uintptr_t)in.p;
	size_t left = in.n;

	for (;;) {
		size_t room = left * 2 + 64;
		char *start = buf_reserve(out, room);
		char *at = start;
		size_t r;

		if (start == NULL)
			return FED_ELIMIT;
		r = iconv(cd, left > 0 ? &p : NULL, &left, &at, &room);
		buf_commit(out, (size_t)(at - start));
		if (r != (size_t)-1)
			return 0;
		if (errno != E2BIG)
			return FED_EENCODING;
	}
}

int charset_to_text(struct span in, struct span charset, struct buf *out)
{
	const char *name;
	struct buf utf8;
	iconv_t cd;
	int err;

	if (charset.n == 0 || span_ieq(charset, SPAN_LIT("utf-8")) ||
	    span_ieq(charset, SPAN_LIT("utf8")))
		return charset_strip(in, out);
	name = find_charset(charset);
	if (name == NULL)
		return FED_ENOTFOUND;
	cd = iconv_open("UTF-8", name);
	if (cd == (iconv_t)-1)
		return errno == ENOMEM ? FED_ENOMEM : FED_ENOTFOUND;
	buf_init(&utf8, LIMIT_STANZA_BYTES);
	err = run_iconv(cd, in, &utf8);
	iconv_close(cd);
	if (err == 0)
		err = charset_strip(buf_span(&utf8), out);
	buf_deinit(&utf8);
	return err;
}
