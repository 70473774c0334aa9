/* PEM files to parsed certificates and keys, with clear refusals. */
#include <string.h>

#include "base/buf.h"
#include "io/file_read.h"
#include "io/tls_priv.h"

/* LIMIT: a trust bundle of all public CAs has some 300 KB. */
enum { TLS_FILE_MAX = 8 * 1024 * 1024 };

/* The library's words for "nothing there" would not help anyone. */
static int want_pem(const struct buf *pem, const char *file, const char *marker,
		    const char *what, struct errbuf *e)
{
	struct span s = buf_span(pem);

	if (memmem(s.p, s.n, marker, strlen(marker)) != NULL)
		return 0;
	errbuf_set(e, "%s: no %s in it (PEM is expected)", file, what);
	return FED_ECONFIG;
}

/* Whole file, NUL-terminated, as mbedTLS wants PEM.  The caller deinits pem,
 * also after a failure. */
static int read_pem(const char *file, const char *marker, const char *what,
		    struct buf *pem, struct errbuf *e)
{
	int err;

	buf_init(pem, TLS_FILE_MAX);
	err = file_read(file, pem, e);
	if (err == 0)
		err = want_pem(pem, file, marker, what, e);
	if (err == 0 && buf_put_byte(pem, '\0') != 0)
		err = FED_ENOMEM;
	return err;
}

static const char *tls_text(int rc, char *out, size_t n)
{
	mbedtls_strerror(rc, out, n);
	return out;
}

static int cert_error(const char *file, int rc, struct errbuf *e)
{
	char why[128];

	if (rc == MBEDTLS_ERR_X509_ALLOC_FAILED)
		return FED_ENOMEM;
	if (rc > 0)
		errbuf_set(e, "%s: %d of its certificates cannot be read", file,
			   rc);
	else
		errbuf_set(e, "%s: not a usable certificate: %s", file,
			   tls_text(rc, why, sizeof(why)));
	return FED_ECONFIG;
}

int tls_load_certs(const char *file, bool is_bundle, mbedtls_x509_crt *out,
		   struct errbuf *e)
{
	struct buf pem;
	int err;
	int rc;

	err = read_pem(file, "-----BEGIN CERTIFICATE-----", "certificate", &pem,
		       e);
	if (err == 0) {
		struct span s = buf_span(&pem);

		rc = mbedtls_x509_crt_parse(out, (const unsigned char *)s.p,
					    s.n);
		if (out->raw.p == NULL || rc < 0 || (rc > 0 && !is_bundle))
			err = cert_error(file, rc, e);
	}
	buf_deinit(&pem);
	return err;
}

int tls_load_crl(const char *file, mbedtls_x509_crl *out, struct errbuf *e)
{
	struct buf pem;
	char why[128];
	int err;
	int rc = 0;

	err = read_pem(file, "-----BEGIN X509 CRL-----", "revocation list",
		       &pem, e);
	if (err == 0) {
		struct span s = buf_span(&pem);

		rc = mbedtls_x509_crl_parse(out, (const unsigned char *)s.p,
					    s.n);
	}
	buf_deinit(&pem);
	if (rc == 0)
		return err;
	if (rc == MBEDTLS_ERR_X509_ALLOC_FAILED)
		return FED_ENOMEM;
	errbuf_set(e, "%s: not a usable revocation list: %s", file,
		   tls_text(rc, why, sizeof(why)));
	return FED_ECONFIG;
}

static int key_error(const char *file, int rc, struct errbuf *e)
{
	char why[128];

	if (rc == MBEDTLS_ERR_PK_ALLOC_FAILED)
		return FED_ENOMEM;
	if (rc == MBEDTLS_ERR_PK_PASSWORD_REQUIRED ||
	    rc == MBEDTLS_ERR_PK_PASSWORD_MISMATCH)
		errbuf_set(e,
			   "%s: the private key is encrypted; one without "
			   "password is expected",
			   file);
	else
		errbuf_set(e, "%s: not a usable private key: %s", file,
			   tls_text(rc, why, sizeof(why)));
	return FED_ECONFIG;
}

int tls_load_key(const char *file, mbedtls_pk_context *out,
		 mbedtls_ctr_drbg_context *rng, struct errbuf *e)
{
	struct buf pem;
	int err;
	int rc;

	err = read_pem(file, "PRIVATE KEY-----", "private key", &pem, e);
	if (err == 0) {
		struct span s = buf_span(&pem);

		rc = tls_compat_parse_key(out, (const unsigned char *)s.p, s.n,
					  rng);
		if (rc != 0)
			err = key_error(file, rc, e);
	}
	buf_deinit(&pem);
	return err;
}
