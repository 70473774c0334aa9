/*
 * TLS of the SIP side, which is the SIP library's own (OpenSSL): its files,
 * and who may have a connection.
 */
#ifndef FED_GATEWAY_SIP_TLS_H
#define FED_GATEWAY_SIP_TLS_H

#include "fe-gateway/sip_tls_compat.h"
#include "io/loop.h"

struct sip_tls;

struct sip_tls_params {
	const char *certificate;  /* PEM chain, end certificate first */
	const char *key;	  /* PEM */
	const char *trust;	  /* PEM certificates of the CAs */
	const char *const *peers; /* SIP domains of certificates that may
				   * dial us from any address */
	size_t peer_count;
	const char *const *trusted; /* IP addresses that may dial us with any
				     * valid certificate */
	size_t trusted_count;
	struct loop *loop; /* its clock and log */
};

/** @param p  texts are borrowed. @return 0; FED_ENOMEM */
int sip_tls_new(struct sip_tls **t_out,
		const struct sip_tls_params *p) FED_NODISCARD;

/** After the SIP library's agent is gone; NULL is allowed. */
void sip_tls_free(struct sip_tls *t);

/**
 * Begin to make contexts: the files in the folder that the library wants, one
 * of this process alone.
 *
 * @return 0, then sip_tls_end_load() is due; FED_EIO; FED_ENOMEM
 */
int sip_tls_begin_load(struct sip_tls *t, struct errbuf *e) FED_NODISCARD;

/** The folder, until sip_tls_end_load(). */
const char *sip_tls_folder(const struct sip_tls *t);

/** Remove the folder. @return how many contexts have all they need */
size_t sip_tls_end_load(struct sip_tls *t);

#endif
