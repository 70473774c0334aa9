/*
 * What the s2s cores leave in the record of attempts (attempts.h), for those
 * who ask why.  Private to s2s_in*.c and s2s_out*.c.
 */
#ifndef FED_EDGE_S2S_NOTE_H
#define FED_EDGE_S2S_NOTE_H

#include "edge-proxy/core/attempts.h"
#include "edge-proxy/core/s2s.h"
#include "edge-proxy/core/xml_reader.h"

/** A step, printf style; nothing where nobody records. */
#define s2s_note(env, now_ms, level, what, ...)                           \
	attempts_note((env)->attempts, (env)->attempt, (now_ms), (level), \
		      (what), __VA_ARGS__)

/** The domain has a rule of its own: those that a pattern lets in are as many
 * as anybody likes. */
bool s2s_note_is_partner(const struct policy *policy, const char *domain);

/** The inbound stream says whose it is; behind TLS, what its certificate says
 * follows and words are spared. */
void s2s_note_peer(const struct s2s_env *env, uint64_t now_ms,
		   const char *domain, const char *wanted, bool is_secure);

/** What the peer offers. */
void s2s_note_features(const struct s2s_env *env, uint64_t now_ms,
		       const struct xml_el *el);

/** What its certificate is worth.
 * @param is_fatal  the rule needs a good one: a bad one is the reason */
void s2s_note_certificate(const struct s2s_env *env, uint64_t now_ms,
			  const struct tls_facts *tls, const char *domain,
			  bool is_fatal);

/** EXTERNAL was refused by the peer, in its words. */
void s2s_note_sasl_failure(const struct s2s_env *env, uint64_t now_ms,
			   const struct xml_el *el);

/** Our answer to a dialback request; error NULL: none. */
void s2s_note_dialback(const struct s2s_env *env, uint64_t now_ms,
		       const char *remote, const char *type, const char *error);

/** The peer's answer to ours. */
void s2s_note_dialback_answer(const struct s2s_env *env, uint64_t now_ms,
			      const char *type, const char *error);

/** The reason for people: "it ended the stream with host-unknown (\"...\")";
 * also text of the peer, escaped. */
void s2s_reason_explain(const struct s2s_reason *r, char *out, size_t out_size);

#endif
