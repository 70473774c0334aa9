/* test im, test presence: one line, for a monitor's log. */
#include "deploy/fedctl/json.h"
#include "deploy/fedctl/text.h"

static void print_text(struct shower *s, const Fed__AdminResponse *r)
{
	const Fed__TestResult *t = r->test;

	if (t == NULL)
		return;
	s->is_bad = !t->ok;
	(void)fputs(t->ok ? "ok: " : "failed: ", s->to);
	text_print(s->to, span_str(t->ok ? t->seen : t->error), NULL);
	(void)fprintf(s->to, " (%llu ms)",
		      (unsigned long long)(t->latency_us / 1000));
	if (t->diagnosis[0] != '\0') {
		(void)fputs("; ", s->to);
		text_print(s->to, span_str(t->diagnosis), NULL);
	}
	(void)fputc('\n', s->to);
}

static void print_json(struct shower *s, const Fed__AdminResponse *r)
{
	const Fed__TestResult *t = r->test;

	if (t == NULL)
		return;
	s->is_bad = !t->ok;
	json_document(s, "test",
		      json_pack("{s:b, s:I, s:o, s:o, s:o}", "ok", t->ok,
				"latency_ms",
				(json_int_t)(t->latency_us / 1000), "seen",
				json_text_or_null(t->seen), "error",
				json_text_or_null(t->error), "diagnosis",
				json_text_or_null(t->diagnosis)));
}

const struct show show_test_text = {.more = print_text};
const struct show show_test_json = {.more = print_json};
