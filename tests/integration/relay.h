/*
 * Frames that carry fedctl's messages, for the fakes: payloads as hexadecimal
 * digits, "-" for none.
 */
#ifndef FED_TEST_RELAY_H
#define FED_TEST_RELAY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/chan_link.h"

/* "ID HEX" as a request (of a gateway) or a response (of an edge). */
static inline void relay_send(struct chan_link *l, Fed__Frame__KindCase kind,
			      const char *line)
{
	uint8_t bytes[2048];
	Fed__AdminRelay relay;
	Fed__Frame frame;
	char *hex;
	unsigned byte;

	fed__admin_relay__init(&relay);
	relay.request_id = strtoull(line, &hex, 10);
	relay.payload.data = bytes;
	hex += *hex == ' ' ? 1 : 0;
	while (relay.payload.len < sizeof(bytes) &&
	       sscanf(hex, "%2x", &byte) == 1) {
		bytes[relay.payload.len++] = (uint8_t)byte;
		hex += 2;
	}
	fed__frame__init(&frame);
	frame.kind_case = kind;
	if (kind == FED__FRAME__KIND_ADMIN_REQUEST)
		frame.admin_request = &relay;
	else
		frame.admin_response = &relay;
	if (l == NULL || chan_link_send_frame(l, &frame) != 0)
		printf("relay-failed\n");
}

/* "relay ID HEX" */
static inline void relay_print(const Fed__AdminRelay *relay)
{
	printf("relay %llu ", (unsigned long long)relay->request_id);
	for (size_t i = 0; i < relay->payload.len; i++)
		printf("%02x", relay->payload.data[i]);
	printf("%s\n", relay->payload.len == 0 ? "-" : "");
}

#endif
