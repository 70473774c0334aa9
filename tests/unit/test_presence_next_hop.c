/* Requests inside dialogs: where their destination leads to. */
#include "next_hop_harness.h"

#include "fe-gateway/core/message_map.h"

static struct sip_request_out notify(const struct fixture *f,
				     const char *destination)
{
	return (struct sip_request_out){
		.method = "MESSAGE", /* as expect_send() wants it */
		.request_uri = USER,
		.from_uri = "sip:juliet@example.com",
		.from_tag = "tag",
		.to_uri = USER,
		.to_tag = "to",
		.call_id = "call",
		.branch = "z9hG4bKabc",
		.cseq = 7,
		.destination = destination,
		.has_contact = true,
		.event = "presence",
		.subscription_state = "active;expires=60",
		.body = span_str(f->body),
	};
}

static int send_in_dialog(struct fixture *f, uint64_t token,
			  const char *destination)
{
	const struct sip_request_out r = notify(f, destination);

	return next_hops_send(f->h, token, &r, f->now);
}

static uint64_t expect_at(struct fixture *f, enum sip_transport transport,
			  const char *ip, uint16_t port)
{
	uint64_t token = expect_send(f, ip, "z9hG4bKabc");

	assert_int_equal(f->act.u.send.target->transport, transport);
	assert_int_equal(f->act.u.send.target->port, port);
	return token;
}

/* A number needs nothing but itself (RFC 3263 4.1, 4.2). */
static void test_numeric(void **state)
{
	static const struct {
		const char *uri;
		enum sip_transport transport;
		const char *ip;
		uint16_t port;
	} rows[] = {
		{"sip:romeo@192.0.2.9", SIP_UDP, "192.0.2.9", 5060},
		{"sip:192.0.2.9:5070;lr", SIP_UDP, "192.0.2.9", 5070},
		{"sip:192.0.2.9;transport=TCP", SIP_TCP, "192.0.2.9", 5060},
		{"sip:[2001:db8::9]:5062;transport=tcp;ob", SIP_TCP,
		 "2001:db8::9", 5062},
		{"sips:romeo@192.0.2.9", SIP_TLS, "192.0.2.9", 5061},
		{"sip:192.0.2.9;transport=tls", SIP_TLS, "192.0.2.9", 5061},
		{"sip:romeo@h.example;maddr=192.0.2.8", SIP_UDP, "192.0.2.8",
		 5060},
	};
	struct fixture *f = *state;

	begin(f, "sip:192.0.2.1;transport=tcp");
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		uint64_t token;

		assert_int_equal(send_in_dialog(f, i + 1, rows[i].uri), 0);
		token = expect_at(f, rows[i].transport, rows[i].ip,
				  rows[i].port);
		expect_none(f);
		assert_int_equal(respond(f, token, 200), i + 1);
	}
	/* the request itself went along */
	assert_int_equal(send_in_dialog(f, 9, "sip:192.0.2.9"), 0);
	assert_true(next(f));
	assert_string_equal(f->act.u.send.request->to_tag, "to");
	assert_string_equal(f->act.u.send.request->event, "presence");
	assert_string_equal(f->act.u.send.request->subscription_state,
			    "active;expires=60");
	assert_true(f->act.u.send.request->has_contact);
}

/* No other place, and nobody asks it whether it is there. */
static void test_numeric_fails(void **state)
{
	struct fixture *f = *state;
	uint64_t token;

	begin(f, "sip:192.0.2.1");
	assert_int_equal(send_in_dialog(f, 1, "sip:192.0.2.9"), 0);
	token = expect_at(f, SIP_UDP, "192.0.2.9", 5060);
	assert_int_equal(respond(f, token, 503), 1);
	assert_false(f->is_again);
	expect_none(f);
	assert_int_equal(send_in_dialog(f, 2, "sip:192.0.2.9"), 0);
	token = expect_at(f, SIP_UDP, "192.0.2.9", 5060);
	assert_int_equal(finish(f, token, SIP_END_TRANSPORT, 0), 2);
	assert_int_equal(send_in_dialog(f, 3, "sip:192.0.2.9"), 0);
	token = expect_at(f, SIP_UDP, "192.0.2.9", 5060);
	f->now += LIMIT_HOP_SILENT_MS;
	expect_none(f);
	assert_int_equal(finish(f, token, SIP_END_TIMEOUT, 0), 3);
	expect_none(f);
	assert_int_equal(send_in_dialog(f, 4, "tel:+1"), FED_EPROTO);
	assert_int_equal(send_in_dialog(f, 5, "sip:h;transport=sctp"),
			 FED_EPROTO);
	assert_int_equal(send_in_dialog(f, 6, "sip:a b"), FED_EINVAL);
}

/* What is not in sip.listen cannot be sent over. */
static void test_transports(void **state)
{
	struct fixture *f = *state;

	f->p.transports = 1 << SIP_TCP;
	begin(f, "sip:192.0.2.1;transport=tcp");
	assert_int_equal(send_in_dialog(f, 1, "sip:192.0.2.9"), 0);
	(void)expect_at(f, SIP_TCP, "192.0.2.9", 5060);
	assert_int_equal(send_in_dialog(f, 2, "sip:192.0.2.9;transport=udp"),
			 0);
	expect_end(f, 2, SIP_END_TRANSPORT);
	assert_int_equal(send_in_dialog(f, 3, "sips:192.0.2.9"), 0);
	expect_end(f, 3, SIP_END_TRANSPORT);
}

/* RFC 3261 18.1.1 with all headers that a NOTIFY has. */
static void test_size(void **state)
{
	struct fixture *f = *state;
	struct message_map_params map = {.fixed_bytes = 100,
					 .contact_bytes = 50};
	struct sip_request_out r;
	size_t head;
	uint64_t token;

	f->p.contact_bytes = 50;
	begin(f, "sip:192.0.2.1");
	memset(f->body, 'x', 500);
	r = notify(f, "sip:192.0.2.9");
	head = message_map_request_bytes(&map, &r) - 500;
	memset(f->body, 'x', LIMIT_PAGE_BYTES - head);
	f->body[LIMIT_PAGE_BYTES - head] = '\0';
	assert_int_equal(send_in_dialog(f, 1, "sip:192.0.2.9"), 0);
	(void)expect_at(f, SIP_UDP, "192.0.2.9", 5060);
	f->body[LIMIT_PAGE_BYTES - head] = 'x';
	f->body[LIMIT_PAGE_BYTES - head + 1] = '\0';
	assert_int_equal(send_in_dialog(f, 2, "sip:192.0.2.9"), 0);
	token = expect_at(f, SIP_TCP, "192.0.2.9", 5060);
	/* that TCP is refused there is told as what it is */
	assert_int_equal(finish(f, token, SIP_END_TRANSPORT, 0), 0);
	expect_end(f, 2, SIP_END_TOO_BIG);
}

/* The bytes of each header, against the text that the adapter writes. */
static void test_bytes(void **state)
{
	static const char text[] =
		"NOTIFY sip:romeo@sip.example SIP/2.0\r\n"
		"Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKabc\r\n"
		"Route: <sip:p1;lr>\r\n"
		"Route: <sip:p2;lr>\r\n"
		"Max-Forwards: 70\r\n"
		"From: <sip:juliet@example.com>;tag=tag\r\n"
		"To: <sip:romeo@sip.example>;tag=to\r\n"
		"Call-ID: call\r\n"
		"CSeq: 7 NOTIFY\r\n"
		"Contact: <sip:192.0.2.1:5060;transport=tcp>\r\n"
		"Expires: 60\r\n"
		"Accept: application/pidf+xml\r\n"
		"Event: presence\r\n"
		"Subscription-State: active;expires=60\r\n"
		"Content-Length: 0\r\n\r\n";
	const struct message_map_params map = {
		.fixed_bytes =
			sizeof("Via: SIP/2.0/TCP 192.0.2.1:5060;branch=\r\n") -
			1,
		.contact_bytes =
			sizeof("Contact: <sip:192.0.2.1:5060;transport=tcp>"
			       "\r\n") -
			1,
	};
	struct sip_request_out r = notify(*state, NULL);
	size_t n;

	r.method = "NOTIFY";
	r.routes = "<sip:p1;lr>, <sip:p2;lr>";
	r.accept = "application/pidf+xml";
	r.has_expires = true;
	r.expires = 60;
	n = message_map_request_bytes(&map, &r);
	/* the comma and its blank are none on the wire */
	assert_int_equal(n, sizeof(text) - 1 + 2);
}

/* The configured next hop, said in another way: with its failover. */
static void test_same_as_next_hop(void **state)
{
	static const char *const same[] = {
		"sip:proxy.example;lr",
		"sip:PROXY.example",
		"sip:proxy.example;transport=tcp;lr",
		"sip:x@proxy.example;lr=on",
	};
	struct fixture *f = *state;
	uint64_t token;

	begin_two(f);
	for (size_t i = 0; i < FED_ARRAY_LEN(same); i++) {
		assert_int_equal(send_in_dialog(f, i + 1, same[i]), 0);
		token = expect_send(f, "192.0.2.1", "z9hG4bKabc");
		expect_none(f);
		assert_int_equal(respond(f, token, 200), i + 1);
	}
	assert_int_equal(send_in_dialog(f, 9, same[0]), 0);
	token = expect_send(f, "192.0.2.1", "z9hG4bKabc");
	assert_int_equal(respond(f, token, 503), 0);
	(void)expect_send(f, "192.0.2.2", "z9hG4bKabc.1");
}

/* Another port, or maddr, is another place. */
static void test_other_than_next_hop(void **state)
{
	static const char *const other[] = {
		"sip:proxy.example:5060;lr",
		"sip:proxy.example;maddr=b.example",
		"sip:proxy2.example",
	};
	struct fixture *f = *state;

	begin_two(f);
	for (size_t i = 0; i < FED_ARRAY_LEN(other); i++) {
		assert_int_equal(send_in_dialog(f, i + 1, other[i]), 0);
		assert_true(next(f));
		assert_int_equal(f->act.kind, NEXT_HOP_ACT_RESOLVE);
	}
}

static void test_numeric_next_hop(void **state)
{
	struct fixture *f = *state;
	uint64_t token;

	begin(f, "sip:192.0.2.1;transport=tcp");
	/* a transport that is not said is that of the hop */
	assert_int_equal(send_in_dialog(f, 1, "sip:192.0.2.1:5060;lr"), 0);
	token = expect_at(f, SIP_TCP, "192.0.2.1", 5060);
	assert_int_equal(respond(f, token, 200), 1);
	assert_int_equal(send_in_dialog(f, 2, "sip:192.0.2.1;transport=udp"),
			 0);
	(void)expect_at(f, SIP_UDP, "192.0.2.1", 5060);
	assert_int_equal(send_in_dialog(f, 3, "sip:192.0.2.1:5070;lr"), 0);
	(void)expect_at(f, SIP_UDP, "192.0.2.1", 5070);
}

/* An address of the next hop, as a proxy writes it into Record-Route: that
 * one and no other, and known by the name it was resolved from. */
static void test_address_of_next_hop(void **state)
{
	struct next_hop_found two[] = {found("192.0.2.1", 1, 0, 0),
				       found("192.0.2.2", 2, 0, 1)};
	struct fixture *f = *state;
	uint64_t token;

	for (size_t i = 0; i < 2; i++) {
		two[i].target.transport = SIP_TLS;
		two[i].target.port = 5061;
		(void)snprintf(two[i].target.host, sizeof(two[i].target.host),
			       "proxy.example");
	}
	begin(f, "sips:proxy.example");
	next_hops_on_resolved(f->h, expect_resolve(f, "proxy.example"),
			      NEXT_HOP_FOUND, two, 2, 600000, f->now);
	assert_int_equal(send_in_dialog(f, 1, "sip:192.0.2.2;transport=tls;lr"),
			 0);
	token = expect_at(f, SIP_TLS, "192.0.2.2", 5061);
	assert_string_equal(f->act.u.send.target->host, "proxy.example");
	/* it is the next hop's too: its failure is looked into */
	assert_int_equal(finish(f, token, SIP_END_TRANSPORT, 0), 1);
	token = expect_probe(f, "192.0.2.2");
	assert_int_equal(finish(f, token, SIP_END_TIMEOUT, 0), 0);
	/* down and mute: no waiting for what will not come */
	assert_int_equal(send_in_dialog(f, 2, "sip:192.0.2.2;transport=tls;lr"),
			 0);
	expect_end(f, 2, SIP_END_TIMEOUT);
	assert_int_equal(send_in_dialog(f, 3, "sip:192.0.2.1;transport=tls;lr"),
			 0);
	(void)expect_at(f, SIP_TLS, "192.0.2.1", 5061);
}

/* A name is resolved, with failover, but never asked for signs of life. */
static void test_name(void **state)
{
	const struct next_hop_found two[] = {found("192.0.2.7", 1, 0, 0),
					     found("192.0.2.8", 2, 0, 1)};
	struct fixture *f = *state;
	uint64_t hop, token;

	begin(f, "sip:192.0.2.1");
	assert_int_equal(send_in_dialog(f, 1, "sip:romeo@pc.example"), 0);
	hop = expect_resolve(f, "pc.example");
	assert_int_equal(send_in_dialog(f, 2, "sip:other@pc.example;ob"), 0);
	/* another transport is another question */
	assert_int_equal(
		send_in_dialog(f, 3, "sip:romeo@pc.example;transport=tls"), 0);
	assert_true(expect_resolve(f, "pc.example") != hop);
	expect_none(f);
	next_hops_on_resolved(f->h, hop, NEXT_HOP_FOUND, two, 2, 600000,
			      f->now);
	token = expect_at(f, SIP_TCP, "192.0.2.7", 5060);
	(void)expect_at(f, SIP_TCP, "192.0.2.7", 5060);
	assert_int_equal(finish(f, token, SIP_END_TRANSPORT, 0), 0);
	token = expect_send(f, "192.0.2.8", "z9hG4bKabc.1");
	expect_none(f);
	f->now += LIMIT_HOP_SILENT_MS;
	expect_none(f);
	assert_int_equal(respond(f, token, 200), 1);
	/* avoided for a while, as any other */
	assert_int_equal(send_in_dialog(f, 4, "sip:romeo@pc.example"), 0);
	(void)expect_at(f, SIP_TCP, "192.0.2.8", 5060);
	f->now += LIMIT_HOP_AVOID_MS;
	assert_int_equal(send_in_dialog(f, 5, "sip:romeo@pc.example"), 0);
	(void)expect_at(f, SIP_TCP, "192.0.2.7", 5060);
	expect_probe(f, "192.0.2.1"); /* the one that is configured */
	expect_none(f);
}

static void test_no_such_name(void **state)
{
	struct fixture *f = *state;

	begin(f, "sip:192.0.2.1");
	assert_int_equal(send_in_dialog(f, 1, "sip:romeo@pc.example"), 0);
	next_hops_on_resolved(f->h, expect_resolve(f, "pc.example"),
			      NEXT_HOP_NOT_FOUND, NULL, 0, 0, f->now);
	expect_end(f, 1, SIP_END_DNS);
	assert_int_equal(send_in_dialog(f, 2, "sip:romeo@pc.example"), 0);
	expect_end(f, 2, SIP_END_DNS);
	f->now += LIMIT_HOP_TTL_MIN_MS;
	assert_int_equal(send_in_dialog(f, 3, "sip:romeo@pc.example"), 0);
	next_hops_on_resolved(f->h, expect_resolve(f, "pc.example"),
			      NEXT_HOP_FAILED, NULL, 0, 0, f->now);
	expect_end(f, 3, SIP_END_TRANSPORT);
	/* a watcher can cause it, so no line for each */
	assert_string_equal(f->log, "");
}

/* Destinations that nothing goes to are forgotten. */
static void test_idle(void **state)
{
	const struct next_hop_found one[] = {found("192.0.2.7", 1, 0, 0)};
	struct fixture *f = *state;

	f->p.options_ms = 0;
	begin(f, "sip:192.0.2.1");
	assert_int_equal(send_in_dialog(f, 1, "sip:a@pc1.example"), 0);
	next_hops_on_resolved(f->h, expect_resolve(f, "pc1.example"),
			      NEXT_HOP_FOUND, one, 1, 3600000, f->now);
	(void)expect_at(f, SIP_TCP, "192.0.2.7", 5060);
	f->now += LIMIT_HOP_IDLE_MS - 1;
	assert_int_equal(send_in_dialog(f, 2, "sip:a@pc2.example"), 0);
	next_hops_on_resolved(f->h, expect_resolve(f, "pc2.example"),
			      NEXT_HOP_FOUND, one, 1, 3600000, f->now);
	(void)expect_at(f, SIP_TCP, "192.0.2.7", 5060);
	f->now++;
	assert_true(next_hops_deadline_ms(f->h) <= f->now);
	expect_none(f);
	assert_int_equal(next_hops_deadline_ms(f->h),
			 f->now - 1 + LIMIT_HOP_IDLE_MS);
	/* the first one has to be resolved again, the second not */
	assert_int_equal(send_in_dialog(f, 3, "sip:a@pc2.example"), 0);
	(void)expect_at(f, SIP_TCP, "192.0.2.7", 5060);
	assert_int_equal(send_in_dialog(f, 4, "sip:a@pc1.example"), 0);
	(void)expect_resolve(f, "pc1.example");
}

/* Very many watchers, each somewhere else: by number without a memory, by
 * name with a bounded one. */
static void test_many(void **state)
{
	const struct next_hop_found one[] = {found("192.0.2.7", 1, 0, 0)};
	struct fixture *f = *state;
	char uri[64], ip[32];

	begin(f, "sip:192.0.2.1");
	for (unsigned i = 0; i < 100000; i++) {
		(void)snprintf(ip, sizeof(ip), "10.%u.%u.%u", i >> 16,
			       i >> 8 & 255, i & 255);
		(void)snprintf(uri, sizeof(uri), "sip:u@%s:5062", ip);
		assert_int_equal(send_in_dialog(f, i + 1, uri), 0);
		assert_int_equal(
			respond(f, expect_at(f, SIP_UDP, ip, 5062), 200),
			i + 1);
	}
	for (unsigned i = 0; i < 3 * LIMIT_HOP_DESTINATIONS; i++) {
		(void)snprintf(uri, sizeof(uri), "sip:u@pc%u.example", i);
		assert_int_equal(send_in_dialog(f, i + 1, uri), 0);
		assert_true(next(f));
		assert_int_equal(f->act.kind, NEXT_HOP_ACT_RESOLVE);
		next_hops_on_resolved(f->h, f->act.u.resolve.hop,
				      NEXT_HOP_FOUND, one, 1, 3600000, f->now);
		assert_int_equal(
			respond(f, expect_at(f, SIP_TCP, "192.0.2.7", 5060),
				200),
			i + 1);
		/* one that is used stays */
		assert_int_equal(send_in_dialog(f, 1, "sip:u@pc0.example"), 0);
		(void)respond(f, expect_at(f, SIP_TCP, "192.0.2.7", 5060), 200);
	}
}

/* All wait for DNS at once: the bound is told, what waits stays. */
static void test_all_wait(void **state)
{
	struct fixture *f = *state;
	char uri[64];

	begin(f, "sip:192.0.2.1");
	for (unsigned i = 0; i < LIMIT_HOP_DESTINATIONS; i++) {
		(void)snprintf(uri, sizeof(uri), "sip:u@pc%u.example", i);
		assert_int_equal(send_in_dialog(f, i + 1, uri), 0);
	}
	assert_int_equal(send_in_dialog(f, 9999, "sip:u@one.more"), FED_ELIMIT);
	for (unsigned i = 0; i < LIMIT_HOP_DESTINATIONS; i++) {
		assert_true(next(f));
		assert_int_equal(f->act.kind, NEXT_HOP_ACT_RESOLVE);
	}
	expect_none(f);
	next_hops_on_resolved(f->h, f->act.u.resolve.hop, NEXT_HOP_FAILED, NULL,
			      0, 0, f->now);
}

/* Without a fixed next hop: that of the domain, if it is known. */
static void test_of_domains(void **state)
{
	const struct next_hop_found one[] = {found("192.0.2.7", 1, 0, 0)};
	struct fixture *f = *state;

	begin(f, NULL);
	send_to(f, 1, USER);
	next_hops_on_resolved(f->h, expect_resolve(f, "sip.example"),
			      NEXT_HOP_FOUND, one, 1, 3600000, f->now);
	(void)expect_at(f, SIP_TCP, "192.0.2.7", 5060);
	assert_int_equal(send_in_dialog(f, 2, "sip:sip.example;lr"), 0);
	(void)expect_at(f, SIP_TCP, "192.0.2.7", 5060);
	assert_int_equal(send_in_dialog(f, 3, "sip:192.0.2.7;lr"), 0);
	(void)expect_at(f, SIP_TCP, "192.0.2.7", 5060);
	assert_int_equal(send_in_dialog(f, 4, "sip:other.example;lr"), 0);
	(void)expect_resolve(f, "other.example");
	expect_none(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_numeric),
		T(test_numeric_fails),
		T(test_transports),
		T(test_size),
		T(test_bytes),
		T(test_same_as_next_hop),
		T(test_other_than_next_hop),
		T(test_numeric_next_hop),
		T(test_address_of_next_hop),
		T(test_name),
		T(test_no_such_name),
		T(test_idle),
		T(test_many),
		T(test_all_wait),
		T(test_of_domains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
