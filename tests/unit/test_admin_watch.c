/* What a watcher was told against what is believed: which of it differs. */

/* clang-format off: cmocka wants this order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "chan/admin_watch.h"

/* Resources as text: "desk+away/5 en:lunch", '-' for closed, "," between. */
static Fed__PresenceResource *read_one(struct arena *a, struct span s)
{
	Fed__PresenceResource *r = arena_alloc(a, sizeof(*r));
	size_t n = 0;
	size_t end;

	assert_non_null(r);
	fed__presence_resource__init(r);
	while (s.p[n] != '+' && s.p[n] != '-')
		n++;
	r->name = arena_dup(a, span_sub(s, 0, n));
	r->open = s.p[n] == '+';
	s = span_sub(s, n + 1, SIZE_MAX);
	r->show = span_starts(s, SPAN_LIT("away")) ? FED__SHOW__AWAY
						   : FED__SHOW__NO_SHOW;
	n = span_find(s, '/', 0);
	if (n != SIZE_MAX)
		r->priority = s.p[n + 1] - '0';
	while ((n = span_find(s, ' ', 0)) != SIZE_MAX) {
		Fed__PresenceNote *note = arena_alloc(a, sizeof(*note));

		assert_non_null(note);
		fed__presence_note__init(note);
		s = span_sub(s, n + 1, SIZE_MAX);
		end = span_find(s, ' ', 0);
		note->lang = arena_dup(a, span_sub(s, 0, 2));
		note->text = arena_dup(a, span_sub(s, 3, end));
		assert_int_equal(0, arena_append(a, (void ***)&r->note,
						 &r->n_note, note));
	}
	return r;
}

static void read_all(struct arena *a, const char *text,
		     Fed__PresenceResource ***list, size_t *count)
{
	struct span s = span_str(text);

	while (s.n > 0) {
		size_t n = span_find(s, ',', 0);

		assert_int_equal(0,
				 arena_append(a, (void ***)list, count,
					      read_one(a, span_sub(s, 0, n))));
		s = n == SIZE_MAX ? SPAN_NULL : span_sub(s, n + 1, SIZE_MAX);
	}
}

/* The differences as "told>believed", names only. */
static void expect(Fed__WatchDirection direction, const char *told,
		   const char *believed, const char *golden)
{
	struct admin_difference d = {.at = 0};
	Fed__PresenceWatch w;
	struct arena a;
	struct buf b;

	arena_init(&a, 64 * 1024);
	buf_init(&b, 1024);
	fed__presence_watch__init(&w);
	w.direction = direction;
	w.n_dialog = 1; /* only counted */
	read_all(&a, told, &w.told, &w.n_told);
	read_all(&a, believed, &w.believed, &w.n_believed);
	while (admin_watch_next_difference(&w, &d))
		(void)buf_printf(&b, "%s%s>%s", buf_len(&b) > 0 ? " " : "",
				 d.told != NULL ? d.told->name : "",
				 d.believed != NULL ? d.believed->name : "");
	assert_string_equal(golden, buf_cstr(&b));
	assert_true(admin_watch_differs(&w) == (golden[0] != '\0'));
	arena_deinit(&a);
	buf_deinit(&b);
}

static void test_nobody_listens(void **state)
{
	Fed__PresenceResource desk;
	Fed__PresenceResource *believed = &desk;
	Fed__PresenceWatch w;

	(void)state;
	fed__presence_resource__init(&desk);
	desk.open = true;
	fed__presence_watch__init(&w);
	w.believed = &believed;
	w.n_believed = 1;
	w.direction = FED__WATCH_DIRECTION__SIP_WATCHES_XMPP;
	assert_false(admin_watch_differs(&w));
	w.direction = FED__WATCH_DIRECTION__XMPP_WATCHES_SIP;
	assert_true(admin_watch_differs(&w));
}

static void test_rows(void **state)
{
	static const struct {
		const char *told;
		const char *believed;
		const char *xmpp_watcher;
		const char *sip_watcher;
	} rows[] = {
		{"", "", "", ""},
		{"a+", "a+", "", ""},
		{"a+", "", "a>", "a>"},
		{"", "a+", ">a", ">a"},
		{"a+", "b+", "a> >b", "a> >b"},
		{"a+,b+", "b+,a+", "", ""},
		{"a+away", "a+", "a>a", "a>a"},
		{"a+/1", "a+/2", "a>a", "a>a"},
		{"a+ en:x", "a+", "a>a", "a>a"},
		{"a+ en:x", "a+ en:y", "a>a", "a>a"},
		{"a+ en:x", "a+ de:x", "a>a", "a>a"},
		{"a+ en:x de:y", "a+ de:y en:x", "", ""},
		{"a+,b+,c+", "a+away,b+,d+", "a>a c> >d", "a>a c> >d"},
		/* nobody tells an XMPP user of what is closed */
		{"", "a-", "", ""},
		{"a-", "", "", ""},
		{"", "a- en:x", "", ">a"},
		{"a- en:x", "", "", "a>"},
		{"a-", "a+", "a>a", "a>a"},
		{"a+", "a-", "a>a", "a>a"},
		{"a-", "a- en:x", "", "a>a"},
		/* of a closed one only its notes can be seen */
		{"a-away/3", "a-/5", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		expect(FED__WATCH_DIRECTION__XMPP_WATCHES_SIP, rows[i].told,
		       rows[i].believed, rows[i].xmpp_watcher);
		expect(FED__WATCH_DIRECTION__SIP_WATCHES_XMPP, rows[i].told,
		       rows[i].believed, rows[i].sip_watcher);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
