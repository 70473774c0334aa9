/* What edges are told of a configuration. */
#include "tests/unit/federation_harness.h"

#include "base/limits.h"

static Fed__Config *push(struct fed_test *t)
{
	static const char *const served[] = {"example.net", "b.example.net"};
	Fed__Config *c = NULL;

	assert_int_equal(federation_push(t->f, served, 2, &t->a, &c, &t->e), 0);
	assert_non_null(c);
	assert_int_equal(c->n_domain, 2);
	assert_string_equal(c->domain[1]->name, "b.example.net");
	return c;
}

static void test_push(void **state)
{
	static uint8_t secret[] = "0123456789abcdef";
	Fed__PartnerRecord *p;
	Fed__SettingsRecord *s;
	Fed__Config *c;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	s = ft_settings(&t);
	s->federation = true;
	s->connection_limit = 50;
	s->partner_connection_limit = 8;
	s->keep_alive_interval_s = 100;
	s->stream_establishment_timeout_s = 30;
	s->stream_inactivity_timeout_s = 700;
	s->dialback_secret = (ProtobufCBinaryData){16, secret};
	p = ft_partner(&t, "a.example");
	ft_additional(&t, p, "*.a.example");
	p->tls = FED__NEED__OPTIONAL;
	p->sasl = FED__NEED__OFF;
	p->keep_alive = false;
	p->connection_limit = 60;
	p->proxy_host = ft_text(&t, "xmpp.a.example:5270");
	p->stanzas_per_s = 10;
	p->bytes_per_s = 20000;
	ft_partner(&t, "b.example")->dialback = false;
	ft_partner(&t, "c.example")->state = FED__PARTNER_STATE__DISABLED;
	ft_partner(&t, "d.example")->state = FED__PARTNER_STATE__LEGACY;
	ft_partner(&t, "*");
	ft_denied(&t, "spam.example");
	ft_ok(&t);
	c = push(&t);
	assert_int_equal(c->revision, 0);
	assert_false(c->check_only);
	assert_int_equal(c->n_partner, 3);
	assert_string_equal(c->partner[0]->domain, "a.example");
	assert_string_equal(c->partner[1]->domain, "*.a.example");
	assert_string_equal(c->partner[1]->name, "a.example");
	assert_int_equal(c->partner[1]->tls, FED__NEED__OPTIONAL);
	assert_int_equal(c->partner[1]->sasl, FED__NEED__OFF);
	assert_int_equal(c->partner[1]->dialback, FED__NEED__OPTIONAL);
	assert_false(c->partner[1]->keep_alive);
	assert_int_equal(c->partner[1]->connection_limit, 50);
	assert_string_equal(c->partner[1]->proxy_host, "xmpp.a.example:5270");
	assert_int_equal(c->partner[1]->stanzas_per_s, 10);
	assert_int_equal(c->partner[1]->bytes_per_s, 20000);
	assert_string_equal(c->partner[2]->domain, "b.example");
	assert_int_equal(c->partner[2]->dialback, FED__NEED__OFF);
	assert_int_equal(c->partner[2]->connection_limit, 8);
	assert_int_equal(c->n_denied, 1);
	assert_string_equal(c->denied[0], "spam.example");
	assert_int_equal(c->dialback_secret.len, 16);
	assert_int_equal(c->settings->connection_limit, 50);
	assert_int_equal(c->settings->keep_alive_interval_s, 100);
	assert_int_equal(c->settings->stream_establishment_timeout_s, 30);
	assert_int_equal(c->settings->stream_inactivity_timeout_s, 700);
	ft_deinit(&t);
}

/* With the switch off, and before anything is configured, nobody is one. */
static void test_push_nobody(void **state)
{
	struct fed_test t;

	(void)state;
	ft_init(&t);
	assert_int_equal(push(&t)->n_partner, 0);
	ft_partner(&t, "a.example");
	ft_settings(&t)->open = true;
	ft_ok(&t);
	assert_int_equal(push(&t)->n_partner, 0);
	assert_int_equal(push(&t)->settings->connection_limit, 1000);
	ft_deinit(&t);
}

/* A partner that is off stays off where a pattern or an open list would have
 * its domain. */
static void test_push_denies_what_is_off(void **state)
{
	Fed__SettingsRecord *s;
	Fed__PartnerRecord *p;
	Fed__Config *c;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_settings(&t)->federation = true;
	ft_additional(&t, ft_partner(&t, "wild.example"), "*.wild.example");
	p = ft_partner(&t, "off.wild.example");
	p->state = FED__PARTNER_STATE__DISABLED;
	ft_additional(&t, p, "off.example");
	ft_additional(&t, p, "*.off.wild.example");
	ft_ok(&t);
	c = push(&t);
	assert_int_equal(c->n_partner, 2);
	assert_int_equal(c->n_denied, 2);
	assert_string_equal(c->denied[0], "off.wild.example");
	assert_string_equal(c->denied[1], "*.off.wild.example");
	/* a more special pattern that is on: it must be reached */
	ft_partner(&t, "*.on.off.wild.example");
	ft_ok(&t);
	c = push(&t);
	assert_int_equal(c->n_denied, 1);
	s = ft_settings(&t);
	s->federation = true;
	s->open = true;
	ft_ok(&t);
	c = push(&t);
	assert_int_equal(c->n_partner, 4);
	assert_string_equal(c->partner[3]->domain, "*");
	assert_string_equal(c->partner[3]->name, "*");
	assert_int_equal(c->n_denied, 2);
	assert_string_equal(c->denied[1], "off.example");
	ft_partner(&t, "*")->state = FED__PARTNER_STATE__DISABLED;
	ft_ok(&t);
	c = push(&t);
	assert_int_equal(c->n_partner, 3);
	assert_int_equal(c->n_denied, 1);
	ft_deinit(&t);
}

/* The most that fits is told, one more is refused. */
static void test_push_fits_a_frame(void **state)
{
	static const char pad[] = "0123456789012345678901234567890123456789";
	Fed__Config *c = NULL;
	struct fed_test t;
	size_t fit = 0;
	int err = 0;

	(void)state;
	ft_init(&t);
	ft_settings(&t)->federation = true;
	ft_ok(&t);
	for (size_t n = 0; n < 2000 && err == 0; n += 25) {
		for (size_t i = n; i < n + 25; i++) {
			char *name = arena_printf(&t.a, "p%zu.%s.%s.example", i,
						  pad, pad);
			Fed__PartnerRecord *p = ft_partner(&t, name);

			ft_additional(&t, p, arena_printf(&t.a, "*.%s", name));
		}
		ft_ok(&t);
		err = federation_push(t.f, NULL, 0, &t.a, &c, &t.e);
		if (err == 0) {
			fit = c->n_partner;
			assert_true(fed__config__get_packed_size(c) <
				    LIMIT_FRAME_BYTES);
		}
	}
	assert_int_equal(err, FED_ELIMIT);
	assert_null(c);
	assert_true(fit > 2000);
	assert_non_null(strstr(t.e.text, "domains of partners and denied ones "
					 "are more than an edge can be told "
					 "at once: the first "));
	ft_deinit(&t);
}

/* Many times what fits: it is said so, and costs no memory. */
static void test_push_of_far_too_many(void **state)
{
	static const char expected[] = "32000 domains of partners and denied";
	Fed__Config *c = NULL;
	struct fed_test t;
	struct arena a;

	(void)state;
	ft_init(&t);
	ft_settings(&t)->federation = true;
	ft_ok(&t);
	for (unsigned n = 0; n < 500; n++) {
		Fed__PartnerRecord *p =
			ft_partner(&t, arena_printf(&t.a, "p%u.example", n));

		for (unsigned i = 1; i < 64; i++)
			ft_additional(
				&t, p,
				arena_printf(&t.a, "p%u-%u.example", n, i));
		if (n % 25 == 24)
			ft_ok(&t);
	}
	arena_init(&a, LIMIT_FRAME_ARENA_BYTES);
	assert_int_equal(federation_push(t.f, NULL, 0, &a, &c, &t.e),
			 FED_ELIMIT);
	assert_int_equal(0, strncmp(t.e.text, expected, sizeof(expected) - 1));
	arena_deinit(&a);
	ft_deinit(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_push),
		cmocka_unit_test(test_push_nobody),
		cmocka_unit_test(test_push_denies_what_is_off),
		cmocka_unit_test(test_push_fits_a_frame),
		cmocka_unit_test(test_push_of_far_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
