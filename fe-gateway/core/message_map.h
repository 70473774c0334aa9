/*
 * Page mode, both ways (RFC 7572): one message stanza to one SIP MESSAGE and
 * back.  No state but the thread map.
 */
#ifndef FED_GATEWAY_MESSAGE_MAP_H
#define FED_GATEWAY_MESSAGE_MAP_H

#include "base/digest.h"
#include "fe-gateway/core/sip_types.h"
#include "fe-gateway/core/thread_map.h"
#include "stanza.pb-c.h"

struct message_map_params {
	size_t page_max_bytes; /* of a whole MESSAGE request, RFC 3428 8 */
	size_t fixed_bytes;    /* of the header lines that the adapter adds:
				* Via without its branch value, Route */
	size_t contact_bytes;  /* of the Contact line of requests that have
				* one */
	/* Of this gateway, goes into the branch; token characters, borrowed;
	 * NULL: none.  RFC 3261 17.2.3 tells the transactions of two clients
	 * apart by branch and sent-by, but not every proxy looks at the
	 * latter: a stanza that another gateway was given before would be
	 * taken for its retransmission, and answered to that one. */
	const char *branch_mark;
};

enum message_map_verdict {
	MESSAGE_MAP_SEND,   /* the result is filled */
	MESSAGE_MAP_IGNORE, /* nothing to carry: answer as delivered */
	MESSAGE_MAP_REFUSE, /* the error or the reply is filled */
};

/* What became of a stanza; everything lives in the arena. */
struct message_map_sip {
	enum message_map_verdict verdict;
	struct sip_request_out request; /* SEND */
	Fed__Error *error;		/* REFUSE */
};

/**
 * A message stanza to a MESSAGE request.
 *
 * Call-ID, From tag, CSeq and branch derive from the delivery id (Call-ID
 * from the thread when there is one): a redelivery, by this gateway or
 * another, is the same request to the UAS (RFC 3261 8.2.2.2).
 *
 * @param stanza  validated, its kind is message; borrowed
 * @return 0; FED_ENOMEM
 */
int message_map_to_sip(const struct message_map_params *p,
		       struct thread_map *threads, const Fed__Stanza *stanza,
		       const uint8_t delivery_id[ID_RAW_BYTES], struct arena *a,
		       struct message_map_sip *out) FED_NODISCARD;

/** Bytes of the request on the wire, with fixed_bytes of the adapter; a few
 * more than it has when it is one of a dialog. */
size_t message_map_request_bytes(const struct message_map_params *p,
				 const struct sip_request_out *r);

struct message_map_xmpp {
	enum message_map_verdict verdict;
	Fed__Stanza *stanza;	/* SEND */
	struct sip_reply reply; /* REFUSE, IGNORE: the final response */
};

/**
 * A MESSAGE request that passed sip_checks() to a message stanza.
 *
 * @param delivery_id  the stanza's id and origin-id are its hex digits
 * @return 0; FED_ENOMEM
 */
int message_map_to_xmpp(struct thread_map *threads,
			const struct sip_request_in *request,
			const uint8_t delivery_id[ID_RAW_BYTES],
			struct arena *a,
			struct message_map_xmpp *out) FED_NODISCARD;

/** Reply with a status and its usual phrase, no other header. */
void sip_reply_status(struct sip_reply *out, int status);

#endif
