/* XMPP users watch SIP users: each allocation fails once.  Nothing breaks, and
 * what was not done is done later. */
#include "fe-gateway/core/presence.h"

/* Only what is allocated inside of the core fails (see the Makefile: malloc and
 * its kin are wrapped). */
static bool is_armed;
static long allocations_left = -1; /* -1: all succeed */

static bool may_allocate(void)
{
	return !is_armed || allocations_left < 0 || allocations_left-- != 0;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
	return may_allocate() ? __real_malloc(n) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return may_allocate() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t n)
{
	return may_allocate() ? __real_realloc(p, n) : NULL;
}

static bool armed_next_action(struct presence *p, bool may_stanza,
			      struct presence_action *out, uint64_t now_ms)
{
	bool is_there;

	is_armed = true;
	is_there = presence_next_action(p, may_stanza, out, now_ms);
	is_armed = false;
	return is_there;
}

static void armed_on_stanza(struct presence *p, size_t edge, uint64_t ref,
			    const Fed__Stanza *s, uint64_t now_ms)
{
	is_armed = true;
	presence_on_stanza(p, edge, ref, s, now_ms);
	is_armed = false;
}

static void armed_on_sip_request(struct presence *p,
				 const struct sip_request_in *q,
				 uint64_t now_ms)
{
	is_armed = true;
	presence_on_sip_request(p, q, now_ms);
	is_armed = false;
}

static void armed_on_sip_response(struct presence *p, uint64_t token,
				  const struct sip_response_in *r,
				  uint64_t now_ms)
{
	is_armed = true;
	presence_on_sip_response(p, token, r, now_ms);
	is_armed = false;
}

static void armed_on_outcome(struct presence *p, uint64_t token,
			     const Fed__Error *refused, uint64_t now_ms)
{
	is_armed = true;
	presence_on_outcome(p, token, refused, now_ms);
	is_armed = false;
}

#define presence_next_action armed_next_action
#define presence_on_stanza armed_on_stanza
#define presence_on_sip_request armed_on_sip_request
#define presence_on_sip_response armed_on_sip_response
#define presence_on_outcome armed_on_outcome

#include "presence_repair.h"
#include "presence_sub_harness.h"

/* --- stories -------------------------------------------------------------- */

static void notify_if(struct fixture *f, const char *state, const char *doc)
{
	drain(f);
	if (f->sent_count > 0)
		notify(f, state, doc);
	drain(f);
}

static void respond_if(struct fixture *f, int status)
{
	drain(f);
	if (f->sent_count > 0)
		respond(f, status);
	drain(f);
}

static void story_watch(struct fixture *f)
{
	(void)subscribe(f);
	respond_if(f, 200);
	notify_if(f, "active;expires=3600", DOC(AWAY("x") OPEN("y")));
	(void)probe(f, "p1");
	drain(f);
	(void)from_xmpp(f, JULIET "/b", ROMEO "/x", "p2",
			FED__PRESENCE_TYPE__PROBE);
	notify_if(f, "active;expires=3600", DOC(OPEN("y")));
	pass(f, 3000000);
	respond_if(f, 481);
	respond_if(f, 200);
	notify_if(f, "active;expires=3600", DOC(OPEN("x")));
}

static void story_leave(struct fixture *f)
{
	story_watch(f);
	(void)unsubscribe(f);
	respond_if(f, 200);
	notify_if(f, "terminated;reason=timeout", NULL);
	(void)subscribe(f);
	respond_if(f, 403);
	(void)subscribe(f);
	respond_if(f, 404);
	(void)probe(f, "p3");
	respond_if(f, 200);
	notify_if(f, "terminated;reason=timeout", DOC(OPEN("x")));
}

/* --- the truth afterwards ------------------------------------------------- */

/* The SIP side is there again and says what is. */
static void serve_all(struct fixture *f)
{
	for (int i = 0; i < 200; i++) {
		size_t before = f->sent_count;

		f->text_n = 0;
		if (before > 0) {
			respond(f, 200);
			notify(f, "active;expires=3600", DOC(OPEN("z")));
		}
		pass(f, 60000);
	}
}

static void check_truth(struct fixture *f, long at)
{
	struct presence_repaired done;
	struct presence_cursor c;
	const Fed__PresenceWatch *w;

	presence_repair(f->p, SPAN_LIT(ROMEO), &done, f->now);
	serve_all(f);
	presence_query_begin(f->p, &c, SPAN_LIT(ROMEO));
	w = presence_query_next(f->p, &c, &f->a, f->now);
	presence_query_end(f->p, &c);
	if (w == NULL)
		return;
	if (strcmp(w->authorization, "allowed") != 0 || w->n_told != 1 ||
	    strcmp(w->told[0]->name, "z") != 0 || w->waiting_for[0] != '\0')
		fail_msg("allocation %ld: %s, %zu told, \"%s\"", at,
			 w->authorization, w->n_told, w->waiting_for);
}

static void each_fails(void **state, void (*story)(struct fixture *f),
		       bool is_checked)
{
	long count = 0;
	long at = 0;

	do {
		struct fixture *f;

		(void)setup(state);
		f = *state;
		allocations_left = at;
		story(f);
		assert_true(at < 100000);
		count++;
		is_armed = false;
		if (allocations_left < 0 && is_checked)
			check_truth(f, at);
		at++;
		if (allocations_left >= 0)
			at = -1;
		allocations_left = -1;
		(void)teardown(state);
	} while (at >= 0);
	/* the core did ask for memory, and did not get it */
	assert_true(count > 100);
}

static void test_watch(void **state)
{
	each_fails(state, story_watch, true);
}

static void test_leave(void **state)
{
	each_fails(state, story_leave, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
