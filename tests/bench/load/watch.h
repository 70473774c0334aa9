/*
 * Both ends of a gateway that has nothing but presence: the edge's end of the
 * channel, and the SIP side.  Watch i of the OUT direction is of
 * j<i>@load.example to r<i>@sip.example, that of the IN direction of
 * w<i>@sip.example to c<i>@load.example.
 */
#ifndef FED_BENCH_WATCH_H
#define FED_BENCH_WATCH_H

#include "base/digest.h"
#include "io/chan_link.h"
#include "io/conn.h"
#include "tests/bench/load/sip_scan.h"
#include "tests/bench/load/users.h"

enum watch_task {
	WATCH_IDLE,
	WATCH_OUT,     /* XMPP users subscribe */
	WATCH_IN,      /* SIP users subscribe */
	WATCH_CHANGE,  /* XMPP users change: NOTIFYs to SIP users */
	WATCH_NOTIFY,  /* SIP users change: stanzas to XMPP users */
	WATCH_RESTART, /* the gateway was killed: all is said anew */
};

/* The dialog of an OUT watch, of which the SIP side is the notifier. */
struct watch_dialog {
	char *call_id;
	char *from;    /* header of the SUBSCRIBE, To of our NOTIFY */
	char *contact; /* URI */
	unsigned cseq;
};

struct watch_sip;

struct watch {
	struct loop *loop;
	struct chan_link *link; /* NULL: the gateway is away */
	struct id_source ids;
	struct watch_sip *sip;

	enum watch_task task;
	uint32_t count; /* of the task */
	uint32_t next;	/* begun */
	uint32_t done;	/* told, at the far side */
	uint64_t begun_ns;
	uint32_t restated; /* RESTART: stanzas to XMPP users */
	uint32_t notified; /* RESTART: NOTIFYs with a document */
	uint32_t round;	   /* of changes */

	/* stanzas that wait for the window: kind << 28 | index */
	uint32_t *waiting;
	size_t waiting_at, waiting_count, waiting_room;
};

/* --- watch_task.c --- */
/** Begin a task; it is answered when it is over. */
void watch_begin(struct watch *w, enum watch_task task, uint32_t count);
/** One more of the task is begun if there is room; the answer when it is
 * over. */
void watch_pump(struct watch *w);

/* --- watch_edge.c --- */
enum watch_stanza { WATCH_SUBSCRIBE, WATCH_SUBSCRIBED, WATCH_PRESENCE };

/** Send it when the window has room. */
void watch_edge_send(struct watch *w, enum watch_stanza what, uint32_t i);
/** Nothing waits, and there is room. */
bool watch_edge_has_room(const struct watch *w);
/** Listen for the gateway; ends the program when that fails. */
void watch_edge_listen(struct watch *w, char **argv);

/* --- watch_sip.c --- */
void watch_sip_listen(struct watch *w, const char *listen, const char *gateway);
/** Requests in flight are below the window, and the gateway is there. */
bool watch_sip_has_room(const struct watch *w);
/** SUBSCRIBE of IN watch i; NOTIFY of OUT watch i. */
void watch_sip_subscribe(struct watch *w, uint32_t i);
void watch_sip_notify(struct watch *w, uint32_t i);

#endif
