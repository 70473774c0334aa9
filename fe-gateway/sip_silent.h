/*
 * TCP connections that were accepted and never said anything: sofia times a
 * connection by what happens on it, so these it keeps for ever.
 */
#ifndef FED_GATEWAY_SIP_SILENT_H
#define FED_GATEWAY_SIP_SILENT_H

#include <stddef.h>
#include <stdint.h>

/**
 * Shut down each connection of this process that came to one of its own
 * listening ports and brought no byte in age_ms; sofia then sees its end and
 * closes it.  The process listens for SIP only.
 *
 * @return how many
 */
size_t sip_silent_end(uint32_t age_ms);

#endif
