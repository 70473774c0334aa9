/*
 * Who writes to whom: j0@load.example and r0@sip.example, j1 and r1...  Many,
 * so that the order that is kept for each of them limits nothing.
 */
#ifndef FED_BENCH_USERS_H
#define FED_BENCH_USERS_H

#include <sys/socket.h>

#define LOAD_XMPP_DOMAIN "load.example"
#define LOAD_SIP_DOMAIN "sip.example"

enum { LOAD_USERS = 1024 };

/** "192.0.2.1:5269" as an address; ends the program when it is none. */
void load_address(const char *text, struct sockaddr_storage *out);

#endif
