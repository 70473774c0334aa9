/*
 * The SIP side: sofia's transaction layer behind plain structs.  Nothing
 * above this file knows sofia; nothing here decides.
 */
#ifndef FED_GATEWAY_SIP_ADAPTER_H
#define FED_GATEWAY_SIP_ADAPTER_H

#include "fe-gateway/core/sip_types.h"
#include "fe-gateway/sip_loop.h"
#include "fe-gateway/sip_tls.h"

struct sip_adapter;

/** A request came in; its spans live for the call.  Exactly one final
 * sip_adapter_reply() or sip_adapter_drop() with its handle is due. */
typedef void (*sip_adapter_request_fn)(const struct sip_request_in *request,
				       void *arg);

/** A client transaction ended; called once for each sip_adapter_send(). */
typedef void (*sip_adapter_response_fn)(uint64_t token,
					const struct sip_response_in *response,
					void *arg);

/** A request over UDP, from that IP address, wants a transaction; false: it is
 * dropped. */
typedef bool (*sip_adapter_admit_fn)(struct span source, void *arg);

struct sip_adapter_params {
	struct sip_loop *loop;
	const char *instance;	   /* host in Warning */
	const char *const *listen; /* "udp:192.0.2.1:5060", "tcp:", "tls:" */
	size_t listen_count;
	struct sip_tls *tls; /* NULL: no TLS */
	sip_adapter_admit_fn admit_udp;
	sip_adapter_request_fn on_request;
	sip_adapter_response_fn on_response;
	void *arg;
};

/**
 * Bind the addresses.
 *
 * @param e  says which address could not be bound, and why
 * @return 0; FED_EIO; FED_ECONFIG; FED_ENOMEM
 */
int sip_adapter_new(struct sip_adapter **a_out,
		    const struct sip_adapter_params *p,
		    struct errbuf *e) FED_NODISCARD;

/** Forget all transactions and close; NULL is allowed. */
void sip_adapter_free(struct sip_adapter *a);

/** Answer; a status above 199 ends the transaction.  Unknown handles are
 * ignored. */
void sip_adapter_reply(struct sip_adapter *a, uint64_t handle,
		       const struct sip_reply *reply);

/** End the transaction without an answer. */
void sip_adapter_drop(struct sip_adapter *a, uint64_t handle);

/** Answer with the last response to the request as it was passed on, without
 * our Via; 502 when there is none that fits.  Ends the transaction. */
void sip_adapter_pass(struct sip_adapter *a, uint64_t handle);

/** From now on messages keep the text that they came as, so that they can be
 * passed on unchanged; costs some memory for each. */
void sip_adapter_keep_text(struct sip_adapter *a, bool is_on);

/**
 * Send a request to a target, over its transport and no other.
 *
 * @return 0: one response call follows, never from inside this call;
 *         FED_EIO it could not be made: none follows
 */
int sip_adapter_send(struct sip_adapter *a, uint64_t token,
		     const struct sip_request_out *request,
		     const struct sip_target *target) FED_NODISCARD;

/** Bytes of the Via line of a request, without the value of branch; 0: no
 * address of that transport is bound. */
size_t sip_adapter_via_bytes(const struct sip_adapter *a,
			     enum sip_transport transport);

/** Bytes of the Contact line of a request that has_contact, at most; 0 as
 * above. */
size_t sip_adapter_contact_bytes(const struct sip_adapter *a,
				 enum sip_transport transport);

/** The library parses with the two functions of sip_adapter_parse.c; false:
 * the executable was linked without -rdynamic, or the library calls its own
 * whatever there is. */
bool sip_adapter_parse_is_in_place(void);

#endif
