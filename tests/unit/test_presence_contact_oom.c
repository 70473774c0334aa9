/*
 * IN without memory: each allocation of a long dialogue fails once.  The
 * sources are compiled into this file, so that malloc() in them is ours.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* -1: all succeed, else so many do; then one fails */
static long allocations_left = -1;
static bool is_test_allocating;

static bool may_allocate(void)
{
	return is_test_allocating || allocations_left < 0 ||
	       allocations_left-- != 0;
}

static void *counted_malloc(size_t n)
{
	return may_allocate() ? malloc(n) : NULL;
}

static void *counted_calloc(size_t count, size_t n)
{
	return may_allocate() ? calloc(count, n) : NULL;
}

static void *counted_realloc(void *p, size_t n)
{
	return may_allocate() ? realloc(p, n) : NULL;
}

#define malloc counted_malloc
#define calloc counted_calloc
#define realloc counted_realloc
/* what several of them, or the harness, have of that name */
#define auth_name show_auth_name
#define put_text show_put_text
#include "fe-gateway/core/presence_contact_show.c"
#undef auth_name
#undef put_text
#define insert view_insert
#include "fe-gateway/core/presence_view.c"
#undef insert
#define print_key contact_print_key
#include "fe-gateway/core/presence_contact.c"
#undef print_key
#include "common/base/span.c"
#include "fe-gateway/core/presence_contact_repair.c"
#include "fe-gateway/core/presence_dialog.c"
#include "fe-gateway/core/presence_contact_stanza.c"
#include "fe-gateway/core/presence_nd.c"
#define subscribe nd_subscribe
#define refresh nd_refresh
#include "fe-gateway/core/presence_nd_subscribe.c"
#undef subscribe
#undef refresh
#undef malloc
#undef calloc
#undef realloc

#define MEMORY_OF_THE_TEST(is_on) (is_test_allocating = (is_on))
#include "presence_in_harness.h"

/* Some of it happens, whatever is refused. */
static void talk(struct fixture *f)
{
	subscribe(f, 3600);
	wait_ms(f, 1000);
	subscribed(f);
	wait_ms(f, 1000);
	available(f, "a", FED__SHOW__AWAY, 3, "Zzz");
	available(f, "b", FED__SHOW__NO_SHOW, 0, NULL);
	wait_ms(f, 6000);
	unavailable(f, "a");
	subscribe(f, 0);
	wait_ms(f, 6000);
	refresh(f, 3600);
	subscribe(f, 3600);
	wait_ms(f, 1000);
	presence_on_channel(f->p, true, true, f->now);
	wait_ms(f, 1000);
	available(f, "b", FED__SHOW__DND, 0, NULL);
	wait_ms(f, 30000);
	refresh(f, 0);
	wait_ms(f, 1000);
}

/* With memory again all is as if nothing had been. */
static void check_health(struct fixture *f)
{
	subscribe(f, 3600);
	wait_ms(f, 1000);
	subscribed(f);
	wait_ms(f, 1000);
	available(f, "well", FED__SHOW__NO_SHOW, 0, NULL);
	unavailable(f, "a");
	unavailable(f, "b");
	wait_ms(f, 6000);
	/* what was told without memory to remember it is told again */
	assert_non_null(strstr(f->body, "ID-well"));
	assert_null(strstr(f->body, "ID-b"));
	unsubscribed(f);
	wait_ms(f, 1000);
	assert_int_equal(HASH_COUNT(f->p->contacts), 0);
	assert_int_equal(HASH_COUNT(f->p->dialogs), 0);
	assert_int_equal(f->p->item_count, 0);
	assert_int_equal(count_rows(f, PRESENCE_ROW_WATCH), 0);
}

static void test_each_allocation_fails_once(void **state)
{
	bool is_over = false;
	long count;

	(void)state;
	for (count = 0; !is_over; count++) {
		void *fixture;
		struct fixture *f;

		assert_int_equal(setup(&fixture), 0);
		f = fixture;
		allocations_left = count;
		talk(f);
		is_over = allocations_left >= 0;
		allocations_left = -1;
		check_health(f);
		assert_int_equal(teardown(&fixture), 0);
	}
	assert_true(count > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
