/* Domain names: ASCII by a table walk, all else through libidn2. */
#include "xmpp/domain.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <string.h>

#include "xmpp/jid.h"
#include "xmpp/precis.h"

/* RFC 1035 2.3.4 */
enum { DNS_LABEL_BYTES = 63, DNS_NAME_BYTES = 253 };

static int put(struct span s, char *out, size_t out_size, size_t *n_out)
{
	if (s.n >= out_size)
		return FED_ELIMIT;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	*n_out = s.n;
	return 0;
}

static bool is_a_label(const char *p, size_t n)
{
	return n >= 4 && (p[0] | 32) == 'x' && (p[1] | 32) == 'n' &&
	       p[2] == '-' && p[3] == '-';
}

/* Lower-case letter, digit or hyphen of a host name; 0: another byte. */
static char ldh(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')
		return c;
	return (c >= 'A' && c <= 'Z') ? (char)(c + 32) : '\0';
}

/* One label of letters, digits and hyphens, from in.p[at]; its bytes go to the
 * same place of out.  *end_out is where it stopped. */
static int copy_label(struct span in, size_t at, char *out, size_t *end_out)
{
	size_t i = at;

	for (; i < in.n && in.p[i] != '.'; i++) {
		char c = ldh(in.p[i]);

		if (c == '\0')
			return (in.p[i] & 0x80) != 0 ? FED_EAGAIN : FED_EINVAL;
		out[i] = c;
	}
	if (i == at || in.p[at] == '-' || in.p[i - 1] == '-')
		return FED_EINVAL;
	if (i - at > DNS_LABEL_BYTES)
		return FED_ELIMIT;
	*end_out = i;
	return is_a_label(in.p + at, i - at) ? FED_EAGAIN : 0;
}

/* A name of plain ASCII labels.  FED_EAGAIN: this one needs libidn2. */
static int normalize_ascii(struct span in, char *out, size_t out_size,
			   size_t *n_out)
{
	size_t at = 0;

	if (in.n > DNS_NAME_BYTES || in.n >= out_size)
		return in.n > LIMIT_DOMAIN_BYTES ? FED_ELIMIT : FED_EAGAIN;
	for (;;) {
		int err = copy_label(in, at, out, &at);

		if (err != 0)
			return err;
		if (at == in.n)
			break;
		out[at++] = '.';
	}
	out[in.n] = '\0';
	*n_out = in.n;
	return 0;
}

static int idn_error(int rc)
{
	switch (rc) {
	case IDN2_OK:
		return 0;
	case IDN2_MALLOC:
		return FED_ENOMEM;
	case IDN2_TOO_BIG_LABEL:
	case IDN2_TOO_BIG_DOMAIN:
		return FED_ELIMIT;
	default:
		return FED_EINVAL;
	}
}

/* By IDNA2008 alone: with its UTS 46 tables libidn2 2.3 silently drops what
 * maps to a character that host names do not have, such as U+FF20. */
static int lookup(const char *in, char **ascii_out)
{
	uint8_t *ascii = NULL;
	int rc = idn2_lookup_u8((const uint8_t *)in, &ascii,
				IDN2_NO_TR46 | IDN2_USE_STD3_ASCII_RULES);

	*ascii_out = (char *)ascii;
	return idn_error(rc);
}

struct idn_forms {
	char *ascii;
	char *unicode;
};

static void idn_forms_free(struct idn_forms *f)
{
	idn2_free(f->ascii);
	idn2_free(f->unicode);
}

/* Encoding and mapping the U-labels again lead back to themselves: finds false
 * A-labels, and what two hosts would write in two ways. */
static int check_forms(const struct idn_forms *f)
{
	char text[LIMIT_DOMAIN_BYTES + 1];
	char *again = NULL;
	size_t n = 0;
	int err = lookup(f->unicode, &again);

	if (err == 0 && strcmp(again, f->ascii) != 0)
		err = FED_EINVAL;
	idn2_free(again);
	if (err == 0)
		err = precis_map_domain(span_str(f->unicode), text,
					sizeof(text), &n);
	if (err == 0 && strcmp(text, f->unicode) != 0)
		err = FED_EINVAL;
	return err;
}

static int make_forms(const char *in, struct idn_forms *f)
{
	int err = lookup(in, &f->ascii);

	if (err == 0)
		err = idn_error(idn2_to_unicode_8z8z(f->ascii, &f->unicode, 0));
	if (err == 0)
		err = check_forms(f);
	if (err == 0 && strlen(f->ascii) > DNS_NAME_BYTES)
		err = FED_ELIMIT;
	return err;
}

/* Every label of the ASCII form is a host name's: libidn2 leaves this open for
 * labels that have nothing to encode. */
static bool is_host_name(const char *ascii)
{
	struct span in = span_str(ascii);
	char scratch[DNS_NAME_BYTES + 1];
	size_t at = 0;

	if (in.n > DNS_NAME_BYTES)
		return false;
	for (;;) {
		int err = copy_label(in, at, scratch, &at);

		/* here FED_EAGAIN can only mean an A-label */
		if (err != 0 && err != FED_EAGAIN)
			return false;
		if (at == in.n)
			return true;
		at++;
	}
}

static int normalize_idn(struct span in, bool is_ascii_wanted, char *out,
			 size_t out_size, size_t *n_out)
{
	char text[LIMIT_DOMAIN_BYTES + 1];
	struct idn_forms f = {NULL, NULL};
	size_t n;
	int err;

	err = precis_map_domain(in, text, sizeof(text), &n);
	if (err == 0)
		err = make_forms(text, &f);
	if (err == 0 && !is_host_name(f.ascii))
		err = FED_EINVAL;
	if (err == 0)
		err = put(span_str(is_ascii_wanted ? f.ascii : f.unicode), out,
			  out_size, n_out);
	idn_forms_free(&f);
	return err;
}

/* [IPv6], RFC 7622 3.2; one spelling for one address (RFC 5952). */
static int normalize_ip6(struct span in, char *out, size_t out_size,
			 size_t *n_out)
{
	char text[INET6_ADDRSTRLEN + 2];
	struct in6_addr addr;
	size_t n = 0;

	if (in.n < 4 || in.n > INET6_ADDRSTRLEN + 1 || in.p[in.n - 1] != ']' ||
	    !span_is_utf8(in))
		return FED_EINVAL;
	if (put(span_sub(in, 1, in.n - 1), text, sizeof(text), &n) != 0 ||
	    inet_pton(AF_INET6, text, &addr) != 1)
		return FED_EINVAL;
	text[0] = '[';
	if (inet_ntop(AF_INET6, &addr, text + 1, INET6_ADDRSTRLEN) == NULL)
		return FED_EINVAL;
	n = strlen(text);
	text[n] = ']';
	return put(span_of(text, n + 1), out, out_size, n_out);
}

static int normalize(struct span in, bool is_ascii_wanted, char *out,
		     size_t out_size, size_t *n_out)
{
	int err;

	if (in.n > 0 && in.p[in.n - 1] == '.') /* RFC 7622 3.2 */
		in.n--;
	if (in.n == 0 || out_size == 0)
		return FED_EINVAL;
	if (in.p[0] == '[')
		return normalize_ip6(in, out, out_size, n_out);
	err = normalize_ascii(in, out, out_size, n_out);
	if (err != FED_EAGAIN)
		return err;
	return normalize_idn(in, is_ascii_wanted, out, out_size, n_out);
}

int domain_normalize_n(struct span in, char *out, size_t out_size,
		       size_t *n_out)
{
	return normalize(in, false, out, out_size, n_out);
}

int domain_normalize(struct span in, char *out, size_t out_size)
{
	size_t n = 0;

	return normalize(in, false, out, out_size, &n);
}

int domain_to_ascii(struct span in, char *out, size_t out_size)
{
	size_t n = 0;

	return normalize(in, true, out, out_size, &n);
}
