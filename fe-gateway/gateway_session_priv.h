/*
 * Inside of the running gateway: gateway_session.c (events in, actions out),
 * gateway_session_make.c (its parts are made), gateway_admin*.c (what fedctl
 * asks).
 */
#ifndef FED_GATEWAY_SESSION_PRIV_H
#define FED_GATEWAY_SESSION_PRIV_H

#include "base/limits.h"
#include "fe-gateway/core/last_words.h"
#include "fe-gateway/core/router.h"
#include "fe-gateway/gateway_admin.h"
#include "fe-gateway/gateway_admin_test.h"
#include "fe-gateway/gateway_federation.h"
#include "fe-gateway/gateway_presence.h"
#include "fe-gateway/gateway_session.h"
#include "fe-gateway/sip_adapter.h"
#include "fe-gateway/sip_hops.h"
#include "io/chan_link.h"

struct session_edge {
	struct gateway_session *session;
	size_t index;
	struct chan_link *link;
	bool is_draining; /* the edge takes no Stanza until its next session */
};

/* Of the digest of the instance name: the gateways of a pool are few. */
enum { MARK_BYTES = 4 };

struct gateway_session {
	const struct gateway_config *config;
	struct sip_loop *sip_loop;
	struct loop *loop;
	const struct logger *log;
	struct metrics *metrics;
	struct gw_router *router;
	struct sip_adapter *sip;
	struct sip_tls *sip_tls; /* NULL: no TLS on the SIP side */
	struct sip_hops *hops;
	char from_uri[LIMIT_DOMAIN_BYTES + 8]; /* of our own requests */
	char branch_mark[2 * MARK_BYTES + 1];
	struct tls_creds *creds;
	struct store *store;
	struct gateway_presence *presence;
	struct gateway_federation *federation;
	struct gateway_admin *admin; /* NULL: there is none yet */
	struct id_source *ids;	     /* borrowed */
	struct ask_call *asking;     /* questions to the SIP side */
	uint64_t asked;		     /* number of the last one */
	struct gateway_tests *tests; /* NULL: the same */
	struct last_words *last_words;
	struct loop_timer *timer; /* deadline of the router */
	struct loop_timer *end;	  /* while stopping: of the loop */
	struct loop_timer *sweep; /* of silent connections */
	struct loop_timer *look;  /* for connections that ended */
	struct session_edge edges[LIMIT_CHANNEL_SESSIONS];
	const char *edge_names[LIMIT_CHANNEL_SESSIONS];
	size_t edge_count;
	bool is_pumping;
	bool is_stopping;
	bool is_lingering;
	uint64_t stop_at_ms; /* while stopping: the end, whatever comes */
};

/* Make all parts; what is made is freed by gateway_session_free(). */
int gateway_session_make(struct gateway_session *s, struct id_source *ids,
			 struct errbuf *e) FED_NODISCARD;

/* --- gateway_session.c: events, each with the session as argument -------- */
void session_on_deadline(void *arg);
void session_on_end(void *arg);
void session_on_sweep(void *arg);
void session_on_look(void *arg);
bool session_admit_udp(struct span source, void *arg);
bool session_is_trusted(struct span ip, void *arg);
void session_on_connection_refused(struct span ip, void *arg);
void session_on_sip_request(const struct sip_request_in *r, void *arg);
void session_on_sip_response(uint64_t token, const struct sip_response_in *r,
			     void *arg);
void session_on_transaction_end(uint64_t token, const struct sip_response_in *r,
				void *arg);
void session_on_committed(uint64_t seq, void *arg);
void session_on_revision(uint64_t number, void *arg);
void session_on_store_trouble(bool is_broken, const char *why, void *arg);
int session_send_frame(size_t edge, Fed__Frame *frame, void *arg);
void session_on_federation(const struct federation *f, void *arg);
void session_on_back(const char *host, void *arg);
/* arg: its struct session_edge */
void session_on_link(struct chan_link *l, const struct chan_action *a,
		     void *arg);

#endif
