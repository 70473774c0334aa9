/*
 * What stands in a certificate beside its names: a DER walk over hostile
 * bytes, no TLS library.
 */
#ifndef FED_EDGE_CERT_FACTS_H
#define FED_EDGE_CERT_FACTS_H

#include "base/span.h"
#include "base/tls_facts.h"

enum cert_key { CERT_KEY_OTHER, CERT_KEY_RSA, CERT_KEY_EC, CERT_KEY_EDWARDS };

struct cert_facts {
	char issuer[132];    /* its common name or organisation, escaped */
	char subject[132];   /* the same; "" when there is none */
	bool is_self_issued; /* subject and issuer are the same */
	bool is_ca;
	int64_t from_ms; /* since 1970 */
	int64_t to_ms;
	enum cert_key key;
	unsigned key_bits; /* RSA: of the modulus; EC: of the curve; 0: not
			    * known */
	bool is_weak_hash; /* signed with MD5 or SHA-1 */
	bool has_usage;	   /* extendedKeyUsage is there */
	bool is_server;	   /* and has serverAuth, or any */
	bool is_client;	   /* and has clientAuth, or any */
};

/**
 * Read it.
 *
 * @return 0; FED_EINVAL not a certificate
 */
int cert_facts_read(struct span der, struct cert_facts *f_out) FED_NODISCARD;

/**
 * What a peer's certificate is worth for the domain, as part of a sentence:
 * "its certificate expired on 2026-01-02", "its certificate is valid until
 * ...".
 *
 * @param domain   normalized
 * @param wall_ms  now, since 1970
 * @return it is valid and speaks for the domain
 */
bool cert_facts_judge(const struct tls_facts *tls, struct span domain,
		      int64_t wall_ms, char *out, size_t out_size);

#endif
