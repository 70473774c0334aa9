/* Any order of changes of streams: for each pair and direction OPENED and an
 * end take turns, pairs keep their pace, and in the end all know the truth. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "edge-proxy/core/stream_news.h"

enum { DOMAINS = 4 };

static const char *const domains[DOMAINS] = {"a.example", "b.example",
					     "c.example", "d.example"};

/* What a gateway knows of a pair in one direction, and the truth. */
struct view {
	size_t open;
	bool is_told_open;
	unsigned told; /* since quiet_ms */
	uint64_t since_ms;
};

struct rig {
	struct stream_news *n;
	uint64_t now;
	struct view views[DOMAINS][2];
};

static size_t index_of(const char *domain)
{
	size_t i = 0;

	while (i < DOMAINS && strcmp(domains[i], domain) != 0)
		i++;
	FED_REQUIRE(i < DOMAINS);
	return i;
}

static void take(struct rig *t, const struct stream_news_item *item)
{
	struct view *v = &t->views[index_of(item->pair.remote)]
				  [item->is_inbound ? 1 : 0];
	bool is_opened = item->what == FED__STREAM_EVENT__WHAT__OPENED;

	if (item->what == FED__STREAM_EVENT__WHAT__CLOSED)
		FED_REQUIRE(v->is_told_open);
	else
		FED_REQUIRE(!v->is_told_open);
	FED_REQUIRE(item->what != FED__STREAM_EVENT__WHAT__FAILED ||
		    !item->is_inbound);
	FED_REQUIRE((item->reason[0] == '\0') == is_opened);
	v->is_told_open = is_opened;
	if (t->now - v->since_ms >= LIMIT_STREAM_NEWS_MS) {
		v->since_ms = t->now;
		v->told = 0;
	}
	FED_REQUIRE(++v->told <= 3);
}

static void drain(struct rig *t)
{
	struct stream_news_item item;

	while (stream_news_next(t->n, &item, t->now))
		take(t, &item);
}

static void step(struct rig *t, uint8_t op, uint8_t arg)
{
	const struct s2s_reason why = {
		.kind = (enum s2s_reason_kind)((arg >> 3) % 13),
		.condition = (enum s2s_condition)(arg % 26)};
	const struct s2s_pair pair = {"sip.example", domains[arg % DOMAINS]};
	bool is_inbound = (arg & DOMAINS) != 0;
	struct view *v = &t->views[arg % DOMAINS][is_inbound ? 1 : 0];

	switch (op % 5) {
	case 0:
		stream_news_opened(t->n, &pair, is_inbound);
		v->open++;
		break;
	case 1:
		stream_news_ended(t->n, &pair, is_inbound, &why);
		v->open -= v->open > 0 ? 1 : 0;
		break;
	case 2:
		stream_news_failed(t->n, &pair, &why);
		break;
	case 3:
		t->now += arg;
		break;
	default:
		drain(t);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rig t = {.now = LIMIT_STREAM_NEWS_MS};

	if (stream_news_new(&t.n, NULL, t.now) != 0)
		return 0;
	for (size_t i = 0; i + 1 < size; i += 2)
		step(&t, data[i], data[i + 1]);
	/* once all is quiet */
	for (unsigned i = 0; i < 100; i++) {
		t.now += LIMIT_STREAM_NEWS_MS;
		drain(&t);
	}
	for (size_t i = 0; i < DOMAINS; i++)
		for (size_t j = 0; j < 2; j++)
			FED_REQUIRE(t.views[i][j].is_told_open ==
				    (t.views[i][j].open > 0));
	FED_REQUIRE(stream_news_pairs(t.n) <= 2 * DOMAINS);
	stream_news_free(t.n);
	return 0;
}
