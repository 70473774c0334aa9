/* A change with a store and edges that may do anything, in any order: each
 * wish ends once, numbers rise, nothing is in force that is not on disk, and no
 * state is without its end. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "fe-gateway/core/federation_change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EDGES = 3, NAMES = 4 };

struct world {
	const uint8_t *p;
	size_t n;
	struct federation_change *c;
	uint64_t now_ms;
	uint64_t token;	   /* of the wish that has not ended; 0: none */
	uint64_t last;	   /* token */
	uint64_t in_force; /* revision */
	uint64_t stored;   /* asked for; 0: nothing waits */
	bool is_committed;
	char record[512]; /* the last one that was stored, packed */
	size_t record_n;
};

static uint8_t take(struct world *w)
{
	if (w->n == 0)
		return 0;
	w->n--;
	return *w->p++;
}

/* --- what it does --------------------------------------------------------- */

static void on_store(struct world *w, const Fed__Revision *r)
{
	const Fed__Record *first = r->change[0]->after;

	FED_REQUIRE(w->stored == 0);
	FED_REQUIRE(r->number > w->in_force && r->n_change > 0);
	FED_REQUIRE(r->number <= FEDERATION_REVISION_MAX);
	w->stored = r->number;
	w->is_committed = false;
	if (first != NULL &&
	    fed__record__get_packed_size(first) <= sizeof(w->record))
		w->record_n = fed__record__pack(first, (uint8_t *)w->record);
}

static void on_config(const struct world *w, const Fed__Config *config)
{
	FED_REQUIRE(config->revision > 0);
	FED_REQUIRE(config->check_only ||
		    config->revision == federation_change_head(w->c)->number);
	FED_REQUIRE(!config->check_only ||
		    config->revision > federation_change_head(w->c)->number);
	FED_REQUIRE(fed__config__get_packed_size(config) < LIMIT_FRAME_BYTES);
}

static void drain(struct world *w)
{
	struct federation_action a;

	while (federation_change_next_action(w->c, &a)) {
		switch (a.kind) {
		case FEDERATION_ACT_READ:
			break;
		case FEDERATION_ACT_STORE:
			on_store(w, a.u.store);
			break;
		case FEDERATION_ACT_IN_FORCE:
			FED_REQUIRE(w->is_committed);
			w->in_force = federation_change_head(w->c)->number;
			FED_REQUIRE(w->in_force == w->stored);
			w->stored = 0;
			break;
		case FEDERATION_ACT_CONFIG:
			FED_REQUIRE(a.u.config.edge < EDGES);
			on_config(w, &a.u.config.config);
			break;
		case FEDERATION_ACT_DONE:
			FED_REQUIRE(w->token != 0 &&
				    a.u.done.token == w->token);
			w->token = 0;
			FED_REQUIRE((a.u.done.error == NULL) !=
				    (a.u.done.changed == NULL));
			break;
		}
	}
}

static void require_sound(const struct world *w)
{
	bool is_idle = federation_change_state(w->c) == FEDERATION_IDLE;

	FED_REQUIRE(federation_change_head(w->c)->number == w->in_force);
	FED_REQUIRE((federation_change_now(w->c) == NULL) ==
		    (w->in_force == 0));
	if (is_idle) {
		FED_REQUIRE(w->token == 0);
		FED_REQUIRE(federation_change_deadline_ms(w->c) == UINT64_MAX);
	} else if (federation_change_state(w->c) != FEDERATION_STORING ||
		   w->token != 0) {
		FED_REQUIRE(federation_change_deadline_ms(w->c) <=
			    w->now_ms + LIMIT_FEDERATION_STORE_MS);
	}
	for (size_t i = 0; i < EDGES; i++) {
		const struct federation_edge *e =
			federation_change_edge(w->c, i);

		FED_REQUIRE(!e->is_awaited || (e->is_connected && !is_idle));
		FED_REQUIRE(!e->is_awaited || e->owes_check != 0 ||
			    e->owes_told != 0);
	}
}

/* --- events --------------------------------------------------------------- */

static void wish(struct world *w)
{
	static char empty[1] = "";
	char domain[32];
	char description[8];
	Fed__PartnerRecord partner;
	Fed__Record record;
	Fed__Record *list = &record;
	Fed__AdminFederationApply a;
	struct errbuf e = {.text = ""};
	struct federation_wish f = {
		.apply = &a,
		.author = span_of(w->p, w->n < 150 ? w->n : 150),
		.token = w->last + 1,
	};
	uint8_t what = take(w);
	uint8_t with = take(w);

	(void)snprintf(domain, sizeof(domain), "d%d.example", what % NAMES);
	(void)snprintf(description, sizeof(description), "%d", with);
	federation_partner_init(&partner);
	partner.domain = domain;
	partner.description = description;
	fed__record__init(&record);
	record.kind_case = FED__RECORD__KIND_PARTNER;
	record.partner = &partner;
	fed__admin_federation_apply__init(&a);
	a.what = empty;
	a.dry_run = (what & 0x40) != 0;
	a.base_revision = (what & 0x20) != 0 ? with : 0;
	a.rollback_to = (what & 0x10) != 0 ? with : 0;
	if ((what & 0x18) == 0)
		a.put = &list;
	else if (a.rollback_to == 0)
		a.remove = &list;
	a.n_put = a.put != NULL;
	a.n_remove = a.remove != NULL;
	if (federation_change_begin(w->c, &f, w->now_ms, &e) == 0) {
		FED_REQUIRE(w->token == 0);
		w->token = ++w->last;
	} else {
		FED_REQUIRE(e.text[0] != '\0');
	}
}

static void result(struct world *w, size_t edge)
{
	static char no[] = "no\xff";
	static char yes[1] = "";
	Fed__ConfigResult r;
	uint8_t how = take(w);
	uint64_t number = w->in_force + (how & 7u);

	fed__config_result__init(&r);
	r.check_only = (how & 8u) != 0;
	r.revision = number;
	r.refused = (how & 16u) != 0 ? no : yes;
	r.in_force = (how & 32u) != 0 ? number : take(w);
	if ((how & 64u) != 0)
		r.in_force = UINT64_MAX >> take(w) % 64;
	federation_change_on_result(w->c, edge, &r, w->now_ms);
}

static void read_back(struct world *w)
{
	uint8_t how = take(w);
	char key[32];
	struct federation_change_row row = {.before = SPAN_NULL};
	int n = snprintf(key, sizeof(key), "partner/d%d.example", how % NAMES);

	row.key = span_of(key, (size_t)n);
	if ((how & 16u) != 0)
		row.before = span_of(w->record, w->record_n);
	if ((how & 32u) != 0)
		row.before = span_of(w->p, w->n < 64 ? w->n : 64);
	federation_change_on_read(w->c, (how & 64u) != 0 ? FED_ENOTFOUND : 0,
				  &row, (how & 128u) != 0 ? 0 : 1, how,
				  w->now_ms);
}

static void step(struct world *w)
{
	uint8_t command = take(w);
	size_t edge = command / 16 % EDGES;

	switch (command % 9) {
	case 0:
		wish(w);
		break;
	case 1:
		federation_change_on_session(w->c, edge, w->now_ms);
		break;
	case 2:
		federation_change_on_resumed(w->c, edge);
		break;
	case 3:
		federation_change_on_edge_down(w->c, edge, w->now_ms);
		break;
	case 4:
		result(w, edge);
		break;
	case 5:
		w->is_committed = w->stored != 0;
		federation_change_on_committed(w->c, w->stored, w->now_ms);
		break;
	case 6:
		/* the store takes it or does not, before anything else */
		if (w->stored == 0)
			federation_change_on_store_failed(w->c, w->now_ms);
		break;
	case 7:
		read_back(w);
		break;
	case 8:
		w->now_ms += take(w) * 100u;
		federation_change_on_timer(w->c, w->now_ms);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const domains[] = {"sip.example"};
	static const char *const edges[] = {"a", "b", "c"};
	const struct federation_change_params p = {
		.domains = domains,
		.domain_count = 1,
		.edges = edges,
		.edge_count = EDGES,
	};
	struct world w = {.p = data, .n = size, .now_ms = 1000};

	if (federation_change_new(&w.c, &p) != 0)
		return 0;
	while (w.n > 0) {
		step(&w);
		drain(&w);
		require_sound(&w);
	}
	federation_change_free(w.c);
	return 0;
}
