/* Long requests to the admin server: one at a time, and none for an edge. */
#include "admin_clock.h"

enum { LONG = 1024 * 1024 };

/* A client with a request of that many bytes. */
struct sender {
	struct client c;
	struct buf left;
};

static void open_sender(struct rig *r, struct sender *s, size_t bytes)
{
	Fed__AdminRequest request;
	char *edge = calloc(1, bytes);

	assert_non_null(edge);
	fed__admin_request__init(&request);
	request.edge = edge;
	memset(edge, 'x', bytes - 1);
	while (fed__admin_request__get_packed_size(&request) > bytes)
		edge[strlen(edge) - 1] = '\0';
	assert_int_equal(bytes, fed__admin_request__get_packed_size(&request));
	buf_init(&s->left, bytes + ADMIN_PREFIX_BYTES);
	assert_int_equal(0, admin_codec_put_request(&s->left, &request));
	free(edge);
	open_client(r, &s->c);
}

static void close_sender(struct sender *s)
{
	buf_deinit(&s->left);
	close_client(&s->c);
}

/* What the socket takes of the next n bytes. */
static void send_some(struct sender *s, size_t n)
{
	struct span in = span_sub(buf_span(&s->left), 0, n);
	ssize_t sent = in.n == 0 ? 0 : send(s->c.fd, in.p, in.n, MSG_NOSIGNAL);

	if (sent > 0)
		buf_consume(&s->left, (size_t)sent);
	receive(&s->c);
}

static void send_all(struct rig *r, struct sender *s, size_t count)
{
	for (unsigned i = 0; i < 1000; i++) {
		for (size_t n = 0; n < count; n++)
			send_some(&s[n], LONG);
		turn(r, 1);
	}
}

/* One is read and answered after the other, in order of coming. */
static void test_long_requests(void **state)
{
	enum { COUNT = 4 };
	struct sender s[COUNT];
	struct client small;
	struct rig r;

	(void)state;
	open_rig(&r);
	r.is_waiting = true;
	for (size_t i = 0; i < COUNT; i++) {
		open_sender(&r, &s[i], LONG);
		send_some(&s[i], LONG);
		turn(&r, 3);
	}
	send_all(&r, s, COUNT);
	assert_int_equal(0, buf_len(&s[0].left));
	for (size_t i = 1; i < COUNT; i++)
		assert_true(buf_len(&s[i].left) > LONG / 4);
	assert_int_equal(1, r.calls);
	assert_int_equal(0, r.made);
	open_client(&r, &small);
	ask(&small, 1);
	wait_seen(&r, &small, 1);
	assert_true(small.is_last);
	admin_server_ready(r.server, r.waits);
	for (unsigned i = 0; i < 20000 && s[COUNT - 1].c.seen == 0; i++) {
		turn(&r, 1);
		for (size_t n = 0; n < COUNT; n++)
			send_some(&s[n], LONG);
		for (size_t n = 1; n < COUNT; n++)
			assert_true(s[n].c.seen <= s[n - 1].c.seen);
	}
	for (size_t n = 0; n < COUNT; n++) {
		assert_int_equal(1, s[n].c.seen);
		assert_string_equal("", s[n].c.error);
		close_sender(&s[n]);
	}
	assert_int_equal(2, r.most_calls); /* a long one, and the small one */
	close_client(&small);
	close_rig(&r);
}

/* A second one of the same client waits for its first. */
static void test_long_requests_of_one(void **state)
{
	struct sender s;
	struct buf again;
	struct rig r;

	(void)state;
	open_rig(&r);
	r.is_waiting = true;
	open_sender(&r, &s, LONG);
	buf_init(&again, LONG + ADMIN_PREFIX_BYTES);
	assert_int_equal(0, buf_put_span(&again, buf_span(&s.left)));
	send_all(&r, &s, 1);
	buf_deinit(&s.left);
	s.left = again;
	send_all(&r, &s, 1);
	assert_true(buf_len(&s.left) > LONG / 4);
	assert_int_equal(1, r.calls);
	admin_server_ready(r.server, r.waits);
	send_all(&r, &s, 1);
	assert_int_equal(2, s.c.seen);
	assert_int_equal(1, r.most_calls);
	close_sender(&s);
	close_rig(&r);
}

/* Whoever has the place and goes on too slowly makes room for the next, who
 * has waited all the time. */
static void test_long_stalls(void **state)
{
	struct sender s[2];
	struct rig r;

	(void)state;
	open_rig(&r);
	for (size_t i = 0; i < FED_ARRAY_LEN(s); i++) {
		open_sender(&r, &s[i], LONG);
		send_some(&s[i], LONG / 8);
		turn(&r, 5);
	}
	move_clock(&r, LIMIT_ADMIN_IDLE_MS / 2);
	send_some(&s[0], LONG / 8);
	turn(&r, 5);
	move_clock(&r, LIMIT_ADMIN_IDLE_MS / 2);
	send_some(&s[0], 0);
	assert_true(s[0].c.is_closed);
	send_all(&r, &s[1], 1);
	assert_int_equal(1, s[1].c.seen);
	assert_string_equal("", s[1].c.error);
	close_sender(&s[1]);
	close_sender(&s[0]);
	close_rig(&r);
}

/* The same of its answer. */
static void test_long_is_not_taken(void **state)
{
	struct sender s[2];
	struct rig r;

	(void)state;
	open_rig(&r);
	r.count = UINT64_MAX;
	r.bytes = 10000;
	for (size_t i = 0; i < FED_ARRAY_LEN(s); i++)
		open_sender(&r, &s[i], LONG);
	for (unsigned i = 0; i < 1000 && r.made == 0; i++) {
		send_some(&s[0], LONG);
		turn(&r, 1);
	}
	assert_int_equal(1, r.calls);
	send_some(&s[1], LONG);
	move_clock(&r, LIMIT_ADMIN_IDLE_MS / 2);
	for (unsigned i = 0; i < 100; i++) {
		send_some(&s[0], 0);
		turn(&r, 1);
	}
	assert_int_equal(0, r.ended);
	r.count = 1;
	r.bytes = 10;
	move_clock(&r, LIMIT_ADMIN_IDLE_MS / 2);
	assert_int_equal(1, r.ended);
	send_all(&r, &s[1], 1);
	assert_int_equal(1, s[1].c.seen);
	close_sender(&s[1]);
	close_sender(&s[0]);
	close_rig(&r);
}

/* ---- how long, and how much of it ---------------------------------------- */

static void serve_again(struct rig *r, size_t request_max)
{
	struct errbuf e;

	admin_server_free(r->server);
	r->request_max = request_max;
	assert_int_equal(0, serve(r, &r->server, &e));
}

/* A daemon that needs none takes none. */
static void test_request_max(void **state)
{
	struct sender s;
	struct rig r;

	(void)state;
	open_rig(&r);
	serve_again(&r, LIMIT_ADMIN_RELAYED_BYTES);
	open_sender(&r, &s, LIMIT_ADMIN_RELAYED_BYTES);
	send_all(&r, &s, 1);
	assert_int_equal(1, s.c.seen);
	assert_string_equal("", s.c.error);
	close_sender(&s);
	open_sender(&r, &s, LIMIT_ADMIN_RELAYED_BYTES + 1);
	send_some(&s, ADMIN_PREFIX_BYTES); /* that is enough */
	wait_closed(&r, &s.c);
	assert_string_equal("the request is too long", s.c.error);
	close_sender(&s);
	close_rig(&r);
}

/* LIMIT_ADMIN_SMALL_BYTES of records, of the smallest sense or of none. */
static void put_records(struct buf *out, Fed__GrantRecord *grant)
{
	Fed__AdminFederationApply apply;
	Fed__AdminRequest request;
	Fed__Record record;
	Fed__Record *all[LIMIT_ADMIN_SMALL_BYTES];

	fed__record__init(&record);
	if (grant != NULL) {
		record.kind_case = FED__RECORD__KIND_GRANT;
		record.grant = grant;
	}
	for (size_t i = 0; i < FED_ARRAY_LEN(all); i++)
		all[i] = &record;
	fed__admin_federation_apply__init(&apply);
	apply.put = all;
	apply.n_put = LIMIT_ADMIN_SMALL_BYTES /
			      (fed__record__get_packed_size(&record) + 2) -
		      8;
	fed__admin_request__init(&request);
	request.kind_case = FED__ADMIN_REQUEST__KIND_FEDERATION_APPLY;
	request.federation_apply = &apply;
	assert_int_equal(0, admin_codec_put_request(out, &request));
	assert_in_range(buf_len(out), LIMIT_ADMIN_SMALL_BYTES / 10 * 9,
			LIMIT_ADMIN_SMALL_BYTES);
}

static void test_objects(void **state)
{
	char user[] = "a@b";
	char policy[] = "p";
	Fed__GrantRecord grant;
	struct client c;
	struct buf b;
	struct rig r;

	(void)state;
	open_rig(&r);
	open_client(&r, &c);
	buf_init(&b, LIMIT_ADMIN_SMALL_BYTES);
	fed__grant_record__init(&grant);
	grant.user = user;
	grant.policy = policy;
	put_records(&b, &grant);
	send_bytes(&c, buf_span(&b).p, buf_len(&b));
	wait_seen(&r, &c, 1);
	assert_string_equal("", c.error);
	buf_reset(&b);
	put_records(&b, NULL);
	send_bytes(&c, buf_span(&b).p, buf_len(&b));
	wait_closed(&r, &c);
	assert_string_equal("this is not a request", c.error);
	buf_deinit(&b);
	close_client(&c);
	close_rig(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_requests),
		cmocka_unit_test(test_long_requests_of_one),
		cmocka_unit_test(test_long_stalls),
		cmocka_unit_test(test_long_is_not_taken),
		cmocka_unit_test(test_request_max),
		cmocka_unit_test(test_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
