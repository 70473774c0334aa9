/*
 * SIP as the cores see it: plain structs, without a type of the SIP library.
 * The adapter fills and reads them.
 */
#ifndef FED_GATEWAY_SIP_TYPES_H
#define FED_GATEWAY_SIP_TYPES_H

#include "base/span.h"
#include "fe-gateway/core/error_map.h"

/* What we speak. */
#define SIP_ALLOW "MESSAGE, OPTIONS, SUBSCRIBE, NOTIFY, CANCEL, ACK"
#define SIP_ALLOW_EVENTS "presence"
#define SIP_ACCEPT                                                       \
	"text/plain, text/html, multipart/mixed, multipart/alternative," \
	" message/cpim"

struct jid;

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

/* Who sent a request: its address, and the port of its Via. */
struct sip_sender {
	char ip[SIP_IP_TEXT_BYTES];
	uint16_t port;
};

/* Seconds; larger ones are read as this. */
#define SIP_EXPIRES_MOST 0x7FFFFFFFu

/* A request to send.  Strings are NUL-terminated, free of CR and LF, and live
 * in the arena the request was made in. */
struct sip_request_out {
	const char *method;
	const char *request_uri; /* without <> */
	const char *from_uri;	 /* without <>, may carry ;gr= */
	const char *from_tag;
	const char *to_uri; /* without <> */
	const char *to_tag; /* NULL: none, outside of a dialog */
	const char *call_id;
	const char *branch; /* with the cookie z9hG4bK */
	uint32_t cseq;
	const char *route; /* URI, without <> and ;lr; NULL: none */
	/* Route set of a dialog as header value, "<sip:a;lr>, <sip:b;lr>";
	 * NULL: none.  Then `route` is NULL. */
	const char *routes;
	/* URI that says where it is sent to (RFC 3261 8.1.2), without <>: of
	 * the first route or the remote target; NULL: the next hop */
	const char *destination;
	/* Server transaction whose request goes on as it came, but for Via and
	 * Max-Forwards, to the old gateway; then only method, request_uri,
	 * branch and the three below count.  0: none */
	uint64_t passed;
	uint32_t max_forwards;
	size_t passed_bytes;		/* as it came */
	struct sip_sender sender;	/* of what is passed */
	bool has_contact;		/* Contact: this gateway */
	const char *event;		/* NULL: none */
	const char *accept;		/* NULL: none */
	const char *subscription_state; /* NULL: none */
	bool has_expires;
	uint32_t expires;	      /* seconds */
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
	uint16_t via_port;  /* of the topmost Via, or its transport's own */
	/* values of branch of all Via, the topmost first, one space between,
	 * "-" where one has none; empty: too long */
	struct span branches;
	bool has_max_forwards;
	uint32_t max_forwards;
	size_t bytes; /* of the message */
	struct span method;
	struct span request_uri; /* as written, all parameters */
	struct span from_uri;
	/* from_uri before who it is from was taken from P-Asserted-Identity;
	 * empty: the same */
	struct span from_written;
	/* who it is from and to, as JIDs, where somebody has needed them;
	 * NULL: not yet */
	const struct jid *from_jid, *to_jid;
	struct span asserted; /* value of P-Asserted-Identity; empty: none */
	struct span from_tag;
	struct span to_uri;
	struct span to_tag; /* empty: none */
	bool has_to_tag;
	struct span contact_uri;   /* first Contact, without <>; empty: none */
	struct span record_routes; /* all, in order, as one header value */
	bool has_event;
	struct span event;    /* package, as written */
	struct span event_id; /* its id parameter */
	bool has_accept;
	struct span accept;		/* all, as one header value */
	struct span subscription_state; /* whole value; empty: none */
	bool has_expires;
	uint32_t expires; /* seconds */
	/* one of the headers from contact_uri to here cannot be read (400) or
	 * is too long (513); 0: none is */
	int header_status;
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
	const char *warning; /* text of "Warning: 380 <host> ..." */
	const char *allow_events;
	const char *to_tag; /* of a 2xx that makes a dialog */
	bool has_contact;   /* Contact: this gateway, as the request came */
	bool has_expires;
	uint32_t expires;      /* seconds */
	uint32_t min_expires;  /* seconds; 0: none */
	uint32_t retry_after;  /* seconds; 0: none */
	char unsupported[256]; /* "": none */
};

/* How a client transaction ended. */
enum sip_end {
	SIP_END_RESPONSE,  /* a final response came */
	SIP_END_TIMEOUT,   /* Timer B or F */
	SIP_END_TRANSPORT, /* could not be sent */
	SIP_END_DNS,	   /* the next hop has no address */
	SIP_END_TOO_BIG,   /* for UDP, and there is no TCP */
	SIP_END_LOOP,	   /* it would go back to who sent it */
};

struct sip_response_in {
	enum sip_end end;
	int status;		   /* RESPONSE: 200..699 */
	struct span phrase;	   /* RESPONSE */
	struct span contact_uri;   /* RESPONSE: first Contact, without <> */
	struct span to_tag;	   /* RESPONSE: empty: none */
	struct span record_routes; /* RESPONSE: as in sip_request_in */
	bool has_expires;
	uint32_t expires;     /* RESPONSE: seconds */
	uint32_t min_expires; /* RESPONSE: seconds; 0: none */
	uint32_t retry_after; /* RESPONSE: seconds; 0: none */
	bool is_again;	      /* an earlier try may have arrived as well */
};

#endif
