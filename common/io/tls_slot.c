/*
 * A slot of the credentials: everything that one handshake at a time may use.
 * mbedTLS keeps caches in keys and certificates, of CAs too, so two threads
 * never work with the same slot.
 */
#include <stdlib.h>
#include <string.h>

#include "io/tls_priv.h"

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

static struct tls_entry *find_entry(const struct tls_slot *s, struct span name)
{
	for (size_t i = 0; i < s->entry_count; i++)
		if (s->entries[i].has_configs &&
		    span_ieq(span_str(s->entries[i].name), name))
			return &s->entries[i];
	return NULL;
}

static struct tls_entry *find_sni(const struct tls_slot *s, struct span name)
{
	for (size_t i = 0; i < s->entry_count; i++)
		if (s->entries[i].has_configs &&
		    span_ieq(span_str(s->entries[i].sni), name))
			return &s->entries[i];
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
	struct tls_slot *s = arg;
	struct tls_entry *entry = find_sni(s, span_of(name, n));

	tls_engine_note_sni(ssl, span_of(name, n));
	if (entry == NULL)
		return 0;
	tls_engine_note_shown(ssl, entry->name);
	for (size_t i = 0; i < s->entry_count; i++) {
		struct tls_entry *it = &s->entries[i];

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

static int init_config(struct tls_slot *s, mbedtls_ssl_config *conf,
		       enum tls_side side)
{
	if (mbedtls_ssl_config_defaults(conf,
					side == TLS_SERVER
						? MBEDTLS_SSL_IS_SERVER
						: MBEDTLS_SSL_IS_CLIENT,
					MBEDTLS_SSL_TRANSPORT_STREAM,
					MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return FED_ENOMEM;
	mbedtls_ssl_conf_rng(conf, mbedtls_ctr_drbg_random, &s->creds->rng);
	tls_compat_min_version(conf);
	mbedtls_ssl_conf_ciphersuites(conf, suites);
	mbedtls_ssl_conf_ca_chain(conf, s->has_trust ? &s->trust : NULL,
				  s->has_crl ? &s->crl : NULL);
	/* a server asks for a certificate in both modes */
	mbedtls_ssl_conf_authmode(conf, authmode(s->creds->verify));
	mbedtls_ssl_conf_renegotiation(conf,
				       MBEDTLS_SSL_RENEGOTIATION_DISABLED);
	mbedtls_ssl_conf_legacy_renegotiation(
		conf, MBEDTLS_SSL_LEGACY_NO_RENEGOTIATION);
	if (side == TLS_CLIENT) {
		tls_compat_want_tickets(conf);
		return 0;
	}
	/* the names of all public CAs do not fit in a record */
	mbedtls_ssl_conf_cert_req_ca_list(
		conf, MBEDTLS_SSL_CERT_REQ_CA_LIST_DISABLED);
	mbedtls_ssl_conf_sni(conf, on_sni_known, NULL);
	mbedtls_ssl_conf_session_tickets_cb(conf, tls_ticket_write,
					    tls_ticket_parse, s->creds);
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

static int init_configs(struct tls_slot *s, struct tls_configs *configs,
			enum tls_side side)
{
	int err = init_config(s, &configs->plain, side);

	if (err == 0)
		err = init_config(s, &configs->direct, side);
	if (err == 0 && s->creds->alpn != NULL &&
	    mbedtls_ssl_conf_alpn_protocols(&configs->direct,
					    s->creds->alpn_list) != 0)
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

static int add_configs(struct tls_slot *s, struct tls_entry *entry)
{
	struct tls_entry *first = find_entry(s, span_str(entry->name));
	int err;

	if (first == NULL) {
		first = entry;
		first->has_configs = true;
		zero_configs(&first->server);
		zero_configs(&first->client);
		err = init_configs(s, &first->server, TLS_SERVER);
		if (err == 0)
			err = init_configs(s, &first->client, TLS_CLIENT);
		if (err != 0)
			return err;
	}
	err = add_own(&first->server, entry);
	return err == 0 ? add_own(&first->client, entry) : err;
}

/* The first identity is shown when SNI asks for none of ours. */
static int init_any(struct tls_slot *s)
{
	int err = init_configs(s, &s->any, TLS_SERVER);

	mbedtls_ssl_conf_sni(&s->any.plain, on_sni, s);
	mbedtls_ssl_conf_sni(&s->any.direct, on_sni, s);
	for (size_t i = 0; err == 0 && i < s->entry_count; i++)
		if (span_ieq(span_str(s->entries[i].name),
			     span_str(s->entries[0].name)))
			err = add_own(&s->any, &s->entries[i]);
	return err;
}

static int add_identity(struct tls_slot *s, const struct tls_identity *id,
			struct errbuf *e)
{
	struct tls_entry *entry = &s->entries[s->entry_count];
	int err;

	mbedtls_x509_crt_init(&entry->chain);
	mbedtls_pk_init(&entry->key);
	entry->name = strdup(id->name);
	entry->sni = strdup(id->sni != NULL ? id->sni : id->name);
	s->entry_count++;
	if (entry->name == NULL || entry->sni == NULL)
		return FED_ENOMEM;
	err = tls_load_certs(id->cert_file, false, &entry->chain, e);
	if (err == 0)
		err = tls_load_key(id->key_file, &entry->key, &s->creds->rng,
				   e);
	if (err == 0)
		err = check_pair(entry, id, &s->creds->rng, e);
	return err == 0 ? add_configs(s, entry) : err;
}

static const struct tls_configs *find_configs(const struct tls_slot *s,
					      const struct tls_params *p)
{
	const struct tls_entry *entry;

	if (p->identity == NULL && p->side == TLS_CLIENT)
		return &s->anonymous;
	if (p->identity == NULL)
		return s->entry_count > 0 ? &s->any : NULL;
	entry = find_entry(s, span_str(p->identity));
	if (entry == NULL)
		return NULL;
	return p->side == TLS_SERVER ? &entry->server : &entry->client;
}

const mbedtls_ssl_config *tls_slot_config(const struct tls_slot *s,
					  const struct tls_params *p)
{
	const struct tls_configs *configs = find_configs(s, p);

	if (configs == NULL)
		return NULL;
	return p->is_direct ? &configs->direct : &configs->plain;
}

/* ---- life ---------------------------------------------------------------- */

static int load_trust(struct tls_slot *s, const char *file, struct errbuf *e)
{
	if (file == NULL)
		return 0;
	s->has_trust = true;
	return tls_load_certs(file, true, &s->trust, e);
}

static int load_crl(struct tls_slot *s, const char *file, struct errbuf *e)
{
	if (file == NULL)
		return 0;
	s->has_crl = true;
	return tls_load_crl(file, &s->crl, e);
}

int tls_slot_init(struct tls_slot *s, struct tls_creds *c,
		  const struct tls_creds_params *p, struct errbuf *e)
{
	int err;

	s->creds = c;
	mbedtls_x509_crt_init(&s->trust);
	mbedtls_x509_crl_init(&s->crl);
	zero_configs(&s->anonymous);
	zero_configs(&s->any);
	s->entries = calloc(p->identity_count + 1, sizeof(*s->entries));
	if (s->entries == NULL)
		return FED_ENOMEM;
	err = load_trust(s, p->trust_file, e);
	if (err == 0)
		err = load_crl(s, p->crl_file, e);
	if (err == 0)
		err = init_configs(s, &s->anonymous, TLS_CLIENT);
	for (size_t i = 0; err == 0 && i < p->identity_count; i++)
		err = add_identity(s, &p->identities[i], e);
	if (err == 0 && s->entry_count > 0)
		err = init_any(s);
	return err;
}

void tls_slot_deinit(struct tls_slot *s)
{
	for (size_t i = 0; i < s->entry_count; i++) {
		struct tls_entry *entry = &s->entries[i];

		if (entry->has_configs) {
			free_configs(&entry->server);
			free_configs(&entry->client);
		}
		mbedtls_x509_crt_free(&entry->chain);
		mbedtls_pk_free(&entry->key);
		free(entry->name);
		free(entry->sni);
	}
	free(s->entries);
	free_configs(&s->anonymous);
	free_configs(&s->any);
	mbedtls_x509_crt_free(&s->trust);
	mbedtls_x509_crl_free(&s->crl);
}

const char *tls_slot_shown(const struct tls_slot *s, const struct tls_params *p)
{
	const struct tls_entry *entry;

	if (p->identity == NULL)
		return s->entry_count > 0 ? s->entries[0].name : "";
	entry = find_entry(s, span_str(p->identity));
	return entry == NULL ? "" : entry->name;
}

bool tls_slot_has(const struct tls_slot *s, const char *name)
{
	return find_entry(s, span_str(name)) != NULL;
}
