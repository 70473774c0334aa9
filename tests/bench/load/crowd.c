/* Streams by the hundred. */
#include "tests/bench/load/crowd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/load/flow.h"

enum {
	CROWD_MAX = 512,
	/* below the edge's limit of strangers from one address */
	CROWD_AT_ONCE = 8,
	/* different names, so that no limit of one partner is met */
	CROWD_NAMES = 64,
};

enum crowd_task { CROWD_NOTHING, CROWD_IDLE, CROWD_LEAVE, CROWD_HANDSHAKES };

struct crowd {
	struct peer_host *host;
	const struct sockaddr *edge;
	const char *domain;
	const char *identity;
	enum crowd_task task;
	struct peer *idle[CROWD_MAX];
	unsigned connecting;
	unsigned alive; /* streams that did not end */
	unsigned open;	/* IDLE */
	unsigned wanted;
	uint64_t made; /* HANDSHAKES */
	uint64_t begun_ns;
	uint64_t last_ns;
	uint64_t until_ns;
};

static void on_peer(struct peer *p, const struct peer_event *ev, void *arg);

static void connect_one(struct crowd *c, unsigned number)
{
	char name[128];

	(void)snprintf(name, sizeof(name), "s%u.%s", number, c->domain);
	c->connecting++;
	c->alive++;
	(void)peer_connect(c->host, c->edge, name, c->identity, on_peer, c);
}

static void connect_more(struct crowd *c)
{
	switch (c->task) {
	case CROWD_IDLE:
		while (c->connecting < CROWD_AT_ONCE && c->alive < c->wanted)
			connect_one(c, c->alive);
		break;
	case CROWD_HANDSHAKES:
		while (c->alive < c->wanted && flow_now_ns() < c->until_ns)
			connect_one(c, (unsigned)(c->made + c->alive) %
					       CROWD_NAMES);
		break;
	case CROWD_NOTHING:
	case CROWD_LEAVE:
		break;
	}
}

static void on_open(struct crowd *c, struct peer *p)
{
	c->connecting--;
	if (c->task == CROWD_HANDSHAKES) {
		c->made++;
		c->last_ns = flow_now_ns();
		return;
	}
	c->idle[c->open++] = p;
	if (c->open == c->wanted) {
		c->task = CROWD_NOTHING;
		flow_say("{\"open\": %u}", c->open);
	}
}

static void on_end(struct crowd *c, const struct s2s_reason *why)
{
	char text[256];

	c->alive--;
	if (c->task != CROWD_LEAVE && c->task != CROWD_HANDSHAKES) {
		s2s_reason_format(why, text, sizeof(text));
		flow_die("one of many streams ended: %s", text);
	}
	connect_more(c);
	if (c->alive > 0)
		return;
	if (c->task == CROWD_HANDSHAKES)
		flow_say("{\"made\": %" PRIu64 ", \"ns\": %" PRIu64 "}",
			 c->made, c->last_ns - c->begun_ns);
	else
		flow_say("{\"open\": 0}");
	c->task = CROWD_NOTHING;
}

static void on_peer(struct peer *p, const struct peer_event *ev, void *arg)
{
	struct crowd *c = arg;

	switch (ev->kind) {
	case PEER_OPEN:
		on_open(c, p);
		connect_more(c);
		if (c->task == CROWD_HANDSHAKES)
			peer_close(p);
		break;
	case PEER_END:
		on_end(c, ev->why);
		break;
	case PEER_BYTES:
		break;
	}
}

static void leave(struct crowd *c)
{
	unsigned n = c->open;

	c->task = CROWD_LEAVE;
	c->open = 0;
	for (unsigned i = 0; i < n; i++)
		peer_close(c->idle[i]);
}

bool crowd_command(struct crowd *c, const char *line)
{
	uint32_t n[2] = {0, 0};
	bool is_idle = flow_is(line, "idle", n, 1);

	if (!is_idle && !flow_is(line, "handshakes", n, 2))
		return false;
	if (n[0] > CROWD_MAX || c->task != CROWD_NOTHING ||
	    (!is_idle && n[0] == 0) || (is_idle && n[0] == 0) != (c->open > 0))
		flow_die("not now: %s", line);
	if (n[0] == 0) {
		leave(c);
		return true;
	}
	c->task = is_idle ? CROWD_IDLE : CROWD_HANDSHAKES;
	c->wanted = n[0];
	c->made = 0;
	c->begun_ns = flow_now_ns();
	c->last_ns = c->begun_ns;
	c->until_ns = c->begun_ns + (uint64_t)n[1] * 1000000u;
	connect_more(c);
	return true;
}

struct crowd *crowd_new(struct peer_host *host, const struct sockaddr *edge,
			const char *domain, const char *identity)
{
	struct crowd *c = calloc(1, sizeof(*c));

	if (c == NULL)
		flow_die("out of memory");
	c->host = host;
	c->edge = edge;
	c->domain = domain;
	c->identity = identity;
	return c;
}
