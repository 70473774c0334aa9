/*
 * migrate plan, migrate verify: what the gateway says of the steps, then what
 * its edges see of certificates, DNS and partners, in one report.
 */
#include <string.h>

#include "base/limits.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/migrate_ask.h"
#include "deploy/fedctl/text.h"

#define MIGRATE_CERTIFICATES "4. policies and certificates"
#define MIGRATE_DNS "6. DNS"

#define BAD FED__FINDING__LEVEL__BAD
#define WARN FED__FINDING__LEVEL__WARN
#define GOOD FED__FINDING__LEVEL__GOOD
#define INFO FED__FINDING__LEVEL__INFO

/* An edge looks at a certificate or at the DNS for so long at most. */
enum { CHECK_PATIENCE_S = 90 };

/* One report at work. */
struct report {
	struct session *s;
	struct arena a;
	struct migrate_answers answers; /* of the gateway */
	Fed__Finding **found;
	size_t count;
	const char *verdict;
	bool is_failed; /* out of memory */
};

static void begin(struct report *x, struct session *s)
{
	*x = (struct report){.s = s, .verdict = ""};
	arena_init(&x->a, LIMIT_MIGRATE_BYTES);
	x->answers.a = &x->a;
}

static char *dup_text(struct report *x, const char *text)
{
	char *copy = arena_dup(&x->a, span_str(text));

	x->is_failed = x->is_failed || copy == NULL;
	return copy;
}

/* Behind the last finding of its group, or of those before it: groups have
 * their numbers in front. */
static void insert(struct report *x, Fed__Finding *f)
{
	size_t at = x->count;

	if (arena_append(&x->a, (void ***)&x->found, &x->count, f) != 0) {
		x->is_failed = true;
		return;
	}
	while (at > 0 && strcmp(x->found[at - 1]->group, f->group) > 0) {
		x->found[at] = x->found[at - 1];
		at--;
	}
	x->found[at] = f;
}

/* text NULL: out of memory. */
static void add(struct report *x, Fed__Finding__Level level, const char *group,
		const char *what, const char *text, const char *advice)
{
	Fed__Finding *f = arena_alloc(&x->a, sizeof(*f));

	if (f == NULL || text == NULL) {
		x->is_failed = true;
		return;
	}
	fed__finding__init(f);
	f->level = level;
	f->group = dup_text(x, group);
	f->what = dup_text(x, what);
	f->text = dup_text(x, text);
	f->advice = dup_text(x, advice);
	if (!x->is_failed)
		insert(x, f);
}

/* ---- the gateway --------------------------------------------------------- */

static int ask_gateway(struct report *x, Fed__AdminMigrate__What what,
		       const char *domain)
{
	Fed__AdminMigrate m;
	Fed__AdminRequest r;
	int status;

	fed__admin_migrate__init(&m);
	m.what = what;
	if (domain != NULL)
		m.domain = text_lent(domain);
	fed__admin_request__init(&r);
	r.kind_case = FED__ADMIN_REQUEST__KIND_MIGRATE;
	r.migrate = &m;
	status = migrate_ask(x->s, &r, NULL, &x->answers, NULL);
	for (size_t i = 0; i < x->answers.count; i++) {
		const Fed__AdminResponse *a = x->answers.list[i];

		for (size_t k = 0; k < a->n_finding; k++)
			insert(x, a->finding[k]);
		if (a->verdict[0] != '\0')
			x->verdict = a->verdict;
	}
	return status;
}

/* ---- its edges ----------------------------------------------------------- */

/* What to ask an edge, and where its findings belong. */
struct look {
	Fed__AdminCheck__What what;
	const char *domain; /* "": all that are ours */
	const char *group;
	const char *name; /* of the finding */
	const char *good; /* when nothing is to be said */
};

static void take_findings(struct report *x, const struct look *k,
			  const char *edge, const struct migrate_answers *r)
{
	bool is_good = true;

	for (size_t i = 0; i < r->count; i++)
		for (size_t n = 0; n < r->list[i]->n_finding; n++) {
			const Fed__Finding *f = r->list[i]->finding[n];

			if (f->level != BAD && f->level != WARN)
				continue;
			is_good = false;
			add(x, f->level, k->group, k->name,
			    arena_printf(&x->a, "%s: %s%s%s", edge, f->group,
					 f->group[0] != '\0' ? ": " : "",
					 f->text),
			    f->advice);
		}
	if (is_good)
		add(x, GOOD, k->group, k->name,
		    arena_printf(&x->a, "%s: %s", edge, k->good), "");
}

static int look(struct report *x, const struct look *k, const char *edge)
{
	struct migrate_answers answers = {.a = &x->a};
	Fed__AdminCheck c;
	Fed__AdminRequest r;
	const char *error;
	int status;

	fed__admin_check__init(&c);
	c.what = k->what;
	c.domain = text_lent(k->domain);
	fed__admin_request__init(&r);
	r.kind_case = FED__ADMIN_REQUEST__KIND_CHECK;
	r.check = &c;
	status = migrate_ask(x->s, &r, edge, &answers, &error);
	if (status == STATUS_AWAY)
		return session_fail(x->s, STATUS_AWAY, "%s", error);
	if (status != STATUS_DONE)
		add(x, INFO, k->group, k->name,
		    arena_printf(&x->a, "%s: not measured: %s", edge, error),
		    "");
	else
		take_findings(x, k, edge, &answers);
	return STATUS_DONE;
}

/* Each edge with a channel. */
static int look_everywhere(struct report *x, const struct look *k)
{
	int status = STATUS_DONE;

	for (size_t i = 0; i < x->answers.count; i++) {
		const Fed__FederationStatus *f = x->answers.list[i]->federation;

		for (size_t n = 0;
		     f != NULL && n < f->n_edge && status == STATUS_DONE; n++)
			if (f->edge[n]->is_connected)
				status = look(x, k, f->edge[n]->name);
	}
	return status;
}

/* ---- the report ---------------------------------------------------------- */

static int show(struct report *x, bool is_judged)
{
	const struct show *how =
		x->s->is_json
			? (is_judged ? &show_check_json : &show_findings_json)
			: (is_judged ? &show_check_text : &show_findings_text);
	Fed__AdminResponse r;
	struct shower to;
	int status;

	if (x->is_failed || x->verdict == NULL)
		return session_fail(x->s, STATUS_FAILED, "out of memory");
	fed__admin_response__init(&r);
	r.finding = x->found;
	r.n_finding = x->count;
	r.verdict = text_lent(x->verdict);
	shower_init(&to, x->s->out, NULL);
	if (how->begin != NULL)
		how->begin(&to);
	how->more(&to, &r);
	how->end(&to);
	status = to.is_failed
			 ? session_fail(x->s, STATUS_FAILED, "out of memory")
			 : session_written(x->s);
	if (status == STATUS_DONE && to.is_bad)
		status = STATUS_FAILED;
	shower_deinit(&to);
	return status;
}

const char *migrate_next(struct arena *a, const char *verdict,
			 Fed__Finding *const *f, size_t count)
{
	const Fed__Finding *dns = NULL;

	for (size_t i = 0; i < count; i++) {
		bool is_dns = strcmp(f[i]->group, MIGRATE_DNS) == 0;

		if (is_dns && dns == NULL && f[i]->level != GOOD)
			dns = f[i];
		if (is_dns || f[i]->level != BAD)
			continue;
		if (f[i]->advice[0] == '\0')
			return arena_printf(a, "next: mend %s: %s", f[i]->group,
					    f[i]->text);
		return arena_printf(a, "next: %s", f[i]->advice);
	}
	if (strncmp(verdict, "next:", 5) == 0)
		return arena_dup(a, span_str(verdict));
	if (dns != NULL && dns->level != INFO)
		return arena_printf(a, "%s; next: let DNS point here", verdict);
	return arena_printf(a, "%s%s", verdict,
			    dns == NULL ? ", and DNS points here" : "");
}

/* The DNS of each domain of ours. */
static int look_at_dns(struct report *x, const char *group)
{
	struct look k = {
		.what = FED__ADMIN_CHECK__WHAT__DNS,
		.group = group,
		.name = "records",
	};
	int status = STATUS_DONE;

	for (size_t i = 0; i < x->answers.count; i++) {
		const Fed__AdminResponse *r = x->answers.list[i];

		for (size_t n = 0; n < r->n_domain && status == STATUS_DONE;
		     n++) {
			k.domain = r->domain[n];
			k.good = arena_printf(&x->a, "those of %s point here",
					      k.domain);
			status = k.good != NULL
					 ? look_everywhere(x, &k)
					 : session_fail(x->s, STATUS_FAILED,
							"out of memory");
		}
	}
	return status;
}

static const struct look certificates = {
	.what = FED__ADMIN_CHECK__WHAT__CERT,
	.domain = "",
	.group = MIGRATE_CERTIFICATES,
	.name = "certificate",
	.good = "that of each served domain is good",
};

int migrate_run_plan(struct session *s, const struct line *l)
{
	struct report x;
	int status;

	(void)l;
	begin(&x, s);
	status = ask_gateway(&x, FED__ADMIN_MIGRATE__WHAT__PLAN, NULL);
	s->patience_s = CHECK_PATIENCE_S;
	if (status == STATUS_DONE)
		status = look_everywhere(&x, &certificates);
	if (status == STATUS_DONE)
		status = look_at_dns(&x, MIGRATE_DNS);
	if (status == STATUS_DONE) {
		x.verdict = migrate_next(&x.a, x.verdict, x.found, x.count);
		status = show(&x, false);
	}
	arena_deinit(&x.a);
	return status;
}

int migrate_look_at_certificates(struct session *s, struct errbuf *why)
{
	struct report x;
	int status;

	begin(&x, s);
	status = ask_gateway(&x, FED__ADMIN_MIGRATE__WHAT__PLAN, NULL);
	x.count = 0; /* the gateway looks at those itself */
	s->patience_s = CHECK_PATIENCE_S;
	if (status == STATUS_DONE)
		status = look_everywhere(&x, &certificates);
	s->patience_s = SESSION_PATIENCE_S;
	for (size_t i = 0; i < x.count && why->text[0] == '\0'; i++)
		if (x.found[i]->level == BAD)
			errbuf_set(why, "%s", x.found[i]->text);
	arena_deinit(&x.a);
	return status;
}

/* ---- afterwards ---------------------------------------------------------- */

/* Partners that are enabled: the gateway named them. */
static int look_at_partners(struct report *x)
{
	struct look k = {
		.what = FED__ADMIN_CHECK__WHAT__PARTNER,
		.name = "stream",
		.good = "a stream with it was negotiated",
	};
	size_t count = x->count;
	const char **names =
		arena_alloc(&x->a, (count + 1) * sizeof(const char *));
	size_t n = 0;
	int status = STATUS_DONE;

	if (names == NULL)
		return session_fail(x->s, STATUS_FAILED, "out of memory");
	/* the list grows while they are looked at */
	for (size_t i = 0; i < count; i++)
		if (strcmp(x->found[i]->what, "state") == 0 &&
		    x->found[i]->level == GOOD && x->found[i]->group[0] != '*')
			names[n++] = x->found[i]->group;
	for (size_t i = 0; i < n && status == STATUS_DONE; i++) {
		k.domain = names[i];
		k.group = names[i];
		status = look_everywhere(x, &k);
	}
	return status;
}

static void judge(struct report *x)
{
	size_t bad = 0;

	for (size_t i = 0; i < x->count; i++)
		bad += x->found[i]->level == BAD;
	if (bad > 0)
		x->verdict =
			arena_printf(&x->a, "not done: %zu of these %s bad",
				     bad, bad == 1 ? "is" : "are");
}

int migrate_run_verify(struct session *s, const struct line *l)
{
	struct look c = certificates;
	struct report x;
	int status;

	c.group = "certificates";
	begin(&x, s);
	status = migrate_need_partner(s);
	if (status == STATUS_DONE)
		status = ask_gateway(&x, FED__ADMIN_MIGRATE__WHAT__VERIFY,
				     line_arg(l, 0));
	s->patience_s = CHECK_PATIENCE_S;
	if (status == STATUS_DONE)
		status = look_at_partners(&x);
	if (status == STATUS_DONE)
		status = look_everywhere(&x, &c);
	if (status == STATUS_DONE)
		status = look_at_dns(&x, "dns");
	if (status == STATUS_DONE) {
		judge(&x);
		status = show(&x, true);
	}
	arena_deinit(&x.a);
	return status;
}
