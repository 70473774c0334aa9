/*
 * Every bound of the system in one place, each with what it stops.
 */
#ifndef FED_BASE_LIMITS_H
#define FED_BASE_LIMITS_H

/* --- XML of a stream ---------------------------------------------------- */
/* One stanza, '<' to '>': a peer that makes us buffer without end. */
#define LIMIT_STANZA_BYTES (256u * 1024u)
/* One stanza that is skipped because it is above that or too complex, so that
 * its sender alone is told: a peer that sends without end. */
#define LIMIT_SKIPPED_BYTES (4u * 1024u * 1024u)
/* RFC 6120 13.12: a smaller configured maximum is not allowed. */
#define LIMIT_STANZA_BYTES_FLOOR 10000u
/* Declaration and stream header: endless header. */
#define LIMIT_HEADER_BYTES 4096u
/* All bytes before authentication: a stranger who only talks. */
#define LIMIT_UNAUTH_BYTES (64u * 1024u)
/* Nesting: recursion and quadratic work. */
#define LIMIT_XML_DEPTH 32u
/* Attributes of one element, namespaces included. */
#define LIMIT_XML_ATTRS 32u
/* One tag: libxml2 compares its attributes pairwise before it shows them. */
#define LIMIT_XML_TAG_BYTES (16u * 1024u)
/* Dictionary entries after which the parser is replaced at a boundary:
 * invented names grow libxml2's dictionary for ever. */
#define LIMIT_XML_DICT_ENTRIES 1000u
/* Hard stop of one parser's dictionary, bytes, inside one stanza. */
#define LIMIT_XML_DICT_BYTES (256u * 1024u)
/* Bytes handed to a parser in one call. */
#define LIMIT_READ_BYTES (16u * 1024u)
/* Objects made of one stanza. */
#define LIMIT_STANZA_ARENA_BYTES (4u * LIMIT_STANZA_BYTES)

/* --- deadlines, milliseconds --------------------------------------------- */
#define LIMIT_STREAM_SETUP_MS 60000u /* header to authenticated */
#define LIMIT_DNS_MS 5000u
/* Answers that can be worked with are there: so long for the others. */
#define LIMIT_DNS_REST_MS 1000u
#define LIMIT_TCP_CONNECT_MS 10000u
#define LIMIT_DIAL_STAGGER_MS 250u /* RFC 8305 5: before the next address */
/* Bytes that the other end's system does not acknowledge or take. */
#define LIMIT_TCP_SILENT_MS 30000u
#define LIMIT_TLS_MS 10000u
#define LIMIT_DIALBACK_MS 30000u    /* one verification by another server */
#define LIMIT_STREAM_CLOSE_MS 5000u /* our </stream> to the peer's */
#define LIMIT_STREAM_IDLE_MS (30u * 60u * 1000u)
/* At least, whatever a peer announces: a stream for every stanza. */
#define LIMIT_STREAM_IDLE_MIN_MS 10000u
/* Whitespace on an open outbound stream: a dead connection shows itself. */
#define LIMIT_STREAM_KEEPALIVE_MS (5u * 60u * 1000u)
#define LIMIT_CHANNEL_HELLO_MS 10000u
#define LIMIT_CHANNEL_PING_MS 10000u   /* silence before a ping */
#define LIMIT_CHANNEL_DEAD_MS 30000u   /* silence before the link is dead */
#define LIMIT_CHANNEL_RESUME_MS 30000u /* a broken session is kept so long */
#define LIMIT_SIP_TRYING_MS 3500u      /* RFC 4320 4.1: 100 Trying is due */
/* 504 before the peer's Timer F (32 s) and before a proxy between us gives up
 * (Kamailio's fr_timer: 30 s). */
#define LIMIT_SIP_FINAL_MS 25000u

/* --- queues --------------------------------------------------------------- */
#define LIMIT_PAIR_QUEUE_STANZAS 1000u /* per domain pair, while connecting */
#define LIMIT_PAIR_QUEUE_BYTES (4u * 1024u * 1024u)
/* Answers of the edge itself (errors to XMPP senders) per domain pair: streams
 * of that pair are not read from so many on, and there is room for what the
 * gateways may still refuse of what they were given. */
#define LIMIT_PAIR_ANSWERS 1000u
#define LIMIT_PAIR_ANSWERS_HARD (16u * 1024u)
#define LIMIT_PAIRS 4096u		      /* domain pairs with state */
#define LIMIT_WRITE_SOFT_BYTES (256u * 1024u) /* stop reading the source */
#define LIMIT_WRITE_HARD_BYTES (2u * 1024u * 1024u) /* close the stream */
#define LIMIT_URI_QUEUE 256u   /* MESSAGEs that wait for one Request-URI */
#define LIMIT_URI_QUEUES 4096u /* Request-URIs with a MESSAGE in flight */
#define LIMIT_SIP_WINDOW 256u  /* client transactions without answer... */
/* ... but for those that are slow: so long in flight, and at most so many.
 * SIP users that never answer would hold the window from all others. */
#define LIMIT_SIP_SLOW_MS 2000u
#define LIMIT_SIP_SLOW 2048u
#define LIMIT_SIP_PENDING 4096u /* server transactions without final answer */
#define LIMIT_SIP_PENDING_BYTES (64u * 1024u * 1024u) /* all of those */
/* Requests at the old gateway, which may not answer.  All of them together have
 * LIMIT_SIP_PENDING_BYTES more, as they came. */
#define LIMIT_SIP_PASSED 4096u
/* Values of branch of all Via in a request: one that has more went in circles
 * (70 hops), or wants to cost time. */
#define LIMIT_SIP_BRANCHES_BYTES 8192u
#define LIMIT_HOPS 256u	      /* next hops remembered: invented domains */
#define LIMIT_HOP_TARGETS 16u /* addresses of one */
/* Destinations of dialogs by name: as many watchers, each somewhere else.
 * More than can wait for DNS at once (LIMIT_SIP_WINDOW, LIMIT_SIP_SLOW), so
 * that there is always one that can go. */
#define LIMIT_HOP_DESTINATIONS 4096u
#define LIMIT_HOP_TRIES 4u /* targets that one request goes to */
/* A request goes to no other target after so long: its Outcome is due. */
#define LIMIT_HOP_RETRY_MS 25000u
/* A target that failed a request is the last choice for so long. */
#define LIMIT_HOP_AVOID_MS 30000u
/* A target is asked for signs of life each so many seconds, if not said
 * otherwise. */
#define LIMIT_HOP_OPTIONS_S 30u
#define LIMIT_HOP_OPTIONS_MAX_S 3600u
/* A target that answers nothing for so long is asked whether it is there... */
#define LIMIT_HOP_SILENT_MS 4000u
/* ... and is down when it does not answer that in time. */
#define LIMIT_HOP_PROBE_MS 5000u
/* One that is down is asked so often, if not more often anyway. */
#define LIMIT_HOP_DOWN_MS 5000u
/* ... and for each request that is refused for it, but not more often. */
#define LIMIT_HOP_ASK_AGAIN_MS 1000u
/* DNS answers about a next hop are kept so long at least, and at most. */
#define LIMIT_HOP_TTL_MIN_MS 5000u
#define LIMIT_HOP_TTL_MAX_MS 3600000u
/* A connection that ended, and the target answers: believed to be a restart so
 * often at most. */
#define LIMIT_HOP_REBORN_MS 3600000u
/* One that no request went to is forgotten and not asked any more. */
#define LIMIT_HOP_IDLE_MS 600000u
#define LIMIT_SIP_BYTES (64u * 1024u) /* one SIP message */
/* COMPAT(sofia-sip, 1.12.11): it holds all bytes that wait in a TCP socket
 * against the limit of one message, and a peer that pipelines more would stall
 * the connection for good.  Bodies have their own limit behind it. */
#define LIMIT_SIP_WAITING_BYTES (8u * 1024u * 1024u)
#define LIMIT_PAGE_BYTES 1300u /* RFC 3428 8: a whole MESSAGE request */
#define LIMIT_THREADS 4096u    /* remembered (thread, Call-ID) bindings */

/* --- routes of the edge -------------------------------------------------- */
/* All pair queues together: many pairs that are each below their limit. */
#define LIMIT_ROUTER_BYTES (64u * 1024u * 1024u)
/* Least and longest wait between two failed attempts to reach a domain. */
#define LIMIT_BACKOFF_MIN_MS 5000u
#define LIMIT_BACKOFF_MAX_MS 60000u
/* The same when DNS knows no such service: nobody is there to be spared, and
 * an operator who adds a record does not wait long. */
#define LIMIT_BACKOFF_DNS_MS 1000u
/* A peer that takes no byte of what waits for it. */
#define LIMIT_WRITE_STALL_MS 20000u
/* Streams pause so long when a gateway went away, then senders are told. */
#define LIMIT_GATEWAY_GRACE_MS 5000u

/* --- what gateways are told about streams --------------------------------- */
/* What a pair's streams do in so long is merged to three events at most for
 * each direction: a peer that opens and drops streams. */
#define LIMIT_STREAM_NEWS_MS 1000u
/* Events of all pairs in a second, and at once: many such peers.  What a
 * session keeps while its connection is silent and then broken fits
 * LIMIT_CHANNEL_KEPT_EVENTS. */
#define LIMIT_STREAM_NEWS_RATE 50u
#define LIMIT_STREAM_NEWS_BURST 1000u
/* Pairs with an open stream or something to tell, for each direction: peers
 * that come for many domains. */
#define LIMIT_STREAM_NEWS_PAIRS 4096u

/* --- messages written, not yet confirmed by the peer --------------------- */
/* Held at once; above it they count as delivered when written. */
#define LIMIT_CONFIRM_HELD 8192u
/* Their addresses, ids and ledger lines: senders with huge addresses. */
#define LIMIT_CONFIRM_BYTES (16u * 1024u * 1024u)
/* No answer to the ping behind a message: it counts as delivered. */
#define LIMIT_CONFIRM_MS 3000u
/* A peer that did not answer is not pinged again for so long... */
#define LIMIT_CONFIRM_SILENT_MS (10u * 60u * 1000u)
/* ... and its errors are waited for so long. */
#define LIMIT_CONFIRM_GRACE_MS 500u

/* --- streams -------------------------------------------------------------- */
#define LIMIT_DIALBACK_PENDING 16u /* per stream */
#define LIMIT_DIALBACK_PENDING_ALL 4096u
#define LIMIT_STREAM_PAIRS 64u /* authenticated domain pairs of one stream */
/* <see-other-host/> followed in a row: hosts that point at each other. */
#define LIMIT_REDIRECTS 5u
#define LIMIT_SASL_TRIES 3u /* RFC 6120 6.4.4: 2..5 */
/* In all, attempts too, where the host file does not say otherwise: memory and
 * files of one that opens streams from many addresses. */
#define LIMIT_STREAMS 1000u
#define LIMIT_STREAMS_FLOOR 4u	  /* one is left for strangers */
#define LIMIT_STREAMS_MOST 15000u /* the unit allows 16384 files */
#define LIMIT_FILES_BESIDES 256u  /* listeners, channel, DNS, TLS files */
/* Rules of a Config: a gateway that sends invented partners. */
#define LIMIT_POLICY_BYTES (4u * 1024u * 1024u)
/* A Config on disk: one frame of it, and the last empty read of it. */
#define LIMIT_POLICY_FILE_BYTES (LIMIT_FRAME_BYTES + 8192u)
/* Durations in it, seconds; to be a stranger, one of them is long enough. */
#define LIMIT_SETTING_S 86400u
#define LIMIT_SETTING_SETUP_S 600u
/* A dialback secret: one that can be guessed, one that is a file by mistake. */
#define LIMIT_SECRET_BYTES_FLOOR 16u
#define LIMIT_SECRET_BYTES 4096u
#define LIMIT_STREAMS_PER_PARTNER 20u
#define LIMIT_UNAUTH_PER_ADDRESS 20u
#define LIMIT_SRV_TARGETS 16u	/* SRV records looked at */
#define LIMIT_SRV_ADDRESSES 32u /* addresses tried for one domain */
/* ... of one target and family: the next target gets its turn too. */
#define LIMIT_TARGET_ADDRESSES 8u
#define LIMIT_DNS_QUERIES 1024u /* domains being resolved at once */
/* Connections being opened at once for one domain: a stranger's domain with
 * many addresses that drop packets. */
#define LIMIT_DIAL_PARALLEL 6u

/* --- TLS ------------------------------------------------------------------ */
/* Handshake steps at once in worker threads, and one processor stays free:
 * peers that all come back together do not take it from flowing stanzas. */
#define LIMIT_TLS_STEPS 4u
/* A session is resumed so long after its full handshake; ticket keys change
 * as often, and the last but one is kept. */
#define LIMIT_TLS_SESSION_MS (24u * 3600u * 1000u)
/* Sessions with other servers that a client remembers. */
#define LIMIT_TLS_SESSIONS 256u

/* --- channel -------------------------------------------------------------- */
#define LIMIT_CHANNEL_WINDOW 1024u /* Stanzas without Outcome */
#define LIMIT_FRAME_BYTES (512u * 1024u)
#define LIMIT_FRAME_ARENA_BYTES (4u * LIMIT_FRAME_BYTES)
#define LIMIT_CHANNEL_SESSIONS 64u /* gateways of one edge, and the reverse */
/* Packed Stanzas without Outcome that one session keeps (and one frame). */
#define LIMIT_CHANNEL_KEPT_BYTES (4u * 1024u * 1024u)
/* Outcomes that a peer takes without acknowledging them. */
#define LIMIT_CHANNEL_KEPT_OUTCOMES (2u * LIMIT_CHANNEL_WINDOW)
/* Other reliable frames it did not acknowledge: events of a broken session. */
#define LIMIT_CHANNEL_KEPT_EVENTS 4096u
#define LIMIT_CHANNEL_HELLO_BYTES 2048u	  /* first frame of a stranger */
#define LIMIT_CHANNEL_OUTCOME_BYTES 4096u /* a refusal with its texts */
#define LIMIT_CHANNEL_EVENT_BYTES 8192u	  /* StreamEvent, Attempt, result */
#define LIMIT_CHANNEL_SMALL_BYTES 1024u	  /* Ping, Pong, Drain, Bye, ack */
/* An ack waits so long, and for so many frames, for one that carries it: what
 * is not acknowledged stays in the peer's memory. */
#define LIMIT_CHANNEL_ACK_MS 100u
#define LIMIT_CHANNEL_ACK_FRAMES 32u
#define LIMIT_CHANNEL_UNAUTH 64u /* connections of an edge before Hello */
#define LIMIT_CHANNEL_RETRY_MIN_MS 200u /* gateway dials again */
#define LIMIT_CHANNEL_RETRY_MAX_MS 10000u

/* --- admin socket --------------------------------------------------------- */
/* Connections at once: one who opens them and asks nothing. */
#define LIMIT_ADMIN_CLIENTS 16u
/* One request, and one response: a length that makes us wait for more. A whole
 * federation configuration is one request: LIMIT_FEDERATION_USERS grants of 100
 * bytes each. */
#define LIMIT_ADMIN_REQUEST_BYTES (24u * 1024u * 1024u)
#define LIMIT_ADMIN_RESPONSE_BYTES (480u * 1024u)
/* Objects made of one request: small records take many times their bytes. */
#define LIMIT_ADMIN_REQUEST_ARENA_BYTES (8u * LIMIT_ADMIN_REQUEST_BYTES)
/* A request that goes on to an edge: the gateway's neighbours wait for it on
 * the channel.  An edge's own socket takes no longer ones either. */
#define LIMIT_ADMIN_RELAYED_BYTES (16u * 1024u)
/* Requests up to here are taken at any time; of longer ones a server reads or
 * holds one, and the others wait for it. */
#define LIMIT_ADMIN_SMALL_BYTES LIMIT_ADMIN_RELAYED_BYTES
/* Objects made of a request of n bytes that is small; the floor is for lists
 * of the smallest records. */
#define LIMIT_ADMIN_SMALL_ARENA_BYTES(n) (8u * (n) + 128u * 1024u)
/* All requests that are read or held at once: every client announces the
 * longest one, or has all its calls, until there is no memory left. */
#define LIMIT_ADMIN_TOTAL_BYTES (272u * 1024u * 1024u)
/* Objects made for one response. */
#define LIMIT_ADMIN_ARENA_BYTES (4u * LIMIT_ADMIN_RESPONSE_BYTES)
/* Requests of one client that are not answered to the end; more are not read
 * meanwhile. */
#define LIMIT_ADMIN_CALLS 4u
/* The documents of one watch; longer ones are left out. */
#define LIMIT_ADMIN_DOCUMENTS_BYTES (128u * 1024u)
/* Responses that wait for a client to take them: an answer that is longer is
 * made as the client reads it. */
#define LIMIT_ADMIN_OUT_BYTES (64u * 1024u)
/* Responses made for one client before others get their turn. */
#define LIMIT_ADMIN_BURST 4u
/* A client that asks nothing, or takes nothing of its answer. */
#define LIMIT_ADMIN_IDLE_MS 60000u
/* Requests of gateways to one edge that wait for their next response to be
 * asked for; the oldest goes. */
#define LIMIT_ADMIN_RELAYS 16u
/* An edge that does not answer what fedctl asks through a gateway. */
#define LIMIT_ADMIN_RELAY_MS 5000u
/* Synthetic transactions under way, and begun: a monitor gone mad writes to
 * people. */
#define LIMIT_SYNTHETIC 8u
#define LIMIT_SYNTHETIC_RATE 1u
#define LIMIT_SYNTHETIC_BURST 10u
#define LIMIT_SYNTHETIC_MS 60000u /* the longest that one waits */
#define LIMIT_SYNTHETIC_DEFAULT_MS 30000u
/* What edges last said of streams, for operators: a word for each edge, domain
 * and direction; of all edges.  One that invents domains leaves the others an
 * equal share. */
#define LIMIT_LAST_WORDS 4096u
/* Log lines that refused clients cause: per second, and at once. */
#define LIMIT_ADMIN_WARN_RATE 1u
#define LIMIT_ADMIN_WARN_BURST 10u

/* --- what "fedctl why" and "fedctl check" know -------------------------- */
/* Domains whose last attempts are remembered.  A quarter is for domains that
 * are no partners: strangers who come under many names push out each other,
 * not the partners. */
#define LIMIT_ATTEMPT_DOMAINS 1024u
#define LIMIT_ATTEMPT_STRANGERS (LIMIT_ATTEMPT_DOMAINS / 4)
#define LIMIT_ATTEMPTS 4u	  /* of a domain, in each direction */
#define LIMIT_ATTEMPT_STEPS 24u	  /* of one: peers may go in circles */
#define LIMIT_ATTEMPT_TEXT 400u	  /* bytes of a step: peers write them */
#define LIMIT_ATTEMPT_BYTES 4096u /* texts of an attempt: 32 MiB in all */
#define LIMIT_CHECKS 4u		  /* at once: each resolves and connects */
#define LIMIT_CHECK_MS 30000u	  /* one of them */
#define LIMIT_CHECK_SIGN_MS 2000u /* below LIMIT_ADMIN_RELAY_MS */
#define LIMIT_CHECK_FINDINGS 128u /* a zone with many records */

/* Partners without a stream whose rate is remembered until nothing is left of
 * what they sent: who closes and comes again has no second's worth more. */
#define LIMIT_PARTNERS_KEPT 4096u

/* --- names ---------------------------------------------------------------- */
#define LIMIT_JID_PART_BYTES 1023u /* RFC 7622 3.1 */
#define LIMIT_JID_BYTES 3071u
#define LIMIT_STANZA_ID_BYTES 1024u
/* A language tag: it is repeated with every text of a stanza. */
#define LIMIT_LANG_BYTES 64u
#define LIMIT_DOMAIN_BYTES 1023u

/* --- names and errors across the gateway ---------------------------------- */
/* A URI made of a JID: every byte of localpart and resource as %HH. */
#define LIMIT_SIP_URI_BYTES 7200u
/* Reason-Phrase or <text/> made of a peer's words. */
#define LIMIT_SIP_PHRASE_BYTES 128u
/* Contact of a 301 or 302: longer ones are answered 410 or 480. */
#define LIMIT_SIP_CONTACT_BYTES 1024u

/* --- lists inside one stanza --------------------------------------------- */
/* Elements of one list: none is shorter than "<body/>", so a stanza that kept
 * its limit cannot hold more. */
#define LIMIT_STANZA_LIST (LIMIT_STANZA_BYTES / 7u)

/* --- gateway: page mode -------------------------------------------------- */
/* A thread that is copied into Call-ID as it is; longer ones are digested. */
#define LIMIT_CALL_ID_BYTES 128u
/* A thread whose way back is remembered. */
#define LIMIT_THREAD_BYTES 1024u
/* multipart and message/cpim around each other, and parts of one of them:
 * a body of nothing but wrappers. */
#define LIMIT_MIME_DEPTH 5u
#define LIMIT_MIME_PARTS 64u
/* Delivery ids remembered as delivered: a redelivery is not sent again. */
#define LIMIT_DELIVERED_IDS 4096u
/* An edge that went away has so long to come back; then another one that is
 * there gets the stanzas it did not answer, and while there is none, senders
 * are told at once. */
#define LIMIT_EDGE_GRACE_MS 5000u
/* One that comes back after so long may have dropped presence meanwhile: less
 * than LIMIT_GATEWAY_GRACE_MS. */
#define LIMIT_EDGE_GAP_MS 3000u
/* A MESSAGE waits so long behind others to the same Request-URI. */
#define LIMIT_URI_WAIT_MS 60000u
/* A transaction that never reports.  Above Timer F of a last try that began
 * just before LIMIT_HOP_RETRY_MS, whose answer still counts; below
 * LIMIT_URI_WAIT_MS, so that the next one has its turn. */
#define LIMIT_SIP_LOST_MS 58000u
/* RFC 3261 17.1.2.2, with T1 of half a second. */
#define LIMIT_SIP_TIMER_F_MS 32000u
/* SIGTERM: what is held has so long to end well. */
#define LIMIT_GATEWAY_STOP_MS 4000u
/* New requests over UDP in a second: each holds 9.6 KB of the SIP library for
 * 32 s, so 154 MB at this rate. */
#define LIMIT_SIP_UDP_RATE 500u
/* The same from addresses that are not trusted: enough to show a mistake in
 * the configuration. */
#define LIMIT_SIP_STRANGER_RATE 10u
/* Log lines that a stranger can cause: per second, and at once. */
#define LIMIT_GATEWAY_WARN_RATE 1u
#define LIMIT_GATEWAY_WARN_BURST 10u
/* A TCP connection that never said anything. */
#define LIMIT_SIP_SILENT_MS 30000u
/* TCP connections that were accepted for SIP: each can make the library hold
 * LIMIT_SIP_WAITING_BYTES, and descriptors are for the edges too. */
#define LIMIT_SIP_CONNECTIONS 256u
/* Those of them from addresses that are not trusted, all together: enough to
 * answer a mistake in the configuration with 403. */
#define LIMIT_SIP_STRANGER_CONNECTIONS 8u

/* --- gateway: presence ---------------------------------------------------- */
/* Resources of one presentity: a document of nothing but tuples, a user with
 * a client on every device. */
#define LIMIT_PRESENCE_RESOURCES 32u
/* Languages of one status, and bytes of one text: larger ones are cut. */
#define LIMIT_PRESENCE_NOTES 4u
#define LIMIT_PRESENCE_NOTE_BYTES 1024u
/* A document, in or out. */
#define LIMIT_PIDF_BYTES (64u * 1024u)
/* A resource as tuple id: all of LIMIT_PRESENCE_RESOURCES fit in one document.
 * Longer ones are digested. */
#define LIMIT_PIDF_ID_BYTES 256u
/* The route set of a dialog, entries and bytes: each request of the dialog
 * carries it, and it is kept as long as the dialog. */
#define LIMIT_DIALOG_ROUTES 32u
#define LIMIT_DIALOG_ROUTES_BYTES 4096u
/* Accept and Subscription-State of a request: they are copied. */
#define LIMIT_SIP_ACCEPT_BYTES 2048u
#define LIMIT_SIP_STATE_BYTES 512u
/* Requests of presence in flight, and stanzas: a peer that is slow, and
 * messages that need the way too. */
#define LIMIT_PRESENCE_SIP 256u
/* Those among the requests that had no answer for LIMIT_SIP_SLOW_MS: phones
 * that are gone without a word. */
#define LIMIT_PRESENCE_SIP_SLOW 2048u
#define LIMIT_PRESENCE_STANZAS 256u
/* Those to one XMPP domain: one whose server takes connections and says nothing
 * would hold all others up. */
#define LIMIT_PRESENCE_DOMAIN_STANZAS 64u
/* Answers that wait for the store: a disk that stands still. */
#define LIMIT_PRESENCE_HELD 4096u
/* ... and, of SIP transactions, so long: less than Timer F. */
#define LIMIT_PRESENCE_HELD_MS 10000u
/* ... and new subscriptions of XMPP users are refused when an Outcome waits for
 * so long. */
#define LIMIT_PRESENCE_STUCK_MS 3000u
/* A domain that is back is not so again before: it flaps, or it reaches us and
 * we do not reach it. */
#define LIMIT_PRESENCE_CALM_MS 10000u
/* "unsubscribed" to one who left waits so long: he may ask anew. */
#define LIMIT_PRESENCE_FAREWELL_MS 1000u
/* Of a body in the log, where the operator wants them: one that fills it. */
#define LIMIT_LOG_BODY_BYTES 512u
/* Watches and dialogs: strangers that subscribe to everybody. */
#define LIMIT_PRESENCE_ITEMS (500u * 1000u)
/* Watches that a walk of an operator looks at before all else goes on. */
#define LIMIT_PRESENCE_LOOKS 500u
/* ... and the pause between two steps of one that nobody waits for. */
#define LIMIT_PRESENCE_WALK_MS 5u
/* XMPP users that watch SIP users, one each pair. */
#define LIMIT_PRESENCE_WATCHES (200u * 1000u)
/* Those of one user, in each direction: one who subscribes to everybody leaves
 * room for others.  Those of XMPP users of one domain: one that invents users.
 */
#define LIMIT_PRESENCE_SHARE 5000u
/* NOTIFYs of one SIP user in flight, of LIMIT_PRESENCE_SIP: one who has them
 * sent to where nobody answers. */
#define LIMIT_PRESENCE_SHARE_SIP 32u
#define LIMIT_PRESENCE_DOMAIN_WATCHES (LIMIT_PRESENCE_WATCHES / 2)
/* Probes of strangers that the SIP side is being asked for. */
#define LIMIT_PRESENCE_POLLS 1024u
/* A SIP side that failed is asked again after so long, then twice as long... */
#define LIMIT_PRESENCE_RETRY_MIN_MS 30000u
#define LIMIT_PRESENCE_RETRY_MAX_MS (3600u * 1000u)
/* ... or as long as it says, but not for ever. */
#define LIMIT_PRESENCE_RETRY_AFTER_S (24u * 3600u)
/* reason=probation or giveup that does not say how long. */
#define LIMIT_PRESENCE_PROBATION_S 300u
/* New dialogs at once in a row: a peer that ends each as it begins.  One that
 * was there for so long is no such. */
#define LIMIT_PRESENCE_RENEWALS 3u
#define LIMIT_PRESENCE_STEADY_MS 60000u
/* A peer that grants a second, or asks for years. */
#define LIMIT_PRESENCE_REFRESH_MIN_MS 10000u
#define LIMIT_PRESENCE_ASKED_S (7u * 24u * 3600u)
/* An expiry that moves less is the same one: no row for each NOTIFY. */
#define LIMIT_PRESENCE_DRIFT_MS 5000u
/* The store, or memory, has no room: tried again after so long. */
#define LIMIT_PRESENCE_AGAIN_MS 1000u
/* Presence that was answered with an error: the watcher is gone, and his
 * server says so each time. */
#define LIMIT_PRESENCE_ERRORS 10u
/* RFC 6665 4.1.2.4: 64 * T1 from the 2xx to the NOTIFY. */
#define LIMIT_SIP_TIMER_N_MS 32000u
/* An XMPP domain that cannot be reached is tried after so long at first, and
 * at most so long apart. */
#define LIMIT_PRESENCE_TRY_MIN_MS 1000u
#define LIMIT_PRESENCE_TRY_MAX_MS 60000u
/* What the host file may say, seconds and watches a second. */
#define LIMIT_PRESENCE_EXPIRES_S 86400u
#define LIMIT_PRESENCE_WAIT_S 3600u
#define LIMIT_PRESENCE_REPAIR_RATE 10000u
/* Pairs of a SIP user and an XMPP user who is watched: a user agent that
 * subscribes to all it can think of. */
#define LIMIT_PRESENCE_CONTACTS (200u * 1000u)
/* Dialogs of one pair: a user agent that begins anew and never ends one. */
#define LIMIT_PRESENCE_DIALOGS 16u
/* Who is refused for one of these two may come again after so many seconds. */
#define LIMIT_PRESENCE_FULL_S 300u
/* A server that was probed and says nothing for so long: nobody is there. */
#define LIMIT_PRESENCE_ANSWER_MS 20000u
/* A poll waits so long for the answer to its probe. */
#define LIMIT_PRESENCE_POLL_MS 2000u
/* An XMPP user who did not answer is asked again so often, and when the SIP
 * user subscribes anew, but not more often than every hour. */
#define LIMIT_PRESENCE_ASK_MS (24u * 3600u * 1000u)
#define LIMIT_PRESENCE_ASK_AGAIN_MS (3600u * 1000u)
/* One who was asked so short before a crash may not have been: once more. */
#define LIMIT_PRESENCE_ASK_LOST_MS 60000u
/* Nobody is subscribed any more, or the SIP side of an XMPP user's question
 * never answers: the question is kept so long, a contact's state so long. */
#define LIMIT_PRESENCE_PENDING_MS (7ull * 24u * 3600u * 1000u)
#define LIMIT_PRESENCE_CACHE_MS (5u * 60u * 1000u)
/* An XMPP user left, and his domain, which is to hear what is not there any
 * more, does not come back. */
#define LIMIT_PRESENCE_LEFT_MS (7ull * 24u * 3600u * 1000u)
/* A NOTIFY that got an error, which does not end the dialog, is made again
 * after so long; doubled each time. */
#define LIMIT_PRESENCE_NOTIFY_MIN_MS 5000u
#define LIMIT_PRESENCE_NOTIFY_MAX_MS (5u * 60u * 1000u)
/* A stanza that could not leave is made again after so long. */
#define LIMIT_PRESENCE_STANZA_MS 60000u
/* Who watches a user of a domain that cannot be reached is told to come again
 * after so many seconds; when we stop, after so many and some more, so that
 * not all come at once. */
#define LIMIT_PRESENCE_UNREACHABLE_S 3600u
#define LIMIT_PRESENCE_STOP_S 5u
#define LIMIT_PRESENCE_STOP_SPREAD_S 25u
/* Rows that the store was not able to write yet: a disk that stands still. */
#define LIMIT_STORE_PENDING (64u * 1024u)
#define LIMIT_STORE_PENDING_BYTES (256u * 1024u * 1024u)
/* One of them, its memory: all that a SIP request can have in it, and more. */
#define LIMIT_STORE_ROW_BYTES (128u * 1024u)
/* Rows of one transaction: the first of a burst waits for its last. */
#define LIMIT_STORE_BATCH 4096u
/* The log in front of the store's file, before it is copied there; it ends at
 * most one transaction above: the time to read it after a crash. */
#define LIMIT_STORE_LOG_BYTES (16u * 1024u * 1024u)
/* Between two tries of what could not be written. */
#define LIMIT_STORE_RETRY_MIN_MS 100u
#define LIMIT_STORE_RETRY_MAX_MS 5000u
/* Nothing is written: whether the file is still there is looked at so often. */
#define LIMIT_STORE_LOOK_MS 5000u
/* Stop: what cannot be written has so long. */
#define LIMIT_STORE_CLOSE_MS 2000u
/* Another process that leaves the store's file has so long at our start. */
#define LIMIT_STORE_BUSY_MS 500u

/* --- federation configuration -------------------------------------------- */
/* Records of each kind: a generated list, put in by mistake, that would make
 * every change slow and no longer fit what edges are told. */
#define LIMIT_FEDERATION_PARTNERS 2000u
#define LIMIT_FEDERATION_DENIED 2000u
#define LIMIT_FEDERATION_POLICIES 256u
#define LIMIT_FEDERATION_SITES 256u
#define LIMIT_FEDERATION_USERS (200u * 1000u) /* grants; members; movers */
/* Additional domains of one partner, SIP domains of one site. */
#define LIMIT_PARTNER_DOMAINS 64u
#define LIMIT_SITE_DOMAINS 256u
/* Name of a policy or a site; a description: they are repeated in answers and
 * in the history. */
#define LIMIT_FEDERATION_NAME_BYTES 64u
#define LIMIT_FEDERATION_TEXT_BYTES 1024u
#define LIMIT_PROXY_HOST_BYTES 280u /* a name, brackets and a port */
/* The configuration as a file, and the records made of it: another file, named
 * by mistake. */
#define LIMIT_FEDERATION_FILE_BYTES (64u * 1024u * 1024u)
#define LIMIT_FEDERATION_ARENA_BYTES (512u * 1024u * 1024u)
/* Least rate of bytes that may be set: one stanza that every server may send
 * (LIMIT_STANZA_BYTES_FLOOR) must pass in a second. */
#define LIMIT_PARTNER_BYTES_PER_S_FLOOR LIMIT_STANZA_BYTES_FLOOR
#define LIMIT_PARTNER_RATE_MAX 1000000000u
/* Least that settings may say, seconds, beside LIMIT_SETTING_S: a stream that
 * is closed before it can be used, and a storm of refreshes. */
#define LIMIT_KEEP_ALIVE_FLOOR_S 10u
#define LIMIT_ESTABLISHMENT_FLOOR_S 5u
#define LIMIT_INACTIVITY_FLOOR_S 10u
#define LIMIT_REFRESH_FLOOR_S 60u
/* Older revisions that are kept beside the newest one. */
#define LIMIT_FEDERATION_HISTORY 1000u
/* One revision: what it was and is of all records that it changes. */
#define LIMIT_FEDERATION_REVISION_BYTES (64u * 1024u * 1024u)
/* Who changed it, and with which command. */
#define LIMIT_FEDERATION_AUTHOR_BYTES 128u
#define LIMIT_FEDERATION_WHAT_BYTES 512u
/* Lines of /etc/passwd that are looked through for the name of who did it,
 * while nothing else is done. */
#define LIMIT_PASSWD_LINES 10000u
/* An edge's words why it does not take a configuration. */
#define LIMIT_FEDERATION_REFUSED_BYTES 256u
/* An edge has so long to say whether it would take a change, and to take it. */
#define LIMIT_FEDERATION_CHECK_MS 5000u
/* The store has so long; what is written later counts all the same. */
#define LIMIT_FEDERATION_STORE_MS 10000u
/* An edge that claims a revision so far above ours is not believed: numbers
 * would come to an end. */
#define LIMIT_FEDERATION_AHEAD 1000000u
/* A gateway that gives an edge a revision further above the one in force is not
 * believed: numbers would come to an end.  A change a second for thirty years,
 * so that an edge that was away follows, whatever others made ours believe. */
#define LIMIT_FEDERATION_LEAP 1000000000u
/* Configurations of one gateway to an edge, checks too: each is written to the
 * disk and synced, and nothing else is done meanwhile. */
#define LIMIT_CONFIG_RATE 20u /* per second */
#define LIMIT_CONFIG_BURST 100u
/* Those above wait, and gateways ask one after the other: a check that is over
 * for the gateway, a change, the next check.  More are refused. */
#define LIMIT_CONFIGS_WAITING 4u
/* Numbers that edges may claim to have already during one change. */
#define LIMIT_FEDERATION_RAISES 4u
/* Records of one change that get a line of the log each. */
#define LIMIT_FEDERATION_LINES 32u
/* Of revisions that are read at once for who asks for the history. */
#define LIMIT_FEDERATION_PAGE_BYTES (128u * 1024u)

/* --- migration ----------------------------------------------------------- */
/* All that fedctl makes of a file of partners or users, and of what it is told
 * about them. */
#define LIMIT_MIGRATE_BYTES (256u * 1024u * 1024u)
/* Users that the SIP side is asked for in one question, and so many at once:
 * messages need the next hop too. */
#define LIMIT_MIGRATE_ASK 500u
#define LIMIT_MIGRATE_ASK_AT_ONCE 32u

#endif
