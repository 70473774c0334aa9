/*
 * The stream sockets of this process.  The SIP library does not show its own,
 * so all are looked at; who asks picks out what concerns him.
 */
#ifndef FED_GATEWAY_SIP_SOCKETS_H
#define FED_GATEWAY_SIP_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

/** @return whether the socket counts */
typedef bool (*sip_socket_fn)(int fd, void *arg);

/** Call fn for each stream socket, listening ones too.
 * @return how many counted */
size_t sip_sockets_each(sip_socket_fn fn, void *arg);

/** It listens, and does not carry bytes. */
bool sip_socket_listens(int fd);

#endif
