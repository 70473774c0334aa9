/* TLS credentials: one copy for each thread that may work with them. */
#include "io/tls_creds.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/tls_priv.h"

unsigned tls_creds_step_max(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (cpus <= 2)
		return 1;
	return cpus > LIMIT_TLS_STEPS ? LIMIT_TLS_STEPS : (unsigned)cpus - 1;
}

static void creds_free(struct tls_creds *c)
{
	for (unsigned i = 0; i < c->slot_count; i++)
		tls_slot_deinit(&c->slots[i]);
	tls_session_forget_all(c);
	tls_tickets_deinit(&c->tickets);
	mbedtls_ctr_drbg_free(&c->rng);
	mbedtls_entropy_free(&c->entropy);
	free(c->alpn);
	free(c);
}

static struct tls_creds *creds_alloc(const struct tls_creds_params *p)
{
	struct tls_creds *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->refs = 1;
	c->verify = p->verify;
	mbedtls_entropy_init(&c->entropy);
	mbedtls_ctr_drbg_init(&c->rng);
	if (tls_tickets_init(&c->tickets) != 0) {
		free(c);
		return NULL;
	}
	c->alpn = p->alpn == NULL ? NULL : strdup(p->alpn);
	c->alpn_list[0] = c->alpn;
	if (p->alpn != NULL && c->alpn == NULL) {
		creds_free(c);
		return NULL;
	}
	return c;
}

static int load_all(struct tls_creds *c, const struct tls_creds_params *p,
		    struct errbuf *e)
{
	unsigned n = tls_creds_step_max();
	int err = 0;

	if (p->trust_file == NULL && p->verify == TLS_VERIFY_REQUIRED) {
		errbuf_set(e, "a file of trusted certificates is required");
		return FED_ECONFIG;
	}
	if (tls_compat_start() != 0 ||
	    mbedtls_ctr_drbg_seed(&c->rng, mbedtls_entropy_func, &c->entropy,
				  NULL, 0) != 0) {
		errbuf_set(e, "the system gives no randomness");
		return FED_ECONFIG;
	}
	while (err == 0 && c->slot_count < n)
		err = tls_slot_init(&c->slots[c->slot_count++], c, p, e);
	return err;
}

int tls_creds_new(struct tls_creds **creds_out,
		  const struct tls_creds_params *p, struct errbuf *e)
{
	struct tls_creds *c = creds_alloc(p);
	int err;

	if (c == NULL) {
		errbuf_set(e, "out of memory");
		return FED_ENOMEM;
	}
	err = load_all(c, p, e);
	if (err != 0) {
		if (err == FED_ENOMEM)
			errbuf_set(e, "out of memory");
		creds_free(c);
		return err == FED_ENOMEM ? FED_ENOMEM : FED_ECONFIG;
	}
	*creds_out = c;
	return 0;
}

struct tls_creds *tls_creds_ref(struct tls_creds *c)
{
	c->refs++;
	return c;
}

void tls_creds_unref(struct tls_creds *c)
{
	if (c != NULL && --c->refs == 0)
		creds_free(c);
}

bool tls_creds_has(const struct tls_creds *c, const char *name)
{
	return tls_slot_has(&c->slots[0], name);
}

struct tls_slot *tls_creds_next_slot(struct tls_creds *c)
{
	c->next_slot = (c->next_slot + 1) % c->slot_count;
	return &c->slots[c->next_slot];
}
