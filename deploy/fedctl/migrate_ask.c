/* Asking for a migration: several daemons, several times. */
#include "deploy/fedctl/migrate_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/text.h"

/* ---- answers ------------------------------------------------------------- */

static void keep(const Fed__AdminResponse *r, void *arg)
{
	struct migrate_answers *x = arg;
	Fed__AdminResponse *kept = message_dup(x->a, &r->base);

	if (kept == NULL ||
	    arena_append(x->a, (void ***)&x->list, &x->count, kept) != 0)
		x->is_failed = true;
}

/* The sentence without "fedctl: " and its line's end. */
static const char *sentence(struct arena *a, const char *said)
{
	static const char head[] = "fedctl: ";
	const char *p = strncmp(said, head, sizeof(head) - 1) == 0
				? said + sizeof(head) - 1
				: said;

	return arena_dup(a, span_of(p, strcspn(p, "\n")));
}

int migrate_ask(struct session *s, Fed__AdminRequest *r, const char *edge,
		struct migrate_answers *answers, const char **error)
{
	FILE *err = s->err;
	char *said = NULL;
	size_t n = 0;
	int status;

	if (edge != NULL)
		r->edge = text_lent(edge);
	if (error != NULL) {
		*error = NULL;
		s->err = open_memstream(&said, &n);
		if (s->err == NULL) {
			s->err = err;
			return session_fail(s, STATUS_FAILED, "out of memory");
		}
	}
	status = session_ask(s, r, keep, answers);
	if (error != NULL) {
		(void)fclose(s->err);
		s->err = err;
		*error = status == STATUS_DONE ? NULL
					       : sentence(answers->a, said);
		if (status != STATUS_DONE && *error == NULL)
			answers->is_failed = true;
		free(said);
	}
	if (answers->is_failed)
		return session_fail(s, STATUS_FAILED, "out of memory");
	return status;
}

/* ---- changing ------------------------------------------------------------ */

static int add_changed(struct arena *a, const Fed__FederationChanged *c,
		       struct migrate_changed *out)
{
	out->revision = c->revision;
	out->count += c->n_change;
	for (size_t i = 0; i < c->n_warning; i++)
		if (arena_append(a, (void ***)&out->warnings,
				 &out->warning_count, c->warning[i]) != 0)
			return FED_ENOMEM;
	return 0;
}

int migrate_apply(struct session *s, struct change *c,
		  struct migrate_changed *out)
{
	struct migrate_answers answers = {.a = c->a};
	Fed__AdminRequest r;
	int status = change_request(s, c, &r);

	*out = (struct migrate_changed){.count = 0};
	if (status == STATUS_DONE)
		status = migrate_ask(s, &r, NULL, &answers, NULL);
	for (size_t i = 0; i < answers.count && status == STATUS_DONE; i++)
		if (answers.list[i]->changed != NULL &&
		    add_changed(c->a, answers.list[i]->changed, out) != 0)
			status = change_no_memory(s);
	return status;
}
