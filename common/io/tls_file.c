/* A certificate file, parsed for its facts alone. */
#include "io/tls_file.h"

#include <stdlib.h>
#include <string.h>

#include "io/tls_priv.h"

struct tls_file {
	mbedtls_x509_crt chain;
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
