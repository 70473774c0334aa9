/* Points of a check. */
#include "edge-proxy/core/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "edge-proxy/core/negotiation.h"

enum { CHECK_TEXT_BYTES = 1024 };

void check_init(struct check *c)
{
	memset(c, 0, sizeof(*c));
	/* LIMIT: texts of zones and peers; text, advice, group */
	arena_init(&c->arena, 3u * CHECK_TEXT_BYTES * LIMIT_CHECK_FINDINGS);
	c->group = "";
}

void check_deinit(struct check *c)
{
	arena_deinit(&c->arena);
}

static const char *keep(struct check *c, const char *fmt, va_list ap)
	FED_PRINTF(2, 0);

static const char *keep(struct check *c, const char *fmt, va_list ap)
{
	char text[CHECK_TEXT_BYTES];
	const char *kept;

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	span_make_utf8(text);
	kept = arena_dup(&c->arena, span_str(text));
	return kept == NULL ? "" : kept;
}

void check_group(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	c->group = keep(c, fmt, ap);
	va_end(ap);
}

static struct check_finding *place(struct check *c)
{
	struct check_finding *f = &c->finding[c->count++];

	*f = (struct check_finding){
		.text = "", .advice = "", .group = c->group};
	return f;
}

/* LIMIT: points of one check; the last place is for those without one */
static struct check_finding *next(struct check *c, enum attempt_level level)
{
	struct check_finding *f;

	if (c->count >= FED_ARRAY_LEN(c->finding) - 1) {
		c->left_out++;
		if (level > c->left_level)
			c->left_level = level;
		return NULL;
	}
	f = place(c);
	f->level = level;
	return f;
}

void check_end(struct check *c)
{
	struct check_finding *f;

	if (c->left_out == 0 || c->count == FED_ARRAY_LEN(c->finding))
		return;
	f = place(c);
	(void)snprintf(c->rest, sizeof(c->rest),
		       "and %zu more that had no room: ask for one domain",
		       c->left_out);
	f->level = c->left_level;
	f->what = "more";
	f->text = c->rest;
	f->group = "";
}

void check_add(struct check *c, enum attempt_level level, const char *what,
	       const char *fmt, ...)
{
	struct check_finding *f = next(c, level);
	va_list ap;

	if (f == NULL)
		return;
	f->what = what;
	va_start(ap, fmt);
	f->text = keep(c, fmt, ap);
	va_end(ap);
}

void check_advise(struct check *c, const char *fmt, ...)
{
	va_list ap;

	if (c->count == 0 || c->left_out > 0)
		return;
	va_start(ap, fmt);
	c->finding[c->count - 1].advice = keep(c, fmt, ap);
	va_end(ap);
}

void check_add_step(struct check *c, const struct attempt *at,
		    const struct attempt_step *step)
{
	struct check_finding *f = next(c, step->level);

	if (f == NULL)
		return;
	f->what = step->what;
	f->text = arena_dup(&c->arena, span_str(step->text));
	if (f->text == NULL)
		f->text = "";
	f->at_ms = attempt_wall_ms(at, step->at_ms);
	f->took_ms = step->took_ms;
}

void check_verdict(struct check *c, const char *well, char *out,
		   size_t out_size)
{
	const struct check_finding *worst = NULL;
	size_t others = 0;

	check_end(c);
	for (size_t i = 0; i < c->count; i++) {
		const struct check_finding *f = &c->finding[i];

		if (f->level < ATTEMPT_WARN)
			continue;
		if (worst == NULL || f->level > worst->level) {
			worst = f;
			others = 0;
		} else if (f->level == worst->level) {
			others++;
		}
	}
	if (worst == NULL)
		(void)snprintf(out, out_size, "%s", well);
	else if (others == 0)
		(void)snprintf(out, out_size, "%s", worst->text);
	else
		(void)snprintf(out, out_size, "%s; and %zu more", worst->text,
			       others);
	span_make_utf8(out);
}

/* ---- rules --------------------------------------------------------------- */

static void add_way(char *out, size_t out_size, const char *way)
{
	size_t n = strlen(out);

	(void)snprintf(out + n, out_size - n, "%s%s", n > 0 ? ", else " : "",
		       way);
}

void check_rule(struct check *c, const struct policy_partner *rule)
{
	char ways[256] = "";
	unsigned methods;

	if (rule == NULL) {
		check_add(c, ATTEMPT_BAD, "policy",
			  "it is no partner: nothing is negotiated with it, "
			  "and its streams end with policy-violation");
		check_advise(c, "is it there, and enabled? fedctl partner show "
				"DOMAIN; fedctl partner add DOMAIN, fedctl "
				"partner enable DOMAIN");
		return;
	}
	methods = negotiation_methods(rule);
	if ((methods & NEGOTIATION_SASL_TLS) != 0)
		add_way(ways, sizeof(ways),
			"EXTERNAL with a certificate that is valid for it");
	if ((methods & NEGOTIATION_TLS_DIALBACK) != 0)
		add_way(ways, sizeof(ways), "dialback over TLS");
	if ((methods & NEGOTIATION_TCP_DIALBACK) != 0)
		add_way(ways, sizeof(ways), "dialback in the clear");
	if (methods == 0)
		check_add(c, ATTEMPT_BAD, "policy",
			  "its rule contradicts itself: there is no way in");
	else
		check_add(c, ATTEMPT_INFO, "policy",
			  "in both directions its rule takes %s", ways);
}
