/*
 * SIP as the cores see it: plain structs, without a type of the SIP library.
 * The adapter fills and reads them.
 */
#ifndef FED_GATEWAY_SIP_TYPES_H
#define FED_GATEWAY_SIP_TYPES_H

#include "base/span.h"
#include "fe-gateway/core/error_map.h"

/* What we speak outside a dialog. */
#define SIP_ALLOW "MESSAGE, OPTIONS, CANCEL, ACK"
#define SIP_ACCEPT                                                       \
	"text/plain, text/html, multipart/mixed, multipart/alternative," \
	" message/cpim"

enum sip_transport { SIP_UDP, SIP_TCP, SIP_TLS };

enum {
	SIP_TRANSPORTS = 3,
	SIP_IP_TEXT_BYTES = 46, /* INET6_ADDRSTRLEN */
	SIP_HOST_BYTES = 256,
};

/* Where a request is sent to. */
struct sip_target {
	enum sip_transport transport;
	char ip[SIP_IP_TEXT_BYTES]; /* as inet_ntop() has it */
	uint16_t port;
	/* the host of the URI that was resolved: what the certificate of a
	 * TLS peer must be for (RFC 5922 4) */
	char host[SIP_HOST_BYTES];
};

/* A request to send outside a dialog.  Strings are NUL-terminated, free of
 * CR and LF, and live in the arena the request was made in. */
struct sip_request_out {
	const char *method;
	const char *request_uri; /* without <> */
	const char *from_uri;	 /* without <>, may carry ;gr= */
	const char *from_tag;
	const char *to_uri; /* without <>; To carries no tag */
	const char *call_id;
	const char *branch; /* with the cookie z9hG4bK */
	uint32_t cseq;
	const char *route;	      /* URI, without <> and ;lr; NULL: none */
	const char *subject;	      /* NULL: none */
	const char *content_language; /* NULL: none */
	const char *content_type;     /* NULL: none */
	struct span body;
};

/* A request that came in; spans live for the call. */
struct sip_request_in {
	uint64_t handle;    /* server transaction; comes back with the reply */
	struct span source; /* IP address the packet came from, as text */
	bool is_tls;	    /* over TLS: its certificate was checked */
	struct span method;
	struct span request_uri; /* as written, all parameters */
	struct span from_uri;
	struct span asserted; /* value of P-Asserted-Identity; empty: none */
	struct span from_tag;
	struct span to_uri;
	bool has_to_tag;
	struct span call_id;
	uint32_t cseq;
	struct span require; /* option tags, comma-separated; empty: none */
	struct span subject;
	struct span content_language; /* first tag */
	struct span content_type;     /* "text/plain", no parameters */
	struct span charset;	      /* its charset parameter, unquoted */
	struct span boundary;	      /* its boundary parameter, unquoted */
	bool is_expired;	      /* Date and Expires: it is too late */
	struct span content_encoding;
	struct span body;
};

/* A response to send; extra headers are NULL when absent. */
struct sip_reply {
	struct sip_failure line; /* status, phrase, Contact */
	const char *allow;
	const char *accept;
	const char *accept_encoding;
	const char *warning;   /* text of "Warning: 380 <host> ..." */
	char unsupported[256]; /* "": none */
};

/* How a client transaction ended. */
enum sip_end {
	SIP_END_RESPONSE,  /* a final response came */
	SIP_END_TIMEOUT,   /* Timer B or F */
	SIP_END_TRANSPORT, /* could not be sent */
	SIP_END_DNS,	   /* the next hop has no address */
	SIP_END_TOO_BIG,   /* for UDP, and there is no TCP */
};

struct sip_response_in {
	enum sip_end end;
	int status;		 /* RESPONSE: 200..699 */
	struct span phrase;	 /* RESPONSE */
	struct span contact_uri; /* RESPONSE: first Contact, without <> */
	bool is_again;		 /* an earlier try may have arrived as well */
};

#endif
