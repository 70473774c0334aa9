/* Dialback keys (XEP-0185). */
#include "edge-proxy/core/dialback.h"

#include <string.h>

#include "base/limits.h"

/* XEP-0185 3: the HMAC key is the hex text of the hash, not its bytes */
static int hash_secret(struct span secret, char hex[SHA256_HEX_BYTES + 1])
{
	uint8_t raw[SHA256_BYTES];
	int err = digest_sha256(secret, raw);

	if (err == 0)
		digest_hex(raw, sizeof(raw), hex);
	explicit_bzero(raw, sizeof(raw));
	return err;
}

int dialback_key(struct span secret, const char *receiving,
		 const char *originating, const char *id,
		 char key_out[DIALBACK_KEY_BYTES + 1])
{
	char hex[SHA256_HEX_BYTES + 1] = "";
	uint8_t mac[SHA256_BYTES] = {0};
	struct buf text;
	int err;

	buf_init(&text, 4u * LIMIT_DOMAIN_BYTES);
	buf_printf(&text, "%s %s %s", receiving, originating, id);
	err = text.is_failed ? FED_ENOMEM : hash_secret(secret, hex);
	if (err == 0)
		err = digest_hmac_sha256(span_of(hex, SHA256_HEX_BYTES),
					 buf_span(&text), mac);
	if (err == 0)
		digest_hex(mac, sizeof(mac), key_out);
	buf_deinit(&text);
	explicit_bzero(hex, sizeof(hex));
	return err;
}

bool dialback_key_matches(struct span secret, const char *receiving,
			  const char *originating, const char *id,
			  struct span key)
{
	char own[DIALBACK_KEY_BYTES + 1];
	bool is_equal;

	if (dialback_key(secret, receiving, originating, id, own) != 0)
		return false;
	is_equal = digest_equal(span_of(own, DIALBACK_KEY_BYTES), key);
	explicit_bzero(own, sizeof(own));
	return is_equal;
}
