/*
 * Records of the federation configuration for all who write, read and show
 * them: keys, defaults, the words of their values.
 */
#ifndef FED_CHAN_FEDERATION_FORM_H
#define FED_CHAN_FEDERATION_FORM_H

#include "base/span.h"
#include "federation.pb-c.h"

enum { FEDERATION_KEY_BYTES = 4096 };

/**
 * "partner/fabrikam.example", "policy/user/sales", "settings": terminated.
 * Keys sort records by kind, then by name.
 *
 * @return its length; 0: the record is empty or its name too long
 */
size_t federation_key(const Fed__Record *r, char key[FEDERATION_KEY_BYTES]);

/* --- defaults (Lync Server 2013's) ---------------------------------------- */

/** public-unverified, tls and sasl required, dialback and keep-alive on. */
void federation_partner_init(Fed__PartnerRecord *p);

/** Federation off, closed list, 1000 and 20 connections, 300, 60, 600 and
 * 28800 s, bodies are not logged. */
void federation_settings_init(Fed__SettingsRecord *s);
const Fed__SettingsRecord *federation_settings_default(void);

/* --- words ------------------------------------------------------------------
 *
 * By the value of the enum; NULL ends them. */

extern const char *const federation_type_words[];
extern const char *const federation_state_words[];
extern const char *const federation_need_words[];
extern const char *const federation_scope_words[];

/** That of a value; "?" for one that there is not. */
const char *federation_word(const char *const *words, unsigned value);

/** The value of a word; -1: there is none. */
int federation_word_value(const char *const *words, struct span word);

#endif
