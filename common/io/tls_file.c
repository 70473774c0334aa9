/* A certificate file, parsed for its facts alone. */
#include "io/tls_file.h"

#include <stdlib.h>
#include <string.h>

#include "io/tls_priv.h"

struct tls_file {
	mbedtls_x509_crt chain;
};

struct tls_trust {
	mbedtls_x509_crt anchors;
	mbedtls_x509_crl crl;
	bool has_crl;
};

int tls_file_new(struct tls_file **f_out, const char *file, bool is_bundle,
		 struct errbuf *e)
{
	struct tls_file *f = calloc(1, sizeof(*f));
	int err;

	if (f == NULL)
		return FED_ENOMEM;
	mbedtls_x509_crt_init(&f->chain);
	err = tls_compat_start() == 0
		      ? tls_load_certs(file, is_bundle, &f->chain, e)
		      : FED_ENOMEM;
	if (err != 0) {
		tls_file_free(f);
		return err;
	}
	*f_out = f;
	return 0;
}

void tls_file_free(struct tls_file *f)
{
	if (f == NULL)
		return;
	mbedtls_x509_crt_free(&f->chain);
	free(f);
}

struct span tls_file_der(const struct tls_file *f)
{
	return span_of(f->chain.raw.p, f->chain.raw.len);
}

size_t tls_file_count(const struct tls_file *f)
{
	const mbedtls_x509_crt *c = &f->chain;
	size_t n = 0;

	for (; c != NULL && c->raw.p != NULL; c = c->next)
		n++;
	return n;
}

struct span tls_file_der_at(const struct tls_file *f, size_t i)
{
	const mbedtls_x509_crt *c = &f->chain;

	while (i-- > 0 && c != NULL)
		c = c->next;
	return c == NULL ? SPAN_NULL : span_of(c->raw.p, c->raw.len);
}

int tls_trust_new(struct tls_trust **t_out, const char *trust_file,
		  const char *crl_file, struct errbuf *e)
{
	struct tls_trust *t = calloc(1, sizeof(*t));
	int err;

	*t_out = NULL;
	if (t == NULL)
		return FED_ENOMEM;
	mbedtls_x509_crt_init(&t->anchors);
	mbedtls_x509_crl_init(&t->crl);
	t->has_crl = crl_file != NULL;
	err = tls_compat_start() == 0
		      ? tls_load_certs(trust_file, true, &t->anchors, e)
		      : FED_ENOMEM;
	if (err == 0 && crl_file != NULL)
		err = tls_load_crl(crl_file, &t->crl, e);
	if (err != 0) {
		tls_trust_free(t);
		return err;
	}
	*t_out = t;
	return 0;
}

void tls_trust_free(struct tls_trust *t)
{
	if (t == NULL)
		return;
	mbedtls_x509_crt_free(&t->anchors);
	mbedtls_x509_crl_free(&t->crl);
	free(t);
}

int64_t tls_trust_crl_until_ms(const struct tls_trust *t)
{
	return t->has_crl ? tls_crl_until_ms(&t->crl, 0) : INT64_MAX;
}

void tls_file_verify(struct tls_file *f, struct tls_trust *trust,
		     char *problem_out, size_t problem_size)
{
	uint32_t flags = 0;

	if (mbedtls_x509_crt_verify(&f->chain, &trust->anchors,
				    trust->has_crl ? &trust->crl : NULL, NULL,
				    &flags, NULL, NULL) != 0 &&
	    flags == 0)
		flags = UINT32_MAX;
	tls_verify_explain(flags, &f->chain, problem_out, problem_size);
}

bool tls_file_has_name(const struct tls_file *f, const char *name)
{
	return tls_verify_name(&f->chain, name);
}

void tls_file_dates(const struct tls_file *f, int64_t *from_ms_out,
		    int64_t *to_ms_out)
{
	*from_ms_out = tls_verify_time_ms(&f->chain.valid_from);
	*to_ms_out = tls_verify_time_ms(&f->chain.valid_to);
}

bool tls_file_has_anchor(const struct tls_file *f)
{
	const mbedtls_x509_crt *c = &f->chain;

	for (; c != NULL; c = c->next)
		if (tls_compat_is_ca(c) ||
		    (c->subject_raw.len == c->issuer_raw.len &&
		     memcmp(c->subject_raw.p, c->issuer_raw.p,
			    c->subject_raw.len) == 0))
			return true;
	return false;
}

int tls_file_check_crl(const char *file, int64_t *until_ms_out,
		       struct errbuf *e)
{
	mbedtls_x509_crl crl;
	int err;

	mbedtls_x509_crl_init(&crl);
	err = tls_load_crl(file, &crl, e);
	if (err == 0)
		*until_ms_out = tls_crl_until_ms(&crl, 0);
	mbedtls_x509_crl_free(&crl);
	return err;
}
