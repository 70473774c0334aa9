/*
 * What the tls_*.c files share.
 */
#ifndef FED_IO_TLS_PRIV_H
#define FED_IO_TLS_PRIV_H

#include <pthread.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/tls_facts.h"
#include "io/tls_compat.h"
#include "io/tls_creds.h"

/* ALPN is a matter of the configuration, not of the connection. */
struct tls_configs {
	mbedtls_ssl_config plain;  /* STARTTLS, the channel */
	mbedtls_ssl_config direct; /* with ALPN */
};

/* One certificate file with its key.  A second one of the same name (RSA
 * beside ECDSA) is added to the configurations of the first. */
struct tls_entry {
	char *name;
	char *sni; /* the name in A-labels */
	mbedtls_x509_crt chain;
	mbedtls_pk_context key;
	bool has_configs; /* first of its name */
	struct tls_configs server;
	struct tls_configs client;
};

struct tls_slot {
	struct tls_creds *creds; /* whose it is */
	bool is_busy;		 /* a worker is at it; the loop's thread asks */
	mbedtls_x509_crt trust;
	bool has_trust;
	mbedtls_x509_crl crl;
	bool has_crl;
	struct tls_entry *entries;
	size_t entry_count;
	struct tls_configs anonymous; /* client without certificate */
	struct tls_configs any;	      /* server, identity by SNI */
};

struct tls_ticket_key {
	unsigned char name[4];
	int64_t made_ms; /* 0: not yet */
	mbedtls_gcm_context gcm;
};

/* Used by workers too. */
struct tls_tickets {
	pthread_mutex_t lock;
	struct tls_ticket_key keys[2];
	size_t active;
};

struct tls_session;

/* Immutable but for what has a lock (the random generator, the ticket keys) and
 * what only the loop's thread uses (references, the next slot, sessions). */
struct tls_creds {
	unsigned refs;
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context rng;
	enum tls_verify verify;
	char *alpn;
	const char *alpn_list[2];
	struct tls_slot slots[LIMIT_TLS_STEPS];
	unsigned slot_count;
	unsigned next_slot;
	struct tls_tickets tickets;
	struct tls_session *sessions; /* as a client; newest first */
	unsigned session_count;
};

/* What a full handshake found out about the peer. */
struct tls_verdict {
	int64_t issued_ms; /* when, since 1970 */
	int64_t until_ms;  /* the chain is not valid any longer then */
	uint32_t flags;	   /* MBEDTLS_X509_BAD... */
};

struct tls_engine {
	mbedtls_ssl_context ssl;
	struct tls_creds *creds;
	struct tls_slot *slot;
	enum tls_side side;
	struct span in;
	struct buf *out;
	size_t out_before; /* bytes in out before the last steps */
	int worked;	   /* what tls_engine_work() came to */
	bool has_worked;
	bool is_hungry; /* the last step needs more input */
	bool is_up;
	bool is_closed; /* close_notify sent, or failed */
	/* Certificates are exchanged: nothing is resumed.  The one reliable
	 * sign, in both versions of TLS and of the library. */
	bool is_full;
	bool has_offered;	     /* CLIENT: a session of the cache */
	struct tls_verdict verdict;  /* of this handshake, or the resumed one */
	mbedtls_x509_crt *kept_peer; /* of a resumed session of TLS 1.3 */
	const char *shown;	     /* SERVER: identity */
	const char *resumed_as;	     /* SERVER: the one its ticket is for */
	char *session_key;	     /* CLIENT: in the cache; NULL: none */
	char *sni;		     /* SERVER: asked for */
	struct tls_facts facts;
	char problem[256];
};

/** Certificates of a PEM file; a bundle of anchors may hold some that the
 * library does not understand, our own chain may not.  @return 0;
 * FED_ECONFIG; FED_ENOMEM */
int tls_load_certs(const char *file, bool is_bundle, mbedtls_x509_crt *out,
		   struct errbuf *e) FED_NODISCARD;

/** Revocation lists of a PEM file.  Returns as tls_load_certs(). */
int tls_load_crl(const char *file, mbedtls_x509_crl *out,
		 struct errbuf *e) FED_NODISCARD;

/** When the first of the lists is out of date after that moment, ms since
 * 1970; INT64_MAX: none. */
int64_t tls_crl_until_ms(const mbedtls_x509_crl *crl, int64_t after_ms);

/** A private key without password.  Returns as tls_load_certs(). */
int tls_load_key(const char *file, mbedtls_pk_context *out,
		 mbedtls_ctr_drbg_context *rng, struct errbuf *e) FED_NODISCARD;

/** Load all files into a zeroed slot.  @return 0; FED_ECONFIG; FED_ENOMEM;
 * after an error tls_slot_deinit() all the same */
int tls_slot_init(struct tls_slot *s, struct tls_creds *c,
		  const struct tls_creds_params *p,
		  struct errbuf *e) FED_NODISCARD;

void tls_slot_deinit(struct tls_slot *s);

/** There is an identity of that name. */
bool tls_slot_has(const struct tls_slot *s, const char *name);

/** Configuration to use; NULL: no such identity. */
const mbedtls_ssl_config *tls_slot_config(const struct tls_slot *s,
					  const struct tls_params *p);

/** The slot for the next connection: they take turns. */
struct tls_slot *tls_creds_next_slot(struct tls_creds *c);

/** The name of the identity that a server shows, unless SNI asks for another;
 * lives as the slot. */
const char *tls_slot_shown(const struct tls_slot *s,
			   const struct tls_params *p);

/** Wall clock, ms since 1970. */
int64_t tls_now_ms(void);

/** A session with that verdict may be resumed now. */
bool tls_verdict_holds(const struct tls_verdict *v);

/** All that is needed to resume the session later, into a new buffer; the
 * caller frees it, after an error too.  @return 0; FED_E* */
int tls_session_pack(const struct tls_engine *e,
		     const mbedtls_ssl_session *session,
		     struct buf *out) FED_NODISCARD;

/** The reverse; the verdict goes to the engine.  @return 0; FED_ETIMEOUT not
 * to be resumed any more; FED_EINVAL; FED_ENOMEM */
int tls_session_unpack(struct tls_engine *e, struct span image,
		       mbedtls_ssl_session *session) FED_NODISCARD;

/** Which session of the cache fits, to be freed; NULL: none. */
char *tls_session_key(const struct tls_params *p);

/** Offer the session of the cache, when there is one. */
void tls_session_offer(struct tls_engine *e);

/** The session of the engine goes to the cache. */
void tls_session_keep(struct tls_engine *e);

void tls_session_forget(struct tls_creds *c, const char *key);
void tls_session_forget_all(struct tls_creds *c);

/** @return 0; FED_ENOMEM */
int tls_tickets_init(struct tls_tickets *t) FED_NODISCARD;
void tls_tickets_deinit(struct tls_tickets *t);

/** For mbedtls_ssl_conf_session_tickets_cb(); arg is the creds. */
int tls_ticket_write(void *arg, const mbedtls_ssl_session *session,
		     unsigned char *start, const unsigned char *end,
		     size_t *n_out, uint32_t *lifetime_s);
int tls_ticket_parse(void *arg, mbedtls_ssl_session *session, unsigned char *in,
		     size_t n);

/** The engine whose handshake this thread works on: the library's callbacks
 * for tickets do not tell. */
struct tls_engine *tls_engine_running(void);

/** The peer's certificate, NULL: none. */
const mbedtls_x509_crt *tls_engine_peer(const struct tls_engine *e);

/** Forget the certificate of a resumed session. */
void tls_engine_drop_peer(struct tls_engine *e);

/** Fill in the facts once the handshake is over. */
void tls_facts_gather(struct tls_engine *e);

/** Say in e->problem why it failed.  @return FED_ETLS; FED_ENOMEM */
int tls_facts_fail(struct tls_engine *e, int rc);

/** SNI chose that identity. */
void tls_engine_note_shown(mbedtls_ssl_context *ssl, const char *identity);

/** The client of this handshake asked for that name.  `ssl` is in an engine
 * (tls_compat_owner()). */
void tls_engine_note_sni(mbedtls_ssl_context *ssl, struct span name);

/** For mbedtls_ssl_set_verify(); arg is the engine. */
int tls_verify_callback(void *arg, mbedtls_x509_crt *crt, int depth,
			uint32_t *flags);

/** Flags of a verification, with what is not to count taken out. */
uint32_t tls_verify_flags(uint32_t flags, enum tls_side side);

/** Milliseconds since 1970 of a date in a certificate. */
int64_t tls_verify_time_ms(const mbedtls_x509_time *t);

/** What the flags mean, for a human. */
void tls_verify_explain(uint32_t flags, const mbedtls_x509_crt *cert, char *out,
			size_t out_size);

/** subjectAltName has that dNSName, exact or by wildcard. */
bool tls_verify_name(const mbedtls_x509_crt *cert, const char *name);

#endif
