/* COMPAT(sofia-sip, 1.12.11): its contexts and connections, put right. */
#include "fe-gateway/sip_tls_compat.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <utlist.h>

#include "base/err.h"
#include "fe-gateway/core/hop_uri.h"

/* What a certificate may be for: RFC 5924 4, and what is issued in practice. */
static const char OID_SIP_DOMAIN[] = "1.3.6.1.5.5.7.3.20";

/* A context of the SIP library; lives as long as the process. */
struct rules {
	sip_tls_compat_fn fn;
	void *arg;
};

/* A connection of the SIP library, from its first byte to its end. */
struct line {
	SSL *ssl;
	struct line *prev;
	struct line *next;
	char *host;  /* NULL: accepted */
	bool is_old; /* was there at the last sip_tls_compat_end_slow() */
};

/* The SIP library and all its contexts live in one thread; others that use
 * OpenSSL must not see these. */
static _Thread_local struct {
	int ctx_index; /* of struct rules; 0: not made yet */
	int ssl_index; /* of struct line */
	struct rules rules;
	bool is_building;
	size_t loaded;
	const char *dial_host;
	struct line *lines;
} sofia;

/* ---- OpenSSL's own ------------------------------------------------------- */

/* The next definition behind ours in the order of the dynamic linker. */
static int real_shutdown(SSL *ssl)
{
	static int (*fn)(SSL *);

	if (fn == NULL)
		*(void **)&fn = dlsym(RTLD_NEXT, "SSL_shutdown");
	return fn != NULL ? fn(ssl) : -1;
}

static void real_set_bio(SSL *ssl, BIO *in, BIO *out)
{
	static void (*fn)(SSL *, BIO *, BIO *);

	if (fn == NULL)
		*(void **)&fn = dlsym(RTLD_NEXT, "SSL_set_bio");
	if (fn != NULL)
		fn(ssl, in, out);
}

static int real_use_file(SSL_CTX *ctx, const char *file, int type)
{
	static int (*fn)(SSL_CTX *, const char *, int);

	if (fn == NULL)
		*(void **)&fn =
			dlsym(RTLD_NEXT, "SSL_CTX_use_certificate_file");
	return fn != NULL ? fn(ctx, file, type) : 0;
}

static X509 *real_peer_certificate(const SSL *ssl)
{
	static X509 *(*fn)(const SSL *);

	if (fn == NULL)
		*(void **)&fn = dlsym(RTLD_NEXT, "SSL_get1_peer_certificate");
	return fn != NULL ? fn(ssl) : NULL;
}

/* ---- whose is it --------------------------------------------------------- */

static const struct rules *rules_of(const SSL *ssl)
{
	if (sofia.ctx_index <= 0)
		return NULL;
	return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), sofia.ctx_index);
}

static struct line *line_of(SSL *ssl)
{
	return SSL_get_ex_data(ssl, sofia.ssl_index);
}

/* ---- the handshake ------------------------------------------------------- */

static bool remote_address(SSL *ssl, char *ip, size_t size, uint16_t *port_out)
{
	struct sockaddr_storage a = {.ss_family = AF_UNSPEC};
	socklen_t n = sizeof(a);
	struct in6_addr in6;

	if (getpeername(SSL_get_fd(ssl), (struct sockaddr *)&a, &n) != 0)
		return false;
	if (a.ss_family == AF_INET) {
		*port_out = ntohs(((struct sockaddr_in *)&a)->sin_port);
		return inet_ntop(AF_INET, &((struct sockaddr_in *)&a)->sin_addr,
				 ip, (socklen_t)size) != NULL;
	}
	if (a.ss_family != AF_INET6)
		return false;
	*port_out = ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
	in6 = ((struct sockaddr_in6 *)&a)->sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(&in6))
		return inet_ntop(AF_INET, &in6.s6_addr[12], ip,
				 (socklen_t)size) != NULL;
	return inet_ntop(AF_INET6, &in6, ip, (socklen_t)size) != NULL;
}

static bool has_sip_usage(X509 *cert)
{
	EXTENDED_KEY_USAGE *eku =
		X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	char oid[64];
	bool is_found = false;

	for (int i = 0; i < sk_ASN1_OBJECT_num(eku) && !is_found; i++)
		is_found = OBJ_obj2txt(oid, sizeof(oid),
				       sk_ASN1_OBJECT_value(eku, i), 1) > 0 &&
			   strcmp(oid, OID_SIP_DOMAIN) == 0;
	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
	return is_found;
}

/* Both ends of SIP between servers are servers: a certificate for either side
 * of TLS will do. */
static bool is_for_sip(X509 *cert)
{
	/* all bits when the extension is not there */
	return (X509_get_extended_key_usage(cert) &
		(XKU_SSL_SERVER | XKU_SSL_CLIENT | XKU_ANYEKU)) != 0 ||
	       has_sip_usage(cert);
}

static struct span read_san(X509 *cert, bool *has_out)
{
	int at = X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);
	const ASN1_OCTET_STRING *der;

	*has_out = at >= 0;
	if (at < 0)
		return SPAN_NULL;
	der = X509_EXTENSION_get_data(X509_get_ext(cert, at));
	return span_of(ASN1_STRING_get0_data(der),
		       (size_t)ASN1_STRING_length(der));
}

/* On the heap of OpenSSL; NULL: none. */
static unsigned char *read_cn(X509 *cert, struct span *out)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	unsigned char *text = NULL;
	int n = 0;

	if (at >= 0)
		n = ASN1_STRING_to_UTF8(&text,
					X509_NAME_ENTRY_get_data(
						X509_NAME_get_entry(name, at)));
	*out = n > 0 ? span_of(text, (size_t)n) : SPAN_NULL;
	return text;
}

static bool ask(const struct rules *r, SSL *ssl, X509 *cert,
		const char *problem)
{
	const struct line *l = line_of(ssl);
	struct sip_tls_peer peer = {.ip = "-", .problem = problem};
	char ip[INET6_ADDRSTRLEN];
	unsigned char *cn = NULL;
	uint16_t port;
	bool answer;

	if (remote_address(ssl, ip, sizeof(ip), &port))
		peer.ip = ip;
	peer.host = l != NULL ? l->host : NULL;
	/* without its line nobody knows who was dialled */
	if (l == NULL || (peer.host == NULL && !SSL_is_server(ssl)))
		peer.problem = "not dialled for a request";
	if (cert != NULL) {
		peer.identity.san = read_san(cert, &peer.identity.has_san);
		cn = read_cn(cert, &peer.identity.cn);
		if (peer.problem == NULL && !is_for_sip(cert))
			peer.problem = "its purpose is neither TLS nor SIP";
	}
	answer = r->fn(r->arg, &peer) && peer.problem == NULL;
	OPENSSL_free(cn);
	return answer;
}

/* The library's own forgives when it does not verify itself. */
static int keep_error(int ok, X509_STORE_CTX *store)
{
	(void)store;
	return ok;
}

/* In place of X509_verify_cert() for a whole chain. */
static int on_verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const char *problem = NULL;

	(void)X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(store),
					    X509_PURPOSE_ANY);
	X509_STORE_CTX_set_verify_cb(store, keep_error);
	if (X509_verify_cert(store) <= 0)
		problem = X509_verify_cert_error_string(
			X509_STORE_CTX_get_error(store));
	if (ask(arg, ssl, X509_STORE_CTX_get0_cert(store), problem))
		return 1;
	if (problem == NULL)
		X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
	return 0;
}

/* ---- what is replaced ---------------------------------------------------- */

static void set_up(SSL_CTX *ctx)
{
	(void)SSL_CTX_set_ex_data(ctx, sofia.ctx_index, &sofia.rules);
	(void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	/* a resumed session would not be asked about */
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_num_tickets(ctx, 0);
	(void)SSL_CTX_set_options(ctx,
				  SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_cert_verify_callback(ctx, on_verify, &sofia.rules);
}

int SSL_CTX_use_certificate_file(SSL_CTX *ctx, const char *file, int type)
{
	int ok;

	if (!sofia.is_building)
		return real_use_file(ctx, file, type);
	set_up(ctx);
	/* the file holds the chain and the key */
	ok = SSL_CTX_use_certificate_chain_file(ctx, file);
	if (ok == 1 && SSL_CTX_use_PrivateKey_file(ctx, file, type) == 1 &&
	    SSL_CTX_check_private_key(ctx) == 1)
		sofia.loaded++;
	return ok;
}

static void set_name(SSL *ssl, const char *host)
{
	/* RFC 6066 3: no address */
	if (!hop_uri_is_ip(host))
		(void)SSL_set_tlsext_host_name(ssl, host);
}

/* The SIP library asks for a connection inside the call that sends to it. */
static void add_line(SSL *ssl)
{
	struct line *l = calloc(1, sizeof(*l));

	/* a connection without a line is refused in its handshake */
	if (l == NULL)
		return;
	l->ssl = ssl;
	if (sofia.dial_host != NULL)
		l->host = strdup(sofia.dial_host);
	if (SSL_set_ex_data(ssl, sofia.ssl_index, l) != 1) {
		free(l->host);
		free(l);
		return;
	}
	if (l->host != NULL)
		set_name(ssl, l->host);
	DL_APPEND(sofia.lines, l);
}

void SSL_set_bio(SSL *s, BIO *rbio, BIO *wbio)
{
	if (rules_of(s) != NULL && rbio != NULL) {
		/* the library frees this reference itself, too */
		(void)BIO_up_ref(rbio);
		SSL_set_verify(
			s, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			keep_error);
		add_line(s);
	}
	real_set_bio(s, rbio, wbio);
}

static void drop_line(SSL *ssl)
{
	struct line *l = line_of(ssl);

	if (l == NULL)
		return;
	(void)SSL_set_ex_data(ssl, sofia.ssl_index, NULL);
	DL_DELETE(sofia.lines, l);
	free(l->host);
	free(l);
}

/* The library's last call for a connection. */
int SSL_shutdown(SSL *s)
{
	SSL_CTX *ctx = SSL_get_SSL_CTX(s);
	int rc;

	if (rules_of(s) == NULL)
		return real_shutdown(s);
	rc = real_shutdown(s);
	/* others would take what is left of it for their own */
	ERR_clear_error();
	drop_line(s);
	/* it frees the context for each connection, but no connection */
	(void)SSL_CTX_up_ref(ctx);
	SSL_free(s);
	return rc;
}

/* The library reads names out of it and loses what it reads; it has no use
 * for them, since on_verify() has decided. */
X509 *SSL_get1_peer_certificate(const SSL *s)
{
	return rules_of(s) != NULL ? NULL : real_peer_certificate(s);
}

/* ---- for the adapter ----------------------------------------------------- */

/* Others find our functions, not OpenSSL's: without, nobody would verify. */
static bool are_in_place(void)
{
	return (uintptr_t)dlsym(RTLD_DEFAULT, "SSL_shutdown") ==
		       (uintptr_t)SSL_shutdown &&
	       (uintptr_t)dlsym(RTLD_DEFAULT, "SSL_set_bio") ==
		       (uintptr_t)SSL_set_bio &&
	       (uintptr_t)dlsym(RTLD_DEFAULT, "SSL_get1_peer_certificate") ==
		       (uintptr_t)SSL_get1_peer_certificate;
}

int sip_tls_compat_begin(sip_tls_compat_fn fn, void *arg)
{
	if (!are_in_place())
		return FED_EIO;
	/* index 0 is OpenSSL's own for the application's data */
	if (sofia.ctx_index == 0)
		sofia.ctx_index =
			SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (sofia.ssl_index == 0)
		sofia.ssl_index =
			SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (sofia.ctx_index <= 0 || sofia.ssl_index <= 0)
		return FED_EIO;
	sofia.rules = (struct rules){fn, arg};
	sofia.is_building = true;
	sofia.loaded = 0;
	return 0;
}

size_t sip_tls_compat_end(void)
{
	sofia.is_building = false;
	ERR_clear_error();
	return sofia.loaded;
}

void sip_tls_compat_dial(const char *host)
{
	sofia.dial_host = host;
}

static bool stands_for(SSL *ssl, const char *host)
{
	X509 *cert = SSL_get0_peer_certificate(ssl); /* not replaced */
	struct sip_identity id = {.has_san = false};
	unsigned char *cn;
	bool answer;

	if (cert == NULL)
		return false;
	id.san = read_san(cert, &id.has_san);
	cn = read_cn(cert, &id.cn);
	answer = sip_identity_is(&id, span_str(host));
	OPENSSL_free(cn);
	return answer;
}

bool sip_tls_compat_may_reuse(const char *ip, uint16_t port, const char *host)
{
	char text[INET6_ADDRSTRLEN];
	const struct line *l;
	uint16_t p;

	DL_FOREACH (sofia.lines, l) {
		/* cppcheck-suppress uninitvar; DL_FOREACH sets it */
		if (l->host == NULL || strcmp(l->host, host) == 0 ||
		    !remote_address(l->ssl, text, sizeof(text), &p) ||
		    p != port || strcmp(text, ip) != 0)
			continue;
		if (!stands_for(l->ssl, host))
			return false;
	}
	return true;
}

size_t sip_tls_compat_end_slow(void)
{
	struct line *l;
	size_t count = 0;

	DL_FOREACH (sofia.lines, l) {
		if (SSL_is_init_finished(l->ssl))
			continue;
		/* the library sees the end and closes */
		/* cppcheck-suppress uninitvar; DL_FOREACH sets it */
		if (l->is_old && shutdown(SSL_get_fd(l->ssl), SHUT_RDWR) == 0)
			count++;
		l->is_old = true;
	}
	return count;
}
