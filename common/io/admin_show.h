/*
 * Answers that both daemons give on their admin socket.
 */
#ifndef FED_IO_ADMIN_SHOW_H
#define FED_IO_ADMIN_SHOW_H

#include "base/metrics.h"
#include "chan/admin_codec.h"
#include "io/chan_link.h"

/** The answer is this error.
 * @param error  a literal, or lives as the response's arena or as the call */
void admin_show_error(Fed__AdminResponse *out, const char *error);

/** Memory is short: what was put in is taken out. */
void admin_show_no_memory(Fed__AdminResponse *out);

/** Program, version, instance, age.
 * @param instance  lives as the response */
void admin_show_version(struct arena *a, Fed__AdminResponse *out,
			const char *program, const char *instance,
			uint64_t up_ms);

/** All counters. */
void admin_show_counters(struct arena *a, Fed__AdminResponse *out,
			 const struct metrics *m);

/** One channel more. @return 0; FED_ENOMEM */
int admin_show_channel(struct arena *a, Fed__AdminResponse *out,
		       const struct chan_link *l,
		       uint64_t now_ms) FED_NODISCARD;

/** Set the level of what is logged from now on. */
void admin_set_log_level(struct arena *a, Fed__AdminResponse *out,
			 struct logger *log, const char *level);

#endif
