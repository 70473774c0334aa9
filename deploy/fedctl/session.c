/* Asking, several times when need be. */
#include "deploy/fedctl/session.h"

#include <stdarg.h>
#include <stdlib.h>

#include "deploy/fedctl/command.h"
#include "deploy/fedctl/text.h"

void session_init(struct session *s, const struct session_peer *peer,
		  const struct line *line)
{
	*s = (struct session){
		.peer = *peer,
		.line = line,
		.out = stdout,
		.err = stderr,
		.in = stdin,
		.is_json = line_has(line, "json"),
		.patience_s = SESSION_PATIENCE_S,
	};
}

/* ---- complaints ---------------------------------------------------------- */

static void FED_PRINTF(3, 0)
	complain(struct session *s, const char *of, const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	(void)fprintf(s->err, "fedctl: %s%s", of, of[0] != '\0' ? ": " : "");
	text_print(s->err, span_str(text != NULL ? text : "out of memory"),
		   NULL);
	(void)fputc('\n', s->err);
	free(text);
}

int session_fail(struct session *s, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(s, "", fmt, ap);
	va_end(ap);
	return status;
}

int session_usage(struct session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(s, s->line->command->name, fmt, ap);
	va_end(ap);
	return STATUS_USAGE;
}

/* ---- asking -------------------------------------------------------------- */

/* What a client error means to the one who runs this. */
static int status_of(int err)
{
	return err == FED_EIO ? STATUS_AWAY : STATUS_FAILED;
}

int session_ask(struct session *s, Fed__AdminRequest *r,
		void (*more)(const Fed__AdminResponse *r, void *arg), void *arg)
{
	const char *edge = line_option(s->line, "edge");
	struct errbuf e = {.text = ""};
	Fed__AdminResponse *answer;
	int err;

	r->id = 1;
	if (edge != NULL)
		r->edge = text_lent(edge);
	err = s->peer.ask(s->peer.arg, r, s->patience_s, &e);
	if (err != 0)
		return session_fail(s, status_of(err), "%s", e.text);
	do {
		err = s->peer.next(s->peer.arg, &answer, &e);
		if (err != 0)
			return session_fail(s, status_of(err), "%s", e.text);
		if (answer->error[0] != '\0')
			return session_fail(s, STATUS_FAILED, "%s",
					    answer->error);
		more(answer, arg);
	} while (!answer->last);
	return STATUS_DONE;
}

int session_written(struct session *s)
{
	if (fflush(s->out) != 0 || ferror(s->out))
		return session_fail(s, STATUS_FAILED,
				    "cannot write the answer");
	return STATUS_DONE;
}

/* ---- showing ------------------------------------------------------------- */

struct showing {
	const struct show *how;
	struct shower shower;
	bool is_begun;
};

static void show_more(const Fed__AdminResponse *r, void *arg)
{
	struct showing *x = arg;

	/* a refusal is no half of a document: not before the first response */
	if (!x->is_begun && x->how->begin != NULL)
		x->how->begin(&x->shower);
	x->is_begun = true;
	x->how->more(&x->shower, r);
}

int session_show(struct session *s, Fed__AdminRequest *r,
		 const struct show *how)
{
	struct showing x = {.how = how};
	int status;

	shower_init(&x.shower, s->out, line_arg(s->line, 0));
	x.shower.is_full = line_has(s->line, "full");
	status = session_ask(s, r, show_more, &x);
	if (status == STATUS_DONE && how->end != NULL)
		how->end(&x.shower);
	if (status == STATUS_DONE &&
	    (x.shower.is_failed || x.shower.table.is_failed))
		status = session_fail(s, STATUS_FAILED, "out of memory");
	if (status == STATUS_DONE && x.shower.missing[0] != '\0')
		status = session_usage(s, "%s", x.shower.missing);
	if (status == STATUS_DONE)
		status = session_written(s);
	if (status == STATUS_DONE && x.shower.is_bad)
		status = STATUS_FAILED;
	shower_deinit(&x.shower);
	return status;
}

int session_run(struct session *s)
{
	const struct command *c = s->line->command;
	const char *wrong;
	struct ask a;

	if (c->run != NULL)
		return c->run(s, s->line);
	ask_init(&a);
	wrong = c->ask(&a, s->line);
	if (wrong != NULL)
		return session_usage(s, "%s", wrong);
	if (a.patience_s > 0)
		s->patience_s = a.patience_s;
	return session_show(s, &a.request, s->is_json ? c->json : c->text);
}
