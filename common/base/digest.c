/* Hashes and encodings on libmbedcrypto. */
#include "base/digest.h"

#include <mbedtls/aes.h>
#include <mbedtls/base64.h>
#include <mbedtls/md.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>
#include <string.h>

int digest_sha256(struct span in, uint8_t out[SHA256_BYTES])
{
	const unsigned char *p = (const unsigned char *)in.p;
#if MBEDTLS_VERSION_MAJOR >= 3
	int r = mbedtls_sha256(p, in.n, out, 0);
#else
	int r = mbedtls_sha256_ret(p, in.n, out, 0);
#endif

	return r == 0 ? 0 : FED_EINVAL;
}

int digest_hmac_sha256(struct span key, struct span in,
		       uint8_t out[SHA256_BYTES])
{
	const mbedtls_md_info_t *md =
		mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);

	if (md == NULL ||
	    mbedtls_md_hmac(md, (const unsigned char *)key.p, key.n,
			    (const unsigned char *)in.p, in.n, out) != 0)
		return FED_EINVAL;
	return 0;
}

void digest_hex(const uint8_t *in, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[2 * n] = '\0';
}

bool digest_equal(struct span a, struct span b)
{
	unsigned char diff = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		diff = (unsigned char)(diff | (a.p[i] ^ b.p[i]));
	return diff == 0;
}

int digest_base64_encode(struct span in, struct buf *out)
{
	size_t room = (in.n + 2) / 3 * 4 + 1;
	char *p = buf_reserve(out, room);
	size_t n = 0;

	if (p == NULL)
		return FED_ELIMIT;
	if (mbedtls_base64_encode((unsigned char *)p, room, &n,
				  (const unsigned char *)in.p, in.n) != 0)
		return FED_EINVAL;
	buf_commit(out, n);
	return 0;
}

static bool is_base64_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* RFC 4648 3.2, 3.3: padded, and no other byte; the library is more lenient,
 * it skips line ends and takes half a group. */
static bool is_base64(struct span in)
{
	size_t n = in.n;

	if (in.n % 4 != 0)
		return false;
	for (int i = 0; i < 2 && n > 0 && in.p[n - 1] == '='; i++)
		n--;
	for (size_t i = 0; i < n; i++)
		if (!is_base64_char(in.p[i]))
			return false;
	return true;
}

int digest_base64_decode(struct span in, struct buf *out)
{
	size_t room = in.n / 4 * 3 + 3;
	size_t n = 0;
	char *p;

	if (!is_base64(in))
		return FED_EINVAL;
	p = buf_reserve(out, room);
	if (p == NULL)
		return FED_ELIMIT;
	if (mbedtls_base64_decode((unsigned char *)p, room, &n,
				  (const unsigned char *)in.p, in.n) != 0)
		return FED_EINVAL;
	buf_commit(out, n);
	return 0;
}

void id_source_next_raw(struct id_source *s, uint8_t out[ID_RAW_BYTES])
{
	uint8_t block[ID_RAW_BYTES] = {0};
	mbedtls_aes_context aes;
	int err;

	s->counter++;
	memcpy(block, &s->counter, sizeof(s->counter));
	mbedtls_aes_init(&aes);
	err = mbedtls_aes_setkey_enc(&aes, s->key, 8 * sizeof(s->key));
	if (err == 0)
		err = mbedtls_aes_crypt_ecb(&aes, MBEDTLS_AES_ENCRYPT, block,
					    out);
	mbedtls_aes_free(&aes);
	/* only an unusable library fails here, at the first id of all */
	FED_REQUIRE(err == 0);
}

void id_source_next(struct id_source *s, char out[ID_TEXT_BYTES + 1])
{
	uint8_t raw[ID_RAW_BYTES];

	id_source_next_raw(s, raw);
	digest_hex(raw, sizeof(raw), out);
}
