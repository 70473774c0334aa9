/* TLS credentials: files to ready-made configurations, with clear refusals. */
#include "io/tls_creds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "io/tls_priv.h"

/* LIMIT: a trust bundle of all public CAs has some 300 KB. */
enum { TLS_FILE_MAX = 8 * 1024 * 1024 };

static const int suites[] = {
	TLS_COMPAT_SUITES_13 /* none in 2.28 */
		MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	0,
};

/* ---- files --------------------------------------------------------------- */

/* Whole file, NUL-terminated, as mbedTLS wants PEM. */
static int read_file(const char *file, struct buf *out, struct errbuf *e)
{
	FILE *f = fopen(file, "re");
	char *room = NULL;
	size_t n = 0;

	if (f == NULL) {
		errbuf_set(e, "%s: cannot open: %s", file, strerror(errno));
		return FED_ECONFIG;
	}
	do {
		room = buf_reserve(out, 4096);
		n = room == NULL ? 0 : fread(room, 1, 4096, f);
		buf_commit(out, n);
	} while (n > 0);
	if (room == NULL)
		errbuf_set(e, "%s: too large for a PEM file", file);
	else if (ferror(f))
		errbuf_set(e, "%s: cannot read: %s", file, strerror(errno));
	n = room == NULL || ferror(f);
	(void)fclose(f);
	if (n == 0 && buf_put_byte(out, '\0') == 0)
		return 0;
	return FED_ECONFIG;
}

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

/* A bundle of anchors may hold some that the library does not understand;
 * our own chain may not. */
static int load_certs(const char *file, bool is_bundle, mbedtls_x509_crt *out,
		      struct errbuf *e)
{
	struct buf pem;
	int err;
	int rc;

	buf_init(&pem, TLS_FILE_MAX);
	err = read_file(file, &pem, e);
	if (err == 0)
		err = want_pem(&pem, file, "-----BEGIN CERTIFICATE-----",
			       "certificate", e);
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

static int load_key(const char *file, mbedtls_pk_context *out,
		    mbedtls_ctr_drbg_context *rng, struct errbuf *e)
{
	struct buf pem;
	int err;
	int rc;

	buf_init(&pem, TLS_FILE_MAX);
	err = read_file(file, &pem, e);
	if (err == 0)
		err = want_pem(&pem, file, "PRIVATE KEY-----", "private key",
			       e);
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

static int check_pair(struct tls_entry *n, const struct tls_identity *id,
		      mbedtls_ctr_drbg_context *rng, struct errbuf *e)
{
	const mbedtls_x509_crt *c;

	if (tls_compat_check_pair(&n->chain.pk, &n->key, rng) == 0)
		return 0;
	for (c = n->chain.next; c != NULL; c = c->next) {
		if (tls_compat_check_pair(&c->pk, &n->key, rng) != 0)
			continue;
		errbuf_set(e, "%s: the end certificate must come first",
			   id->cert_file);
		return FED_ECONFIG;
	}
	errbuf_set(e, "%s: the key does not fit the certificate of %s",
		   id->key_file, id->cert_file);
	return FED_ECONFIG;
}

/* ---- configurations ------------------------------------------------------ */

static struct tls_entry *find_entry(const struct tls_creds *c, struct span name)
{
	for (size_t i = 0; i < c->entry_count; i++)
		if (c->entries[i].has_configs &&
		    span_ieq(span_str(c->entries[i].name), name))
			return &c->entries[i];
	return NULL;
}

static struct tls_entry *find_sni(const struct tls_creds *c, struct span name)
{
	for (size_t i = 0; i < c->entry_count; i++)
		if (c->entries[i].has_configs &&
		    span_ieq(span_str(c->entries[i].sni), name))
			return &c->entries[i];
	return NULL;
}

/* The owner named the identity (STARTTLS: the stream header said it). */
static int on_sni_known(void *arg, mbedtls_ssl_context *ssl,
			const unsigned char *name, size_t n)
{
	(void)arg;
	tls_engine_note_sni(ssl, span_of(name, n));
	return 0;
}

/* Direct TLS: an unknown name gets the default certificate, the stream header
 * decides later. */
static int on_sni(void *arg, mbedtls_ssl_context *ssl,
		  const unsigned char *name, size_t n)
{
	struct tls_creds *c = arg;
	struct tls_entry *entry = find_sni(c, span_of(name, n));

	tls_engine_note_sni(ssl, span_of(name, n));
	if (entry == NULL)
		return 0;
	for (size_t i = 0; i < c->entry_count; i++) {
		struct tls_entry *it = &c->entries[i];

		if (span_ieq(span_str(it->name), span_str(entry->name)) &&
		    mbedtls_ssl_set_hs_own_cert(ssl, &it->chain, &it->key) != 0)
			return -1;
	}
	return 0;
}

static int authmode(enum tls_verify verify)
{
	return verify == TLS_VERIFY_REQUIRED ? MBEDTLS_SSL_VERIFY_REQUIRED
					     : MBEDTLS_SSL_VERIFY_OPTIONAL;
}

static int init_config(struct tls_creds *c, mbedtls_ssl_config *conf,
		       enum tls_side side)
{
	if (mbedtls_ssl_config_defaults(conf,
					side == TLS_SERVER
						? MBEDTLS_SSL_IS_SERVER
						: MBEDTLS_SSL_IS_CLIENT,
					MBEDTLS_SSL_TRANSPORT_STREAM,
					MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return FED_ENOMEM;
	mbedtls_ssl_conf_rng(conf, mbedtls_ctr_drbg_random, &c->rng);
	tls_compat_min_version(conf);
	mbedtls_ssl_conf_ciphersuites(conf, suites);
	mbedtls_ssl_conf_ca_chain(conf, c->has_trust ? &c->trust : NULL, NULL);
	/* a server asks for a certificate in both modes */
	mbedtls_ssl_conf_authmode(conf, authmode(c->verify));
	mbedtls_ssl_conf_verify(conf, tls_verify_callback, NULL);
	mbedtls_ssl_conf_renegotiation(conf,
				       MBEDTLS_SSL_RENEGOTIATION_DISABLED);
	mbedtls_ssl_conf_legacy_renegotiation(
		conf, MBEDTLS_SSL_LEGACY_NO_RENEGOTIATION);
	/* No resumption: a 2.28 ticket keeps the end certificate without its
	 * chain, so the chain could not be judged anew. */
	if (side == TLS_CLIENT)
		mbedtls_ssl_conf_session_tickets(
			conf, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
	else /* the names of all public CAs do not fit in a record */
		mbedtls_ssl_conf_cert_req_ca_list(
			conf, MBEDTLS_SSL_CERT_REQ_CA_LIST_DISABLED);
	if (side == TLS_SERVER)
		mbedtls_ssl_conf_sni(conf, on_sni_known, NULL);
	return 0;
}

static void zero_configs(struct tls_configs *configs)
{
	mbedtls_ssl_config_init(&configs->plain);
	mbedtls_ssl_config_init(&configs->direct);
}

static void free_configs(struct tls_configs *configs)
{
	mbedtls_ssl_config_free(&configs->plain);
	mbedtls_ssl_config_free(&configs->direct);
}

static int init_configs(struct tls_creds *c, struct tls_configs *configs,
			enum tls_side side)
{
	int err = init_config(c, &configs->plain, side);

	if (err == 0)
		err = init_config(c, &configs->direct, side);
	if (err == 0 && c->alpn != NULL &&
	    mbedtls_ssl_conf_alpn_protocols(&configs->direct, c->alpn_list) !=
		    0)
		return FED_EINVAL;
	return err;
}

static int add_own(struct tls_configs *configs, struct tls_entry *entry)
{
	if (mbedtls_ssl_conf_own_cert(&configs->plain, &entry->chain,
				      &entry->key) != 0 ||
	    mbedtls_ssl_conf_own_cert(&configs->direct, &entry->chain,
				      &entry->key) != 0)
		return FED_ENOMEM;
	return 0;
}

static int add_configs(struct tls_creds *c, struct tls_entry *entry)
{
	struct tls_entry *first = find_entry(c, span_str(entry->name));
	int err;

	if (first == NULL) {
		first = entry;
		first->has_configs = true;
		zero_configs(&first->server);
		zero_configs(&first->client);
		err = init_configs(c, &first->server, TLS_SERVER);
		if (err == 0)
			err = init_configs(c, &first->client, TLS_CLIENT);
		if (err != 0)
			return err;
	}
	err = add_own(&first->server, entry);
	return err == 0 ? add_own(&first->client, entry) : err;
}

/* The first identity is shown when SNI asks for none of ours. */
static int init_any(struct tls_creds *c)
{
	int err = init_configs(c, &c->any, TLS_SERVER);

	mbedtls_ssl_conf_sni(&c->any.plain, on_sni, c);
	mbedtls_ssl_conf_sni(&c->any.direct, on_sni, c);
	for (size_t i = 0; err == 0 && i < c->entry_count; i++)
		if (span_ieq(span_str(c->entries[i].name),
			     span_str(c->entries[0].name)))
			err = add_own(&c->any, &c->entries[i]);
	return err;
}

static int add_identity(struct tls_creds *c, const struct tls_identity *id,
			struct errbuf *e)
{
	struct tls_entry *entry = &c->entries[c->entry_count];
	int err;

	mbedtls_x509_crt_init(&entry->chain);
	mbedtls_pk_init(&entry->key);
	entry->name = strdup(id->name);
	entry->sni = strdup(id->sni != NULL ? id->sni : id->name);
	c->entry_count++;
	if (entry->name == NULL || entry->sni == NULL)
		return FED_ENOMEM;
	err = load_certs(id->cert_file, false, &entry->chain, e);
	if (err == 0)
		err = load_key(id->key_file, &entry->key, &c->rng, e);
	if (err == 0)
		err = check_pair(entry, id, &c->rng, e);
	return err == 0 ? add_configs(c, entry) : err;
}

static const struct tls_configs *find_configs(const struct tls_creds *c,
					      const struct tls_params *p)
{
	const struct tls_entry *entry;

	if (p->identity == NULL && p->side == TLS_CLIENT)
		return &c->anonymous;
	if (p->identity == NULL)
		return c->entry_count > 0 ? &c->any : NULL;
	entry = find_entry(c, span_str(p->identity));
	if (entry == NULL)
		return NULL;
	return p->side == TLS_SERVER ? &entry->server : &entry->client;
}

const mbedtls_ssl_config *tls_creds_config(const struct tls_creds *c,
					   const struct tls_params *p)
{
	const struct tls_configs *configs = find_configs(c, p);

	if (configs == NULL)
		return NULL;
	return p->is_direct ? &configs->direct : &configs->plain;
}

/* ---- life ---------------------------------------------------------------- */

static void creds_free(struct tls_creds *c)
{
	for (size_t i = 0; i < c->entry_count; i++) {
		struct tls_entry *entry = &c->entries[i];

		if (entry->has_configs) {
			free_configs(&entry->server);
			free_configs(&entry->client);
		}
		mbedtls_x509_crt_free(&entry->chain);
		mbedtls_pk_free(&entry->key);
		free(entry->name);
		free(entry->sni);
	}
	free(c->entries);
	free_configs(&c->anonymous);
	free_configs(&c->any);
	mbedtls_x509_crt_free(&c->trust);
	mbedtls_ctr_drbg_free(&c->rng);
	mbedtls_entropy_free(&c->entropy);
	free(c->alpn);
	free(c);
}

static struct tls_creds *creds_alloc(const struct tls_creds_params *p)
{
	struct tls_creds *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->refs = 1;
	c->verify = p->verify;
	mbedtls_entropy_init(&c->entropy);
	mbedtls_ctr_drbg_init(&c->rng);
	mbedtls_x509_crt_init(&c->trust);
	zero_configs(&c->anonymous);
	zero_configs(&c->any);
	c->entries = calloc(p->identity_count + 1, sizeof(*c->entries));
	c->alpn = p->alpn == NULL ? NULL : strdup(p->alpn);
	c->alpn_list[0] = c->alpn;
	if (c->entries == NULL || (p->alpn != NULL && c->alpn == NULL)) {
		creds_free(c);
		return NULL;
	}
	return c;
}

static int load_trust(struct tls_creds *c, const struct tls_creds_params *p,
		      struct errbuf *e)
{
	if (p->trust_file == NULL && p->verify == TLS_VERIFY_REQUIRED) {
		errbuf_set(e, "a file of trusted certificates is required");
		return FED_ECONFIG;
	}
	if (p->trust_file == NULL)
		return 0;
	c->has_trust = true;
	return load_certs(p->trust_file, true, &c->trust, e);
}

static int load_all(struct tls_creds *c, const struct tls_creds_params *p,
		    struct errbuf *e)
{
	int err;

	if (tls_compat_start() != 0 ||
	    mbedtls_ctr_drbg_seed(&c->rng, mbedtls_entropy_func, &c->entropy,
				  NULL, 0) != 0) {
		errbuf_set(e, "the system gives no randomness");
		return FED_ECONFIG;
	}
	err = load_trust(c, p, e);
	if (err == 0)
		err = init_configs(c, &c->anonymous, TLS_CLIENT);
	for (size_t i = 0; err == 0 && i < p->identity_count; i++)
		err = add_identity(c, &p->identities[i], e);
	if (err == 0 && c->entry_count > 0)
		err = init_any(c);
	return err;
}

int tls_creds_new(struct tls_creds **creds_out,
		  const struct tls_creds_params *p, struct errbuf *e)
{
	struct tls_creds *c = creds_alloc(p);
	int err;

	if (c == NULL) {
		errbuf_set(e, "out of memory");
		return FED_ENOMEM;
	}
	err = load_all(c, p, e);
	if (err != 0) {
		if (err == FED_ENOMEM)
			errbuf_set(e, "out of memory");
		creds_free(c);
		return err == FED_ENOMEM ? FED_ENOMEM : FED_ECONFIG;
	}
	*creds_out = c;
	return 0;
}

struct tls_creds *tls_creds_ref(struct tls_creds *c)
{
	c->refs++;
	return c;
}

void tls_creds_unref(struct tls_creds *c)
{
	if (c != NULL && --c->refs == 0)
		creds_free(c);
}

bool tls_creds_has(const struct tls_creds *c, const char *name)
{
	return find_entry(c, span_str(name)) != NULL;
}
