/*
 * The record of attempts: live ones by number, and of each domain the last
 * few, the domains in the order of their use.
 */
#include "edge-proxy/core/attempts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/map.h"

struct entry {
	struct attempt at; /* first: what readers see */
	bool is_live;	   /* in `live` */
	bool is_listed;	   /* in its domain's list */
	bool is_named;
	UT_hash_handle hh; /* live: by number */
	struct entry *prev;
	struct entry *next;
};

struct domain {
	char *name;
	bool is_partner;
	struct entry *out; /* newest first */
	struct entry *in;
	UT_hash_handle hh; /* by name */
	struct domain *prev;
	struct domain *next;
};

struct attempts {
	struct entry *live;	  /* uthash */
	struct domain *domains;	  /* uthash */
	struct domain *partners;  /* the last used one is first */
	struct domain *strangers; /* the same */
	size_t stranger_count;
	uint64_t last_number;
};

/* ---- attempts ------------------------------------------------------------ */

static void free_entry(struct entry *en)
{
	for (size_t i = 0; i < en->at.step_count; i++)
		free(en->at.steps[i].text);
	free(en->at.steps);
	free(en->at.local);
	free(en->at.mechanism);
	free(en);
}

static void unlist(struct entry **list, struct entry *en)
{
	DL_DELETE(*list, en);
	en->is_listed = false;
	if (!en->is_live)
		free_entry(en);
}

static void end_life(struct attempts *a, struct entry *en)
{
	HASH_DEL(a->live, en);
	en->is_live = false;
	if (!en->is_listed)
		free_entry(en);
}

static struct entry *find(const struct attempts *a, uint64_t number)
{
	struct entry *en = NULL;

	if (a != NULL && number != 0)
		HASH_FIND(hh, a->live, &number, sizeof(number), en);
	return en;
}

/* LIMIT: attempts of a domain.  Streams that are open are what the operator
 * asks for, however old they are; and strangers who only say that they are the
 * domain do not push out the last stream that it had. */
static void trim(struct entry **list)
{
	struct entry *en;
	struct entry *oldest = NULL;
	struct entry *ended = NULL;
	bool has_proven = false;
	size_t n = 0;

	DL_FOREACH (*list, en) {
		bool is_last_proven = en->at.was_open && !has_proven;

		n++;
		oldest = en;
		has_proven = has_proven || en->at.was_open;
		if (en->at.state == ATTEMPT_ENDED && !is_last_proven)
			ended = en;
	}
	if (n > LIMIT_ATTEMPTS)
		unlist(list, ended != NULL ? ended : oldest);
}

/* ---- domains ------------------------------------------------------------- */

static struct domain **lru_of(struct attempts *a, bool is_partner)
{
	return is_partner ? &a->partners : &a->strangers;
}

static void enlist(struct attempts *a, struct domain *d, bool is_partner)
{
	d->is_partner = is_partner;
	DL_PREPEND(*lru_of(a, is_partner), d);
	a->stranger_count += !is_partner;
}

static void delist(struct attempts *a, struct domain *d)
{
	DL_DELETE(*lru_of(a, d->is_partner), d);
	a->stranger_count -= !d->is_partner;
}

static void free_domain(struct attempts *a, struct domain *d)
{
	HASH_DEL(a->domains, d);
	delist(a, d);
	while (d->out != NULL)
		unlist(&d->out, d->out);
	while (d->in != NULL)
		unlist(&d->in, d->in);
	free(d->name);
	free(d);
}

/* LIMIT: strangers push out strangers, once they have their share. */
static void make_room(struct attempts *a, bool is_partner)
{
	bool is_theirs =
		a->stranger_count > LIMIT_ATTEMPT_STRANGERS ||
		(!is_partner && a->stranger_count == LIMIT_ATTEMPT_STRANGERS);

	if (HASH_COUNT(a->domains) < LIMIT_ATTEMPT_DOMAINS)
		return;
	if (is_theirs || a->partners == NULL)
		free_domain(a, a->strangers->prev);
	else
		free_domain(a, a->partners->prev);
}

static struct domain *find_domain(const struct attempts *a, const char *name)
{
	struct domain *d = NULL;

	HASH_FIND_STR(a->domains, name, d);
	return d;
}

/* The domain, new or used again; NULL: no memory. */
static struct domain *use_domain(struct attempts *a, const char *name,
				 bool is_partner)
{
	struct domain *d = find_domain(a, name);

	if (d != NULL) {
		delist(a, d);
		enlist(a, d, is_partner);
		return d;
	}
	make_room(a, is_partner);
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->name = strdup(name);
	if (d->name != NULL)
		HASH_ADD_KEYPTR(hh, a->domains, d->name, strlen(d->name), d);
	if (d->name == NULL || d->hh.tbl == NULL) {
		free(d->name);
		free(d);
		return NULL;
	}
	enlist(a, d, is_partner);
	return d;
}

static void name(struct attempts *a, struct entry *en, const char *domain,
		 bool is_partner)
{
	struct domain *d = use_domain(a, domain, is_partner);
	struct entry **list;

	if (d == NULL)
		return;
	list = en->at.is_inbound ? &d->in : &d->out;
	en->is_named = true;
	en->is_listed = true;
	DL_PREPEND(*list, en);
	trim(list);
}

void attempts_name(struct attempts *a, uint64_t number, const char *domain,
		   bool is_partner)
{
	struct entry *en = find(a, number);

	if (en != NULL && !en->is_named && domain != NULL && domain[0] != '\0')
		name(a, en, domain, is_partner);
}

/* ---- steps --------------------------------------------------------------- */

/* LIMIT: a peer that goes in circles.  Room for the end is always left, and
 * for one step that says what went wrong. */
static bool has_room(const struct attempt *at, const struct attempt_step *step,
		     size_t n)
{
	size_t kept = 0;

	if (at->state != ATTEMPT_ENDED)
		kept = step->level == ATTEMPT_BAD ? 1 : 2;
	return at->step_count + kept < LIMIT_ATTEMPT_STEPS &&
	       at->bytes + n + kept * LIMIT_ATTEMPT_TEXT <= LIMIT_ATTEMPT_BYTES;
}

static void add_step(struct entry *en, const struct attempt_step *step)
{
	struct attempt *at = &en->at;
	size_t n = strlen(step->text);
	struct attempt_step *more;

	if (!has_room(at, step, n)) {
		at->left_out++;
		return;
	}
	more = reallocarray(at->steps, at->step_count + 1, sizeof(*more));
	if (more == NULL)
		return;
	at->steps = more;
	more += at->step_count;
	*more = *step;
	more->text = strdup(step->text);
	if (more->text == NULL)
		return;
	at->step_count++;
	at->bytes += n;
}

static void note(struct entry *en, struct attempt_step *step, const char *fmt,
		 va_list ap) FED_PRINTF(3, 0);

static void note(struct entry *en, struct attempt_step *step, const char *fmt,
		 va_list ap)
{
	char text[LIMIT_ATTEMPT_TEXT];

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	span_make_utf8(text);
	step->text = text;
	add_step(en, step);
	step->text = NULL; /* it was copied */
	en->at.changed_ms = step->at_ms;
}

static uint32_t between(uint64_t from_ms, uint64_t to_ms)
{
	uint64_t ms = to_ms > from_ms ? to_ms - from_ms : 0;

	return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

void attempts_note(struct attempts *a, uint64_t number, uint64_t now_ms,
		   enum attempt_level level, const char *what, const char *fmt,
		   ...)
{
	struct entry *en = find(a, number);
	struct attempt_step step = {
		.level = level, .what = what, .at_ms = now_ms};
	va_list ap;

	if (en == NULL)
		return;
	step.took_ms = between(en->at.changed_ms, now_ms);
	va_start(ap, fmt);
	note(en, &step, fmt, ap);
	va_end(ap);
}

void attempts_note_since(struct attempts *a, uint64_t number, uint64_t now_ms,
			 uint64_t since_ms, enum attempt_level level,
			 const char *what, const char *fmt, ...)
{
	struct entry *en = find(a, number);
	struct attempt_step step = {.level = level,
				    .what = what,
				    .at_ms = now_ms,
				    .took_ms = between(since_ms, now_ms)};
	va_list ap;

	if (en == NULL)
		return;
	va_start(ap, fmt);
	note(en, &step, fmt, ap);
	va_end(ap);
}

/* ---- life ---------------------------------------------------------------- */

uint64_t attempts_begin(struct attempts *a, const struct attempt_params *p,
			uint64_t now_ms)
{
	struct entry *en;

	if (a == NULL)
		return 0;
	en = calloc(1, sizeof(*en));
	if (en == NULL)
		return 0;
	en->at.number = ++a->last_number;
	en->at.is_inbound = p->is_inbound;
	en->at.is_check = p->is_check;
	en->at.start_ms = now_ms;
	en->at.changed_ms = now_ms;
	en->at.start_wall = p->wall_ms;
	en->at.local = strdup(p->local);
	if (en->at.local != NULL)
		HASH_ADD(hh, a->live, at.number, sizeof(en->at.number), en);
	if (en->at.local == NULL || en->hh.tbl == NULL) {
		free_entry(en);
		return 0;
	}
	en->is_live = true;
	if (p->domain[0] != '\0')
		name(a, en, p->domain, p->is_partner);
	return en->at.number;
}

void attempts_opened(struct attempts *a, uint64_t number, uint64_t now_ms,
		     const char *mechanism)
{
	struct entry *en = find(a, number);

	if (en == NULL || en->at.state != ATTEMPT_UNDER_WAY)
		return;
	attempts_note(a, number, now_ms, ATTEMPT_GOOD, "ready",
		      "authenticated by %s", mechanism);
	en->at.state = ATTEMPT_OPEN;
	en->at.was_open = true;
	en->at.open_ms = now_ms;
	en->at.mechanism = strdup(mechanism);
}

void attempts_ended(struct attempts *a, uint64_t number, uint64_t now_ms,
		    bool is_in_order, const char *text)
{
	struct entry *en = find(a, number);
	enum attempt_level level = ATTEMPT_INFO;

	if (en == NULL)
		return;
	if (!is_in_order || !en->at.was_open)
		level = en->at.was_open ? ATTEMPT_WARN : ATTEMPT_BAD;
	en->at.state = ATTEMPT_ENDED;
	en->at.was_in_order = is_in_order;
	attempts_note(a, number, now_ms, level, "end", "%s", text);
	end_life(a, en);
}

int attempts_new(struct attempts **a_out)
{
	*a_out = calloc(1, sizeof(**a_out));
	return *a_out == NULL ? FED_ENOMEM : 0;
}

void attempts_free(struct attempts *a)
{
	struct entry *en;
	struct entry *next;

	if (a == NULL)
		return;
	while (a->partners != NULL)
		free_domain(a, a->partners);
	while (a->strangers != NULL)
		free_domain(a, a->strangers);
	HASH_ITER (hh, a->live, en, next)
		end_life(a, en);
	free(a);
}

/* ---- reading ------------------------------------------------------------- */

const struct attempt *attempts_find(const struct attempts *a, uint64_t number)
{
	const struct entry *en = find(a, number);

	return en == NULL ? NULL : &en->at;
}

int64_t attempts_wall_ms(const struct attempts *a, uint64_t number,
			 uint64_t now_ms)
{
	const struct entry *en = find(a, number);

	return en == NULL ? 0 : attempt_wall_ms(&en->at, now_ms);
}

size_t attempts_of(const struct attempts *a, const char *domain,
		   const struct attempt *out[ATTEMPTS_OF_DOMAIN])
{
	const struct domain *d = find_domain(a, domain);
	const struct entry *to = d == NULL ? NULL : d->out;
	const struct entry *from = d == NULL ? NULL : d->in;
	size_t n = 0;

	while (n < ATTEMPTS_OF_DOMAIN && (to != NULL || from != NULL)) {
		if (from == NULL ||
		    (to != NULL && to->at.number > from->at.number)) {
			out[n++] = &to->at;
			to = to->next;
		} else {
			out[n++] = &from->at;
			from = from->next;
		}
	}
	return n;
}

size_t attempts_domains(const struct attempts *a)
{
	return HASH_COUNT(a->domains);
}
